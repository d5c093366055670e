//! An explanation in sentences.

use std::fmt;

use crate::access::Resource;
use crate::id::RoleId;
use crate::permission::Permission;
use crate::questions::explain::{AccessPath, AccessSource, Explanation, RemedyKind, Verdict};
use crate::visible::Quoted;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            permission, answer, ..
        } = self;
        let member = &Quoted(&self.member);
        let resource = &self.resource;
        match answer {
            Verdict::Allowed { paths } => {
                write!(f, "{member} may `{permission}` {resource}:")?;
                paths.iter().try_for_each(|path| write!(f, "\n- {path}"))
            }
            Verdict::Denied { denial, remedies } => {
                write!(f, "{member} may not `{permission}` {resource}: {denial}")?;
                match remedies.as_slice() {
                    [] => return write!(f, "\nNo single command would allow it."),
                    [_] => write!(f, "\nOne command would allow it:")?,
                    [_, ..] => write!(f, "\nAny one of these would allow it:")?,
                }
                remedies.iter().try_for_each(|remedy| {
                    write!(f, "\n- ")?;
                    remedy.step.say(f, member, permission, resource)
                })
            }
        }
    }
}

impl fmt::Display for AccessPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.via {
            AccessSource::Ownership => {
                write!(f, "as an account owner")?;
                if self.is_only_way {
                    write!(f, " (the only way: without ownership it is lost)")?;
                }
            }
            AccessSource::Group {
                group,
                group_name,
                role_name,
                via_included_role,
                included_by,
                ..
            } => {
                write!(
                    f,
                    "through group `{group}` ({group_name}), by its role {role_name}"
                )?;
                if *via_included_role {
                    write!(f, ", which includes Store Viewer")?;
                }
                if let Some(including) = included_by {
                    write!(f, ", because `{including}` includes it")?;
                }
                if self.is_only_way {
                    write!(f, " (the only way: who leaves the group loses it)")?;
                }
            }
        }
        Ok(())
    }
}

impl RemedyKind {
    fn say(
        &self,
        f: &mut fmt::Formatter<'_>,
        member: &Quoted<'_>,
        permission: &Permission,
        resource: &Resource<String>,
    ) -> fmt::Result {
        match self {
            RemedyKind::Accept { .. } => write!(f, "{member} accepts its invitation"),
            RemedyKind::Reinstate => write!(f, "reinstate {member}"),
            RemedyKind::CreateStore => write!(f, "create the store"),
            RemedyKind::AddToGroup { group } => write!(f, "add {member} to group `{group}`"),
            RemedyKind::AddStore { group, role, drops } => {
                write!(
                    f,
                    "add the store to role `{role}` of group `{group}`, for all its members"
                )?;
                say_dropped(f, drops)
            }
            RemedyKind::AddGrant { group, role, drops } => {
                write!(
                    f,
                    "grant role `{role}` to group `{group}` {resource}, for all its members"
                )?;
                say_dropped(f, drops)
            }
            RemedyKind::ExtendRole { role } => {
                write!(
                    f,
                    "add `{permission}` to role `{role}`, for all who hold it"
                )
            }
            RemedyKind::GrantOwnership => {
                write!(f, "make {member} an account owner; nothing less would do")
            }
        }
    }
}

fn say_dropped(f: &mut fmt::Formatter<'_>, drops: &[RoleId]) -> fmt::Result {
    drops.iter().try_for_each(|role| {
        write!(
            f,
            ", and drop its role `{role}`, which is left with no store"
        )
    })
}

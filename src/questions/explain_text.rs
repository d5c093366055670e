//! An explanation in sentences.

use std::fmt;

use crate::access::Place;
use crate::permission::Permission;
use crate::questions::explain::{Answer, Explanation, Path, Step, Via};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            member,
            permission,
            place,
            answer,
        } = self;
        match answer {
            Answer::Allowed { paths } => {
                write!(f, "`{member}` may `{permission}` {place}:")?;
                paths.iter().try_for_each(|path| write!(f, "\n- {path}"))
            }
            Answer::Denied { denial, remedies } => {
                write!(f, "`{member}` may not `{permission}` {place}: {denial}")?;
                match remedies.as_slice() {
                    [] => return write!(f, "\nNo single command would allow it."),
                    [_] => write!(f, "\nOne command would allow it:")?,
                    [_, ..] => write!(f, "\nAny one of these would allow it:")?,
                }
                remedies.iter().try_for_each(|remedy| {
                    write!(f, "\n- ")?;
                    remedy.step.say(f, member, permission, place)
                })
            }
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.via {
            Via::Ownership => {
                write!(f, "as an account owner")?;
                if self.is_only_way {
                    write!(f, " (the only way: without ownership it is lost)")?;
                }
            }
            Via::Group {
                group,
                group_name,
                role_name,
                by_inclusion,
                ..
            } => {
                write!(
                    f,
                    "through group `{group}` ({group_name}), by its role {role_name}"
                )?;
                if *by_inclusion {
                    write!(f, ", which includes Store Viewer")?;
                }
                if self.is_only_way {
                    write!(f, " (the only way: who leaves the group loses it)")?;
                }
            }
        }
        Ok(())
    }
}

impl Step {
    fn say(
        &self,
        f: &mut fmt::Formatter<'_>,
        member: &str,
        permission: &Permission,
        place: &Place<String>,
    ) -> fmt::Result {
        match self {
            Step::Accept => write!(f, "`{member}` accepts its invitation"),
            Step::CreateStore => write!(f, "create the store"),
            Step::AddToGroup { group } => write!(f, "add `{member}` to group `{group}`"),
            Step::AddStore { group, role } => {
                write!(
                    f,
                    "add the store to role `{role}` of group `{group}`, for all its members"
                )
            }
            Step::AddGrant { group, role } => {
                write!(
                    f,
                    "grant role `{role}` to group `{group}` {place}, for all its members"
                )
            }
            Step::ExtendRole { role } => {
                write!(
                    f,
                    "add `{permission}` to role `{role}`, for all who hold it"
                )
            }
            Step::GrantOwnership => {
                write!(f, "make `{member}` an account owner; nothing less would do")
            }
        }
    }
}

//! An explanation in sentences.

use std::fmt;

use crate::permission::Permission;
use crate::questions::explanation::{
    AccessPath, AccessSource, Advice, Explanation, PermissionWarning, Remedy, RemedyKind, Verdict,
};
use crate::role::RoleLevel;
use crate::visible::{Quoted, Visible};

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = Quoted(&self.member);
        let permission = &self.permission;
        let here = &self.resource;
        match &self.answer {
            Verdict::Allowed { paths, more } => {
                write!(f, "{member} may `{permission}` {here}:")?;
                write_list(f, paths, *more, |f, path| write!(f, "{path}"))?;
                self.write_warning(f)
            }
            Verdict::Denied { denial, advice } => {
                write!(f, "{member} may not `{permission}` {here}: {denial}")?;
                self.write_warning(f)?;
                self.write_advice(f, advice)
            }
        }
    }
}

fn write_list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    more: usize,
    write_item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for item in items {
        write!(f, "\n- ")?;
        write_item(f, item)?;
    }
    match (items, more) {
        ([], 0) => write!(f, "\n- nothing more"),
        (_, 0) => Ok(()),
        (_, more) => write!(f, "\n- and {more} more"),
    }
}

impl Explanation {
    /// Returns what one of the remedies does, in a sentence such as "add `dana` to group `devs`", for a button or a list of
    /// your own.
    #[must_use]
    pub fn describe(&self, remedy: &Remedy) -> String {
        struct Described<'a>(&'a Explanation, &'a Remedy);

        impl fmt::Display for Described<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write_remedy(f, self.1)
            }
        }

        Described(self, remedy).to_string()
    }

    fn write_warning(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permission = &self.permission;
        match &self.warning {
            None => Ok(()),
            Some(PermissionWarning::Unknown { nearest }) => {
                write!(f, "\nThere is no permission `{permission}`.")?;
                match nearest {
                    Some(nearest) => write!(f, " Did you mean `{nearest}`?"),
                    None => write!(f, " Check the spelling."),
                }
            }
            Some(PermissionWarning::WrongLevel {
                level: RoleLevel::Account,
            }) => write!(
                f,
                "\n`{permission}` belongs to the account: no role can give it in a store. Ask at the account."
            ),
            Some(PermissionWarning::WrongLevel {
                level: RoleLevel::Store,
            }) => write!(
                f,
                "\n`{permission}` belongs to stores: no role can give it at the account. Ask in a store."
            ),
            Some(PermissionWarning::HeldByNoRole { is_listed }) => {
                write!(f, "\nNo role in this account holds `{permission}`")?;
                if *is_listed {
                    write!(f, " yet; add it to a role first.")
                } else {
                    write!(f, ". Check the spelling.")
                }
            }
            Some(PermissionWarning::HeldAtOtherLevel { level }) => write!(
                f,
                "\nOnly {level}-level roles hold `{permission}`, and they don't give it here."
            ),
        }
    }

    fn write_advice(&self, f: &mut fmt::Formatter<'_>, advice: &Advice) -> fmt::Result {
        match advice {
            Advice::AnyOf { remedies, more } => {
                match (remedies.as_slice(), more) {
                    ([_], 0) => write!(f, "\nOne command would allow it:")?,
                    ([] | [_, ..], _) => write!(f, "\nAny one of these would allow it:")?,
                }
                write_list(f, remedies, *more, |f, remedy| self.write_remedy(f, remedy))
            }
            Advice::InviteAgain { .. } => write!(
                f,
                "\nThe invitation has ended and can't be accepted any more.\n\
                 Invite {} again; the new invitation starts without groups and ownership.",
                Quoted(&self.member)
            ),
            Advice::SeveralChanges => write!(f, "\nSeveral changes would be needed to allow it."),
            Advice::Nothing => match &self.warning {
                Some(warning) if warning.is_certain() => Ok(()),
                Some(_) | None => write!(f, "\nNo command would allow it."),
            },
        }
    }

    fn write_remedy(&self, f: &mut fmt::Formatter<'_>, remedy: &Remedy) -> fmt::Result {
        let member = Quoted(&self.member);
        let permission: &Permission = &self.permission;
        let here = &self.resource;
        match &remedy.step {
            RemedyKind::Accept { .. } => write!(f, "{member} accepts its invitation"),
            RemedyKind::Reinstate => write!(f, "reinstate {member}"),
            RemedyKind::CreateStore => write!(f, "create the store"),
            RemedyKind::AddToGroup { group } => {
                write!(f, "add {member} to group {}", Quoted(group))
            }
            RemedyKind::GrantRole { group, role } => {
                let role = Quoted(role);
                let group = Quoted(group);
                write!(f, "grant role {role} to group {group} {here}, for ")?;
                match remedy.people {
                    1 => write!(f, "its only member"),
                    people => write!(f, "all its {people} members"),
                }
            }
            RemedyKind::ExtendRole { role } => {
                write!(f, "add `{permission}` to role {}, for ", Quoted(role))?;
                match remedy.people {
                    1 => write!(f, "the only member who holds it"),
                    people => write!(f, "all {people} members who hold it"),
                }
            }
            RemedyKind::GrantOwnership => {
                write!(f, "make {member} an account owner: only owners hold this")
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
                    "through group {} ({}), by its role {}",
                    Quoted(group),
                    Visible(group_name),
                    Visible(role_name)
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

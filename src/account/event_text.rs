//! Events and records as sentences: a history that people read.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;

use crate::account::changes::{Event, GroupEdited, RoleChanged};
use crate::account::record::Record;
use crate::grant::{Grant, Scope};
use crate::several::Several;
use crate::visible::Quoted;

/// As what the actor did: ``added `dana` and `max` to group `devs` ``. Of more than five of a kind, five are named. For
/// people: programs read the fields.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::AccountOpened(event) => write!(
                f,
                "opened the account, with {} as its owner and room for {} groups",
                Quoted(&event.owner),
                event.group_limit.get()
            ),
            Event::MemberInvited(event) => {
                write!(f, "invited {}", Quoted(&event.member))?;
                if event.as_owner {
                    f.write_str(" as an account owner")?;
                }
                match event.expires {
                    Some(expires) => write!(f, ", until {expires}"),
                    None => Ok(()),
                }
            }
            Event::InvitationAccepted(_) => f.write_str("accepted the invitation"),
            Event::InvitationCancelled(event) => {
                write!(f, "cancelled the invitation of {}", Quoted(&event.member))
            }
            Event::MembersAdded(event) => {
                write!(f, "added {} to the account", all(&event.members))?;
                if !event.ended.is_empty() {
                    let ended = event.ended.iter();
                    let ended = Several::of(ended.map(|invitation| Quoted(&invitation.member)));
                    write!(f, ", which ended the invitations of {ended}")?;
                }
                Ok(())
            }
            Event::MembersRemoved(event) => {
                write!(f, "removed {} from the account", all(&event.members))
            }
            Event::MemberLeft(_) => f.write_str("left the account"),
            Event::MemberSuspended(event) => write!(f, "suspended {}", Quoted(&event.member)),
            Event::MemberReinstated(event) => write!(f, "reinstated {}", Quoted(&event.member)),
            Event::OwnershipGranted(event) => {
                write!(f, "made {} an account owner", Quoted(&event.member))
            }
            Event::OwnershipRevoked(event) => {
                write!(f, "revoked the ownership of {}", Quoted(&event.member))
            }
            Event::StoreCreated(event) => write!(f, "created store {}", Quoted(&event.store)),
            Event::StoreDeleted(event) => write!(f, "deleted store {}", Quoted(&event.store)),
            Event::GroupCreated(event) => write!(
                f,
                "created group {}, named {}, with {}",
                Quoted(&event.group),
                Quoted(&event.name),
                granted(&event.grants)
            ),
            Event::GroupEdited(event) => edited(f, event),
            Event::GroupDeleted(event) => write!(f, "deleted group {}", Quoted(&event.group)),
            Event::AddedToGroup(event) => {
                let (members, group) = (all(&event.members), Quoted(&event.group));
                write!(f, "added {members} to group {group}")
            }
            Event::RemovedFromGroup(event) => {
                let (members, group) = (all(&event.members), Quoted(&event.group));
                write!(f, "took {members} out of group {group}")
            }
            Event::RoleGranted(event) => {
                let role = held(&event.role, &event.scope);
                write!(f, "granted {role} to group {}", Quoted(&event.group))
            }
            Event::RoleRevoked(event) => {
                write!(f, "revoked {}", Quoted(&event.role))?;
                if let Some(stores) = &event.stores {
                    write!(f, " in {}", all(stores))?;
                }
                write!(f, " from group {}", Quoted(&event.group))
            }
            Event::GroupMembersSet(event) => {
                let group = Quoted(&event.group);
                match (event.added.is_empty(), event.removed.is_empty()) {
                    (_, true) => write!(f, "added {} to group {group}", all(&event.added)),
                    (true, _) => write!(f, "took {} out of group {group}", all(&event.removed)),
                    (false, false) => write!(
                        f,
                        "added {} to group {group}, and took {} out of it",
                        all(&event.added),
                        all(&event.removed)
                    ),
                }
            }
            Event::GroupLimitChanged(event) => {
                write!(f, "changed the group limit to {}", event.limit.get())
            }
            Event::AccountClosed(_) => f.write_str("closed the account"),
            Event::RoleDefined(event) => write!(
                f,
                "defined the {}-level role {}, named {}, with {}",
                event.level,
                Quoted(&event.role),
                Quoted(&event.name),
                all(&event.permissions)
            ),
            Event::RoleChanged(event) => changed(f, event),
            Event::RoleDeleted(event) => write!(f, "deleted role {}", Quoted(&event.role)),
        }
    }
}

/// As one line: the version, when, by whom and what, and the note if there is one.
///
/// ```
/// # use grantbook::*;
/// # let (_, record) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
/// assert_eq!(
///     record.to_string(),
///     "1 1970-01-01T00:00:00.000Z the application opened the account, with `olga` as its owner and room for 20 groups",
/// );
/// # Ok::<(), ParseError>(())
/// ```
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, at) = (self.version(), self.at());
        write!(f, "{version} {at} {} {}", self.actor(), self.event())?;
        match self.note() {
            Some(note) => write!(f, " ({})", Quoted(note)),
            None => Ok(()),
        }
    }
}

fn edited(f: &mut fmt::Formatter<'_>, event: &GroupEdited) -> fmt::Result {
    let mut parts = Vec::new();
    if let Some(name) = &event.name {
        parts.push(format!("the name {}", Quoted(name)));
    }
    if let Some(description) = &event.description {
        parts.push(if description.is_empty() {
            "no description".to_owned()
        } else {
            format!("the description {}", Quoted(description))
        });
    }
    if let Some(grants) = &event.grants {
        parts.push(format!("the grants {}", granted(grants)));
    }
    write!(
        f,
        "gave group {} {}",
        Quoted(&event.group),
        Several::of(parts.into_iter())
    )
}

fn changed(f: &mut fmt::Formatter<'_>, event: &RoleChanged) -> fmt::Result {
    let mut parts = Vec::new();
    if let Some(name) = &event.name {
        parts.push(format!("the name {}", Quoted(name)));
    }
    if let Some(permissions) = &event.permissions {
        parts.push(format!("the permissions {}", all(permissions)));
    }
    write!(
        f,
        "gave role {} {}",
        Quoted(&event.role),
        Several::of(parts.into_iter())
    )
}

fn granted(grants: &[Grant]) -> Several {
    Several::of(grants.iter().map(|grant| held(&grant.role, &grant.scope)))
}

/// "`store-editor` in `dev` and `prod`".
fn held(role: &str, scope: &Scope) -> String {
    match scope {
        Scope::Account => format!("{} at the account", Quoted(role)),
        Scope::Stores(stores) if stores.is_empty() => format!("{} in no store", Quoted(role)),
        Scope::Stores(stores) => format!("{} in {}", Quoted(role), all(stores)),
    }
}

fn all<T: Deref<Target = str>>(texts: &BTreeSet<T>) -> Several {
    Several::of(texts.iter().map(|text| Quoted(text)))
}

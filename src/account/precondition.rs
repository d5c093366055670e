//! What a request was decided on.

use serde::Serialize;

use crate::account::digest::Digest;
use crate::errors::error_field;
use crate::id::{GroupId, RoleId};
use crate::visible::Quoted;

/// What a request was decided on, and must find unchanged ([U8](crate::docs::rules#U8)).
///
/// A form that somebody fills in shows a group as it was when the page was made. Let its request say so, and it is
/// refused if somebody else has changed the group meanwhile, instead of being saved over that change.
///
/// ```
/// use grantbook::repository::Request;
/// use grantbook::command::EditGroup;
/// # use grantbook::*;
/// # let (group, key, now) = (GroupId::parse("devs")?, IdempotencyKey::parse("7c1e")?, Timestamp::from_millis(0));
/// # let revision_on_the_page = 17;
/// # let edit = EditGroup { group: group.clone(), name: None, description: None, grants: Some(vec![Grant::group_manager()]) };
/// let request = Request::by(Actor::Member(MemberId::parse("dana")?), key, now)
///     .command(edit)
///     .if_unchanged(Precondition::GroupDefinition { group, revision: revision_on_the_page });
/// # Ok::<(), ParseError>(())
/// ```
///
/// A revision is the version of the last record that changed the thing.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Precondition {
    /// Nothing in the account has changed.
    Account {
        /// [`Account::digest`](crate::Account::digest), which stands for the whole history. A version would not do: after
        /// a backup was restored, another history may be as long.
        digest: Digest,
    },
    /// The role exists, and its name and permissions are the same.
    Role {
        /// The role.
        role: RoleId,
        /// [`Role::revision`](crate::Role::revision).
        revision: u64,
    },
    /// The group exists, and its name, description and grants are the same.
    GroupDefinition {
        /// The group.
        group: GroupId,
        /// [`Group::definition_revision`](crate::Group::definition_revision).
        revision: u64,
    },
    /// The group exists, and its members are the same.
    GroupMembership {
        /// The group.
        group: GroupId,
        /// [`Group::membership_revision`](crate::Group::membership_revision).
        revision: u64,
    },
}

impl Precondition {
    /// Says what has become of the thing.
    pub(crate) fn failure(&self, found: Option<u64>) -> String {
        let thing = self.thing();
        match (self, found) {
            (_, None) => format!("{thing} is gone"),
            (Precondition::Account { .. }, Some(version)) => {
                format!(
                    "{thing} has changed since the request was decided on, and is at version {version}"
                )
            }
            (
                Precondition::Role { revision, .. }
                | Precondition::GroupDefinition { revision, .. }
                | Precondition::GroupMembership { revision, .. },
                Some(found),
            ) => {
                format!("{thing} is at revision {found}, and the request was decided on {revision}")
            }
        }
    }

    fn thing(&self) -> String {
        match self {
            Precondition::Account { .. } => "the account".to_owned(),
            Precondition::Role { role, .. } => format!("role {}", Quoted(role)),
            Precondition::GroupDefinition { group, .. } => format!("group {}", Quoted(group)),
            Precondition::GroupMembership { group, .. } => {
                format!("the membership of group {}", Quoted(group))
            }
        }
    }
}

error_field!(Precondition: precondition => precondition.thing());

//! What can be asked of an account, and by whom.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::distinct;
use crate::grant::Grant;
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// Who asks for a change.
///
/// **Never deserialize one from a request**: whoever writes `"system"` there may do anything. It is a serde type
/// because a [`Record`](crate::Record) holds it; for a request, make one from the id that the host has authenticated.
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Actor {
    /// A member, as the host has authenticated it.
    Member(MemberId),
    /// The host acting for itself: provisioning, directory sync. It needs no permission and passes the guardrails
    /// E1 to E5, but no rule of form and never A2 (E6).
    System,
}

impl From<MemberId> for Actor {
    fn from(member: MemberId) -> Self {
        Actor::Member(member)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Member(member) => f.pad(member),
            Actor::System => f.pad("the host"),
        }
    }
}

/// A change that an actor asks for.
///
/// Accepted, it becomes one [`Event`](crate::Event), or none where everything already is as asked (U1). Refused, it
/// changes nothing and a [`CommandError`](crate::CommandError) says why (U3).
///
/// Its serde form names the command and its fields; what is optional may be left out:
///
/// ```
/// use grantbook::Command;
///
/// for json in [
///     r#"{"command":"invite-member","member":"dana"}"#,
///     r#"{"command":"accept-invitation"}"#,
///     r#"{"command":"add-to-group","group":"devs","members":["dana","max"]}"#,
///     r#"{"command":"create-group","group":"devs","name":"Dev Team","grants":[
///         {"role":"store-editor","scope":{"stores":["staging"]}},
///         {"role":"group-manager","scope":"account"}]}"#,
/// ] {
///     let command: Command = serde_json::from_str(json)?;
/// }
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Serde reads the same from a list of values without their names, such as `["create-store","dev"]`. To let only some
/// commands through, look at the command that was read, not at the keys of its text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Command {
    /// Invites someone (M2). By `account.invite_members`; as owner, by `account.manage_owners`.
    InviteMember {
        /// Who; nobody who is a member or has an invitation that still stands.
        member: MemberId,
        /// Whether the member becomes an Account Owner by accepting.
        #[serde(default)]
        as_owner: bool,
        /// From this moment on the invitation can no longer be accepted (M3).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    /// The invited actor accepts its own invitation (M3). There is no accepting for somebody else. (It has braces so
    /// that its stored form is as strict as the others'.)
    AcceptInvitation {},
    /// Takes an invitation back (M3). By `account.invite_members`; an owner's, by `account.manage_owners` too.
    CancelInvitation {
        /// Whose; it may have expired.
        member: MemberId,
    },
    /// Makes people active members at once, without invitations (M7). By [`Actor::System`] only.
    AddMembers {
        /// Who; those already active stay as they are. Nobody with an invitation that still stands.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    },
    /// Takes a member, active or invited, out of the account and all its groups (M5). By `account.remove_members`.
    RemoveMember {
        /// Who; not the last active owner (A2).
        member: MemberId,
    },
    /// Makes an active member an Account Owner (M6). By `account.manage_owners`.
    GrantOwnership {
        /// Who.
        member: MemberId,
    },
    /// Ends a member's ownership; it stays a member (M6). By `account.manage_owners`.
    ///
    /// To hand an account over, grant ownership first and revoke it second, in one batch; the other way round, the
    /// first command is refused (A2).
    RevokeOwnership {
        /// Who; not the last active owner (A2).
        member: MemberId,
    },
    /// Creates a store, which is in no group's scope (S1, S2). By `account.manage_stores`.
    CreateStore {
        /// Its id; not one in use.
        store: StoreId,
    },
    /// Deletes a store and takes it out of every scope (S3). By `account.manage_stores`.
    DeleteStore {
        /// Which.
        store: StoreId,
    },
    /// Creates a group without members (G1, G7). By `account.manage_groups`.
    CreateGroup {
        /// Its id; not one in use.
        group: GroupId,
        /// Its name; not one in use, in whatever case of letters (G3).
        name: GroupName,
        /// What it is for.
        #[serde(default)]
        description: Description,
        /// At least one (G4); a role named twice has its stores united.
        grants: Vec<Grant>,
    },
    /// Changes a group's name, description or grants, each alone or together (G8). By `account.manage_groups`.
    EditGroup {
        /// Which.
        group: GroupId,
        /// The new name, if it is to change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<GroupName>,
        /// The new description, if it is to change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Description>,
        /// All grants that the group is to have, if they are to change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grants: Option<Vec<Grant>>,
    },
    /// Deletes a group that has no members (G7). By `account.manage_groups`.
    DeleteGroup {
        /// Which.
        group: GroupId,
    },
    /// Puts members, active or invited, in a group (M4, G9). By `account.manage_groups`, and not oneself (E1).
    AddToGroup {
        /// Which.
        group: GroupId,
        /// Who; those already in it stay.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    },
    /// Takes members out of a group (G9). By `account.manage_groups`.
    RemoveFromGroup {
        /// Which.
        group: GroupId,
        /// Who; those not in it stay out.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    },
    /// Defines a role of the account's own (L3). By `account.manage_roles`.
    DefineRole {
        /// Its id; not one in use, nor a built-in one.
        role: RoleId,
        /// Its name; not one in use, in whatever case of letters, nor a built-in one.
        name: RoleName,
        /// Where its permissions hold; it never changes.
        level: RoleLevel,
        /// At least one; none that begins with `account.`, and at account level none that begins with `store.` (L5).
        #[serde(deserialize_with = "distinct::set")]
        permissions: BTreeSet<Permission>,
    },
    /// Changes a role's name or permissions, for everybody who holds it at once (L3). By `account.manage_roles`.
    ChangeRole {
        /// Which; not a built-in one (L1).
        role: RoleId,
        /// The new name, if it is to change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<RoleName>,
        /// All permissions that the role is to have, if they are to change.
        #[serde(
            default,
            deserialize_with = "distinct::optional_set",
            skip_serializing_if = "Option::is_none"
        )]
        permissions: Option<BTreeSet<Permission>>,
    },
    /// Deletes a role that no group carries (L3). By `account.manage_roles`.
    DeleteRole {
        /// Which; not a built-in one (L1).
        role: RoleId,
    },
}

/// What an actor must have to issue a command at all.
pub(crate) enum Requirement {
    /// This permission at the account.
    Permission(Permission),
    /// To be the host itself.
    Host,
    /// An invitation of one's own.
    Invitation,
}

impl Command {
    /// The one table of who may issue what (L5).
    pub(crate) fn requirement(&self) -> Requirement {
        match self {
            Command::InviteMember {
                as_owner: false, ..
            }
            | Command::CancelInvitation { .. } => {
                Requirement::Permission(Permission::INVITE_MEMBERS)
            }
            Command::InviteMember { as_owner: true, .. }
            | Command::GrantOwnership { .. }
            | Command::RevokeOwnership { .. } => Requirement::Permission(Permission::MANAGE_OWNERS),
            Command::AcceptInvitation {} => Requirement::Invitation,
            Command::AddMembers { .. } => Requirement::Host,
            Command::RemoveMember { .. } => Requirement::Permission(Permission::REMOVE_MEMBERS),
            Command::CreateStore { .. } | Command::DeleteStore { .. } => {
                Requirement::Permission(Permission::MANAGE_STORES)
            }
            Command::CreateGroup { .. }
            | Command::EditGroup { .. }
            | Command::DeleteGroup { .. }
            | Command::AddToGroup { .. }
            | Command::RemoveFromGroup { .. } => Requirement::Permission(Permission::MANAGE_GROUPS),
            Command::DefineRole { .. }
            | Command::ChangeRole { .. }
            | Command::DeleteRole { .. } => Requirement::Permission(Permission::MANAGE_ROLES),
        }
    }
}

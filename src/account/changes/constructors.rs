//! A command in one line, without its struct: what most callers write.

use std::collections::BTreeSet;

use crate::account::changes::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeGroupLimit, ChangeRole,
    CloseAccount, Command, CreateGroup, CreateStore, DefineRole, DeleteGroup, DeleteRole,
    DeleteStore, EditGroup, GrantOwnership, GrantRole, InviteMember, LeaveAccount, ReinstateMember,
    RemoveFromGroup, RemoveMembers, RevokeOwnership, RevokeRole, SetGroupMembers, SuspendMember,
};
use crate::account::limits::GroupLimit;
use crate::grant::{Grant, Scope};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// # Making commands
///
/// One function for each command, and one for each use of those that do several things. Ids are taken as they are or
/// behind a reference; where a command names several, anything will do that can be iterated. Of an id that is made in
/// place, name the type: `RoleId::parse("auditor")?`.
///
/// ```
/// use grantbook::{Command, Grant, GroupId, MemberId, Scope, StoreId};
///
/// let (devs, dana, max) = ("devs".parse::<GroupId>()?, "dana".parse::<MemberId>()?, "max".parse::<MemberId>()?);
/// let staging: StoreId = "staging".parse()?;
/// let commands = [
///     Command::add_members([&dana, &max]),
///     Command::create_store(&staging),
///     Command::create_group(&devs, "Dev Team".parse()?, [Grant::store_viewer([staging])]),
///     Command::add_to_group(&devs, [dana, max]),
/// ];
/// assert_eq!(commands.map(|command| command.kind()), ["add-members", "create-store", "create-group", "add-to-group"]);
/// # Ok::<(), grantbook::ParseError>(())
/// ```
impl Command {
    /// Makes people members, without invitations ([`AddMembers`]).
    #[must_use]
    pub fn add_members(members: impl IntoIterator<Item = impl Into<MemberId>>) -> Self {
        let members = all(members);
        AddMembers { members }.into()
    }

    /// Ends memberships and invitations ([`RemoveMembers`]).
    #[must_use]
    pub fn remove_members(members: impl IntoIterator<Item = impl Into<MemberId>>) -> Self {
        let members = all(members);
        RemoveMembers { members }.into()
    }

    /// Invites somebody, until then if there is an end ([`InviteMember`]).
    #[must_use]
    pub fn invite_member(member: impl Into<MemberId>, expires: Option<Timestamp>) -> Self {
        InviteMember {
            member: member.into(),
            as_owner: false,
            expires,
        }
        .into()
    }

    /// Invites somebody to be an Account Owner, until then if there is an end ([`InviteMember`]).
    #[must_use]
    pub fn invite_owner(member: impl Into<MemberId>, expires: Option<Timestamp>) -> Self {
        InviteMember {
            member: member.into(),
            as_owner: true,
            expires,
        }
        .into()
    }

    /// Accepts the actor's own invitation ([`AcceptInvitation`]).
    #[must_use]
    pub fn accept_invitation() -> Self {
        AcceptInvitation {}.into()
    }

    /// Takes an invitation back ([`CancelInvitation`]).
    #[must_use]
    pub fn cancel_invitation(member: impl Into<MemberId>) -> Self {
        let member = member.into();
        CancelInvitation { member }.into()
    }

    /// Ends the actor's own membership ([`LeaveAccount`]).
    #[must_use]
    pub fn leave_account() -> Self {
        LeaveAccount {}.into()
    }

    /// Takes everything from a member for a while ([`SuspendMember`]).
    #[must_use]
    pub fn suspend_member(member: impl Into<MemberId>) -> Self {
        let member = member.into();
        SuspendMember { member }.into()
    }

    /// Gives a suspended member back what it held ([`ReinstateMember`]).
    #[must_use]
    pub fn reinstate_member(member: impl Into<MemberId>) -> Self {
        let member = member.into();
        ReinstateMember { member }.into()
    }

    /// Makes a member an Account Owner ([`GrantOwnership`]).
    #[must_use]
    pub fn grant_ownership(member: impl Into<MemberId>) -> Self {
        let member = member.into();
        GrantOwnership { member }.into()
    }

    /// Makes an Account Owner a plain member ([`RevokeOwnership`]).
    #[must_use]
    pub fn revoke_ownership(member: impl Into<MemberId>) -> Self {
        let member = member.into();
        RevokeOwnership { member }.into()
    }

    /// Creates a store ([`CreateStore`]).
    #[must_use]
    pub fn create_store(store: impl Into<StoreId>) -> Self {
        let store = store.into();
        CreateStore { store }.into()
    }

    /// Deletes a store, and takes it out of every grant ([`DeleteStore`]).
    #[must_use]
    pub fn delete_store(store: impl Into<StoreId>) -> Self {
        let store = store.into();
        DeleteStore { store }.into()
    }

    /// Creates a group without members and without a description ([`CreateGroup`]).
    #[must_use]
    pub fn create_group(
        group: impl Into<GroupId>,
        name: GroupName,
        grants: impl IntoIterator<Item = Grant>,
    ) -> Self {
        CreateGroup {
            group: group.into(),
            name,
            description: Description::default(),
            grants: grants.into_iter().collect(),
        }
        .into()
    }

    /// Gives a group another name ([`EditGroup`]).
    #[must_use]
    pub fn rename_group(group: impl Into<GroupId>, name: GroupName) -> Self {
        EditGroup {
            name: Some(name),
            ..edit(group)
        }
        .into()
    }

    /// Gives a group another description ([`EditGroup`]).
    #[must_use]
    pub fn describe_group(group: impl Into<GroupId>, description: Description) -> Self {
        EditGroup {
            description: Some(description),
            ..edit(group)
        }
        .into()
    }

    /// Gives a group these grants instead of those it has ([`EditGroup`]).
    #[must_use]
    pub fn set_grants(group: impl Into<GroupId>, grants: impl IntoIterator<Item = Grant>) -> Self {
        EditGroup {
            grants: Some(grants.into_iter().collect()),
            ..edit(group)
        }
        .into()
    }

    /// Deletes a group that has no members ([`DeleteGroup`]).
    #[must_use]
    pub fn delete_group(group: impl Into<GroupId>) -> Self {
        let group = group.into();
        DeleteGroup { group }.into()
    }

    /// Puts members in a group ([`AddToGroup`]).
    #[must_use]
    pub fn add_to_group(
        group: impl Into<GroupId>,
        members: impl IntoIterator<Item = impl Into<MemberId>>,
    ) -> Self {
        AddToGroup {
            group: group.into(),
            members: all(members),
        }
        .into()
    }

    /// Takes members out of a group ([`RemoveFromGroup`]).
    #[must_use]
    pub fn remove_from_group(
        group: impl Into<GroupId>,
        members: impl IntoIterator<Item = impl Into<MemberId>>,
    ) -> Self {
        RemoveFromGroup {
            group: group.into(),
            members: all(members),
        }
        .into()
    }

    /// Gives a group these members instead of those it has ([`SetGroupMembers`]).
    #[must_use]
    pub fn set_group_members(
        group: impl Into<GroupId>,
        members: impl IntoIterator<Item = impl Into<MemberId>>,
    ) -> Self {
        SetGroupMembers {
            group: group.into(),
            members: all(members),
        }
        .into()
    }

    /// Grants a role to a group, or grants it in more stores ([`GrantRole`]).
    #[must_use]
    pub fn grant_role(group: impl Into<GroupId>, role: impl Into<RoleId>, scope: Scope) -> Self {
        GrantRole {
            group: group.into(),
            role: role.into(),
            scope,
        }
        .into()
    }

    /// Takes a role from a group altogether ([`RevokeRole`]).
    #[must_use]
    pub fn revoke_role(group: impl Into<GroupId>, role: impl Into<RoleId>) -> Self {
        RevokeRole {
            group: group.into(),
            role: role.into(),
            stores: None,
        }
        .into()
    }

    /// Takes a role from a group in these stores ([`RevokeRole`]).
    #[must_use]
    pub fn revoke_role_in(
        group: impl Into<GroupId>,
        role: impl Into<RoleId>,
        stores: impl IntoIterator<Item = impl Into<StoreId>>,
    ) -> Self {
        RevokeRole {
            group: group.into(),
            role: role.into(),
            stores: Some(all(stores)),
        }
        .into()
    }

    /// Defines a role of the account's own ([`DefineRole`]).
    #[must_use]
    pub fn define_role(
        role: impl Into<RoleId>,
        name: RoleName,
        level: RoleLevel,
        permissions: impl IntoIterator<Item = impl Into<Permission>>,
    ) -> Self {
        DefineRole {
            role: role.into(),
            name,
            level,
            permissions: all(permissions),
        }
        .into()
    }

    /// Gives a role another name ([`ChangeRole`]).
    #[must_use]
    pub fn rename_role(role: impl Into<RoleId>, name: RoleName) -> Self {
        ChangeRole {
            role: role.into(),
            name: Some(name),
            permissions: None,
        }
        .into()
    }

    /// Gives a role these permissions instead of those it has ([`ChangeRole`]).
    #[must_use]
    pub fn redefine_role(
        role: impl Into<RoleId>,
        permissions: impl IntoIterator<Item = impl Into<Permission>>,
    ) -> Self {
        ChangeRole {
            role: role.into(),
            name: None,
            permissions: Some(all(permissions)),
        }
        .into()
    }

    /// Deletes a role that no group carries ([`DeleteRole`]).
    #[must_use]
    pub fn delete_role(role: impl Into<RoleId>) -> Self {
        let role = role.into();
        DeleteRole { role }.into()
    }

    /// Changes how many groups the account may have ([`ChangeGroupLimit`]).
    #[must_use]
    pub fn change_group_limit(limit: GroupLimit) -> Self {
        ChangeGroupLimit { limit }.into()
    }

    /// Closes the account for good ([`CloseAccount`]).
    #[must_use]
    pub fn close_account() -> Self {
        CloseAccount {}.into()
    }
}

fn all<T: Ord>(items: impl IntoIterator<Item = impl Into<T>>) -> BTreeSet<T> {
    items.into_iter().map(Into::into).collect()
}

/// An edit that changes nothing yet.
fn edit(group: impl Into<GroupId>) -> EditGroup {
    EditGroup {
        group: group.into(),
        name: None,
        description: None,
        grants: None,
    }
}

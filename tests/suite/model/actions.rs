//! Command by command: what it takes, what it names, what it conflicts with, what it does. A new command has an entry
//! in each of the four.

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeGroupLimit, ChangeRole,
    CreateGroup, CreateStore, DefineRole, DeleteGroup, DeleteRole, DeleteStore, EditGroup,
    GrantOwnership, GrantRole, InviteMember, LeaveAccount, ReinstateMember, RemoveFromGroup,
    RemoveMembers, RevokeOwnership, RevokeRole, SetGroupMembers, SuspendMember,
};
use grantbook::{Actor, Command, Grant, RoleLevel, Scope, Timestamp};

use super::state::{Grants, Group, Role, Set, State, Status, merged, texts};
use super::{Model, Reasons, Rule};

/// Who may issue a command.
pub(super) enum Takes {
    /// Whoever holds this permission at the account (L5), and the application (E6).
    Permission(&'static str),
    /// The host.
    Host,
    /// Whoever is an active member (M5).
    Membership,
    /// Whoever is invited (M3, Decision 1).
    Invitation,
}

/// The kind of event that the command leads to (U1), and what it takes (L5).
fn facts(command: &Command) -> (&'static str, Takes) {
    let (event, permission) = match command {
        Command::AcceptInvitation(AcceptInvitation {}) => {
            return ("invitation-accepted", Takes::Invitation);
        }
        Command::LeaveAccount(LeaveAccount {}) => return ("member-left", Takes::Membership), // M5
        Command::AddMembers(_) => return ("members-added", Takes::Host),                     // M7
        Command::InviteMember(InviteMember { as_owner: true, .. }) => {
            ("member-invited", "account.manage_owners")
        } // M2, E3
        Command::InviteMember(_) => ("member-invited", "account.invite_members"),            // M2
        Command::CancelInvitation(_) => ("invitation-cancelled", "account.invite_members"),  // M3
        Command::RemoveMembers(_) => ("members-removed", "account.remove_members"),          // M5
        Command::SuspendMember(_) => ("member-suspended", "account.remove_members"), // M8, L5
        Command::ReinstateMember(_) => ("member-reinstated", "account.remove_members"), // M8, L5
        Command::GrantOwnership(_) => ("ownership-granted", "account.manage_owners"), // M6
        Command::RevokeOwnership(_) => ("ownership-revoked", "account.manage_owners"), // M6
        Command::CreateStore(_) => ("store-created", "account.manage_stores"),       // S1
        Command::DeleteStore(_) => ("store-deleted", "account.manage_stores"),       // S1
        Command::DefineRole(_) => ("role-defined", "account.manage_roles"),          // L3
        Command::ChangeRole(_) => ("role-changed", "account.manage_roles"),          // L3
        Command::DeleteRole(_) => ("role-deleted", "account.manage_roles"),          // L3
        Command::ChangeGroupLimit(_) => return ("group-limit-changed", Takes::Host), // A3
        Command::CloseAccount(_) => ("account-closed", "account.close"),             // A5
        Command::GrantRole(_) => ("role-granted", "account.manage_groups"),          // G8
        Command::RevokeRole(_) => ("role-revoked", "account.manage_groups"),         // G8
        Command::SetGroupMembers(_) => ("group-members-set", "account.manage_groups"), // G11
        Command::CreateGroup(_) => ("group-created", "account.manage_groups"),       // G1
        Command::EditGroup(_) => ("group-edited", "account.manage_groups"),          // G1
        Command::DeleteGroup(_) => ("group-deleted", "account.manage_groups"),       // G1
        Command::AddToGroup(_) => ("added-to-group", "account.manage_groups"),       // G1
        Command::RemoveFromGroup(_) => ("removed-from-group", "account.manage_groups"), // G1
        _ => panic!("a command that the rules do not know: {command:?}"),
    };
    (event, Takes::Permission(permission))
}

/// The kind of event that a command leads to (U1).
pub(crate) fn event_of(command: &Command) -> &'static str {
    facts(command).0
}

pub(super) fn takes(command: &Command) -> Takes {
    facts(command).1
}

/// What a command names and asks for, where the rules ask about it in the same way whatever the command is.
#[derive(Default)]
pub(super) struct Named<'a> {
    /// Members in a list (U7).
    pub(super) listed: usize,
    /// What has to be there (U3); the roles and stores of the grants are not among them.
    pub(super) members: Set,
    pub(super) stores: Set,
    pub(super) groups: Set,
    pub(super) roles: Set,
    /// The grants that it would give to a group, as they are written.
    pub(super) grants: Option<&'a [Grant]>,
    /// Stores where it would grant a role, or revoke it: at least one (G5, G8).
    pub(super) scope: Option<Set>,
    /// Whether the role that it names has to be one of stores, or one of the account.
    pub(super) level: Option<bool>,
    /// The permissions that it would give to a role.
    pub(super) permissions: Option<Set>,
    /// What it would call a role.
    pub(super) called: Vec<&'a str>,
    /// Whether it would make a role of account level.
    pub(super) at_account: bool,
    /// When an invitation would end.
    pub(super) until: Option<u64>,
}

pub(super) fn named(command: &Command) -> Named<'_> {
    let mut named = Named::default();
    match command {
        Command::InviteMember(InviteMember { expires, .. }) => {
            named.until = expires.map(Timestamp::as_millis);
        }
        Command::AddMembers(AddMembers { members }) => named.listed = members.len(), // They need not be there.
        Command::CancelInvitation(CancelInvitation { member })
        | Command::SuspendMember(SuspendMember { member })
        | Command::ReinstateMember(ReinstateMember { member })
        | Command::GrantOwnership(GrantOwnership { member })
        | Command::RevokeOwnership(RevokeOwnership { member }) => named.members = texts([member]),
        Command::RemoveMembers(RemoveMembers { members }) => {
            named.members = texts(members);
            named.listed = members.len();
        }
        Command::DeleteStore(DeleteStore { store }) => named.stores = texts([store]),
        Command::CreateGroup(CreateGroup { grants, .. }) => named.grants = Some(grants),
        Command::EditGroup(EditGroup { group, grants, .. }) => {
            named.groups = texts([group]);
            named.grants = grants.as_deref();
        }
        Command::DeleteGroup(DeleteGroup { group }) => named.groups = texts([group]),
        Command::GrantRole(GrantRole { group, role, scope }) => {
            named.groups = texts([group]);
            named.roles = texts([role]);
            named.stores = texts(scope.stores());
            named.scope = (*scope != Scope::Account).then(|| named.stores.clone());
            named.level = Some(*scope == Scope::Account);
        }
        Command::RevokeRole(RevokeRole {
            group,
            role,
            stores,
        }) => {
            named.groups = texts([group]);
            named.roles = texts([role]);
            named.stores = texts(stores.iter().flatten());
            named.scope = stores.as_ref().map(texts);
            named.level = stores.as_ref().map(|_| false);
        }
        Command::SetGroupMembers(SetGroupMembers { group, members }) => {
            // Who is in the group already is there.
            named.groups = texts([group]);
            named.members = texts(members);
            named.listed = members.len();
        }
        Command::AddToGroup(AddToGroup { group, members })
        | Command::RemoveFromGroup(RemoveFromGroup { group, members }) => {
            named.groups = texts([group]);
            named.members = texts(members); // M4
            named.listed = members.len();
        }
        Command::DefineRole(DefineRole {
            role,
            name,
            level,
            permissions,
        }) => {
            named.called = vec![role, name];
            named.at_account = *level == RoleLevel::Account;
            named.permissions = Some(texts(permissions));
        }
        Command::ChangeRole(ChangeRole {
            role,
            name,
            permissions,
        }) => {
            named.roles = texts([role]);
            named.called.extend(name.as_deref());
            named.permissions = permissions.as_ref().map(texts);
        }
        Command::DeleteRole(DeleteRole { role }) => named.roles = texts([role]),
        _ => {}
    }
    named
}

/// The grants of a command as a group carries them.
pub(super) fn as_asked(grants: &[Grant]) -> Grants {
    merged(grants.iter().map(|grant| (&grant.role, &grant.scope)))
}

/// G3: in whatever case of letters, with however many spaces between words.
pub(super) fn reads_as(name: &str) -> String {
    let words: Vec<_> = name.split_ascii_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn only_letters(text: &str) -> String {
    let letters = text.replace(|c: char| !c.is_ascii_alphanumeric(), "");
    letters.to_lowercase()
}

/// M6, Decision 10: ownership by name, whatever stands between the letters, and in whatever case.
pub(crate) fn is_ownership_name(text: &str) -> bool {
    only_letters(text) == "accountowner"
}

/// U3, last: what does not go together with what is there.
pub(super) fn conflicts(state: &State, actor: &Actor, command: &Command, now: u64) -> Reasons {
    let mut reasons = Reasons::new();
    let mut conflict = |code: &'static str, stands: bool| {
        if stands {
            reasons.insert(code);
        }
    };
    let is_active = |member: &str| state.is_active(member);
    let is_over = |member: &str| state.status(member).is_some_and(|it| it.is_over(now));
    let is_invited = |member: &str| state.status(member).is_some_and(Status::is_invited);
    let is_pending = |member: &str| is_invited(member) && !is_over(member);
    let is_suspended =
        |member: &str| matches!(state.status(member), Some(Status::Suspended { .. }));
    let is_group_name = |name: &str, own: &str| {
        let mut others = state.groups.iter().filter(|(id, _)| *id != own);
        others.any(|(_, group)| reads_as(&group.name) == reads_as(name)) // G3
    };
    let is_role_name = |name: &str, own: &str| {
        let mut others = state.roles.iter().filter(|(id, _)| *id != own);
        others.any(|(_, role)| {
            // L3: of the built-in ones also with other separators.
            let has_its_letters = role.built_in && only_letters(&role.name) == only_letters(name);
            has_its_letters || reads_as(&role.name) == reads_as(name)
        })
    };
    let would_come = |group: &str, members: &std::collections::BTreeSet<grantbook::MemberId>| {
        // M4, Decision 3: into no further group.
        let mut new = members.iter().filter(|id| !state.is_in(id, group));
        new.any(|id| is_over(id))
    };
    let is_built_in = |role: &str| state.roles[role].built_in;
    match command {
        Command::InviteMember(InviteMember { member, .. }) => {
            conflict("already-member", is_active(member) || is_suspended(member)); // M3
            conflict("already-invited", is_pending(member));
        }
        Command::AcceptInvitation(AcceptInvitation {}) => {
            let is_over = matches!(actor, Actor::Member(id) if is_over(id));
            conflict("invitation-expired", is_over); // M3
        }
        Command::CancelInvitation(CancelInvitation { member }) => {
            conflict("not-invited", !is_invited(member));
        } // M3
        Command::GrantOwnership(GrantOwnership { member }) => {
            conflict("not-active", is_invited(member)); // M6, Decision 7
            conflict("member-suspended", is_suspended(member));
        }
        Command::RevokeOwnership(RevokeOwnership { member })
        | Command::SuspendMember(SuspendMember { member })
        | Command::ReinstateMember(ReinstateMember { member }) => {
            conflict("not-active", is_invited(member)); // M6, M8
        }
        Command::CreateStore(CreateStore { store }) => {
            conflict("store-exists", state.stores.contains(store.as_str())); // S1
        }
        Command::CreateGroup(CreateGroup { group, name, .. }) => {
            conflict("group-exists", state.groups.contains_key(group.as_str())); // G1
            conflict("group-name-taken", is_group_name(name, group));
            conflict("too-many-groups", state.groups.len() >= state.group_limit); // A3
        }
        Command::EditGroup(EditGroup { group, name, .. }) => {
            let is_taken = name.as_ref().is_some_and(|name| is_group_name(name, group));
            conflict("group-name-taken", is_taken);
        }
        Command::DeleteGroup(DeleteGroup { group }) => {
            let members = &state.groups[group.as_str()].members;
            conflict("group-has-members", !members.is_empty()); // G7
        }
        Command::AddToGroup(AddToGroup { group, members })
        | Command::SetGroupMembers(SetGroupMembers { group, members }) => {
            conflict("invitation-expired", would_come(group, members));
        }
        Command::RevokeRole(RevokeRole {
            group,
            role,
            stores: None,
        }) => {
            let carried = &state.groups[group.as_str()].grants;
            let is_only = carried.keys().all(|(id, _)| id == role.as_str());
            conflict("last-grant", is_only); // G4
        }
        Command::ChangeGroupLimit(ChangeGroupLimit { limit }) => {
            let is_too_low = state.groups.len() > limit.get().into();
            conflict("group-limit-too-low", is_too_low); // A3
        }
        Command::DefineRole(DefineRole { role, name, .. }) => {
            conflict("role-exists", state.roles.contains_key(role.as_str())); // L1, L3
            conflict("role-name-taken", is_role_name(name, role));
        }
        Command::ChangeRole(ChangeRole { role, name, .. }) => {
            conflict("built-in-role", is_built_in(role)); // L1
            let is_taken = name.as_ref().is_some_and(|name| is_role_name(name, role));
            conflict("role-name-taken", is_taken);
        }
        Command::DeleteRole(DeleteRole { role }) => {
            let carries = |group: &Group| group.grants.keys().any(|(id, _)| *id == **role);
            conflict("built-in-role", is_built_in(role)); // L1
            conflict("role-in-use", state.groups.values().any(carries)); // L3
        }
        _ => {}
    }
    reasons
}

fn set<T: ToString>(field: &mut String, value: Option<&T>) {
    if let Some(value) = value {
        *field = value.to_string();
    }
}

impl Model {
    /// Makes everything as the command asks.
    pub(super) fn make_so(self, state: &mut State, actor: &Actor, command: &Command) {
        match command {
            Command::InviteMember(InviteMember {
                member,
                as_owner,
                expires,
            }) => {
                self.forget(state, member); // M3: from nothing.
                let status = Status::Invited {
                    as_owner: *as_owner,
                    until: expires.map(Timestamp::as_millis),
                };
                state.members.insert(member.to_string(), status);
            }
            Command::AcceptInvitation(AcceptInvitation {}) => {
                let Actor::Member(member) = actor else { return };
                let invited = state.status(member);
                let owner = matches!(invited, Some(Status::Invited { as_owner: true, .. }));
                let status = Status::Active { owner };
                state.members.insert(member.to_string(), status);
            }
            Command::CancelInvitation(CancelInvitation { member }) => {
                self.forget(state, member); // M3
            }
            Command::RemoveMembers(RemoveMembers { members }) => {
                for member in members {
                    self.forget(state, member); // M5
                }
            }
            Command::LeaveAccount(LeaveAccount {}) => {
                let Actor::Member(member) = actor else { return };
                self.forget(state, member); // M5
            }
            Command::AddMembers(AddMembers { members }) => {
                for member in members {
                    // M7: who is active or suspended stays; an invitation leaves nothing behind.
                    if state.status(member).is_none_or(Status::is_invited) {
                        self.forget(state, member);
                        let status = Status::Active { owner: false };
                        state.members.insert(member.to_string(), status);
                    }
                }
            }
            Command::GrantOwnership(GrantOwnership { member })
            | Command::RevokeOwnership(RevokeOwnership { member }) => {
                let is_granted = matches!(command, Command::GrantOwnership(_));
                if let Some(Status::Active { owner } | Status::Suspended { owner }) =
                    state.members.get_mut(member.as_str())
                {
                    *owner = is_granted; // M6
                }
            }
            Command::SuspendMember(SuspendMember { member }) => {
                if let Some(Status::Active { owner }) = state.status(member) {
                    let suspended = Status::Suspended { owner }; // M8: it keeps all it has.
                    state.members.insert(member.to_string(), suspended);
                }
            }
            Command::ReinstateMember(ReinstateMember { member }) => {
                if let Some(Status::Suspended { owner }) = state.status(member) {
                    let active = Status::Active { owner };
                    state.members.insert(member.to_string(), active);
                }
            }
            Command::CreateStore(CreateStore { store }) => {
                state.stores.insert(store.to_string()); // S2: in no scope.
            }
            Command::DeleteStore(DeleteStore { store }) => {
                state.stores.remove(store.as_str());
                let groups = state.groups.values_mut().filter(|_| self.has(Rule::S3));
                for scope in groups.flat_map(|group| group.grants.values_mut()) {
                    scope.remove(store.as_str()); // S3: the grant stays.
                }
            }
            Command::CreateGroup(CreateGroup {
                group,
                name,
                description,
                grants,
            }) => {
                let created = Group {
                    name: name.to_string(),
                    description: description.to_string(),
                    grants: as_asked(grants),
                    members: Set::new(), // G7
                };
                state.groups.insert(group.to_string(), created);
            }
            Command::EditGroup(EditGroup {
                group,
                name,
                description,
                grants,
            }) => {
                let group = state.groups.get_mut(group.as_str()).unwrap(); // G8
                set(&mut group.name, name.as_ref());
                set(&mut group.description, description.as_ref());
                if let Some(grants) = grants {
                    group.grants = as_asked(grants);
                }
            }
            Command::DeleteGroup(DeleteGroup { group }) => {
                state.groups.remove(group.as_str());
            }
            Command::GrantRole(GrantRole { group, role, scope }) => {
                let group = state.groups.get_mut(group.as_str()).unwrap(); // G8
                let key = (role.to_string(), *scope == Scope::Account);
                let stores = group.grants.entry(key).or_default();
                stores.extend(texts(scope.stores()));
            }
            Command::RevokeRole(RevokeRole {
                group,
                role,
                stores,
            }) => {
                let group = state.groups.get_mut(group.as_str()).unwrap(); // G8
                group
                    .grants
                    .retain(|(id, _), _| id != role.as_str() || stores.is_some());
                let carried = group.grants.get_mut(&(role.to_string(), false));
                if let (Some(carried), Some(stores)) = (carried, stores) {
                    *carried = &*carried - &texts(stores); // It stays, also with none (S3).
                }
            }
            Command::SetGroupMembers(SetGroupMembers { group, members }) => {
                let group = state.groups.get_mut(group.as_str()).unwrap();
                group.members = texts(members); // G11
            }
            Command::ChangeGroupLimit(ChangeGroupLimit { limit }) => {
                state.group_limit = limit.get().into(); // A3
            }
            Command::CloseAccount(_) => state.is_closed = true, // A5
            Command::AddToGroup(AddToGroup { group, members }) => {
                let group = state.groups.get_mut(group.as_str()).unwrap();
                group.members.extend(texts(members)); // G9
            }
            Command::RemoveFromGroup(RemoveFromGroup { group, members }) => {
                let group = state.groups.get_mut(group.as_str()).unwrap();
                group.members = &group.members - &texts(members); // G9
            }
            Command::DefineRole(DefineRole {
                role,
                name,
                level,
                permissions,
            }) => {
                let defined = Role {
                    name: name.to_string(),
                    at_account: *level == RoleLevel::Account,
                    permissions: texts(permissions),
                    built_in: false,
                };
                state.roles.insert(role.to_string(), defined);
            }
            Command::ChangeRole(ChangeRole {
                role,
                name,
                permissions,
            }) => {
                let role = state.roles.get_mut(role.as_str()).unwrap(); // L3: for everybody at once.
                set(&mut role.name, name.as_ref());
                if let Some(permissions) = permissions {
                    role.permissions = texts(permissions);
                }
            }
            Command::DeleteRole(DeleteRole { role }) => {
                state.roles.remove(role.as_str());
            }
            _ => panic!("a command that the rules do not know: {command:?}"),
        }
    }

    /// Out of the account and of every group (M5).
    fn forget(self, state: &mut State, member: &str) {
        state.members.remove(member);
        for group in state.groups.values_mut().filter(|_| self.has(Rule::M5)) {
            group.members.remove(member);
        }
    }
}

//! Who may ask for what, when.

use std::collections::BTreeSet;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeGroupLimit, ChangeRole,
    CloseAccount, CreateGroup, CreateStore, DefineRole, DeleteGroup, DeleteRole, DeleteStore,
    EditGroup, GrantOwnership, GrantRole, InviteMember, LeaveAccount, ReinstateMember,
    RemoveFromGroup, RemoveMembers, RevokeOwnership, RevokeRole, SetGroupMembers, SuspendMember,
};
use grantbook::*;

use super::explore::Step;
use super::{END, GROUPS, MEMBERS, START, STORES, World, own_role, parsed};

impl World {
    pub(super) fn actors(&self) -> Vec<Actor> {
        let members = self.members().into_iter().map(Actor::Member);
        members.chain([Actor::System]).collect()
    }

    /// Every command by every actor, at every time there is.
    pub(super) fn steps(&self) -> Vec<Step> {
        let times: &[Timestamp] = if self.has_time {
            &[START, END]
        } else {
            &[START]
        };
        let mut steps = Vec::new();
        for actor in 0..self.actors().len() {
            for command in self.commands() {
                steps.extend(times.iter().map(|at| Step {
                    actor,
                    command: command.clone(),
                    at: *at,
                }));
            }
        }
        steps
    }

    fn members(&self) -> Vec<MemberId> {
        let members = MEMBERS.iter().take(self.members);
        members.map(|id| parsed(id, MemberId::parse)).collect()
    }

    /// Each set of members that has some.
    fn some_members(&self) -> Vec<BTreeSet<MemberId>> {
        (1..1 << self.members)
            .map(|chosen| {
                let members = self.members().into_iter().zip(0..);
                members
                    .filter(|(_, bit)| chosen & 1 << bit != 0)
                    .map(|(id, _)| id)
                    .collect()
            })
            .collect()
    }

    fn commands(&self) -> Vec<Command> {
        let mut commands = self.about_members();
        for id in STORES.iter().take(self.stores) {
            let store = parsed(id, StoreId::parse);
            commands.push(Command::CreateStore(CreateStore {
                store: store.clone(),
            }));
            commands.push(Command::DeleteStore(DeleteStore { store }));
        }
        for (number, id) in GROUPS.iter().enumerate() {
            let group = parsed(id, GroupId::parse);
            commands.extend(self.about_grants(&group, number));
            commands.extend(self.about_members_of(&group));
            commands.push(Command::DeleteGroup(DeleteGroup { group }));
        }
        commands.extend(self.about_roles());
        for limit in self.limits {
            let limit = GroupLimit::new(*limit).expect("a limit that there can be");
            commands.push(Command::ChangeGroupLimit(ChangeGroupLimit { limit }));
        }
        if !self.limits.is_empty() {
            commands.push(Command::CloseAccount(CloseAccount {}));
        }
        commands
    }

    fn about_members(&self) -> Vec<Command> {
        let expiries: &[_] = if self.has_time {
            &[None, Some(END)]
        } else {
            &[None]
        };
        let kinds: &[_] = if self.invites_owners {
            &[false, true]
        } else {
            &[false]
        };
        let mut commands = vec![
            Command::AcceptInvitation(AcceptInvitation {}),
            Command::LeaveAccount(LeaveAccount {}),
        ];
        for member in self.members() {
            for as_owner in kinds {
                commands.extend(expiries.iter().map(|expires| {
                    Command::InviteMember(InviteMember {
                        member: member.clone(),
                        as_owner: *as_owner,
                        expires: *expires,
                    })
                }));
            }
            commands.push(Command::CancelInvitation(CancelInvitation {
                member: member.clone(),
            }));
            commands.push(Command::SuspendMember(SuspendMember {
                member: member.clone(),
            }));
            commands.push(Command::ReinstateMember(ReinstateMember {
                member: member.clone(),
            }));
            commands.push(Command::GrantOwnership(GrantOwnership {
                member: member.clone(),
            }));
            commands.push(Command::RevokeOwnership(RevokeOwnership { member }));
        }
        for members in self.some_members() {
            commands.push(Command::AddMembers(AddMembers {
                members: members.clone(),
            }));
            commands.push(Command::RemoveMembers(RemoveMembers { members }));
        }
        commands
    }

    /// The whole list of a group's grants, and one role by itself: granted, revoked there, and revoked altogether.
    fn about_grants(&self, group: &GroupId, number: usize) -> Vec<Command> {
        let mut commands = Vec::new();
        for grants in &self.grants[number] {
            commands.push(Command::CreateGroup(CreateGroup {
                group: group.clone(),
                name: parsed(group, GroupName::parse),
                description: Description::default(),
                grants: grants.clone(),
            }));
            commands.push(Command::EditGroup(EditGroup {
                group: group.clone(),
                name: None,
                description: None,
                grants: Some(grants.clone()),
            }));
        }
        let mut roles = BTreeSet::new();
        for Grant { role, scope } in self.narrow[number].iter().cloned() {
            roles.insert(role.clone());
            if let Scope::Stores(stores) = &scope {
                commands.push(Command::RevokeRole(RevokeRole {
                    group: group.clone(),
                    role: role.clone(),
                    stores: Some(stores.clone()),
                }));
            }
            commands.push(Command::GrantRole(GrantRole {
                group: group.clone(),
                role,
                scope,
            }));
        }
        let altogether = roles.into_iter().map(|role| {
            Command::RevokeRole(RevokeRole {
                group: group.clone(),
                role,
                stores: None,
            })
        });
        commands.extend(altogether);
        commands
    }

    fn about_members_of(&self, group: &GroupId) -> Vec<Command> {
        let mut commands = vec![Command::SetGroupMembers(SetGroupMembers {
            group: group.clone(),
            members: BTreeSet::new(),
        })];
        for members in self.some_members() {
            commands.push(Command::AddToGroup(AddToGroup {
                group: group.clone(),
                members: members.clone(),
            }));
            commands.push(Command::RemoveFromGroup(RemoveFromGroup {
                group: group.clone(),
                members: members.clone(),
            }));
            commands.push(Command::SetGroupMembers(SetGroupMembers {
                group: group.clone(),
                members,
            }));
        }
        commands
    }

    fn about_roles(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        for permissions in &self.permissions {
            commands.push(Command::DefineRole(DefineRole {
                role: own_role(),
                name: parsed("Own Role", RoleName::parse),
                level: RoleLevel::Store,
                permissions: permissions.clone(),
            }));
            commands.push(Command::ChangeRole(ChangeRole {
                role: own_role(),
                name: None,
                permissions: Some(permissions.clone()),
            }));
        }
        if !self.permissions.is_empty() {
            commands.push(Command::DeleteRole(DeleteRole { role: own_role() }));
        }
        commands
    }
}

//! Whether an event fits an account: the rules of state, each in one place.
//!
//! A command and a replay meet the same rules here: `decide` asks before there is an event, `evolve` before it writes
//! one. Who may cause an event is not a rule of state; that is `decide`'s and the guardrails'.

use std::collections::BTreeSet;

use crate::account::event::Event;
use crate::account::form::permissions_level;
use crate::account::guard;
use crate::account::member::{MemberEntry, MemberStatus};
use crate::account::refusal::CommandError;
use crate::account::state::State;
use crate::grant::{Grant, united};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{GroupName, RoleName};
use crate::role::Role;
use crate::time::Timestamp;

/// What the event names exists, and is used as what it is (M4, G5, L3).
pub(crate) fn exists(state: &State<'_>, event: &Event) -> Result<(), CommandError> {
    match event {
        Event::AccountOpened { .. }
        | Event::MemberInvited { .. }
        | Event::MembersAdded { .. }
        | Event::StoreCreated { .. }
        | Event::RoleDefined { .. } => Ok(()),
        Event::InvitationAccepted { member }
        | Event::InvitationCancelled { member }
        | Event::MemberRemoved { member }
        | Event::OwnershipGranted { member }
        | Event::OwnershipRevoked { member } => member_exists(state, member).map(drop),
        Event::StoreDeleted { store } => store_exists(state, store),
        Event::GroupCreated { grants, .. } => grants_exist(state, grants),
        Event::GroupEdited { group, grants, .. } => {
            group_exists(state, group)?;
            grants
                .as_ref()
                .map_or(Ok(()), |grants| grants_exist(state, grants))
        }
        Event::GroupDeleted { group } => group_exists(state, group),
        Event::AddedToGroup { group, members } | Event::RemovedFromGroup { group, members } => {
            group_exists(state, group)?;
            members
                .iter()
                .try_for_each(|member| member_exists(state, member).map(drop))
        }
        Event::RoleChanged {
            role, permissions, ..
        } => {
            let level = role_exists(state, role)?.level;
            permissions
                .as_ref()
                .map_or(Ok(()), |permissions| permissions_level(level, permissions))
        }
        Event::RoleDeleted { role } => role_exists(state, role).map(drop),
    }
}

fn member_exists<'a>(
    state: &'a State<'_>,
    member: &MemberId,
) -> Result<&'a MemberEntry, CommandError> {
    state
        .members
        .get(member)
        .ok_or_else(|| CommandError::UnknownMember {
            member: member.clone(),
        })
}

fn store_exists(state: &State<'_>, store: &StoreId) -> Result<(), CommandError> {
    if state.stores.contains(store) {
        Ok(())
    } else {
        Err(CommandError::UnknownStore {
            store: store.clone(),
        })
    }
}

fn group_exists(state: &State<'_>, group: &GroupId) -> Result<(), CommandError> {
    if state.groups.contains(group) {
        Ok(())
    } else {
        Err(CommandError::UnknownGroup {
            group: group.clone(),
        })
    }
}

fn role_exists<'a>(state: &'a State<'_>, role: &RoleId) -> Result<&'a Role, CommandError> {
    state
        .roles
        .get(role)
        .ok_or_else(|| CommandError::UnknownRole { role: role.clone() })
}

/// The roles and stores of these grants exist, and each scope is of its role's level (G5).
pub(crate) fn grants_exist(state: &State<'_>, grants: &[Grant]) -> Result<(), CommandError> {
    for grant in grants {
        role_exists(state, &grant.role)?;
        grant
            .scope
            .stores()
            .try_for_each(|store| store_exists(state, store))?;
    }
    for grant in grants {
        let level = role_exists(state, &grant.role)?.level;
        if !grant.scope.fits(level) {
            return Err(CommandError::ScopeMismatch {
                role: grant.role.clone(),
                level,
            });
        }
    }
    Ok(())
}

/// The event goes together with what is there (A2, A3, G3, G7, L1, L3, M3 to M7, S1).
pub(crate) fn conflicts(
    state: &State<'_>,
    event: &Event,
    at: Timestamp,
) -> Result<(), CommandError> {
    match event {
        Event::MemberInvited { member, .. } => not_in_the_way(state, member, at, true),
        Event::InvitationAccepted { member } => match member_exists(state, member)?.status() {
            status if status.has_expired(at) => Err(CommandError::InvitationExpired {
                member: member.clone(),
            }),
            MemberStatus::Invited { .. } => Ok(()),
            MemberStatus::Active { .. } => Err(CommandError::AlreadyMember {
                member: member.clone(),
            }),
        },
        Event::InvitationCancelled { member } => match member_exists(state, member)?.status() {
            MemberStatus::Invited { .. } => Ok(()),
            MemberStatus::Active { .. } => Err(CommandError::NotInvited {
                member: member.clone(),
            }),
        },
        Event::MembersAdded { members } => members
            .iter()
            .try_for_each(|member| not_in_the_way(state, member, at, false)),
        Event::MemberRemoved { member } => not_the_last_owner(state, member),
        Event::OwnershipGranted { member } => is_active(state, member),
        Event::OwnershipRevoked { member } => {
            is_active(state, member)?;
            not_the_last_owner(state, member)
        }
        Event::StoreCreated { store } if state.stores.contains(store) => {
            Err(CommandError::StoreExists {
                store: store.clone(),
            })
        }
        Event::GroupCreated { group, name, .. } => {
            if state.groups.contains(group) {
                return Err(CommandError::GroupExists {
                    group: group.clone(),
                });
            }
            group_name_is_free(state, name, group)?;
            let limit = state.group_limit.get();
            if state.groups.len() >= usize::from(limit) {
                Err(CommandError::TooManyGroups { limit })
            } else {
                Ok(())
            }
        }
        Event::GroupEdited {
            group,
            name: Some(name),
            ..
        } => group_name_is_free(state, name, group),
        Event::GroupDeleted { group } => match state
            .groups
            .get(group)
            .map_or(0, |group| group.members.len())
        {
            0 => Ok(()),
            members => Err(CommandError::GroupHasMembers {
                group: group.clone(),
                members,
            }),
        },
        Event::AddedToGroup { group, members } => members.iter().try_for_each(|member| {
            if member_exists(state, member)?.status().has_expired(at)
                && !is_in(state, group, member)
            {
                return Err(CommandError::InvitationExpired {
                    member: member.clone(),
                });
            }
            Ok(())
        }),
        Event::RoleDefined { role, name, .. } => {
            if state.roles.contains(role) {
                return Err(CommandError::RoleExists { role: role.clone() });
            }
            role_name_is_free(state, name, role)
        }
        Event::RoleChanged { role, name, .. } => {
            not_built_in(state, role)?;
            name.as_ref()
                .map_or(Ok(()), |name| role_name_is_free(state, name, role))
        }
        Event::RoleDeleted { role } => {
            not_built_in(state, role)?;
            match state.group_carrying(role) {
                Some(group) => Err(CommandError::RoleInUse {
                    role: role.clone(),
                    group: group.clone(),
                }),
                None => Ok(()),
            }
        }
        Event::AccountOpened { .. }
        | Event::StoreCreated { .. }
        | Event::StoreDeleted { .. }
        | Event::GroupEdited { name: None, .. }
        | Event::RemovedFromGroup { .. } => Ok(()),
    }
}

/// Nobody with a pending invitation is invited or enrolled, and nobody active invited. One that has expired is out
/// of the way: what comes now starts from nothing (M3).
fn not_in_the_way(
    state: &State<'_>,
    member: &MemberId,
    at: Timestamp,
    is_invitation: bool,
) -> Result<(), CommandError> {
    let Some(status) = state.members.get(member).map(MemberEntry::status) else {
        return Ok(());
    };
    match status {
        MemberStatus::Active { .. } if is_invitation => Err(CommandError::AlreadyMember {
            member: member.clone(),
        }),
        MemberStatus::Invited { .. } if !status.has_expired(at) => {
            Err(CommandError::AlreadyInvited {
                member: member.clone(),
            })
        }
        MemberStatus::Active { .. } | MemberStatus::Invited { .. } => Ok(()),
    }
}

fn is_in(state: &State<'_>, group: &GroupId, member: &MemberId) -> bool {
    let (group, member) = (state.groups.get(group), state.members.get(member));
    group
        .zip(member)
        .is_some_and(|(group, member)| member.is_in(group.slot))
}

fn is_active(state: &State<'_>, member: &MemberId) -> Result<(), CommandError> {
    if member_exists(state, member)?.is_active() {
        Ok(())
    } else {
        Err(CommandError::NotActive {
            member: member.clone(),
        })
    }
}

fn not_the_last_owner(state: &State<'_>, member: &MemberId) -> Result<(), CommandError> {
    let is_last = state.owners.len() == 1 && member_exists(state, member)?.is_owner();
    if is_last && guard::stands("A2") {
        return Err(CommandError::LastOwner {
            member: member.clone(),
        });
    }
    Ok(())
}

pub(crate) fn group_name_is_free(
    state: &State<'_>,
    name: &GroupName,
    but_for: &GroupId,
) -> Result<(), CommandError> {
    match state.group_named(name) {
        Some(group) if group != but_for => Err(CommandError::GroupNameTaken {
            name: name.clone(),
            group: group.clone(),
        }),
        _ => Ok(()),
    }
}

pub(crate) fn role_name_is_free(
    state: &State<'_>,
    name: &RoleName,
    but_for: &RoleId,
) -> Result<(), CommandError> {
    match state.role_named(name) {
        Some(role) if role != but_for => Err(CommandError::RoleNameTaken {
            name: name.clone(),
            role: role.clone(),
        }),
        _ => Ok(()),
    }
}

fn not_built_in(state: &State<'_>, role: &RoleId) -> Result<(), CommandError> {
    if role_exists(state, role)?.built_in {
        Err(CommandError::BuiltInRole { role: role.clone() })
    } else {
        Ok(())
    }
}

/// Whether nothing that the event says is so already: as [`changes`] answers, and without a copy where many are named.
pub(crate) fn is_all_change(state: &State<'_>, event: &Event) -> bool {
    let all = |members: &BTreeSet<MemberId>, is_change: &dyn Fn(&MemberId) -> bool| {
        !members.is_empty() && members.iter().all(is_change)
    };
    if let Event::MembersAdded { members } = event {
        let is_active = |member: &MemberId| {
            let member = state.members.get(member);
            member.is_some_and(MemberEntry::is_active)
        };
        all(members, &|member| !is_active(member))
    } else if let Event::AddedToGroup { group, members } = event {
        all(members, &|member| !is_in(state, group, member))
    } else if let Event::RemovedFromGroup { group, members } = event {
        all(members, &|member| is_in(state, group, member))
    } else {
        changes(state, event.clone()).as_ref() == Some(event)
    }
}

/// What is left of an event that keeps the rules above when all that is so already is taken out of it; `None` if
/// nothing is (U1).
pub(crate) fn changes(state: &State<'_>, event: Event) -> Option<Event> {
    let status = |member: &MemberId| state.members.get(member).map(MemberEntry::status);
    let some_members = |members: BTreeSet<MemberId>| (!members.is_empty()).then_some(members);
    match event {
        Event::MembersAdded { mut members } => {
            members.retain(|member| !status(member).is_some_and(MemberStatus::is_active));
            some_members(members).map(|members| Event::MembersAdded { members })
        }
        Event::OwnershipGranted { member } => {
            let is_new = !status(&member).is_some_and(MemberStatus::is_owner);
            is_new.then_some(Event::OwnershipGranted { member })
        }
        Event::OwnershipRevoked { member } => {
            let is_owner = status(&member).is_some_and(MemberStatus::is_owner);
            is_owner.then_some(Event::OwnershipRevoked { member })
        }
        Event::GroupCreated {
            group,
            name,
            description,
            grants,
        } => Some(Event::GroupCreated {
            group,
            name,
            description,
            grants: united(&grants),
        }),
        Event::GroupEdited {
            group,
            name,
            description,
            grants,
        } => {
            let current = state.groups.get(&group)?;
            let name = name.filter(|name| *name != current.name);
            let description = description.filter(|description| *description != current.description);
            let grants = grants
                .map(|grants| united(&grants))
                .filter(|grants| **grants != *current.grants);
            let is_change = name.is_some() || description.is_some() || grants.is_some();
            is_change.then_some(Event::GroupEdited {
                group,
                name,
                description,
                grants,
            })
        }
        Event::AddedToGroup { group, mut members } => {
            members.retain(|member| !is_in(state, &group, member));
            some_members(members).map(|members| Event::AddedToGroup { group, members })
        }
        Event::RemovedFromGroup { group, mut members } => {
            members.retain(|member| is_in(state, &group, member));
            some_members(members).map(|members| Event::RemovedFromGroup { group, members })
        }
        Event::RoleChanged {
            role,
            name,
            permissions,
        } => {
            let current = state.roles.get(&role)?;
            let name = name.filter(|name| *name != current.name);
            let permissions =
                permissions.filter(|permissions| *permissions != *current.permissions);
            let is_change = name.is_some() || permissions.is_some();
            is_change.then_some(Event::RoleChanged {
                role,
                name,
                permissions,
            })
        }
        Event::AccountOpened { .. }
        | Event::MemberInvited { .. }
        | Event::InvitationAccepted { .. }
        | Event::InvitationCancelled { .. }
        | Event::MemberRemoved { .. }
        | Event::StoreCreated { .. }
        | Event::StoreDeleted { .. }
        | Event::GroupDeleted { .. }
        | Event::RoleDefined { .. }
        | Event::RoleDeleted { .. } => Some(event),
    }
}

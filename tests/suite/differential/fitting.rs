//! Random commands, made to be about what there is, so that more of them are accepted.

use std::collections::BTreeSet;

use grantbook::command::{
    AddToGroup, CancelInvitation, ChangeRole, CreateGroup, CreateStore, DefineRole, DeleteGroup,
    DeleteRole, DeleteStore, EditGroup, GrantOwnership, InviteMember, ReinstateMember,
    RemoveFromGroup, RevokeOwnership, RevokeRole, SuspendMember,
};
use grantbook::*;

use crate::model::{State, Status};
use crate::strategies::{GROUPS, MEMBERS, STORES};
use crate::support::*;

/// Makes it about something that is there, or about something new, so that it has a chance of being accepted.
pub(super) fn fit(command: &mut Command, known: &State, which: usize) {
    let invited = |id: &str| matches!(known.status(id), Some(Status::Invited { .. }));
    let active = |id: &str| known.is_active(id);
    let someone = |fits: &dyn Fn(&str) -> bool| {
        nth(MEMBERS.into_iter().filter(|id| fits(id)), which).map(member)
    };
    match command {
        Command::InviteMember(InviteMember { member, .. }) => {
            set(member, someone(&|id| !active(id)));
        }
        Command::CancelInvitation(CancelInvitation { member }) => set(member, someone(&invited)),
        Command::GrantOwnership(GrantOwnership { member }) => {
            set(member, someone(&|id| active(id) && !known.is_owner(id)));
        }
        Command::RevokeOwnership(RevokeOwnership { member }) => {
            set(member, someone(&|id| known.is_owner(id)));
        }
        Command::SuspendMember(SuspendMember { member }) => set(member, someone(&active)),
        Command::ReinstateMember(ReinstateMember { member }) => {
            let suspended = |id: &str| matches!(known.status(id), Some(Status::Suspended { .. }));
            set(member, someone(&suspended));
        }
        Command::RevokeRole(RevokeRole {
            group: id,
            role: which_role,
            ..
        }) => {
            let carried = known.groups.iter().rev();
            let carried = carried
                .flat_map(|(id, group)| group.grants.keys().map(move |(role, _)| (id, role)));
            if let Some((carrier, carried)) = nth(carried, which) {
                *id = group(carrier);
                *which_role = role(carried);
            }
        }
        Command::CreateStore(CreateStore { store: id }) => {
            let new = STORES.into_iter().filter(|id| !known.stores.contains(*id));
            set(id, nth(new, which).map(store));
        }
        Command::DeleteStore(DeleteStore { store: id }) => {
            set(id, nth(known.stores.iter(), which).map(|id| store(id)));
        }
        Command::CreateGroup(CreateGroup {
            group: id,
            name,
            grants,
            ..
        }) => {
            let new = GROUPS
                .into_iter()
                .filter(|id| !known.groups.contains_key(*id));
            set(id, nth(new, which).map(group));
            *name = GroupName::parse(&format!("Group {id}")).unwrap();
            fit_grants(grants, known);
        }
        Command::EditGroup(EditGroup {
            group: id, grants, ..
        }) => {
            set(
                id,
                nth(known.groups.keys().rev(), which).map(|id| group(id)),
            );
            if let Some(grants) = grants {
                fit_grants(grants, known);
            }
        }
        Command::DeleteGroup(DeleteGroup { group: id }) => {
            let empty = known
                .groups
                .iter()
                .rev()
                .filter(|(_, group)| group.members.is_empty());
            set(id, nth(empty, which).map(|(id, _)| group(id)));
        }
        Command::AddToGroup(AddToGroup { group: id, members }) => {
            set(
                id,
                nth(known.groups.keys().rev(), which).map(|id| group(id)),
            );
            members.retain(|member| known.status(member).is_some());
        }
        Command::RemoveFromGroup(RemoveFromGroup {
            group: id,
            members: taken,
        }) => {
            let peopled = known
                .groups
                .iter()
                .rev()
                .filter(|(_, group)| !group.members.is_empty());
            if let Some((peopled, facts)) = nth(peopled, which) {
                *id = group(peopled);
                *taken = members(facts.members.iter().map(String::as_str).take(2));
            }
        }
        Command::DefineRole(DefineRole { role: id, name, .. }) => {
            let new = ["own", "more"]
                .into_iter()
                .filter(|id| !known.roles.contains_key(*id));
            set(id, nth(new, which).map(role));
            *name = RoleName::parse(&format!("Role {id}")).unwrap();
        }
        Command::ChangeRole(ChangeRole { role: id, .. })
        | Command::DeleteRole(DeleteRole { role: id }) => {
            let own = known.roles.iter().filter(|(_, role)| !role.built_in);
            set(id, nth(own, which).map(|(id, _)| role(id)));
        }
        _ => {}
    }
}

/// Gives each role the scope of its level, in stores that are there; grants that cannot be so are left out.
fn fit_grants(grants: &mut Vec<Grant>, known: &State) {
    grants.retain_mut(|grant| {
        let role = known.roles.get(grant.role.as_str());
        if role.is_some_and(|role| role.at_account) {
            grant.scope = Scope::Account;
            return true;
        }
        let mut stores: BTreeSet<_> = grant.scope.stores().cloned().collect();
        stores.retain(|store| known.stores.contains(store.as_str()));
        if let (true, Some(first)) = (stores.is_empty(), known.stores.first()) {
            stores.insert(store(first));
        }
        let fits = role.is_some() && !stores.is_empty();
        grant.scope = Scope::Stores(stores);
        fits
    });
}

fn set<T>(resource: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *resource = value;
    }
}

/// One of these by number, if there are any; those that come first more often.
fn nth<T>(these: impl Iterator<Item = T>, which: usize) -> Option<T> {
    let these: Vec<_> = these.collect();
    let many = these.len().max(1);
    these.into_iter().nth(which % many)
}

//! An account of the crate, read as a state of the model: by the plain readers alone, nothing of the index, nothing of
//! the check. Whatever they tell twice has to agree.

use std::collections::BTreeMap;

use grantbook::{
    Account, Grant, Group, GroupId, MemberId, MemberStatus, Permission, RoleId, RoleLevel, Scope,
    StoreId, Timestamp,
};

use super::state::{self, Revisions, Role, State, Status, merged, texts};
use super::{Checked, law, same};

pub(crate) fn read(account: &Account) -> Checked<State> {
    let mut state = State {
        members: account
            .members()
            .map(|member| (member.id().as_str().to_owned(), status(member.status())))
            .collect(),
        groups: BTreeMap::new(),
        stores: texts(account.stores()),
        roles: account
            .roles()
            .map(|(id, role)| {
                let role = Role {
                    name: role.name().to_string(),
                    at_account: role.level() == RoleLevel::Account,
                    permissions: texts(role.permissions()),
                    built_in: role.is_built_in(),
                };
                (id.as_str().to_owned(), role)
            })
            .collect(),
        group_limit: account.group_limit().get().into(),
        is_closed: account.is_closed(),
        last: account.changed_at().as_millis(),
        version: account.version(),
        revisions: revisions(account),
    };
    for group in account.groups() {
        ascending("roles of a group", each_grant(&group).map(|(role, _)| role))?; // G4: each once
        ascending("members of a group", group.members().map(MemberId::as_str))?;
        let read = state::Group {
            name: group.name().to_string(),
            description: group.description().to_string(),
            grants: merged(each_grant(&group)),
            members: texts(group.members()),
        };
        same(
            "M4",
            "member_count",
            group.member_count(),
            read.members.len(),
        )?;
        state.groups.insert(group.id().to_string(), read);
    }
    ascending("groups", account.groups().map(|group| group.id().as_str()))?;
    ascending("stores", account.stores().map(StoreId::as_str))?;
    ascending("roles", account.roles().map(|(id, _)| id.as_str()))?;
    for (_, role) in account.roles() {
        ascending(
            "permissions",
            role.permissions().iter().map(Permission::as_str),
        )?;
    }
    members(account, &state)?;
    Ok(state)
}

/// That an account holds what the model says, and nothing else.
pub(crate) fn reads_as(account: &Account, should_be: &State) -> Checked {
    let is = read(account)?;
    same("U2", "version", is.version, should_be.version)?;
    same("U2", "time", is.last, should_be.last)?;
    same("A3", "limit", is.group_limit, should_be.group_limit)?;
    same("A5", "closed", is.is_closed, should_be.is_closed)?;
    same("M1", "members", &is.members, &should_be.members)?;
    same("U8", "revisions", &is.revisions, &should_be.revisions)?;
    same("S1", "stores", &is.stores, &should_be.stores)?;
    same("L3", "roles", &is.roles, &should_be.roles)?;
    for (id, group) in &should_be.groups {
        same("G1", ("group", id), is.groups.get(id), Some(group))?;
    }
    same(
        "G1",
        "how many groups",
        is.groups.len(),
        should_be.groups.len(),
    )
}

fn revisions(account: &Account) -> Revisions {
    let roles = account.roles().filter(|(_, role)| !role.is_built_in());
    let roles = roles.map(|(id, role)| (("role", id.to_string()), role.revision()));
    let groups = account.groups().flat_map(|group| {
        let id = group.id().to_string();
        [
            (("definition", id.clone()), group.definition_revision()),
            (("membership", id), group.membership_revision()),
        ]
    });
    roles.chain(groups).collect()
}

fn status(status: MemberStatus) -> Status {
    match status {
        MemberStatus::Active { owner } => Status::Active { owner },
        MemberStatus::Suspended { owner } => Status::Suspended { owner },
        MemberStatus::Invited { as_owner, expires } => Status::Invited {
            as_owner,
            until: expires.map(Timestamp::as_millis),
        },
    }
}

/// The one place that knows how the crate shows a grant.
fn each_grant<'a>(group: &Group<'a>) -> impl Iterator<Item = (&'a RoleId, &'a Scope)> {
    group.grants().map(|grant| (grant.role, grant.scope))
}

/// A group's grants as a command would give them.
pub(crate) fn grants_of(group: &Group<'_>) -> Vec<Grant> {
    let grants = each_grant(group).map(|(role, scope)| Grant {
        role: role.clone(),
        scope: scope.clone(),
    });
    grants.collect()
}

/// The members' own entries, the groups' lists and the list of owners agree, for whoever is there and whoever is not.
fn members(account: &Account, state: &State) -> Checked {
    ascending(
        "members",
        account.members().map(|member| member.id().as_str()),
    )?;
    same(
        "M1",
        "member_count",
        account.member_count(),
        state.members.len(),
    )?;
    let owners = state.members.keys().filter(|id| state.is_owner(id));
    let listed: Vec<_> = account.owners().map(MemberId::as_str).collect();
    same("A2", "owners", listed, owners.map(String::as_str).collect())?;
    for member in account.members() {
        let id = member.id();
        let groups: Vec<_> = member.groups().map(GroupId::as_str).collect();
        same(
            "M4",
            ("groups of", id),
            groups,
            state.groups_of(id).collect(),
        )?;
        for group in state.groups.keys() {
            same(
                "M4",
                (id, "is in", group),
                member.is_in(group),
                state.is_in(id, group),
            )?;
        }
    }
    Ok(())
}

/// U6, and nothing twice.
fn ascending<T: Ord>(what: &str, these: impl Iterator<Item = T>) -> Checked {
    let are = these.is_sorted_by(|one, next| one < next);
    law("U6", are, || {
        format!("the {what} are not in order, or one is there twice")
    })
}

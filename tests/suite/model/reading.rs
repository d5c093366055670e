//! An account of the crate, read as a state of the model: by the plain readers alone, nothing of the index, nothing of
//! the check. Whatever they tell twice has to agree.

use std::fmt::Debug;

use grantbook::{
    Account, Group, GroupId, MemberId, MemberStatus, Permission, RoleLevel, Timestamp,
};

use super::state::{self, Grants, Role, State, Status, merged, texts};
use super::{Checked, law, same};

pub(crate) fn read(account: &Account) -> Checked<State> {
    let mut state = State {
        members: account
            .members()
            .map(|member| (member.id().to_string(), status(member.status())))
            .collect(),
        groups: Default::default(),
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
                (id.to_string(), role)
            })
            .collect(),
        group_limit: account.group_limit().get().into(),
        last: account.changed_at().as_millis(),
        version: account.version(),
    };
    for group in account.groups() {
        ascending("members of a group", group.members().map(MemberId::as_str))?;
        let read = state::Group {
            name: group.name().to_string(),
            description: group.description().to_string(),
            grants: grants(&group)?,
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
    ascending("stores", account.stores().map(|id| id.as_str()))?;
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

fn status(status: MemberStatus) -> Status {
    match status {
        MemberStatus::Active { owner } => Status::Active { owner },
        MemberStatus::Invited { as_owner, expires } => Status::Invited {
            as_owner,
            until: expires.map(Timestamp::as_millis),
        },
    }
}

fn grants(group: &Group<'_>) -> Checked<Grants> {
    let grants = group.grants();
    ascending(
        "roles of a group",
        grants.iter().map(|grant| grant.role.as_str()),
    )?; // G4: each once
    Ok(merged(grants))
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
fn ascending<T: Ord + Debug>(what: &str, these: impl Iterator<Item = T>) -> Checked {
    let these: Vec<_> = these.collect();
    let are = these.is_sorted_by(|one, next| one < next);
    law("U6", are, || {
        format!("{what} are not in order, or twice: {these:?}")
    })
}

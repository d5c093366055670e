//! What is true of every account, every change and every refusal, rule by rule, of the model and of the crate alike.
//!
//! A law looks at what there is before and after and not at how it came about; so it holds of rules that are not written
//! yet as well.

use std::collections::BTreeSet;

use grantbook::command::{
    AcceptInvitation, AddMembers, CancelInvitation, CreateStore, DeleteGroup, DeleteStore,
    InviteMember, LeaveAccount, RemoveMembers, SetGroupMembers,
};
use grantbook::event::{
    GroupDeleted, GroupMembersSet, InvitationCancelled, MemberInvited, MemberLeft, MembersAdded,
    MembersRemoved, StoreCreated, StoreDeleted,
};
use grantbook::{Actor, Command, Event, MemberId};

use super::actions::reads_as;
use super::state::{Set, State, Status, texts};
use super::{Checked, FORBIDDEN, is_ownership_name, law};

/// What is true of every account at every moment.
pub(crate) fn of_state(state: &State) -> Checked {
    a2_an_active_owner_is_there(state)?;
    a3_there_are_no_more_groups_than_the_limit(state)?;
    g3_group_names_differ(state)?;
    g4_a_group_carries_grants_and_each_role_once(state)?;
    g5_a_grant_fits_its_role_and_s3_its_stores_are_there(state)?;
    l3_role_names_differ_and_roles_hold_something(state)?;
    l5_no_own_role_holds_a_reserved_permission(state)?;
    m4_only_members_are_in_groups(state)?;
    m6_no_role_is_called_as_ownership(state)
}

fn a2_an_active_owner_is_there(state: &State) -> Checked {
    law("A2", state.has_active_owner(), || {
        "no active owner is left".to_owned()
    })
}

fn a3_there_are_no_more_groups_than_the_limit(state: &State) -> Checked {
    let groups = state.groups.len();
    law("A3", groups <= state.group_limit, || {
        format!("{groups} groups")
    })
}

fn g3_group_names_differ(state: &State) -> Checked {
    let names = state.groups.values().map(|group| &group.name);
    distinct("G3", names)
}

fn g4_a_group_carries_grants_and_each_role_once(state: &State) -> Checked {
    for (id, group) in &state.groups {
        law("G4", !group.grants.is_empty(), || {
            format!("`{id}` has no grants")
        })?;
        distinct("G4", group.grants.keys().map(|(role, _)| role))?;
    }
    Ok(())
}

fn g5_a_grant_fits_its_role_and_s3_its_stores_are_there(state: &State) -> Checked {
    for (id, group) in &state.groups {
        for ((role, at_account), stores) in &group.grants {
            let fits = state
                .roles
                .get(role)
                .is_some_and(|role| role.at_account == *at_account);
            law("G5", fits, || {
                format!("`{id}` carries `{role}`, at the account: {at_account}")
            })?;
            let are_there = stores.is_subset(&state.stores);
            law("S3", are_there, || {
                format!("`{id}` has one of {stores:?} that is not there")
            })?;
        }
    }
    Ok(())
}

fn l3_role_names_differ_and_roles_hold_something(state: &State) -> Checked {
    for (id, role) in &state.roles {
        law("L3", !role.permissions.is_empty(), || {
            format!("`{id}` holds nothing")
        })?;
    }
    distinct("L3", state.roles.values().map(|role| &role.name))
}

fn l5_no_own_role_holds_a_reserved_permission(state: &State) -> Checked {
    for (id, role) in state.roles.iter().filter(|(_, role)| !role.built_in) {
        for permission in &role.permissions {
            let first = permission.split('.').next();
            let is_reserved = first == Some("account") || first == Some("store") && role.at_account;
            law("L5", !is_reserved, || format!("`{id}` holds {permission}"))?;
        }
    }
    Ok(())
}

fn m4_only_members_are_in_groups(state: &State) -> Checked {
    for (id, group) in &state.groups {
        let mut members = group.members.iter();
        let are_members = members.all(|member| state.members.contains_key(member));
        law("M4", are_members, || {
            format!("who is in `{id}` is no member: {group:?}")
        })?;
    }
    Ok(())
}

fn m6_no_role_is_called_as_ownership(state: &State) -> Checked {
    for (id, role) in &state.roles {
        let is_called_so = is_ownership_name(id) || is_ownership_name(&role.name);
        law("M6", !is_called_so, || {
            format!("`{id}` is called {}", role.name)
        })?;
    }
    Ok(())
}

/// In whatever case of letters.
fn distinct<'a>(rule: &'static str, names: impl Iterator<Item = &'a String>) -> Checked {
    let mut seen = BTreeSet::new();
    for name in names {
        law(rule, seen.insert(reads_as(name)), || {
            format!("{name} is there twice")
        })?;
    }
    Ok(())
}

/// What is true of what a member was told that it may do, whatever its groups grant.
pub(crate) fn of_answers(state: &State, member: &str, may_something: bool) -> Checked {
    law("P4", !(state.is_closed && may_something), || {
        format!("the account is closed, and {member} may do something")
    })?;
    let rule = match state.status(member) {
        None => "P4",
        Some(Status::Invited { .. }) => "M1",
        Some(Status::Suspended { .. }) => "M8",
        Some(Status::Active { .. }) => return Ok(()),
    };
    law(rule, !may_something, || {
        format!("{member} is not active, and may do something")
    })
}

/// What somebody did, as far as the laws ask.
pub(crate) enum Deed<'a> {
    Accepted,
    /// Somebody was invited.
    Invited(&'a str),
    /// These came without an invitation.
    Added(Vec<&'a str>),
    /// Members were removed or left, or an invitation was cancelled.
    Left(Vec<&'a str>),
    StoreCreated(&'a str),
    StoreDeleted(&'a str),
    GroupDeleted(&'a str),
    /// The members of a group were set: who came, and who went.
    MembersSet {
        group: &'a str,
        came: Set,
        went: Set,
    },
    Other,
}

impl<'a> Deed<'a> {
    pub(crate) fn of_event(event: &'a Event) -> Self {
        match event {
            Event::InvitationAccepted(_) => Deed::Accepted,
            Event::MemberInvited(MemberInvited { member, .. }) => Deed::Invited(member),
            Event::MembersAdded(MembersAdded { members, .. }) => {
                Deed::Added(members.iter().map(MemberId::as_str).collect())
            }
            Event::MembersRemoved(MembersRemoved { members }) => {
                Deed::Left(members.iter().map(MemberId::as_str).collect())
            }
            Event::MemberLeft(MemberLeft { member })
            | Event::InvitationCancelled(InvitationCancelled { member }) => {
                Deed::Left(vec![member])
            }
            Event::StoreCreated(StoreCreated { store }) => Deed::StoreCreated(store),
            Event::StoreDeleted(StoreDeleted { store }) => Deed::StoreDeleted(store),
            Event::GroupDeleted(GroupDeleted { group }) => Deed::GroupDeleted(group),
            Event::GroupMembersSet(GroupMembersSet {
                group,
                added,
                removed,
            }) => Deed::MembersSet {
                group,
                came: texts(added),
                went: texts(removed),
            },
            _ => Deed::Other,
        }
    }

    pub(crate) fn of_command(actor: &'a Actor, command: &'a Command, before: &State) -> Self {
        match command {
            Command::AcceptInvitation(AcceptInvitation {}) => Deed::Accepted,
            Command::InviteMember(InviteMember { member, .. }) => Deed::Invited(member),
            Command::AddMembers(AddMembers { members }) => {
                let members = members.iter().map(MemberId::as_str);
                let came = |member: &&str| {
                    let status = before.status(member);
                    status.is_none_or(Status::is_invited)
                };
                Deed::Added(members.filter(came).collect())
            }
            Command::RemoveMembers(RemoveMembers { members }) => {
                Deed::Left(members.iter().map(MemberId::as_str).collect())
            }
            Command::LeaveAccount(LeaveAccount {}) => match actor {
                Actor::Member(member) => Deed::Left(vec![member]),
                Actor::System => Deed::Other,
            },
            Command::CancelInvitation(CancelInvitation { member }) => Deed::Left(vec![member]),
            Command::CreateStore(CreateStore { store }) => Deed::StoreCreated(store),
            Command::DeleteStore(DeleteStore { store }) => Deed::StoreDeleted(store),
            Command::DeleteGroup(DeleteGroup { group }) => Deed::GroupDeleted(group),
            Command::SetGroupMembers(SetGroupMembers { group, members }) => {
                let (old, new) = (&before.groups[group.as_str()].members, texts(members));
                Deed::MembersSet {
                    group,
                    came: &new - old,
                    went: old - &new,
                }
            }
            _ => Deed::Other,
        }
    }
}

/// One change: who did what, and the account before and after.
pub(crate) struct Change<'a> {
    pub(crate) before: &'a State,
    pub(crate) after: &'a State,
    pub(crate) actor: &'a Actor,
    pub(crate) deed: Deed<'a>,
}

/// What is true of every change that somebody may make.
pub(crate) fn of_change(change: &Change<'_>) -> Checked {
    of_effect(change)?;
    e6_m8_whoever_acts_is_active(change)?;
    e1_nobody_puts_itself_in_a_group(change)?;
    e3_nobody_makes_itself_an_owner(change)?;
    e4_nobody_gains_by_its_own_doing(change)
}

/// What is true of every change, whoever makes it: also of records that nobody decided.
pub(crate) fn of_effect(change: &Change<'_>) -> Checked {
    a5_nothing_changes_after_the_closing(change)?;
    u1_an_event_changes_something(change)?;
    u2_a_version_follows_the_last_and_time_does_not_run_backwards(change)?;
    m3_m5_whoever_comes_starts_from_nothing(change)?;
    m5_whoever_left_is_nowhere(change)?;
    m8_whoever_is_suspended_or_returns_keeps_what_it_has(change)?;
    s2_s3_a_new_store_is_in_no_scope(change)?;
    s3_a_deleted_store_leaves_every_scope_and_no_group(change)?;
    g7_a_deleted_group_had_no_members(change)?;
    g11_an_exact_set_is_exact(change)
}

fn a5_nothing_changes_after_the_closing(change: &Change<'_>) -> Checked {
    law("A5", !change.before.is_closed, || {
        "a closed account changed".to_owned()
    })
}

fn u1_an_event_changes_something(change: &Change<'_>) -> Checked {
    let is_same = change.after.has_content_of(change.before);
    law("U1", !is_same, || "everything is as it was".to_owned())
}

fn u2_a_version_follows_the_last_and_time_does_not_run_backwards(change: &Change<'_>) -> Checked {
    let (before, after) = (change.before, change.after);
    let follows = before.version.checked_add(1) == Some(after.version) && before.last <= after.last;
    law("U2", follows, || {
        let (from, to) = ((before.version, before.last), (after.version, after.last));
        format!("version and time are {to:?} after {from:?}")
    })
}

fn m3_m5_whoever_comes_starts_from_nothing(change: &Change<'_>) -> Checked {
    let after = change.after;
    let new = after.members.keys().map(String::as_str);
    let mut came: Vec<_> = new
        .filter(|id| change.before.status(id).is_none())
        .collect();
    match &change.deed {
        Deed::Invited(member) => came.push(member),
        Deed::Added(members) => came.extend(members),
        _ => {}
    }
    for member in &came {
        let has_none = after.groups_of(member).next().is_none();
        law("M5", has_none, || format!("{member} comes with groups"))?;
    }
    match &change.deed {
        Deed::Invited(member) => {
            let is_invited = after.status(member).is_some_and(Status::is_invited);
            law("M1", is_invited, || format!("{member} is not invited"))
        }
        Deed::Added(members) => {
            let mut members = members.iter();
            let are_active = members.all(|id| after.is_active(id) && !after.is_owner(id));
            law("M5", are_active, || {
                "not all who come are active, and no owners".to_owned()
            })
        }
        _ => Ok(()),
    }
}

fn m5_whoever_left_is_nowhere(change: &Change<'_>) -> Checked {
    let after = change.after;
    let Deed::Left(members) = &change.deed else {
        return Ok(());
    };
    for member in members {
        let is_there = after.status(member).is_some() || after.groups_of(member).next().is_some();
        law("M5", !is_there, || {
            format!("{member} left, and is still there")
        })?;
    }
    Ok(())
}

fn m8_whoever_is_suspended_or_returns_keeps_what_it_has(change: &Change<'_>) -> Checked {
    let (before, after) = (change.before, change.after);
    for (id, was) in &before.members {
        match (*was, after.status(id)) {
            (Status::Active { owner: was }, Some(Status::Suspended { owner: is }))
            | (Status::Suspended { owner: was }, Some(Status::Active { owner: is })) => {
                let keeps = was == is && before.groups_of(id).eq(after.groups_of(id));
                law("M8", keeps, || format!("{id} has not what it had"))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn s2_s3_a_new_store_is_in_no_scope(change: &Change<'_>) -> Checked {
    let (before, after) = (change.before, change.after);
    if let Deed::StoreCreated(store) = change.deed {
        let is_there = after.stores.contains(store);
        law("S1", is_there, || {
            format!("`{store}` was created, and is not there")
        })?;
    }
    let mut scopes = after
        .groups
        .values()
        .flat_map(|group| group.grants.values());
    let is_new = |store: &String| after.stores.contains(store) && !before.stores.contains(store);
    let is_in_scope = scopes.any(|scope| scope.iter().any(is_new));
    law("S2, S3", !is_in_scope, || {
        "a new store is in a scope".to_owned()
    })
}

fn s3_a_deleted_store_leaves_every_scope_and_no_group(change: &Change<'_>) -> Checked {
    let (before, after) = (change.before, change.after);
    let Deed::StoreDeleted(store) = change.deed else {
        return Ok(());
    };
    let mut scopes = after
        .groups
        .values()
        .flat_map(|group| group.grants.values());
    let is_left = after.stores.contains(store) || scopes.any(|scope| scope.contains(store));
    law("S3", !is_left, || {
        format!("`{store}` was deleted, and is still there")
    })?;
    let carried = |state: &State| -> Vec<_> {
        let groups = state.groups.iter();
        groups
            .map(|(id, group)| (id.clone(), group.grants.len()))
            .collect()
    };
    law("S3", carried(before) == carried(after), || {
        "a grant went with its store".to_owned()
    })
}

fn g7_a_deleted_group_had_no_members(change: &Change<'_>) -> Checked {
    let Deed::GroupDeleted(group) = change.deed else {
        return Ok(());
    };
    let before = change.before.groups.get(group);
    let was_empty = before.is_some_and(|group| group.members.is_empty());
    let is_gone = !change.after.groups.contains_key(group);
    law("G7", was_empty && is_gone, || {
        format!("`{group}` had members, or is still there")
    })
}

fn g11_an_exact_set_is_exact(change: &Change<'_>) -> Checked {
    let Deed::MembersSet { group, came, went } = &change.deed else {
        return Ok(());
    };
    let (old, new) = (&change.before.groups[*group], &change.after.groups[*group]);
    let is_exact = *came == &new.members - &old.members && *went == &old.members - &new.members;
    law("G11", is_exact, || {
        format!("{came:?} came to `{group}` and {went:?} went, and it has {new:?}")
    })
}

impl Change<'_> {
    /// The actor, where it must not gain by what it did: no owner, and not by an invitation that somebody else issued.
    fn constrained(&self) -> Option<&str> {
        let actor = self.before.constrained(self.actor);
        actor.filter(|_| !matches!(self.deed, Deed::Accepted))
    }
}

fn e6_m8_whoever_acts_is_active(change: &Change<'_>) -> Checked {
    let Actor::Member(actor) = change.actor else {
        return Ok(());
    };
    let status = change.before.status(actor);
    let is_suspended = matches!(status, Some(Status::Suspended { .. }));
    law("M8", !is_suspended, || {
        format!("{actor} did something while suspended")
    })?;
    let accepts = matches!(change.deed, Deed::Accepted) && status.is_some_and(Status::is_invited);
    let may = accepts || status.is_some_and(Status::is_active);
    law("E6", may, || format!("{actor} did something as {status:?}"))
}

fn e1_nobody_puts_itself_in_a_group(change: &Change<'_>) -> Checked {
    let Some(actor) = change.constrained() else {
        return Ok(());
    };
    let mut groups = change.after.groups_of(actor);
    let new = groups.find(|group| !change.before.is_in(actor, group));
    law("E1", new.is_none(), || {
        format!("{actor} put itself in `{new:?}`")
    })
}

fn e3_nobody_makes_itself_an_owner(change: &Change<'_>) -> Checked {
    let Some(actor) = change.constrained() else {
        return Ok(());
    };
    let is_owner = change.after.is_owner(actor);
    law("E3", !is_owner, || format!("{actor} made itself an owner"))
}

fn e4_nobody_gains_by_its_own_doing(change: &Change<'_>) -> Checked {
    let Some(actor) = change.constrained() else {
        return Ok(());
    };
    let gains = change.after.gives_new_ways_over(change.before, actor);
    law("E4", !gains, || {
        format!("{actor} gave itself a way that it did not have")
    })
}

/// U3, E5, E6: whoever may not issue a command is told that, whatever else is wrong with it, and nobody else is.
pub(crate) fn u3_who_may_not_ask_is_told_that(
    lacks: Option<&'static str>,
    refused_with: Option<&str>,
) -> Checked {
    let told = refused_with.filter(|code| FORBIDDEN.contains(code));
    law("U3", told == lacks, || {
        format!("told {refused_with:?}, and lacks {lacks:?}")
    })
}

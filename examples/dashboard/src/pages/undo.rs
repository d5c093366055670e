//! Taking a change back: the commands that lead to how it was, shown and decided like any other.

use std::collections::BTreeMap;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use grantbook::{
    Account, Command, Event, Grant, Group, GroupId, Precondition, Record, RoleId, Scope,
};
use maud::{Markup, html};

use crate::change::{Intent, effect, submit, wrong_list};
use crate::form::Wrong;
use crate::layout;
use crate::pages::history::{actor, with_records};
use crate::session::{PostedByManager, Viewer};

const NO_WAY_BACK: &str = "There is no way back from this.";

/// A change has at most so many records (U7).
const MOST: u64 = 1_000;

/// What leads back to how it was before, as far as one can: nobody is brought back into the account.
fn inverse(before: &Account, event: &Event) -> Vec<Command> {
    match event {
        Event::MemberInvited(event) => vec![Command::cancel_invitation(&event.member)],
        Event::MemberSuspended(event) => vec![Command::reinstate_member(&event.member)],
        Event::MemberReinstated(event) => vec![Command::suspend_member(&event.member)],
        Event::OwnershipGranted(event) => vec![Command::revoke_ownership(&event.member)],
        Event::OwnershipRevoked(event) => vec![Command::grant_ownership(&event.member)],
        Event::StoreCreated(event) => vec![Command::delete_store(&event.store)],
        Event::GroupCreated(event) => vec![Command::delete_group(&event.group)],
        Event::GroupDeleted(event) => before.group(&event.group).map_or_else(Vec::new, |group| {
            let create = Command::create_group(group.id(), group.name().clone(), grants(group));
            vec![
                create,
                Command::describe_group(group.id(), group.description().clone()),
            ]
        }),
        Event::GroupEdited(event) => before.group(&event.group).map_or_else(Vec::new, |group| {
            let mut commands = Vec::new();
            if event.name.is_some() {
                commands.push(Command::rename_group(group.id(), group.name().clone()));
            }
            if event.description.is_some() {
                let description = group.description().clone();
                commands.push(Command::describe_group(group.id(), description));
            }
            if let Some(after) = &event.grants {
                let (before, after) = (scopes(&grants(group)), scopes(after));
                let missing = less(&before, &after).into_iter();
                commands.extend(
                    missing.map(|(role, scope)| Command::grant_role(group.id(), role, scope)),
                );
                let added = less(&after, &before).into_iter();
                commands.extend(added.map(|(role, scope)| revoke(group.id(), role, &scope)));
            }
            commands
        }),
        Event::AddedToGroup(event) => {
            vec![Command::remove_from_group(&event.group, &event.members)]
        }
        Event::RemovedFromGroup(event) => vec![Command::add_to_group(&event.group, &event.members)],
        Event::GroupMembersSet(event) => {
            let mut commands = Vec::new();
            if !event.removed.is_empty() {
                commands.push(Command::add_to_group(&event.group, &event.removed));
            }
            if !event.added.is_empty() {
                commands.push(Command::remove_from_group(&event.group, &event.added));
            }
            commands
        }
        Event::RoleGranted(event) => vec![revoke(&event.group, &event.role, &event.scope)],
        Event::RoleRevoked(event) => {
            let earlier = before.group(&event.group).map_or_else(Vec::new, grants);
            let grant = earlier.into_iter().find(|grant| grant.role == event.role);
            let scope = event
                .stores
                .clone()
                .map(Scope::Stores)
                .or(grant.map(|grant| grant.scope));
            let scope = scope.into_iter();
            scope
                .map(|scope| Command::grant_role(&event.group, &event.role, scope))
                .collect()
        }
        Event::RoleDefined(event) => vec![Command::delete_role(&event.role)],
        Event::RoleChanged(event) => before.role(&event.role).map_or_else(Vec::new, |role| {
            let mut commands = Vec::new();
            if event.name.is_some() {
                commands.push(Command::rename_role(&event.role, role.name().clone()));
            }
            if event.permissions.is_some() {
                let permissions = role.permissions().iter().cloned();
                commands.push(Command::redefine_role(&event.role, permissions));
            }
            commands
        }),
        Event::RoleDeleted(event) => before.role(&event.role).map_or_else(Vec::new, |role| {
            let permissions = role.permissions().iter().cloned();
            vec![Command::define_role(
                &event.role,
                role.name().clone(),
                role.level(),
                permissions,
            )]
        }),
        // Nobody is brought back into the account by somebody else, and what a store held is gone.
        _ => Vec::new(),
    }
}

fn grants(group: Group<'_>) -> Vec<Grant> {
    group.grants().map(grantbook::GrantRef::to_grant).collect()
}

/// What a group carries: where each role holds.
fn scopes(grants: &[Grant]) -> BTreeMap<RoleId, Scope> {
    let each = grants.iter();
    each.map(|grant| (grant.role.clone(), grant.scope.clone()))
        .collect()
}

/// What the one carries and the other does not.
fn less(one: &BTreeMap<RoleId, Scope>, other: &BTreeMap<RoleId, Scope>) -> BTreeMap<RoleId, Scope> {
    let beyond = one.iter().filter_map(|(role, scope)| {
        let beyond = match (scope, other.get(role)) {
            (scope, None) => scope.clone(),
            (Scope::Stores(here), Some(Scope::Stores(there))) => {
                Scope::Stores(here.difference(there).cloned().collect())
            }
            (_, Some(_)) => return None,
        };
        let is_nothing = matches!(&beyond, Scope::Stores(stores) if stores.is_empty());
        (!is_nothing).then(|| (role.clone(), beyond))
    });
    beyond.collect()
}

fn revoke(group: &GroupId, role: impl Into<RoleId>, scope: &Scope) -> Command {
    match scope {
        Scope::Account => Command::revoke_role(group, role),
        Scope::Stores(stores) => Command::revoke_role_in(group, role, stores),
    }
}

/// What must still be so, for what a change replaced as a whole: the permissions of a role.
fn unchanged_since(change: &[Record]) -> Option<Precondition> {
    change.iter().rev().find_map(|record| match record.event() {
        Event::RoleChanged(event) if event.permissions.is_some() => Some(Precondition::Role {
            role: event.role.clone(),
            revision: record.version(),
        }),
        _ => None,
    })
}

/// The records of the change that this version belongs to, and what leads back; nothing, if it is not for the viewer.
async fn found(viewer: &Viewer, version: u64) -> Option<(Vec<Record>, Vec<Command>)> {
    if !viewer.is_shown_all {
        return None;
    }
    let last = version.saturating_add(MOST);
    let read = with_records(viewer, 0, last, move |mut all| {
        let index = all.iter().position(|record| record.version() == version)?;
        let place = all.get(index)?.commit();
        let begins = index.checked_sub(place.number() - 1)?;
        let mut change = all.split_off(begins);
        change.truncate(place.of());
        Some((back(&all, &change), change))
    });
    let (commands, change) = read.await.ok()??;
    let leave_nothing = |account: &Account| {
        let commands = commands.into_iter();
        commands
            .map(|command| altogether(account, command))
            .collect()
    };
    Some((change, viewer.account.with(leave_nothing)))
}

/// Revokes a role altogether where it would be left for no store.
fn altogether(account: &Account, command: Command) -> Command {
    let Command::RevokeRole(revoke) = &command else {
        return command;
    };
    let group = account.group(&revoke.group).into_iter();
    let mut grants = group.flat_map(|group| group.grants());
    let grant = grants.find(|grant| *grant.role == revoke.role);
    match (grant, &revoke.stores) {
        (Some(grant), Some(revoked))
            if grant.scope.stores().all(|store| revoked.contains(store)) =>
        {
            Command::revoke_role(&revoke.group, &revoke.role)
        }
        _ => command,
    }
}

/// What leads back from the last record to before the first. Before the first record of all there is no account.
fn back(before: &[Record], change: &[Record]) -> Vec<Command> {
    let Ok(mut account) = Account::replay(before) else {
        return Vec::new();
    };
    let mut commands = Vec::new();
    for record in change {
        let inverse = inverse(&account, record.event());
        commands.splice(..0, inverse);
        if account.apply(record).is_err() {
            return Vec::new();
        }
    }
    commands
}

pub(crate) async fn ask(viewer: Viewer, Path(version): Path<u64>) -> Response {
    let Some((change, commands)) = found(&viewer, version).await else {
        return layout::not_found();
    };
    let page = viewer
        .account
        .with(|account| page(&viewer, account, &change, &commands, &Wrong::default()));
    page.into_response()
}

fn page(
    viewer: &Viewer,
    account: &Account,
    change: &[Record],
    commands: &[Command],
    wrong: &Wrong,
) -> Markup {
    let preview = account.preview(&viewer.actor(), commands, viewer.now);
    let content = html! {
        (layout::summary(wrong))
        p { "To take back:" }
        ul { @for record in change { li { (actor(record)) " " (record.event()) } } }
        @match &preview {
            _ if commands.is_empty() => { p { (NO_WAY_BACK) } }
            Ok(preview) => {
                (effect(&preview.delta))
                form method="post" action={ "/undo/" (change.first().map_or(0, Record::version)) } {
                    (layout::hidden(viewer))
                    button { "Take it back" }
                }
            }
            Err(error) => { (wrong_list(&Wrong::one("", error))) }
        }
        p { a href="/history" { "To the history" } }
    };
    layout::page(viewer, "Take a change back", &content)
}

pub(crate) async fn undo(
    Path(version): Path<u64>,
    PostedByManager(posted): PostedByManager,
) -> Response {
    let Some((change, commands)) = found(&posted.viewer, version).await else {
        return layout::not_found();
    };
    let intent = if commands.is_empty() {
        Err(Wrong::one("", &NO_WAY_BACK))
    } else {
        let title = "Take a change back";
        let intent = Intent::new(title, commands.clone(), "/history".to_owned());
        let unchanged = unchanged_since(&change).into_iter();
        Ok(unchanged.fold(intent, Intent::if_unchanged))
    };
    let path = format!("/undo/{version}");
    submit(posted, path, intent, |posted, account, wrong| {
        page(&posted.viewer, account, &change, &commands, wrong)
    })
    .await
}

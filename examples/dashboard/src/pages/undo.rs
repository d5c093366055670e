//! Taking a change back: the commands that lead to how it was, shown and decided like any other.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use grantbook::{Account, Command, Event, Grant, Group, Record, Scope, history};
use maud::{Markup, html};

use crate::change::{Intent, effect, submit, wrong_list};
use crate::form::Wrong;
use crate::layout;
use crate::pages::history::{event, with_records};
use crate::session::{PostedByManager, Viewer};

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
            vec![
                Command::rename_group(group.id(), group.name().clone()),
                Command::describe_group(group.id(), group.description().clone()),
                Command::set_grants(group.id(), grants(group)),
            ]
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
        Event::RoleGranted(event) => vec![match &event.scope {
            Scope::Account => Command::revoke_role(&event.group, &event.role),
            Scope::Stores(stores) => Command::revoke_role_in(&event.group, &event.role, stores),
        }],
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
            vec![
                Command::rename_role(&event.role, role.name().clone()),
                Command::redefine_role(&event.role, role.permissions().iter().cloned()),
            ]
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

/// The record, and what leads back; nothing, if it is not for the viewer.
async fn found(viewer: &Viewer, version: u64) -> Option<(Record, Vec<Command>)> {
    if !viewer.is_shown_all {
        return None;
    }
    let read = with_records(viewer, 0, version, move |mut up_to| {
        let record = up_to.pop().filter(|record| record.version() == version)?;
        // Before the first record there is no account.
        let before = history::at_version(up_to, None, version.checked_sub(1)?).ok();
        let commands = before.map_or_else(Vec::new, |before| inverse(&before, record.event()));
        Some((record, commands))
    });
    read.await.ok()?
}

pub(crate) async fn ask(viewer: Viewer, Path(version): Path<u64>) -> Response {
    let Some((record, commands)) = found(&viewer, version).await else {
        return layout::not_found();
    };
    let page = viewer
        .account
        .with(|account| page(&viewer, account, &record, &commands, &Wrong::default()));
    page.into_response()
}

fn page(
    viewer: &Viewer,
    account: &Account,
    record: &Record,
    commands: &[Command],
    wrong: &Wrong,
) -> Markup {
    let preview = account.preview(&viewer.actor(), commands, viewer.now);
    let content = html! {
        (layout::summary(wrong))
        p { "To take back: " (event(record)) }
        @match &preview {
            _ if commands.is_empty() => { p { "There is no way back from this." } }
            Ok(preview) => {
                (effect(&preview.delta))
                form method="post" action={ "/undo/" (record.version()) } {
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
    let Some((record, commands)) = found(&posted.viewer, version).await else {
        return layout::not_found();
    };
    let intent = Intent::new(
        "Take a change back",
        commands.clone(),
        "/history".to_owned(),
    );
    let path = format!("/undo/{version}");
    submit(posted, path, Ok(intent), |posted, account, wrong| {
        page(&posted.viewer, account, &record, &commands, wrong)
    })
    .await
}

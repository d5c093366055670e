//! Groups: the list, one to create, and one to edit, with its members.

use std::iter;

use axum::extract::Path;
use axum::response::Response;
use grantbook::{
    Account, Command, Description, Group, GroupId, GroupName, MemberId, Precondition, Role, RoleId,
};
use grantbook_axum::path_segment;
use maud::{Markup, html};

use crate::change::{Intent, submit};
use crate::form::{Fields, Wrong, grants, is_of_stores, ticked};
use crate::layout;
use crate::pages::history::actor;
use crate::pages::{guarded, refusal};
use crate::session::{Posted, PostedByManager, Viewer};

fn path_of(group: &str) -> String {
    format!("/groups/{}", path_segment(group))
}

pub(crate) async fn list(viewer: Viewer) -> Response {
    guarded(&viewer, |account| {
        let groups: Vec<Group<'_>> = account.groups().collect();
        let content = html! {
            p { (groups.len()) " of at most " (account.group_limit().get()) " groups. Members hold a group's roles." }
            p { a.button href="/groups/new" { "Create new group" } }
            table {
                (layout::columns(&["Name", "Description", "Roles", "Members"]))
                tbody {
                    @for group in &groups {
                        tr {
                            th scope="row" { (layout::group_link(group.id(), group.name())) }
                            td { (group.description().as_str()) }
                            td { (carried(account, *group)) }
                            td { (group.member_count()) }
                        }
                    }
                }
            }
        };
        Some(layout::page(&viewer, "Groups", &content))
    })
}

/// Of which definition of the group a form is.
fn definition(group: Group<'_>) -> Markup {
    html! { input type="hidden" name="revision" value=(group.definition_revision()); }
}

fn carried(account: &Account, group: Group<'_>) -> Markup {
    html! {
        ul.plain {
            @for grant in group.grants() {
                li {
                    @if let Some(role) = account.role(grant.role) { (role.name().as_str()) }
                    @let stores: Vec<String> = grant.scope.stores().map(|store| layout::shown(store)).collect();
                    @if !stores.is_empty() { ": " (stores.join(", ")) }
                }
            }
        }
    }
}

/// The fields of a group: as they were sent, or as the group is, or empty.
fn form(
    viewer: &Viewer,
    account: &Account,
    path: &str,
    group: Option<Group<'_>>,
    sent: Option<&Fields>,
    wrong: &Wrong,
) -> Markup {
    let (name, description, ticks): (&str, &str, Vec<String>) = match (sent, group) {
        (Some(sent), _) => (
            sent.get("name"),
            sent.get("description"),
            sent.all("grant").map(str::to_owned).collect(),
        ),
        (None, Some(group)) => (group.name(), group.description(), ticks(group)),
        (None, None) => ("", "", Vec::new()),
    };
    let note = sent.map_or("", |sent| sent.get("note"));
    html! {
        form.edit method="post" action=(path) hx-post=(path) hx-vals=r#"{"step":"preview"}"#
            hx-trigger="input delay:250ms, change" hx-target="#effect" hx-swap="innerHTML" hx-morph-skip {
            (layout::hidden(viewer))
            @if let Some(group) = group {
                (definition(group))
                input type="hidden" name="membership" value=(group.membership_revision());
            }
            (layout::text_field("Name", "name", name, "3 to 64 letters, digits, spaces and . - _", wrong))
            (layout::text_field("Description", "description", description, "At most 100 of the same", wrong))
            fieldset #grant {
                legend { "Roles" }
                @if let Some(problem) = wrong.of("grant") { span.problem { (problem) } }
                @for (id, role) in account.roles() { (role_boxes(account, id, role, &ticks)) }
            }
            (layout::text_field("Note", "note", note, "Optional: why, for the history", wrong))
            div #effect role="status" aria-live="polite" {}
            p { button { @if group.is_some() { "Save" } @else { "Create" } } " " a href="/groups" { "Cancel" } }
        }
    }
}

fn role_boxes(account: &Account, id: &RoleId, role: &Role, ticks: &[String]) -> Markup {
    let tick = |store| {
        let value = ticked(id, store);
        html! { input type="checkbox" name="grant" value=(value) checked[ticks.contains(&value)]; }
    };
    let includes = if *id == RoleId::store_editor() {
        " (includes Store Viewer)"
    } else {
        ""
    };
    html! {
        @if is_of_stores(role) {
            @let chosen = account.stores().filter(|store| ticks.contains(&ticked(id, Some(store)))).count();
            details open[chosen > 0] {
                summary { (role.name().as_str()) (includes) ": " (chosen) " of " (account.store_count()) " stores" }
                @for store in account.stores() { label.tick { (tick(Some(store))) " " (layout::shown(store)) } }
            }
        } @else {
            label.tick { (tick(None)) " " (role.name().as_str()) " (at the account)" }
        }
    }
}

fn ticks(group: Group<'_>) -> Vec<String> {
    let all = group.grants().flat_map(|grant| {
        let mut stores: Vec<String> = grant
            .scope
            .stores()
            .map(|store| ticked(grant.role, Some(store)))
            .collect();
        if grant.scope.stores().next().is_none() {
            stores.push(ticked(grant.role, None));
        }
        stores
    });
    all.collect()
}

pub(crate) async fn new(viewer: Viewer) -> Response {
    guarded(&viewer, |account| {
        Some(new_page(&viewer, account, None, &Wrong::default()))
    })
}

fn new_page(viewer: &Viewer, account: &Account, sent: Option<&Fields>, wrong: &Wrong) -> Markup {
    let content = html! {
        (layout::summary(wrong))
        (form(viewer, account, "/groups/new", None, sent, wrong))
    };
    layout::page(viewer, "Create a group", &content)
}

pub(crate) async fn create(PostedByManager(posted): PostedByManager) -> Response {
    let mut wrong = Wrong::default();
    let fields = &posted.fields;
    let name = wrong.read::<GroupName>(fields, "name");
    let description = wrong.read::<Description>(fields, "description");
    let granted = grants(fields, &mut wrong);
    let intent = match (name, description) {
        (Some(name), Some(description)) if wrong.0.is_empty() => {
            let group = posted
                .viewer
                .account
                .with(|account| free_id(account, &name));
            let Some(group) = group else {
                return layout::failed("no id is free");
            };
            let mut commands = vec![Command::create_group(&group, name, granted)];
            if !description.is_empty() {
                commands.push(Command::describe_group(&group, description));
            }
            Ok(Intent::new("Create a group", commands, path_of(&group)))
        }
        _ => Err(wrong),
    };
    submit(
        posted,
        "/groups/new".to_owned(),
        intent,
        |posted, account, wrong| new_page(&posted.viewer, account, Some(&posted.fields), wrong),
    )
    .await
}

/// An id made of the name, that no group has. There is always one: what a name may have, an id may have.
fn free_id(account: &Account, name: &GroupName) -> Option<GroupId> {
    let slug = name.to_lowercase().replace(' ', "-");
    let numbered = (2..).map(|number| format!("{slug}-{number}"));
    let mut ids = iter::once(slug.clone()).chain(numbered);
    // `/groups/new` is another page.
    ids.find(|id| id != "new" && account.group(id).is_none())?
        .parse()
        .ok()
}

pub(crate) async fn show(viewer: Viewer, Path(group): Path<String>) -> Response {
    guarded(&viewer, |account| {
        page(&viewer, account, &group, None, &Wrong::default())
    })
}

fn page(
    viewer: &Viewer,
    account: &Account,
    group: &str,
    posted: Option<&Posted>,
    wrong: &Wrong,
) -> Option<Markup> {
    let group = account.group(group)?;
    let sent = posted.map(|posted| &posted.fields);
    let meanwhile = posted.map_or(&[][..], |posted| &posted.meanwhile);
    let path = path_of(group.id());
    let sent_revision = sent.map_or("", |sent| sent.get("revision"));
    let is_stale = !meanwhile.is_empty()
        || !sent_revision.is_empty() && sent_revision != group.definition_revision().to_string();
    let delete = refusal(viewer, account, &Command::delete_group(group.id()));
    let others = account.members().filter(|member| !member.is_in(group.id()));
    let content = html! {
        (layout::summary(wrong))
        @if is_stale {
            section.meanwhile {
                h2 { "Meanwhile" }
                ul {
                    @for record in meanwhile {
                        li { (layout::time(record.at())) " " (actor(record)) " " (record.event()) }
                    }
                }
                p { "What you typed is below. Save it, and it takes the place of what is there now." }
            }
        }
        section {
            h2 { "Members" }
            form method="post" action={ (path) "/members" } {
                (layout::hidden(viewer))
                table {
                    tbody {
                        @for member in group.members().take(500) {
                            @let remove = refusal(viewer, account, &Command::remove_from_group(group.id(), [member]));
                            tr {
                                th scope="row" { (layout::member_link(member)) }
                                td {
                                    @if let Some(reason) = &remove {
                                        (layout::cannot("Remove", reason))
                                    } @else {
                                        button name="remove" value=(member) { "Remove" }
                                    }
                                }
                            }
                        }
                    }
                }
                @if group.member_count() == 0 { p { "No members yet." } }
                @if group.member_count() > 500 { p { "The first 500 of " (group.member_count()) "." } }
            }
            form method="post" action={ (path) "/members" } {
                (layout::hidden(viewer))
                (definition(group))
                div.field {
                    label for="member" { "Add a member" }
                    span.hint id="member-hint" { "They must have been invited first." }
                    @if let Some(problem) = wrong.of("member") { span.problem { (problem) } }
                    input type="text" id="member" name="add" list="others" autocomplete="off" aria-describedby="member-hint"
                        value=(sent.map_or("", |sent| sent.get("add")));
                    datalist id="others" { @for member in others.take(200) { option value=(member.id()) {} } }
                }
                button { "Add" }
            }
        }
        section {
            h2 { "Name and roles" }
            (form(viewer, account, &path, Some(group), sent.filter(|sent| sent.all("name").next().is_some()), wrong))
        }
        section {
            h2 { "Delete" }
            form method="get" action={ (path) "/delete" } { (layout::button("Delete this group", delete.as_deref())) }
        }
    };
    Some(layout::page(viewer, group.name(), &content))
}

/// The page again, or what is wrong where the group is gone.
fn again(posted: &Posted, account: &Account, group: &str, wrong: &Wrong) -> Markup {
    let viewer = &posted.viewer;
    let page = page(viewer, account, group, Some(posted), wrong);
    page.unwrap_or_else(|| layout::page(viewer, "Groups", &layout::summary(wrong)))
}

pub(crate) async fn edit(
    Path(group): Path<String>,
    PostedByManager(posted): PostedByManager,
) -> Response {
    let Ok(id) = group.parse::<GroupId>() else {
        return layout::not_found();
    };
    let mut wrong = Wrong::default();
    let fields = &posted.fields;
    let name = wrong.read::<GroupName>(fields, "name");
    let description = wrong.read::<Description>(fields, "description");
    let granted = grants(fields, &mut wrong);
    let revision = fields.get("revision").parse().ok();
    let intent = match (name, description, revision) {
        (Some(name), Some(description), Some(revision)) if wrong.0.is_empty() => {
            let commands = vec![
                Command::rename_group(&id, name),
                Command::describe_group(&id, description),
                Command::set_grants(&id, granted),
            ];
            let intent = Intent::new("Edit a group", commands, path_of(&id));
            let group = id.clone();
            let intent = intent.if_unchanged(Precondition::GroupDefinition { group, revision });
            // Whoever came meanwhile would gain it too, and is not among those who were asked about.
            let membership = fields.get("membership").parse().ok();
            let membership = membership.map(|revision| Precondition::GroupMembership {
                group: id.clone(),
                revision,
            });
            Ok(membership.into_iter().fold(intent, Intent::if_unchanged))
        }
        _ if wrong.0.is_empty() => Err(Wrong::one("", &"load the page again, and edit it there")),
        _ => Err(wrong),
    };
    submit(posted, path_of(&group), intent, |posted, account, wrong| {
        again(posted, account, &group, wrong)
    })
    .await
}

pub(crate) async fn members(
    Path(group): Path<String>,
    PostedByManager(posted): PostedByManager,
) -> Response {
    let Ok(id) = group.parse::<GroupId>() else {
        return layout::not_found();
    };
    let (add, remove) = (posted.fields.get("add").trim(), posted.fields.get("remove"));
    let command = if remove.is_empty() {
        add.parse::<MemberId>()
            .map(|member| Command::add_to_group(&id, [member]))
    } else {
        remove
            .parse::<MemberId>()
            .map(|member| Command::remove_from_group(&id, [member]))
    };
    let title = "Change a group's members";
    let intent = command.map(|command| {
        let intent = Intent::new(title, vec![command], path_of(&id));
        // What the member would gain is what was looked at.
        let revision = posted.fields.get("revision").parse().ok();
        let looked_at = revision.map(|revision| Precondition::GroupDefinition {
            group: id.clone(),
            revision,
        });
        looked_at.into_iter().fold(intent, Intent::if_unchanged)
    });
    let intent = intent.map_err(|error| Wrong::one("member", &error));
    let path = format!("{}/members", path_of(&group));
    submit(posted, path, intent, |posted, account, wrong| {
        again(posted, account, &group, wrong)
    })
    .await
}

pub(crate) async fn ask_delete(viewer: Viewer, Path(group): Path<String>) -> Response {
    guarded(&viewer, |account| {
        let group = account.group(&group)?;
        let refused = refusal(&viewer, account, &Command::delete_group(group.id()));
        let content = html! {
            p { "The group " strong { (group.name().as_str()) } " goes, with what it grants. Nobody is in it." }
            form method="post" action={ (path_of(group.id())) "/delete" } {
                (layout::hidden(&viewer))
                (layout::button("Delete", refused.as_deref())) " " a href=(path_of(group.id())) { "Cancel" }
            }
        };
        Some(layout::page(&viewer, "Delete a group", &content))
    })
}

pub(crate) async fn delete(
    Path(group): Path<String>,
    PostedByManager(posted): PostedByManager,
) -> Response {
    let Ok(id) = group.parse::<GroupId>() else {
        return layout::not_found();
    };
    let commands = vec![Command::delete_group(id)];
    let intent = Intent::new("Delete a group", commands, "/groups".to_owned());
    let path = format!("{}/delete", path_of(&group));
    submit(posted, path, Ok(intent), |posted, account, wrong| {
        again(posted, account, &group, wrong)
    })
    .await
}

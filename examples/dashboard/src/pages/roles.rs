//! Roles: what each holds, and those of the account's own.

use std::collections::BTreeSet;

use axum::extract::Path;
use axum::response::Response;
use grantbook::{Account, Command, Permission, RoleId, RoleLevel, RoleName};
use grantbook_axum::path_segment;
use maud::{Markup, html};

use crate::change::{Intent, submit};
use crate::form::{Fields, Wrong, id, is_of_stores};
use crate::layout;
use crate::pages::{guarded, refusal};
use crate::session::{Posted, PostedByManager, Viewer};

pub(crate) async fn list(viewer: Viewer) -> Response {
    guarded(&viewer, |account| {
        Some(page(&viewer, account, None, &Wrong::default()))
    })
}

fn page(viewer: &Viewer, account: &Account, sent: Option<&Fields>, wrong: &Wrong) -> Markup {
    let value = |name| sent.map_or("", |sent| sent.get(name));
    let content = html! {
        (layout::summary(wrong))
        table {
            (layout::columns(&["Role", "Where", "Permissions", "Delete"]))
            tbody {
                @for (id, role) in account.roles() {
                    tr {
                        th scope="row" { (role.name().as_str()) }
                        td { @if is_of_stores(role) { "in stores" } @else { "at the account" } }
                        td { ul.plain { @for permission in role.permissions() { li { (permission.as_str()) } } } }
                        td {
                            @if role.is_built_in() { "built in" } @else {
                                @let refused = refusal(viewer, account, &Command::delete_role(id));
                                form method="post" action={ "/roles/" (path_segment(id)) } {
                                    (layout::hidden(viewer))
                                    (layout::button("Delete", refused.as_deref()))
                                }
                            }
                        }
                    }
                }
            }
        }
        section {
            h2 { "Define a role" }
            form method="post" action="/roles" hx-morph-skip {
                (layout::hidden(viewer))
                (layout::text_field("Id", "role", value("role"), "Such as analyst", wrong))
                (layout::text_field("Name", "name", value("name"), "3 to 64 letters, digits, spaces and . - _", wrong))
                (layout::text_field("Permissions", "permissions", value("permissions"), "Such as: report.read report.export", wrong))
                label.tick {
                    input type="checkbox" name="level" value="account" checked[value("level") == "account"];
                    " At the account, and not in stores"
                }
                p { button { "Define" } }
            }
        }
    };
    layout::page(viewer, "Roles", &content)
}

fn again(posted: &Posted, account: &Account, wrong: &Wrong) -> Markup {
    page(&posted.viewer, account, Some(&posted.fields), wrong)
}

pub(crate) async fn define(PostedByManager(posted): PostedByManager) -> Response {
    let mut wrong = Wrong::default();
    let fields = &posted.fields;
    let role = id::<RoleId>(fields, "role");
    let role = role.map_err(|found| wrong.0.extend(found.0)).ok();
    let name = wrong.read::<RoleName>(fields, "name");
    let mut permissions = BTreeSet::new();
    for text in fields.get("permissions").split_whitespace() {
        match text.parse::<Permission>() {
            Ok(permission) => drop(permissions.insert(permission)),
            // The first that is wrong is enough to say.
            Err(error) if wrong.of("permissions").is_none() => {
                let said: String = layout::shown(text).chars().take(80).collect();
                wrong.0.push(("permissions", format!("{said}: {error}")));
            }
            Err(_) => {}
        }
    }
    let level = if fields.has("level", "account") {
        RoleLevel::Account
    } else {
        RoleLevel::Store
    };
    let intent = match (role, name) {
        (Some(role), Some(name)) if wrong.0.is_empty() => Ok(Intent::new(
            "Define a role",
            vec![Command::define_role(role, name, level, permissions)],
            "/roles".to_owned(),
        )),
        _ => Err(wrong),
    };
    submit(posted, "/roles".to_owned(), intent, again).await
}

pub(crate) async fn change(
    Path(role): Path<String>,
    PostedByManager(posted): PostedByManager,
) -> Response {
    let Ok(role) = role.parse::<RoleId>() else {
        return layout::not_found();
    };
    let path = format!("/roles/{}", path_segment(&role));
    let intent = Intent::new(
        "Delete a role",
        vec![Command::delete_role(role)],
        "/roles".to_owned(),
    );
    submit(posted, path, Ok(intent), again).await
}

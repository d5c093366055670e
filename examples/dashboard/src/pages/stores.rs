//! Stores: the list, one to create, and one with who may do what in it.

use axum::extract::Path;
use axum::response::Response;
use grantbook::{Account, Command, Permission, Resource, StoreId};
use grantbook_axum::path_segment;
use maud::{Markup, html};

use crate::change::{Intent, submit};
use crate::form::{Fields, Wrong, id};
use crate::layout;
use crate::pages::{guarded, refusal};
use crate::session::{PostedByManager, Viewer};

fn path_of(store: &str) -> String {
    format!("/stores/{}", path_segment(store))
}

pub(crate) async fn list(viewer: Viewer) -> Response {
    guarded(&viewer, |account| {
        Some(list_page(&viewer, account, None, &Wrong::default()))
    })
}

fn list_page(viewer: &Viewer, account: &Account, sent: Option<&Fields>, wrong: &Wrong) -> Markup {
    let typed = sent.map_or("", |sent| sent.get("store"));
    let content = html! {
        (layout::summary(wrong))
        p { "A new store is in no group: nobody but account owners sees it until a group is given a role there." }
        ul { @for store in account.stores().take(2_000) { li { (layout::store_link(store)) } } }
        form method="post" action="/stores" hx-morph-skip {
            (layout::hidden(viewer))
            (layout::text_field("New store", "store", typed, "Its id in your application", wrong))
            p { button { "Create" } }
        }
    };
    layout::page(viewer, "Stores", &content)
}

pub(crate) async fn create(PostedByManager(posted): PostedByManager) -> Response {
    let intent = id::<StoreId>(&posted.fields, "store").map(|store| {
        let done = path_of(&store);
        Intent::new("Create a store", vec![Command::create_store(store)], done)
    });
    submit(
        posted,
        "/stores".to_owned(),
        intent,
        |posted, account, wrong| list_page(&posted.viewer, account, Some(&posted.fields), wrong),
    )
    .await
}

pub(crate) async fn show(viewer: Viewer, Path(store): Path<String>) -> Response {
    guarded(&viewer, |account| {
        page(&viewer, account, &store, &Wrong::default())
    })
}

fn page(viewer: &Viewer, account: &Account, store: &str, wrong: &Wrong) -> Option<Markup> {
    let id = account.store(store)?.id();
    let may = |permission: Permission| -> Vec<_> {
        account
            .who_can(&permission, Resource::Store(store), None)
            .take(501)
            .collect()
    };
    let refused = refusal(viewer, account, &Command::delete_store(id));
    let content = html! {
        (layout::summary(wrong))
        @for (title, permission) in [
            ("Who may read", Permission::STORE_READ),
            ("Who may write", Permission::STORE_WRITE),
        ] {
            section {
                h2 { (title) }
                @let who = may(permission.clone());
                ul.people {
                    @for member in who.iter().take(500) {
                        li { (layout::why_link(member, &permission, store, &layout::shown(member))) }
                    }
                }
                @if who.len() > 500 { p { "And more." } }
            }
        }
        section {
            h2 { "Groups with a role here" }
            ul {
                @for group in account.groups() {
                    @for grant in group.grants().filter(|grant| grant.scope.stores().any(|other| other == id)) {
                        li {
                            (layout::group_link(group.id(), group.name())) ": "
                            @if let Some(role) = account.role(grant.role) { (role.name().as_str()) }
                        }
                    }
                }
            }
        }
        section {
            h2 { "Delete" }
            form method="post" action=(path_of(store)) {
                (layout::hidden(viewer))
                p { "The store leaves the scope of every grant." }
                (layout::button("Delete this store", refused.as_deref()))
            }
        }
    };
    Some(layout::page(viewer, &layout::shown(store), &content))
}

pub(crate) async fn delete(
    Path(store): Path<String>,
    PostedByManager(posted): PostedByManager,
) -> Response {
    let Ok(id) = store.parse::<StoreId>() else {
        return layout::not_found();
    };
    let intent = Intent::new(
        "Delete a store",
        vec![Command::delete_store(id)],
        "/stores".to_owned(),
    );
    submit(
        posted,
        path_of(&store),
        Ok(intent),
        |posted, account, wrong| {
            let page = page(&posted.viewer, account, &store, wrong);
            page.unwrap_or_else(|| layout::page(&posted.viewer, "Stores", &layout::summary(wrong)))
        },
    )
    .await
}

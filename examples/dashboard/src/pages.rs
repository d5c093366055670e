//! The pages, a module for each.

mod access;
mod entrance;
mod groups;
mod history;
mod members;
mod roles;
mod settings;
mod stores;
mod undo;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use grantbook::{Account, Command};
use maud::Markup;

pub(crate) use crate::pages::history::with_records;
use crate::session::Viewer;
use crate::{App, layout};

pub(crate) fn routes() -> Router<App> {
    Router::new()
        .route("/", get(entrance::first))
        .route("/sign-in", get(entrance::ask).post(entrance::sign_in))
        .route("/sign-out", post(entrance::sign_out))
        .route("/assets/{file}", get(entrance::asset))
        .route("/live", get(entrance::live))
        .route("/groups", get(groups::list))
        .route("/groups/new", get(groups::new).post(groups::create))
        .route("/groups/{group}", get(groups::show).post(groups::edit))
        .route(
            "/groups/{group}/members",
            get(groups::show).post(groups::members),
        )
        .route(
            "/groups/{group}/delete",
            get(groups::ask_delete).post(groups::delete),
        )
        .route("/members", get(members::list).post(members::invite))
        .route(
            "/members/{member}",
            get(members::show).post(members::change),
        )
        .route("/stores", get(stores::list).post(stores::create))
        .route("/stores/{store}", get(stores::show).post(stores::delete))
        .route("/roles", get(roles::list).post(roles::define))
        .route("/roles/{role}", get(roles::list).post(roles::change))
        .route("/access", get(access::matrix))
        .route("/why", get(access::why).post(access::remedy))
        .route("/review", get(access::review))
        .route("/history", get(history::list))
        .route("/undo/{version}", get(undo::ask).post(undo::undo))
        .route("/settings", get(settings::show).post(settings::close))
}

/// Why the viewer may not do this, in the library's words; nothing, if it may. The server refuses it all the same.
fn refusal(viewer: &Viewer, account: &Account, command: &Command) -> Option<String> {
    let decided = account.decide(&viewer.actor(), command, viewer.now);
    decided.err().map(|error| error.to_string())
}

/// A page that shows others, for those who may see them.
fn guarded(viewer: &Viewer, page: impl FnOnce(&Account) -> Option<Markup>) -> Response {
    let page = viewer
        .account
        .with(|account| viewer.sees_all(account).then(|| page(account)).flatten());
    page.map_or_else(layout::not_found, IntoResponse::into_response)
}

//! The way in: signing in, the first page, and what browsers load.

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::SignedCookieJar;
use grantbook::MatrixStatus;
use grantbook_axum::path_segment;
use maud::html;
use serde::Deserialize;

use crate::session::{Posted, Viewer, ended, started};
use crate::{ACCOUNT, App, layout};

/// Groups, for those who may see them; everybody else begins with what they may do themselves.
pub(crate) async fn first(viewer: Viewer) -> Redirect {
    if viewer.is_shown_all {
        Redirect::to("/groups")
    } else {
        Redirect::to(&format!("/members/{}", path_segment(&viewer.member)))
    }
}

pub(crate) async fn ask(State(app): State<App>) -> Response {
    let Some(account) = app.accounts.loaded(ACCOUNT) else {
        return layout::unavailable();
    };
    let members: Vec<(String, String)> = account.with(|account| {
        let members = account.members().take(200);
        let said = members.map(|member| {
            (
                member.id().to_string(),
                MatrixStatus::from(member.status()).to_string(),
            )
        });
        said.collect()
    });
    let content = html! {
        p.notice { "This is a demonstration: there is no password. Choose who you are." }
        form method="post" action="/sign-in" {
            ul.people {
                @for (member, status) in &members {
                    li { button name="member" value=(member) { (layout::shown(member)) } " " span.hint { (status) } }
                }
            }
        }
    };
    layout::bare("Sign in", &content).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Who {
    member: String,
}

pub(crate) async fn sign_in(
    State(app): State<App>,
    jar: SignedCookieJar,
    Form(who): Form<Who>,
) -> Response {
    let Some(account) = app.accounts.loaded(ACCOUNT) else {
        return layout::unavailable();
    };
    match account.with(|account| app.sign_in.prove(account, &who.member)) {
        Some(member) => (started(jar, member), Redirect::to("/")).into_response(),
        None => layout::refused("Nobody of this account proves to be that."),
    }
}

pub(crate) async fn sign_out(jar: SignedCookieJar, _: Posted) -> Response {
    (ended(jar), Redirect::to("/sign-in")).into_response()
}

/// The version that a page is of.
#[derive(Deserialize)]
pub(crate) struct Since {
    since: Option<u64>,
}

pub(crate) async fn live(viewer: Viewer, Query(page): Query<Since>) -> Response {
    let is_behind = page.since.is_some_and(|since| since < viewer.version);
    viewer.app.live.events(is_behind).into_response()
}

pub(crate) async fn asset(Path(file): Path<String>) -> Response {
    let (kind, content): (_, &'static str) = match file.as_str() {
        "style.css" => ("text/css", include_str!("../../assets/style.css")),
        "icon.svg" => ("image/svg+xml", include_str!("../../assets/icon.svg")),
        "htmx.min.js" => ("text/javascript", include_str!("../../assets/htmx.min.js")),
        "hx-sse.min.js" => (
            "text/javascript",
            include_str!("../../assets/hx-sse.min.js"),
        ),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    (
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=300")],
        content,
    )
        .into_response()
}

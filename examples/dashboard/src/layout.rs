//! What all pages have in common.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use grantbook::{IdempotencyKey, Resource, StoreId, Timestamp, Visible};
use grantbook_axum::path_segment;
use maud::{DOCTYPE, Markup, html};

use crate::form::Wrong;
use crate::session::Viewer;

const PAGES: [(&str, &str); 7] = [
    ("/groups", "Groups"),
    ("/members", "Members"),
    ("/stores", "Stores"),
    ("/roles", "Roles"),
    ("/access", "Access"),
    ("/history", "History"),
    ("/settings", "Settings"),
];

/// A text that others chose, as it can be shown.
pub(crate) fn shown(text: &str) -> String {
    Visible(text).to_string()
}

pub(crate) fn place(place: Resource<&str>) -> String {
    match place {
        Resource::Account => "the account".to_owned(),
        Resource::Store(store) => shown(store),
    }
}

pub(crate) fn time(at: Timestamp) -> Markup {
    let text = at.to_string();
    html! { time datetime=(text) { (text.replace('T', " ").trim_end_matches('Z')) } }
}

/// A key for a form: sent twice, it is one request.
pub(crate) fn new_key() -> IdempotencyKey {
    let random = format!("{:032x}", fastrand::u128(..));
    // It is never empty, and short.
    random.parse().unwrap_or_else(|_| new_key())
}

/// What every form has: the session's token, and a key of its own, so that it is done once if it is sent twice.
pub(crate) fn hidden(viewer: &Viewer) -> Markup {
    html! {
        input type="hidden" name="token" value=(viewer.token);
        input type="hidden" name="key" value=(new_key());
    }
}

fn frame(title: &str, head: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="htmx-config" content=r#"{"includeIndicatorCSS":false,"history":false}"#;
                title { (title) " · grantbook" }
                link rel="stylesheet" href="/assets/style.css";
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                (head)
            }
            body { (body) }
        }
    }
}

/// A page for somebody who is signed in. What others change is shown on it at once, unless it answers a form: what it says
/// of the form would be gone. It does not look at the account: it
/// is made while somebody else looks at it, and to look twice at once waits forever where a change comes in between.
pub(crate) fn page(viewer: &Viewer, title: &str, content: &Markup) -> Markup {
    let head = html! {
        script src="/assets/htmx.min.js" defer {}
        script src="/assets/hx-sse.min.js" defer {}
    };
    let body = html! {
        a.skip href="#main" { "Skip to the content" }
        header {
            a.home href="/" { "Acme" }
            nav aria-label="Pages" {
                @if viewer.is_shown_all { @for (path, name) in PAGES { a href=(path) { (name) } } }
                a href={ "/members/" (path_segment(&viewer.member)) } { "My access" }
            }
            form method="post" action="/sign-out" {
                input type="hidden" name="token" value=(viewer.token);
                span { "Signed in as " strong { (shown(&viewer.member)) } }
                " " button.plain { "Sign out" }
            }
        }
        div #live hx-sse:connect={ "/live?since=" (viewer.version) } hx-swap="none" {}
        main #main hx-get=[viewer.is_read.then_some("")] hx-trigger="changed from:#live" hx-select="#main" hx-target="#main" hx-swap="outerMorph" {
            h1 { (title) }
            @if let Some(version) = viewer.saved.filter(|_| viewer.is_shown_all) {
                p.saved role="status" { "Saved. " a href={ "/undo/" (version) } { "Undo" } }
            }
            (content)
        }
    };
    frame(title, &head, &body)
}

/// A page for whoever is not signed in.
pub(crate) fn bare(title: &str, content: &Markup) -> Markup {
    frame(
        title,
        &html! {},
        &html! { main #main { h1 { (title) } (content) } },
    )
}

/// What is wrong with a form, above it, with links to its fields.
pub(crate) fn summary(wrong: &Wrong) -> Markup {
    html! {
        @if !wrong.0.is_empty() {
            div.summary role="alert" tabindex="-1" {
                h2 { "This can't be done" }
                ul {
                    @for (field, sentence) in &wrong.0 {
                        li { @if field.is_empty() { (sentence) } @else { a href={ "#" (field) } { (sentence) } } }
                    }
                }
            }
        }
    }
}

/// A field of one line, with its label and what is wrong with it.
pub(crate) fn text_field(
    label: &str,
    name: &'static str,
    value: &str,
    hint: &str,
    wrong: &Wrong,
) -> Markup {
    let problem = wrong.of(name);
    let (hint_id, wrong_id) = (format!("{name}-hint"), format!("{name}-wrong"));
    let described = if problem.is_some() {
        format!("{hint_id} {wrong_id}")
    } else {
        hint_id.clone()
    };
    html! {
        div.field {
            label for=(name) { (label) }
            span.hint id=(hint_id) { (hint) }
            @if let Some(problem) = problem { span.problem id=(wrong_id) { (problem) } }
            input type="text" id=(name) name=(name) value=(value) autocomplete="off"
                aria-describedby=(described) aria-invalid=[problem.map(|_| "true")];
        }
    }
}

/// A button that says why it can't be pressed, where it can't.
pub(crate) fn button(label: &str, refused: Option<&str>) -> Markup {
    refused.map_or_else(
        || html! { button { (label) } },
        |reason| cannot(label, reason),
    )
}

/// A button that can't be pressed, and why: it can be reached all the same, to learn the reason.
pub(crate) fn cannot(label: &str, reason: &str) -> Markup {
    html! {
        button type="button" aria-disabled="true" { (label) }
        " " span.reason { (reason) }
    }
}

/// The head of a table.
pub(crate) fn columns(names: &[&str]) -> Markup {
    html! { thead { tr { @for name in names { th scope="col" { (name) } } } } }
}

pub(crate) fn member_link(member: &str) -> Markup {
    html! { a href={ "/members/" (path_segment(member)) } { (shown(member)) } }
}

pub(crate) fn group_link(group: &str, name: &str) -> Markup {
    html! { a href={ "/groups/" (path_segment(group)) } { (shown(name)) } }
}

/// A link to why somebody may do this there, or not; no store is the account.
pub(crate) fn why_link(member: &str, permission: &str, store: &str, text: &str) -> Markup {
    let [member, permission, store] = [member, permission, store].map(path_segment);
    html! {
        a href={ "/why?member=" (member) "&permission=" (permission) "&store=" (store) } { (text) }
    }
}

/// Part of a page, which a script puts in its place.
pub(crate) fn fragment(content: &Markup) -> Response {
    content.clone().into_response()
}

/// A form that was refused.
pub(crate) fn form_again(page: Markup) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, page).into_response()
}

fn message(status: StatusCode, title: &str, sentence: &str) -> Response {
    let content = html! { p { (sentence) } p { a href="/" { "To the first page" } } };
    (status, bare(title, &content)).into_response()
}

/// For what is not there, and for what the viewer has no part in.
pub(crate) fn not_found() -> Response {
    message(
        StatusCode::NOT_FOUND,
        "Not found",
        "There is no such page, or you have no part in it.",
    )
}

pub(crate) fn refused(sentence: &str) -> Response {
    message(StatusCode::FORBIDDEN, "Refused", sentence)
}

pub(crate) fn too_slow() -> Response {
    message(
        StatusCode::REQUEST_TIMEOUT,
        "Too slow",
        "That took too long. Look whether it was done before you try again.",
    )
}

pub(crate) fn unavailable() -> Response {
    message(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not now",
        "The account can't be read. Try again in a moment.",
    )
}

/// What failed goes to standard error, and not to the browser.
pub(crate) fn failed(error: &str) -> Response {
    eprintln!("failed: {error}");
    message(
        StatusCode::SERVICE_UNAVAILABLE,
        "Not now",
        "That could not be kept. Nothing may have changed; look, and try again.",
    )
}

/// A link to a store's page, or the word for the account.
pub(crate) fn store_link(store: &StoreId) -> Markup {
    html! { a href={ "/stores/" (path_segment(store)) } { (shown(store)) } }
}

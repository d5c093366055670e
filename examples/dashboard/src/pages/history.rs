//! Who changed what, when and why.

use axum::extract::Query;
use axum::response::{IntoResponse, Response};
use grantbook::repository::records;
use grantbook::{Account, Actor, Record};
use maud::{Markup, html};
use serde::Deserialize;

use crate::layout;
use crate::session::Viewer;

const PAGE: u64 = 100;

#[derive(Deserialize)]
pub(crate) struct Before {
    /// The last version on the page; the newest, unless it is given.
    before: Option<u64>,
}

/// Who did it.
pub(crate) fn actor(record: &Record) -> Markup {
    match record.actor() {
        Actor::Member(member) => html! { (layout::shown(member)) },
        Actor::System => html! { em { "the application" } },
    }
}

/// Reads the records after a version up to another one, and does something with them, where neither holds up other
/// requests.
pub(crate) async fn with_records<T: Send + 'static>(
    viewer: &Viewer,
    after: u64,
    last: u64,
    work: impl FnOnce(Vec<Record>) -> T + Send + 'static,
) -> Result<T, String> {
    let (accounts, id) = (viewer.app.accounts.clone(), viewer.account.id().clone());
    let reading = tokio::task::spawn_blocking(move || {
        let all = records(accounts.repository(), &id, after).take_while(|record| {
            let is_wanted = |record: &Record| record.version() <= last;
            record.as_ref().map_or(true, is_wanted)
        });
        let all = all.collect::<Result<Vec<Record>, _>>();
        all.map(work).map_err(|error| error.to_string())
    });
    reading.await.map_err(|error| error.to_string())?
}

pub(crate) async fn list(viewer: Viewer, Query(Before { before }): Query<Before>) -> Response {
    if !viewer.is_shown_all {
        return layout::not_found();
    }
    let version = viewer.account.with(Account::version);
    let last = before.unwrap_or(version).min(version);
    let after = last.saturating_sub(PAGE);
    let mut found = match with_records(&viewer, after, last, |found| found).await {
        Ok(found) => found,
        Err(error) => return layout::failed(&error),
    };
    found.reverse();
    let content = html! {
        ol.history {
            @for record in &found {
                li value=(record.version()) {
                    (layout::time(record.at())) " " strong { (actor(record)) } " " (record.event())
                    " " a href={ "/undo/" (record.version()) } { "Take back" }
                    @if let Some(note) = record.note() { " " q { (layout::shown(note)) } }
                }
            }
        }
        @if after > 0 { p { a href={ "/history?before=" (after) } { "Older" } } }
    };
    layout::page(&viewer, "History", &content).into_response()
}

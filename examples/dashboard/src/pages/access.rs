//! Who may do what where, and why.

use axum::extract::Query;
use axum::response::{Html, IntoResponse, Response};
use grantbook::history;
use grantbook::{
    AccessSource, Account, Advice, Explanation, Permission, Record, Remedy, RemedyKind, Resource,
    Verdict,
};
use grantbook_axum::path_segment;
use maud::{Markup, html};
use serde::Deserialize;

use crate::layout;
use crate::pages::guarded;
use crate::pages::history::{actor, with_records};
use crate::session::Viewer;

/// Stores beside each other; more are on the review page.
const COLUMNS: usize = 40;

pub(crate) async fn matrix(viewer: Viewer) -> Response {
    guarded(&viewer, |account| {
        let matrix = account.matrix();
        let content = html! {
            p { a href="/review" { "The whole access review, as a page to print and to filter" } }
            div.wide {
                table.matrix {
                    thead {
                        tr {
                            th scope="col" { "Who" }
                            @for store in matrix.stores.iter().take(COLUMNS) {
                                th scope="col" { (layout::store_link(store)) }
                            }
                        }
                    }
                    tbody {
                        @for row in &matrix.rows {
                            @let members: Vec<_> = row.member_ids().collect();
                            tr {
                                th scope="row" {
                                    @if members.len() > 6 {
                                        details { summary { (row.count) " people" } (names(&members)) }
                                    } @else { (names(&members)) }
                                    " " span.hint { (row.status.to_string()) }
                                }
                                @for (cell, store) in row.cells.iter().zip(&matrix.stores).take(COLUMNS) {
                                    td class={ "level-" (cell.level().to_string()) } {
                                        @if let Some(first) = members.first() {
                                            (layout::why_link(first, "store.read", store, &cell.to_string()))
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if matrix.stores.len() > COLUMNS {
                p { "The first " (COLUMNS) " of " (matrix.stores.len()) " stores; the review has all." }
            }
        };
        Some(layout::page(&viewer, "Access", &content))
    })
}

fn names(members: &[&grantbook::MemberId]) -> Markup {
    html! {
        @for (number, member) in members.iter().take(100).enumerate() {
            @if number > 0 { ", " }
            (layout::member_link(member))
        }
        @if members.len() > 100 { " and " (members.len() - 100) " more" }
    }
}

#[derive(Deserialize)]
pub(crate) struct Question {
    member: String,
    permission: String,
    #[serde(default)]
    store: String,
}

/// No store is the account.
fn resource_of(store: &str) -> Resource<&str> {
    match store {
        "" => Resource::Account,
        store => Resource::Store(store),
    }
}

/// Why, and since when. Everybody may ask about themselves; about others, those who manage groups.
pub(crate) async fn why(viewer: Viewer, Query(asked): Query<Question>) -> Response {
    let Ok(permission) = asked.permission.parse::<Permission>() else {
        return layout::not_found();
    };
    let resource = resource_of(&asked.store);
    let explained = viewer.account.with(|account| {
        let may_ask = asked.member == *viewer.member || viewer.sees_all(account);
        let is_member = account.member(&asked.member).is_some();
        (may_ask && is_member).then(|| {
            let explanation = account.explain(&asked.member, &permission, resource, viewer.now);
            (
                reasons(&viewer, account, &explanation),
                matches!(explanation.answer, Verdict::Allowed { .. }),
            )
        })
    });
    let Some((reasons, is_allowed)) = explained else {
        return layout::not_found();
    };
    let since = since(&viewer, &asked, &permission).await;
    let others = ["store.read", "store.write"]
        .into_iter()
        .filter(|other| *other != asked.permission);
    let content = html! {
        p { strong { (if is_allowed { "Yes" } else { "No" }) } ": " code { (permission.as_str()) } " in " (layout::place(resource)) }
        (reasons)
        (since)
        @if !asked.store.is_empty() {
            p { "And: " @for other in others { (layout::why_link(&asked.member, other, &asked.store, other)) " " } }
        }
    };
    layout::page(
        &viewer,
        &format!("Why {} may or may not", layout::shown(&asked.member)),
        &content,
    )
    .into_response()
}

/// The ways that lead there, or what would.
fn reasons(viewer: &Viewer, account: &Account, explanation: &Explanation) -> Markup {
    match &explanation.answer {
        Verdict::Allowed { paths, more } => html! {
            ul {
                @for path in paths {
                    li {
                        @match &path.via {
                            AccessSource::Ownership => { "as an account owner" }
                            AccessSource::Group { group, group_name, role_name, .. } => {
                                "by the group " (layout::group_link(group, group_name))
                                ", which carries " (role_name.as_str())
                            }
                        }
                        @if path.is_only_way { strong { " — the only way" } }
                    }
                }
            }
            @if *more > 0 { p { "And " (more) " more ways." } }
        },
        Verdict::Denied { advice, .. } => {
            let remedies: &[Remedy] = match advice {
                Advice::AnyOf { remedies, .. } => remedies,
                _ => &[],
            };
            let text = explanation.to_string();
            let sentences = text.lines().filter(|line| !line.starts_with("- "));
            html! {
                @for sentence in sentences { p { (sentence) } }
                ul {
                    @for remedy in remedies.iter().take(10) {
                        li {
                            (remedy_button(viewer, explanation, remedy))
                            @if let Err(error) = remedy.may_be_issued_by(account, &viewer.actor(), viewer.now) {
                                " " span.reason { "You can't: " (error.to_string()) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What would allow it: a button, or a link to the page where it is done.
fn remedy_button(viewer: &Viewer, explanation: &Explanation, remedy: &Remedy) -> Markup {
    let label = explanation.describe(remedy);
    let page = match &remedy.step {
        RemedyKind::AddToGroup { group } => {
            return html! {
                form method="post" action={ "/groups/" (path_segment(group)) "/members" } {
                    (layout::hidden(viewer))
                    input type="hidden" name="add" value=(explanation.member);
                    button { (label) }
                }
            };
        }
        RemedyKind::GrantRole { group, .. } => format!("/groups/{}", path_segment(group)),
        RemedyKind::ExtendRole { .. } => "/roles".to_owned(),
        RemedyKind::CreateStore => "/stores".to_owned(),
        _ => format!("/members/{}", path_segment(&explanation.member)),
    };
    html! { a href=(page) { (label) } }
}

/// In which stretches of time it was so, and who began and ended them.
async fn since(viewer: &Viewer, asked: &Question, permission: &Permission) -> Markup {
    let (member, permission) = (asked.member.clone(), permission.clone());
    let store = asked.store.clone();
    let read = with_records(viewer, 0, u64::MAX, move |all| {
        let place = resource_of(&store);
        history::access(all, None, &member, &permission, place).ok()
    });
    let Ok(Some(intervals)) = read.await else {
        return html! {};
    };
    let end = |record: &Record| html! { (layout::time(record.at())) " by " (actor(record)) };
    html! {
        @if !intervals.is_empty() {
            h2 { "Since when" }
            ul {
                @for interval in &intervals {
                    li {
                        "from " @if let Some(began) = &interval.began { (end(began)) } @else { "the beginning" }
                        @match &interval.ended { Some(ended) => { " until " (end(ended)) } None => { " until now" } }
                    }
                }
            }
        }
    }
}

/// The page to review who has access. It has styles and a script of its own, which its own policy allows.
pub(crate) async fn review(viewer: Viewer) -> Response {
    let page = viewer.account.with(|account| {
        viewer
            .sees_all(account)
            .then(|| account.to_html("Who has access", viewer.now))
    });
    let policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'; \
                  base-uri 'none'; form-action 'none'";
    page.map_or_else(layout::not_found, |page| {
        ([("content-security-policy", policy)], Html(page)).into_response()
    })
}

//! Who may do what where, and why.

use axum::extract::Query;
use axum::response::{Html, IntoResponse, Response};
use grantbook::history;
use grantbook::{
    AccessSource, Account, Advice, Command, Explanation, Permission, Record, Remedy, Resource,
    Verdict,
};
use grantbook_axum::path_segment;
use maud::{Markup, html};
use serde::Deserialize;

use crate::change::{Intent, submit};
use crate::form::Wrong;
use crate::layout;
use crate::pages::guarded;
use crate::pages::history::{actor, with_records};
use crate::session::{PostedByManager, Viewer};

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
        // What would allow it, and why not, is about stores and groups that a plain member may not see.
        Verdict::Denied { .. } if !viewer.sees_all(account) => html! {
            p { "Nothing that you are in gives this here. An account owner or a group manager can say more." }
        },
        Verdict::Denied { .. } => {
            let text = explanation.to_string();
            let sentences = text.lines().filter(|line| !line.starts_with("- "));
            html! {
                @for sentence in sentences { p { (sentence) } }
                ul {
                    @for remedy in offered(explanation).iter().take(10) {
                        li { (remedy_button(viewer, account, explanation, remedy)) }
                    }
                }
            }
        }
    }
}

/// What would allow it: a button, with the reason where the viewer may not press it.
fn remedy_button(
    viewer: &Viewer,
    account: &Account,
    explanation: &Explanation,
    remedy: &Remedy,
) -> Markup {
    let label = explanation.describe(remedy);
    if let Err(error) = remedy.may_be_issued_by(account, &viewer.actor(), viewer.now) {
        return layout::cannot(&label, &error.to_string());
    }
    html! {
        form method="post" action="/why" {
            (layout::hidden(viewer))
            input type="hidden" name="member" value=(explanation.member);
            input type="hidden" name="permission" value=(explanation.permission);
            @if let Resource::Store(store) = &explanation.resource {
                input type="hidden" name="store" value=(store);
            }
            input type="hidden" name="command" value=(as_text(&remedy.command));
            button { (label) }
        }
    }
}

/// Commands can be written.
fn as_text(command: &Command) -> String {
    serde_json::to_string(command).unwrap_or_default()
}

/// Does what an explanation advised, if it still does, and shows the explanation again.
pub(crate) async fn remedy(PostedByManager(posted): PostedByManager) -> Response {
    let fields = &posted.fields;
    let (member, store) = (fields.get("member"), fields.get("store"));
    let Ok(permission) = fields.get("permission").parse::<Permission>() else {
        return layout::not_found();
    };
    let command = posted.viewer.account.with(|account| {
        let now = posted.viewer.now;
        let explanation = account.explain(member, &permission, resource_of(store), now);
        let offered = offered(&explanation).iter();
        let mut commands = offered.map(|remedy| remedy.command.clone());
        commands.find(|command| as_text(command) == fields.get("command"))
    });
    let [asked_member, asked_permission, asked_store] =
        [member, &permission, store].map(path_segment);
    let why =
        format!("/why?member={asked_member}&permission={asked_permission}&store={asked_store}");
    let none = || Wrong::one("", &"this would not allow it any more; see what does");
    let intent = command.ok_or_else(none);
    let intent = intent.map(|command| Intent::new("Allow it", vec![command], why.clone()));
    submit(posted, why.clone(), intent, |posted, _, wrong| {
        let content = html! {
            (layout::summary(wrong))
            p { a href=(why) { "Why, as it is now" } }
        };
        layout::page(&posted.viewer, "Allow it", &content)
    })
    .await
}

/// The commands each of which would allow it.
fn offered(explanation: &Explanation) -> &[Remedy] {
    match &explanation.answer {
        Verdict::Denied {
            advice: Advice::AnyOf { remedies, .. },
            ..
        } => remedies,
        _ => &[],
    }
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
    let by = |record: &Record| html! { " by " (actor(record)) };
    let end = |record: &Record| {
        html! { (layout::time(record.at())) @if viewer.is_shown_all { (by(record)) } }
    };
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

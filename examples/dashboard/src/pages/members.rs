//! Members: the list, an invitation, and one member with what it may do.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use grantbook::command::InviteMember;
use grantbook::{Account, Command, MatrixStatus, MemberId, MemberStatus, Resource};
use grantbook_axum::path_segment;
use maud::{Markup, html};
use serde::Deserialize;

use crate::change::{Intent, submit};
use crate::form::{Fields, Wrong, end_of_day, id};
use crate::layout;
use crate::pages::guarded;
use crate::session::{Posted, PostedByManager, Viewer};

const PAGE: usize = 100;

#[derive(Default, Deserialize)]
pub(crate) struct After {
    #[serde(default)]
    after: String,
}

fn path_of(member: &str) -> String {
    format!("/members/{}", path_segment(member))
}

pub(crate) async fn list(viewer: Viewer, Query(After { after }): Query<After>) -> Response {
    guarded(&viewer, |account| {
        Some(list_page(&viewer, account, &after, None, &Wrong::default()))
    })
}

fn list_page(
    viewer: &Viewer,
    account: &Account,
    after: &str,
    sent: Option<&Fields>,
    wrong: &Wrong,
) -> Markup {
    let value = |name| sent.map_or("", |sent| sent.get(name));
    let after = Some(after).filter(|after| !after.is_empty());
    let mut members = account.members_after(after);
    let shown: Vec<_> = members.by_ref().take(PAGE).collect();
    let next = members
        .next()
        .and(shown.last())
        .map(|member| member.id().to_string());
    let content = html! {
        (layout::summary(wrong))
        p { (account.member_count()) " people." }
        table {
            (layout::columns(&["Member", "Status", "Groups"]))
            tbody {
                @for member in &shown {
                    tr {
                        th scope="row" { (layout::member_link(member.id())) }
                        td { (status(member.status(), viewer)) }
                        td {
                            @let groups: Vec<String> = member.groups().map(|group| named(account, group)).collect();
                            (groups.join(", "))
                        }
                    }
                }
            }
        }
        @if let Some(next) = &next { p { a href={ "/members?after=" (path_segment(next)) } { "More members" } } }
        section {
            h2 { "Invite somebody" }
            form method="post" action="/members" hx-morph-skip {
                (layout::hidden(viewer))
                (layout::text_field("Who", "member", value("member"), "An id of your directory, or an address", wrong))
                div.field {
                    label for="until" { "Until" }
                    span.hint id="until-hint" { "Optional: the last day on which it can be accepted (UTC)" }
                    @if let Some(problem) = wrong.of("until") { span.problem { (problem) } }
                    input type="date" id="until" name="until" aria-describedby="until-hint" value=(value("until"));
                }
                label.tick {
                    input type="checkbox" name="owner" value="yes" checked[value("owner") == "yes"];
                    " As an account owner. Owners may do everything, and appoint and dismiss owners."
                }
                p { button { "Invite" } }
            }
        }
    };
    layout::page(viewer, "Members", &content)
}

fn named(account: &Account, group: &str) -> String {
    account
        .group(group)
        .map_or_else(|| layout::shown(group), |group| group.name().to_string())
}

/// In words, with what has become of an invitation.
fn status(status: MemberStatus, viewer: &Viewer) -> Markup {
    let expiry = status.expiry();
    html! {
        (MatrixStatus::from(status).to_string())
        @if let Some(expiry) = expiry {
            @if expiry <= viewer.now { strong { " (expired)" } } @else { " until " (layout::time(expiry)) }
        }
    }
}

pub(crate) async fn invite(PostedByManager(posted): PostedByManager) -> Response {
    let mut wrong = Wrong::default();
    let fields = &posted.fields;
    let member = id::<MemberId>(fields, "member");
    let member = member.map_err(|found| wrong.0.extend(found.0)).ok();
    let until = Some(fields.get("until")).filter(|until| !until.is_empty());
    let expires = until.map(end_of_day);
    if expires == Some(None) {
        wrong
            .0
            .push(("until", "give a day, such as 2027-01-31".to_owned()));
    }
    let intent = match member {
        Some(member) if wrong.0.is_empty() => {
            let done = path_of(&member);
            let invite = InviteMember {
                member,
                as_owner: fields.has("owner", "yes"),
                expires: expires.flatten(),
            };
            Ok(Intent::new("Invite", vec![invite.into()], done))
        }
        _ => Err(wrong),
    };
    submit(
        posted,
        "/members".to_owned(),
        intent,
        |posted, account, wrong| {
            list_page(&posted.viewer, account, "", Some(&posted.fields), wrong)
        },
    )
    .await
}

/// What can be done with a member: the word of the button, and the command. Each has its reason where it can't.
fn actions(member: &MemberId, viewer: &Viewer) -> Vec<(&'static str, Command)> {
    if *member == viewer.member {
        return vec![
            ("Accept the invitation", Command::accept_invitation()),
            ("Leave the account", Command::leave_account()),
        ];
    }
    vec![
        ("Cancel the invitation", Command::cancel_invitation(member)),
        ("Suspend", Command::suspend_member(member)),
        ("Reinstate", Command::reinstate_member(member)),
        ("Remove from the account", Command::remove_members([member])),
        ("Make an account owner", Command::grant_ownership(member)),
        ("Take ownership away", Command::revoke_ownership(member)),
    ]
}

/// Everybody may see themselves; others, those who manage groups.
pub(crate) async fn show(viewer: Viewer, Path(member): Path<String>) -> Response {
    let page = viewer
        .account
        .with(|account| page(&viewer, account, &member, &Wrong::default()));
    page.map_or_else(layout::not_found, IntoResponse::into_response)
}

fn page(viewer: &Viewer, account: &Account, member: &str, wrong: &Wrong) -> Option<Markup> {
    let is_self = viewer.member.as_str() == member;
    let member = account
        .member(member)
        .filter(|_| is_self || viewer.sees_all(account))?;
    let effective = account.effective(member.id());
    let is_owner = member.status() == MemberStatus::Active { owner: true };
    let groups: Vec<_> = member.groups().collect();
    let at_account: Vec<_> = match account.permissions_on(member.id(), Resource::Account) {
        Ok(grantbook::Permissions::Only(permissions)) => permissions.into_iter().collect(),
        Ok(grantbook::Permissions::All) | Err(_) => Vec::new(),
    };
    let content = html! {
        (layout::summary(wrong))
        p { (status(member.status(), viewer)) }
        @if is_self && groups.is_empty() && !is_owner {
            p.notice {
                "Welcome. You are in no group yet, so there is nothing here for you to do. An account owner or a "
                "group manager can add you to one."
            }
        }
        section {
            h2 { "Groups" }
            ul {
                @for group in &groups {
                    @let name = named(account, group);
                    li { @if viewer.sees_all(account) { (layout::group_link(group, &name)) } @else { (name) } }
                }
            }
            @if groups.is_empty() { p { "None." } }
        }
        section {
            h2 { "What " (layout::shown(member.id())) " may do" }
            @if is_owner { p { "Everything, as an account owner." } }
            @for permission in &at_account {
                p { (layout::why_link(member.id(), permission, "", permission)) " at the account" }
            }
            table {
                (layout::columns(&["Store", "Level"]))
                tbody {
                    @for (store, there) in effective.stores().take(500) {
                        tr {
                            th scope="row" { (layout::shown(store)) }
                            td { (layout::why_link(member.id(), "store.read", store, &there.level().to_string())) }
                        }
                    }
                }
            }
            @if effective.stores().next().is_none() { p { "No store." } }
        }
        section {
            h2 { "Change" }
            form.actions method="post" action=(path_of(member.id())) {
                (layout::hidden(viewer))
                @for (number, (label, command)) in actions(member.id(), viewer).iter().enumerate() {
                    @match account.decide(&viewer.actor(), command, viewer.now) {
                        // It would change nothing.
                        Ok(None) => {}
                        Ok(Some(_)) => { p { button name="action" value=(number) { (label) } } }
                        Err(error) => {
                            p { (layout::cannot(label, &error.to_string())) }
                        }
                    }
                }
            }
        }
    };
    Some(layout::page(viewer, &layout::shown(member.id()), &content))
}

pub(crate) async fn change(Path(member): Path<String>, posted: Posted) -> Response {
    let viewer = &posted.viewer;
    if viewer.member.as_str() != member && !viewer.is_shown_all {
        return layout::not_found();
    }
    let number = posted.fields.get("action").parse::<usize>();
    let command = member.parse::<MemberId>().ok().and_then(|member| {
        actions(&member, &posted.viewer)
            .into_iter()
            .nth(number.ok()?)
    });
    let Some((label, command)) = command else {
        return layout::not_found();
    };
    let leaves = matches!(
        command,
        Command::LeaveAccount(_) | Command::RemoveMembers(_) | Command::CancelInvitation(_)
    );
    let done = if leaves {
        "/members".to_owned()
    } else {
        path_of(&member)
    };
    let intent = Intent::new(label, vec![command], done);
    submit(
        posted,
        path_of(&member),
        Ok(intent),
        |posted, account, wrong| {
            let page = page(&posted.viewer, account, &member, wrong);
            page.unwrap_or_else(|| layout::page(&posted.viewer, "Members", &layout::summary(wrong)))
        },
    )
    .await
}

//! From commands to a change: what it would do is shown before it is done.

use std::collections::BTreeSet;

use axum::response::{IntoResponse, Redirect, Response};
use grantbook::repository::{RepositoryError, Request};
use grantbook::{
    AccessDelta, Account, Command, CommandError, Digest, Event, MemberStatus, Permissions,
    Precondition, Preview, Record,
};
use maud::{Markup, html};

use crate::form::{Fields, Wrong};
use crate::layout;
use crate::pages::with_records;
use crate::session::{Posted, Viewer};

/// What somebody wants, and where to go when it is done.
pub(crate) struct Intent {
    commands: Vec<Command>,
    preconditions: Vec<Precondition>,
    /// What it is, for the page that asks: "Edit a group".
    title: String,
    done: String,
}

impl Intent {
    pub(crate) fn new(title: &str, commands: Vec<Command>, done: String) -> Self {
        Self {
            commands,
            preconditions: Vec::new(),
            title: title.to_owned(),
            done,
        }
    }

    pub(crate) fn if_unchanged(mut self, precondition: Precondition) -> Self {
        self.preconditions.push(precondition);
        self
    }
}

/// Previews and executes. What gives somebody more is asked about first, with the names of those who gain; what takes
/// away is done at once. `page` shows the form again, with what is wrong.
pub(crate) async fn submit(
    mut posted: Posted,
    path: String,
    intent: Result<Intent, Wrong>,
    page: impl FnOnce(&Posted, &Account, &Wrong) -> Markup,
) -> Response {
    let again = |posted: &Posted, wrong: &Wrong| {
        let viewer = &posted.viewer;
        let page = viewer.account.with(|account| {
            // Whoever saw all when the form came may have lost that since.
            let may_see = viewer.sees_all(account) || !viewer.is_shown_all;
            may_see.then(|| page(posted, account, wrong))
        });
        page.map_or_else(layout::not_found, layout::form_again)
    };
    let intent = match intent {
        Ok(intent) => intent,
        Err(wrong) if posted.fields.get("step") == "preview" => {
            return layout::fragment(&wrong_list(&wrong));
        }
        Err(wrong) => return again(&posted, &wrong),
    };
    let request = match request(&posted, &intent) {
        Ok(request) => request,
        Err(wrong) => return again(&posted, &wrong),
    };
    // Read first: if the account changes before the preview, what is confirmed is asked about again.
    let digest = posted.viewer.account.with(|account| *account.digest());
    let previewed = posted.viewer.account.preview(request.clone());
    if posted.fields.get("step") == "preview" {
        return layout::fragment(&match previewed {
            Ok((preview, _)) => effect(&preview.delta),
            Err(error) => wrong_list(&wrong_of(&error)),
        });
    }
    // What is refused now may have been done already, by the same form: the execution finds that out.
    if let Ok((preview, _)) = previewed
        && widens(&posted, &preview.delta)
        && posted.fields.get("confirmed") != digest.to_string()
    {
        return confirm(&posted, &path, &intent.title, &preview, &digest);
    }
    let account = posted.viewer.account.clone();
    let done = tokio::task::spawn_blocking(move || account.execute(&request)).await;
    match done {
        Ok(Ok(done)) => {
            let viewer = &posted.viewer;
            let sees_all = viewer.account.with(|account| viewer.sees_all(account));
            let mut place = if sees_all || !viewer.is_shown_all {
                intent.done
            } else {
                "/".to_owned()
            };
            if let Some(first) = done.records().first() {
                let separator = if place.contains('?') { '&' } else { '?' };
                place = format!("{place}{separator}saved={}", first.version());
            }
            Redirect::to(&place).into_response()
        }
        Ok(Err(RepositoryError::Refused(error))) => {
            posted.meanwhile = meanwhile(&posted.viewer, &intent.preconditions).await;
            again(&posted, &wrong_of(&error))
        }
        Ok(Err(RepositoryError::IdempotencyKeyReused { .. })) => {
            let sentence = "this form was sent before, with something else in it; look at it again";
            again(&posted, &Wrong::one("", &sentence))
        }
        Ok(Err(error)) => layout::failed(&error.to_string()),
        Err(error) => layout::failed(&error.to_string()),
    }
}

/// What others have done to the groups that somebody looked at, since then.
async fn meanwhile(viewer: &Viewer, looked_at: &[Precondition]) -> Vec<Record> {
    let mut done = Vec::new();
    for precondition in looked_at {
        let (revision, precondition) = match precondition {
            Precondition::GroupDefinition { revision, .. }
            | Precondition::GroupMembership { revision, .. } => (*revision, precondition.clone()),
            _ => continue,
        };
        let read = with_records(viewer, revision, u64::MAX, move |mut records| {
            records.retain(|record| concerns(record.event(), &precondition));
            records
        });
        done.extend(read.await.unwrap_or_default());
    }
    done
}

/// Whether an event changes what was looked at.
fn concerns(event: &Event, looked_at: &Precondition) -> bool {
    match looked_at {
        Precondition::GroupDefinition { group, .. } => match event {
            Event::GroupEdited(event) => event.group == *group,
            Event::RoleGranted(event) => event.group == *group,
            Event::RoleRevoked(event) => event.group == *group,
            Event::StoreDeleted(_) => true,
            _ => false,
        },
        Precondition::GroupMembership { group, .. } => match event {
            Event::AddedToGroup(event) => event.group == *group,
            Event::RemovedFromGroup(event) => event.group == *group,
            Event::GroupMembersSet(event) => event.group == *group,
            Event::MembersRemoved(_) | Event::MemberLeft(_) => true,
            _ => false,
        },
        _ => false,
    }
}

/// Whether it gives anybody anything who does not hold everything already, as owners do.
fn widens(posted: &Posted, delta: &AccessDelta) -> bool {
    let is_owner = |member: &str| {
        posted.viewer.account.with(|account| {
            let member = account.member(member);
            member.is_some_and(|member| member.status() == MemberStatus::Active { owner: true })
        })
    };
    delta.who_gained().any(|member| !is_owner(member))
}

fn request(posted: &Posted, intent: &Intent) -> Result<Request, Wrong> {
    // Nobody can guess the key of another's form.
    let key = posted.fields.get("key").parse();
    let key =
        key.map_err(|_| Wrong::one("", &"load the page again, and send the form from there"))?;
    let request = Request::by(posted.viewer.actor(), key, posted.viewer.now);
    let request = request.commands(intent.commands.clone());
    let confirmed = posted.fields.get("confirmed").parse().ok();
    let confirmed = confirmed.map(|digest| Precondition::Account { digest });
    let preconditions = intent.preconditions.iter().cloned().chain(confirmed);
    let request = preconditions.fold(request, Request::if_unchanged);
    match posted.fields.get("note").trim() {
        "" => Ok(request),
        note => match note.parse() {
            Ok(note) => Ok(request.note(note)),
            Err(error) => Err(Wrong::one("note", &error)),
        },
    }
}

/// Says what a change refused for, beside the field that it is about.
fn wrong_of(error: &CommandError) -> Wrong {
    let field = match error.code() {
        "group-name-taken" | "role-name-taken" => "name",
        "empty-scope" | "last-grant" | "no-grants" | "scope-mismatch" | "self-escalation" => {
            "grant"
        }
        "already-invited" | "already-member" | "self-addition" | "unknown-member" => "member",
        "expiry-passed" => "until",
        "store-exists" => "store",
        "built-in-role" | "ownership-name" | "role-exists" => "role",
        "no-permissions" | "reserved-permission" | "store-permission" => "permissions",
        _ => "",
    };
    Wrong::one(field, &error)
}

pub(crate) fn wrong_list(wrong: &Wrong) -> Markup {
    html! {
        ul.wrong { @for (_, sentence) in &wrong.0 { li { (sentence) } } }
    }
}

/// So many lines are shown of what people gain, and as many of what they lose.
const LINES: usize = 200;

/// Who gains and loses what, in sentences: first what is gained.
pub(crate) fn effect(delta: &AccessDelta) -> Markup {
    let (mut gains, mut losses) = (Vec::new(), Vec::new());
    for block in delta.blocks() {
        let (gained, lost) = differences(&block.before, &block.after);
        for (lines, what) in [(&mut gains, gained), (&mut losses, lost)] {
            if !what.is_empty() {
                lines.push((block.members.clone(), what, block.resources.clone()));
            }
        }
    }
    html! {
        @if gains.is_empty() && losses.is_empty() { p { "Nobody gains or loses anything." } }
        @for (lines, class, sign, verb) in [(&gains, "gain", "+", "gain"), (&losses, "loss", "−", "lose")] {
            @if !lines.is_empty() {
                ul.effect {
                    @for (members, what, places) in lines.iter().take(LINES) {
                        @let who = listed(members, |id| layout::shown(id));
                        @let places = listed(places, |place| layout::place(place.as_deref()));
                        @let s = if members.len() == 1 { "s" } else { "" };
                        li class=(class) {
                            strong { (sign) " " (who) } " " (verb) (s) " " (listed(what, ToString::to_string)) " in " (places)
                        }
                    }
                    @if lines.len() > LINES {
                        @let others: BTreeSet<_> = lines.iter().skip(LINES).flat_map(|(members, ..)| members).collect();
                        li class=(class) { "And " (lines.len() - LINES) " lines more, about " (others.len()) " people." }
                    }
                }
            }
        }
    }
}

/// The first few of many, in words.
fn listed<T>(all: &[T], say: impl Fn(&T) -> String) -> String {
    let said: Vec<String> = all.iter().take(8).map(say).collect();
    match all.len() - said.len() {
        0 => said.join(", "),
        more => format!("{} and {more} more", said.join(", ")),
    }
}

/// The permissions that come and those that go.
fn differences(before: &Permissions, after: &Permissions) -> (Vec<String>, Vec<String>) {
    let beyond = |one: &Permissions, other: &Permissions| match one {
        Permissions::All if matches!(other, Permissions::All) => Vec::new(),
        Permissions::All => vec!["everything".to_owned()],
        Permissions::Only(held) => {
            let new = held.iter().filter(|permission| !other.allows(permission));
            new.map(ToString::to_string).collect()
        }
    };
    (beyond(after, before), beyond(before, after))
}

/// Asks about what gives somebody more.
fn confirm(
    posted: &Posted,
    path: &str,
    title: &str,
    preview: &Preview,
    digest: &Digest,
) -> Response {
    let fields: &Fields = &posted.fields.with("confirmed", digest.to_string());
    let body = html! {
        p { "This gives people access that they do not have. Read it, and confirm." }
        (effect(&preview.delta))
        form method="post" action=(path) {
            @for (name, value) in &fields.0 {
                input type="hidden" name=(name) value=(value);
            }
            button autofocus { "Confirm" }
            " " a href=(path) { "Go back" }
        }
    };
    layout::page(&posted.viewer, title, &body).into_response()
}

//! From commands to a change: what it would do is shown before it is done.

use axum::response::{IntoResponse, Redirect, Response};
use grantbook::repository::{RepositoryError, Request};
use grantbook::{
    AccessDelta, Account, Command, CommandError, Digest, MemberStatus, ParseError, Permissions,
    Precondition, Preview,
};
use maud::{Markup, html};

use crate::form::{Fields, Wrong};
use crate::layout;
use crate::session::Posted;

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
    posted: Posted,
    path: String,
    intent: Result<Intent, Wrong>,
    page: impl FnOnce(&Posted, &Account, &Wrong) -> Markup,
) -> Response {
    let again = |posted: &Posted, wrong: &Wrong| {
        let account = &posted.viewer.account;
        layout::form_again(account.with(|account| page(posted, account, wrong)))
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
        Err(error) => return again(&posted, &Wrong::one("note", &error)),
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
        Ok(Ok(_)) => Redirect::to(&intent.done).into_response(),
        Ok(Err(RepositoryError::Refused(error))) => again(&posted, &wrong_of(&error)),
        Ok(Err(RepositoryError::IdempotencyKeyReused { .. })) => {
            let sentence = "this form was sent before, with something else in it; look at it again";
            again(&posted, &Wrong::one("", &sentence))
        }
        Ok(Err(error)) => layout::failed(&error.to_string()),
        Err(error) => layout::failed(&error.to_string()),
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

fn request(posted: &Posted, intent: &Intent) -> Result<Request, ParseError> {
    // Two members' forms may have the same key: theirs are others.
    let member = &posted.viewer.member;
    let key = format!("{}:{member}:{}", member.len(), posted.fields.get("key"));
    // A key that is none is one that nobody sends again.
    let key = key.parse().unwrap_or_else(|_| layout::new_key());
    let request = Request::by(posted.viewer.actor(), key, posted.viewer.now);
    let request = request.commands(intent.commands.clone());
    let confirmed = posted.fields.get("confirmed").parse().ok();
    let confirmed = confirmed.map(|digest| Precondition::Account { digest });
    let preconditions = intent.preconditions.iter().cloned().chain(confirmed);
    let request = preconditions.fold(request, Request::if_unchanged);
    Ok(match posted.fields.get("note").trim() {
        "" => request,
        note => request.note(note.parse()?),
    })
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

/// Who gains and loses what, in sentences.
pub(crate) fn effect(delta: &AccessDelta) -> Markup {
    html! {
        @if delta.is_empty() {
            p { "Nobody gains or loses anything." }
        } @else {
            ul.effect {
                @for block in delta.blocks().take(50) {
                    @let who = listed(&block.members, |id| layout::shown(id));
                    @let places = listed(&block.resources, |place| layout::place(place.as_deref()));
                    @let s = if block.members.len() == 1 { "s" } else { "" };
                    @let (gained, lost) = differences(&block.before, &block.after);
                    @if !gained.is_empty() {
                        li.gain { strong { "+ " (who) } " gain" (s) " " (listed(&gained, ToString::to_string)) " in " (places) }
                    }
                    @if !lost.is_empty() {
                        li.loss { strong { "− " (who) } " lose" (s) " " (listed(&lost, ToString::to_string)) " in " (places) }
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

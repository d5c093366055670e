//! A request that can be tried again, and whether records are its answer.

use std::mem;

use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::changes::Event;
use crate::account::changes::{GroupCreated, GroupEdited};
use crate::account::context::Context;
use crate::account::data::state::State;
use crate::account::record::Record;
use crate::grant::merge_grants;
use crate::id::{AccountId, IdempotencyKey};
use crate::note::Note;
use crate::time::Timestamp;

/// What somebody asks for: commands, to be accepted or refused as a whole (U4).
///
/// A request may be tried again, by any process, for as long as the repository knows its commit id: after an answer
/// that was lost, a process that stopped, a storage that failed. If it was kept, it is not kept again, and is answered
/// as it was the first time. If it was refused or changed nothing, nothing is remembered of it: tried again, it is
/// decided again, on what is there then.
///
/// So the id belongs to the request and to no other: a random one (a UUID) for each, or the key that a client sends
/// along, together with who it is. An id that two requests share is
/// [refused](super::ExecuteError::IdempotencyKeyReused) for the second, unless it leads to the very records of the first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Names this request, forever.
    pub commit: IdempotencyKey,
    /// Who asks, as the host has authenticated it.
    pub actor: Actor,
    /// What for.
    pub commands: Vec<Command>,
    /// When it was first made, by the host's clock. Tried again with a later time, it might be refused (an invitation
    /// that has ended by then) while the first attempt is still on its way.
    pub now: Timestamp,
    /// What the records are to note (U2). It is not part of what makes a request the same: tried again with another
    /// note, it keeps the first one.
    pub note: Option<Note>,
}

impl Request {
    /// When it is decided, and its note.
    pub(super) fn context(&self) -> Context {
        Context {
            now: self.now,
            note: self.note.clone(),
        }
    }

    /// How far these records, kept under this request's id, look like what came of it: by its actor, and one after
    /// another what its commands ask for.
    pub(super) fn likeness(&self, account: &AccountId, records: &[Record]) -> Likeness {
        let nothing = State::unopened(account.clone());
        let mut records = records.iter().peekable();
        let mut likeness = Likeness::Same;
        for command in &self.commands {
            let Some(asked) = event_asked_for(&nothing, &self.actor, command) else {
                return Likeness::Other;
            };
            let said = records
                .next_if(|record| record.actor == self.actor && may_come_of(&record.event, &asked));
            if said.is_none_or(|record| record.event != asked) {
                likeness = Likeness::Less;
            }
        }
        if records.next().is_some() {
            likeness = Likeness::Other;
        }
        likeness
    }

    /// Whether these records are what this request leads to on the account as it was before them.
    pub(super) fn leads_to(&self, records: &[Record], before: &Account) -> bool {
        records.first().is_some_and(|first| {
            let context = Context {
                now: first.at,
                note: first.note.clone(),
            };
            let decided = before.decide_batch(&self.actor, &self.commands, context);
            decided.is_ok_and(|decided| decided == records)
        })
    }
}

/// How records look beside a request.
pub(super) enum Likeness {
    /// They say all that it asks for.
    Same,
    /// They say less: some of what it asks for was so already, or it was asked for by another request.
    Less,
    /// They say something else.
    Other,
}

/// All that a command asks for, as an event: what comes of it where nothing of that is so yet. None that is always
/// refused.
fn event_asked_for(nothing: &State, actor: &Actor, command: &Command) -> Option<Event> {
    let mut event = command.to_event(nothing, actor).ok()?;
    if let Event::GroupCreated(GroupCreated { grants, .. })
    | Event::GroupEdited(GroupEdited {
        grants: Some(grants),
        ..
    }) = &mut event
    {
        *grants = merge_grants(mem::take(grants));
    }
    Some(event)
}

/// Whether this event may have come of a command that asked for that one: it is of the same kind. Whether it did, only the
/// account as it was before can tell, where it says less.
fn may_come_of(event: &Event, asked: &Event) -> bool {
    mem::discriminant(event) == mem::discriminant(asked)
}

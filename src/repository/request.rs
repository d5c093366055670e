//! A request that can be tried again, and whether records are its answer.

use crate::account::command::{Actor, Command};
use crate::account::event::{Event, Record};
use crate::account::state::State;
use crate::account::{Account, decide};
use crate::grant::united;
use crate::id::CommitId;
use crate::time::Timestamp;

/// What somebody asks for: commands, to be accepted or refused as a whole (U4).
///
/// A request may be tried again, by any process, for as long as the repository knows its commit id: after an answer
/// that was lost, a process that stopped, a storage that failed. It is kept once, and answered as it was the first
/// time. So the id belongs to the request and to no other: a random one (a UUID) for each, or the key that a client
/// sends along, together with who it is. An id that two requests share is
/// [refused](super::ExecuteError::CommitIdReused) for the second.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Names this request, for ever.
    pub commit: CommitId,
    /// Who asks, as the host has authenticated it.
    pub actor: Actor,
    /// What for.
    pub commands: Vec<Command>,
    /// When, by the host's clock.
    pub now: Timestamp,
}

impl Request {
    /// Whether these records, kept under this request's id, are what came of it. `account` is the account now.
    ///
    /// Each record must be what one of the commands led to, in their order. Of a command whose record says less than it
    /// asked for, or that has none, the rest must be so now: it was so when it was decided, and if it is not, the
    /// records are rather another request's. So whoever is told that a request was kept can rely on each of its
    /// commands.
    pub(super) fn is_answered_by(&self, records: &[Record], account: &Account) -> bool {
        let mut records = records.iter().peekable();
        let all_hold = self.commands.iter().all(|command| {
            let asked = self.event_asked_for(command, account);
            let said = records.next_if(|record| {
                let asked = asked.as_ref();
                record.actor == self.actor
                    && asked.is_some_and(|asked| may_come_of(&record.event, asked))
            });
            said.map(|record| &record.event) == asked.as_ref() && asked.is_some()
                || matches!(account.decide(&self.actor, command, self.now), Ok(None))
        });
        all_hold && records.next().is_none()
    }

    /// All that a command asks for, as an event: what came of it, if nothing of that was so already.
    fn event_asked_for(&self, command: &Command, account: &Account) -> Option<Event> {
        let nothing = State::unopened(account.id().clone());
        let mut event = decide::asked_for(&nothing, &self.actor, command).ok()?;
        if let Event::GroupCreated { grants, .. }
        | Event::GroupEdited {
            grants: Some(grants),
            ..
        } = &mut event
        {
            *grants = united(grants);
        }
        Some(event)
    }
}

/// Whether this event can have come of a command that asked for that one: it is the same, or says less.
fn may_come_of(event: &Event, asked: &Event) -> bool {
    match (event, asked) {
        (Event::MembersEnrolled { members: said }, Event::MembersEnrolled { members }) => {
            said.is_subset(members)
        }
        (
            Event::AddedToGroup {
                group: of,
                members: said,
            },
            Event::AddedToGroup { group, members },
        )
        | (
            Event::RemovedFromGroup {
                group: of,
                members: said,
            },
            Event::RemovedFromGroup { group, members },
        ) => of == group && said.is_subset(members),
        (
            Event::GroupEdited {
                group: of,
                name: new_name,
                description: new_description,
                grants: new_grants,
            },
            Event::GroupEdited {
                group,
                name,
                description,
                grants,
            },
        ) => {
            of == group
                && is_among(new_name.as_ref(), name.as_ref())
                && is_among(new_description.as_ref(), description.as_ref())
                && is_among(new_grants.as_ref(), grants.as_ref())
        }
        (
            Event::RoleChanged {
                role: of,
                name: new_name,
                permissions: new_permissions,
            },
            Event::RoleChanged {
                role,
                name,
                permissions,
            },
        ) => {
            of == role
                && is_among(new_name.as_ref(), name.as_ref())
                && is_among(new_permissions.as_ref(), permissions.as_ref())
        }
        _ => event == asked,
    }
}

/// What changed, if anything did, is what was asked for.
fn is_among<T: PartialEq>(changed: Option<&T>, asked: Option<&T>) -> bool {
    changed.is_none() || changed == asked
}

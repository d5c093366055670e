//! From commands to the changes and records that they lead to, or the error. Pure: no clock, no I/O, no randomness.

use crate::account::actor::Actor;
use crate::account::authority::authorize;
use crate::account::changes::{Command, Event};
use crate::account::command_error::CommandError;
use crate::account::commit_place::CommitPlace;
use crate::account::context::Context;
use crate::account::data::draft::{Draft, DraftBase};
use crate::account::data::state::State;
use crate::account::data::{AccountData, Header};
use crate::account::guardrails;
use crate::account::limits::MAX_BATCH;
use crate::account::precondition::Precondition;
use crate::account::record::{PlannedChange, Record};
use crate::id::GroupId;
use crate::time::Timestamp;

/// Decides a command, in the order of U3: authority, form, existence, guardrails, conflicts. `None`: everything already
/// is as asked (U1).
///
/// A draft is made for those alone whom the guardrails bind, of an event that is well formed and names what exists.
pub(crate) fn decide<D: DraftBase>(
    data: &D,
    actor: &Actor,
    command: &Command,
    now: Timestamp,
) -> Result<Option<PlannedChange>, CommandError> {
    let at = data.not_before(now);
    let event = requested_event(data, actor, command, at)?;
    if let Some(member) = guardrails::constrained_member(data, actor) {
        event.forbid(data, member, at)?;
        let mut draft = Draft::over(data);
        event.apply(&mut draft);
        guardrails::check_no_escalation(data, &draft, member, &event)?;
    }
    event.conflicts(data, at)?;
    let Some(event) = event.without_noops(data) else {
        return Ok(None);
    };
    let Some(version) = data.header().version.checked_add(1) else {
        return Err(CommandError::VersionsExhausted);
    };
    Ok(Some(PlannedChange { version, event }))
}

/// The event that a command asks for: its actor may issue it, it is well formed, and what it names exists.
fn requested_event<D: AccountData>(
    data: &D,
    actor: &Actor,
    command: &Command,
    at: Timestamp,
) -> Result<Event, CommandError> {
    authorize(data, actor, command)?;
    let event = command.to_event(data, actor)?;
    event.validate(at)?;
    event.exists(data)?;
    Ok(event)
}

/// Decides commands one after another, each on what those before it leave (U4): the draft that they lead to, and their
/// changes.
pub(crate) fn decide_batch<'a, D: DraftBase>(
    data: &'a D,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
) -> Result<(Draft<'a, D>, Vec<PlannedChange>), CommandError> {
    if commands.len() > MAX_BATCH {
        if let Some(first) = commands.first() {
            authorize(data, actor, first)?;
        }
        return Err(CommandError::BatchTooLarge {
            commands: commands.len(),
        });
    }
    let mut draft = Draft::over(data);
    let mut changes = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let refused = |error| match commands {
            [_] => error,
            _ => CommandError::InBatch {
                index,
                error: Box::new(error),
            },
        };
        if let Some(change) = decide(&draft, actor, command, now).map_err(refused)? {
            change.try_on(&mut draft);
            changes.push(change);
        }
    }
    Ok((draft, changes))
}

/// Checks that what a request was decided on is still as it was (U8).
pub(crate) fn check_precondition(
    state: &State,
    precondition: &Precondition,
) -> Result<(), CommandError> {
    let revisions = |group: &GroupId| Some(state.revisions(state.group(group)?));
    let found = match precondition {
        Precondition::Account { .. } => Some(state.header().version),
        Precondition::Role { role, .. } => state.role(role).map(|role| role.revision),
        Precondition::GroupDefinition { group, .. } => {
            revisions(group).map(|found| found.definition)
        }
        Precondition::GroupMembership { group, .. } => {
            revisions(group).map(|found| found.membership)
        }
    };
    let holds = match precondition {
        Precondition::Account { digest } => *digest == state.header().digest,
        Precondition::Role { revision, .. }
        | Precondition::GroupDefinition { revision, .. }
        | Precondition::GroupMembership { revision, .. } => found == Some(*revision),
    };
    if holds {
        return Ok(());
    }
    Err(CommandError::PreconditionFailed {
        precondition: precondition.clone(),
        found,
    })
}

/// The records of changes that were decided together on an account with this header, each chained to the one before it.
pub(crate) fn chain(
    header: &Header,
    actor: &Actor,
    context: &Context,
    changes: impl ExactSizeIterator<Item = PlannedChange>,
) -> impl Iterator<Item = Record> {
    let places = CommitPlace::all(changes.len());
    let mut before = header.digest;
    places.zip(changes).map(move |(commit, change)| {
        let record = Record {
            account: header.id.clone(),
            version: change.version,
            at: header.at.max(context.now),
            commit,
            actor: actor.clone(),
            note: context.note.clone(),
            event: change.event,
            digest: before,
        };
        before = record.digest_after(before);
        Record {
            digest: before,
            ..record
        }
    })
}

//! From a command to the record that it leads to, or the error. Pure: no clock, no I/O, no randomness.

use crate::account::actor::Actor;
use crate::account::authority::authorize;
use crate::account::changes::{Command, Event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::draft::{Draft, DraftBase};
use crate::account::guardrails;
use crate::account::limits::MAX_BATCH;
use crate::account::record::Record;
use crate::account::replay;
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
) -> Result<Option<Record>, CommandError> {
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
    let header = data.header();
    let Some(version) = header.version.checked_add(1) else {
        return Err(CommandError::VersionsExhausted);
    };
    Ok(Some(Record {
        account: header.id.clone(),
        version,
        at,
        actor: actor.clone(),
        event,
    }))
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
/// records.
pub(crate) fn decide_batch<'a, D: DraftBase>(
    data: &'a D,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
) -> Result<(Draft<'a, D>, Vec<Record>), CommandError> {
    if commands.len() > MAX_BATCH {
        if let Some(first) = commands.first() {
            authorize(data, actor, first)?;
        }
        return Err(CommandError::BatchTooLarge {
            commands: commands.len(),
        });
    }
    let mut draft = Draft::over(data);
    let mut records = Vec::new();
    for (index, command) in commands.iter().enumerate() {
        let refused = |error| match commands {
            [_] => error,
            _ => CommandError::InBatch {
                index,
                error: Box::new(error),
            },
        };
        if let Some(record) = decide(&draft, actor, command, now).map_err(refused)? {
            replay::apply(&mut draft, &record);
            records.push(record);
        }
    }
    Ok((draft, records))
}

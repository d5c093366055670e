//! Applying a record: the only way in which an account changes.

use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::record::Record;
use crate::id::AccountId;
use crate::time::Timestamp;

/// Why a record could not be replayed. Nothing of it was applied, and nothing is ever skipped: a skipped revocation
/// would let someone keep access (U5).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no record, so there is no account.
    #[error("there are no records; an account begins with the record that opens it")]
    NoRecords,
    /// The record belongs to another account (A4).
    #[error("record {version} belongs to account `{found}`, not to `{expected}`")]
    WrongAccount {
        /// The account that was being replayed.
        expected: AccountId,
        /// The record's.
        found: AccountId,
        /// The record's version.
        version: u64,
    },
    /// Records are missing before this one.
    #[error("record {found} came where record {expected} was due; load the records between")]
    Gap {
        /// The version that was due.
        expected: u64,
        /// The record's.
        found: u64,
    },
    /// The record, or another one of its version, has been applied already.
    #[error("record {found} came again where record {expected} was due")]
    Repeat {
        /// The version that was due.
        expected: u64,
        /// The record's.
        found: u64,
    },
    /// The record is older than the one before it (U2).
    #[error("record {version} is dated {}, before the record it follows ({})", found.as_millis(), last.as_millis())]
    TimeRunsBackwards {
        /// The record's version.
        version: u64,
        /// The time of the record before.
        last: Timestamp,
        /// The record's.
        found: Timestamp,
    },
    /// An account opens once, with its first record (A1, U2).
    #[error("record {version} is out of place: an account opens once, with record 1")]
    Opening {
        /// The record's version.
        version: u64,
    },
    /// The actor cannot have caused such an event: only the invited person accepts an invitation, and only the
    /// application itself opens an account and adds people (M3, M7).
    #[error("record {version} cannot have been caused by its actor ({actor})")]
    WrongActor {
        /// The record's version.
        version: u64,
        /// The record's actor.
        actor: Actor,
    },
    /// The event breaks a rule in this state, so no command can have caused it.
    #[error("record {version} does not fit the account: {reason}")]
    DoesNotFit {
        /// The record's version.
        version: u64,
        /// The rule.
        reason: CommandError,
    },
    /// The event says what is so already, or grants a role twice: no command leaves such an event (U1, G4).
    #[error("record {version} says what is so already, or grants a role twice")]
    Redundant {
        /// The record's version.
        version: u64,
    },
}

impl ReplayError {
    /// A stable code: `no-records`, `wrong-account`, `gap`, `repeat`, `time-runs-backwards`, `opening`,
    /// `wrong-actor`, `does-not-fit` or `redundant`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReplayError::NoRecords => "no-records",
            ReplayError::WrongAccount { .. } => "wrong-account",
            ReplayError::Gap { .. } => "gap",
            ReplayError::Repeat { .. } => "repeat",
            ReplayError::TimeRunsBackwards { .. } => "time-runs-backwards",
            ReplayError::Opening { .. } => "opening",
            ReplayError::WrongActor { .. } => "wrong-actor",
            ReplayError::DoesNotFit { .. } => "does-not-fit",
            ReplayError::Redundant { .. } => "redundant",
        }
    }
}

/// Applies a stored record, if it is the next one and fits; otherwise changes nothing.
pub(crate) fn apply_checked<D: AccountData>(
    data: &mut D,
    record: &Record,
) -> Result<(), ReplayError> {
    validate(data, record)?;
    apply(data, record);
    Ok(())
}

/// Whether a record is the next one, can have been caused by its actor, and fits (U5).
pub(crate) fn validate<D: AccountData>(data: &D, record: &Record) -> Result<(), ReplayError> {
    ensure_next(data, record)?;
    let version = record.version;
    let event = &record.event;
    if data.header().is_closed {
        let reason = CommandError::AccountClosed;
        return Err(ReplayError::DoesNotFit { version, reason });
    }
    if matches!(event, Event::AccountOpened(_)) != (version == 1) {
        return Err(ReplayError::Opening { version });
    }
    if !event.can_be_caused_by(&record.actor) {
        return Err(ReplayError::WrongActor {
            version,
            actor: record.actor.clone(),
        });
    }
    event
        .validate(record.at)
        .and_then(|()| event.exists(data))
        .and_then(|()| event.conflicts(data, record.at))
        .map_err(|reason| ReplayError::DoesNotFit { version, reason })?;
    if event.has_no_noops(data) {
        Ok(())
    } else {
        Err(ReplayError::Redundant { version })
    }
}

fn ensure_next<D: AccountData>(data: &D, record: &Record) -> Result<(), ReplayError> {
    let header = data.header();
    let version = record.version;
    if record.account != header.id {
        return Err(ReplayError::WrongAccount {
            expected: header.id.clone(),
            found: record.account.clone(),
            version,
        });
    }
    let expected = header.version.saturating_add(1);
    if version <= header.version {
        return Err(ReplayError::Repeat {
            expected,
            found: version,
        });
    }
    if version > expected {
        return Err(ReplayError::Gap {
            expected,
            found: version,
        });
    }
    if record.at < header.at {
        return Err(ReplayError::TimeRunsBackwards {
            version,
            last: header.at,
            found: record.at,
        });
    }
    Ok(())
}

/// Writes what a record says. It fits: it was just decided on these very rows, or checked by [`validate`].
pub(crate) fn apply<D: AccountData + Writes>(data: &mut D, record: &Record) {
    let header = data.header_mut();
    header.version = record.version;
    header.at = record.at;
    record.event.apply(data);
}

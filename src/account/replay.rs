//! Applying a record: the only way in which an account changes.

use std::error::Error;

use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::command_error::CommandError;
use crate::account::commit_place::CommitPlace;
use crate::account::data::writes::Writes;
use crate::account::data::{AccountData, Condition, Header};
use crate::account::digest::Digest;
use crate::account::record::Record;
use crate::errors::{coded_errors, error_field, serialized_as_object};
use crate::id::AccountId;
use crate::time::Timestamp;

coded_errors! {
    /// Why a record could not be replayed. Nothing of it was applied, and nothing is ever skipped: a skipped revocation
    /// would let someone keep access ([U5](crate::docs::rules#U5)).
    #[derive(Clone, Debug, Eq, PartialEq)]
    #[non_exhaustive]
    pub enum ReplayError with http_status {
        /// There is no record, so there is no account.
        #[error("no-records", "there are no records; an account begins with the record that opens it")]
        NoRecords,
        /// The record belongs to another account ([A4](crate::docs::rules#A4)).
        #[error("wrong-account", "record {version} belongs to account {found}, not to {expected}")]
        WrongAccount {
            /// The account that was being replayed.
            expected: AccountId,
            /// The record's.
            found: AccountId,
            /// The record's version.
            version: u64,
        },
        /// Records are missing before this one.
        #[error("gap", "record {found} came where record {expected} was due; load the records between")]
        Gap {
            /// The version that was due.
            expected: u64,
            /// The record's.
            found: u64,
        },
        /// The record, or another one of its version, has been applied already.
        #[error("repeat", "record {found} came again where record {expected} was due")]
        Repeat {
            /// The version that was due.
            expected: u64,
            /// The record's.
            found: u64,
        },
        /// The record is older than the one before it ([U2](crate::docs::rules#U2)).
        #[error("time-runs-backwards", "record {version} is dated {}, before the record it follows ({})", found.as_millis(), last.as_millis())]
        TimeRunsBackwards {
            /// The record's version.
            version: u64,
            /// The time of the record before.
            last: Timestamp,
            /// The record's.
            found: Timestamp,
        },
        /// The digest is not that of this record after the one before it: somebody changed one of the two, or the
        /// record is of another branch (a backup was restored, say) ([U2](crate::docs::rules#U2)).
        #[error("digest-mismatch", "record {version} was changed, or does not belong after the record before it")]
        DigestMismatch {
            /// The record's version.
            version: u64,
        },
        /// The record's place in its commit does not follow that of the record before it ([U2](crate::docs::rules#U2)).
        #[error("commit-place", "record {version} says that it is {found} in its commit, which cannot follow {last}")]
        CommitPlace {
            /// The record's version.
            version: u64,
            /// The place of the record before.
            last: CommitPlace,
            /// The record's.
            found: CommitPlace,
        },
        /// An account opens once, with its first record ([A1](crate::docs::rules#A1), [U2](crate::docs::rules#U2)).
        #[error("opening", "record {version} is out of place: an account opens once, with record 1")]
        Opening {
            /// The record's version.
            version: u64,
        },
        /// The actor cannot have caused such an event: only the invited person accepts an invitation, and only the
        /// application itself opens an account and adds people ([M3](crate::docs::rules#M3),
        /// [M7](crate::docs::rules#M7)).
        #[error("wrong-actor", "record {version} cannot have been caused by its actor ({})", actor.0)]
        WrongActor {
            /// The record's version.
            version: u64,
            /// The record's actor.
            actor: Actor,
        },
        /// The event breaks a rule in this state, so no command can have caused it.
        #[error("does-not-fit", "record {version} does not fit the account: {reason}")]
        DoesNotFit {
            /// The record's version.
            version: u64,
            /// The rule.
            reason: CommandError,
        },
        /// The event says what is so already, or grants a role twice: no command leaves such an event
        /// ([U1](crate::docs::rules#U1), [G4](crate::docs::rules#G4)).
        #[error("redundant", "record {version} says what is so already, or grants a role twice")]
        Redundant {
            /// The record's version.
            version: u64,
        },
        /// The last record is not the one that was expected: records are missing at the end, or are of another branch
        /// ([U2](crate::docs::rules#U2)).
        #[error("other-head", "the last record is {version} with digest {found}, and digest {expected} was expected")]
        OtherHead {
            /// The last record's version.
            version: u64,
            /// The digest that was expected.
            expected: Digest,
            /// The last record's.
            found: Digest,
        },
    }
}

impl Error for ReplayError {}

serialized_as_object!(ReplayError);
error_field!(ReplayError: error => error);

impl ReplayError {
    /// Returns 500, the status with which an HTTP service answers: somebody has to look at what is stored.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        500
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
    ensure_next(data.header(), record)?;
    let version = record.version;
    let event = &record.event;
    let refusal = match data.header().condition {
        Condition::Open => None,
        Condition::Closed | Condition::Erased => Some(CommandError::AccountClosed),
        Condition::Diverged => Some(CommandError::Diverged),
    };
    if let Some(reason) = refusal {
        return Err(ReplayError::DoesNotFit { version, reason });
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

/// Whether a record continues the chain of records, whatever the account holds.
pub(crate) fn ensure_next(header: &Header, record: &Record) -> Result<(), ReplayError> {
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
    if record.digest != record.digest_after(header.digest) {
        return Err(ReplayError::DigestMismatch { version });
    }
    if record.at < header.at {
        return Err(ReplayError::TimeRunsBackwards {
            version,
            last: header.at,
            found: record.at,
        });
    }
    if !record.commit.follows(header.commit) {
        return Err(ReplayError::CommitPlace {
            version,
            last: header.commit,
            found: record.commit,
        });
    }
    if matches!(record.event, Event::AccountOpened(_)) != (version == 1) {
        return Err(ReplayError::Opening { version });
    }
    Ok(())
}

/// Moves the header on to this record.
pub(crate) fn advance(header: &mut Header, record: &Record) {
    header.version = record.version;
    header.at = record.at;
    header.commit = record.commit;
    header.digest = record.digest;
}

/// Writes what a record says. It fits: it was just decided on these very rows, or checked by [`validate`].
pub(crate) fn apply<D: AccountData + Writes>(data: &mut D, record: &Record) {
    advance(data.header_mut(), record);
    record.event.apply(data);
}

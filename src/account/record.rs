//! One accepted change: what is stored, and the audit trail.

use serde::Serialize;

use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::commit_place::CommitPlace;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::digest::Digest;
use crate::id::AccountId;
use crate::note::Note;
use crate::time::Timestamp;

/// One accepted change: what happened, who caused it, and when ([U2](crate::docs::rules#U2)).
///
/// Records are what your application stores, and the audit trail. All records of an account, in the order of their
/// versions, are the account. Each holds a digest of itself and of the record before it, so a record that somebody
/// changed, left out or took from another account or another branch of this one is not applied. The serde form carries a format number; another format, an unknown kind of event and an
/// unknown field are refused. Every field is always written, so that formats without field names read back what was
/// written.
///
/// ```
/// # use grantbook::*;
/// # let (_, record) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
/// let stored = serde_json::to_value(&record)?;
/// assert_eq!(stored["version"], 1);
/// assert_eq!(stored["actor"], "system");
/// assert_eq!(
///     stored["event"],
///     serde_json::json!({"kind": "account-opened", "owner": "olga", "group_limit": 20, "key": null}),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    pub(crate) account: AccountId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) commit: CommitPlace,
    pub(crate) actor: Actor,
    pub(crate) note: Option<Note>,
    pub(crate) event: Event,
    pub(crate) digest: Digest,
}

impl Record {
    /// Returns the account that changed.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns the account's version after this change: 1, 2, 3, without gaps.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the time of the change, by your application's clock; never before that of the previous record
    /// ([U2](crate::docs::rules#U2)).
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns which of the records it is that were decided together.
    #[must_use]
    pub fn commit(&self) -> CommitPlace {
        self.commit
    }

    /// Returns the actor that caused the change.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns the note that your application left on the change.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        self.note.as_ref()
    }

    /// Returns what happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Returns the digest of all of the above and of the record before this one.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// A change that commands would lead to, without a place in the chain of records: what a preview shows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PlannedChange {
    /// The version that the account would have after the change.
    pub version: u64,
    /// What would happen.
    pub event: Event,
}

impl PlannedChange {
    /// Makes the change on a draft, which gets no digest.
    pub(crate) fn try_on<D: AccountData + Writes>(&self, draft: &mut D) {
        draft.header_mut().version = self.version;
        self.event.apply(draft);
    }
}

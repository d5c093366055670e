//! One accepted change: what is stored, and the audit trail.

use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::id::AccountId;
use crate::time::Timestamp;

/// One accepted change: what happened, who caused it, and when (U2).
///
/// Records are what your application stores, and the audit trail. All records of an account, in the order of their
/// versions, are the account. The serde form carries a format number; another format, an unknown kind of event and an
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
///     serde_json::json!({"kind": "account-opened", "owner": "olga", "group_limit": 20}),
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    pub(crate) account: AccountId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) event: Event,
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

    /// Returns the time of the change, by your application's clock; never before that of the previous record (U2).
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the actor that caused the change.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Returns what happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }
}

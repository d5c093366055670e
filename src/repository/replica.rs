//! A process's own copy of an account.

use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::account::Account;
use crate::account::record::Record;
use crate::account::replay::{self, ReplayError};
use crate::id::AccountId;
use crate::time::Timestamp;

/// A process's own copy of an account that a repository keeps: never wrong, only late, and it says how late.
///
/// To read, it is an [`Account`]. It changes by records of the repository alone: those that
/// [`execute`](super::execute) and [`catch_up`](super::catch_up) keep and read, and those that the host hears of in
/// another way and [offers](Replica::ingest). It has no thread, no socket and no clock: the host hears of changes as its
/// storage tells of them (a notice, a message, a timer), passes on what it heard, and catches up when told to.
///
/// ```
/// use grantbook::repository::{self, Freshness, MemoryRepository, Request};
/// # use grantbook::{AccountId, Actor, IdempotencyKey, GroupLimit, MemberId, StoreId, Timestamp};
/// # let (kept, acme, now) = (MemoryRepository::new(), AccountId::parse("acme")?, Timestamp::from_millis(0));
/// # let olga = MemberId::parse("olga")?;
/// # let mut here = repository::open(&kept, IdempotencyKey::parse("1")?, acme.clone(), olga, GroupLimit::default(), now)?;
///
/// let mut elsewhere = repository::load(&kept, &acme)?.ok_or("it was opened")?;
/// # let commands = vec![grantbook::command::CreateStore { store: StoreId::parse("dev")? }.into()];
/// # let request = Request { commit: IdempotencyKey::parse("2")?, actor: Actor::System, commands, now, note: None };
/// repository::execute(&kept, &mut here, &request)?;
///
/// // Somebody tells the other process which version there is now.
/// assert_eq!(elsewhere.notify_version(here.version()), Freshness::CatchUp { behind: 1 });
/// assert!(elsewhere.at_least(here.version()).is_err(), "a stale copy does not answer");
/// repository::catch_up(&kept, &mut elsewhere)?;
/// assert!(elsewhere.at_least(here.version())?.has_store("dev"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Replica {
    account: Account,
    /// The latest version that was heard of. Like the count below it can be written while others read the account, so
    /// that a notice holds up no check.
    known: AtomicU64,
    /// How many notices of a version there were. Reading settles those before it, and no others, however alike.
    notices: AtomicU64,
}

impl Replica {
    pub(super) fn new(account: Account) -> Self {
        Self {
            known: AtomicU64::new(account.version()),
            notices: AtomicU64::new(0),
            account,
        }
    }

    /// Takes a record that the repository keeps, in whichever way it came here: applies it, if it is the next one.
    /// Records may come twice, late, in any order, or not at all.
    ///
    /// Only a record that the repository keeps may be offered: what is not kept there would be believed here.
    ///
    /// # Errors
    /// A record of another account, or one that does not fit, which nothing was applied of (U5).
    pub fn ingest(&mut self, record: &Record) -> Result<Ingested, ReplayError> {
        self.ingest_with(record, |_, _| ())
    }

    /// As [`ingest`](Replica::ingest), and shows a record that is applied just before, with the account as it is then.
    ///
    /// # Errors
    /// As [`ingest`](Replica::ingest).
    pub fn ingest_with(
        &mut self,
        record: &Record,
        observe: impl FnOnce(&Account, &Record),
    ) -> Result<Ingested, ReplayError> {
        if record.account != *self.account.id() {
            let (expected, found) = (self.account.id().clone(), record.account.clone());
            let version = record.version;
            return Err(ReplayError::WrongAccount {
                expected,
                found,
                version,
            });
        }
        if record.version <= self.account.version() {
            return Ok(Ingested::Duplicate);
        }
        if record.version - 1 > self.account.version() {
            self.notice(record.version);
            return Ok(Ingested::Gap {
                behind: self.behind(),
            });
        }
        replay::validate(&self.account.state, record)?;
        observe(&self.account, record);
        replay::apply(&mut self.account.state, record);
        Ok(Ingested::Applied)
    }

    /// Takes notice that the repository keeps a record of this version, and says what is to be done. A notice may come
    /// twice, late, or in any order.
    pub fn notify_version(&mut self, version: u64) -> Freshness {
        self.heard_of(version)
    }

    /// As [`notify_version`](Replica::notify_version), where others read.
    pub(super) fn heard_of(&self, version: u64) -> Freshness {
        self.notice(version);
        match self.behind() {
            0 => Freshness::UpToDate,
            behind => Freshness::CatchUp { behind },
        }
    }

    /// What this copy is a copy of: the account's version, its time, and how many versions more it has heard of.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        AsOf {
            version: self.account.version(),
            at: self.account.changed_at(),
            behind: self.behind(),
        }
    }

    /// The account, if it is of this version or a later one. For reading one's own writes in another process: whoever
    /// changed something hands the version on, in a cookie or a token, and asks no copy that is older.
    ///
    /// # Errors
    /// This copy is older. Catch up, and ask again.
    pub fn at_least(&self, version: u64) -> Result<&Account, StaleError> {
        if self.account.version() >= version {
            Ok(&self.account)
        } else {
            Err(StaleError {
                account: self.account.id().clone(),
                version: self.account.version(),
                wanted: version,
            })
        }
    }

    fn behind(&self) -> u64 {
        let known = self.known.load(Ordering::Relaxed);
        known.saturating_sub(self.account.version())
    }

    fn notice(&self, version: u64) {
        self.known.fetch_max(version, Ordering::Relaxed);
        self.notices.fetch_add(1, Ordering::Relaxed);
    }

    /// How many notices of a version there were.
    pub(super) fn notices(&self) -> u64 {
        self.notices.load(Ordering::Relaxed)
    }

    /// The repository itself has said which version is its last: if there were no more notices than these when it was
    /// asked, they are settled.
    pub(super) fn settle(&mut self, notices: u64, last: u64) {
        if *self.notices.get_mut() == notices {
            *self.known.get_mut() = last;
        }
    }

    /// Begins again from a snapshot, if it is a later one.
    pub(super) fn restart(&mut self, account: Account) {
        if account.version() > self.account.version() {
            self.account = account;
        }
    }
}

impl Clone for Replica {
    fn clone(&self) -> Self {
        Self {
            account: self.account.clone(),
            known: AtomicU64::new(self.known.load(Ordering::Relaxed)),
            notices: AtomicU64::new(self.notices()),
        }
    }
}

impl Deref for Replica {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.account
    }
}

/// Two copies are equal when their accounts are.
impl PartialEq for Replica {
    fn eq(&self, other: &Self) -> bool {
        self.account == other.account
    }
}

impl Eq for Replica {}

impl fmt::Debug for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replica")
            .field("account", self.account.id())
            .field("as_of", &self.as_of())
            .finish_non_exhaustive()
    }
}

/// What became of a record that was offered.
///
/// Exhaustive on purpose: after a gap the host has something to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "after a gap the copy must catch up"]
pub enum Ingested {
    /// It was the next one, and is applied.
    Applied,
    /// It was applied before.
    Duplicate,
    /// Records before it are missing; it was not applied. Catch up.
    Gap {
        /// How many versions this copy is behind, at least.
        behind: u64,
    },
}

/// What is to be done about a notice.
///
/// Exhaustive on purpose: a copy that is behind has something to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a copy that is behind must catch up"]
pub enum Freshness {
    /// Nothing: this copy is as new as all that it has heard of.
    UpToDate,
    /// Catch up.
    CatchUp {
        /// How many versions this copy is behind, at least.
        behind: u64,
    },
}

/// Which state of an account a copy holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AsOf {
    /// The version of the last record that it holds.
    pub version: u64,
    /// The time of that record.
    pub at: Timestamp,
    /// How many versions more it has heard of. There may be yet others, of which it has not.
    pub behind: u64,
}

/// A copy is older than it has to be, and does not answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "this copy of account `{account}` is at version {version}, and version {wanted} was wanted; catch up"
)]
pub struct StaleError {
    /// The account.
    pub account: AccountId,
    /// The copy's version.
    pub version: u64,
    /// The version that was wanted.
    pub wanted: u64,
}

impl StaleError {
    /// A stable code: `stale`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "stale"
    }
}

//! A process's own copy of an account.

use std::fmt;
use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

use crate::account::Account;
use crate::account::data::{AccountData, Condition};
use crate::account::digest::Digest;
use crate::account::record::Record;
use crate::account::replay::{self, ReplayError};
use crate::repository::as_of::{AsOf, StaleError};
use crate::repository::commit::Commit;
use crate::repository::error::RepositoryError;
use crate::repository::head::Head;

/// A process's own copy of an account that a repository keeps. It may be stale, is never inconsistent, and reports its
/// lag.
///
/// To read, it is an [`Account`]. It changes by whole commits of the repository alone ([U10](crate::docs::rules#U10)):
/// those that [`execute`](super::execute) and [`catch_up`](super::catch_up) keep and read, and those whose records your
/// application hears of in another way and [hands over](Replica::ingest). A copy that finds that it is not what the
/// repository holds denies everything from then on.
///
/// ```
/// use grantbook::repository::{self, Freshness, MemoryRepository, Request};
/// use grantbook::command::CreateStore;
/// # use grantbook::{AccountId, Actor, IdempotencyKey, GroupLimit, MemberId, StoreId, Timestamp};
/// # let (kept, acme, now) = (MemoryRepository::new(), AccountId::parse("acme")?, Timestamp::from_millis(0));
/// # let olga = MemberId::parse("olga")?;
/// # let mut here = repository::open(&kept, IdempotencyKey::parse("1")?, acme.clone(), olga, GroupLimit::default(), now)?;
///
/// let mut elsewhere = repository::load(&kept, &acme)?.ok_or("it was opened")?;
/// let request = Request::by(Actor::System, IdempotencyKey::parse("2")?, now)
///     .command(CreateStore { store: StoreId::parse("dev")? });
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
    /// The first records of a commit whose last one has yet to come. They follow the account's last record.
    pending: Vec<Record>,
    /// The latest version that was heard of. Like the counts below it can be written while others read the account, so
    /// that a notice holds up no check.
    known: AtomicU64,
    /// The latest version that was heard of since the repository began to be read.
    heard: AtomicU64,
    /// How often something made it doubtful that the repository holds what this copy does. A reading settles the doubts
    /// before it, and no others, however alike.
    doubts: AtomicU64,
    /// How many of them are settled.
    settled: u64,
    /// Why the last attempt to catch up failed.
    problem: Option<String>,
}

impl Replica {
    pub(super) fn new(account: Account) -> Self {
        Self {
            pending: Vec::new(),
            known: AtomicU64::new(account.version()),
            heard: AtomicU64::new(0),
            doubts: AtomicU64::new(0),
            settled: 0,
            problem: None,
            account,
        }
    }

    /// Takes a record that the repository keeps, in whichever way it came here. Records may come twice, late, in any
    /// order, or not at all. A commit is applied when all its records are there ([U10](crate::docs::rules#U10)).
    ///
    /// Hand over only what the repository keeps: what is not kept there would be believed here.
    ///
    /// # Errors
    /// A record of another account or another branch, or a commit that does not fit, which nothing was applied of
    /// ([U5](crate::docs::rules#U5)).
    pub fn ingest(&mut self, record: &Record) -> Result<Ingested, ReplayError> {
        match self.admit(record)? {
            Admitted::Commit(commit) => self.apply_commit(&commit).map(|_| Ingested::Applied),
            Admitted::Not(ingested) => Ok(ingested),
        }
    }

    /// Takes a record, and gives the commit that it completes, which is to be applied.
    pub(super) fn admit(&mut self, record: &Record) -> Result<Admitted, ReplayError> {
        if record.account != *self.account.id() {
            return Err(ReplayError::WrongAccount {
                expected: self.account.id().clone(),
                found: record.account.clone(),
                version: record.version,
            });
        }
        let reached = self.account.version() + self.pending.len() as u64;
        if record.version <= reached {
            self.ensure_same(record.version, record.digest)?;
            return Ok(Admitted::Not(Ingested::Duplicate));
        }
        self.hear(record.version);
        if record.version - 1 > reached {
            let behind = self.behind();
            return Ok(Admitted::Not(Ingested::Gap { behind }));
        }
        self.ensure_follows(record)?;
        self.pending.push(record.clone());
        if record.commit.is_last() {
            return Ok(Admitted::Commit(mem::take(&mut self.pending)));
        }
        let missing = record.commit.of() - record.commit.number();
        self.hear(record.version.saturating_add(missing as u64));
        Ok(Admitted::Not(Ingested::Incomplete { missing }))
    }

    /// Checks that a record follows what is there and pending.
    fn ensure_follows(&self, record: &Record) -> Result<(), ReplayError> {
        let mut header = self.account.state.header().clone();
        if let Some(last) = self.pending.last() {
            replay::advance(&mut header, last);
        }
        replay::ensure_next(&header, record)
    }

    /// Checks that what is kept as this version is what is held of it, where that can be told. If it is not, one of the
    /// two is of another branch, and the copy counts as behind until the repository has said which.
    fn ensure_same(&self, version: u64, found: Digest) -> Result<(), ReplayError> {
        let held = if version == self.account.version() {
            Some(*self.account.digest())
        } else {
            let mut pending = self.pending.iter();
            let held = pending.find(|record| record.version == version);
            held.map(|record| record.digest)
        };
        match held {
            Some(expected) if expected != found => {
                self.doubt();
                Err(ReplayError::OtherHead {
                    version,
                    expected,
                    found,
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether the records of a commit fit, so that they can be [accepted](Replica::accept_commit). `false`: they were
    /// applied before.
    pub(super) fn validate_commit(&self, records: &[Record]) -> Result<bool, ReplayError> {
        match records.last() {
            Some(last) if last.version > self.account.version() => {
                self.account.validate_commit(records).map(|()| true)
            }
            Some(last) => self.ensure_same(last.version, last.digest).map(|()| false),
            None => Ok(false),
        }
    }

    /// Applies the records of a commit (U10), which was decided or validated on what is held now.
    pub(super) fn accept_commit(&mut self, records: &[Record]) {
        self.account.accept(records);
        self.pending.clear();
    }

    /// Applies the records of one commit, all or none. `false`: they were applied before.
    pub(super) fn apply_commit(&mut self, records: &[Record]) -> Result<bool, ReplayError> {
        let is_new = self.validate_commit(records)?;
        if is_new {
            self.accept_commit(records);
        }
        Ok(is_new)
    }

    /// Whether this copy stands where a commit begins. Its records may have been handed over meanwhile.
    pub(super) fn is_expected_by(&self, commit: &Commit) -> bool {
        let expected = commit.expected();
        !self.is_lost()
            && expected.is_some_and(|head| {
                (head.version, head.digest) == (self.account.version(), *self.account.digest())
            })
    }

    /// Whether this copy stands where the repository's chain does. If not, it has gone on otherwise, perhaps on another
    /// branch, and counts as behind until the repository has said.
    pub(super) fn confirm(&self, head: &Head) -> bool {
        let is_there = !self.is_lost() && Head::of(self) == *head;
        if !is_there {
            self.doubt();
        }
        is_there
    }

    /// From now on this copy counts as behind, until the repository has been read. What is being read already does not
    /// settle it.
    pub(super) fn doubt(&self) {
        self.doubts.fetch_add(1, Ordering::Relaxed);
    }

    /// Until [`finish_bulk_load`](Replica::finish_bulk_load), new members are not listed.
    pub(super) fn begin_bulk_load(&mut self) {
        self.account.state.begin_bulk_load();
    }

    pub(super) fn finish_bulk_load(&mut self) {
        self.account.state.finish_bulk_load();
    }

    /// Takes notice that the repository keeps a record of this version, and says what is to be done. A notice may come
    /// twice, late, or in any order.
    pub fn notify_version(&mut self, version: u64) -> Freshness {
        self.heard_of(version)
    }

    /// As [`notify_version`](Replica::notify_version), where others read.
    pub(super) fn heard_of(&self, version: u64) -> Freshness {
        self.hear(version);
        match self.behind() {
            0 => Freshness::UpToDate,
            behind => Freshness::CatchUp { behind },
        }
    }

    /// Returns what this copy is a copy of: the account's version, its time, how many versions more it has heard of, and
    /// why it could not catch up.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        AsOf {
            version: self.account.version(),
            at: self.account.changed_at(),
            behind: self.behind(),
            problem: self.problem(),
            is_diverged: self.is_lost(),
        }
    }

    /// Returns the account, if it is of this version or a later one. For reading one's own writes in another process:
    /// whoever changed something hands the version on, in a cookie or a token, and asks no copy that is older.
    ///
    /// # Errors
    /// This copy is older. Catch up once and ask again; if it is still older, there is no such version.
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
        let behind = known.saturating_sub(self.account.version());
        behind.max(self.is_in_doubt().into())
    }

    fn is_in_doubt(&self) -> bool {
        self.doubts.load(Ordering::Relaxed) != self.settled
    }

    fn problem(&self) -> Option<String> {
        let doubt = "the repository may hold something else than this copy, and has to be asked";
        let in_doubt = || self.is_in_doubt().then(|| doubt.to_owned());
        self.problem.clone().or_else(in_doubt)
    }

    fn hear(&self, version: u64) {
        self.known.fetch_max(version, Ordering::Relaxed);
        self.heard.fetch_max(version, Ordering::Relaxed);
    }

    /// The repository is about to be read: what is heard from now on is not settled by that. One at a time reads for a
    /// copy. Returns how many doubts there were.
    pub(super) fn begin_reading(&self) -> u64 {
        self.heard.store(0, Ordering::Relaxed);
        self.doubts.load(Ordering::Relaxed)
    }

    /// The repository was read, with so many doubts when that began, and has said which version is its last.
    pub(super) fn settle(&mut self, doubts: u64, last: u64) {
        *self.known.get_mut() = last.max(*self.heard.get_mut());
        self.settled = doubts;
        if !self.is_in_doubt() {
            self.problem = None;
        }
    }

    /// Notes why the copy could not be brought up to date: it counts as behind from then on.
    pub(super) fn failed(&mut self, error: &RepositoryError) {
        if self.account.version() == 0 {
            return; // there is nothing to deny or to catch up with
        }
        self.problem = Some(error.to_string());
        self.doubt();
        let condition = if matches!(error, RepositoryError::Diverged { .. }) {
            Condition::Diverged
        } else if matches!(error, RepositoryError::AccountErased { .. }) {
            Condition::Erased
        } else {
            return;
        };
        self.account.state.header_mut().condition = condition;
        self.pending.clear();
    }

    /// Whether it is loaded, and as new as all that it has heard of.
    pub(super) fn is_current(&self) -> bool {
        self.account.version() > 0 && !self.is_lost() && self.behind() == 0
    }

    /// Whether it is not what the repository holds, and is so for good.
    pub(super) fn is_lost(&self) -> bool {
        let condition = self.account.state.header().condition;
        matches!(condition, Condition::Diverged | Condition::Erased)
    }

    /// Says why it can neither change nor be brought up to date, if it is lost.
    pub(super) fn ensure_not_lost(&self) -> Result<(), RepositoryError> {
        let (account, version) = (self.account.id(), self.account.version());
        let account = || account.clone();
        match self.account.state.header().condition {
            Condition::Open | Condition::Closed => Ok(()),
            Condition::Diverged => Err(RepositoryError::Diverged {
                account: account(),
                version,
            }),
            Condition::Erased => Err(RepositoryError::AccountErased { account: account() }),
        }
    }

    /// Begins again from an account that was read again. Returns the one before.
    pub(super) fn restart(&mut self, account: Account) -> Account {
        self.pending.clear();
        mem::replace(&mut self.account, account)
    }

    pub(super) fn into_account(self) -> Account {
        self.account
    }
}

/// What became of a record that was taken.
pub(super) enum Admitted {
    /// It completes this commit.
    Commit(Vec<Record>),
    Not(Ingested),
}

impl Clone for Replica {
    fn clone(&self) -> Self {
        Self {
            account: self.account.clone(),
            pending: self.pending.clone(),
            known: AtomicU64::new(self.known.load(Ordering::Relaxed)),
            heard: AtomicU64::new(self.heard.load(Ordering::Relaxed)),
            doubts: AtomicU64::new(self.doubts.load(Ordering::Relaxed)),
            settled: self.settled,
            problem: self.problem.clone(),
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
        let as_of = self.as_of();
        f.debug_struct("Replica")
            .field("id", self.account.id())
            .field("version", &as_of.version)
            .field("behind", &as_of.behind)
            .field("is_diverged", &as_of.is_diverged)
            .finish_non_exhaustive()
    }
}

/// What became of a record that was handed over.
///
/// Exhaustive on purpose: after a gap there is something to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[must_use = "after a gap the copy must catch up"]
pub enum Ingested {
    /// It was the last one of its commit, which is applied.
    Applied,
    /// It was handed over before.
    Duplicate,
    /// It is the next one, and others of its commit have yet to come; nothing of it is applied before.
    Incomplete {
        /// How many records of the commit are missing.
        missing: usize,
    },
    /// Records before it are missing; it was not applied. Catch up.
    Gap {
        /// How many versions this copy is behind, at least.
        behind: u64,
    },
}

/// What is to be done about a notice.
///
/// Exhaustive on purpose: a copy that is behind has something to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
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

//! What a host implements over its storage: one contract, for storages that make a thread wait and for those that do
//! not.

use std::error::Error;
use std::future::{Future, ready};

use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;

/// Where a host keeps the records of its accounts.
///
/// Versions belong to an account and have no gaps, so `primary key (account, version)` gives the order, and lets one of
/// two commits on the same version through. There is no way to write without saying which version is written on: a
/// revocation that somebody else overwrites is a security hole.
///
/// A host without snapshots implements three methods: one reads, one looks a commit up, one writes. Over SQL:
///
/// ```
/// # use grantbook::{AccountId, IdempotencyKey, Record, repository::{Commit, CommitOutcome, Repository, RecordPage}};
/// # use std::fmt::{Display, Error as Failed};
/// # struct Database;
/// # struct Writing;
/// # impl Database {
/// #     fn records(&self, _: &str, _: &AccountId, _: impl Display) -> Result<Vec<Record>, Failed> { Ok(Vec::new()) }
/// #     fn last(&self, _: &AccountId) -> Result<u64, Failed> { Ok(0) }
/// #     fn begin(&self) -> Result<Writing, Failed> { Ok(Writing) }
/// # }
/// # impl Writing {
/// #     fn knows(&self, _: &AccountId, _: &IdempotencyKey) -> Result<bool, Failed> { Ok(false) }
/// #     fn last(&self, _: &AccountId) -> Result<u64, Failed> { Ok(0) }
/// #     fn insert(&self, _: &Record, _: &IdempotencyKey) -> Result<bool, Failed> { Ok(true) }
/// #     fn commit(self) -> Result<(), Failed> { Ok(()) }
/// # }
/// impl Repository for Database {
///     type Error = Failed;
///     fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Failed> {
///         let (last, after) = (self.last(account)?, version.min(i64::MAX as u64)); // in this order
///         let records = self.records("version > ?2 order by version limit 1000", account, after)?;
///         Ok(RecordPage::Records { records, last })
///     }
///     fn records_of(&self, account: &AccountId, id: &IdempotencyKey) -> Result<Vec<Record>, Failed> {
///         self.records("commit_id = ?2 order by version", account, id.as_str())
///     }
///     fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Failed> {
///         let (account, id, writing) = (commit.account(), commit.id(), self.begin()?);
///         if writing.knows(account, id)? { return Ok(CommitOutcome::Duplicate); }
///         if writing.last(account)? != commit.expected() { return Ok(CommitOutcome::Conflict); }
///         for record in commit.records() {
///             if !writing.insert(record, id)? { return Ok(CommitOutcome::Conflict); }
///         }
///         writing.commit().map(|()| CommitOutcome::Appended)
///     }
/// }
/// ```
///
/// [`MemoryRepository`](super::MemoryRepository) shows the whole contract in few lines, and the feature `conformance`
/// brings tests for a host's own. Whatever has been committed when a method is called must be seen by it: read from
/// where is written, and not from a copy that lags behind.
pub trait Repository {
    /// What can go wrong in the storage itself.
    type Error: Error + 'static;

    /// The latest snapshot that is kept of an account; `None` if none is, as always without this method.
    ///
    /// # Errors
    /// The storage's own.
    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Self::Error> {
        let _ = account;
        Ok(None)
    }

    /// The records of an account after this version, as many as are conveniently read at once: at least one, where
    /// there is one. Of a version beyond all that can be kept, there are none.
    ///
    /// # Errors
    /// The storage's own. Of records that cannot be read (another format, a changed row) none may be left out: fail.
    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Self::Error>;

    /// The records of the commit with this id; none, if it was not kept. A host that gives old records up gives their
    /// commit ids up with them.
    ///
    /// # Errors
    /// The storage's own.
    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, Self::Error>;

    /// Keeps a commit, all or nothing: its records, its id, and its snapshot, if it has one. In this order:
    ///
    /// 1. A commit with this id is kept of this account: [`CommitOutcome::Duplicate`], and nothing is kept.
    /// 2. The last record kept is of another version than [`Commit::expected`]: [`CommitOutcome::Conflict`], and nothing is
    ///    kept.
    /// 3. Otherwise all of it is kept: [`CommitOutcome::Appended`].
    ///
    /// An id that is kept stays, so it can as well be looked for after the insert has failed.
    ///
    /// In a database this is one transaction that compares the last version and inserts the records. A violated primary
    /// key is a conflict, and so is a transaction that was not kept because of another one; but the primary key alone
    /// does not see a commit ahead of what is kept, which would leave a gap. Of the same commit, tried twice at a time,
    /// one is done, and the other is answered with 1 or 2. To compare first and insert afterwards without a lock or a
    /// transaction is a race, and loses changes.
    ///
    /// # Errors
    /// The storage's own, and then it may be unknown whether the commit was kept. Not for 1 and 2, which are ordinary
    /// answers.
    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Self::Error>;

    /// Whether a commit that takes the account from version `expected` to `version` is to bring a snapshot; never,
    /// without this method. To take one takes time in proportion to the account. For one in a thousand versions:
    ///
    /// ```
    /// # fn wants_snapshot(expected: u64, version: u64) -> bool {
    /// expected / 1_000 != version / 1_000
    /// # }
    /// # assert!(wants_snapshot(999, 1_000) && !wants_snapshot(1_000, 1_001));
    /// ```
    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        let _ = (expected, version);
        false
    }
}

/// [`Repository`] for a storage that is waited for without holding up a thread.
///
/// The same contract, method by method. A host writes plain `async fn`; what it awaits must be `Send`, so that its
/// runtime can move it between threads. The library brings no runtime, and does not care which one the host has. What
/// is awaited may be dropped at any time; a commit may then have been kept.
pub trait AsyncRepository: Sync {
    /// What can go wrong in the storage itself.
    type Error: Error + Send + Sync + 'static;

    /// As [`Repository::snapshot`].
    fn snapshot(
        &self,
        account: &AccountId,
    ) -> impl Future<Output = Result<Option<Snapshot>, Self::Error>> + Send {
        let _ = account;
        ready(Ok(None))
    }

    /// As [`Repository::records_after`].
    fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> impl Future<Output = Result<RecordPage, Self::Error>> + Send;

    /// As [`Repository::records_of`].
    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> impl Future<Output = Result<Vec<Record>, Self::Error>> + Send;

    /// As [`Repository::commit`].
    fn commit(
        &self,
        commit: &Commit,
    ) -> impl Future<Output = Result<CommitOutcome, Self::Error>> + Send;

    /// As [`Repository::wants_snapshot`].
    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        let _ = (expected, version);
        false
    }
}

/// The records after a version.
///
/// Exhaustive on purpose: who reads must handle both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RecordPage {
    /// The next records, in the order of their versions, without gaps; there may be more. None, if there are none.
    Records {
        /// The records.
        records: Vec<Record>,
        /// The version of the last record that is kept; 0, if none is. Whoever asks knows by it whether there is more.
        /// It is of the same moment as the records, or read before them: what is said to be there must be among what
        /// can be read next.
        last: u64,
    },
    /// The next records are kept no more; there is a snapshot of a later version.
    Compacted,
}

/// The answer to a commit.
///
/// Exhaustive on purpose: who commits must handle all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "only one of these means that it was kept"]
pub enum CommitOutcome {
    /// It is kept now.
    Appended,
    /// It was kept before, when the same request was tried already; nothing more was kept.
    Duplicate,
    /// The account has moved on from the expected version; nothing was kept.
    Conflict,
}

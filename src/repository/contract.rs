//! What your application implements over its storage: one contract, for storages that make a thread wait and for those
//! that are awaited.

use std::error::Error;
use std::future::{Future, ready};

use serde::Serialize;

use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::head::Head;
use crate::repository::request::StoredRequest;

/// Where your application keeps the records of its accounts.
///
/// A repository keeps three things of each account: its [`Head`], its records, and the requests that were accepted. The
/// head says where the chain of records stands. Every commit compares and sets it, in one transaction with all that it
/// writes: so of two commits on the same head one gets through, a commit on another branch never does, and an id whose
/// account was erased is not used again. There is no way to write without saying what is written on: a revocation that
/// somebody else overwrites is a security hole.
///
/// A repository without snapshots and erasure implements three methods: one reads, one looks a request up, one writes.
/// Over SQL:
///
/// ```
/// # use grantbook::{AccountId, IdempotencyKey, Record, repository::{Commit, CommitOutcome, Head, Repository, RecordPage, StoredRequest}};
/// # use std::fmt::{Display, Error as Failed};
/// # struct Database;
/// # struct Writing;
/// # impl Database {
/// #     fn records(&self, _: &str, _: &AccountId, _: impl Display) -> Result<Vec<Record>, Failed> { Ok(Vec::new()) }
/// #     fn head(&self, _: &AccountId) -> Result<Option<Head>, Failed> { Ok(None) }
/// #     fn request(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Option<StoredRequest>, Failed> { Ok(None) }
/// #     fn begin(&self) -> Result<Writing, Failed> { Ok(Writing) }
/// # }
/// # impl Writing {
/// #     fn knows(&self, _: &AccountId, _: &IdempotencyKey) -> Result<bool, Failed> { Ok(false) }
/// #     fn replace_head(&self, _: &AccountId, _: Option<&Head>, _: &Head) -> Result<bool, Failed> { Ok(true) }
/// #     fn insert_record(&self, _: &Record) -> Result<(), Failed> { Ok(()) }
/// #     fn insert_request(&self, _: &AccountId, _: &StoredRequest) -> Result<(), Failed> { Ok(()) }
/// #     fn commit(self) -> Result<(), Failed> { Ok(()) }
/// # }
/// impl Repository for Database {
///     type Error = Failed;
///
///     fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Failed> {
///         let (head, after) = (self.head(account)?, version.min(i64::MAX as u64)); // in this order
///         let records = self.records("version > ?2 order by version limit 1000", account, after)?;
///         Ok(RecordPage::Records { records, head })
///     }
///
///     fn request(&self, account: &AccountId, key: &IdempotencyKey) -> Result<Option<StoredRequest>, Failed> {
///         Database::request(self, account, key)
///     }
///
///     fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Failed> {
///         let (account, writing) = (commit.account(), self.begin()?);
///         if writing.knows(account, commit.key())? { return Ok(CommitOutcome::Duplicate); }
///         // update heads set … where account = … and version = … and digest = … and state = 'open'; or insert one
///         if !writing.replace_head(account, commit.expected(), commit.head())? { return Ok(CommitOutcome::Conflict); }
///         for record in commit.records() { writing.insert_record(record)?; }
///         writing.insert_request(account, commit.request())?;
///         writing.commit().map(|()| CommitOutcome::Appended)
///     }
/// }
/// ```
///
/// [`MemoryRepository`](super::MemoryRepository) shows the whole contract in few lines, and the feature `conformance`
/// brings tests for your own. Whatever has been committed when a method is called must be seen by it: read from where is
/// written, and not from a copy that lags behind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep accounts",
    label = "needs `impl grantbook::repository::Repository`",
    note = "its three methods are `records_after`, `request` and `commit`; for an asynchronous storage implement \
            `AsyncRepository`, and call `build_async`"
)]
pub trait Repository {
    /// What can go wrong in the storage itself.
    type Error: Error + Send + Sync + 'static;

    /// Returns the latest snapshot that is kept of an account; `None` if none is, as always without this method.
    ///
    /// # Errors
    /// The storage's own. A snapshot that cannot be read is an error too; it is passed over where the records are kept.
    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Self::Error> {
        let _ = account;
        Ok(None)
    }

    /// Returns the records of an account after this version, as many as are conveniently read at once, and the account's
    /// head: at least one record, where there is one. Of a version beyond all that can be kept, there are none.
    ///
    /// # Errors
    /// The storage's own. Of records that cannot be read (another format, a changed row) none may be left out: fail.
    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Self::Error>;

    /// Returns what is remembered of the accepted request with this key; `None`, if there was none.
    ///
    /// Requests outlive the records that they led to. A repository that forgets them after a time must say so to its
    /// users: a request that is tried again after that is decided again.
    ///
    /// # Errors
    /// The storage's own.
    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Self::Error>;

    /// Keeps a commit, all or nothing: its head in place of the one before, its records, its request, and its snapshot,
    /// if it has one. There may be no records. In this order:
    ///
    /// 1. A request with this key is remembered of this account: [`CommitOutcome::Duplicate`], and nothing is kept.
    /// 2. The account's head has another version or digest than [`Commit::expected`], or is not open; or there is a head
    ///    where none is expected: [`CommitOutcome::Conflict`], and nothing is kept.
    /// 3. Otherwise all of it is kept: [`CommitOutcome::Appended`].
    ///
    /// A key that is kept stays, so it can as well be looked for after the insert has failed.
    ///
    /// In a database this is one transaction that updates the head where it is the expected one, and inserts the rest. A
    /// violated primary key is a conflict, and so is a transaction that was not kept because of another one. Of the same
    /// commit, tried twice at a time, one is done, and the other is answered with 1 or 2. To compare first and write
    /// afterwards without a lock or a transaction is a race, and loses changes.
    ///
    /// # Errors
    /// The storage's own, and then it may be unknown whether the commit was kept. Not for 1 and 2, which are ordinary
    /// answers.
    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Self::Error>;

    /// Erases a closed account ([A5](crate::docs::rules#A5)): its records, its snapshot and its requests go, all in one
    /// step. Its head stays, with the state [`Erased`](super::HeadState::Erased), so that the id is never used again.
    /// An account that is erased already counts as erased now. Without this method, nothing is ever erased.
    ///
    /// # Errors
    /// The storage's own.
    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, Self::Error> {
        let _ = account;
        Ok(EraseOutcome::Unsupported)
    }

    /// Returns whether a commit that takes the account from version `before` to `version` is to bring a snapshot; never,
    /// without this method. To take one takes time in proportion to the account. For one in a thousand versions:
    ///
    /// ```
    /// # fn wants_snapshot(before: u64, version: u64) -> bool {
    /// before / 1_000 != version / 1_000
    /// # }
    /// # assert!(wants_snapshot(999, 1_000) && !wants_snapshot(1_000, 1_001));
    /// ```
    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        let _ = (before, version);
        false
    }
}

/// [`Repository`] for a storage that is awaited, without holding up a thread.
///
/// The same contract, method by method. You write plain `async fn`; what it awaits must be `Send`, so that your runtime
/// can move it between threads. The library brings no runtime, and does not care which one you have. What is awaited may
/// be dropped at any time; a commit may then have been kept.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not keep accounts asynchronously",
    label = "needs `impl grantbook::repository::AsyncRepository`",
    note = "its three methods are `records_after`, `request` and `commit`; for a storage that is not awaited implement \
            `Repository`, and call `build`"
)]
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

    /// As [`Repository::request`].
    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> impl Future<Output = Result<Option<StoredRequest>, Self::Error>> + Send;

    /// As [`Repository::commit`].
    fn commit(
        &self,
        commit: &Commit,
    ) -> impl Future<Output = Result<CommitOutcome, Self::Error>> + Send;

    /// As [`Repository::erase`].
    fn erase(
        &self,
        account: &AccountId,
    ) -> impl Future<Output = Result<EraseOutcome, Self::Error>> + Send {
        let _ = account;
        ready(Ok(EraseOutcome::Unsupported))
    }

    /// As [`Repository::wants_snapshot`].
    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        let _ = (before, version);
        false
    }
}

/// The records after a version.
///
/// Exhaustive on purpose: who reads must handle both.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordPage {
    /// The next records, in the order of their versions, without gaps; there may be more. None, if there are none.
    Records {
        /// The records.
        records: Vec<Record>,
        /// The account's head; `None`, if no account of this id was ever opened. It is of the same moment as the
        /// records, or read before them: what is said to be there must be among what can be read next. Of one moment where
        /// accounts are erased: an erasure in between would be taken for records that are lost.
        head: Option<Head>,
    },
    /// The next records are kept no more; there is a snapshot of a later version.
    Compacted,
}

/// The answer to a commit.
///
/// Exhaustive on purpose: who commits must handle all.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[must_use = "only one of these means that it was kept"]
pub enum CommitOutcome {
    /// It is kept now.
    Appended,
    /// A request with this key was kept before; nothing more was kept.
    Duplicate,
    /// The account's head is not the expected one; nothing was kept.
    Conflict,
}

/// The answer to an erasure.
///
/// Exhaustive on purpose: only one of these means that the records are gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[must_use = "only one of these means that the records are gone"]
pub enum EraseOutcome {
    /// The account is erased, now or before.
    Erased,
    /// The account is in use; nothing was erased.
    NotClosed,
    /// There is no account of this id.
    Unknown,
    /// This repository does not erase accounts.
    Unsupported,
}

//! What is kept in one step: the records of one request, and perhaps a snapshot.

use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};

/// The records of one request, to be kept all or none, and perhaps a snapshot of the account after them.
///
/// Holding one proves that there is at least one record, that all are of one account and follow each other without
/// gaps, and that the snapshot, if there is one, is of that account at the last of their versions (U2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Commit {
    id: IdempotencyKey,
    account: AccountId,
    expected: u64,
    version: u64,
    records: Vec<Record>,
    snapshot: Option<Snapshot>,
}

impl Commit {
    /// Puts records together, as they were decided. The library does so by itself; who tests a repository may want to.
    ///
    /// # Errors
    /// No records, records of two accounts, a gap between two versions, a version 0.
    pub fn new(id: IdempotencyKey, records: Vec<Record>) -> Result<Self, CommitError> {
        let first = records.first().ok_or(CommitError::Empty)?;
        let account = first.account.clone();
        let expected = first
            .version
            .checked_sub(1)
            .ok_or(CommitError::OutOfOrder { version: 0 })?;
        let mut version = expected;
        for record in &records {
            if record.account != account || version.checked_add(1) != Some(record.version) {
                let version = record.version;
                return Err(CommitError::OutOfOrder { version });
            }
            version = record.version;
        }
        Ok(Self {
            id,
            account,
            expected,
            version,
            records,
            snapshot: None,
        })
    }

    /// The first commit of an account.
    pub(super) fn opening(id: IdempotencyKey, record: Record) -> Self {
        Self {
            id,
            account: record.account.clone(),
            expected: 0,
            version: record.version,
            records: vec![record],
            snapshot: None,
        }
    }

    /// Adds a snapshot of the account after the last record.
    ///
    /// # Errors
    /// A snapshot of another account, or of another version.
    pub fn with_snapshot(self, snapshot: Snapshot) -> Result<Self, CommitError> {
        if *snapshot.account() == self.account && snapshot.version() == self.version {
            Ok(self.bringing(snapshot))
        } else {
            Err(CommitError::OtherSnapshot)
        }
    }

    /// The request's id, chosen by the host. Kept beside the records, so that the same commit is kept once.
    #[must_use]
    pub fn id(&self) -> &IdempotencyKey {
        &self.id
    }

    /// The account that changes.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The version that the records were decided on: that of the last record kept, or nothing may be kept. 0: no
    /// record is kept.
    #[must_use]
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// The version of the last record, which the account has afterwards.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The records, in the order of their versions; at least one.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The account after the last record, if the repository asked for it.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    /// The same with a snapshot that is known to be of it.
    pub(super) fn bringing(self, snapshot: Snapshot) -> Self {
        let snapshot = Some(snapshot);
        Self { snapshot, ..self }
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }
}

/// Why records are no commit.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitError {
    /// There is no record.
    #[error("a commit holds at least one record")]
    Empty,
    /// A record is of another account than the first, or does not follow the one before it.
    #[error("record {version} is not the next one of the commit's account")]
    OutOfOrder {
        /// The record's version.
        version: u64,
    },
    /// The snapshot is of another account, or of another version than the last record's.
    #[error("the snapshot is not of the commit's account after its last record")]
    OtherSnapshot,
}

//! Repositories that answer as a test says.

use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

/// A repository that returns what the test says, and fails where the test says so.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) snapshot: Option<Snapshot>,
    pub(super) tails: RefCell<Vec<RecordPage>>,
    pub(super) fails: bool,
    /// Whether reading records fails.
    pub(super) is_unreadable: bool,
    /// What every key stands for.
    pub(super) remembered: Option<StoredRequest>,
}

impl Repository for Scripted {
    type Error = DiskGone;

    fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, DiskGone> {
        if self.fails {
            Err(DiskGone)
        } else {
            Ok(self.snapshot.clone())
        }
    }

    fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, DiskGone> {
        if self.is_unreadable {
            return Err(DiskGone);
        }
        let mut tails = self.tails.borrow_mut();
        Ok(if tails.is_empty() {
            tail(&[], None)
        } else {
            tails.remove(0)
        })
    }

    fn request(
        &self,
        _: &AccountId,
        _: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, DiskGone> {
        Ok(self.remembered.clone())
    }

    fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
        if self.fails {
            Err(DiskGone)
        } else if self.remembered.is_some() {
            Ok(CommitOutcome::Duplicate)
        } else {
            Ok(CommitOutcome::Conflict)
        }
    }
}

pub(super) fn tail(records: &[Record], head: Option<Head>) -> RecordPage {
    let records = records.to_vec();
    RecordPage::Records { records, head }
}

/// The head after the last of these records.
pub(super) fn head(records: &[Record]) -> Option<Head> {
    records.last().map(head_after)
}

#[derive(Debug)]
pub(super) struct DiskGone;

impl Display for DiskGone {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is gone")
    }
}

impl Error for DiskGone {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Unplugged)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no such device")]
struct Unplugged;

/// A repository that always fails.
pub(super) struct AlwaysFails;

impl Repository for AlwaysFails {
    type Error = DiskGone;

    fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, DiskGone> {
        Err(DiskGone)
    }

    fn request(
        &self,
        _: &AccountId,
        _: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, DiskGone> {
        Err(DiskGone)
    }

    fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
        Err(DiskGone)
    }
}

/// A repository to which another writer has always just committed one more record, as long as there are any.
pub(super) struct Busy {
    records: Vec<Record>,
    shown: RefCell<usize>,
}

impl Busy {
    pub(super) fn after(version: usize, world: &World) -> Self {
        Self {
            records: world.records.clone(),
            shown: RefCell::new(version),
        }
    }
}

impl Repository for Busy {
    type Error = DiskGone;

    fn records_after(&self, _: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        let mut shown = self.shown.borrow_mut();
        *shown = self.records.len().min(*shown + 1);
        let version = usize::try_from(version).unwrap();
        Ok(tail(
            &self.records[version..*shown],
            head(&self.records[..*shown]),
        ))
    }

    fn request(
        &self,
        _: &AccountId,
        _: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, DiskGone> {
        Ok(None)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, DiskGone> {
        // Only what changes nothing is ever stored, and only while nobody else comes first.
        let is_quiet = self.records.len() == *self.shown.borrow();
        let is_first = commit.expected() == head(&self.records).as_ref();
        if commit.records().is_empty() && is_quiet && is_first {
            return Ok(CommitOutcome::Appended);
        }
        Ok(CommitOutcome::Conflict)
    }
}

/// A repository that stores a snapshot at every third version.
pub(super) struct EveryThird(pub(super) MemoryRepository);

impl Repository for EveryThird {
    type Error = Infallible;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Infallible> {
        self.0.snapshot(account)
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        self.0.records_after(account, version)
    }

    fn request(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        self.0.request(account, id)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        self.0.commit(commit)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        expected / 3 != version / 3
    }
}

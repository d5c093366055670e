//! The repository that needs nothing: records in memory.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::contract::{CommitOutcome, RecordPage, Repository};

/// Keeps records in memory, for as long as it lives. For tests, for trying things out, and as the example of what a
/// repository must do. Can be shared by threads.
#[derive(Debug, Default)]
pub struct MemoryRepository {
    accounts: Mutex<HashMap<AccountId, Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    snapshot: Option<Snapshot>,
    /// All there are, from version 1 on.
    records: Vec<Record>,
    /// Where in `records` those of each commit lie.
    commits: HashMap<IdempotencyKey, Range<usize>>,
}

impl Kept {
    fn last(&self) -> u64 {
        self.records.last().map_or(0, Record::version)
    }
}

impl MemoryRepository {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn accounts(&self) -> MutexGuard<'_, HashMap<AccountId, Kept>> {
        // Nothing is ever half written, so a thread that panicked elsewhere leaves good data.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repository for MemoryRepository {
    type Error = Infallible;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Infallible> {
        let accounts = self.accounts();
        Ok(accounts.get(account).and_then(|kept| kept.snapshot.clone()))
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        let accounts = self.accounts();
        let Some(kept) = accounts.get(account) else {
            let (records, last) = (Vec::new(), 0);
            return Ok(RecordPage::Records { records, last });
        };
        // Versions have no gaps, so that many records come first.
        let after = usize::try_from(version).map_or(&[][..], |version| {
            kept.records.get(version..).unwrap_or_default()
        });
        let (records, last) = (after.to_vec(), kept.last());
        Ok(RecordPage::Records { records, last })
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, Infallible> {
        let accounts = self.accounts();
        let of_it = accounts.get(account).and_then(|kept| {
            let range = kept.commits.get(id)?.clone();
            kept.records.get(range)
        });
        Ok(of_it.unwrap_or_default().to_vec())
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        let mut accounts = self.accounts();
        let last = match accounts.get(commit.account()) {
            Some(kept) if kept.commits.contains_key(commit.id()) => {
                return Ok(CommitOutcome::Duplicate);
            }
            Some(kept) => kept.last(),
            None => 0,
        };
        if last != commit.expected() {
            return Ok(CommitOutcome::Conflict);
        }
        let kept = accounts.entry(commit.account().clone()).or_default();
        let start = kept.records.len();
        kept.records.extend_from_slice(commit.records());
        kept.commits
            .insert(commit.id().clone(), start..kept.records.len());
        if let Some(snapshot) = commit.snapshot() {
            kept.snapshot = Some(snapshot.clone());
        }
        Ok(CommitOutcome::Appended)
    }
}

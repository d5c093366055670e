//! The repository that needs nothing: records in memory.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::contract::{CommitOutcome, EraseOutcome, RecordPage, Repository};
use crate::repository::head::{Head, HeadState};
use crate::repository::request::StoredRequest;

/// Keeps records in memory, for as long as it lives. For tests, for trying things out, and as the example of what a
/// repository must do. Can be shared by threads.
#[derive(Debug, Default)]
pub struct MemoryRepository {
    accounts: Mutex<HashMap<AccountId, Kept>>,
}

#[derive(Clone, Debug)]
struct Kept {
    head: Head,
    /// All there are, from version 1 on.
    records: Vec<Record>,
    requests: HashMap<IdempotencyKey, StoredRequest>,
    snapshot: Option<Snapshot>,
}

impl MemoryRepository {
    /// Creates an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a copy of all that is kept now, as a backup would hold it.
    #[must_use]
    pub fn backup(&self) -> Self {
        Self {
            accounts: Mutex::new(self.accounts().clone()),
        }
    }

    /// Puts what a backup holds in the place of all that is kept.
    pub fn restore(&self, backup: &Self) {
        let kept = backup.accounts().clone();
        *self.accounts() = kept;
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
            let (records, head) = (Vec::new(), None);
            return Ok(RecordPage::Records { records, head });
        };
        // Versions have no gaps, so that many records come first.
        let after = usize::try_from(version).map_or(&[][..], |version| {
            kept.records.get(version..).unwrap_or_default()
        });
        let (records, head) = (after.to_vec(), Some(kept.head));
        Ok(RecordPage::Records { records, head })
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        let accounts = self.accounts();
        let kept = accounts.get(account);
        Ok(kept.and_then(|kept| kept.requests.get(key).cloned()))
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        let mut accounts = self.accounts();
        let kept = accounts.get(commit.account());
        if kept.is_some_and(|kept| kept.requests.contains_key(commit.key())) {
            return Ok(CommitOutcome::Duplicate);
        }
        let head = kept.map(|kept| &kept.head);
        let is_over = head.is_some_and(|head| head.state != HeadState::Open);
        if head != commit.expected() || is_over {
            return Ok(CommitOutcome::Conflict);
        }
        let account = commit.account().clone();
        let kept = accounts.entry(account).or_insert_with(|| Kept {
            head: *commit.head(),
            records: Vec::new(),
            requests: HashMap::new(),
            snapshot: None,
        });
        kept.head = *commit.head();
        kept.records.extend_from_slice(commit.records());
        kept.requests
            .insert(commit.key().clone(), commit.request().clone());
        if let Some(snapshot) = commit.snapshot() {
            kept.snapshot = Some(snapshot.clone());
        }
        Ok(CommitOutcome::Appended)
    }

    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, Infallible> {
        let mut accounts = self.accounts();
        let Some(kept) = accounts.get_mut(account) else {
            return Ok(EraseOutcome::Unknown);
        };
        if kept.head.state == HeadState::Open {
            return Ok(EraseOutcome::NotClosed);
        }
        kept.head.state = HeadState::Erased;
        kept.records = Vec::new();
        kept.requests = HashMap::new();
        kept.snapshot = None;
        Ok(EraseOutcome::Erased)
    }
}

//! The repository that needs nothing: records in memory.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::event::Record;
use crate::id::AccountId;
use crate::repository::{Commit, Repository, Stored};

/// Keeps records in memory, for as long as it lives. For tests, for trying things out, and as the example of what a
/// repository must do. Can be shared by threads.
#[derive(Debug, Default)]
pub struct MemoryRepository {
    records: Mutex<HashMap<AccountId, Vec<Record>>>,
}

impl MemoryRepository {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, HashMap<AccountId, Vec<Record>>> {
        // Nothing is ever half written, so a thread that panicked elsewhere leaves good data.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repository for MemoryRepository {
    type Error = MemoryError;

    fn load(&self, account: &AccountId) -> Result<Option<Stored>, MemoryError> {
        let stored = |records: &Vec<Record>| Stored {
            snapshot: None,
            records: records.clone(),
        };
        Ok(self.records().get(account).map(stored))
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<Vec<Record>, MemoryError> {
        let all = self.records();
        // Versions have no gaps, so that many records come first.
        let after = usize::try_from(version).ok().zip(all.get(account));
        Ok(after
            .and_then(|(version, kept)| kept.get(version..))
            .map(<[Record]>::to_vec)
            .unwrap_or_default())
    }

    fn commit(
        &self,
        account: &AccountId,
        expected: u64,
        records: &[Record],
    ) -> Result<Commit, MemoryError> {
        let versions = (1..).map(|after| expected.checked_add(after));
        let is_next = |(record, version): (&Record, Option<u64>)| {
            record.account() == account && Some(record.version()) == version
        };
        if !records.iter().zip(versions).all(is_next) {
            return Err(MemoryError::OutOfOrder {
                account: account.clone(),
                expected,
            });
        }
        let mut all = self.records();
        let last = all
            .get(account)
            .and_then(|kept| kept.last())
            .map_or(0, Record::version);
        if last != expected {
            return Ok(Commit::Conflict);
        }
        if !records.is_empty() {
            all.entry(account.clone())
                .or_default()
                .extend_from_slice(records);
        }
        Ok(Commit::Done)
    }
}

/// Why records could not be kept in memory.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MemoryError {
    /// The records are not those of this account that follow the expected version without gaps.
    #[error("the records are not those of account `{account}` that follow version {expected}")]
    OutOfOrder {
        /// The account that was named.
        account: AccountId,
        /// The version that was named.
        expected: u64,
    },
}

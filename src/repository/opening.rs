//! Opening, once for both kinds of repository.

use crate::account::limits::GroupLimit;
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::commit::Commit;
use crate::repository::contract::CommitOutcome;
use crate::repository::error::RepositoryError;
use crate::repository::protocol::{ATTEMPTS, load};
use crate::repository::replica::Replica;
use crate::repository::storage::{Outcome, Storage};
use crate::time::Timestamp;

/// What an account is opened with.
pub(super) struct Opening {
    pub(super) key: IdempotencyKey,
    pub(super) id: AccountId,
    pub(super) owner: MemberId,
    pub(super) group_limit: GroupLimit,
    pub(super) now: Timestamp,
}

/// An account that was opened.
pub(super) enum Opened {
    /// By this call, with this commit.
    Now(Box<Commit>, Replica),
    /// By an earlier one with the same request.
    Before(Replica),
}

impl Opened {
    pub(super) fn into_replica(self) -> Replica {
        match self {
            Opened::Now(_, replica) | Opened::Before(replica) => replica,
        }
    }
}

/// Opens an account and keeps its first record.
pub(super) async fn open(storage: &impl Storage, opening: Opening) -> Outcome<Opened> {
    let Opening {
        key,
        id,
        owner,
        group_limit,
        now,
    } = opening;
    let (commit, account) = Commit::opening(key, id, owner, group_limit, now);
    let id = account.id();
    for _ in 0..ATTEMPTS {
        if storage.commit(&commit).await? == CommitOutcome::Appended {
            let replica = Replica::new(account);
            return Ok(Opened::Now(Box::new(commit), replica));
        }
        // There is such an account, perhaps by this very request; or another transaction was in the way, and left
        // nothing.
        let stored = storage.request(id, commit.key()).await?;
        let replica = load(storage, id).await?;
        match (stored, replica) {
            (Some(stored), Some(replica)) if stored == *commit.request() => {
                return Ok(Opened::Before(replica));
            }
            (_, Some(_)) => {
                let account = id.clone();
                return Err(RepositoryError::AccountExists { account });
            }
            (_, None) => {}
        }
    }
    let attempts = ATTEMPTS;
    Err(RepositoryError::Contended { attempts })
}

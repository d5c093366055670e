//! Keeping accounts: a trait for the host's storage, and commands executed over it.
//!
//! ```
//! use grantbook::repository::{self, MemoryRepository};
//! use grantbook::{AccountId, Actor, Command, GroupLimit, MemberId, StoreId, Timestamp};
//!
//! let (kept, acme, olga) = (MemoryRepository::new(), AccountId::parse("acme")?, MemberId::parse("olga")?);
//! let now = Timestamp::from_millis(1_700_000_000_000);
//!
//! let mut account = repository::open(&kept, acme.clone(), olga.clone(), GroupLimit::default(), now)?;
//! let command = Command::CreateStore { store: StoreId::parse("dev")? };
//! repository::execute(&kept, &mut account, &Actor::Member(olga), &[command], now)?;
//!
//! assert_eq!(repository::load(&kept, &acme)?, Some(account));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::error::Error;

use crate::account::Account;
use crate::account::command::{Actor, Command};
use crate::account::event::Record;
use crate::account::evolve::ReplayError;
use crate::account::limits::GroupLimit;
use crate::account::refusal::Refusal;
use crate::account::snapshot::{Snapshot, SnapshotError};
use crate::id::{AccountId, MemberId};
use crate::time::Timestamp;

mod memory;

pub use memory::{MemoryError, MemoryRepository};

/// Where a host keeps the records of its accounts.
///
/// Versions belong to an account and have no gaps, so `primary key (account, version)` is all the order and all the
/// concurrency control that a database needs. There is no way to write without saying which version is written on:
/// a revocation that somebody else overwrites is a security hole.
pub trait Repository {
    /// What can go wrong in the storage itself.
    type Error: Error;

    /// What is kept of an account; `None` if nothing is.
    ///
    /// # Errors
    /// The storage's own.
    fn load(&self, account: &AccountId) -> Result<Option<Stored>, Self::Error>;

    /// All records of an account after this version, in the order of their versions; none if there are none.
    ///
    /// # Errors
    /// The storage's own.
    fn records_after(&self, account: &AccountId, version: u64) -> Result<Vec<Record>, Self::Error>;

    /// Adds these records, all or none, if the last one kept is of the version `expected` (0: none is kept).
    /// Otherwise keeps nothing and answers [`Commit::Conflict`].
    ///
    /// # Errors
    /// The storage's own. It must not be used for a conflict, which is an ordinary answer.
    fn commit(
        &self,
        account: &AccountId,
        expected: u64,
        records: &[Record],
    ) -> Result<Commit, Self::Error>;
}

/// What is kept of an account: perhaps a snapshot, and the records after it (all, if there is none).
#[derive(Clone, Debug, Default)]
pub struct Stored {
    /// The account at some version.
    pub snapshot: Option<Snapshot>,
    /// The records after that version, in the order of their versions.
    pub records: Vec<Record>,
}

/// The answer to a commit.
///
/// Exhaustive on purpose: who commits must handle both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use = "a conflict means that nothing was kept"]
pub enum Commit {
    /// All records are kept.
    Done,
    /// The account has moved on from the expected version; nothing was kept.
    Conflict,
}

/// How often [`execute`] decides before it gives up.
const ATTEMPTS: usize = 16;

/// Opens an account and keeps its first record (A1).
///
/// # Errors
/// [`OpenError::Exists`] if the repository keeps such an account already.
pub fn open<R: Repository + ?Sized>(
    repository: &R,
    id: AccountId,
    owner: MemberId,
    group_limit: GroupLimit,
    now: Timestamp,
) -> Result<Account, OpenError<R::Error>> {
    let (account, record) = Account::open(id, owner, group_limit, now);
    match repository
        .commit(account.id(), 0, &[record])
        .map_err(OpenError::Repository)?
    {
        Commit::Done => Ok(account),
        Commit::Conflict => Err(OpenError::Exists {
            account: account.id().clone(),
        }),
    }
}

/// Loads an account; `None` if the repository keeps none of this id.
///
/// # Errors
/// The storage fails; or what it keeps is not this account, which is then not to be served.
pub fn load<R: Repository + ?Sized>(
    repository: &R,
    id: &AccountId,
) -> Result<Option<Account>, LoadError<R::Error>> {
    let Some(Stored { snapshot, records }) = repository.load(id).map_err(LoadError::Repository)?
    else {
        return Ok(None);
    };
    let (mut account, tail) = match (snapshot, records.split_first()) {
        (Some(snapshot), _) => (
            Account::try_from(snapshot).map_err(LoadError::Snapshot)?,
            records.as_slice(),
        ),
        (None, Some((first, tail))) => (Account::replay([first]).map_err(LoadError::Replay)?, tail),
        (None, None) => return Err(LoadError::Replay(ReplayError::NoRecords)),
    };
    if account.id() != id {
        let (expected, found) = (id.clone(), account.id().clone());
        return Err(LoadError::Replay(ReplayError::WrongAccount {
            expected,
            found,
            version: account.version(),
        }));
    }
    tail.iter()
        .try_for_each(|record| account.apply(record))
        .map_err(LoadError::Replay)?;
    Ok(Some(account))
}

/// Applies what the repository keeps beyond this account's version; how many records that were.
///
/// # Errors
/// As [`load`]. The account is then at the last version that could be applied.
pub fn catch_up<R: Repository + ?Sized>(
    repository: &R,
    account: &mut Account,
) -> Result<usize, LoadError<R::Error>> {
    let records = repository
        .records_after(account.id(), account.version())
        .map_err(LoadError::Repository)?;
    records
        .iter()
        .try_for_each(|record| account.apply(record))
        .map_err(LoadError::Replay)?;
    Ok(records.len())
}

/// Decides these commands, keeps their records, and then applies them to the account, which may be a copy that is
/// behind. All are accepted or none (U4). Gives the records, one for each command that changed something.
///
/// When the repository has moved on, the account catches up and the commands are decided *again*, on what is there
/// now: never is an old decision kept. A refusal, or that nothing would change, is believed only on a copy that is
/// up to date. After 16 attempts it gives up.
///
/// # Errors
/// [`ExecuteError::Refused`]: nothing was kept. [`ExecuteError::Contended`]: nothing was kept; try again later.
/// [`ExecuteError::Load`]: the storage failed, or gave records that do not fit.
pub fn execute<R: Repository + ?Sized>(
    repository: &R,
    account: &mut Account,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
) -> Result<Vec<Record>, ExecuteError<R::Error>> {
    for _ in 0..ATTEMPTS {
        let decided = match commands {
            [command] => account.decide(actor, command, now).map(Vec::from_iter),
            _ => account.decide_batch(actor, commands, now),
        };
        match decided {
            Ok(records) if !records.is_empty() => {
                let committed = repository.commit(account.id(), account.version(), &records);
                if committed.map_err(LoadError::Repository)? == Commit::Done {
                    records
                        .iter()
                        .try_for_each(|record| account.apply(record))
                        .map_err(LoadError::Replay)?;
                    return Ok(records);
                }
                catch_up(repository, account)?;
            }
            unchanged => {
                if catch_up(repository, account)? == 0 {
                    return unchanged.map_err(ExecuteError::Refused);
                }
            }
        }
    }
    Err(ExecuteError::Contended { attempts: ATTEMPTS })
}

/// Why an account could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E: Error> {
    /// The repository keeps such an account already.
    #[error("there is an account `{account}` already; load it")]
    Exists {
        /// Its id.
        account: AccountId,
    },
    /// The storage failed. Whether the account was opened is for the storage to say: load it.
    #[error("the repository failed")]
    Repository(#[source] E),
}

/// Why an account could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError<E: Error> {
    /// The storage failed.
    #[error("the repository failed")]
    Repository(#[source] E),
    /// What is kept as a snapshot is not an account.
    #[error("the stored snapshot is not an account")]
    Snapshot(#[source] SnapshotError),
    /// What is kept as records is not the account's history.
    #[error("the stored records are not this account's history")]
    Replay(#[source] ReplayError),
}

/// Why commands could not be executed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<E: Error> {
    /// The commands were refused.
    #[error(transparent)]
    Refused(Refusal),
    /// Others kept changing the account in between.
    #[error("the account changed {attempts} times while the command was being decided; try again")]
    Contended {
        /// How often it was decided.
        attempts: usize,
    },
    /// The account could not be brought up to date, or the commit failed. After a failed commit, whether the records
    /// were kept is for the storage to say: load the account again.
    #[error(transparent)]
    Load(#[from] LoadError<E>),
}

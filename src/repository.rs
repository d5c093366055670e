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
//!
//! # Several processes, several threads
//!
//! What a process holds is its own copy. [`execute`] brings it up to date whenever that matters for a change; for
//! checks, it is as new as the last [`execute`] or [`catch_up`]. How long a revocation made elsewhere may take to
//! count here is the host's choice: catch up before a check that must not be late, on a notice from the storage, or
//! every so often.
//!
//! Several threads share a copy as a [`Shared`]: checks do not wait for each other, nor for the storage, and a change
//! counts for every check that begins after [`Shared::execute`] has returned.
//!
//! # Snapshots
//!
//! Loading replays all records after the stored snapshot, or all there are. A host that finds this slow stores
//! [`Account::snapshot`] now and then beside the records, and gives the latest in [`Stored`]. Keep the records too:
//! they are the audit trail, and an account as it was is replayed from them.

use std::error::Error;
use std::ops::Deref;

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
mod shared;

pub use memory::{MemoryError, MemoryRepository};
pub use shared::Shared;

/// Where a host keeps the records of its accounts.
///
/// Versions belong to an account and have no gaps, so `primary key (account, version)` is all the order and all the
/// concurrency control that a database needs. There is no way to write without saying which version is written on:
/// a revocation that somebody else overwrites is a security hole.
///
/// [`MemoryRepository`] shows the whole contract in few lines. In a database, [`commit`](Repository::commit) is one
/// transaction that inserts the records, and a violated primary key is the conflict. To compare first and insert
/// afterwards without a lock or a transaction is a race, and loses changes.
pub trait Repository {
    /// What can go wrong in the storage itself.
    type Error: Error;

    /// What is kept of an account; `None` if nothing is (not an empty [`Stored`]).
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

/// An account as a repository keeps it. It changes by [`execute`] and [`catch_up`] only, so that it never says what the
/// repository does not; to read, it is an [`Account`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept(Account);

/// A copy that is kept: one thread's own, or one that many share.
trait KeptCopy {
    fn read<T>(&self, look: impl FnOnce(&Account) -> T) -> T;

    /// Applies records that the repository keeps, one after another, and shows each just before.
    fn apply_all(
        &mut self,
        records: &[Record],
        observe: impl FnMut(&Account, &Record),
    ) -> Result<(), ReplayError>;
}

impl KeptCopy for Kept {
    fn read<T>(&self, look: impl FnOnce(&Account) -> T) -> T {
        look(&self.0)
    }

    fn apply_all(
        &mut self,
        records: &[Record],
        mut observe: impl FnMut(&Account, &Record),
    ) -> Result<(), ReplayError> {
        records.iter().try_for_each(|record| {
            observe(&self.0, record);
            self.0.apply(record)
        })
    }
}

impl Deref for Kept {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
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
) -> Result<Kept, OpenError<R::Error>> {
    let (account, record) = Account::open(id, owner, group_limit, now);
    match repository
        .commit(account.id(), 0, &[record])
        .map_err(OpenError::Repository)?
    {
        Commit::Done => Ok(Kept(account)),
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
) -> Result<Option<Kept>, LoadError<R::Error>> {
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
    Ok(Some(Kept(account)))
}

/// Brings a copy up to date: applies the records that the repository keeps beyond its version. Gives their number.
///
/// # Errors
/// As [`load`]. The account is then at the last version that could be applied.
pub fn catch_up<R: Repository + ?Sized>(
    repository: &R,
    account: &mut Kept,
) -> Result<usize, LoadError<R::Error>> {
    catch_up_with(repository, account, |_, _| ())
}

/// As [`catch_up`], and shows each record just before it is applied, with the account as it is then.
///
/// # Errors
/// As [`catch_up`].
pub fn catch_up_with<R: Repository + ?Sized>(
    repository: &R,
    account: &mut Kept,
    observe: impl FnMut(&Account, &Record),
) -> Result<usize, LoadError<R::Error>> {
    caught_up(repository, account, observe)
}

fn caught_up<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut impl KeptCopy,
    observe: impl FnMut(&Account, &Record),
) -> Result<usize, LoadError<R::Error>> {
    let (id, version) = copy.read(|account| (account.id().clone(), account.version()));
    let records = repository
        .records_after(&id, version)
        .map_err(LoadError::Repository)?;
    copy.apply_all(&records, observe)
        .map_err(LoadError::Replay)?;
    Ok(records.len())
}

/// Decides these commands, keeps their records, and then applies them to the account, which may be a copy that is
/// behind. All are accepted or none (U4). Gives the records, one for each command that changed something.
///
/// When the repository has moved on, the account catches up and the commands are decided *again*, on what is there
/// now. A refusal, and the answer that nothing would change, are given only from a copy that is up to date. After 16
/// attempts it gives up.
///
/// # Errors
/// [`ExecuteError::Refused`]: nothing was kept. [`ExecuteError::Contended`]: nothing was kept; try again later.
/// [`ExecuteError::Diverged`]: nothing was kept; load the account. [`ExecuteError::Load`]: the storage failed, or gave
/// records that do not fit.
pub fn execute<R: Repository + ?Sized>(
    repository: &R,
    account: &mut Kept,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
) -> Result<Vec<Record>, ExecuteError<R::Error>> {
    execute_with(repository, account, actor, commands, now, |_, _| ())
}

/// As [`execute`], and shows each record just before it is applied, with the account as it is then: those of other
/// processes that are caught up with, and those of these commands once they are kept. For notifications, and for
/// revoking what was handed out:
///
/// ```
/// # use grantbook::{repository::{self, MemoryRepository}, *};
/// # let (kept, olga, now) = (MemoryRepository::new(), MemberId::parse("olga")?, Timestamp::from_millis(0));
/// # let mut account =
/// #     repository::open(&kept, AccountId::parse("acme")?, olga, GroupLimit::default(), now)?;
/// let otto = MemberId::parse("otto")?;
/// let commands = [
///     Command::EnrolMembers { members: [otto.clone()].into() },
///     Command::GrantOwnership { member: otto.clone() },
///     Command::RevokeOwnership { member: otto },
/// ];
/// let mut to_revoke = Vec::new();
/// repository::execute_with(&kept, &mut account, &Actor::System, &commands, now, |before, record| {
///     let delta = before.delta_of(record).unwrap_or_default();
///     to_revoke.extend(delta.iter().filter(|change| change.loses_any()).map(|change| change.member.clone()));
/// })?;
/// assert_eq!(to_revoke, [MemberId::parse("otto")?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`execute`].
pub fn execute_with<R: Repository + ?Sized>(
    repository: &R,
    account: &mut Kept,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
    observe: impl FnMut(&Account, &Record),
) -> Result<Vec<Record>, ExecuteError<R::Error>> {
    executed(repository, account, actor, commands, now, observe)
}

fn executed<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut impl KeptCopy,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
    mut observe: impl FnMut(&Account, &Record),
) -> Result<Vec<Record>, ExecuteError<R::Error>> {
    let mut behind = 0;
    for _ in 0..ATTEMPTS {
        let (id, version, decided) = copy.read(|account| {
            let decided = account.decide_batch(actor, commands, now);
            (account.id().clone(), account.version(), decided)
        });
        match decided {
            Ok(records) if !records.is_empty() => {
                let committed = repository.commit(&id, version, &records);
                if committed.map_err(LoadError::Repository)? == Commit::Done {
                    copy.apply_all(&records, observe)
                        .map_err(LoadError::Replay)?;
                    return Ok(records);
                }
                behind += caught_up(repository, copy, &mut observe)?;
            }
            unchanged => match caught_up(repository, copy, &mut observe)? {
                0 => return unchanged.map_err(ExecuteError::Refused),
                records => behind += records,
            },
        }
    }
    Err(match behind {
        0 => ExecuteError::Diverged {
            version: copy.read(Account::version),
        },
        _ => ExecuteError::Contended { attempts: ATTEMPTS },
    })
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
    #[error("the repository failed: {0}")]
    Repository(E),
}

/// Why an account could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError<E: Error> {
    /// The storage failed.
    #[error("the repository failed: {0}")]
    Repository(E),
    /// What is kept as a snapshot is not an account.
    #[error("the stored snapshot is not an account: {0}")]
    Snapshot(SnapshotError),
    /// What is kept as records is not the account's history.
    #[error("the stored records are not this account's history: {0}")]
    Replay(ReplayError),
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
    /// The repository refuses this copy's version and has no later records: it keeps less than this copy holds. It may
    /// have been restored from a backup.
    #[error(
        "this copy is at version {version}, which the repository does not keep; load the account again"
    )]
    Diverged {
        /// The copy's version.
        version: u64,
    },
    /// The account could not be brought up to date, or the commit failed. After a failed commit, whether the records
    /// were kept is for the storage to say: load the account again.
    #[error(transparent)]
    Load(#[from] LoadError<E>),
}

impl<E: Error> OpenError<E> {
    /// A stable code: `account-exists` or `repository-failed`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Exists { .. } => "account-exists",
            OpenError::Repository(_) => "repository-failed",
        }
    }
}

impl<E: Error> LoadError<E> {
    /// A stable code: `repository-failed`, or that of the [`SnapshotError`] or the [`ReplayError`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::Repository(_) => "repository-failed",
            LoadError::Snapshot(error) => error.code(),
            LoadError::Replay(error) => error.code(),
        }
    }
}

impl<E: Error> ExecuteError<E> {
    /// A stable code: that of the [`Refusal`] or the [`LoadError`], `contended` or `diverged`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ExecuteError::Refused(refusal) => refusal.code(),
            ExecuteError::Contended { .. } => "contended",
            ExecuteError::Diverged { .. } => "diverged",
            ExecuteError::Load(error) => error.code(),
        }
    }
}

//! One copy for many threads.

use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use crossbeam_utils::sync::ShardedLock;

use crate::access::Place;
use crate::account::Account;
use crate::account::command::{Actor, Command};
use crate::account::event::Record;
use crate::account::evolve::ReplayError;
use crate::permission::Permission;
use crate::repository::{ExecuteError, Kept, KeptCopy, LoadError, Repository, caught_up, executed};
use crate::time::Timestamp;

/// An account as a repository keeps it, shared by many threads that check and some that change.
///
/// Checks do not slow each other: each thread locks a place of its own. A change is decided and stored while checks go
/// on; they wait only while it is applied, which takes about a microsecond and copies nothing. One change is made at a
/// time. It counts for every check that begins after [`execute`](Shared::execute) has returned, in this process.
///
/// ```
/// # use grantbook::{repository::{self, MemoryRepository, Shared}, *};
/// # let (kept, olga, now) = (MemoryRepository::new(), MemberId::parse("olga")?, Timestamp::from_millis(0));
/// # let (dev, acme) = (StoreId::parse("dev")?, AccountId::parse("acme")?);
/// # let acme = repository::open(&kept, acme, olga, GroupLimit::default(), now)?;
/// let shared = Shared::new(acme);
/// std::thread::scope(|threads| {
///     threads.spawn(|| shared.can("olga", &Permission::STORE_READ, Place::Store("dev")));
///     threads.spawn(|| shared.execute(&kept, &Actor::System, &[Command::CreateStore { store: dev }], now));
/// });
/// assert!(shared.can("olga", &Permission::STORE_READ, Place::Store("dev")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Shared {
    account: ShardedLock<Kept>,
    /// Held by who changes it, from the decision until it is applied.
    changing: Mutex<()>,
}

impl Shared {
    /// Shares a copy.
    #[must_use]
    pub fn new(account: Kept) -> Self {
        let (account, changing) = (ShardedLock::new(account), Mutex::new(()));
        Self { account, changing }
    }

    /// As [`Account::can`].
    #[must_use]
    pub fn can(&self, member: &str, permission: &Permission, place: Place<&str>) -> bool {
        self.read().can(member, permission, place)
    }

    /// The account, for several questions about one moment. It does not change until this is dropped, so whoever
    /// changes it waits, and then whoever asks: hold it briefly, never while waiting for something else. A thread that
    /// holds one and asks for another may wait for ever.
    pub fn read(&self) -> impl Deref<Target = Account> {
        Reading(
            self.account
                .read()
                // Nothing is half applied: a panic can only have come from what the host observes with, between records.
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// As [`repository::execute`](super::execute).
    ///
    /// # Errors
    /// As [`repository::execute`](super::execute).
    pub fn execute<R: Repository + ?Sized>(
        &self,
        repository: &R,
        actor: &Actor,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<Vec<Record>, ExecuteError<R::Error>> {
        self.execute_with(repository, actor, commands, now, |_, _| ())
    }

    /// As [`repository::execute_with`](super::execute_with). Checks wait while records are shown.
    ///
    /// # Errors
    /// As [`repository::execute`](super::execute).
    pub fn execute_with<R: Repository + ?Sized>(
        &self,
        repository: &R,
        actor: &Actor,
        commands: &[Command],
        now: Timestamp,
        observe: impl FnMut(&Account, &Record),
    ) -> Result<Vec<Record>, ExecuteError<R::Error>> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        executed(
            repository,
            &mut &self.account,
            actor,
            commands,
            now,
            observe,
        )
    }

    /// As [`repository::catch_up`](super::catch_up).
    ///
    /// # Errors
    /// As [`repository::catch_up`](super::catch_up).
    pub fn catch_up<R: Repository + ?Sized>(
        &self,
        repository: &R,
    ) -> Result<usize, LoadError<R::Error>> {
        self.catch_up_with(repository, |_, _| ())
    }

    /// As [`repository::catch_up_with`](super::catch_up_with). Checks wait while records are shown.
    ///
    /// # Errors
    /// As [`repository::catch_up`](super::catch_up).
    pub fn catch_up_with<R: Repository + ?Sized>(
        &self,
        repository: &R,
        observe: impl FnMut(&Account, &Record),
    ) -> Result<usize, LoadError<R::Error>> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        caught_up(repository, &mut &self.account, observe)
    }
}

struct Reading<G>(G);

impl<G: Deref<Target = Kept>> Deref for Reading<G> {
    type Target = Account;

    fn deref(&self) -> &Account {
        &self.0
    }
}

impl KeptCopy for &ShardedLock<Kept> {
    fn read<T>(&self, look: impl FnOnce(&Account) -> T) -> T {
        look(&ShardedLock::read(self).unwrap_or_else(PoisonError::into_inner))
    }

    fn apply_all(
        &mut self,
        records: &[Record],
        observe: impl FnMut(&Account, &Record),
    ) -> Result<(), ReplayError> {
        let mut kept = self.write().unwrap_or_else(PoisonError::into_inner);
        kept.apply_all(records, observe)
    }
}

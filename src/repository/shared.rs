//! One copy for many threads.

use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crossbeam_utils::sync::ShardedLock;

use crate::access::Resource;
use crate::account::Account;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::permission::Permission;
use crate::repository::contract::{AsyncRepository, Repository};
use crate::repository::error::{ExecuteError, LoadError};
use crate::repository::replica::{AsOf, Freshness, Ingested, Replica, StaleError};
use crate::repository::request::Request;
use crate::repository::steps::{self, AtOnce, Awaited, Held, at_once};

/// A [`Replica`] that many threads share: many that check, and some that change.
///
/// Checks do not slow each other: each thread locks a place of its own. A change is decided and stored while checks go
/// on; they wait while it is applied, which takes about a microsecond and copies nothing, and which waits itself until
/// whoever reads or decides is done. It counts for every check that begins after [`execute`](Shared::execute) has
/// returned, in this process.
///
/// Over a [`Repository`] one request is executed at a time. Over an [`AsyncRepository`] those that come at once meet at
/// the storage, and all but one of them are decided again, so that of more than 64 at once some end as `contended`;
/// where many come at once, let them pass one by one through a lock of the host's runtime.
///
/// **What observes is shown each record once for each copy, by whoever applies it**: a record of one's own request,
/// too, may be applied by another thread that catches up first. So give each `_with` method of a copy the same
/// observer; a version that is missing before a record tells that the copy began again from a snapshot. It must not ask
/// this copy, nor a [`Realm`](super::Realm) that holds it: it would wait for itself.
///
/// ```
/// # use grantbook::{repository::{self, MemoryRepository, Request, Shared}, *};
/// # let (kept, olga, now) = (MemoryRepository::new(), MemberId::parse("olga")?, Timestamp::from_millis(0));
/// # let (dev, acme) = (StoreId::parse("dev")?, AccountId::parse("acme")?);
/// # let acme = repository::open(&kept, IdempotencyKey::parse("1")?, acme, olga, GroupLimit::default(), now)?;
/// # let (commit, actor) = (IdempotencyKey::parse("2")?, Actor::System);
/// let shared = Shared::new(acme);
/// let request = Request { commit, actor, commands: vec![command::CreateStore { store: dev }.into()], now, note: None };
/// std::thread::scope(|threads| {
///     threads.spawn(|| shared.can("olga", &Permission::STORE_READ, Resource::Store("dev")));
///     threads.spawn(|| shared.execute(&kept, &request));
/// });
/// assert!(shared.can("olga", &Permission::STORE_READ, Resource::Store("dev")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Shared {
    replica: ShardedLock<Replica>,
    /// Members and stores, as they were after the last change: to be counted by whoever must not wait for the lock.
    size: AtomicUsize,
    /// Held by who changes it over a repository that makes its thread wait, from the decision until it is applied.
    changing: Mutex<()>,
}

impl Shared {
    /// Shares a copy.
    #[must_use]
    pub fn new(replica: Replica) -> Self {
        Self {
            size: AtomicUsize::new(size(&replica)),
            replica: ShardedLock::new(replica),
            changing: Mutex::new(()),
        }
    }

    /// As [`Account::can`]. Allocates nothing but, for the first check of a thread, its place among those that read.
    #[must_use]
    pub fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        self.read().can(member, permission, resource)
    }

    /// The copy, for several questions about one moment. It does not change until this is dropped, so whoever changes
    /// it waits, and then whoever asks: hold it briefly, never while waiting for something else. A thread that holds
    /// one and asks for another may wait forever.
    pub fn read(&self) -> impl Deref<Target = Replica> {
        self.replica
            .read()
            // Nothing is half applied: a panic can only have come from what the host observes with, between records.
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// As [`Replica::at_least`]; the copy is held as by [`read`](Shared::read).
    ///
    /// # Errors
    /// As [`Replica::at_least`].
    pub fn at_least(&self, version: u64) -> Result<impl Deref<Target = Replica>, StaleError> {
        let replica = self.read();
        replica.at_least(version)?;
        Ok(replica)
    }

    /// As [`Replica::as_of`].
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        self.read().as_of()
    }

    /// As [`Replica::ingest`].
    ///
    /// # Errors
    /// As [`Replica::ingest`].
    pub fn ingest(&self, record: &Record) -> Result<Ingested, ReplayError> {
        self.ingest_with(record, |_, _| ())
    }

    /// As [`Replica::ingest_with`]. Checks wait while the record is shown.
    ///
    /// # Errors
    /// As [`Replica::ingest`].
    pub fn ingest_with(
        &self,
        record: &Record,
        observe: impl FnOnce(&Account, &Record),
    ) -> Result<Ingested, ReplayError> {
        (&mut &*self).change(|replica| replica.ingest_with(record, observe))
    }

    /// Members and stores.
    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    /// As [`Replica::notify_version`]. Holds up no check.
    pub fn notify_version(&self, version: u64) -> Freshness {
        self.read().heard_of(version)
    }

    /// As [`repository::execute`](super::execute).
    ///
    /// # Errors
    /// As [`repository::execute`](super::execute).
    pub fn execute<R: Repository + ?Sized>(
        &self,
        repository: &R,
        request: &Request,
    ) -> Result<Vec<Record>, ExecuteError<R::Error>> {
        self.execute_with(repository, request, |_, _| ())
    }

    /// As [`repository::execute_with`](super::execute_with). Checks wait while records are shown.
    ///
    /// # Errors
    /// As [`repository::execute`](super::execute).
    pub fn execute_with<R: Repository + ?Sized>(
        &self,
        repository: &R,
        request: &Request,
        mut observe: impl FnMut(&Account, &Record),
    ) -> Result<Vec<Record>, ExecuteError<R::Error>> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        at_once(steps::execute(
            &AtOnce(repository),
            &mut &*self,
            request,
            &mut observe,
        ))
    }

    /// [`execute`](Shared::execute), waiting without holding up a thread. If it is dropped before it is done, the
    /// request may have been kept: the same request can be made again.
    ///
    /// # Errors
    /// As [`repository::execute`](super::execute).
    pub async fn execute_async<R: AsyncRepository + ?Sized>(
        &self,
        repository: &R,
        request: &Request,
    ) -> Result<Vec<Record>, ExecuteError<R::Error>> {
        self.execute_with_async(repository, request, |_, _| ())
            .await
    }

    /// [`execute_with`](Shared::execute_with), waiting without holding up a thread.
    ///
    /// # Errors
    /// As [`repository::execute`](super::execute).
    pub async fn execute_with_async<R: AsyncRepository + ?Sized>(
        &self,
        repository: &R,
        request: &Request,
        mut observe: impl FnMut(&Account, &Record),
    ) -> Result<Vec<Record>, ExecuteError<R::Error>> {
        steps::execute(&Awaited(repository), &mut &*self, request, &mut observe).await
    }

    /// As [`repository::catch_up`](super::catch_up).
    ///
    /// # Errors
    /// As [`repository::catch_up`](super::catch_up).
    pub fn catch_up<R: Repository + ?Sized>(
        &self,
        repository: &R,
    ) -> Result<(), LoadError<R::Error>> {
        self.catch_up_with(repository, |_, _| ())
    }

    /// As [`repository::catch_up_with`](super::catch_up_with). Checks wait while records are shown.
    ///
    /// # Errors
    /// As [`repository::catch_up`](super::catch_up).
    pub fn catch_up_with<R: Repository + ?Sized>(
        &self,
        repository: &R,
        mut observe: impl FnMut(&Account, &Record),
    ) -> Result<(), LoadError<R::Error>> {
        at_once(steps::catch_up(
            &AtOnce(repository),
            &mut &*self,
            &mut observe,
        ))
    }

    /// [`catch_up`](Shared::catch_up), waiting without holding up a thread.
    ///
    /// # Errors
    /// As [`repository::catch_up`](super::catch_up).
    pub async fn catch_up_async<R: AsyncRepository + ?Sized>(
        &self,
        repository: &R,
    ) -> Result<(), LoadError<R::Error>> {
        self.catch_up_with_async(repository, |_, _| ()).await
    }

    /// [`catch_up_with`](Shared::catch_up_with), waiting without holding up a thread.
    ///
    /// # Errors
    /// As [`repository::catch_up`](super::catch_up).
    pub async fn catch_up_with_async<R: AsyncRepository + ?Sized>(
        &self,
        repository: &R,
        mut observe: impl FnMut(&Account, &Record),
    ) -> Result<(), LoadError<R::Error>> {
        steps::catch_up(&Awaited(repository), &mut &*self, &mut observe).await
    }
}

impl Held for &Shared {
    fn read<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        look(&Shared::read(self))
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Replica) -> T) -> T {
        let replica = &mut self.replica.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(replica);
        self.size.store(size(replica), Ordering::Relaxed);
        changed
    }
}

fn size(replica: &Replica) -> usize {
    replica.member_count() + replica.store_count()
}

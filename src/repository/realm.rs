//! Many accounts in one process.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crossbeam_utils::sync::ShardedLock;

use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::account::status::MemberStatus;
use crate::id::AccountId;
use crate::repository::contract::{AsyncRepository, Repository};
use crate::repository::error::LoadError;
use crate::repository::replica::{Freshness, Ingested, Replica};
use crate::repository::shared::Shared;
use crate::repository::steps::{self, AtOnce, Awaited, Storage, at_once};

/// What an account counts for beside its members and stores.
const ACCOUNT: usize = 100;

/// The accounts that a process holds: loaded when they are first asked for, shared by its threads, and given up when
/// there are too many, those that were asked for longest ago first.
///
/// Accounts have nothing to do with each other (A4): a realm finds them by their ids and passes on what the host hears,
/// no more. Member ids are the same person in all of them.
///
/// ```
/// use std::num::NonZeroUsize;
/// # use grantbook::repository::{self, MemoryRepository};
/// use grantbook::repository::Realm;
/// # use grantbook::*;
/// # let (kept, olga, now) = (MemoryRepository::new(), MemberId::parse("olga")?, Timestamp::from_millis(0));
/// # let (one, acme) = (IdempotencyKey::parse("1")?, AccountId::parse("acme")?);
/// # repository::open(&kept, one, acme.clone(), olga, GroupLimit::default(), now)?;
///
/// let realm = Realm::new(NonZeroUsize::new(1_000_000).unwrap()); // some 110 MB
/// let acme = realm.load(&kept, &acme)?.ok_or("no such account")?;
/// assert!(acme.can("olga", &Permission::MANAGE_STORES, Resource::Account));
///
/// // The host hears that there is a record 7 of this account, and one of an account that nobody asked for.
/// if let Some(repository::Freshness::CatchUp { .. }) = realm.notify_version("acme", 7) { /* acme.catch_up(&kept)? */ }
/// assert_eq!(realm.notify_version("globex", 3), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Realm {
    most: usize,
    loaded: ShardedLock<HashMap<AccountId, Loaded>>,
    /// The accounts that are being loaded, and the latest version that was heard of since. Locked before `loaded`, so
    /// that no notice falls between the two.
    loading: Mutex<HashMap<AccountId, Loading>>,
    /// Counts what is asked for.
    uses: AtomicU64,
}

#[derive(Debug)]
struct Loaded {
    shared: Arc<Shared>,
    /// When it was last asked for, in `uses`.
    used: AtomicU64,
}

#[derive(Debug, Default)]
struct Loading {
    /// How many are loading it at once.
    by: usize,
    heard_of: u64,
}

impl Realm {
    /// Holds about so many members and stores in all accounts together, an account counting for a hundred besides its
    /// own; each takes about 110 bytes. It is counted when an account is loaded, and one that is in use is not given
    /// up, so it may be more for a while.
    #[must_use]
    pub fn new(most: NonZeroUsize) -> Self {
        Self {
            most: most.get(),
            loaded: ShardedLock::default(),
            loading: Mutex::default(),
            uses: AtomicU64::new(0),
        }
    }

    /// An account that is loaded. Let go of it when what it was asked for is done: it is not given up before.
    #[must_use]
    pub fn loaded(&self, id: &str) -> Option<Arc<Shared>> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        let found = loaded.get(id)?;
        found.used.store(self.next_use(), Ordering::Relaxed);
        Some(Arc::clone(&found.shared))
    }

    /// An account, loaded if it was not; `None` if the repository keeps none of this id. It is as new as all that this
    /// realm has heard of it: a copy that is behind that catches up first. Threads that ask for the same account at
    /// once may each read it; one copy stays.
    ///
    /// # Errors
    /// As [`repository::load`](super::load).
    pub fn load<R: Repository + ?Sized>(
        &self,
        repository: &R,
        id: &AccountId,
    ) -> Result<Option<Arc<Shared>>, LoadError<R::Error>> {
        at_once(self.load_from(&AtOnce(repository), id))
    }

    /// [`load`](Realm::load), waiting without holding up a thread.
    ///
    /// # Errors
    /// As [`repository::load`](super::load).
    pub async fn load_async<R: AsyncRepository + ?Sized>(
        &self,
        repository: &R,
        id: &AccountId,
    ) -> Result<Option<Arc<Shared>>, LoadError<R::Error>> {
        self.load_from(&Awaited(repository), id).await
    }

    async fn load_from<S: Storage>(
        &self,
        storage: &S,
        id: &AccountId,
    ) -> Result<Option<Arc<Shared>>, LoadError<S::Error>> {
        let shared = if let Some(shared) = self.loaded(id) {
            shared
        } else {
            let _being_loaded = BeingLoaded::new(self, id);
            let Some(replica) = steps::load(storage, id).await? else {
                return Ok(None);
            };
            self.insert(replica)
        };
        // What was heard of while it was being loaded, by whomever, and whether or not that came to its end.
        if shared.as_of().behind > 0 {
            steps::catch_up(storage, &mut &*shared, &mut |_, _| ()).await?;
        }
        Ok(Some(shared))
    }

    /// Takes a copy, such as that of an account just opened. Where there is one of this account already, that stays.
    pub fn insert(&self, replica: Replica) -> Arc<Shared> {
        let (id, version) = (replica.id().clone(), replica.version());
        let shared = {
            let loading = self.loading();
            let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
            let heard_of = loading.get(&id).map_or(0, |loading| loading.heard_of);
            let entry = loaded.entry(id).or_insert_with(|| {
                // Before anybody else can be given it.
                let _ = replica.heard_of(heard_of);
                Loaded {
                    shared: Arc::new(Shared::new(replica)),
                    used: AtomicU64::new(0),
                }
            });
            entry.used.store(self.next_use(), Ordering::Relaxed);
            let shared = Arc::clone(&entry.shared);
            self.give_up(&mut loaded);
            shared
        };
        // The one that was there may be older than the one that came.
        let _ = shared.notify_version(version);
        shared
    }

    /// Gives an account up, so that it is loaded again when it is asked for again: after
    /// [`LoadError::Diverged`], for one. Whoever holds it goes on with the old copy, which hears of nothing more.
    pub fn forget(&self, id: &str) {
        self.loaded
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(id);
    }

    /// Passes a notice on, as [`Replica::notify_version`]; `None`: the account is not loaded, and nothing is to be done.
    #[must_use = "a copy that is behind must catch up"]
    pub fn notify_version(&self, id: &str, version: u64) -> Option<Freshness> {
        self.pass_on(id, version)
            .map(|shared| shared.notify_version(version))
    }

    /// Passes a record on, as [`Replica::ingest`]; `None`: the account is not loaded, and nothing is to be done.
    ///
    /// # Errors
    /// As [`Replica::ingest`].
    pub fn ingest(&self, record: &Record) -> Result<Option<Ingested>, ReplayError> {
        let shared = self.pass_on(record.account(), record.version());
        shared.map(|shared| shared.ingest(record)).transpose()
    }

    /// The accounts of a person, and what it is in each, in the order of their ids: **of those that are loaded**. A
    /// realm does not know what it has not loaded; a host with a list of a person's accounts loads them first.
    #[must_use]
    pub fn accounts_of(&self, member: &str) -> Vec<(AccountId, MemberStatus)> {
        // To be looked at when `loaded` is locked no more: whoever holds an account may be waiting for it.
        let all: Vec<_> = {
            let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
            let all = loaded
                .iter()
                .map(|(id, found)| (id.clone(), Arc::clone(&found.shared)));
            all.collect()
        };
        let status = |shared: &Shared| Some(shared.read().member(member)?.status());
        let mut accounts: Vec<_> = all
            .into_iter()
            .filter_map(|(id, shared)| Some((id, status(&shared)?)))
            .collect();
        accounts.sort_by(|(one, _), (other, _)| one.cmp(other));
        accounts
    }

    /// The loaded account that something was heard of. One that is being loaded is told when it is.
    fn pass_on(&self, id: &str, version: u64) -> Option<Arc<Shared>> {
        let mut loading = self.loading();
        if let Some(loading) = loading.get_mut(id) {
            loading.heard_of = loading.heard_of.max(version);
        }
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.get(id).map(|loaded| Arc::clone(&loaded.shared))
    }

    /// Gives accounts up that nobody uses, where there are too many: an eighth more than it must, so that it is seldom
    /// looked for them.
    fn give_up(&self, loaded: &mut HashMap<AccountId, Loaded>) {
        let size = |found: &Loaded| ACCOUNT + found.shared.size();
        let mut held: usize = loaded.values().map(size).sum();
        if held <= self.most {
            return;
        }
        let mut unused: Vec<_> = loaded
            .iter()
            .filter(|(_, found)| Arc::strong_count(&found.shared) == 1)
            .map(|(id, found)| (found.used.load(Ordering::Relaxed), size(found), id.clone()))
            .collect();
        unused.sort();
        for (_, size, id) in unused {
            if held <= self.most - self.most / 8 {
                break;
            }
            loaded.remove(&id);
            // It may have grown since all were counted.
            held = held.saturating_sub(size);
        }
    }

    fn next_use(&self) -> u64 {
        self.uses.fetch_add(1, Ordering::Relaxed)
    }

    fn loading(&self) -> MutexGuard<'_, HashMap<AccountId, Loading>> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this is there, notices of an account are remembered, though it is not loaded yet.
struct BeingLoaded<'r> {
    realm: &'r Realm,
    id: &'r AccountId,
}

impl<'r> BeingLoaded<'r> {
    fn new(realm: &'r Realm, id: &'r AccountId) -> Self {
        realm.loading().entry(id.clone()).or_default().by += 1;
        Self { realm, id }
    }
}

impl Drop for BeingLoaded<'_> {
    fn drop(&mut self) {
        let mut loading = self.realm.loading();
        if let Some(account) = loading.get_mut(self.id) {
            account.by -= 1;
            if account.by == 0 {
                loading.remove(self.id);
            }
        }
    }
}

//! The accounts that a process holds.

use std::fmt;
use std::sync::Arc;

use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::account::status::MemberStatus;
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::cell::ReplicaCell;
use crate::repository::contract::{AsyncRepository, Repository};
use crate::repository::error::RepositoryError;
use crate::repository::held::Held;
use crate::repository::holder::Holder;
use crate::repository::observer::Observer;
use crate::repository::opening::{self, Opened, Opening};
use crate::repository::protocol::{self, ATTEMPTS, Doubt};
use crate::repository::replica::{Freshness, Ingested, Replica};
use crate::repository::shared_account::SharedAccount;
use crate::repository::storage::{AsyncStorage, Storage, SyncStorage, poll_ready};
use crate::time::Timestamp;

/// What a process holds of the accounts that a repository keeps: each is loaded when it is first asked for, shared by the
/// process's threads, and given up when all together take too much memory, those that were asked for longest ago first.
///
/// ```
/// use grantbook::command::CreateStore;
/// use grantbook::repository::{Accounts, MemoryRepository, Notice, Request};
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(1_700_000_000_000);
/// # let (acme, olga) = (AccountId::parse("acme")?, MemberId::parse("olga")?);
/// let accounts = Accounts::builder(MemoryRepository::new())
///     .capacity(500 << 20) // bytes
///     .observe(|notice| {
///         if let Notice::Refused { actor, code, .. } = notice {
///             eprintln!("{actor} was refused: {code}");
///         }
///     })
///     .build();
/// accounts.open(IdempotencyKey::parse("2f9a")?, acme.clone(), olga.clone(), GroupLimit::default(), now)?;
///
/// let account = accounts.get(&acme)?;
/// let request = Request::by(Actor::Member(olga), IdempotencyKey::parse("e41c")?, now)
///     .command(CreateStore { store: StoreId::parse("dev")? });
/// account.execute(&request)?;
/// account.require("olga", &Permission::STORE_READ, Resource::Store("dev"))?;
///
/// // Another process told this one that there is a record 7 of an account.
/// if let Some(repository::Freshness::CatchUp { .. }) = accounts.notify_version("globex", 7) { /* refresh it */ }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Accounts have nothing to do with each other ([A4](crate::docs::rules#A4)). Member ids are the same person in all of
/// them.
///
/// Over a [`Repository`], methods make the thread wait for the storage; over an [`AsyncRepository`] they are `async` and
/// have the same names. Clones are the same accounts.
pub struct Accounts<S> {
    inner: Arc<Holder<S>>,
}

impl<S> Clone for Accounts<S> {
    fn clone(&self) -> Self {
        let inner = Arc::clone(&self.inner);
        Self { inner }
    }
}

impl<S> fmt::Debug for Accounts<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accounts")
            .field("held", &self.inner.read().len())
            .field("bytes", &self.held_bytes())
            .finish_non_exhaustive()
    }
}

/// What needs no storage.
impl<S> Accounts<S> {
    pub(super) fn over(
        storage: S,
        capacity: usize,
        observer: Option<Observer>,
        wants_deltas: bool,
    ) -> Self {
        let inner = Holder::new(storage, capacity, observer, wants_deltas);
        let inner = Arc::new(inner);
        Self { inner }
    }

    /// Returns a handle to an account, if this process holds it. It may be stale. This counts as a use: what looks at
    /// accounts that nobody asks for, such as a timer, goes by [`held`](Accounts::held).
    #[must_use]
    pub fn loaded(&self, id: &str) -> Option<SharedAccount<S>> {
        let (id, held) = {
            let all = self.inner.read();
            let (id, held) = all.get_key_value(id)?;
            (id.clone(), Arc::clone(held))
        };
        self.inner.is_used(&held);
        held.is_loaded().then(|| self.handle(id, held))
    }

    /// Returns handles to all accounts that this process holds, in the order of their ids. While you keep them, none is
    /// given up.
    #[must_use]
    pub fn held(&self) -> Vec<SharedAccount<S>> {
        let mut all: Vec<_> = {
            let all = self.inner.read();
            all.iter()
                .filter(|(_, held)| held.is_loaded())
                .map(|(id, held)| self.handle(id.clone(), Arc::clone(held)))
                .collect()
        };
        all.sort_by(|one, other| one.id().cmp(other.id()));
        all
    }

    /// Returns about how many bytes the copies take that this process holds.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.inner.bytes()
    }

    /// Gives up the copy of an account, so that it is loaded again when it is asked for again. Returns whether there is
    /// none now: one that is in use by a handle stays.
    #[allow(clippy::must_use_candidate)] // most callers do not care
    pub fn forget(&self, id: &str) -> bool {
        let given_up = {
            let mut all = self.inner.write();
            match all.get(id) {
                Some(held) if Holder::<S>::is_idle(held) => all.remove(id),
                Some(_) => return false,
                None => return true,
            }
        };
        self.inner.less(given_up.as_ref());
        true
    }

    /// Takes notice that the repository keeps a record of this version of an account, and says what is to be done.
    /// `None`: this process does not hold the account, and nothing is to be done.
    #[must_use = "a copy that is behind must catch up"]
    pub fn notify_version(&self, id: &str, version: u64) -> Option<Freshness> {
        let held = Arc::clone(self.inner.read().get(id)?);
        Some(held.look(|replica| replica.heard_of(version)))
    }

    /// Takes a record that the repository keeps, as [`SharedAccount::ingest`]. `None`: this process does not hold the
    /// account, and nothing is to be done.
    ///
    /// # Errors
    /// As [`SharedAccount::ingest`].
    pub fn ingest(&self, record: &Record) -> Result<Option<Ingested>, ReplayError> {
        let Some(held) = self.inner.read().get(record.account()).map(Arc::clone) else {
            return Ok(None);
        };
        if held.is_loaded() {
            let account = self.handle(record.account().clone(), held);
            return account.ingest(record).map(Some);
        }
        // It is being loaded, perhaps from records that were read before this one was kept.
        let _ = held.look(|replica| replica.heard_of(record.version()));
        if held.is_loaded() {
            let account = self.handle(record.account().clone(), held); // just now
            return account.ingest(record).map(Some);
        }
        Ok(None)
    }

    /// Returns the accounts of a person, and what it is in each, in the order of their ids: **of those that this process
    /// holds**, without copies that are not what the repository holds. If you have a list of a person's accounts, get
    /// them first. It looks at each; it must not be called by what is passed to [`SharedAccount::with`].
    #[must_use]
    pub fn accounts_of(&self, member: &str) -> Vec<(AccountId, MemberStatus)> {
        self.held()
            .iter()
            .filter_map(|account| Some((account.id().clone(), account.status_of(member)?)))
            .collect()
    }

    fn handle(&self, id: AccountId, held: Arc<Held>) -> SharedAccount<S> {
        SharedAccount::new(id, held, Arc::clone(&self.inner))
    }
}

// What both kinds of repository do the same.

/// The place of an account that is to be brought up to date. If that comes to nothing, or is dropped, the place goes.
struct Place<'a, S> {
    accounts: &'a Accounts<S>,
    id: &'a AccountId,
    held: Arc<Held>,
}

impl<'a, S> Place<'a, S> {
    fn new(accounts: &'a Accounts<S>, id: &'a AccountId) -> Self {
        let held = accounts.inner.place(id);
        Self { accounts, id, held }
    }

    /// Ends with a handle to the account.
    fn account(
        self,
        brought_up: Result<(), RepositoryError>,
    ) -> Result<SharedAccount<S>, RepositoryError> {
        let account = brought_up.and_then(|()| {
            let account = self.id.clone();
            if self.held.is_loaded() {
                Ok(self.accounts.handle(account, Arc::clone(&self.held)))
            } else {
                Err(RepositoryError::UnknownAccount { account })
            }
        });
        let (accounts, id) = (self.accounts, self.id);
        drop(self);
        if let Err(RepositoryError::AccountErased { .. } | RepositoryError::UnknownAccount { .. }) =
            account
        {
            accounts.forget(id);
        }
        account
    }
}

/// However it ends, also where nobody waits for it any more, what was brought is counted, others are given up for it, and
/// the observer is told.
impl<S> Drop for Place<'_, S> {
    fn drop(&mut self) {
        if self.held.is_loaded() && !std::thread::panicking() {
            let held = Arc::clone(&self.held);
            self.accounts.handle(self.id.clone(), held).settle();
        }
        self.accounts.inner.leave(self.id, &self.held);
    }
}

async fn get<S: Storage>(
    accounts: &Accounts<S>,
    id: &AccountId,
) -> Result<SharedAccount<S>, RepositoryError> {
    let found = accounts.inner.found(id);
    if let Some(held) = found.filter(|held| held.look(Replica::is_current)) {
        return Ok(accounts.handle(id.clone(), held));
    }
    bring(accounts, id, false).await
}

/// Brings an account up to date. One that is as new as all that was heard of it is so only if it must be.
async fn bring<S: Storage>(
    accounts: &Accounts<S>,
    id: &AccountId,
    must_ask: bool,
) -> Result<SharedAccount<S>, RepositoryError> {
    let place = Place::new(accounts, id);
    let (storage, held) = (accounts.inner.storage(), &*place.held);
    let brought_up = {
        let _turn = storage.turn(&held.turns).await;
        bring_up(storage, id, held, must_ask).await // unless somebody else did it meanwhile
    };
    place.account(brought_up)
}

/// Loads an account or, if it is held, reads on; one that has diverged is loaded again.
async fn bring_up(
    storage: &impl Storage,
    id: &AccountId,
    mut held: &Held,
    must_ask: bool,
) -> Result<(), RepositoryError> {
    if !must_ask && held.look(Replica::is_current) {
        return Ok(());
    }
    for _ in 0..ATTEMPTS {
        if held.is_loaded() && !held.look(Replica::is_lost) {
            match protocol::catch_up(storage, &mut held).await {
                Err(RepositoryError::Diverged { .. }) => {} // and is loaded again
                caught_up => return caught_up,
            }
        }
        let doubts = held.look(Replica::begin_reading);
        let Some(replica) = protocol::load(storage, id).await? else {
            let account = id.clone();
            return Err(RepositoryError::UnknownAccount { account });
        };
        held.install(replica, doubts);
        if held.look(Replica::is_current) {
            return Ok(());
        }
        // Something was heard of meanwhile.
    }
    let attempts = ATTEMPTS;
    Err(RepositoryError::Contended { attempts })
}

async fn open<S: Storage>(
    accounts: &Accounts<S>,
    opening: Opening,
) -> Result<SharedAccount<S>, RepositoryError> {
    let (id, storage) = (opening.id.clone(), accounts.inner.storage());
    let place = Place::new(accounts, &id);
    let opened = {
        let mut held = &*place.held;
        let _turn = storage.turn(&held.turns).await;
        let doubts = held.look(Replica::begin_reading);
        let doubt = Doubt(Some(&held));
        let opened = opening::open(storage, opening).await;
        doubt.settle_if(opened.is_ok());
        match opened {
            // The observer is told of its first record by whoever opened it.
            Ok(Opened::Now(commit, _)) if !held.is_loaded() => held
                .apply(commit.records())
                .map(|_| ())
                .map_err(RepositoryError::Replay),
            // Held since an earlier attempt.
            Ok(Opened::Before(_)) if held.is_loaded() => bring_up(storage, &id, held, true).await,
            // What is held, if anything, is from another life of the repository.
            Ok(opened) => {
                held.install(opened.into_replica(), doubts);
                bring_up(storage, &id, held, false).await
            }
            Err(error) => Err(error),
        }
    };
    place.account(opened)
}

async fn erase<S: Storage>(accounts: &Accounts<S>, id: &AccountId) -> Result<(), RepositoryError> {
    let place = Place::new(accounts, id);
    let erased = {
        let held = &*place.held;
        let _turn = accounts.inner.storage().turn(&held.turns).await;
        protocol::erase(accounts.inner.storage(), id, &mut &*held).await
    };
    drop(place);
    if erased.is_ok() {
        accounts.forget(id);
    }
    erased
}

macro_rules! accounts {
    ($(#[doc = $about:literal])+ $storage:ident over $repository:ident: $($wait:ident)?, $run:ident) => {
        $(#[doc = $about])+
        impl<R: $repository> Accounts<$storage<R>> {
            /// Returns a handle to an account. It is loaded if this process does not hold it, loaded again if the copy
            /// has diverged, and brought up to date if something newer was heard of.
            ///
            /// # Errors
            /// There is no such account ([`RepositoryError::UnknownAccount`]), it was erased, or the storage fails; or
            /// what it keeps is not this account, which is then not to be served.
            pub $($wait)? fn get(
                &self,
                id: &AccountId,
            ) -> Result<SharedAccount<$storage<R>>, RepositoryError> {
                $run!(get(self, id))
            }

            /// As [`get`](Accounts::get), and asks the storage whether there is anything newer in any case. For timers and
            /// notices: where the account is held, this is no use of it.
            ///
            /// # Errors
            /// As [`get`](Accounts::get).
            pub $($wait)? fn refresh(
                &self,
                id: &AccountId,
            ) -> Result<SharedAccount<$storage<R>>, RepositoryError> {
                $run!(bring(self, id, true))
            }

            /// Opens an account with one active owner, and keeps its first record ([A1](crate::docs::rules#A1)). Tried
            /// again with the same key, owner and limit, it gives the account that the first attempt opened.
            ///
            /// # Errors
            /// There is such an account already, or there was one and it was erased; the storage fails.
            pub $($wait)? fn open(
                &self,
                key: IdempotencyKey,
                id: AccountId,
                owner: MemberId,
                group_limit: GroupLimit,
                now: Timestamp,
            ) -> Result<SharedAccount<$storage<R>>, RepositoryError> {
                let opening = Opening {
                    key,
                    id,
                    owner,
                    group_limit,
                    now,
                };
                $run!(open(self, opening))
            }

            /// Erases a closed account ([A5](crate::docs::rules#A5)): its records are kept no more, and its id is not
            /// used again. A copy that is still in use denies everything; any other is given up. To erase an account
            /// once more does nothing.
            ///
            /// # Errors
            /// The account is not closed, or there is none; the repository does not erase accounts; the storage fails.
            pub $($wait)? fn erase(&self, id: &AccountId) -> Result<(), RepositoryError> {
                $run!(erase(self, id))
            }

            /// Returns the repository.
            #[must_use]
            pub fn repository(&self) -> &R {
                &self.inner.storage().0
            }
        }
    };
}
macro_rules! now {
    ($steps:expr) => {
        poll_ready($steps)
    };
}
macro_rules! awaited {
    ($steps:expr) => {
        $steps.await
    };
}
accounts! {
    /// Over a [`Repository`].
    SyncStorage over Repository: , now
}
accounts! {
    /// Over an [`AsyncRepository`]. What is awaited may be dropped; what was asked for may then have been kept.
    AsyncStorage over AsyncRepository: async, awaited
}

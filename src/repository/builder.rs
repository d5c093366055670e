//! How the accounts of a process are to be held.

use std::fmt;

use crate::repository::accounts::Accounts;
use crate::repository::contract::{AsyncRepository, Repository};
use crate::repository::observer::{Notice, Observer};
use crate::repository::storage::{AsyncStorage, SyncStorage};

impl Accounts<()> {
    /// Begins to say how accounts of this repository are to be held.
    pub fn builder<R>(repository: R) -> AccountsBuilder<R> {
        AccountsBuilder {
            repository,
            capacity: usize::MAX,
            observer: None,
            wants_deltas: false,
        }
    }
}

/// How the accounts of a process are to be held.
pub struct AccountsBuilder<R> {
    pub(super) repository: R,
    pub(super) capacity: usize,
    pub(super) observer: Option<Observer>,
    pub(super) wants_deltas: bool,
}

impl<R> AccountsBuilder<R> {
    /// Holds copies of about so many bytes, all together. An account that is in use by a handle is not given up, nor is
    /// the only one, so they may take more. Without this, all accounts are held that were ever asked for.
    #[must_use]
    pub fn capacity(self, bytes: usize) -> Self {
        let capacity = bytes;
        Self { capacity, ..self }
    }

    /// Tells the observer of everything that happens to the accounts that this process holds, in order for each account,
    /// by whichever thread applied it, after it was applied: no check waits for an observer. What happens while an
    /// observer is at work waits in a queue, and the thread that called the observer goes on with it; see
    /// [`SharedAccount::flush`](super::SharedAccount::flush). An observer may ask and change the account that it is told of. If it panics, its notice
    /// counts as told, and the panic reaches whoever called the method that told it.
    #[must_use]
    pub fn observe(self, observer: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        let observer: Option<Observer> = Some(Box::new(observer));
        Self { observer, ..self }
    }

    /// Adds to each [`Notice::Committed`] who gained and lost what. Calculating that takes time, for each commit, before
    /// it is applied; checks go on meanwhile.
    #[must_use]
    pub fn with_deltas(self) -> Self {
        let wants_deltas = true;
        Self {
            wants_deltas,
            ..self
        }
    }

    /// Holds accounts of a [`Repository`].
    #[must_use]
    pub fn build(self) -> Accounts<SyncStorage<R>>
    where
        R: Repository,
    {
        self.build_over(SyncStorage)
    }

    /// Holds accounts of an [`AsyncRepository`].
    #[must_use]
    pub fn build_async(self) -> Accounts<AsyncStorage<R>>
    where
        R: AsyncRepository,
    {
        self.build_over(AsyncStorage)
    }

    fn build_over<S>(self, storage: impl FnOnce(R) -> S) -> Accounts<S> {
        let Self {
            repository,
            capacity,
            observer,
            wants_deltas,
        } = self;
        Accounts::over(storage(repository), capacity, observer, wants_deltas)
    }
}

impl<R> fmt::Debug for AccountsBuilder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountsBuilder")
            .field("capacity", &self.capacity)
            .field("wants_deltas", &self.wants_deltas)
            .finish_non_exhaustive()
    }
}

//! A repository behind a pointer is one, and so is one whose type is known only at run time.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::contract::{AsyncRepository, CommitOutcome, RecordPage, Repository};

macro_rules! behind_pointer {
    ($($pointer:ty),*) => {$(
        impl<R: Repository + ?Sized> Repository for $pointer {
            type Error = R::Error;

            fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
                (**self).snapshot(account)
            }

            fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, R::Error> {
                (**self).records_after(account, version)
            }

            fn records_of(
                &self,
                account: &AccountId,
                id: &IdempotencyKey,
            ) -> Result<Vec<Record>, R::Error> {
                (**self).records_of(account, id)
            }

            fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
                (**self).commit(commit)
            }

            fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
                (**self).wants_snapshot(expected, version)
            }
        }
    )*};
}
behind_pointer!(&R, Box<R>, Arc<R>);

macro_rules! async_behind_pointer {
    ($($pointer:ty: $($bound:ident)?),*) => {$(
        impl<R: AsyncRepository $(+ $bound)? + ?Sized> AsyncRepository for $pointer {
            type Error = R::Error;

            fn snapshot(
                &self,
                account: &AccountId,
            ) -> impl Future<Output = Result<Option<Snapshot>, R::Error>> + Send {
                (**self).snapshot(account)
            }

            fn records_after(
                &self,
                account: &AccountId,
                version: u64,
            ) -> impl Future<Output = Result<RecordPage, R::Error>> + Send {
                (**self).records_after(account, version)
            }

            fn records_of(
                &self,
                account: &AccountId,
                id: &IdempotencyKey,
            ) -> impl Future<Output = Result<Vec<Record>, R::Error>> + Send {
                (**self).records_of(account, id)
            }

            fn commit(
                &self,
                commit: &Commit,
            ) -> impl Future<Output = Result<CommitOutcome, R::Error>> + Send {
                (**self).commit(commit)
            }

            fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
                (**self).wants_snapshot(expected, version)
            }
        }
    )*};
}
async_behind_pointer!(&R:, Box<R>:, Arc<R>: Send);

/// A [`Repository`] used as an [`AsyncRepository`]: whoever awaits it waits with its thread. For tests, and for
/// storages that answer from memory.
#[derive(Clone, Copy, Debug)]
pub struct SyncAsAsync<R>(pub R);

impl<R: Repository<Error: Send + Sync> + Sync> AsyncRepository for SyncAsAsync<R> {
    type Error = R::Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
        self.0.snapshot(account)
    }

    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, R::Error> {
        self.0.records_after(account, version)
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, R::Error> {
        self.0.records_of(account, id)
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        self.0.commit(commit)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.0.wants_snapshot(expected, version)
    }
}

/// What went wrong in a storage whose type is not known.
#[derive(Debug)]
pub struct AnyError(Box<dyn Error + Send + Sync>);

impl AnyError {
    fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// The storage's own error, if it is of this type.
    #[must_use]
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

impl fmt::Display for AnyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for AnyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// A [`Repository`] that is chosen at run time. Clones are the same one, and threads may share it.
///
/// ```
/// use grantbook::repository::{AnyRepository, MemoryRepository};
///
/// fn chosen(name: &str) -> Option<AnyRepository> {
///     match name {
///         "memory" => Some(AnyRepository::new(MemoryRepository::new())),
///         _ => None, // and here the host's others
///     }
/// }
/// assert!(chosen("memory").is_some());
/// ```
#[derive(Clone)]
pub struct AnyRepository(Arc<dyn Repository<Error = AnyError> + Send + Sync>);

impl AnyRepository {
    /// Forgets which repository it is.
    pub fn new<R: Repository<Error: Send + Sync> + Send + Sync + 'static>(repository: R) -> Self {
        Self(Arc::new(Erased(repository)))
    }
}

impl fmt::Debug for AnyRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyRepository").finish_non_exhaustive()
    }
}

impl Repository for AnyRepository {
    type Error = AnyError;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, AnyError> {
        self.0.snapshot(account)
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, AnyError> {
        self.0.records_after(account, version)
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, AnyError> {
        self.0.records_of(account, id)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, AnyError> {
        self.0.commit(commit)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.0.wants_snapshot(expected, version)
    }
}

/// A repository that tells what went wrong in one word for all.
struct Erased<R>(R);

impl<R: Repository<Error: Send + Sync>> Repository for Erased<R> {
    type Error = AnyError;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, AnyError> {
        self.0.snapshot(account).map_err(AnyError::new)
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, AnyError> {
        self.0
            .records_after(account, version)
            .map_err(AnyError::new)
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, AnyError> {
        self.0.records_of(account, id).map_err(AnyError::new)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, AnyError> {
        self.0.commit(commit).map_err(AnyError::new)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.0.wants_snapshot(expected, version)
    }
}

/// An [`AsyncRepository`] that is chosen at run time. Clones are the same one. Each call allocates what is awaited.
#[derive(Clone)]
pub struct AnyAsyncRepository(Arc<dyn Boxed>);

impl AnyAsyncRepository {
    /// Forgets which repository it is.
    pub fn new<R: AsyncRepository + Send + 'static>(repository: R) -> Self {
        Self(Arc::new(repository))
    }
}

impl fmt::Debug for AnyAsyncRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyAsyncRepository").finish_non_exhaustive()
    }
}

type Waiting<'a, T> = Pin<Box<dyn Future<Output = Result<T, AnyError>> + Send + 'a>>;

/// An asynchronous repository whose futures are behind pointers.
trait Boxed: Send + Sync {
    fn snapshot<'a>(&'a self, account: &'a AccountId) -> Waiting<'a, Option<Snapshot>>;
    fn records_after<'a>(&'a self, account: &'a AccountId, version: u64)
    -> Waiting<'a, RecordPage>;
    fn records_of<'a>(
        &'a self,
        account: &'a AccountId,
        id: &'a IdempotencyKey,
    ) -> Waiting<'a, Vec<Record>>;
    fn commit<'a>(&'a self, commit: &'a Commit) -> Waiting<'a, CommitOutcome>;
    fn wants_snapshot(&self, expected: u64, version: u64) -> bool;
}

impl<R: AsyncRepository + Send> Boxed for R {
    fn snapshot<'a>(&'a self, account: &'a AccountId) -> Waiting<'a, Option<Snapshot>> {
        let waiting = AsyncRepository::snapshot(self, account);
        Box::pin(async move { waiting.await.map_err(AnyError::new) })
    }

    fn records_after<'a>(
        &'a self,
        account: &'a AccountId,
        version: u64,
    ) -> Waiting<'a, RecordPage> {
        let waiting = AsyncRepository::records_after(self, account, version);
        Box::pin(async move { waiting.await.map_err(AnyError::new) })
    }

    fn records_of<'a>(
        &'a self,
        account: &'a AccountId,
        id: &'a IdempotencyKey,
    ) -> Waiting<'a, Vec<Record>> {
        let waiting = AsyncRepository::records_of(self, account, id);
        Box::pin(async move { waiting.await.map_err(AnyError::new) })
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Waiting<'a, CommitOutcome> {
        let waiting = AsyncRepository::commit(self, commit);
        Box::pin(async move { waiting.await.map_err(AnyError::new) })
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        AsyncRepository::wants_snapshot(self, expected, version)
    }
}

impl AsyncRepository for AnyAsyncRepository {
    type Error = AnyError;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, AnyError> {
        Boxed::snapshot(&*self.0, account).await
    }

    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, AnyError> {
        Boxed::records_after(&*self.0, account, version).await
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, AnyError> {
        Boxed::records_of(&*self.0, account, id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, AnyError> {
        Boxed::commit(&*self.0, commit).await
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        Boxed::wants_snapshot(&*self.0, expected, version)
    }
}

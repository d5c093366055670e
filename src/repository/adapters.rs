//! A repository behind a pointer is one, and so is one whose type is known only at run time.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::contract::{
    AsyncRepository, CommitOutcome, EraseOutcome, RecordPage, Repository,
};
use crate::repository::request::StoredRequest;

/// Calls a macro with every method of the contract that has to be waited for, so that they are listed once.
macro_rules! for_each_method {
    ($callback:ident!($($arguments:tt)*)) => {
        $callback! {
            $($arguments)*
            snapshot(account: &AccountId) -> Option<Snapshot>;
            records_after(account: &AccountId, version: u64) -> RecordPage;
            request(account: &AccountId, key: &IdempotencyKey) -> Option<StoredRequest>;
            commit(commit: &Commit) -> CommitOutcome;
            erase(account: &AccountId) -> EraseOutcome;
        }
    };
}

macro_rules! forward {
    ($error:ty, $this:ident => $to:expr; $($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        type Error = $error;

        $(
            fn $method(&self, $($argument: $type),+) -> Result<$answer, $error> {
                let $this = self;
                $to.$method($($argument),+)
            }
        )+

        fn wants_snapshot(&self, before: u64, version: u64) -> bool {
            let $this = self;
            $to.wants_snapshot(before, version)
        }
    };
}

macro_rules! behind_pointer {
    ($($pointer:ty),*) => {$(
        impl<R: Repository + ?Sized> Repository for $pointer {
            for_each_method!(forward!(R::Error, this => (**this);));
        }
    )*};
}
behind_pointer!(&R, Box<R>, Arc<R>);

macro_rules! forward_async {
    ($($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        type Error = R::Error;

        $(
            fn $method(
                &self,
                $($argument: $type),+
            ) -> impl Future<Output = Result<$answer, R::Error>> + Send {
                (**self).$method($($argument),+)
            }
        )+

        fn wants_snapshot(&self, before: u64, version: u64) -> bool {
            (**self).wants_snapshot(before, version)
        }
    };
}

macro_rules! async_behind_pointer {
    ($($pointer:ty: $($bound:ident)?),*) => {$(
        impl<R: AsyncRepository $(+ $bound)? + ?Sized> AsyncRepository for $pointer {
            for_each_method!(forward_async!());
        }
    )*};
}
async_behind_pointer!(&R:, Box<R>:, Arc<R>: Send);

/// A [`Repository`] used as an [`AsyncRepository`]: whoever awaits it waits with its thread. For tests, and for
/// storages that answer from memory.
#[derive(Clone, Copy, Debug)]
pub struct SyncAsAsync<R>(pub R);

macro_rules! forward_at_once {
    ($($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        type Error = R::Error;

        $(
            async fn $method(&self, $($argument: $type),+) -> Result<$answer, R::Error> {
                self.0.$method($($argument),+)
            }
        )+

        fn wants_snapshot(&self, before: u64, version: u64) -> bool {
            self.0.wants_snapshot(before, version)
        }
    };
}

impl<R: Repository + Sync> AsyncRepository for SyncAsAsync<R> {
    for_each_method!(forward_at_once!());
}

/// Your runtime, as far as it is needed here. With tokio:
///
/// ```
/// # // A stand-in, so that this example needs no runtime.
/// # mod tokio { pub mod runtime { pub struct Runtime; impl Runtime {
/// #     pub fn block_on<F: Future>(&self, _: F) -> F::Output { unimplemented!() }
/// # } } }
/// use grantbook::repository::Runtime;
///
/// struct Tokio(tokio::runtime::Runtime);
///
/// impl Runtime for Tokio {
///     fn block_on<F: Future>(&self, future: F) -> F::Output {
///         self.0.block_on(future)
///     }
/// }
/// ```
pub trait Runtime {
    /// Waits with this thread until the future is done. Several threads call it.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

impl<B: Runtime> Runtime for &B {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        (**self).block_on(future)
    }
}

/// An [`AsyncRepository`] used as a [`Repository`]: the thread that asks waits for it. Ask where waiting is allowed: in a
/// thread of the runtime's own that serves requests, most runtimes panic.
#[derive(Clone, Copy, Debug)]
pub struct AsyncAsSync<R, B> {
    /// What is waited for.
    pub repository: R,
    /// What waits.
    pub runtime: B,
}

macro_rules! forward_waiting {
    ($($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        type Error = R::Error;

        $(
            fn $method(&self, $($argument: $type),+) -> Result<$answer, R::Error> {
                self.runtime.block_on(self.repository.$method($($argument),+))
            }
        )+

        fn wants_snapshot(&self, before: u64, version: u64) -> bool {
            self.repository.wants_snapshot(before, version)
        }
    };
}

impl<R: AsyncRepository, B: Runtime> Repository for AsyncAsSync<R, B> {
    for_each_method!(forward_waiting!());
}

/// What went wrong in a storage whose type is not known.
#[derive(Debug)]
pub struct AnyError(Box<dyn Error + Send + Sync>);

impl AnyError {
    fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }

    /// Returns the storage's own error, if it is of this type.
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
///         _ => None, // and here your others
///     }
/// }
/// assert!(chosen("memory").is_some());
/// ```
#[derive(Clone)]
pub struct AnyRepository(Arc<dyn Repository<Error = AnyError> + Send + Sync>);

impl AnyRepository {
    /// Forgets which repository it is.
    pub fn new<R: Repository + Send + Sync + 'static>(repository: R) -> Self {
        Self(Arc::new(Erased(repository)))
    }
}

impl fmt::Debug for AnyRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyRepository").finish_non_exhaustive()
    }
}

impl Repository for AnyRepository {
    for_each_method!(forward!(AnyError, this => this.0;));
}

/// A repository that tells what went wrong in one word for all.
struct Erased<R>(R);

macro_rules! forward_erased {
    ($($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        type Error = AnyError;

        $(
            fn $method(&self, $($argument: $type),+) -> Result<$answer, AnyError> {
                self.0.$method($($argument),+).map_err(AnyError::new)
            }
        )+

        fn wants_snapshot(&self, before: u64, version: u64) -> bool {
            self.0.wants_snapshot(before, version)
        }
    };
}

impl<R: Repository> Repository for Erased<R> {
    for_each_method!(forward_erased!());
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

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, AnyError>> + Send + 'a>>;

/// An asynchronous repository whose futures are behind pointers.
trait Boxed: Send + Sync {
    fn snapshot<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Option<Snapshot>>;
    fn records_after<'a>(
        &'a self,
        account: &'a AccountId,
        version: u64,
    ) -> BoxFuture<'a, RecordPage>;
    fn request<'a>(
        &'a self,
        account: &'a AccountId,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Option<StoredRequest>>;
    fn commit<'a>(&'a self, commit: &'a Commit) -> BoxFuture<'a, CommitOutcome>;
    fn erase<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, EraseOutcome>;
    fn wants_snapshot(&self, before: u64, version: u64) -> bool;
}

async fn erased<T, E: Error + Send + Sync + 'static>(
    waiting: impl Future<Output = Result<T, E>> + Send,
) -> Result<T, AnyError> {
    waiting.await.map_err(AnyError::new)
}

impl<R: AsyncRepository + Send> Boxed for R {
    fn snapshot<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, Option<Snapshot>> {
        Box::pin(erased(AsyncRepository::snapshot(self, account)))
    }

    fn records_after<'a>(
        &'a self,
        account: &'a AccountId,
        version: u64,
    ) -> BoxFuture<'a, RecordPage> {
        Box::pin(erased(AsyncRepository::records_after(
            self, account, version,
        )))
    }

    fn request<'a>(
        &'a self,
        account: &'a AccountId,
        key: &'a IdempotencyKey,
    ) -> BoxFuture<'a, Option<StoredRequest>> {
        Box::pin(erased(AsyncRepository::request(self, account, key)))
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> BoxFuture<'a, CommitOutcome> {
        Box::pin(erased(AsyncRepository::commit(self, commit)))
    }

    fn erase<'a>(&'a self, account: &'a AccountId) -> BoxFuture<'a, EraseOutcome> {
        Box::pin(erased(AsyncRepository::erase(self, account)))
    }

    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        AsyncRepository::wants_snapshot(self, before, version)
    }
}

macro_rules! forward_boxed {
    ($($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        type Error = AnyError;

        $(
            async fn $method(&self, $($argument: $type),+) -> Result<$answer, AnyError> {
                Boxed::$method(&*self.0, $($argument),+).await
            }
        )+

        fn wants_snapshot(&self, before: u64, version: u64) -> bool {
            Boxed::wants_snapshot(&*self.0, before, version)
        }
    };
}

impl AsyncRepository for AnyAsyncRepository {
    for_each_method!(forward_boxed!());
}

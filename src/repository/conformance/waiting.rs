//! An asynchronous repository, tested as one that makes its thread wait.

use std::future::Future;

use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::contract::{
    AsyncRepository, CommitOutcome, EraseOutcome, RecordPage, Repository,
};
use crate::repository::request::StoredRequest;

/// The host's runtime, as far as the suite needs it. With tokio:
///
/// ```
/// # // A stand-in, so that this example needs no runtime.
/// # mod tokio { pub mod runtime { pub struct Runtime; impl Runtime {
/// #     pub fn block_on<F: Future>(&self, _: F) -> F::Output { unimplemented!() }
/// # } } }
/// use grantbook::repository::conformance::Runtime;
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
    /// Waits with this thread until the future is done. The suite calls it from several threads.
    fn block_on<F: Future>(&self, future: F) -> F::Output;
}

impl<B: Runtime> Runtime for &B {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        (**self).block_on(future)
    }
}

/// An [`AsyncRepository`] that is waited for with the thread.
#[derive(Clone, Copy, Debug)]
pub struct AsyncAsSync<R, B> {
    /// What is waited for.
    pub repository: R,
    /// What waits.
    pub runtime: B,
}

impl<R: AsyncRepository, B: Runtime> Repository for AsyncAsSync<R, B> {
    type Error = R::Error;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
        self.runtime.block_on(self.repository.snapshot(account))
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, R::Error> {
        let waiting = self.repository.records_after(account, version);
        self.runtime.block_on(waiting)
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, R::Error> {
        self.runtime.block_on(self.repository.request(account, key))
    }

    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, R::Error> {
        self.runtime.block_on(self.repository.erase(account))
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        self.runtime.block_on(self.repository.commit(commit))
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.repository.wants_snapshot(expected, version)
    }
}

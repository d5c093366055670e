//! A repository of either kind, as the protocol asks it.
//!
//! The protocol is written for a repository that has to be awaited. One that makes its thread wait is asked through
//! [`SyncStorage`], which always has its answer ready, so that [`poll_ready`] gets the result without a runtime.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::contract::{
    AsyncRepository, CommitOutcome, EraseOutcome, RecordPage, Repository,
};
use crate::repository::error::RepositoryError;
use crate::repository::request::StoredRequest;
use crate::repository::turns::{TurnGuard, Turns};
#[cfg(feature = "tracing")]
use crate::visible::Visible;

pub(super) type Outcome<T> = Result<T, RepositoryError>;

/// A repository of either kind, as the steps ask it.
pub(super) trait Storage {
    async fn snapshot(&self, account: &AccountId) -> Outcome<Option<Snapshot>>;
    async fn records_after(&self, account: &AccountId, version: u64) -> Outcome<RecordPage>;
    async fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Outcome<Option<StoredRequest>>;
    async fn commit(&self, commit: &Commit) -> Outcome<CommitOutcome>;
    async fn erase(&self, account: &AccountId) -> Outcome<EraseOutcome>;
    fn wants_snapshot(&self, before: u64, version: u64) -> bool;
    /// Takes a turn.
    async fn turn<'t>(&self, turns: &'t Turns) -> TurnGuard<'t>;
}

/// A [`Repository`], in the type of the [`Accounts`](super::Accounts) over it.
#[derive(Debug)]
pub struct SyncStorage<R>(pub(super) R);

/// An [`AsyncRepository`], in the type of the [`Accounts`](super::Accounts) over it.
#[derive(Debug)]
pub struct AsyncStorage<R>(pub(super) R);

macro_rules! storage {
    ($wrapper:ident, $contract:ident, $take:ident $(, $wait:ident)?) => {
        impl<R: $contract> Storage for $wrapper<R> {
            #[cfg_attr(
                feature = "tracing",
                tracing::instrument(
                    name = "grantbook.storage.snapshot", level = "debug", skip_all,
                    fields(account = %Visible(account)), err(level = "debug")
                )
            )]
            async fn snapshot(&self, account: &AccountId) -> Outcome<Option<Snapshot>> {
                failed(self.0.snapshot(account)$(.$wait)?)
            }

            #[cfg_attr(
                feature = "tracing",
                tracing::instrument(
                    name = "grantbook.storage.records", level = "debug", skip_all,
                    fields(account = %Visible(account), version = version), err(level = "debug")
                )
            )]
            async fn records_after(&self, account: &AccountId, version: u64) -> Outcome<RecordPage> {
                failed(self.0.records_after(account, version)$(.$wait)?)
            }

            #[cfg_attr(
                feature = "tracing",
                tracing::instrument(
                    name = "grantbook.storage.request", level = "debug", skip_all,
                    fields(account = %Visible(account)), err(level = "debug")
                )
            )]
            async fn request(
                &self,
                account: &AccountId,
                key: &IdempotencyKey,
            ) -> Outcome<Option<StoredRequest>> {
                failed(self.0.request(account, key)$(.$wait)?)
            }

            #[cfg_attr(
                feature = "tracing",
                tracing::instrument(
                    name = "grantbook.storage.commit", level = "debug", skip_all,
                    fields(account = %Visible(commit.account())), err(level = "debug")
                )
            )]
            async fn commit(&self, commit: &Commit) -> Outcome<CommitOutcome> {
                failed(self.0.commit(commit)$(.$wait)?)
            }

            #[cfg_attr(
                feature = "tracing",
                tracing::instrument(
                    name = "grantbook.storage.erase", level = "debug", skip_all,
                    fields(account = %Visible(account)), err(level = "debug")
                )
            )]
            async fn erase(&self, account: &AccountId) -> Outcome<EraseOutcome> {
                failed(self.0.erase(account)$(.$wait)?)
            }

            fn wants_snapshot(&self, before: u64, version: u64) -> bool {
                self.0.wants_snapshot(before, version)
            }

            async fn turn<'t>(&self, turns: &'t Turns) -> TurnGuard<'t> {
                turns.$take()$(.$wait)?
            }
        }
    };
}
storage!(SyncStorage, Repository, take_blocking);
storage!(AsyncStorage, AsyncRepository, take, await);

fn failed<T, E: Error + Send + Sync + 'static>(answer: Result<T, E>) -> Outcome<T> {
    answer.map_err(|error| RepositoryError::Storage(Box::new(error)))
}

/// The result of steps over a [`SyncStorage`], in which nothing is ever waited for: the first look has it.
pub(super) fn poll_ready<T>(steps: impl Future<Output = T>) -> T {
    let mut steps = pin!(steps);
    loop {
        if let Poll::Ready(result) = steps.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

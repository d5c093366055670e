//! Keeping a copy fresh.

use std::convert::Infallible;
use std::time::Duration;

use grantbook::repository::{AsyncStorage, Freshness, RepositoryError, SharedAccount};
use tokio::time::{Instant, sleep, timeout_at};

use crate::error::Error;
use crate::heads::Notice;
use crate::repository::EtcdRepository;

/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(50);

impl EtcdRepository {
    /// Keeps a copy up to date, for as long as this is awaited: watches first, then catches up, and again after every
    /// change. It catches up too when it has not for as long as a `tick`, of some seconds: a connection may be dead
    /// without saying so. `failed` is told of failures that may pass; until they have, the copy is late.
    ///
    /// # Errors
    /// What is kept is not this account's history, or not what the copy holds; the copy then denies everything. Get the
    /// account again from the `Accounts`, which loads it again, and follow it again.
    pub async fn follow(
        &self,
        copy: &SharedAccount<AsyncStorage<EtcdRepository>>,
        tick: Duration,
        mut failed: impl FnMut(&Error) + Send,
    ) -> Result<Infallible, RepositoryError> {
        let mut head = self.head(copy.id());
        let mut due = Instant::now() + tick;
        loop {
            let is_late = match timeout_at(due, head.next()).await {
                Ok(Ok(Notice::Changed { version, .. })) => {
                    copy.notify_version(version) != Freshness::UpToDate
                }
                Ok(Ok(Notice::Restarted)) | Err(_) => true,
                Ok(Err(error)) => {
                    failed(&error);
                    sleep(PAUSE).await;
                    false
                }
            };
            if !is_late {
                continue;
            }
            due = match copy.refresh().await {
                Ok(()) => Instant::now() + tick,
                Err(RepositoryError::Storage(error)) => match error.downcast::<Error>() {
                    Ok(error) if may_pass(&error) => {
                        failed(&error);
                        Instant::now() + PAUSE
                    }
                    Ok(error) => return Err(RepositoryError::Storage(error)),
                    Err(error) => return Err(RepositoryError::Storage(error)),
                },
                Err(error) => return Err(error),
            };
        }
    }
}

fn may_pass(error: &Error) -> bool {
    matches!(error, Error::Unanswered { .. } | Error::Refused(_))
}

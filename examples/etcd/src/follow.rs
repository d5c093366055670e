//! Keeping a copy fresh.

use std::convert::Infallible;
use std::time::Duration;

use grantbook::repository::{Freshness, LoadError, Shared};
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
    /// What is kept is not this account's history, or less than the copy holds. The copy stays as it was, and becomes no
    /// newer: stop serving from it.
    pub async fn follow(
        &self,
        shared: &Shared,
        tick: Duration,
        mut failed: impl FnMut(&Error) + Send,
    ) -> Result<Infallible, LoadError<Error>> {
        let account = shared.read().id().clone();
        let mut head = self.head(&account);
        let mut due = Instant::now() + tick;
        loop {
            let is_late = match timeout_at(due, head.next()).await {
                Ok(Ok(Notice::Changed { version, .. })) => {
                    shared.notify_version(version) != Freshness::UpToDate
                }
                Ok(Ok(Notice::Anew)) | Err(_) => true,
                Ok(Err(error)) => {
                    failed(&error);
                    sleep(PAUSE).await;
                    false
                }
            };
            if !is_late {
                continue;
            }
            due = match shared.catch_up_async(self).await {
                Ok(()) => Instant::now() + tick,
                Err(LoadError::Repository(
                    error @ (Error::Unanswered { .. } | Error::Refused(_)),
                )) => {
                    failed(&error);
                    Instant::now() + PAUSE
                }
                Err(error) => return Err(error),
            };
        }
    }
}

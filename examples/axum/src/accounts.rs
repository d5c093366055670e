//! Accounts that a service holds.

use std::time::Duration;

use grantbook::AccountId;
use grantbook::repository::{Accounts, Repository, RepositoryError, SharedAccount, SyncStorage};

use crate::problem::Problem;

/// Runs what waits for storage where it holds up no other request. Checks don't wait for anything.
///
/// # Errors
/// It panicked, which is answered with 500.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Problem::internal)
}

/// Returns an account: at once if it is held, else when it is loaded.
///
/// # Errors
/// As [`blocking`]; and within, as [`Accounts::get`].
pub async fn loaded<R: Repository + Send + Sync + 'static>(
    accounts: &Accounts<SyncStorage<R>>,
    id: AccountId,
) -> Result<Result<SharedAccount<SyncStorage<R>>, RepositoryError>, Problem> {
    if let Some(account) = accounts.loaded(&id) {
        return Ok(Ok(account));
    }
    let accounts = accounts.clone();
    blocking(move || accounts.get(&id)).await
}

/// Sees what other processes have changed, for as long as the service runs.
pub async fn refresh_every<R: Repository + Send + Sync + 'static>(
    accounts: Accounts<SyncStorage<R>>,
    interval: Duration,
) {
    let mut ticks = tokio::time::interval(interval);
    loop {
        ticks.tick().await;
        for held in accounts.held() {
            if let Ok(Err(error)) = blocking(move || held.refresh()).await {
                eprintln!("refresh: {error}");
            }
        }
    }
}

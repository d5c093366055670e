//! Keeping a process's copies of accounts fresh.

mod state;
mod task;

use std::sync::Arc;
use std::time::Duration;

use grantbook::AccountId;
use grantbook::repository::{LoadError, Shared, load_async};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Socket};

pub use self::state::{FollowError, Listening, State};

use self::task::Following;
use crate::error::Error;
use crate::repository::PostgresRepository;

/// Keeps the copies of the accounts that it follows fresh, in a task of its own, for as long as it lives.
///
/// One connection listens for the notices of all accounts. A notice says only that there is something new: what it is
/// comes from the repository, so that a notice may be lost, late, repeated or forged, and does no harm. Once the
/// connection listens, first and after every break, all copies are compared with what is kept, and so they are at every
/// tick of a timer, with one statement for all, whether the connection stands or not. So a copy is behind by a notice's
/// way as a rule, and by a tick at most while the database can be reached; [`state`](Follower::state) says whether it can.
///
/// A check that must not miss a change that is known of asks [`Shared::at_least`], catches up when the copy is older, and
/// asks again.
#[derive(Debug)]
pub struct Follower {
    following: Arc<Following>,
    /// The task ends when this is dropped.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Begins, with no account yet, in the Tokio runtime that this is called in. The database need not be there yet.
    ///
    /// The connection that listens is made of `config` and `tls`, and must lead to the server that the repository writes
    /// to. `tick` is how late a copy may be when notices are lost; half a second, say, and not zero.
    #[must_use]
    pub fn start<T>(repository: PostgresRepository, config: Config, tls: T, tick: Duration) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let following = Arc::new(Following::new(repository));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(task::run(following.clone(), config, tls, tick, stopped));
        Self {
            following,
            stop,
            task,
        }
    }

    /// Loads an account, if it is not followed yet, and keeps it fresh from now on. `None`: none is kept of this id.
    ///
    /// # Errors
    /// As [`repository::load`](grantbook::repository::load). What fails once it is loaded leaves it followed: the task
    /// goes on trying.
    pub async fn follow(
        &self,
        account: &AccountId,
    ) -> Result<Option<Arc<Shared>>, LoadError<Error>> {
        if let Some(shared) = self.following.copy(account) {
            return Ok(Some(shared));
        }
        let repository = &self.following.repository;
        let Some(replica) = load_async(repository, account).await? else {
            return Ok(None);
        };
        let shared = self.following.insert(account, Shared::new(replica));
        // What was kept while it was loaded was told to nobody here.
        self.following.is_due(account.clone());
        shared.catch_up_async(repository).await?;
        Ok(Some(shared))
    }

    /// Follows an account no more. Whoever holds its copy keeps it, as it is.
    pub fn forget(&self, account: &AccountId) {
        self.following.remove(account);
    }

    /// How it goes.
    #[must_use]
    pub fn state(&self) -> State {
        self.following.state().clone()
    }

    /// Ends, and waits until no connection is left listening. To drop it ends it too, a little later.
    pub async fn stop(self) {
        drop(self.stop);
        // It does not panic, and nobody else cancels it; either way it has ended.
        let _ = self.task.await;
    }
}

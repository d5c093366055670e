//! Keeping a process's copies of accounts fresh.

mod state;
mod task;

use std::sync::Arc;
use std::time::Duration;

use grantbook::repository::{Accounts, AsyncStorage};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, Socket};

pub use self::state::{FollowError, Listening, State};

use self::task::Following;
use crate::repository::PostgresRepository;

/// Keeps the copies of the accounts that a process holds fresh, in a task of its own, for as long as it lives.
///
/// One connection listens for the notices of all accounts. A notice says only that there is something new: what it is
/// comes from the repository, so that a notice may be lost, late, repeated or forged, and does no harm. Once the
/// connection listens, first and after every break, all copies are compared with what is kept, and so they are at every
/// tick of a timer, with one statement for all, whether the connection stands or not. So a copy is behind by a notice's
/// way as a rule, and by a tick at most while the database can be reached; [`state`](Follower::state) says whether it can.
///
/// A copy that is not what the database holds (a backup was restored) is loaded again, whichever version that is. A copy of
/// an account that was erased denies everything, and is given up.
///
/// A check that must not miss a change that is known of asks
/// [`SharedAccount::at_least`](grantbook::repository::SharedAccount::at_least), refreshes the copy when it is older, and
/// asks again.
#[derive(Debug)]
pub struct Follower {
    following: Arc<Following>,
    /// The task ends when this is dropped.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Follower {
    /// Begins to follow what these accounts hold, now and later, in the Tokio runtime that this is called in. The database
    /// need not be there yet.
    ///
    /// The connection that listens is made of `config` and `tls`, and must lead to the server that the repository writes
    /// to. `tick` is how late a copy may be when notices are lost; half a second, say, and not zero.
    #[must_use]
    pub fn start<T>(
        accounts: Accounts<AsyncStorage<PostgresRepository>>,
        config: Config,
        tls: T,
        tick: Duration,
    ) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let following = Arc::new(Following::new(accounts));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(task::run(following.clone(), config, tls, tick, stopped));
        Self {
            following,
            stop,
            task,
        }
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

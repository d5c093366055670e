//! How following goes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use grantbook::repository::RepositoryError;
use grantbook::{AccountId, Quoted};

use crate::error::{Error, with_causes};

/// How following goes, at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct State {
    /// Whether notices come.
    pub listening: Listening,
    /// Since when that is so.
    pub since: Instant,
    /// At this moment all copies were as new as what was kept, but for those that are [failing](State::failing). `None`:
    /// they have not been compared yet. A service that must not answer from a copy older than so and so long asks this.
    pub fresh_at: Option<Instant>,
    /// The accounts whose copies could not be brought up to date when that was tried last: their records cannot be read,
    /// say. Their copies are as they were before.
    pub failing: BTreeSet<AccountId>,
    /// The last thing that went wrong, however long ago.
    pub last_error: Option<Arc<FollowError>>,
}

/// Whether notices come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Listening {
    /// No connection stands; one is being made. Copies are fresh as of the last tick.
    Connecting,
    /// Notices come.
    Connected,
    /// The task has ended.
    Stopped,
}

/// What went wrong; it is tried again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The connection that listens could not be made, or broke.
    #[error("the connection that listens failed: {}", with_causes(.0))]
    Listen(tokio_postgres::Error),
    /// The connection that listens was closed by the server.
    #[error("the connection that listens was closed")]
    Closed,
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    Silent,
    /// The heads could not be read.
    #[error(transparent)]
    Compare(Error),
    /// A copy could not be brought up to date.
    #[error("account {account} could not be brought up to date: {error}", account = Quoted(account))]
    CatchUp {
        /// The account.
        account: AccountId,
        /// Why not.
        error: RepositoryError,
    },
}

impl From<tokio_postgres::Error> for FollowError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Listen(error)
    }
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            listening: Listening::Connecting,
            since: Instant::now(),
            fresh_at: None,
            failing: BTreeSet::new(),
            last_error: None,
        }
    }

    /// Takes notice of whether notices come; `since` changes only with it.
    pub(super) fn turn(&mut self, listening: Listening) {
        if self.listening != listening {
            (self.listening, self.since) = (listening, Instant::now());
        }
    }

    pub(super) fn failed(&mut self, error: FollowError) {
        self.last_error = Some(Arc::new(error));
    }
}

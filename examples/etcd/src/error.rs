//! What can go wrong in etcd.

use std::fmt;
use std::time::Duration;

use grantbook::{AccountId, IdempotencyKey, Quoted};

/// Why etcd could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// etcd said no: not allowed, out of space. Nothing was kept.
    #[error("etcd refused: {0}")]
    Refused(Box<etcd_client::Error>),
    /// No member answered in time, or none that had a leader. After a commit it is unknown whether it was kept: try the
    /// same request again, with the same key.
    #[error("etcd did not answer within {timeout:?}{}", because(error.as_deref()))]
    Unanswered {
        /// How long it was asked.
        timeout: Duration,
        /// The last error, if any member got as far as that.
        error: Option<Box<etcd_client::Error>>,
    },
    /// The records of one request take more than etcd accepts in one step. Nothing was kept.
    #[error(
        "the records of account {account} up to version {version} take {bytes} bytes, and etcd accepts {limit} at \
         once; ask for less in one request",
        account = Quoted(account)
    )]
    TooLarge {
        /// The account.
        account: AccountId,
        /// The version of the last of the records.
        version: u64,
        /// How many bytes they take.
        bytes: usize,
        /// How many they may take.
        limit: usize,
    },
    /// A value is of a form that this version of the library does not read: a later one, or changed by hand. Nothing of
    /// it is used, and nothing is written over it.
    #[error("{part} of account {account} cannot be read: {reason}", account = Quoted(account))]
    Unreadable {
        /// The account.
        account: AccountId,
        /// Which value.
        part: Part,
        /// Why not.
        reason: serde_json::Error,
    },
    /// A value can be read, and belongs elsewhere: it was copied, or changed by hand.
    #[error("what is kept as {part} of account {account} is something else", account = Quoted(account))]
    Misplaced {
        /// The account.
        account: AccountId,
        /// Which value.
        part: Part,
    },
    /// A record is not where it must be: it was deleted by hand.
    #[error("the record of account {account} at version {version} is missing", account = Quoted(account))]
    Missing {
        /// The account.
        account: AccountId,
        /// The version.
        version: u64,
    },
    /// There are records after the last version that the account is said to have: the head was changed by hand.
    #[error("the head of account {account} is at version {head}, and there are records after it", account = Quoted(account))]
    HeadBehind {
        /// The account.
        account: AccountId,
        /// The version that the head says.
        head: u64,
    },
    /// A commit could not be written as JSON.
    #[error("the commit cannot be written as JSON: {0}")]
    Json(serde_json::Error),
    /// etcd ended a watch, and not because of a compaction.
    #[error("etcd ended the watch: {reason}")]
    WatchEnded {
        /// What etcd said.
        reason: String,
    },
}

/// A value of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// Where the chain of records stands.
    Head,
    /// The records that were kept in one step, of which the last is of this version.
    Commit {
        /// The version.
        version: u64,
    },
    /// What is remembered of a request.
    Request {
        /// Its key.
        key: IdempotencyKey,
    },
    /// The latest snapshot.
    Snapshot,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Head => write!(f, "the head"),
            Part::Commit { version } => write!(f, "the commit to version {version}"),
            Part::Request { key } => write!(f, "request {}", Quoted(key)),
            Part::Snapshot => write!(f, "the snapshot"),
        }
    }
}

fn because(error: Option<&etcd_client::Error>) -> String {
    error.map_or_else(String::new, |error| format!(": {error}"))
}

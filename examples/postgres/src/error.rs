//! What can go wrong in the database.

use std::error;
use std::iter;

use deadpool_postgres::PoolError;
use grantbook::Quoted;

/// Why the database could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection was to be had. Nothing was asked, so nothing was kept.
    #[error("no connection to the database: {}", with_causes(.0))]
    Connection(PoolError),
    /// The database refused, or the connection broke. After a commit it may be unknown whether it was kept: try again
    /// with the same key.
    #[error("the database failed: {}", with_causes(.0))]
    Database(tokio_postgres::Error),
    /// Other transactions came in between each time; nothing was kept.
    #[error("the transaction failed to serialize {attempts} times; try again")]
    Busy {
        /// How often it was tried.
        attempts: usize,
    },
    /// A row holds what this version of the library does not read: a later format, or something changed by hand.
    /// Nothing of it is used.
    #[error("{table} of account {account} at version {version} cannot be read: {reason}", account = Quoted(account))]
    Row {
        /// The table: `record`, `request` or `snapshot`.
        table: &'static str,
        /// The account, as the row has it.
        account: String,
        /// The version, as the row has it.
        version: i64,
        /// Why not.
        reason: InvalidRow,
    },
    /// A record is not where it must be: it was deleted, or its version changed, by hand.
    #[error("the record of account {account} at version {version} is missing", account = Quoted(account))]
    Missing {
        /// The account.
        account: String,
        /// The version.
        version: u64,
    },
    /// The head of an account is none: its row was changed by hand.
    #[error("the head of account {account} cannot be read", account = Quoted(account))]
    Head {
        /// The account.
        account: String,
    },
    /// There are records after the last version that an account is said to have: its head was changed by hand.
    #[error("the head of account {account} is at version {head}, and there are records after it", account = Quoted(account))]
    HeadBehind {
        /// The account.
        account: String,
        /// The version that the head says.
        head: u64,
    },
    /// A version that the database has no number for.
    #[error(
        "version {version} is beyond {}, the last that the database can hold",
        i64::MAX
    )]
    Version {
        /// The version.
        version: u64,
    },
    /// A record or a snapshot could not be written as JSON.
    #[error("the commit cannot be written as JSON: {0}")]
    Json(serde_json::Error),
    /// The schema was made by a later version of this package.
    #[error(
        "the database is at migration {found}, and this program knows {known}; use a newer one"
    )]
    NewerSchema {
        /// The last migration that was applied.
        found: i32,
        /// The last one that is known here.
        known: i32,
    },
    /// The database keeps text in another encoding, which has no room for every id.
    #[error("the database has the encoding {encoding}; make one with the encoding UTF8")]
    Encoding {
        /// Its encoding.
        encoding: String,
    },
}

/// Why a row is not what its columns say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidRow {
    /// It is not of a form that this version of the library reads.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// It says that it is of another account, or of another version.
    #[error("it says that it is of account {account} at version {version}", account = Quoted(account))]
    Elsewhere {
        /// The account that it names.
        account: String,
        /// The version that it names.
        version: u64,
    },
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        Self::Connection(error)
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

/// An error with what it came of: the client says `db error`, and the server's words are behind that.
pub(crate) fn with_causes(error: &dyn error::Error) -> String {
    let mut text = String::new();
    for error in iter::successors(Some(error), |error| error.source()) {
        let words = error.to_string();
        // Some repeat their cause.
        if !text.ends_with(&words) {
            let joint = if text.is_empty() { "" } else { ": " };
            text.extend([joint, &words]);
        }
    }
    text
}

//! What can go wrong with the file.

use std::path::PathBuf;

use grantbook::{AccountId, IdempotencyKey, Quoted};
use rusqlite::ErrorCode;

/// Why the file could not be read or written. Nothing of what was asked for is half done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// There is no such file.
    #[error("there is no file `{}`; create it by opening an account in it", path.display())]
    NotFound {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The file is no database. It is left as it is.
    #[error("`{}` is no SQLite database, and is left as it is", path.display())]
    NotADatabase {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The database has no tables of grantbook. It is left as it is.
    #[error("`{}` holds no accounts of grantbook, and is left as it is", path.display())]
    NoTables {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The tables were made by another version of this package.
    #[error(
        "`{}` has schema {found}, and this version reads schema {known}; update it first",
        path.display()
    )]
    OtherSchema {
        /// The path that was asked for.
        path: PathBuf,
        /// The file's schema.
        found: i64,
        /// The one that can be read.
        known: i64,
    },
    /// A record cannot be read. It is left as it is.
    #[error("record {version} of account {account} cannot be read: {problem}", account = Quoted(account))]
    Record {
        /// The account.
        account: AccountId,
        /// The record's version.
        version: u64,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// A snapshot cannot be read. It is left as it is.
    #[error("the snapshot of account {account} cannot be read: {problem}", account = Quoted(account))]
    Snapshot {
        /// The account.
        account: AccountId,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// What is remembered of a request cannot be read. It is left as it is.
    #[error("request {key} of account {account} cannot be read: {problem}", key = Quoted(key), account = Quoted(account))]
    Request {
        /// The account.
        account: AccountId,
        /// Its key.
        key: IdempotencyKey,
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// The head of an account cannot be read. It is left as it is.
    #[error("the head of account {account} cannot be read: {problem}", account = Quoted(account))]
    Head {
        /// The account.
        account: AccountId,
        /// What it says.
        problem: String,
    },
    /// There are records after the last version that an account is said to have, or of an account that has no head: the head
    /// was changed by hand. It is left as it is.
    #[error("the head of account {account} is at version {head}, and there is a record {record}", account = Quoted(account))]
    HeadBehind {
        /// The account.
        account: AccountId,
        /// The version that the head says; 0, if there is none.
        head: u64,
        /// The version of the last record.
        record: u64,
    },
    /// Another process has held the file for too long.
    #[error("the file is busy; try again")]
    Busy,
    /// There is no room for what was to be written.
    #[error("the disk is full; make room, and try again")]
    Full,
    /// The file, or the folder that it is in, cannot be written to.
    #[error("the file can only be read; make it and its folder writable")]
    ReadOnly,
    /// Anything else.
    #[error(transparent)]
    Sqlite(rusqlite::Error),
}

/// What is wrong with a row.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RowProblem {
    /// It is not there, and later ones are.
    #[error("its row is missing")]
    Missing,
    /// It is no text.
    #[error("it is no text")]
    NotText,
    /// It is not what this version of the library writes.
    #[error("{0}")]
    NotReadable(serde_json::Error),
    /// It says that it is another one.
    #[error("it says that it is version {version} of account {account}", account = Quoted(account))]
    Another {
        /// The account that it names.
        account: AccountId,
        /// The version that it names.
        version: u64,
    },
}

impl From<rusqlite::Error> for SqliteError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            _ => Self::Sqlite(without_statement(error)),
        }
    }
}

/// A statement that is wrong for this database (a table of another program is in the way, say) is not part of the message:
/// it can be the whole schema.
fn without_statement(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, .. } => {
            rusqlite::Error::SqliteFailure(error, Some(msg))
        }
        error => error,
    }
}

//! The repository.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use grantbook::repository::{
    Commit, CommitOutcome, EraseOutcome, Head, HeadState, RecordPage, Repository, StoredRequest,
};
use grantbook::{AccountId, Digest, IdempotencyKey, Record, Snapshot};
use rusqlite::types::{Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{RowProblem, SqliteError};
use crate::file;

/// A page ends with the record that makes it so long, in bytes, or so many records.
const PAGE_BYTES: u64 = 4 << 20;
const PAGE_RECORDS: usize = 1_000;
/// One commit in so many versions brings a snapshot.
const SNAPSHOT_EVERY: u64 = 1_000;

/// Accounts in one `SQLite` file, one connection. Processes share the file, each with a connection of its own.
///
/// Threads may share one as well, and then take turns; a connection for each lets them read side by side.
#[derive(Debug)]
pub struct SqliteRepository {
    connection: Mutex<Connection>,
}

impl SqliteRepository {
    /// Opens a file that has the tables of this package, perhaps beside others.
    ///
    /// # Errors
    /// There is no such file, it has no such tables, or those of another version. It is then left as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::connected(path.as_ref(), false)
    }

    /// As [`open`](Self::open), and makes the tables where they are missing, and the file where there is none.
    ///
    /// # Errors
    /// The file is no database, or has the tables of another version, and is left as it is; or it cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::connected(path.as_ref(), true)
    }

    fn connected(path: &Path, creating: bool) -> Result<Self, SqliteError> {
        let connection = Mutex::new(file::connect(path, creating)?);
        Ok(Self { connection })
    }

    /// Uses a connection of your own, to a database that has the [tables](crate::create_tables). How soon a commit is on the
    /// disk (`PRAGMA synchronous`) and how long it waits for others (the busy handler) is up to your connection.
    #[must_use]
    pub fn over(connection: Connection) -> Self {
        let connection = Mutex::new(connection);
        Self { connection }
    }

    /// Gives the connection to a transaction of your own, in which [`append_in`] keeps a commit. Others wait meanwhile. A
    /// transaction that is left open, also by a panic, is rolled back.
    ///
    /// # Deadlocks
    /// What is passed must not use this repository otherwise, nor an account that is over it where that reads or writes
    /// (`get`, `prepare`, `execute`, `refresh`): the thread would wait for itself. Prepare before, adopt afterwards.
    pub fn with_connection<T>(&self, use_it: impl FnOnce(&mut Connection) -> T) -> T {
        let answer = use_it(&mut self.connection());
        // Ends what was left open, so that others need not wait until this is used again.
        drop(self.connection());
        answer
    }

    /// Returns the ids of all accounts that were ever opened, with their heads, in the order of the ids.
    ///
    /// # Errors
    /// The database's own; a row that cannot be read.
    pub fn accounts(&self) -> Result<Vec<(AccountId, Head)>, SqliteError> {
        let connection = self.connection();
        let mut statement = connection.prepare(
            "SELECT version, digest, state, account FROM grantbook_heads ORDER BY account",
        )?;
        let mut rows = statement.query([])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            let id = AccountId::parse(&row.get::<_, String>(3)?).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(3, Type::Text, error.into())
            })?;
            let head = read_head(row, &id)?;
            accounts.push((id, head));
        }
        Ok(accounts)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        let lock = self.connection.lock();
        let connection = lock.unwrap_or_else(PoisonError::into_inner);
        // What was not committed is not to be read as if it were. If it cannot be rolled back, what follows fails.
        if !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        connection
    }
}

impl Repository for SqliteRepository {
    type Error = SqliteError;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, SqliteError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT snapshot, version FROM grantbook_snapshots WHERE account = ?1",
        )?;
        let read = |row: &Row<'_>| Ok((read::<Snapshot>(row)?, number(row, 1)?));
        let Some((found, version)) = statement.query_row([&**account], read).optional()? else {
            return Ok(None);
        };
        found
            .and_then(|snapshot| {
                let is = (snapshot.account(), snapshot.version());
                is_this_one(is, (account, version))?;
                Ok(Some(snapshot))
            })
            .map_err(|problem| SqliteError::Snapshot {
                account: account.clone(),
                problem,
            })
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, SqliteError> {
        let mut connection = self.connection();
        // One transaction, so that both answers are of one moment.
        let transaction = connection.transaction()?;
        let head = head(&transaction, account)?;
        let last = match head {
            Some(head) if head.state != HeadState::Erased => head.version,
            _ => 0,
        };
        let records = if version < last {
            page(&transaction, account, version + 1, last)?
        } else {
            Vec::new()
        };
        Ok(RecordPage::Records { records, head })
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, SqliteError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT request FROM grantbook_requests WHERE account = ?1 AND key = ?2",
        )?;
        let found = statement
            .query_row([&**account, &**key], read::<StoredRequest>)
            .optional()?;
        found.transpose().map_err(|problem| SqliteError::Request {
            account: account.clone(),
            key: key.clone(),
            problem,
        })
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, SqliteError> {
        let mut connection = self.connection();
        // The lock for writing is taken first: what is read holds until all is written.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = append_in(&transaction, commit)?;
        if outcome == CommitOutcome::Appended {
            transaction.commit()?;
        }
        Ok(outcome)
    }

    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, SqliteError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match head(&transaction, account)?.map(|head| head.state) {
            None => return Ok(EraseOutcome::Unknown),
            Some(HeadState::Open) => return Ok(EraseOutcome::NotClosed),
            Some(HeadState::Closed | HeadState::Erased) => {}
        }
        for statement in [
            "UPDATE grantbook_heads SET state = 'erased' WHERE account = ?1",
            "DELETE FROM grantbook_records WHERE account = ?1",
            "DELETE FROM grantbook_requests WHERE account = ?1",
            "DELETE FROM grantbook_snapshots WHERE account = ?1",
        ] {
            transaction.execute(statement, [&**account])?;
        }
        transaction.commit()?;
        Ok(EraseOutcome::Erased)
    }

    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        before / SNAPSHOT_EVERY != version / SNAPSHOT_EVERY
    }
}

/// Keeps a commit in a transaction of your own, together with your application's rows: nothing is kept until you commit
/// it, and all of it is gone if you roll back. Begin the transaction as
/// [immediate](rusqlite::TransactionBehavior::Immediate), so that what is compared holds until all is written.
///
/// The commit comes from [`SharedAccount::prepare`](grantbook::repository::SharedAccount::prepare), and is
/// [adopted](grantbook::repository::SharedAccount::adopt) after you have committed the transaction. Where the answer is not
/// [`Appended`](CommitOutcome::Appended), nothing was written.
///
/// # Errors
/// The database's own. Roll the transaction back.
pub fn append_in(
    transaction: &Transaction<'_>,
    commit: &Commit,
) -> Result<CommitOutcome, SqliteError> {
    let account = commit.account();
    let is_known = transaction
        .prepare_cached("SELECT 1 FROM grantbook_requests WHERE account = ?1 AND key = ?2")?
        .exists([&**account, &**commit.key()])?;
    if is_known {
        return Ok(CommitOutcome::Duplicate);
    }
    let head = head(transaction, account)?;
    let is_over = head.is_some_and(|head| head.state != HeadState::Open);
    if head.as_ref() != commit.expected() || is_over {
        return Ok(CommitOutcome::Conflict);
    }
    insert(transaction, commit)?;
    Ok(CommitOutcome::Appended)
}

fn insert(transaction: &Transaction<'_>, commit: &Commit) -> Result<(), SqliteError> {
    let account = &**commit.account();
    let before_all = "0".repeat(64);
    if commit.expected().is_none() {
        transaction
            .prepare_cached(
                "INSERT INTO grantbook_heads (account, version, digest, state) VALUES (?1, 0, ?2, 'open')",
            )?
            .execute(params![account, before_all])?;
    }
    let expected = commit.expected();
    let mut before = expected.map_or(before_all, |head| head.digest.to_string());
    // The schema moves the head with each record.
    let mut statement = transaction.prepare_cached(
        "INSERT INTO grantbook_records (account, version, before, digest, record) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for record in commit.records() {
        let digest = record.digest().to_string();
        let version = column(record.version())?;
        statement.execute(params![account, version, before, digest, json(record)?])?;
        before = digest;
    }
    let request = commit.request();
    transaction
        .prepare_cached(
            "INSERT INTO grantbook_requests (account, key, before, version, request) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            account,
            &**commit.key(),
            column(request.before)?,
            column(request.version)?,
            json(request)?
        ])?;
    if let Some(snapshot) = commit.snapshot() {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO grantbook_snapshots (account, version, snapshot) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![account, column(snapshot.version())?, json(snapshot)?])?;
    }
    Ok(())
}

/// The head of an account; `None`, if none was ever opened. One that is behind its records is not gone by: what was
/// revoked since would be allowed.
fn head(transaction: &Connection, account: &AccountId) -> Result<Option<Head>, SqliteError> {
    let mut statement = transaction
        .prepare_cached("SELECT version, digest, state FROM grantbook_heads WHERE account = ?1")?;
    let mut rows = statement.query([&**account])?;
    let row = rows.next()?;
    let head = row.map(|row| read_head(row, account)).transpose()?;
    let (version, is_erased) = head.map_or((0, false), |head| {
        (head.version, head.state == HeadState::Erased)
    });
    let mut last = transaction.prepare_cached(
        "SELECT version FROM grantbook_records WHERE account = ?1 ORDER BY version DESC LIMIT 1",
    )?;
    let last = last
        .query_row([&**account], |row| number(row, 0))
        .optional()?;
    match last {
        Some(record) if record > version && !is_erased => Err(SqliteError::HeadBehind {
            account: account.clone(),
            head: version,
            record,
        }),
        _ => Ok(head),
    }
}

/// The head that a row's first three columns say.
fn read_head(row: &Row<'_>, account: &AccountId) -> Result<Head, SqliteError> {
    let version = number(row, 0)?;
    let (digest, state): (String, String) = (row.get(1)?, row.get(2)?);
    let (Ok(digest), Some(state)) = (Digest::parse(&digest), HeadState::from_text(&state)) else {
        return Err(SqliteError::Head {
            account: account.clone(),
            problem: format!("digest `{digest}`, state `{state}`"),
        });
    };
    Ok(Head {
        version,
        digest,
        state,
    })
}

/// The records from one version on until another, or as many as make a page. Those that cannot be read are not left
/// out: it fails.
fn page(
    transaction: &Transaction<'_>,
    account: &AccountId,
    first: u64,
    last: u64,
) -> Result<Vec<Record>, SqliteError> {
    let mut statement = transaction.prepare_cached(
        "SELECT record, version, octet_length(record) FROM grantbook_records
         WHERE account = ?1 AND version BETWEEN ?2 AND ?3 ORDER BY version",
    )?;
    let mut rows = statement.query(params![&**account, column(first)?, column(last)?])?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    for version in first..=last {
        if bytes >= PAGE_BYTES || records.len() == PAGE_RECORDS {
            break;
        }
        let found = match rows.next()? {
            Some(row) if number(row, 1)? == version => {
                bytes += u64::from(row.get::<_, u32>(2)?);
                read::<Record>(row)?
            }
            _ => Err(RowProblem::Missing),
        };
        let found = found.and_then(|record| {
            is_this_one((record.account(), record.version()), (account, version))?;
            Ok(record)
        });
        records.push(found.map_err(|problem| SqliteError::Record {
            account: account.clone(),
            version,
            problem,
        })?);
    }
    Ok(records)
}

/// What a row's first column holds.
fn read<T: DeserializeOwned>(row: &Row<'_>) -> Result<Result<T, RowProblem>, rusqlite::Error> {
    Ok(match row.get_ref(0)? {
        ValueRef::Text(text) => serde_json::from_slice(text).map_err(RowProblem::NotReadable),
        _ => Err(RowProblem::NotText),
    })
}

fn is_this_one(found: (&AccountId, u64), asked: (&AccountId, u64)) -> Result<(), RowProblem> {
    if found == asked {
        return Ok(());
    }
    let (account, version) = found;
    Err(RowProblem::Another {
        account: account.clone(),
        version,
    })
}

/// A version, as the schema has it: positive, so that nothing is lost.
fn number(row: &Row<'_>, index: usize) -> Result<u64, rusqlite::Error> {
    let found: i64 = row.get(index)?;
    u64::try_from(found).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, found))
}

fn column(version: u64) -> Result<i64, rusqlite::Error> {
    i64::try_from(version).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

fn json(value: &impl Serialize) -> Result<String, rusqlite::Error> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

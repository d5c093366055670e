//! The repository.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use grantbook::repository::{Commit, CommitOutcome, RecordPage, Repository};
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use rusqlite::types::ValueRef;
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
    /// Opens a file that [`create`](Self::create) made.
    ///
    /// # Errors
    /// There is no such file, it is another program's, or a later version's. It is then left as it is.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::connected(path.as_ref(), false)
    }

    /// As [`open`](Self::open), and makes a new file where there is none.
    ///
    /// # Errors
    /// The file is another program's, or a later version's, and is left as it is; or it cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, SqliteError> {
        Self::connected(path.as_ref(), true)
    }

    fn connected(path: &Path, creating: bool) -> Result<Self, SqliteError> {
        let connection = Mutex::new(file::connect(path, creating)?);
        Ok(Self { connection })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic cut short was rolled back, so the connection is good.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Repository for SqliteRepository {
    type Error = SqliteError;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, SqliteError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare_cached("SELECT snapshot, version FROM snapshots WHERE account = ?1")?;
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
        let last = last_version(&transaction, account)?;
        let records = if version < last {
            page(&transaction, account, version + 1, last)?
        } else {
            Vec::new()
        };
        Ok(RecordPage::Records { records, last })
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, SqliteError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let Some((mut next, last)) = versions_of(&transaction, account, id)? else {
            return Ok(Vec::new());
        };
        let mut records = Vec::new();
        while next <= last {
            records.extend(page(&transaction, account, next, last)?);
            next = records.last().map_or(last, Record::version) + 1;
        }
        Ok(records)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, SqliteError> {
        let mut connection = self.connection();
        // The lock for writing is taken first: what is read holds until all is written.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if versions_of(&transaction, commit.account(), commit.id())?.is_some() {
            return Ok(CommitOutcome::Duplicate);
        }
        if last_version(&transaction, commit.account())? != commit.expected() {
            return Ok(CommitOutcome::Conflict);
        }
        insert(&transaction, commit)?;
        transaction.commit()?;
        Ok(CommitOutcome::Appended)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        expected / SNAPSHOT_EVERY != version / SNAPSHOT_EVERY
    }
}

fn insert(transaction: &Transaction<'_>, commit: &Commit) -> Result<(), SqliteError> {
    let account = &**commit.account();
    transaction
        .prepare_cached("INSERT INTO commits (account, id, first, last) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            account,
            &**commit.id(),
            column(commit.expected() + 1)?,
            column(commit.version())?
        ])?;
    let mut statement = transaction
        .prepare_cached("INSERT INTO records (account, version, record) VALUES (?1, ?2, ?3)")?;
    for record in commit.records() {
        statement.execute(params![account, column(record.version())?, json(record)?])?;
    }
    if let Some(snapshot) = commit.snapshot() {
        transaction
            .prepare_cached(
                "INSERT OR REPLACE INTO snapshots (account, version, snapshot) VALUES (?1, ?2, ?3)",
            )?
            .execute(params![account, column(commit.version())?, json(snapshot)?])?;
    }
    Ok(())
}

/// The version of the last record that is kept; 0, if none is.
fn last_version(transaction: &Transaction<'_>, account: &AccountId) -> Result<u64, SqliteError> {
    Ok(transaction
        .prepare_cached("SELECT coalesce(max(version), 0) FROM records WHERE account = ?1")?
        .query_row([&**account], |row| number(row, 0))?)
}

/// The first and the last version of a commit, if it is kept.
fn versions_of(
    transaction: &Transaction<'_>,
    account: &AccountId,
    id: &IdempotencyKey,
) -> Result<Option<(u64, u64)>, SqliteError> {
    Ok(transaction
        .prepare_cached("SELECT first, last FROM commits WHERE account = ?1 AND id = ?2")?
        .query_row([&**account, &**id], |row| {
            Ok((number(row, 0)?, number(row, 1)?))
        })
        .optional()?)
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
        "SELECT record, version, octet_length(record) FROM records
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

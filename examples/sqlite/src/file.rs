//! Opening the file.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::SqliteError;

const SCHEMA: &str = include_str!("schema.sql");
/// The number of that schema, kept in a table of its own.
const SCHEMA_NUMBER: i64 = 1;
/// How often one process looks whether another's commit is done, and for how long in all.
const PAUSE: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to a file, after making sure that it has our tables; makes them if `creating`.
pub(crate) fn connect(path: &Path, creating: bool) -> Result<Connection, SqliteError> {
    if !creating && !path.exists() {
        let path = path.to_owned();
        return Err(SqliteError::NotFound { path });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, creating);
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    if !has_tables(&connection, path)? {
        if !creating {
            let path = path.to_owned();
            return Err(SqliteError::NoTables { path });
        }
        create(&mut connection, path)?;
    }
    // A commit is on the disk before it is acknowledged. The usual `NORMAL` can lose the last ones when the power
    // fails, and a revocation that is lost is a door left open.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // What a view or a trigger written by others calls is not trusted.
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Waits for another process a little, if it may still be waited for. `SQLite` by itself waits up to 100 ms at a time,
/// which is long where a commit takes one, and unfair to who has waited already.
fn wait(times: i32) -> bool {
    thread::sleep(PAUSE);
    PAUSE * times.unsigned_abs() < PATIENCE
}

/// Whether our tables are in the file, of the schema that we know. There may be others beside them.
fn has_tables(connection: &Connection, path: &Path) -> Result<bool, SqliteError> {
    let path = path.to_owned();
    let count = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'grantbook_schema'",
        [],
        |row| row.get::<_, i64>(0),
    );
    match count {
        Ok(0) => return Ok(false),
        Ok(_) => {}
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            return Err(SqliteError::NotADatabase { path });
        }
        Err(error) => return Err(error.into()),
    }
    let found = connection.query_row("SELECT max(number) FROM grantbook_schema", [], |row| {
        row.get::<_, Option<i64>>(0)
    })?;
    match found {
        Some(SCHEMA_NUMBER) => Ok(true),
        found => Err(SqliteError::OtherSchema {
            path,
            found: found.unwrap_or_default(),
            known: SCHEMA_NUMBER,
        }),
    }
}

/// Makes the tables of this package, in a database that may have others; all of their names begin with `grantbook_`. Where
/// they are there already, it fails and changes nothing.
///
/// Call it in a transaction of your own migrations, or let [`SqliteRepository::create`](crate::SqliteRepository::create)
/// do it.
///
/// # Errors
/// The database's own.
pub fn create_tables(connection: &Connection) -> Result<(), SqliteError> {
    Ok(connection.execute_batch(SCHEMA)?)
}

/// Several processes may come here at once; one of them applies the schema.
fn create(connection: &mut Connection, path: &Path) -> Result<(), SqliteError> {
    let mut times = 0;
    // Readers do not wait for the writer, nor it for them. SQLite does not wait here, so this does.
    while let Err(error) = connection.pragma_update(None, "journal_mode", "WAL") {
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy) || !wait(times) {
            return Err(error.into());
        }
        times += 1;
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !has_tables(&transaction, path)? {
        create_tables(&transaction)?;
    }
    Ok(transaction.commit()?)
}

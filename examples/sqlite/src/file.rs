//! Opening the file.

use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::SqliteError;

const SCHEMA: &str = include_str!("schema.sql");
/// The number of that schema, kept as `user_version`.
const SCHEMA_NUMBER: i64 = 1;
/// `gran`: says in the file's header that it is ours.
const APPLICATION: i64 = 0x6772_616e;
/// How often one process looks whether another's commit is done, and for how long in all.
const PAUSE: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to a file, after making sure that it is ours; makes a new one ours if `creating`.
pub(crate) fn connect(path: &Path, creating: bool) -> Result<Connection, SqliteError> {
    if !creating && !path.exists() {
        let path = path.to_owned();
        return Err(SqliteError::NotFound { path });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    flags.set(OpenFlags::SQLITE_OPEN_CREATE, creating);
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_handler(Some(wait))?;
    if is_new(&connection, path)? {
        if !creating {
            let path = path.to_owned();
            return Err(SqliteError::OtherProgram { path });
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

/// Whether there is nothing in the file yet. If there is, it is ours, of the schema that we know.
fn is_new(connection: &Connection, path: &Path) -> Result<bool, SqliteError> {
    // One statement, so that all three are of one moment: another process may be making the file.
    let read = connection.query_row(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)
         FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?)),
    );
    let path = path.to_owned();
    match read {
        Ok((0, 0, 0)) => Ok(true),
        Ok((APPLICATION, SCHEMA_NUMBER, _)) => Ok(false),
        Ok((APPLICATION, found, _)) => Err(SqliteError::LaterSchema {
            path,
            found,
            known: SCHEMA_NUMBER,
        }),
        Ok(_) => Err(SqliteError::OtherProgram { path }),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(SqliteError::OtherProgram { path })
        }
        Err(error) => Err(error.into()),
    }
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
    if is_new(&transaction, path)? {
        transaction.execute_batch(SCHEMA)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", SCHEMA_NUMBER)?;
    }
    Ok(transaction.commit()?)
}

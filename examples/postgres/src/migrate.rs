//! Bringing a database's schema up to what this package needs.

use tokio_postgres::GenericClient;

use crate::error::Error;
use crate::repository::PostgresRepository;

/// In their order. What was released is never changed; a change is a new one.
const MIGRATIONS: &[(i32, &str)] = &[(1, include_str!("../migrations/0001_grantbook.sql"))];

/// Held while migrating, so that one process does it and the others wait. Any number, but always the same.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7203406152087263592)";

const PREPARE: &str = "
CREATE SCHEMA IF NOT EXISTS grantbook;
CREATE TABLE IF NOT EXISTS grantbook.migrations (
    number integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
);";

/// Applies the migrations that the database has not had yet, all or none. Any number of processes may do it at once, at
/// every start: one applies them, the others wait for it, and who finds nothing to do needs no rights to change a schema.
///
/// # Errors
/// The database's own: no rights to make the schema, say. [`Error::NewerSchema`] and [`Error::Encoding`] if the database
/// is not one for this program.
pub async fn migrate(repository: &PostgresRepository) -> Result<(), Error> {
    let mut connection = repository.connection().await?;
    let encoding: String = connection
        .query_one("SHOW server_encoding", &[])
        .await?
        .try_get(0)?;
    if encoding != "UTF8" {
        return Err(Error::Encoding { encoding });
    }
    if is_up_to_date(applied(&**connection).await?)? {
        return Ok(());
    }
    // Each statement is to see what was done while the lock was waited for.
    let transaction = connection
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::ReadCommitted)
        .start()
        .await?;
    transaction.batch_execute(LOCK).await?;
    let applied = applied(&*transaction).await?;
    if !is_up_to_date(applied)? {
        transaction.batch_execute(PREPARE).await?;
        for (number, migration) in MIGRATIONS.iter().filter(|(number, _)| *number > applied) {
            transaction.batch_execute(migration).await?;
            transaction
                .execute(
                    "INSERT INTO grantbook.migrations (number) VALUES ($1)",
                    &[number],
                )
                .await?;
        }
    }
    Ok(transaction.commit().await?)
}

/// The last migration that was applied; 0, if none was.
async fn applied(client: &impl GenericClient) -> Result<i32, Error> {
    // Asked of the catalog's rows: name resolution remembers what was not there before the lock was waited for.
    let table = "SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'grantbook' AND tablename = 'migrations'";
    if client.query_opt(table, &[]).await?.is_none() {
        return Ok(0);
    }
    let last = "SELECT coalesce(max(number), 0) FROM grantbook.migrations";
    Ok(client.query_one(last, &[]).await?.try_get(0)?)
}

fn is_up_to_date(found: i32) -> Result<bool, Error> {
    let known = MIGRATIONS.last().map_or(0, |(number, _)| *number);
    if found > known {
        return Err(Error::NewerSchema { found, known });
    }
    Ok(found == known)
}

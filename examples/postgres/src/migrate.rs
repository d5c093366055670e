//! Bringing a database's schema up to what this package needs.

use tokio_postgres::GenericClient;

use crate::error::Error;
use crate::repository::PostgresRepository;

/// A part of the schema.
struct Part {
    /// The table that says which migrations were applied.
    table: &'static str,
    /// In their order, numbered from 1. What was released is never changed; a change is a new one.
    migrations: &'static [&'static str],
}

const TABLES: Part = Part {
    table: "migrations",
    migrations: &[include_str!("../migrations/0001_grantbook.sql")],
};
const MIRROR: Part = Part {
    table: "mirror_migrations",
    migrations: &[include_str!("../migrations/mirror/0001_mirror.sql")],
};

/// Held while migrating, so that one process does it and the others wait. Any number, but always the same.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7203406152087263592)";

/// Applies the migrations that the database has not had yet, all or none. Any number of processes may do it at once, at
/// every start: one applies them, the others wait for it, and who finds nothing to do needs no rights to change a schema.
///
/// # Errors
/// The database's own: no rights to make the schema, say. [`Error::NewerSchema`] and [`Error::Encoding`] if the database
/// is not one for this program.
pub async fn migrate(repository: &PostgresRepository) -> Result<(), Error> {
    TABLES.apply(repository).await
}

/// Adds the mirror: tables of who is in which group and what that grants, which the database itself decides by, in
/// policies of row-level security above all. Its migrations are apart from the others, which are applied first, in the same
/// way.
///
/// From then on every commit keeps the mirror of its account, in its own transaction. That of an account which was there
/// before answers `false` until [`fill_mirrors`](crate::fill_mirrors) has made it.
///
/// # Errors
/// As [`migrate`].
pub async fn migrate_mirror(repository: &PostgresRepository) -> Result<(), Error> {
    migrate(repository).await?;
    MIRROR.apply(repository).await
}

impl Part {
    async fn apply(&self, repository: &PostgresRepository) -> Result<(), Error> {
        let mut connection = repository.connection().await?;
        let encoding: String = connection
            .query_one("SHOW server_encoding", &[])
            .await?
            .try_get(0)?;
        if encoding != "UTF8" {
            return Err(Error::Encoding { encoding });
        }
        if self.is_up_to_date(self.applied(&**connection).await?)? {
            return Ok(());
        }
        // Each statement is to see what was done while the lock was waited for.
        let transaction = connection
            .build_transaction()
            .isolation_level(tokio_postgres::IsolationLevel::ReadCommitted)
            .start()
            .await?;
        transaction.batch_execute(LOCK).await?;
        let applied = self.applied(&*transaction).await?;
        if !self.is_up_to_date(applied)? {
            let table = self.table;
            let prepare = format!(
                "CREATE SCHEMA IF NOT EXISTS grantbook;
                CREATE TABLE IF NOT EXISTS grantbook.{table} (
                    number integer PRIMARY KEY,
                    applied_at timestamptz NOT NULL DEFAULT now()
                )"
            );
            transaction.batch_execute(&prepare).await?;
            let applied_now = format!("INSERT INTO grantbook.{table} (number) VALUES ($1)");
            let numbered = (1..).zip(self.migrations);
            for (number, migration) in numbered.filter(|(number, _)| *number > applied) {
                transaction.batch_execute(migration).await?;
                transaction.execute(&applied_now, &[&number]).await?;
            }
        }
        Ok(transaction.commit().await?)
    }

    /// The last migration that was applied; 0, if none was.
    async fn applied(&self, client: &impl GenericClient) -> Result<i32, Error> {
        // Asked of the catalog's rows: name resolution remembers what was not there before the lock was waited for.
        let table =
            "SELECT FROM pg_catalog.pg_tables WHERE schemaname = 'grantbook' AND tablename = $1";
        if client.query_opt(table, &[&self.table]).await?.is_none() {
            return Ok(0);
        }
        let last = format!(
            "SELECT coalesce(max(number), 0) FROM grantbook.{}",
            self.table
        );
        Ok(client.query_one(&last, &[]).await?.try_get(0)?)
    }

    fn is_up_to_date(&self, found: i32) -> Result<bool, Error> {
        let known = i32::try_from(self.migrations.len()).unwrap_or(i32::MAX);
        if found > known {
            return Err(Error::NewerSchema { found, known });
        }
        Ok(found == known)
    }
}

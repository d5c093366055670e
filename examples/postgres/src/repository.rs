//! grantbook's contract for storages, over PostgreSQL.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use grantbook::repository::{AsyncRepository, Commit, CommitOutcome, RecordPage};
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, Row, Socket};

use crate::error::Error;
use crate::rows::{self, from_column, to_column};

/// How often a statement is tried that other transactions keep from being serialized.
const ATTEMPTS: usize = 8;
/// How long a connection may take to come to be, or to be free.
const PATIENCE: Duration = Duration::from_secs(10);

/// The whole of a commit, or nothing. One statement, so that it is one transaction that no lost client leaves open, and
/// takes one way there and back. What it gives is a row if it was kept.
///
/// Whoever else inserts a commit on the same version, or with the same id, is waited for; if it is kept, this one is not.
macro_rules! commit_and {
    ($tell:literal) => {
        concat!(
            "
WITH kept AS (
    INSERT INTO grantbook.commits (account, expected, version, id)
    SELECT $1::text, $2::bigint, $3::bigint, $4::text
    WHERE $2 = 0 OR EXISTS (SELECT FROM grantbook.commits WHERE account = $1 AND version = $2)
    ON CONFLICT DO NOTHING
    RETURNING account, version
), added AS (
    INSERT INTO grantbook.records (account, version, through, record)
    SELECT kept.account, $2 + given.resource, kept.version, given.record::jsonb
    FROM kept, unnest($5::text[]) WITH ORDINALITY AS given (record, resource)
), latest AS (
    INSERT INTO grantbook.snapshots AS last (account, version, snapshot)
    SELECT account, version, $6::text::json FROM kept WHERE $6 IS NOT NULL
    ON CONFLICT (account) DO UPDATE SET version = excluded.version, snapshot = excluded.snapshot
    WHERE last.version < excluded.version
)
SELECT ",
            $tell,
            " FROM kept"
        )
    };
}
/// Listeners hear of it when it is kept, and not otherwise. Accounts have spaces in their ids, versions have not.
const COMMIT_AND_NOTIFY: &str = commit_and!("pg_notify('grantbook', version || ' ' || account)");
const COMMIT: &str = commit_and!("version");

const IS_KEPT: &str = "SELECT FROM grantbook.commits WHERE account = $1 AND id = $2";

const COMMITTED: &str = "
SELECT commits.expected, commits.version AS last, records.version, records.record::text AS record
FROM grantbook.commits JOIN grantbook.records ON records.account = commits.account
    AND records.version > commits.expected AND records.version <= commits.version
WHERE commits.account = $1 AND commits.id = $2
ORDER BY records.version";

/// The last version and a page of records, in one statement, so that both are of one moment.
const RECORDS_AFTER: &str = "
SELECT kept.last, page.version, page.record
FROM (SELECT coalesce(max(version), 0) AS last FROM grantbook.commits WHERE account = $1) AS kept
LEFT JOIN LATERAL (
    SELECT version, record::text AS record FROM grantbook.records
    WHERE account = $1 AND version > $2 ORDER BY version LIMIT $3
) AS page ON true
ORDER BY page.version";

const SNAPSHOT: &str =
    "SELECT version, snapshot::text AS snapshot FROM grantbook.snapshots WHERE account = $1";

const LAST_VERSIONS: &str = "
SELECT (SELECT coalesce(max(version), 0) FROM grantbook.commits WHERE account = asked.account) AS last
FROM unnest($1::text[]) WITH ORDINALITY AS asked (account, resource)
ORDER BY asked.resource";

/// Keeps accounts in a PostgreSQL database that [`migrate`](crate::migrate) has prepared.
///
/// It is a handle: clones share the pool. Every statement is a transaction by itself, and right at every isolation level;
/// see the package's documentation. The pool must lead to the server that is written to, not to a standby.
#[derive(Clone, Debug)]
pub struct PostgresRepository {
    pool: Pool,
    page: NonZeroU32,
    snapshot_every: Option<NonZeroU64>,
    commit: &'static str,
}

impl PostgresRepository {
    /// Over a pool of the host's own.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            page: NonZeroU32::MIN.saturating_add(499),
            snapshot_every: NonZeroU64::new(1_000),
            commit: COMMIT_AND_NOTIFY,
        }
    }

    /// Over a pool of so many connections, each made when it is needed. For TLS, pass a connector of a crate such as
    /// `tokio-postgres-rustls`; on a loopback or a Unix socket, [`NoTls`](tokio_postgres::NoTls).
    ///
    /// # Errors
    /// The pool cannot be made.
    pub fn connect<T>(config: Config, tls: T, connections: usize) -> Result<Self, Error>
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        // Fast: a connection that is known to be closed is replaced; that of a server that was killed is soon known to be.
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .create_timeout(Some(PATIENCE))
            .wait_timeout(Some(PATIENCE))
            .build()
            .map_err(|_| PoolError::NoRuntimeSpecified)?;
        Ok(Self::new(pool))
    }

    /// Reads at most so many records at once; 500, if nothing is said. A record that names 10,000 members takes up to a
    /// megabyte and a half.
    #[must_use]
    pub fn with_page(self, page: NonZeroU32) -> Self {
        Self { page, ..self }
    }

    /// Keeps a snapshot about every so many versions, or none; every 1,000, if nothing is said.
    #[must_use]
    pub fn with_snapshots(self, snapshot_every: Option<NonZeroU64>) -> Self {
        Self {
            snapshot_every,
            ..self
        }
    }

    /// Tells no listeners of commits. For engines that have no `pg_notify`, and where very many accounts change at once:
    /// transactions that notify are committed one after another. Copies are then as late as their timer ticks.
    #[must_use]
    pub fn without_notices(self) -> Self {
        let commit = COMMIT;
        Self { commit, ..self }
    }

    /// The version of the last record that is kept of each of these accounts, in their order; 0, if none is.
    ///
    /// # Errors
    /// The database's.
    pub async fn last_versions(&self, accounts: &[&AccountId]) -> Result<Vec<u64>, Error> {
        let ids: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
        let rows = self.query(LAST_VERSIONS, &[&ids]).await?;
        rows.iter()
            .map(|row| Ok(from_column(row.try_get("last")?)))
            .collect()
    }

    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }

    /// Asks one statement. Tries it again when other transactions kept it from being serialized: then nothing of it was
    /// kept, and what they did is seen the next time. At READ COMMITTED that does not happen.
    async fn query(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Error> {
        let connection = self.connection().await?;
        let prepared = connection.prepare_cached(statement).await?;
        for _ in 0..ATTEMPTS {
            match connection.query(&prepared, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(error) if is_unserialized(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let attempts = ATTEMPTS;
        Err(Error::Busy { attempts })
    }
}

fn is_unserialized(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
    })
}

impl AsyncRepository for PostgresRepository {
    type Error = Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Error> {
        let rows = self.query(SNAPSHOT, &[&account.as_str()]).await?;
        let snapshot = rows.first().map(|row| rows::snapshot(row, account));
        snapshot.transpose()
    }

    async fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Error> {
        // After the last version that there can be, there is none.
        let after = i64::try_from(version).unwrap_or(i64::MAX);
        let limit = i64::from(self.page.get());
        let rows = self
            .query(RECORDS_AFTER, &[&account.as_str(), &after, &limit])
            .await?;
        let last = match rows.first() {
            Some(row) => from_column(row.try_get("last")?),
            None => 0,
        };
        // Without records, there is one row, which says that.
        let is_empty = match rows.as_slice() {
            [row] => row.try_get::<_, Option<i64>>("version")?.is_none(),
            _ => false,
        };
        let records = if is_empty {
            Vec::new()
        } else {
            rows::records(&rows, account, version)?
        };
        Ok(RecordPage::Records { records, last })
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, Error> {
        let rows = self
            .query(COMMITTED, &[&account.as_str(), &id.as_str()])
            .await?;
        let Some(first) = rows.first() else {
            return Ok(Vec::new());
        };
        let (expected, last) = (first.try_get("expected")?, first.try_get("last")?);
        let (expected, last) = (from_column(expected), from_column(last));
        let records = rows::records(&rows, account, expected)?;
        match records.last() {
            Some(record) if record.version() == last => Ok(records),
            _ => Err(Error::Missing {
                account: account.to_string(),
                version: last,
            }),
        }
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Error> {
        let (account, id) = (commit.account().as_str(), commit.id().as_str());
        let (version, expected) = (to_column(commit.version())?, to_column(commit.expected())?);
        let records = rows::written(commit)?;
        let snapshot = commit.snapshot().map(serde_json::to_string);
        let snapshot = snapshot.transpose().map_err(Error::Json)?;
        let kept = self
            .query(
                self.commit,
                &[&account, &expected, &version, &id, &records, &snapshot],
            )
            .await?;
        if !kept.is_empty() {
            return Ok(CommitOutcome::Appended);
        }
        // A statement of its own: it sees what the one before has waited for. An id that is kept stays so.
        if self.query(IS_KEPT, &[&account, &id]).await?.is_empty() {
            Ok(CommitOutcome::Conflict)
        } else {
            Ok(CommitOutcome::Duplicate)
        }
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.snapshot_every
            .is_some_and(|every| expected / every != version / every)
    }
}

//! grantbook's contract for storages, over PostgreSQL.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use deadpool_postgres::{
    Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime,
};
use grantbook::repository::{
    AsyncRepository, Commit, CommitOutcome, EraseOutcome, Head, HeadState, RecordPage,
    StoredRequest,
};
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, IsolationLevel, Row, Socket, Transaction};

use crate::error::Error;
use crate::rows::{self, to_column};

/// How often a statement is tried that other transactions keep from being serialized.
const ATTEMPTS: usize = 8;
/// How long a connection may take to come to be, or to be free.
const PATIENCE: Duration = Duration::from_secs(10);

/// The whole of a commit, or nothing. One statement, so that it is one transaction that no lost client leaves open, and
/// takes one way there and back. What it gives is a row if it was kept.
///
/// Whoever else moves the head is waited for; if it was moved, nothing is kept. A key that is known by then is a violated
/// constraint, and nothing is kept either.
macro_rules! commit_and {
    ($moved:literal, $tell:literal) => {
        concat!(
            "
WITH moved AS (",
            $moved,
            "
    RETURNING account, version
), added AS (
    INSERT INTO grantbook.records (account, version, before, digest, record)
    SELECT moved.account, $2 + given.number, given.before, given.digest, given.record::jsonb
    FROM moved, unnest($7::text[], $8::text[], $9::text[]) WITH ORDINALITY AS given (before, digest, record, number)
), remembered AS (
    INSERT INTO grantbook.requests (account, key, before, version, request)
    SELECT account, $10::text, $2, version, $11::text::jsonb FROM moved
), latest AS (
    INSERT INTO grantbook.snapshots AS last (account, version, digest, snapshot)
    SELECT account, version, $5, $12::text::json FROM moved WHERE $12 IS NOT NULL
    ON CONFLICT (account) DO UPDATE
    SET version = excluded.version, digest = excluded.digest, snapshot = excluded.snapshot
    WHERE last.version < excluded.version
)
SELECT ",
            $tell,
            " FROM moved"
        )
    };
}
macro_rules! open_and {
    ($tell:literal) => {
        commit_and!(
            "
    INSERT INTO grantbook.heads (account, version, digest, state)
    SELECT $1::text, $4::bigint, $5::text, $6::text WHERE $2::bigint = 0 AND $3::text IS NULL
    ON CONFLICT DO NOTHING",
            $tell
        )
    };
}
macro_rules! append_and {
    ($tell:literal) => {
        commit_and!(
            "
    UPDATE grantbook.heads SET version = $4::bigint, digest = $5::text, state = $6::text
    WHERE account = $1::text AND version = $2::bigint AND digest = $3::text AND state = 'open'",
            $tell
        )
    };
}

/// The statements of a commit: the first of an account, and the later ones.
#[derive(Clone, Copy, Debug)]
struct Statements {
    open: &'static str,
    append: &'static str,
}

/// Listeners hear of it when it is kept, and not otherwise. Accounts have spaces in their ids, versions have not.
const AND_NOTIFY: Statements = Statements {
    open: open_and!("pg_notify('grantbook', version || ' ' || account)"),
    append: append_and!("pg_notify('grantbook', version || ' ' || account)"),
};
const AND_NOTHING: Statements = Statements {
    open: open_and!("version"),
    append: append_and!("version"),
};

const REQUEST: &str = "
SELECT version, request::text AS request FROM grantbook.requests WHERE account = $1 AND key = $2";

/// The head and a page of records, in one statement, so that both are of one moment.
const RECORDS_AFTER: &str = "
SELECT head.version AS last, head.digest, head.state, page.version, page.record
FROM grantbook.heads AS head
LEFT JOIN LATERAL (
    SELECT version, record::text AS record FROM grantbook.records
    WHERE account = head.account AND version > $2 ORDER BY version LIMIT $3
) AS page ON true
WHERE head.account = $1
ORDER BY page.version";

const SNAPSHOT: &str =
    "SELECT version, snapshot::text AS snapshot FROM grantbook.snapshots WHERE account = $1";

const HEADS: &str = "
SELECT head.version AS last, head.digest, head.state
FROM unnest($1::text[]) WITH ORDINALITY AS asked (account, number)
LEFT JOIN grantbook.heads AS head ON head.account = asked.account
ORDER BY asked.number";

const LOCK_HEAD: &str = "
SELECT version AS last, digest, state FROM grantbook.heads WHERE account = $1 FOR UPDATE";

/// All that a closed account leaves is its head. Gives the state that it had.
const ERASE: [&str; 4] = [
    "UPDATE grantbook.heads SET state = 'erased' WHERE account = $1",
    "DELETE FROM grantbook.snapshots WHERE account = $1",
    "DELETE FROM grantbook.requests WHERE account = $1",
    "DELETE FROM grantbook.records WHERE account = $1",
];

/// Keeps accounts in a PostgreSQL database that [`migrate`](crate::migrate) has prepared.
///
/// It is a handle: clones share the pool. Every statement is a transaction by itself, and right at every isolation level;
/// see the package's documentation. The pool must lead to the server that is written to, not to a standby.
#[derive(Clone, Debug)]
pub struct PostgresRepository {
    pool: Pool,
    page: NonZeroU32,
    snapshot_every: Option<NonZeroU64>,
    statements: Statements,
}

impl PostgresRepository {
    /// Over a pool of your application's own.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self {
            pool,
            page: NonZeroU32::MIN.saturating_add(499),
            snapshot_every: NonZeroU64::new(1_000),
            statements: AND_NOTIFY,
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
        let statements = AND_NOTHING;
        Self { statements, ..self }
    }

    /// Returns the head of each of these accounts, in their order; `None` of one that was never opened.
    ///
    /// # Errors
    /// The database's.
    pub async fn heads(&self, accounts: &[&AccountId]) -> Result<Vec<Option<Head>>, Error> {
        let ids: Vec<&str> = accounts.iter().map(|account| account.as_str()).collect();
        let rows = self.query(HEADS, &[&ids]).await?;
        rows.iter()
            .zip(accounts)
            .map(|(row, account)| rows::head(row, account))
            .collect()
    }

    pub(crate) async fn connection(&self) -> Result<Object, Error> {
        Ok(self.pool.get().await?)
    }

    /// Asks one statement. Tries it again when other transactions kept it from being serialized: then nothing of it was
    /// kept, and what they did is seen the next time. At READ COMMITTED that does not happen.
    pub(crate) async fn query(
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
        let Some(first) = rows.first() else {
            let (records, head) = (Vec::new(), None);
            return Ok(RecordPage::Records { records, head });
        };
        let head = rows::head(first, account)?;
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
        let reached = records.last().map_or(0, Record::version);
        match &head {
            Some(head) if head.state != HeadState::Erased && reached > head.version => {
                let (account, head) = (account.to_string(), head.version);
                Err(Error::HeadBehind { account, head })
            }
            _ => Ok(RecordPage::Records { records, head }),
        }
    }

    async fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Error> {
        let rows = self
            .query(REQUEST, &[&account.as_str(), &key.as_str()])
            .await?;
        let request = rows.first().map(|row| rows::request(row, account));
        request.transpose()
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Error> {
        let written = Written::of(commit)?;
        let statement = self.statements.of(commit);
        match self.query(statement, &written.parameters()).await {
            Ok(kept) if !kept.is_empty() => return Ok(CommitOutcome::Appended),
            Ok(_) => {}
            Err(Error::Database(error)) if violates(&error, KEY) => {}
            Err(Error::Database(error)) => return Err(not_written(error, commit)),
            Err(error) => return Err(error),
        }
        // A statement of its own: it sees what the one before has waited for. A key that is kept stays so.
        Ok(match self.request(commit.account(), commit.key()).await? {
            Some(_) => CommitOutcome::Duplicate,
            None => CommitOutcome::Conflict,
        })
    }

    async fn erase(&self, account: &AccountId) -> Result<EraseOutcome, Error> {
        let mut connection = self.connection().await?;
        // The locked head keeps everybody else away. At a higher level, whoever was there before would make this fail.
        let transaction = connection
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .start()
            .await?;
        let locked = transaction
            .query_opt(LOCK_HEAD, &[&account.as_str()])
            .await?;
        let head = locked.map(|row| rows::head(&row, account)).transpose()?;
        match head.flatten().map(|head| head.state) {
            None => return Ok(EraseOutcome::Unknown),
            Some(HeadState::Open) => return Ok(EraseOutcome::NotClosed),
            Some(HeadState::Closed | HeadState::Erased) => {}
        }
        for statement in ERASE {
            transaction.execute(statement, &[&account.as_str()]).await?;
        }
        transaction.commit().await?;
        Ok(EraseOutcome::Erased)
    }

    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        self.snapshot_every
            .is_some_and(|every| before / every != version / every)
    }
}

impl Statements {
    fn of(self, commit: &Commit) -> &'static str {
        match commit.expected() {
            Some(_) => self.append,
            None => self.open,
        }
    }
}

/// A commit, as its statement takes it.
struct Written<'c> {
    account: &'c str,
    before: i64,
    before_digest: Option<String>,
    version: i64,
    digest: String,
    state: &'static str,
    befores: Vec<Option<String>>,
    digests: Vec<String>,
    records: Vec<String>,
    key: &'c str,
    request: String,
    snapshot: Option<String>,
}

impl<'c> Written<'c> {
    fn of(commit: &'c Commit) -> Result<Self, Error> {
        let before_digest = commit.expected().map(|head| head.digest.to_string());
        let digests = commit
            .records()
            .iter()
            .map(|record| record.digest().to_string());
        let digests: Vec<String> = digests.collect();
        let befores = [before_digest.clone()].into_iter();
        let befores = befores.chain(digests.iter().cloned().map(Some));
        let snapshot = commit.snapshot().map(serde_json::to_string);
        Ok(Self {
            account: commit.account(),
            before: to_column(commit.request().before)?,
            version: to_column(commit.head().version)?,
            digest: commit.head().digest.to_string(),
            state: commit.head().state.as_str(),
            befores: befores.take(digests.len()).collect(),
            records: rows::written(commit)?,
            key: commit.key(),
            request: serde_json::to_string(commit.request()).map_err(Error::Json)?,
            snapshot: snapshot.transpose().map_err(Error::Json)?,
            before_digest,
            digests,
        })
    }

    fn parameters(&self) -> [&(dyn ToSql + Sync); 12] {
        [
            &self.account,
            &self.before,
            &self.before_digest,
            &self.version,
            &self.digest,
            &self.state,
            &self.befores,
            &self.digests,
            &self.records,
            &self.key,
            &self.request,
            &self.snapshot,
        ]
    }
}

/// Keeps a commit in a transaction of your own, together with your application's rows: nothing is kept until you commit
/// it, and all of it is gone if you roll back. Listeners are told when you commit. It locks the account's head first, and
/// others who change the account wait for the end of the transaction.
///
/// The commit comes from [`SharedAccount::prepare`](grantbook::repository::SharedAccount::prepare), and is
/// [adopted](grantbook::repository::SharedAccount::adopt) after you have committed the transaction. Where the answer is not
/// [`Appended`](CommitOutcome::Appended), nothing was written, and the transaction can go on.
///
/// # Errors
/// The database's. Roll the transaction back.
pub async fn append_in(
    transaction: &Transaction<'_>,
    commit: &Commit,
) -> Result<CommitOutcome, Error> {
    let (account, key) = (commit.account(), commit.key());
    let locked = transaction
        .query_opt(LOCK_HEAD, &[&account.as_str()])
        .await?;
    let head = locked.map(|row| rows::head(&row, account)).transpose()?;
    let known = [&account.as_str() as &(dyn ToSql + Sync), &key.as_str()];
    if transaction.query_opt(REQUEST, &known).await?.is_some() {
        return Ok(CommitOutcome::Duplicate);
    }
    if head.flatten().as_ref() != commit.expected() {
        return Ok(CommitOutcome::Conflict);
    }
    let written = Written::of(commit)?;
    let statement = AND_NOTIFY.of(commit);
    let kept = transaction
        .query_opt(statement, &written.parameters())
        .await
        .map_err(|error| not_written(error, commit))?;
    Ok(match kept {
        Some(_) => CommitOutcome::Appended,
        None => CommitOutcome::Conflict,
    })
}

/// The constraint that holds a request's key, and that of a record's version.
const KEY: &str = "request_is_kept_once";
const VERSION: &str = "records_pkey";

/// Whether a statement failed because what this constraint is about is there already.
fn violates(error: &tokio_postgres::Error, constraint: &str) -> bool {
    error.as_db_error().is_some_and(|error| {
        *error.code() == SqlState::UNIQUE_VIOLATION && error.constraint() == Some(constraint)
    })
}

/// Why a commit was not written. The head was the expected one, so that no record can be there after it.
fn not_written(error: tokio_postgres::Error, commit: &Commit) -> Error {
    if violates(&error, VERSION) {
        let (account, head) = (commit.account().to_string(), commit.request().before);
        return Error::HeadBehind { account, head };
    }
    Error::Database(error)
}

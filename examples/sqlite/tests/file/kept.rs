//! A file with something in it.

use std::path::PathBuf;

use grantbook::command::{CreateStore, DeleteStore};
use grantbook::repository::{self, Replica, RepositoryError, Request};
use grantbook::{
    AccountId, Actor, Command, GroupLimit, IdempotencyKey, MemberId, StoreId, Timestamp,
};
use grantbook_sqlite::{RowProblem, SqliteError, SqliteRepository};
use rusqlite::Connection;
use tempfile::TempDir;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A file with accounts `acme` and `beta`, of two stores each.
pub(crate) struct Kept {
    folder: TempDir,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let kept = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let repository = SqliteRepository::create(kept.path()).unwrap();
        for account in ["acme", "beta"] {
            let (open, owner) = (
                IdempotencyKey::parse("open").unwrap(),
                MemberId::parse("olga").unwrap(),
            );
            let id = AccountId::parse(account).unwrap();
            let limit = GroupLimit::default();
            let mut account = repository::open(&repository, open, id, owner, limit, NOW).unwrap();
            for store in ["dev", "live"] {
                create_store(&repository, &mut account, store);
            }
        }
        kept
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("access.db")
    }

    /// As any program may open it.
    pub(crate) fn by_hand(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    /// Changes rows against the schema's will.
    pub(crate) fn meddle(&self, sql: &str) {
        let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
        let connection = self.by_hand();
        let drop_all: Option<String> = connection
            .query_row(triggers, [], |row| row.get(0))
            .unwrap();
        connection
            .execute_batch(&drop_all.unwrap_or_default())
            .unwrap();
        connection
            .pragma_update(None, "ignore_check_constraints", true)
            .unwrap();
        assert!(connection.execute(sql, []).unwrap() > 0, "{sql}");
    }

    /// Every row there is.
    pub(crate) fn rows(&self) -> Vec<String> {
        let all = "SELECT account || version || quote(record) FROM grantbook_records
             UNION ALL SELECT account || version || digest || state FROM grantbook_heads
             UNION ALL SELECT account || key || before || version || request FROM grantbook_requests
             UNION ALL SELECT account || version || quote(snapshot) FROM grantbook_snapshots ORDER BY 1";
        let connection = self.by_hand();
        let mut statement = connection.prepare(all).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    pub(crate) fn load(&self, account: &str) -> Result<Option<Replica>, RepositoryError> {
        let repository = SqliteRepository::open(self.path()).unwrap();
        repository::load(&repository, &AccountId::parse(account).unwrap())
    }

    /// Loading `acme` fails because of this record; `beta` is loaded as before, and no row was changed.
    pub(crate) fn assert_unreadable(
        &self,
        version: u64,
        is_it: fn(&RowProblem) -> bool,
        told: &str,
    ) {
        let before = self.rows();
        let error = self.load("acme").unwrap_err();
        let RepositoryError::Storage(source) = &error else {
            panic!("{error:?}");
        };
        let Some(SqliteError::Record {
            account,
            version: found,
            problem,
        }) = source.downcast_ref()
        else {
            panic!("{error:?}");
        };
        assert_eq!((account.as_str(), *found), ("acme", version));
        assert!(is_it(problem), "{problem:?}");
        assert_eq!(error.to_string(), format!("the repository failed: {told}"));
        assert_eq!(self.load("beta").unwrap().unwrap().version(), 3);
        assert_eq!(self.rows(), before);
    }
}

/// A request of the host.
pub(crate) fn request(key: &str, commands: impl IntoIterator<Item = Command>) -> Request {
    let key = IdempotencyKey::parse(key).unwrap();
    Request::by(Actor::System, key, NOW).commands(commands)
}

pub(crate) fn created(store: &str) -> Command {
    let store = StoreId::parse(store).unwrap();
    Command::CreateStore(CreateStore { store })
}

pub(crate) fn create_store(repository: &SqliteRepository, account: &mut Replica, store: &str) {
    let request = request(store, [created(store)]);
    repository::execute(repository, account, &request).unwrap();
}

pub(crate) fn delete_store(store: &str) -> Request {
    let store = StoreId::parse(store).unwrap();
    request("late", [Command::DeleteStore(DeleteStore { store })])
}

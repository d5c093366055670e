//! A commit inside a transaction of the application.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use grantbook::repository::{
    Accounts, Commit, CommitOutcome, Freshness, Prepared, Repository, Request, SharedAccount,
    SyncStorage,
};
use grantbook::{AccountId, Permission, Resource};
use grantbook_sqlite::{SqliteRepository, append_in};
use rusqlite::{Connection, DropBehavior, OpenFlags, TransactionBehavior};

use crate::kept::{Kept, created, request};

type Held = SharedAccount<SyncStorage<SqliteRepository>>;

fn accounts(kept: &Kept) -> Accounts<SyncStorage<SqliteRepository>> {
    Accounts::builder(SqliteRepository::open(kept.path()).unwrap()).build()
}

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn prepared(account: &Held, request: &Request) -> Commit {
    match account.prepare(request).unwrap() {
        Prepared::Commit(commit) => *commit,
        Prepared::Done(done) => panic!("done before: {done:?}"),
    }
}

/// In one transaction, adds a project and appends the commit.
fn append_with_a_project(
    repository: &SqliteRepository,
    name: &str,
    commit: &Commit,
    is_kept: bool,
) -> CommitOutcome {
    repository.with_connection(|connection| {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let inserted = "INSERT INTO projects (name) VALUES (?1)";
        transaction.execute(inserted, [name]).unwrap();
        let outcome = append_in(&transaction, commit).unwrap();
        if is_kept {
            transaction.commit().unwrap();
        } else {
            transaction.rollback().unwrap();
        }
        outcome
    })
}

/// In each of a hundred rounds a change is rolled back with a row of the application's, and then the same request is kept
/// with it. Copy, records and rows agree after either.
#[test]
fn a_commit_and_the_applications_rows_are_kept_together_or_not_at_all() {
    let kept = Kept::new();
    kept.by_hand()
        .execute_batch("CREATE TABLE projects (name TEXT PRIMARY KEY)")
        .unwrap();
    let accounts = accounts(&kept);
    let account = accounts.get(&acme()).unwrap();
    let (mut rolled_back, mut differences) = (0, 0);
    for round in 0..100_i64 {
        let name = format!("project {round}");
        let request = request(&name, [created(&name)]);
        let rows = kept.rows();
        for is_kept in [false, true] {
            let commit = prepared(&account, &request);
            let outcome = append_with_a_project(accounts.repository(), &name, &commit, is_kept);
            assert_eq!(outcome, CommitOutcome::Appended);
            if is_kept {
                assert_eq!(account.adopt(&commit), Freshness::UpToDate);
            } else {
                rolled_back += 1;
                assert_eq!(kept.rows(), rows);
            }
            assert_eq!(account.with(|account| account.has_store(&name)), is_kept);
            let stored = kept.load("acme").unwrap().unwrap();
            let agrees = account.with(|account| *account == *stored);
            let projects: i64 = kept
                .by_hand()
                .query_row("SELECT count(*) FROM projects", [], |row| row.get(0))
                .unwrap();
            differences += usize::from(!agrees || projects != round + i64::from(is_kept));
        }
    }
    println!("together: sqlite, {rolled_back} rolled back, then kept: {differences} differences");
    assert_eq!((rolled_back, differences), (100, 0));
}

/// What was prepared before somebody else was faster is a conflict, and a request that was done is a duplicate; nothing is
/// written of either.
#[test]
fn what_is_appended_is_compared() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let account = accounts(&kept).get(&acme()).unwrap();
    let first = prepared(&account, &request("first", [created("a")]));
    let stale = prepared(&account, &request("stale", [created("b")]));
    let append = |commit| {
        repository.with_connection(|connection| {
            let transaction = connection.transaction().unwrap();
            let outcome = append_in(&transaction, commit).unwrap();
            transaction.commit().unwrap();
            outcome
        })
    };
    assert_eq!(append(&first), CommitOutcome::Appended);
    let rows = kept.rows();
    assert_eq!(append(&first), CommitOutcome::Duplicate);
    assert_eq!(append(&stale), CommitOutcome::Conflict);
    assert_eq!(kept.rows(), rows);
    assert_eq!(account.adopt(&first), Freshness::UpToDate);
    assert_eq!(account.adopt(&first), Freshness::UpToDate, "once");
    assert_eq!(account.version(), 4);
    account.execute(&request("stale", [created("b")])).unwrap();
}

/// A process that stops after the transaction and before it adopts the commit: tried again, the request is not done again.
#[test]
fn a_request_that_was_kept_is_answered_when_it_is_prepared_again() {
    let kept = Kept::new();
    let accounts = accounts(&kept);
    let account = accounts.get(&acme()).unwrap();
    let again = request("again", [created("a")]);
    let commit = prepared(&account, &again);
    accounts.repository().with_connection(|connection| {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let outcome = append_in(&transaction, &commit).unwrap();
        assert_eq!(outcome, CommitOutcome::Appended);
        transaction.commit().unwrap();
    });
    // Not adopted: the store that the request creates is there once the copy is brought up to date.
    account.refresh().unwrap();
    let rows = kept.rows();
    match account.prepare(&again).unwrap() {
        Prepared::Done(done) => {
            assert!(done.is_repeat());
            assert_eq!(done.records(), commit.records());
        }
        Prepared::Commit(commit) => panic!("it would be done twice: {commit:?}"),
    }
    assert_eq!(kept.rows(), rows);
}

/// What was neither committed nor rolled back is not taken for what is kept, whichever way it was left.
#[test]
fn a_transaction_that_is_left_open_is_rolled_back() {
    let kept = Kept::new();
    let accounts = accounts(&kept);
    let account = accounts.get(&acme()).unwrap();
    let rows = kept.rows();
    for is_panic in [false, true] {
        let request = request("left", [created("a")]);
        let commit = prepared(&account, &request);
        let left = catch_unwind(AssertUnwindSafe(|| {
            accounts.repository().with_connection(|connection| {
                let mut transaction = connection.transaction().unwrap();
                transaction.set_drop_behavior(DropBehavior::Ignore);
                let outcome = append_in(&transaction, &commit).unwrap();
                assert_eq!(outcome, CommitOutcome::Appended);
                if is_panic {
                    resume_unwind(Box::new("on purpose"));
                }
            });
        }));
        assert_eq!(left.is_err(), is_panic);
        let repository = accounts.repository();
        assert_eq!(repository.request(&acme(), &request.key).unwrap(), None);
        account.refresh().unwrap();
        assert_eq!(account.version(), 3);
        assert_eq!(kept.rows(), rows);
    }
    let executed = account.execute(&request("left", [created("a")])).unwrap();
    assert!(!executed.is_repeat());
}

/// A connection that only reads, as a report may have: it answers, and refuses to write.
#[test]
fn a_connection_that_only_reads_is_enough_to_check() {
    let kept = Kept::new();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let connection = Connection::open_with_flags(kept.path(), flags).unwrap();
    let accounts = Accounts::builder(SqliteRepository::over(connection)).build();
    let account = accounts.get(&acme()).unwrap();
    account
        .require("olga", &Permission::STORE_READ, Resource::Store("dev"))
        .unwrap();
    let rows = kept.rows();
    let error = account
        .execute(&request("new", [created("a")]))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the repository failed: the file can only be read; make it and its folder writable"
    );
    assert_eq!((account.version(), kept.rows()), (3, rows));
}

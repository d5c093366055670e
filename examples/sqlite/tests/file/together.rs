//! A commit inside a transaction of the application.

use grantbook::AccountId;
use grantbook::repository::{Accounts, CommitOutcome, Freshness};
use grantbook_sqlite::{SqliteRepository, append_in};
use rusqlite::TransactionBehavior;

use crate::kept::{Kept, created, request};

/// A hundred changes, each in a transaction with a row of the application's: half of them are rolled back. Copy, records
/// and rows agree every time.
#[test]
fn a_commit_and_the_applications_rows_are_kept_together_or_not_at_all() {
    let kept = Kept::new();
    kept.by_hand()
        .execute_batch("CREATE TABLE projects (name TEXT PRIMARY KEY)")
        .unwrap();
    let acme = AccountId::parse("acme").unwrap();
    let accounts = Accounts::builder(SqliteRepository::open(kept.path()).unwrap()).build();
    let account = accounts.get(&acme).unwrap();
    let mut projects = 0_i64;
    for round in 0..100 {
        let name = format!("project {round}");
        let commit = account.prepare(&request(&name, [created(&name)])).unwrap();
        let is_kept = round % 2 == 0;
        accounts.repository().with_connection(|connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .unwrap();
            let inserted = "INSERT INTO projects (name) VALUES (?1)";
            transaction.execute(inserted, [&name]).unwrap();
            let outcome = append_in(&transaction, &commit).unwrap();
            assert_eq!(outcome, CommitOutcome::Appended);
            if is_kept {
                transaction.commit().unwrap();
            } else {
                transaction.rollback().unwrap();
            }
        });
        if is_kept {
            assert_eq!(account.adopt(&commit), Freshness::UpToDate);
            projects += 1;
        }
        let has_store = account.with(|account| account.has_store(&name));
        assert_eq!(has_store, is_kept);
        let stored = kept.load("acme").unwrap().unwrap();
        assert!(account.with(|account| *account == *stored));
        let count: i64 = kept
            .by_hand()
            .query_row("SELECT count(*) FROM projects", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, projects);
    }
}

/// What was prepared before somebody else was faster is a conflict, and a request that was done is a duplicate; nothing is
/// written of either.
#[test]
fn what_is_appended_is_compared() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let accounts = Accounts::builder(SqliteRepository::open(kept.path()).unwrap()).build();
    let account = accounts.get(&AccountId::parse("acme").unwrap()).unwrap();
    let first = account.prepare(&request("first", [created("a")])).unwrap();
    let stale = account.prepare(&request("stale", [created("b")])).unwrap();
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

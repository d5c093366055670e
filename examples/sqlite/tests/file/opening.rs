//! Whose file it is.

use std::fs;
use std::sync::Barrier;
use std::thread;

use grantbook_sqlite::{SqliteError, SqliteRepository};
use rusqlite::Connection;

use crate::kept::Kept;

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    fs::write(
        &path,
        "Dear Olga, this is no database, but it is long enough to be taken for one. ".repeat(10),
    )
    .unwrap();
    let before = fs::read(&path).unwrap();
    for opened in [
        SqliteRepository::create(&path),
        SqliteRepository::open(&path),
    ] {
        assert!(
            matches!(opened, Err(SqliteError::NotADatabase { .. })),
            "{opened:?}"
        );
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// The tables can stand in an application's own file, whose header stays the application's.
#[test]
fn another_programs_database_gets_the_tables_when_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.db");
    let application = Connection::open(&path).unwrap();
    application
        .execute_batch(
            "CREATE TABLE records (note TEXT); PRAGMA user_version = 7; PRAGMA application_id = 9",
        )
        .unwrap();
    let before = fs::read(&path).unwrap();
    let opened = SqliteRepository::open(&path);
    assert!(
        matches!(opened, Err(SqliteError::NoTables { .. })),
        "{opened:?}"
    );
    assert_eq!(fs::read(&path).unwrap(), before, "not by opening it");

    for _ in 0..2 {
        SqliteRepository::create(&path).unwrap();
    }
    SqliteRepository::open(&path).unwrap();
    let number = |pragma: &str| -> i64 {
        application
            .pragma_query_value(None, pragma, |row| row.get(0))
            .unwrap()
    };
    assert_eq!((number("user_version"), number("application_id")), (7, 9));
    application
        .execute_batch("INSERT INTO records VALUES ('still ours')")
        .unwrap();
}

#[test]
fn tables_of_another_version_are_left_as_they_are() {
    let kept = Kept::new();
    kept.meddle("UPDATE grantbook_schema SET number = 2");
    let before = kept.rows();
    let error = SqliteRepository::create(kept.path()).unwrap_err();
    assert!(
        matches!(
            error,
            SqliteError::OtherSchema {
                found: 2,
                known: 1,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(kept.rows(), before);
}

#[test]
fn a_file_that_is_not_there_is_not_made_by_opening() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.db");
    let opened = SqliteRepository::open(&path);
    assert!(
        matches!(opened, Err(SqliteError::NotFound { .. })),
        "{opened:?}"
    );
    assert!(!path.exists());
}

#[test]
fn processes_that_make_the_file_at_once_share_it() {
    for _ in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("access.db");
        let together = Barrier::new(16);
        thread::scope(|threads| {
            for _ in 0..16 {
                threads.spawn(|| {
                    together.wait();
                    SqliteRepository::create(&path).expect("one makes it, the others wait");
                });
            }
        });
        SqliteRepository::open(&path).unwrap();
    }
}

/// Something else in the database has one of the names.
#[test]
fn a_name_that_is_taken_is_told_in_one_line_and_left_as_it_is() {
    for (taken, told) in [
        (
            "CREATE VIEW grantbook_schema AS SELECT 1 AS number",
            "view grantbook_schema already exists",
        ),
        (
            "CREATE TABLE grantbook_heads (other INTEGER)",
            "table grantbook_heads already exists",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.db");
        let application = Connection::open(&path).unwrap();
        application.execute_batch(taken).unwrap();
        let error = SqliteRepository::create(&path).unwrap_err();
        assert_eq!(error.to_string(), told);
        let objects: i64 = application
            .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
            .unwrap();
        assert_eq!(objects, 1, "{taken}");
    }
}

#[test]
fn all_accounts_are_listed_and_a_row_that_cannot_be_read_is_not_left_out() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let accounts = repository.accounts().unwrap();
    let accounts: Vec<_> = accounts
        .iter()
        .map(|(id, head)| (id.as_str(), head.version))
        .collect();
    assert_eq!(accounts, [("acme", 3), ("beta", 3)]);

    kept.meddle("UPDATE grantbook_heads SET state = 'resting' WHERE account = 'beta'");
    let error = repository.accounts().unwrap_err();
    assert!(
        matches!(&error, SqliteError::Head { account, .. } if account.as_str() == "beta"),
        "{error:?}"
    );
    kept.meddle("UPDATE grantbook_heads SET state = 'open', account = '' WHERE account = 'beta'");
    let error = repository.accounts().unwrap_err();
    assert!(matches!(error, SqliteError::Sqlite(_)), "{error:?}");
}

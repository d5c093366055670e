//! Whose file it is.

use std::fs;
use std::sync::Barrier;
use std::thread;

use grantbook_sqlite::{SqliteError, SqliteRepository};
use rusqlite::Connection;

use crate::kept::Kept;

#[test]
fn another_programs_file_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("letter.txt");
    fs::write(
        &text,
        "Dear Olga, this is no database, but it is long enough to be taken for one. ".repeat(10),
    )
    .unwrap();
    let database = folder.path().join("notes.db");
    Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE notes (note TEXT)")
        .unwrap();
    for path in [text, database] {
        let before = fs::read(&path).unwrap();
        for opened in [
            SqliteRepository::create(&path),
            SqliteRepository::open(&path),
        ] {
            assert!(
                matches!(opened, Err(SqliteError::OtherProgram { .. })),
                "{opened:?}"
            );
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn a_file_of_a_later_schema_is_left_as_it_is() {
    let kept = Kept::new();
    kept.by_hand()
        .pragma_update(None, "user_version", 2)
        .unwrap();
    let before = kept.rows();
    let error = SqliteRepository::create(kept.path()).unwrap_err();
    assert!(
        matches!(
            error,
            SqliteError::LaterSchema {
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

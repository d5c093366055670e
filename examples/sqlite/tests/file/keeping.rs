//! What the file keeps, and what it refuses to.

use grantbook::command::AddMembers;
use grantbook::repository::{self, RecordPage, Repository, RepositoryError};
use grantbook::{Command, MemberId};
use grantbook_sqlite::{SqliteError, SqliteRepository};

use crate::kept::{Kept, create_store, created, delete_store, request};

/// What does not follow the chain cannot be written, by whichever program; nor can what is there be changed.
#[test]
#[allow(clippy::too_many_lines)] // a table
fn the_schema_refuses_a_wrong_write() {
    let kept = Kept::new();
    let (connection, before) = (kept.by_hand(), kept.rows());
    let last: String = connection
        .query_row(
            "SELECT digest FROM grantbook_heads WHERE account = 'acme'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let (next, other) = ("1".repeat(64), "2".repeat(64));
    let insert = |account: &str, version: u64, before: &str, record: &str| {
        format!(
            "INSERT INTO grantbook_records (account, version, before, digest, record)
             VALUES ('{account}', {version}, '{before}', '{next}', {record});"
        )
    };
    let record = |account: &str, version: u64, digest: &str| {
        format!("json_object('account', '{account}', 'version', {version}, 'digest', '{digest}')")
    };
    let fits = record("acme", 4, &next);
    let right = insert("acme", 4, &last, &fits);
    let request = |key: &str, before: u64, version: u64| {
        format!(
            "INSERT INTO grantbook_requests (account, key, before, version, request) VALUES ('acme', '{key}', {before},
             {version}, json_object('key', '{key}', 'before', {before}, 'version', {version}));"
        )
    };
    let head = |set: &str| format!("UPDATE grantbook_heads SET {set} WHERE account = 'acme'");
    let follows = "a record follows the head";
    let moves = "a head moves to the next record";
    for (wrong, why) in [
        (insert("acme", 4, &other, &fits), follows),
        (insert("acme", 5, &last, &record("acme", 5, &next)), follows),
        (insert("acme", 3, &last, &record("acme", 3, &next)), follows),
        (
            insert("new", 1, &"0".repeat(64), &record("new", 1, &next)),
            follows,
        ),
        (insert("acme", 4, &last, &record("beta", 4, &next)), "CHECK"),
        (insert("acme", 4, &last, &record("acme", 3, &next)), "CHECK"),
        (
            insert("acme", 4, &last, &record("acme", 4, &other)),
            "CHECK",
        ),
        (insert("acme", 4, &last, "'no json'"), "CHECK"),
        (insert("acme", 4, &last, "x'00'"), "cannot store BLOB"),
        (
            insert("acme", 3, &last, &record("acme", 3, &next))
                .replace("INSERT", "INSERT OR REPLACE"),
            follows,
        ),
        (head("version = 4"), moves),
        (head("version = 2"), moves),
        (head(&format!("digest = '{other}'")), moves),
        (
            head("state = 'closed'"),
            "an account is closed by its last record",
        ),
        (head("state = 'erased'"), "a closed account stays closed"),
        (head("account = 'new'"), "an account keeps its id"),
        (
            "DELETE FROM grantbook_heads".into(),
            "an id is never used again",
        ),
        (
            format!(
                "INSERT OR REPLACE INTO grantbook_heads VALUES ('acme', 0, '{}', 'open')",
                "0".repeat(64)
            ),
            "an account is opened once",
        ),
        (
            format!("INSERT INTO grantbook_heads VALUES ('new', 3, '{last}', 'open')"),
            "an account begins before its first record",
        ),
        (request("dev", 3, 3), "a request is kept once"),
        (
            request("dev", 3, 3).replace("INSERT", "INSERT OR REPLACE"),
            "a request is kept once",
        ),
        (
            request("next", 3, 4),
            "a request is kept with its last record",
        ),
        (
            request("next", 1, 2),
            "a request is kept with its last record",
        ),
        (request("next", 4, 3), "CHECK"),
        (
            "UPDATE grantbook_records SET record = record".into(),
            "records are kept as they are",
        ),
        (
            "DELETE FROM grantbook_records WHERE version = 3".into(),
            "records are kept as they are",
        ),
        (
            "UPDATE grantbook_requests SET version = version".into(),
            "requests are kept as they are",
        ),
        (
            "DELETE FROM grantbook_requests".into(),
            "requests are kept as they are",
        ),
        (
            format!(
                "INSERT INTO grantbook_snapshots (account, version, snapshot) VALUES ('acme', 2, {})",
                record("acme", 2, &last)
            ),
            "of the last record",
        ),
        (
            format!(
                "INSERT INTO grantbook_snapshots (account, version, snapshot) VALUES ('acme', 3, {})",
                record("acme", 3, &other)
            ),
            "of the last record",
        ),
    ] {
        connection.execute_batch("BEGIN").unwrap();
        let refused = connection
            .execute_batch(&wrong)
            .expect_err(&wrong)
            .to_string();
        connection.execute_batch("ROLLBACK").unwrap();
        assert!(refused.contains(why), "{wrong}: {refused}");
        assert_eq!(kept.rows(), before, "{wrong}");
    }
    connection
        .execute_batch(&format!("{right} {}", request("next", 3, 4)))
        .expect("what is right is not refused");
    let reached: (i64, String) = connection
        .query_row(
            "SELECT version, digest FROM grantbook_heads WHERE account = 'acme'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(reached, (4, next.clone()), "the head has moved");
}

#[test]
fn a_snapshot_is_kept_once_in_a_thousand_versions() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut account = kept.load("acme").unwrap().unwrap();
    let create = |first: usize| {
        let stores = (first..first + 998).map(|store| created(&store.to_string()));
        request(&format!("from {first}"), stores)
    };
    repository::execute(&repository, &mut account, &create(0)).unwrap();
    let snapshot = repository.snapshot(account.id()).unwrap();
    assert_eq!(snapshot, Some(account.snapshot()), "version 1001");
    repository::execute(&repository, &mut account, &create(1_000)).unwrap();
    let snapshot = repository.snapshot(account.id()).unwrap().unwrap();
    assert_eq!(snapshot.version(), 1_001, "none for version 1999");
    assert_eq!(kept.load("acme").unwrap().unwrap(), account);
    create_store(&repository, &mut account, "one more");
    let snapshot = repository.snapshot(account.id()).unwrap().unwrap();
    assert_eq!(snapshot.version(), 2_000, "the later one is in its place");
}

#[test]
fn a_commit_of_several_pages_is_given_whole() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut account = kept.load("acme").unwrap().unwrap();
    // Five records of more than a mebibyte each.
    let enrol = |part: usize| {
        Command::AddMembers(AddMembers {
            members: (0..10_000)
                .map(|member| MemberId::parse(&format!("{part}-{member:0>115}")).unwrap())
                .collect(),
        })
    };
    let request = request("many", (0..5).map(enrol));
    let done = repository::execute(&repository, &mut account, &request).unwrap();
    let records = done.records();
    let tail = repository.records_after(account.id(), 3).unwrap();
    let RecordPage::Records {
        records: page,
        head: Some(head),
    } = tail
    else {
        panic!("records are there");
    };
    assert_eq!((&*page, head.version), (&records[..4], 8), "a page");
    let mut elsewhere = kept.load("acme").unwrap().unwrap();
    let again = repository::execute(&repository, &mut elsewhere, &request).unwrap();
    assert!(again.is_repeat());
    assert_eq!(again.records(), records);
    assert_eq!(kept.load("acme").unwrap().unwrap(), account);
}

#[test]
fn a_file_that_is_held_for_too_long_is_busy_and_can_be_read() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut account = kept.load("acme").unwrap().unwrap();
    let (holder, before) = (kept.by_hand(), kept.rows());
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let request = delete_store("dev");
    let error = repository::execute(&repository, &mut account, &request).unwrap_err();
    assert!(
        matches!(
            error,
            RepositoryError::Storage(ref error) if matches!(error.downcast_ref(), Some(SqliteError::Busy))
        ),
        "{error:?}"
    );
    assert_eq!(kept.load("acme").unwrap().unwrap(), account);
    assert_eq!(kept.rows(), before);

    holder.execute_batch("ROLLBACK").unwrap();
    repository::execute(&repository, &mut account, &request).unwrap();
}

//! What the file keeps, and what it refuses to.

use grantbook::command::{AddMembers, CreateStore};
use grantbook::repository::{self, ExecuteError, LoadError, RecordPage, Repository, Request};
use grantbook::{Actor, Command, IdempotencyKey, MemberId, StoreId};
use grantbook_sqlite::{SqliteError, SqliteRepository};

use crate::kept::{Kept, NOW, create_store, delete_store};

#[test]
fn the_schema_refuses_a_wrong_write() {
    let kept = Kept::new();
    let (connection, before) = (kept.by_hand(), kept.rows());
    let record = |account: &str, version: u64| {
        format!("json_object('account', '{account}', 'version', {version})")
    };
    let commit = "INSERT INTO commits (account, id, first, last) VALUES ('acme', 'next', 4, 4);";
    let insert = |account: &str, version: u64, record: &str| {
        format!(
            "INSERT INTO records (account, version, record) VALUES ('{account}', {version}, {record});"
        )
    };
    let right = format!("{commit} {}", insert("acme", 4, &record("acme", 4)));
    for (wrong, why) in [
        (insert("acme", 4, &record("acme", 4)), "belongs to the last commit"),
        (format!("{commit} {}", insert("acme", 5, &record("acme", 5))), "follows the one before"),
        (format!("{commit} {}", insert("acme", 3, &record("acme", 3))), "follows the one before"),
        (format!("{commit} {}", insert("acme", 4, &record("beta", 4))), "CHECK"),
        (format!("{commit} {}", insert("acme", 4, &record("acme", 3))), "CHECK"),
        (format!("{commit} {}", insert("acme", 4, "'no json'")), "CHECK"),
        (format!("{commit} {}", insert("acme", 4, "x'00'")), "cannot store BLOB"),
        (format!("{commit} {}", insert("acme", 4, &record("acme", 4)).replace("INSERT", "INSERT OR REPLACE").replace(", 4, json", ", 3, json")), "follows the one before"),
        ("INSERT INTO commits (account, id, first, last) VALUES ('acme', 'dev', 4, 4)".into(), "kept once"),
        ("INSERT OR REPLACE INTO commits (account, id, first, last) VALUES ('acme', 'dev', 4, 4)".into(), "kept once"),
        ("INSERT INTO commits (account, id, first, last) VALUES ('acme', 'next', 3, 4)".into(), "follows the one before"),
        ("INSERT INTO commits (account, id, first, last) VALUES ('acme', 'next', 4, 3)".into(), "CHECK"),
        (format!("{commit} INSERT INTO commits (account, id, first, last) VALUES ('acme', 'over', 5, 5)"), "records of the commit before are missing"),
        ("UPDATE records SET record = record".into(), "records are kept as they are"),
        ("DELETE FROM records WHERE version = 3".into(), "records are kept as they are"),
        ("UPDATE commits SET last = last".into(), "commits are kept as they are"),
        ("DELETE FROM commits".into(), "commits are kept as they are"),
        (format!("INSERT INTO snapshots (account, version, snapshot) VALUES ('acme', 2, {})", record("acme", 2)), "of the last record"),
    ] {
        connection.execute_batch("BEGIN").unwrap();
        let refused = connection.execute_batch(&wrong).expect_err(&wrong).to_string();
        connection.execute_batch("ROLLBACK").unwrap();
        assert!(refused.contains(why), "{wrong}: {refused}");
        assert_eq!(kept.rows(), before, "{wrong}");
    }
    connection
        .execute_batch(&right)
        .expect("what is right is not refused");
}

#[test]
fn a_snapshot_is_kept_once_in_a_thousand_versions() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut account = kept.load("acme").unwrap().unwrap();
    let create = |first: usize| Request {
        commit: IdempotencyKey::parse(&format!("from {first}")).unwrap(),
        actor: Actor::System,
        commands: (first..first + 998)
            .map(|store| {
                Command::CreateStore(CreateStore {
                    store: StoreId::parse(&store.to_string()).unwrap(),
                })
            })
            .collect(),
        now: NOW,
        note: None,
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
    let request = Request {
        commit: IdempotencyKey::parse("many").unwrap(),
        actor: Actor::System,
        commands: (0..5).map(enrol).collect(),
        now: NOW,
        note: None,
    };
    let records = repository::execute(&repository, &mut account, &request).unwrap();
    let tail = repository.records_after(account.id(), 3).unwrap();
    assert_eq!(
        tail,
        RecordPage::Records {
            records: records[..4].to_vec(),
            last: 8
        },
        "a page"
    );
    assert_eq!(
        repository
            .records_of(account.id(), &request.commit)
            .unwrap(),
        records
    );
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
            ExecuteError::Load(LoadError::Repository(SqliteError::Busy))
        ),
        "{error:?}"
    );
    assert_eq!(kept.load("acme").unwrap().unwrap(), account);
    assert_eq!(kept.rows(), before);

    holder.execute_batch("ROLLBACK").unwrap();
    repository::execute(&repository, &mut account, &request).unwrap();
}

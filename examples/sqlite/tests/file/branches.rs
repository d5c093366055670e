//! A backup is restored while copies of the other branch are alive.

use std::fs;

use grantbook::repository::{self, Accounts, Repository};
use grantbook::{AccountId, Decision, DenialReason, Permission, Resource, Timestamp};
use grantbook_sqlite::SqliteRepository;
use rusqlite::Connection;

use crate::kept::{Kept, create_store, created, request};

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

/// The file, all of it, as a backup holds it.
fn backup(kept: &Kept) -> Vec<u8> {
    let connection = kept.by_hand();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    fs::read(kept.path()).unwrap()
}

/// Puts a backup in the place of what is there, while others have the file open.
fn restore(kept: &Kept, backup: &[u8]) {
    let from = kept.path().with_extension("backup");
    fs::write(&from, backup).unwrap();
    let (from, mut to) = (Connection::open(from).unwrap(), kept.by_hand());
    let restoring = rusqlite::backup::Backup::new(&from, &mut to).unwrap();
    restoring
        .run_to_completion(1_000, std::time::Duration::ZERO, None)
        .unwrap();
}

/// 50 times, a backup is restored and goes on otherwise: no record of one branch is applied to a copy of the other, none
/// is committed across, and every copy of the old branch says `diverged` and denies until it is loaded again.
#[test]
fn a_restored_backup_is_another_branch() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let (mut told, mut across) = (0, 0);
    for round in 0..50 {
        let name = |what: &str| format!("{what} {round}");
        let saved = backup(&kept);
        let mut before = kept.load("acme").unwrap().unwrap();
        create_store(&repository, &mut before, &name("old"));
        if round % 2 == 0 {
            create_store(&repository, &mut before, &name("older"));
        }
        // Those that only read, that write, that are shared, and one that is ahead of all that comes.
        let (mut reader, mut writer) = (before.clone(), before.clone());
        let accounts = Accounts::builder(SqliteRepository::open(kept.path()).unwrap()).build();
        let shared = accounts.get(&acme()).unwrap();

        restore(&kept, &saved);
        let mut after = kept.load("acme").unwrap().unwrap();
        for store in 0..round % 4 {
            create_store(&repository, &mut after, &format!("new {round} {store}"));
        }
        let rows = kept.rows();
        let late = request(&name("late"), [created(&name("late"))]);
        for error in [
            repository::catch_up(&repository, &mut reader).unwrap_err(),
            repository::execute(&repository, &mut writer, &late).unwrap_err(),
            shared.execute(&late).unwrap_err(),
        ] {
            assert_eq!(error.code(), "diverged");
            told += 1;
        }
        across += usize::from(kept.rows() != rows);
        for copy in [&reader, &writer] {
            let denied = copy.check("olga", &Permission::STORE_READ, Resource::Store("dev"));
            assert_eq!(denied, Decision::Denied(DenialReason::Diverged));
            assert_eq!(copy.version(), before.version(), "nothing was applied");
        }
        assert!(!shared.can("olga", &Permission::STORE_READ, Resource::Store("dev")));
        accounts.get(&acme()).unwrap();
        assert!(shared.with(|account| *account == *after), "loaded again");
        shared.execute(&late).unwrap();
    }
    println!("fork: sqlite, 50 rounds: {told} told, {across} committed across");
    assert_eq!((told, across), (150, 0));
}

/// U2: a time after the year 9999 is refused, nothing is kept of it, and the next request is as good as ever.
#[test]
fn a_clock_in_microseconds_is_refused() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut account = kept.load("acme").unwrap().unwrap();
    let rows = kept.rows();
    let mut wrong = request("wrong", [created("x")]);
    wrong.now = Timestamp::from_millis(wrong.now.as_millis() * 1_000);
    let error = repository::execute(&repository, &mut account, &wrong).unwrap_err();
    assert_eq!(error.code(), "time-out-of-range");
    assert_eq!(kept.rows(), rows);
    create_store(&repository, &mut account, "x");
    assert_eq!(repository.request(account.id(), &wrong.key).unwrap(), None);
}

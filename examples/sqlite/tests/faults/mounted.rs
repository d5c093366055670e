//! A disk that is full and a file that can only be read: each a small mount, which nobody else sees and which is gone
//! when its process ends.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

use grantbook::command::CreateStore;
use grantbook::repository::{self, Replica, RepositoryError, Request};
use grantbook::{
    Account, AccountId, Actor, Command as Change, GroupLimit, IdempotencyKey, MemberId, StoreId,
    Timestamp,
};
use grantbook_sqlite::{SqliteError, SqliteRepository};
use libtest_mimic::Trial;

pub(crate) const FULL: &str = "on-a-full-disk";
pub(crate) const READ_ONLY: &str = "read-only";

/// Ignored where nothing can be mounted: not on Linux, or in a container that forbids it.
pub(crate) fn trials() -> [Trial; 2] {
    let can_mount = within("true", FULL, Path::new("/tmp"))
        .status()
        .is_ok_and(|status| status.success());
    [
        ("a_full_disk_loses_nothing", FULL, "exec \"$@\""),
        (
            "a_read_only_file_is_read_and_not_written",
            READ_ONLY,
            "touch \"$3/access.db\" && mount --bind \"$3/access.db\" \"$3/access.db\" && exec \"$@\"",
        ),
    ]
    .map(|(name, scene, then)| {
        let trial = Trial::test(name, move || {
            let folder = tempfile::tempdir()?;
            let status = within(then, scene, folder.path()).status()?;
            if status.success() {
                Ok(())
            } else {
                Err("see above".into())
            }
        });
        trial.with_ignored_flag(!can_mount)
    })
}

/// This program again, with a mebibyte mounted at the folder: `then` is what a shell does after that, with the program
/// and its arguments as its own.
fn within(then: &str, scene: &str, folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(format!("mount -t tmpfs -o size=1m none \"$3\" && {then}"))
        .arg("sh")
        .arg(env::current_exe().expect("the test is a file"))
        .arg(scene)
        .arg(folder);
    command
}

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Stores are created, two a request, until the disk is full; then room is made.
pub(crate) fn is_full(folder: &Path) {
    let in_the_way = folder.join("in-the-way");
    fs::write(&in_the_way, vec![1; 300 << 10]).expect("there is room");
    let path = folder.join("access.db");
    let kept = SqliteRepository::create(&path).expect("the file opens");
    let mut account = opened(&kept);

    let mut acknowledged = 0;
    let refused = loop {
        assert!(acknowledged < 10_000, "the disk is full some day");
        match repository::execute(&kept, &mut account, &two_stores(acknowledged)) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            refused,
            RepositoryError::Storage(ref error) if matches!(error.downcast_ref(), Some(SqliteError::Full))
        ),
        "{refused:?}"
    );
    let told = "the repository failed: the disk is full; make room, and try again";
    assert_eq!(refused.to_string(), told);
    assert!(acknowledged > 0, "something was kept before");

    fs::remove_file(in_the_way).expect("it is there");
    let elsewhere = SqliteRepository::open(&path).expect("the file opens");
    let (lost, half_done) = (
        acknowledged.saturating_sub(stores(&elsewhere) / 2),
        stores(&elsewhere) % 2,
    );
    println!(
        "fault: sqlite, disk full after {acknowledged} commits: {lost} lost, {half_done} half done"
    );
    assert_eq!((lost, half_done), (0, 0));
    assert_eq!(account, loaded(&elsewhere), "the copy is what is kept");

    let again = two_stores(acknowledged);
    repository::execute(&kept, &mut account, &again).expect("there is room");
    assert_eq!(stores(&elsewhere), 2 * (acknowledged + 1));
}

/// A file is written, and then mounted once more, to be read only.
pub(crate) fn is_read_only(folder: &Path) {
    let path = folder.join("access.db");
    {
        let kept = SqliteRepository::create(&path).expect("the file opens");
        let mut account = opened(&kept);
        repository::execute(&kept, &mut account, &two_stores(0)).expect("it can be written");
    }
    mount("remount,bind,ro", &path);
    let before = fs::read(&path).expect("it can be read");

    let kept = SqliteRepository::open(&path).expect("it can be read");
    let mut account = loaded(&kept);
    let refused = repository::execute(&kept, &mut account, &two_stores(1)).unwrap_err();
    assert!(
        matches!(
            refused,
            RepositoryError::Storage(ref error) if matches!(error.downcast_ref(), Some(SqliteError::ReadOnly))
        ),
        "{refused:?}"
    );
    drop(kept);
    let after = fs::read(&path).expect("it can be read");
    assert_eq!(after, before, "not a byte was written");
    assert_eq!(account.stores().count(), 2, "the copy is as before");

    mount("remount,bind,rw", &path);
    let kept = SqliteRepository::open(&path).expect("the file opens");
    let (lost, more) = (
        2_usize.saturating_sub(stores(&kept)),
        stores(&kept).saturating_sub(2),
    );
    println!("fault: sqlite, read-only file: {lost} lost, {more} written");
    assert_eq!((lost, more), (0, 0));
    repository::execute(&kept, &mut account, &two_stores(1)).expect("it can be written");
    assert_eq!(stores(&kept), 4);
}

fn mount(options: &str, path: &Path) {
    let status = Command::new("mount")
        .arg("-o")
        .arg(options)
        .arg(path)
        .status();
    assert!(
        status.is_ok_and(|status| status.success()),
        "mount -o {options}"
    );
}

fn acme() -> AccountId {
    AccountId::parse("acme").expect("an id")
}

fn opened(kept: &SqliteRepository) -> Replica {
    let (commit, owner) = (IdempotencyKey::parse("open"), MemberId::parse("olga"));
    let (commit, owner) = (commit.expect("an id"), owner.expect("an id"));
    repository::open(kept, commit, acme(), owner, GroupLimit::default(), NOW).expect("it opens")
}

fn loaded(kept: &SqliteRepository) -> Replica {
    let replica = repository::load(kept, &acme()).expect("it can be read");
    replica.expect("it was opened")
}

/// How many there are, in an account that breaks no rule.
fn stores(kept: &SqliteRepository) -> usize {
    let account = Account::try_from(loaded(kept).snapshot()).expect("it breaks no rule");
    account.stores().count()
}

fn two_stores(number: usize) -> Request {
    let commands = ["a", "b"].map(|name| {
        let store = StoreId::parse(&format!("{number} {name}")).expect("an id");
        Change::from(CreateStore { store })
    });
    let key = IdempotencyKey::parse(&format!("request {number}")).expect("a key");
    Request::by(Actor::System, key, NOW).commands(commands)
}

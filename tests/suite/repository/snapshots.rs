//! Loading from snapshots and pages, and taking snapshots.

use std::cell::RefCell;

use grantbook::repository::*;
use grantbook::*;

use super::scripted::{DiskGone, EveryThird, Scripted, head, tail};
use super::{acme, acme_of, kept_copy, opened};
use crate::support::*;

/// U2, U5, A4: a snapshot and the records after it are loaded; a snapshot and records that do not belong together are
/// refused.
#[test]
fn u2_a_snapshot_and_the_records_after_it_are_loaded() {
    let world = World::staffed();
    let early = Account::replay(&world.records[..5]).unwrap().snapshot();
    let with = |snapshot: Option<&Snapshot>, records: &[Record]| Scripted {
        snapshot: snapshot.cloned(),
        tails: vec![tail(
            records,
            head(records).or_else(|| head(&world.records[..5])),
        )]
        .into(),
        ..Scripted::default()
    };
    let loaded = |repository: &Scripted, id: &str| load(repository, &acme_of(id));
    let account = loaded(&with(Some(&early), &world.records[5..]), "acme");
    assert_eq!(*account.unwrap().unwrap(), world.account);
    let account = loaded(&with(Some(&early), &[]), "acme").unwrap().unwrap();
    assert_eq!(account.version(), 5);
    let code = |repository: Scripted, id: &str| match loaded(&repository, id).unwrap_err() {
        RepositoryError::Storage(error) => panic!("{error}"),
        other => other.code(),
    };
    assert_eq!(code(with(Some(&early), &world.records[6..]), "acme"), "gap");
    assert_eq!(
        code(with(Some(&early), &world.records[4..]), "acme"),
        "repeat"
    );
    let mut twice = world.records[5..7].to_vec();
    twice.push(twice[1].clone());
    assert_eq!(code(with(Some(&early), &twice), "acme"), "repeat");
    assert_eq!(code(with(None, &world.records[1..]), "acme"), "gap");
    let holed = [&world.records[..2], &world.records[3..]].concat();
    assert_eq!(code(with(None, &holed), "acme"), "gap");
    assert_eq!(code(with(None, &[]), "acme"), "records-missing");
    assert_eq!(code(with(Some(&early), &[]), "other"), "wrong-account");
    assert_eq!(code(with(None, &world.records), "other"), "wrong-account");
    let mut broken = serde_json::to_value(&early).unwrap();
    broken["version"] = 0.into();
    let broken = serde_json::from_value(broken).unwrap();
    assert_eq!(code(with(Some(&broken), &[]), "acme"), "not-opened");
}

/// A repository that stores a snapshot and compacts its records after it was first asked for a snapshot.
struct Compacting(Scripted, RefCell<Option<Snapshot>>);

impl Repository for Compacting {
    type Error = DiskGone;

    fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, DiskGone> {
        Ok(self.1.borrow().clone())
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        self.1.replace(self.0.snapshot.clone());
        self.0.records_after(account, version)
    }

    fn request(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, DiskGone> {
        self.0.request(account, id)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, DiskGone> {
        self.0.commit(commit)
    }
}

/// U2, U5: records come page after page; where they were compacted, the copy starts again from a later snapshot; a
/// repository that promises more than it gives is not trusted.
#[test]
fn u2_pages_are_joined_and_compacted_records_skipped() {
    let world = World::staffed();
    let all = &world.records;
    let last = head(all);
    let snapshot = |version: usize| Account::replay(&all[..version]).unwrap().snapshot();
    let scripted = |snapshot: Option<Snapshot>, tails: Vec<RecordPage>| Scripted {
        snapshot,
        tails: tails.into(),
        ..Scripted::default()
    };
    let three = || {
        vec![
            tail(&all[..3], last),
            tail(&all[3..4], last),
            tail(&all[4..], last),
        ]
    };
    let paged = load(&scripted(None, three()), &acme()).unwrap().unwrap();
    assert_eq!(*paged, world.account);

    let mut behind = kept_copy(&all[..2]);
    let gone = scripted(
        Some(snapshot(6)),
        vec![RecordPage::Compacted, tail(&all[6..], last)],
    );
    catch_up(&gone, &mut behind).unwrap();
    assert_eq!(*behind, world.account);

    let compacting = Compacting(
        scripted(
            Some(snapshot(6)),
            vec![RecordPage::Compacted, tail(&all[6..], last)],
        ),
        RefCell::default(),
    );
    assert_eq!(*load(&compacting, &acme()).unwrap().unwrap(), world.account);

    for (snapshot, tails) in [
        (None, vec![RecordPage::Compacted]),
        (Some(snapshot(2)), vec![RecordPage::Compacted]),
        (None, vec![tail(&[], last)]),
        (None, vec![tail(&all[2..3], last), tail(&[], last)]),
    ] {
        let mut behind = kept_copy(&all[..2]);
        let error = catch_up(&scripted(snapshot, tails), &mut behind).unwrap_err();
        assert_eq!(error.code(), "records-missing");
        assert!(
            matches!(error, RepositoryError::RecordsMissing { version } if version == behind.version())
        );
    }
    let error = load(&scripted(None, vec![RecordPage::Compacted]), &acme()).unwrap_err();
    assert_eq!(error.code(), "records-missing");
    let foreign = Account::open(
        acme_of("other"),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    )
    .0;
    let mut foreign = serde_json::to_value(foreign.snapshot()).unwrap();
    foreign["version"] = 6.into();
    let foreign = serde_json::from_value(foreign).unwrap();
    let mut behind = kept_copy(&all[..2]);
    let error = catch_up(
        &scripted(Some(foreign), vec![RecordPage::Compacted]),
        &mut behind,
    )
    .unwrap_err();
    assert_eq!(error.code(), "wrong-account");
    assert_eq!(behind.version(), 2);
}

/// U2: a commit brings a snapshot when the repository asks for one, of the account as it is after the commit.
#[test]
fn u2_a_snapshot_is_taken_when_the_repository_wants_one() {
    let kept = EveryThird(MemoryRepository::new());
    let mut account = opened(&kept.0);
    for (number, latest) in [
        (1, None),
        (2, Some(3)),
        (3, Some(3)),
        (4, Some(3)),
        (5, Some(6)),
    ] {
        let create = [
            create_store(&number.to_string()),
            enrol(["dana"]),
            create_group("devs", "Dev Team", [viewer(["1"])]),
            add("devs", ["dana"]),
        ];
        let commands = if number == 5 {
            &create[..2]
        } else {
            &create[..1]
        };
        let asked = request(&Actor::System, commands, at(number));
        execute(&kept, &mut account, &asked).unwrap();
        let snapshot = kept.snapshot(&acme()).unwrap();
        assert_eq!(
            snapshot.as_ref().map(Snapshot::version).map(|at| at.min(6)),
            latest
        );
        assert_eq!(load(&kept, &acme()).unwrap().unwrap(), account);
    }
    let snapshot = kept.snapshot(&acme()).unwrap().unwrap();
    assert_eq!(snapshot, account.snapshot());
}

/// What a transaction of the application's own is to keep brings a snapshot too, where the repository wants one.
#[test]
fn what_is_prepared_brings_a_snapshot() {
    let kept = EveryThird(MemoryRepository::new());
    let accounts = Accounts::builder(&kept).build();
    let (key, limit) = (commit_id("open"), GroupLimit::default());
    let acme = accounts
        .open(key, acme(), member(OWNER), limit, at(0))
        .unwrap();
    for store in ["a", "b", "c", "d"] {
        let asked = request(&by(OWNER), &[create_store(store)], at(1));
        let Prepared::Commit(commit) = acme.prepare(&asked).unwrap() else {
            panic!("it was done before")
        };
        assert_eq!(commit.snapshot().is_some(), commit.head().version == 3);
        assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Appended));
        assert_eq!(acme.adopt(&commit), Freshness::UpToDate);
    }
    let snapshot = kept.snapshot(acme.id()).unwrap().unwrap();
    assert_eq!(snapshot.version(), 3);
}

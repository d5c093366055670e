//! Commits: records that follow a head and each other, stored once and in their place.

use grantbook::repository::*;
use grantbook::*;

use super::{acme, acme_of, owner};
use crate::support::*;

/// U2: a commit is records of one account that follow its head and each other, all of one decision; nothing else can be
/// made into one.
#[test]
fn u2_a_commit_is_records_that_follow_each_other() {
    let mut world = World::staffed();
    let stores = ["a", "b", "c"].map(create_store);
    let batch = world.account.execute_batch(&owner(), &stores, at(9_000));
    let batch = batch.unwrap();
    let before = head_after(world.records.last().unwrap());
    let request = StoredRequest {
        key: commit_id("1"),
        actor: owner(),
        digest: *batch[0].digest(),
        before: before.version,
        version: before.version + 3,
    };
    let copied = |request: &StoredRequest, head: Option<Head>, records: &[Record]| {
        Commit::copied(acme(), request.clone(), head, records.to_vec())
    };
    let whole = copied(&request, Some(before), &batch).unwrap();
    assert_eq!(whole.expected(), Some(&before));
    assert_eq!(*whole.head(), head_after(&batch[2]));
    assert_eq!((whole.account(), whole.key()), (&acme(), &commit_id("1")));
    assert_eq!((whole.records(), whole.request()), (&*batch, &request));

    // A gap, a repetition, another order, a part of it, other records, another account, another branch.
    let mut foreign = serde_json::to_value(&batch[0]).unwrap();
    foreign["account"] = "other".into();
    let foreign: Record = serde_json::from_value(foreign).unwrap();
    for records in [
        vec![batch[0].clone(), batch[2].clone()],
        vec![batch[0].clone(), batch[0].clone(), batch[1].clone()],
        vec![batch[1].clone(), batch[0].clone(), batch[2].clone()],
        batch[..2].to_vec(),
        batch[1..].to_vec(),
        vec![foreign, batch[1].clone(), batch[2].clone()],
        world.records[3..6].to_vec(),
    ] {
        let error = copied(&request, Some(before), &records).unwrap_err();
        assert_eq!(error.code(), "commit-out-of-order", "{records:?}");
    }
    let elsewhere = Head {
        digest: *world.records[0].digest(),
        ..before
    };
    assert!(copied(&request, Some(elsewhere), &batch).is_err());
    let closed = Head {
        state: HeadState::Closed,
        ..before
    };
    assert!(copied(&request, Some(closed), &batch).is_err());
    assert_eq!(
        copied(&request, None, &batch),
        Err(CommitError::OtherRequest)
    );
    // What is remembered must go with the records. A request that changed nothing has none.
    assert_eq!(
        copied(&request, Some(before), &[]),
        Err(CommitError::OtherRequest)
    );
    let nothing = StoredRequest {
        version: before.version,
        ..request.clone()
    };
    assert!(copied(&nothing, Some(before), &[]).is_ok());
    let error = copied(&nothing, Some(before), &batch).unwrap_err();
    assert_eq!(error.code(), "other-request");

    let snapshot = world.account.snapshot();
    let with = whole.clone().with_snapshot(snapshot.clone()).unwrap();
    assert_eq!(with.snapshot(), Some(&snapshot));
    let other = Account::open(
        acme_of("other"),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    );
    for other in [Account::replay(&world.records).unwrap(), other.0] {
        let error = whole.clone().with_snapshot(other.snapshot()).unwrap_err();
        assert_eq!(error.code(), "other-snapshot");
    }
}

/// U2: a repository in memory accepts what follows its head only, and stores a commit once.
#[test]
fn u2_a_commit_is_stored_once_and_in_its_place() {
    let kept = MemoryRepository::new();
    let open = |key: &str| {
        let (key, limit) = (commit_id(key), GroupLimit::default());
        Commit::opening(key, acme(), member(OWNER), limit, at(0))
    };
    let (first, mut account) = open("1");
    assert_eq!(kept.commit(&first), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&first), Ok(CommitOutcome::Duplicate));
    assert_eq!(kept.commit(&open("2").0), Ok(CommitOutcome::Conflict));

    let mut decide = |key: &str, commands: &[Command], is_kept: bool| {
        let request = Request::by(owner(), commit_id(key), at(1)).commands(commands.to_vec());
        let commit = Commit::decide(&account, &request).unwrap();
        for record in commit.records().iter().filter(|_| is_kept) {
            account.apply(record).unwrap();
        }
        (commit, account.clone())
    };
    let (stale, _) = decide("stale", &[create_store("x")], false);
    let (stale_nothing, _) = decide("stale nothing", &[add_nobody()], false);
    let (next, _) = decide("next", &["a", "b"].map(create_store), true);
    let (nothing, _) = decide("nothing", &[add_nobody()], true);
    let (rest, account) = decide("rest", &[create_store("c")], true);
    assert_eq!(kept.request(&acme(), next.key()), Ok(None));
    assert_eq!(kept.commit(&rest), Ok(CommitOutcome::Conflict), "ahead");
    assert_eq!(kept.commit(&next), Ok(CommitOutcome::Appended));
    for stale in [&stale, &stale_nothing] {
        assert_eq!(kept.commit(stale), Ok(CommitOutcome::Conflict));
        assert_eq!(kept.request(&acme(), stale.key()), Ok(None));
    }
    assert!(nothing.records().is_empty());
    assert_eq!(kept.commit(&nothing), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&nothing), Ok(CommitOutcome::Duplicate));
    for commit in [&next, &nothing] {
        let remembered = kept.request(&acme(), commit.key()).unwrap();
        assert_eq!(remembered.as_ref(), Some(commit.request()));
        assert_eq!(kept.request(&acme_of("other"), commit.key()), Ok(None));
    }
    let rest = rest.with_snapshot(account.snapshot()).unwrap();
    assert_eq!(kept.commit(&rest), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&next), Ok(CommitOutcome::Duplicate));
    assert_eq!(kept.snapshot(&acme()), Ok(Some(account.snapshot())));
    assert_eq!(*load(&kept, &acme()).unwrap().unwrap(), account);
    let RecordPage::Records { head, .. } = kept.records_after(&acme(), 0).unwrap() else {
        panic!("all records are there")
    };
    assert_eq!(head.as_ref(), Some(rest.head()));
}

/// A command that changes nothing.
fn add_nobody() -> Command {
    remove_members([])
}

//! Commits: records that follow each other, stored once and in their place.

use grantbook::repository::*;
use grantbook::*;

use super::{acme, acme_of};
use crate::support::*;

/// U2: a commit is records of one account that follow each other; nothing else can be made into one.
#[test]
fn u2_a_commit_is_records_that_follow_each_other() {
    let World {
        records, account, ..
    } = World::staffed();
    let made = |records: &[Record]| Commit::new(commit_id("1"), records.to_vec());
    let whole = made(&records[2..5]).unwrap();
    assert_eq!((whole.expected(), whole.version()), (2, 5));
    assert_eq!(whole.account(), account.id());
    assert_eq!(made(&[]), Err(CommitError::Empty));
    let gap = made(&[records[1].clone(), records[3].clone()]).unwrap_err();
    assert_eq!(gap, CommitError::OutOfOrder { version: 4 });
    assert_eq!(
        gap.to_string(),
        "record 4 is not the next one of the commit's account"
    );
    assert!(made(&[records[1].clone(), records[1].clone()]).is_err());
    let mut foreign = serde_json::to_value(&records[2]).unwrap();
    foreign["account"] = "other".into();
    let foreign: Record = serde_json::from_value(foreign).unwrap();
    assert!(made(&[records[1].clone(), foreign]).is_err());
    let mut before_the_first = serde_json::to_value(&records[0]).unwrap();
    before_the_first["version"] = 0.into();
    let before_the_first = serde_json::from_value(before_the_first).unwrap();
    assert!(made(&[before_the_first]).is_err());
    let mut the_last = serde_json::to_value(&records[1]).unwrap();
    the_last["version"] = u64::MAX.into();
    let the_last: Record = serde_json::from_value(the_last).unwrap();
    assert!(made(&[the_last.clone(), the_last]).is_err());

    let snapshot = Account::replay(&records[..5]).unwrap().snapshot();
    let with = whole.clone().with_snapshot(snapshot.clone()).unwrap();
    assert_eq!(with.snapshot(), Some(&snapshot));
    for other in [
        Account::replay(&records[..4]).unwrap(),
        Account::open(
            acme_of("other"),
            member(OWNER),
            GroupLimit::default(),
            at(0),
        )
        .0,
    ] {
        let error = whole.clone().with_snapshot(other.snapshot()).unwrap_err();
        assert_eq!(error, CommitError::OtherSnapshot);
    }
}

/// U2: a repository in memory accepts the next records only, and stores a commit once.
#[test]
fn u2_a_commit_is_stored_once_and_in_its_place() {
    let kept = MemoryRepository::new();
    let World {
        records, account, ..
    } = World::staffed();
    let first = commit(&records[..1]);
    assert_eq!(kept.commit(&first), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&first), Ok(CommitOutcome::Duplicate));
    assert_eq!(
        kept.commit(&commit(&records[..1])),
        Ok(CommitOutcome::Conflict)
    );
    assert_eq!(
        kept.commit(&commit(&records[2..4])),
        Ok(CommitOutcome::Conflict)
    );
    let next = commit(&records[1..3]);
    assert_eq!(kept.records_of(&acme(), next.id()), Ok(vec![]));
    assert_eq!(kept.commit(&next), Ok(CommitOutcome::Appended));
    assert_eq!(kept.records_of(&acme(), next.id()).unwrap(), records[1..3]);
    assert_eq!(kept.records_of(&acme_of("other"), next.id()), Ok(vec![]));
    let rest = commit(&records[3..])
        .with_snapshot(account.snapshot())
        .unwrap();
    assert_eq!(kept.commit(&rest), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&next), Ok(CommitOutcome::Duplicate));
    assert_eq!(kept.snapshot(&acme()), Ok(Some(account.snapshot())));
    assert_eq!(*load(&kept, &acme()).unwrap().unwrap(), account);
}

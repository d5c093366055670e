//! What a copy does with records and notices, and when it answers.

use grantbook::repository::*;
use grantbook::*;

use super::{changed, copy_at, keeping};
use crate::hostile::sealed;
use crate::support::*;

/// U2, U5: the next record is applied, one that was applied is not applied again, and before one that is missing
/// nothing is.
#[test]
fn u2_a_copy_applies_the_next_record() {
    let world = World::staffed();
    let mut copy = copy_at(&world.records, 3);
    for later in [5, 4] {
        let gap = Ok(Ingested::Gap { behind: 3 });
        assert_eq!(copy.ingest(&world.records[later]), gap);
    }
    assert_eq!((copy.version(), copy.as_of().behind), (3, 3));
    assert_eq!(copy.ingest(&world.records[3]), Ok(Ingested::Applied));
    for applied in &world.records[..4] {
        assert_eq!(copy.ingest(applied), Ok(Ingested::Duplicate));
    }
    assert_eq!(*copy, Account::replay(&world.records[..4]).unwrap());
    let as_of = copy.as_of();
    assert_eq!((as_of.version, as_of.at), (4, world.records[3].at()));
    assert_eq!(as_of.behind, 2, "it was told of version 6");
    for next in &world.records[4..] {
        assert_eq!(copy.ingest(next), Ok(Ingested::Applied));
    }
    assert_eq!((&*copy, copy.as_of().behind), (&world.account, 0));
}

/// U10: a part of a commit waits for the rest of it, and shows nothing before. A record of another branch does not
/// continue it, and a commit that does not fit leaves nothing.
#[test]
fn u10_records_handed_over_are_applied_as_a_whole() {
    let mut world = World::staffed();
    let until = world.records.len();
    let before = world.account.clone();
    let commands = ["x", "y", "z"].map(create_store);
    let batch = world
        .account
        .execute_batch(&by(OWNER), &commands, at(9_000));
    let batch = batch.unwrap();
    let mut copy = copy_at(&world.records, until);
    let nothing_shown = |copy: &Replica| {
        assert_eq!(**copy, before);
        assert!(!copy.has_store("x"));
    };
    let gap = Ok(Ingested::Gap { behind: 2 });
    assert_eq!(copy.ingest(&batch[1]), gap);
    for (number, missing) in [(0, 2), (1, 1)] {
        let incomplete = Ok(Ingested::Incomplete { missing });
        assert_eq!(copy.ingest(&batch[number]), incomplete);
        assert_eq!(copy.ingest(&batch[number]), Ok(Ingested::Duplicate));
        nothing_shown(&copy);
        assert_eq!(copy.as_of().behind, 3, "all of the commit is missing");
        assert!(matches!(copy.notify_version(1), Freshness::CatchUp { .. }));
    }
    let other = sealed(&changed(&batch[2], "at", 9_001), batch[0].digest());
    assert_eq!(copy.ingest(&other).unwrap_err().code(), "digest-mismatch");
    nothing_shown(&copy);
    assert_eq!(copy.ingest(&batch[2]), Ok(Ingested::Applied));
    assert_eq!(*copy, world.account);

    // The last record does not fit, so the first two leave nothing either.
    let mut copy = copy_at(&world.records, until);
    let twice = serde_json::to_value(batch[0].event()).unwrap();
    let unfitting = sealed(&changed(&batch[2], "event", twice), batch[1].digest());
    for record in &batch[..2] {
        let _ = copy.ingest(record).unwrap();
    }
    assert_eq!(copy.ingest(&unfitting).unwrap_err().code(), "does-not-fit");
    nothing_shown(&copy);
    for record in &batch {
        let _ = copy.ingest(record).unwrap();
    }
    assert_eq!(*copy, world.account, "the right ones are taken afterwards");
}

/// G9: a copy that is told of a change it does not have is behind, and reports how far, until it has it.
#[test]
fn g9_a_notice_says_how_far_behind_a_copy_is() {
    let world = World::staffed();
    let (kept, last) = (keeping(&world.records), world.account.version());
    let mut copy = copy_at(&world.records, 3);
    assert_eq!(copy.notify_version(2), Freshness::UpToDate);
    assert_eq!(copy.notify_version(3), Freshness::UpToDate);
    assert_eq!(copy.notify_version(5), Freshness::CatchUp { behind: 2 });
    assert_eq!(
        copy.notify_version(4),
        Freshness::CatchUp { behind: 2 },
        "the later notice counts"
    );
    assert_eq!(copy.ingest(&world.records[3]), Ok(Ingested::Applied));
    assert_eq!(copy.as_of().behind, 1);
    let behind = u64::MAX - 4;
    assert_eq!(copy.notify_version(u64::MAX), Freshness::CatchUp { behind });
    catch_up(&kept, &mut copy).unwrap();
    assert_eq!(
        (copy.version(), copy.as_of().behind),
        (last, 0),
        "a false notice is forgotten"
    );
    assert_eq!(
        copy.notify_version(last + 1),
        Freshness::CatchUp { behind: 1 },
        "and notices count again"
    );
}

/// G9: a copy that is older than it has to be does not answer.
#[test]
fn g9_a_stale_copy_does_not_answer() {
    let world = World::staffed();
    let (kept, last) = (keeping(&world.records), world.account.version());
    let mut copy = copy_at(&world.records, 3);
    assert_eq!(copy.at_least(0).map(Account::version), Ok(3));
    assert_eq!(copy.at_least(3).map(Account::version), Ok(3));
    let _ = copy.notify_version(last);
    let stale = copy.at_least(4).unwrap_err();
    assert_eq!((stale.code(), stale.http_status()), ("stale", 503));
    assert_eq!(
        stale.to_string(),
        "this copy of account `acme` is at version 3, and version 4 was wanted; catch up"
    );
    catch_up(&kept, &mut copy).unwrap();
    assert_eq!(copy.at_least(last), Ok(&world.account));
    assert!(copy.at_least(last + 1).is_err());
}

/// U5, A4: a record of another account and one that does not fit are refused, and change nothing.
#[test]
fn u5_a_record_that_does_not_belong_is_refused() {
    let world = World::staffed();
    let mut copy = copy_at(&world.records, world.records.len());
    let (before, last) = (copy.clone(), copy.version());
    let newest = &world.records[world.records.len() - 1];
    let tampered = changed(&world.records[1], "version", last + 1);
    let unfitting = sealed(&tampered, copy.digest());
    for version in [1, last, last + 1, last + 9] {
        let foreign = changed(&changed(newest, "version", version), "account", "other");
        assert_eq!(copy.ingest(&foreign).unwrap_err().code(), "wrong-account");
    }
    for (record, code) in [(tampered, "digest-mismatch"), (unfitting, "redundant")] {
        assert_eq!(copy.ingest(&record).unwrap_err().code(), code);
    }
    assert_eq!(copy, before);
}

//! What a copy does with records and notices, and when it answers.

use grantbook::repository::{
    Freshness, Ingested, MemoryRepository, Shared, catch_up, catch_up_with, execute,
};
use grantbook::*;

use super::{by_host, changed, keeping, loaded, opened};
use crate::hostile::sealed;
use crate::support::*;

/// U2, U5: the next record is applied, one that was applied is not applied again, and before one that is missing
/// nothing is.
#[test]
fn u2_a_copy_applies_the_next_record() {
    let world = World::staffed();
    let mut copy = loaded(&keeping(&world.records[..3]));
    assert_eq!(
        copy.ingest(&world.records[5]),
        Ok(Ingested::Gap { behind: 3 })
    );
    assert_eq!(
        copy.ingest(&world.records[4]),
        Ok(Ingested::Gap { behind: 3 })
    );
    assert_eq!((copy.version(), copy.as_of().behind), (3, 3));
    assert_eq!(copy.ingest(&world.records[3]), Ok(Ingested::Applied));
    for applied in &world.records[..4] {
        assert_eq!(copy.ingest(applied), Ok(Ingested::Duplicate));
    }
    assert_eq!(*copy, Account::replay(&world.records[..4]).unwrap());
    assert_eq!(
        (copy.as_of().version, copy.as_of().at),
        (4, world.records[3].at())
    );
    assert_eq!(copy.as_of().behind, 2, "it was told of version 6");
    for next in &world.records[4..] {
        assert_eq!(copy.ingest(next), Ok(Ingested::Applied));
    }
    assert_eq!((&*copy, copy.as_of().behind), (&world.account, 0));
}

/// U2: an observer sees a record that is applied, with the account before it, and no other.
#[test]
fn u2_an_observer_sees_what_is_applied() {
    let world = World::staffed();
    let mut copy = loaded(&keeping(&world.records[..3]));
    let mut shown = Vec::new();
    for number in [4, 3, 2, 3, 4] {
        let show =
            |before: &Account, record: &Record| shown.push((before.version(), record.clone()));
        let _ = copy.ingest_with(&world.records[number], show).unwrap();
    }
    let expected = [(3, world.records[3].clone()), (4, world.records[4].clone())];
    assert_eq!(shown, expected);
    catch_up_with(&keeping(&world.records), &mut copy, |before, record| {
        assert_eq!(before.version() + 1, record.version());
        shown.push((before.version(), record.clone()));
    })
    .unwrap();
    assert_eq!(shown.len(), world.records.len() - 3);
}

/// G9: a copy that is told of a change it does not have is behind, and reports how far, until it has it.
#[test]
fn g9_a_notice_says_how_far_behind_a_copy_is() {
    let world = World::staffed();
    let (kept, last) = (keeping(&world.records), world.account.version());
    let mut copy = loaded(&keeping(&world.records[..3]));
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
    assert_eq!(
        copy.notify_version(u64::MAX),
        Freshness::CatchUp {
            behind: u64::MAX - 4
        }
    );
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
    let mut copy = loaded(&keeping(&world.records[..3]));
    assert_eq!(copy.at_least(0).map(Account::version), Ok(3));
    assert_eq!(copy.at_least(3).map(Account::version), Ok(3));
    let _ = copy.notify_version(last);
    let stale = copy.at_least(4).unwrap_err();
    assert_eq!(stale.code(), "stale");
    assert_eq!(
        stale.to_string(),
        "this copy of account `acme` is at version 3, and version 4 was wanted; catch up"
    );
    let shared = Shared::new(copy.clone());
    assert_eq!(shared.at_least(4).err(), Some(stale));
    catch_up(&kept, &mut copy).unwrap();
    shared.catch_up(&kept).unwrap();
    assert_eq!(copy.at_least(last), Ok(&world.account));
    assert_eq!(*shared.at_least(last).unwrap(), copy);
    assert!(copy.at_least(last + 1).is_err() && shared.at_least(u64::MAX).is_err());
}

/// U5, A4: a record of another account and one that does not fit are refused, and change nothing: neither the account
/// nor what the copy knows of.
#[test]
fn u5_a_record_that_does_not_belong_is_refused() {
    let world = World::staffed();
    let mut copy = loaded(&keeping(&world.records));
    let (before, last) = (copy.clone(), copy.version());
    let newest = &world.records[world.records.len() - 1];
    let tampered = changed(&world.records[1], "version", last + 1);
    let unfitting = sealed(&tampered, copy.digest());
    for version in [1, last, last + 1, last + 9] {
        let foreign = changed(&changed(newest, "version", version), "account", "other");
        let refused = copy.ingest_with(&foreign, |_, _| panic!("it is not applied"));
        assert_eq!(refused.unwrap_err().code(), "wrong-account");
        assert_eq!(
            Shared::new(copy.clone())
                .ingest(&foreign)
                .unwrap_err()
                .code(),
            "wrong-account"
        );
    }
    for (record, code) in [(tampered, "digest-mismatch"), (unfitting, "redundant")] {
        let refused = copy.ingest_with(&record, |_, _| panic!("it is not applied"));
        assert_eq!(refused.unwrap_err().code(), code);
    }
    assert_eq!((&copy, copy.as_of()), (&before, before.as_of()));
}

/// U2: a request over a copy that is behind counts there once it is stored, and so does all before it.
#[test]
fn u2_a_copy_that_is_behind_catches_up_to_execute() {
    let kept = MemoryRepository::new();
    let mut here = opened(&kept);
    let (mut elsewhere, shared) = (here.clone(), Shared::new(here.clone()));
    execute(&kept, &mut here, &by_host(1, create_store("dev"))).unwrap();
    execute(&kept, &mut elsewhere, &by_host(2, create_store("prod"))).unwrap();
    assert!(elsewhere.has_store("dev") && elsewhere.has_store("prod"));
    let mut shown = Vec::new();
    let see = |_: &Account, record: &Record| shown.push(record.version());
    shared
        .execute_with(&kept, &by_host(3, create_store("test")), see)
        .unwrap();
    assert_eq!(shown, [2, 3, 4]);
    assert_eq!((shared.as_of().version, shared.as_of().behind), (4, 0));
    assert_eq!(here.notify_version(4), Freshness::CatchUp { behind: 2 });
    catch_up(&kept, &mut here).unwrap();
    assert_eq!(here, *shared.read());
}

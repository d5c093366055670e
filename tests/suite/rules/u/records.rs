//! U2: records, their versions and their times.

use grantbook::*;

use super::{forged, replayed};
use crate::support::*;

/// U2, A1: records are numbered from the opening on; replaying them gives the account, at every version.
#[test]
fn u2_replaying_gives_the_account_at_every_version() {
    let mut world = World::new();
    let mut versions = vec![world.account.clone()];
    let staffed = World::staffed();
    for record in &staffed.records[1..] {
        world.account.apply(record).unwrap();
        versions.push(world.account.clone());
    }
    assert_eq!(world.account, staffed.account);
    for (index, account) in versions.iter().enumerate() {
        assert_eq!(&replayed(&staffed.records[..=index]).unwrap(), account);
        assert_eq!(staffed.records[index].version(), index as u64 + 1);
    }
    assert_eq!(staffed.records[0].account().as_str(), "acme");
}

/// U2: if the host's clock runs backwards, the last record's time is used.
#[test]
fn u2_time_never_runs_backwards() {
    let mut world = World::new();
    world.now = 5_000;
    world.ok(OWNER, create_store("a"));
    world.now = 10;
    world.ok(OWNER, create_store("b"));
    world.now = 5_001;
    world.ok(OWNER, create_store("c"));
    let times: Vec<_> = world
        .records
        .iter()
        .map(|record| record.at().as_millis())
        .collect();
    assert_eq!(times, [1_000, 5_000, 5_000, 5_001]);
    let earlier = forged(&world.records[3], |json| json["at"] = 4_999.into()).unwrap();
    let error = replayed(&[&world.records[..3], &[earlier]].concat()).unwrap_err();
    assert_eq!(error.code(), "time-runs-backwards");
    assert_eq!(
        error.to_string(),
        "record 4 is dated 4999, before the record it follows (5000)"
    );
}

/// U2: the highest version number is the last; after it the account can be read, but not changed.
#[test]
fn u2_versions_run_out_at_the_highest_number() {
    let world = World::staffed();
    let mut json = serde_json::to_value(world.account.snapshot()).unwrap();
    json["version"] = (u64::MAX - 1).into();
    json["at"] = u64::MAX.into();
    let snapshot: Snapshot = serde_json::from_value(json).unwrap();
    let mut world = World {
        account: snapshot.try_into().unwrap(),
        records: vec![],
        now: 0,
    };
    world.ok(OWNER, create_store("last"));
    assert_eq!(world.records[0].version(), u64::MAX);
    assert_eq!(world.records[0].at().as_millis(), u64::MAX);
    world.assert_refused(OWNER, create_store("more"), "versions-exhausted");
    world.no_change(OWNER, add("devs", ["dana"]));
    assert!(world.may("dana", "store.write", Resource::Store("dev")));
    let again = world.records[0].clone();
    assert_eq!(world.account.apply(&again).unwrap_err().code(), "repeat");
}

/// U2: the host's clock is read in milliseconds, and never wraps.
#[test]
fn u2_a_timestamp_never_wraps() {
    use std::time::{Duration, UNIX_EPOCH};
    assert_eq!(
        Timestamp::from(UNIX_EPOCH + Duration::from_millis(7)),
        at(7)
    );
    assert_eq!(Timestamp::from(UNIX_EPOCH - Duration::from_secs(1)), at(0));
    assert_eq!(
        at(7).to_system_time(),
        Some(UNIX_EPOCH + Duration::from_millis(7))
    );
    assert_eq!(at(u64::MAX).plus_millis(1), at(u64::MAX));
    assert_eq!(at(1).plus_millis(2).as_millis(), 3);
}

/// U2, A1, P1, U7: an account of a million members, added, grouped and checked, is the same account replayed and read
/// back.
#[test]
fn u2_a_million_members_are_replayed_and_read_back() {
    let mut world = World::new();
    let mut account = world.account;
    let mut records = std::mem::take(&mut world.records);
    let mut run = |actor: &Actor, command: Command| {
        records.extend(account.execute(actor, &command, at(0)).unwrap());
    };
    run(&by(OWNER), create_store("dev"));
    run(
        &by(OWNER),
        create_group("devs", "Dev Team", [editor(["dev"])]),
    );
    for block in 0..100 {
        let ids: Vec<String> = (0..10_000)
            .map(|number| format!("member-{}", number * 100 + block))
            .collect();
        run(&Actor::System, enrol(ids.iter().map(String::as_str)));
        run(
            &by(OWNER),
            add("devs", ids.iter().step_by(2).map(String::as_str)),
        );
    }
    run(&by(OWNER), take_out("devs", ["member-0"]));
    run(&by(OWNER), remove_member("member-200"));
    assert_eq!(account.member_count(), 1_000_000);
    assert_eq!(account.group("devs").unwrap().member_count(), 499_998);
    for (id, level) in [
        ("member-400", AccessLevel::Editor),
        ("member-500", AccessLevel::None),
        ("member-0", AccessLevel::None),
        ("member-200", AccessLevel::None),
        ("member-999899", AccessLevel::Editor),
        ("member-1000000", AccessLevel::None),
    ] {
        assert_eq!(account.access_level(id, "dev"), level, "{id}");
    }
    let read = Account::try_from(account.snapshot()).unwrap();
    assert!(read.snapshot() == account.snapshot());
    let replayed = Account::replay(&records).unwrap();
    assert!(replayed == account);
}

//! What the records tell: the account as it was, and who could do what when.

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, account, config, resources};
use crate::support::*;

/// U2: the account as it was at a version and at a time.
#[test]
fn u2_the_account_as_it_was() {
    let mut world = World::staffed();
    world.now = 2_000;
    world.ok(OWNER, remove_member("vic"));
    world.now = 3_000;
    world.ok(OWNER, remove_member("nils"));
    let records = &world.records;
    let at_time = |millis| history::at_time(records, None, at(millis));
    assert_eq!(at_time(999).unwrap_err(), ReplayError::NoRecords);
    assert!(at_time(1_999).unwrap().member("vic").is_some());
    assert!(at_time(2_000).unwrap().member("vic").is_none());
    assert_eq!(at_time(u64::MAX).unwrap(), world.account);
    assert_eq!(
        history::at_version(records, None, 0).unwrap_err(),
        ReplayError::NoRecords
    );
    assert_eq!(
        history::at_version(records, None, 1).unwrap(),
        World::new().account
    );
    assert_eq!(
        history::at_version(records, None, u64::MAX).unwrap(),
        world.account
    );
    assert_eq!(
        history::at_version(&records[1..], None, 9)
            .unwrap_err()
            .code(),
        "gap"
    );
}

/// U2: records may come one by one, as they are read, and are not all held.
#[test]
fn u2_records_may_be_streamed() {
    let world = World::staffed();
    let lines: Vec<String> = world
        .records
        .iter()
        .map(|record| serde_json::to_string(record).unwrap())
        .collect();
    let read = || {
        lines
            .iter()
            .map(|line| serde_json::from_str::<Record>(line).unwrap())
    };
    assert_eq!(
        history::at_version(read(), None, u64::MAX).unwrap(),
        world.account
    );
    let intervals = history::access(
        read(),
        None,
        "dana",
        &Permission::STORE_READ,
        Resource::Store("dev"),
    )
    .unwrap();
    assert_eq!(intervals[0].began.as_ref(), world.records.last());
    assert_eq!(
        history::changes_touching(read(), None, "nils")
            .unwrap()
            .len(),
        1
    );
    assert_eq!(history::changes_by(read(), &by(OWNER)).count(), 9);
    assert_eq!(Account::replay(read()).unwrap(), world.account);
}

/// U2, G9: who could do what and when, who began and ended it, and who changed what.
#[test]
fn u2_access_has_a_history() {
    let mut world = World::staffed();
    world.now = 2_000;
    world.ok(MANAGER, take_out("devs", ["dana"]));
    world.now = 3_000;
    world.ok(OWNER, regrant("viewers", [viewer(["dev"])]));
    world.ok(MANAGER, add("viewers", ["dana"]));
    world.now = 4_000;
    world.ok(OWNER, delete_store("dev"));
    let stretches =
        |member: &str, text: &str, resource| -> Vec<(u64, String, Option<(u64, String)>)> {
            let told = |record: &Record| {
                (
                    record.at().as_millis(),
                    format!("{} {}", record.actor(), record.event().kind()),
                )
            };
            let intervals =
                history::access(&world.records, None, member, &permission(text), resource).unwrap();
            let told = intervals
                .iter()
                .map(|interval| (told(interval.began.unwrap()), interval.ended.map(told)));
            told.map(|((at, began), ended)| (at, began, ended))
                .collect()
        };
    let dev = Resource::Store("dev");
    assert_eq!(
        stretches("dana", "store.read", dev),
        [
            (
                1_000,
                "member olga added-to-group".to_owned(),
                Some((2_000, "member gil removed-from-group".to_owned()))
            ),
            (
                3_000,
                "member gil added-to-group".to_owned(),
                Some((4_000, "member olga store-deleted".to_owned()))
            ),
        ]
    );
    assert_eq!(
        stretches("vic", "store.read", dev),
        [(
            3_000,
            "member olga group-edited".to_owned(),
            Some((4_000, "member olga store-deleted".to_owned()))
        )]
    );
    assert_eq!(
        stretches(OWNER, "never.defined", Resource::Account),
        [(1_000, "system account-opened".to_owned(), None)].map(|(at, by, end)| (
            at,
            by.replace("system", "the application"),
            end
        ))
    );
    assert!(stretches("ina", "store.read", dev).is_empty());
    let manager = by(MANAGER);
    let by_manager = history::changes_by(&world.records, &manager);
    assert_eq!(
        by_manager
            .map(|record| record.event().kind())
            .collect::<Vec<_>>(),
        ["removed-from-group", "added-to-group"]
    );
    let touching = history::changes_touching(&world.records, None, "vic").unwrap();
    let kinds: Vec<_> = touching
        .iter()
        .map(|record| record.event().kind())
        .collect();
    assert_eq!(
        kinds,
        [
            "members-added",
            "added-to-group",
            "group-edited",
            "store-deleted"
        ]
    );
    let touching = history::changes_touching(&world.records, None, "ina").unwrap();
    assert_eq!(
        touching
            .iter()
            .map(|record| record.event().kind())
            .collect::<Vec<_>>(),
        ["member-invited", "added-to-group"]
    );
    world.ok("ina", accept());
    world.ok(OWNER, remove_member("ina"));
    let touching = history::changes_touching(&world.records, None, "ina").unwrap();
    assert_eq!(touching.len(), 4);
    assert_eq!(touching[2].event().kind(), "invitation-accepted");
    let mut broken = world.records.clone();
    broken.remove(3);
    let error = history::changes_touching(&broken, None, "ina").unwrap_err();
    assert_eq!(error.code(), "gap");
    let in_dev = Resource::Store("dev");
    let error = history::access(&broken, None, "ina", &Permission::STORE_READ, in_dev).unwrap_err();
    assert_eq!(error.code(), "gap");
    world.ok(OWNER, invite("eve"));
    world.ok(OWNER, cancel("eve"));
    let touching = history::changes_touching(&world.records, None, "eve").unwrap();
    assert_eq!(touching[1].event().kind(), "invitation-cancelled");
    let error = history::changes_touching(&broken[1..], None, "ina").unwrap_err();
    assert_eq!(error.code(), "gap");
    assert_eq!(
        history::changes_touching(&world.records[..0], None, "ina").unwrap_err(),
        ReplayError::NoRecords
    );
}

proptest! {
    #![proptest_config(config(48))]

    /// U2: the histories of access agree with replaying to every version.
    #[test]
    fn u2_histories_agree_with_replaying(world in account(24)) {
        let states: Vec<_> = (1..=world.records.len())
            .map(|version| history::at_version(&world.records, None, version as u64).unwrap())
            .collect();
        for (id, resource) in MEMBERS.iter().flat_map(|id| resources().map(move |resource| (*id, resource))) {
            for text in ["store.read", "log.export", "account.manage_groups"] {
                let permission = permission(text);
                let intervals = history::access(&world.records, None, id, &permission, resource).unwrap();
                for (state, record) in states.iter().zip(&world.records) {
                    let within = intervals.iter().any(|interval| {
                        interval.began.is_none_or(|began| began.version() <= record.version())
                            && interval.ended.is_none_or(|ended| record.version() < ended.version())
                    });
                    prop_assert_eq!(within, state.can(id, &permission, resource));
                }
            }
        }
        for id in MEMBERS {
            let touching = history::changes_touching(&world.records, None, id).unwrap();
            for pair in states.windows(2).zip(&world.records[1..]) {
                let ([before, after], record) = (pair.0, pair.1) else { continue };
                let (held, holds) = (before.effective_permissions(id), after.effective_permissions(id));
                let changed = !(held.is_subset(&holds) && holds.is_subset(&held));
                prop_assert!(!changed || touching.contains(&record));
            }
        }
        // Where older records were given up for a snapshot, the rest says the same of what came after it.
        let middle = states.len() / 2;
        let (rest, base) = (&world.records[middle + 1..], &states[middle]);
        let base = || Some(Account::try_from(base.snapshot()).unwrap());
        for (state, version) in states.iter().zip(1..) {
            let later = history::at_version(rest, base(), version);
            if version > middle as u64 {
                prop_assert_eq!(&later.unwrap(), state);
            } else {
                prop_assert_eq!(later.unwrap_err(), ReplayError::NoRecords);
            }
        }
        prop_assert_eq!(&history::at_time(rest, base(), world.account.changed_at()).unwrap(), &world.account);
        for id in MEMBERS {
            let whole = history::changes_touching(&world.records, None, id).unwrap();
            let late: Vec<_> = whole.into_iter().filter(|record| record.version() > middle as u64 + 1).collect();
            prop_assert_eq!(history::changes_touching(rest, base(), id).unwrap(), late);
            for resource in resources() {
                let whole = history::access(&world.records, None, id, &Permission::STORE_READ, resource).unwrap();
                let whole = whole.into_iter().filter(|interval| interval.ended.is_none_or(|ended| ended.version() > middle as u64 + 1));
                let whole = whole.map(|interval| history::Interval {
                    began: interval.began.filter(|began| began.version() > middle as u64 + 1),
                    ended: interval.ended,
                });
                let late = history::access(rest, base(), id, &Permission::STORE_READ, resource).unwrap();
                prop_assert_eq!(late, whole.collect::<Vec<_>>());
            }
        }
    }
}

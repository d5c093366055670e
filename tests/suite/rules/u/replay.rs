//! U5: a record that is not the next one, does not fit, or cannot be its actor's is not applied.

use grantbook::*;

use super::{forged, replayed};
use crate::hostile::no_digest;
use crate::support::*;

/// An actor who can have caused such an event.
fn possible_actor(event: &serde_json::Value) -> serde_json::Value {
    match event["kind"].as_str().unwrap() {
        "invitation-accepted" => serde_json::json!({ "member": event["member"] }),
        _ => "system".into(),
    }
}

/// U5, A4: a record that is not the next one of this account is not applied, and nothing changes.
#[test]
fn u5_only_the_next_record_is_applied() {
    let world = World::staffed();
    let records = &world.records;
    assert_eq!(replayed(&[]).unwrap_err(), ReplayError::NoRecords);
    assert_eq!(ReplayError::NoRecords.code(), "no-records");
    assert_eq!(
        replayed(&records[1..]).unwrap_err(),
        ReplayError::Gap {
            expected: 1,
            found: 2
        }
    );
    let mut account = replayed(&records[..4]).unwrap();
    let before = account.clone();
    let forged =
        |record, change: fn(&mut serde_json::Value)| super::forged(record, before.digest(), change);
    let other = forged(&records[4], |json| json["account"] = "other".into());
    let next = |json: &mut serde_json::Value| json["version"] = 5.into();
    for (record, code) in [
        (records[5].clone(), "gap"),
        (records[3].clone(), "repeat"),
        (records[0].clone(), "repeat"),
        (other, "wrong-account"),
        (forged(&records[0], next), "opening"),
        (
            forged(&records[4], |json| json["version"] = 0.into()),
            "repeat",
        ),
        (
            forged(&records[4], |json| json["version"] = u64::MAX.into()),
            "gap",
        ),
    ] {
        assert_eq!(
            account.apply(&record).unwrap_err().code(),
            code,
            "{record:?}"
        );
        assert_eq!(account, before);
    }
    account.apply(&records[4]).unwrap();
    let not_opened = super::forged(&records[1], &no_digest(), |json| json["version"] = 1.into());
    assert_eq!(
        replayed(&[not_opened]).unwrap_err(),
        ReplayError::Opening { version: 1 }
    );
    for (error, message) in [
        (
            ReplayError::NoRecords,
            "there are no records; an account begins with the record that opens it",
        ),
        (
            ReplayError::Gap {
                expected: 5,
                found: 7,
            },
            "record 7 came where record 5 was due; load the records between",
        ),
        (
            ReplayError::Repeat {
                expected: 5,
                found: 4,
            },
            "record 4 came again where record 5 was due",
        ),
        (
            ReplayError::Opening { version: 5 },
            "record 5 is out of place: an account opens once, with record 1",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

/// U5: an event that does not fit the account is not applied, and nothing changes; nothing is skipped.
#[test]
fn u5_an_event_that_does_not_fit_is_not_applied() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 2_000));
    world.now = 2_000;
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Store, &["log.read"]),
    );
    let before = world.account.clone();
    let next = before.version() + 1;
    let last = world.records.last().unwrap();
    for (event, code) in [
        (
            r#"{"kind":"members-removed","members":["olga"]}"#,
            "last-owner",
        ),
        (
            r#"{"kind":"ownership-revoked","member":"olga"}"#,
            "last-owner",
        ),
        (
            r#"{"kind":"member-invited","member":"dana","as_owner":false}"#,
            "already-member",
        ),
        (
            r#"{"kind":"member-invited","member":"eve","as_owner":false,"expires":2000}"#,
            "expiry-passed",
        ),
        (
            r#"{"kind":"invitation-accepted","member":"eva"}"#,
            "invitation-expired",
        ),
        (
            r#"{"kind":"invitation-accepted","member":"dana"}"#,
            "already-member",
        ),
        (
            r#"{"kind":"invitation-accepted","member":"none"}"#,
            "unknown-member",
        ),
        (
            r#"{"kind":"invitation-cancelled","member":"dana"}"#,
            "not-invited",
        ),
        (
            r#"{"kind":"added-to-group","group":"devs","members":["none"]}"#,
            "unknown-member",
        ),
        (
            r#"{"kind":"removed-from-group","group":"none","members":["dana"]}"#,
            "unknown-group",
        ),
        (r#"{"kind":"store-created","store":"dev"}"#, "store-exists"),
        (
            r#"{"kind":"group-deleted","group":"devs"}"#,
            "group-has-members",
        ),
        (
            r#"{"kind":"group-edited","group":"devs","grants":[]}"#,
            "no-grants",
        ),
        (
            r#"{"kind":"group-edited","group":"devs","name":"it group"}"#,
            "group-name-taken",
        ),
        (
            r#"{"kind":"role-deleted","role":"store-editor"}"#,
            "built-in-role",
        ),
        (
            r#"{"kind":"role-changed","role":"own","permissions":["account.manage_owners"]}"#,
            "reserved-permission",
        ),
    ] {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let record = forged(last, before.digest(), |json| {
            json["version"] = next.into();
            json["actor"] = possible_actor(&event);
            json["event"] = whole_event(event.clone());
        });
        let error = world.account.apply(&record).unwrap_err();
        let ReplayError::DoesNotFit { version, reason } = &error else {
            panic!("{event}: {error}")
        };
        assert_eq!((*version, reason.code()), (next, code), "{event}");
        assert_eq!(error.code(), "does-not-fit");
        assert_eq!(world.account, before);
    }
}

/// U5, U1: an event that changes nothing, and so cannot come from a command, is not applied.
#[test]
fn u5_an_event_that_changes_nothing_is_not_applied() {
    let world = World::staffed();
    let mut account = world.account.clone();
    for event in [
        r#"{"kind":"added-to-group","group":"devs","members":["dana","nils"]}"#,
        r#"{"kind":"removed-from-group","group":"devs","members":[]}"#,
        r#"{"kind":"members-added","members":["dana"]}"#,
        r#"{"kind":"ownership-granted","member":"olga"}"#,
        r#"{"kind":"ownership-revoked","member":"dana"}"#,
        r#"{"kind":"group-edited","group":"it","name":"IT Group"}"#,
        r#"{"kind":"group-edited","group":"it"}"#,
        r#"{"kind":"group-created","group":"x","name":"New Group","description":"","grants":[
            {"role":"store-viewer","scope":{"stores":["dev"]}},{"role":"store-viewer","scope":{"stores":["prod"]}}]}"#,
    ] {
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        let record = forged(world.records.last().unwrap(), account.digest(), |json| {
            json["version"] = (account.version() + 1).into();
            json["actor"] = possible_actor(&event);
            json["event"] = whole_event(event.clone());
        });
        assert_eq!(
            account.apply(&record).unwrap_err().code(),
            "redundant",
            "{event}"
        );
        assert_eq!(account, world.account);
    }
}

/// U5, M3, M7: an event that its actor cannot have caused, whatever it was allowed, is not applied.
#[test]
fn u5_an_event_its_actor_cannot_have_caused_is_not_applied() {
    let world = World::staffed();
    let mut account = world.account.clone();
    for (event, actor) in [
        (
            r#"{"kind":"invitation-accepted","member":"ina"}"#,
            r#"{"member":"olga"}"#,
        ),
        (
            r#"{"kind":"invitation-accepted","member":"ina"}"#,
            r#""system""#,
        ),
        (
            r#"{"kind":"members-added","members":["new"]}"#,
            r#"{"member":"olga"}"#,
        ),
    ] {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let record = forged(world.records.last().unwrap(), account.digest(), |record| {
            record["version"] = (account.version() + 1).into();
            record["actor"] = json(actor);
            record["event"] = whole_event(json(event));
        });
        let error = account.apply(&record).unwrap_err();
        assert_eq!(error.code(), "wrong-actor", "{event} {actor}");
        assert!(
            error
                .to_string()
                .starts_with("record 12 cannot have been caused by its actor ("),
            "{error}"
        );
        assert_eq!(account, world.account);
    }
    let opened = forged(&world.records[0], &no_digest(), |record| {
        record["actor"] = serde_json::json!({"member": "olga"});
    });
    assert_eq!(replayed(&[opened]).unwrap_err().code(), "wrong-actor");
}

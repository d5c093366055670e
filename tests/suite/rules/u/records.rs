//! U2: records, their versions and their times.

use grantbook::*;

use serde_json::{Value, json};

use super::{forged, replayed};
use crate::hostile::no_digest;
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
    let before = world.records[2].digest();
    let earlier = forged(&world.records[3], before, |json| json["at"] = 4_999.into());
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
    json["at"] = Timestamp::MAX.as_millis().into();
    let snapshot: Snapshot = serde_json::from_value(json).unwrap();
    let mut world = World {
        account: snapshot.try_into().unwrap(),
        records: vec![],
        now: 0,
    };
    world.ok(OWNER, create_store("last"));
    assert_eq!(world.records[0].version(), u64::MAX);
    assert_eq!(world.records[0].at(), Timestamp::MAX);
    world.assert_refused(OWNER, create_store("more"), "versions-exhausted");
    world.no_change(OWNER, add("devs", ["dana"]));
    assert!(world.may("dana", "store.write", Resource::Store("dev")));
    let again = world.records[0].clone();
    assert_eq!(world.account.apply(&again).unwrap_err().code(), "repeat");
}

/// U2: the records' digests, checked by hand: `postcard` and SHA-256 as other programs calculate them.
#[test]
fn u2_digests_are_what_other_programs_calculate() {
    let limit = GroupLimit::new(30).unwrap();
    let acme = AccountId::parse("acme").unwrap();
    let (mut account, first) = Account::open(acme, member(OWNER), limit, at(1_000));
    let noted = Context::at(at(300)).with_note(Note::parse("x").unwrap());
    let second = account.execute(&by(OWNER), &invite_until("ina", 9_000), noted);
    let second = second.unwrap().unwrap();
    // The form, the account, the version, the time, the place, the actor, the note, and the event.
    let content = b"\x01\x04acme\x01\xe8\x07\x01\x01\x01\x00\x0eaccount-opened\x04olga\x1e\x00";
    assert_eq!(encoded(&first), content);
    let content = b"\x01\x04acme\x02\xe8\x07\x01\x01\x00\x04olga\x01\x01x\x0emember-invited\x03ina\x00\x01\xa8\x46";
    assert_eq!(encoded(&second), content);
    assert_eq!(first.digest().to_string(), FIRST_DIGEST);
    assert_eq!(second.digest().to_string(), SECOND_DIGEST);
    assert_eq!(account.digest(), second.digest());
}

const FIRST_DIGEST: &str = "0adc5962c9c2c2fcb1d2897444d4b2ae1a2e39c211ea85814994b8ec59a1555a";
const SECOND_DIGEST: &str = "3a64746fd2d49bc9f3ce8e03e76f30f84aefc03ece222eea915f5862319f30dd";

/// What a record's digest covers, but for the digest before it.
fn encoded(record: &Record) -> Vec<u8> {
    let mut whole = postcard::to_extend(record, Vec::new()).unwrap();
    let digest = whole.split_off(whole.len() - 65);
    assert_eq!(digest[1..], *record.digest().to_string().as_bytes());
    whole
}

/// U2: a digest is 64 digits, and nothing else is read as one.
#[test]
fn u2_a_digest_is_64_digits_in_lower_case() {
    let digits = "0123456789abcdef".repeat(4);
    let digest = Digest::parse(&digits).unwrap();
    assert_eq!(
        (digest.to_string(), format!("{digest:?}")),
        (digits.clone(), digits.clone())
    );
    assert_eq!(digest.as_bytes()[..4], [0x01, 0x23, 0x45, 0x67]);
    assert_eq!(serde_json::to_value(digest).unwrap(), json!(digits));
    assert_eq!(digits.parse(), Ok(digest));
    for (text, code) in [
        ("", "too-short"),
        (&digits[1..], "too-short"),
        (&format!("{digits}0"), "too-long"),
        (&digits.to_uppercase(), "bad-character"),
        (&digits.replacen('0', " ", 1), "bad-character"),
        (&digits.replacen("01", "0x", 1), "bad-character"),
        (&digits.replacen("01", "é", 1), "bad-character"),
    ] {
        let error = Digest::parse(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        let error_read = serde_json::from_value::<Digest>(json!(text)).unwrap_err();
        assert_eq!(error_read.to_string(), error.to_string());
    }
    let short = Digest::parse("00").unwrap_err();
    assert_eq!(
        short.to_string(),
        "a digest takes 64 digits; this one has 2"
    );
}

/// U2: whatever is changed in a record, its digest is then another; so nothing that was changed is applied, even where
/// the changed record would fit.
#[test]
fn u2_a_changed_record_is_not_applied() {
    let mut world = World::staffed();
    let before = world.account.clone();
    let noted = Context::at(at(5_000)).with_note(Note::parse("ticket 1").unwrap());
    let record = world.account.execute(&by(OWNER), &invite("eve"), noted);
    let record = record.unwrap().unwrap();
    let edits: [fn(&mut Value); 8] = [
        |json| json["at"] = 5_001.into(),
        |json| json["commit"] = json!({"number": 1, "of": 2}),
        |json| json["actor"] = json!({"member": MANAGER}),
        |json| json["actor"] = "system".into(),
        |json| json["note"] = Value::Null,
        |json| json["note"] = "ticket 2".into(),
        |json| json["event"]["member"] = "mallory".into(),
        |json| json["digest"] = no_digest().to_string().into(),
    ];
    for edit in edits {
        let mut json = serde_json::to_value(&record).unwrap();
        edit(&mut json);
        let changed: Record = serde_json::from_value(json).unwrap();
        let mut account = before.clone();
        let version = record.version();
        assert_eq!(
            account.apply(&changed),
            Err(ReplayError::DigestMismatch { version })
        );
        assert_eq!(
            account.delta_of(&changed).unwrap_err().code(),
            "digest-mismatch"
        );
        assert_eq!(account, before);
        let mut records = world.records.clone();
        records.push(changed);
        assert_eq!(replayed(&records).unwrap_err().code(), "digest-mismatch");
        assert_eq!(
            history::verify(&records, None, None).unwrap_err().code(),
            "digest-mismatch"
        );
    }
    assert_eq!(
        ReplayError::DigestMismatch { version: 4 }.to_string(),
        "record 4 was changed, or does not belong after the record before it"
    );
    // Sealed by somebody who knows how, it would be applied: the digest is no signature. The head tells.
    let sealed = forged(&record, before.digest(), edits[6]);
    let mut account = before;
    account.apply(&sealed).unwrap();
    assert_ne!(account.digest(), record.digest());
}

/// U2: a record of another branch is not applied, nor what comes after it: not even where both branches have the same
/// content by then.
#[test]
fn u2_a_record_of_another_branch_is_not_applied() {
    let restored = World::staffed();
    let [mut here, mut there] = [restored.clone(), restored];
    here.ok(OWNER, create_store("a"));
    here.ok(OWNER, create_store("b"));
    there.ok(OWNER, create_store("b"));
    there.ok(OWNER, create_store("a"));
    here.ok(OWNER, create_store("c"));
    assert_ne!(here.account.digest(), there.account.digest());
    let [.., last] = here.records.as_slice() else {
        panic!()
    };
    let error = there.account.apply(last).unwrap_err();
    assert_eq!(error.code(), "digest-mismatch");
    let snapshot = there.account.snapshot();
    assert_eq!(history::verify([last], Some(&snapshot), None), Err(error));
}

/// U2, A5: accounts that were opened under one id by different requests have different digests, although all else is the
/// same; by the same request tried again, the same.
#[test]
fn u2_two_lives_of_an_id_differ() {
    use grantbook::repository::{MemoryRepository, open};
    let opened = |key: &str| {
        let acme = AccountId::parse("acme").unwrap();
        let limit = GroupLimit::default();
        let kept = MemoryRepository::new();
        let account = open(
            &kept,
            commit_id(key),
            acme.clone(),
            member(OWNER),
            limit,
            at(1_000),
        );
        let records = records_after(&kept, &acme, 0);
        (*account.unwrap().digest(), records)
    };
    let (first, records) = opened("key 1");
    assert_eq!(first, opened("key 1").0);
    assert_ne!(first, opened("key 2").0);
    assert_ne!(first, *World::new().account.digest());
    let event = serde_json::to_value(records[0].event()).unwrap();
    assert_eq!(event["key"], "key 1");
}

/// U2: every record of a batch carries its note, and a request's note too; a retry with another note is the same request.
#[test]
fn u2_records_carry_the_note() {
    use grantbook::repository::{MemoryRepository, execute, open};
    let note = |text: &str| Note::parse(text).unwrap();
    let noted = |records: &[Record], text: &str| {
        let notes = records.iter().map(|record| record.note().map(Note::as_str));
        assert!(notes.eq(records.iter().map(|_| Some(text))));
    };
    let mut world = World::new();
    assert_eq!(world.records[0].note(), None);
    let stores = [create_store("a"), create_store("b")];
    let context = Context::at(at(1_000))
        .with_note(note("one"))
        .with_note(note("two"));
    let records = world.account.execute_batch(&by(OWNER), &stores, context);
    noted(&records.unwrap(), "two");

    let kept = MemoryRepository::new();
    let acme = world.account.id().clone();
    let limit = GroupLimit::default();
    let mut copy = open(&kept, commit_id("open"), acme, member(OWNER), limit, at(0)).unwrap();
    let mut request = request(&by(OWNER), &stores, at(0));
    request.note = Some(note("by Möller, ticket 4711"));
    let first = execute(&kept, &mut copy, &request).unwrap().into_records();
    noted(&first, "by Möller, ticket 4711");
    request.note = None;
    assert_eq!(
        execute(&kept, &mut copy, &request).unwrap().records(),
        first
    );
}

/// U2: a note is 1 to 256 bytes on one line and in one direction.
#[test]
fn u2_notes_are_bounded() {
    for text in ["x", "é".repeat(128).as_str(), " `\"<b>\u{200b} ", "日本"] {
        assert_eq!(Note::parse(text).unwrap().as_str(), text);
        assert!(serde_json::from_value::<Note>(json!(text)).is_ok());
    }
    let mut refused = vec![(String::new(), "too-short"), ("x".repeat(257), "too-long")];
    let steering = [
        '\0', '\n', '\r', '\t', '\u{7f}', '\u{85}', '\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}',
        '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
    ];
    refused.extend(steering.map(|character| (format!("a{character}b"), "bad-character")));
    for (text, code) in refused {
        assert_eq!(Note::parse(&text).unwrap_err().code(), code, "{text:?}");
        assert!(serde_json::from_value::<Note>(json!(text)).is_err());
    }
    assert_eq!(
        Note::parse("a\u{202e}").unwrap_err().to_string(),
        "a note takes any characters on one line that do not change the direction of writing; this one has '\\u{202e}' \
         at position 2"
    );
}

/// U2: a record says which one it is of those that were decided together. Commands that change nothing have none.
#[test]
fn u2_records_say_their_place_in_their_commit() {
    let mut world = World::new();
    world.ok(OWNER, create_store("a"));
    let places = |records: &[Record]| -> Vec<_> {
        let places = records.iter().map(Record::commit);
        places.map(|place| (place.number(), place.of())).collect()
    };
    assert_eq!(places(&world.records), [(1, 1), (1, 1)]);
    let batch = [
        enrol(["x"]),
        enrol(["x"]),
        create_store("b"),
        create_store("c"),
    ];
    let records = world
        .account
        .decide_batch(&Actor::System, &batch, at(1_000))
        .unwrap();
    assert_eq!(places(&records), [(1, 3), (2, 3), (3, 3)]);
    assert!(!records[1].commit().is_last() && records[2].commit().is_last());

    let place = |number: usize, of: usize| json!({"number": number, "of": of});
    let put_at = |record: &Record, account: &Account, place: &Value| {
        forged(record, account.digest(), |json| {
            json["commit"] = place.clone();
        })
    };
    let complete = world.account.clone();
    let mut within = complete.clone();
    within.apply(&records[0]).unwrap();
    // Read back in the middle of a commit, an account still knows where it is.
    let within = Account::try_from(within.snapshot()).unwrap();
    for (account, record, plausible) in [
        (complete, &records[0], [place(1, 1), place(1, 3)].to_vec()),
        (within, &records[1], [place(2, 3)].to_vec()),
    ] {
        for found in [
            place(1, 1),
            place(1, 3),
            place(2, 2),
            place(2, 3),
            place(3, 3),
            place(2, 4),
        ] {
            let mut account = account.clone();
            let applied = account.apply(&put_at(record, &account, &found));
            let code = applied.map_err(|error| error.code());
            let expected = if plausible.contains(&found) {
                Ok(())
            } else {
                Err("commit-place")
            };
            assert_eq!(code, expected, "{found}");
        }
    }
    let mut last = world.account.clone();
    let error = last
        .apply(&put_at(&records[0], &last, &place(2, 3)))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "record 3 says that it is record 2 of 3 in its commit, which cannot follow record 1 of 1"
    );
    for no_place in [
        place(0, 1),
        place(2, 1),
        place(0, 0),
        place(1, MAX_BATCH + 1),
        Value::Null,
    ] {
        let mut record = serde_json::to_value(&records[0]).unwrap();
        record["commit"] = no_place.clone();
        assert!(
            serde_json::from_value::<Record>(record).is_err(),
            "{no_place}"
        );
        let mut snapshot = serde_json::to_value(world.account.snapshot()).unwrap();
        snapshot["commit"] = no_place;
        assert!(serde_json::from_value::<Snapshot>(snapshot).is_err());
    }
    assert!(serde_json::from_value::<CommitPlace>(place(MAX_BATCH, MAX_BATCH)).is_ok());
}

/// U2: an auditor verifies the records alone: from the first on, or those after a snapshot.
#[test]
fn u2_a_trail_is_verified_alone() {
    let world = World::staffed();
    let records = world.records.as_slice();
    let head = world.account.digest();
    let verified = |records: &[Record]| history::verify(records, None, Some(head));
    assert_eq!(verified(records), Ok(()));
    assert_eq!(history::verify(records, None, None), Ok(()));
    assert_eq!(verified(&[]), Err(ReplayError::NoRecords));
    for index in 0..records.len() {
        let version = index as u64 + 1;
        let cut = verified(&records[..index]).unwrap_err();
        assert_eq!(
            cut.code(),
            if index == 0 {
                "no-records"
            } else {
                "other-head"
            }
        );
        assert_eq!(verified(&records[index..]).is_ok(), index == 0);
        let then = replayed(&records[..=index]).unwrap().snapshot();
        assert_eq!(then.digest(), records[index].digest());
        assert_eq!(
            history::verify(&records[index + 1..], Some(&then), Some(head)),
            Ok(())
        );
        if index > 0 {
            let mut swapped = records.to_vec();
            swapped.swap(index - 1, index);
            let expected = version - 1;
            assert_eq!(
                verified(&swapped),
                Err(ReplayError::Gap {
                    expected,
                    found: version
                })
            );
            // Renumbered, they are still in another order.
            for (record, version) in swapped.iter_mut().zip(1..) {
                let mut json = serde_json::to_value(&*record).unwrap();
                json["version"] = Value::from(version);
                *record = serde_json::from_value(json).unwrap();
            }
            let error = verified(&swapped).unwrap_err();
            assert_eq!(
                error,
                ReplayError::DigestMismatch {
                    version: version - 1
                }
            );
        }
    }
    let (version, expected, found) = (1, *head, *records[0].digest());
    let other_head = ReplayError::OtherHead {
        version,
        expected,
        found,
    };
    assert_eq!(verified(&records[..1]), Err(other_head.clone()));
    assert_eq!(
        other_head.to_string(),
        format!(
            "the last record is {version} with digest {found}, and digest {expected} was expected"
        )
    );
    let (foreign, _) = Account::open(
        AccountId::parse("other").unwrap(),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    );
    let error = history::verify(records, Some(&foreign.snapshot()), None).unwrap_err();
    assert_eq!(error.code(), "wrong-account");
}

/// U2, M3, U3: a time lies before the year 10000. A later one is refused, after authority and before all else.
#[test]
fn u2_a_time_lies_before_the_year_10000() {
    let last = Timestamp::MAX.as_millis();
    let late = last + 1;
    assert_eq!(
        humantime::format_rfc3339_millis(at(last).to_system_time().unwrap()).to_string(),
        "9999-12-31T23:59:59.999Z"
    );
    let mut world = World::staffed();
    world.now = late;
    world.assert_refused("vic", create_store("new"), "not-authorized");
    world.assert_refused(OWNER, regrant("none", []), "time-out-of-range");
    world.assert_refused(OWNER, enrol(["x"]), "system-only");
    let error = world.refused(Actor::System, enrol(["nils"]));
    assert_eq!(
        (error.code(), error.kind()),
        ("time-out-of-range", ErrorKind::Invalid)
    );
    assert_eq!(
        error.to_string(),
        "the time 253402300800000 is not before the year 10000; a time is a number of milliseconds since 1970"
    );
    world.now = 1_000;
    for end in [late, u64::MAX] {
        world.assert_refused(OWNER, invite_until("eva", end), "time-out-of-range");
    }
    world.ok(OWNER, invite_until("eva", last));
    let before = world.account.clone();
    world.now = last;
    world.ok(OWNER, create_store("new"));

    let record = world.records.last().unwrap();
    let late_record = forged(record, before.digest(), |json| json["at"] = late.into());
    let error = before.clone().apply(&late_record).unwrap_err();
    assert!(
        matches!(error, ReplayError::DoesNotFit { reason, .. } if reason.code() == "time-out-of-range")
    );
    let edits: [fn(&mut Value); 2] = [
        |json| json["at"] = 253_402_300_800_000_u64.into(),
        |json| json["members"][1]["status"]["invited"]["expires"] = u64::MAX.into(),
    ];
    for edit in edits {
        let mut snapshot = serde_json::to_value(before.snapshot()).unwrap();
        edit(&mut snapshot);
        let snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
        assert_eq!(
            Account::try_from(snapshot).unwrap_err().code(),
            "time-out-of-range"
        );
    }
    let acme = AccountId::parse("acme").unwrap();
    let (opened, record) = Account::open(acme, member(OWNER), GroupLimit::default(), at(u64::MAX));
    assert_eq!(
        (opened.changed_at(), record.at()),
        (Timestamp::MAX, Timestamp::MAX)
    );
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

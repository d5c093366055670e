//! Too deep, too long, too many, and the largest number there is.

use grantbook::*;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::rewritten;
use crate::hostile::no_digest;
use crate::support::*;

/// The error message for a text that cannot be read. It is short, however long the text.
#[track_caller]
fn not_read<T: DeserializeOwned>(text: &str) -> String {
    let Err(error) = serde_json::from_str::<T>(text) else {
        panic!("it was read: {}", &text[..text.len().min(200)])
    };
    error.to_string()
}

/// A request or a stored text of some kilobytes is nested so deep that whatever reads it by recursion runs out of
/// stack, and the process dies. U5 stops it: an error, for every stored format and at every depth of it. Known from
/// CVE-2019-25001 (RUSTSEC-2019-0025) in another format for the same serde (CWE-674).
#[test]
fn u5_very_deep_json_is_refused() {
    const DEPTH: usize = 100_000;
    let nests = [
        ("[", "]"),
        (r#"{"a":"#, "}"),
        (r#"{"command":"#, "}"),
        (r#"[{"kind":"#, "}]"),
        (r#"{"only":["#, "]}"),
        (r#"{"command":"create-group","grants":["#, "]}"),
    ];
    for (open, close) in nests {
        let open = open.repeat(DEPTH);
        let balanced = format!("{open}1{}", close.repeat(DEPTH));
        for deep in [&open, &balanced] {
            no_stored_form_reads(deep);
            for field in ["store", "color"] {
                let command =
                    format!(r#"{{"{field}":{deep},"command":"create-store","store":"a"}}"#);
                not_read::<Command>(&command);
            }
            let grants = format!(
                r#"{{"command":"create-group","group":"g","name":"Group","grants":{deep}}}"#
            );
            not_read::<Command>(&grants);
            let event = format!(
                r#"{{"record":1,"account":"acme","version":2,"at":0,"actor":"system","event":{deep}}}"#
            );
            not_read::<Record>(&event);
            let snapshot =
                format!(r#"{{"snapshot":1,"account":"acme","version":1,"members":{deep}}}"#);
            not_read::<Snapshot>(&snapshot);
            let token = format!(r#"{{"account":{{"only":[]}},"stores":{{"dev":{deep}}}}}"#);
            not_read::<EffectivePermissions>(&token);
        }
    }
}

fn no_stored_form_reads(text: &str) {
    not_read::<Command>(text);
    not_read::<Record>(text);
    not_read::<Event>(text);
    not_read::<Snapshot>(text);
    not_read::<EffectivePermissions>(text);
    not_read::<Grant>(text);
    not_read::<Actor>(text);
    not_read::<MemberStatus>(text);
    not_read::<MemberId>(text);
    not_read::<Permission>(text);
}

/// A text of ten megabytes is given where an id, a name or a permission is expected, so that it is stored, compared,
/// logged. U7, G2 and L4 stop it, and the error does not repeat the text. Known as allocation without limits (CWE-770)
/// and as log flooding.
#[test]
fn u7_very_long_text_is_refused() {
    let long = "a".repeat(10_000_000);
    for (error, code) in [
        (MemberId::parse(&long).unwrap_err(), "too-long"),
        (StoreId::parse(&long).unwrap_err(), "too-long"),
        (GroupName::parse(&long).unwrap_err(), "too-long"),
        (Description::parse(&long).unwrap_err(), "too-long"),
        (Permission::parse(&long).unwrap_err(), "too-long"),
        (
            Permission::parse(&format!("a.{long}")).unwrap_err(),
            "too-long",
        ),
        (
            MemberId::parse(&format!("{long}\0")).unwrap_err(),
            "too-long",
        ),
        (
            MemberId::parse(&" ".repeat(10_000_000)).unwrap_err(),
            "too-long",
        ),
    ] {
        assert_eq!(error.code(), code);
        assert!(error.to_string().len() < 300, "it does not repeat the text");
    }
    for command in [
        json!({"command": "grant-ownership", "member": long}),
        json!({"command": "add-members", "members": ["a", long]}),
        json!({"command": "edit-group", "group": "devs", "name": long}),
        json!({"command": "change-role", "role": "r", "permissions": [long]}),
    ] {
        assert!(not_read::<Command>(&command.to_string()).len() < 300);
    }
    let world = World::staffed();
    for field in ["account", "actor", "event"] {
        let record = rewritten(&world.records[1], |json| {
            json[field] = match field {
                "account" => long.as_str().into(),
                "actor" => json!({"member": long}),
                _ => json!({"kind": "members-removed", "members": [long]}),
            };
        });
        assert!(record.unwrap_err().len() < 300);
    }
    // Unknown text is denied, whatever its length.
    assert_eq!(
        world.denial(&long, "store.read", Resource::Account),
        DenialReason::UnknownMember
    );
    assert_eq!(
        world.denial(OWNER, "store.read", Resource::Store(&long)),
        DenialReason::UnknownStore
    );
    assert!(MemberId::parse(&long[..128]).is_ok() && MemberId::parse(&long[..129]).is_err());
    assert!(MemberId::parse(&"é".repeat(64)).is_ok() && MemberId::parse(&"é".repeat(65)).is_err());
}

/// A list is one longer than its limit, or twenty times as long: in a command from JSON, in a record, in a snapshot,
/// over several grants, or as a batch. U7 and A3 stop it, and at the limit it is accepted. Known as allocation without
/// limits (CWE-770) and as off-by-one errors (CWE-193).
#[test]
fn u7_lists_over_their_limits_are_refused() {
    let mut world = World::with_limit(4_096);
    let ids = |count: usize| -> Vec<String> {
        (0..count).map(|number| format!("n{number:06}")).collect()
    };
    let read = |command: Value| serde_json::from_str::<Command>(&command.to_string()).unwrap();
    for (count, is_within) in [
        (MAX_ITEMS_PER_COMMAND, true),
        (MAX_ITEMS_PER_COMMAND + 1, false),
        (20 * MAX_ITEMS_PER_COMMAND, false),
    ] {
        let enrol = read(json!({"command": "add-members", "members": ids(count)}));
        let enrolled = world
            .decide(&Actor::System, &enrol)
            .map_err(|refusal| refusal.code());
        assert_eq!(enrolled.is_ok(), is_within);
        if !is_within {
            assert_eq!(enrolled, Err("too-many-named"));
            let event = json!({"kind": "members-added", "members": ids(count)});
            let record = world.forged(json!("system"), event);
            world.assert_not_applied(&record, "too-many-named");
        }
    }
    let half = ids(MAX_ITEMS_PER_COMMAND / 2);
    for chunk in half.chunks(MAX_BATCH) {
        let commands: Vec<_> = chunk.iter().map(|id| create_store(id)).collect();
        world.all_ok(OWNER, &commands);
    }
    let in_half =
        |grant: fn(Vec<StoreId>) -> Grant| grant(half.iter().map(|id| store(id)).collect());
    let grants = [in_half(Grant::store_viewer), in_half(Grant::store_editor)];
    world.ok(OWNER, create_group("wide", "At The Limit", grants.clone()));
    world.ok(OWNER, create_store("one-more"));
    let more = [grants.to_vec(), vec![viewer(["one-more"])]].concat();
    world.assert_refused(OWNER, regrant("wide", more.clone()), "too-many-named");
    let event = json!({"kind": "group-edited", "group": "wide", "grants": more});
    let record = world.forged(json!("system"), event);
    world.assert_not_applied(&record, "too-many-named");
    let many: Vec<_> = (0..=MAX_ITEMS_PER_COMMAND)
        .map(|_| viewer(["one-more"]))
        .collect();
    world.assert_refused(OWNER, regrant("wide", many), "too-many-named");

    let batch: Vec<_> = (0..=MAX_BATCH).map(|_| create_store("again")).collect();
    world.assert_batch_refused(OWNER, &batch, "batch-too-large");
    world.assert_batch_refused("nobody", &batch, "not-authorized");
    world.assert_batch_refused(OWNER, &batch[1..], "store-exists");
    let mut full: Vec<_> = (0..MAX_BATCH)
        .map(|number| create_store(&format!("b{number}")))
        .collect();
    assert_eq!(
        world
            .account
            .decide_batch(&by(OWNER), &full, at(0))
            .unwrap()
            .len(),
        MAX_BATCH
    );
    full[MAX_BATCH - 1] = remove_member(OWNER);
    world.assert_batch_refused(OWNER, &full, "last-owner");
}

/// A version, a time or a number of groups is the largest there is, and the next one wraps round to 0: versions come
/// again, an expiry lies in the past, the last group's slot is another's. U2, M3 and A3 stop it. Known as integer
/// overflow (CWE-190).
#[test]
fn u2_the_largest_version_time_and_group_do_not_wrap() {
    let mut world = World::staffed();
    for (version, code) in [
        (u64::MAX, "gap"),
        (0, "repeat"),
        (world.account.version(), "repeat"),
    ] {
        let record = world.forged(
            json!("system"),
            json!({"kind": "store-created", "store": "new"}),
        );
        let record = rewritten(&record, |json| json["version"] = version.into());
        world.assert_not_applied(&record.unwrap(), code);
    }
    let end = Timestamp::MAX.as_millis();
    world.assert_refused(OWNER, invite_until("eva", u64::MAX), "time-out-of-range");
    world.ok(OWNER, invite_until("eva", end));
    world.now = u64::MAX;
    world.assert_refused("eva", accept(), "time-out-of-range");
    world.now = end;
    world.assert_refused("eva", accept(), "invitation-expired");
    world.assert_refused(OWNER, invite_until("fin", end), "expiry-passed");
    world.now -= 1;
    world.ok("eva", accept());
    assert_eq!(at(u64::MAX).plus_millis(1), at(u64::MAX));

    let last = rewritten(&world.account.snapshot(), |json| {
        json["version"] = u64::MAX.into();
        json["at"] = end.into();
    });
    let mut last = World {
        account: last.unwrap().try_into().unwrap(),
        records: vec![],
        now: 0,
    };
    last.assert_refused(OWNER, create_store("new"), "versions-exhausted");
    last.assert_refused(OWNER, remove_member(OWNER), "last-owner");
    last.assert_batch_refused(
        Actor::System,
        &[enrol(["x"]), enrol(["y"])],
        "versions-exhausted",
    );
    let next = json!({"kind": "store-created", "store": "new"});
    for version in [0, 1, u64::MAX] {
        let record = world.forged(json!("system"), next.clone());
        let record = rewritten(&record, |json| {
            json["version"] = version.into();
            json["at"] = end.into();
        });
        last.assert_not_applied(&record.unwrap(), "repeat");
    }
    for field in ["version", "at", "group_limit", "snapshot"] {
        for number in [
            "18446744073709551616",
            "-1",
            "1.0",
            "1e0",
            "\"1\"",
            "null",
            "[1]",
            "4294967297",
        ] {
            let text = serde_json::to_string(&world.account.snapshot()).unwrap();
            let from = text.find(&format!(r#""{field}":"#)).unwrap() + field.len() + 3;
            let to = from + text[from..].find(',').unwrap();
            let text = format!("{}{number}{}", &text[..from], &text[to..]);
            let is_number = number == "4294967297" && ["version", "at"].contains(&field);
            assert_eq!(
                serde_json::from_str::<Snapshot>(&text).is_ok(),
                is_number,
                "{field} {number}"
            );
        }
    }
}

/// An account has as many groups as it can have, with a member in the first and the last: it answers for each, has no
/// room for one more, and the last slot, once free, is nobody's. A3, G4 and U5 hold. Known as integer truncation and
/// off-by-one errors (CWE-197, CWE-193).
#[test]
fn a3_the_largest_number_of_groups_is_handled() {
    const MOST: usize = GroupLimit::HIGHEST as usize;
    let group = |number: usize| {
        json!({
            "id": format!("{number:04}"), "name": format!("Group {number}"), "description": "",
            "grants": [{"role": "store-viewer", "scope": {"stores": [format!("{number:04}")]}}],
            "definition_revision": 1, "membership_revision": 1,
        })
    };
    let member = |id: &str, groups: &[&str]| {
        let status = json!({"active": {"owner": id == OWNER}});
        json!({"id": id, "status": status, "groups": groups.iter().map(|group| json!({"group": group})).collect::<Vec<_>>()})
    };
    let snapshot = |groups: usize, limit: usize| {
        let json = json!({
            "snapshot": 1, "account": "acme", "version": 1, "at": 0, "commit": {"number": 1, "of": 1},
            "digest": no_digest(), "group_limit": limit, "closed": false, "roles": [],
            "stores": (0..groups).map(|number| format!("{number:04}")).collect::<Vec<_>>(),
            "groups": (0..groups).map(group).collect::<Vec<_>>(),
            "members": [
                member(OWNER, &[]), member("first", &["0000"]), member("last", &["4095"]),
                member("none", &[]), member("two", &["0063", "0064"]),
            ],
        });
        serde_json::from_str::<Snapshot>(&json.to_string()).map_err(|error| error.to_string())
    };
    assert!(
        snapshot(1, 0).is_err()
            && snapshot(1, MOST + 1).is_err()
            && snapshot(1, 65_536 + 20).is_err()
    );
    let too_many = Account::try_from(snapshot(MOST + 1, MOST).unwrap()).unwrap_err();
    assert_eq!(too_many.code(), "too-many-groups");
    let too_many = Account::try_from(snapshot(MOST, MOST - 1).unwrap()).unwrap_err();
    assert_eq!(too_many.code(), "too-many-groups");
    let mut world = World {
        account: snapshot(MOST, MOST).unwrap().try_into().unwrap(),
        records: vec![],
        now: 0,
    };
    for (who, stores) in [
        ("first", vec!["0000"]),
        ("last", vec!["4095"]),
        ("none", vec![]),
        ("two", vec!["0063", "0064"]),
    ] {
        let found: Vec<_> = world
            .account
            .stores_for(who, &Permission::STORE_READ, None)
            .collect();
        assert_eq!(
            found,
            stores
                .into_iter()
                .map(store)
                .collect::<Vec<_>>()
                .iter()
                .collect::<Vec<_>>()
        );
    }
    let more = create_group("more", "One More", [viewer(["0000"])]);
    world.assert_refused(OWNER, more.clone(), "too-many-groups");
    world.assert_refused(Actor::System, more.clone(), "too-many-groups");
    world.ok(OWNER, take_out("4095", ["last"]));
    world.ok(OWNER, delete_group("4095"));
    world.ok(OWNER, more.clone());
    world.assert_refused(
        OWNER,
        create_group("yet", "Yet Another", [viewer(["0000"])]),
        "too-many-groups",
    );
    assert!(world.account.effective_permissions("last").is_empty());
    world.ok(OWNER, add("more", ["none"]));
    assert_eq!(world.level("none", "0000"), AccessLevel::Viewer);
    assert_eq!(world.level("last", "0000"), AccessLevel::None);
}

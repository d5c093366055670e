//! Records and commands that somebody has forged, left out, repeated or reordered.

use grantbook::*;
use serde_json::{Value, json};

use super::rewritten;
use crate::hostile::{no_digest, sealed};
use crate::support::*;

type Edit = fn(&mut Value);

/// Records are forged, left out, repeated, put in another order, or come from a later version of the library or from
/// another account. U5, A4, M3, M7, U1 and U2 stop it: nothing is applied and nothing is skipped. Known as insufficient
/// verification of data (CWE-345), and for unknown fields as mass assignment, from CVE-2019-16097, where Harbor took
/// `has_admin_role` from a request (CWE-915).
#[test]
fn u5_a_forged_record_is_not_applied() {
    let mut world = World::staffed();
    let next = world.forged(
        json!({"member": OWNER}),
        json!({"kind": "store-created", "store": "new"}),
    );
    let copy = world.account.clone();
    assert_eq!(
        world.account.apply(&next),
        Ok(()),
        "the record itself would do"
    );
    world.account = copy;
    let version = world.account.version();
    for (code, field, value) in [
        ("wrong-account", "account", json!("other")),
        ("wrong-account", "account", json!("Acme")),
        ("repeat", "version", json!(0)),
        ("repeat", "version", json!(version)),
        ("gap", "version", json!(version + 2)),
        ("time-runs-backwards", "at", json!(999)),
    ] {
        let record = rewritten(&next, |json| json[field] = value);
        world.assert_not_applied(&record.unwrap(), code);
    }
    let grants = |role: &str, scope: Value| json!([{"role": role, "scope": scope}]);
    for (code, event) in [
        (
            "opening",
            json!({"kind": "account-opened", "owner": "eve", "group_limit": 20}),
        ),
        (
            "wrong-actor",
            json!({"kind": "invitation-accepted", "member": "ina"}),
        ),
        (
            "wrong-actor",
            json!({"kind": "members-added", "members": ["eve"]}),
        ),
        (
            "unknown-member",
            json!({"kind": "ownership-granted", "member": "eve"}),
        ),
        (
            "redundant",
            json!({"kind": "ownership-granted", "member": OWNER}),
        ),
        (
            "redundant",
            json!({"kind": "added-to-group", "group": "devs", "members": []}),
        ),
        (
            "redundant",
            json!({"kind": "group-edited", "group": "devs"}),
        ),
        (
            "last-owner",
            json!({"kind": "members-removed", "members": [OWNER]}),
        ),
        (
            "scope-mismatch",
            json!({"kind": "group-edited", "group": "devs", "grants": grants("store-editor", json!("account"))}),
        ),
        (
            "unknown-role",
            json!({"kind": "group-edited", "group": "devs", "grants": grants("account-owner", json!("account"))}),
        ),
        (
            "empty-scope",
            json!({"kind": "group-edited", "group": "devs", "grants": grants("store-editor", json!({"stores": []}))}),
        ),
    ] {
        let record = world.forged(json!({"member": OWNER}), event);
        world.assert_not_applied(&record, code);
    }
    let unreadable: [Edit; 16] = [
        |json| json["record"] = 2.into(),
        |json| json["record"] = 0.into(),
        |json| json["record"] = Value::Null,
        |json| json["event"]["kind"] = "store-painted".into(),
        |json| json["event"]["kind"] = "StoreCreated".into(),
        |json| json["event"]["owner"] = OWNER.into(),
        |json| json["has_admin_role"] = true.into(),
        |json| json["actor"] = "owner".into(),
        |json| json["actor"] = json!({"member": OWNER, "is_owner": true}),
        |json| json["actor"] = Value::Null,
        |json| json["version"] = (-1).into(),
        |json| json["at"] = "now".into(),
        |json| drop(json.as_object_mut().unwrap().remove("actor")),
        |json| drop(json.as_object_mut().unwrap().remove("version")),
        |json| drop(json.as_object_mut().unwrap().remove("record")),
        |json| drop(json["event"].as_object_mut().unwrap().remove("store")),
    ];
    for edit in unreadable {
        assert!(rewritten(&next, edit).is_err());
    }
    let all = &world.records;
    for left_out in 0..all.len() - 1 {
        let rest = [&all[..left_out], &all[left_out + 1..]].concat();
        assert_eq!(Account::replay(&rest).unwrap_err().code(), "gap");
        let twice = [&all[..=left_out], &all[left_out..]].concat();
        assert_eq!(Account::replay(&twice).unwrap_err().code(), "repeat");
        let mut swapped = all.clone();
        swapped.swap(left_out, left_out + 1);
        assert_eq!(Account::replay(&swapped).unwrap_err().code(), "gap");
    }
    let opened_by = rewritten(&all[0], |json| json["actor"] = json!({"member": "eve"}));
    assert_eq!(
        Account::replay([sealed(&opened_by.unwrap(), &no_digest())])
            .unwrap_err()
            .code(),
        "wrong-actor"
    );
    for smuggled in [
        r#"{"command":"invite-member","member":"eve","as_owner":false,"owner":true}"#,
        r#"{"command":"add-members","members":["eve"],"owner":true}"#,
        r#"{"command":"add-to-group","group":"devs","members":["eve"],"actor":"system"}"#,
        r#"{"command":"define-role","role":"r","name":"Role","level":"store","permissions":["a.b"],"built_in":true}"#,
        r#"{"command":"create-group","group":"g","name":"Group","grants":[],"members":["eve"]}"#,
    ] {
        assert!(
            serde_json::from_str::<Command>(smuggled).is_err(),
            "{smuggled}"
        );
    }
}

/// A note is made to look like more than a note: it turns the direction of writing, begins a new line of the log,
/// rings, ends early, or is so long that it pushes out what follows. U2 and U5 stop it: no record with such a note is
/// read, and a note that was changed later is noticed. Known from CVE-2021-42574 ("Trojan Source") and as improper
/// neutralization of output for logs (CWE-117).
#[test]
fn u2_a_note_cannot_pass_for_more_than_a_note() {
    let mut world = World::staffed();
    let next = world.forged(
        json!({"member": OWNER}),
        json!({"kind": "store-created", "store": "new"}),
    );
    let noted = |note: Value| rewritten(&next, |json| json["note"] = note);
    for note in [
        "ticket 4711 \u{202e}detrever",
        "\u{2067}ticket\u{2069}",
        "\u{200f}ticket",
        "ticket\n7  2026-03-02  (the application)  account-closed",
        "ticket\r(the application)",
        "ticket\u{2028}(the application)",
        "ticket\u{85}(the application)",
        "\u{1b}[2K\u{1b}[1A",
        "ticket\0",
        "\u{7f}",
        "",
    ] {
        assert!(noted(note.into()).is_err(), "{note:?}");
    }
    for note in [json!(4711), json!(["ticket"]), json!({"text": "ticket"})] {
        assert!(noted(note.clone()).is_err(), "{note}");
    }
    // Bytes are counted, and not letters.
    for (letter, longest) in [("x", 256), ("é", 128), ("日", 85), ("😀", 64)] {
        assert!(noted(letter.repeat(longest + 1).into()).is_err());
        let record = noted(letter.repeat(longest).into()).unwrap();
        let error = world.account.apply(&record).unwrap_err();
        assert_eq!(error.code(), "digest-mismatch", "it was changed afterwards");
        let mut copy = world.account.clone();
        let record = sealed(&record, copy.digest());
        assert_eq!(copy.apply(&record), Ok(()));
    }
    world.account.apply(&next).unwrap();
}

/// The host adds people, and the record lies about the invitations that ended by it: it hides one, makes up another,
/// turns a promise of ownership into a plain invitation, leaves out a group. M7, U1 and U5 stop it: the list is exactly
/// what there was. Known as insufficient verification of data (CWE-345) in a trail that is meant to be evidence.
#[test]
fn m7_a_record_cannot_lie_about_what_ended() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    world.ok(MANAGER, add("viewers", ["ina"]));
    let ended = |id: &str, as_owner: bool, groups: &[&str]| json!({"member": id, "as_owner": as_owner, "groups": groups});
    let added = |ended: Vec<Value>| json!({"kind": "members-added", "members": ["ina", "new", "otto"], "ended": ended});
    let ina = || ended("ina", false, &["devs", "viewers"]);
    let otto = || ended("otto", true, &[]);
    for lie in [
        vec![],
        vec![ina()],
        vec![otto()],
        vec![otto(), ina()],
        vec![ina(), ina(), otto()],
        vec![ina(), ended("new", false, &[]), otto()],
        vec![ended("dana", false, &["devs"]), ina(), otto()],
        vec![ina(), ended("otto", false, &[])],
        vec![ended("ina", true, &["devs", "viewers"]), otto()],
        vec![ended("ina", false, &["devs"]), otto()],
        vec![ended("ina", false, &[]), otto()],
        vec![ended("ina", false, &["devs", "it", "viewers"]), otto()],
        vec![ina(), ended("otto", true, &["none"])],
    ] {
        let record = world.forged(json!("system"), added(lie));
        world.assert_not_applied(&record, "redundant");
    }
    for unreadable in [
        vec![ended("ina", false, &["devs", "devs", "viewers"]), otto()],
        vec![ina(), json!({"member": "otto", "groups": []})],
        vec![
            ina(),
            json!({"member": "otto", "as_owner": true, "groups": [], "owner": true}),
        ],
    ] {
        let record = rewritten(world.records.last().unwrap(), |json| {
            json["event"] = added(unreadable);
        });
        assert!(record.is_err());
    }
    let true_record = world.forged(json!("system"), added(vec![ina(), otto()]));
    world.system(enrol(["ina", "new", "otto"]));
    assert_eq!(world.records.last().unwrap().event(), true_record.event());
    for account in world.read_back() {
        assert!(account.owners().eq([&member(OWNER)]));
    }
}

//! JSON that says two things, or the same thing in two ways.

use grantbook::*;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::*;

/// A key appears twice in JSON; what checks it reads one of the two, and what applies it reads the other. U5 stops it:
/// for every stored format, every key at every depth, whether the two values are equal or not, it is not read. Known
/// from CVE-2017-12635, by which anybody became an administrator of `CouchDB` (CWE-436).
#[test]
fn u5_duplicate_keys_in_json_are_refused() {
    let mut count = 0;
    for record in RECORDS.lines() {
        count += no_key_twice::<Record>(record);
    }
    for command in COMMANDS.lines() {
        count += no_key_twice::<Command>(command);
    }
    count += no_key_twice::<Snapshot>(SNAPSHOT);
    let world = World::staffed();
    for member in [OWNER, MANAGER, "dana"] {
        let whole = world.account.effective_permissions(member);
        count += no_key_twice::<EffectivePermissions>(&serde_json::to_string(&whole).unwrap());
    }
    assert!(count > 250, "{count}");
    for text in [
        r#"{"command":"invite-member","member":"eve","as_owner":true,"as_owner":false}"#,
        r#"{"command":"invite-member","command":"revoke-ownership","member":"olga"}"#,
        r#"{"command":"add-members","members":["eve"],"members":[]}"#,
        r#"{"command":"create-store","store":"a","\u0073tore":"b"}"#,
        r#"{"command":"add-members","members":["eve","\u0065ve"]}"#,
    ] {
        assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
    }
}

/// Writes this JSON once for each of its keys, with that key twice, and asserts that none of it can be read. Returns
/// how many there were.
fn no_key_twice<T: DeserializeOwned>(text: &str) -> usize {
    let json: Value = serde_json::from_str(text).unwrap();
    let mut never = usize::MAX;
    let plain = written(&json, &mut never, "");
    assert!(serde_json::from_str::<T>(&plain).is_ok(), "{plain}");
    let mut keys = 0;
    loop {
        for other in ["", "null", "[]", r#""eve""#] {
            let mut left = keys;
            let twice = written(&json, &mut left, other);
            if twice == plain {
                return keys;
            }
            assert!(serde_json::from_str::<T>(&twice).is_err(), "{twice}");
        }
        keys += 1;
    }
}

/// JSON as text in which the key that comes after `left` others appears twice, first with this value, or with its own
/// if that is empty.
fn written(json: &Value, left: &mut usize, other: &str) -> String {
    match json {
        Value::Object(fields) => {
            let mut parts = Vec::new();
            for (key, value) in fields {
                let is_meant = *left == 0;
                *left = left.wrapping_sub(1);
                let field = format!("{key:?}:{}", written(value, left, other));
                match (is_meant, other) {
                    (true, "") => parts.push(field.clone()),
                    (true, other) => parts.push(format!("{key:?}:{other}")),
                    (false, _) => {}
                }
                parts.push(field);
            }
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items
                .iter()
                .map(|item| written(item, left, other))
                .collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

const SNAPSHOT: &str = include_str!("../../golden/snapshot.json");
const COMMANDS: &str = include_str!("../../golden/commands.jsonl");
const RECORDS: &str = include_str!("../../golden/records.jsonl");

/// The same is written another way, as a list of values without their names, which serde reads too; a filter that goes
/// by the keys of requests does not see it. No rule forbids it, so here is what does hold (U5): another spelling never
/// is another meaning, whatever is left over is refused, and the rules look at the command, not at its text. Known as
/// an interpretation conflict (CWE-436).
#[test]
fn u5_another_spelling_has_no_other_meaning() {
    let mut world = World::staffed();
    for (list, object) in [
        (
            r#"["grant-ownership","gil"]"#,
            r#"{"command":"grant-ownership","member":"gil"}"#,
        ),
        (
            r#"["add-to-group","devs",["gil"]]"#,
            r#"{"command":"add-to-group","group":"devs","members":["gil"]}"#,
        ),
        (
            r#"["invite-member","eve",true]"#,
            r#"{"command":"invite-member","member":"eve","as_owner":true}"#,
        ),
    ] {
        let command = serde_json::from_str::<Command>(list).unwrap();
        assert_eq!(serde_json::from_str::<Command>(object).unwrap(), command);
        assert_eq!(world.refused(MANAGER, command).kind(), ErrorKind::Forbidden);
        let longer = format!("{},null,null]", list.strip_suffix(']').unwrap());
        assert!(
            serde_json::from_str::<Command>(&longer).is_err(),
            "{longer}"
        );
    }
    for text in [
        r#"["add-members",["eve","eve"]]"#,
        r#"["create-store"," dev"]"#,
        r#"["create-store",{"store":"dev"}]"#,
        r#"["be-owner"]"#,
        r#"["accept-invitation","otto"]"#,
        r#"["define-role","r","Role","store",["a.b","a.b"]]"#,
    ] {
        assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
    }
    for record in &world.records {
        let mut values = record_values(record);
        let read = serde_json::from_str::<Record>(&values.to_string()).unwrap();
        assert_eq!(read, *record);
        values[0] = 2.into();
        assert!(serde_json::from_str::<Record>(&values.to_string()).is_err());
        values.as_array_mut().unwrap().push(Value::Null);
        assert!(serde_json::from_str::<Record>(&values.to_string()).is_err());
    }
}

fn record_values(record: &Record) -> Value {
    let json = serde_json::to_value(record).unwrap();
    [
        "record", "account", "version", "at", "commit", "actor", "note", "event", "digest",
    ]
    .iter()
    .map(|field| json[field].clone())
    .collect()
}

//! The stored formats, pinned by files in `tests/golden`. A change to a format takes a new format number; the files are
//! not edited.

use grantbook::*;

use crate::support::*;

const RECORDS: &str = include_str!("../golden/records.jsonl");
const COMMANDS: &str = include_str!("../golden/commands.jsonl");
const SNAPSHOT: &str = include_str!("../golden/snapshot.json");

/// An account whose records have one of every event.
fn eventful() -> World {
    let mut world = World::with_limit(30);
    world.system(enrol(["dana", "gil"]));
    world.ok(OWNER, invite_until("ina", 9_000));
    world.ok(OWNER, invite_owner("otto"));
    world.ok("otto", accept());
    world.ok("otto", invite("eve"));
    world.ok(OWNER, cancel("eve"));
    world.now = 2_000;
    world.ok("otto", grant_ownership("dana"));
    world.ok("dana", revoke_ownership("otto"));
    world.ok("dana", remove_member("otto"));
    for id in ["dev", "old", "prod"] {
        world.ok(OWNER, create_store(id));
    }
    world.ok(
        OWNER,
        define_role(
            "auditor",
            "Auditor",
            RoleLevel::Store,
            &["log.read", "store.read"],
        ),
    );
    world.ok(
        OWNER,
        define_role("billing", "Billing", RoleLevel::Account, &["invoice.read"]),
    );
    let rename = Command::ChangeRole {
        role: role("auditor"),
        name: Some(RoleName::parse("Log Auditor").unwrap()),
        permissions: Some(permissions(["log.read"])),
    };
    world.ok(OWNER, rename);
    world.ok(OWNER, delete_role("billing"));
    world.ok(
        OWNER,
        create_group("it", "IT Group", [Grant::group_manager()]),
    );
    world.ok(OWNER, create_group("old", "Old Group", [viewer(["old"])]));
    world.ok(
        OWNER,
        create_group(
            "devs",
            "Dev Team",
            [
                editor(["dev"]),
                Grant::in_stores(role("auditor"), [store("prod")]),
            ],
        ),
    );
    world.ok(OWNER, add("devs", ["gil", "ina"]));
    world.ok(OWNER, add("it", ["gil"]));
    world.ok("gil", take_out("devs", ["gil"]));
    world.ok(
        "gil",
        Command::EditGroup {
            group: group("devs"),
            name: Some(GroupName::parse("Developers").unwrap()),
            description: Some(Description::parse("Those who build").unwrap()),
            grants: Some(vec![
                Grant::in_stores(role("auditor"), [store("prod")]),
                editor(["dev", "old"]),
            ]),
        },
    );
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, create_group("gone", "Gone Group", [viewer(["dev"])]));
    world.ok(OWNER, delete_group("gone"));
    world
}

/// One of every command.
fn commands() -> Vec<Command> {
    vec![
        invite_until("ina", 9_000),
        invite_owner("otto"),
        accept(),
        cancel("eve"),
        enrol(["dana", "gil"]),
        remove_member("otto"),
        grant_ownership("dana"),
        revoke_ownership("otto"),
        create_store("dev"),
        delete_store("old"),
        create_group(
            "devs",
            "Dev Team",
            [editor(["dev"]), Grant::group_manager()],
        ),
        rename_group("devs", "Developers"),
        regrant("devs", [viewer(["dev", "prod"])]),
        delete_group("gone"),
        add("devs", ["gil", "ina"]),
        take_out("devs", ["gil"]),
        define_role(
            "auditor",
            "Auditor",
            RoleLevel::Store,
            &["log.read", "store.read"],
        ),
        redefine_role("auditor", &["log.read"]),
        delete_role("billing"),
    ]
}

fn lines<T: serde::Serialize>(items: &[T]) -> String {
    items
        .iter()
        .map(|item| serde_json::to_string(item).unwrap() + "\n")
        .collect()
}

/// U2: records are written as they have always been written, and what was written can be read.
#[test]
fn u2_records_keep_their_format() {
    let world = eventful();
    assert_eq!(lines(&world.records), RECORDS);
    let read: Vec<Record> = RECORDS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, world.records);
    assert_eq!(Account::replay(&read).unwrap(), world.account);
    for record in &read {
        assert_eq!(
            serde_json::to_value(record.event()).unwrap()["kind"],
            record.event().kind()
        );
    }
}

/// Commands are written as they have always been written, and what was written can be read.
#[test]
fn commands_keep_their_format() {
    assert_eq!(lines(&commands()), COMMANDS);
    let read: Vec<Command> = COMMANDS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(read, commands());
}

/// U2: snapshots are written as they have always been written, and what was written can be read.
#[test]
fn u2_snapshots_keep_their_format() {
    let world = eventful();
    let written = serde_json::to_string_pretty(&world.account.snapshot()).unwrap() + "\n";
    assert_eq!(written, SNAPSHOT);
    let read: Snapshot = serde_json::from_str(SNAPSHOT).unwrap();
    assert_eq!(Account::try_from(read).unwrap(), world.account);
}

/// The golden records hold every kind of event, and the golden commands every command.
#[test]
fn the_golden_files_hold_every_kind() {
    for (source, golden) in [
        (include_str!("../../src/account/event.rs"), RECORDS),
        (include_str!("../../src/account/command.rs"), COMMANDS),
    ] {
        let variants = source
            .lines()
            .filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {"));
        let variants = variants.filter(|name| name.chars().all(char::is_alphanumeric));
        let mut count = 0;
        for variant in variants.chain(
            source
                .contains("AcceptInvitation {}")
                .then_some("AcceptInvitation"),
        ) {
            let upper = |c: char| {
                if c.is_uppercase() {
                    format!("-{}", c.to_lowercase())
                } else {
                    c.to_string()
                }
            };
            let kind: String = variant.chars().map(upper).collect();
            assert!(
                golden.contains(&format!(":\"{}\"", &kind[1..])),
                "{variant}"
            );
            count += 1;
        }
        assert!((17..=18).contains(&count), "{count}");
    }
}

/// U5: an unknown kind, field or format is not read; nor is a field that appears twice, or text that breaks its rule.
#[test]
fn u5_an_unknown_kind_field_or_format_is_not_read() {
    let record = RECORDS
        .lines()
        .find(|line| line.contains("store-created"))
        .unwrap();
    for (from, to, why) in [
        ("store-created", "store-painted", "unknown variant"),
        (
            r#""format":1"#,
            r#""format":2"#,
            "format 2 is not known to this version of grantbook",
        ),
        (r#""format":1,"#, "", "missing field `format`"),
        (
            r#""kind":"#,
            r#""color":"red","kind":"#,
            "unknown field `color`",
        ),
        (
            r#""account":"#,
            r#""color":"red","account":"#,
            "unknown field `color`",
        ),
        (
            r#""store":"dev""#,
            r#""store":"dev","store":"prod""#,
            "duplicate field `store`",
        ),
        (
            r#""kind":"store-created""#,
            r#""kind":"store-created","kind":"store-deleted""#,
            "duplicate field",
        ),
        (
            r#""account":"acme""#,
            r#""account":"acme","account":"other""#,
            "duplicate field `account`",
        ),
        (
            r#""store":"dev""#,
            r#""store":" dev""#,
            "neither begins nor ends with white space",
        ),
        (r#""store":"dev""#, r#""store":7"#, "invalid type"),
        (
            r#""actor":{"member":"olga"}"#,
            r#""actor":"everybody""#,
            "unknown variant",
        ),
        (
            r#""actor":{"member":"olga"}"#,
            r#""actor":"member""#,
            "invalid type",
        ),
        (r#""at":2000"#, r#""at":-1"#, "invalid value"),
        (r#""at":2000"#, r#""at":1e99"#, "invalid type"),
    ] {
        let changed = record.replacen(from, to, 1);
        assert_ne!(changed, record, "{from}");
        let error = serde_json::from_str::<Record>(&changed)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{from} -> {to}: {error}");
    }
    for command in [
        r#"{"command":"accept-invitation","member":"dana"}"#,
        r#"{"command":"be-owner"}"#,
        r#"{"command":"create-store","store":"a","store":"b"}"#,
        r#"{"command":"create-group","group":"g","name":"IT","grants":[]}"#,
        r#"{"command":"regrant","scope":"account"}"#,
        r#"{"command":"add-members","members":["a","b","a"]}"#,
        r#"{"command":"define-role","role":"r","name":"Role","level":"store","permissions":["a.b","a.b"]}"#,
        r#"{"command":"change-role","role":"r","permissions":["a.b","a.b"]}"#,
        r#"{"store":"a"}"#,
        "[]",
        "null",
        &"[".repeat(100_000),
    ] {
        assert!(
            serde_json::from_str::<Command>(command).is_err(),
            "{command}"
        );
    }
    for grant in [
        r#"{"role":"store-viewer"}"#,
        r#"{"role":"store-viewer","scope":"all"}"#,
        r#"{"role":"store-viewer","scope":{"stores":["a","a"]}}"#,
        r#"{"role":"store-viewer","scope":{"stores":"*"}}"#,
        r#"{"role":"store-viewer","scope":{"stores":["a"],"account":null}}"#,
    ] {
        assert!(serde_json::from_str::<Grant>(grant).is_err(), "{grant}");
    }
}

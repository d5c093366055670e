//! The stored formats, pinned by files in `tests/golden`. A change to a format takes a new format number; the files are
//! not edited.

use std::collections::BTreeSet;

use grantbook::command::{ChangeRole, EditGroup};
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
    world.ok("dana", suspend("otto"));
    world.ok("dana", reinstate("otto"));
    world.ok("dana", revoke_ownership("otto"));
    world.ok("dana", invite("ina-2"));
    world.system(enrol(["ina-2", "leaver"]));
    world.ok("dana", remove_members(["otto", "ina-2"]));
    world.ok("leaver", leave());
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
    let rename = Command::ChangeRole(ChangeRole {
        role: role("auditor"),
        name: Some(RoleName::parse("Log Auditor").unwrap()),
        permissions: Some(permissions(["log.read"])),
    });
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
        Command::EditGroup(EditGroup {
            group: group("devs"),
            name: Some(GroupName::parse("Developers").unwrap()),
            description: Some(Description::parse("Those who build").unwrap()),
            grants: Some(vec![
                Grant::in_stores(role("auditor"), [store("prod")]),
                editor(["dev", "old"]),
            ]),
        }),
    );
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, create_group("gone", "Gone Group", [viewer(["dev"])]));
    world.ok(OWNER, delete_group("gone"));
    let noted = Context::at(at(3_000)).with_note(Note::parse("Ticket 4711: für Dana").unwrap());
    let both = [grant_ownership("gil"), revoke_ownership("gil")];
    let both = world.account.execute_batch(&by(OWNER), &both, noted);
    world.records.extend(both.unwrap());
    world.now = 3_000;
    world.ok(OWNER, grant_role("it", viewer(["dev", "prod"])));
    world.ok(OWNER, revoke_in("it", "store-viewer", ["prod"]));
    world.ok(OWNER, grant_role("devs", Grant::group_manager()));
    world.ok(OWNER, revoke_role("devs", "group-manager"));
    world.ok(OWNER, set_members("devs", ["dana", "gil"]));
    world.system(change_limit(40));
    world.ok(OWNER, close());
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
        remove_members(["otto"]),
        leave(),
        suspend("otto"),
        reinstate("otto"),
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
        grant_role("devs", viewer(["dev", "prod"])),
        revoke_in("devs", "store-viewer", ["prod"]),
        revoke_role("devs", "group-manager"),
        set_members("devs", ["dana", "gil"]),
        change_limit(40),
        close(),
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
    for kind in Event::KINDS {
        assert!(RECORDS.contains(&format!(r#""kind":"{kind}""#)), "{kind}");
    }
    let names: BTreeSet<&str> = COMMANDS
        .lines()
        .map(|line| line.split('"').nth(3).unwrap())
        .collect();
    // Every command has an event of its own, and one event, the opening, has no command.
    assert_eq!(names.len(), Event::KINDS.len() - 1, "{names:?}");
}

//! An account of which an application lists rows by a filter of stores: who is in it, and what is asked.

use grantbook::{Command, Permission};
use serde_json::{Value, json};

const PLAIN_STORES: usize = 60;

/// Ids that mean something in SQL, in the text of an array, or in a pattern, and ids that look alike.
pub const HOSTILE_STORES: [&str; 18] = [
    "'; DROP TABLE documents; --",
    "' OR true --",
    "{store-00,store-01}",
    "store-00\",\"store-01",
    "\\",
    "NULL",
    "%",
    "$1",
    "STORE-00",
    "stóre-00",
    "sto\u{301}re-00",
    "\u{202e}00-erots",
    "store-00/../store-01",
    "{}",
    "[\"store-00\",\"store-01\"]",
    "null",
    "?1",
    "0",
];

/// Members of every status, and some who are none.
pub const MEMBERS: [&str; 11] = [
    "olga",
    "eva",
    "vic",
    "mia",
    "exi",
    "nils",
    "sus",
    "oda",
    "ina",
    "nobody",
    "' OR true --",
];

/// Reads a command.
///
/// # Panics
/// It is none.
#[must_use]
pub fn command(json: Value) -> Command {
    serde_json::from_value(json).expect("a command")
}

/// All stores of the account.
#[must_use]
pub fn stores() -> Vec<String> {
    let plain = (0..PLAIN_STORES).map(|number| format!("store-{number:02}"));
    plain.chain(HOSTILE_STORES.map(str::to_owned)).collect()
}

/// Members of every status, and groups that reach half of the stores, all of them, and three.
#[must_use]
pub fn staff() -> Vec<Command> {
    let about = |kind: &str, member: &str| command(json!({ "command": kind, "member": member }));
    let group = |id: &str, role: &str, stores: &[String]| {
        command(
            json!({ "command": "create-group", "group": id, "name": format!("Group {id}"),
            "grants": [{ "role": role, "scope": { "stores": stores } }] }),
        )
    };
    let into = |id: &str, members: &[&str]| {
        command(json!({ "command": "add-to-group", "group": id, "members": members }))
    };
    let stores = stores();
    let every_other: Vec<String> = stores.iter().step_by(2).cloned().collect();
    let mut commands: Vec<Command> = stores
        .iter()
        .map(|store| command(json!({ "command": "create-store", "store": store })))
        .collect();
    commands.extend([
        command(json!({ "command": "add-members",
            "members": ["eva", "vic", "mia", "exi", "nils", "sus", "oda"] })),
        about("invite-member", "ina"),
        command(
            json!({ "command": "define-role", "role": "exporter", "name": "Exporter",
            "level": "store", "permissions": ["report.export", "store.read.titles"] }),
        ),
        group("editors", "store-editor", &every_other),
        group("viewers", "store-viewer", &stores),
        group("exporters", "exporter", &stores[stores.len() - 3..]),
        into("editors", &["eva", "mia", "sus", "ina"]),
        into("viewers", &["vic", "mia", "sus"]),
        into("exporters", &["exi", "mia"]),
        about("suspend-member", "sus"),
        about("grant-ownership", "oda"),
        about("suspend-member", "oda"),
    ]);
    commands
}

/// What is asked: built in, the account's own, and never defined.
///
/// # Panics
/// Never.
#[must_use]
pub fn permissions() -> [Permission; 6] {
    let named = |name| Permission::parse(name).expect("a permission");
    [
        Permission::STORE_READ,
        Permission::STORE_WRITE,
        Permission::MANAGE_GROUPS,
        named("report.export"),
        named("store.read.titles"),
        named("never.defined"),
    ]
}

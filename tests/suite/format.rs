//! The stored formats, pinned by files in `tests/golden`. A change to a format takes a new format number; the files are
//! not edited.
//!
//! | file | |
//! |---|---|
//! | `commands.jsonl` | one of every command |
//! | `requests.jsonl` | who asks an account for what, so that there is one of every event |
//! | `records.jsonl` | what comes of that |
//! | `snapshot.json` | what the account is in the end |
//!
//! `history.txt` is the records as people read them; it may be edited.

use std::collections::BTreeSet;

use grantbook::*;
use serde::Deserialize;

use crate::support::*;

const COMMANDS: &str = include_str!("../golden/commands.jsonl");
const REQUESTS: &str = include_str!("../golden/requests.jsonl");
const RECORDS: &str = include_str!("../golden/records.jsonl");
const SNAPSHOT: &str = include_str!("../golden/snapshot.json");
const HISTORY: &str = include_str!("../golden/history.txt");

/// A line of `requests.jsonl`: who asks for what, when.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    pub(crate) now: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) commands: Vec<Command>,
    note: Option<Note>,
}

/// All requests, in their order. Each is accepted and changes something.
pub(crate) fn requests() -> Vec<Asked> {
    let read = |line| serde_json::from_str(line).unwrap();
    REQUESTS.lines().map(read).collect()
}

/// An account whose records have one of every event.
fn eventful() -> World {
    let mut world = World::with_limit(30);
    for asked in requests() {
        let mut context = Context::at(asked.now);
        if let Some(note) = asked.note {
            context = context.with_note(note);
        }
        let (actor, commands) = (&asked.actor, &asked.commands);
        let done = world.account.execute_batch(actor, commands, context);
        world.records.extend(done.unwrap());
    }
    world
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
    let read: Vec<Command> = COMMANDS
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines(&read), COMMANDS);
    for asked in requests() {
        for command in lines(&asked.commands).lines() {
            assert!(REQUESTS.contains(command), "{command}");
        }
    }
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

/// A record is a line for people, whatever it holds: of many, some are named, and no text ends its quotation.
#[test]
fn records_are_lines_of_a_history() {
    let read = |line| serde_json::from_str::<Record>(line).unwrap().to_string();
    let lines: Vec<String> = RECORDS.lines().map(read).collect();
    assert_eq!(lines, HISTORY.lines().collect::<Vec<_>>());

    let many = (0..10_000).map(|number| MemberId::parse(&format!("m{number:04}")).unwrap());
    let added = Event::AddedToGroup(event::AddedToGroup {
        group: GroupId::parse("a`b\u{202e}").unwrap(),
        members: many.collect(),
    });
    assert_eq!(
        added.to_string(),
        r"added `m0000`, `m0001`, `m0002`, `m0003`, `m0004` and 9995 more to group `a\u{60}b\u{202e}`"
    );
}

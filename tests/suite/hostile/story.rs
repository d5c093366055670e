//! Bytes, read as what people ask of an account.
//!
//! The first byte says how the account begins. Then come lines of eight bytes:
//!
//! | byte | |
//! |---|---|
//! | 0 | who asks; with the top bit set, the command goes into one batch with the line before, and is asked by its actor |
//! | 1 | how the clock moves: -127 to 127 ms; -128 is to the last time that an account takes |
//! | 2 | which command; with the number after the last, byte 7 says which of those that came later, or none: an empty batch |
//! | 3 to 7 | its arguments: an id in the low bits, a bit for each of eight names, and so on |
//!
//! A line that is cut short ends in zeros, and every number stands for something: there are no bytes that are not a
//! story, and to change one byte is to change one thing.

use std::sync::OnceLock;

use grantbook::*;

use crate::commands::{self, Line, moved, parsed};
use crate::support::{add, create_group, create_store, define_role, editor, enrol, viewer};

pub(crate) const LINE: usize = 8;

const ACTORS: [&str; 14] = [
    "olga",
    "olga",
    "olga",
    "olga",
    "gil",
    "gil",
    "gil",
    "a",
    "b",
    "A",
    "devs",
    "ina\u{301}",
    "</td>\"'",
    "stranger",
];

/// An account to begin with: as its records give it or, where there are none, as it was read from a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    pub(crate) account: Account,
    pub(crate) records: Vec<Record>,
}

/// One moment: who asks for what, and when. More than one command, or none, is a batch.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) actor: Actor,
    pub(crate) commands: Vec<Command>,
    pub(crate) now: Timestamp,
}

/// A beginning, and what is asked from then on.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) beginning: Beginning,
    pub(crate) steps: Vec<Step>,
}

impl Story {
    pub(crate) fn read(data: &[u8]) -> Self {
        let (first, rest) = data.split_first().unwrap_or((&0, &[]));
        let beginning = match first {
            3 => &beginnings()[3], // Large, and slow: by this number alone.
            _ => &beginnings()[usize::from(first % 3)],
        };
        let beginning = beginning.clone();
        let mut now = beginning.account.changed_at();
        let mut steps: Vec<Step> = Vec::new();
        // What is too long takes its time; once in a story is enough.
        let mut has_been_long = false;
        for cut in rest.chunks(LINE) {
            let mut line = [0; LINE];
            line[..cut.len()].copy_from_slice(cut);
            if has_been_long {
                line[7] &= 127;
            }
            if has_been_long || line[7] == 255 {
                line[4] &= 127;
            }
            has_been_long |= line[4] == 255 || line[7] == 255;
            match steps.last_mut() {
                Some(step) if line[0] >= 128 => {
                    step.commands.extend(command(&line[2..], step.now));
                }
                _ => {
                    now = moved(now, line[1]);
                    let mut commands: Vec<_> = command(&line[2..], now).into_iter().collect();
                    if line[7] == 255 {
                        // One more than a batch may hold (U7).
                        let again = commands.iter().cycle().take(MAX_BATCH + 1);
                        commands = again.cloned().collect();
                    }
                    steps.push(Step {
                        actor: actor(line[0]),
                        commands,
                        now,
                    });
                }
            }
        }
        Self { beginning, steps }
    }
}

pub(crate) fn actor(byte: u8) -> Actor {
    let who = usize::from(byte & 15);
    ACTORS
        .get(who)
        .map_or(Actor::System, |id| Actor::Member(parsed(id)))
}

/// The command of a line from its third byte on.
pub(crate) fn command(line: &[u8], now: Timestamp) -> Option<Command> {
    let (number, line) = Line::read(line, now)?;
    commands::read(number, &line).next()
}

/// Just opened; staffed, with room for one more group; staffed, and three versions from the last; beyond 64 groups.
fn beginnings() -> &'static [Beginning; 4] {
    static BEGINNINGS: OnceLock<[Beginning; 4]> = OnceLock::new();
    BEGINNINGS.get_or_init(|| {
        let staffed = || staffed(opened(3));
        [opened(20), staffed(), late(&staffed()), wide()]
    })
}

fn opened(groups: u16) -> Beginning {
    let limit = GroupLimit::new(groups).expect("1 to 4,096");
    let now = Timestamp::from_millis(1_000);
    let (account, record) = Account::open(parsed("acme"), parsed("olga"), limit, now);
    Beginning {
        account,
        records: vec![record],
    }
}

fn then(beginning: &mut Beginning, commands: &[Command]) {
    let now = beginning.account.changed_at();
    let done = beginning
        .account
        .execute_batch(&Actor::System, commands, now);
    beginning.records.extend(done.expect("a beginning"));
}

fn staffed(mut beginning: Beginning) -> Beginning {
    let commands = [
        enrol(["gil", "a", "b", "devs"]),
        create_store("dev"),
        create_store("prod"),
        define_role("own", "Auditor", RoleLevel::Store, &["log.read"]),
        define_role("more", "Billing", RoleLevel::Account, &["log.export"]),
        create_group("it", "IT Group", [Grant::group_manager(), viewer(["prod"])]),
        create_group("devs", "Dev Team", [editor(["dev"])]),
        add("it", ["gil", "a"]),
        add("devs", ["a", "b"]),
    ];
    then(&mut beginning, &commands);
    beginning
}

/// The same account, three versions from the highest: no records lead to it in a lifetime, but a snapshot does.
fn late(beginning: &Beginning) -> Beginning {
    let mut plain = serde_json::to_value(beginning.account.snapshot()).expect("plain data");
    plain["version"] = (u64::MAX - 3).into();
    let snapshot: Snapshot = serde_json::from_value(plain).expect("a snapshot");
    let account = Account::try_from(snapshot).expect("an account");
    Beginning {
        account,
        records: Vec::new(),
    }
}

/// Groups before and after all others, so that the members' groups do not fit one word.
fn wide() -> Beginning {
    let mut beginning = opened(70);
    let fillers = (0..66).map(|number| {
        let (id, name) = (
            format!("{}filler{number}", ["+", "x"][number % 2]),
            format!("Filler {number}"),
        );
        create_group(&id, &name, [Grant::group_manager()])
    });
    then(&mut beginning, &fillers.collect::<Vec<_>>());
    staffed(beginning)
}

//! The crate and the model side by side: random commands by random actors, and after every step the same decision, the
//! same account and the same answers. A failure prints the shortest history that it was shrunk to.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

use crate::model::Checked;
use crate::strategies::config;

mod fitting;
mod pair;
mod turns;

use pair::Pair;
use turns::{Turn, turn};

/// How many steps `cargo test` takes; the environment variable `GRANTBOOK_STEPS` asks for more or fewer.
const STEPS: u64 = 100_000;
/// A history has as many steps at most, and half of that on average.
const LONGEST_HISTORY: usize = 300;

/// How many groups an account begins with, and how many it may have, on both sides of the default limit and of 64
/// groups, where the set of a member's groups outgrows one word.
const BEGINNINGS: [(usize, u16); 8] = [
    (2, 3),
    (19, 20),
    (20, 20),
    (20, 21),
    (21, 22),
    (63, 65),
    (64, 65),
    (65, 67),
];

/// Every code of a refusal but `versions-exhausted`, which takes 2^64 records, and `too-many-changed`, which takes more
/// than 10,000 members.
const CODES: [&str; 41] = [
    "account-closed",
    "already-invited",
    "already-member",
    "batch-too-large",
    "built-in-role",
    "empty-scope",
    "expiry-passed",
    "group-exists",
    "group-has-members",
    "group-limit-too-low",
    "group-name-taken",
    "invitation-expired",
    "last-grant",
    "last-owner",
    "member-suspended",
    "no-grants",
    "no-invitation",
    "no-membership",
    "no-permissions",
    "not-active",
    "not-authorized",
    "not-invited",
    "owner-invitation",
    "ownership-name",
    "reserved-permission",
    "role-exists",
    "role-in-use",
    "role-name-taken",
    "scope-mismatch",
    "self-addition",
    "self-escalation",
    "store-exists",
    "store-permission",
    "system-only",
    "time-out-of-range",
    "too-many-groups",
    "too-many-named",
    "unknown-group",
    "unknown-member",
    "unknown-role",
    "unknown-store",
];

/// A1 to A3, M1 to M7, S1 to S3, G1 to G10, L1 to L6, P1 to P5, E1 to E6, U1 to U4, U6, U7: whatever is done, the
/// crate does and answers what the rules say when they are worked out by hand.
///
/// `GRANTBOOK_STEPS=10000000 cargo test --release --test suite differential -- --nocapture` is the long run.
#[test]
fn the_crate_does_what_the_rules_say() {
    let asked = std::env::var("GRANTBOOK_STEPS").ok();
    let steps = asked.map_or(STEPS, |steps| {
        steps.parse().expect("GRANTBOOK_STEPS is a number")
    });
    // The long run takes all cores; in the normal one the other tests have them.
    let threads = match steps {
        ..=STEPS => 1,
        _ => thread::available_parallelism().map_or(1, NonZero::get),
    };
    let share = steps.div_ceil(threads as u64);
    let seen = thread::scope(|scope| {
        let played: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| played(share)))
            .collect();
        let played = played.into_iter().map(thread::ScopedJoinHandle::join);
        played
            .map(|seen| seen.unwrap_or_else(|panic| resume_unwind(panic)))
            .fold(Seen::default(), Seen::and)
    });
    println!(
        "steps {}, accepted {}, no change {}, refused {} ({} of them for one of several reasons), \
         refusal codes {}, event kinds {}, differences 0",
        seen.steps,
        seen.changed,
        seen.unchanged,
        seen.refused,
        seen.tied,
        seen.codes.len(),
        seen.kinds.len(),
    );
    println!(
        "accepted {:?}\nrefused {:?}",
        seen.kinds, seen.refused_commands
    );
    // In a long run each command is put to the test often enough both ways.
    if steps >= 10 * STEPS {
        let counts = seen.kinds.values().chain(seen.refused_commands.values());
        assert!(counts.min().is_some_and(|least| *least >= 1_000));
    }
    // A short run on purpose need not meet everything.
    if steps >= STEPS {
        let met: Vec<_> = seen.codes.keys().copied().collect();
        assert_eq!(met, CODES, "how often: {:?}", seen.codes);
        assert_eq!(
            seen.kinds.len(),
            grantbook::Event::KINDS.len() - 1,
            "{:?}",
            seen.kinds
        );
    }
}

/// Plays histories until there were so many steps.
fn played(steps: u64) -> Seen {
    let beginnings = BEGINNINGS.map(|(groups, limit)| Pair::begin(groups, limit));
    // The small account has the most to say about rules, the others about bounds.
    let which = prop_oneof![8 => Just(0), 4 => 1..5_usize, 3 => 5..BEGINNINGS.len()];
    let histories = (which, prop::collection::vec(turn(), 1..=LONGEST_HISTORY));
    let seen = RefCell::new(Seen::default());
    let play = |(which, turns): (usize, Vec<Turn>)| {
        let held = failure(beginnings[which].clone(), &turns, &seen);
        held.map_err(|flaw| TestCaseError::fail(flaw.to_string()))
    };
    let mut runner = TestRunner::new(ProptestConfig {
        max_shrink_iters: 4_000,
        ..config(1)
    });
    while seen.borrow().steps < steps {
        let history = histories.new_tree(&mut runner).expect("a history");
        match runner.run_one(history, play) {
            Ok(_) => {}
            Err(TestError::Abort(reason)) => panic!("{reason}"),
            Err(TestError::Fail(reason, (which, turns))) => {
                let (groups, limit) = BEGINNINGS[which];
                let needed = needed(&beginnings[which], turns);
                let told = told(beginnings[which].clone(), &needed);
                panic!("{reason}\nafter {groups} groups of at most {limit}, and then:\n{told}");
            }
        }
    }
    seen.into_inner()
}

/// Why this history fails, if it does.
fn failure(mut pair: Pair, turns: &[Turn], seen: &RefCell<Seen>) -> Checked {
    let mut turns = turns.iter();
    turns.try_for_each(|turn| pair.take(turn, seen))?;
    pair.end()
}

/// Of a history that fails what is needed for that: when it was shrunk, there may be steps left that only made others
/// fail.
fn needed(pair: &Pair, mut turns: Vec<Turn>) -> Vec<Turn> {
    let fails = |turns: &[Turn]| {
        let play = || failure(pair.clone(), turns, &RefCell::default()).is_err();
        catch_unwind(AssertUnwindSafe(play)).unwrap_or(true)
    };
    loop {
        let before = turns.len();
        for index in (0..before).rev() {
            let mut fewer = turns.clone();
            fewer.remove(index);
            if fails(&fewer) {
                turns = fewer;
            }
        }
        if turns.len() == before {
            return turns;
        }
    }
}

/// Who asked for what, and when.
fn told(mut pair: Pair, turns: &[Turn]) -> String {
    let mut told = String::new();
    for (index, turn) in turns.iter().enumerate() {
        let (actor, commands) = pair.meant(turn);
        let now = pair.now.saturating_add_signed(turn.step.clock);
        // A long batch repeats itself, and so does a command that names very many.
        let (shown, many) = (&commands[..commands.len().min(5)], commands.len());
        let shown: String = format!("{shown:?}").chars().take(1_000).collect();
        writeln!(told, "  at {now}, {actor}, {many}: {shown}").unwrap();
        if index + 1 < turns.len() {
            pair.take(turn, &RefCell::default()).unwrap();
        }
    }
    told
}

/// What a run has seen.
#[derive(Default)]
struct Seen {
    steps: u64,
    changed: u64,
    unchanged: u64,
    refused: u64,
    /// Refusals for which several reasons stood at the same step of U3, so that either would have been right.
    tied: u64,
    codes: BTreeMap<&'static str, u64>,
    kinds: BTreeMap<&'static str, u64>,
    refused_commands: BTreeMap<&'static str, u64>,
}

impl Seen {
    fn and(mut self, other: Self) -> Self {
        self.steps += other.steps;
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.refused += other.refused;
        self.tied += other.tied;
        for (code, count) in other.codes {
            *self.codes.entry(code).or_default() += count;
        }
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        for (command, count) in other.refused_commands {
            *self.refused_commands.entry(command).or_default() += count;
        }
        self
    }
}

//! Random histories: what must hold after every step, whoever asked for what.
//!
//! 1,000 histories of 64 steps; the environment variable `PROPTEST_CASES` sets another number of histories.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use grantbook::*;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::model::laws::{self, Change, Deed};
use crate::model::{Asked, Checked, FORBIDDEN, Flaw, agree, law, read, same};
use crate::strategies::{MEMBERS, PERMISSIONS, STORES, Step, beginning, config, history};
use crate::support::*;

static ASKED: LazyLock<Asked> = LazyLock::new(|| Asked {
    members: MEMBERS
        .into_iter()
        .chain(["stranger"])
        .map(str::to_owned)
        .collect(),
    stores: STORES
        .into_iter()
        .chain(["none"])
        .map(str::to_owned)
        .collect(),
    permissions: PERMISSIONS.map(permission).into(),
});

/// How often each event and each refusal came about.
#[derive(Debug, Default)]
struct Seen {
    events: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<&'static str, usize>,
}

/// A2, A3, G3, G4, G5, G7, L3, L5, M3, M5, S2, S3, E1, E4, U1, U2, U3, and an index that is what a rebuilt one is:
/// after every step of random histories.
#[test]
fn every_history_keeps_the_rules() {
    let seen = RefCell::new(Seen::default());
    let mut runner = TestRunner::new(config(1_000));
    let result = runner.run(&history(64), |steps| {
        let held = run(steps, &mut seen.borrow_mut());
        held.map_err(|flaw| TestCaseError::fail(flaw.to_string()))
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let seen = seen.into_inner();
    // A property that is never put to the test holds of anything: every event but the closing and most
    // refusals must have come about.
    println!("{seen:#?}");
    assert_eq!(seen.events.len(), Event::KINDS.len() - 2, "{seen:#?}");
    assert!(seen.refusals.len() >= 25, "{seen:#?}");
}

fn run(steps: Vec<Step>, seen: &mut Seen) -> Checked {
    let mut world = beginning();
    let mut states: Vec<_> = (1..=world.records.len())
        .map(|version| Account::replay(&world.records[..version]).unwrap())
        .collect();
    for step in steps {
        world.now = world.now.saturating_add_signed(step.clock);
        take(&mut world, &step, &mut states, seen)?;
    }
    check_history(&world, &states)
}

fn take(world: &mut World, step: &Step, states: &mut Vec<Account>, seen: &mut Seen) -> Checked {
    let Step {
        actor, commands, ..
    } = step;
    let before = world.account.clone();
    let now = at(world.now);
    let outcome = match commands.as_slice() {
        [command] => world
            .account
            .execute(actor, command, now)
            .map(Vec::from_iter),
        _ => world.account.execute_batch(actor, commands, now),
    };
    if let [command] = commands.as_slice() {
        let state = read(&before)?;
        let lacks = state.entitlement(actor).lacks(command);
        let refused_with = outcome.as_ref().err().map(CommandError::code);
        laws::u3_who_may_not_ask_is_told_that(lacks, refused_with)?;
    }
    match outcome {
        Err(refusal) => {
            law("U3", world.account == before, || {
                format!("{refusal} changed something")
            })?;
            let is_forbidden = refusal.kind() == ErrorKind::Forbidden;
            law(
                "U3",
                is_forbidden || !FORBIDDEN.contains(&refusal.code()),
                || format!("{refusal} is {}", refusal.kind()),
            )?;
            *seen.refusals.entry(refusal.code()).or_default() += 1;
        }
        Ok(records) => {
            law("U1", records.len() <= commands.len(), || {
                "more events than commands".to_owned()
            })?;
            let is_same = world.account == before;
            same("U1", "no record, no change", records.is_empty(), is_same)?;
            let mut account = before;
            for record in &records {
                let state = read(&account)?;
                account
                    .apply(record)
                    .map_err(|error| Flaw::new("U2", error))?;
                laws::of_change(&Change {
                    before: &state,
                    after: &read(&account)?,
                    actor,
                    deed: Deed::of_event(record.event()),
                })?;
                *seen.events.entry(record.event().kind()).or_default() += 1;
                states.push(account.clone());
            }
            law("U2", account == world.account, || {
                "applied, it is another".to_owned()
            })?;
            world.records.extend(records);
            check(&world.account)?;
        }
    }
    Ok(())
}

/// What is true of every account at every moment, and that it answers what its plain data say.
fn check(account: &Account) -> Checked {
    let state = read(account)?;
    laws::of_state(&state)?;
    law("G9", account.index_is_exact(), || {
        "the index is not exact".to_owned()
    })?;
    agree(account, &state, &ASKED)
}

/// U2: the records give the account, at every version; so does the snapshot, and both go through serde.
fn check_history(world: &World, states: &[Account]) -> Checked {
    let json = serde_json::to_string(&world.records).unwrap();
    let records: Vec<Record> = serde_json::from_str(&json).unwrap();
    same("U2", "how many records", records.len(), states.len())?;
    let mut replayed = Account::replay(&records[..1]).unwrap();
    for (index, state) in states.iter().enumerate() {
        if index > 0 {
            let applied = replayed.apply(&records[index]);
            applied.map_err(|error| Flaw::new("U2", error))?;
        }
        same("U2", "version", records[index].version(), index as u64 + 1)?;
        law("U2", replayed == *state, || {
            format!("version {} is another account", index + 1)
        })?;
    }
    let json = serde_json::to_string(&world.account.snapshot()).unwrap();
    let restored = Account::try_from(serde_json::from_str::<Snapshot>(&json).unwrap());
    let restored = restored.map_err(|error| Flaw::new("U2", error))?;
    law("U2", restored == world.account, || {
        "restored, it is another".to_owned()
    })?;
    check(&restored)
}

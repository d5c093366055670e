//! Grantbook's answers beside those of Cedar and of casbin: every question about every one of many random accounts.
//!
//! The accounts come of the suite's own random commands; about half of them then get awkward names for ids. At least a
//! million decisions with Cedar and a hundred thousand with casbin, which is far slower; the environment variable
//! `GRANTBOOK_DECISIONS` sets another number for both together, and takes a larger small world.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use grantbook::{Account, Actor, Resource};
use grantbook_peers::casbin::Casbin;
use grantbook_peers::cedar::{Agreement, Cedar};
use grantbook_peers::{Counts, Engine, EngineError, Facts, Questions, compare};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::strategies::{GROUPS, MEMBERS, ROLES, STORES};
use crate::support::*;

// They are the crate's own suite's, which uses all of them.
#[allow(dead_code, unused_imports)]
#[path = "../../../tests/suite/commands/mod.rs"]
mod commands;
#[allow(
    dead_code,
    unused_imports,
    clippy::needless_pass_by_value,
    clippy::too_many_lines
)]
#[path = "../../../tests/suite/model/mod.rs"]
mod model;
#[allow(dead_code)]
#[path = "../../../tests/suite/small_world/mod.rs"]
mod small_world;
#[allow(dead_code, clippy::needless_pass_by_value)]
#[path = "../../../tests/suite/strategies.rs"]
mod strategies;
#[allow(dead_code, clippy::needless_pass_by_value)]
#[path = "../../../tests/suite/support.rs"]
mod support;

/// Names that mean something elsewhere, or look like each other.
const AWKWARD: [&str; 24] = [
    "\"",
    "'",
    "*",
    "\\",
    "\\\"",
    "Member::\"olga\"",
    "?principal",
    "a, b",
    "p, owner, *",
    "owner",
    "account",
    "store:dev",
    "group:devs",
    "store.read",
    "true",
    "a  b",
    "# no comment // nor this",
    "r.sub == p.sub || \"a\" == \"a\"",
    "../../etc",
    "Olga",
    "é",
    "e\u{301}",
    "\u{202e}価格\u{200b}",
    r#"{"__entity":{"type":"Member","id":"a"}}"#,
];

/// What each of the suite's ids is called.
type Names = BTreeMap<&'static str, &'static str>;

/// The suite's ids, under the awkward names in this order. What is called the same stays so: there is a store `olga`.
fn names(awkward: Vec<&'static str>) -> Names {
    let own_roles = &ROLES[3..];
    let ids = [&MEMBERS[..], &STORES, &GROUPS, own_roles].concat();
    let ids: BTreeSet<_> = ids.into_iter().collect();
    ids.into_iter().zip(awkward).collect()
}

/// Random accounts, one in four with more than 64 groups, some owners added; and what their ids are called.
fn accounts() -> impl Strategy<Value = (Account, Names)> {
    let owners = prop::sample::subsequence(MEMBERS.to_vec(), 0..=4);
    let awkward = Just(AWKWARD.to_vec()).prop_shuffle().prop_map(names);
    let names = prop_oneof![Just(Names::new()), awkward];
    (strategies::account(48), owners, names).prop_map(|(world, owners, names)| {
        let account = promoted(world, &owners).account;
        (renamed(&account, &names), names)
    })
}

/// These made owners by the host, but for those who are only invited.
fn promoted(mut world: World, owners: &[&str]) -> World {
    for id in owners {
        for command in [enrol([*id]), grant_ownership(id)] {
            let done = world
                .account
                .execute(&Actor::System, &command, at(world.now));
            world.records.extend(done.ok().flatten());
        }
    }
    world
}

/// The account with its ids under these names.
fn renamed(account: &Account, names: &Names) -> Account {
    fn rename(value: &mut Value, names: &Names) {
        match value {
            Value::String(text) => {
                if let Some(name) = names.get(text.as_str()) {
                    *text = (*name).to_owned();
                }
            }
            Value::Array(values) => {
                for value in &mut *values {
                    rename(value, names);
                }
                // A snapshot has a group's grants in the order of their roles; other lists in any order.
                values.sort_by(|one, other| one["role"].as_str().cmp(&other["role"].as_str()));
            }
            Value::Object(fields) => {
                for value in fields.values_mut() {
                    rename(value, names);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    if names.is_empty() {
        return account.clone();
    }
    let mut snapshot = serde_json::to_value(account.snapshot()).unwrap();
    rename(&mut snapshot, names);
    let snapshot: grantbook::Snapshot = serde_json::from_value(snapshot).unwrap();
    snapshot.try_into().unwrap()
}

/// Every question about the account, those who were removed and the stores that were deleted included.
fn questions(facts: &Facts, names: &Names) -> Questions {
    let mut questions = Questions::about(facts);
    let name = |id: &str| (*names.get(id).unwrap_or(&id)).to_owned();
    questions.members.extend(MEMBERS.map(name));
    let stores = STORES.map(name).map(Resource::Store);
    questions.resources.extend(stores);
    questions
}

/// How many decisions at least: these, or as many of each eleven that are asked for.
fn decisions(usual: u64, of_eleven: u64) -> u64 {
    match std::env::var("GRANTBOOK_DECISIONS") {
        Ok(asked) => asked.parse::<u64>().expect("a number").div_ceil(11) * of_eleven,
        Err(_) => usual,
    }
}

/// Random accounts, the same in every run, until there are enough decisions.
fn agreement<E: Engine>(enough: u64, engine: impl Fn(&Facts) -> Result<E, EngineError>) {
    let (mut runner, accounts) = (TestRunner::deterministic(), accounts());
    let (mut counts, began) = (Counts::default(), Instant::now());
    while counts.decisions < enough && counts.differences == 0 {
        let (account, names) = accounts.new_tree(&mut runner).unwrap().current();
        let facts = Facts::of(&account);
        let engine = engine(&facts).unwrap();
        counts += compare(&account, &engine, &questions(&facts, &names)).unwrap();
    }
    report(E::NAME, &counts, began);
}

/// Says what was counted, and fails where it is not as it should be.
fn report(of: &str, counts: &Counts, began: Instant) {
    let seconds = began.elapsed().as_secs_f64();
    // Not by `println!`, which a test that passes keeps to itself.
    let mut out = std::io::stderr();
    for difference in &counts.shown {
        writeln!(out, "{difference}").unwrap();
    }
    writeln!(out, "{of}: {counts}, {seconds:.1} s").unwrap();
    assert!(counts.differences == 0, "{of} answers differently");
    let share = counts.allowed * 100 / counts.decisions;
    assert!(
        (20..=80).contains(&share),
        "{share} % are allowed, which tells little"
    );
}

/// P1, P2, P4, M1, L2, L6, L7, S2, S3, G9: Cedar gives the same answers.
#[test]
fn cedar_agrees() {
    agreement(decisions(1_000_000, 10), Cedar::of);
}

/// P1, P2, P4, M1, L2, L6, L7, S2, S3, G9: casbin gives the same answers.
#[test]
fn casbin_agrees() {
    agreement(decisions(100_000, 1), Casbin::of);
}

/// The same with Cedar after every command of some histories, as a small world goes from state to state.
#[test]
fn cedar_agrees_at_every_step() {
    let (mut runner, histories) = (TestRunner::deterministic(), strategies::history(64));
    let (mut counts, mut agreement, began) =
        (Counts::default(), Agreement::default(), Instant::now());
    for _ in 0..50 {
        let mut world = promoted(strategies::beginning(), &["a", "b"]);
        for step in histories.new_tree(&mut runner).unwrap().current() {
            world = strategies::grown(world, &[step]);
            counts += agreement.compare(&world.account).unwrap();
        }
    }
    report("cedar, step by step", &counts, began);
}

/// The same with Cedar about every account of the small world (`tests/suite/small_world`), whose laws are looked at on
/// the way.
#[test]
fn cedar_agrees_about_every_account_of_the_small_world() {
    let began = Instant::now();
    let seen = Mutex::new((Counts::default(), Agreement::default()));
    // The larger one takes minutes; the suite explores it without an engine beside it.
    let world = match std::env::var("GRANTBOOK_DECISIONS") {
        Ok(_) => small_world::World::small(),
        Err(_) => small_world::World::smallest(),
    };
    let explored = small_world::explore(&small_world::Crate, &world, |account| {
        let (counts, agreement) = &mut *seen.lock().unwrap();
        *counts += agreement.compare(account).unwrap();
    });
    let figures = explored.unwrap_or_else(|violation| panic!("{violation}"));
    let (counts, _) = seen.into_inner().unwrap();
    assert_eq!(counts.accounts, figures.states as u64);
    report("cedar, small world", &counts, began);
}

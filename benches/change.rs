//! The property protected: what a change costs follows what changes, not the size of the account. Adding one member
//! to a group costs about the same among 100 members and among a million, and so does changing a group's grants.
//!
//! Each is deciding and doing it, `Account::execute`. What leads back to where it began is done in between, and is
//! not in the time; nor is dropping the record.

// The macros below make functions that nobody documents.
#![allow(missing_docs)]

use std::cell::OnceCell;
use std::error::Error;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use grantbook::{Account, Actor};

use crate::cycles::Cycle;
use crate::population::{L, M, S, Size, WIDE, XL};

mod cycles;
mod population;
mod timing;

/// One account at a time, and none that a filter on the command line leaves out.
fn change(criterion: &mut Criterion) {
    for size in [S, M, L, XL, WIDE] {
        changes(criterion, size).expect("cycles");
    }
}

fn changes(criterion: &mut Criterion, size: Size) -> Result<(), Box<dyn Error>> {
    let mut account = OnceCell::new();
    for actor in [Actor::System, cycles::owner(size)?, cycles::manager()?] {
        for cycle in [
            cycles::membership(size, &actor, cycles::MANY)?,
            cycles::grants(size, &actor)?,
        ] {
            cycle_benches(criterion, size, &mut account, &cycle);
        }
    }
    for cycle in cycles::others(size)? {
        cycle_benches(criterion, size, &mut account, &cycle);
    }
    Ok(())
}

/// A bench for each step that has a name.
fn cycle_benches(
    criterion: &mut Criterion,
    size: Size,
    account: &mut OnceCell<Account>,
    cycle: &Cycle,
) {
    let steps = cycle.0.iter().enumerate();
    for (step, name) in steps.filter_map(|(resource, step)| Some((resource, step.name?))) {
        let mut benches = criterion.benchmark_group(name);
        benches.bench_function(
            BenchmarkId::new(by(size, cycle, step), size.name),
            |bencher| {
                account.get_or_init(|| cycles::account(size).expect("an account"));
                let account = account.get_mut().expect("an account");
                bencher.iter_custom(|times| timed(cycle, step, account, times));
            },
        );
        benches.finish();
    }
}

/// Whose commands they are.
fn by(size: Size, cycle: &Cycle, step: usize) -> &'static str {
    let is = |who: Result<Actor, _>, actor: &Actor| who.is_ok_and(|who| who == *actor);
    match cycle.0[step].commands.first() {
        Some((Actor::System, _)) | None => "by the host",
        Some((actor, _)) if is(cycles::owner(size), actor) => "by an owner",
        Some((actor, _)) if is(cycles::manager(), actor) => "by a group manager",
        Some((Actor::Member(_), _)) => "by whom it is about",
    }
}

/// The time of so many commands. Whole rounds are gone, as many as it takes.
fn timed(cycle: &Cycle, step: usize, account: &mut Account, times: u64) -> Duration {
    let commands = cycle.commands(step);
    let rounds = times.div_ceil(commands);
    let taken: Duration = (0..rounds).map(|_| cycle.time(account, step)).sum();
    let nanoseconds = taken.as_nanos() * u128::from(times) / u128::from(rounds * commands);
    Duration::from_nanos(u64::try_from(nanoseconds).expect("a time"))
}

criterion_group!(benches, change);
criterion_main!(benches);

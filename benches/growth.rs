//! The property protected: it goes on. An account of ten million members is as quick as a smaller one, and takes as
//! much of everything for each member.
//!
//! Takes minutes and some 12 GB, so it runs only where it is asked for:
//!
//! ```sh
//! GRANTBOOK_GROWTH=1 cargo bench --bench growth
//! ```
//!
//! Times of what allocates (all but the checks) have the counting of bytes in them, some nanoseconds an allocation.

use std::alloc::System;
use std::error::Error;
use std::time::Duration;

use grantbook::{Account, Actor};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::population::{Batch, L, Size, XL, XXL};
use crate::reference::allowed;
use crate::timing::{each, timed};

mod cycles;
mod population;
mod reference;
mod timing;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("GRANTBOOK_GROWTH").is_none_or(|wanted| wanted != "1") {
        println!("not asked for: GRANTBOOK_GROWTH=1 cargo bench --bench growth");
        return Ok(());
    }
    println!(
        "size    members   build s   bytes a member   check ns   add ns   snapshot out ms   in ms   replay ms"
    );
    [L, XL, XXL].into_iter().try_for_each(line)
}

fn line(size: Size) -> Result<(), Box<dyn Error>> {
    let before = bytes();
    let (made, build) = timed(|| size.account());
    let (account, records) = made?;
    drop(account);
    let (account, replay) = timed(|| Account::replay(&records));
    let account = account?;
    drop(records); // which share ids with the account
    let taken = bytes() - before;

    let batches = size.batches();
    let ask = || batches.iter().map(|batch| allowed(&account, batch)).sum();
    let _: usize = ask(); // to warm up
    let (allowed, check): (usize, Duration) = timed(ask);
    let asked = batches.len() * Batch::QUESTIONS as usize;
    assert!((40..=60).contains(&(allowed * 100 / asked)));
    drop(batches);

    let (snapshot, out) = timed(|| account.snapshot());
    drop(account);
    let (account, read) = timed(|| Account::try_from(snapshot));
    let mut account = account?;

    let cycle = cycles::membership(size, &Actor::System, cycles::MANY)?;
    cycle.time(&mut account, 0);
    let add = each(cycle.time(&mut account, 0), cycle.commands(0));

    println!(
        "{:4} {:10} {:9.1} {:16.1} {:10.1} {:8.0} {:17.0} {:7.0} {:11.0}",
        size.name,
        size.members,
        build.as_secs_f64(),
        each(Duration::from_nanos(taken), size.members),
        each(check, u64::try_from(asked)?),
        add,
        out.as_secs_f64() * 1e3,
        read.as_secs_f64() * 1e3,
        replay.as_secs_f64() * 1e3,
    );
    Ok(())
}

/// Bytes in use.
fn bytes() -> u64 {
    let stats = ALLOCATOR.stats();
    u64::try_from(stats.bytes_allocated - stats.bytes_deallocated).expect("a number")
}

//! Prints how many bytes an engine holds when it has loaded a population: `held ENGINE S|M|L`.
//!
//! A program of its own, because counting takes time that is not to be measured: `benches/speed.rs` runs it, and can
//! end it when it takes too long.

use std::alloc::System;
use std::env::args;

use cap::Cap;
use grantbook_peers::EngineError;
use grantbook_peers::population::{L, M, S};
use grantbook_peers::speed::{Plain, contestants};

#[global_allocator]
static ALLOCATED: Cap<System> = Cap::new(System, usize::MAX);

fn main() -> Result<(), EngineError> {
    let (engine, size) = (args().nth(1), args().nth(2));
    let mut engines = contestants().into_iter();
    let engine = engines.find(|one| Some(one.name()) == engine.as_deref());
    let mut engine = engine.ok_or("no such engine")?;
    let size = [S, M, L]
        .into_iter()
        .find(|one| Some(one.name) == size.as_deref());
    let plain = Plain::of(size.ok_or("no such size")?)?;
    let before = ALLOCATED.allocated();
    engine.load(&plain)?;
    println!("{}", ALLOCATED.allocated().saturating_sub(before));
    Ok(())
}

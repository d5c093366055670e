//! The property protected: what a check costs in instructions, which no other load on the machine changes. Counted by
//! valgrind: `scripts/instructions` runs this twice and divides the difference.
//!
//! The argument says how many checks; without one it makes few, to show that it runs.

use std::env;
use std::error::Error;
use std::hint::black_box;

use crate::population::{Batch, S};
use crate::reference::can;

mod population;
mod reference;

fn main() -> Result<(), Box<dyn Error>> {
    let checks = env::args().find_map(|argument| argument.parse().ok());
    let checks: usize = checks.unwrap_or(1_000);
    let (account, _) = S.account()?;
    let batches = S.batches();
    let questions = batches.iter().cycle().flat_map(Batch::questions);
    let allowed = questions
        .take(checks)
        .filter(|asked| can(&account, black_box(*asked)))
        .count();
    println!("{checks} checks, {allowed} allowed");
    Ok(())
}

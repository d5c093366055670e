//! The property protected: the last of 100,000 accounts costs a process what the first one cost, and no check waits for an
//! observer. `cargo bench --bench accounts` prints what an account costs as more are held, and the longest that a check
//! took while an observer took a second for each notice and, beside it, without an observer.

use std::error::Error;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use grantbook::command::CreateStore;
use grantbook::repository::{Accounts, MemoryRepository, Request, SharedAccount, SyncStorage};
use grantbook::{
    AccountId, Actor, GroupLimit, IdempotencyKey, MemberId, Permission, Resource, StoreId,
};

mod population;
mod timing;
use population::NOW;
use timing::{each, is_bench, median};

const ACCOUNTS: usize = 100_000;
const TENTH: usize = ACCOUNTS / 10;
const ROUNDS: usize = 5;

fn id(number: usize) -> Result<AccountId, Box<dyn Error>> {
    Ok(AccountId::parse(&format!("account {number}"))?)
}

/// Microseconds for each of the accounts, of the first tenth and of the last.
fn first_and_last(
    mut one: impl FnMut(usize) -> Result<(), Box<dyn Error>>,
) -> Result<(f64, f64), Box<dyn Error>> {
    let mut tenths = Vec::new();
    for tenth in 0..10 {
        let begin = Instant::now();
        for number in tenth * TENTH..(tenth + 1) * TENTH {
            one(number)?;
        }
        tenths.push(each(begin.elapsed(), TENTH as u64) / 1e3);
    }
    Ok((tenths[0], tenths[9]))
}

fn row(name: impl Display, measured: &[(f64, f64)]) {
    let first = median(measured.iter().map(|(first, _)| *first));
    let last = median(measured.iter().map(|(_, last)| *last));
    let ratio = median(measured.iter().map(|(first, last)| last / first));
    println!("| {name} | {first:.2} | {last:.2} | {ratio:.2} |");
}

fn opening() -> Result<(), Box<dyn Error>> {
    let (mut opened, mut loaded, mut bounded) = (vec![], vec![], vec![]);
    let (mut in_use, mut found) = (vec![], vec![]);
    for _ in 0..ROUNDS {
        let repository = MemoryRepository::new();
        let accounts = Accounts::builder(&repository).build();
        opened.push(first_and_last(|number| {
            let (key, owner) = (IdempotencyKey::parse("open")?, MemberId::parse("olga")?);
            accounts.open(key, id(number)?, owner, GroupLimit::default(), NOW)?;
            Ok(())
        })?);
        let others = Accounts::builder(&repository).build();
        loaded.push(first_and_last(|number| {
            others.get(&id(number)?)?;
            Ok(())
        })?);
        let half = Accounts::builder(&repository).capacity(others.held_bytes() / 20);
        let half = half.build();
        bounded.push(first_and_last(|number| {
            half.get(&id(number)?)?;
            Ok(())
        })?);
        let small = Accounts::builder(&repository).capacity(others.held_bytes() / 20);
        let (small, mut handles) = (small.build(), Vec::new());
        in_use.push(first_and_last(|number| {
            handles.push(small.get(&id(number)?)?);
            Ok(())
        })?);
        drop(handles);
        found.push(first_and_last(|number| {
            others.get(&id(number)?)?;
            Ok(())
        })?);
    }
    println!("| an account is | µs, first {TENTH} | µs, last {TENTH} | ratio |\n|---|--:|--:|--:|");
    row("opened", &opened);
    row("loaded", &loaded);
    row("loaded, where a twentieth of all may be held", &bounded);
    row(
        "loaded, where as much may be held, and all are in use",
        &in_use,
    );
    row("asked for again", &found);
    Ok(())
}

/// The longest of the checks while five changes are made.
fn longest(observer_takes: Option<Duration>) -> Result<Duration, Box<dyn Error>> {
    let builder = Accounts::builder(MemoryRepository::new());
    let accounts = match observer_takes {
        Some(time) => builder.observe(move |_| thread::sleep(time)).build(),
        None => builder.build(),
    };
    let acme: SharedAccount<SyncStorage<_>> = accounts.open(
        IdempotencyKey::parse("open")?,
        id(0)?,
        MemberId::parse("olga")?,
        GroupLimit::default(),
        NOW,
    )?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !is_over.load(Ordering::Relaxed) {
                let begin = Instant::now();
                std::hint::black_box(acme.can("olga", &Permission::STORE_READ, Resource::Account));
                longest = longest.max(begin.elapsed());
            }
            longest
        });
        let begin = Instant::now();
        for number in 0..5 {
            let store = StoreId::parse(&format!("store {number}"))?;
            let key = IdempotencyKey::parse(&number.to_string())?;
            let request = Request::by(Actor::System, key, NOW).command(CreateStore { store });
            acme.execute(&request)?;
            // As long as with an observer.
            let due = Duration::from_secs(number + 1);
            thread::sleep(due.saturating_sub(begin.elapsed()));
        }
        is_over.store(true, Ordering::Relaxed);
        Ok(reader.join().expect("no panic"))
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    if !is_bench() {
        println!("measured by `cargo bench --bench accounts`");
        return Ok(());
    }
    println!("{ACCOUNTS} accounts, median of {ROUNDS} rounds\n");
    opening()?;
    println!(
        "\n| | longest check while five changes are made, µs, each of {ROUNDS} rounds | median |"
    );
    println!("|---|---|--:|");
    let mut rows = [
        ("no observer", None, vec![]),
        (
            "an observer that takes a second for each",
            Some(Duration::from_secs(1)),
            vec![],
        ),
    ];
    for _ in 0..ROUNDS {
        for (_, time, measured) in &mut rows {
            measured.push(longest(*time)?.as_secs_f64() * 1e6);
        }
    }
    for (name, _, measured) in rows {
        let all: Vec<_> = measured.iter().map(|one| format!("{one:.0}")).collect();
        let middle = median(measured.into_iter());
        println!("| {name} | {} | {middle:.0} |", all.join(", "));
    }
    Ok(())
}

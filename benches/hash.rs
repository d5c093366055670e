//! The property protected: the hash is fast enough for two lookups, and keyed. What two lookups and an AND take with
//! the hash that the crate uses, with a variant of it that mixes more, and with the standard library's.

use std::collections::HashMap;
use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::hint::black_box;

use grantbook::{MemberId, StoreId};

use crate::population::{Batch, L, M, S, Size};
use crate::reference::{ONE, Words, meet, of_member, of_store};
use crate::timing::{Rounds, Run, each, is_bench, time};

mod population;
mod reference;
mod timing;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The two tables, with one hash or another.
struct Tables<H> {
    members: HashMap<MemberId, Words<ONE>, H>,
    stores: HashMap<StoreId, [Words<ONE>; 2], H>,
}

impl<H: BuildHasher + Default> Tables<H> {
    fn of(size: Size) -> Result<Self> {
        let members = (0..size.members).map(|n| Ok((size.member_id(n)?, of_member(size, n))));
        let stores = (0..size.stores).map(|n| Ok((size.store_id(n)?, of_store(size, n))));
        Ok(Self {
            members: members.collect::<Result<_>>()?,
            stores: stores.collect::<Result<_>>()?,
        })
    }

    fn allowed(&self, batch: &Batch) -> usize {
        let is_allowed = |asked: &population::Asked<'_>| {
            let (member, store) = (self.members.get(asked.member), self.stores.get(asked.store));
            let found = member.zip(store);
            found.is_some_and(|(member, store)| meet(member, &store[usize::from(asked.writes)]))
        };
        batch.questions().filter(is_allowed).count()
    }
}

fn run<'a, H: BuildHasher + Default + 'a>(size: Size, batches: &'a [Batch]) -> Result<Run<'a>> {
    let tables = Tables::<H>::of(size)?;
    Ok(Box::new(move |_| {
        let all = || {
            batches
                .iter()
                .map(|batch| tables.allowed(batch))
                .sum::<usize>()
        };
        black_box(all());
        let questions = u64::from(Batch::QUESTIONS) * batches.len() as u64;
        each(time(all), questions)
    }))
}

fn main() -> Result<()> {
    if !is_bench() {
        println!("measured by `cargo bench --bench hash`");
        return Ok(());
    }
    println!("ns for two lookups and an AND  foldhash, fast  foldhash, quality  SipHash 1-3");
    for size in [S, M, L] {
        let batches = size.batches();
        let runs = vec![
            run::<foldhash::fast::RandomState>(size, &batches)?,
            run::<foldhash::quality::RandomState>(size, &batches)?,
            run::<RandomState>(size, &batches)?,
        ];
        let rounds = Rounds::of(15, runs);
        let [fast, quality, sip] = [0, 1, 2].map(|run| rounds.median(run));
        println!("{:31} {fast:14.1} {quality:18.1} {sip:12.1}", size.name);
    }
    Ok(())
}

//! The property protected: an account is there again in seconds. Its records are replayed at some millions a second,
//! and a snapshot is read faster than that. The history has one member in a record.

// The macros below make functions that nobody documents.
#![allow(missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use grantbook::Account;

use crate::population::{L, M, S, Size, WIDE, XL};
use crate::reference::{Compared, ONE, WIDE_WORDS};

mod population;
mod reference;

fn replay(criterion: &mut Criterion) {
    for size in [S, M, L, XL] {
        replays::<ONE>(criterion, size);
    }
    replays::<WIDE_WORDS>(criterion, WIDE);
}

/// Nothing that is copied for a bench, and nothing that is dropped after it, is in the time.
fn replays<const WORDS: usize>(criterion: &mut Criterion, size: Size) {
    let (account, records) = size.history().expect("a history");
    let account = Compared::<WORDS>::of(size, account).account; // the answers are those of this size
    let snapshot = account.snapshot();
    let count = u64::try_from(records.len()).expect("a number");
    let members = u64::try_from(account.member_count()).expect("a number");
    let mut benches = criterion.benchmark_group(format!("{}, {count} records", size.name));
    benches.sample_size(10);
    benches.throughput(Throughput::Elements(count)); // records a second
    benches.bench_function("replay", |bencher| {
        let replay = |()| Account::replay(&records).expect("an account");
        bencher.iter_batched(|| (), replay, BatchSize::PerIteration);
    });
    benches.throughput(Throughput::Elements(members)); // members a second
    benches.bench_function("snapshot in", |bencher| {
        let read = |snapshot| Account::try_from(snapshot).expect("an account");
        bencher.iter_batched(|| snapshot.clone(), read, BatchSize::PerIteration);
    });
    benches.bench_function("snapshot out", |bencher| {
        bencher.iter_batched(|| (), |()| account.snapshot(), BatchSize::PerIteration);
    });
    benches.finish();
}

criterion_group!(benches, replay);
criterion_main!(benches);

//! The property protected: an account is there again in seconds. Its records are replayed at some millions a second,
//! and a snapshot is read faster than that. The history is of 100,000 members, with one member in a record.

// The macros below make functions that nobody documents.
#![allow(missing_docs)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use grantbook::Account;

use crate::population::L;
use crate::reference::{Compared, ONE};

mod population;
mod reference;

/// Nothing that is copied for a bench, and nothing that is dropped after it, is in the time.
fn replay(criterion: &mut Criterion) {
    let (account, records) = L.history().expect("a history");
    let account = Compared::<ONE>::of(L, account).account; // the answers are those of L
    let snapshot = account.snapshot();
    let count = u64::try_from(records.len()).expect("a number");
    let members = u64::try_from(account.member_count()).expect("a number");
    let mut benches = criterion.benchmark_group(format!("an account of {count} records"));
    benches.sample_size(20);
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

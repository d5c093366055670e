//! Asynchronous tasks that take turns on one copy.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use grantbook::repository::conformance::{Fault, FlakyRepository, TimedOut};
use grantbook::repository::{ExecuteError, LoadError, Repository, Shared, execute};
use grantbook::*;

use super::{Shown, Waited, acme, by_host, loaded, opened, pause, records_of};
use crate::faults::Chance;
use crate::support::*;

/// Polls a future until it has paused so many times, and then drops it wherever it is.
async fn within<T>(mut pauses: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if pauses == 0 => Poll::Ready(None),
        Poll::Pending => {
            pauses -= 1;
            Poll::Pending
        }
    })
    .await
}

type Task<'t> = Pin<Box<dyn Future<Output = ()> + 't>>;

/// Polls one task at a time, chosen at random, and calls `look` after each poll.
fn interleaved(chance: &mut Chance, mut tasks: Vec<Task<'_>>, look: impl Fn()) {
    while !tasks.is_empty() {
        let which = usize::try_from(chance.below(tasks.len() as u64)).unwrap();
        let polled = tasks[which]
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if polled.is_ready() {
            drop(tasks.swap_remove(which));
        }
        look();
    }
}

/// One thread, whose tasks take turns as a seed says: they execute, catch up, and receive what happens elsewhere.
fn take_turns(seed: u64, faults: &[(Fault, u16)]) -> Vec<Fault> {
    let chance = &mut Chance::new(seed);
    let line = FlakyRepository::new(seed, faults.iter().copied());
    let kept = line.kept();
    let shared = &Shared::new(opened(kept));
    let (storage, shown) = (&Waited(&line), &Shown::default());
    let see = |before: &Account, record: &Record| shown.see(before, record);
    let told = &AtomicU64::new(1);
    // Only a notice of a version that exists must not be forgotten.
    let hint = |version| {
        if version <= records_of(kept).len() as u64 {
            told.fetch_max(version, Ordering::Relaxed);
        }
        let _ = shared.notify_version(version);
    };
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for number in 0..2 {
        // Some give up waiting, and retry.
        let mut patience = chance.below(20);
        tasks.push(Box::pin(async move {
            for store in ["dev", "prod"] {
                let id = format!("{number}-{store}");
                let request = by_host(&id, create_store(&id));
                let records = loop {
                    let asked = shared.execute_with_async(storage, &request, see);
                    match within(patience, asked).await {
                        Some(Ok(records)) => break records,
                        None | Some(Err(ExecuteError::Load(LoadError::Repository(TimedOut)))) => {}
                        Some(Err(error)) => panic!("{error}"),
                    }
                    patience += 5;
                };
                assert_eq!(records, kept.records_of(&acme(), &request.commit).unwrap());
                assert!(
                    shared.at_least(records[0].version()).is_ok(),
                    "it counts at once"
                );
            }
        }));
    }
    tasks.push(Box::pin(async {
        for _ in 0..3 {
            let version = shared.as_of().version;
            shared.catch_up_with_async(storage, see).await.unwrap();
            assert!(shared.as_of().version >= version, "it never goes back");
        }
    }));
    let versions: Vec<_> = (0..3).map(|_| 2 + chance.below(6)).collect();
    tasks.push(Box::pin(async move {
        let mut elsewhere = loaded(kept);
        for version in versions {
            pause().await;
            hint(version);
            pause().await;
            let id = version + elsewhere.version() * 10;
            let request = by_host(id, create_store(&id.to_string()));
            let records = execute(kept, &mut elsewhere, &request).unwrap();
            pause().await;
            let _ = shared.ingest_with(&records[0], see).unwrap();
            hint(elsewhere.version());
        }
    }));
    interleaved(chance, tasks, || {
        let (as_of, told) = (shared.as_of(), told.load(Ordering::Relaxed));
        assert!(
            as_of.version.saturating_add(as_of.behind) >= told,
            "told of {told}: {as_of:?}"
        );
    });
    shared.catch_up_with(kept, see).unwrap();
    let (records, shown) = (records_of(kept), shown.0.lock().unwrap());
    assert_eq!(records.len(), 1 + 4 + 3, "each request is stored once");
    if faults.is_empty() {
        assert_eq!(*shown, records[1..], "each is shown once, in order");
    }
    assert!(
        shown
            .windows(2)
            .all(|two| two[0].version() < two[1].version())
    );
    assert_eq!(*shared.read(), loaded(kept));
    assert_eq!(shared.as_of().behind, 0);
    line.injected_faults()
}

/// U2, G9: requests, notices, records and catching up meet on a shared copy in 10,000 orders: each record is applied
/// and shown once, in order; what was executed counts at once; a notice of what is there is never forgotten.
#[test]
fn u2_tasks_take_turns_in_any_order() {
    let faults = [
        (Fault::KeptUnanswered, 150),
        (Fault::NotKept, 150),
        (Fault::ShortPage, 200),
        (Fault::Gone, 300),
    ];
    let mut injected_faults = BTreeSet::new();
    for seed in 0..10_000 {
        let faults = if seed % 2 == 0 { &[][..] } else { &faults };
        let Ok(faults) = catch_unwind(|| take_turns(seed, faults)) else {
            panic!("in the order of seed {seed}");
        };
        injected_faults.extend(faults);
    }
    assert_eq!(injected_faults, faults.map(|(fault, _)| fault).into());
}

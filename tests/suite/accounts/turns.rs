//! Asynchronous tasks that take turns on one account, and futures that are dropped.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use grantbook::repository::conformance::{Fault, FlakyRepository};
use grantbook::repository::*;
use grantbook::*;

use super::account;
use crate::faults::Chance;
use crate::support::*;

/// Yields once, and asks to be polled again at once.
async fn pause() {
    let mut is_over = false;
    poll_fn(|context| {
        if is_over {
            return Poll::Ready(());
        }
        is_over = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// An asynchronous repository that yields before each operation, and again before it answers.
struct Yielding<R>(R);

macro_rules! yielding {
    ($($method:ident($($argument:ident: $type:ty),+) -> $answer:ty;)+) => {
        $(
            async fn $method(&self, $($argument: $type),+) -> Result<$answer, R::Error> {
                pause().await;
                let answer = self.0.$method($($argument),+);
                pause().await;
                answer
            }
        )+
    };
}

impl<R: Repository + Sync> AsyncRepository for Yielding<R> {
    type Error = R::Error;

    yielding! {
        snapshot(account: &AccountId) -> Option<Snapshot>;
        records_after(account: &AccountId, version: u64) -> RecordPage;
        request(account: &AccountId, key: &IdempotencyKey) -> Option<StoredRequest>;
        commit(commit: &Commit) -> CommitOutcome;
    }

    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        self.0.wants_snapshot(before, version)
    }
}

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

fn by_host(key: &str, command: Command) -> Request {
    Request::by(Actor::System, commit_id(key), at(0)).command(command)
}

/// One thread, whose tasks take turns as a seed says: they execute, catch up, and receive what happens elsewhere.
fn take_turns(seed: u64, faults: &[(Fault, u16)]) -> Vec<Fault> {
    let chance = &mut Chance::new(seed);
    let line = Arc::new(FlakyRepository::new(seed, faults.iter().copied()));
    let kept = line.kept();
    let limit = GroupLimit::default();
    let opened = open(
        kept,
        commit_id("open"),
        account("acme"),
        member(OWNER),
        limit,
        at(0),
    );
    let mut elsewhere = opened.unwrap();
    let told: Arc<Mutex<Vec<Notice>>> = Arc::default();
    let writes_down = Arc::clone(&told);
    let accounts = Accounts::builder(Yielding(Arc::clone(&line)))
        .observe(move |notice| writes_down.lock().unwrap().push(notice.clone()))
        .build_async();
    let (held, heard) = (&accounts, &AtomicU64::new(1));
    let last = || records_after(kept, &account("acme"), 0).len() as u64;
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for number in 0..2 {
        // Some give up waiting, and retry.
        let mut patience = chance.below(20);
        tasks.push(Box::pin(async move {
            for store in ["dev", "prod"] {
                let id = format!("{number}-{store}");
                let request = by_host(&id, create_store(&id));
                let done = loop {
                    let asked = async {
                        let handle = held.get(&account("acme")).await?;
                        let done = handle.execute(&request).await?;
                        assert!(handle.at_least(done.version(), |_| ()).is_ok(), "at once");
                        Ok(done)
                    };
                    match within(patience, asked).await {
                        Some(Ok(done)) => break done,
                        None | Some(Err(RepositoryError::Storage(_))) => {}
                        Some(Err(error)) => panic!("{error}"),
                    }
                    patience += 5;
                };
                assert!(done.is_change());
                let stored = kept.request(&account("acme"), &request.key).unwrap();
                assert_eq!(stored.unwrap().version, done.version());
            }
        }));
    }
    tasks.push(Box::pin(async {
        for _ in 0..3 {
            held.refresh(&account("acme")).await.unwrap();
        }
    }));
    let versions: Vec<_> = (0..3).map(|_| 2 + chance.below(6)).collect();
    tasks.push(Box::pin(async move {
        for version in versions {
            pause().await;
            // Only a notice of a version that exists must not be forgotten.
            if held.notify_version("acme", version).is_some() && version <= last() {
                heard.fetch_max(version, Ordering::Relaxed);
            }
            pause().await;
            let id = format!("{}", version + elsewhere.version() * 10);
            let request = by_host(&id, create_store(&id));
            let done = execute(kept, &mut elsewhere, &request).unwrap();
            pause().await;
            let _ = held.ingest(&done.records()[0]).unwrap();
            if held.notify_version("acme", done.version()).is_some() {
                heard.fetch_max(done.version(), Ordering::Relaxed);
            }
        }
    }));
    interleaved(chance, tasks, || {
        if let Some(handle) = held.loaded("acme") {
            let (as_of, heard) = (handle.as_of(), heard.load(Ordering::Relaxed));
            let known = as_of.version.saturating_add(as_of.behind);
            assert!(known >= heard, "told of {heard}: {as_of:?}");
        }
    });
    let handle = block_on(accounts.refresh(&account("acme"))).unwrap();
    let records = records_after(kept, &account("acme"), 0);
    assert_eq!(records.len(), 1 + 4 + 3, "each request is stored once");
    assert!(handle.with(|copy| *copy == *load(kept, copy.id()).unwrap().unwrap()));
    assert_eq!(handle.as_of().behind, 0);
    let mut reached = 0;
    for notice in &*told.lock().unwrap() {
        match notice {
            Notice::Began { version, .. } => {
                assert!(*version >= reached, "it never goes back");
                reached = *version;
            }
            Notice::Committed { records, .. } => {
                assert_eq!(records[0].version(), reached + 1, "in order, and once");
                reached += records.len() as u64;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(reached, records.len() as u64, "nothing is missed");
    line.injected_faults()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
            return result;
        }
    }
}

/// U2, U10, G9: requests, notices, records and catching up meet on one copy in 10,000 orders, and some futures are dropped
/// on their way: each record is applied and told once, in order; what was executed counts at once; a notice of what is
/// there is never forgotten; turns are passed on.
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

/// A future that is dropped while it loads leaves no place behind, and while it waits for its turn takes nobody else's.
#[test]
fn what_is_dropped_is_as_if_it_had_not_been_asked() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(Yielding(&kept)).build_async();
    for pauses in 0..4 {
        let unknown = account(&format!("unknown {pauses}"));
        assert!(block_on(within(pauses, accounts.get(&unknown))).is_none_or(|got| got.is_err()));
    }
    assert!(format!("{accounts:?}").contains("held: 0"));

    let (key, limit) = (commit_id("open"), GroupLimit::default());
    let opening = accounts.open(key, account("acme"), member(OWNER), limit, at(0));
    let handle = block_on(opening).unwrap();
    let (first, second) = (
        by_host("1", create_store("a")),
        by_host("2", create_store("b")),
    );
    let mut holds_the_turn = Box::pin(handle.execute(&first));
    let mut context = Context::from_waker(Waker::noop());
    assert!(holds_the_turn.as_mut().poll(&mut context).is_pending());
    assert!(
        block_on(within(5, handle.execute(&second))).is_none(),
        "it waits"
    );
    drop(holds_the_turn);
    assert!(block_on(handle.execute(&second)).unwrap().is_change());
    let done = block_on(handle.execute(&first)).unwrap();
    assert!(done.is_change(), "it was done, or is done now");
}

/// All that is awaited can be moved between threads.
#[test]
fn what_is_awaited_goes_between_threads() {
    fn goes<T: Send>(future: T) -> T {
        future
    }
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(Yielding(&kept)).build_async();
    let (key, limit) = (commit_id("open"), GroupLimit::default());
    let acme = account("acme");
    let handle = block_on(goes(accounts.open(
        key,
        acme.clone(),
        member(OWNER),
        limit,
        at(0),
    )));
    let handle = handle.unwrap();
    block_on(goes(accounts.get(&acme))).unwrap();
    block_on(goes(accounts.refresh(&acme))).unwrap();
    block_on(goes(handle.refresh())).unwrap();
    let close = Request::by(Actor::System, commit_id("close"), at(0)).command(close());
    block_on(goes(handle.execute(&close))).unwrap();
    // This repository erases nothing.
    let error = block_on(goes(accounts.erase(&acme))).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("erase-unsupported", 501)
    );
}

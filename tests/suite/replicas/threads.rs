//! Threads that execute, wait, catch up and check on one copy.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use grantbook::event::StoreCreated;
use grantbook::repository::{MemoryRepository, Shared, execute};
use grantbook::*;

use super::{Shown, Waited, by_host, loaded, opened, records_of};
use crate::support::*;

/// Blocks the thread until the future is ready.
fn block_on<T>(future: impl Future<Output = T> + Send) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

/// U2, U1, G9: threads that execute, wait, catch up, ingest and check share one copy, and another process writes too:
/// each request is stored once, each record is applied and shown once, in order, and no check goes back in time.
#[test]
fn u2_threads_share_a_copy() {
    const EACH: usize = 60;
    let kept = MemoryRepository::new();
    let shared = Shared::new(opened(&kept));
    let (shown, storage) = (Shown::default(), Waited(&kept));
    let see = |before: &Account, record: &Record| shown.see(before, record);
    let request = |who: &str, number: usize| {
        let id = format!("{who}-{number}");
        by_host(&id, create_store(&id))
    };
    let (send, receive) = mpsc::channel::<Record>();
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        let executing = ["x", "y"].map(|who| {
            let (shared, kept) = (&shared, &kept);
            threads.spawn(move || {
                for number in 0..EACH {
                    let records = shared
                        .execute_with(kept, &request(who, number), see)
                        .unwrap();
                    let copy = shared
                        .at_least(records[0].version())
                        .expect("it counts at once");
                    assert!(copy.has_store(format!("{who}-{number}").as_str()));
                }
            })
        });
        let waiting = ["v", "w"].map(|who| {
            let (shared, storage) = (&shared, &storage);
            threads.spawn(move || {
                for number in 0..EACH {
                    let request = request(who, number);
                    let records =
                        block_on(shared.execute_with_async(storage, &request, see)).unwrap();
                    assert_eq!(records.len(), 1);
                    // Retried, it is answered as before.
                    assert_eq!(
                        block_on(shared.execute_with_async(storage, &request, see)).unwrap(),
                        records
                    );
                }
            })
        });
        let kept = &kept;
        let elsewhere = threads.spawn(move || {
            let mut copy = loaded(kept);
            for number in 0..EACH {
                for record in execute(kept, &mut copy, &request("z", number)).unwrap() {
                    send.send(record).unwrap();
                }
            }
        });
        let (shared, storage) = (&shared, &storage);
        threads.spawn(move || {
            // Two at a time arrive in the wrong order, and every third not at all; then one is repeated.
            loop {
                let pair: Vec<_> = receive.iter().take(2).collect();
                let Some(first) = pair.first() else { break };
                for record in pair.iter().rev().filter(|record| record.version() % 3 != 0) {
                    let _ = shared.notify_version(record.version());
                    let _ = shared.ingest_with(record, see).unwrap();
                }
                let _ = shared.ingest_with(first, see).unwrap();
                block_on(shared.catch_up_with_async(storage, see)).unwrap();
            }
        });
        threads.spawn(|| {
            let mut seen = 0;
            while !is_over.load(Ordering::Relaxed) {
                let copy = shared.read();
                assert!(copy.version() >= seen, "no check goes back");
                let stores = copy.stores().count() as u64;
                assert_eq!(stores + 1, copy.version(), "nothing is half applied");
                seen = stores;
                drop(copy);
                shared.catch_up_with(kept, see).unwrap();
            }
        });
        let writers = executing.into_iter().chain(waiting).chain([elsewhere]);
        let ended: Vec<_> = writers.map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    let records = records_of(&kept);
    let mut kept_of: BTreeMap<char, usize> = BTreeMap::new();
    for record in &records[1..] {
        match record.event() {
            Event::StoreCreated(StoreCreated { store }) => {
                *kept_of.entry(store.chars().next().unwrap()).or_default() += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(kept_of, "vwxyz".chars().map(|who| (who, EACH)).collect());
    assert_eq!(
        *shown.0.lock().unwrap(),
        records[1..],
        "each is shown once, in order"
    );
    assert_eq!(*shared.read(), loaded(&kept));
    assert_eq!(shared.as_of().behind, 0);
}

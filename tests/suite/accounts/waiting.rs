//! What a check waits for, and what is left of those who do not wait.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use grantbook::repository::*;
use grantbook::*;

use super::hooked::{Asked, Hooked};
use super::{account, create, elsewhere, open_empty, open_with_ann, writes};
use crate::support::*;

/// Long enough for whatever does not wait for the other.
const PATIENCE: Duration = Duration::from_secs(20);

/// G9: however long a request takes to be decided, no check waits for it, not even while a record that was handed over
/// waits to be applied.
#[test]
fn g9_a_check_does_not_wait_for_a_decision() {
    let kept = Hooked::new();
    let accounts = Accounts::builder(&*kept).build();
    let handle = open_with_ann(&accounts, "acme");
    let there = elsewhere(&kept.kept);
    let there = there.get(&account("acme")).unwrap();
    let revoke = request(&by(OWNER), &[remove_member("ann")], at(1));
    let done = there.execute(&revoke).unwrap();

    let (tells, told) = mpsc::channel();
    let (lets_go, waits) = mpsc::channel();
    kept.when(Asked::WantsSnapshot, move |_| {
        tells.send(()).unwrap();
        let _ = waits.recv_timeout(PATIENCE * 2);
    });
    thread::scope(|threads| {
        let decides = threads.spawn(|| handle.execute(&create("x")).unwrap());
        told.recv_timeout(PATIENCE).unwrap();
        let hands_over = threads.spawn(|| handle.ingest(&done.records()[0]));
        let (answers, answer) = mpsc::channel();
        let checked = handle.clone();
        thread::sleep(Duration::from_millis(50)); // so that it waits
        threads.spawn(move || {
            for _ in 0..10 {
                let _ = answers.send(writes(&checked, "ann"));
                thread::sleep(Duration::from_millis(5));
            }
        });
        let answers: Vec<_> = (0..10)
            .map_while(|_| answer.recv_timeout(PATIENCE).ok())
            .collect();
        assert_eq!(answers.len(), 10, "checks wait for the decision");
        assert!(!hands_over.is_finished(), "it is applied between decisions");
        lets_go.send(()).unwrap();
        let _ = hands_over.join().unwrap().unwrap();
        assert!(decides.join().unwrap().is_change());
    });
    assert!(!writes(&handle, "ann"));
}

/// An asynchronous repository that answers each question when it is polled the second time.
struct Slow<R>(R);

impl<R: Repository + Sync> AsyncRepository for Slow<R> {
    type Error = R::Error;

    async fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, R::Error> {
        let answer = self.0.records_after(id, version);
        pause().await;
        // One record at a time, so that others follow.
        answer.map(|page| match page {
            RecordPage::Records { records, head } => RecordPage::Records {
                records: records.into_iter().take(1).collect(),
                head,
            },
            RecordPage::Compacted => RecordPage::Compacted,
        })
    }

    async fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, R::Error> {
        self.0.request(account, key)
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        self.0.commit(commit)
    }
}

async fn pause() {
    let mut is_over = false;
    std::future::poll_fn(|_| {
        if is_over {
            return std::task::Poll::Ready(());
        }
        is_over = true;
        std::task::Poll::Pending
    })
    .await;
}

fn polled<F: Future>(future: &mut Pin<&mut F>, times: usize) {
    for _ in 0..times {
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
}

fn finished<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if let std::task::Poll::Ready(answer) = polled {
            return answer;
        }
    }
}

/// U2: of a request, a refresh or a load that nobody waits for any more, the observer is told what was applied, its bytes
/// count, and the account can be given up.
#[test]
fn u2_what_is_dropped_half_way_is_told() {
    for way in ["refresh", "execute", "get"] {
        let kept = MemoryRepository::new();
        let there = elsewhere(&kept);
        let other = open_empty(&there, "acme");
        let told: Arc<Mutex<Vec<u64>>> = Arc::default();
        let writes_down = Arc::clone(&told);
        let accounts = Accounts::builder(Slow(&kept))
            .observe(move |notice| {
                if let Notice::Committed { records, .. } = notice {
                    let versions = records.iter().map(Record::version);
                    writes_down.lock().unwrap().extend(versions);
                }
            })
            .build_async();
        let handle = finished(accounts.get(&account("acme"))).unwrap();
        let bytes = accounts.held_bytes();
        for store in ["a", "b", "c"] {
            other.execute(&create(store)).unwrap();
        }
        let asked = request(&by("nobody"), &[create_store("x")], at(1));
        match way {
            "refresh" => polled(&mut pin!(handle.refresh()), 3),
            "execute" => polled(&mut pin!(handle.execute(&asked)), 3),
            _ => {
                let _ = handle.notify_version(4);
                polled(&mut pin!(accounts.get(&account("acme"))), 3);
            }
        }
        assert_eq!(handle.version(), 3, "{way}: it was applied until here");
        assert_eq!(*told.lock().unwrap(), [2, 3], "{way}");
        assert!(accounts.held_bytes() > bytes, "{way}");
        drop(handle);
        assert!(accounts.forget("acme"), "{way}: it can be given up");
    }
}

/// No place is left of accounts that do not exist, whatever is heard of them and whoever else asks for them.
#[test]
fn nothing_is_left_of_accounts_that_do_not_exist() {
    const ACCOUNTS: usize = 20_000;
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    let id = |number: usize| format!("x{number}");
    let reached = AtomicUsize::new(0);
    thread::scope(|threads| {
        threads.spawn(|| {
            while reached.load(Ordering::Relaxed) < ACCOUNTS {
                assert!(accounts.held().is_empty());
                let _ = accounts.notify_version(&id(reached.load(Ordering::Relaxed)), 7);
            }
        });
        threads.spawn(|| {
            while reached.load(Ordering::Relaxed) < ACCOUNTS {
                let asked = account(&id(reached.load(Ordering::Relaxed)));
                assert!(accounts.get(&asked).is_err());
            }
        });
        for number in 0..ACCOUNTS {
            reached.store(number, Ordering::Relaxed);
            assert!(accounts.get(&account(&id(number))).is_err());
        }
        reached.store(ACCOUNTS, Ordering::Relaxed);
    });
    assert!(format!("{accounts:?}").contains("held: 0"), "{accounts:?}");
}

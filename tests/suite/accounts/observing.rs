//! What an observer is told, when, and in which order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use grantbook::repository::*;
use grantbook::*;

use super::{account, create, elsewhere, open_with_ann, writes};
use crate::support::*;

type Kept = Arc<MemoryRepository>;
type Told = Arc<Mutex<Vec<Notice>>>;

/// Accounts whose observer writes down what it is told.
fn observed(kept: &Kept) -> (Accounts<SyncStorage<Kept>>, Told) {
    let told = Told::default();
    let writes_down = Arc::clone(&told);
    let accounts = Accounts::builder(Arc::clone(kept))
        .observe(move |notice| writes_down.lock().unwrap().push(notice.clone()))
        .build();
    (accounts, told)
}

/// The versions that were told, in their order; a beginning is a version below 0.
fn versions(told: &Told) -> Vec<i64> {
    let mut versions = Vec::new();
    for notice in told.lock().unwrap().drain(..) {
        match notice {
            Notice::Began { version, .. } => versions.push(-i64::try_from(version).unwrap()),
            Notice::Committed { records, .. } => {
                versions.extend(
                    records
                        .iter()
                        .map(|one| i64::try_from(one.version()).unwrap()),
                );
            }
            _ => {}
        }
    }
    versions
}

/// U2: an observer misses nothing, whichever way records come: caught up with by getting the account, by refreshing, by
/// executing, or handed over; and it is told when a copy began again.
#[test]
fn u2_an_observer_misses_nothing() {
    let kept = Kept::default();
    let (accounts, told) = observed(&kept);
    let handle = open_with_ann(&accounts, "acme");
    assert_eq!(versions(&told), [1, 2, 3, 4, 5]);
    let elsewhere = elsewhere(&*kept);
    let there = elsewhere.get(&account("acme")).unwrap();

    there.execute(&create("a")).unwrap();
    let _ = accounts.notify_version("acme", 6);
    accounts.get(&account("acme")).unwrap();
    assert_eq!(versions(&told), [6], "by getting it");
    there.execute(&create("b")).unwrap();
    handle.refresh().unwrap();
    assert_eq!(versions(&told), [7], "by refreshing it");
    there.execute(&create("c")).unwrap();
    handle.execute(&create("d")).unwrap();
    assert_eq!(versions(&told), [8, 9], "by executing");
    there.refresh().unwrap();
    let done = there.execute(&create("e")).unwrap();
    let _ = handle.ingest(&done.records()[0]).unwrap();
    let _ = handle.ingest(&done.records()[0]).unwrap();
    handle.refresh().unwrap();
    assert_eq!(versions(&told), [10], "handed over, and once");

    let backup = kept.backup();
    handle.execute(&create("f")).unwrap();
    kept.restore(&backup);
    assert_eq!(handle.refresh().unwrap_err().code(), "diverged");
    accounts.get(&account("acme")).unwrap();
    assert_eq!(versions(&told), [11, -10], "begun again");
    drop(handle);
    accounts.forget("acme");
    accounts.get(&account("acme")).unwrap();
    assert_eq!(versions(&told), [-10]);
}

/// U2, U10: many threads, each in its way, and one observer: between two beginnings the versions are without gaps.
#[test]
fn u2_an_observer_is_told_in_order_whoever_applies() {
    let kept = Kept::default();
    let (accounts, told) = observed(&kept);
    let handle = open_with_ann(&accounts, "acme");
    let first = handle.version();
    thread::scope(|threads| {
        for writer in 0..3 {
            let handle = &handle;
            threads.spawn(move || {
                for number in 0..40 {
                    handle
                        .execute(&create(&format!("{writer}-{number}")))
                        .unwrap();
                }
            });
        }
        let (kept, accounts) = (&kept, &accounts);
        threads.spawn(move || {
            let elsewhere = elsewhere(&**kept);
            let there = elsewhere.get(&account("acme")).unwrap();
            for number in 0..40 {
                let stores = [0, 1, 2].map(|store| create_store(&format!("x-{number}-{store}")));
                let done = there.execute(&request(&by(OWNER), &stores, at(1))).unwrap();
                let _ = accounts.notify_version("acme", done.version());
                for record in done.records() {
                    let _ = accounts.ingest(record).unwrap();
                }
            }
        });
        threads.spawn(move || {
            for _ in 0..100 {
                accounts.refresh(&account("acme")).unwrap();
            }
        });
    });
    handle.refresh().unwrap();
    handle.flush();
    let last = i64::try_from(handle.version()).unwrap();
    assert_eq!(last, i64::try_from(first).unwrap() + 3 * 40 + 40 * 3);
    let told = versions(&told);
    assert!(told.iter().copied().eq(1..=last));
}

/// U3: requests that were refused are told: who, what for, and the code. A storage that failed is no refusal.
#[test]
fn u3_an_observer_is_told_of_refusals() {
    let kept = Kept::default();
    let (accounts, told) = observed(&kept);
    let handle = open_with_ann(&accounts, "acme");
    told.lock().unwrap().clear();
    let attempts = [create_store("x"), grant_ownership("ann")];
    let refused = request(&by("ann"), &attempts, at(1));
    handle.execute(&refused).unwrap_err();
    let first = create("x");
    handle.execute(&first).unwrap();
    let other = Request {
        key: first.key,
        ..create("y")
    };
    handle.execute(&other).unwrap_err();
    let told = told.lock().unwrap();
    let refusal = |actor: &str, commands: &[&'static str], code: &'static str| Notice::Refused {
        account: account("acme"),
        actor: by(actor),
        commands: commands.to_vec(),
        code,
    };
    assert_eq!(told.len(), 3);
    let commands = ["create-store", "grant-ownership"];
    assert_eq!(told[0], refusal("ann", &commands, "not-authorized"));
    assert_eq!(
        told[2],
        refusal(OWNER, &["create-store"], "idempotency-key-reused")
    );
}

/// An observer that waits for a word at each notice.
fn slow() -> (
    Accounts<SyncStorage<Kept>>,
    Told,
    SyncSender<()>,
    Receiver<()>,
) {
    let told = Told::default();
    let ((go, wait), (begun, has_begun)) = (sync_channel::<()>(100), channel());
    let (writes_down, wait, begun) = (Arc::clone(&told), Mutex::new(wait), Mutex::new(begun));
    let accounts = Accounts::builder(Kept::default())
        .observe(move |notice| {
            begun.lock().unwrap().send(()).unwrap();
            wait.lock().unwrap().recv().unwrap();
            writes_down.lock().unwrap().push(notice.clone());
        })
        .build();
    (accounts, told, go, has_begun)
}

/// G9, U10: a slow observer holds up neither checks nor requests: what they do is there at once, and is told later, in
/// order, by the thread that is telling already.
#[test]
fn g9_a_slow_observer_holds_nothing_up() {
    let (accounts, told, go, has_begun) = slow();
    for _ in 0..2 {
        go.send(()).unwrap();
    }
    let handle = open_with_ann(&accounts, "acme");
    for _ in 0..2 {
        has_begun.recv().unwrap();
    }
    thread::scope(|threads| {
        let teller = threads.spawn(|| handle.execute(&create("first")).unwrap());
        has_begun.recv().unwrap();
        // The observer is at work, and everybody goes on.
        assert!(writes(&handle, "ann"));
        handle.execute(&create("second")).unwrap();
        let gone = request(&by(OWNER), &[remove_member("ann")], at(1));
        handle.execute(&gone).unwrap();
        assert!(!writes(&handle, "ann"));
        accounts.refresh(&account("acme")).unwrap();
        assert_eq!(told.lock().unwrap().len(), 2, "nothing was told yet");
        let flushed = threads.spawn(|| {
            handle.flush();
            versions(&told)
        });
        thread::sleep(Duration::from_millis(20));
        assert!(!flushed.is_finished(), "it waits until all is told");
        for _ in 0..3 {
            go.send(()).unwrap();
        }
        assert_eq!(flushed.join().unwrap(), [1, 2, 3, 4, 5, 6, 7, 8]);
        teller.join().unwrap();
    });
}

/// U10: an observer that panics was told; the commit is applied as a whole and the rest is told by the next.
#[test]
fn u10_a_panic_in_an_observer_leaves_the_account_whole() {
    let told = Told::default();
    let writes_down = Arc::clone(&told);
    let accounts = Accounts::builder(Kept::default())
        .observe(move |notice| {
            writes_down.lock().unwrap().push(notice.clone());
            if let Notice::Committed { records, .. } = notice {
                assert!(records.len() < 3, "it fails on purpose");
            }
        })
        .build();
    let (key, limit) = (commit_id("open"), GroupLimit::default());
    let handle = accounts
        .open(key, account("acme"), member(OWNER), limit, at(0))
        .unwrap();
    let stores = ["a", "b", "c"].map(create_store);
    let asked = request(&by(OWNER), &stores, at(1));
    let caught = catch_unwind(AssertUnwindSafe(|| handle.execute(&asked)));
    assert!(caught.is_err());
    assert_eq!(handle.version(), 4, "as a whole");
    assert!(handle.with(|account| account.has_store("a") && account.has_store("c")));
    assert!(handle.execute(&asked).unwrap().is_repeat());
    handle.execute(&create("d")).unwrap();
    assert_eq!(versions(&told), [1, 2, 3, 4, 5], "each was told once");
}

/// An observer may ask and change the account that it is told of.
#[test]
fn an_observer_may_use_the_account() {
    type Held = Accounts<SyncStorage<Kept>>;
    let (held, told): (Arc<OnceLock<Held>>, Told) = Default::default();
    let (inside, writes_down) = (Arc::clone(&held), Arc::clone(&told));
    let accounts = Accounts::builder(Kept::default())
        .observe(move |notice| {
            writes_down.lock().unwrap().push(notice.clone());
            let (
                Some(accounts),
                Notice::Committed {
                    account, records, ..
                },
            ) = (inside.get(), notice)
            else {
                return;
            };
            let handle = accounts.get(account).unwrap();
            handle.flush();
            let version = records[0].version();
            assert!(handle.with(Account::version) >= version);
            if version < 10 {
                handle
                    .execute(&create(&format!("after {version}")))
                    .unwrap();
            }
        })
        .build();
    let handle = open_with_ann(&accounts, "acme");
    held.set(accounts).ok().unwrap();
    handle.execute(&create("first")).unwrap();
    assert_eq!(handle.version(), 10);
    assert!(versions(&told)[1..].iter().copied().eq(2..=10));
}

/// U2: an observer that asks for it is told who gained and lost what by each commit.
#[test]
fn u2_an_observer_can_be_told_who_lost_what() {
    let told = Told::default();
    let writes_down = Arc::clone(&told);
    let kept = Kept::default();
    let accounts = Accounts::builder(Arc::clone(&kept))
        .observe(move |notice| writes_down.lock().unwrap().push(notice.clone()))
        .with_deltas()
        .build();
    let handle = open_with_ann(&accounts, "acme");
    let elsewhere = elsewhere(&*kept);
    let there = elsewhere.get(&account("acme")).unwrap();
    let both = [create_store("prod"), take_out("devs", ["ann"])];
    let before = handle.with(Account::clone);
    there.execute(&request(&by(OWNER), &both, at(1))).unwrap();
    handle.refresh().unwrap();
    handle
        .execute(&request(&by(OWNER), &[add("devs", ["ann"])], at(1)))
        .unwrap();
    let told = told.lock().unwrap();
    let deltas: Vec<_> = told
        .iter()
        .filter_map(|notice| match notice {
            Notice::Committed { delta, .. } => delta.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(
        deltas.len(),
        4,
        "one for each commit, the opening among them"
    );
    assert!(deltas[0].who_gained().eq([&member(OWNER)]));
    let after = there.with(Account::clone);
    assert_eq!(deltas[2], AccessDelta::between(&before, &after));
    let lost = |delta: &AccessDelta| delta.who_lost().cloned().collect::<Vec<_>>();
    assert_eq!(lost(&deltas[2]), [member("ann")]);
    assert!(lost(&deltas[3]).is_empty());
}

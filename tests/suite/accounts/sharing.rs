//! One copy that many threads check and change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use grantbook::repository::*;
use grantbook::*;

use super::{Handle, account, elsewhere, open_empty, writes};
use crate::support::*;

/// `ann` is in the group `left`, whose members read, and not in `right`, whose members write.
fn left_and_right(accounts: &Accounts<SyncStorage<MemoryRepository>>) -> Handle<MemoryRepository> {
    let handle = open_empty(accounts, "acme");
    let commands = [
        create_store("dev"),
        enrol(["ann"]),
        create_group("left", "Left", [viewer(["dev"])]),
        create_group("right", "Right", [editor(["dev"])]),
        add("left", ["ann"]),
    ];
    let asked = request(&Actor::System, &commands, at(0));
    handle.execute(&asked).unwrap();
    handle
}

/// Tells the threads to end when it is dropped, even if the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// G9, U4: a change counts for the next check that begins, in every thread, and no check sees half of one.
#[test]
fn g9_a_change_counts_at_once_and_as_a_whole() {
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    let handle = left_and_right(&accounts);
    let is_over = AtomicBool::new(false);
    // In one of the two groups at every moment, and in one only.
    let moves = [("left", "right"), ("right", "left")];
    thread::scope(|threads| {
        let until_here = Over(&is_over);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                threads.spawn(|| {
                    let mut checks = 0_u64;
                    while checks == 0 || !is_over.load(Ordering::Relaxed) {
                        handle.with(|account| {
                            let groups = account.member("ann").unwrap().groups().count();
                            assert_eq!(groups, 1);
                            let (read, dev) = (Permission::STORE_READ, Resource::Store("dev"));
                            assert!(account.can("ann", &read, dev));
                        });
                        checks += 1;
                    }
                    checks
                })
            })
            .collect();
        for step in 0..100 {
            let (from, to) = moves[step % 2];
            let commands = [add(to, ["ann"]), take_out(from, ["ann"])];
            let asked = request(&by(OWNER), &commands, at(0));
            handle.execute(&asked).unwrap();
            assert_eq!(writes(&handle, "ann"), to == "right");
            let elsewhere = threads.spawn(|| writes(&handle, "ann"));
            assert_eq!(elsewhere.join().unwrap(), to == "right");
        }
        drop(until_here);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    let stored = load(accounts.repository(), handle.id()).unwrap().unwrap();
    assert!(handle.with(|account| *account == *stored && account.index_is_exact()));
}

/// U1, U2: many threads change one account by one copy, and another copy changes it too: nothing is lost, nothing happens
/// twice, and a retry is answered as before. Those of one copy take turns, so that none is refused for contention.
#[test]
fn u2_many_threads_change_one_account() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let handle = open_empty(&accounts, "acme");
    let there = elsewhere(&kept);
    let other = there.get(&account("acme")).unwrap();
    thread::scope(|threads| {
        for (writer, handle) in [(0, &handle), (1, &handle), (2, &handle)] {
            threads.spawn(move || {
                for number in 0..20 {
                    let store = create_store(&format!("{writer}-{number}"));
                    let asked = request(&by(OWNER), &[store], at(0));
                    let done = handle.execute(&asked).unwrap();
                    assert!(handle.at_least(done.version(), |_| ()).is_ok(), "at once");
                    let again = handle.execute(&asked).unwrap();
                    assert_eq!(again.records(), done.records());
                    assert!(again.is_repeat());
                }
            });
        }
        threads.spawn(|| {
            for number in 0..20 {
                let store = create_store(&format!("other-{number}"));
                let asked = request(&by(OWNER), &[store], at(0));
                while let Err(error) = other.execute(&asked) {
                    assert_eq!(error.code(), "contended");
                }
            }
        });
    });
    handle.refresh().unwrap();
    assert_eq!(handle.version(), 81);
    assert_eq!(handle.with(|account| account.stores().count()), 80);
}

//! One copy that many threads check and change.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use grantbook::repository::{self, ExecuteError, MemoryRepository, Shared};
use grantbook::*;

use crate::support::*;

pub(super) fn kept(repository: &MemoryRepository) -> repository::Replica {
    let (acme, limit) = (AccountId::parse("acme").unwrap(), GroupLimit::default());
    let mut account = repository::open(
        repository,
        commit_id("open"),
        acme,
        member(OWNER),
        limit,
        at(0),
    )
    .unwrap();
    let commands = [
        create_store("dev"),
        enrol(["ann"]),
        create_group("left", "Left", [viewer(["dev"])]),
        create_group("right", "Right", [editor(["dev"])]),
        add("left", ["ann"]),
    ];
    repository::execute(
        repository,
        &mut account,
        &request(&by(OWNER), &commands[..1], at(0)),
    )
    .unwrap();
    repository::execute(
        repository,
        &mut account,
        &request(&Actor::System, &commands[1..], at(0)),
    )
    .unwrap();
    account
}

pub(super) fn may_write(shared: &Shared) -> bool {
    shared.can("ann", &Permission::STORE_WRITE, Resource::Store("dev"))
}

/// G9, U4: a change counts for the next check that begins, in every thread, and no check sees half of one.
#[test]
fn g9_a_change_counts_at_once_and_as_a_whole() {
    let repository = MemoryRepository::new();
    let shared = Shared::new(kept(&repository));
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
                        let account = shared.read();
                        let groups = account.member("ann").unwrap().groups().count();
                        assert_eq!(groups, 1);
                        assert!(account.can(
                            "ann",
                            &Permission::STORE_READ,
                            Resource::Store("dev")
                        ));
                        checks += 1;
                    }
                    checks
                })
            })
            .collect();
        for step in 0..100 {
            let (from, to) = moves[step % 2];
            let commands = [add(to, ["ann"]), take_out(from, ["ann"])];
            shared
                .execute(&repository, &request(&by(OWNER), &commands, at(0)))
                .unwrap();
            assert_eq!(may_write(&shared), to == "right");
            let elsewhere = threads.spawn(|| may_write(&shared));
            assert_eq!(elsewhere.join().unwrap(), to == "right");
        }
        drop(until_here);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    let stored = repository::load(&repository, shared.read().id())
        .unwrap()
        .unwrap();
    assert_eq!(*shared.read(), stored);
    assert!(shared.read().index_is_exact());
}

/// Tells the threads to end when it is dropped, even if the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// U2: many threads change one shared account, and another copy changes it too: nothing is lost, nothing happens twice.
#[test]
fn u2_many_threads_change_one_account() {
    let repository = MemoryRepository::new();
    let account = kept(&repository);
    let (version, shared) = (account.version(), Shared::new(account.clone()));
    // A request gives up when it has lost a race 64 times in a row, and is retried here.
    let until_done = |execute: &mut dyn FnMut()
        -> Result<Vec<Record>, ExecuteError<Infallible>>| {
        while let Err(error) = execute() {
            assert_eq!(error.code(), "contended");
        }
    };
    thread::scope(|threads| {
        for writer in 0..3 {
            let (repository, shared) = (&repository, &shared);
            threads.spawn(move || {
                for number in 0..20 {
                    let command = [create_store(&format!("{writer}-{number}"))];
                    until_done(&mut || {
                        shared.execute(repository, &request(&by(OWNER), &command, at(0)))
                    });
                }
            });
        }
        let (repository, mut other) = (&repository, account);
        threads.spawn(move || {
            for number in 0..20 {
                let command = [create_store(&format!("other-{number}"))];
                until_done(&mut || {
                    repository::execute(
                        repository,
                        &mut other,
                        &request(&by(OWNER), &command, at(0)),
                    )
                });
            }
        });
    });
    shared.catch_up(&repository).unwrap();
    assert_eq!(shared.read().version(), version + 80);
    assert_eq!(shared.read().stores().count(), 81);
}

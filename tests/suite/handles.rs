//! Members and stores that are looked up once and asked many times, and one account that many threads ask.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use std::convert::Infallible;

use grantbook::repository::{self, ExecuteError, MemoryRepository, Shared};
use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, PERMISSIONS, STORES, account, config, resources};
use crate::support::*;

proptest! {
    #![proptest_config(config(200))]

    /// P1, P4, M1: a member and a store that were looked up answer as the account does.
    #[test]
    fn what_was_looked_up_answers_as_the_account(world in account(30)) {
        let account = &world.account;
        let permissions = PERMISSIONS.map(permission);
        let known: Vec<Member<'_>> = MEMBERS.iter().filter_map(|id| account.member(id)).collect();
        let stores: Vec<Store<'_>> = STORES.iter().filter_map(|id| account.store(id)).collect();
        for permission in &permissions {
            for member in &known {
                let id = member.id();
                for resource in resources() {
                    prop_assert_eq!(member.can(permission, resource), account.can(id, permission, resource));
                }
                let expected: Vec<bool> = stores
                    .iter()
                    .map(|store| account.can(id, permission, Resource::Store(store.id())))
                    .collect();
                let each: Vec<bool> = stores.iter().map(|store| member.can_in(permission, *store)).collect();
                prop_assert_eq!(&each, &expected);
                prop_assert!(member.can_in_each(permission, stores.iter().copied()).eq(expected));
            }
            for store in &stores {
                let expected = known.iter().map(|member| member.can_in(permission, *store));
                prop_assert!(store.can_each(permission, known.iter().copied()).eq(expected));
            }
        }
        for id in STORES.into_iter().chain(["none"]) {
            let found = account.store(id).map(|store| store.id().to_string());
            prop_assert_eq!(found, account.has_store(id).then(|| id.to_owned()));
        }
    }
}

/// A4: a store of another account is not this account's, whatever its id.
#[test]
fn a_store_of_another_account_is_unknown() {
    let mut world = World::new();
    world.ok(OWNER, create_store("dev"));
    let other = world.account.clone();
    let olga = world.account.member(OWNER).unwrap();
    let (own, foreign) = (
        world.account.store("dev").unwrap(),
        other.store("dev").unwrap(),
    );
    assert!(olga.can_in(&Permission::STORE_READ, own));
    assert!(!olga.can_in(&Permission::STORE_READ, foreign));
    let answers: Vec<bool> = olga
        .can_in_each(&Permission::STORE_READ, [foreign, own])
        .collect();
    assert_eq!(answers, [false, true]);
    assert!(
        foreign
            .can_each(&Permission::STORE_READ, [olga])
            .eq([false])
    );
}

fn kept(repository: &MemoryRepository) -> repository::Replica {
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

fn may_write(shared: &Shared) -> bool {
    shared.can("ann", &Permission::STORE_WRITE, Resource::Store("dev"))
}

/// G9, U4: a change counts for the next check that begins, in every thread, and no check sees half of one.
#[test]
fn a_change_counts_at_once_and_as_a_whole() {
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

/// Tells threads to end when it is dropped, also by a test that fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// U2: many threads change one shared account, and another copy changes it too: nothing lost, nothing twice.
#[test]
fn many_threads_change_one_account() {
    let repository = MemoryRepository::new();
    let account = kept(&repository);
    let (version, shared) = (account.version(), Shared::new(account.clone()));
    // Each gives up when it has lost a race 64 times in a row.
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

/// U2, U4: a refusal changes nothing. What is caught up with is shown, and so is what is executed; a host that panics
/// there leaves an account that goes on, at a version that it kept.
#[test]
fn a_panic_while_a_record_is_shown_leaves_the_account_whole() {
    let repository = MemoryRepository::new();
    let account = kept(&repository);
    let (mut other, shared) = (account.clone(), Shared::new(account));
    let version = shared.read().version();
    let refused = shared
        .execute(
            &repository,
            &request(&by("ann"), &[create_store("x")], at(0)),
        )
        .unwrap_err();
    assert_eq!(refused.code(), "not-authorized");
    assert_eq!(shared.read().version(), version);

    repository::execute(
        &repository,
        &mut other,
        &request(&by(OWNER), &[create_store("x"), create_store("y")], at(0)),
    )
    .unwrap();
    let mut shown = 0;
    let caught = catch_unwind(AssertUnwindSafe(|| {
        shared.catch_up_with(&repository, |before, record| {
            assert_eq!(before.version() + 1, record.version());
            shown += 1;
            assert!(shown < 2, "the host fails");
        })
    }));
    assert!(caught.is_err());
    assert_eq!(
        (shared.read().version(), shared.read().has_store("y")),
        (version + 1, false)
    );
    assert!(!may_write(&shared));

    let mut versions = Vec::new();
    let add = [add("right", ["ann"])];
    let records = shared.execute_with(
        &repository,
        &request(&by(OWNER), &add, at(0)),
        |_, record| {
            versions.push(record.version());
        },
    );
    assert_eq!(records.unwrap().len(), 1);
    assert_eq!(versions, [version + 2, version + 3]);
    assert!(may_write(&shared) && shared.read().has_store("y"));
    shared.catch_up(&repository).unwrap();
}

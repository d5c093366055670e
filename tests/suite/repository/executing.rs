//! Executing requests on a copy that may be behind.

use grantbook::repository::*;
use grantbook::*;

use super::scripted::Busy;
use super::{acme, kept_copy, opened, owner};
use crate::support::*;

/// U3: a refusal stores nothing, and is told apart from every other error.
#[test]
fn u3_a_refusal_stores_nothing() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let error = execute(
        &kept,
        &mut account,
        &request(&owner(), &[remove_member(OWNER)], at(0)),
    )
    .unwrap_err();
    let RepositoryError::Refused(refusal) = error else {
        panic!("{error}")
    };
    assert_eq!(refusal.code(), "last-owner");
    let batch = [create_store("dev"), remove_member(OWNER)];
    let error = execute(&kept, &mut account, &request(&owner(), &batch, at(0))).unwrap_err();
    assert!(
        error.to_string().starts_with("command 2 of the batch: "),
        "{error}"
    );
    assert_eq!(records_after(&kept, &acme(), 0).len(), 1);
    assert!(
        execute(&kept, &mut account, &request(&owner(), &[], at(0)))
            .unwrap()
            .records()
            .is_empty()
    );
}

/// U3, U1: a refusal and "nothing to do" cost no commit.
#[test]
fn u3_what_changes_nothing_commits_nothing() {
    let mut world = World::staffed();
    let mut account = kept_copy(&world.records);
    let quiet = Busy::after(world.records.len(), &world);
    let nothing = request(&owner(), &[add("devs", ["dana"])], at(0));
    assert!(!execute(&quiet, &mut account, &nothing).unwrap().is_change());
    let kept = world.records.len();
    for number in 0..100 {
        world.ok(OWNER, create_store(&number.to_string()));
    }
    let busy = Busy::after(kept, &world);
    let refused = request(&owner(), &[remove_member(OWNER)], at(0));
    let error = execute(&busy, &mut account, &refused).unwrap_err();
    assert_eq!(error.code(), "last-owner");
}

/// U3, U1: beside a writer that never rests, a request is nevertheless refused, or told that it changes nothing.
#[test]
fn u3_a_refusal_does_not_wait_for_a_busy_writer() {
    let mut world = World::staffed();
    let kept = world.records.len();
    for number in 0..100 {
        world.ok(OWNER, create_store(&number.to_string()));
    }
    let mut account = kept_copy(&world.records[..kept]);
    for (actor, command) in [("eve", create_store("new")), ("dana", delete_store("dev"))] {
        let busy = Busy::after(account.version().try_into().unwrap(), &world);
        let answer = execute(&busy, &mut account, &request(&by(actor), &[command], at(0)));
        match answer {
            Ok(executed) => panic!("{executed:?}"),
            Err(error) => assert_eq!(error.code(), "not-authorized"),
        }
    }
    assert_eq!(account.version(), kept as u64 + 2, "each looks once");
}

/// A2: of two owners who remove each other at once, from copies that are both behind, one stays.
#[test]
fn a2_a_conflict_is_decided_again() {
    let kept = MemoryRepository::new();
    let mut one = opened(&kept);
    execute(
        &kept,
        &mut one,
        &request(
            &Actor::System,
            &[enrol(["otto"]), grant_ownership("otto")],
            at(0),
        ),
    )
    .unwrap();
    let mut other = load(&kept, &acme()).unwrap().unwrap();
    execute(
        &kept,
        &mut one,
        &request(&owner(), &[remove_member("otto")], at(0)),
    )
    .unwrap();
    let error = execute(
        &kept,
        &mut other,
        &request(&by("otto"), &[remove_member(OWNER)], at(0)),
    )
    .unwrap_err();
    let RepositoryError::Refused(refusal) = error else {
        panic!("{error}")
    };
    assert_eq!(refusal.code(), "not-authorized");
    assert_eq!(other, one, "the copy that was behind has caught up");
}

/// U3, U1: neither a refusal nor "nothing to do" is trusted on a copy that is behind.
#[test]
fn u3_a_stale_copy_is_not_trusted() {
    let kept = MemoryRepository::new();
    let mut one = opened(&kept);
    let mut stale = one.clone();
    execute(
        &kept,
        &mut one,
        &request(&owner(), &[create_store("dev")], at(0)),
    )
    .unwrap();
    let group = create_group("devs", "Dev Team", [editor(["dev"])]);
    assert_eq!(
        execute(&kept, &mut stale, &request(&owner(), &[group], at(0)))
            .unwrap()
            .version(),
        3
    );

    execute(
        &kept,
        &mut one,
        &request(
            &Actor::System,
            &[enrol(["dana"]), add("devs", ["dana"])],
            at(0),
        ),
    )
    .unwrap();
    catch_up(&kept, &mut stale).unwrap();
    execute(
        &kept,
        &mut one,
        &request(&owner(), &[take_out("devs", ["dana"])], at(0)),
    )
    .unwrap();
    let added = execute(
        &kept,
        &mut stale,
        &request(&owner(), &[add("devs", ["dana"])], at(0)),
    )
    .unwrap();
    assert_eq!(
        added.records().len(),
        1,
        "she was taken out in between, so adding her is a change"
    );
    catch_up(&kept, &mut one).unwrap();
    assert_eq!(one, stale);
}

/// U2, A3: many writers on copies of their own lose nothing, repeat nothing and leave no gap, and the limit holds.
#[test]
fn u2_many_writers_lose_nothing() {
    let kept = MemoryRepository::new();
    let account = opened(&kept);
    let accepted: usize = std::thread::scope(|scope| {
        let writer = |writer: usize| {
            let (kept, mut copy) = (&kept, account.clone());
            move || {
                let id = |number: usize| format!("w{writer}-{number}");
                let create = |number| {
                    create_group(
                        &id(number),
                        &format!("Group {}", id(number)),
                        [Grant::group_manager()],
                    )
                };
                let mut accepted = 0;
                for number in 0..10 {
                    match execute(
                        kept,
                        &mut copy,
                        &request(&owner(), &[create(number)], at(0)),
                    ) {
                        Ok(_) => accepted += 1,
                        Err(RepositoryError::Refused(refusal)) => {
                            assert_eq!(refusal.code(), "too-many-groups");
                        }
                        Err(RepositoryError::Contended { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                accepted
            }
        };
        let writers: Vec<_> = (0..4).map(|number| scope.spawn(writer(number))).collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum()
    });
    let account = load(&kept, &acme()).unwrap().unwrap();
    assert_eq!(account.groups().count(), accepted);
    assert_eq!(account.version(), accepted as u64 + 1);
    assert!(accepted <= 20);
    assert!(account.index_is_exact());
}

/// U2: a request that others outrun every time ends with an error that says so; the copy has caught up with each of
/// them.
#[test]
fn u2_contention_ends() {
    let mut world = World::staffed();
    for number in 0..100 {
        world.ok(OWNER, create_store(&number.to_string()));
    }
    let mut account = kept_copy(&world.records[..2]);
    let busy = Busy::after(2, &world);
    let create = request(&owner(), &[create_store("new")], at(0));
    let error = execute(&busy, &mut account, &create).unwrap_err();
    assert!(matches!(error, RepositoryError::Contended { attempts: 64 }));
    assert_eq!(error.code(), "contended");
    assert_eq!(account.version(), 2 + 64);
}

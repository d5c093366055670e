//! Failures are told apart.

use grantbook::repository::*;
use grantbook::*;

use super::scripted::{Scripted, head, tail};
use super::{acme, kept_copy, owner};
use crate::support::*;

/// U3: a failing storage, a copy that is no version of what is stored, and records that do not fit are each told apart.
#[test]
fn u3_failures_are_told_apart() {
    let world = World::staffed();
    let mut account = kept_copy(&world.records);
    let before = account.clone();
    let create = request(&owner(), &[create_store("new")], at(0));
    let fails = Scripted {
        fails: true,
        ..Scripted::default()
    };
    let error = execute(&fails, &mut account, &create).unwrap_err();
    assert!(matches!(error, RepositoryError::Storage(_)));
    assert_eq!(error.to_string(), "the repository failed: the disk is gone");
    assert_eq!(error.code(), "repository-failed");
    assert!(matches!(
        load(&fails, &acme()),
        Err(RepositoryError::Storage(_))
    ));
    let cannot_open = open(
        &fails,
        commit_id("open"),
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    )
    .unwrap_err();
    assert_eq!(cannot_open.code(), "repository-failed");

    // The commit is a conflict, and then no record can be read to decide again on; or there was nothing to commit.
    let unreadable = Scripted {
        is_unreadable: true,
        ..Scripted::default()
    };
    for command in [create_store("new"), create_store("dev")] {
        let asked = request(&owner(), &[command], at(0));
        let error = execute(&unreadable, &mut account, &asked).unwrap_err();
        assert_eq!(error.code(), "repository-failed");
    }
    let error = catch_up(&unreadable, &mut account).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(account, before);

    // The repository was restored from a backup, and has less than the copy.
    let answers = |tail: RecordPage| Scripted {
        tails: vec![tail].into(),
        ..Scripted::default()
    };
    let error = execute(
        &answers(tail(&[], head(&world.records[..7]))),
        &mut account,
        &create,
    )
    .unwrap_err();
    assert_eq!(error.code(), "diverged");
    assert_eq!(
        error.to_string(),
        "this copy of account `acme` (version 11) is not what the repository holds; load the account again"
    );

    let mut account = before.clone();
    let foreign = answers(tail(&world.records, head(&world.records)));
    let error = execute(&foreign, &mut account, &create).unwrap_err();
    assert!(matches!(
        error,
        RepositoryError::Replay(ReplayError::Repeat { .. })
    ));
    assert_eq!(account, before);
}

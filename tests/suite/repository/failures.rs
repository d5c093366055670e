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

/// U2, U10: records are read page by page until the head; what is missing before it is an error and no end.
#[test]
fn u10_records_are_read_page_by_page_to_the_head() {
    let world = World::staffed();
    let all = &world.records;
    let pages = |pages: Vec<RecordPage>| Scripted {
        tails: pages.into(),
        ..Scripted::default()
    };
    let told = |scripted: &Scripted| {
        let told = records(scripted, &acme(), 0).map(|record| match record {
            Ok(record) => record.version().to_string(),
            Err(error) => error.code().to_owned(),
        });
        told.collect::<Vec<_>>()
    };
    let last = head(all);
    let versions = |until: u64| (1..=until).map(|version| version.to_string());
    let whole = pages(vec![tail(&all[..3], last), tail(&all[3..], last)]);
    assert!(told(&whole).into_iter().eq(versions(all.len() as u64)));
    let cut = pages(vec![tail(&all[..3], last), tail(&[], last)]);
    assert!(
        told(&cut)
            .into_iter()
            .eq(versions(3).chain(["records-missing".to_owned()]))
    );
    let given_up = pages(vec![RecordPage::Compacted]);
    assert_eq!(told(&given_up), ["records-missing"]);
    let erased = last.map(|last| Head {
        state: HeadState::Erased,
        ..last
    });
    assert_eq!(told(&pages(vec![tail(&[], erased)])), ["account-erased"]);
    let erased_meanwhile = pages(vec![tail(&all[..3], last), tail(&[], erased)]);
    let ends = ["account-erased".to_owned()];
    assert!(
        told(&erased_meanwhile)
            .into_iter()
            .eq(versions(3).chain(ends))
    );
    let failing = Scripted {
        is_unreadable: true,
        ..Scripted::default()
    };
    assert_eq!(told(&failing), ["repository-failed"]);
    assert_eq!(records(&MemoryRepository::new(), &acme(), 0).count(), 0);
}

/// A5, U9: a retry of a request in an account that is erased before its records are read is told so.
#[test]
fn a5_a_retry_meets_an_erasure() {
    let world = World::staffed();
    let (kept, last) = (MemoryRepository::new(), head(&world.records));
    store_history(&kept, &world.records);
    let mut copy = load(&kept, &acme()).unwrap().unwrap();
    let asked = request(&by(OWNER), &[create_store("x")], at(9_000));
    let state = HeadState::Erased;
    let repository = Scripted {
        remembered: Some(StoredRequest {
            key: asked.key.clone(),
            actor: asked.actor.clone(),
            digest: asked.digest(),
            before: 1,
            version: 2,
        }),
        tails: vec![
            tail(&[], last),
            tail(&[], last.map(|last| Head { state, ..last })),
        ]
        .into(),
        ..Scripted::default()
    };
    let error = execute(&repository, &mut copy, &asked).unwrap_err();
    assert_eq!(error.code(), "account-erased");
}

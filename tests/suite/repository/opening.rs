//! Opening and loading an account.

use std::convert::Infallible;

use grantbook::repository::*;
use grantbook::*;

use super::scripted::Scripted;
use super::{acme, kept_copy, opened, owner};
use crate::support::*;

/// A1, U2: an account is opened once, stored, and loaded as it was.
#[test]
fn a1_an_account_is_opened_once_and_loaded_unchanged() {
    let kept = MemoryRepository::new();
    assert!(load(&kept, &acme()).unwrap().is_none());
    let mut account = opened(&kept);
    let again = open(
        &kept,
        commit_id("another"),
        acme(),
        member("eve"),
        GroupLimit::default(),
        at(0),
    )
    .unwrap_err();
    assert_eq!(again.code(), "account-exists");
    assert_eq!(
        again.to_string(),
        "there is an account `acme` already; load it, or take another id"
    );
    let commands = [
        create_store("dev"),
        create_group("devs", "Dev Team", [editor(["dev"])]),
    ];
    assert_eq!(
        execute(
            &kept,
            &mut account,
            &request(&owner(), &commands, at(1_001))
        )
        .unwrap()
        .records()
        .len(),
        2
    );
    assert_eq!(load(&kept, &acme()).unwrap().unwrap(), account);
    assert_ne!(kept_copy(&records_after(&kept, &acme(), 0)[..1]), account);
    let shown = format!("{account:?}");
    assert!(
        shown.contains("\"acme\"") && shown.contains("version: 3"),
        "{shown}"
    );
    assert_eq!(records_after(&kept, &acme(), 1).len(), 2);
    assert_eq!(records_after(&kept, &acme(), u64::MAX), []);
    let other = AccountId::parse("other").unwrap();
    assert_eq!(records_after(&kept, &other, 0), []);
}

/// A1: opening is a request too: retried, it returns the account as it is by then.
#[test]
fn a1_opening_can_be_retried() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    execute(
        &kept,
        &mut account,
        &request(&owner(), &[create_store("dev")], at(2)),
    )
    .unwrap();
    assert_eq!(opened(&kept), account);
    let other_owner = open(
        &kept,
        commit_id("open"),
        acme(),
        member("eve"),
        GroupLimit::default(),
        at(1_000),
    );
    assert_eq!(other_owner.unwrap_err().code(), "account-exists");

    // A conflict with an account that does not exist is retried, but not forever.
    let open_in = |kept: &Scripted| {
        let (id, owner) = (acme(), member(OWNER));
        open(
            kept,
            commit_id("open"),
            id,
            owner,
            GroupLimit::default(),
            at(0),
        )
    };
    let error = open_in(&Scripted::default()).unwrap_err();
    assert_eq!(error.code(), "contended");
}

/// A1: given the same opening twice at once, the second, which is told of a conflict, gets the account as well.
#[test]
fn a1_the_same_opening_twice_at_once_returns_the_account() {
    struct Twin(MemoryRepository);
    impl Repository for Twin {
        type Error = Infallible;
        fn records_after(
            &self,
            account: &AccountId,
            version: u64,
        ) -> Result<RecordPage, Infallible> {
            self.0.records_after(account, version)
        }
        fn request(
            &self,
            account: &AccountId,
            id: &IdempotencyKey,
        ) -> Result<Option<StoredRequest>, Infallible> {
            self.0.request(account, id)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.0.commit(commit).map(|_| CommitOutcome::Conflict)
        }
    }
    let opened_in = |kept: &Twin, commit: &str| {
        let (commit, limit) = (commit_id(commit), GroupLimit::default());
        open(kept, commit, acme(), member(OWNER), limit, at(0))
    };
    let kept = Twin(MemoryRepository::new());
    assert_eq!(opened_in(&kept, "open").unwrap().version(), 1);
    let error = opened_in(&kept, "another").unwrap_err();
    assert_eq!(error.code(), "account-exists");
}

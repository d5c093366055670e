//! Requests that a transaction of the application's own keeps.

use grantbook::repository::*;

use super::{account, create, elsewhere, open_with_ann};
use crate::support::*;

fn commit_of(prepared: Prepared) -> Box<Commit> {
    match prepared {
        Prepared::Commit(commit) => commit,
        Prepared::Done(executed) => panic!("it was done before: {executed:?}"),
    }
}

/// A commit that is dropped changes nothing; one that is kept counts when it is adopted.
#[test]
fn what_is_prepared_counts_when_it_is_kept_and_adopted() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let acme = open_with_ann(&accounts, "acme");
    let (version, asked) = (acme.version(), create("x"));
    drop(commit_of(acme.prepare(&asked).unwrap()));
    assert_eq!(acme.version(), version);
    assert_eq!(kept.request(acme.id(), &asked.key), Ok(None));

    let commit = commit_of(acme.prepare(&asked).unwrap());
    assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Appended));
    assert!(!acme.with(|account| account.has_store("x")));
    for _ in 0..2 {
        assert_eq!(acme.adopt(&commit), Freshness::UpToDate);
        assert!(acme.with(|account| account.has_store("x")));
        assert_eq!(acme.version(), version + 1);
        assert_eq!(acme.head(), *commit.head());
    }
}

/// U9: a retry is answered as the first time, though it would now be refused, and though it would now be accepted.
#[test]
fn u9_a_retry_of_what_a_transaction_kept_is_answered() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let acme = open_with_ann(&accounts, "acme");
    let asked = create("x");
    let commit = commit_of(acme.prepare(&asked).unwrap());
    assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Appended));
    let _ = acme.adopt(&commit);
    let others = elsewhere(&kept);
    let other = others.get(&account("acme")).unwrap();
    for handle in [&acme, &other] {
        match handle.prepare(&asked).unwrap() {
            Prepared::Done(done) => {
                assert!(done.is_repeat());
                assert_eq!(done.records(), commit.records());
            }
            Prepared::Commit(_) => panic!("it is prepared again"),
        }
    }
    // It would be accepted now, and what would keep it sees that it was done.
    let removed = request(&by(OWNER), &[delete_store("x")], at(1));
    acme.execute(&removed).unwrap();
    let again = commit_of(acme.prepare(&asked).unwrap());
    assert_eq!(kept.commit(&again), Ok(CommitOutcome::Duplicate));
    let executed = acme.execute(&asked).unwrap();
    assert!(executed.is_repeat());
    assert_eq!(executed.records(), commit.records());
    assert!(!acme.with(|account| account.has_store("x")));
}

/// U9: a request is refused from a copy only that is up to date, a reused key is told, and the observer hears of both.
#[test]
fn u9_what_is_prepared_is_refused_by_what_is_kept() {
    let kept = MemoryRepository::new();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let hears = std::sync::Arc::clone(&told);
    let accounts = Accounts::builder(&kept)
        .observe(move |notice| {
            if let Notice::Refused { code, .. } = notice {
                hears.lock().unwrap().push(*code);
            }
        })
        .build();
    let acme = open_with_ann(&accounts, "acme");
    let others = elsewhere(&kept);
    let other = others.get(&account("acme")).unwrap();
    other.execute(&create("x")).unwrap();
    let removes = request(&by(OWNER), &[delete_store("x")], at(1));
    assert!(!acme.with(|account| account.has_store("x")), "it is behind");
    drop(commit_of(acme.prepare(&removes).unwrap()));
    assert!(acme.with(|account| account.has_store("x")), "it caught up");

    let twice = create("x");
    let reused = Request {
        key: removes.key.clone(),
        ..create("x")
    };
    acme.execute(&removes).unwrap();
    other.execute(&create("x")).unwrap();
    acme.refresh().unwrap();
    for (asked, code) in [
        (&twice, "store-exists"),
        (&reused, "idempotency-key-reused"),
    ] {
        assert_eq!(acme.prepare(asked).unwrap_err().code(), code);
    }
    assert_eq!(
        *told.lock().unwrap(),
        ["store-exists", "idempotency-key-reused"]
    );
}

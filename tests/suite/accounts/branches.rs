//! A repository that goes on otherwise than a copy knows: a backup was restored, or a state was written by hand.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};

use grantbook::repository::*;
use grantbook::*;

use super::{account, create, elsewhere, open_with_ann, writes};
use crate::support::*;

/// U2, U9: a copy of the old branch answers no retry that the other branch remembers: what came of it there does not
/// count here.
#[test]
fn u9_a_retry_is_not_answered_from_another_branch() {
    for is_prepared in [false, true] {
        let kept = MemoryRepository::new();
        let here = Accounts::builder(&kept).build();
        let handle = open_with_ann(&here, "acme");
        let backup = kept.backup();
        for store in ["a", "b", "c"] {
            handle.execute(&create(store)).unwrap();
        }
        kept.restore(&backup);
        let there = elsewhere(&kept);
        let revoke = request(&by(OWNER), &[remove_member("ann")], at(1));
        let other = there.get(&account("acme")).unwrap();
        other.execute(&revoke).unwrap();
        let error = if is_prepared {
            // It would be refused once it is known that `ann` is gone, and is accepted here.
            let commit = match handle.prepare(&revoke).unwrap() {
                Prepared::Commit(commit) => commit,
                Prepared::Done(done) => panic!("{done:?}"),
            };
            assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Duplicate));
            handle.execute(&revoke).unwrap_err()
        } else {
            handle.execute(&revoke).unwrap_err()
        };
        assert_eq!(error.code(), "diverged");
        assert!(!writes(&handle, "ann"));
        let again = here.get(&account("acme")).unwrap();
        assert!(again.execute(&revoke).unwrap().is_repeat());
        assert!(!writes(&handle, "ann"));
    }
}

/// U8: a request that was decided on one branch is refused on another one, though that is as long.
#[test]
fn u8_what_was_previewed_on_another_branch_is_refused() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let handle = open_with_ann(&accounts, "acme");
    let backup = kept.backup();
    handle.execute(&create("a")).unwrap();
    let add_olga = request(&by(OWNER), &[add("devs", [OWNER])], at(1));
    let (_, previewed) = handle.preview(add_olga).unwrap();
    kept.restore(&backup);
    let there = elsewhere(&kept);
    let other = there.get(&account("acme")).unwrap();
    other.execute(&create("b")).unwrap();
    assert_eq!(other.version(), handle.version());
    let error = other.execute(&previewed).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("precondition-failed", 412)
    );
}

/// U2: a record of the very version that a copy stands at, and of another branch, is no duplicate: the copy asks the
/// repository which of the two counts. So it does where a commit of another branch is adopted.
#[test]
fn u2_the_last_record_of_another_branch_is_no_duplicate() {
    for is_adopted in [false, true] {
        let kept = MemoryRepository::new();
        let accounts = Accounts::builder(&kept).build();
        let handle = open_with_ann(&accounts, "acme");
        let backup = kept.backup();
        handle.execute(&create("a")).unwrap();
        kept.restore(&backup);
        let there = elsewhere(&kept);
        let other = there.get(&account("acme")).unwrap();
        let revoke = request(&by(OWNER), &[remove_member("ann")], at(1));
        let Prepared::Commit(commit) = other.prepare(&revoke).unwrap() else {
            panic!("it was done before");
        };
        assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Appended));
        assert_eq!(commit.head().version, handle.version());
        if is_adopted {
            assert_eq!(handle.adopt(&commit), Freshness::CatchUp { behind: 1 });
        } else {
            let error = handle.ingest(&commit.records()[0]).unwrap_err();
            assert_eq!(error.code(), "other-head");
        }
        assert_eq!(handle.as_of().behind, 1);
        let again = accounts.get(&account("acme"));
        assert!(!writes(&again.unwrap(), "ann"), "it is found, and loaded");
        // What is handed over by mistake does no harm: the repository says what counts.
        let _ = handle.ingest(&commit.records()[0]).unwrap();
        assert_eq!(handle.as_of().behind, 0);
    }
}

/// U2: what was prepared on a copy that has diverged since is not adopted.
#[test]
fn u2_a_diverged_copy_adopts_nothing() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let handle = open_with_ann(&accounts, "acme");
    let backup = kept.backup();
    handle.execute(&create("a")).unwrap();
    let closing = request(&by(OWNER), &[close()], at(1));
    let Prepared::Commit(commit) = handle.prepare(&closing).unwrap() else {
        panic!("it was done before");
    };
    kept.restore(&backup);
    assert_eq!(handle.refresh().unwrap_err().code(), "diverged");
    let version = handle.version();
    assert!(matches!(handle.adopt(&commit), Freshness::CatchUp { .. }));
    assert!(handle.as_of().is_diverged);
    assert_eq!(handle.version(), version);
}

/// A repository that says of each account that it is closed, or that it is open, whatever its records say.
struct Says {
    kept: MemoryRepository,
    state: HeadState,
    is_on: AtomicBool,
}

impl Repository for Says {
    type Error = Infallible;

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        let page = self.kept.records_after(account, version)?;
        Ok(match page {
            RecordPage::Records {
                records,
                head: Some(head),
            } if self.is_on.load(Ordering::Relaxed) => {
                let state = self.state;
                let head = Some(Head { state, ..head });
                RecordPage::Records { records, head }
            }
            page => page,
        })
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        self.kept.request(account, key)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        self.kept.commit(commit)
    }
}

/// A5, U2: an account whose head says that it is closed, without a record that closes it, is not served, nor is one that
/// is open by its head alone.
#[test]
fn a5_a_state_that_the_records_do_not_bear_out_is_found() {
    for state in [HeadState::Open, HeadState::Closed] {
        let kept = Says {
            kept: MemoryRepository::new(),
            state,
            is_on: AtomicBool::new(false),
        };
        let accounts = Accounts::builder(&kept).build();
        let handle = open_with_ann(&accounts, "acme");
        if state == HeadState::Open {
            let closing = request(&by(OWNER), &[close()], at(1));
            handle.execute(&closing).unwrap();
        }
        kept.is_on.store(true, Ordering::Relaxed);
        let error = handle.refresh().unwrap_err();
        assert_eq!(
            (error.code(), error.http_status()),
            ("other-head-state", 500)
        );
        assert_eq!(
            error.to_string(),
            format!(
                "the repository says that the account is {} after record {}, and its records say otherwise",
                state.as_str(),
                handle.version()
            )
        );
        for _ in 0..2 {
            assert!(accounts.get(&account("acme")).is_err(), "it fails closed");
        }
        assert!(elsewhere(&kept).get(&account("acme")).is_err());
        kept.is_on.store(false, Ordering::Relaxed);
        accounts.get(&account("acme")).unwrap();
    }
}

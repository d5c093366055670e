//! What is heard late: records of a branch that is not the repository's any more, while it is read and written; and what
//! leaves a copy in doubt.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::Duration;

use grantbook::repository::*;
use grantbook::*;

use super::hooked::{Asked, Hooked};
use super::{Handle, Held, account, create, elsewhere, open_with_ann, writes};
use crate::support::*;

/// An account in which `ann` writes, held here. Another process went on with it, before a backup was restored, and its
/// records are on their way.
struct Restored {
    kept: Arc<Hooked>,
    accounts: Held<Arc<Hooked>>,
    handle: Handle<Arc<Hooked>>,
    late: Vec<Record>,
    before: MemoryRepository,
    other_branch: MemoryRepository,
}

impl Restored {
    fn new(late: &[&str]) -> Self {
        let kept = Hooked::new();
        let accounts = Accounts::builder(Arc::clone(&kept)).build();
        let handle = open_with_ann(&accounts, "acme");
        let backup = kept.kept.backup();
        let there = elsewhere(&kept.kept);
        let other = there.get(&account("acme")).unwrap();
        let executed = late
            .iter()
            .map(|store| other.execute(&create(store)).unwrap());
        let late = executed.flat_map(Executed::into_records).collect();
        let other_branch = kept.kept.backup();
        kept.kept.restore(&backup);
        Self {
            kept,
            accounts,
            handle,
            late,
            before: backup,
            other_branch,
        }
    }

    /// The late records come between what the repository does and its answer.
    fn come_when(&self, asked: Asked) {
        let (handle, late) = (self.handle.clone(), self.late.clone());
        self.kept.when(asked, move |_| {
            for record in &late {
                let _ = handle.ingest(record);
            }
        });
    }

    fn get(&self) -> Handle<Arc<Hooked>> {
        self.accounts.get(&account("acme")).unwrap()
    }
}

fn revoke() -> Request {
    request(&by(OWNER), &[remove_member("ann")], at(1))
}

/// U2, U9: a revocation is not said to be done by a copy that does not hold it, however long the other branch is.
#[test]
fn u2_a_late_record_during_a_commit_is_found() {
    for late in [&["a"][..], &["a", "b"]] {
        let restored = Restored::new(late);
        restored.come_when(Asked::Commit);
        let revoke = revoke();
        let error = restored.handle.execute(&revoke).unwrap_err();
        assert_eq!(error.code(), "diverged");
        assert!(restored.kept.is_done() && !writes(&restored.handle, "ann"));
        let again = restored.get().execute(&revoke).unwrap();
        assert!(again.is_repeat());
        assert!(!writes(&restored.handle, "ann"));
    }
}

/// U2: nor is a commit that is adopted by a copy that went on otherwise.
#[test]
fn u2_a_commit_of_another_branch_is_not_adopted() {
    for late in [&["a"][..], &["a", "b"]] {
        let restored = Restored::new(late);
        let Prepared::Commit(commit) = restored.handle.prepare(&revoke()).unwrap() else {
            panic!("it was done before");
        };
        restored.come_when(Asked::Commit);
        let outcome = restored.accounts.repository().commit(&commit).unwrap();
        assert_eq!(outcome, CommitOutcome::Appended);
        let freshness = restored.handle.adopt(&commit);
        assert_eq!(freshness, Freshness::CatchUp { behind: 1 });
        assert!(!writes(&restored.get(), "ann"), "it is found, and loaded");
    }
}

/// U2: a commit that is handed over before it is adopted, with what came after it, is confirmed by the repository.
#[test]
fn u2_a_commit_that_came_in_another_way_is_confirmed() {
    let restored = Restored::new(&[]);
    let Prepared::Commit(commit) = restored.handle.prepare(&revoke()).unwrap() else {
        panic!("it was done before");
    };
    let outcome = restored.accounts.repository().commit(&commit).unwrap();
    assert_eq!(outcome, CommitOutcome::Appended);
    let there = elsewhere(&restored.kept.kept);
    let after = there.get(&account("acme")).unwrap();
    let after = after.execute(&create("x")).unwrap();
    for record in commit.records().iter().chain(after.records()) {
        let _ = restored.handle.ingest(record).unwrap();
    }
    let freshness = restored.handle.adopt(&commit);
    assert_eq!(freshness, Freshness::CatchUp { behind: 1 });
    restored.handle.refresh().unwrap();
    assert_eq!(restored.handle.as_of().behind, 0);
    assert!(!writes(&restored.handle, "ann"));
}

/// U2: a record that is handed over while the repository is read, and that it does not hold, is found.
#[test]
fn u2_a_late_record_during_a_reading_is_found() {
    let restored = Restored::new(&["a"]);
    restored.come_when(Asked::Records);
    let error = restored.handle.refresh().unwrap_err();
    assert_eq!(error.code(), "diverged");
    assert!(!writes(&restored.handle, "ann"));
    assert!(writes(&restored.get(), "ann"), "nobody took it away");

    // One that it does hold is no harm.
    let there = elsewhere(&restored.kept.kept);
    let other = there.get(&account("acme")).unwrap();
    let (handle, kept) = (restored.handle.clone(), restored.kept.clone());
    kept.when(Asked::Records, {
        let done = other.execute(&revoke()).unwrap();
        move |_| {
            let _ = handle.ingest(&done.records()[0]).unwrap();
        }
    });
    restored.handle.refresh().unwrap();
    assert!(kept.is_done() && !writes(&restored.handle, "ann"));
    assert_eq!(restored.handle.as_of().behind, 0);
}

/// U2: what is heard of another branch while the repository is read is not settled by that.
#[test]
fn u2_a_contradiction_during_a_reading_is_asked_about_again() {
    for way in ["refresh", "load"] {
        let restored = Restored::new(&["a"]);
        let handle = &restored.handle;
        handle.execute(&create("b")).unwrap();
        if way == "load" {
            restored.kept.kept.restore(&MemoryRepository::new());
            assert_eq!(handle.refresh().unwrap_err().code(), "diverged");
            let there = elsewhere(&restored.kept.kept);
            let again = open_with_ann(&there, "acme");
            again.execute(&create("b")).unwrap();
        }
        restored.come_when(Asked::Records);
        let mut asked = 1;
        if way == "refresh" {
            handle.refresh().unwrap();
        } else {
            let copies = handle.clone();
            let hooked = restored.kept.clone();
            // It is read once more, since what was heard meanwhile may be newer.
            let late = restored.late.clone();
            restored.kept.when(Asked::Records, move |_| {
                let _ = copies.ingest(&late[0]);
                hooked.when(Asked::Records, |_| {});
            });
            restored.get();
            asked = 0;
        }
        assert!(restored.kept.is_done(), "{way}");
        let as_of = handle.as_of();
        assert_eq!((as_of.behind, as_of.problem.is_some()), (asked, asked == 1));
        handle.refresh().unwrap();
        assert_eq!(handle.as_of().problem, None);
        assert!(writes(handle, "ann"));
    }
}

/// A5: a copy that heard of an erasure denies, and is loaded again where a backup brings the account back.
#[test]
fn a5_an_erasure_that_a_backup_takes_back_is_found() {
    let restored = Restored::new(&[]);
    let (handle, kept) = (&restored.handle, &restored.kept.kept);
    let backup = kept.backup();
    let there = elsewhere(kept);
    let closing = request(&by(OWNER), &[close()], at(1));
    there
        .get(&account("acme"))
        .unwrap()
        .execute(&closing)
        .unwrap();
    there.erase(&account("acme")).unwrap();
    assert_eq!(restored.accounts.accounts_of("ann").len(), 1);
    assert_eq!(handle.refresh().unwrap_err().code(), "account-erased");
    assert!(handle.as_of().is_diverged && !writes(handle, "ann"));
    assert!(restored.accounts.accounts_of("ann").is_empty());
    let nothing = Request::by(Actor::System, commit_id("nothing"), at(2));
    assert_eq!(
        handle.execute(&nothing).unwrap_err().code(),
        "account-erased"
    );
    let error = restored.accounts.get(&account("acme")).unwrap_err();
    assert_eq!(error.code(), "account-erased");
    kept.restore(&backup);
    assert!(!writes(handle, "ann"), "until it is asked for");
    assert!(writes(&restored.get(), "ann") && writes(handle, "ann"));
    assert_eq!(restored.accounts.accounts_of("ann").len(), 1);
    handle.execute(&create("x")).unwrap();
}

/// U9: a request that was found under its key is looked up again after catching up: between the two a backup may have
/// been restored that does not know it.
#[test]
fn u9_a_request_that_a_backup_takes_back_is_decided_again() {
    let restored = Restored::new(&[]);
    let backup = restored.kept.kept.backup();
    let there = elsewhere(&restored.kept.kept);
    let other = there.get(&account("acme")).unwrap();
    let revoke = revoke();
    other.execute(&revoke).unwrap();
    restored
        .kept
        .when(Asked::Request, move |kept| kept.restore(&backup));
    let done = restored.handle.execute(&revoke).unwrap();
    assert!(restored.kept.is_done());
    assert!(done.is_change() && !done.is_repeat());
    assert!(!writes(&restored.handle, "ann"));
}

/// A5: an erasure waits for a loading of the same account, which would bring back what was erased.
#[test]
fn a5_an_erasure_counts_after_a_loading() {
    let restored = Restored::new(&[]);
    let closing = request(&by(OWNER), &[close()], at(1));
    restored.handle.execute(&closing).unwrap();
    let accounts = Accounts::builder(Arc::clone(&restored.kept)).build();
    let (tells, told) = mpsc::channel();
    let (erased, is_erased) = mpsc::channel();
    restored.kept.when(Asked::Records, move |_| {
        tells.send(()).unwrap();
        let waited = is_erased.recv_timeout(Duration::from_millis(300));
        assert!(waited.is_err(), "it is erased while it is loaded");
    });
    thread::scope(|threads| {
        let loads = threads.spawn(|| accounts.get(&account("acme")).unwrap());
        told.recv().unwrap();
        accounts.erase(&account("acme")).unwrap();
        erased.send(()).unwrap_or_default(); // nobody waits for it any more
        let handle = loads.join().unwrap();
        assert!(handle.as_of().is_diverged, "it is known to be gone");
    });
    assert!(accounts.get(&account("acme")).is_err() && accounts.held().is_empty());
}

/// A4: what was heard of another life of an account is settled when the account is opened again.
#[test]
fn a4_an_account_that_is_opened_anew_is_up_to_date() {
    let restored = Restored::new(&[]);
    let _ = restored.handle.notify_version(90);
    restored.kept.kept.restore(&MemoryRepository::new());
    let (key, limit) = (commit_id("again"), GroupLimit::default());
    let mallory = member("mallory");
    let opened = restored
        .accounts
        .open(key, account("acme"), mallory, limit, at(2))
        .unwrap();
    assert_eq!((opened.version(), opened.as_of().behind), (1, 0));
    assert_eq!(restored.handle.as_of().behind, 0);
}

/// U2: of an account that is no more, nothing is held but for who has a handle, and that denies.
#[test]
fn u2_an_account_that_is_no_more_is_given_up() {
    let Restored {
        kept,
        accounts,
        handle,
        ..
    } = Restored::new(&[]);
    kept.kept.restore(&MemoryRepository::new());
    assert_eq!(handle.refresh().unwrap_err().code(), "diverged");
    let asked = || accounts.get(&account("acme")).unwrap_err();
    assert_eq!(asked().code(), "unknown-account");
    assert!(!writes(&handle, "ann"));
    drop(handle);
    assert_eq!(asked().code(), "unknown-account");
    assert!(accounts.held().is_empty());
}

/// U9: a commit whose answer is lost is asked about, though a late record of the very version comes before.
#[test]
fn u9_a_commit_whose_answer_is_lost_stays_in_doubt() {
    let restored = Restored::new(&["a"]);
    let (handle, late) = (restored.handle.clone(), restored.late.clone());
    restored.kept.lost_when(Asked::Commit, move |_| {
        let _ = handle.ingest(&late[0]).unwrap();
    });
    let revoke = revoke();
    let error = restored.handle.execute(&revoke).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    let as_of = restored.handle.as_of();
    assert!(as_of.behind == 1 && as_of.problem.is_some(), "{as_of:?}");
    assert!(!writes(&restored.get(), "ann"), "it was kept");
    assert!(restored.handle.execute(&revoke).unwrap().is_repeat());
}

/// A5: so is an erasure whose answer is lost, though the record of the closing comes late.
#[test]
fn a5_an_erasure_whose_answer_is_lost_stays_in_doubt() {
    let restored = Restored::new(&[]);
    let there = elsewhere(&restored.kept.kept);
    let other = there.get(&account("acme")).unwrap();
    let closing = request(&by(OWNER), &[close()], at(1));
    let closed = other.execute(&closing).unwrap();
    let handle = restored.handle.clone();
    restored.kept.lost_when(Asked::Erase, move |_| {
        let _ = handle.ingest(&closed.records()[0]).unwrap();
    });
    let error = restored.accounts.erase(&account("acme")).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(restored.handle.as_of().behind, 1);
    let error = restored.accounts.get(&account("acme")).unwrap_err();
    assert_eq!(error.code(), "account-erased");
}

/// U2: where the repository failed once and has answered since, the copy is up to date, however many records and notices
/// came while it was read.
#[test]
fn u2_a_problem_that_is_over_is_settled() {
    let restored = Restored::new(&[]);
    let there = elsewhere(&restored.kept.kept);
    let other = there.get(&account("acme")).unwrap();
    restored.kept.lost_when(Asked::Records, |_| ());
    assert!(restored.handle.refresh().is_err());
    assert_eq!(restored.handle.as_of().behind, 1);
    let handle = restored.handle.clone();
    let done = other.execute(&create("x")).unwrap();
    restored.kept.when(Asked::Records, move |_| {
        let _ = handle.ingest(&done.records()[0]).unwrap();
        let _ = handle.notify_version(1);
    });
    let as_of = restored.get().as_of();
    assert_eq!((as_of.behind, as_of.problem), (0, None));
}

/// U2: a late record of another branch during a reading shows that the copy is there; it does not show that what the
/// repository keeps is damaged, however far that has gone on.
#[test]
fn u2_a_late_record_during_a_reading_is_no_damage() {
    // One commit of two records, or as many commits.
    for further in 0..4 {
        for is_request in [false, true] {
            let restored = Restored::new(&["a"]);
            let there = elsewhere(&restored.kept.kept);
            let other = there.get(&account("acme")).unwrap();
            if further == 0 {
                let both = [create_store("x"), create_store("y")];
                other.execute(&request(&by(OWNER), &both, at(1))).unwrap();
            }
            for number in 0..further {
                other.execute(&create(&format!("x{number}"))).unwrap();
            }
            restored.come_when(Asked::Records);
            let handle = &restored.handle;
            let answer = if is_request {
                handle.execute(&revoke()).map(drop)
            } else {
                handle.refresh()
            };
            assert_eq!(answer.unwrap_err().code(), "diverged");
            assert!(!writes(handle, "ann"), "it denies");
            restored.come_when(Asked::Records);
            let got = restored.get();
            assert_eq!((got.version(), got.as_of().behind), (other.version(), 0));
        }
    }
}

/// U2: of two threads that hand over records of two branches, one is told, or the copy asks.
#[test]
fn u2_records_of_two_branches_at_once_are_noticed() {
    let restored = Restored::new(&["a"]);
    let there = elsewhere(&restored.kept.kept);
    let other = there.get(&account("acme")).unwrap();
    let live = other.execute(&create("b")).unwrap();
    let kept = Hooked::new();
    for round in 0..2_000 {
        kept.kept.restore(&restored.before);
        let accounts = Accounts::builder(Arc::clone(&kept)).build();
        let handle = accounts.get(&account("acme")).unwrap();
        let barrier = Barrier::new(2);
        let hand_over = |record: &Record| {
            barrier.wait();
            handle.ingest(record).is_ok()
        };
        thread::scope(|threads| {
            threads.spawn(|| hand_over(&restored.late[0]));
            hand_over(&live.records()[0]);
        });
        let is_late = handle.with(|account| account.has_store("a"));
        let is_noticed = handle.as_of().behind > 0;
        assert!(!is_late || is_noticed, "round {round}");
    }
}

/// U3: a request is done where the repository holds it. Where a backup is restored before its answer comes, and the copy
/// has gone on to the branch of the backup, it is decided again there.
#[test]
fn u3_what_a_backup_takes_back_is_not_said_to_be_done() {
    let Restored {
        kept,
        handle,
        late,
        other_branch,
        ..
    } = Restored::new(&["a"]);
    let copy = handle.clone();
    kept.when(Asked::Commit, move |kept| {
        let _ = copy.ingest(&late[0]).unwrap();
        kept.restore(&other_branch);
    });
    let done = handle.execute(&revoke()).unwrap();
    assert!(!done.is_repeat() && !writes(&handle, "ann"));
    let stored = elsewhere(&kept.kept);
    let stored = stored.get(&account("acme")).unwrap();
    assert_eq!(stored.version(), done.version());
    assert!(!writes(&stored, "ann"));
}

/// U2: a copy that was brought further while a snapshot was read is not taken back to it.
#[test]
fn u2_no_snapshot_takes_a_copy_back() {
    let restored = Restored::new(&[]);
    let other = Accounts::builder(Arc::clone(&restored.kept)).build();
    let other = other.get(&account("acme")).unwrap();
    restored.kept.compacts.store(true, Ordering::Relaxed);
    let mut records = other.execute(&create("x")).unwrap().into_records();
    restored.kept.compacts.store(false, Ordering::Relaxed);
    records.extend(other.execute(&revoke()).unwrap().into_records());
    restored.kept.compacts.store(true, Ordering::Relaxed);
    let (handle, hooked) = (restored.handle.clone(), restored.kept.clone());
    restored.kept.when(Asked::Snapshot, move |_| {
        for record in &records {
            let _ = handle.ingest(record).unwrap();
        }
        assert!(!writes(&handle, "ann"));
        hooked.lost_when(Asked::Records, |_| ()); // so that it stays as it is now
    });
    assert!(restored.handle.refresh().is_err());
    assert!(restored.kept.is_done() && !writes(&restored.handle, "ann"));
}

/// A4, A5: an opening or an erasure that comes to nothing, since the repository holds something else than the copy, has
/// the copy ask.
#[test]
fn a5_what_an_opening_or_an_erasure_finds_out_counts_here() {
    let ways: [(&str, fn(&MemoryRepository)); 3] = [
        ("account-erased", |kept| {
            let there = elsewhere(kept);
            let other = there.get(&account("acme")).unwrap();
            let closing = request(&by(OWNER), &[close()], at(1));
            other.execute(&closing).unwrap();
            there.erase(&account("acme")).unwrap();
        }),
        ("account-exists", |kept| {
            kept.restore(&MemoryRepository::new());
            let (key, limit) = (commit_id("another life"), GroupLimit::default());
            let there = elsewhere(kept);
            let eve = member("eve");
            there.open(key, account("acme"), eve, limit, at(2)).unwrap();
        }),
        ("unknown-account", |kept| {
            kept.restore(&MemoryRepository::new());
        }),
    ];
    for (code, act) in ways {
        let restored = Restored::new(&[]);
        act(&restored.kept.kept);
        let error = if code == "unknown-account" {
            restored.accounts.erase(&account("acme")).unwrap_err()
        } else {
            let (key, limit) = (commit_id("again"), GroupLimit::default());
            let opened =
                restored
                    .accounts
                    .open(key, account("acme"), member("mallory"), limit, at(2));
            opened.unwrap_err()
        };
        assert_eq!(error.code(), code);
        assert_eq!(restored.handle.as_of().behind, 1, "{code}");
        let got = restored.accounts.get(&account("acme"));
        assert_eq!(got.is_ok(), code == "account-exists");
        assert!(!writes(&restored.handle, "ann"));
    }
}

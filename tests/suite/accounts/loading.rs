//! Accounts are loaded once, whatever happens meanwhile.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use grantbook::repository::*;
use grantbook::*;

use super::{account, elsewhere, open_empty, open_with_ann, writes};
use crate::support::*;

/// A repository in memory that counts what is read, does something while it is read, and fails when it is told to.
#[derive(Default)]
struct Watched {
    kept: MemoryRepository,
    reads: AtomicUsize,
    /// What happens once, before a read is answered.
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// How many of the next reads fail.
    failing: AtomicUsize,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is gone")]
struct DiskGone;

fn always<T>(answer: Result<T, Infallible>) -> T {
    let Ok(answer) = answer;
    answer
}

impl Repository for Watched {
    type Error = DiskGone;

    fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let failing = self.failing.load(Ordering::Relaxed);
        self.failing
            .store(failing.saturating_sub(1), Ordering::Relaxed);
        if failing > 0 {
            return Err(DiskGone);
        }
        let page = always(self.kept.records_after(id, version));
        let meanwhile = self.meanwhile.lock().unwrap().take();
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        Ok(page)
    }

    fn request(
        &self,
        id: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, DiskGone> {
        Ok(always(self.kept.request(id, key)))
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, DiskGone> {
        Ok(always(self.kept.commit(commit)))
    }
}

/// U2: an account is loaded when it is first asked for, and is one copy from then on; what is heard of an account that is
/// not held is ignored.
#[test]
fn u2_an_account_is_loaded_once() {
    let kept = Watched::default();
    let accounts = Accounts::builder(&kept).build();
    let reads = || kept.reads.swap(0, Ordering::Relaxed);
    let error = accounts.get(&account("acme")).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("unknown-account", 404)
    );
    assert_eq!(error.to_string(), "there is no account `acme`");
    assert_eq!(accounts.notify_version("acme", 9), None);
    let shown = format!("{accounts:?}");
    assert!(
        shown.contains("held: 0"),
        "no place is left behind: {shown}"
    );

    open_with_ann(&elsewhere(&kept), "acme");
    reads();
    assert!(accounts.loaded("acme").is_none());
    let first = accounts.get(&account("acme")).unwrap();
    assert_eq!((reads(), first.as_of().behind), (1, 0));
    let again = accounts.get(&account("acme")).unwrap();
    assert_eq!(reads(), 0, "what is up to date is not read again");
    let asked = request(&by(OWNER), &[create_store("new")], at(1));
    again.execute(&asked).unwrap();
    assert!(first.with(|account| account.has_store("new")), "one copy");

    assert!(!accounts.forget("acme"), "it is in use");
    drop((first, again));
    assert!(accounts.forget("acme") && accounts.loaded("acme").is_none());
    accounts.get(&account("acme")).unwrap();
    assert_eq!(accounts.held().len(), 1);
}

/// U2: threads that ask for an account at once wait for one of them to load it.
#[test]
fn u2_an_account_is_loaded_by_one_thread_at_a_time() {
    let kept = Watched::default();
    open_with_ann(&elsewhere(&kept), "acme");
    for _ in 0..50 {
        let accounts = Accounts::builder(&kept).build();
        kept.reads.store(0, Ordering::Relaxed);
        thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| assert!(writes(&accounts.get(&account("acme")).unwrap(), "ann")));
            }
        });
        assert_eq!(kept.reads.load(Ordering::Relaxed), 1);
    }
}

/// U2: a notice about an account that is being loaded is not lost, nor is a record of it.
#[test]
fn u2_a_notice_during_a_load_is_not_lost() {
    for is_record in [false, true] {
        let kept: Arc<Watched> = Arc::default();
        open_with_ann(&elsewhere(&*kept), "acme");
        let accounts = Accounts::builder(Arc::clone(&kept)).build();
        let (there, holder) = (Arc::clone(&kept), accounts.clone());
        *kept.meanwhile.lock().unwrap() = Some(Box::new(move || {
            let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
            let copy = elsewhere(&there.kept);
            let done = copy.get(&account("acme")).unwrap().execute(&asked).unwrap();
            if is_record {
                assert_eq!(holder.ingest(&done.records()[0]), Ok(None));
            } else {
                let behind = holder.notify_version("acme", done.version());
                assert!(matches!(behind, Some(Freshness::CatchUp { .. })));
            }
        }));
        let handle = accounts.get(&account("acme")).unwrap();
        assert!(!writes(&handle, "ann"));
        assert_eq!(handle.as_of().behind, 0);
    }
}

/// U2: a failing storage leaves nothing behind, and the next attempt is a new one. Where a copy is held already, it counts
/// as behind and says why, and whoever gets the account is told of the failure instead of being given it.
#[test]
fn u2_a_load_that_fails_can_be_retried() {
    let kept = Watched::default();
    let there = elsewhere(&kept);
    let other = open_with_ann(&there, "acme");
    let accounts = Accounts::builder(&kept).build();
    kept.failing.store(1, Ordering::Relaxed);
    let error = accounts.get(&account("acme")).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("repository-failed", 503)
    );
    assert!(accounts.held().is_empty());
    let handle = accounts.get(&account("acme")).unwrap();

    let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
    other.execute(&asked).unwrap();
    kept.failing.store(2, Ordering::Relaxed);
    assert!(handle.refresh().is_err());
    let as_of = handle.as_of();
    assert_eq!(as_of.behind, 1, "there may be something newer");
    let problem = "the repository failed: the disk is gone";
    assert_eq!(as_of.problem.as_deref(), Some(problem));
    assert!(accounts.get(&account("acme")).is_err(), "it fails closed");
    let again = accounts.get(&account("acme")).unwrap();
    assert!(!writes(&again, "ann") && !writes(&handle, "ann"));
    let as_of = handle.as_of();
    assert_eq!((as_of.behind, as_of.problem), (0, None));
}

/// U2: a copy that is not what the repository holds denies and says `diverged`; the next who gets the account has it
/// loaded again, for everybody who holds it.
#[test]
fn u2_a_diverged_copy_is_loaded_again_for_all() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let handle = open_with_ann(&accounts, "acme");
    let backup = kept.backup();
    let asked = |store| request(&by(OWNER), &[create_store(store)], at(1));
    handle.execute(&asked("old")).unwrap();
    kept.restore(&backup);
    let there = elsewhere(&kept);
    let there = there.get(&account("acme")).unwrap();
    there.execute(&asked("new")).unwrap();

    let late = asked("late");
    let error = handle.execute(&late).unwrap_err();
    assert_eq!((error.code(), error.http_status()), ("diverged", 503));
    let denied = handle.require("ann", &Permission::STORE_READ, Resource::Store("dev"));
    let denied = denied.unwrap_err();
    assert_eq!((denied.code(), denied.http_status()), ("diverged", 503));
    assert!(!writes(&handle, "ann"));
    assert!(!handle.can(OWNER, &Permission::STORE_READ, Resource::Account));
    assert_eq!(handle.refresh().unwrap_err().code(), "diverged");
    let refused = handle.preview(late.clone()).unwrap_err();
    assert_eq!(refused.code(), "diverged");

    accounts.get(&account("acme")).unwrap();
    assert!(writes(&handle, "ann"));
    assert!(handle.with(|account| account.has_store("new") && !account.has_store("old")));
    handle.execute(&late).unwrap();
}

/// A4, U2: an id that is opened again, after the repository was emptied, is another account: a copy of the old one is given
/// up, and answers for nobody.
#[test]
fn a4_a_copy_of_another_life_is_given_up_by_an_opening() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let empty = kept.backup();
    let handle = open_with_ann(&accounts, "acme");
    assert!(handle.version() > 1 && writes(&handle, "ann"));
    kept.restore(&empty);
    for _ in 0..2 {
        let limit = GroupLimit::default();
        let opened = accounts.open(
            commit_id("mine"),
            account("acme"),
            member("mallory"),
            limit,
            at(9),
        );
        let opened = opened.unwrap();
        assert_eq!(opened.version(), 1);
        assert!(!writes(&opened, "ann") && !writes(&handle, OWNER));
        assert!(opened.can("mallory", &Permission::MANAGE_STORES, Resource::Account));
    }
}

/// A5: an erased account is found by nobody, and a copy of it that is still in use denies.
#[test]
fn a5_an_erased_account_is_gone_for_who_holds_it() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    let handle = open_with_ann(&accounts, "acme");
    let there = elsewhere(&kept);
    let there = there.get(&account("acme")).unwrap();
    let error = accounts.erase(&account("acme")).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("account-not-closed", 409)
    );
    handle
        .execute(&request(&by(OWNER), &[close()], at(1)))
        .unwrap();
    for _ in 0..2 {
        accounts.erase(&account("acme")).unwrap();
    }
    assert_eq!(there.refresh().unwrap_err().code(), "account-erased");
    for copy in [&handle, &there] {
        let denied = copy.check(OWNER, &Permission::STORE_READ, Resource::Account);
        assert_eq!(denied, Decision::Denied(DenialReason::AccountClosed));
        // However often it is asked, it says the same, and advises no new attempt.
        for _ in 0..2 {
            let late = request(&by(OWNER), &[create_store("late")], at(2));
            let error = copy.execute(&late).unwrap_err();
            assert_eq!((error.code(), error.http_status()), ("account-erased", 410));
        }
    }
    let error = accounts.get(&account("acme")).unwrap_err();
    assert_eq!((error.code(), error.http_status()), ("account-erased", 410));
    for key in ["open", "again"] {
        let limit = GroupLimit::default();
        let opened = accounts.open(commit_id(key), account("acme"), member("eve"), limit, at(9));
        assert_eq!(opened.unwrap_err().code(), "account-erased");
    }
    // It is given up as soon as nobody has a handle to it, here and where a timer finds out.
    drop(handle);
    assert!(accounts.get(&account("acme")).is_err());
    assert!(accounts.held().is_empty());
    let timer = elsewhere(&kept);
    assert!(timer.held().is_empty());
    let error = accounts.erase(&account("nobody")).unwrap_err();
    assert_eq!(error.code(), "unknown-account");
    open_empty(&accounts, "beta");
}

/// U8: what was previewed is what is executed, or nothing: if the account has changed in between, the request is refused.
#[test]
fn u8_what_was_previewed_is_executed() {
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    let handle = open_with_ann(&accounts, "acme");
    let asked = |member: &str| request(&by(OWNER), &[take_out("devs", [member])], at(1));
    let (preview, first) = handle.preview(asked("ann")).unwrap();
    assert_eq!(preview.changes.len(), 1);
    let (_, second) = handle.preview(asked("ann")).unwrap();
    assert_eq!(handle.execute(&first).unwrap().records().len(), 1);
    let error = handle.execute(&second).unwrap_err();
    assert_eq!(
        (error.code(), error.http_status()),
        ("precondition-failed", 412)
    );
    let refused = handle.preview(request(&by("ann"), &[create_store("x")], at(1)));
    assert_eq!(refused.unwrap_err().code(), "not-authorized");
}

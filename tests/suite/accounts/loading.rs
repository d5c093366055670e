//! Accounts are loaded once, whatever happens meanwhile.

use std::cell::RefCell;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use grantbook::repository::*;
use grantbook::*;

use super::{account, open_empty, open_with_ann, realm_of, writes};
use crate::support::*;

/// U2: an account is loaded when it is first asked for, and is one copy from then on; an account that is not loaded
/// ignores notices and records.
#[test]
fn u2_an_account_is_loaded_once() {
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    assert!(realm.load(&kept, &account("acme")).unwrap().is_none());
    let mut elsewhere = open_with_ann(&kept, "acme");
    assert!(realm.loaded("acme").is_none());
    assert_eq!(realm.notify_version("acme", 9), None);
    let first = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert_eq!(first.as_of().behind, 0, "it has read all that is stored");
    let again = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &again));

    // A copy made elsewhere does not replace it, but shows how far behind it is.
    let asked = request(&by(OWNER), &[create_store("new")], at(1));
    let records = execute(&kept, &mut elsewhere, &asked).unwrap();
    let inserted = realm.insert(elsewhere.clone());
    assert!(Arc::ptr_eq(&first, &inserted));
    assert_eq!(inserted.as_of().behind, 1);
    inserted.ingest(&records[0]).map(drop).unwrap();
    assert_eq!(*inserted.read(), elsewhere);

    realm.forget("acme");
    assert!(realm.loaded("acme").is_none());
    assert_eq!(realm.ingest(&records[0]), Ok(None));
    let inserted = realm.insert(elsewhere);
    assert!(Arc::ptr_eq(&inserted, &realm.loaded("acme").unwrap()));
}

/// U2: a notice about an account that is being loaded is not lost.
#[test]
fn u2_a_notice_during_a_load_is_not_lost() {
    /// Reads, and before it answers, changes the account from elsewhere and sends a notice of that.
    struct Late<'a> {
        kept: &'a MemoryRepository,
        realm: &'a Realm,
        elsewhere: RefCell<Option<Replica>>,
    }
    impl Repository for Late<'_> {
        type Error = Infallible;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
            let tail = self.kept.records_after(id, version);
            if let Some(mut elsewhere) = self.elsewhere.take() {
                let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
                execute(self.kept, &mut elsewhere, &asked).unwrap();
                assert_eq!(self.realm.notify_version(id, elsewhere.version()), None);
            }
            tail
        }
        fn records_of(
            &self,
            id: &AccountId,
            commit: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            self.kept.records_of(id, commit)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.kept.commit(commit)
        }
    }
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    let elsewhere = open_with_ann(&kept, "acme");
    let late = Late {
        kept: &kept,
        realm: &realm,
        elsewhere: RefCell::new(Some(elsewhere)),
    };
    realm.load(&late, &account("acme")).unwrap().unwrap();
    assert!(!writes(&realm, "acme", "ann"));
    // The notice is forgotten with the load: a later load starts again.
    realm.forget("acme");
    let loaded = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert_eq!(loaded.as_of().behind, 0);
}

/// U2: a failing storage leaves nothing behind, and the next attempt is a new one.
#[test]
fn u2_a_load_that_fails_can_be_retried() {
    struct Fails;
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is gone")]
    struct DiskGone;
    impl Repository for Fails {
        type Error = DiskGone;
        fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, DiskGone> {
            Err(DiskGone)
        }
        fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
            Err(DiskGone)
        }
        fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
            Err(DiskGone)
        }
    }
    let kept = MemoryRepository::new();
    open_empty(&kept, "acme");
    let realm = realm_of(1_000);
    let error = realm.load(&Fails, &account("acme")).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(realm.notify_version("acme", 7), None);
    let loaded = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert_eq!(
        loaded.as_of().behind,
        0,
        "it was not being loaded when the notice came"
    );
}

/// U2: a copy that was left behind by a load that failed is caught up by the next caller who asks for it.
#[test]
fn u2_a_load_that_ends_early_leaves_no_stale_copy() {
    /// Returns one page; every call after it fails.
    struct OnePage<'a> {
        kept: &'a MemoryRepository,
        realm: &'a Realm,
        asked: RefCell<usize>,
    }
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is gone")]
    struct DiskGone;
    impl Repository for OnePage<'_> {
        type Error = DiskGone;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
            if self.asked.replace_with(|asked| *asked + 1) > 0 {
                return Err(DiskGone);
            }
            let tail = self.kept.records_after(id, version).map_err(|_| DiskGone);
            let mut elsewhere = load(self.kept, id).unwrap().unwrap();
            let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
            execute(self.kept, &mut elsewhere, &asked).unwrap();
            assert_eq!(self.realm.notify_version(id, elsewhere.version()), None);
            tail
        }
        fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
            Err(DiskGone)
        }
        fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
            Err(DiskGone)
        }
    }
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    open_with_ann(&kept, "acme");
    let one_page = OnePage {
        kept: &kept,
        realm: &realm,
        asked: RefCell::default(),
    };
    let error = realm.load(&one_page, &account("acme")).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert!(!writes(&realm, "acme", "ann"));
}

/// U2: the same holds over an asynchronous repository; and an account that is loaded and up to date is not read again.
#[test]
fn u2_an_account_that_is_up_to_date_is_not_read_again() {
    struct Counting(MemoryRepository, AtomicUsize);
    impl Repository for Counting {
        type Error = Infallible;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.records_after(id, version)
        }
        fn records_of(
            &self,
            id: &AccountId,
            commit: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            self.0.records_of(id, commit)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.0.commit(commit)
        }
    }
    fn at_once<T>(loading: impl Future<Output = T>) -> T {
        let mut loading = pin!(loading);
        match loading
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(loaded) => loaded,
            Poll::Pending => panic!("nothing has to be waited for"),
        }
    }
    let kept = SyncAsAsync(Counting(MemoryRepository::new(), AtomicUsize::new(0)));
    let mut elsewhere = open_with_ann(&kept.0.0, "acme");
    let realm = realm_of(1_000_000);
    let load = |id: &str| at_once(realm.load_async(&kept, &account(id))).unwrap();
    let reads = || kept.0.1.swap(0, Ordering::Relaxed);
    assert!(load("globex").is_none());
    assert_eq!(reads(), 1);
    // It is no longer being loaded, so a notice about it is ignored.
    assert_eq!(realm.notify_version("globex", 7), None);
    open_empty(&kept.0.0, "globex");
    load("globex").unwrap();
    assert_eq!(reads(), 1);
    let shared = load("acme").unwrap();
    assert_eq!(reads(), 1);
    assert!(Arc::ptr_eq(&shared, &load("acme").unwrap()));
    assert_eq!(reads(), 0);
    let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
    execute(&kept.0.0, &mut elsewhere, &asked).unwrap();
    let heard = realm.notify_version("acme", elsewhere.version());
    assert_eq!(heard, Some(Freshness::CatchUp { behind: 1 }));
    load("acme").unwrap();
    assert_eq!(reads(), 1);
    assert!(!writes(&realm, "acme", "ann"));
}

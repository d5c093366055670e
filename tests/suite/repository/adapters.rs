//! Repositories behind pointers, and those whose type is erased.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Debug;
use std::future::pending;
use std::sync::Arc;

use grantbook::repository::*;
use grantbook::*;

use super::asynchronous::block_on;
use super::scripted::{AlwaysFails, DiskGone, EveryThird};
use super::{acme, opened, owner};
use crate::support::*;

/// A repository behind a pointer is one, and so is one whose type is erased: all methods reach it.
#[test]
fn a_repository_behind_a_pointer_is_one() {
    let kept = Arc::new(MemoryRepository::new());
    let by_reference: &MemoryRepository = &kept;
    let by_box: Box<dyn Repository<Error = Infallible>> = Box::new(Arc::clone(&kept));
    let by_any = AnyRepository::new(Arc::clone(&kept));
    let mut account = opened(by_reference);
    let create = |id: &str| request(&owner(), &[create_store(id)], at(0));
    execute(&by_reference, &mut account, &create("a")).unwrap();
    execute(&kept, &mut account, &create("b")).unwrap();
    execute(&by_box, &mut account, &create("c")).unwrap();
    let asked = create("d");
    execute(&by_any, &mut account, &asked).unwrap();
    assert_eq!(load(&by_any, &acme()).unwrap().unwrap(), account);
    assert_eq!(account.version(), 5);
    let remembered = by_any.request(&acme(), &asked.key).unwrap().unwrap();
    assert!(remembered.is_of(&asked));
    assert_eq!((remembered.before, remembered.version), (4, 5));
    assert_eq!(by_any.erase(&acme()).unwrap(), EraseOutcome::NotClosed);
    assert_eq!(by_any.snapshot(&acme()).unwrap(), None);
    assert!(!by_any.wants_snapshot(0, 1_000));

    let fails = AnyRepository::new(AlwaysFails);
    let error = load(&fails, &acme()).unwrap_err();
    assert_eq!(error.to_string(), "the repository failed: the disk is gone");
    let RepositoryError::Storage(error) = error else {
        panic!("{error}")
    };
    let error = error.downcast_ref::<AnyError>().unwrap();
    assert!(error.downcast_ref::<DiskGone>().is_some());
    assert_eq!(error.source().unwrap().to_string(), "no such device");
    assert_eq!(fails.erase(&acme()).unwrap(), EraseOutcome::Unsupported);
}

/// A repository need not support snapshots; if it does, they are reached through every adapter.
#[test]
fn snapshots_are_reached_through_every_adapter() {
    fn has<R: Repository<Error: Debug>>(repository: &R) -> [bool; 3] {
        [
            repository.snapshot(&acme()).unwrap().is_some(),
            repository.wants_snapshot(2, 3),
            repository.wants_snapshot(3, 4),
        ]
    }
    fn waits<R: AsyncRepository>(repository: &R) -> [bool; 3] {
        [
            block_on(repository.snapshot(&acme())).unwrap().is_some(),
            repository.wants_snapshot(2, 3),
            repository.wants_snapshot(3, 4),
        ]
    }
    let kept = Arc::new(EveryThird(MemoryRepository::new()));
    let mut account = opened(&kept.0);
    let asked = request(&owner(), &["a", "b"].map(create_store), at(0));
    execute(&*kept, &mut account, &asked).unwrap();
    let erased = AnyRepository::new(Arc::clone(&kept));
    let blocking = Arc::new(SyncAsAsync(Arc::clone(&kept)));
    let erased_blocking = AnyAsyncRepository::new(Arc::clone(&blocking));
    let some = [true, true, false];
    assert_eq!(has(&&*kept), some);
    assert_eq!(has(&Box::new(&*kept)), some);
    assert_eq!(has(&kept), some);
    assert_eq!(has(&erased), some);
    assert_eq!(waits(&&*blocking), some);
    assert_eq!(waits(&Box::new(SyncAsAsync(&*kept))), some);
    assert_eq!(waits(&blocking), some);
    assert_eq!(waits(&erased_blocking), some);

    let [erased, erased_blocking] = [format!("{erased:?}"), format!("{erased_blocking:?}")];
    assert!(erased.starts_with("AnyRepository") && erased_blocking.starts_with("AnyAsyncRep"));
    assert_eq!(has(&AlwaysFails), [false; 3]);
    assert_eq!(waits(&AnyAsyncRepository::new(NoAnswer)), [false; 3]);
}

/// A repository that implements the required methods only, and never answers.
struct NoAnswer;

impl AsyncRepository for NoAnswer {
    type Error = Infallible;

    async fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, Infallible> {
        pending().await
    }

    async fn request(
        &self,
        _: &AccountId,
        _: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        pending().await
    }

    async fn commit(&self, _: &Commit) -> Result<CommitOutcome, Infallible> {
        pending().await
    }
}

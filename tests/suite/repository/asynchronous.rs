//! Asynchronous repositories.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use grantbook::repository::*;
use grantbook::*;

use super::scripted::AlwaysFails;
use super::{acme, owner};
use crate::support::*;

/// U2: an asynchronous repository keeps the same contract: another task may run wherever there is a wait.
#[test]
fn u2_an_asynchronous_repository_keeps_the_same_contract() {
    fn goes<T: Send>(waiting: T) -> T {
        waiting
    }
    let kept = Arc::new(MemoryRepository::new());
    let repository = Arc::new(Yielding(SyncAsAsync(Arc::clone(&kept))));
    let opening = open_async(
        &repository,
        commit_id("open"),
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    );
    let shared = Shared::new(block_on(goes(opening)).unwrap());
    let loaded = block_on(goes(load_async(&repository, &acme())))
        .unwrap()
        .unwrap();
    assert_eq!(*shared.read(), loaded);

    // Eight tasks on one thread, polled in turn, on one copy and over one storage.
    let asked: Vec<_> = (0..8)
        .map(|number| request(&owner(), &[create_store(&number.to_string())], at(0)))
        .collect();
    let tasks = asked
        .iter()
        .map(|request| goes(shared.execute_async(&repository, request)));
    for (records, asked) in all_of(tasks).into_iter().zip(&asked) {
        let records = records.unwrap();
        assert_eq!(kept.records_of(&acme(), &asked.commit).unwrap(), records);
    }
    assert_eq!(shared.read().version(), 9);
    assert_eq!(*shared.read(), load(&kept, &acme()).unwrap().unwrap());

    let mut elsewhere = loaded;
    execute(
        &kept,
        &mut elsewhere,
        &request(&owner(), &[create_store("x")], at(0)),
    )
    .unwrap();
    block_on(goes(shared.catch_up_async(&repository))).unwrap();
    assert_eq!(*shared.read(), elsewhere);
    assert!(!AsyncRepository::wants_snapshot(&repository, 0, 1_000));

    let erased = AnyAsyncRepository::new(Arc::clone(&repository));
    let loaded = block_on(goes(load_async(&erased, &acme())))
        .unwrap()
        .unwrap();
    assert_eq!(loaded, elsewhere);
    let refused = request(&by("eve"), &[create_store("y")], at(0));
    let error = block_on(shared.execute_async(&erased, &refused)).unwrap_err();
    assert_eq!(error.code(), "not-authorized");
    let again = block_on(shared.execute_async(&erased, &asked[0])).unwrap();
    assert_eq!(again, kept.records_of(&acme(), &asked[0].commit).unwrap());
    let new = request(&owner(), &[create_store("y")], at(0));
    let records = block_on(goes(shared.execute_async(&erased, &new))).unwrap();
    assert_eq!(records, kept.records_of(&acme(), &new.commit).unwrap());
    assert_eq!(records.len(), 1);
    assert!(!erased.wants_snapshot(0, 1_000));
    let fails = AnyAsyncRepository::new(SyncAsAsync(AlwaysFails));
    let error = block_on(load_async(&fails, &acme())).unwrap_err();
    assert_eq!(error.to_string(), "the repository failed: the disk is gone");
}

/// An asynchronous repository that yields before each answer.
struct Yielding<R>(R);

impl<R: AsyncRepository> AsyncRepository for Yielding<R> {
    type Error = R::Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
        others_first().await;
        self.0.snapshot(account).await
    }

    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, R::Error> {
        others_first().await;
        self.0.records_after(account, version).await
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, R::Error> {
        others_first().await;
        self.0.records_of(account, id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        others_first().await;
        self.0.commit(commit).await
    }
}

async fn others_first() {
    let mut is_first = true;
    std::future::poll_fn(|_| {
        if std::mem::take(&mut is_first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

pub(super) fn block_on<T>(task: impl Future<Output = T>) -> T {
    all_of([task]).remove(0)
}

/// Polls these in turn until all are done.
fn all_of<F: Future>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut tasks: Vec<_> = tasks
        .into_iter()
        .map(|task| (Box::pin(task), None))
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    while tasks.iter().any(|(_, output)| output.is_none()) {
        for (task, output) in &mut tasks {
            if output.is_none() {
                if let Poll::Ready(done) = task.as_mut().poll(&mut context) {
                    *output = Some(done);
                }
            }
        }
    }
    tasks.into_iter().filter_map(|(_, output)| output).collect()
}

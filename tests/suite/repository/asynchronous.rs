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
    let accounts = Accounts::builder(Arc::clone(&repository)).build_async();
    let opening = accounts.open(
        commit_id("open"),
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    );
    let shared = block_on(goes(opening)).unwrap();
    let elsewhere = Accounts::builder(Arc::clone(&repository)).build_async();
    let loaded = block_on(goes(elsewhere.get(&acme()))).unwrap();
    assert!(shared.with(|one| loaded.with(|other| one == other)));

    // Eight tasks on one thread, polled in turn, on one copy and over one storage.
    let asked: Vec<_> = (0..8)
        .map(|number| request(&owner(), &[create_store(&number.to_string())], at(0)))
        .collect();
    let tasks = asked.iter().map(|request| goes(shared.execute(request)));
    for (executed, asked) in all_of(tasks).into_iter().zip(&asked) {
        let executed = executed.unwrap();
        let remembered = kept.request(&acme(), &asked.key).unwrap().unwrap();
        assert!(remembered.is_of(asked));
        assert_eq!(remembered.version, executed.version());
    }
    assert_eq!(shared.version(), 9);
    let stored = load(&*kept, &acme()).unwrap().unwrap();
    assert!(shared.with(|account| *account == *stored));

    let mut third = stored;
    let x = request(&owner(), &[create_store("x")], at(0));
    execute(&*kept, &mut third, &x).unwrap();
    block_on(goes(shared.refresh())).unwrap();
    assert!(shared.with(|account| *account == *third));
    assert!(!AsyncRepository::wants_snapshot(&repository, 0, 1_000));

    let erased = Accounts::builder(AnyAsyncRepository::new(Arc::clone(&repository))).build_async();
    let loaded = block_on(goes(erased.refresh(&acme()))).unwrap();
    assert!(loaded.with(|account| *account == *third));
    let refused = request(&by("eve"), &[create_store("y")], at(0));
    let error = block_on(loaded.execute(&refused)).unwrap_err();
    assert_eq!(error.code(), "not-authorized");
    let again = block_on(loaded.execute(&asked[0])).unwrap();
    assert!(again.is_repeat());
    assert_eq!(again.records()[0], records_after(&*kept, &acme(), 1)[0]);
    let new = request(&owner(), &[create_store("y")], at(0));
    let executed = block_on(goes(loaded.execute(&new))).unwrap();
    assert_eq!(executed.records().len(), 1);
    assert!(!erased.repository().wants_snapshot(0, 1_000));
    block_on(loaded.execute(&request(&owner(), &[close()], at(1)))).unwrap();
    block_on(goes(erased.erase(&acme()))).unwrap();
    let error = block_on(shared.refresh()).unwrap_err();
    assert_eq!(error.code(), "account-erased");

    let fails = AnyAsyncRepository::new(SyncAsAsync(AlwaysFails));
    let error = block_on(Accounts::builder(fails).build_async().get(&acme())).unwrap_err();
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

    async fn request(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, R::Error> {
        others_first().await;
        self.0.request(account, id).await
    }

    async fn erase(&self, account: &AccountId) -> Result<EraseOutcome, R::Error> {
        others_first().await;
        self.0.erase(account).await
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

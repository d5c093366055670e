//! Copies of an account in several processes and threads: they may be stale, are never inconsistent, and report their
//! lag.

mod any_order;
mod ingesting;
mod panics;
mod sharing;
mod tasks;
mod threads;

use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;

use grantbook::repository::{
    AsyncRepository, Commit, CommitOutcome, MemoryRepository, RecordPage, Replica, Repository,
    Request, load, open,
};
use grantbook::*;

use crate::support::*;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn commit(id: impl ToString) -> IdempotencyKey {
    IdempotencyKey::parse(&id.to_string()).unwrap()
}

fn by_host(id: impl ToString, command: Command) -> Request {
    Request {
        commit: commit(id),
        actor: Actor::System,
        commands: vec![command],
        now: at(0),
        note: None,
    }
}

fn opened(kept: &MemoryRepository) -> Replica {
    let limit = GroupLimit::default();
    open(
        kept,
        commit("open"),
        acme(),
        member(OWNER),
        limit,
        at(1_000),
    )
    .unwrap()
}

fn loaded(kept: &MemoryRepository) -> Replica {
    load(kept, &acme()).unwrap().unwrap()
}

/// A repository that holds these records, each in a commit of its own.
fn keeping(records: &[Record]) -> MemoryRepository {
    let kept = MemoryRepository::new();
    keep(&kept, records);
    kept
}

fn keep(kept: &MemoryRepository, records: &[Record]) {
    for record in records {
        let commit = Commit::new(commit(record.version()), vec![record.clone()]).unwrap();
        assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Appended));
    }
}

fn records_of(kept: &MemoryRepository) -> Vec<Record> {
    match kept.records_after(&acme(), 0).unwrap() {
        RecordPage::Records { records, .. } => records,
        RecordPage::Compacted => panic!("records in memory stay"),
    }
}

/// The same record with another value in this field.
fn changed(record: &Record, field: &str, value: impl Into<serde_json::Value>) -> Record {
    let mut form = serde_json::to_value(record).unwrap();
    form[field] = value.into();
    serde_json::from_value(form).unwrap()
}

/// Yields once, and asks to be polled again at once.
async fn pause() {
    let mut is_over = false;
    poll_fn(|context| {
        if is_over {
            return Poll::Ready(());
        }
        is_over = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// An asynchronous repository that yields before each operation, and again before it answers.
struct Waited<'r, R>(&'r R);

impl<R: Repository<Error: Send + Sync> + Sync> AsyncRepository for Waited<'_, R> {
    type Error = R::Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
        pause().await;
        let answer = self.0.snapshot(account);
        pause().await;
        answer
    }

    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, R::Error> {
        pause().await;
        let answer = self.0.records_after(account, version);
        pause().await;
        answer
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, R::Error> {
        pause().await;
        let answer = self.0.records_of(account, id);
        pause().await;
        answer
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        pause().await;
        let answer = self.0.commit(commit);
        pause().await;
        answer
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.0.wants_snapshot(expected, version)
    }
}

/// The records that observers have seen.
#[derive(Default)]
struct Shown(Mutex<Vec<Record>>);

impl Shown {
    fn see(&self, before: &Account, record: &Record) {
        assert_eq!(before.version() + 1, record.version());
        self.0.lock().unwrap().push(record.clone());
    }
}

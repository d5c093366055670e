//! Repositories: opening, executing, retries, snapshots, failures.

mod adapters;
mod asynchronous;
mod commits;
mod executing;
mod failures;
mod opening;
mod retries;
mod scripted;
mod snapshots;

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn acme_of(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn owner() -> Actor {
    by(OWNER)
}

fn opened(repository: &MemoryRepository) -> Replica {
    open(
        repository,
        commit_id("open"),
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(1_000),
    )
    .unwrap()
}

/// A copy of the account of these records, loaded from a repository of its own.
fn kept_copy(records: &[Record]) -> Replica {
    let kept = MemoryRepository::new();
    store_history(&kept, records);
    load(&kept, &acme()).unwrap().unwrap()
}

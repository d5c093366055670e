//! Copies of an account: they may be stale, are never inconsistent, and report their lag.

mod any_order;
mod ingesting;

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn loaded(kept: &MemoryRepository) -> Replica {
    load(kept, &acme()).unwrap().unwrap()
}

/// A repository that holds these records.
fn keeping(records: &[Record]) -> MemoryRepository {
    let kept = MemoryRepository::new();
    store_history(&kept, records);
    kept
}

/// A copy that holds as many of these records, and hears of the others in another way.
fn copy_at(records: &[Record], version: usize) -> Replica {
    loaded(&keeping(&records[..version]))
}

/// The same record with another value in this field.
fn changed(record: &Record, field: &str, value: impl Into<serde_json::Value>) -> Record {
    let mut form = serde_json::to_value(record).unwrap();
    form[field] = value.into();
    serde_json::from_value(form).unwrap()
}

/// So many records of a history, and as many more as it takes to the end of their commit.
fn whole(records: &[Record], at_least: usize) -> usize {
    let rest = &records[at_least.max(1) - 1..];
    let more = rest.iter().position(|record| record.commit().is_last());
    at_least.max(1) + more.unwrap()
}

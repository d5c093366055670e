//! U: changes and their record.

mod batches;
mod bounds;
mod commits;
mod events;
mod order;
mod preconditions;
mod records;
mod refusals;
mod replay;
mod requests;
mod revisions;
mod snapshots;

use grantbook::*;

use crate::hostile::sealed;

fn replayed(records: &[Record]) -> Result<Account, ReplayError> {
    Account::replay(records)
}

/// The record, changed as JSON by somebody who knows how digests are made, to follow the record with this digest.
fn forged(record: &Record, before: &Digest, change: impl Fn(&mut serde_json::Value)) -> Record {
    let mut json = serde_json::to_value(record).unwrap();
    change(&mut json);
    sealed(&serde_json::from_value(json).unwrap(), before)
}

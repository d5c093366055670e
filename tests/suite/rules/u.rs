//! U: changes and their record.

mod batches;
mod bounds;
mod events;
mod order;
mod records;
mod refusals;
mod replay;
mod snapshots;

use grantbook::*;

fn replayed(records: &[Record]) -> Result<Account, ReplayError> {
    Account::replay(records)
}

/// The record, changed as JSON and read back.
fn forged(record: &Record, change: impl Fn(&mut serde_json::Value)) -> Result<Record, String> {
    let mut json = serde_json::to_value(record).unwrap();
    change(&mut json);
    serde_json::from_value(json).map_err(|error| error.to_string())
}

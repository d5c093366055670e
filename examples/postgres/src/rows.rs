//! From rows to what they hold, and none taken for what it is not.

use grantbook::repository::{Commit, Head, HeadState, StoredRequest};
use grantbook::{AccountId, Digest, Record, Snapshot};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;

use crate::error::{Error, InvalidRow};

/// A version as the database counts. None is ever wrapped or cut.
pub(crate) fn to_column(version: u64) -> Result<i64, Error> {
    i64::try_from(version).map_err(|_| Error::Version { version })
}

/// A version as the library counts. The schema lets none below 0 in, so that one changed by hand finds no record.
pub(crate) fn from_column(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

/// The records in rows of `version` and `record`, which must be those after this version, without a gap.
pub(crate) fn records(rows: &[Row], account: &AccountId, after: u64) -> Result<Vec<Record>, Error> {
    let mut records = Vec::with_capacity(rows.len());
    for (expected, row) in (after.saturating_add(1)..).zip(rows) {
        let record = record(row, account)?;
        if record.version() != expected {
            let (account, version) = (account.to_string(), expected);
            return Err(Error::Missing { account, version });
        }
        records.push(record);
    }
    Ok(records)
}

fn record(row: &Row, account: &AccountId) -> Result<Record, Error> {
    held(row, "record", account, |record: &Record| {
        (record.account(), record.version())
    })
}

/// The head in a row of `last`, `digest` and `state`, which are null where there is none.
pub(crate) fn head(row: &Row, account: &AccountId) -> Result<Option<Head>, Error> {
    let Some(version) = row.try_get::<_, Option<i64>>("last")? else {
        return Ok(None);
    };
    let (digest, state): (&str, &str) = (row.try_get("digest")?, row.try_get("state")?);
    let (Ok(digest), Some(state)) = (Digest::parse(digest), HeadState::from_text(state)) else {
        let account = account.to_string();
        return Err(Error::Head { account });
    };
    Ok(Some(Head {
        version: from_column(version),
        digest,
        state,
    }))
}

/// The request in a row of `version` and `request`.
pub(crate) fn request(row: &Row, account: &AccountId) -> Result<StoredRequest, Error> {
    let version: i64 = row.try_get("version")?;
    let text: &str = row.try_get("request")?;
    serde_json::from_str(text).map_err(|error| Error::Row {
        table: "request",
        account: account.to_string(),
        version,
        reason: error.into(),
    })
}

/// The snapshot in a row of `version` and `snapshot`.
pub(crate) fn snapshot(row: &Row, account: &AccountId) -> Result<Snapshot, Error> {
    held(row, "snapshot", account, |snapshot: &Snapshot| {
        (snapshot.account(), snapshot.version())
    })
}

/// What a row holds as JSON, if it is of the account and the version that the row is of.
fn held<T: DeserializeOwned>(
    row: &Row,
    table: &'static str,
    account: &AccountId,
    resource: impl Fn(&T) -> (&AccountId, u64),
) -> Result<T, Error> {
    let version: i64 = row.try_get("version")?;
    let unreadable = |reason| Error::Row {
        table,
        account: account.to_string(),
        version,
        reason,
    };
    let text: &str = row.try_get(table)?;
    let held = serde_json::from_str(text).map_err(|error| unreadable(error.into()))?;
    let (its_account, its_version) = resource(&held);
    if its_account == account && i64::try_from(its_version) == Ok(version) {
        return Ok(held);
    }
    Err(unreadable(InvalidRow::Elsewhere {
        account: its_account.to_string(),
        version: its_version,
    }))
}

/// The records of a commit as JSON, in the order of their versions.
pub(crate) fn written(commit: &Commit) -> Result<Vec<String>, Error> {
    let records = commit.records().iter();
    records
        .map(|record| serde_json::to_string(record).map_err(Error::Json))
        .collect()
}

//! What is kept under the keys, as JSON, and none taken for what it is not.

use std::borrow::Cow;

use etcd_client::KeyValue;
use grantbook::repository::{Commit, Head, StoredRequest};
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Part};

/// The records of a commit in one value: etcd takes 128 operations at once, and a batch may have 1,000 records.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitForm<'a> {
    records: Cow<'a, [Record]>,
}

pub(crate) fn written(commit: &Commit) -> Result<String, Error> {
    let form = CommitForm {
        records: Cow::Borrowed(commit.records()),
    };
    json(&form)
}

pub(crate) fn json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(Error::Json)
}

/// The records that are kept of this account under this version, which is the last one's: at least one.
pub(crate) fn records(
    kept: &KeyValue,
    account: &AccountId,
    version: u64,
) -> Result<Vec<Record>, Error> {
    let part = Part::Commit { version };
    let form: CommitForm<'_> = read(kept, account, part.clone())?;
    let records = form.records.into_owned();
    let is_of_it = |record: &Record| record.account() == account;
    let is_in_order = records.windows(2).all(|two| {
        let [one, next] = two else { return false };
        one.version().checked_add(1) == Some(next.version())
    });
    let ends_there = records.last().map(Record::version) == Some(version);
    if records.iter().all(is_of_it) && is_in_order && ends_there {
        return Ok(records);
    }
    let account = account.clone();
    Err(Error::Misplaced { account, part })
}

/// What is remembered of a request.
pub(crate) fn request(
    kept: &KeyValue,
    account: &AccountId,
    key: &IdempotencyKey,
) -> Result<StoredRequest, Error> {
    let part = Part::Request { key: key.clone() };
    let request: StoredRequest = read(kept, account, part.clone())?;
    if request.key == *key {
        return Ok(request);
    }
    let account = account.clone();
    Err(Error::Misplaced { account, part })
}

pub(crate) fn snapshot(kept: &KeyValue, account: &AccountId) -> Result<Snapshot, Error> {
    let snapshot: Snapshot = read(kept, account, Part::Snapshot)?;
    if snapshot.account() == account {
        return Ok(snapshot);
    }
    let (account, part) = (account.clone(), Part::Snapshot);
    Err(Error::Misplaced { account, part })
}

pub(crate) fn head(kept: &KeyValue, account: &AccountId) -> Result<Head, Error> {
    read(kept, account, Part::Head)
}

fn read<T: DeserializeOwned>(kept: &KeyValue, account: &AccountId, part: Part) -> Result<T, Error> {
    serde_json::from_slice(kept.value()).map_err(|reason| Error::Unreadable {
        account: account.clone(),
        part,
        reason,
    })
}

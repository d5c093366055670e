//! What is kept under the keys, as JSON, and none taken for what it is not.

use std::borrow::Cow;

use etcd_client::KeyValue;
use grantbook::repository::Commit;
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Part};

/// All of a commit in one value: etcd takes 128 operations at once, and a batch may have 1,000 records.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitForm<'a> {
    commit: Cow<'a, IdempotencyKey>,
    records: Cow<'a, [Record]>,
}

pub(crate) fn written(commit: &Commit) -> Result<String, Error> {
    let form = CommitForm {
        commit: Cow::Borrowed(commit.id()),
        records: Cow::Borrowed(commit.records()),
    };
    serde_json::to_string(&form).map_err(Error::Json)
}

/// The commit that is kept of this account up to this version.
pub(crate) fn commit(kept: &KeyValue, account: &AccountId, version: u64) -> Result<Commit, Error> {
    let part = Part::Commit { version };
    let form: CommitForm<'_> = read(kept, account, part.clone())?;
    Commit::new(form.commit.into_owned(), form.records.into_owned())
        .ok()
        .filter(|commit| commit.account() == account && commit.version() == version)
        .ok_or_else(|| {
            let account = account.clone();
            Error::Misplaced { account, part }
        })
}

pub(crate) fn snapshot(kept: &KeyValue, account: &AccountId) -> Result<Snapshot, Error> {
    let snapshot: Snapshot = read(kept, account, Part::Snapshot)?;
    if snapshot.account() == account {
        return Ok(snapshot);
    }
    let (account, part) = (account.clone(), Part::Snapshot);
    Err(Error::Misplaced { account, part })
}

/// The version of the last record of an account, or of a commit with an id.
pub(crate) fn version(kept: &KeyValue, account: &AccountId, part: Part) -> Result<u64, Error> {
    read(kept, account, part)
}

fn read<T: DeserializeOwned>(kept: &KeyValue, account: &AccountId, part: Part) -> Result<T, Error> {
    serde_json::from_slice(kept.value()).map_err(|reason| Error::Unreadable {
        account: account.clone(),
        part,
        reason,
    })
}

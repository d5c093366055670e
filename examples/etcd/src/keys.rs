//! Under which keys an account is kept.

use grantbook::{AccountId, IdempotencyKey};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};

/// What an id's bytes are written as `%2F` for: all but letters, digits, `-` and `_`. So no id reaches into the keys of
/// another, whatever it holds.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The keys below a prefix. What is watched comes first, so that nothing else is below it:
///
/// - `PREFIX/head/ACCOUNT`: where the account's chain of records stands.
/// - `PREFIX/commit/ACCOUNT/VERSION`: all records of a commit, by the version of its last, in 20 digits.
/// - `PREFIX/request/ACCOUNT/KEY`: what is remembered of the request with this key.
/// - `PREFIX/snapshot/ACCOUNT`: the latest snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    prefix: String,
}

impl Keys {
    pub(crate) fn below(prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        Self { prefix }
    }

    /// What the keys of all heads begin with, and no other key.
    pub(crate) fn heads(&self) -> String {
        format!("{}/head/", self.prefix)
    }

    pub(crate) fn head(&self, account: &AccountId) -> String {
        format!("{}/head/{}", self.prefix, escaped(account))
    }

    /// The account that this is the key of the head of.
    pub(crate) fn account(&self, head: &[u8]) -> Option<AccountId> {
        let escaped = head.strip_prefix(self.heads().as_bytes())?;
        let text = percent_decode(escaped).decode_utf8().ok()?;
        AccountId::parse(&text).ok()
    }

    pub(crate) fn commit(&self, account: &AccountId, version: u64) -> String {
        format!("{}{version:020}", self.commits(account))
    }

    /// The commits whose last record is after this version: the first key, and the first key after them.
    pub(crate) fn commits_after(&self, account: &AccountId, version: u64) -> (String, String) {
        let first = format!("{}\0", self.commit(account, version));
        let end = format!("{}:", self.commits(account)); // which comes after the digits
        (first, end)
    }

    /// The version in the key of a commit of this account.
    pub(crate) fn version(&self, account: &AccountId, commit: &[u8]) -> Option<u64> {
        let digits = commit.strip_prefix(self.commits(account).as_bytes())?;
        str::from_utf8(digits).ok()?.parse().ok()
    }

    pub(crate) fn request(&self, account: &AccountId, key: &IdempotencyKey) -> String {
        format!("{}{}", self.requests(account), escaped(key))
    }

    /// What the keys of all requests of an account begin with, and no other key.
    pub(crate) fn requests(&self, account: &AccountId) -> String {
        format!("{}/request/{}/", self.prefix, escaped(account))
    }

    pub(crate) fn snapshot(&self, account: &AccountId) -> String {
        format!("{}/snapshot/{}", self.prefix, escaped(account))
    }

    /// What the keys of all commits of an account begin with, and no other key.
    pub(crate) fn commits(&self, account: &AccountId) -> String {
        format!("{}/commit/{}/", self.prefix, escaped(account))
    }
}

fn escaped(id: &str) -> impl std::fmt::Display {
    utf8_percent_encode(id, ESCAPED)
}

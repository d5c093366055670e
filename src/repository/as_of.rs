//! Which state of an account a copy holds.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::id::AccountId;
use crate::time::Timestamp;
use crate::visible::Quoted;

/// Which state of an account a copy holds.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct AsOf {
    /// The version of the last record that it holds.
    pub version: u64,
    /// The time of that record.
    pub at: Timestamp,
    /// How many versions more it has heard of. There may be yet others, of which it has not. At least 1 where there is a
    /// problem.
    pub behind: u64,
    /// Why the last attempt to catch up failed: the storage cannot be reached, or holds a record that this version of
    /// your application cannot read. Or that something makes it doubtful what the repository holds: a change whose answer was
    /// lost, or a record of another branch.
    pub problem: Option<String>,
    /// Whether the copy denies everything, because it is not what the repository holds: it is on another branch
    /// ([U2](crate::docs::rules#U2)), or the account was erased ([A5](crate::docs::rules#A5)).
    pub is_diverged: bool,
}

/// A copy is older than it has to be, and does not answer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "this copy of account {} is at version {version}, and version {wanted} was wanted; catch up",
    Quoted(account)
)]
pub struct StaleError {
    /// The account.
    pub account: AccountId,
    /// The copy's version.
    pub version: u64,
    /// The version that was wanted.
    pub wanted: u64,
}

/// As one object: `code`, `http_status`, `message` and the fields.
impl Serialize for StaleError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("StaleError", 6)?;
        object.serialize_field("code", self.code())?;
        object.serialize_field("http_status", &self.http_status())?;
        object.serialize_field("message", &self.to_string())?;
        object.serialize_field("account", &self.account)?;
        object.serialize_field("version", &self.version)?;
        object.serialize_field("wanted", &self.wanted)?;
        object.end()
    }
}

impl StaleError {
    /// Returns a stable code: `stale`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "stale"
    }

    /// Returns 503, the status with which an HTTP service answers.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        503
    }
}

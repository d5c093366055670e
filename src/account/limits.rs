//! How much one account, one command and one batch may hold (A3, U7).

use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::NumberVisitor;

/// The most members, stores, grants or permissions that one command names, each counted by itself
/// ([U7](crate::docs::rules#U7)).
pub const MAX_ITEMS_PER_COMMAND: usize = 10_000;

/// The most commands that a batch holds ([U7](crate::docs::rules#U7)).
pub const MAX_BATCH: usize = 1_000;

/// How many groups an account may have: 1 to 4,096; 20 unless the application says otherwise
/// ([A3](crate::docs::rules#A3)).
///
/// ```
/// use grantbook::GroupLimit;
///
/// assert_eq!(GroupLimit::default().get(), 20);
/// assert_eq!(GroupLimit::new(300)?.get(), 300);
/// assert!(GroupLimit::new(0).is_err());
/// # Ok::<(), grantbook::GroupLimitError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct GroupLimit(u16);

impl<'de> Deserialize<'de> for GroupLimit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u16(NumberVisitor {
            expecting: "a number of groups from 1 to 4096",
            parse: |groups| Self::new(groups.try_into().ok()?).ok(),
        })
    }
}

impl GroupLimit {
    /// The highest limit that can be set.
    pub const HIGHEST: u16 = 4_096;

    /// Sets a limit of its own.
    ///
    /// # Errors
    /// `0` and `4097`.
    pub fn new(groups: u16) -> Result<Self, GroupLimitError> {
        if (1..=Self::HIGHEST).contains(&groups) {
            Ok(Self(groups))
        } else {
            Err(GroupLimitError { groups })
        }
    }

    /// The number of groups.
    #[must_use]
    pub fn get(self) -> u16 {
        self.0
    }
}

impl Default for GroupLimit {
    fn default() -> Self {
        Self(20)
    }
}

impl TryFrom<u16> for GroupLimit {
    type Error = GroupLimitError;

    fn try_from(groups: u16) -> Result<Self, Self::Error> {
        Self::new(groups)
    }
}

impl From<GroupLimit> for u16 {
    fn from(limit: GroupLimit) -> u16 {
        limit.0
    }
}

/// A number of groups that no account can be limited to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an account can be limited to 1 to 4096 groups, not to {groups}")]
pub struct GroupLimitError {
    groups: u16,
}

/// As one object: `code`, `http_status`, `message` and `groups`.
impl Serialize for GroupLimitError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("GroupLimitError", 4)?;
        object.serialize_field("code", self.code())?;
        object.serialize_field("http_status", &self.http_status())?;
        object.serialize_field("message", &self.to_string())?;
        object.serialize_field("groups", &self.groups)?;
        object.end()
    }
}

impl GroupLimitError {
    /// Returns a stable code: `bad-group-limit`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "bad-group-limit"
    }

    /// Returns 422, the status with which an HTTP service answers.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        422
    }
}

//! Where an account's chain of records stands.

use serde::{Deserialize, Serialize};

use crate::account::digest::Digest;
use crate::errors::error_field;

/// Where an account's chain of records stands. A repository keeps one for each account that was ever opened
/// ([U2](crate::docs::rules#U2), [A5](crate::docs::rules#A5)).
///
/// Every commit compares the head and sets it, also one without records. So nothing is ever committed on a branch that
/// is not the repository's, and an id whose account was erased is not used again.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The version of the last record.
    pub version: u64,
    /// The digest of the last record, which stands for all records up to it.
    pub digest: Digest,
    /// Whether there can be more records.
    pub state: HeadState,
}

/// Whether an account can change.
///
/// Exhaustive on purpose: a repository must keep all of them.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadState {
    /// The account is in use.
    Open,
    /// The account is closed. Its records are kept, and there will be no more of them.
    Closed,
    /// The account was closed, and then erased. Its records are kept no more; its id is not used again.
    Erased,
}

error_field!(HeadState: state => state.as_str());

impl HeadState {
    /// Returns the state as text: `open`, `closed` or `erased`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            HeadState::Open => "open",
            HeadState::Closed => "closed",
            HeadState::Erased => "erased",
        }
    }

    /// Reads what [`as_str`](HeadState::as_str) returns; `None` for any other text.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [HeadState::Open, HeadState::Closed, HeadState::Erased]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

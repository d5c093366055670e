//! Which of the records that were decided together a record is.

use serde::{Deserialize, Serialize};

use crate::account::limits::MAX_BATCH;
use crate::errors::error_field;

/// A record's place among the records that were decided together: number `k` of `n` ([U2](crate::docs::rules#U2)).
///
/// A command by itself is 1 of 1. The records of a batch are numbered from 1; a command that changes nothing has none.
/// Holding a place proves that 1 ≤ `k` ≤ `n` ≤ [`MAX_BATCH`](crate::MAX_BATCH).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(into = "PlaceRepr", try_from = "PlaceRepr")]
pub struct CommitPlace {
    number: usize,
    of: usize,
}

impl CommitPlace {
    /// The place of a record that was decided by itself.
    pub(crate) const SINGLE: Self = Self { number: 1, of: 1 };

    /// Returns the places of so many records, at most [`MAX_BATCH`], that were decided together.
    pub(crate) fn all(of: usize) -> impl Iterator<Item = Self> {
        (1..=of).map(move |number| Self { number, of })
    }

    /// Returns which of the records it is, counted from 1.
    #[must_use]
    pub fn number(self) -> usize {
        self.number
    }

    /// Returns how many records were decided together.
    #[must_use]
    pub fn of(self) -> usize {
        self.of
    }

    /// Returns whether no record of the same decision comes after this one.
    #[must_use]
    pub fn is_last(self) -> bool {
        self.number == self.of
    }

    /// Returns whether a record at this place can follow one at that place.
    pub(crate) fn follows(self, before: Self) -> bool {
        if before.is_last() {
            self.number == 1
        } else {
            self.number == before.number + 1 && self.of == before.of
        }
    }
}

error_field!(CommitPlace: place => format_args!("record {} of {}", place.number, place.of));

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlaceRepr {
    number: usize,
    of: usize,
}

impl From<CommitPlace> for PlaceRepr {
    fn from(CommitPlace { number, of }: CommitPlace) -> Self {
        Self { number, of }
    }
}

impl TryFrom<PlaceRepr> for CommitPlace {
    type Error = String;

    fn try_from(PlaceRepr { number, of }: PlaceRepr) -> Result<Self, String> {
        if (1..=of).contains(&number) && of <= MAX_BATCH {
            return Ok(Self { number, of });
        }
        Err(format!(
            "there is no record {number} of {of}; a commit holds 1 to {MAX_BATCH} records"
        ))
    }
}

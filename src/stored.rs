//! The forms that are stored, apart from the types that the code works with.
//!
//! A change of a working type that would change what is written does not compile until the form says what becomes of
//! it. Every field is always written, so that a format without field names reads back what was written. The page
//! `docs/design.md` says how a form may change.

pub(crate) mod v1;

use serde::{Deserialize, Deserializer, Serialize};

/// A number that says in which form something is written. A number that this version does not know is refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Format;

impl Format {
    const NUMBER: u32 = 1;
}

impl From<Format> for u32 {
    fn from(_: Format) -> u32 {
        Format::NUMBER
    }
}

impl TryFrom<u32> for Format {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        if number == Self::NUMBER {
            return Ok(Self);
        }
        Err(format!(
            "format {number} is not known to this version of grantbook, which reads format {}",
            Self::NUMBER
        ))
    }
}

/// A field that only development versions wrote, before format 1: whoever reads one is told so.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Unreleased;

impl<'de> Deserialize<'de> for Unreleased {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "this was written by a development version of grantbook, before format 1; it cannot be read",
        ))
    }
}

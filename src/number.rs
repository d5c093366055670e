//! Reading numbers, with words for what they count.

use std::fmt;

use serde::de::{Error, Unexpected, Visitor};

/// Reads a number that its type takes.
pub(crate) struct NumberVisitor<T> {
    /// What would do, for the message about what would not.
    pub(crate) expecting: &'static str,
    /// `None` for a number that it does not take.
    pub(crate) parse: fn(u64) -> Option<T>,
}

impl<T> Visitor<'_> for NumberVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        (self.parse)(number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

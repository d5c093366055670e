//! The host's clock, as the library sees it.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize};

use crate::errors::error_field;
use crate::number::NumberVisitor;

/// A moment, in milliseconds since the Unix epoch (UTC).
///
/// The library never reads a clock: the host passes the time with every command ([U6](crate::docs::rules#U6)). In an
/// account time never runs backwards ([U2](crate::docs::rules#U2)), so a command with a time far ahead keeps the
/// account there: look at a clock before trusting it. A time after [`Timestamp::MAX`], such as microseconds taken for
/// milliseconds, is refused.
///
/// ```
/// use grantbook::Timestamp;
/// use std::time::SystemTime;
///
/// let now = Timestamp::from(SystemTime::now());
/// assert!(now < now.plus_millis(1));
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(NumberVisitor {
            expecting: "milliseconds since the Unix epoch (a number, zero or more)",
            parse: |millis| Some(Self(millis)),
        })
    }
}

impl Timestamp {
    const DAY: u64 = 86_400_000;

    /// The last millisecond before the year 10000. No account takes a later time ([U2](crate::docs::rules#U2)).
    pub const MAX: Self = Self(253_402_300_799_999);

    /// The moment this many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The same moment as the standard library has it; `None` where the platform cannot represent one so late.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(self.0))
    }

    /// The day of this moment, in UTC: `2025-12-31`.
    pub(crate) fn day(self) -> String {
        let days = self.0 / Self::DAY;
        // Years begin in March here, so that a leap day is the last of its year. 719,468 days before 1970 begins year 0.
        let days = days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let is_next_year = month >= 10;
        let month = if is_next_year { month - 9 } else { month + 3 };
        let year = era * 400 + year + u64::from(is_next_year);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The moment this many milliseconds later; the last representable one where there is no such moment.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}

/// A time before the epoch counts as the epoch, and one too late to represent as the last moment.
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Self(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }
}

/// As RFC 3339 has it, in UTC: `2025-12-31T23:59:59.999Z`. After [`Timestamp::MAX`] the year has more than four digits.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.0 % Self::DAY;
        let (hours, minutes) = (of_day / 3_600_000, of_day / 60_000 % 60);
        let (seconds, millis) = (of_day / 1_000 % 60, of_day % 1_000);
        write!(
            f,
            "{}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z",
            self.day()
        )
    }
}

error_field!(Timestamp: time => time);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_calendar() {
        let times = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_234_567_890_123, "2009-02-13T23:31:30.123Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        ];
        for (millis, told) in times {
            assert_eq!(Timestamp::from_millis(millis).to_string(), told);
        }
    }
}

//! The host's clock, as the library sees it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::errors::error_field;

/// A moment, in milliseconds since the Unix epoch (UTC).
///
/// The library never reads a clock: the host passes the time with every command (U6). In an account time never runs
/// backwards (U2), so a command with a time far ahead keeps the account there: look at a clock before trusting it. A time
/// after [`Timestamp::MAX`], such as microseconds taken for milliseconds, is refused.
///
/// ```
/// use grantbook::Timestamp;
/// use std::time::SystemTime;
///
/// let now = Timestamp::from(SystemTime::now());
/// assert!(now < now.plus_millis(1));
/// ```
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The last millisecond before the year 10000. No account takes a later time (U2).
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

error_field!(Timestamp: time => format_args!("{} ms", time.as_millis()));

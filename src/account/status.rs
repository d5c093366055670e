//! A member's status in the account.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How a member stands in the account.
///
/// Exhaustive on purpose: an application that matches on it must handle each.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum MemberStatus {
    /// Holds what its groups grant, and everything if it is an Account Owner.
    Active {
        /// Whether it is an Account Owner.
        owner: bool,
    },
    /// Holds nothing and does nothing, and keeps its groups and its ownership until it is reinstated
    /// ([M8](crate::docs::rules#M8)).
    Suspended {
        /// Whether it is an Account Owner again when it is reinstated. Until then it is no active one
        /// ([A2](crate::docs::rules#A2)).
        owner: bool,
    },
    /// Holds nothing until it accepts ([M1](crate::docs::rules#M1)).
    Invited {
        /// Whether it becomes an Account Owner by accepting.
        as_owner: bool,
        /// From this moment on the invitation can no longer be accepted; never, if there is none
        /// ([M3](crate::docs::rules#M3)).
        #[serde(deserialize_with = "Option::deserialize")] // which must not be left out
        expires: Option<Timestamp>,
    },
}

impl MemberStatus {
    /// Whether the member is active.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, MemberStatus::Active { .. })
    }

    /// Whether the member is suspended.
    #[must_use]
    pub fn is_suspended(self) -> bool {
        matches!(self, MemberStatus::Suspended { .. })
    }

    /// Whether the member is invited and has not accepted.
    #[must_use]
    pub fn is_invited(self) -> bool {
        matches!(self, MemberStatus::Invited { .. })
    }

    /// Whether the member is an active Account Owner: one that is suspended is none.
    #[must_use]
    pub fn is_owner(self) -> bool {
        self == MemberStatus::Active { owner: true }
    }

    /// When this is an invitation that comes to an end by itself: when it does.
    #[must_use]
    pub fn expiry(self) -> Option<Timestamp> {
        match self {
            MemberStatus::Active { .. } | MemberStatus::Suspended { .. } => None,
            MemberStatus::Invited { expires, .. } => expires,
        }
    }

    /// Whether this is an invitation that has come to its end by then ([M3](crate::docs::rules#M3)).
    #[must_use]
    pub fn has_expired(self, now: Timestamp) -> bool {
        self.expiry().is_some_and(|expiry| expiry <= now)
    }
}

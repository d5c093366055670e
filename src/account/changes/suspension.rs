//! Suspending members and reinstating them ([M8](crate::docs::rules#M8)).

use crate::account::changes::existing::{member_exists, status};
use crate::account::changes::ownership::{ensure_accepted, ensure_not_last_owner};
use crate::account::changes::{Change, Outcome, command_and_event};
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::status::MemberStatus;
use crate::id::MemberId;
use crate::time::Timestamp;

command_and_event! {
    /// Suspends an active member: it holds nothing and does nothing, and keeps its groups and its ownership
    /// ([M8](crate::docs::rules#M8)). Takes `account.remove_members`.
    SuspendMember =>

    /// A member was suspended.
    MemberSuspended {
        /// The member; must not be the last active owner ([A2](crate::docs::rules#A2)), nor invited.
        member: MemberId,
    }
}

impl Change for MemberSuspended {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_accepted(data, &self.member)?;
        ensure_not_last_owner(data, &self.member)
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        self.has_no_noops(data).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        status(data, &self.member).is_some_and(MemberStatus::is_active)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        if let Some(MemberStatus::Active { owner }) = status(data, &self.member) {
            data.set_status(&self.member, MemberStatus::Suspended { owner });
        }
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

command_and_event! {
    /// Ends a member's suspension: it holds again what its groups grant, and its ownership if it has that
    /// ([M8](crate::docs::rules#M8)). Takes `account.remove_members`.
    ReinstateMember =>

    /// A member's suspension ended.
    MemberReinstated {
        /// The member; must not be invited.
        member: MemberId,
    }
}

impl Change for MemberReinstated {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_accepted(data, &self.member)
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        self.has_no_noops(data).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        status(data, &self.member).is_some_and(MemberStatus::is_suspended)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        if let Some(MemberStatus::Suspended { owner }) = status(data, &self.member) {
            data.set_status(&self.member, MemberStatus::Active { owner });
        }
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

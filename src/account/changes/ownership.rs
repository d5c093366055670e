//! Ownership ([A2](crate::docs::rules#A2), [M6](crate::docs::rules#M6)).

use crate::account::changes::existing::{member_exists, status};
use crate::account::changes::{Change, Outcome, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::status::MemberStatus;
use crate::id::MemberId;
use crate::time::Timestamp;

/// Some active owner is left without those who go (A2).
pub(super) fn ensure_owner_left<D: AccountData>(
    data: &D,
    goes: impl Fn(&MemberId) -> bool,
) -> Outcome {
    match data.owners().last() {
        Some(last) if data.owners().all(goes) => Err(CommandError::LastOwner {
            member: last.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Somebody else is an active owner (A2).
pub(super) fn ensure_not_last_owner<D: AccountData>(data: &D, member: &MemberId) -> Outcome {
    ensure_owner_left(data, |owner| owner == member)
}

/// The member is invited no more: active or suspended.
pub(super) fn ensure_accepted<D: AccountData>(data: &D, member: &MemberId) -> Outcome {
    if member_exists(data, member)?.status().is_invited() {
        return Err(CommandError::NotActive {
            member: member.clone(),
        });
    }
    Ok(())
}

pub(super) fn ensure_active<D: AccountData>(data: &D, member: &MemberId) -> Outcome {
    let entry = member_exists(data, member)?;
    let member = member.clone();
    match entry.status() {
        MemberStatus::Active { .. } => Ok(()),
        MemberStatus::Suspended { .. } => Err(CommandError::MemberSuspended { member }),
        MemberStatus::Invited { .. } => Err(CommandError::NotActive { member }),
    }
}

command_and_event! {
    /// Makes an active member an Account Owner ([M6](crate::docs::rules#M6)). Takes `account.manage_owners`.
    GrantOwnership =>

    /// An active member became an Account Owner.
    OwnershipGranted {
        /// The member.
        member: MemberId,
    }
}

impl Change for OwnershipGranted {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_active(data, &self.member)
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        self.has_no_noops(data).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        status(data, &self.member) == Some(MemberStatus::Active { owner: false })
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.set_status(&self.member, MemberStatus::Active { owner: true });
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

command_and_event! {
    /// Ends a member's ownership; it stays a member ([M6](crate::docs::rules#M6)). Takes `account.manage_owners`.
    ///
    /// To hand an account over, grant ownership first and revoke it second, in one batch; the other way round, the
    /// first command is refused ([A2](crate::docs::rules#A2)).
    RevokeOwnership =>

    /// A member's ownership ended; it is still a member.
    OwnershipRevoked {
        /// The owner, active or suspended; must not be the last active one ([A2](crate::docs::rules#A2)).
        member: MemberId,
    }
}

impl Change for OwnershipRevoked {
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
        match status(data, &self.member) {
            Some(MemberStatus::Active { owner } | MemberStatus::Suspended { owner }) => owner,
            Some(MemberStatus::Invited { .. }) | None => false,
        }
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        let is_suspended = status(data, &self.member).is_some_and(MemberStatus::is_suspended);
        let owner = false;
        let status = if is_suspended {
            MemberStatus::Suspended { owner }
        } else {
            MemberStatus::Active { owner }
        };
        data.set_status(&self.member, status);
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

//! Invitations ([M1](crate::docs::rules#M1) to [M4](crate::docs::rules#M4)).

use serde::{Deserialize, Serialize};

use crate::access::Resource;
use crate::account::actor::Actor;
use crate::account::changes::existing::{member_exists, status};
use crate::account::changes::{Change, Decide, Outcome, command_and_event, in_range};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::status::MemberStatus;
use crate::id::MemberId;
use crate::permission::Permission;
use crate::time::Timestamp;

command_and_event! {
    /// Invites someone ([M2](crate::docs::rules#M2)). Takes `account.invite_members`; to invite an owner,
    /// `account.manage_owners`.
    InviteMember =>

    /// Someone was invited. An earlier invitation that had expired is gone, with all that it promised
    /// ([M3](crate::docs::rules#M3)).
    MemberInvited {
        /// The person to invite; must not be a member or have a pending invitation.
        member: MemberId,
        /// Whether the person becomes an Account Owner by accepting.
        #[serde(default)]
        as_owner: bool,
        /// From this moment on the invitation can no longer be accepted ([M3](crate::docs::rules#M3)).
        #[serde(default)]
        expires: Option<Timestamp>,
    }
}

impl Change for MemberInvited {
    fn validate(&self, at: Timestamp) -> Outcome {
        match self.expires {
            Some(expires) if expires <= at => Err(CommandError::ExpiryPassed { expires, now: at }),
            Some(expires) => in_range(expires),
            None => Ok(()),
        }
    }

    fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
        let member = self.member.clone();
        if is_member(data, &member) {
            return Err(CommandError::AlreadyMember { member });
        }
        ensure_invitable(data, &member, at)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_member(&self.member);
        let status = MemberStatus::Invited {
            as_owner: self.as_owner,
            expires: self.expires,
        };
        data.insert_member(&self.member, status);
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

/// Whether this is a member who has no invitation any more: active or suspended.
pub(super) fn is_member<D: AccountData>(data: &D, member: &MemberId) -> bool {
    status(data, member).is_some_and(|status| !status.is_invited())
}

/// Nobody has a pending invitation. One that has expired is out of the way: what comes now starts from nothing (M3).
fn ensure_invitable<D: AccountData>(data: &D, member: &MemberId, at: Timestamp) -> Outcome {
    match status(data, member) {
        Some(status @ MemberStatus::Invited { .. }) if !status.has_expired(at) => {
            Err(CommandError::AlreadyInvited {
                member: member.clone(),
            })
        }
        Some(_) | None => Ok(()),
    }
}

/// Accepts the actor's own invitation ([M3](crate::docs::rules#M3)). You can't accept on someone else's behalf.
// It has braces so that its JSON is as strict as the others'.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {}

/// An invited member became active, in the groups it was placed in, and as owner if it was invited as one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvitationAccepted {
    /// The member.
    pub member: MemberId,
}

impl Decide for AcceptInvitation {
    type Event = InvitationAccepted;

    fn to_event<D: AccountData>(
        &self,
        _: &D,
        actor: &Actor,
    ) -> Result<InvitationAccepted, CommandError> {
        match actor {
            Actor::Member(member) => Ok(InvitationAccepted {
                member: member.clone(),
            }),
            Actor::System => Err(CommandError::NoInvitation {
                actor: actor.clone(),
            }),
        }
    }
}

impl Change for InvitationAccepted {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
        let member = self.member.clone();
        match member_exists(data, &member)?.status() {
            status if status.has_expired(at) => Err(CommandError::InvitationExpired { member }),
            MemberStatus::Invited { .. } => Ok(()),
            MemberStatus::Active { .. } | MemberStatus::Suspended { .. } => {
                Err(CommandError::AlreadyMember { member })
            }
        }
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        if let Some(MemberStatus::Invited { as_owner, .. }) = status(data, &self.member) {
            data.set_status(&self.member, MemberStatus::Active { owner: as_owner });
        }
    }

    fn can_be_caused_by(&self, actor: &Actor) -> bool {
        *actor == Actor::Member(self.member.clone())
    }

    fn may_raise_its_actor(&self) -> bool {
        true
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

command_and_event! {
    /// Cancels an invitation ([M3](crate::docs::rules#M3)). Takes `account.invite_members`; for an owner's invitation
    /// `account.manage_owners` too.
    CancelInvitation =>

    /// An invitation was cancelled; the person is unknown again.
    InvitationCancelled {
        /// The invited person; the invitation may have expired.
        member: MemberId,
    }
}

impl Change for InvitationCancelled {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn forbid<D: AccountData>(&self, data: &D, actor: &MemberId, at: Timestamp) -> Outcome {
        let pending = status(data, &self.member).filter(|status| !status.has_expired(at));
        let is_owners = matches!(pending, Some(MemberStatus::Invited { as_owner: true, .. }));
        if is_owners && !data.can(actor, &Permission::MANAGE_OWNERS, Resource::Account) {
            return Err(CommandError::OwnerInvitation {
                actor: actor.clone(),
                member: self.member.clone(),
            });
        }
        Ok(())
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        if !member_exists(data, &self.member)?.status().is_invited() {
            return Err(CommandError::NotInvited {
                member: self.member.clone(),
            });
        }
        Ok(())
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_member(&self.member);
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

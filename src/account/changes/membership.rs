//! Who is in the account, and who is in which group (M4, M5, M7, G9).

use std::collections::BTreeSet;

use crate::account::actor::Actor;
use crate::account::changes::existing::{group_exists, member_exists};
use crate::account::changes::invitations::{ensure_invitable, is_member};
use crate::account::changes::ownership::ensure_not_last_owner;
use crate::account::changes::{Change, Outcome, bounded, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::status::MemberStatus;
use crate::distinct;
use crate::id::{GroupId, MemberId};
use crate::time::Timestamp;

command_and_event! {
    /// Makes people active members at once, without invitations (M7). For [`Actor::System`] only.
    AddMembers =>

    /// People became active members without invitations (M7).
    MembersAdded {
        /// The people; those who are active or suspended stay as they are. Nobody with a pending invitation.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    }
}

impl Change for MembersAdded {
    fn validate(&self, _: Timestamp) -> Outcome {
        bounded(self.members.len())
    }

    fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
        let mut members = self.members.iter();
        members.try_for_each(|member| ensure_invitable(data, member, at))
    }

    fn without_noops<D: AccountData>(mut self, data: &D) -> Option<Self> {
        self.members.retain(|member| !is_member(data, member));
        (!self.members.is_empty()).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        let mut members = self.members.iter();
        !self.members.is_empty() && members.all(|member| !is_member(data, member))
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        for member in &self.members {
            data.remove_member(member);
            data.insert_member(member, MemberStatus::Active { owner: false });
        }
    }

    fn can_be_caused_by(&self, actor: &Actor) -> bool {
        *actor == Actor::System
    }

    fn names_member(&self, id: &str) -> bool {
        self.members.contains(id)
    }
}

command_and_event! {
    /// Removes a member, active or invited, from the account and all its groups (M5). Takes `account.remove_members`.
    RemoveMember =>

    /// A member was removed from the account and all its groups (M5).
    MemberRemoved {
        /// The member; must not be the last active owner (A2).
        member: MemberId,
    }
}

impl Change for MemberRemoved {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_not_last_owner(data, &self.member)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_member(&self.member);
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

command_and_event! {
    /// Puts members, active or invited, in a group (M4, G9). Takes `account.manage_groups`; nobody adds itself (E1).
    AddToGroup =>

    /// Members were put in a group.
    AddedToGroup {
        /// The group.
        group: GroupId,
        /// The members; those already in the group stay.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    }
}

/// The group and all these members exist.
fn all_exist<D: AccountData>(data: &D, group: &GroupId, members: &BTreeSet<MemberId>) -> Outcome {
    group_exists(data, group)?;
    let mut members = members.iter();
    members.try_for_each(|member| member_exists(data, member).map(drop))
}

impl Change for AddedToGroup {
    fn validate(&self, _: Timestamp) -> Outcome {
        bounded(self.members.len())
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        all_exist(data, &self.group, &self.members)
    }

    fn forbid<D: AccountData>(&self, _: &D, actor: &MemberId, _: Timestamp) -> Outcome {
        if self.members.contains(actor) {
            return Err(CommandError::SelfAddition {
                actor: actor.clone(),
                group: self.group.clone(),
            });
        }
        Ok(())
    }

    fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
        for member in &self.members {
            let has_expired = member_exists(data, member)?.status().has_expired(at);
            if has_expired && !data.is_in_group(member, &self.group) {
                return Err(CommandError::InvitationExpired {
                    member: member.clone(),
                });
            }
        }
        Ok(())
    }

    fn without_noops<D: AccountData>(mut self, data: &D) -> Option<Self> {
        self.members
            .retain(|member| !data.is_in_group(member, &self.group));
        (!self.members.is_empty()).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        let mut members = self.members.iter();
        !self.members.is_empty() && members.all(|member| !data.is_in_group(member, &self.group))
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.set_in_group(&self.group, &self.members, true);
    }

    fn names_member(&self, id: &str) -> bool {
        self.members.contains(id)
    }
}

command_and_event! {
    /// Takes members out of a group (G9). Takes `account.manage_groups`.
    RemoveFromGroup =>

    /// Members were taken out of a group.
    RemovedFromGroup {
        /// The group.
        group: GroupId,
        /// The members; those not in the group stay out.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    }
}

impl Change for RemovedFromGroup {
    fn validate(&self, _: Timestamp) -> Outcome {
        bounded(self.members.len())
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        all_exist(data, &self.group, &self.members)
    }

    fn without_noops<D: AccountData>(mut self, data: &D) -> Option<Self> {
        self.members
            .retain(|member| data.is_in_group(member, &self.group));
        (!self.members.is_empty()).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        let mut members = self.members.iter();
        !self.members.is_empty() && members.all(|member| data.is_in_group(member, &self.group))
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.set_in_group(&self.group, &self.members, false);
    }

    fn names_member(&self, id: &str) -> bool {
        self.members.contains(id)
    }
}

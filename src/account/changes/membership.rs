//! Who is in the account, and who is in which group ([M4](crate::docs::rules#M4), [M5](crate::docs::rules#M5),
//! [M7](crate::docs::rules#M7), [G9](crate::docs::rules#G9)).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::account::actor::Actor;
use crate::account::changes::existing::{group_exists, member_exists, members_exist};
use crate::account::changes::invitations::is_member;
use crate::account::changes::ownership::{ensure_active, ensure_not_last_owner, ensure_owner_left};
use crate::account::changes::{Change, Decide, Outcome, bounded, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::limits::MAX_ITEMS_PER_COMMAND;
use crate::account::status::MemberStatus;
use crate::distinct;
use crate::id::{GroupId, MemberId};
use crate::time::Timestamp;

/// Makes people active members at once, without invitations ([M7](crate::docs::rules#M7)). For [`Actor::System`] only.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddMembers {
    /// The people. Those who are active or suspended stay as they are; an invitation ends, and its member starts from
    /// nothing.
    #[serde(deserialize_with = "distinct::set")]
    pub members: BTreeSet<MemberId>,
}

/// People became active members without invitations ([M7](crate::docs::rules#M7)).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MembersAdded {
    /// The people who were not active or suspended.
    pub members: BTreeSet<MemberId>,
    /// The invitations of theirs that ended by it, in the order of the members' ids.
    pub ended: Vec<EndedInvitation>,
}

/// An invitation that ended because its member was added without one ([M7](crate::docs::rules#M7)), and what it had
/// promised.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EndedInvitation {
    /// The member.
    pub member: MemberId,
    /// Whether it would have become an Account Owner by accepting.
    pub as_owner: bool,
    /// The groups that it had been placed in.
    pub groups: BTreeSet<GroupId>,
}

/// The invitations of these members, pending or expired.
fn invitations<D: AccountData>(data: &D, members: &BTreeSet<MemberId>) -> Vec<EndedInvitation> {
    let found = members.iter().filter_map(|id| {
        let entry = data.member(id)?;
        match entry.status() {
            MemberStatus::Invited { as_owner, .. } => Some((id, entry, as_owner)),
            MemberStatus::Active { .. } | MemberStatus::Suspended { .. } => None,
        }
    });
    let mut found = found.peekable();
    if found.peek().is_none() {
        return Vec::new();
    }
    let groups = data.groups_by_slot();
    let ended = found.map(|(member, entry, as_owner)| EndedInvitation {
        member: member.clone(),
        as_owner,
        groups: D::groups_in(&groups, entry).cloned().collect(),
    });
    ended.collect()
}

impl Decide for AddMembers {
    type Event = MembersAdded;

    fn to_event<D: AccountData>(&self, data: &D, _: &Actor) -> Result<MembersAdded, CommandError> {
        bounded(self.members.len())?;
        Ok(MembersAdded {
            members: self.members.clone(),
            ended: invitations(data, &self.members),
        })
    }
}

impl Change for MembersAdded {
    fn validate(&self, _: Timestamp) -> Outcome {
        bounded(self.members.len())
    }

    fn without_noops<D: AccountData>(mut self, data: &D) -> Option<Self> {
        self.members.retain(|member| !is_member(data, member));
        (!self.members.is_empty()).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        let mut members = self.members.iter();
        !self.members.is_empty()
            && members.all(|member| !is_member(data, member))
            && self.ended == invitations(data, &self.members)
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
    /// Removes members, active, suspended or invited, from the account and all its groups
    /// ([M5](crate::docs::rules#M5)). Takes `account.remove_members`.
    RemoveMembers =>

    /// Members were removed from the account and all its groups ([M5](crate::docs::rules#M5)).
    MembersRemoved {
        /// The members, all of whom must be there; some active owner must be left ([A2](crate::docs::rules#A2)).
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    }
}

impl Change for MembersRemoved {
    fn validate(&self, _: Timestamp) -> Outcome {
        bounded(self.members.len())
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        members_exist(data, &self.members)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_owner_left(data, |owner| self.members.contains(owner))
    }

    fn without_noops<D: AccountData>(self, _: &D) -> Option<Self> {
        (!self.members.is_empty()).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, _: &D) -> bool {
        !self.members.is_empty()
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        for member in &self.members {
            data.remove_member(member);
        }
    }

    fn names_member(&self, id: &str) -> bool {
        self.members.contains(id)
    }
}

/// Takes the actor out of the account and all its groups ([M5](crate::docs::rules#M5)). For an active member, whatever
/// it holds. You can't leave on someone else's behalf; whoever is invited lets the invitation end.
// It has braces so that its JSON is as strict as the others'.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeaveAccount {}

/// A member left the account and all its groups ([M5](crate::docs::rules#M5)).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MemberLeft {
    /// The member.
    pub member: MemberId,
}

impl Decide for LeaveAccount {
    type Event = MemberLeft;

    fn to_event<D: AccountData>(&self, _: &D, actor: &Actor) -> Result<MemberLeft, CommandError> {
        match actor {
            Actor::Member(member) => Ok(MemberLeft {
                member: member.clone(),
            }),
            Actor::System => Err(CommandError::NoMembership),
        }
    }
}

impl Change for MemberLeft {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        member_exists(data, &self.member).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_active(data, &self.member)?;
        ensure_not_last_owner(data, &self.member)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_member(&self.member);
    }

    fn can_be_caused_by(&self, actor: &Actor) -> bool {
        *actor == Actor::Member(self.member.clone())
    }

    fn names_member(&self, id: &str) -> bool {
        self.member.as_str() == id
    }
}

command_and_event! {
    /// Puts members, active, suspended or invited, in a group ([M4](crate::docs::rules#M4),
    /// [G9](crate::docs::rules#G9)). Takes `account.manage_groups`; nobody adds itself ([E1](crate::docs::rules#E1)).
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
    members_exist(data, members)
}

/// Nobody adds itself (E1).
fn ensure_not_itself(actor: &MemberId, group: &GroupId, members: &BTreeSet<MemberId>) -> Outcome {
    if members.contains(actor) {
        return Err(CommandError::SelfAddition {
            actor: actor.clone(),
            group: group.clone(),
        });
    }
    Ok(())
}

/// Nobody comes into a group whose invitation has expired (M4).
fn ensure_not_expired<D: AccountData>(
    data: &D,
    group: &GroupId,
    members: &BTreeSet<MemberId>,
    at: Timestamp,
) -> Outcome {
    for member in members {
        let has_expired = member_exists(data, member)?.status().has_expired(at);
        if has_expired && !data.is_in_group(member, group) {
            return Err(CommandError::InvitationExpired {
                member: member.clone(),
            });
        }
    }
    Ok(())
}

impl Change for AddedToGroup {
    fn validate(&self, _: Timestamp) -> Outcome {
        bounded(self.members.len())
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        all_exist(data, &self.group, &self.members)
    }

    fn forbid<D: AccountData>(&self, _: &D, actor: &MemberId, _: Timestamp) -> Outcome {
        ensure_not_itself(actor, &self.group, &self.members)
    }

    fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
        ensure_not_expired(data, &self.group, &self.members, at)
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
    /// Takes members out of a group ([G9](crate::docs::rules#G9)). Takes `account.manage_groups`.
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

/// Makes these the members of a group, and no others ([G11](crate::docs::rules#G11)): for a directory that says who is
/// in it. Takes `account.manage_groups`; nobody adds itself ([E1](crate::docs::rules#E1)).
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetGroupMembers {
    /// The group.
    pub group: GroupId,
    /// All members that the group is to have.
    #[serde(deserialize_with = "distinct::set")]
    pub members: BTreeSet<MemberId>,
}

/// Members were put in a group and others taken out ([G11](crate::docs::rules#G11)).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupMembersSet {
    /// The group.
    pub group: GroupId,
    /// Those who came.
    pub added: BTreeSet<MemberId>,
    /// Those who went.
    pub removed: BTreeSet<MemberId>,
}

impl Decide for SetGroupMembers {
    type Event = GroupMembersSet;

    /// Who would come and go is counted first: a large group is not listed for a command that is refused (U7).
    fn to_event<D: AccountData>(
        &self,
        data: &D,
        _: &Actor,
    ) -> Result<GroupMembersSet, CommandError> {
        bounded(self.members.len())?;
        let members = self.members.iter();
        let added = members.filter(|member| !data.is_in_group(member, &self.group));
        let added: BTreeSet<MemberId> = added.cloned().collect();
        let mut removed = BTreeSet::new();
        if let Some(group) = data.group(&self.group) {
            let staying = self.members.len() - added.len();
            let changed = data.member_count_of(group) - staying + added.len();
            if changed > MAX_ITEMS_PER_COMMAND {
                return Err(CommandError::TooManyChanged { changed });
            }
            let indexes = data.members_of(group);
            let current = indexes.iter().filter_map(|index| data.member_id(index));
            removed.extend(current.filter(|id| !self.members.contains(*id)).cloned());
        }
        Ok(GroupMembersSet {
            group: self.group.clone(),
            added,
            removed,
        })
    }
}

impl Change for GroupMembersSet {
    fn validate(&self, _: Timestamp) -> Outcome {
        let changed = self.added.len() + self.removed.len();
        if changed > MAX_ITEMS_PER_COMMAND {
            return Err(CommandError::TooManyChanged { changed });
        }
        Ok(())
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        all_exist(data, &self.group, &self.added)?;
        members_exist(data, &self.removed)
    }

    fn forbid<D: AccountData>(&self, _: &D, actor: &MemberId, _: Timestamp) -> Outcome {
        ensure_not_itself(actor, &self.group, &self.added)
    }

    fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
        ensure_not_expired(data, &self.group, &self.added, at)
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        self.has_no_noops(data).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        let is_in = |member: &MemberId| data.is_in_group(member, &self.group);
        let is_change = !self.added.is_empty() || !self.removed.is_empty();
        let is_new = |member: &MemberId| !is_in(member);
        is_change && self.added.iter().all(is_new) && self.removed.iter().all(is_in)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.set_in_group(&self.group, &self.added, true);
        data.set_in_group(&self.group, &self.removed, false);
    }

    fn names_member(&self, id: &str) -> bool {
        self.added.contains(id) || self.removed.contains(id)
    }
}

//! What an account holds, and the one trait through which rules, questions and changes see it.
//!
//! A [`State`](state::State) owns plain rows and the index that is derived from them; a [`Draft`](draft::Draft) is a
//! state with changes on top. Only this module and its children know of slots and of the index.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::hash::Hash;

use roaring::RoaringBitmap;

use crate::access::Resource;
use crate::account::commit_place::CommitPlace;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::member_slab::MemberIndex;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::digest::Digest;
use crate::account::limits::GroupLimit;
use crate::grant::{Grant, Scope};
use crate::id::{AccountId, GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::{Role, RoleLevel};
use crate::time::Timestamp;

pub(crate) mod affected;
pub(crate) mod classes;
pub(crate) mod draft;
mod estimate;
pub(crate) mod grant_index;
pub(crate) mod hash;
mod id_map;
mod inline_key;
mod invariants;
pub(crate) mod member;
pub(crate) mod member_slab;
mod ordered_members;
pub(crate) mod slots;
pub(crate) mod state;
mod store_table;
mod uuid_key;
pub(crate) mod writes;

/// What an account is, apart from what it holds.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) id: AccountId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    /// The place of the last record in its commit.
    pub(crate) commit: CommitPlace,
    /// The digest of the last record.
    pub(crate) digest: Digest,
    pub(crate) group_limit: GroupLimit,
    pub(crate) condition: Condition,
}

/// Whether the account, or this copy of it, answers at all.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Condition {
    Open,
    /// There is no record after the closing (A5).
    Closed,
    /// This copy does not hold what its repository holds (U2).
    Diverged,
    /// The account was closed, whether this copy held the closing or not, and its repository keeps it no more (A5).
    Erased,
}

impl Header {
    pub(crate) fn is_open(&self) -> bool {
        self.condition == Condition::Open
    }

    /// Before the first record.
    pub(crate) fn unopened(id: AccountId) -> Self {
        Self {
            id,
            version: 0,
            at: Timestamp::default(),
            commit: CommitPlace::SINGLE,
            digest: Digest::ZERO,
            group_limit: GroupLimit::default(),
            condition: Condition::Open,
        }
    }
}

/// What the account holds of a group. Its members and grants are rows of their own, so that to touch a group copies
/// little.
#[derive(Clone, Debug)]
pub(crate) struct GroupEntry {
    slot: Slot,
    pub(crate) name: GroupName,
    pub(crate) description: Description,
}

/// The versions of the last records that changed a group (U8).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Revisions {
    /// Its name, its description or its grants.
    pub(crate) definition: u64,
    /// Who is in it.
    pub(crate) membership: u64,
}

/// What the account holds of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoreEntry {
    pub(crate) index: GrantIndex,
    /// The text that every scope shares, so that the account keeps it once.
    pub(crate) id: StoreId,
}

impl StoreEntry {
    /// In no scope.
    pub(crate) fn new(id: StoreId) -> Self {
        let index = GrantIndex::default();
        Self { index, id }
    }
}

/// An account's rows: the account itself, or a draft of what it would be.
///
/// The first half reads and writes one row each; each implementation has its own. The second half is written once, over
/// the first. [`writes`] keeps the rows and the index in step.
pub(crate) trait AccountData: Sized {
    fn header(&self) -> &Header;
    fn header_mut(&mut self) -> &mut Header;

    fn member(&self, id: &str) -> Option<&MemberEntry>;
    fn member_mut(&mut self, id: &MemberId) -> Option<&mut MemberEntry>;
    fn set_member(&mut self, id: &MemberId, entry: Option<MemberEntry>);
    fn member_id(&self, index: MemberIndex) -> Option<&MemberId>;
    fn give_index(&mut self, id: &MemberId) -> Option<MemberIndex>;
    fn free_index(&mut self, index: MemberIndex);
    /// The active account owners.
    fn owners(&self) -> impl Iterator<Item = &MemberId>;
    fn set_owner(&mut self, id: &MemberId, is_owner: bool);
    fn bitmap(&self, slot: Slot) -> Cow<'_, RoaringBitmap>;
    fn bitmap_len(&self, slot: Slot) -> usize;
    fn has_membership(&self, slot: Slot, member: MemberIndex) -> bool;
    fn set_membership(&mut self, slot: Slot, member: MemberIndex, is_in: bool);

    fn store(&self, id: &str) -> Option<&StoreEntry>;
    /// Changes a store, if it is there.
    fn change_store(&mut self, id: &StoreId, change: impl FnOnce(&mut StoreEntry));
    fn set_store(&mut self, id: &StoreId, entry: Option<StoreEntry>);
    fn stores(&self) -> impl Iterator<Item = (&StoreId, &StoreEntry)>;
    /// What is granted at the account itself.
    fn account_index(&self) -> &GrantIndex;
    fn account_index_mut(&mut self) -> &mut GrantIndex;

    fn group(&self, id: &str) -> Option<&GroupEntry>;
    fn group_mut(&mut self, id: &GroupId) -> Option<&mut GroupEntry>;
    fn set_group(&mut self, id: &GroupId, entry: Option<GroupEntry>);
    fn groups(&self) -> impl Iterator<Item = (&GroupId, &GroupEntry)>;
    fn group_count(&self) -> usize;
    fn slots(&self) -> &SlotSet;
    fn slots_mut(&mut self) -> &mut SlotSet;
    fn group_by_folded_name(&self, folded: &str) -> Option<&GroupId>;
    fn set_group_name(&mut self, folded: &str, group: Option<&GroupId>);

    /// The level of this role, if the group in this slot carries it.
    fn grant(&self, slot: Slot, role: &RoleId) -> Option<RoleLevel>;
    /// The roles that the group in this slot carries, in the order of ids.
    fn roles_in(&self, slot: Slot) -> impl Iterator<Item = &RoleId>;
    /// The scope of this role, if the group in this slot carries it.
    fn scope_of(&self, slot: Slot, role: &RoleId) -> Option<Cow<'_, Scope>>;
    /// Starts a grant, or ends one.
    fn set_grant(&mut self, slot: Slot, role: &RoleId, scope: Option<Scope>);
    /// Puts a store into the scope of this grant, or takes it out.
    fn set_in_scope(&mut self, slot: Slot, role: &RoleId, store: &StoreId, is_in: bool);

    fn role(&self, id: &str) -> Option<&Role>;
    fn role_mut(&mut self, id: &RoleId) -> Option<&mut Role>;
    fn set_role(&mut self, id: &RoleId, role: Option<Role>);
    fn roles(&self) -> impl Iterator<Item = (&RoleId, &Role)>;
    fn role_by_folded_name(&self, folded: &str) -> Option<&RoleId>;
    fn set_role_name(&mut self, folded: &str, role: Option<&RoleId>);
    /// Whether one of the roles that name this permission is meant.
    fn any_holder<P>(&self, permission: &P, is_meant: impl FnMut(&RoleId) -> bool) -> bool
    where
        Permission: Borrow<P>,
        P: Hash + Ord + ?Sized;
    /// Whether there may be a role that names a permission of three or more segments.
    fn has_extensions(&self) -> bool;
    fn set_holder(&mut self, permission: &Permission, role: &RoleId, is_holder: bool);

    // Written once, over the rows.

    /// The application's clock, but never before the last record (U2).
    fn not_before(&self, now: Timestamp) -> Timestamp {
        now.max(self.header().at)
    }

    #[inline]
    fn index(&self, resource: Resource<&str>) -> Option<&GrantIndex> {
        match resource {
            Resource::Account => Some(self.account_index()),
            Resource::Store(id) => self.store(id).map(|store| &store.index),
        }
    }

    /// The place among the actions of the one by which this permission is held, if no other can give it.
    #[inline]
    fn deciding_action(&self, permission: &Permission) -> Option<usize> {
        permission.store_action().or_else(|| {
            // As long as no role names so long a permission, this decides (L7).
            let extended = permission.extended_action();
            extended.filter(|_| !self.has_extensions())
        })
    }

    /// Whether the member may use the permission where this is granted.
    #[inline]
    fn holds(&self, member: &MemberEntry, permission: &Permission, index: &GrantIndex) -> bool {
        let is_granted = match self.deciding_action(permission) {
            Some(action) => index
                .action(action)
                .is_some_and(|groups| member.is_in_any(groups)),
            None => self.holds_by_role(member, permission, index),
        };
        self.may(member, is_granted)
    }

    /// Whether the member may do what is granted to it, or to nobody.
    #[inline]
    fn may(&self, member: &MemberEntry, is_granted: bool) -> bool {
        // Without branches: nobody can predict the answer.
        member.is_active() & (member.is_owner() | is_granted) & self.header().is_open()
    }

    /// As [`holds`](AccountData::holds), where the permission is to be used; never where nothing is.
    #[inline]
    fn holds_at(
        &self,
        member: &MemberEntry,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> bool {
        let index = self.index(resource);
        index.is_some_and(|index| self.holds(member, permission, index))
    }

    /// As [`holds`](AccountData::holds), of a permission that has no set of its own. Apart from it, so that the usual
    /// check stays short.
    #[inline(never)]
    fn holds_by_role(
        &self,
        member: &MemberEntry,
        permission: &Permission,
        index: &GrantIndex,
    ) -> bool {
        if permission.is_extension() {
            return self.holds_by_extended(member, permission, index);
        }
        self.any_holder(permission, |role| {
            let groups = index.role(role);
            groups.is_some_and(|groups| member.is_in_any(groups))
        })
    }

    /// As [`holds_by_role`](AccountData::holds_by_role), of a permission that extends others (L7). More than the
    /// shortest of them is looked up only where a role names something so long.
    #[inline(never)]
    fn holds_by_extended(
        &self,
        member: &MemberEntry,
        permission: &Permission,
        index: &GrantIndex,
    ) -> bool {
        let is_in = |groups: &SlotSet| member.is_in_any(groups);
        let is_granted = |role: &RoleId| index.role(role).is_some_and(is_in);
        let mut including = permission.included_in();
        let shortest = including.next();
        let by_shortest = match permission.extended_action() {
            Some(action) => index.action(action).is_some_and(is_in),
            None => shortest.is_some_and(|text| self.any_holder(text, is_granted)),
        };
        by_shortest
            || self.has_extensions() && including.any(|text| self.any_holder(text, is_granted))
    }

    /// Two lookups and an AND.
    #[inline]
    fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        let member = self.member(member);
        member.is_some_and(|member| self.holds_at(member, permission, resource))
    }

    fn group_named(&self, name: &GroupName) -> Option<&GroupId> {
        self.group_by_folded_name(&name.folded())
    }

    fn role_named(&self, name: &RoleName) -> Option<&RoleId> {
        self.role_by_folded_name(&name.folded())
    }

    fn is_in_group(&self, member: &str, group: &str) -> bool {
        let found = self.member(member).zip(self.group(group));
        found.is_some_and(|(member, group)| member.is_in(group.slot))
    }

    fn group_carrying(&self, role: &RoleId) -> Option<&GroupId> {
        let mut groups = self.groups();
        groups
            .find(|(_, group)| self.grant(group.slot, role).is_some())
            .map(|(id, _)| id)
    }

    fn carries(&self, group: &str, role: &RoleId) -> bool {
        let group = self.group(group);
        group.is_some_and(|group| self.grant(group.slot, role).is_some())
    }

    /// Whether the group carries this role and no other.
    fn carries_only(&self, group: &str, role: &RoleId) -> bool {
        let group = self.group(group);
        group.is_some_and(|group| {
            self.grant(group.slot, role).is_some()
                && self.roles_in(group.slot).all(|carried| carried == role)
        })
    }

    /// Whether the group grants this role here.
    fn grants_here(&self, group: &str, role: &RoleId, resource: Resource<&str>) -> bool {
        let groups = self.index(resource).and_then(|index| index.role(role));
        let found = self.group(group).zip(groups);
        found.is_some_and(|(group, groups)| groups.contains(group.slot))
    }

    fn member_count_of(&self, group: &GroupEntry) -> usize {
        self.bitmap_len(group.slot)
    }

    /// The group's members. Not in the order of their ids.
    fn members_of(&self, group: &GroupEntry) -> Cow<'_, RoaringBitmap> {
        self.bitmap(group.slot)
    }

    /// The group's grants, in the order of the roles' ids.
    fn grants(&self, group: &GroupEntry) -> impl Iterator<Item = (&RoleId, Cow<'_, Scope>)> {
        let roles = self.roles_in(group.slot);
        roles.filter_map(|role| Some((role, self.scope_of(group.slot, role)?)))
    }

    /// Whether the group's grants are exactly these.
    fn has_grants(&self, group: &GroupEntry, grants: &[Grant]) -> bool {
        let mut wanted = grants.iter();
        self.grants(group).all(|(role, scope)| {
            let next = wanted.next();
            next.is_some_and(|next| next.role == *role && next.scope == *scope)
        }) && wanted.next().is_none()
    }

    /// The groups by their slots: for many members, found once.
    fn groups_by_slot(&self) -> BTreeMap<Slot, &GroupId> {
        self.groups().map(|(id, group)| (group.slot, id)).collect()
    }

    /// The groups that the member is in, not in the order of their ids.
    fn groups_in<'g>(
        by_slot: &BTreeMap<Slot, &'g GroupId>,
        member: &MemberEntry,
    ) -> impl Iterator<Item = &'g GroupId> {
        let slots: Vec<Slot> = member.groups().iter().collect();
        slots
            .into_iter()
            .filter_map(|slot| by_slot.get(&slot).copied())
    }

    /// The groups that the member is in.
    fn groups_of(&self, member: &MemberEntry) -> impl Iterator<Item = (&GroupId, &GroupEntry)> {
        self.groups().filter(|(_, group)| member.is_in(group.slot))
    }

    /// The groups that give this permission to their members here.
    fn groups_giving(
        &self,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> impl Iterator<Item = (&GroupId, &GroupEntry)> {
        let index = self.index(resource);
        let mut slots = SlotSet::default();
        for (role, groups) in index.into_iter().flat_map(GrantIndex::iter) {
            if self.role(role).is_some_and(|role| role.allows(permission)) {
                slots.insert_all(groups);
            }
        }
        self.groups()
            .filter(move |(_, group)| slots.contains(group.slot))
    }
}

//! Who and what a draft touches, in terms of members and resources.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::access::Resource;
use crate::account::data::draft::{Draft, DraftBase};
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::data::{AccountData, GroupEntry};
use crate::grant::Scope;
use crate::id::{MemberId, RoleId};

/// What a draft touches, beside the rows below it.
pub(crate) struct Changed<'d, B> {
    before: &'d B,
    after: &'d Draft<'d, B>,
    redefined: BTreeSet<&'d RoleId>,
    groups_before: BTreeMap<Slot, &'d GroupEntry>,
    groups_after: BTreeMap<Slot, &'d GroupEntry>,
}

impl<'d, B: DraftBase> Changed<'d, B> {
    pub(crate) fn new(before: &'d B, after: &'d Draft<'d, B>) -> Self {
        let groups_before = before.groups().map(|(_, group)| (group.slot, group));
        let groups_after = after.groups().map(|(_, group)| (group.slot, group));
        Self {
            before,
            after,
            redefined: after.redefined_roles().collect(),
            groups_before: groups_before.collect(),
            groups_after: groups_after.collect(),
        }
    }

    /// The resources where something else may be granted, the account always among them.
    pub(crate) fn resources(&self) -> BTreeSet<Resource> {
        let stores = self.after.touched_stores().cloned().map(Resource::Store);
        let mut resources: BTreeSet<Resource> = stores.chain([Resource::Account]).collect();
        if self.redefined.is_empty() {
            return resources;
        }
        for group in self.groups_after.values() {
            for (role, scope) in self.after.grants(group) {
                if self.redefined.contains(role) {
                    resources.extend(reached(&scope));
                }
            }
        }
        resources
    }

    /// The members of the groups that grant something else in this resource.
    pub(crate) fn members_in(&self, resource: &Resource) -> impl Iterator<Item = &MemberId> {
        let nothing = GrantIndex::default();
        let index_before = self.before.index(resource.as_deref()).unwrap_or(&nothing);
        let index_after = self.after.index(resource.as_deref()).unwrap_or(&nothing);
        let mut slots = index_before.differing(index_after);
        for role in &self.redefined {
            for slot in index_after.role(role).into_iter().flat_map(SlotSet::iter) {
                slots.insert(slot);
            }
        }
        let mut indexes = RoaringBitmap::new();
        for slot in slots.iter() {
            indexes |= &*self.before.bitmap(slot);
            indexes |= &*self.after.bitmap(slot);
        }
        indexes
            .into_iter()
            .filter_map(|index| self.after.member_id(index))
    }

    /// The resources where a change of the member's own may count: the account, and where the groups reach that it came
    /// into or left; if its status changed, where all its groups reach.
    pub(crate) fn resources_of(&self, member: &MemberId) -> BTreeSet<Resource> {
        let before = self.before.member(member);
        let after = self.after.member(member);
        let slots =
            |entry: Option<&MemberEntry>| entry.map_or_else(SlotSet::default, MemberEntry::groups);
        let slots_before = slots(before);
        let slots_after = slots(after);
        let changed: SlotSet = if before.map(MemberEntry::status) == after.map(MemberEntry::status)
        {
            slots_before.differing(&slots_after)
        } else {
            slots_before.iter().chain(slots_after.iter()).collect()
        };
        let mut resources = BTreeSet::from([Resource::Account]);
        for slot in changed.iter() {
            if let Some(group) = self.groups_before.get(&slot) {
                let scopes = self.before.grants(group);
                scopes.for_each(|(_, scope)| resources.extend(reached(&scope)));
            }
            if let Some(group) = self.groups_after.get(&slot) {
                let scopes = self.after.grants(group);
                scopes.for_each(|(_, scope)| resources.extend(reached(&scope)));
            }
        }
        resources
    }
}

fn reached(scope: &Scope) -> impl Iterator<Item = Resource> {
    scope.stores().cloned().map(Resource::Store)
}

//! Whom and what a draft may affect: more than it changes, and never by going through members times resources.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::access::Resource;
use crate::account::data::draft::Draft;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::data::state::State;
use crate::account::data::{AccountData, GroupEntry};
use crate::id::{MemberId, RoleId};

/// The members of whom anything may be different, and the resources where it may, each in order and once. Whoever is
/// not among the members holds what it held, everywhere; where something is not among the resources, nobody holds
/// anything else.
pub(crate) struct Affected<'a> {
    pub(crate) members: Vec<&'a MemberId>,
    pub(crate) resources: Vec<Resource>,
}

impl<'a> Affected<'a> {
    /// What a member may do in a resource depends on its status, on its groups, and on the roles that they grant there.
    pub(crate) fn by(before: &'a State, after: &'a Draft<'_, State>) -> Self {
        let redefined: BTreeSet<&RoleId> = after.redefined_roles().collect();
        let changes_condition = before.header().condition != after.header().condition;

        // The groups whose members may hold something else somewhere, and whether a resource comes or goes.
        let mut slots = SlotSet::default();
        let mut resources: BTreeSet<Resource> = BTreeSet::from([Resource::Account]);
        resources.extend(after.touched_resources());
        if !redefined.is_empty() {
            for (_, group) in after.groups() {
                for (role, scope) in after.grants(group) {
                    if redefined.contains(role) {
                        slots.insert(group.slot);
                        resources.extend(scope.stores().cloned().map(Resource::Store));
                    }
                }
            }
        }
        let nothing = GrantIndex::default();
        let mut comes_or_goes = false;
        for resource in after.touched_resources() {
            let was = before.index(resource.as_deref());
            let is = after.index(resource.as_deref());
            comes_or_goes |= was.is_some() != is.is_some();
            let (was, is) = (was.unwrap_or(&nothing), is.unwrap_or(&nothing));
            if was != is {
                slots.insert_all(&was.differing(is));
            }
        }

        // Members whose own entry is touched: where the groups reach that they came into or left; everywhere, if they
        // become owners or cease to be.
        let mut reaching = SlotSet::default();
        let mut everywhere = changes_condition;
        for member in after.touched_members() {
            let (was, is) = (before.member(member), after.member(member));
            reaching.insert_all(&changed_slots(was, is));
            let is_owner = |entry: Option<&MemberEntry>| entry.is_some_and(MemberEntry::is_owner);
            everywhere |= is_owner(was) != is_owner(is);
        }
        if everywhere {
            let stores = before.stores().chain(after.stores());
            resources.extend(stores.map(|(store, _)| Resource::Store(store.clone())));
        } else if !reaching.is_empty() {
            reach(before, &reaching, &mut resources);
            reach(after, &reaching, &mut resources);
        }

        let mut members: Vec<&MemberId> = after.touched_members().collect();
        if changes_condition {
            members.extend(before.members_after(None).map(|(id, _)| id));
        } else {
            let mut indexes = RoaringBitmap::new();
            for slot in slots.iter() {
                indexes |= &*before.bitmap(slot);
            }
            members.extend(before.in_order(Cow::Owned(indexes), None).map(|(id, _)| id));
            if comes_or_goes {
                members.extend(before.owners());
            }
        }
        // Whoever is new here, or came into one of the groups, is touched.
        members.sort_unstable();
        members.dedup();
        Self {
            members,
            resources: resources.into_iter().collect(),
        }
    }
}

/// The groups that a member came into or left; if its status changed, all its groups.
fn changed_slots(before: Option<&MemberEntry>, after: Option<&MemberEntry>) -> SlotSet {
    let slots =
        |entry: Option<&MemberEntry>| entry.map_or_else(SlotSet::default, MemberEntry::groups);
    let (slots_before, slots_after) = (slots(before), slots(after));
    if before.map(MemberEntry::status) == after.map(MemberEntry::status) {
        slots_before.differing(&slots_after)
    } else {
        let mut all = slots_before;
        all.insert_all(&slots_after);
        all
    }
}

/// Adds the resources where the groups in these slots grant anything.
fn reach(data: &impl AccountData, slots: &SlotSet, resources: &mut BTreeSet<Resource>) {
    let groups: BTreeMap<Slot, &GroupEntry> = data
        .groups()
        .map(|(_, group)| (group.slot, group))
        .collect();
    for group in slots.iter().filter_map(|slot| groups.get(&slot)) {
        for (_, scope) in data.grants(group) {
            resources.extend(scope.stores().cloned().map(Resource::Store));
        }
    }
}

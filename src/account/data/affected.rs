//! Whom and what a draft may affect: more than it changes, and never by going through members times resources.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::access::Resource;
use crate::account::data::classes::Both;
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
    /// With their entries, before and after; `None` where they are no members.
    pub(crate) members: Vec<(&'a MemberId, Both<Option<&'a MemberEntry>>)>,
    /// With what is granted there, before and after; `None` where it does not exist.
    pub(crate) resources: Vec<(Resource, Both<Option<&'a GrantIndex>>)>,
}

impl<'a> Affected<'a> {
    /// These, each of the two in order and once.
    pub(crate) fn at(
        before: &'a impl AccountData,
        after: &'a impl AccountData,
        members: Vec<&'a MemberId>,
        resources: Vec<Resource>,
    ) -> Self {
        let members = members.into_iter().map(|member| {
            let (before, after) = (before.member(member), after.member(member));
            (member, Both { before, after })
        });
        let resources = resources.into_iter().map(|resource| {
            let before = before.index(resource.as_deref());
            let after = after.index(resource.as_deref());
            (resource, Both { before, after })
        });
        Self {
            members: members.collect(),
            resources: resources.collect(),
        }
    }

    /// What a member may do in a resource depends on its status, on its groups, and on the roles that they grant there.
    pub(crate) fn by(before: &'a State, after: &'a Draft<'_, State>) -> Self {
        let redefined: BTreeSet<&RoleId> = after.redefined_roles().collect();
        let changes_condition = before.header().condition != after.header().condition;

        // The groups whose members may hold something else somewhere, and whether a store comes or goes.
        let mut slots = SlotSet::default();
        let mut untouched: Vec<Resource> = vec![Resource::Account];
        if !redefined.is_empty() {
            for (_, group) in after.groups() {
                for (role, scope) in after.grants(group) {
                    if redefined.contains(role) {
                        slots.insert(group.slot);
                        untouched.extend(scope.stores().cloned().map(Resource::Store));
                    }
                }
            }
        }
        let nothing = GrantIndex::default();
        let mut comes_or_goes = false;
        let mut resources = Vec::new();
        for (resource, is) in after.touched_indexes() {
            let was = before.index(resource.as_deref());
            comes_or_goes |= was.is_some() != is.is_some();
            slots.insert_all(&was.unwrap_or(&nothing).differing(is.unwrap_or(&nothing)));
            let indexes = Both {
                before: was,
                after: is,
            };
            resources.push((resource, indexes));
        }

        // Members whose own entry is touched: where the groups reach that they came into or left; everywhere, if they
        // become owners or cease to be.
        let mut reaching = SlotSet::default();
        let mut everywhere = changes_condition;
        let mut members = Vec::new();
        for (member, is) in after.touched_members() {
            let was = before.member(member);
            reaching.insert_all(&changed_slots(was, is));
            let is_owner = |entry: Option<&MemberEntry>| entry.is_some_and(MemberEntry::is_owner);
            everywhere |= is_owner(was) != is_owner(is);
            let entries = Both {
                before: was,
                after: is,
            };
            members.push((member, entries));
        }
        if everywhere {
            let stores = before.stores().chain(after.stores());
            untouched.extend(stores.map(|(store, _)| Resource::Store(store.clone())));
        } else if !reaching.is_empty() {
            reach(before, &reaching, &mut untouched);
            reach(after, &reaching, &mut untouched);
        }
        // Runs that are in order already.
        untouched.sort();
        untouched.dedup();
        let untouched = untouched.into_iter().map(|resource| {
            let index = before.index(resource.as_deref());
            (resource, index)
        });
        let resources = with_untouched(resources, untouched);

        // Whoever is new here, or came into one of the groups, is touched.
        if changes_condition {
            members = with_untouched(members, before.members_after(None));
        } else {
            if comes_or_goes {
                let owners = before.owners();
                members = with_untouched(members, owners.map(|id| (id, before.member(id))));
            }
            let mut indexes = RoaringBitmap::new();
            for slot in slots.iter() {
                indexes |= &*before.bitmap(slot);
            }
            members = with_untouched(members, before.in_order(Cow::Owned(indexes), None));
        }
        Self { members, resources }
    }
}

/// Puts in what has the same row before and after. Both lists are in order; of two with one key, the touched one counts.
fn with_untouched<'a, K: Ord, V>(
    touched: Vec<(K, Both<Option<&'a V>>)>,
    untouched: impl IntoIterator<Item = (K, impl Into<Option<&'a V>>)>,
) -> Vec<(K, Both<Option<&'a V>>)> {
    let untouched = untouched.into_iter();
    let mut all = Vec::with_capacity(touched.len().max(untouched.size_hint().0));
    let mut touched = touched.into_iter().peekable();
    for (key, row) in untouched {
        while let Some(before) = touched.next_if(|(touched, _)| *touched < key) {
            all.push(before);
        }
        if touched.peek().is_none_or(|(touched, _)| *touched != key) {
            let row = row.into();
            let rows = Both {
                before: row,
                after: row,
            };
            all.push((key, rows));
        }
    }
    all.extend(touched);
    all
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
fn reach(data: &impl AccountData, slots: &SlotSet, resources: &mut Vec<Resource>) {
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

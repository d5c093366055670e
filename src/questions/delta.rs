//! What a change does to who may do what.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringBitmap;

use crate::access::{Permissions, Resource};
use crate::account::Account;
use crate::account::command::{Actor, Command};
use crate::account::event::Record;
use crate::account::evolve::{ReplayError, evolve};
use crate::account::group::GroupEntry;
use crate::account::index::{Granting, GroupSet, Slot};
use crate::account::member::MemberEntry;
use crate::account::refusal::CommandError;
use crate::account::state::State;
use crate::id::MemberId;
use crate::permission::Permission;
use crate::time::Timestamp;

/// What commands would lead to: their records, and who gains and loses what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Preview {
    /// One for each command that would change something.
    pub records: Vec<Record>,
    /// Who gains and loses what, from the first command to the last.
    pub delta: AccessDelta,
}

/// Who gains and loses what, exactly, by one or more changes: in the order of the members' ids, for each the account
/// first and then the stores in the order of their ids.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccessDelta(Vec<AccessChange>);

/// What one member may do in one place, before and after. The two differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessChange {
    /// Who.
    pub member: MemberId,
    /// Where.
    pub resource: Resource,
    /// What the member could do there; nothing, if one of the two did not exist.
    pub before: Permissions,
    /// What the member can do there.
    pub after: Permissions,
}

impl AccessChange {
    /// Whether the member gains this permission there.
    #[must_use]
    pub fn gains(&self, permission: &Permission) -> bool {
        self.after.contains(permission) && !self.before.contains(permission)
    }

    /// Whether the member loses this permission there.
    #[must_use]
    pub fn loses(&self, permission: &Permission) -> bool {
        self.before.contains(permission) && !self.after.contains(permission)
    }

    /// Whether the member gains anything there.
    #[must_use]
    pub fn gains_any(&self) -> bool {
        !self.after.is_subset(&self.before)
    }

    /// Whether the member loses anything there: time to revoke what was handed out on the strength of it.
    #[must_use]
    pub fn loses_any(&self) -> bool {
        !self.before.is_subset(&self.after)
    }
}

impl AccessDelta {
    /// The changes.
    pub fn iter(&self) -> impl Iterator<Item = &AccessChange> {
        self.0.iter()
    }

    /// Whether nobody gains or loses anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What leads from one state of an account to another. Takes time in proportion to members times stores; for the
    /// change that one record makes, ask [`Account::delta_of`].
    #[must_use]
    pub fn between(before: &Account, after: &Account) -> Self {
        let members = before
            .state
            .members
            .iter()
            .chain(after.state.members.iter());
        let members: BTreeSet<&MemberId> = members.map(|(id, _)| id).collect();
        let stores = before.stores().chain(after.stores());
        let resources: BTreeSet<Resource> = stores
            .cloned()
            .map(Resource::Store)
            .chain([Resource::Account])
            .collect();
        let all = members
            .into_iter()
            .flat_map(|member| resources.iter().map(move |resource| (member, resource)));
        Self(
            all.filter_map(|(member, resource)| {
                change(&before.state, &after.state, member, resource)
            })
            .collect(),
        )
    }
}

impl Account {
    /// What these commands would lead to, one after another, and who would gain and lose what; the account stays as
    /// it is. Its cost follows what changes, not the size of the account.
    ///
    /// # Errors
    /// As [`decide_batch`](Account::decide_batch).
    pub fn preview(
        &self,
        actor: &Actor,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<Preview, CommandError> {
        let (draft, records) = self.draft(actor, commands, now)?;
        Ok(Preview {
            records,
            delta: delta(&self.state, &draft),
        })
    }

    /// Who gains and loses what by the next record, before it is applied: for notifications, and for revoking tokens.
    /// Its cost follows what changes, not the size of the account.
    ///
    /// # Errors
    /// As [`apply`](Account::apply).
    pub fn delta_of(&self, record: &Record) -> Result<AccessDelta, ReplayError> {
        let mut after = State::over(&self.state);
        evolve(&mut after, record)?;
        Ok(delta(&self.state, &after))
    }
}

/// What leads from a state to a layer over it.
///
/// What a member may do in a place depends on its status, on the set of its groups' slots, and on the sets of slots
/// that the place grants to. Only who or what is touched by the layer is looked at.
fn delta(before: &State<'_>, after: &State<'_>) -> AccessDelta {
    let mut affected: BTreeSet<(MemberId, Resource)> = BTreeSet::new();
    let account = (
        Resource::Account,
        Some(&before.account),
        Some(&after.account),
    );
    let stores = after.stores.touched().map(|store| {
        (
            Resource::Store(store.clone()),
            before.granting(Resource::Store(store)),
            after.granting(Resource::Store(store)),
        )
    });
    let nothing = Granting::default();
    let resources: Vec<_> = [account]
        .into_iter()
        .chain(stores)
        .map(|(resource, was, is)| {
            let slots = was.unwrap_or(&nothing).differing(is.unwrap_or(&nothing));
            (resource, slots, was.is_some() != is.is_some())
        })
        .collect();
    // Who comes into a group or leaves it touches the group. Only where more has changed are all groups looked at.
    let status = |state: &State<'_>, id: &MemberId| state.members.get(id).map(MemberEntry::status);
    let is_more = resources.iter().any(|(_, slots, _)| !slots.is_empty())
        || after
            .members
            .touched()
            .any(|id| status(before, id) != status(after, id));
    let groups = [
        by_slot(before, after, is_more),
        by_slot(after, after, is_more),
    ];

    for (resource, slots, is_new_or_gone) in resources {
        for member in members_of(&slots, &groups, after) {
            affected.insert((member.clone(), resource.clone()));
        }
        if is_new_or_gone {
            for owner in before.owners.iter().chain(after.owners.iter()) {
                affected.insert((owner.clone(), resource.clone()));
            }
        }
    }

    for member in after.members.touched() {
        let (was, is) = (before.members.get(member), after.members.get(member));
        let resources = places_of_change(was, is, &groups);
        affected.extend(resources.map(|resource| (member.clone(), resource)));
        let is_owner = |entry: Option<&MemberEntry>| entry.is_some_and(MemberEntry::is_owner);
        if is_owner(was) != is_owner(is) {
            let stores = before.stores.iter().chain(after.stores.iter());
            affected
                .extend(stores.map(|(store, _)| (member.clone(), Resource::Store(store.clone()))));
        }
    }
    let changes = affected
        .iter()
        .filter_map(|(member, resource)| change(before, after, member, resource));
    AccessDelta(changes.collect())
}

type BySlot<'a> = BTreeMap<Slot, &'a GroupEntry<'a>>;

/// The groups of a state by their slots: all, or those that a layer touched.
fn by_slot<'a>(state: &'a State<'_>, layer: &State<'_>, all: bool) -> BySlot<'a> {
    if all {
        state
            .groups
            .iter()
            .map(|(_, group)| (group.slot, group))
            .collect()
    } else {
        let touched = layer.groups.touched().filter_map(|id| state.groups.get(id));
        touched.map(|group| (group.slot, group)).collect()
    }
}

/// The groups that had or have one of these slots.
fn groups_in<'a>(
    slots: &'a GroupSet,
    groups: &'a [BySlot<'a>; 2],
) -> impl Iterator<Item = &'a GroupEntry<'a>> {
    slots.iter().flat_map(|slot| {
        groups
            .iter()
            .filter_map(move |groups| groups.get(&slot).copied())
    })
}

/// The members of these groups, by the numbers that they have in the layer or below it.
fn members_of<'a>(
    slots: &GroupSet,
    groups: &[BySlot<'_>; 2],
    layer: &'a State<'_>,
) -> Vec<&'a MemberId> {
    let mut numbers = RoaringBitmap::new();
    for group in groups_in(slots, groups) {
        numbers |= &*group.members.numbers();
    }
    numbers
        .iter()
        .filter_map(|number| layer.numbers.id(number))
        .collect()
}

/// The places where a change of a member's own may count: where the groups reach that it came into or left; where all
/// its groups reach, if its status changed.
fn places_of_change<'a>(
    was: Option<&MemberEntry>,
    is: Option<&MemberEntry>,
    groups: &'a [BySlot<'a>; 2],
) -> impl Iterator<Item = Resource> + use<'a> {
    let slots =
        |entry: Option<&MemberEntry>| entry.map_or_else(GroupSet::default, MemberEntry::groups);
    let changed = if was.map(MemberEntry::status) == is.map(MemberEntry::status) {
        slots(was).differing(&slots(is))
    } else {
        slots(was).iter().chain(slots(is).iter()).collect()
    };
    let mut resources = BTreeSet::from([Resource::Account]);
    for group in groups_in(&changed, groups) {
        let stores = group.grants.iter().flat_map(|grant| grant.scope.stores());
        resources.extend(stores.cloned().map(Resource::Store));
    }
    resources.into_iter()
}

fn change(
    before: &State<'_>,
    after: &State<'_>,
    member: &MemberId,
    resource: &Resource,
) -> Option<AccessChange> {
    let held = |state: &State<'_>| {
        let held = state.permissions_in(member, resource.as_deref());
        held.unwrap_or_else(|_| Permissions::Only(BTreeSet::new()))
    };
    let (was, is) = (held(before), held(after));
    (was != is).then(|| AccessChange {
        member: member.clone(),
        resource: resource.clone(),
        before: was,
        after: is,
    })
}

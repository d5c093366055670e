//! What an account would be: its rows with changes on top.

use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;
use std::iter::Peekable;

use roaring::RoaringBitmap;

use crate::access::Resource;
use crate::account::data::StoreEntry;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::member_slab::MemberIndex;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::data::state::State;
use crate::account::data::{AccountData, GroupEntry, Header};
use crate::grant::Scope;
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::role::{Role, RoleLevel};

/// Changed rows, by their keys; `None` where the row is gone.
type Overlay<K, V> = BTreeMap<K, Option<V>>;

/// What an account would be. Reads as the rows below with the changes on top, holds only what was touched, and leaves
/// what is below alone.
///
/// A batch is decided on a draft of the account, and each of its commands tried on a draft of that draft: nothing goes
/// deeper.
#[derive(Clone, Debug)]
pub(crate) struct Draft<'a, B> {
    base: &'a B,
    header: Header,
    members: Overlay<MemberId, MemberEntry>,
    /// The ids of members that are new here, whose indexes go on where those of the base end.
    new_members: Vec<MemberId>,
    owners: Overlay<MemberId, ()>,
    memberships: BTreeMap<(Slot, MemberIndex), bool>,
    stores: Overlay<StoreId, StoreEntry>,
    account_index: Option<GrantIndex>,
    groups: Overlay<GroupId, GroupEntry>,
    slots: Option<SlotSet>,
    group_names: Overlay<Box<str>, GroupId>,
    grants: BTreeMap<Slot, Overlay<RoleId, Scope>>,
    /// Stores that came into a scope since its grant started, or left it.
    scopes: BTreeMap<(Slot, RoleId), BTreeMap<StoreId, bool>>,
    roles: Overlay<RoleId, Role>,
    role_names: Overlay<Box<str>, RoleId>,
    holders: BTreeMap<Permission, BTreeMap<RoleId, bool>>,
}

/// What a draft can lie over.
pub(crate) trait DraftBase: AccountData {
    /// Every index that a member has here is below.
    fn index_bound(&self) -> usize;
}

impl DraftBase for State {
    fn index_bound(&self) -> usize {
        self.index_bound()
    }
}

impl<B: DraftBase> DraftBase for Draft<'_, B> {
    fn index_bound(&self) -> usize {
        self.base.index_bound() + self.new_members.len()
    }
}

impl<'a, B: DraftBase> Draft<'a, B> {
    pub(crate) fn over(base: &'a B) -> Self {
        Self {
            base,
            header: base.header().clone(),
            members: Overlay::new(),
            new_members: Vec::new(),
            owners: Overlay::new(),
            memberships: BTreeMap::new(),
            stores: Overlay::new(),
            account_index: None,
            groups: Overlay::new(),
            slots: None,
            group_names: Overlay::new(),
            grants: BTreeMap::new(),
            scopes: BTreeMap::new(),
            roles: Overlay::new(),
            role_names: Overlay::new(),
            holders: BTreeMap::new(),
        }
    }

    /// The members whose entries may differ from those below, in order, with their entries now; `None` where a member is
    /// gone.
    pub(crate) fn touched_members(
        &self,
    ) -> impl Iterator<Item = (&MemberId, Option<&MemberEntry>)> {
        self.members.iter().map(|(id, entry)| (id, entry.as_ref()))
    }

    /// Where something else may be granted than below, the account first, with what is granted there now; `None` where a
    /// store is gone.
    pub(crate) fn touched_indexes(&self) -> impl Iterator<Item = (Resource, Option<&GrantIndex>)> {
        let account = self.account_index.as_ref();
        let account = account.map(|index| (Resource::Account, Some(index)));
        let stores = self.stores.iter().map(|(id, store)| {
            let index = store.as_ref().map(|store| &store.index);
            (Resource::Store(id.clone()), index)
        });
        account.into_iter().chain(stores)
    }

    /// The roles that hold other permissions than below.
    pub(crate) fn redefined_roles(&self) -> impl Iterator<Item = &RoleId> {
        let roles = self.roles.iter().filter(|(id, role)| {
            let before = self.base.role(id).map(Role::permissions);
            role.as_ref().map(Role::permissions) != before
        });
        roles.map(|(id, _)| id)
    }
}

/// The row on top, or else that below.
fn over<'a, V>(own: Option<&'a Option<V>>, below: impl FnOnce() -> Option<&'a V>) -> Option<&'a V> {
    match own {
        Some(row) => row.as_ref(),
        None => below(),
    }
}

/// The row to be changed, copied from below first.
fn touch<'o, K: Ord + Clone, V: Clone>(
    overlay: &'o mut Overlay<K, V>,
    key: &K,
    below: impl FnOnce() -> Option<V>,
) -> Option<&'o mut V> {
    overlay.entry(key.clone()).or_insert_with(below).as_mut()
}

impl<B: DraftBase> AccountData for Draft<'_, B> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    fn member(&self, id: &str) -> Option<&MemberEntry> {
        over(self.members.get(id), || self.base.member(id))
    }

    fn member_mut(&mut self, id: &MemberId) -> Option<&mut MemberEntry> {
        touch(&mut self.members, id, || self.base.member(id).cloned())
    }

    fn set_member(&mut self, id: &MemberId, entry: Option<MemberEntry>) {
        self.members.insert(id.clone(), entry);
    }

    fn member_id(&self, index: MemberIndex) -> Option<&MemberId> {
        match (index as usize).checked_sub(self.base.index_bound()) {
            Some(own) => self.new_members.get(own),
            None => self.base.member_id(index),
        }
    }

    fn give_index(&mut self, id: &MemberId) -> Option<MemberIndex> {
        let index = MemberIndex::try_from(self.index_bound()).ok()?;
        self.new_members.push(id.clone());
        Some(index)
    }

    /// It is not used again here.
    fn free_index(&mut self, _: MemberIndex) {}

    fn owners(&self) -> impl Iterator<Item = &MemberId> {
        let below = self.base.owners().map(|owner| (owner, &()));
        Merged::new(&self.owners, below).map(|(owner, ())| owner)
    }

    fn set_owner(&mut self, id: &MemberId, is_owner: bool) {
        self.owners.insert(id.clone(), is_owner.then_some(()));
    }

    fn bitmap(&self, slot: Slot) -> Cow<'_, RoaringBitmap> {
        let mut members = self.base.bitmap(slot);
        for ((_, member), is_in) in self.memberships.range((slot, 0)..=(slot, MemberIndex::MAX)) {
            if *is_in {
                members.to_mut().insert(*member);
            } else {
                members.to_mut().remove(*member);
            }
        }
        members
    }

    fn bitmap_len(&self, slot: Slot) -> usize {
        let mut len = self.base.bitmap_len(slot);
        for ((_, member), is_in) in self.memberships.range((slot, 0)..=(slot, MemberIndex::MAX)) {
            match (self.base.has_membership(slot, *member), *is_in) {
                (false, true) => len += 1,
                (true, false) => len -= 1,
                (true, true) | (false, false) => {}
            }
        }
        len
    }

    fn has_membership(&self, slot: Slot, member: MemberIndex) -> bool {
        let own = self.memberships.get(&(slot, member)).copied();
        own.unwrap_or_else(|| self.base.has_membership(slot, member))
    }

    fn set_membership(&mut self, slot: Slot, member: MemberIndex, is_in: bool) {
        self.memberships.insert((slot, member), is_in);
    }

    fn store(&self, id: &str) -> Option<&StoreEntry> {
        over(self.stores.get(id), || self.base.store(id))
    }

    fn change_store(&mut self, id: &StoreId, change: impl FnOnce(&mut StoreEntry)) {
        if let Some(store) = touch(&mut self.stores, id, || self.base.store(id).cloned()) {
            change(store);
        }
    }

    fn set_store(&mut self, id: &StoreId, entry: Option<StoreEntry>) {
        self.stores.insert(id.clone(), entry);
    }

    fn stores(&self) -> impl Iterator<Item = (&StoreId, &StoreEntry)> {
        Merged::new(&self.stores, self.base.stores())
    }

    fn account_index(&self) -> &GrantIndex {
        self.account_index
            .as_ref()
            .unwrap_or_else(|| self.base.account_index())
    }

    fn account_index_mut(&mut self) -> &mut GrantIndex {
        self.account_index
            .get_or_insert_with(|| self.base.account_index().clone())
    }

    fn group(&self, id: &str) -> Option<&GroupEntry> {
        over(self.groups.get(id), || self.base.group(id))
    }

    fn group_mut(&mut self, id: &GroupId) -> Option<&mut GroupEntry> {
        touch(&mut self.groups, id, || self.base.group(id).cloned())
    }

    fn set_group(&mut self, id: &GroupId, entry: Option<GroupEntry>) {
        self.groups.insert(id.clone(), entry);
    }

    fn groups(&self) -> impl Iterator<Item = (&GroupId, &GroupEntry)> {
        Merged::new(&self.groups, self.base.groups())
    }

    fn group_count(&self) -> usize {
        let mut count = self.base.group_count();
        for (id, group) in &self.groups {
            match (self.base.group(id), group) {
                (None, Some(_)) => count += 1,
                (Some(_), None) => count -= 1,
                (None, None) | (Some(_), Some(_)) => {}
            }
        }
        count
    }

    fn slots(&self) -> &SlotSet {
        self.slots.as_ref().unwrap_or_else(|| self.base.slots())
    }

    fn slots_mut(&mut self) -> &mut SlotSet {
        self.slots.get_or_insert_with(|| self.base.slots().clone())
    }

    fn group_by_folded_name(&self, folded: &str) -> Option<&GroupId> {
        over(self.group_names.get(folded), || {
            self.base.group_by_folded_name(folded)
        })
    }

    fn set_group_name(&mut self, folded: &str, group: Option<&GroupId>) {
        self.group_names.insert(folded.into(), group.cloned());
    }

    fn grant(&self, slot: Slot, role: &RoleId) -> Option<RoleLevel> {
        let own = self.grants.get(&slot).and_then(|grants| grants.get(role));
        match own {
            Some(scope) => scope.as_ref().map(Scope::level),
            None => self.base.grant(slot, role),
        }
    }

    fn roles_in(&self, slot: Slot) -> impl Iterator<Item = &RoleId> {
        let mut roles: BTreeSet<&RoleId> = self.base.roles_in(slot).collect();
        for (role, scope) in self.grants.get(&slot).into_iter().flatten() {
            if scope.is_some() {
                roles.insert(role);
            } else {
                roles.remove(role);
            }
        }
        roles.into_iter()
    }

    fn scope_of(&self, slot: Slot, role: &RoleId) -> Option<Cow<'_, Scope>> {
        let own = self.grants.get(&slot).and_then(|grants| grants.get(role));
        let mut scope = match own {
            Some(scope) => Cow::Borrowed(scope.as_ref()?),
            None => self.base.scope_of(slot, role)?,
        };
        let changes = self.scopes.get(&(slot, role.clone()));
        for (store, is_in) in changes.into_iter().flatten() {
            if let Scope::Stores(stores) = scope.to_mut() {
                if *is_in {
                    stores.insert(store.clone());
                } else {
                    stores.remove(store);
                }
            }
        }
        Some(scope)
    }

    fn set_grant(&mut self, slot: Slot, role: &RoleId, scope: Option<Scope>) {
        self.scopes.remove(&(slot, role.clone()));
        let grants = self.grants.entry(slot).or_default();
        grants.insert(role.clone(), scope);
    }

    fn set_in_scope(&mut self, slot: Slot, role: &RoleId, store: &StoreId, is_in: bool) {
        let scope = self.scopes.entry((slot, role.clone())).or_default();
        scope.insert(store.clone(), is_in);
    }

    fn role(&self, id: &str) -> Option<&Role> {
        over(self.roles.get(id), || self.base.role(id))
    }

    fn role_mut(&mut self, id: &RoleId) -> Option<&mut Role> {
        touch(&mut self.roles, id, || self.base.role(id).cloned())
    }

    fn set_role(&mut self, id: &RoleId, role: Option<Role>) {
        self.roles.insert(id.clone(), role);
    }

    fn roles(&self) -> impl Iterator<Item = (&RoleId, &Role)> {
        Merged::new(&self.roles, self.base.roles())
    }

    fn role_by_folded_name(&self, folded: &str) -> Option<&RoleId> {
        over(self.role_names.get(folded), || {
            self.base.role_by_folded_name(folded)
        })
    }

    fn set_role_name(&mut self, folded: &str, role: Option<&RoleId>) {
        self.role_names.insert(folded.into(), role.cloned());
    }

    fn any_holder<P>(&self, permission: &P, mut is_meant: impl FnMut(&RoleId) -> bool) -> bool
    where
        Permission: Borrow<P>,
        P: Hash + Ord + ?Sized,
    {
        let own = self.holders.get(permission);
        let mut added = own.into_iter().flatten();
        added.any(|(role, is_holder)| *is_holder && is_meant(role))
            || self.base.any_holder(permission, |role| {
                own.is_none_or(|own| !own.contains_key(role)) && is_meant(role)
            })
    }

    fn has_extensions(&self) -> bool {
        self.base.has_extensions() || self.holders.keys().any(Permission::is_extension)
    }

    fn set_holder(&mut self, permission: &Permission, role: &RoleId, is_holder: bool) {
        let holders = self.holders.entry(permission.clone()).or_default();
        holders.insert(role.clone(), is_holder);
    }
}

/// The rows on top and those below, both in the order of their keys; of two with one key, the upper one counts.
struct Merged<'a, K, V, I: Iterator<Item = (&'a K, &'a V)>> {
    own: Peekable<std::collections::btree_map::Iter<'a, K, Option<V>>>,
    below: Peekable<I>,
}

impl<'a, K: Ord, V, I: Iterator<Item = (&'a K, &'a V)>> Merged<'a, K, V, I> {
    fn new(own: &'a Overlay<K, V>, below: I) -> Self {
        Self {
            own: own.iter().peekable(),
            below: below.peekable(),
        }
    }
}

impl<'a, K: Ord, V, I: Iterator<Item = (&'a K, &'a V)>> Iterator for Merged<'a, K, V, I> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let own = self.own.peek().map(|(key, _)| *key);
            let below = self
                .below
                .next_if(|(key, _)| own.is_none_or(|own| *key <= own));
            match (below, own) {
                (Some((key, _)), Some(own)) if key == own => {}
                (Some(row), _) => return Some(row),
                (None, _) => {
                    let (key, row) = self.own.next()?;
                    if let Some(row) = row {
                        return Some((key, row));
                    }
                }
            }
        }
    }
}

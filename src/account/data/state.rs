//! The account's own rows.

use std::borrow::{Borrow, Cow};
use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hash;

use indexmap::IndexMap;
use roaring::RoaringBitmap;
use smallvec::SmallVec;

use crate::access::Resource;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::hash::{Keyed, KeyedMap};
use crate::account::data::id_map::IdMap;
use crate::account::data::member::MemberEntry;
use crate::account::data::member_slab::{MemberIndex, MemberSlab};
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::data::store_table::StoreTable;
use crate::account::data::writes::Writes;
use crate::account::data::{AccountData, GroupEntry, Header, Revisions, StoreEntry};
use crate::grant::Scope;
use crate::id::{AccountId, GroupId, MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::role::{Role, RoleLevel};

/// An account's rows, and the index over them.
///
/// The plain rows are `members` with the slots of their groups, the keys of `stores`, `groups`, `grants` and `roles`.
/// All else is derived from them.
///
/// INVARIANT: what is derived agrees with the plain rows ([`State::check_invariants`]). `writes` keeps it so.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(super) header: Header,
    pub(super) members: IdMap<MemberId, MemberEntry>,
    pub(super) member_slab: MemberSlab,
    pub(super) owners: BTreeSet<MemberId>,
    /// The members of each group, by its slot.
    pub(super) memberships: Vec<RoaringBitmap>,
    /// The revisions of each group, by its slot. Each write sets them: a draft has none.
    revisions: Vec<Revisions>,
    pub(super) stores: StoreTable,
    pub(super) account_index: GrantIndex,
    /// In the order of ids. There are few enough to keep them so: see [`GroupLimit`].
    pub(super) groups: IndexMap<GroupId, GroupEntry, Keyed>,
    pub(super) slots: SlotSet,
    pub(super) group_names: KeyedMap<Box<str>, GroupId>,
    /// The grants of each group, by its slot.
    pub(super) grants: Vec<BTreeMap<RoleId, Scope>>,
    pub(super) roles: BTreeMap<RoleId, Role>,
    pub(super) role_names: KeyedMap<Box<str>, RoleId>,
    /// Which roles name a permission, in the order of their ids.
    pub(super) holders: KeyedMap<Permission, SmallVec<[RoleId; 2]>>,
    /// How many permissions of three or more segments are among them.
    pub(super) extensions: usize,
}

impl State {
    /// Before the first record: built-in roles, and nobody.
    pub(crate) fn unopened(id: AccountId) -> Self {
        let mut state = Self {
            header: Header::unopened(id),
            members: IdMap::default(),
            member_slab: MemberSlab::default(),
            owners: BTreeSet::new(),
            memberships: Vec::new(),
            revisions: Vec::new(),
            stores: StoreTable::default(),
            account_index: GrantIndex::default(),
            groups: IndexMap::default(),
            slots: SlotSet::default(),
            group_names: KeyedMap::default(),
            grants: Vec::new(),
            roles: BTreeMap::new(),
            role_names: KeyedMap::default(),
            holders: KeyedMap::default(),
            extensions: 0,
        };
        for (id, role) in Role::built_ins() {
            state.insert_role(&id, role);
        }
        state
    }

    /// The member, with the id that the account has.
    pub(crate) fn member_with_id(&self, id: &str) -> Option<(&MemberId, &MemberEntry)> {
        let entry = self.members.get(id)?;
        self.member_slab.get(entry.index()).map(|id| (id, entry))
    }

    /// The members with these ids, looked up together.
    #[inline]
    pub(crate) fn members_each<'a, const N: usize>(
        &'a self,
        ids: &[&str; N],
        found: &mut [Option<&'a MemberEntry>; N],
    ) {
        self.members.get_each(ids, found);
    }

    pub(crate) fn members_after(
        &self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&MemberId, &MemberEntry)> + use<'_> {
        self.members.iter_after(after)
    }

    pub(crate) fn member_count(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn groups_after(
        &self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&GroupId, &GroupEntry)> + use<'_> {
        let is_before = |id: &GroupId| after.is_some_and(|after| id.as_str() <= after);
        let first = self.groups.partition_point(|id, _| is_before(id));
        self.groups.iter().skip(first)
    }

    pub(crate) fn stores_after(
        &self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&StoreId, &StoreEntry)> + use<'_> {
        self.stores.iter_after(after)
    }

    pub(crate) fn store_count(&self) -> usize {
        self.stores.len()
    }

    pub(crate) fn group_with_id(&self, id: &str) -> Option<(&GroupId, &GroupEntry)> {
        self.groups.get_key_value(id)
    }

    /// The group's grants, as they stand.
    pub(crate) fn grants(&self, group: &GroupEntry) -> Option<&BTreeMap<RoleId, Scope>> {
        self.grants.get(usize::from(group.slot))
    }

    /// The same, one by one.
    pub(crate) fn scopes(
        &self,
        group: &GroupEntry,
    ) -> impl Iterator<Item = (&RoleId, &Scope)> + use<'_> {
        self.grants(group).into_iter().flatten()
    }

    fn scope(&self, slot: Slot, role: &RoleId) -> Option<&Scope> {
        self.grants.get(usize::from(slot))?.get(role)
    }

    /// The roles that hold this permission itself, in order.
    pub(crate) fn holders(&self, permission: &str) -> Option<(&Permission, &[RoleId])> {
        let holders = self.holders.get_key_value(permission);
        holders.map(|(permission, roles)| (permission, roles.as_slice()))
    }

    /// New members are listed only after [`finish_bulk_load`](State::finish_bulk_load).
    pub(crate) fn begin_bulk_load(&mut self) {
        self.members.begin_bulk_load();
    }

    pub(crate) fn finish_bulk_load(&mut self) {
        self.members.finish_bulk_load();
    }

    pub(crate) fn revisions(&self, group: &GroupEntry) -> Revisions {
        let revisions = self.revisions.get(usize::from(group.slot));
        revisions.copied().unwrap_or_default()
    }

    /// Restores what a snapshot says of a group that is there.
    pub(crate) fn set_revisions(&mut self, group: &GroupId, revisions: Revisions) {
        if let Some(slot) = self.group(group).map(|group| group.slot) {
            self.change_revisions(slot, |current, _| *current = revisions);
        }
    }

    /// Restores what a snapshot says of a role that is there.
    pub(crate) fn set_role_revision(&mut self, role: &RoleId, revision: u64) {
        if let Some(role) = self.roles.get_mut(role) {
            role.revision = revision;
        }
    }

    /// Changes the revisions of the group in this slot, given the version of the record that is being applied.
    fn change_revisions(&mut self, slot: Slot, change: impl FnOnce(&mut Revisions, u64)) {
        let slot = usize::from(slot);
        if slot >= self.revisions.len() {
            self.revisions.resize(slot + 1, Revisions::default());
        }
        if let Some(revisions) = self.revisions.get_mut(slot) {
            change(revisions, self.header.version);
        }
    }

    pub(super) fn index_bound(&self) -> usize {
        self.member_slab.bound()
    }
}

impl AccountData for State {
    fn header(&self) -> &Header {
        &self.header
    }

    fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    #[inline]
    fn member(&self, id: &str) -> Option<&MemberEntry> {
        self.members.get(id)
    }

    fn member_mut(&mut self, id: &MemberId) -> Option<&mut MemberEntry> {
        self.members.get_mut(id)
    }

    fn set_member(&mut self, id: &MemberId, entry: Option<MemberEntry>) {
        match entry {
            Some(entry) => self.members.insert(id.clone(), entry),
            None => self.members.remove(id),
        }
    }

    fn member_id(&self, index: MemberIndex) -> Option<&MemberId> {
        self.member_slab.get(index)
    }

    fn give_index(&mut self, id: &MemberId) -> Option<MemberIndex> {
        self.member_slab.insert(id)
    }

    fn free_index(&mut self, index: MemberIndex) {
        self.member_slab.remove(index);
    }

    fn owners(&self) -> impl Iterator<Item = &MemberId> {
        self.owners.iter()
    }

    fn set_owner(&mut self, id: &MemberId, is_owner: bool) {
        if is_owner {
            self.owners.insert(id.clone());
        } else {
            self.owners.remove(id);
        }
    }

    fn bitmap(&self, slot: Slot) -> Cow<'_, RoaringBitmap> {
        self.memberships
            .get(usize::from(slot))
            .map_or_else(Cow::default, Cow::Borrowed)
    }

    fn bitmap_len(&self, slot: Slot) -> usize {
        usize::try_from(self.bitmap(slot).len()).unwrap_or(usize::MAX)
    }

    fn has_membership(&self, slot: Slot, member: MemberIndex) -> bool {
        self.bitmap(slot).contains(member)
    }

    fn set_membership(&mut self, slot: Slot, member: MemberIndex, is_in: bool) {
        self.change_revisions(slot, |revisions, version| revisions.membership = version);
        let slot = usize::from(slot);
        if slot >= self.memberships.len() {
            self.memberships.resize_with(slot + 1, RoaringBitmap::new);
        }
        if let Some(members) = self.memberships.get_mut(slot) {
            if is_in {
                members.insert(member);
            } else {
                members.remove(member);
            }
        }
    }

    fn store(&self, id: &str) -> Option<&StoreEntry> {
        self.stores.get(id)
    }

    /// The usual check needs no row: its answer is in the table of stores.
    #[inline]
    fn holds_at(
        &self,
        member: &MemberEntry,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> bool {
        match (resource, self.deciding_action(permission)) {
            (Resource::Store(store), Some(action)) => {
                let actions = self.stores.actions(store);
                actions.is_some_and(|actions| {
                    let groups = actions.get(action);
                    self.may(
                        member,
                        groups.is_some_and(|groups| member.is_in_any(groups)),
                    )
                })
            }
            (Resource::Account | Resource::Store(_), _) => {
                let index = self.index(resource);
                index.is_some_and(|index| self.holds(member, permission, index))
            }
        }
    }

    fn change_store(&mut self, id: &StoreId, change: impl FnOnce(&mut StoreEntry)) {
        self.stores.change(id, change);
    }

    fn set_store(&mut self, id: &StoreId, entry: Option<StoreEntry>) {
        match entry {
            Some(entry) => self.stores.insert(id, entry),
            None => self.stores.remove(id),
        }
    }

    fn stores(&self) -> impl Iterator<Item = (&StoreId, &StoreEntry)> {
        self.stores.iter_after(None)
    }

    #[inline]
    fn account_index(&self) -> &GrantIndex {
        &self.account_index
    }

    fn account_index_mut(&mut self) -> &mut GrantIndex {
        &mut self.account_index
    }

    fn group(&self, id: &str) -> Option<&GroupEntry> {
        self.groups.get(id)
    }

    fn group_mut(&mut self, id: &GroupId) -> Option<&mut GroupEntry> {
        let slot = self.groups.get(id)?.slot;
        self.change_revisions(slot, |revisions, version| revisions.definition = version);
        self.groups.get_mut(id)
    }

    fn set_group(&mut self, id: &GroupId, entry: Option<GroupEntry>) {
        if let Some(entry) = &entry {
            self.change_revisions(entry.slot, |revisions, version| {
                *revisions = Revisions {
                    definition: version,
                    membership: version,
                };
            });
        }
        match entry {
            Some(entry) => match self.groups.binary_search_keys(id) {
                Ok(_) => _ = self.groups.insert(id.clone(), entry),
                Err(place) => _ = self.groups.shift_insert(place, id.clone(), entry),
            },
            None => _ = self.groups.shift_remove(id),
        }
    }

    fn groups(&self) -> impl Iterator<Item = (&GroupId, &GroupEntry)> {
        self.groups.iter()
    }

    fn group_count(&self) -> usize {
        self.groups.len()
    }

    fn slots(&self) -> &SlotSet {
        &self.slots
    }

    fn slots_mut(&mut self) -> &mut SlotSet {
        &mut self.slots
    }

    fn group_by_folded_name(&self, folded: &str) -> Option<&GroupId> {
        self.group_names.get(folded)
    }

    fn set_group_name(&mut self, folded: &str, group: Option<&GroupId>) {
        match group {
            Some(group) => _ = self.group_names.insert(folded.into(), group.clone()),
            None => _ = self.group_names.remove(folded),
        }
    }

    fn grant(&self, slot: Slot, role: &RoleId) -> Option<RoleLevel> {
        self.scope(slot, role).map(Scope::level)
    }

    fn roles_in(&self, slot: Slot) -> impl Iterator<Item = &RoleId> {
        let grants = self.grants.get(usize::from(slot));
        grants.into_iter().flat_map(BTreeMap::keys)
    }

    fn scope_of(&self, slot: Slot, role: &RoleId) -> Option<Cow<'_, Scope>> {
        self.scope(slot, role).map(Cow::Borrowed)
    }

    fn set_grant(&mut self, slot: Slot, role: &RoleId, scope: Option<Scope>) {
        self.change_revisions(slot, |revisions, version| revisions.definition = version);
        let slot = usize::from(slot);
        if slot >= self.grants.len() {
            self.grants.resize_with(slot + 1, BTreeMap::new);
        }
        if let Some(grants) = self.grants.get_mut(slot) {
            match scope {
                Some(scope) => _ = grants.insert(role.clone(), scope),
                None => _ = grants.remove(role),
            }
        }
    }

    fn set_in_scope(&mut self, slot: Slot, role: &RoleId, store: &StoreId, is_in: bool) {
        self.change_revisions(slot, |revisions, version| revisions.definition = version);
        let grants = self.grants.get_mut(usize::from(slot));
        if let Some(Scope::Stores(stores)) = grants.and_then(|grants| grants.get_mut(role)) {
            if is_in {
                stores.insert(store.clone());
            } else {
                stores.remove(store);
            }
        }
    }

    fn role(&self, id: &str) -> Option<&Role> {
        self.roles.get(id)
    }

    fn role_mut(&mut self, id: &RoleId) -> Option<&mut Role> {
        let role = self.roles.get_mut(id)?;
        role.revision = self.header.version;
        Some(role)
    }

    fn set_role(&mut self, id: &RoleId, role: Option<Role>) {
        match role {
            Some(mut role) => {
                role.revision = self.header.version;
                self.roles.insert(id.clone(), role);
            }
            None => _ = self.roles.remove(id),
        }
    }

    fn roles(&self) -> impl Iterator<Item = (&RoleId, &Role)> {
        self.roles.iter()
    }

    fn role_by_folded_name(&self, folded: &str) -> Option<&RoleId> {
        self.role_names.get(folded)
    }

    fn set_role_name(&mut self, folded: &str, role: Option<&RoleId>) {
        match role {
            Some(role) => _ = self.role_names.insert(folded.into(), role.clone()),
            None => _ = self.role_names.remove(folded),
        }
    }

    #[inline]
    fn any_holder<P>(&self, permission: &P, is_meant: impl FnMut(&RoleId) -> bool) -> bool
    where
        Permission: Borrow<P>,
        P: Hash + Ord + ?Sized,
    {
        let holders = self.holders.get(permission);
        holders.is_some_and(|holders| holders.iter().any(is_meant))
    }

    #[inline]
    fn has_extensions(&self) -> bool {
        self.extensions > 0
    }

    fn set_holder(&mut self, permission: &Permission, role: &RoleId, is_holder: bool) {
        let extension = usize::from(permission.is_extension());
        let holders = self.holders.entry(permission.clone()).or_insert_with(|| {
            self.extensions += extension;
            SmallVec::new()
        });
        match (holders.binary_search(role), is_holder) {
            (Err(place), true) => holders.insert(place, role.clone()),
            (Ok(place), false) => _ = holders.remove(place),
            (Ok(_), true) | (Err(_), false) => {}
        }
        if holders.is_empty() {
            self.holders.remove(permission);
            self.extensions -= extension;
        }
    }
}

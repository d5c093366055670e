//! The account's data, with the index inside, and the writes that keep both in step.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::account::group::GroupEntry;
use crate::account::guard;
use crate::account::id_map::IdMap;
use crate::account::id_set::IdSet;
use crate::account::index::{Granting, GroupSet};
use crate::account::limits::GroupLimit;
use crate::account::member::{MemberEntry, MemberStatus};
use crate::account::number::{NumberSet, Numbers};
use crate::account::store::StoreEntry;
use crate::grant::{Grant, Scope};
use crate::id::{AccountId, GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::{Role, RoleLevel};
use crate::time::Timestamp;

mod exact;

/// An account's data.
///
/// The plain data are `members` with the slots of their groups, the keys of `stores`, `roles` and `groups`. All else is
/// derived from them: `account` and the `granting` of `stores` (who is granted what where), who has which number, the
/// groups' sets of members, `slots`, the names, and `owners`.
///
/// INVARIANT: what is derived agrees with the plain data ([`State::is_exact`]). The writes below keep it so; only
/// `evolve` and the restoring of a snapshot call them.
#[derive(Clone, Debug)]
pub(crate) struct State<'base> {
    pub(crate) id: AccountId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) group_limit: GroupLimit,
    /// The active ones.
    pub(crate) owners: IdSet<'base, MemberId>,
    pub(crate) members: IdMap<'base, MemberId, MemberEntry>,
    pub(crate) numbers: Numbers<'base>,
    pub(crate) stores: IdMap<'base, StoreId, StoreEntry>,
    pub(crate) roles: IdMap<'base, RoleId, Role>,
    pub(crate) groups: IdMap<'base, GroupId, GroupEntry<'base>>,
    pub(crate) account: Granting,
    /// The slots of all groups.
    slots: GroupSet,
    /// Which group has a name, and which role, by the name in small letters (G3, L3).
    group_names: IdMap<'base, Arc<str>, GroupId>,
    role_names: IdMap<'base, Arc<str>, RoleId>,
}

impl State<'_> {
    /// Before the first record: built-in roles, and nobody.
    pub(crate) fn unopened(id: AccountId) -> Self {
        let (mut roles, mut role_names) = (IdMap::default(), IdMap::default());
        for (id, role) in Role::built_ins() {
            role_names.insert(role.name.folded(), id.clone());
            roles.insert(id, role);
        }
        Self {
            id,
            version: 0,
            at: Timestamp::default(),
            group_limit: GroupLimit::default(),
            owners: IdSet::default(),
            members: IdMap::default(),
            numbers: Numbers::default(),
            stores: IdMap::default(),
            roles,
            groups: IdMap::default(),
            account: Granting::default(),
            slots: GroupSet::default(),
            group_names: IdMap::default(),
            role_names,
        }
    }
}

impl<'base> State<'base> {
    /// A state to try changes on: it reads as the one below, holds only what then differs, and leaves that one alone.
    pub(crate) fn over(base: &'base State<'base>) -> Self {
        Self {
            id: base.id.clone(),
            version: base.version,
            at: base.at,
            group_limit: base.group_limit,
            owners: IdSet::over(&base.owners),
            members: IdMap::over(&base.members),
            numbers: Numbers::over(&base.numbers),
            stores: IdMap::over(&base.stores),
            roles: IdMap::over(&base.roles),
            groups: IdMap::over(&base.groups),
            account: base.account.clone(),
            slots: base.slots.clone(),
            group_names: IdMap::over(&base.group_names),
            role_names: IdMap::over(&base.role_names),
        }
    }

    // What is asked of it.

    /// The host's clock, but never before the last record (U2).
    pub(crate) fn not_before(&self, now: Timestamp) -> Timestamp {
        now.max(self.at)
    }

    /// The member, with the id that the account has.
    pub(crate) fn member(&self, id: &str) -> Option<(&MemberId, &MemberEntry)> {
        let entry = self.members.get(id)?;
        self.numbers.id(entry.number()).map(|id| (id, entry))
    }

    /// The group that has this name, in whatever case of letters.
    pub(crate) fn group_named(&self, name: &GroupName) -> Option<&GroupId> {
        self.group_names.get(&name.folded())
    }

    /// The role that has this name, in whatever case of letters.
    pub(crate) fn role_named(&self, name: &RoleName) -> Option<&RoleId> {
        self.role_names.get(&name.folded())
    }

    /// The first group that carries this role.
    pub(crate) fn group_carrying(&self, role: &RoleId) -> Option<&GroupId> {
        self.groups
            .iter()
            .find(|(_, group)| carries(group, role))
            .map(|(id, _)| id)
    }

    // What is written to it.

    /// Puts a member in; it is in no group, and was not there.
    pub(crate) fn insert_member(&mut self, member: MemberId, status: MemberStatus) {
        // There is always one: 2^32 members do not fit into memory.
        let Some(number) = self.numbers.give(&member) else {
            return;
        };
        self.note_owner(&member, status);
        self.members
            .insert(member, MemberEntry::new(number, status));
    }

    /// Takes a member out, and out of all its groups.
    pub(crate) fn remove_member(&mut self, member: &MemberId) {
        let Some(entry) = self.members.get(member) else {
            return;
        };
        let (number, slots) = (entry.number(), entry.groups());
        if !slots.is_empty() && guard::stands("M5") {
            for group in self.groups_where(|group| slots.contains(group.slot)) {
                if let Some(group) = self.groups.get_mut(&group) {
                    group.members.remove(number);
                }
            }
        }
        self.owners.remove(member);
        self.members.remove(member);
        self.numbers.take_back(number);
    }

    fn note_owner(&mut self, member: &MemberId, status: MemberStatus) {
        if status.is_owner() {
            self.owners.insert(member.clone());
        } else {
            self.owners.remove(member);
        }
    }

    pub(crate) fn set_standing(&mut self, member: &MemberId, status: MemberStatus) {
        if let Some(entry) = self.members.get_mut(member) {
            entry.set_standing(status);
            self.note_owner(member, status);
        }
    }

    pub(crate) fn add_to_group<'m>(
        &mut self,
        group: &GroupId,
        members: impl IntoIterator<Item = &'m MemberId>,
    ) {
        let Some(group) = self.groups.get_mut(group) else {
            return;
        };
        for member in members {
            if let Some(entry) = self.members.get_mut(member) {
                entry.join(group.slot);
                group.members.insert(entry.number());
            }
        }
    }

    pub(crate) fn remove_from_group<'m>(
        &mut self,
        group: &GroupId,
        members: impl IntoIterator<Item = &'m MemberId>,
    ) {
        let Some(group) = self.groups.get_mut(group) else {
            return;
        };
        for member in members {
            if let Some(entry) = self.members.get_mut(member) {
                entry.leave(group.slot);
                group.members.remove(entry.number());
            }
        }
    }

    /// Puts a store in; it is in no scope, and was not there (S2).
    pub(crate) fn insert_store(&mut self, store: StoreId) {
        self.stores.insert(store.clone(), StoreEntry::new(store));
    }

    /// Takes a store out, and out of every scope (S3).
    pub(crate) fn remove_store(&mut self, store: &StoreId) {
        self.stores.remove(store);
        let is_scope =
            |grant: &Grant| matches!(&grant.scope, Scope::Stores(stores) if stores.contains(store));
        let is_meant =
            |group: &GroupEntry<'_>| group.grants.iter().any(is_scope) && guard::stands("S3");
        let groups = self.groups_where(is_meant);
        for group in groups {
            if let Some(group) = self.groups.get_mut(&group) {
                for grant in Arc::make_mut(&mut group.grants) {
                    if let Scope::Stores(stores) = &mut grant.scope {
                        stores.remove(store);
                    }
                }
            }
        }
    }

    /// Puts a group in, without members; it was not there. Its slot is the lowest free one.
    pub(crate) fn insert_group(
        &mut self,
        id: &GroupId,
        name: GroupName,
        description: Description,
        grants: &[Grant],
    ) {
        // There is always one: an account has at most `GroupLimit::HIGHEST` groups.
        let Some(slot) = self.slots.lowest_free() else {
            return;
        };
        self.slots.insert(slot);
        self.group_names.insert(name.folded(), id.clone());
        let none = Arc::new([]);
        self.groups.insert(
            id.clone(),
            GroupEntry {
                slot,
                name,
                description,
                grants: none,
                members: NumberSet::default(),
            },
        );
        self.set_grants(id, grants);
    }

    /// Changes of a group what is given.
    pub(crate) fn edit_group(
        &mut self,
        id: &GroupId,
        name: Option<&GroupName>,
        description: Option<&Description>,
        grants: Option<&[Grant]>,
    ) {
        if let Some(group) = self.groups.get_mut(id) {
            if let Some(name) = name {
                self.group_names.remove(&group.name.folded());
                self.group_names.insert(name.folded(), id.clone());
                group.name = name.clone();
            }
            group.description = description.unwrap_or(&group.description).clone();
        }
        if let Some(grants) = grants {
            self.set_grants(id, grants);
        }
    }

    /// Gives a group these grants instead of those it has. Touches the stores in both scopes, and no member.
    fn set_grants(&mut self, group: &GroupId, grants: &[Grant]) {
        self.clear_granting(group);
        let grants = grants
            .iter()
            .map(|grant| self.with_shared_ids(grant))
            .collect();
        if let Some(group) = self.groups.get_mut(group) {
            group.grants = grants;
        }
        self.fill_granting(group);
    }

    /// The same grant with the account's own texts of the stores' ids.
    fn with_shared_ids(&self, grant: &Grant) -> Grant {
        let Scope::Stores(stores) = &grant.scope else {
            return grant.clone();
        };
        let shared = |id: &StoreId| {
            let store = self.stores.get(id.as_str());
            store.map_or(id, |store| &store.id).clone()
        };
        Grant::in_stores(grant.role.clone(), stores.iter().map(shared))
    }

    /// Takes a group out. It has no members, so its slot is free again.
    pub(crate) fn remove_group(&mut self, group: &GroupId) {
        self.clear_granting(group);
        if let Some(entry) = self.groups.get(group) {
            self.slots.remove(entry.slot);
            self.group_names.remove(&entry.name.folded());
        }
        self.groups.remove(group);
    }

    /// Puts a role of the account's own in; it was not there.
    pub(crate) fn insert_role(
        &mut self,
        id: RoleId,
        name: RoleName,
        level: RoleLevel,
        permissions: BTreeSet<Permission>,
    ) {
        self.role_names.insert(name.folded(), id.clone());
        let permissions = Arc::new(permissions);
        self.roles.insert(
            id,
            Role {
                name,
                level,
                permissions,
                built_in: false,
            },
        );
    }

    /// Changes of a role what is given, for every group that carries it.
    pub(crate) fn change_role(
        &mut self,
        id: &RoleId,
        name: Option<&RoleName>,
        permissions: Option<&BTreeSet<Permission>>,
    ) {
        let carrying = self.groups_where(|group| carries(group, id));
        for group in &carrying {
            self.clear_granting(group);
        }
        if let Some(role) = self.roles.get_mut(id) {
            if let Some(name) = name {
                self.role_names.remove(&role.name.folded());
                self.role_names.insert(name.folded(), id.clone());
                role.name = name.clone();
            }
            if let Some(permissions) = permissions {
                role.permissions = Arc::new(permissions.clone());
            }
        }
        for group in &carrying {
            self.fill_granting(group);
        }
    }

    /// Takes a role out; no group carries it.
    pub(crate) fn remove_role(&mut self, role: &RoleId) {
        if let Some(role) = self.roles.get(role) {
            self.role_names.remove(&role.name.folded());
        }
        self.roles.remove(role);
    }

    fn groups_where(&self, is_meant: impl Fn(&GroupEntry<'_>) -> bool) -> Vec<GroupId> {
        let meant = self.groups.iter().filter(|(_, group)| is_meant(group));
        meant.map(|(id, _)| id.clone()).collect()
    }

    /// Takes a group's bit out of every place that its grants reach.
    fn clear_granting(&mut self, group: &GroupId) {
        let Some(group) = self.groups.get(group) else {
            return;
        };
        let (slot, grants) = (group.slot, Arc::clone(&group.grants));
        self.account.remove(slot);
        for store in grants.iter().flat_map(|grant| grant.scope.stores()) {
            if let Some(store) = self.stores.get_mut(store) {
                store.granting.remove(slot);
            }
        }
    }

    /// Puts a group's bit in every place that its grants reach, for every permission of their roles.
    fn fill_granting(&mut self, group: &GroupId) {
        let Some(group) = self.groups.get(group) else {
            return;
        };
        let (slot, grants) = (group.slot, Arc::clone(&group.grants));
        for grant in grants.iter() {
            let Some(role) = self.roles.get(&grant.role) else {
                continue;
            };
            if grant.scope == Scope::Account {
                self.account.add(slot, role.permissions.iter());
            }
            for store in grant.scope.stores() {
                if let Some(store) = self.stores.get_mut(store) {
                    store.granting.add(slot, role.permissions.iter());
                }
            }
        }
    }
}

fn carries(group: &GroupEntry<'_>, role: &RoleId) -> bool {
    group.grants.iter().any(|grant| grant.role == *role)
}

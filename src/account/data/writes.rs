//! The writes: each keeps the rows and the index in step.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::account::data::StoreEntry;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::Slot;
use crate::account::data::{AccountData, GroupEntry};
use crate::account::status::MemberStatus;
use crate::grant::{Grant, Scope, are_merged, merge_grants};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::Role;

impl<D: AccountData> Writes for D {}

/// What the changes write. Whatever they name is there, unless they create it.
pub(crate) trait Writes: AccountData {
    /// Puts a member in, who is in no group and was not there.
    fn insert_member(&mut self, member: &MemberId, status: MemberStatus) {
        // There is always an index: 2^32 members do not fit into memory.
        if let Some(index) = self.give_index(member) {
            self.set_owner(member, status.is_owner());
            self.set_member(member, Some(MemberEntry::new(index, status)));
        }
    }

    /// Takes a member out, and out of all its groups.
    fn remove_member(&mut self, member: &MemberId) {
        let Some(entry) = self.member(member) else {
            return;
        };
        let index = entry.index();
        for slot in entry.groups().iter() {
            self.set_membership(slot, index, false);
        }
        self.set_owner(member, false);
        self.set_member(member, None);
        self.free_index(index);
    }

    fn set_status(&mut self, member: &MemberId, status: MemberStatus) {
        if let Some(entry) = self.member_mut(member) {
            entry.set_status(status);
            self.set_owner(member, status.is_owner());
        }
    }

    /// Puts members in a group, or takes them out.
    fn set_in_group<'m>(
        &mut self,
        group: &GroupId,
        members: impl IntoIterator<Item = &'m MemberId>,
        is_in: bool,
    ) {
        let Some(slot) = self.group(group).map(|group| group.slot) else {
            return;
        };
        for member in members {
            if let Some(entry) = self.member_mut(member) {
                if is_in {
                    entry.join(slot);
                } else {
                    entry.leave(slot);
                }
                let index = entry.index();
                self.set_membership(slot, index, is_in);
            }
        }
    }

    /// Puts a store in, which is in no scope and was not there (S2).
    fn insert_store(&mut self, store: &StoreId) {
        self.set_store(store, Some(StoreEntry::new(store.clone())));
    }

    /// Takes a store out, and out of every scope (S3).
    fn remove_store(&mut self, store: &StoreId) {
        let granted: Vec<(RoleId, Slot)> = self.store(store).map_or_else(Vec::new, |entry| {
            let roles = entry.index.iter();
            roles
                .flat_map(|(role, groups)| groups.iter().map(|slot| (role.clone(), slot)))
                .collect()
        });
        for (role, slot) in granted {
            self.set_in_scope(slot, &role, store, false);
        }
        self.set_store(store, None);
    }

    /// Puts a group in, without members; it was not there. Its slot is the lowest free one.
    fn insert_group(
        &mut self,
        id: &GroupId,
        name: &GroupName,
        description: &Description,
        grants: &[Grant],
    ) {
        // There is always one: an account has at most `GroupLimit::HIGHEST` groups.
        let Some(slot) = self.slots().lowest_free() else {
            return;
        };
        self.slots_mut().insert(slot);
        self.set_group_name(&name.folded(), Some(id));
        let entry = GroupEntry {
            slot,
            name: name.clone(),
            description: description.clone(),
        };
        self.set_group(id, Some(entry));
        self.set_grants(id, grants);
    }

    fn rename_group(&mut self, id: &GroupId, name: &GroupName) {
        let Some(before) = self.group(id).map(|group| group.name.folded()) else {
            return;
        };
        self.set_group_name(&before, None);
        self.set_group_name(&name.folded(), Some(id));
        if let Some(group) = self.group_mut(id) {
            group.name = name.clone();
        }
    }

    fn describe_group(&mut self, id: &GroupId, description: &Description) {
        if let Some(group) = self.group_mut(id) {
            group.description = description.clone();
        }
    }

    /// Takes a group out. It has no members, so its slot is free again.
    fn remove_group(&mut self, id: &GroupId) {
        self.set_grants(id, &[]);
        if let Some(group) = self.group(id) {
            let slot = group.slot;
            let name = group.name.folded();
            self.slots_mut().remove(slot);
            self.set_group_name(&name, None);
        }
        self.set_group(id, None);
    }

    /// Gives a group these grants instead of those it has. Touches the stores that come into a scope or leave one, and no
    /// member.
    fn set_grants(&mut self, group: &GroupId, grants: &[Grant]) {
        let Some(slot) = self.group(group).map(|group| group.slot) else {
            return;
        };
        // What is yet to be decided may name a role twice.
        let grants = if are_merged(grants) {
            Cow::Borrowed(grants)
        } else {
            Cow::Owned(merge_grants(grants.to_vec()))
        };
        let ended = self.roles_in(slot);
        let ended = ended.filter(|role| {
            let found = grants.binary_search_by(|grant| grant.role.cmp(role));
            found.is_err()
        });
        let ended: Vec<RoleId> = ended.cloned().collect();
        // Where a grant ends, what is left is looked at once for all that ends there.
        let (mut touched, mut held) = (BTreeSet::new(), Vec::new());
        // The last one first: the stores' lists of roles are in order, and need not move up.
        for role in ended.into_iter().rev() {
            held.extend(self.actions_of(&role));
            touched.extend(self.end_grant(slot, &role));
        }
        for Grant { role, scope } in grants.iter() {
            let Some(before) = self.scope_of(slot, role) else {
                self.grant_role(group, role, scope);
                continue;
            };
            let (before, after) = (before.store_set(), scope.store_set());
            let lost: Vec<StoreId> = before.difference(after).cloned().collect();
            let gained: Vec<StoreId> = after.difference(before).cloned().collect();
            let mut scope: Vec<StoreId> = before.intersection(after).cloned().collect();
            if lost.is_empty() && gained.is_empty() {
                continue;
            }
            let actions = self.actions_of(role);
            scope.extend(
                (gained.iter()).filter_map(|store| self.grant_in(store, slot, role, &actions)),
            );
            self.set_grant(slot, role, Some(Scope::Stores(scope.into_iter().collect())));
            self.end_in(&lost, slot, role);
            held.extend(actions);
            touched.extend(lost);
        }
        held.sort_unstable();
        held.dedup();
        self.refresh_actions(slot, &touched, &held);
    }

    /// Grants a role to a group, or grants it in these stores too.
    fn grant_role(&mut self, group: &GroupId, role: &RoleId, scope: &Scope) {
        let Some(slot) = self.group(group).map(|group| group.slot) else {
            return;
        };
        let is_new = self.grant(slot, role).is_none();
        let held = self.actions_of(role);
        let mut shared = Vec::new();
        for store in scope.stores() {
            let store = self.grant_in(store, slot, role, &held);
            if is_new {
                shared.extend(store);
            } else if let Some(store) = store {
                self.set_in_scope(slot, role, &store, true);
            }
        }
        if is_new {
            let scope = match scope {
                Scope::Account => Scope::Account,
                Scope::Stores(_) => Scope::Stores(shared.into_iter().collect()),
            };
            self.set_grant(slot, role, Some(scope));
        }
        if *scope == Scope::Account {
            self.account_index_mut().set_role(role, slot, true);
        }
    }

    /// Puts in a store's index that the group in this slot grants the role there. Returns the account's own text of the
    /// store's id.
    fn grant_in(
        &mut self,
        store: &StoreId,
        slot: Slot,
        role: &RoleId,
        held: &[usize],
    ) -> Option<StoreId> {
        let mut shared = None;
        self.change_store(store, |entry| {
            entry.index.set_role(role, slot, true);
            for action in held {
                entry.index.set_action(*action, slot, true);
            }
            shared = Some(entry.id.clone());
        });
        shared
    }

    /// Takes a role from a group in these stores, or altogether.
    fn revoke_role(&mut self, group: &GroupId, role: &RoleId, stores: Option<&BTreeSet<StoreId>>) {
        let Some(slot) = self.group(group).map(|group| group.slot) else {
            return;
        };
        let held = self.actions_of(role);
        if let Some(stores) = stores {
            for store in stores {
                self.set_in_scope(slot, role, store, false);
            }
            self.end_in(stores, slot, role);
            self.refresh_actions(slot, stores, &held);
        } else {
            let stores = self.end_grant(slot, role);
            self.refresh_actions(slot, &stores, &held);
        }
    }

    /// Ends a grant, but for the sets of actions. Returns the stores where it held.
    fn end_grant(&mut self, slot: Slot, role: &RoleId) -> BTreeSet<StoreId> {
        let scope = self.scope_of(slot, role).map(Cow::into_owned);
        self.set_grant(slot, role, None);
        match scope {
            Some(Scope::Stores(stores)) => {
                self.end_in(&stores, slot, role);
                stores
            }
            Some(Scope::Account) => {
                self.account_index_mut().set_role(role, slot, false);
                BTreeSet::new()
            }
            None => BTreeSet::new(),
        }
    }

    /// Puts in these stores' indexes that the group in this slot no longer grants the role there, but for the sets of
    /// actions.
    fn end_in<'s>(
        &mut self,
        stores: impl IntoIterator<Item = &'s StoreId>,
        slot: Slot,
        role: &RoleId,
    ) {
        for store in stores {
            self.change_store(store, |entry| entry.index.set_role(role, slot, false));
        }
    }

    /// Which of the actions that have sets of their own a role holds, and whether it holds anything else.
    fn actions_of(&self, role: &RoleId) -> SmallVec<[usize; 3]> {
        let permissions = self.role(role).map(Role::permissions);
        permissions.map_or_else(SmallVec::new, actions_in)
    }

    /// Makes the sets of these actions agree, in each of these stores, with the roles that the group in this slot grants
    /// there.
    fn refresh_actions<'s>(
        &mut self,
        slot: Slot,
        stores: impl IntoIterator<Item = &'s StoreId>,
        actions: &[usize],
    ) {
        // Stores are often granted the same roles.
        let mut known: BTreeMap<RoleId, SmallVec<[usize; 3]>> = BTreeMap::new();
        let mut unknown: Vec<RoleId> = Vec::new();
        for store in stores {
            // Once, or twice where a role is met for the first time.
            loop {
                self.change_store(store, |entry| {
                    let roles = entry.index.iter();
                    let granted = roles.filter(|(_, groups)| groups.contains(slot));
                    let granted = granted.map(|(role, _)| known.get(role).ok_or(role));
                    unknown.extend(granted.clone().filter_map(Result::err).cloned());
                    if unknown.is_empty() {
                        let held: SmallVec<[usize; 3]> =
                            granted.flatten().flatten().copied().collect();
                        for action in actions {
                            entry.index.set_action(*action, slot, held.contains(action));
                        }
                    }
                });
                if unknown.is_empty() {
                    break;
                }
                for role in unknown.drain(..) {
                    let held = self.actions_of(&role);
                    known.insert(role, held);
                }
            }
        }
    }

    /// Puts a role in, which was not there.
    fn insert_role(&mut self, id: &RoleId, role: Role) {
        self.set_role_name(&role.name.folded(), Some(id));
        for permission in role.permissions.iter() {
            self.set_holder(permission, id, true);
        }
        self.set_role(id, Some(role));
    }

    fn rename_role(&mut self, id: &RoleId, name: &RoleName) {
        let Some(before) = self.role(id).map(|role| role.name.folded()) else {
            return;
        };
        self.set_role_name(&before, None);
        self.set_role_name(&name.folded(), Some(id));
        if let Some(role) = self.role_mut(id) {
            role.name = name.clone();
        }
    }

    /// Gives a role these permissions, for every group that carries it.
    fn redefine_role(&mut self, id: &RoleId, permissions: &BTreeSet<Permission>) {
        let Some(role) = self.role_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut role.permissions, Arc::new(permissions.clone()));
        for permission in before.difference(permissions) {
            self.set_holder(permission, id, false);
        }
        for permission in permissions.difference(&before) {
            self.set_holder(permission, id, true);
        }
        let (held, holds) = (actions_in(&before), actions_in(permissions));
        let all = 0..=GrantIndex::OTHERS;
        let changed: Vec<usize> = all
            .filter(|action| held.contains(action) != holds.contains(action))
            .collect();
        if changed.is_empty() {
            return;
        }
        let slots: Vec<Slot> = self.slots().iter().collect();
        for slot in slots {
            let scope = self.scope_of(slot, id).map(Cow::into_owned);
            let stores = scope.iter().flat_map(Scope::stores);
            self.refresh_actions(slot, stores, &changed);
        }
    }

    /// Takes a role out, which no group carries.
    fn remove_role(&mut self, id: &RoleId) {
        if let Some(role) = self.role(id) {
            let name = role.name.folded();
            let permissions = Arc::clone(&role.permissions);
            self.set_role_name(&name, None);
            for permission in permissions.iter() {
                self.set_holder(permission, id, false);
            }
        }
        self.set_role(id, None);
    }
}

/// Which of the actions that have sets of their own are among these permissions, and whether anything else is.
pub(super) fn actions_in(permissions: &BTreeSet<Permission>) -> SmallVec<[usize; 3]> {
    let actions = Permission::STORE_ACTIONS.iter().enumerate();
    let held = actions.filter(|(_, permission)| permissions.contains(*permission));
    let mut held: SmallVec<[usize; 3]> = held.map(|(action, _)| action).collect();
    if permissions.len() > held.len() {
        held.push(GrantIndex::OTHERS);
    }
    held
}

//! The writes: each keeps the rows and the index in step.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::account::data::StoreEntry;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::Slot;
use crate::account::data::{AccountData, GroupEntry};
use crate::account::status::MemberStatus;
use crate::grant::{Grant, Scope};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::{Role, RoleLevel};

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

    /// Gives a group these grants instead of those it has: each role once, in the order of ids. Touches the stores that
    /// come into a scope or leave one, and no member.
    fn set_grants(&mut self, group: &GroupId, grants: &[Grant]) {
        let Some(slot) = self.group(group).map(|group| group.slot) else {
            return;
        };
        let changes = GrantChanges::between(self.grants_of(slot), grants);
        for (role, level) in &changes.ended {
            self.set_grant(slot, role, None);
            if *level == RoleLevel::Account {
                self.account_index_mut().set_role(role, slot, false);
            }
        }
        for grant in &changes.started {
            let scope = self.with_shared_ids(&grant.scope);
            self.set_grant(slot, &grant.role, Some(scope));
            if grant.scope == Scope::Account {
                self.account_index_mut().set_role(&grant.role, slot, true);
            }
        }
        let mut touched = BTreeSet::new();
        for ScopeChange {
            role,
            store,
            enters,
            is_kept,
        } in &changes.scopes
        {
            let Some(entry) = self.store_mut(store) else {
                continue;
            };
            entry.index.set_role(role, slot, *enters);
            touched.insert(store);
            if *is_kept {
                let shared = entry.id.clone();
                self.set_in_scope(slot, role, &shared, *enters);
            }
        }
        for (action, permission) in Permission::STORE_ACTIONS.iter().enumerate() {
            let granted = stores_with(self, grants, permission);
            for store in &touched {
                if let Some(entry) = self.store_mut(store) {
                    let is_granted = granted.contains(store);
                    entry.index.set_action(action, slot, is_granted);
                }
            }
        }
    }

    /// The same scope with the account's own texts of the stores' ids.
    fn with_shared_ids(&self, scope: &Scope) -> Scope {
        let shared = |store: &StoreId| {
            let entry = self.store(store);
            entry.map_or(store, |entry| &entry.id).clone()
        };
        match scope {
            Scope::Account => Scope::Account,
            Scope::Stores(stores) => Scope::Stores(stores.iter().map(shared).collect()),
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
        for (action, permission) in Permission::STORE_ACTIONS.iter().enumerate() {
            if before.contains(permission) != permissions.contains(permission) {
                self.refresh_action(id, action, permission);
            }
        }
    }

    /// Makes the sets of an action agree with the roles, wherever this role is granted.
    fn refresh_action(&mut self, role: &RoleId, action: usize, permission: &Permission) {
        let slots: Vec<Slot> = self.slots().iter().collect();
        for slot in slots {
            if self.grant(slot, role).is_none() {
                continue;
            }
            let grants: Vec<Grant> = self
                .grants_of(slot)
                .map(|(role, scope)| Grant {
                    role: role.clone(),
                    scope: scope.into_owned(),
                })
                .collect();
            let granted = stores_with(self, &grants, permission);
            let carried = grants.iter().find(|grant| grant.role == *role);
            for store in carried.into_iter().flat_map(|grant| grant.scope.stores()) {
                if let Some(entry) = self.store_mut(store) {
                    entry
                        .index
                        .set_action(action, slot, granted.contains(store));
                }
            }
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

/// What is to be done so that a group has other grants.
#[derive(Default)]
struct GrantChanges<'g> {
    ended: Vec<(RoleId, RoleLevel)>,
    started: Vec<&'g Grant>,
    scopes: Vec<ScopeChange>,
}

/// A store that enters a scope, or leaves it.
struct ScopeChange {
    role: RoleId,
    store: StoreId,
    enters: bool,
    /// Whether the grant itself stays.
    is_kept: bool,
}

impl<'g> GrantChanges<'g> {
    /// Both are in the order of the roles' ids, each role once.
    fn between<'a>(
        before: impl Iterator<Item = (&'a RoleId, Cow<'a, Scope>)>,
        after: &'g [Grant],
    ) -> Self {
        let mut changes = Self::default();
        let mut after = after.iter().peekable();
        for (role, before) in before {
            while let Some(new) = after.next_if(|grant| grant.role < *role) {
                changes.start(new);
            }
            if let Some(grant) = after.next_if(|grant| grant.role == *role) {
                changes.move_scope(role, &before, &grant.scope, true);
            } else {
                let level = before.level();
                changes.move_scope(role, &before, &Scope::empty(level), false);
                changes.ended.push((role.clone(), level));
            }
        }
        after.for_each(|new| changes.start(new));
        changes
    }

    fn start(&mut self, grant: &'g Grant) {
        let nothing = Scope::empty(grant.scope.level());
        self.move_scope(&grant.role, &nothing, &grant.scope, false);
        self.started.push(grant);
    }

    fn move_scope(&mut self, role: &RoleId, before: &Scope, after: &Scope, is_kept: bool) {
        let before = before.store_set();
        let after = after.store_set();
        let change = |enters| {
            move |store: &StoreId| ScopeChange {
                role: role.clone(),
                store: store.clone(),
                enters,
                is_kept,
            }
        };
        self.scopes
            .extend(before.difference(after).map(change(false)));
        self.scopes
            .extend(after.difference(before).map(change(true)));
    }
}

/// The stores where these grants give this permission.
fn stores_with<'g, D: AccountData>(
    data: &D,
    grants: &'g [Grant],
    permission: &Permission,
) -> BTreeSet<&'g StoreId> {
    let holds = |role: &RoleId| {
        let role = data.role(role);
        role.is_some_and(|role| role.permissions.contains(permission))
    };
    let giving = grants.iter().filter(|grant| holds(&grant.role));
    giving.flat_map(|grant| grant.scope.stores()).collect()
}

//! Granting one role to a group and revoking it, apart from the group's other grants ([G8](crate::docs::rules#G8)).

use std::collections::BTreeSet;

use crate::access::Resource;
use crate::account::changes::existing::{group_exists, role_exists, store_exists};
use crate::account::changes::groups::{ensure_fits, named_exist};
use crate::account::changes::{Change, Outcome, bounded, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::distinct;
use crate::grant::Scope;
use crate::id::{GroupId, RoleId, StoreId};
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// There is at least one store, and not too many (G5, U7).
fn validate_stores(role: &RoleId, stores: &BTreeSet<StoreId>) -> Outcome {
    if stores.is_empty() {
        return Err(CommandError::EmptyScope { role: role.clone() });
    }
    bounded(stores.len())
}

command_and_event! {
    /// Grants a role to a group, beside what it carries ([G8](crate::docs::rules#G8)). Takes `account.manage_groups`.
    GrantRole =>

    /// A role was granted to a group.
    RoleGranted {
        /// The group.
        group: GroupId,
        /// The role.
        role: RoleId,
        /// Where: the account, or the stores where the group did not grant it yet.
        scope: Scope,
    }
}

impl RoleGranted {
    fn is_new<D: AccountData>(&self, data: &D, resource: Resource<&str>) -> bool {
        !data.grants_here(&self.group, &self.role, resource)
    }
}

impl Change for RoleGranted {
    fn validate(&self, _: Timestamp) -> Outcome {
        match &self.scope {
            Scope::Account => Ok(()),
            Scope::Stores(stores) => validate_stores(&self.role, stores),
        }
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        group_exists(data, &self.group)?;
        named_exist(data, &self.role, &self.scope)?;
        ensure_fits(data, &self.role, &self.scope)
    }

    fn without_noops<D: AccountData>(mut self, data: &D) -> Option<Self> {
        match &self.scope {
            Scope::Account => self.is_new(data, Resource::Account).then_some(self),
            Scope::Stores(stores) => {
                let stores = stores.iter();
                let new = stores.filter(|store| self.is_new(data, Resource::Store(store)));
                let new: BTreeSet<StoreId> = new.cloned().collect();
                let is_change = !new.is_empty();
                self.scope = Scope::Stores(new);
                is_change.then_some(self)
            }
        }
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        match &self.scope {
            Scope::Account => self.is_new(data, Resource::Account),
            Scope::Stores(stores) => {
                let mut stores = stores.iter();
                stores.all(|store| self.is_new(data, Resource::Store(store)))
            }
        }
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.grant_role(&self.group, &self.role, &self.scope);
    }
}

command_and_event! {
    /// Revokes a role from a group, in some stores or altogether ([G8](crate::docs::rules#G8)). Takes
    /// `account.manage_groups`.
    ///
    /// A grant that loses its last store stays with an empty scope and grants nothing, as when the store is deleted
    /// ([S3](crate::docs::rules#S3)).
    RevokeRole =>

    /// A role was revoked from a group.
    RoleRevoked {
        /// The group.
        group: GroupId,
        /// The role. Altogether, it must not be the only one that the group carries ([G4](crate::docs::rules#G4)).
        role: RoleId,
        /// The stores where it is granted no more; without them, it is revoked altogether.
        #[serde(default, deserialize_with = "distinct::optional_set")]
        stores: Option<BTreeSet<StoreId>>,
    }
}

impl RoleRevoked {
    fn is_granted<D: AccountData>(&self, data: &D, store: &StoreId) -> bool {
        data.grants_here(&self.group, &self.role, Resource::Store(store))
    }
}

impl Change for RoleRevoked {
    fn validate(&self, _: Timestamp) -> Outcome {
        let stores = self.stores.as_ref();
        stores.map_or(Ok(()), |stores| validate_stores(&self.role, stores))
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        group_exists(data, &self.group)?;
        let level = role_exists(data, &self.role)?.level;
        let mut stores = self.stores.iter().flatten();
        stores.try_for_each(|store| store_exists(data, store).map(drop))?;
        if level == RoleLevel::Account && self.stores.is_some() {
            return Err(CommandError::ScopeMismatch {
                role: self.role.clone(),
                level,
            });
        }
        Ok(())
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        let is_altogether = self.stores.is_none();
        if is_altogether && data.carries_only(&self.group, &self.role) {
            return Err(CommandError::LastGrant {
                group: self.group.clone(),
                role: self.role.clone(),
            });
        }
        Ok(())
    }

    fn without_noops<D: AccountData>(mut self, data: &D) -> Option<Self> {
        if let Some(stores) = &self.stores {
            let granted = stores.iter().filter(|store| self.is_granted(data, store));
            self.stores = Some(granted.cloned().collect());
        }
        self.has_no_noops(data).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        match &self.stores {
            Some(stores) => {
                let mut named = stores.iter();
                !stores.is_empty() && named.all(|store| self.is_granted(data, store))
            }
            None => data.carries(&self.group, &self.role),
        }
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.revoke_role(&self.group, &self.role, self.stores.as_ref());
    }
}

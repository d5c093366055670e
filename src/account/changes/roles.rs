//! Roles of the account's own ([L1](crate::docs::rules#L1), [L3](crate::docs::rules#L3), [L5](crate::docs::rules#L5)).

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::account::changes::existing::role_exists;
use crate::account::changes::{Change, Outcome, bounded, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::distinct;
use crate::id::RoleId;
use crate::name::RoleName;
use crate::permission::Permission;
use crate::role::{Role, RoleLevel, has_same_letters, is_ownership};
use crate::time::Timestamp;

/// No other role has this name, and no built-in one has it with other separators between the words (L3).
fn ensure_name_free<D: AccountData>(data: &D, name: &RoleName, but_for: &RoleId) -> Outcome {
    let built_ins = [
        RoleId::group_manager(),
        RoleId::store_editor(),
        RoleId::store_viewer(),
    ];
    let is_taken = |id: &&RoleId| {
        let role = data.role(id);
        role.is_some_and(|role| has_same_letters(&role.name, name))
    };
    match data.role_named(name).or(built_ins.iter().find(is_taken)) {
        Some(role) if role != but_for => Err(CommandError::RoleNameTaken {
            name: name.clone(),
            role: role.clone(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// The library's own roles cannot be changed (L1).
fn ensure_own<D: AccountData>(data: &D, role: &RoleId) -> Outcome {
    if role_exists(data, role)?.built_in {
        return Err(CommandError::BuiltInRole { role: role.clone() });
    }
    Ok(())
}

fn ensure_no_ownership(id_or_name: &str) -> Outcome {
    if is_ownership(id_or_name) {
        return Err(CommandError::OwnershipName);
    }
    Ok(())
}

/// There is at least one permission, and none that is reserved (L3, L5, U7).
fn validate_permissions(role: &RoleId, permissions: &BTreeSet<Permission>) -> Outcome {
    if permissions.is_empty() {
        return Err(CommandError::NoPermissions { role: role.clone() });
    }
    bounded(permissions.len())?;
    match permissions
        .iter()
        .find(|permission| permission.is_reserved())
    {
        Some(permission) => Err(CommandError::ReservedPermission {
            permission: permission.clone(),
        }),
        None => Ok(()),
    }
}

/// No permission belongs to the other level (L5).
fn ensure_level(level: RoleLevel, permissions: &BTreeSet<Permission>) -> Outcome {
    let mut permissions = permissions.iter();
    match permissions.find(|permission| level == RoleLevel::Account && permission.is_store_only()) {
        Some(permission) => Err(CommandError::StorePermission {
            permission: permission.clone(),
        }),
        None => Ok(()),
    }
}

command_and_event! {
    /// Defines a role of the account's own ([L3](crate::docs::rules#L3)). Takes `account.manage_roles`.
    DefineRole =>

    /// A role of the account's own was defined.
    RoleDefined {
        /// The role's id; must not be in use, nor be a built-in one.
        role: RoleId,
        /// The role's name; must not be in use, in whatever case of letters, nor be a built-in one's.
        name: RoleName,
        /// Where its permissions hold; it never changes.
        level: RoleLevel,
        /// At least one; none that begins with `account.`, and at account level none that begins with `store.`
        /// ([L5](crate::docs::rules#L5)).
        #[serde(deserialize_with = "distinct::set")]
        permissions: BTreeSet<Permission>,
    }
}

impl Change for RoleDefined {
    fn validate(&self, _: Timestamp) -> Outcome {
        ensure_no_ownership(&self.role)?;
        ensure_no_ownership(&self.name)?;
        validate_permissions(&self.role, &self.permissions)?;
        ensure_level(self.level, &self.permissions)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        if data.role(&self.role).is_some() {
            return Err(CommandError::RoleExists {
                role: self.role.clone(),
            });
        }
        ensure_name_free(data, &self.name, &self.role)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        let role = Role {
            name: self.name.clone(),
            level: self.level,
            permissions: Arc::new(self.permissions.clone()),
            built_in: false,
            revision: 0,
        };
        data.insert_role(&self.role, role);
    }
}

command_and_event! {
    /// Changes a role's name or permissions, for everybody who holds it at once ([L3](crate::docs::rules#L3)). Takes
    /// `account.manage_roles`.
    ChangeRole =>

    /// A role's name or permissions changed.
    RoleChanged {
        /// The role; must not be a built-in one ([L1](crate::docs::rules#L1)).
        role: RoleId,
        /// The new name, if it is to change.
        #[serde(default)]
        name: Option<RoleName>,
        /// All permissions that the role is to have, if they are to change.
        #[serde(default, deserialize_with = "distinct::optional_set")]
        permissions: Option<BTreeSet<Permission>>,
    }
}

impl Change for RoleChanged {
    fn validate(&self, _: Timestamp) -> Outcome {
        if let Some(name) = &self.name {
            ensure_no_ownership(name)?;
        }
        let permissions = self.permissions.as_ref();
        permissions.map_or(Ok(()), |permissions| {
            validate_permissions(&self.role, permissions)
        })
    }

    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        let level = role_exists(data, &self.role)?.level;
        let permissions = self.permissions.as_ref();
        permissions.map_or(Ok(()), |permissions| ensure_level(level, permissions))
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_own(data, &self.role)?;
        let name = self.name.as_ref();
        name.map_or(Ok(()), |name| ensure_name_free(data, name, &self.role))
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        let current = data.role(&self.role)?;
        let name = self.name.filter(|name| *name != current.name);
        let permissions = self
            .permissions
            .filter(|permissions| *permissions != *current.permissions);
        let is_change = name.is_some() || permissions.is_some();
        is_change.then_some(Self {
            role: self.role,
            name,
            permissions,
        })
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        self.clone().without_noops(data).as_ref() == Some(self)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        if let Some(name) = &self.name {
            data.rename_role(&self.role, name);
        }
        if let Some(permissions) = &self.permissions {
            data.redefine_role(&self.role, permissions);
        }
    }
}

command_and_event! {
    /// Deletes a role that no group carries ([L3](crate::docs::rules#L3)). Takes `account.manage_roles`.
    DeleteRole =>

    /// A role was deleted.
    RoleDeleted {
        /// The role; must not be a built-in one ([L1](crate::docs::rules#L1)).
        role: RoleId,
    }
}

impl Change for RoleDeleted {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        role_exists(data, &self.role).map(drop)
    }

    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        ensure_own(data, &self.role)?;
        match data.group_carrying(&self.role) {
            Some(group) => Err(CommandError::RoleInUse {
                role: self.role.clone(),
                group: group.clone(),
            }),
            None => Ok(()),
        }
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_role(&self.role);
    }
}

//! Whether a permission is meant, and meant here: what is known of it, before anything is advised.

use crate::access::Resource;
use crate::account::data::AccountData;
use crate::account::data::state::State;
use crate::id::RoleId;
use crate::permission::Permission;
use crate::questions::explanation::PermissionWarning;
use crate::role::RoleLevel;

/// What only owners hold: no role can (L5).
const OWNERS_ONLY: [Permission; 5] = [
    Permission::CLOSE_ACCOUNT,
    Permission::MANAGE_OWNERS,
    Permission::MANAGE_ROLES,
    Permission::MANAGE_STORES,
    Permission::REMOVE_MEMBERS,
];

/// The level of the roles that can give something here (L6).
pub(crate) fn level_at(resource: Resource<&str>) -> RoleLevel {
    match resource {
        Resource::Account => RoleLevel::Account,
        Resource::Store(_) => RoleLevel::Store,
    }
}

/// Whether ownership is the only way to it.
pub(crate) fn is_owners_only(permission: &Permission) -> bool {
    OWNERS_ONLY.iter().any(|own| own.includes(permission))
}

pub(crate) fn warning(
    state: &State,
    permission: &Permission,
    resource: Resource<&str>,
) -> Option<PermissionWarning> {
    if let Some(nearest) = unknown(permission) {
        return Some(PermissionWarning::Unknown { nearest });
    }
    let here = level_at(resource);
    if let Some(level) = level_of(permission).filter(|level| *level != here) {
        return Some(PermissionWarning::WrongLevel { level });
    }
    if is_owners_only(permission) {
        return None;
    }
    let is_held = |level| {
        let is_of_level = |id: &RoleId| state.role(id).is_some_and(|role| role.level == level);
        let mut including = permission.included_in();
        including.any(|text| state.any_holder(text, is_of_level))
    };
    let elsewhere = match here {
        RoleLevel::Account => RoleLevel::Store,
        RoleLevel::Store => RoleLevel::Account,
    };
    match (is_held(here), is_held(elsewhere)) {
        (true, _) => None,
        (false, true) => Some(PermissionWarning::HeldAtOtherLevel { level: elsewhere }),
        (false, false) => Some(PermissionWarning::HeldByNoRole),
    }
}

/// If there is no such permission: the known one that reads most like it, if any.
fn unknown(permission: &Permission) -> Option<Option<Permission>> {
    let is_known = |known: &Permission| known.is_reserved() && known.includes(permission);
    if permission.is_reserved() && !Permission::BUILT_IN.iter().any(is_known) {
        return Some(None);
    }
    None
}

/// The one level at which it can be held, where it is certain.
fn level_of(permission: &Permission) -> Option<RoleLevel> {
    if permission.is_reserved() {
        Some(RoleLevel::Account)
    } else if permission.is_store_only() {
        Some(RoleLevel::Store)
    } else {
        None
    }
}

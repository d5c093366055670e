//! Whether a permission is meant, and meant here: what is known of it, before anything is advised.

use crate::access::Resource;
use crate::account::data::AccountData;
use crate::account::data::state::State;
use crate::catalog::{Catalog, level_by_prefix, nearest};
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
    catalog: Option<&Catalog>,
) -> Option<PermissionWarning> {
    if is_unknown(permission, catalog) {
        let nearest = match catalog {
            Some(catalog) => catalog.nearest(permission),
            None => nearest(permission, own()),
        };
        return Some(PermissionWarning::Unknown {
            nearest: nearest.cloned(),
        });
    }
    let here = level_at(resource);
    let level = catalog.and_then(|catalog| catalog.level_of(permission));
    let level = level.or_else(|| level_by_prefix(permission));
    if let Some(level) = level.filter(|level| *level != here) {
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
        // What a catalog does not list was called unknown above.
        (false, false) => Some(PermissionWarning::HeldByNoRole {
            is_listed: catalog.is_some(),
        }),
    }
}

/// The library's own permissions at the account.
fn own() -> impl Iterator<Item = &'static Permission> {
    static BUILT_IN: [Permission; 9] = Permission::BUILT_IN;
    BUILT_IN.iter().filter(|own| own.is_reserved())
}

/// Whether there is no such permission, for certain. Of what does not begin with `account.`, only a catalog says so.
fn is_unknown(permission: &Permission, catalog: Option<&Catalog>) -> bool {
    match catalog {
        Some(catalog) => !catalog.contains(permission),
        None => permission.is_reserved() && !own().any(|own| own.includes(permission)),
    }
}

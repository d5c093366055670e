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
    if is_unknown(permission) {
        let nearest = nearest(permission, own()).cloned();
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

/// The library's own permissions at the account.
fn own() -> impl Iterator<Item = &'static Permission> {
    static BUILT_IN: [Permission; 9] = Permission::BUILT_IN;
    BUILT_IN.iter().filter(|own| own.is_reserved())
}

/// Whether there is no such permission, for certain. Of what does not begin with `account.`, only a catalogue of the
/// application's permissions could say so.
fn is_unknown(permission: &Permission) -> bool {
    permission.is_reserved() && !own().any(|own| own.includes(permission))
}

/// The permission that takes the fewest changes of a letter to become this one, if these are few.
fn nearest<'a>(
    permission: &str,
    known: impl Iterator<Item = &'a Permission>,
) -> Option<&'a Permission> {
    let distances = known.map(|known| (distance(permission, known), known));
    let (distance, nearest) = distances.min()?;
    (distance * 4 <= permission.len()).then_some(nearest)
}

/// How many letters have to be put in, taken out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(other.bytes()) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The one level at which it can be held, where it is certain. A catalogue of the application's permissions could say
/// more.
fn level_of(permission: &Permission) -> Option<RoleLevel> {
    if permission.is_reserved() {
        Some(RoleLevel::Account)
    } else if permission.is_store_only() {
        Some(RoleLevel::Store)
    } else {
        None
    }
}

//! Whether an event is well formed by itself.

use std::collections::BTreeSet;

use crate::account::event::Event;
use crate::account::limits::MAX_ITEMS_PER_COMMAND;
use crate::account::refusal::CommandError;
use crate::grant::{Grant, Scope};
use crate::id::RoleId;
use crate::permission::Permission;
use crate::role::{RoleLevel, is_ownership};
use crate::time::Timestamp;

/// The event is well formed, whatever is in the account (G4, G5, L3, L5, M3, U7).
pub(crate) fn check(event: &Event, at: Timestamp) -> Result<(), CommandError> {
    match event {
        Event::MemberInvited {
            expires: Some(expires),
            ..
        } if *expires <= at => Err(CommandError::ExpiryPassed {
            expires: *expires,
            now: at,
        }),
        Event::MembersAdded { members }
        | Event::AddedToGroup { members, .. }
        | Event::RemovedFromGroup { members, .. } => bounded(members.len()),
        Event::GroupCreated { grants, .. }
        | Event::GroupEdited {
            grants: Some(grants),
            ..
        } => grants_form(grants),
        Event::RoleDefined {
            role,
            name,
            level,
            permissions,
        } => {
            if is_ownership(role, name) {
                return Err(CommandError::OwnershipName);
            }
            permissions_form(role, permissions)?;
            permissions_level(*level, permissions)
        }
        Event::RoleChanged {
            role,
            name,
            permissions,
        } => {
            if name.as_ref().is_some_and(|name| is_ownership(role, name)) {
                return Err(CommandError::OwnershipName);
            }
            permissions
                .as_ref()
                .map_or(Ok(()), |permissions| permissions_form(role, permissions))
        }
        Event::AccountOpened { .. }
        | Event::MemberInvited { .. }
        | Event::InvitationAccepted { .. }
        | Event::InvitationCancelled { .. }
        | Event::MemberRemoved { .. }
        | Event::OwnershipGranted { .. }
        | Event::OwnershipRevoked { .. }
        | Event::StoreCreated { .. }
        | Event::StoreDeleted { .. }
        | Event::GroupEdited { grants: None, .. }
        | Event::GroupDeleted { .. }
        | Event::RoleDeleted { .. } => Ok(()),
    }
}

fn bounded(named: usize) -> Result<(), CommandError> {
    if named > MAX_ITEMS_PER_COMMAND {
        Err(CommandError::TooManyNamed { named })
    } else {
        Ok(())
    }
}

fn grants_form(grants: &[Grant]) -> Result<(), CommandError> {
    if grants.is_empty() {
        return Err(CommandError::NoGrants);
    }
    grants_bounded(grants)?;
    match grants
        .iter()
        .find(|grant| grant.scope == Scope::Stores(BTreeSet::new()))
    {
        Some(grant) => Err(CommandError::EmptyScope {
            role: grant.role.clone(),
        }),
        None => Ok(()),
    }
}

/// Grants and stores, over all grants, are not too many (U7).
pub(crate) fn grants_bounded(grants: &[Grant]) -> Result<(), CommandError> {
    bounded(grants.len())?;
    let stores = grants.iter().map(|grant| grant.scope.stores().count());
    bounded(stores.sum())
}

fn permissions_form(role: &RoleId, permissions: &BTreeSet<Permission>) -> Result<(), CommandError> {
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

pub(crate) fn permissions_level(
    level: RoleLevel,
    permissions: &BTreeSet<Permission>,
) -> Result<(), CommandError> {
    match permissions
        .iter()
        .find(|permission| level == RoleLevel::Account && permission.is_store_only())
    {
        Some(permission) => Err(CommandError::StorePermission {
            permission: permission.clone(),
        }),
        None => Ok(()),
    }
}

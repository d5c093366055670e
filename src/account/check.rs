//! What a member may do: the check with its reason, and everything that a member holds.

use std::collections::HashMap;

use crate::access::{DenialReason, EffectivePermissions, Permissions, Resource};
use crate::account::data::AccountData;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::status::MemberStatus;
use crate::id::RoleId;
use crate::permission::Permission;

impl<D: AccountData> Check for D {}

pub(crate) trait Check: AccountData {
    /// Finds the member, who is active, and what is granted in the resource; or the first reason to deny everything
    /// (P4).
    fn look_up(
        &self,
        member: &str,
        resource: Resource<&str>,
    ) -> Result<(&MemberEntry, &GrantIndex), DenialReason> {
        if self.header().is_closed {
            return Err(DenialReason::AccountClosed);
        }
        let member = self.member(member).ok_or(DenialReason::UnknownMember)?;
        match member.status() {
            MemberStatus::Active { .. } => {}
            MemberStatus::Suspended { .. } => return Err(DenialReason::Suspended),
            MemberStatus::Invited { .. } => return Err(DenialReason::Invited),
        }
        let index = self.index(resource).ok_or(DenialReason::UnknownStore)?;
        Ok((member, index))
    }

    /// As `can`, with the reason why everything is denied.
    fn check(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> Result<bool, DenialReason> {
        let (member, index) = self.look_up(member, resource)?;
        Ok(self.holds(member, permission, index))
    }

    /// All that a member holds in one resource, or the first reason to deny everything.
    fn permissions_in(
        &self,
        member: &str,
        resource: Resource<&str>,
    ) -> Result<Permissions, DenialReason> {
        let (member, index) = self.look_up(member, resource)?;
        Ok(if member.is_owner() {
            Permissions::All
        } else {
            self.united(index.granted_by(&member.groups()))
        })
    }

    /// What these roles hold together.
    fn united<'r>(&self, roles: impl Iterator<Item = &'r RoleId>) -> Permissions {
        let roles = roles.filter_map(|role| self.role(role));
        Permissions::Only(
            roles
                .flat_map(|role| role.permissions.iter())
                .cloned()
                .collect(),
        )
    }

    /// Everything that a member holds. What the same roles give is put together once.
    fn effective_permissions(&self, member: &str) -> EffectivePermissions {
        let Ok((member, account)) = self.look_up(member, Resource::Account) else {
            return EffectivePermissions::nothing();
        };
        if member.is_owner() {
            let stores = self.stores().map(|(id, _)| (id.clone(), Permissions::All));
            return EffectivePermissions::new(Permissions::All, stores.collect());
        }
        let groups = member.groups();
        let mut known: HashMap<Vec<&RoleId>, Permissions> = HashMap::new();
        let stores = self.stores().filter_map(|(id, store)| {
            let roles = store.index.granted_by(&groups);
            roles.clone().next()?;
            let there = known
                .entry(roles.clone().collect())
                .or_insert_with(|| self.united(roles));
            Some((id.clone(), there.clone()))
        });
        let stores = stores.collect();
        EffectivePermissions::new(self.united(account.granted_by(&groups)), stores)
    }
}

//! What a member may do: the check with its reason, and what a member holds in one resource.

use crate::access::{AccessLevel, DenialReason, Permissions, Resource};
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::{AccountData, Condition};
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
        match self.header().condition {
            Condition::Open => {}
            Condition::Closed | Condition::Erased => return Err(DenialReason::AccountClosed),
            Condition::Diverged => return Err(DenialReason::Diverged),
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

    /// How much an active member may do in a store (P5).
    fn level(&self, member: &MemberEntry, store: &GrantIndex) -> AccessLevel {
        if member.is_owner() {
            return AccessLevel::Owner;
        }
        let [reads, writes] =
            Permission::STORE_ACTIONS.map(|action| self.holds(member, &action, store));
        AccessLevel::of(reads, writes, || {
            store.iter().any(|(_, groups)| member.is_in_any(groups))
        })
    }
}

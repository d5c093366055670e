//! The check itself, and what a member holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{DenialReason, EffectivePermissions, Permissions, Resource};
use crate::account::index::{Granting, GroupSet};
use crate::account::member::MemberEntry;
use crate::account::state::State;
use crate::permission::Permission;

impl State<'_> {
    /// Two look-ups and an AND.
    pub(crate) fn check(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> Result<bool, DenialReason> {
        let (member, granting) = self.look_up(member, resource)?;
        Ok(member.holds(permission, granting))
    }

    /// As [`check`](State::check), without the reason.
    #[inline]
    pub(crate) fn can(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> bool {
        let found = self.members.get(member).zip(self.granting(resource));
        found.is_some_and(|(member, granting)| member.holds(permission, granting))
    }

    /// The two look-ups: the member, who is active, and what is granted in the place; or the first reason to deny
    /// everything (P4).
    pub(crate) fn look_up(
        &self,
        member: &str,
        resource: Resource<&str>,
    ) -> Result<(&MemberEntry, &Granting), DenialReason> {
        let member = self
            .members
            .get(member)
            .ok_or(DenialReason::UnknownMember)?;
        if !member.is_active() {
            return Err(DenialReason::Invited);
        }
        let granting = self.granting(resource).ok_or(DenialReason::UnknownStore)?;
        Ok((member, granting))
    }

    /// What is granted in a place, if there is such a place.
    #[inline]
    pub(crate) fn granting(&self, resource: Resource<&str>) -> Option<&Granting> {
        match resource {
            Resource::Account => Some(&self.account),
            Resource::Store(id) => self.stores.get(id).map(|store| &store.granting),
        }
    }

    /// All that a member holds in one place, or the first reason to deny everything.
    pub(crate) fn permissions_in(
        &self,
        member: &str,
        resource: Resource<&str>,
    ) -> Result<Permissions, DenialReason> {
        let (member, granting) = self.look_up(member, resource)?;
        Ok(held(member, &member.groups(), granting))
    }

    pub(crate) fn effective_permissions(&self, member: &str) -> EffectivePermissions {
        let nothing = Permissions::Only(BTreeSet::new());
        let Ok((member, account)) = self.look_up(member, Resource::Account) else {
            return EffectivePermissions::new(nothing, BTreeMap::new());
        };
        let groups = member.groups();
        let stores = self
            .stores
            .iter()
            .map(|(id, store)| (id.clone(), held(member, &groups, &store.granting)));
        let stores = stores.filter(|(_, there)| *there != nothing);
        EffectivePermissions::new(held(member, &groups, account), stores.collect())
    }
}

/// What an active member holds, whose groups these are.
fn held(member: &MemberEntry, groups: &GroupSet, granting: &Granting) -> Permissions {
    if member.is_owner() {
        Permissions::All
    } else {
        Permissions::Only(granting.granted_to(groups).cloned().collect())
    }
}

//! The check itself, and what a member holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Denial, EffectivePermissions, Permissions, Place};
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
        place: Place<&str>,
    ) -> Result<bool, Denial> {
        let (member, granting) = self.look_up(member, place)?;
        Ok(member.holds(permission, granting))
    }

    /// As [`check`](State::check), without the reason.
    #[inline]
    pub(crate) fn can(&self, member: &str, permission: &Permission, place: Place<&str>) -> bool {
        let found = self.members.get(member).zip(self.granting(place));
        found.is_some_and(|(member, granting)| member.holds(permission, granting))
    }

    /// The two look-ups: the member, who is active, and what is granted in the place; or the first reason to deny
    /// everything (P4).
    pub(crate) fn look_up(
        &self,
        member: &str,
        place: Place<&str>,
    ) -> Result<(&MemberEntry, &Granting), Denial> {
        let member = self.members.get(member).ok_or(Denial::UnknownMember)?;
        if !member.is_active() {
            return Err(Denial::Invited);
        }
        let granting = self.granting(place).ok_or(Denial::UnknownStore)?;
        Ok((member, granting))
    }

    /// What is granted in a place, if there is such a place.
    #[inline]
    pub(crate) fn granting(&self, place: Place<&str>) -> Option<&Granting> {
        match place {
            Place::Account => Some(&self.account),
            Place::Store(id) => self.stores.get(id).map(|store| &store.granting),
        }
    }

    /// All that a member holds in one place, or the first reason to deny everything.
    pub(crate) fn permissions_in(
        &self,
        member: &str,
        place: Place<&str>,
    ) -> Result<Permissions, Denial> {
        let (member, granting) = self.look_up(member, place)?;
        Ok(held(member, &member.groups(), granting))
    }

    pub(crate) fn effective_permissions(&self, member: &str) -> EffectivePermissions {
        let nothing = Permissions::Only(BTreeSet::new());
        let Ok((member, account)) = self.look_up(member, Place::Account) else {
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
        Permissions::Every
    } else {
        Permissions::Only(granting.granted_to(groups).cloned().collect())
    }
}

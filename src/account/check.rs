//! The check itself, and what a member holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Denial, EffectivePermissions, Permissions, Place};
use crate::account::index::Granting;
use crate::account::member::{MemberEntry, Standing};
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
        let (member, owner, granting) = self.look_up(member, place)?;
        Ok(owner || granting.grants(permission, &member.groups))
    }

    pub(crate) fn can(&self, member: &str, permission: &Permission, place: Place<&str>) -> bool {
        matches!(self.check(member, permission, place), Ok(true))
    }

    /// The two look-ups: the member, whether it is an owner, and what is granted in the place; or the first reason to
    /// deny everything (P4).
    pub(crate) fn look_up(
        &self,
        member: &str,
        place: Place<&str>,
    ) -> Result<(&MemberEntry, bool, &Granting), Denial> {
        let member = self.members.get(member).ok_or(Denial::UnknownMember)?;
        let Standing::Active { owner } = member.standing else {
            return Err(Denial::Invited);
        };
        let granting = self.granting(place).ok_or(Denial::UnknownStore)?;
        Ok((member, owner, granting))
    }

    /// What is granted in a place, if there is such a place.
    pub(crate) fn granting(&self, place: Place<&str>) -> Option<&Granting> {
        match place {
            Place::Account => Some(&self.account),
            Place::Store(store) => self.stores.get(store),
        }
    }

    /// All that a member holds in one place, or the first reason to deny everything.
    pub(crate) fn permissions_in(
        &self,
        member: &str,
        place: Place<&str>,
    ) -> Result<Permissions, Denial> {
        let (member, owner, granting) = self.look_up(member, place)?;
        Ok(held(member, owner, granting))
    }

    pub(crate) fn effective_permissions(&self, member: &str) -> EffectivePermissions {
        let nothing = Permissions::Only(BTreeSet::new());
        let Ok((member, owner, account)) = self.look_up(member, Place::Account) else {
            return EffectivePermissions::new(nothing, BTreeMap::new());
        };
        let stores = self
            .stores
            .iter()
            .map(|(store, granting)| (store.clone(), held(member, owner, granting)));
        let stores = stores.filter(|(_, there)| *there != nothing);
        EffectivePermissions::new(held(member, owner, account), stores.collect())
    }
}

fn held(member: &MemberEntry, owner: bool, granting: &Granting) -> Permissions {
    if owner {
        Permissions::Every
    } else {
        Permissions::Only(granting.granted_to(&member.groups).cloned().collect())
    }
}

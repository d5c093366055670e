//! Whether an account of the crate answers as its state says, whichever way it is asked.

use grantbook::{Account, Decision, MemberId, Permission, Permissions, Resource, StoreId};

use super::state::{State, Where};
use super::{Checked, law, same};

/// Who is asked about, where, and for what.
pub(crate) struct Asked {
    pub(crate) members: Vec<String>,
    pub(crate) stores: Vec<String>,
    pub(crate) permissions: Vec<Permission>,
}

impl Asked {
    fn places(&self) -> impl Iterator<Item = Where<'_>> {
        let stores = self.stores.iter().map(|store| Some(store.as_str()));
        stores.chain([None])
    }
}

fn resource(place: Where<'_>) -> Resource<&str> {
    place.map_or(Resource::Account, Resource::Store)
}

/// What everybody may do everywhere, and why not (P1 to P5).
pub(crate) fn agree(account: &Account, state: &State, asked: &Asked) -> Checked {
    for member in &asked.members {
        checks(account, state, asked, member)?;
        lists(account, state, member)?;
    }
    for permission in &asked.permissions {
        for place in asked.places() {
            let can = |member: &&String| account.can(member, permission, resource(place));
            let members = state.members.keys().filter(can).map(String::as_str);
            let listed = account.who_can(permission, resource(place), None);
            let listed: Vec<_> = listed.map(MemberId::as_str).collect();
            same(
                "P1",
                ("who_can", permission, place),
                listed,
                members.collect(),
            )?;
        }
        for member in &asked.members {
            let can = |store: &&String| account.can(member, permission, Resource::Store(store));
            let stores = state.stores.iter().filter(can).map(String::as_str);
            let listed = account.stores_for(member, permission, None);
            let listed: Vec<_> = listed.map(StoreId::as_str).collect();
            same(
                "P1",
                ("stores_for", member, permission),
                listed,
                stores.collect(),
            )?;
        }
    }
    for store in &asked.stores {
        same(
            "S1",
            ("has_store", store),
            account.has_store(store),
            state.stores.contains(store),
        )?;
    }
    Ok(())
}

/// Each question by itself: by the check, by the short form of it, and by what the member holds.
fn checks(account: &Account, state: &State, asked: &Asked, member: &str) -> Checked {
    let holdings = state.holdings(member);
    let effective = account.effective_permissions(member);
    for place in asked.places() {
        let there = resource(place);
        for permission in &asked.permissions {
            let denial = state.denial((member, &holdings), permission, place);
            let code = match account.check(member, permission, there) {
                Decision::Allowed => None,
                Decision::Denied(denial) => Some(denial.code()),
            };
            let can = account.can(member, permission, there);
            let holds = effective.can(permission, there);
            let may = denial.is_none();
            law("P1", (code, can, holds) == (denial, may, may), || {
                format!(
                    "{member}, {permission}, {there}: check says {code:?}, can {can}, \
                     effective_permissions {holds}, and should be {denial:?}"
                )
            })?;
        }
        if let Some(store) = place {
            let level = state.level((member, &holdings), store);
            let told = account.access_level(member, store).to_string();
            same("P5", (member, store), told.as_str(), level)?;
            let told = effective.level(store).to_string();
            same("P5", (member, store), told.as_str(), level)?;
        }
    }
    Ok(())
}

/// P2: an owner's permissions are not listed. P1: everybody else's are exactly what the groups hold.
fn lists(account: &Account, state: &State, member: &str) -> Checked {
    let holdings = state.holdings(member);
    let effective = account.effective_permissions(member);
    let is_owner = state.is_owner(member);
    let listed = |permissions: &Permissions| match permissions {
        Permissions::All => None,
        Permissions::Only(these) => Some(these.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let expected = |place| {
        let held = holdings.get(&place).into_iter().flatten();
        (!is_owner).then(|| held.map(ToString::to_string).collect())
    };
    same(
        "P1",
        (member, "at the account"),
        listed(effective.account()),
        expected(None),
    )?;
    let stores = state.stores.iter().map(String::as_str);
    let stores = stores.filter(|store| is_owner || holdings.contains_key(&Some(*store)));
    let expected = stores.map(|store| (store, expected(Some(store))));
    let told = effective.stores();
    let told: Vec<_> = told
        .map(|(store, there)| (store.as_str(), listed(there)))
        .collect();
    same("P1", (member, "in stores"), told, expected.collect())
}

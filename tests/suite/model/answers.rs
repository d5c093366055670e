//! Whether the crate decides as the model does, and its accounts answer as their states say, whichever way they are asked.

use grantbook::{
    Account, Command, CommandError, Decision, EffectivePermissions, MemberId, Permission,
    Permissions, Record, Resource, StoreId,
};

use super::state::{Holdings, State, Where};
use super::{Checked, Flaw, Verdict, event_of, law, same};

/// The same events, or the same command refused for one of the reasons that stand.
pub(crate) fn decides_alike(
    done: &Result<Vec<Record>, CommandError>,
    commands: &[Command],
    verdict: &Verdict,
) -> Checked {
    match (done, verdict) {
        (Ok(records), Ok(changed)) => {
            let changing = commands
                .iter()
                .zip(changed)
                .filter(|(_, changed)| **changed);
            let events = changing.map(|(command, _)| event_of(command));
            let kinds = records.iter().map(|record| record.event().kind());
            same("U1", "events", kinds.collect::<Vec<_>>(), events.collect())
        }
        (Err(error), Err((index, reasons))) => {
            let by_crate = match error {
                CommandError::InBatch { index, .. } => Some(*index),
                _ => None,
            };
            same("U4", ("which of the batch", error), by_crate, *index)?;
            let code = error.code();
            law("U3", reasons.contains(code), || {
                format!("the crate refuses with {code}, the model with {reasons:?}")
            })
        }
        (done, verdict) => Err(Flaw::new(
            "U3",
            format!("the crate: {done:?}\n  the model: {verdict:?}"),
        )),
    }
}

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
        let holdings = state.holdings(member);
        let effective = account.effective_permissions(member);
        let member = (member.as_str(), &holdings);
        checks(account, state, asked, member, &effective)?;
        held(state, member, &effective)?;
    }
    for store in &asked.stores {
        let (is, should_be) = (account.has_store(store), state.stores.contains(store));
        same("S1", ("has_store", store), is, should_be)?;
    }
    Ok(())
}

/// Each question by itself: by the check, by the short form of it, and by what the member holds.
fn checks(
    account: &Account,
    state: &State,
    asked: &Asked,
    member: (&str, &Holdings<'_>),
    effective: &EffectivePermissions,
) -> Checked {
    let id = member.0;
    for place in asked.places() {
        let there = resource(place);
        for permission in &asked.permissions {
            let denial = state.denial(member, permission, place);
            let code = match account.check(id, permission, there) {
                Decision::Allowed => None,
                Decision::Denied(denial) => Some(denial.code()),
            };
            let can = account.can(id, permission, there);
            let holds = effective.can(permission, there);
            let viewed = account.effective(id).can(permission, there);
            let mut at_once = account.can_many([(id, permission, there)]);
            let at_once = at_once.next() == Some(true);
            let may = denial.is_none();
            let all = [can, holds, viewed, at_once];
            law("P1", code == denial && all == [may; 4], || {
                format!(
                    "{id}, {permission}, {there}: check says {code:?}, can {can}, \
                     effective_permissions {holds}, effective {viewed}, can_many {at_once}, \
                     and should be {denial:?}"
                )
            })?;
        }
        if let Some(store) = place {
            let level = state.level(member, store);
            let told = account.access_level(id, store).to_string();
            same("P5", (id, store), told.as_str(), level)?;
            let told = effective.level(store).to_string();
            same("P5", (id, store), told.as_str(), level)?;
        }
    }
    Ok(())
}

/// P2: an owner's permissions are not listed. P1: everybody else's are exactly what the groups hold.
fn held(
    state: &State,
    (member, holdings): (&str, &Holdings<'_>),
    effective: &EffectivePermissions,
) -> Checked {
    let is_owner = state.is_owner(member) && !state.is_closed;
    let told = |permissions: &Permissions| match permissions {
        Permissions::All => None,
        Permissions::Only(these) => Some(these.iter().map(ToString::to_string).collect::<Vec<_>>()),
    };
    let expected = |place| {
        let held = holdings.get(&place).into_iter().flatten();
        (!is_owner).then(|| held.map(ToString::to_string).collect())
    };
    let at_account = told(effective.account());
    same("P1", (member, "at the account"), at_account, expected(None))?;
    let stores = state.stores.iter().map(String::as_str);
    let stores = stores.filter(|store| is_owner || holdings.contains_key(&Some(*store)));
    let expected = stores.map(|store| (store, expected(Some(store))));
    let in_stores = effective.stores();
    let in_stores = in_stores.map(|(store, there)| (store.as_str(), told(there)));
    let in_stores: Vec<_> = in_stores.collect();
    same("P1", (member, "in stores"), in_stores, expected.collect())
}

/// Whoever and whatever is listed is what the checks say, one by one (P1).
pub(crate) fn lists_agree(account: &Account, state: &State, asked: &Asked) -> Checked {
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
    Ok(())
}

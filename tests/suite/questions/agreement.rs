//! Lists agree with the check.

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, PERMISSIONS, account, config, resources};
use crate::support::*;

/// The ids that a world's members can have, and one that none has.
pub(super) fn everybody() -> impl Iterator<Item = &'static str> + Clone {
    MEMBERS.into_iter().chain(["stranger"])
}

proptest! {
    #![proptest_config(config(64))]

    /// P1, P4: who can, and where, agrees with the check of every pair, from any page on.
    #[test]
    fn p1_lists_agree_with_the_check(world in account(24), after in 0..MEMBERS.len()) {
        let account = &world.account;
        let after = [None, Some(MEMBERS[after])];
        for text in PERMISSIONS {
            let permission = permission(text);
            for (resource, after) in resources().flat_map(|resource| after.map(|after| (resource, after))) {
                let can = |id: &&str| account.can(id, &permission, resource) && after.is_none_or(|after| *id > after);
                let all = account.members().map(|member| member.id().as_str());
                let who: Vec<_> = account.who_can(&permission, resource, after).map(MemberId::as_str).collect();
                prop_assert_eq!(who, all.filter(can).collect::<Vec<_>>());
            }
            for (id, after) in everybody().flat_map(|id| [None, Some("dev")].map(|after| (id, after))) {
                let can = |store: &&StoreId| {
                    account.can(id, &permission, Resource::Store(store)) && after.is_none_or(|after| store.as_str() > after)
                };
                let stores: Vec<_> = account.stores_for(id, &permission, after).collect();
                prop_assert_eq!(stores, account.stores().filter(can).collect::<Vec<_>>());
            }
            for (id, resource) in everybody().flat_map(|id| resources().map(move |resource| (id, resource))) {
                let held = account.permissions_on(id, resource).is_ok_and(|held| held.allows(&permission));
                prop_assert_eq!(held, account.can(id, &permission, resource));
            }
        }
    }
}

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

    /// P1, P2, P4, P5: all that a member holds, as a value and as a view, agrees with the check of every pair, and both
    /// say the same. So does what is read back of either's JSON.
    #[test]
    fn p1_all_that_a_member_holds_agrees_with_the_check(world in account(30)) {
        let account = &world.account;
        let permissions = PERMISSIONS.map(permission);
        for id in everybody() {
            let (view, owned) = (account.effective(id), account.effective_permissions(id));
            for resource in resources() {
                let there = match resource {
                    Resource::Account => Some(view.account()),
                    Resource::Store(store) => {
                        let mut stores = view.stores();
                        stores.find(|(id, _)| id.as_str() == store).map(|(_, there)| there)
                    }
                };
                for permission in &permissions {
                    let can = account.can(id, permission, resource);
                    prop_assert_eq!(view.can(permission, resource), can);
                    prop_assert_eq!(owned.can(permission, resource), can);
                    prop_assert_eq!(there.is_some_and(|there| there.allows(permission)), can);
                }
                let held = account.permissions_on(id, resource).unwrap_or(Permissions::Only([].into()));
                let is_empty = held == Permissions::Only([].into());
                prop_assert_eq!(there.is_none_or(|there| there.is_empty()), is_empty);
                if let Some(there) = there {
                    prop_assert_eq!(there.is_all(), held == Permissions::All);
                    prop_assert_eq!(there.level(), held.level());
                    prop_assert_eq!(there.to_permissions(), held);
                }
                if let Resource::Store(store) = resource {
                    prop_assert_eq!(there.is_some(), !is_empty, "{} {}", id, store);
                    prop_assert_eq!(view.level(store), account.access_level(id, store));
                    prop_assert_eq!(owned.level(store), account.access_level(id, store));
                }
            }
            let listed: Vec<_> = view.stores().map(|(id, there)| (id, there.to_permissions())).collect();
            prop_assert!(listed.iter().map(|(id, there)| (*id, there)).eq(owned.stores()));
            prop_assert!(listed.is_sorted_by_key(|(id, _)| *id));
            prop_assert_eq!(view.is_empty(), owned.is_empty());
            prop_assert_eq!(&view.account().to_permissions(), owned.account());
            let json = serde_json::to_string(&owned).unwrap();
            prop_assert_eq!(&serde_json::to_string(&view).unwrap(), &json);
            prop_assert_eq!(&serde_json::from_str::<EffectivePermissions>(&json).unwrap(), &owned);
            prop_assert_eq!(view.to_effective_permissions(), owned);
        }
    }

    /// P1, P4: many checks at once say what each says by itself, in their order, however many there are.
    #[test]
    fn p1_many_checks_at_once_agree_with_the_check(world in account(24), count in 0..500_usize) {
        let account = &world.account;
        let permissions = PERMISSIONS.map(permission);
        let questions = everybody().flat_map(|id| {
            let pairs = resources().flat_map(|resource| permissions.iter().map(move |held| (held, resource)));
            pairs.map(move |(held, resource)| (id, held, resource))
        });
        let questions: Vec<_> = questions.take(count).collect();
        let one_by_one = questions.iter().map(|(id, held, resource)| account.can(id, held, *resource));
        let mut at_once = account.can_many(questions.iter().copied());
        prop_assert!(at_once.by_ref().eq(one_by_one));
        prop_assert_eq!((at_once.next(), at_once.next()), (None, None));
    }
}

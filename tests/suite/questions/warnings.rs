//! What an explanation says of a permission that nobody can have meant, and that it advises nothing rash.

use grantbook::*;

use super::explanations::explained;
use crate::support::*;

fn warning_and_advice(
    world: &World,
    member: &str,
    text: &str,
    resource: Resource<&str>,
) -> (Option<PermissionWarning>, Advice) {
    let explanation = world
        .account
        .explain(member, &permission(text), resource, at(world.now));
    match explanation.answer {
        Verdict::Denied { advice, .. } => (explanation.warning, advice),
        Verdict::Allowed { .. } => panic!("{explanation}"),
    }
}

/// L5, P2: for a permission that no role holds, a typing error perhaps, ownership is not advised.
#[test]
fn l5_what_no_role_holds_is_said_and_never_answered_with_ownership() {
    let world = World::staffed();
    let dev = Resource::Store("dev");
    for (text, resource) in [("reprot.export", dev), ("reprot.export", Resource::Account)] {
        assert_eq!(
            warning_and_advice(&world, "dana", text, resource),
            (
                Some(PermissionWarning::HeldByNoRole { is_listed: false }),
                Advice::SeveralChanges
            )
        );
    }
    assert_eq!(
        explained(&world, "nils", "reprot.export", dev),
        "`nils` may not `reprot.export` in store `dev`: the member lacks `reprot.export`\n\
         No role in this account holds `reprot.export`. Check the spelling.\n\
         Several changes would be needed to allow it."
    );
}

/// L5: what begins with `account.` is the library's own; anything else there is a typing error for certain.
#[test]
fn l5_an_unknown_reserved_permission_is_called_unknown() {
    let mut world = World::staffed();
    world.ok(OWNER, suspend("dana"));
    let unknown = Some(PermissionWarning::Unknown {
        nearest: Some(Permission::MANAGE_GROUPS),
    });
    for member in ["nils", "dana", "ina", "nobody"] {
        assert_eq!(
            warning_and_advice(&world, member, "account.manage_gruops", Resource::Account),
            (unknown.clone(), Advice::Nothing)
        );
    }
    assert_eq!(
        explained(&world, "nils", "account.manage_gruops", Resource::Account),
        "`nils` may not `account.manage_gruops` at the account: the member lacks `account.manage_gruops`\n\
         There is no permission `account.manage_gruops`. Did you mean `account.manage_groups`?"
    );
    for (text, nearest) in [
        ("account.closed", Some("account.close")),
        ("account.invite_member", Some("account.invite_members")),
        ("account.owns", None),
        ("account.read", None),
    ] {
        let nearest = nearest.map(permission);
        assert_eq!(
            warning_and_advice(&world, "nils", text, Resource::Account).0,
            Some(PermissionWarning::Unknown { nearest })
        );
    }
    // What extends one of the library's own is included in it (L7).
    assert_eq!(
        explained(
            &world,
            MANAGER,
            "account.manage_groups.some",
            Resource::Account
        ),
        "`gil` may `account.manage_groups.some` at the account:\n\
         - through group `it` (IT Group), by its role Group Manager, because `account.manage_groups` includes it \
         (the only way: who leaves the group loses it)"
    );
}

/// L6: what belongs to the other level is said to, and no change is advised.
#[test]
fn l6_the_wrong_level_is_said_and_nothing_is_advised() {
    let world = World::staffed();
    let dev = Resource::Store("dev");
    let wrong = |level| {
        (
            Some(PermissionWarning::WrongLevel { level }),
            Advice::Nothing,
        )
    };
    for text in ["account.manage_groups", "account.manage_owners"] {
        assert_eq!(
            warning_and_advice(&world, MANAGER, text, dev),
            wrong(RoleLevel::Account)
        );
    }
    for text in ["store.read", "store.write.tuples", "store.else"] {
        assert_eq!(
            warning_and_advice(&world, "dana", text, Resource::Account),
            wrong(RoleLevel::Store)
        );
    }
    assert_eq!(
        explained(&world, MANAGER, "account.manage_groups", dev),
        "`gil` may not `account.manage_groups` in store `dev`: the member lacks `account.manage_groups`\n\
         `account.manage_groups` belongs to the account: no role can give it in a store. Ask at the account."
    );
    assert_eq!(
        explained(&world, "dana", "store.read", Resource::Account),
        "`dana` may not `store.read` at the account: the member lacks `store.read`\n\
         `store.read` belongs to stores: no role can give it at the account. Ask in a store."
    );
}

/// L6: where only roles of the other level hold one of the application's own, that is said too.
#[test]
fn l6_roles_of_the_other_level_are_told_of() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("billing", "Billing", RoleLevel::Account, &["bill.pay"]),
    );
    let level = RoleLevel::Account;
    assert_eq!(
        warning_and_advice(&world, "dana", "bill.pay", Resource::Store("dev")),
        (
            Some(PermissionWarning::HeldAtOtherLevel { level }),
            Advice::SeveralChanges
        )
    );
    assert_eq!(
        explained(&world, "dana", "bill.pay.late", Resource::Store("dev")),
        "`dana` may not `bill.pay.late` in store `dev`: the member lacks `bill.pay.late`\n\
         Only account-level roles hold `bill.pay.late`, and they don't give it here.\n\
         Several changes would be needed to allow it."
    );
    let (warning, _) = warning_and_advice(&world, "dana", "bill.pay", Resource::Account);
    assert_eq!(warning, None);
}

/// L5, M6: ownership is advised only for what no role can hold, and not where two plain commands would do.
#[test]
fn m6_ownership_is_advised_only_where_nothing_else_gives_it() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("lone"));
    // Nobody has it in `lone`, and `nils` is in no group: grant it to one, and add `nils`.
    for (text, resource) in [
        ("store.write", Resource::Store("lone")),
        ("store.read.titles", Resource::Store("lone")),
    ] {
        assert_eq!(
            warning_and_advice(&world, "nils", text, resource),
            (None, Advice::SeveralChanges)
        );
    }
    for text in [
        "account.close",
        "account.manage_owners",
        "account.manage_roles.some",
        "account.manage_stores",
        "account.remove_members",
    ] {
        let (warning, advice) = warning_and_advice(&world, "nils", text, Resource::Account);
        let Advice::AnyOf { remedies, more: 0 } = advice else {
            panic!("{advice:?}")
        };
        assert_eq!((warning, remedies.len()), (None, 1));
        assert_eq!(remedies[0].step, RemedyKind::GrantOwnership);
    }
    let ids = ["x\n".to_owned(), "n".repeat(300)];
    for id in &ids {
        assert_eq!(
            warning_and_advice(&world, id, "store.read", Resource::Store("dev")),
            (None, Advice::Nothing),
            "no such member can exist"
        );
        assert_eq!(
            warning_and_advice(&world, OWNER, "store.read", Resource::Store(id)),
            (None, Advice::Nothing),
            "no such store can exist"
        );
    }
}

//! P: effective permissions: checks, the lists of what is held, and levels of access.

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, PERMISSIONS, STORES, account, config, resources};
use crate::support::*;

/// P1: a member holds the union over all its groups, and ownership.
#[test]
fn p1_a_member_holds_the_union_over_its_groups() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("exporter", "Exporter", RoleLevel::Store, &["report.export"]),
    );
    world.ok(
        OWNER,
        regrant(
            "viewers",
            [
                viewer(["dev", "prod"]),
                Grant::in_stores(role("exporter"), [store("prod")]),
            ],
        ),
    );
    world.ok(OWNER, add("viewers", ["dana"]));
    world.ok(OWNER, add("it", ["dana"]));
    let held = world.account.effective_permissions("dana");
    let only = |texts: &[&str]| Permissions::Only(permissions(texts.iter().copied()));
    assert_eq!(
        held.account(),
        &only(&["account.invite_members", "account.manage_groups"])
    );
    let stores: Vec<_> = held
        .stores()
        .map(|(store, there)| (store.as_str(), there.clone()))
        .collect();
    assert_eq!(
        stores,
        [
            ("dev", only(&["store.read", "store.write"])),
            ("prod", only(&["report.export", "store.read"]))
        ]
    );
    world.ok(OWNER, grant_ownership("dana"));
    assert_eq!(
        world.account.effective_permissions("dana").account(),
        &Permissions::All
    );
}

/// P1: effective permissions are compared as sets; an owner's include everything.
#[test]
fn p1_effective_permissions_are_compared_as_sets() {
    let mut world = World::staffed();
    world.ok(OWNER, add("viewers", ["nils"]));
    world.ok(OWNER, add("viewers", ["dana"]));
    let of = |id: &str| world.account.effective_permissions(id);
    let holds = |one: &str, other: &str| of(one).is_subset(&of(other));
    assert!(holds("vic", "nils") && holds("nils", "vic"));
    assert!(holds("vic", "dana") && !holds("dana", "vic"));
    assert!(!holds(MANAGER, "dana") && !holds("dana", MANAGER));
    assert!(holds(MANAGER, OWNER) && holds("dana", OWNER) && holds(OWNER, OWNER));
    assert!(!holds(OWNER, "dana") && !holds(OWNER, MANAGER));
    assert!(holds("nobody", "dana") && of("nobody").is_empty() && !of("vic").is_empty());
}

/// P1, U6: effective permissions can be written into a token and read back; any other JSON is refused.
#[test]
fn p1_effective_permissions_round_trip_through_serde() {
    let world = World::staffed();
    for (id, json) in [
        (
            "vic",
            r#"{"account":{"only":[]},"stores":{"prod":{"only":["store.read"]}}}"#,
        ),
        (
            OWNER,
            r#"{"account":"all","stores":{"dev":"all","prod":"all"}}"#,
        ),
        ("nobody", r#"{"account":{"only":[]},"stores":{}}"#),
    ] {
        let held = world.account.effective_permissions(id);
        assert_eq!(serde_json::to_string(&held).unwrap(), json);
        assert_eq!(
            serde_json::from_str::<EffectivePermissions>(json).unwrap(),
            held
        );
    }
    for json in [
        r#"{"account":"every","stores":{}}"#,
        r#"{"account":"all"}"#,
        r#"{"account":"all","stores":{},"more":1}"#,
        r#"{"account":"all","stores":{"dev":{"only":[]},"dev":"all"}}"#,
        r#"{"account":{"only":["a.b","a.b"]},"stores":{}}"#,
        r#"{"account":{"only":["*"]},"stores":{}}"#,
    ] {
        assert!(
            serde_json::from_str::<EffectivePermissions>(json).is_err(),
            "{json}"
        );
    }
    let no_map = r#"{"account":"all","stores":1}"#;
    let error = serde_json::from_str::<EffectivePermissions>(no_map).unwrap_err();
    let said = error.to_string();
    assert!(
        said.starts_with("invalid type: integer `1`, expected a map"),
        "{said}"
    );
    let written_out = r#"{"account":{"only":[]},"stores":{"dev":{"only":[]}}}"#;
    let nothing: EffectivePermissions = serde_json::from_str(written_out).unwrap();
    assert!(
        nothing.is_empty() && nothing.is_subset(&world.account.effective_permissions("nobody"))
    );
}

/// P2: an owner may do everything, with permissions and stores to come included.
#[test]
fn p2_an_owner_may_do_everything() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("new"));
    for text in [
        "store.read",
        "store.write",
        "account.manage_owners",
        "never.defined",
    ] {
        assert!(world.may(OWNER, text, Resource::Account), "{text}");
        for store in ["dev", "prod", "new"] {
            assert!(world.may(OWNER, text, Resource::Store(store)), "{text}");
        }
    }
    assert_eq!(
        world.denial(OWNER, "store.read", Resource::Store("none")),
        DenialReason::UnknownStore
    );
    let held = world.account.effective_permissions(OWNER);
    assert_eq!(held.stores().count(), 3);
    assert!(!held.can(&Permission::STORE_READ, Resource::Store("none")));
}

/// P3: Group Manager gives access to no store.
#[test]
fn p3_a_group_manager_has_no_access_to_stores() {
    let world = World::staffed();
    assert!(world.may(MANAGER, "account.manage_groups", Resource::Account));
    assert!(world.may(MANAGER, "account.invite_members", Resource::Account));
    for store in ["dev", "prod"] {
        for permission in &Permission::BUILT_IN {
            assert!(!world.may(MANAGER, permission, Resource::Store(store)));
        }
    }
}

/// P4: unknown or invited is denied, with the first reason that applies: the member, the store, the permission.
#[test]
fn p4_unknown_means_denied() {
    let world = World::staffed();
    for text in ["", "*", "0", "DANA", "dana ", "devs", "group-manager"] {
        assert_eq!(
            world.denial(text, "store.read", Resource::Store("dev")),
            DenialReason::UnknownMember
        );
        assert_eq!(
            world.denial(text, "store.read", Resource::Store("none")),
            DenialReason::UnknownMember
        );
        assert!(world.account.effective_permissions(text).is_empty());
    }
    assert_eq!(
        world.denial("ina", "store.read", Resource::Store("none")),
        DenialReason::Invited
    );
    for text in ["", "*", "none", "Dev", "dev ", "dev,prod"] {
        assert_eq!(
            world.denial("dana", "store.read", Resource::Store(text)),
            DenialReason::UnknownStore
        );
        assert_eq!(world.level("dana", text), AccessLevel::None);
        assert_eq!(world.level(OWNER, text), AccessLevel::None);
    }
    let missing = |text: &str| DenialReason::MissingPermission {
        permission: permission(text),
    };
    assert_eq!(
        world.denial("dana", "never.defined", Resource::Store("dev")),
        missing("never.defined")
    );
    assert_eq!(
        world.denial("vic", "store.write", Resource::Store("prod")),
        missing("store.write")
    );
    assert_eq!(
        world.denial("nils", "account.manage_groups", Resource::Account),
        missing("account.manage_groups")
    );
    let said: Vec<_> = [
        DenialReason::UnknownMember,
        DenialReason::Invited,
        DenialReason::UnknownStore,
        missing("a.b"),
    ]
    .iter()
    .map(|denial| (denial.code(), denial.to_string()))
    .collect();
    assert_eq!(
        said,
        [
            (
                "unknown-member",
                "no such member in this account".to_owned()
            ),
            (
                "invited",
                "the member has not accepted its invitation yet".to_owned()
            ),
            ("unknown-store", "no such store in this account".to_owned()),
            ("missing-permission", "the member lacks `a.b`".to_owned()),
        ]
    );
}

/// P5, L7: owner, editor and viewer follow from `store.read` and `store.write`; whoever holds anything else has a level
/// of its own, and only who holds nothing has none.
#[test]
fn p5_access_levels_follow_from_permissions() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role(
            "w",
            "Writer only",
            RoleLevel::Store,
            &["store.write", "log.read"],
        ),
    );
    world.ok(
        OWNER,
        define_role(
            "rw",
            "Both",
            RoleLevel::Store,
            &["store.write", "store.read", "log.read"],
        ),
    );
    let with = |world: &mut World, grants: Vec<Grant>| {
        world.ok(OWNER, regrant("viewers", grants));
        world.level("vic", "prod")
    };
    let scoped = |id: &str| Grant::in_stores(role(id), [store("prod")]);
    for (id, text) in [
        ("titles", "store.read.titles"),
        ("export", "invoice.export"),
    ] {
        world.ok(OWNER, define_role(id, id, RoleLevel::Store, &[text]));
        assert_eq!(
            with(&mut world, vec![scoped(id)]),
            AccessLevel::Custom,
            "{text}"
        );
        assert_eq!(world.level("vic", "dev"), AccessLevel::None);
    }
    assert_eq!(
        with(&mut world, vec![scoped("export"), viewer(["prod"])]),
        AccessLevel::Viewer
    );
    assert_eq!(with(&mut world, vec![scoped("w")]), AccessLevel::Custom);
    assert_eq!(with(&mut world, vec![scoped("rw")]), AccessLevel::Editor);
    assert_eq!(
        with(&mut world, vec![scoped("w"), viewer(["prod"])]),
        AccessLevel::Editor
    );
    assert_eq!(
        with(&mut world, vec![viewer(["prod"])]),
        AccessLevel::Viewer
    );
    assert_eq!(with(&mut world, vec![viewer(["dev"])]), AccessLevel::None);
    assert_eq!(world.level(OWNER, "prod"), AccessLevel::Owner);
    assert_eq!(world.level("ina", "dev"), AccessLevel::None);
    let levels = [
        AccessLevel::None,
        AccessLevel::Custom,
        AccessLevel::Viewer,
        AccessLevel::Editor,
        AccessLevel::Owner,
    ];
    assert!(levels.is_sorted());
    assert_eq!(
        levels.map(|level| level.to_string()),
        ["none", "custom", "viewer", "editor", "owner"]
    );
}

/// P5, L7: permissions exceed their level if they allow what it does not include.
#[test]
fn p5_permissions_may_exceed_their_level() {
    let exceed =
        |texts: &[&str]| Permissions::Only(permissions(texts.iter().copied())).exceeds_level();
    let (read, write) = ("store.read", "store.write");
    for texts in [
        &[][..],
        &[read],
        &[read, "store.read.titles"],
        &[read, write],
        &[read, write, "store.read.titles", "store.write.tuples"],
        &[write],
        &["invoice.export"],
    ] {
        assert!(!exceed(texts), "{texts:?}");
    }
    for texts in [
        &[read, "invoice.export"][..],
        &[read, "store.write.tuples"],
        &[read, "store.reader"],
        &[read, write, "invoice.export"],
    ] {
        assert!(exceed(texts), "{texts:?}");
    }
    assert!(!Permissions::All.exceeds_level());
}

proptest! {
    #![proptest_config(config(200))]

    /// P1, P4, M1: a member and a store that were looked up answer as the account does.
    #[test]
    fn p1_looked_up_members_and_stores_answer_like_the_account(world in account(30)) {
        let account = &world.account;
        let permissions = PERMISSIONS.map(permission);
        let known: Vec<Member<'_>> = MEMBERS.iter().filter_map(|id| account.member(id)).collect();
        let stores: Vec<Store<'_>> = STORES.iter().filter_map(|id| account.store(id)).collect();
        for permission in &permissions {
            for member in &known {
                let id = member.id();
                for resource in resources() {
                    prop_assert_eq!(member.can(permission, resource), account.can(id, permission, resource));
                }
                let expected: Vec<bool> = stores
                    .iter()
                    .map(|store| account.can(id, permission, Resource::Store(store.id())))
                    .collect();
                let each: Vec<bool> = stores.iter().map(|store| member.can_in(permission, *store)).collect();
                prop_assert_eq!(&each, &expected);
                prop_assert!(member.can_in_each(permission, stores.iter().copied()).eq(expected));
            }
            for store in &stores {
                let expected = known.iter().map(|member| member.can_in(permission, *store));
                prop_assert!(store.can_each(permission, known.iter().copied()).eq(expected));
            }
        }
        for id in STORES.into_iter().chain(["none"]) {
            let found = account.store(id).map(|store| store.id().to_string());
            prop_assert_eq!(found, account.has_store(id).then(|| id.to_owned()));
        }
    }
}

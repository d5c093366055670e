//! L4 to L6: permissions, who may hold which, and where they count.

use grantbook::*;
use proptest::prelude::*;

use crate::rules::with_auditor;
use crate::support::*;

/// L4: a permission is two or more segments of 1 to 32 characters, each beginning with a letter; 64 in all.
#[test]
fn l4_a_permission_has_segments() {
    let long = format!("{}.{}", "a".repeat(31), "b".repeat(32));
    for text in [
        "store.read",
        "a.b",
        "a.b.c.d",
        "invoice.export_all-2",
        long.as_str(),
    ] {
        assert_eq!(Permission::parse(text).unwrap().as_str(), text);
    }
    let segment = |text: &str| {
        let error = Permission::parse(text).unwrap_err();
        assert_eq!(error.code(), "bad-segment");
        error.kind()
    };
    assert_eq!(segment("store"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment("store."), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment(".read"), ParseErrorKind::Segment { segment: 1 });
    assert_eq!(segment("a..b"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment("a.1st"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(segment("a._b"), ParseErrorKind::Segment { segment: 2 });
    assert_eq!(
        segment(&format!("a.{}", "b".repeat(33))),
        ParseErrorKind::Segment { segment: 2 }
    );
    for text in [
        "Store.read",
        "store.*",
        "store read",
        "store.réad",
        "store.read\n",
        "*",
    ] {
        assert_eq!(
            Permission::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
    }
    assert_eq!(Permission::parse("").unwrap_err().code(), "too-short");
    let too_long = format!("{}.{}", "a".repeat(32), "b".repeat(32));
    assert_eq!(Permission::parse(&too_long).unwrap_err().code(), "too-long");
}

proptest! {
    /// L4: a text is a permission if and only if it matches the pattern.
    #[test]
    fn l4_a_permission_matches_its_pattern(text in "[a-c1_.-]{0,8}|[a-c]{30,34}\\.[a-c]{28,34}") {
        let segment_holds = |segment: &str| {
            let mut bytes = segment.bytes();
            segment.len() <= 32 && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        };
        let segments: Vec<&str> = text.split('.').collect();
        let is_one = segments.len() >= 2 && text.len() <= 64 && segments.into_iter().all(segment_holds);
        prop_assert_eq!(Permission::parse(&text).is_ok(), is_one);
    }
}

/// L5: the built-in permissions are these, in the order of their text.
#[test]
fn l5_the_built_in_permissions() {
    let texts = Permission::BUILT_IN.map(|permission| permission.to_string());
    assert_eq!(
        texts,
        [
            "account.close",
            "account.invite_members",
            "account.manage_groups",
            "account.manage_owners",
            "account.manage_roles",
            "account.manage_stores",
            "account.remove_members",
            "store.read",
            "store.write",
        ]
    );
    for built_in in &Permission::BUILT_IN {
        assert_eq!(Permission::parse(built_in).as_ref(), Ok(built_in));
        assert_eq!(built_in.is_reserved(), built_in.starts_with("account."));
        assert_eq!(built_in.is_store_only(), built_in.starts_with("store."));
    }
    assert!(!permission("accounts.read").is_reserved());
    assert!(!permission("stores.read").is_store_only());
}

/// L5: no role of an account's own holds an `account.` permission, and none of account level a `store.` one.
#[test]
fn l5_roles_cannot_hold_reserved_permissions() {
    let mut world = with_auditor();
    for level in [RoleLevel::Account, RoleLevel::Store] {
        for text in ["account.manage_owners", "account.anything"] {
            let define = define_role("new", "New Role", level, &["log.read", text]);
            world.assert_refused(OWNER, define, "reserved-permission");
        }
    }
    world.assert_refused(
        OWNER,
        redefine_role("auditor", &["account.manage_groups"]),
        "reserved-permission",
    );
    for text in ["store.read", "store.anything"] {
        let define = define_role("new", "New Role", RoleLevel::Account, &[text]);
        world.assert_refused(OWNER, define, "store-permission");
    }
    world.ok(
        OWNER,
        define_role(
            "new",
            "New Role",
            RoleLevel::Account,
            &["log.read", "accounts.read"],
        ),
    );
    world.assert_refused(
        OWNER,
        redefine_role("new", &["store.read"]),
        "store-permission",
    );
    world.ok(OWNER, redefine_role("auditor", &["store.anything"]));
}

/// L6: a store-level role counts in its scope only, an account-level role at the account only.
#[test]
fn l6_a_role_counts_at_its_own_level_only() {
    let mut world = with_auditor();
    world.ok(
        OWNER,
        define_role(
            "billing",
            "Billing",
            RoleLevel::Account,
            &["invoice.read", "log.read"],
        ),
    );
    let grants = [
        Grant::at_account(role("billing")),
        Grant::in_stores(role("auditor"), [store("prod")]),
    ];
    world.ok(OWNER, regrant("viewers", grants));
    assert!(world.may("vic", "invoice.read", Resource::Account));
    assert!(!world.may("vic", "invoice.read", Resource::Store("prod")));
    assert!(world.may("vic", "store.read", Resource::Store("prod")));
    assert!(!world.may("vic", "store.read", Resource::Account));
    assert!(!world.may("vic", "store.read", Resource::Store("dev")));
    assert!(world.may("vic", "log.read", Resource::Account));
    assert!(
        !world.may("vic", "invoice.write", Resource::Account),
        "there are no wildcards"
    );
}

//! L4 to L7: permissions, who may hold which, where they count, and what they include.

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

/// L7: a permission includes those that extend it by further segments, and no others.
#[test]
fn l7_a_permission_includes_those_that_extend_it() {
    let includes = |one: &str, other: &str| permission(one).includes(&permission(other));
    for (one, other) in [
        ("store.write", "store.write"),
        ("store.write", "store.write.tuples"),
        ("store.write", "store.write.tuples.old"),
        ("store.write.tuples", "store.write.tuples.old"),
        ("log.read", "log.read.old"),
        ("log.read.old", "log.read.old"),
    ] {
        assert!(includes(one, other), "{one} {other}");
        assert_eq!(includes(other, one), one == other, "{other} {one}");
    }
    for (one, other) in [
        ("store.write", "store.writer"),
        ("store.write", "store.write-all.tuples"),
        ("store.write", "store.read"),
        ("store.write.tuples", "store.write.models"),
        ("a.store.write", "store.write"),
    ] {
        assert!(
            !includes(one, other) && !includes(other, one),
            "{one} {other}"
        );
    }
}

proptest! {
    /// L7: the definition, over segments.
    #[test]
    fn l7_inclusion_is_of_whole_segments(one in "[ab]{1,2}(\\.[ab]{1,2}){1,3}", other in "[ab]{1,2}(\\.[ab]{1,2}){1,3}") {
        let segments = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let is_longer = segments(&other).starts_with(&segments(&one));
        prop_assert_eq!(permission(&one).includes(&permission(&other)), is_longer);
    }
}

/// L7, F: viewers and editors have what an application names under `store.read` and `store.write`, whichever way they
/// are asked; a role of the account's own can hold one of those alone.
#[test]
fn l7_every_check_follows_inclusion() {
    let mut world = World::staffed();
    let prod = Resource::Store("prod");
    let tuples = "store.write.tuples";
    world.ok(OWNER, regrant("devs", [editor(["dev", "prod"])]));
    let who = |world: &World, text: &str| -> Vec<String> {
        let (account, asked) = (&world.account, permission(text));
        let who: Vec<_> = account
            .who_can(&asked, prod, None)
            .map(ToString::to_string)
            .collect();
        for member in account.members() {
            let id = member.id();
            let may = world.may(id, text, prod);
            assert_eq!(may, who.contains(&id.to_string()), "{id} {text}");
            assert_eq!(may, member.can(&asked, prod));
            assert_eq!(may, member.can_in(&asked, account.store("prod").unwrap()));
            let mut stores = account.stores_for(id, &asked, None);
            assert_eq!(may, stores.any(|store| store.as_str() == "prod"));
            let there = account.permissions_on(id, prod);
            assert_eq!(may, there.is_ok_and(|there| there.allows(&asked)));
            let answer = account.explain(id, &asked, prod, at(world.now)).answer;
            assert_eq!(may, matches!(answer, Verdict::Allowed { .. }));
        }
        who
    };
    assert_eq!(who(&world, tuples), ["dana", OWNER]);
    assert_eq!(who(&world, "store.read.titles"), ["dana", OWNER, "vic"]);
    assert_eq!(who(&world, "store.writer"), [OWNER]);
    // One alone, beside one that is not asked for; neither gives what it extends.
    let extra = ["store.write.tuples", "log.read.old"];
    world.ok(
        OWNER,
        define_role("extra", "Extra", RoleLevel::Store, &extra),
    );
    let carried = Grant::in_stores(role("extra"), [store("prod")]);
    world.ok(OWNER, create_group("extras", "Extras", [carried]));
    world.ok(OWNER, add("extras", ["nils"]));
    assert_eq!(who(&world, tuples), ["dana", "nils", OWNER]);
    assert_eq!(
        who(&world, "store.write.tuples.old"),
        ["dana", "nils", OWNER]
    );
    assert_eq!(who(&world, "store.write.models"), ["dana", OWNER]);
    assert_eq!(who(&world, "store.write"), ["dana", OWNER]);
    assert_eq!(who(&world, "log.read.old.first"), ["nils", OWNER]);
    assert_eq!(who(&world, "log.read"), [OWNER]);
    // As before, when the last role is gone that names something so long.
    world.ok(OWNER, redefine_role("extra", &["log.read"]));
    assert_eq!(who(&world, tuples), ["dana", OWNER]);
    assert_eq!(who(&world, "log.read.old"), ["nils", OWNER]);
    world.ok(OWNER, redefine_role("extra", &["log.read.old.first"]));
    assert_eq!(who(&world, "log.read.old"), [OWNER]);
    assert_eq!(who(&world, "log.read.old.first"), ["nils", OWNER]);
}

/// L7, L6: at the account too, and not across levels.
#[test]
fn l7_inclusion_stays_in_its_place() {
    let mut world = World::staffed();
    let billing = define_role(
        "billing",
        "Billing",
        RoleLevel::Account,
        &["invoice.export"],
    );
    world.ok(OWNER, billing);
    world.ok(
        OWNER,
        create_group("payers", "Payers", [Grant::at_account(role("billing"))]),
    );
    world.ok(OWNER, add("payers", ["nils"]));
    assert!(world.may("nils", "invoice.export.pdf", Resource::Account));
    assert!(!world.may("nils", "invoice.export.pdf", Resource::Store("dev")));
    assert!(!world.may("dana", "store.write.tuples", Resource::Account));
    assert!(!world.may("dana", "store.write.tuples", Resource::Store("prod")));
    assert!(world.may(MANAGER, "account.manage_groups.all", Resource::Account));
    assert!(
        !world.may("ina", "store.write.tuples", Resource::Store("dev")),
        "M1"
    );
}

/// L7: lists name what roles name; comparisons compare what they allow.
#[test]
fn l7_lists_name_and_comparisons_compare() {
    let only = |texts: &[&str]| Permissions::Only(permissions(texts.iter().copied()));
    let (write, both) = (
        only(&["store.write"]),
        only(&["store.write", "store.write.tuples"]),
    );
    assert!(both.is_subset(&write) && write.is_subset(&both) && write != both);
    assert!(only(&["store.write.tuples"]).is_subset(&write));
    assert!(!write.is_subset(&only(&["store.write.tuples"])));

    let mut world = World::staffed();
    let dev = Resource::Store("dev");
    world.ok(
        OWNER,
        define_role("extra", "Extra", RoleLevel::Store, &["store.write.tuples"]),
    );
    let extra = Grant::in_stores(role("extra"), [store("dev")]);
    let widened = regrant("devs", [editor(["dev"]), extra.clone()]);
    let preview = |world: &World, command: &Command| {
        let commands = std::slice::from_ref(command);
        let preview = world.account.preview(&by(OWNER), commands, at(world.now));
        preview.unwrap().delta
    };
    assert!(preview(&world, &widened).is_empty(), "no difference");
    let before = world.account.clone();
    world.ok(OWNER, widened);
    assert!(AccessDelta::between(&before, &world.account).is_empty());
    let listed = only(&["store.read", "store.write", "store.write.tuples"]);
    assert_eq!(world.account.permissions_on("dana", dev), Ok(listed));
    let touching = history::changes_touching(&world.records, None, "dana").unwrap();
    assert_ne!(touching.last().unwrap().version(), world.account.version());

    let narrowed = preview(&world, &regrant("devs", [extra]));
    let change = narrowed.iter().next().unwrap();
    let tuples = permission("store.write.tuples");
    assert!(change.loses(&Permission::STORE_WRITE) && change.loses_any());
    assert!(!change.loses(&tuples) && !change.gains(&tuples) && !change.gains_any());

    let findings = world.account.review(at(world.now));
    let covered = Finding::CoveredGrant {
        group: group("devs"),
        role: role("extra"),
        by: RoleId::store_editor(),
    };
    assert!(findings.contains(&covered), "{findings:?}");
}

/// L7: an explanation says which permission includes what was asked for, and a remedy is the least role that allows it.
#[test]
fn l7_explanations_follow_inclusion() {
    let mut world = World::staffed();
    let dev = Resource::Store("dev");
    let explained = |world: &World, member: &str, text: &str| {
        world
            .account
            .explain(member, &permission(text), dev, at(world.now))
            .to_string()
    };
    let only = "(the only way: who leaves the group loses it)";
    assert_eq!(
        explained(&world, "dana", "store.write.tuples"),
        format!(
            "`dana` may `store.write.tuples` in store `dev`:\n- through group `devs` (Dev Team), \
             by its role Store Editor, because `store.write` includes it {only}"
        )
    );
    assert_eq!(
        explained(&world, "dana", "store.read.titles"),
        format!(
            "`dana` may `store.read.titles` in store `dev`:\n- through group `devs` (Dev Team), \
             by its role Store Editor, which includes Store Viewer, because `store.read` includes it {only}"
        )
    );
    let denied = "`vic` may not `store.write.tuples` in store `dev`: the member lacks `store.write.tuples`\n\
                  Any one of these would allow it:";
    assert_eq!(
        explained(&world, "vic", "store.write.tuples"),
        format!(
            "{denied}\n- add `vic` to group `devs`\n\
             - grant role `store-editor` to group `viewers` in store `dev`, for its only member"
        )
    );
    world.ok(
        OWNER,
        define_role("extra", "Extra", RoleLevel::Store, &["store.write.tuples"]),
    );
    assert_eq!(
        explained(&world, "vic", "store.write.tuples"),
        format!(
            "{denied}\n- grant role `extra` to group `viewers` in store `dev`, for its only member\n\
             - add `vic` to group `devs`"
        )
    );
    world.ok(
        OWNER,
        regrant(
            "devs",
            [
                editor(["dev"]),
                Grant::in_stores(role("extra"), [store("dev")]),
            ],
        ),
    );
    let answer = world
        .account
        .explain(
            "dana",
            &permission("store.write.tuples.old"),
            dev,
            at(world.now),
        )
        .answer;
    let Verdict::Allowed { paths, more: 0 } = answer else {
        panic!("{answer:?}")
    };
    let included_by = paths.into_iter().map(|path| match path.via {
        AccessSource::Group { included_by, .. } => included_by.unwrap().to_string(),
        AccessSource::Ownership => panic!("no owner"),
    });
    assert_eq!(
        included_by.collect::<Vec<_>>(),
        ["store.write.tuples", "store.write"]
    );
}

/// L7: what no role names yet can be added to a role, and counts then: a draft sees the first name that is so long.
#[test]
fn l7_the_first_long_name_counts_in_a_draft() {
    let mut world = World::staffed();
    let logs = define_role("logs", "Log Reader", RoleLevel::Store, &["log.export"]);
    world.ok(OWNER, logs);
    let logs = Grant::in_stores(role("logs"), [store("dev")]);
    world.ok(OWNER, regrant("devs", [editor(["dev"]), logs]));
    let asked = permission("log.read.old");
    let explanation = world
        .account
        .explain("dana", &asked, Resource::Store("dev"), at(world.now));
    assert_eq!(
        explanation.to_string(),
        "`dana` may not `log.read.old` in store `dev`: the member lacks `log.read.old`\n\
         No role in this account holds `log.read.old`. Check the spelling.\n\
         One command would allow it:\n\
         - add `log.read.old` to role `logs`, for all 2 members who hold it"
    );
}

//! L4 to L7: the permissions that an application declares, and what a catalog of them finds.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeSet, HashSet};
use std::hash::{Hash, Hasher};

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::config;
use crate::support::*;

permissions! {
    /// All permissions of these tests.
    pub(crate) static CATALOG;

    /// Download a report.
    pub(crate) const EXPORT = "report.export" @ Store;
    const DRAFTS = "store.read.drafts" @ Store;
    const MODELS = "store.write.models" @ Store;
    const READ = "store.read" @ Store;
    const REFUND = "billing.refund" @ Account;
    const ARCHIVE = "account.manage_groups.archive" @ Account;
}

/// The text as it would stand in a program.
fn of_program(text: &str) -> &'static &'static str {
    Box::leak(Box::new(&*Box::leak(text.to_owned().into_boxed_str())))
}

fn hash(permission: &Permission) -> u64 {
    let mut hasher = DefaultHasher::new();
    permission.hash(&mut hasher);
    hasher.finish()
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "(account|store)\\.(read|write|close|a)(\\.(read|b))?",
        "[a-c]{1,2}(\\.[a-c]{1,2}){1,2}",
        "[a-c1_.-]{0,8}|[a-c]{30,34}\\.[a-c]{28,34}",
        "\\PC{0,6}",
    ]
}

proptest! {
    #![proptest_config(config(512))]

    /// L4: a text is a constant if and only if it is a permission, and then it is the same one by every comparison.
    #[test]
    fn l4_a_constant_is_the_permission_of_its_text(one in texts(), other in texts()) {
        let parsed = [&one, &other].map(|text| Permission::parse(text).ok());
        let constants = [&one, &other].map(|text| Permission::from_static(of_program(text)));
        prop_assert_eq!(&parsed, &constants);
        let listed = Catalog::listed(of_program(&one), RoleLevel::Store);
        prop_assert_eq!(listed.is_some(), Catalog::why_not(&one, RoleLevel::Store).is_empty());
        let ([Some(parsed), Some(other_parsed)], [Some(constant), Some(other_constant)]) = (parsed, constants) else {
            return Ok(());
        };
        prop_assert_eq!(hash(&parsed), hash(&constant));
        for one in [&parsed, &constant] {
            for two in [&other_parsed, &other_constant] {
                prop_assert_eq!(one == two, one.as_str() == two.as_str());
                prop_assert_eq!(one.cmp(two), one.as_str().cmp(two.as_str()));
                prop_assert_eq!(one.includes(two), parsed.includes(&other_parsed));
            }
        }
    }

    /// L7: a check answers the same of a constant as of text that was read.
    #[test]
    fn l7_a_constant_is_held_as_its_text_is(
        held in "(store\\.(read|write)|a\\.b|store\\.b)(\\.[ab]){0,2}",
        asked in "(store\\.(reads?|writes?)|a\\.b|store\\.b)(\\.[ab]){0,2}",
    ) {
        let mut world = World::staffed();
        world.ok(OWNER, define_role("some", "Some", RoleLevel::Store, &[held.as_str()]));
        world.ok(OWNER, grant_role("viewers", Grant::in_stores(role("some"), [store("dev")])));
        world.ok(OWNER, add("viewers", ["nils"]));
        let constant = Permission::from_static(of_program(&asked)).unwrap();
        let dev = Resource::Store("dev");
        let includes = |holds: &str| format!("{asked}.").starts_with(&format!("{holds}."));
        prop_assert_eq!(world.account.can("nils", &constant, dev), includes(&held), "{} {}", held, asked);
        let is_editors = includes("store.read") || includes("store.write");
        prop_assert_eq!(world.account.can("dana", &constant, dev), is_editors, "{}", asked);
        for member in ["nils", "dana", "vic", OWNER] {
            let read = world.may(member, &asked, dev);
            prop_assert_eq!(world.account.can(member, &constant, dev), read, "{} {}", member, asked);
            let explained = world.account.explain(member, &constant, dev, at(world.now));
            prop_assert_eq!(matches!(explained.answer, Verdict::Allowed { .. }), read);
        }
    }

    /// L4: the nearest permission takes no more changes of a letter than any other, and few; whatever the text.
    #[test]
    fn l4_the_nearest_permission_is_nearest(text in "[ab.]{0,9}|\\PC{0,4}|[ab]\\.[ab]{50,90}", known in prop::collection::btree_set("[ab]{1,3}\\.[ab]{1,3}", 0..4)) {
        let listed = permissions(known.iter().map(String::as_str));
        let catalog = Catalog::new(listed.into_iter().map(|one| (one, RoleLevel::Store))).unwrap();
        let distances = catalog.permissions().map(|(one, _)| (changes(text.as_bytes(), one.as_bytes()), one));
        let nearest = distances.min().filter(|(changes, _)| changes * 4 <= text.len());
        prop_assert_eq!(catalog.nearest(&text), nearest.map(|(_, nearest)| nearest));
    }
}

/// The fewest changes of a letter, each row of the table made again.
fn changes(one: &[u8], other: &[u8]) -> usize {
    let first: Vec<usize> = (0..=other.len()).collect();
    let last = one.iter().zip(1..).fold(first, |above, (letter, length)| {
        let mut row = vec![length];
        for (at, found) in other.iter().enumerate() {
            let replaced = above[at] + usize::from(letter != found);
            row.push(replaced.min(above[at + 1] + 1).min(row[at] + 1));
        }
        row
    });
    last[other.len()]
}

/// L4: constants are found in collections by text, and text by constants. They take two words, as all permissions do.
#[test]
fn l4_constants_are_permissions_as_others_are() {
    assert_eq!(EXPORT, permission("report.export"));
    assert_eq!(READ, Permission::STORE_READ);
    let read: HashSet<Permission> = permissions(["report.export", "store.read"])
        .into_iter()
        .collect();
    assert!(read.contains(&EXPORT) && read.contains(&READ) && !read.contains(&REFUND));
    let constants = BTreeSet::from([REFUND, EXPORT, DRAFTS]);
    let texts = ["billing.refund", "report.export", "store.read.drafts"];
    assert_eq!(constants, permissions(texts));
    assert_eq!(
        serde_json::to_string(&EXPORT).unwrap(),
        r#""report.export""#
    );
    assert_eq!(size_of::<Permission>(), 2 * size_of::<usize>());
}

/// L7: viewers and editors hold the constants under `store.read` and `store.write`, and nobody those of other names.
#[test]
fn l7_constants_under_a_prefix_are_held_with_it() {
    let world = World::staffed();
    let dev = Resource::Store("dev");
    let may = |permission: &Permission| world.account.can("dana", permission, dev);
    assert!(may(&DRAFTS) && may(&MODELS) && may(&READ) && !may(&EXPORT));
    let at_account =
        |permission: &Permission| world.account.can(MANAGER, permission, Resource::Account);
    assert!(at_account(&ARCHIVE) && !at_account(&REFUND));
}

/// L5, L6: a catalog knows the built-in permissions, and those of the application, at their levels.
#[test]
fn l5_a_catalog_knows_the_built_in_permissions() {
    for built_in in Permission::BUILT_IN {
        let level = if built_in.is_reserved() {
            RoleLevel::Account
        } else {
            RoleLevel::Store
        };
        assert_eq!(Catalog::default().level_of(&built_in), Some(level));
        assert_eq!(CATALOG.level_of(&built_in), Some(level));
    }
    assert_eq!(Catalog::default().permissions().count(), 9);
    assert_eq!(CATALOG.permissions().count(), 9 + 5, "one is built in");
    assert!(CATALOG.permissions().map(|(one, _)| one).is_sorted());
    assert_eq!(CATALOG.level_of("report.export"), Some(RoleLevel::Store));
    assert_eq!(CATALOG.level_of("billing.refund"), Some(RoleLevel::Account));
    assert_eq!(CATALOG.level_of("billing.refnud"), None);
    let listed = CATALOG
        .permissions()
        .map(|(one, level)| (one.clone(), level));
    assert_eq!(
        Catalog::new(listed).as_ref(),
        Ok(&*CATALOG),
        "from its own list"
    );
}

/// L5: what begins with `account.` is the library's own, what begins with `store.` belongs to stores, and each permission
/// has one level.
#[test]
fn l5_a_list_that_breaks_a_rule_is_no_catalog() {
    use RoleLevel::{Account, Store};
    let error = |list: &[(&str, RoleLevel)]| {
        let list = list.iter().map(|(text, level)| (permission(text), *level));
        let error = Catalog::new(list).unwrap_err();
        assert_eq!(error.http_status(), 422);
        (error.code(), error.to_string())
    };
    for level in [Account, Store] {
        assert_eq!(
            error(&[("account.export", level)]),
            (
                "reserved-permission",
                "`account.export` is reserved; name what your application does otherwise"
                    .to_owned()
            )
        );
    }
    let wrong = |text: &str, level: RoleLevel| {
        let (code, message) = error(&[(text, level)]);
        assert_eq!(code, "wrong-level");
        assert_eq!(
            message,
            format!("`{text}` cannot be listed at {level} level")
        );
        assert!(!Catalog::why_not(text, level).is_empty());
    };
    wrong("store.read", Account);
    wrong("store.export", Account);
    wrong("account.close", Store);
    wrong("account.close.soon", Store);
    let both = [("report.export", Store), ("report.export", Account)];
    assert_eq!(
        error(&both),
        (
            "both-levels",
            "`report.export` is listed at both levels; give it a name for each".to_owned()
        )
    );
    assert!(Catalog::has_both_levels(&both));
    let twice = [
        ("report.export", Store),
        ("report.exports", Account),
        ("report.export", Store),
    ];
    assert!(!Catalog::has_both_levels(&twice));
    let twice = twice.map(|(text, level)| (permission(text), level));
    assert_eq!(Catalog::new(twice).unwrap().permissions().count(), 9 + 2);
}

/// L3, L6: a typing error in a role's permissions is found before the command is executed, with the permission that was
/// meant and its level; and so is one of the other level.
#[test]
fn l3_a_catalog_finds_a_typing_error_before_it_is_executed() {
    let define =
        |level, texts: &[&str]| CATALOG.check(&define_role("analyst", "Analyst", level, texts));
    let change = |texts: &[&str]| CATALOG.check(&redefine_role("analyst", texts));
    assert_eq!(
        define(RoleLevel::Store, &["report.export", "store.read"]),
        Ok(())
    );
    assert_eq!(define(RoleLevel::Account, &["billing.refund"]), Ok(()));
    assert_eq!(
        change(&["report.export", "billing.refund"]),
        Ok(()),
        "its level is not known"
    );
    for result in [
        define(RoleLevel::Store, &["report.exprot", "store.read"]),
        change(&["report.exprot", "store.read"]),
    ] {
        let error = result.unwrap_err();
        assert_eq!(
            (error.code(), error.http_status()),
            ("unknown-permission", 422)
        );
        assert_eq!(
            error.to_string(),
            "there is no permission `report.exprot`; did you mean `report.export`, of store level?"
        );
        assert_eq!(
            error,
            PermissionError::Unknown {
                permission: permission("report.exprot"),
                nearest: Some(EXPORT),
                level: Some(RoleLevel::Store),
            }
        );
    }
    assert_eq!(
        define(RoleLevel::Store, &["zebra.crossing"])
            .unwrap_err()
            .to_string(),
        "there is no permission `zebra.crossing`; check the spelling, or add it to the catalog"
    );
    let error = define(RoleLevel::Store, &["billing.refund"]).unwrap_err();
    assert_eq!(error.code(), "wrong-level");
    assert_eq!(
        error.to_string(),
        "`billing.refund` is of account level; a role of the other level cannot give it"
    );
    assert_eq!(CATALOG.check(&create_store("new")), Ok(()));
    let renamed = Command::ChangeRole(command::ChangeRole {
        role: role("analyst"),
        name: None,
        permissions: None,
    });
    assert_eq!(CATALOG.check(&renamed), Ok(()));
}

/// L7: that a permission extends a known one does not make it known.
#[test]
fn l7_an_extension_is_known_only_if_it_is_listed() {
    assert!(CATALOG.contains("store.read.drafts"));
    for text in [
        "store.read.darfts",
        "report.export.pdf",
        "account.close.soon",
    ] {
        assert!(!CATALOG.contains(text), "{text}");
    }
    let command = define_role("reader", "Reader", RoleLevel::Store, &["store.read.darfts"]);
    assert_eq!(
        CATALOG.check(&command).unwrap_err().to_string(),
        "there is no permission `store.read.darfts`; did you mean `store.read.drafts`, of store level?"
    );
}

/// L5, L6: an explanation with a catalog says that a permission does not exist, or belongs to the other level, and does not
/// advise to grant it.
#[test]
fn l6_an_explanation_with_a_catalog_knows_what_there_is() {
    let world = World::staffed();
    let explained = |text: &str, resource| {
        let options = ExplainOptions::at(at(world.now)).with_catalog(&CATALOG);
        let account = &world.account;
        account
            .explain("dana", &permission(text), resource, options)
            .to_string()
    };
    let dev = Resource::Store("dev");
    assert_eq!(
        explained("report.exprot", dev),
        "`dana` may not `report.exprot` in store `dev`: the member lacks `report.exprot`\n\
         There is no permission `report.exprot`. Did you mean `report.export`?"
    );
    assert_eq!(
        explained("store.read.darfts", dev),
        "`dana` may `store.read.darfts` in store `dev`:\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer, because \
         `store.read` includes it (the only way: who leaves the group loses it)\n\
         There is no permission `store.read.darfts`. Did you mean `store.read.drafts`?"
    );
    assert_eq!(
        explained("billing.refund", dev),
        "`dana` may not `billing.refund` in store `dev`: the member lacks `billing.refund`\n\
         `billing.refund` belongs to the account: no role can give it in a store. Ask at the account."
    );
    assert_eq!(
        explained("report.export", dev),
        "`dana` may not `report.export` in store `dev`: the member lacks `report.export`\n\
         No role in this account holds `report.export` yet; add it to a role first.\n\
         Several changes would be needed to allow it."
    );
    assert_eq!(
        explained("account.closed", Resource::Account),
        "`dana` may not `account.closed` at the account: the member lacks `account.closed`\n\
         There is no permission `account.closed`. Did you mean `account.close`?"
    );
}

/// L6: the page of a review with a catalog says which groups carry a role that holds what there is not.
#[test]
fn l6_a_page_with_a_catalog_says_who_carries_the_role() {
    let mut world = World::staffed();
    let now = at(world.now);
    let typo = ["report.exprot"];
    for (id, name) in [("analyst", "Analyst"), ("idle", "Idle")] {
        world.ok(OWNER, define_role(id, name, RoleLevel::Store, &typo));
    }
    let misplaced = define_role("cashier", "Cashier", RoleLevel::Account, &["report.export"]);
    world.ok(OWNER, misplaced);
    let grants = [Grant::in_stores(role("analyst"), [store("dev")])];
    world.ok(OWNER, create_group("one", "Team 1", grants.clone()));
    world.ok(OWNER, create_group("two", "Team 2", grants));
    let page = world.account.to_html_with("Acme", now, &CATALOG);
    let number = |id: &str| {
        world
            .account
            .groups()
            .position(|group| group.id().as_str() == id)
    };
    let link = |id: &str, name: &str| format!("<a href=\"#g{}\">{name}</a>", number(id).unwrap());
    let unknown = "holds `report.exprot`, which the catalog of permissions does not have";
    let misplaced =
        "holds `report.export`, which belongs to roles of the other level and grants nothing here";
    for line in [
        format!(
            "<li>role `analyst` {unknown} (carried by {}, {})</li>",
            link("one", "Team 1"),
            link("two", "Team 2")
        ),
        format!("<li>role `idle` {unknown} (no group carries it)</li>"),
        format!("<li>role `cashier` {misplaced} (no group carries it)</li>"),
    ] {
        assert!(page.contains(&line), "{line}");
    }
    let without = world.account.to_html("Acme", now);
    assert!(!without.contains("catalog"));
    // Beside its findings and their number, the page is the same.
    let after = |page: &str| {
        page.split_once("<h2 id=\"rows\">")
            .map(|(_, rest)| rest.to_owned())
    };
    assert_eq!(after(&page), after(&without));
}

/// L6: a review with a catalog finds what roles hold that there is not, or that grants nothing at their level.
#[test]
fn l6_a_review_with_a_catalog_finds_permissions_that_grant_nothing() {
    let mut world = World::staffed();
    let now = at(world.now);
    assert_eq!(
        world.account.review_with(now, &CATALOG),
        world.account.review(now)
    );
    let many: Vec<String> = (10..22)
        .map(|number| format!("zoo.cage-{number}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    world.ok(
        OWNER,
        define_role("zoo", "Zoo Keeper", RoleLevel::Store, &many),
    );
    let mixed = ["report.export", "report.exprot", "billing.refund"];
    world.ok(
        OWNER,
        define_role("analyst", "Analyst", RoleLevel::Store, &mixed),
    );
    world.ok(
        OWNER,
        define_role("cashier", "Cashier", RoleLevel::Account, &["report.export"]),
    );
    let found = world.account.review_with(now, &CATALOG);
    let without = world.account.review(now);
    assert_eq!(found[..without.len()], without);
    let said: Vec<String> = found[without.len()..]
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        said,
        [
            "role `analyst` holds `report.exprot`, which the catalog of permissions does not have",
            "role `zoo` holds `zoo.cage-10`, `zoo.cage-11`, `zoo.cage-12`, `zoo.cage-13`, `zoo.cage-14`, `zoo.cage-15`, \
             `zoo.cage-16`, `zoo.cage-17`, `zoo.cage-18`, `zoo.cage-19` and 2 more permissions, which the catalog of \
             permissions does not have",
            "role `analyst` holds `billing.refund`, which belongs to roles of the other level and grants nothing here",
            "role `cashier` holds `report.export`, which belongs to roles of the other level and grants nothing here",
        ]
    );
    let codes: BTreeSet<&str> = found[without.len()..].iter().map(Finding::code).collect();
    assert_eq!(
        codes,
        BTreeSet::from(["misplaced-permissions", "unknown-permissions"])
    );
}

//! Rights taken for rights elsewhere, or everywhere.

use grantbook::*;

use super::reads;
use crate::support::*;

/// A scope without stores is taken for all stores: in a command, in a record, in a snapshot, and when the last store of
/// a scope is deleted. G5 and S3 stop it. Known as failing open (CWE-636), and from Kubernetes, where an empty label
/// selector selects everything.
#[test]
fn g5_an_empty_scope_is_not_every_store() {
    let mut world = World::staffed();
    for grants in [
        vec![viewer([])],
        vec![editor([])],
        vec![viewer(["dev"]), editor([])],
    ] {
        world.assert_refused(OWNER, regrant("devs", grants.clone()), "empty-scope");
        world.assert_refused(
            Actor::System,
            create_group("all", "All Stores", grants.clone()),
            "empty-scope",
        );
        let event = serde_json::json!({"kind": "group-edited", "group": "devs", "grants": grants});
        let record = world.forged(serde_json::json!("system"), event);
        world.assert_not_applied(&record, "empty-scope");
    }
    world.assert_refused(
        OWNER,
        regrant("devs", [Grant::at_account(RoleId::store_editor())]),
        "scope-mismatch",
    );
    let nowhere = Grant::in_stores(RoleId::group_manager(), [] as [StoreId; 0]);
    world.assert_refused(OWNER, regrant("devs", [nowhere]), "empty-scope");
    world.ok(OWNER, delete_store("dev"));
    world.ok(OWNER, create_store("other"));
    for account in world.read_back().iter().chain([&world.account]) {
        assert_eq!(account.group("devs").unwrap().grant_list(), [editor([])]);
        assert!(account.effective_permissions("dana").is_empty());
        assert_eq!(
            account
                .stores_for("dana", &Permission::STORE_READ, None)
                .count(),
            0
        );
    }
    for scope in [
        r#""all""#,
        r#"{"stores":null}"#,
        r#"{"stores":"*"}"#,
        r#"{"stores":{}}"#,
        "{}",
        "null",
        r#""stores""#,
        "[]",
    ] {
        let grant = format!(r#"{{"role":"store-editor","scope":{scope}}}"#);
        assert!(serde_json::from_str::<Grant>(&grant).is_err(), "{grant}");
    }
}

/// Rights in one store are used in another, rights at the account in a store, and rights in one tenant in another: by
/// the id that is asked for, and by records of another account. L6, P3, A4 and U5 stop it. Known from CVE-2021-41244,
/// where administrators of one Grafana organization managed users of another (CWE-639).
#[test]
fn l6_rights_in_one_store_do_not_count_in_another() {
    let mut world = World::staffed();
    world.ok(OWNER, add("devs", ["vic"]));
    for (who, resource, may) in [
        ("dana", "dev", "store.write"),
        ("vic", "prod", "store.read"),
        ("vic", "dev", "store.write"),
    ] {
        assert!(world.may(who, may, Resource::Store(resource)));
        assert!(!world.may(who, may, Resource::Account));
    }
    assert!(!world.may("dana", "store.read", Resource::Store("prod")));
    assert!(
        !world.may("vic", "store.write", Resource::Store("prod")),
        "not the sum of both"
    );
    for resource in [
        "DEV",
        "dev/",
        "dev/../prod",
        "./dev",
        "dev,prod",
        "dev*",
        "prod\0dev",
        "%64ev",
        "dev ",
        "d",
    ] {
        assert!(
            !world.may("dana", "store.write", Resource::Store(resource)),
            "{resource}"
        );
    }
    for resource in ["dev", "prod"] {
        assert!(!world.may(MANAGER, "account.manage_groups", Resource::Store(resource)));
        assert!(!world.may(MANAGER, "store.read", Resource::Store(resource)));
    }
    let (mut other, _) = Account::open(
        AccountId::parse("other").unwrap(),
        member("mal"),
        GroupLimit::default(),
        at(0),
    );
    let mine = [
        create_store("dev"),
        create_store("prod"),
        create_group(
            "devs",
            "Dev Team",
            [editor(["dev", "prod"]), Grant::group_manager()],
        ),
    ];
    other.execute_batch(&by("mal"), &mine, at(0)).unwrap();
    other
        .execute(&Actor::System, &enrol(["dana", "vic"]), at(0))
        .unwrap();
    other
        .execute(&by("mal"), &add("devs", ["dana", "vic"]), at(0))
        .unwrap();
    assert!(reads(&other, "dana", "prod") && !reads(&world.account, "dana", "prod"));
    assert!(!reads(&world.account, "mal", "prod"));
    world.assert_refused("mal", create_store("mine"), "not-authorized");
    let theirs = world.forged(
        serde_json::json!("system"),
        serde_json::json!({"kind": "ownership-granted", "member": "dana"}),
    );
    let theirs = super::rewritten(&theirs, |json| json["account"] = "other".into()).unwrap();
    world.assert_not_applied(&theirs, "wrong-account");
}

/// An id of zero, of nothing, of a star, or another word for everything is taken for everything or for the owner, in a
/// question, in a scope, as a member, as a permission. P4, L4, L6 and U7 stop it. Known from CVE-2024-1442, where a
/// Grafana data source with the id `*` gave all of them, and CVE-2019-14287, where the user id -1 was root to sudo
/// (CWE-155).
#[test]
fn p4_no_id_stands_for_everything() {
    let mut world = World::staffed();
    let words = [
        "0",
        "-1",
        "4294967295",
        "*",
        "**",
        "%",
        ".*",
        "?",
        "all",
        "any",
        "null",
        "undefined",
        "NaN",
        "true",
        "root",
        "admin",
        "/",
        ".",
        "..",
        "{}",
        "[]",
    ];
    for word in words {
        assert!(!reads(&world.account, word, "dev"));
        assert!(!reads(&world.account, "dana", word), "{word}");
        assert!(
            !reads(&world.account, OWNER, word),
            "no such store, for the owner either"
        );
        world.assert_refused(word, create_store("mine"), "not-authorized");
        world.assert_refused(OWNER, take_out("devs", [word]), "unknown-member");
        world.assert_refused(OWNER, remove_member(word), "unknown-member");
        world.assert_refused(OWNER, delete_store(word), "unknown-store");
        world.assert_refused(OWNER, regrant("devs", [editor([word])]), "unknown-store");
        // If the application really uses such an id, it means that one thing and nothing else.
        world.ok(OWNER, create_store(word));
        world.system(enrol([word]));
        let name = format!("Group {}", world.account.version());
        world.ok(OWNER, create_group(word, &name, [editor([word])]));
        world.ok(OWNER, add(word, [word]));
        let stores: Vec<_> = world
            .account
            .stores_for(word, &Permission::STORE_READ, None)
            .collect();
        assert_eq!(stores, [&store(word)]);
        let who: Vec<_> = world
            .account
            .who_can(&Permission::STORE_READ, Resource::Store(word), None)
            .collect();
        assert_eq!(who.len(), 2, "the owner and that member");
        assert_eq!(world.groups_of("dana"), ["devs"]);
        world.ok(OWNER, remove_member(word));
        world.ok(OWNER, delete_group(word));
        world.ok(OWNER, delete_store(word));
    }
    for resource in [
        Resource::Store(""),
        Resource::Store("dev"),
        Resource::Account,
    ] {
        assert_eq!(
            world.denial("", "store.read", resource),
            DenialReason::UnknownMember
        );
    }
    assert_eq!(
        world.denial(OWNER, "store.read", Resource::Store("")),
        DenialReason::UnknownStore
    );
    for text in [
        "",
        "*",
        "store.*",
        "*.*",
        "*.read",
        "store",
        "store.",
        ".read",
        "store.read*",
        "store.read,store.write",
        "store.%",
    ] {
        assert!(Permission::parse(text).is_err(), "{text}");
    }
    let left: Vec<String> = world
        .account
        .members()
        .map(|member| member.id().to_string())
        .collect();
    assert_eq!(left, ["dana", "gil", "ina", "nils", "olga", "vic"]);
}

/// Whoever defines roles takes a permission that extends a reserved one, to have it count as that one, or to be held by
/// those who hold that one; and a name that merely begins like one that others hold. L5 and L7 stop it: what is
/// reserved is reserved with all that extends it, and a longer last segment extends nothing. Known from path checks by
/// prefix (CWE-22), where `/data-private` is taken to be in `/data`.
#[test]
fn l7_no_permission_is_taken_for_one_that_it_begins_like() {
    let mut world = World::staffed();
    for level in [RoleLevel::Account, RoleLevel::Store] {
        for text in ["account.manage_groups.all", "account.manage_owners.x.y"] {
            let define = define_role("all", "All Groups", level, &[text]);
            world.assert_refused(OWNER, define.clone(), "reserved-permission");
            world.assert_refused(Actor::System, define, "reserved-permission");
        }
    }
    let define = define_role("w", "Writers", RoleLevel::Account, &["store.write.tuples"]);
    world.assert_refused(OWNER, define, "store-permission");

    let alike = ["store.writer", "store.write-all.tuples", "store.write_.x"];
    for text in alike {
        assert!(!world.may("dana", text, Resource::Store("dev")), "{text}");
    }
    world.ok(OWNER, define_role("w", "Writers", RoleLevel::Store, &alike));
    let carried = Grant::in_stores(role("w"), [store("dev")]);
    world.ok(OWNER, create_group("writers", "Writers", [carried]));
    world.ok(OWNER, add("writers", ["nils"]));
    for account in world.read_back().iter().chain([&world.account]) {
        for text in ["store.write", "store.write.tuples", "store.read"] {
            let may = account.can("nils", &permission(text), Resource::Store("dev"));
            assert!(!may, "{text}");
        }
        for text in alike {
            let (held, other) = (permission(text), permission(&format!("{text}.y")));
            assert!(account.can("nils", &held, Resource::Store("dev")));
            assert!(account.can("nils", &other, Resource::Store("dev")));
            assert!(!account.can("dana", &held, Resource::Store("dev")));
        }
    }
}

//! Being mistaken for another member, or another thing.

use grantbook::*;

use super::reads;
use crate::support::*;

/// Spellings that are not `olga`, though a reader, a database or another language may take them for it: other case,
/// other alphabets, full width, invisible characters, another order of writing, an accent composed and decomposed.
const LIKE_OLGA: [&str; 14] = [
    "Olga",
    "OLGA",
    "\u{43e}lga",
    "olg\u{430}",
    "\u{3bf}lga",
    "ｏｌｇａ",
    "ol\u{200b}ga",
    "olga\u{200d}",
    "\u{feff}olga",
    "olga\u{ad}",
    "\u{202e}aglo",
    "o\u{301}lga",
    "\u{f3}lga",
    "01ga",
];

/// The attacker registers under an id that looks like an owner's, or that some normalization makes equal to it. U7, P4
/// and A2 stop it: ids are compared byte by byte, so such an id is another member, who holds nothing; an id with a
/// control character or surrounding white space is no id at all. Known from CVE-2019-19844 (Django) and, for text that
/// only looks the same, from CVE-2021-42694 (CWE-1007).
#[test]
fn u7_ids_that_look_alike_are_different_members() {
    let mut world = World::staffed();
    world.ok(OWNER, add("devs", [OWNER]));
    for id in LIKE_OLGA {
        assert!(!world.may(id, "store.read", Resource::Store("dev")));
        world.assert_refused(id, create_store("mine"), "not-authorized");
        world.system(enrol([id]));
        assert!(world.account.effective_permissions(id).is_empty(), "{id}");
        assert!(world.groups_of(id).is_empty());
        world.assert_refused(id, grant_ownership(id), "not-authorized");
        world.ok(OWNER, add("viewers", [id]));
        assert_eq!(world.level(id, "prod"), AccessLevel::Viewer);
        world.ok(OWNER, remove_member(id));
        assert_eq!(world.level(OWNER, "prod"), AccessLevel::Owner);
    }
    assert!(world.account.owners().eq([&member(OWNER)]));
    for (id, code) in [
        ("olga\0", "bad-character"),
        ("\0olga", "bad-character"),
        ("olga\0.evil", "bad-character"),
        ("ol\nga", "bad-character"),
        ("olga\u{7f}", "bad-character"),
        ("olga\u{85}x", "bad-character"),
        (" olga", "surrounding-whitespace"),
        ("olga ", "surrounding-whitespace"),
        ("olga\u{a0}", "surrounding-whitespace"),
        ("olga\u{3000}", "surrounding-whitespace"),
        ("\u{2028}olga", "surrounding-whitespace"),
        ("", "too-short"),
    ] {
        assert_eq!(MemberId::parse(id).unwrap_err().code(), code, "{id:?}");
        let json = serde_json::json!({"command": "grant-ownership", "member": id});
        assert!(serde_json::from_value::<Command>(json).is_err());
        for resource in [Resource::Account, Resource::Store("dev")] {
            assert_eq!(
                world.denial(id, "store.read", resource),
                DenialReason::UnknownMember,
                "and raw text is not trimmed or cut on its way in"
            );
        }
    }
}

/// A group or a role is given a name that a reader takes for another one: other case, outer or inner spaces, letters
/// that look alike, something invisible, an end that a program in C would not see. G2, G3, L3 and M6 refuse what no
/// reader can tell apart; and since no command refers to a name, a name gives nothing. Known from CVE-2019-19844 and
/// CVE-2021-42574, and as improper handling of case (CWE-178) and of a NUL (CWE-158).
#[test]
fn g2_names_that_look_alike_are_refused() {
    let mut world = World::staffed();
    for name in ["dev team", "DEV TEAM", "dEV tEAM"] {
        world.assert_refused(
            OWNER,
            create_group("new", name, [viewer(["dev"])]),
            "group-name-taken",
        );
        world.assert_refused(OWNER, rename_group("viewers", name), "group-name-taken");
    }
    for name in ["store EDITOR", "GROUP manager", "store viewer"] {
        world.assert_refused(
            OWNER,
            define_role("new", name, RoleLevel::Store, &["log.read"]),
            "role-name-taken",
        );
    }
    for name in [
        "Account Owner",
        "account-OWNER",
        "A.c.c.o.u.n.t_Owner",
        "AccountOwner",
    ] {
        world.assert_refused(
            OWNER,
            define_role("new", name, RoleLevel::Store, &["log.read"]),
            "ownership-name",
        );
    }
    for (name, code) in [
        (" Dev Team", "surrounding-whitespace"),
        ("Dev Team ", "surrounding-whitespace"),
        ("Dev Team\0", "bad-character"),
        ("Dev Team\0evil", "bad-character"),
        ("Dev\tTeam", "bad-character"),
        ("Dev\u{a0}Team", "bad-character"),
        ("Dev\u{200b}Team", "bad-character"),
        ("Dev \u{422}eam", "bad-character"),
        ("D\u{435}v Team", "bad-character"),
        ("Ｄev Team", "bad-character"),
        ("\u{202e}maeT veD", "bad-character"),
        ("Dev Tèam", "bad-character"),
    ] {
        assert_eq!(GroupName::parse(name).unwrap_err().code(), code, "{name:?}");
        assert_eq!(RoleName::parse(name).unwrap_err().code(), code, "{name:?}");
        let json = serde_json::json!({"command": "edit-group", "group": "viewers", "name": name});
        assert!(serde_json::from_value::<Command>(json).is_err());
    }
    // Names that differ in what stands between their words are different names, and give nothing either.
    let held = world.account.effective_permissions("vic");
    for (number, name) in ["DevTeam", "Dev-Team", "Dev_Team", "Dev.Team"]
        .iter()
        .enumerate()
    {
        world.ok(OWNER, rename_group("viewers", name));
        assert_eq!(world.account.effective_permissions("vic"), held, "{number}");
        world.assert_refused(OWNER, add("Dev Team", ["vic"]), "unknown-group");
        world.assert_refused(OWNER, add(name, ["vic"]), "unknown-group");
    }
}

/// Something of one kind is named where another kind is meant: a role's id as a member, a member's as a group, a
/// permission as a store, a member called like the application. P4, A4 and E6 stop it: each kind has its own ids, and the application
/// is no id. Known as type confusion (CWE-843) and as the confused deputy (CWE-441).
#[test]
fn p4_an_id_of_another_kind_is_unknown() {
    let mut world = World::staffed();
    let everything = [
        OWNER,
        MANAGER,
        "dana",
        "dev",
        "prod",
        "devs",
        "it",
        "viewers",
        "store-editor",
        "group-manager",
        "account-owner",
        "store.write",
        "account.manage_owners",
        "acme",
        "account",
        "system",
        "the application",
        r#"{"member":"olga"}"#,
        "member:olga",
    ];
    let is_member = |id: &str| [OWNER, MANAGER, "dana", "vic", "nils", "ina"].contains(&id);
    for id in everything {
        if !is_member(id) {
            assert_eq!(
                world.denial(id, "store.read", Resource::Store("dev")),
                DenialReason::UnknownMember
            );
            world.assert_refused(id, create_store("mine"), "not-authorized");
            world.assert_refused(id, enrol(["friend"]), "system-only");
            world.assert_refused(OWNER, grant_ownership(id), "unknown-member");
            world.system(enrol([id]));
            assert!(world.account.effective_permissions(id).is_empty(), "{id}");
            world.assert_refused(id, create_store("mine"), "not-authorized");
            world.assert_refused(id, enrol(["friend"]), "system-only");
        }
        if !["dev", "prod"].contains(&id) {
            assert_eq!(
                world.denial(OWNER, "store.read", Resource::Store(id)),
                DenialReason::UnknownStore
            );
            world.assert_refused(
                OWNER,
                regrant("devs", [Grant::store_editor([store(id)])]),
                "unknown-store",
            );
        }
        if !["it", "devs", "viewers"].contains(&id) {
            world.assert_refused(OWNER, add(id, ["nils"]), "unknown-group");
        }
        if !["store-editor", "group-manager"].contains(&id) {
            world.assert_refused(
                OWNER,
                regrant("devs", [Grant::at_account(role(id))]),
                "unknown-role",
            );
        }
    }
    assert_ne!(by("system"), Actor::System);
    for text in [
        r#""olga""#,
        r#"{"System":{}}"#,
        r#"{"system":true}"#,
        r#"{"system":"olga"}"#,
        r#"{"member":"olga","system":null}"#,
        "null",
        "[]",
    ] {
        assert!(serde_json::from_str::<Actor>(text).is_err(), "{text}");
    }
    // Serde accepts a second spelling of the application, so searching a request for the first would not be enough.
    for text in [r#""system""#, r#"{"system":null}"#] {
        assert_eq!(serde_json::from_str::<Actor>(text).unwrap(), Actor::System);
    }
}

/// A member has the id of a group, a store, a role and the account, and is taken for one of them: what the group is
/// granted is granted to the member, or removing the one removes the other. G10, G1, P1 and L6 stop it. Known as names
/// of users and groups that share one space, as in CWE-694.
#[test]
fn g10_a_member_gets_nothing_from_a_group_of_the_same_id() {
    let mut world = World::staffed();
    world.system(enrol(["x", "y"]));
    world.ok(OWNER, create_store("x"));
    world.ok(
        OWNER,
        define_role("x", "Role X", RoleLevel::Store, &["log.read"]),
    );
    let grants = [
        editor(["dev", "x"]),
        Grant::in_stores(role("x"), [store("x")]),
        Grant::group_manager(),
    ];
    world.ok(OWNER, create_group("x", "Group X", grants));
    assert!(world.account.effective_permissions("x").is_empty());
    world.assert_refused("x", add("x", ["y"]), "not-authorized");
    world.ok(OWNER, add("x", ["y"]));
    assert!(world.account.effective_permissions("x").is_empty());
    assert!(world.may("y", "log.read", Resource::Store("x")));
    world.assert_refused(OWNER, delete_group("x"), "group-has-members");
    world.ok(OWNER, remove_member("x"));
    assert!(world.account.group("x").is_some() && world.account.has_store("x"));
    assert!(world.may("y", "log.read", Resource::Store("x")));
    world.ok(OWNER, delete_store("x"));
    assert!(world.account.role("x").is_some() && world.account.group("x").is_some());
    assert_eq!(world.level("y", "dev"), AccessLevel::Editor);
    world.ok(OWNER, remove_member("y"));
    world.ok(OWNER, delete_group("x"));
    assert!(world.account.role("x").is_some());
    for account in world.read_back() {
        assert!(account.effective_permissions("y").is_empty());
    }
}

/// Ids hold the character by which a system joins them to keys, so that `a:b` with `c` is found under the key of `a`
/// with `b:c`. U7, L6 and P1 stop it: nothing is looked up by joined ids. Known from CVE-2022-24812, where the way
/// Grafana built the key of a cache let one key's permissions be another's (CWE-141).
#[test]
fn u7_ids_that_contain_a_separator_stay_apart() {
    for between in [
        ":", "::", "/", "//", "\\", "|", "||", ",", ";", ".", "..", "-", "--", "_", "#", "@", "=",
        "&", "+", "~", "$", " ", "  ", "%3A", "%00", "\\0", "'", "\"", "`", "->", "=>", "\u{200b}",
        "\u{2060}", "\u{e000}", "§",
    ] {
        let mut world = World::new();
        let join = |one: &str, other: &str| format!("{one}{between}{other}");
        let (ab, bc) = (join("a", "b"), join("b", "c"));
        world.system(enrol(["a", &ab, &join("a", &bc)]));
        for id in ["c", &bc, &join(&ab, "c"), "b"] {
            world.ok(OWNER, create_store(id));
        }
        world.ok(OWNER, create_group("a", "Group A", [viewer([bc.as_str()])]));
        world.ok(OWNER, create_group(&ab, "Group AB", [viewer(["c"])]));
        world.ok(OWNER, add(&ab, [ab.as_str()]));
        for account in world.read_back().iter().chain([&world.account]) {
            for member in account.members() {
                for resource in account.stores() {
                    let meant = member.id().as_str() == ab && resource.as_str() == "c";
                    let may = reads(account, member.id(), resource);
                    assert_eq!(
                        may,
                        meant || member.status().is_owner(),
                        "{} {resource}",
                        member.id()
                    );
                }
            }
            assert!(account.member(&ab).unwrap().is_in(&ab));
            assert!(!account.member(&ab).unwrap().is_in("a"));
            assert!(!account.member("a").unwrap().is_in(&ab));
        }
        world.ok(OWNER, add("a", ["a"]));
        assert!(reads(&world.account, "a", &bc));
        assert!(!reads(&world.account, &ab, &bc) && !reads(&world.account, "a", "c"));
        world.ok(OWNER, take_out("a", ["a"]));
        assert!(reads(&world.account, &ab, "c") && !reads(&world.account, "a", &bc));
    }
}

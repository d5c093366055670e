//! Reviews: what an owner should look at.

use std::collections::BTreeSet;

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{account, config};
use crate::support::*;

/// A2, L2, M3, S3, G7: a review names what an owner should look at, in sentences, and nothing else.
#[test]
fn a2_a_review_names_what_to_look_at() {
    let mut world = World::staffed();
    let said = |world: &World| -> Vec<String> {
        world
            .account
            .review(at(world.now))
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        said(&world),
        [
            "`olga` is the only account owner; a second one could help when it cannot",
            "`gil` may invite and manage groups, so it could bring in a second identity of its own and give it more than it has",
            "`nils` is in no group and can do nothing",
        ]
    );
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        create_group("older", "Older Group", [viewer(["old"])]),
    );
    world.ok(
        OWNER,
        create_group(
            "both",
            "Both Roles",
            [editor(["dev", "prod"]), viewer(["dev"])],
        ),
    );
    world.ok(
        OWNER,
        create_group("readers", "Other Readers", [viewer(["prod"])]),
    );
    world.ok(
        OWNER,
        define_role("same", "Same As Viewer", RoleLevel::Store, &["store.read"]),
    );
    let same = [
        viewer(["dev"]),
        Grant::in_stores(role("same"), [store("dev")]),
    ];
    world.ok(OWNER, create_group("twice", "Twice The Same", same));
    // Not reported: these roles add something, one in another store, the other with another permission.
    let elsewhere = [editor(["dev"]), viewer(["prod"])];
    world.ok(OWNER, create_group("apart", "Two Places", elsewhere));
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    let other = [
        viewer(["dev"]),
        Grant::in_stores(role("log"), [store("dev")]),
    ];
    world.ok(OWNER, create_group("other", "Two Things", other));
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, grant_ownership("dana"));
    world.ok(OWNER, add("both", ["dana"]));
    world.ok(OWNER, invite_until("eva", 1_001));
    for group in ["readers", "apart", "other"] {
        world.ok(OWNER, add(group, ["eva", "nils"]));
    }
    world.now = 1_001;
    let late = said(&world);
    world.ok(OWNER, redefine_role("log", &["log.read", "log.write"]));
    world.now = 900;
    assert_eq!(said(&world), late, "time does not run backwards");
    assert_eq!(
        late,
        [
            "account owner `dana` also sits in groups `both` and `devs`; that gives nothing now, and stays when ownership ends",
            "`gil` may invite and manage groups, so it could bring in a second identity of its own and give it more than it has",
            "the invitation of `eva` expired on 1970-01-01; cancel it, or invite again",
            "group `older` has no members",
            "group `twice` has no members",
            "group `older` carries `store-viewer` for no store, which grants nothing",
            "in group `both`, `store-viewer` adds nothing to `store-editor`",
            "in group `twice`, `store-viewer` adds nothing to `same`",
            "groups `readers` and `viewers` carry the same grants",
        ]
    );
}

fn codes(world: &World) -> Vec<(&'static str, String)> {
    let findings = world.account.review(at(world.now));
    findings
        .iter()
        .map(|finding| (finding.code(), finding.to_string()))
        .collect()
}

/// M3, M4, M6, M8, E1: a review names invitations and members that are dangerous or forgotten.
#[test]
fn m3_a_review_names_what_people_forget() {
    let mut world = World::staffed();
    let has = |world: &World, code: &str, text: &str| {
        let all = codes(world);
        assert!(
            all.contains(&(match_code(&all, code), text.to_owned())),
            "{all:#?}"
        );
    };
    let has_none =
        |world: &World, code: &str| assert!(codes(world).iter().all(|(found, _)| *found != code));

    for code in [
        "endless-owner-invitation",
        "suspended-in-groups",
        "ended-invitations-only",
        "unused-role",
        "unused-store",
    ] {
        has_none(&world, code);
    }
    world.ok(OWNER, invite_owner("eve"));
    has(
        &world,
        "endless-owner-invitation",
        "`eve` is invited as an account owner, and the invitation never ends",
    );
    world.ok(OWNER, suspend("dana"));
    has(
        &world,
        "suspended-in-groups",
        "`dana` is suspended and still in group `devs`; reinstated, it has that access again",
    );
    world.ok(OWNER, create_group("late", "Late Ones", [viewer(["dev"])]));
    world.ok(OWNER, invite_until("eva", world.now + 1));
    world.ok(OWNER, add("late", ["eva"]));
    has_none(&world, "ended-invitations-only");
    world.now += 1;
    has(
        &world,
        "ended-invitations-only",
        "group `late` has nobody but invited members whose invitations have ended",
    );
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    has(&world, "unused-role", "no group carries role `log`");
    world.ok(OWNER, create_store("new"));
    has(
        &world,
        "unused-store",
        "no group grants anything in store `new`; only owners see it",
    );
}

fn match_code(all: &[(&'static str, String)], code: &str) -> &'static str {
    let found = all.iter().find(|(found, _)| *found == code);
    found.unwrap_or_else(|| panic!("no {code} in {all:#?}")).0
}

/// E1, E2, E4: a review names who could bring in a second identity, and who holds a power by a second way.
#[test]
fn e2_a_review_names_second_identities_and_second_ways() {
    let mut world = World::staffed();
    let found = |world: &World, code: &str| -> Vec<serde_json::Value> {
        let findings = world.account.review(at(world.now));
        let found = findings.iter().filter(|finding| finding.code() == code);
        found
            .map(|finding| serde_json::to_value(finding).unwrap())
            .collect()
    };
    assert_eq!(
        found(&world, "second-identity"),
        [serde_json::json!({"kind": "second-identity", "member": MANAGER})]
    );
    assert!(found(&world, "second-way").is_empty());
    let managers = Grant::at_account(RoleId::group_manager());
    world.ok(OWNER, create_group("again", "Managers Again", [managers]));
    world.ok(OWNER, add("again", [MANAGER]));
    let first = world.account.groups().find(|group| {
        group.id().as_str() != "again" && group.members().any(|id| id.as_str() == MANAGER)
    });
    let first = first.unwrap().id().to_string();
    let mut groups = ["again".to_owned(), first];
    groups.sort();
    let permissions = ["account.invite_members", "account.manage_groups"];
    let way = serde_json::json!({"kind": "second-way", "members": [MANAGER], "permissions": permissions, "more": 0, "groups": groups});
    assert_eq!(found(&world, "second-way"), [way]);
    let said = codes(&world)
        .into_iter()
        .find(|(code, _)| *code == "second-way")
        .unwrap()
        .1;
    let quoted = groups.map(|group| format!("`{group}`")).join(" and ");
    assert_eq!(
        said,
        format!(
            "`gil` holds `account.invite_members`, `account.manage_groups` by more than one group, of groups {quoted}: out of one, it is kept"
        )
    );
    world.ok(OWNER, take_out("again", [MANAGER]));
    assert!(found(&world, "second-way").is_empty());
}

/// L7: of what a member holds by two groups, a finding names what these groups' roles name, whatever roles of others do.
#[test]
fn l7_a_second_way_names_what_its_groups_name() {
    let mut world = World::new();
    world.system(enrol(["dana", "max"]));
    for (id, text) in [("one", "log.read"), ("more", "log.read.titles")] {
        world.ok(
            OWNER,
            define_role(id, &format!("Role {id}"), RoleLevel::Account, &[text]),
        );
    }
    for (group, role) in [("a", "one"), ("b", "one"), ("c", "more")] {
        let grant = Grant::at_account(RoleId::parse(role).unwrap());
        let name = format!("Group {group}");
        world.ok(OWNER, create_group(group, &name, [grant]));
    }
    for group in ["a", "b"] {
        world.ok(OWNER, add(group, ["dana"]));
    }
    world.ok(OWNER, add("c", ["max"]));
    let findings = world.account.review(at(world.now));
    let named = findings.iter().filter_map(|finding| match finding {
        Finding::SecondWay { permissions, .. } => Some(permissions.clone()),
        _ => None,
    });
    assert_eq!(named.collect::<Vec<_>>(), [[permission("log.read")]]);
}

/// L2, L6, L7, S3: a grant adds nothing to one other grant of its group that allows as much, wherever it holds. Two that
/// do it together do not count, nor does one of the other level, or of another group.
#[test]
fn l7_a_grant_is_covered_by_one_that_allows_as_much_where_it_holds() {
    let roles = [
        ("fee", RoleLevel::Account, &["fee.set"][..]),
        ("log", RoleLevel::Store, &["log.read"]),
        ("log-all", RoleLevel::Store, &["log.export", "log.read"]),
        ("log-most", RoleLevel::Store, &["log.read", "report.read"]),
        ("log-twin", RoleLevel::Store, &["log.read"]),
        ("log-zwin", RoleLevel::Store, &["log.read"]),
        ("logger", RoleLevel::Account, &["log.read"]),
        ("logs", RoleLevel::Store, &["log.readers"]),
        ("old", RoleLevel::Store, &["store.read.titles.old"]),
        ("titles", RoleLevel::Store, &["store.read.titles"]),
        ("pay", RoleLevel::Account, &["invoice.pay"]),
        ("pay-late", RoleLevel::Account, &["invoice.pay.late"]),
        ("view", RoleLevel::Store, &["store.read"]),
        ("writer", RoleLevel::Store, &["store.write"]),
    ];
    let here = |id: &str, stores: &[&str]| Grant {
        role: role(id),
        scope: Scope::Stores(stores.iter().map(|id| store(id)).collect()),
    };
    let at_account = |id: &str| Grant::at_account(role(id));
    let (d, both) = (&["dev"][..], &["dev", "prod"][..]);
    // What is granted, and which role each covered one adds nothing to, once store `old` is deleted.
    for (grants, expected) in [
        // One that includes it (L7), in more stores, whatever the order of ids.
        (
            vec![here("titles", d), here("store-viewer", both)],
            &[("titles", "store-viewer")][..],
        ),
        (
            vec![here("log", d), here("log-all", both)],
            &[("log", "log-all")],
        ),
        (
            vec![here("log-most", both), here("log-twin", d)],
            &[("log-twin", "log-most")],
        ),
        (vec![here("titles", both), here("store-viewer", d)], &[]),
        (vec![here("log-all", d), here("log", both)], &[]),
        // By the first of several, also where these name different permissions that include it.
        (
            vec![here("old", d), here("titles", d), here("store-viewer", d)],
            &[("old", "store-viewer"), ("titles", "store-viewer")],
        ),
        (
            vec![here("old", d), here("titles", d), here("writer", d)],
            &[("old", "titles")],
        ),
        // The same among many grants, of which few name such a permission: whichever includes it, the first.
        (
            vec![
                here("old", d),
                here("titles", d),
                here("store-viewer", d),
                here("log-all", d),
                here("log-most", d),
                here("logs", d),
            ],
            &[("old", "store-viewer"), ("titles", "store-viewer")],
        ),
        (
            vec![
                here("old", d),
                here("titles", d),
                here("view", d),
                here("log-all", d),
                here("log-most", d),
                here("logs", d),
            ],
            &[("old", "titles"), ("titles", "view")],
        ),
        // A built-in role covers and is covered as others are (L2).
        (
            vec![here("store-viewer", d), here("store-editor", d)],
            &[("store-viewer", "store-editor")],
        ),
        (
            vec![here("writer", d), here("store-editor", d)],
            &[("writer", "store-editor")],
        ),
        // Of those that are the same, the first stands.
        (
            vec![here("log", d), here("log-twin", d), here("log-zwin", d)],
            &[("log-twin", "log"), ("log-zwin", "log")],
        ),
        (
            vec![here("log-twin", d), here("log-zwin", both)],
            &[("log-twin", "log-zwin")],
        ),
        // Whatever the order in which the stores are met.
        (
            vec![
                here("log", &["prod"]),
                here("log-all", both),
                here("log-twin", d),
            ],
            &[("log", "log-all"), ("log-twin", "log-all")],
        ),
        // Not by several together: of stores, of permissions.
        (
            vec![
                here("log", both),
                here("log-twin", d),
                here("log-zwin", &["prod"]),
            ],
            &[("log-twin", "log"), ("log-zwin", "log")],
        ),
        (
            vec![
                here("titles", both),
                here("log-all", both),
                here("store-viewer", &["prod"]),
            ],
            &[],
        ),
        (vec![here("log-all", d), here("log-most", d)], &[]),
        // Not by a longer word, and not across levels, in either direction.
        (vec![here("log", d), here("logs", d)], &[]),
        (vec![here("log", d), at_account("logger")], &[]),
        // The same where the permission is rarer than the place, and is what candidates are found by.
        (
            vec![
                here("log", d),
                here("titles", d),
                here("writer", d),
                at_account("logger"),
            ],
            &[],
        ),
        (
            vec![
                here("log", d),
                at_account("logger"),
                at_account("pay"),
                at_account("fee"),
            ],
            &[],
        ),
        (
            vec![at_account("pay-late"), at_account("pay")],
            &[("pay-late", "pay")],
        ),
        (vec![at_account("pay"), at_account("logger")], &[]),
        // A store that is gone does not count; a grant that is left for no store is reported as that alone.
        (
            vec![here("log", &["dev", "old"]), here("log-all", d)],
            &[("log", "log-all")],
        ),
        (vec![here("log", &["old"]), here("log-all", d)], &[]),
        (vec![here("log", d), here("log-all", &["old"])], &[]),
        (vec![here("log", &["old"]), here("log-twin", &["old"])], &[]),
    ] {
        let mut world = World::staffed();
        for (id, level, permissions) in roles {
            world.ok(
                OWNER,
                define_role(id, &format!("The {id}"), level, permissions),
            );
        }
        world.ok(OWNER, create_store("old"));
        // What another group is granted covers nothing.
        let elsewhere = [
            here("log-all", both),
            here("store-editor", both),
            at_account("pay"),
        ];
        world.ok(OWNER, create_group("another", "Another Group", elsewhere));
        world.ok(OWNER, create_group("one", "One Group", grants.clone()));
        world.ok(OWNER, delete_store("old"));
        let findings = world.account.review(at(world.now));
        let found = findings.iter().filter_map(|finding| match finding {
            Finding::CoveredGrant { group, role, by } => Some((&**group, &**role, &**by)),
            _ => None,
        });
        let expected = expected.iter().map(|(role, by)| ("one", *role, *by));
        assert!(
            found.clone().eq(expected),
            "{grants:?}: {:?}",
            found.collect::<Vec<_>>()
        );
    }
}

proptest! {
    #![proptest_config(config(48))]

    /// G4, L7, E4: what a review says of grants, powers and what is unused is what a look at everything says.
    #[test]
    fn g4_a_review_is_what_a_look_at_everything_finds(world in account(40)) {
        let account = &world.account;
        let findings = account.review(at(world.now));
        if account.is_closed() {
            prop_assert_eq!(findings, []);
            return Ok(());
        }
        let of = |code: &str| -> BTreeSet<String> {
            findings.iter().filter(|finding| finding.code() == code).map(|finding| format!("{finding:?}")).collect()
        };
        let mut covered = BTreeSet::new();
        for group in account.groups() {
            let grants: Vec<_> = group.grants().collect();
            let is_empty = |grant: &GrantRef<'_>| *grant.scope == Scope::Stores(BTreeSet::new());
            let covers = |wide: &GrantRef<'_>, narrow: &GrantRef<'_>| {
                let (more, less) = (account.role(wide.role).unwrap(), account.role(narrow.role).unwrap());
                let is_within = match (narrow.scope, wide.scope) {
                    (Scope::Account, Scope::Account) => true,
                    (Scope::Stores(less), Scope::Stores(more)) => less.is_subset(more),
                    _ => false,
                };
                is_within && less.permissions().iter().all(|permission| more.allows(permission))
            };
            for (index, narrow) in grants.iter().enumerate().filter(|(_, grant)| !is_empty(grant)) {
                let by = grants.iter().enumerate().find(|(other, wide)| {
                    *other != index && covers(wide, narrow) && (*other < index || !covers(narrow, wide))
                });
                if let Some((_, by)) = by {
                    let finding = Finding::CoveredGrant { group: group.id().clone(), role: narrow.role.clone(), by: by.role.clone() };
                    covered.insert(format!("{finding:?}"));
                }
            }
        }
        prop_assert_eq!(of("covered-grant"), covered);

        let mut ways = BTreeSet::new();
        let mut seconds = BTreeSet::new();
        for member in account.members().filter(|member| member.status() == MemberStatus::Active { owner: false }) {
            let held = match account.permissions_on(member.id(), Resource::Account) {
                Ok(Permissions::Only(held)) => held,
                other => panic!("{other:?}"),
            };
            for permission in held {
                let groups: Vec<GroupId> = member.groups().filter(|group| {
                    let group = account.group(group).unwrap();
                    let mut grants = group.grants().filter(|grant| *grant.scope == Scope::Account);
                    grants.any(|grant| account.role(grant.role).unwrap().allows(&permission))
                }).cloned().collect();
                if groups.len() > 1 {
                    ways.insert((member.id().clone(), permission, groups));
                }
            }
            let powers = [Permission::INVITE_MEMBERS, Permission::MANAGE_GROUPS];
            if powers.iter().all(|power| account.can(member.id(), power, Resource::Account)) {
                seconds.insert(format!("{:?}", Finding::SecondIdentity { member: member.id().clone() }));
            }
        }
        let mut told = BTreeSet::new();
        for finding in &findings {
            let Finding::SecondWay { members, permissions, more, groups } = finding else { continue };
            prop_assert_eq!(*more, 0);
            for member in members {
                told.extend(permissions.iter().map(|permission| (member.clone(), permission.clone())));
                let of_member = ways.iter().filter(|(id, ..)| id == member).flat_map(|(.., groups)| groups);
                let of_member: BTreeSet<&GroupId> = of_member.collect();
                prop_assert!(groups.iter().eq(of_member));
            }
        }
        let expected: BTreeSet<_> = ways.iter().map(|(member, permission, _)| (member.clone(), permission.clone())).collect();
        prop_assert_eq!(told, expected);
        prop_assert_eq!(of("second-identity"), seconds);
        let unused: BTreeSet<String> = account.stores().filter(|store| {
            account.groups().all(|group| group.grants().all(|grant| grant.scope.stores().all(|id| id != *store)))
        }).map(|store| format!("{:?}", Finding::UnusedStore { store: store.clone() })).collect();
        prop_assert_eq!(of("unused-store"), unused);
    }
}

//! What comes back under an old id, or in an old slot.

use grantbook::*;

use super::reads;
use crate::support::*;

/// A store is deleted while groups are granted roles in it, and another one is created under its id: whoever could work
/// in the old one works in the new one. S3, S2 and U2 stop it, in a batch and for the account read back too. Known from
/// bindings that name a resource and apply to the next one of that name, as documented for Google Cloud IAM, and from
/// abandoned storage buckets that somebody else creates (CWE-672).
#[test]
fn s3_an_old_stores_access_does_not_pass_to_a_new_one() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("logs", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    let logs = Grant::in_stores(role("logs"), [store("prod"), store("dev")]);
    let grants = [editor(["prod"]), viewer(["dev", "prod"]), logs];
    world.ok(OWNER, create_group("ops", "Operations", grants));
    world.ok(OWNER, add("ops", ["nils", "ina"]));
    let members = world.account.member_count();
    for round in 0..3 {
        if round == 1 {
            let at_once = [delete_store("prod"), create_store("prod")];
            world.all_ok(OWNER, &at_once);
        } else {
            world.ok(OWNER, delete_store("prod"));
            let sent_back = world.account.group("viewers").unwrap().grant_list();
            world.no_change(OWNER, regrant("viewers", sent_back));
            world.ok(OWNER, create_store("prod"));
        }
        world.system(enrol([format!("late-{round}").as_str()]));
        for account in world.read_back().iter().chain([&world.account]) {
            assert!(account.index_is_exact());
            for member in account.members() {
                let owner = member.status().is_owner();
                for text in ["store.read", "store.write", "log.read"] {
                    let may = account.can(member.id(), &permission(text), Resource::Store("prod"));
                    assert_eq!(may, owner, "{} {text}", member.id());
                }
            }
            let who: Vec<_> = account
                .who_can(&Permission::STORE_READ, Resource::Store("prod"), None)
                .collect();
            assert_eq!(who, [&member(OWNER)]);
            assert!(
                reads(account, "nils", "dev"),
                "the other store is as it was"
            );
        }
        let grants = world.account.group("viewers").unwrap().grant_list();
        assert_eq!(grants, [viewer([])]);
        world.assert_refused(
            OWNER,
            create_group("new", "New Group", grants.clone()),
            "empty-scope",
        );
    }
    assert!(members < world.account.member_count());
    world.ok(OWNER, regrant("viewers", [viewer(["prod"])]));
    assert_eq!(world.level("vic", "prod"), AccessLevel::Viewer);
}

/// A group is deleted, and the next one takes its slot inside: its members, or its grants, come with the slot. G7, G4,
/// M5 and G9 stop it: on both sides of every 64th group, by every way out of a group, in a batch, and for the account
/// read back. Known as the use of a number after its release (CWE-672, CWE-416), as when a Unix user id is given to
/// somebody new.
#[test]
fn g7_a_deleted_groups_slot_passes_nothing_on() {
    let mut world = World::with_limit(200);
    world.system(enrol(["mal", "new"]));
    for id in ["old", "fresh"] {
        world.ok(OWNER, create_store(id));
    }
    let id = |number: usize| format!("g{number:03}");
    let create = |number: usize, grant: Grant| {
        create_group(&id(number), &format!("Group {number}"), [grant])
    };
    let all: Vec<_> = (0..130)
        .map(|number| create(number, editor(["old"])))
        .collect();
    world.all_ok(OWNER, &all);
    let ways_out: [WayOut; 4] = [
        |world, group| {
            world.ok(OWNER, add(group, ["mal"]));
            world.ok(OWNER, take_out(group, ["mal"]));
        },
        |world, group| {
            world.ok(OWNER, add(group, ["mal"]));
            world.ok(OWNER, remove_member("mal"));
            world.system(enrol(["mal"]));
        },
        |world, group| {
            world.ok(OWNER, invite("guest"));
            world.ok(OWNER, add(group, ["guest"]));
            world.ok(OWNER, cancel("guest"));
        },
        |world, group| {
            world.ok(OWNER, invite_until("late", world.now + 1));
            world.ok(OWNER, add(group, ["late"]));
            world.now += 1;
            world.ok(OWNER, invite_until("late", world.now + 1));
            world.ok(OWNER, cancel("late"));
        },
    ];
    for number in [0, 1, 63, 64, 65, 127, 128, 129] {
        for (index, way_out) in ways_out.iter().enumerate() {
            let group = id(number);
            way_out(&mut world, &group);
            let change = [delete_group(&group), create(number, editor(["fresh"]))];
            if index % 2 == 0 {
                for command in change {
                    world.ok(OWNER, command);
                }
            } else {
                world.all_ok(OWNER, &change);
            }
            world.ok(OWNER, add(&group, ["new"]));
            for (who, store, may) in [
                ("mal", "old", false),
                ("mal", "fresh", false),
                ("new", "fresh", true),
                ("new", "old", false),
                ("guest", "fresh", false),
                ("late", "fresh", false),
            ] {
                assert_eq!(
                    reads(&world.account, who, store),
                    may,
                    "{group} {who} {store}"
                );
            }
            assert_eq!(world.groups_of("mal"), [""; 0]);
            world.ok(OWNER, take_out(&group, ["new"]));
            assert!(!reads(&world.account, "new", "fresh"));
            world.ok(OWNER, regrant(&group, [editor(["old"])]));
        }
    }
    for account in world.read_back() {
        assert!(account.index_is_exact());
        assert!(account.effective_permissions("mal").is_empty());
    }
}

/// A way into a group and out of it again.
type WayOut = fn(&mut World, &str);

//! Narrow changes of a group's grants, and exact lists of its members, as a detour.

use grantbook::*;
use serde_json::{Value, json};

use super::rewritten;
use crate::support::*;

/// A group loses its last grant, which no form and no reader expects: by revoking one role after another in a batch,
/// after the other role was deleted, after the other one's stores were deleted, by a record. G4, G8 and L3 stop it; and
/// a revocation that may happen is not held up. Known as improper validation of consistency within input (CWE-1288).
#[test]
fn g4_no_revocation_takes_the_last_grant() {
    let mut world = World::staffed();
    let (editors, viewers) = ("store-editor", "store-viewer");
    for actor in [by(OWNER), by(MANAGER), Actor::System] {
        let both = [
            grant_role("devs", viewer(["dev"])),
            revoke_role("devs", editors),
            revoke_role("devs", viewers),
        ];
        world.assert_batch_refused(actor.clone(), &both, "last-grant");
        let emptied = [
            revoke_in("devs", editors, ["dev"]),
            revoke_role("devs", editors),
        ];
        world.assert_batch_refused(actor, &emptied, "last-grant");
    }

    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Account, &["log.read"]),
    );
    world.ok(OWNER, grant_role("devs", Grant::at_account(role("own"))));
    world.assert_refused(OWNER, delete_role("own"), "role-in-use");
    let after_deletion = [
        revoke_role("devs", "own"),
        delete_role("own"),
        revoke_role("devs", editors),
    ];
    world.assert_batch_refused(OWNER, &after_deletion, "last-grant");
    world.all_ok(OWNER, &after_deletion[..2]);
    world.assert_refused(OWNER, revoke_role("devs", "own"), "unknown-role");
    world.assert_refused(OWNER, revoke_role("devs", editors), "last-grant");

    for (event, code) in [
        (
            json!({"group": "devs", "role": editors, "stores": null}),
            "last-grant",
        ),
        (
            json!({"group": "devs", "role": editors, "stores": []}),
            "empty-scope",
        ),
        (
            json!({"group": "devs", "role": editors, "stores": ["prod"]}),
            "redundant",
        ),
        (
            json!({"group": "devs", "role": editors, "stores": ["dev", "prod"]}),
            "redundant",
        ),
        (
            json!({"group": "devs", "role": viewers, "stores": null}),
            "redundant",
        ),
        (
            json!({"group": "devs", "role": "own", "stores": null}),
            "unknown-role",
        ),
        (
            json!({"group": "it", "role": "group-manager", "stores": ["dev"]}),
            "scope-mismatch",
        ),
    ] {
        let mut event = event;
        event["kind"] = "role-revoked".into();
        let record = world.forged(json!({"member": OWNER}), event);
        world.assert_not_applied(&record, code);
    }

    // The other grant has lost its last store with the store itself: it is there, and it grants nothing.
    world.ok(OWNER, grant_role("devs", viewer(["prod"])));
    world.ok(OWNER, delete_store("prod"));
    world.ok(OWNER, revoke_role("devs", editors));
    assert_eq!(
        world.account.group("devs").unwrap().grant_list(),
        [viewer([])]
    );
    world.assert_refused(OWNER, revoke_role("devs", viewers), "last-grant");
    for account in world.read_back() {
        assert!(account.effective_permissions("dana").is_empty());
    }
}

/// A group manager sends a list of a group's members that names itself, since the list replaces and does not add: into
/// another's group, into a new one, into one that it has just left or emptied, in a batch, by a record that contradicts
/// itself. E1, G11 and U4 stop it. Known as incorrect authorization (CWE-863).
#[test]
fn e1_a_list_of_members_does_not_bring_in_its_sender() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        create_group("it-2", "IT Group Two", [Grant::group_manager()]),
    );
    world.ok(OWNER, add("it-2", [MANAGER]));
    let new = || create_group("new", "New Group", [viewer(["dev"])]);
    for batch in [
        vec![set_members("devs", ["dana", MANAGER])],
        vec![set_members("devs", []), set_members("devs", [MANAGER])],
        vec![new(), set_members("new", [MANAGER])],
        vec![set_members("it-2", []), set_members("it-2", [MANAGER])],
        vec![
            take_out("it-2", [MANAGER]),
            set_members("it-2", [MANAGER, "vic"]),
        ],
        vec![
            new(),
            set_members("new", ["dana"]),
            set_members("new", ["dana", MANAGER]),
        ],
    ] {
        world.assert_batch_refused(MANAGER, &batch, "self-addition");
    }
    let out_of_both = [
        set_members("it", []),
        set_members("it-2", []),
        set_members("it", [MANAGER]),
    ];
    world.assert_batch_refused(MANAGER, &out_of_both, "not-authorized");
    // It may name itself where it is, put others there, and take itself out.
    world.ok(MANAGER, set_members("it-2", [MANAGER, "vic"]));
    world.ok(MANAGER, set_members("it-2", ["vic"]));
    world.assert_refused(
        MANAGER,
        set_members("it-2", [MANAGER, "vic"]),
        "self-addition",
    );

    let set = |added: Value, removed: Value| json!({"kind": "group-members-set", "group": "devs", "added": added, "removed": removed});
    for (event, code) in [
        (set(json!([]), json!([])), "redundant"),
        (set(json!(["dana"]), json!([])), "redundant"),
        (set(json!([]), json!(["vic"])), "redundant"),
        (set(json!(["dana"]), json!(["dana"])), "redundant"),
        (set(json!([MANAGER]), json!([MANAGER])), "redundant"),
        (set(json!(["nobody"]), json!([])), "unknown-member"),
    ] {
        let record = world.forged(json!({"member": MANAGER}), event);
        world.assert_not_applied(&record, code);
    }
    let twice = rewritten(world.records.last().unwrap(), |json| {
        json["event"]["removed"] = json!([MANAGER, MANAGER]);
    });
    assert!(twice.is_err());
    assert!(
        world
            .account
            .permissions_on(MANAGER, Resource::Store("dev"))
            .unwrap()
            .is_subset(&Permissions::Only([].into()))
    );
}

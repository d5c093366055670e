//! Members and owners who are suspended and go on as if they were not.

use grantbook::*;
use serde_json::json;

use super::rewritten;
use crate::support::*;

/// An owner who is suspended is still counted, so that the last active one can go, and nobody is left to reinstate
/// anybody: in a batch that suspends on its way, by a record, by a snapshot. A2 and M8 stop it. Known as improper
/// ownership management (CWE-282).
#[test]
fn a2_a_suspended_owner_is_not_counted_as_an_owner() {
    let mut world = World::staffed();
    world.ok(OWNER, grant_ownership("vic"));
    for way_out in [
        leave(),
        suspend(OWNER),
        revoke_ownership(OWNER),
        remove_member(OWNER),
    ] {
        let batch = [suspend("vic"), create_store("new"), way_out];
        world.assert_batch_refused(OWNER, &batch, "last-owner");
    }
    let in_turn = [suspend("vic"), reinstate("vic"), suspend(OWNER)];
    world.all_ok(Actor::System, &in_turn);
    let both = [reinstate(OWNER), suspend(OWNER), suspend("vic")];
    world.assert_batch_refused(Actor::System, &both, "last-owner");
    world.assert_batch_refused(
        "vic",
        &[grant_ownership("dana"), leave(), leave()],
        "not-authorized",
    );
    world.all_ok("vic", &[reinstate(OWNER)]);
    world.ok(OWNER, suspend("vic"));

    for (actor, event, code) in [
        (
            OWNER,
            json!({"kind": "member-left", "member": OWNER}),
            "last-owner",
        ),
        (
            OWNER,
            json!({"kind": "member-suspended", "member": OWNER}),
            "last-owner",
        ),
        (
            OWNER,
            json!({"kind": "ownership-revoked", "member": OWNER}),
            "last-owner",
        ),
        (
            OWNER,
            json!({"kind": "members-removed", "members": [OWNER, "vic"]}),
            "last-owner",
        ),
        (
            OWNER,
            json!({"kind": "ownership-granted", "member": "vic"}),
            "member-suspended",
        ),
    ] {
        let record = world.forged(json!({"member": actor}), event);
        world.assert_not_applied(&record, code);
    }
    let snapshot = rewritten(&world.account.snapshot(), |json| {
        let members = json["members"].as_array_mut().unwrap();
        let olga = members.iter_mut().find(|member| member["id"] == OWNER);
        olga.unwrap()["status"] = json!({"suspended": {"owner": true}});
    });
    let error = Account::try_from(snapshot.unwrap()).unwrap_err();
    assert_eq!(error.code(), "no-owner");
    for account in world.read_back() {
        assert!(account.owners().eq([&member(OWNER)]));
    }
}

/// Somebody who is suspended goes on: issues every command, first in a batch too; accepts an invitation; is invited or
/// added again; is put in a group, taken out of one, or raised by somebody who helps; or comes back by a record. M8, E6
/// and M3 stop it: only a reinstatement ends a suspension, and nobody reinstates itself. Known as incorrect
/// authorization (CWE-863).
#[test]
fn m8_a_suspended_member_neither_acts_nor_comes_back() {
    let mut world = World::staffed();
    world.ok(OWNER, grant_ownership("vic"));
    for id in ["vic", MANAGER, "dana"] {
        world.ok(OWNER, suspend(id));
    }
    let commands = include_str!("../../golden/commands.jsonl").lines();
    let commands = commands.map(|line| serde_json::from_str::<Command>(line).unwrap());
    let commands: Vec<Command> = commands
        .chain([reinstate("vic"), reinstate(MANAGER), leave(), accept()])
        .collect();
    let assert_held_off = |world: &mut World, id: &str| {
        for command in &commands {
            let error = world.refused(id, command.clone());
            assert_eq!(error.kind(), ErrorKind::Forbidden, "{command:?}");
            world.assert_batch_refused(id, &[command.clone(), reinstate(id)], error.code());
        }
        for account in world.read_back() {
            assert!(account.member(id).unwrap().status().is_suspended());
            assert!(account.effective_permissions(id).is_empty());
            for held in Permission::BUILT_IN {
                for resource in [Resource::Account, Resource::Store("dev")] {
                    let mut who = account.who_can(&held, resource, None);
                    assert!(who.all(|other| other.as_str() != id));
                }
            }
        }
    };
    for id in ["vic", MANAGER, "dana"] {
        assert_held_off(&mut world, id);
        world.assert_refused(OWNER, invite(id), "already-member");
        world.assert_refused(OWNER, invite_owner(id), "already-member");
        world.assert_refused(OWNER, cancel(id), "not-invited");
        world.assert_refused(OWNER, grant_ownership(id), "member-suspended");
        assert_eq!(world.decide(&Actor::System, &enrol([id])), Ok(None));
        world.ok(OWNER, create_group("all", "All", [editor(["dev"])]));
        world.ok(OWNER, add("all", [id]));
        world.ok(OWNER, set_members("all", []));
        world.ok(OWNER, set_members("all", [id]));
        assert_held_off(&mut world, id);
        world.ok(OWNER, take_out("all", [id]));
        world.ok(OWNER, delete_group("all"));
        for (actor, event, code) in [
            (
                json!({"member": id}),
                json!({"kind": "invitation-accepted", "member": id}),
                "already-member",
            ),
            (
                json!({"member": id}),
                json!({"kind": "member-left", "member": id}),
                "member-suspended",
            ),
            (
                json!({"member": OWNER}),
                json!({"kind": "member-suspended", "member": id}),
                "redundant",
            ),
            (
                json!({"member": OWNER}),
                json!({"kind": "member-reinstated", "member": OWNER}),
                "redundant",
            ),
            (
                json!("system"),
                json!({"kind": "members-added", "members": [id]}),
                "redundant",
            ),
        ] {
            let record = world.forged(actor, event);
            world.assert_not_applied(&record, code);
        }
    }
    // A suspension does not hide in an invitation, to come out when that is accepted.
    let record = world.forged(
        json!({"member": OWNER}),
        json!({"kind": "member-suspended", "member": "ina"}),
    );
    world.assert_not_applied(&record, "not-active");
}

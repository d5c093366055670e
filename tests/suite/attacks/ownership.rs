//! Becoming an owner, and leaving an account without one.

use grantbook::command::InviteMember;
use grantbook::event::MembersAdded;
use grantbook::*;
use serde_json::json;

use super::rewritten;
use crate::support::*;

/// Somebody who may invite, invites an owner: plainly, by taking an owner's invitation over, by inviting and raising in
/// a batch, or by waiting until it has expired. E3, M2, M3 and M6 stop it. Known from CVE-2023-6396, where those who
/// managed a GitLab group's members could invite with a higher role than their own.
#[test]
fn e3_ownership_cannot_be_gained_by_invitation() {
    let mut world = World::staffed();
    let as_owner_until = |id: &str, expires| {
        Command::InviteMember(InviteMember {
            member: member(id),
            as_owner: true,
            expires: Some(at(expires)),
        })
    };
    world.ok(OWNER, as_owner_until("otto", 2_000));
    world.assert_refused(MANAGER, invite_owner("eve"), "not-authorized");
    world.assert_refused(MANAGER, invite_owner(MANAGER), "not-authorized");
    world.assert_refused(MANAGER, invite("otto"), "already-invited");
    world.assert_refused(MANAGER, cancel("otto"), "owner-invitation");
    world.assert_batch_refused(
        MANAGER,
        &[invite("eve"), grant_ownership("eve")],
        "not-authorized",
    );
    world.assert_batch_refused(
        MANAGER,
        &[cancel("ina"), invite_owner("ina")],
        "not-authorized",
    );
    world.assert_batch_refused(
        OWNER,
        &[invite("eve"), grant_ownership("eve")],
        "not-active",
    );
    world.now = 2_000;
    world.ok(MANAGER, invite("otto"));
    world.ok("otto", accept());
    assert!(world.account.owners().eq([&member(OWNER)]));
    assert!(world.account.effective_permissions("otto").is_empty());
    for event in [
        json!({"kind": "ownership-granted", "member": "ina"}),
        json!({"kind": "ownership-revoked", "member": "ina"}),
    ] {
        let record = world.forged(json!({"member": OWNER}), event);
        world.assert_not_applied(&record, "not-active");
    }
}

/// The last owner may not be removed, so it is demoted, or leaves in any other way: by itself, by the application, in a batch,
/// by a record, by a snapshot. A2 stops each. Known from issue 4340 of `NodeBB`, where one of two ways was guarded, and
/// from issue 135 of repman, which lists both.
#[test]
fn a2_the_last_owner_cannot_leave_in_any_way() {
    let mut world = World::staffed();
    for round in 0..2 {
        let last = ["dana", OWNER][round];
        if round == 0 {
            world.ok(OWNER, grant_ownership("dana"));
            world.ok("dana", revoke_ownership(OWNER));
        } else {
            world.ok("dana", grant_ownership(OWNER));
            world.ok(OWNER, remove_member("dana"));
        }
        for actor in [by(last), Actor::System] {
            for way_out in [remove_member(last), revoke_ownership(last)] {
                world.assert_refused(actor.clone(), way_out.clone(), "last-owner");
                let batch = [
                    create_store("new"),
                    invite_owner("eve"),
                    way_out,
                    create_store("newer"),
                ];
                world.assert_batch_refused(actor.clone(), &batch, "last-owner");
            }
            let hidden = [
                grant_ownership("nils"),
                remove_member("nils"),
                remove_member(last),
            ];
            world.assert_batch_refused(actor, &hidden, "last-owner");
        }
        for event in [
            json!({"kind": "members-removed", "members": [last]}),
            json!({"kind": "ownership-revoked", "member": last}),
            json!({"kind": "member-suspended", "member": last}),
        ] {
            for actor in [json!({"member": last}), json!("system")] {
                let event = event.clone();
                let record = world.forged(actor, event);
                world.assert_not_applied(&record, "last-owner");
            }
        }
        for status in [
            json!({"active": {"owner": false}}),
            json!({"invited": {"as_owner": true, "expires": null}}),
        ] {
            let snapshot = rewritten(&world.account.snapshot(), |json| {
                for member in json["members"].as_array_mut().unwrap() {
                    if member["id"] == last {
                        member["status"] = status.clone();
                    }
                }
            });
            let error = Account::try_from(snapshot.unwrap()).unwrap_err();
            assert_eq!(error.code(), "no-owner");
        }
        assert!(world.account.owners().eq([&member(last)]));
    }
}

/// An owner who is only invited is counted, so that the last active one can go; and if the invitation then expires,
/// nobody is left. A2 and M1 stop it. Known as improper ownership management (CWE-282).
#[test]
fn a2_an_invited_owner_is_not_counted_as_an_owner() {
    let mut world = World::staffed();
    let until = Command::InviteMember(InviteMember {
        member: member("oda"),
        as_owner: true,
        expires: Some(at(2_000)),
    });
    world.ok(OWNER, until);
    for id in ["otto", "olaf"] {
        world.ok(OWNER, invite_owner(id));
    }
    for actor in [by(OWNER), Actor::System] {
        for way_out in [remove_member(OWNER), revoke_ownership(OWNER)] {
            world.assert_refused(actor.clone(), way_out.clone(), "last-owner");
            world.assert_batch_refused(
                actor.clone(),
                &[invite_owner("ole"), way_out],
                "last-owner",
            );
        }
    }
    for id in ["otto", "olaf", "oda"] {
        assert!(world.account.effective_permissions(id).is_empty());
        world.assert_refused(id, remove_member(OWNER), "not-authorized");
        world.assert_refused(id, grant_ownership(id), "not-authorized");
    }
    world.now = 2_000;
    world.assert_refused("oda", accept(), "invitation-expired");
    world.ok("otto", accept());
    world.ok("otto", remove_member(OWNER));
    world.assert_refused("otto", remove_member("otto"), "last-owner");
    for account in world.read_back() {
        assert!(account.owners().eq([&member("otto")]));
    }
}

/// The last owner is added once more as something less, and the account keeps the later entry: invited again, added by
/// the application, put in a group of viewers, by command or by record. A2, M3 and M7 stop it: ownership ends by the two
/// guarded commands only. Known from GitLab issue 9558 on GitHub, where an owner who added itself as a developer was
/// the owner no more.
#[test]
fn a2_adding_an_owner_again_does_not_demote_it() {
    let mut world = World::staffed();
    for actor in [by(OWNER), Actor::System] {
        world.assert_refused(actor.clone(), invite(OWNER), "already-member");
        world.assert_refused(actor, invite_owner(OWNER), "already-member");
    }
    world.assert_refused(OWNER, accept(), "no-invitation");
    world.assert_refused(OWNER, cancel(OWNER), "not-invited");
    let event = world.system(enrol(["new", OWNER]));
    let only_new = Event::MembersAdded(MembersAdded {
        members: members(["new"]),
        ended: Vec::new(),
    });
    assert_eq!(event, only_new);
    world.ok(OWNER, add("viewers", [OWNER]));
    assert_eq!(world.level(OWNER, "prod"), AccessLevel::Owner);
    for (actor, event, code) in [
        (
            json!({"member": OWNER}),
            json!({"kind": "member-invited", "member": OWNER, "as_owner": false}),
            "already-member",
        ),
        (
            json!({"member": OWNER}),
            json!({"kind": "invitation-accepted", "member": OWNER}),
            "already-member",
        ),
        (
            json!({"member": OWNER}),
            json!({"kind": "invitation-cancelled", "member": OWNER}),
            "not-invited",
        ),
        (
            json!("system"),
            json!({"kind": "members-added", "members": [OWNER]}),
            "redundant",
        ),
        (
            json!("system"),
            json!({"kind": "members-added", "members": ["newer", OWNER]}),
            "redundant",
        ),
        (
            json!("system"),
            json!({"kind": "account-opened", "owner": "eve", "group_limit": 20}),
            "opening",
        ),
    ] {
        let record = world.forged(actor, event);
        world.assert_not_applied(&record, code);
    }
    let twice = rewritten(&world.account.snapshot(), |json| {
        let again = json!({"id": OWNER, "status": {"active": {"owner": false}}, "groups": []});
        json["members"].as_array_mut().unwrap().push(again);
    });
    let error = Account::try_from(twice.unwrap()).unwrap_err();
    assert_eq!(error.code(), "duplicate-member");
    assert!(world.account.owners().eq([&member(OWNER)]));
}

/// The last owner does not have itself removed, it leaves: in a batch, twice in one, after it has put everybody else out
/// of the way, together with another owner who leaves at the same time, by a record. A2, M5 and U4 stop it. Known as
/// improper ownership management (CWE-282), and for the two at once as a race (CWE-362).
#[test]
fn a2_the_last_owner_does_not_leave_by_itself() {
    let mut world = World::staffed();
    for batch in [
        vec![create_store("new"), leave()],
        vec![leave(), leave()],
        vec![invite_owner("eve"), leave()],
        vec![grant_ownership("dana"), revoke_ownership("dana"), leave()],
        vec![grant_ownership("dana"), remove_member("dana"), leave()],
    ] {
        world.assert_batch_refused(OWNER, &batch, "last-owner");
    }
    let alone = world.forged(
        json!({"member": OWNER}),
        json!({"kind": "member-left", "member": OWNER}),
    );
    world.assert_not_applied(&alone, "last-owner");

    world.ok(OWNER, grant_ownership("dana"));
    // Whoever has left is a stranger to what comes after it in its batch.
    for last in [leave(), create_store("new"), grant_ownership("vic")] {
        world.assert_batch_refused(OWNER, &[leave(), last], "not-authorized");
    }
    for actor in [json!({"member": "dana"}), json!("system")] {
        let record = world.forged(actor, json!({"kind": "member-left", "member": OWNER}));
        world.assert_not_applied(&record, "wrong-actor");
    }
    let olga = world.decide(&by(OWNER), &leave()).unwrap().unwrap();
    world.ok("dana", leave());
    let late = rewritten(&olga, |json| {
        json["version"] = (world.account.version() + 1).into();
    });
    world.assert_not_applied(&late.unwrap(), "last-owner");
    world.assert_refused(OWNER, leave(), "last-owner");
    for account in world.read_back() {
        assert!(account.owners().eq([&member(OWNER)]));
        assert!(account.member("dana").is_none());
    }
}

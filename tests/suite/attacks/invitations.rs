//! Invitations that are over, that are somebody else's, or that were left behind.

use grantbook::command::InviteMember;
use grantbook::event::MemberInvited;
use grantbook::*;
use serde_json::json;

use crate::support::*;

fn accepted(id: &str) -> serde_json::Value {
    json!({"kind": "invitation-accepted", "member": id})
}

/// Somebody accepts an invitation that has expired, to the millisecond; that was cancelled; that it has used before; or
/// that a new one has replaced. M3, U3 and U5 stop it. Known from CVE-2020-10074, where an expired link still gave a
/// GitLab account away (CWE-672, CWE-294).
#[test]
fn m3_an_invitation_that_is_over_cannot_be_accepted() {
    let mut world = World::staffed();
    for id in ["eva", "fin", "gus", "hal"] {
        world.ok(OWNER, invite_until(id, 2_000));
        world.ok(OWNER, add("devs", [id]));
    }
    world.ok(OWNER, cancel("hal"));
    world.assert_refused("hal", accept(), "no-invitation");
    let record = world.forged(json!({"member": "hal"}), accepted("hal"));
    world.assert_not_applied(&record, "unknown-member");

    world.now = 1_999;
    world.ok("fin", accept());
    world.assert_refused("fin", accept(), "no-invitation");
    world.assert_batch_refused("fin", &[accept(), accept()], "no-invitation");
    let record = world.forged(json!({"member": "fin"}), accepted("fin"));
    world.assert_not_applied(&record, "already-member");
    world.ok(OWNER, remove_member("fin"));
    world.assert_refused("fin", accept(), "no-invitation");

    for now in [2_000, 2_001, Timestamp::MAX.as_millis()] {
        world.now = now;
        world.assert_refused("eva", accept(), "invitation-expired");
    }
    world.now = 2_000;
    world.ok(OWNER, create_store("later"));
    let record = world.forged(json!({"member": "eva"}), accepted("eva"));
    world.assert_not_applied(&record, "invitation-expired");
    for account in world.read_back() {
        let again = account.decide(&by("eva"), &accept(), at(2_000));
        assert_eq!(again.unwrap_err().code(), "invitation-expired");
    }
    world.ok(OWNER, invite_until("gus", 3_000));
    world.ok("gus", accept());
    assert!(
        world.account.effective_permissions("gus").is_empty(),
        "the new invitation does not bring the old one's groups"
    );
    for id in ["eva", "fin", "hal"] {
        assert!(world.account.effective_permissions(id).is_empty());
    }
}

/// Somebody accepts an invitation that is not its own: another member, an owner, the application, somebody whose id differs in
/// a letter; by naming the invited member in the command; or in a record. M3, E6 and U5 stop it. Known from
/// CVE-2022-39306, where a Grafana invitation could be accepted under any name (CWE-639).
#[test]
fn m3_nobody_can_accept_on_someone_elses_behalf() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    for thief in [
        OWNER,
        MANAGER,
        "dana",
        "nobody",
        "Otto",
        "0tto",
        "\u{3bf}tto",
        "otto2",
    ] {
        world.assert_refused(thief, accept(), "no-invitation");
        for (id, actor) in [("otto", thief), (thief, "otto")] {
            let record = world.forged(json!({"member": actor}), accepted(id));
            world.assert_not_applied(&record, "wrong-actor");
        }
    }
    world.assert_refused(Actor::System, accept(), "no-invitation");
    let record = world.forged(json!("system"), accepted("otto"));
    world.assert_not_applied(&record, "wrong-actor");
    for text in [
        r#"{"command":"accept-invitation","member":"otto"}"#,
        r#"{"command":"accept-invitation","actor":{"member":"otto"}}"#,
        r#"{"command":"accept-invitation","as_owner":true}"#,
    ] {
        assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
    }
    world.ok("ina", accept());
    assert!(!world.account.member("ina").unwrap().status().is_owner());
    assert!(!world.account.member("otto").unwrap().status().is_active());
    assert_eq!(world.account.owners().count(), 1);
}

/// Somebody who was removed, or whose invitation was cancelled or expired, is invited or added again and finds what it
/// had: groups, ownership, a promise of it. M5 and M3 stop it. Known from GitLab issue 26801, where somebody removed
/// came back by an invitation that was still pending (CWE-459).
#[test]
fn m5_coming_back_restores_nothing() {
    let comings: [fn(&mut World, &str); 3] = [
        |world, id| {
            world.ok(OWNER, invite(id));
            world.ok(id, accept());
        },
        |world, id| {
            world.ok(OWNER, invite_until(id, world.now + 10));
            world.ok(id, accept());
        },
        |world, id| {
            world.system(enrol([id]));
        },
    ];
    let goings: [(&str, fn(&mut World, &str)); 4] = [
        ("dana", |world, id| {
            world.ok(OWNER, grant_ownership(id));
            world.ok(OWNER, remove_member(id));
        }),
        ("ina", |world, id| {
            world.ok(MANAGER, cancel(id));
        }),
        ("ina", |world, id| {
            world.ok(OWNER, remove_member(id));
        }),
        ("eva", |world, id| {
            let promised = Command::InviteMember(InviteMember {
                member: member(id),
                as_owner: true,
                expires: Some(at(world.now + 10)),
            });
            world.ok(OWNER, promised);
            world.ok(OWNER, add("it", [id]));
            world.ok(OWNER, add("devs", [id]));
            world.now += 10;
        }),
    ];
    for (id, go) in goings {
        for come in comings {
            let mut world = World::staffed();
            go(&mut world, id);
            come(&mut world, id);
            for account in world.read_back() {
                let back = account.member(id).unwrap();
                assert_eq!(back.status(), MemberStatus::Active { owner: false });
                assert_eq!(back.groups().count(), 0);
                assert!(account.effective_permissions(id).is_empty());
                for group in account.groups() {
                    assert!(group.members().all(|other| other.as_str() != id));
                }
            }
            world.assert_refused(id, add("devs", [id]), "not-authorized");
        }
    }
}

/// A manager who expects to be removed invites another identity of its own, adds it to groups, and accepts afterwards.
/// No rule ends an invitation when its issuer goes, so here is what does hold: until it is accepted it gives nothing
/// (M1), it is listed and the records name its issuer (U2), an owner cancels it (M3), and it never is ownership (E3).
/// Known from GitLab issue 26801.
#[test]
fn m3_an_invitation_left_behind_gives_nothing_until_accepted() {
    let mut world = World::staffed();
    world.assert_refused(MANAGER, invite_owner("gil-2"), "not-authorized");
    world.ok(MANAGER, invite("gil-2"));
    world.ok(MANAGER, add("it", ["gil-2"]));
    world.ok(OWNER, remove_member(MANAGER));
    assert!(world.account.effective_permissions("gil-2").is_empty());
    world.assert_refused("gil-2", add("it", ["gil-2"]), "not-authorized");
    let left: Vec<&str> = history::changes_by(&world.records, &by(MANAGER))
        .filter_map(|record| match record.event() {
            Event::MemberInvited(MemberInvited { member, .. }) => Some(member.as_str()),
            _ => None,
        })
        .filter(|id| {
            let member = world.account.member(id);
            member.is_some_and(|member| !member.status().is_active())
        })
        .collect();
    assert_eq!(left, ["gil-2"]);
    world.ok(OWNER, cancel("gil-2"));
    world.assert_refused("gil-2", accept(), "no-invitation");
    assert!(world.groups_of(OWNER).is_empty());
    assert_eq!(world.account.group("it").unwrap().member_count(), 0);
}

/// The clock of the application is set back, or differs between two processes, and what had expired is valid again. M3 and U2
/// stop it: an account's time does not run backwards, and what was over by the last record stays over. Known as relying
/// on a time that can be changed (CWE-672), as by setting a machine's clock back.
#[test]
fn m3_setting_the_clock_back_revives_no_invitation() {
    let mut world = World::staffed();
    for id in ["eva", "fin"] {
        world.ok(OWNER, invite_until(id, 2_000));
    }
    let early = world.clone();
    world.now = 2_000;
    world.ok(OWNER, create_store("later"));
    for now in [0, 1, 1_000, 1_999] {
        world.now = now;
        world.assert_refused("eva", accept(), "invitation-expired");
        world.assert_refused(OWNER, invite_until("new", 2_000), "expiry-passed");
        world.assert_refused(OWNER, add("devs", ["eva"]), "invitation-expired");
        world.ok(OWNER, create_store(&format!("at-{now}")));
        assert_eq!(world.account.changed_at(), at(2_000));
        for account in world.read_back() {
            let again = account.decide(&by("eva"), &accept(), at(now));
            assert_eq!(again.unwrap_err().code(), "invitation-expired");
        }
        let batch = [create_store("x"), accept()];
        let refused = world.account.decide_batch(&by("fin"), &batch[1..], at(now));
        assert_eq!(refused.unwrap_err().code(), "invitation-expired");
    }
    assert!(
        world
            .records
            .windows(2)
            .all(|pair| pair[0].at() <= pair[1].at())
    );
    // A record from a process whose clock is behind is dated before the one it follows.
    let mut other = early;
    other.now = 1_999;
    other.ok("eva", accept());
    let stale = super::rewritten(other.records.last().unwrap(), |json| {
        json["version"] = (world.account.version() + 1).into();
    });
    world.assert_not_applied(&stale.unwrap(), "time-runs-backwards");
}

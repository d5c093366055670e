//! M: members, invitations and ownership.

use grantbook::command::{ChangeRole, InviteMember};
use grantbook::event::{EndedInvitation, MembersAdded};
use grantbook::*;

use crate::hostile::sealed;
use crate::rules::with_auditor;
use crate::support::*;

/// M1: an invited member has no permission, whatever its groups and its invitation promise.
#[test]
fn m1_an_invited_member_has_no_permissions() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    for invited in ["ina", "otto"] {
        assert!(world.account.effective_permissions(invited).is_empty());
        assert_eq!(
            world.denial(invited, "store.read", Resource::Store("dev")),
            DenialReason::Invited
        );
        assert_eq!(
            world.denial(invited, "store.read", Resource::Account),
            DenialReason::Invited
        );
    }
    world.ok("ina", accept());
    assert_eq!(world.level("ina", "dev"), AccessLevel::Editor);
    world.ok("otto", accept());
    assert_eq!(world.level("otto", "dev"), AccessLevel::Owner);
}

/// M2: owners and group managers invite; only an owner invites an owner.
#[test]
fn m2_owners_and_group_managers_invite() {
    let mut world = World::staffed();
    world.ok(OWNER, invite("a"));
    world.ok(MANAGER, invite("b"));
    world.ok(OWNER, invite_owner("c"));
    world.assert_refused(MANAGER, invite_owner("d"), "not-authorized");
    for actor in ["dana", "vic", "nils", "ina", "nobody"] {
        world.assert_refused(actor, invite("d"), "not-authorized");
    }
}

/// M3: an invitation works once.
#[test]
fn m3_an_invitation_works_once() {
    let mut world = World::staffed();
    world.ok("ina", accept());
    world.assert_refused("ina", accept(), "no-invitation");
    world.assert_refused(OWNER, cancel("ina"), "not-invited");
    world.assert_refused(OWNER, invite("ina"), "already-member");
}

/// M3: a member with a pending invitation cannot be invited again.
#[test]
fn m3_a_pending_invitation_cannot_be_issued_again() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, invite("ina"), "already-invited");
    world.assert_refused(OWNER, invite_owner("ina"), "already-invited");
}

/// M3: a cancelled invitation cannot be accepted; a new one starts from nothing.
#[test]
fn m3_a_new_invitation_after_a_cancelled_one_starts_from_nothing() {
    let mut world = World::staffed();
    world.ok(MANAGER, cancel("ina"));
    world.assert_refused("ina", accept(), "no-invitation");
    world.assert_refused(OWNER, cancel("ina"), "unknown-member");
    world.ok(OWNER, invite("ina"));
    world.ok("ina", accept());
    assert!(world.account.effective_permissions("ina").is_empty());
    assert_eq!(world.account.group("devs").unwrap().member_count(), 1);
}

/// M3: from its expiry on, an invitation cannot be accepted, nor its member added to a group; a new one starts from
/// nothing.
#[test]
fn m3_an_invitation_ends_at_its_expiry() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 2_000));
    world.ok(OWNER, invite_until("fin", 2_000));
    world.ok(OWNER, add("devs", ["eva", "fin"]));
    world.now = 1_999;
    world.ok("fin", accept());
    world.now = 2_000;
    world.assert_refused("eva", accept(), "invitation-expired");
    world.assert_refused(OWNER, add("viewers", ["eva"]), "invitation-expired");
    world.assert_refused(OWNER, add("viewers", ["eva", "nils"]), "invitation-expired");
    world.no_change(OWNER, add("devs", ["eva"]));
    world.ok(OWNER, invite_owner("eva"));
    assert!(world.groups_of("eva").is_empty());
    assert_eq!(world.account.group("devs").unwrap().member_count(), 3);
    world.ok(OWNER, cancel("eva"));
    world.ok(OWNER, invite("eva"));
    world.ok("eva", accept());
    assert!(world.account.effective_permissions("eva").is_empty());
}

/// M3, E3: an owner's invitation that has expired is no longer one; a group manager may cancel it.
#[test]
fn m3_an_expired_owner_invitation_can_be_cancelled_by_a_manager() {
    let mut world = World::staffed();
    let invite = Command::InviteMember(InviteMember {
        member: member("otto"),
        as_owner: true,
        expires: Some(at(2_000)),
    });
    world.ok(OWNER, invite);
    world.assert_refused(MANAGER, cancel("otto"), "owner-invitation");
    world.now = 2_000;
    world.ok(MANAGER, cancel("otto"));
}

/// M3: an expired invitation can be cancelled, and its member taken out of groups, removed or added by the application.
#[test]
fn m3_an_expired_invitation_can_be_cleaned_up() {
    let mut world = World::staffed();
    for id in ["eva", "fin", "gus"] {
        world.ok(OWNER, invite_until(id, 2_000));
    }
    world.ok(OWNER, add("viewers", ["eva"]));
    world.now = 2_000;
    world.ok(MANAGER, take_out("viewers", ["eva"]));
    world.ok(MANAGER, cancel("eva"));
    world.ok(OWNER, remove_member("fin"));
    world.system(enrol(["gus"]));
    assert_eq!(
        world.account.member("gus").unwrap().status(),
        MemberStatus::Active { owner: false }
    );
    assert!(world.account.member("eva").is_none() && world.account.member("fin").is_none());
}

/// M3, U2: an invitation that had expired by the last record's time stays expired, even if the host's clock runs
/// backwards.
#[test]
fn m3_a_clock_that_runs_backwards_revives_no_invitation() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 2_000));
    world.now = 2_500;
    world.ok(OWNER, create_store("later"));
    world.now = 1_500;
    world.assert_refused("eva", accept(), "invitation-expired");
    world.assert_refused(OWNER, invite_until("fin", 2_500), "expiry-passed");
}

/// M3: an invitation that would expire at once is refused.
#[test]
fn m3_an_expiry_must_be_in_the_future() {
    let mut world = World::new();
    world.assert_refused(OWNER, invite_until("eva", 1_000), "expiry-passed");
    let refusal = world.refused(OWNER, invite_until("eva", 999));
    assert_eq!(
        refusal.to_string(),
        "the invitation would expire at 1970-01-01T00:00:00.999Z, which is not after now (1970-01-01T00:00:01.000Z, or the last record's time if that is later)"
    );
    world.ok(OWNER, invite_until("eva", 1_001));
}

/// M3, E3: a group manager cancels invitations, but not an owner's.
#[test]
fn m3_only_an_owner_cancels_an_owners_invitation() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    let refusal = world.refused(MANAGER, cancel("otto"));
    assert_eq!(refusal.code(), "owner-invitation");
    assert_eq!(
        refusal.to_string(),
        "`gil` cannot cancel the invitation of `otto` as account owner; an account owner can"
    );
    world.ok(OWNER, cancel("otto"));
}

/// M4: only members can be in a group, active or invited.
#[test]
fn m4_only_members_can_be_in_a_group() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, add("devs", ["nils", "nobody"]), "unknown-member");
    assert!(
        world.groups_of("nils").is_empty(),
        "nothing is done in part"
    );
    world.ok(OWNER, add("viewers", ["ina"]));
    world.assert_refused(OWNER, take_out("devs", ["nobody"]), "unknown-member");
}

/// M5: an owner removes a member, and with it all its memberships; a member who comes back starts from nothing.
#[test]
fn m5_a_removed_member_starts_again_from_nothing() {
    let mut world = World::staffed();
    for actor in [MANAGER, "dana", "ina", "nobody"] {
        world.assert_refused(actor, remove_member("vic"), "not-authorized");
    }
    world.ok(OWNER, grant_ownership("dana"));
    world.ok(OWNER, remove_member("dana"));
    world.ok(OWNER, remove_member("ina"));
    assert_eq!(world.account.group("devs").unwrap().member_count(), 0);
    assert_eq!(
        world.denial("dana", "store.read", Resource::Store("dev")),
        DenialReason::UnknownMember
    );
    world.system(enrol(["dana"]));
    world.ok(OWNER, invite("ina"));
    world.ok("ina", accept());
    for back in ["dana", "ina"] {
        assert!(world.account.effective_permissions(back).is_empty());
        assert!(world.groups_of(back).is_empty());
    }
    world.assert_refused(OWNER, remove_member("nobody"), "unknown-member");
}

/// M5: many are removed in one command, all or none; those who are not there are named, up to ten at once.
#[test]
fn m5_many_are_removed_in_one_command() {
    let mut world = World::staffed();
    let unknown: Vec<String> = (0..12).map(|number| format!("x{number:02}")).collect();
    let unknown = unknown.iter().map(String::as_str);
    let error = world.refused(OWNER, remove_members(unknown.clone().chain(["dana"])));
    let expected = CommandError::UnknownMember {
        members: unknown.take(10).map(member).collect(),
    };
    assert_eq!(error, expected);
    let error = world.refused(OWNER, remove_members(["a", "b", "c", "dana"]));
    assert_eq!(
        error.to_string(),
        "there is no member `a`, `b` or `c` in this account"
    );
    let event = world.ok(OWNER, remove_members(["dana", "ina", MANAGER]));
    assert_eq!(event.kind(), "members-removed");
    for id in ["dana", "ina", MANAGER] {
        assert!(world.account.member(id).is_none());
    }
    assert_eq!(world.account.group("devs").unwrap().member_count(), 0);
    world.no_change(OWNER, remove_members([]));
    world.ok(OWNER, grant_ownership("vic"));
    world.assert_refused(OWNER, remove_members(["vic", OWNER]), "last-owner");
    world.assert_refused("nils", remove_members(["vic"]), "not-authorized");
}

/// M5, A2: an active member leaves by itself, whatever it holds; nobody leaves for somebody else.
#[test]
fn m5_a_member_leaves_by_itself() {
    let mut world = World::staffed();
    assert_eq!(world.ok("dana", leave()).kind(), "member-left");
    assert!(world.account.member("dana").is_none());
    world.assert_refused("dana", leave(), "not-authorized");
    world.assert_refused("ina", leave(), "not-authorized");
    world.assert_refused("nobody", leave(), "not-authorized");
    world.assert_refused(Actor::System, leave(), "no-membership");
    world.assert_refused(OWNER, leave(), "last-owner");
    world.ok(OWNER, suspend("vic"));
    world.assert_refused("vic", leave(), "not-authorized");
    world.ok(OWNER, grant_ownership("nils"));
    world.ok(OWNER, leave());
    assert!(world.account.owners().eq([&member("nils")]));
    world.system(enrol(["dana"]));
    assert!(world.groups_of("dana").is_empty());
}

/// M6: an owner grants and revokes ownership, of active members only.
#[test]
fn m6_ownership_is_for_active_members() {
    let mut world = World::staffed();
    for actor in [MANAGER, "dana"] {
        world.assert_refused(actor, grant_ownership("dana"), "not-authorized");
        world.assert_refused(actor, revoke_ownership(OWNER), "not-authorized");
    }
    world.assert_refused(OWNER, grant_ownership("ina"), "not-active");
    world.assert_refused(OWNER, revoke_ownership("ina"), "not-active");
    world.assert_refused(OWNER, grant_ownership("nobody"), "unknown-member");
    world.ok(OWNER, grant_ownership("dana"));
    world.no_change(OWNER, grant_ownership("dana"));
    world.ok("dana", revoke_ownership(OWNER));
    world.no_change("dana", revoke_ownership(OWNER));
    world.no_change("dana", revoke_ownership("vic"));
}

/// M6: when ownership ends, the member's groups remain.
#[test]
fn m6_a_former_owner_keeps_its_groups() {
    let mut world = World::staffed();
    world.ok(OWNER, grant_ownership("vic"));
    assert_eq!(world.level("vic", "dev"), AccessLevel::Owner);
    world.ok(OWNER, revoke_ownership("vic"));
    assert_eq!(world.level("vic", "prod"), AccessLevel::Viewer);
    assert_eq!(world.level("vic", "dev"), AccessLevel::None);
}

/// M6, L3: the name and the id of ownership are reserved; no role can have them.
#[test]
fn m6_no_role_can_be_called_ownership() {
    let mut world = with_auditor();
    for (id, name) in [
        ("account-owner", "Something Else"),
        ("Account Owner", "Something Else"),
        ("boss", "account_owner"),
        ("boss", "ACCOUNT Owner"),
    ] {
        world.assert_refused(
            OWNER,
            define_role(id, name, RoleLevel::Account, &["log.read"]),
            "ownership-name",
        );
    }
    let rename = Command::ChangeRole(ChangeRole {
        role: role("auditor"),
        name: Some(RoleName::parse("Account Owner").unwrap()),
        permissions: None,
    });
    world.assert_refused(OWNER, rename, "ownership-name");
    // There is no such role, whatever it is to be called.
    let rename = Command::rename_role(role("account-owner"), "Billing".parse().unwrap());
    world.assert_refused(OWNER, rename, "unknown-role");
}

/// M7: the application adds many members at once, in one event; those who are active or suspended stay as they are.
#[test]
fn m7_the_host_adds_members_without_invitation() {
    let mut world = World::staffed();
    world.ok(OWNER, suspend("vic"));
    let event = world.system(enrol(["dana", "new-1", "new-2", "vic", OWNER]));
    assert_eq!(
        event,
        Event::MembersAdded(MembersAdded {
            members: members(["new-1", "new-2"]),
            ended: Vec::new(),
        })
    );
    assert_eq!(world.level("dana", "dev"), AccessLevel::Editor);
    assert_eq!(world.level(OWNER, "dev"), AccessLevel::Owner);
    assert!(world.account.member("new-1").unwrap().status().is_active());
    assert!(world.account.member("vic").unwrap().status().is_suspended());
    assert_eq!(world.decide(&Actor::System, &enrol(["dana"])), Ok(None));
    assert_eq!(world.decide(&Actor::System, &enrol([])), Ok(None));
    for actor in [OWNER, MANAGER, "nobody"] {
        world.assert_refused(actor, enrol(["x"]), "system-only");
    }
}

/// M7: an invitation, pending or expired, holds nobody up; it ends, its member starts from nothing, and the event says
/// what ended with it.
#[test]
fn m7_adding_ends_an_invitation() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    world.ok(OWNER, invite_until("eva", 1_001));
    world.ok(MANAGER, add("viewers", ["ina", "eva"]));
    world.now = 1_001;
    let event = world.system(enrol(["dana", "eva", "ina", "new", "otto"]));
    let ended = |id: &str, as_owner, groups: &[&str]| EndedInvitation {
        member: member(id),
        as_owner,
        groups: groups.iter().map(|id| group(id)).collect(),
    };
    assert_eq!(
        event,
        Event::MembersAdded(MembersAdded {
            members: members(["eva", "ina", "new", "otto"]),
            ended: vec![
                ended("eva", false, &["viewers"]),
                ended("ina", false, &["devs", "viewers"]),
                ended("otto", true, &[]),
            ],
        })
    );
    for id in ["eva", "ina", "new", "otto"] {
        assert_eq!(
            world.account.member(id).unwrap().status(),
            MemberStatus::Active { owner: false }
        );
        assert!(world.groups_of(id).is_empty());
        assert!(world.account.effective_permissions(id).is_empty());
    }
    // A record that hides what ended is not applied.
    let record = world.records.last().unwrap();
    let mut hidden = serde_json::to_value(record).unwrap();
    hidden["event"]["ended"].as_array_mut().unwrap().pop();
    let hidden: Record = serde_json::from_value(hidden).unwrap();
    let before = world.records.len() - 1;
    let mut account = Account::replay(&world.records[..before]).unwrap();
    let hidden = sealed(&hidden, account.digest());
    assert_eq!(account.apply(&hidden).unwrap_err().code(), "redundant");
}

/// M8: a suspended member holds nothing and does nothing, and has all that it had when it is reinstated.
#[test]
fn m8_a_suspended_member_keeps_everything_and_holds_nothing() {
    let mut world = World::staffed();
    world.ok(OWNER, grant_ownership("vic"));
    for (id, text, resource) in [
        ("dana", "store.write", Resource::Store("dev")),
        (MANAGER, "account.manage_groups", Resource::Account),
        ("vic", "account.manage_owners", Resource::Account),
    ] {
        let before = world.account.effective_permissions(id);
        let groups = world.groups_of(id);
        assert!(world.may(id, text, resource));
        let event = world.ok(OWNER, suspend(id));
        assert_eq!(event.kind(), "member-suspended");
        assert_eq!(world.denial(id, text, resource), DenialReason::Suspended);
        assert!(world.account.effective_permissions(id).is_empty());
        assert_eq!(world.level(id, "dev"), AccessLevel::None);
        assert_eq!(world.groups_of(id), groups);
        assert!(
            !world
                .account
                .who_can(&permission(text), resource, None)
                .any(|who| who.as_str() == id)
        );
        world.assert_refused(id, create_store("new"), "not-authorized");
        world.assert_refused(id, reinstate(id), "not-authorized");
        world.assert_refused(id, accept(), "no-invitation");
        world.no_change(OWNER, suspend(id));
        assert_eq!(world.ok(OWNER, reinstate(id)).kind(), "member-reinstated");
        assert_eq!(world.account.effective_permissions(id), before);
        world.no_change(OWNER, reinstate(id));
    }
}

/// M8, A2: a suspended owner is no active owner, and keeps its ownership for its return unless that is revoked (M6).
#[test]
fn m8_a_suspended_owner_does_not_count() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, suspend(OWNER), "last-owner");
    world.assert_refused(Actor::System, suspend(OWNER), "last-owner");
    world.ok(OWNER, grant_ownership("vic"));
    world.ok(OWNER, suspend("vic"));
    assert!(world.account.owners().eq([&member(OWNER)]));
    for command in [
        suspend(OWNER),
        revoke_ownership(OWNER),
        remove_member(OWNER),
    ] {
        world.assert_refused(Actor::System, command, "last-owner");
    }
    world.assert_refused(OWNER, grant_ownership("vic"), "member-suspended");
    world.ok(OWNER, revoke_ownership("vic"));
    world.ok(OWNER, reinstate("vic"));
    assert_eq!(world.level("vic", "prod"), AccessLevel::Viewer);
    assert_eq!(world.level("vic", "dev"), AccessLevel::None);
}

/// M8, L5: owners and the application suspend and reinstate; nobody who is invited is suspended.
#[test]
fn m8_who_suspends_whom() {
    let mut world = World::staffed();
    for actor in [MANAGER, "dana", "ina", "stranger"] {
        world.assert_refused(actor, suspend("vic"), "not-authorized");
        world.assert_refused(actor, reinstate("vic"), "not-authorized");
    }
    world.assert_refused(OWNER, suspend("ina"), "not-active");
    world.assert_refused(OWNER, reinstate("ina"), "not-active");
    world.assert_refused(OWNER, suspend("nobody"), "unknown-member");
    world.system(suspend("dana"));
    // It can be put in groups and taken out, counts for G7, and can be removed; it is not invited or added again.
    world.ok(MANAGER, add("viewers", ["dana"]));
    world.ok(MANAGER, take_out("viewers", ["dana"]));
    world.assert_refused(MANAGER, delete_group("devs"), "group-has-members");
    world.assert_refused(OWNER, invite("dana"), "already-member");
    world.assert_refused(OWNER, cancel("dana"), "not-invited");
    assert_eq!(world.decide(&Actor::System, &enrol(["dana"])), Ok(None));
    world.ok(OWNER, remove_member("dana"));
    assert_eq!(
        world.denial("dana", "store.read", Resource::Store("dev")),
        DenialReason::UnknownMember
    );
}

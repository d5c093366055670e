//! E: no escalation.

use grantbook::*;

use crate::support::*;

/// E1: a group manager cannot add itself to a group, alone or among others, even if it would gain nothing.
#[test]
fn e1_a_manager_cannot_add_itself() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        create_group("empty", "Grants Nothing", [viewer(["prod"])]),
    );
    world.ok(OWNER, delete_store("prod"));
    for command in [
        add("devs", [MANAGER]),
        add("devs", ["nils", MANAGER, "vic"]),
        add("empty", [MANAGER]),
        add("it", [MANAGER]),
    ] {
        world.assert_refused(MANAGER, command, "self-addition");
    }
    let refusal = world.refused(MANAGER, add("devs", [MANAGER]));
    assert_eq!(
        refusal.to_string(),
        "`gil` cannot add itself to group `devs`; an account owner or another group manager can"
    );
    world.ok(MANAGER, add("it", ["vic"]));
    world.ok("vic", add("devs", [MANAGER]));
    world.ok(OWNER, add("devs", [OWNER]));
}

/// E2: a group manager cannot widen the grants of its own group, at the account or in a store; it can narrow them.
#[test]
fn e2_a_manager_cannot_widen_its_own_group() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("billing", "Billing", RoleLevel::Account, &["invoice.read"]),
    );
    world.ok(OWNER, create_store("new"));
    world.ok(
        OWNER,
        regrant("it", [Grant::group_manager(), viewer(["dev", "prod"])]),
    );
    let wider = [
        vec![Grant::group_manager(), viewer(["dev"]), editor(["prod"])],
        vec![Grant::group_manager(), Grant::at_account(role("billing"))],
        // A role that is named twice has its stores merged (G4), wherever among them the new one stands.
        vec![Grant::group_manager(), viewer(["new"]), viewer(["dev"])],
        vec![Grant::group_manager(), viewer(["dev"]), viewer(["new"])],
    ];
    for grants in wider {
        world.assert_refused(MANAGER, regrant("it", grants), "self-escalation");
    }
    let refusal = world.refused(
        MANAGER,
        regrant("it", [Grant::group_manager(), editor(["prod"])]),
    );
    assert_eq!(
        refusal.to_string(),
        "`gil` would give itself `store.write` in store `prod`; an account owner can make this change"
    );
    let billing = [Grant::group_manager(), Grant::at_account(role("billing"))];
    assert_eq!(
        world.refused(MANAGER, regrant("it", billing)),
        CommandError::SelfEscalation {
            actor: member(MANAGER),
            permission: permission("invoice.read"),
            resource: Resource::Account,
            is_held: false,
        }
    );
    // The one swap that narrows (L2).
    world.ok(
        MANAGER,
        regrant("it", [Grant::group_manager(), viewer(["dev"])]),
    );
    world.ok(MANAGER, rename_group("it", "Information Technology"));
    world.ok(MANAGER, regrant("devs", [editor(["dev", "prod"])]));
    assert_eq!(world.level(MANAGER, "prod"), AccessLevel::None);
}

/// E2, E4: a second way to what the actor holds already would survive the loss of the first, so it is refused: by
/// another group, by another role of the same group, by a narrow grant; and so is a role that would hold more.
#[test]
fn e2_a_second_way_is_refused() {
    let mut world = World::staffed();
    world.ok(OWNER, add("devs", [MANAGER]));
    for command in [
        regrant("it", [Grant::group_manager(), editor(["dev"])]),
        grant_role("it", editor(["dev"])),
        grant_role("it", viewer(["dev"])),
        regrant("devs", [editor(["dev"]), viewer(["dev"])]),
        grant_role("devs", viewer(["dev"])),
        grant_role("devs", Grant::group_manager()),
        regrant("devs", [editor(["dev"]), Grant::group_manager()]),
    ] {
        let error = world.refused(MANAGER, command);
        assert_eq!(error.code(), "self-escalation", "{error}");
    }
    let error = world.refused(MANAGER, grant_role("it", viewer(["dev"])));
    assert_eq!(
        error.to_string(),
        "`gil` would give itself a second way to `store.read` in store `dev`; an account owner can make this change"
    );
    // Another group than its own, less, and the one swap that narrows.
    world.ok(MANAGER, grant_role("viewers", editor(["dev"])));
    world.ok(MANAGER, regrant("devs", [viewer(["dev"])]));
    world.assert_refused(
        MANAGER,
        regrant("devs", [editor(["dev"])]),
        "self-escalation",
    );
    world.assert_refused(
        MANAGER,
        regrant("devs", [viewer(["dev", "prod"])]),
        "self-escalation",
    );
    world.ok(MANAGER, revoke_in("devs", "store-viewer", ["dev"]));
    world.assert_refused(
        MANAGER,
        grant_role("devs", viewer(["dev"])),
        "self-escalation",
    );
    // Not one command after the other either: the first takes the way, the second would add one.
    world.ok(OWNER, grant_role("devs", editor(["dev"])));
    let batch = [
        grant_role("devs", viewer(["dev"])),
        revoke_in("devs", "store-editor", ["dev"]),
    ];
    for batch in [batch.clone(), [batch[1].clone(), batch[0].clone()]] {
        let error = world
            .account
            .execute_batch(&by(MANAGER), &batch, at(world.now))
            .unwrap_err();
        assert_eq!(error.code(), "self-escalation");
    }
}

/// E1, E4, G11: a membership is a way too, even in a group that grants nothing.
#[test]
fn e4_a_new_membership_is_a_new_way() {
    let mut world = World::staffed();
    world.ok(OWNER, revoke_in("viewers", "store-viewer", ["prod"]));
    for command in [
        add("viewers", [MANAGER]),
        set_members("viewers", [MANAGER, "vic"]),
    ] {
        world.assert_refused(MANAGER, command, "self-addition");
    }
}

/// E3: a group manager can neither grant nor revoke ownership, nor invite an owner, cancel an owner's invitation or
/// remove an owner.
#[test]
fn e3_a_manager_cannot_touch_ownership() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    world.assert_refused(MANAGER, grant_ownership("dana"), "not-authorized");
    world.assert_refused(MANAGER, grant_ownership(MANAGER), "not-authorized");
    world.assert_refused(MANAGER, revoke_ownership(OWNER), "not-authorized");
    world.assert_refused(MANAGER, invite_owner("eve"), "not-authorized");
    world.assert_refused(MANAGER, cancel("otto"), "owner-invitation");
    world.assert_refused(MANAGER, remove_member(OWNER), "not-authorized");
}

/// E4, U4: a batch does not leave its actor with more either, whatever detour it takes.
#[test]
fn e4_a_batch_is_no_detour() {
    let mut world = World::staffed();
    world.ok(OWNER, add("viewers", [MANAGER]));
    let detours = [
        vec![
            create_group("own", "My Own", [editor(["dev"])]),
            add("own", [MANAGER]),
        ],
        vec![
            take_out("viewers", [MANAGER]),
            regrant("viewers", [editor(["prod"])]),
            add("viewers", [MANAGER]),
        ],
        vec![take_out("viewers", [MANAGER]), add("viewers", [MANAGER])],
        vec![add("it", ["nils"]), regrant("viewers", [editor(["prod"])])],
        vec![regrant("viewers", [viewer(["dev"])])],
    ];
    for commands in detours {
        let before = world.account.clone();
        let refusal = world
            .account
            .execute_batch(&by(MANAGER), &commands, at(world.now))
            .unwrap_err();
        assert!(
            ["self-addition", "self-escalation"].contains(&refusal.code()),
            "{refusal}"
        );
        assert_eq!(refusal.kind(), ErrorKind::Forbidden);
        assert_eq!(world.account, before);
    }
}

/// E4: accepting an invitation is the only command by which a member gives itself more.
#[test]
fn e4_accepting_an_invitation_is_the_only_exception() {
    let mut world = World::staffed();
    world.ok(OWNER, add("it", ["ina"]));
    world.ok("ina", accept());
    assert!(world.may("ina", "account.manage_groups", Resource::Account));
    world.assert_refused("ina", add("viewers", ["ina"]), "self-addition");
}

/// E5: editors, viewers and members without groups manage nothing.
#[test]
fn e5_editors_and_viewers_manage_nothing() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role(
            "extra",
            "Extra",
            RoleLevel::Account,
            &["invoice.read", "accounts.manage"],
        ),
    );
    world.ok(
        OWNER,
        regrant(
            "viewers",
            [viewer(["prod"]), Grant::at_account(role("extra"))],
        ),
    );
    for actor in ["dana", "vic", "nils"] {
        for command in every_command() {
            world.assert_refused(actor, command, "not-authorized");
        }
    }
}

/// E6, U3: strangers, removed and invited members may do nothing, and neither may the application accept an invitation. Each
/// is told the same whether or not what it names exists.
#[test]
fn e6_only_active_members_act() {
    let mut world = World::staffed();
    world.ok(OWNER, remove_member("vic"));
    world.ok(OWNER, invite_owner("otto"));
    for (actor, denial) in [
        ("nobody", DenialReason::UnknownMember),
        ("vic", DenialReason::UnknownMember),
        ("ina", DenialReason::Invited),
        ("otto", DenialReason::Invited),
    ] {
        for command in every_command() {
            let expected = CommandError::NotAuthorized {
                actor: member(actor),
                reason: denial.clone(),
            };
            assert_eq!(world.refused(actor, command), expected);
        }
    }
    world.assert_refused("nobody", accept(), "no-invitation");
    let refusal = world.refused(Actor::System, accept());
    assert_eq!(
        refusal.to_string(),
        "the application itself has no invitation to accept"
    );
}

/// E6, U2: a member whose id is `the application` is not taken for the application, wherever an actor is written.
#[test]
fn e6_no_member_reads_like_the_host() {
    assert_eq!(Actor::System.to_string(), "the application");
    assert_eq!(by("the application").to_string(), "member the application");
    assert_eq!(
        format!("{:>12}|{:16}|", by("dana"), Actor::System),
        " member dana|the application |"
    );
    let error = ReplayError::WrongActor {
        version: 2,
        actor: by("the application"),
    };
    assert_eq!(
        error.to_string(),
        "record 2 cannot have been caused by its actor (member the application)"
    );
}

/// E6: the application passes E1 to E5.
#[test]
fn e6_the_host_passes_the_guardrails() {
    let mut world = World::staffed();
    for command in [
        invite_owner("eve"),
        cancel("eve"),
        create_store("new"),
        define_role("new", "New Role", RoleLevel::Store, &["log.read"]),
        create_group("new", "New Group", [viewer(["new"])]),
        add("new", ["nils"]),
        grant_ownership("nils"),
        revoke_ownership("nils"),
        remove_member("nils"),
    ] {
        world.system(command);
    }
}

/// One of each command that a member might issue, naming things that exist and things that do not.
fn every_command() -> Vec<Command> {
    vec![
        invite("new"),
        invite_owner("new"),
        invite("dana"),
        cancel("ina"),
        cancel("none"),
        remove_member("dana"),
        remove_member("none"),
        grant_ownership("dana"),
        revoke_ownership(OWNER),
        create_store("new"),
        create_store("dev"),
        delete_store("dev"),
        delete_store("none"),
        create_group("new", "New Group", [viewer(["dev"])]),
        create_group("new", "Dev Team", []),
        rename_group("devs", "New Name"),
        regrant("none", [viewer(["none"])]),
        delete_group("devs"),
        delete_group("none"),
        add("devs", ["nils", "dana", "vic"]),
        add("none", ["none"]),
        take_out("devs", ["dana"]),
        define_role("new", "New Role", RoleLevel::Store, &["log.read"]),
        define_role("store-editor", "Store Editor", RoleLevel::Store, &[]),
        redefine_role("none", &["log.read"]),
        delete_role("store-viewer"),
    ]
}

//! Gaining access by what one is allowed to manage.

use grantbook::*;
use serde_json::json;

use crate::support::*;

/// A group manager adds itself to the group whose roles it wants: alone, among others, in a group made for it, by
/// leaving and coming back; those who manage nothing try the same. E1, E4, E5 and E6 stop it. Known from the AWS IAM
/// escalation path over `iam:AddUserToGroup` (CWE-269).
#[test]
fn e1_joining_a_group_to_get_its_roles_is_refused() {
    let mut world = World::staffed();
    world.ok(OWNER, add("viewers", [MANAGER]));
    let held = world.account.effective_permissions(MANAGER);
    let own = create_group("own", "My Own", [editor(["dev", "prod"])]);
    for (commands, code) in [
        (vec![add("devs", [MANAGER])], "self-addition"),
        (vec![add("devs", ["dana", MANAGER, "vic"])], "self-addition"),
        (vec![add("it", [MANAGER])], "self-addition"),
        (vec![own.clone(), add("own", [MANAGER])], "self-addition"),
        (
            vec![take_out("viewers", [MANAGER]), add("viewers", [MANAGER])],
            "self-addition",
        ),
        (
            vec![take_out("it", [MANAGER]), add("devs", [MANAGER])],
            "not-authorized",
        ),
        (
            vec![invite("eve"), add("devs", ["eve", MANAGER])],
            "self-addition",
        ),
    ] {
        world.assert_batch_refused(MANAGER, &commands, code);
    }
    world.ok(MANAGER, own);
    world.assert_refused(MANAGER, add("own", [MANAGER]), "self-addition");
    for actor in ["dana", "vic", "nils", "ina", "nobody"] {
        world.assert_refused(actor, add("own", [actor]), "not-authorized");
    }
    assert_eq!(world.account.effective_permissions(MANAGER), held);
    assert_eq!(world.level(MANAGER, "dev"), AccessLevel::None);
}

/// A group manager writes more roles or more stores into a group that it is in: at the account, in a store it does not
/// have, in one where it only reads, into a grant left without stores, or for the length of a batch. E2 and E4 stop it.
/// Known from the AWS IAM path over `iam:AttachGroupPolicy`, and from why Kubernetes has the verbs `escalate` and
/// `bind` (CWE-269).
#[test]
fn e2_widening_the_roles_of_ones_own_group_is_refused() {
    let mut world = World::staffed();
    for (id, name, level) in [
        ("billing", "Billing", RoleLevel::Account),
        ("auditor", "Auditor", RoleLevel::Store),
    ] {
        world.ok(OWNER, define_role(id, name, level, &["log.read"]));
    }
    world.ok(OWNER, create_store("old"));
    world.ok(OWNER, create_group("was", "Was Here", [viewer(["old"])]));
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, add("viewers", [MANAGER]));
    world.ok(OWNER, add("was", [MANAGER]));
    let held = world.account.effective_permissions(MANAGER);
    let manager = Grant::group_manager;
    let auditor = Grant::in_stores(role("auditor"), [store("prod")]);
    let billing = Grant::at_account(role("billing"));
    for (to, grants) in [
        ("it", vec![manager(), viewer(["dev"])]),
        ("it", vec![manager(), editor(["prod"])]),
        ("it", vec![manager(), auditor.clone()]),
        ("it", vec![manager(), billing.clone()]),
        ("viewers", vec![viewer(["dev", "prod"])]),
        ("viewers", vec![editor(["prod"])]),
        ("viewers", vec![viewer(["prod"]), auditor]),
        ("viewers", vec![viewer(["prod"]), billing]),
        ("was", vec![viewer(["dev"])]),
        ("was", vec![manager(), editor(["dev", "prod"])]),
    ] {
        let before = world.account.group(to).unwrap().grant_list();
        let widen = regrant(to, grants);
        world.assert_refused(MANAGER, widen.clone(), "self-escalation");
        let narrow_again = regrant(to, before);
        world.assert_batch_refused(MANAGER, &[widen.clone(), narrow_again], "self-escalation");
        let and_back = [take_out(to, [MANAGER]), widen, add(to, [MANAGER])];
        let code = if to == "it" {
            "not-authorized"
        } else {
            "self-addition"
        };
        world.assert_batch_refused(MANAGER, &and_back, code);
    }
    assert_eq!(world.account.effective_permissions(MANAGER), held);
    // What it holds already by `viewers`: a second way would survive the loss of the first. Known from Kubernetes issue
    // 25634.
    let entrench = regrant("it", [manager(), viewer(["prod"])]);
    world.assert_refused(MANAGER, entrench, "self-escalation");
}

/// A role that the attacker holds is defined, changed or stored with a permission of the library's own, such as
/// `account.manage_owners`; or it is granted in a store that is called `account`. L5, L1, L6 and U5 stop it, for the
/// owner and the application too. Known from the AWS IAM path over `iam:CreatePolicyVersion` and from Kubernetes' `escalate`
/// (CWE-266).
#[test]
fn l5_no_role_can_be_changed_to_hold_account_permissions() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("account"));
    for (id, name, level) in [
        ("auditor", "Auditor", RoleLevel::Store),
        ("billing", "Billing", RoleLevel::Account),
    ] {
        world.ok(
            OWNER,
            define_role(id, name, level, &["log.read", "accounts.manage_owners"]),
        );
    }
    let in_account = Grant::in_stores(role("auditor"), [store("account")]);
    let grants = [
        in_account,
        Grant::at_account(role("billing")),
        editor(["account"]),
    ];
    world.ok(OWNER, create_group("mal", "Malicious", grants));
    world.ok(OWNER, add("mal", ["nils"]));
    let reserved = Permission::BUILT_IN
        .into_iter()
        .filter(Permission::is_reserved);
    for text in reserved
        .map(|permission| permission.to_string())
        .chain(["account.anything".into()])
    {
        for id in ["auditor", "billing"] {
            let redefine = redefine_role(id, &["log.read", &text]);
            world.assert_refused("nils", redefine.clone(), "not-authorized");
            world.assert_refused(MANAGER, redefine.clone(), "not-authorized");
            world.assert_refused(OWNER, redefine.clone(), "reserved-permission");
            world.assert_refused(Actor::System, redefine, "reserved-permission");
            let event = json!({"kind": "role-changed", "role": id, "permissions": [text]});
            let record = world.forged(json!("system"), event);
            world.assert_not_applied(&record, "reserved-permission");
        }
        for level in [RoleLevel::Account, RoleLevel::Store] {
            let define = define_role("new", "New Role", level, &[&text]);
            world.assert_refused(Actor::System, define, "reserved-permission");
        }
        assert!(!world.may("nils", &text, Resource::Account));
        assert!(!world.may("nils", &text, Resource::Store("account")));
    }
    world.assert_refused(
        OWNER,
        redefine_role("billing", &["store.write"]),
        "store-permission",
    );
    for id in ["group-manager", "store-editor", "store-viewer"] {
        world.assert_refused(OWNER, redefine_role(id, &["log.read"]), "built-in-role");
    }
    world.assert_refused("nils", invite("eve"), "not-authorized");
}

/// What is refused singly is slipped in among many: into a list of members, or anywhere in a batch of harmless
/// commands. U4 and U3 stop it, whichever rule it is (A2, E1 to E4, M4, M7): the same code, and the whole is refused.
/// Known as improper protection of alternate path (CWE-424) and as the bulk endpoints of OWASP's API Security list.
#[test]
fn u4_bulk_commands_are_checked_like_single_ones() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 2_000));
    world.ok(OWNER, invite_owner("otto"));
    world.now = 2_000;
    let host = || Actor::System;
    let ids: Vec<String> = (0..30).map(|number| format!("m{number:02}")).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    let new: Vec<String> = (0..30).map(|number| format!("n{number:02}")).collect();
    let among = |ids: &[String], one: &str| -> Vec<String> {
        ids.iter().cloned().chain([one.to_owned()]).collect()
    };
    let adding_members: Bulk = |ids| enrol(ids.iter().map(String::as_str));
    let adding_to_group: Bulk = |ids| add("viewers", ids.iter().map(String::as_str));
    let removing_from_group: Bulk = |ids| take_out("viewers", ids.iter().map(String::as_str));
    for (actor, bulk, others, one, code) in [
        (by(OWNER), adding_members, &new, "n30", "system-only"),
        (by(OWNER), adding_to_group, &ids, "nobody", "unknown-member"),
        (
            by(OWNER),
            adding_to_group,
            &ids,
            "eva",
            "invitation-expired",
        ),
        (by(MANAGER), adding_to_group, &ids, MANAGER, "self-addition"),
        (by("dana"), adding_to_group, &ids, "dana", "not-authorized"),
        (
            by(OWNER),
            removing_from_group,
            &ids,
            "nobody",
            "unknown-member",
        ),
        (
            by("vic"),
            removing_from_group,
            &ids,
            "vic",
            "not-authorized",
        ),
    ] {
        world.assert_refused(actor.clone(), bulk(&[one.to_owned()]), code);
        world.assert_refused(actor, bulk(&among(others, one)), code);
    }
    let harmless = |actor: &Actor, number: usize| match actor {
        Actor::Member(id) if id.as_str() == MANAGER => create_group(
            &format!("t{number}"),
            &format!("Temporary {number}"),
            [Grant::group_manager()],
        ),
        _ => create_store(&format!("t{number}")),
    };
    for (actor, command, code) in [
        (by(OWNER), remove_member(OWNER), "last-owner"),
        (by(OWNER), revoke_ownership(OWNER), "last-owner"),
        (host(), remove_member(OWNER), "last-owner"),
        (host(), accept(), "no-invitation"),
        (by(OWNER), enrol(["n30"]), "system-only"),
        (by(OWNER), create_store("dev"), "store-exists"),
        (by(OWNER), delete_group("devs"), "group-has-members"),
        (by(OWNER), regrant("devs", []), "no-grants"),
        (by(OWNER), invite_until("new", 2_000), "expiry-passed"),
        (by(MANAGER), add("devs", [MANAGER]), "self-addition"),
        (
            by(MANAGER),
            regrant("it", [Grant::group_manager(), viewer(["dev"])]),
            "self-escalation",
        ),
        (by(MANAGER), invite_owner("new"), "not-authorized"),
        (by(MANAGER), grant_ownership(MANAGER), "not-authorized"),
        (by(MANAGER), cancel("otto"), "owner-invitation"),
    ] {
        world.assert_refused(actor.clone(), command.clone(), code);
        for resource in 0..=4 {
            let mut batch: Vec<_> = (0..4).map(|number| harmless(&actor, number)).collect();
            batch.insert(resource, command.clone());
            world.assert_batch_refused(actor.clone(), &batch, code);
        }
    }
}

type Bulk = fn(&[String]) -> Command;

/// A batch breaks a rule in its middle and repairs it before its end, so that only a check at the end would let it
/// pass. U4 and E6 stop it, with A2, A3, E1, E2, G3, G4, G7 and L3 at every version in between. Known as incorrect
/// behavior order (CWE-696).
#[test]
fn u4_a_batch_cannot_break_a_rule_and_repair_it() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Store, &["log.read"]),
    );
    let own = Grant::in_stores(role("own"), [store("dev")]);
    world.ok(OWNER, create_group("logs", "Log Readers", [own]));
    for number in 4..20 {
        let name = format!("Filler {number}");
        world.ok(
            OWNER,
            create_group(&number.to_string(), &name, [viewer(["dev"])]),
        );
    }
    let manager = Grant::group_manager;
    for (actor, commands, code) in [
        (
            by(OWNER),
            vec![revoke_ownership(OWNER), grant_ownership("dana")],
            "last-owner",
        ),
        (
            Actor::System,
            vec![remove_member(OWNER), enrol([OWNER]), grant_ownership(OWNER)],
            "last-owner",
        ),
        (
            by(OWNER),
            vec![
                grant_ownership("dana"),
                revoke_ownership(OWNER),
                grant_ownership(OWNER),
            ],
            "not-authorized",
        ),
        (
            by(OWNER),
            vec![
                create_group("more", "One More", [viewer(["dev"])]),
                delete_group("more"),
            ],
            "too-many-groups",
        ),
        (
            by(OWNER),
            vec![
                rename_group("devs", "IT Group"),
                rename_group("it", "Dev Team"),
            ],
            "group-name-taken",
        ),
        (
            by(OWNER),
            vec![regrant("devs", []), regrant("devs", [editor(["dev"])])],
            "no-grants",
        ),
        (
            by(OWNER),
            vec![
                delete_group("devs"),
                create_group("devs", "Dev Team", [editor(["prod"])]),
            ],
            "group-has-members",
        ),
        (
            by(OWNER),
            vec![
                delete_role("own"),
                define_role("own", "Own Role", RoleLevel::Account, &["log.read"]),
            ],
            "role-in-use",
        ),
        (
            by(MANAGER),
            vec![add("devs", [MANAGER]), take_out("devs", [MANAGER])],
            "self-addition",
        ),
        (
            by(MANAGER),
            vec![
                regrant("it", [manager(), editor(["dev"])]),
                regrant("it", [manager()]),
            ],
            "self-escalation",
        ),
        (
            by(MANAGER),
            vec![take_out("it", [MANAGER]), add("it", [MANAGER])],
            "not-authorized",
        ),
        (
            by("ina"),
            vec![add("it", ["ina"]), accept()],
            "not-authorized",
        ),
    ] {
        world.assert_batch_refused(actor, &commands, code);
    }
}

/// A group manager makes a second one, of a friend or of an invited identity of its own, which then adds it anywhere.
/// E1 allows this on purpose, so here is what does hold: alone nothing can be gained (E4), ownership stays out of reach
/// (E3), `escalation` reports it beforehand, and the records name both (U2). Known as a lack of separation of duties
/// (NIST SP 800-53).
#[test]
fn e1_a_second_member_can_help_and_the_records_show_it() {
    let mut world = World::staffed();
    let before = world.account.version();
    assert_eq!(
        world.account.escalation(MANAGER, None, 4, at(world.now)),
        []
    );
    let told = world
        .account
        .escalation(MANAGER, Some("nils"), 3, at(world.now));
    let is_told = |gain: &Escalation| {
        gain.member.as_str() == MANAGER
            && gain.permission == Permission::STORE_WRITE
            && gain.resource == Resource::Store(store("dev"))
    };
    assert!(told.iter().any(is_told), "{told:?}");
    world.ok(MANAGER, invite("gil-2"));
    world.ok(MANAGER, add("it", ["gil-2"]));
    world.assert_refused("gil-2", add("devs", [MANAGER]), "not-authorized");
    world.ok("gil-2", accept());
    world.ok("gil-2", add("devs", [MANAGER]));
    assert_eq!(world.level(MANAGER, "dev"), AccessLevel::Editor);
    for actor in [MANAGER, "gil-2"] {
        world.assert_refused(actor, grant_ownership(actor), "not-authorized");
        world.assert_refused(actor, invite_owner("eve"), "not-authorized");
        world.assert_refused(actor, remove_member(OWNER), "not-authorized");
        world.assert_refused(actor, create_store("own"), "not-authorized");
    }
    let since = &world.records[usize::try_from(before).unwrap()..];
    let told: Vec<_> = since
        .iter()
        .map(|record| (record.actor().to_string(), record.event().kind()))
        .collect();
    let expected = [
        ("member gil", "member-invited"),
        ("member gil", "added-to-group"),
        ("member gil-2", "invitation-accepted"),
        ("member gil-2", "added-to-group"),
    ];
    assert!(
        told.iter()
            .map(|(actor, kind)| (actor.as_str(), *kind))
            .eq(expected)
    );
}

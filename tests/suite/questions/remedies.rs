//! What would help a member who is denied, and who may do it.

use grantbook::*;

use super::explanations::explained;
use crate::commands::constructors::grant_role;
use crate::support::*;

/// E1, E2: the decision itself says who may issue a remedy.
#[test]
fn e1_a_remedy_says_who_may_issue_it() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        regrant("it", [Grant::group_manager(), viewer(["prod"])]),
    );
    let remedies = remedies(&world, MANAGER, "store.write", Resource::Store("dev"));
    let code = |remedy: &Remedy, actor: &str| {
        let outcome = remedy.may_be_issued_by(&world.account, &by(actor), at(world.now));
        outcome.map_err(|refusal| refusal.code())
    };
    let steps: Vec<_> = remedies.iter().map(|remedy| &remedy.step).collect();
    assert_eq!(
        steps,
        [
            &RemedyKind::AddToGroup {
                group: group("devs")
            },
            &RemedyKind::GrantRole {
                group: group("it"),
                role: role("store-editor"),
            },
        ]
    );
    assert_eq!(
        [code(&remedies[0], MANAGER), code(&remedies[1], MANAGER)],
        [Err("self-addition"), Err("self-escalation")]
    );
    assert_eq!(
        [code(&remedies[0], OWNER), code(&remedies[1], OWNER)],
        [Ok(()), Ok(())]
    );
    assert_eq!(
        [code(&remedies[0], "dana"), code(&remedies[1], "nobody")],
        [Err("not-authorized"); 2]
    );
}

/// M3: an invitation can be accepted by its member only, whoever else is invited.
#[test]
fn m3_accepting_is_a_remedy_for_the_invited_member_only() {
    let mut world = World::staffed();
    world.ok(OWNER, invite("eva"));
    let remedies = remedies(&world, "ina", "store.read", Resource::Store("dev"));
    let may = |actor: Actor| {
        remedies[0]
            .may_be_issued_by(&world.account, &actor, at(world.now))
            .map_err(|no| no.code())
    };
    assert_eq!(
        [
            may(by("ina")),
            may(by("eva")),
            may(by(OWNER)),
            may(Actor::System)
        ],
        [
            Ok(()),
            Err("no-invitation"),
            Err("no-invitation"),
            Err("no-invitation")
        ]
    );
}

/// S3, G8: a remedy names one role in one store, and leaves alone what else the group carries, whatever is left of that.
#[test]
fn s3_a_remedy_leaves_other_grants_alone() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        regrant("viewers", [viewer(["prod"]), editor(["old"])]),
    );
    world.ok(OWNER, delete_store("old"));
    assert_eq!(
        explained(&world, "vic", "store.write", Resource::Store("dev")),
        "`vic` may not `store.write` in store `dev`: the member lacks `store.write`\n\
         Any one of these would allow it:\n\
         - add `vic` to group `devs`\n\
         - grant role `store-editor` to group `viewers` in store `dev`, for its only member"
    );
    let remedies = remedies(&world, "vic", "store.write", Resource::Store("dev"));
    assert_eq!(remedies[1].command, grant_role("viewers", editor(["dev"])));
    world.ok(OWNER, remedies[1].command.clone());
    assert_eq!(
        world.account.group("viewers").unwrap().grant_list(),
        [editor(["dev"]), viewer(["prod"])]
    );
}

/// M3: an invitation that is over is not to be accepted, at the very moment of its end and after; inviting again helps
/// where the permission can be had at all.
#[test]
fn m3_an_invitation_that_has_ended_is_not_advised() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 2_000));
    world.ok(OWNER, add("devs", ["eva"]));
    let asked = |text: &str, now| {
        let permission = permission(text);
        let (account, dev) = (&world.account, Resource::Store("dev"));
        account.explain("eva", &permission, dev, at(now))
    };
    assert_eq!(
        asked("store.read", 1_999).to_string(),
        "`eva` may not `store.read` in store `dev`: the member has not accepted its invitation yet\n\
         One command would allow it:\n\
         - `eva` accepts its invitation"
    );
    for now in [2_000, 5_000] {
        let explanation = asked("store.read", now);
        let Verdict::Denied { advice, .. } = &explanation.answer else {
            panic!("{explanation}")
        };
        assert_eq!(*advice, Advice::InviteAgain { ended: at(2_000) });
        assert_eq!(
            explanation.to_string(),
            "`eva` may not `store.read` in store `dev`: the member has not accepted its invitation yet\n\
             The invitation has ended and can't be accepted any more.\n\
             Invite `eva` again; the new invitation starts without groups and ownership."
        );
    }
    let mistaken = asked("account.manage_groups", 5_000).to_string();
    assert!(!mistaken.contains("Invite"), "{mistaken}");
    // A clock that was set back revives nothing (U2).
    world.now = 3_000;
    world.ok(OWNER, create_store("later"));
    let answer = world.account.explain(
        "eva",
        &Permission::STORE_READ,
        Resource::Store("dev"),
        at(1_500),
    );
    assert!(answer.to_string().contains("has ended"), "{answer}");
}

/// The fewest people come first, then what gives the least beside what was asked for; of the roles that would do, those
/// that hold strictly more than another are left out.
#[test]
fn g8_the_least_remedy_comes_first() {
    let mut world = World::staffed();
    world.system(enrol(["max"]));
    for (id, name, texts) in [
        ("logs", "Logs", &["log.read"][..]),
        ("audit", "Audit", &["log.read", "log.export"]),
        ("billing", "Billing", &["bill.pay"]),
    ] {
        world.ok(OWNER, define_role(id, name, RoleLevel::Store, texts));
    }
    let own =
        |id: &str, stores: &[&str]| Grant::in_stores(role(id), stores.iter().map(|id| store(id)));
    for command in [
        create_group("wide", "Wide", [own("audit", &["dev", "prod"])]),
        create_group("narrow", "Narrow", [own("logs", &["dev"])]),
        create_group("two", "Two", [own("billing", &["dev"])]),
        add("two", ["max", "nils"]),
        add("it", ["max"]),
        take_out("it", [MANAGER]),
    ] {
        world.ok(OWNER, command);
    }
    assert_eq!(
        explained(&world, "max", "log.read", Resource::Store("dev")),
        "`max` may not `log.read` in store `dev`: the member lacks `log.read`\n\
         Any one of these would allow it:\n\
         - add `max` to group `narrow`\n\
         - grant role `logs` to group `it` in store `dev`, for its only member\n\
         - add `max` to group `wide`\n\
         - grant role `logs` to group `two` in store `dev`, for all its 2 members\n\
         - add `log.read` to role `billing`, for all 2 members who hold it"
    );
}

/// G8, S3: whoever is in a group that carries a role for no store gains nothing when the role is extended.
#[test]
fn g8_a_grant_for_no_store_counts_nobody() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        define_role("audit", "Audit", RoleLevel::Store, &["log.read"]),
    );
    let audit =
        |stores: &[&str]| Grant::in_stores(role("audit"), stores.iter().map(|id| store(id)));
    world.ok(OWNER, create_group("one", "One", [audit(&["dev"])]));
    world.ok(OWNER, create_group("none", "None", [audit(&["old"])]));
    world.ok(OWNER, add("one", ["dana"]));
    world.ok(OWNER, add("none", ["vic", "nils", MANAGER]));
    world.ok(OWNER, delete_store("old"));
    let remedies = remedies(&world, "dana", "log.export", Resource::Store("dev"));
    let extended: Vec<_> = remedies
        .iter()
        .filter(|remedy| matches!(remedy.step, RemedyKind::ExtendRole { .. }))
        .collect();
    assert!(
        matches!(extended.as_slice(), [Remedy { people: 1, .. }]),
        "{remedies:?}"
    );
}

fn remedies(world: &World, member: &str, text: &str, resource: Resource<&str>) -> Vec<Remedy> {
    let explanation = world
        .account
        .explain(member, &permission(text), resource, at(world.now));
    match explanation.answer {
        Verdict::Denied {
            advice: Advice::AnyOf { remedies, more: 0 },
            ..
        } => remedies,
        other => panic!("{other:?}"),
    }
}

//! U3: refusals: their order, their kinds, their messages.

use grantbook::command::EditGroup;
use grantbook::*;

use crate::support::*;

/// U3: authority, well-formedness, existence, guardrails, conflicts: the first reason that applies is given.
#[test]
fn u3_the_first_reason_that_applies_is_given() {
    let mut world = World::staffed();
    // Each command corrects what the one before was refused for.
    let long: Vec<String> = (0..=MAX_ITEMS_PER_COMMAND)
        .map(|number| number.to_string())
        .collect();
    let with_manager = || long.iter().map(String::as_str).chain([MANAGER]);
    world.assert_refused("dana", add("none", with_manager()), "not-authorized");
    world.assert_refused(MANAGER, add("none", with_manager()), "too-many-named");
    world.assert_refused(MANAGER, add("none", ["nobody", MANAGER]), "unknown-group");
    world.assert_refused(MANAGER, add("devs", ["nobody", MANAGER]), "unknown-member");
    world.ok(OWNER, invite_until("eva", 1_500));
    world.now = 1_500;
    world.assert_refused(MANAGER, add("devs", ["eva", MANAGER]), "self-addition");
    world.assert_refused(MANAGER, add("devs", ["eva"]), "invitation-expired");

    let wider = |name: &str| {
        Command::EditGroup(EditGroup {
            group: group("it"),
            name: Some(GroupName::parse(name).unwrap()),
            description: None,
            grants: Some(vec![Grant::group_manager(), editor(["dev"])]),
        })
    };
    world.assert_refused(MANAGER, wider("Dev Team"), "self-escalation");
    world.assert_refused(OWNER, wider("Dev Team"), "group-name-taken");

    let create = |name: &str, grants: Vec<Grant>| create_group("devs", name, grants);
    world.assert_refused("vic", create("Dev Team", vec![]), "not-authorized");
    world.assert_refused(MANAGER, create("Dev Team", vec![]), "no-grants");
    world.assert_refused(
        MANAGER,
        create("Dev Team", vec![viewer(["none"])]),
        "unknown-store",
    );
    world.assert_refused(
        MANAGER,
        create("Dev Team", vec![viewer(["dev"])]),
        "group-exists",
    );
}

/// U3: a refusal of each kind, with the HTTP status that says the same.
#[test]
fn u3_kinds_have_an_http_status() {
    let mut world = World::staffed();
    for (command, kind, status) in [
        (remove_member(OWNER), ErrorKind::Conflict, 409),
        (remove_member("none"), ErrorKind::NotFound, 404),
        (regrant("devs", []), ErrorKind::Invalid, 422),
        (enrol(["x"]), ErrorKind::Forbidden, 403),
    ] {
        let refusal = world.refused(OWNER, command);
        assert_eq!((refusal.kind(), refusal.http_status()), (kind, status));
    }
    let kinds = [
        ErrorKind::Forbidden,
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Invalid,
    ];
    assert_eq!(
        kinds.map(|kind| kind.to_string()),
        ["forbidden", "not-found", "conflict", "invalid"]
    );
}

/// U3: the messages of the refusals that other tests know by code alone.
#[test]
fn u3_messages_say_what_was_wrong_and_what_to_do() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_until("eva", 1_001));
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Account, &["log.read"]),
    );
    world.now = 1_001;
    for (actor, command, message) in [
        (
            MANAGER,
            remove_member("dana"),
            "`gil` may not do this: the member lacks `account.remove_members`",
        ),
        (
            OWNER,
            enrol(["x"]),
            "`olga` may not do this; it is for the application itself",
        ),
        ("nobody", accept(), "`nobody` has no invitation to accept"),
        (
            OWNER,
            remove_member("none"),
            "there is no member `none` in this account",
        ),
        (
            OWNER,
            delete_store("none"),
            "there is no store `none` in this account",
        ),
        (
            OWNER,
            delete_group("none"),
            "there is no group `none` in this account",
        ),
        (
            OWNER,
            delete_role("none"),
            "there is no role `none` in this account",
        ),
        (
            OWNER,
            invite("dana"),
            "`dana` is already a member; grant ownership or add it to groups directly",
        ),
        (
            OWNER,
            invite("ina"),
            "`ina` is already invited; cancel that invitation first",
        ),
        (
            OWNER,
            cancel("dana"),
            "`dana` has already accepted; remove the member instead",
        ),
        (
            "eva",
            accept(),
            "the invitation of `eva` has expired; invite again",
        ),
        (
            OWNER,
            grant_ownership("ina"),
            "`ina` has not accepted its invitation yet; cancel the invitation, or wait until it is accepted",
        ),
        (
            OWNER,
            create_store("dev"),
            "store `dev` already exists; choose another id",
        ),
        (
            OWNER,
            create_group("it", "Some Name", [Grant::group_manager()]),
            "group `it` already exists; edit it, or choose another id",
        ),
        (
            OWNER,
            define_role("own", "Some Name", RoleLevel::Account, &["a.b"]),
            "role `own` already exists; change it, or choose another id",
        ),
        (
            OWNER,
            define_role("new", "OWN ROLE", RoleLevel::Account, &["a.b"]),
            "the name `OWN ROLE` is taken by role `own`; the case of letters and further spaces make no other name",
        ),
        (
            OWNER,
            delete_role("store-viewer"),
            "role `store-viewer` is built in and cannot be changed; define a role of your own",
        ),
        (
            OWNER,
            regrant("it", []),
            "a group carries at least one grant; name a role",
        ),
        (
            OWNER,
            regrant("it", [viewer([])]),
            "role `store-viewer` is granted in no store; name at least one, or grant it at the account if that is its level",
        ),
        (
            OWNER,
            redefine_role("own", &[]),
            "role `own` would have no permission; name at least one",
        ),
        (
            OWNER,
            redefine_role("own", &["account.x"]),
            "`account.x` is reserved; no role of your own can hold it",
        ),
        (
            OWNER,
            redefine_role("own", &["store.read"]),
            "`store.read` belongs to store-level roles only",
        ),
        (
            OWNER,
            define_role("account-owner", "Some Name", RoleLevel::Account, &["a.b"]),
            "no role has the id or name of account owner, however it is written; grant ownership itself, or choose another",
        ),
    ] {
        assert_eq!(world.refused(actor, command).to_string(), message);
    }
}

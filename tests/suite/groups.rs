//! Groups: who manages them, what they are called, what they carry, who is in them.

use grantbook::*;

use crate::support::*;

/// A3: an account has at most 20 groups.
#[test]
fn an_account_has_at_most_20_groups() {
    let mut world = World::staffed();
    for number in 3..20 {
        world.ok(
            MANAGER,
            create_group(
                &number.to_string(),
                &format!("Group {number}"),
                [viewer(["dev"])],
            ),
        );
    }
    let refusal = world.refused(OWNER, create_group("20", "Group 20", [viewer(["dev"])]));
    assert_eq!(refusal.code(), "too-many-groups");
    assert_eq!(
        refusal.to_string(),
        "the account has 20 groups, as many as it may; delete one first"
    );
    world.assert_refused(
        Actor::System,
        create_group("20", "Group 20", [viewer(["dev"])]),
        "too-many-groups",
    );
    world.ok(OWNER, delete_group("3"));
    world.ok(OWNER, create_group("20", "Group 20", [viewer(["dev"])]));
}

/// A3: the host may set another limit.
#[test]
fn the_host_sets_another_limit() {
    let mut world = World::with_limit(1);
    world.ok(
        OWNER,
        create_group("1", "Group 1", [Grant::group_manager()]),
    );
    world.assert_refused(
        OWNER,
        create_group("2", "Group 2", [Grant::group_manager()]),
        "too-many-groups",
    );
}

/// G1, E5: owners and group managers manage groups and who is in them; nobody else does.
#[test]
fn owners_and_group_managers_manage_groups() {
    let commands = || {
        [
            create_group("new", "New Group", [viewer(["prod"])]),
            rename_group("new", "Newer Group"),
            add("new", ["nils"]),
            take_out("new", ["nils"]),
            delete_group("new"),
        ]
    };
    for actor in [OWNER, MANAGER] {
        let mut world = World::staffed();
        for command in commands() {
            world.ok(actor, command);
        }
    }
    for actor in ["dana", "vic", "nils", "ina", "nobody"] {
        let mut world = World::staffed();
        for command in commands() {
            world.assert_refused(actor, command, "not-authorized");
        }
    }
}

/// G1: what is not there is not managed, and what is there is not created.
#[test]
fn unknown_and_existing_groups() {
    let mut world = World::staffed();
    for command in [
        rename_group("none", "New Name"),
        add("none", ["nils"]),
        take_out("none", ["nils"]),
        delete_group("none"),
    ] {
        world.assert_refused(MANAGER, command, "unknown-group");
    }
    world.assert_refused(
        MANAGER,
        create_group("devs", "New Name", [viewer(["dev"])]),
        "group-exists",
    );
}

/// G3: a name is unique whatever the case of its letters; a group may change the case of its own.
#[test]
fn names_differ_by_more_than_case() {
    let mut world = World::staffed();
    let refusal = world.refused(OWNER, create_group("new", "dev TEAM", [viewer(["dev"])]));
    assert_eq!(refusal.code(), "group-name-taken");
    assert_eq!(
        refusal.to_string(),
        "the name `dev TEAM` is taken by group `devs`"
    );
    world.assert_refused(
        OWNER,
        rename_group("viewers", "Dev Team"),
        "group-name-taken",
    );
    world.ok(OWNER, rename_group("devs", "DEV TEAM"));
    world.ok(OWNER, create_group("new", "Dev  Team", [viewer(["dev"])]));
    world.ok(OWNER, rename_group("devs", "Developers"));
    world.ok(OWNER, rename_group("viewers", "dev team"));
}

/// G4: a group carries at least one grant.
#[test]
fn a_group_carries_at_least_one_grant() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, create_group("new", "New Group", []), "no-grants");
    world.assert_refused(OWNER, regrant("devs", []), "no-grants");
}

/// G4: a role that is named twice has its stores united.
#[test]
fn a_role_named_twice_has_its_stores_united() {
    let mut world = World::staffed();
    let grants = [viewer(["prod"]), editor(["dev"]), viewer(["dev", "prod"])];
    let event = world.ok(OWNER, create_group("new", "New Group", grants));
    let Event::GroupCreated { grants, .. } = event else {
        panic!("{event:?}")
    };
    assert_eq!(grants, [editor(["dev"]), viewer(["dev", "prod"])]);
    assert_eq!(world.account.group("new").unwrap().grants(), grants);
    let twice = [Grant::group_manager(), Grant::group_manager()];
    world.ok(OWNER, create_group("managers", "Managers", twice));
    assert_eq!(
        world.account.group("managers").unwrap().grants(),
        [Grant::group_manager()]
    );
}

/// G5: scopes name stores that exist, at least one; account-level roles take none.
#[test]
fn scopes_fit_their_roles() {
    let mut world = World::staffed();
    let at_account = |id: &str| Grant::at_account(role(id));
    for (grant, code) in [
        (viewer([]), "empty-scope"),
        (Grant::in_stores(role("group-manager"), []), "empty-scope"),
        (at_account("store-viewer"), "scope-mismatch"),
        (
            Grant::in_stores(role("group-manager"), [store("dev")]),
            "scope-mismatch",
        ),
        (viewer(["dev", "none"]), "unknown-store"),
        (at_account("none"), "unknown-role"),
        (
            Grant::in_stores(role("account-owner"), [store("dev")]),
            "unknown-role",
        ),
    ] {
        world.assert_refused(
            OWNER,
            create_group("new", "New Group", [grant.clone()]),
            code,
        );
        world.assert_refused(OWNER, regrant("devs", [editor(["dev"]), grant]), code);
    }
    let both = [at_account("store-viewer"), viewer(["dev"])];
    let refusal = world.refused(OWNER, create_group("new", "New Group", both));
    assert_eq!(
        refusal.to_string(),
        "role `store-viewer` is of store level; grant it in stores"
    );
    let managers = [Grant::in_stores(role("group-manager"), [store("dev")])];
    let refusal = world.refused(OWNER, create_group("new", "New Group", managers));
    assert_eq!(
        refusal.to_string(),
        "role `group-manager` is of account level; grant it at the account, without stores"
    );
}

/// G6: one group edits some stores, views others, and manages groups.
#[test]
fn one_group_carries_several_roles() {
    let mut world = World::staffed();
    let grants = [editor(["dev"]), viewer(["prod"]), Grant::group_manager()];
    world.ok(OWNER, create_group("mixed", "Integrations Team", grants));
    world.ok(OWNER, add("mixed", ["nils"]));
    assert_eq!(world.level("nils", "dev"), AccessLevel::Editor);
    assert_eq!(world.level("nils", "prod"), AccessLevel::Viewer);
    assert!(world.may("nils", "account.manage_groups", Resource::Account));
}

/// G7: a group may be empty; one that has members, invited ones included, cannot be deleted.
#[test]
fn a_group_with_members_cannot_be_deleted() {
    let mut world = World::staffed();
    let refusal = world.refused(OWNER, delete_group("devs"));
    assert_eq!(
        refusal.to_string(),
        "group `devs` still has 2 member(s); take them out first"
    );
    world.ok(OWNER, take_out("devs", ["dana"]));
    world.assert_refused(Actor::System, delete_group("devs"), "group-has-members");
    world.ok(OWNER, take_out("devs", ["ina"]));
    assert_eq!(world.account.group("devs").unwrap().members().count(), 0);
    world.ok(OWNER, delete_group("devs"));
    assert!(world.account.group("devs").is_none());
}

/// G7, G9: a group created after one was deleted begins without its members and its access.
#[test]
fn a_new_group_takes_nothing_over_from_a_deleted_one() {
    let mut world = World::staffed();
    world.ok(OWNER, take_out("devs", ["dana", "ina"]));
    world.ok(OWNER, delete_group("devs"));
    world.ok(OWNER, create_group("ops", "Operations", [viewer(["prod"])]));
    assert_eq!(world.account.group("ops").unwrap().member_count(), 0);
    assert!(world.account.effective_permissions("dana").is_empty());
    world.ok(OWNER, add("ops", ["nils"]));
    assert_eq!(world.level("nils", "dev"), AccessLevel::None);
}

/// G8: name, description and grants are edited each alone or together; the event holds what changed.
#[test]
fn a_group_is_edited_in_part_or_whole() {
    let mut world = World::staffed();
    let edit = |name: Option<&str>, description: Option<&str>, grants: Option<Vec<Grant>>| {
        Command::EditGroup {
            group: group("devs"),
            name: name.map(|name| GroupName::parse(name).unwrap()),
            description: description.map(|text| Description::parse(text).unwrap()),
            grants,
        }
    };
    world.ok(MANAGER, edit(Some("Developers"), None, None));
    world.ok(MANAGER, edit(None, Some("Those who build"), None));
    world.ok(MANAGER, edit(None, None, Some(vec![viewer(["dev"])])));
    let devs = world.account.group("devs").unwrap();
    assert_eq!(devs.name().as_str(), "Developers");
    assert_eq!(devs.description().as_str(), "Those who build");
    assert_eq!(devs.grants(), [viewer(["dev"])]);
    let event = world.ok(
        MANAGER,
        edit(
            Some("Developers"),
            Some("Builders"),
            Some(vec![editor(["dev", "prod"])]),
        ),
    );
    let Event::GroupEdited {
        name,
        description,
        grants,
        ..
    } = event
    else {
        panic!("{event:?}")
    };
    assert_eq!(
        (name, description),
        (None, Some(Description::parse("Builders").unwrap()))
    );
    assert_eq!(grants, Some(vec![editor(["dev", "prod"])]));
    world.no_change(
        MANAGER,
        edit(
            Some("Developers"),
            Some("Builders"),
            Some(vec![editor(["prod", "dev"])]),
        ),
    );
    world.no_change(MANAGER, edit(None, None, None));
}

/// A scope shares the texts of its stores' ids with the account, however the command came to name them (G5).
#[test]
fn scopes_share_the_ids_of_their_stores() {
    let mut world = World::staffed();
    world.ok(OWNER, regrant("devs", [editor(["dev", "prod"])]));
    let snapshot = serde_json::to_string(&world.account.snapshot()).unwrap();
    let read: Snapshot = serde_json::from_str(&snapshot).unwrap();
    for account in [&world.account, &Account::try_from(read).unwrap()] {
        let scope = &account.group("devs").unwrap().grants()[0].scope;
        let own = account.stores().map(|store| store.as_str().as_ptr());
        assert!(scope.stores().map(|store| store.as_str().as_ptr()).eq(own));
    }
}

/// G9: access follows membership at once; a member keeps what another group gives.
#[test]
fn access_follows_membership() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        create_group("more", "More Editors", [editor(["dev", "prod"])]),
    );
    world.ok(OWNER, add("more", ["dana"]));
    assert_eq!(world.level("dana", "prod"), AccessLevel::Editor);
    world.ok(OWNER, take_out("devs", ["dana"]));
    assert_eq!(world.level("dana", "dev"), AccessLevel::Editor);
    world.ok(OWNER, take_out("more", ["dana"]));
    assert!(world.account.effective_permissions("dana").is_empty());
}

/// G9: a change to a group's grants reaches every member at once.
#[test]
fn access_follows_grants() {
    let mut world = World::staffed();
    world.ok(OWNER, add("devs", ["nils"]));
    world.ok(OWNER, regrant("devs", [viewer(["prod"])]));
    for member in ["dana", "nils"] {
        assert_eq!(world.level(member, "dev"), AccessLevel::None);
        assert_eq!(world.level(member, "prod"), AccessLevel::Viewer);
    }
}

/// G10: a member may be in any number of groups; a group by itself may do nothing, even under a member's id.
#[test]
fn a_group_is_nobody() {
    let mut world = World::staffed();
    world.ok(OWNER, add("it", ["dana"]));
    world.ok(OWNER, add("viewers", ["dana"]));
    assert_eq!(world.groups_of("dana"), ["devs", "it", "viewers"]);
    let dana = world.account.member("dana").unwrap();
    assert!(dana.is_in("it") && !dana.is_in("none"));
    assert_eq!(
        world.denial("devs", "store.read", Resource::Store("dev")),
        DenialReason::UnknownMember
    );
    world.ok(
        OWNER,
        create_group("nils", "Named As A Member", [editor(["dev"])]),
    );
    assert_eq!(world.level("nils", "dev"), AccessLevel::None);
}

/// U1: adding who is there and taking out who is not change nothing; an event names only those whom it moves.
#[test]
fn an_event_names_only_those_whom_it_moves() {
    let mut world = World::staffed();
    world.no_change(OWNER, add("devs", ["dana"]));
    world.no_change(OWNER, add("devs", []));
    world.no_change(OWNER, take_out("devs", ["nils", "vic"]));
    let event = world.ok(OWNER, add("devs", ["dana", "nils", "vic"]));
    assert_eq!(
        event,
        Event::AddedToGroup {
            group: group("devs"),
            members: members(["nils", "vic"])
        }
    );
    let event = world.ok(OWNER, take_out("devs", ["dana", OWNER]));
    assert_eq!(
        event,
        Event::RemovedFromGroup {
            group: group("devs"),
            members: members(["dana"])
        }
    );
    let in_devs: Vec<_> = world
        .account
        .group("devs")
        .unwrap()
        .members()
        .map(MemberId::as_str)
        .collect();
    assert_eq!(in_devs, ["ina", "nils", "vic"]);
}

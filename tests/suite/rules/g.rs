//! G: groups: who manages them, what they are called, what they carry, who is in them.

use grantbook::command::EditGroup;
use grantbook::event::{GroupCreated, GroupEdited, GroupMembersSet, RoleGranted, RoleRevoked};
use grantbook::*;

use crate::support::*;

/// G1, E5: owners and group managers manage groups and who is in them; nobody else does.
#[test]
fn g1_owners_and_group_managers_manage_groups() {
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

/// G1: a group that does not exist cannot be managed, and one that exists cannot be created.
#[test]
fn g1_a_group_must_exist_to_be_managed() {
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

/// G2: a name has 3 to 64 characters.
#[test]
fn g2_a_name_has_3_to_64_characters() {
    assert_eq!(
        GroupName::parse("IT").unwrap_err().kind(),
        ParseErrorKind::TooShort { length: 2 }
    );
    assert!(GroupName::parse("Ops").is_ok());
    assert!(GroupName::parse(&"a".repeat(64)).is_ok());
    assert_eq!(
        GroupName::parse(&"a".repeat(65)).unwrap_err().kind(),
        ParseErrorKind::TooLong { length: 65 }
    );
    assert_eq!(RoleName::parse("IT").unwrap_err().code(), "too-short");
}

/// G2: a name is made of letters A-Z, digits, periods, hyphens, underscores and inner spaces; letters that only look
/// like these are refused.
#[test]
fn g2_a_name_is_limited_to_a_small_alphabet() {
    assert!(GroupName::parse("Dev.Team_1 - EU").is_ok());
    for text in [
        "Dеv Team",
        "Café",
        "Dev\tTeam",
        "Dev\0Team",
        "Dev\u{a0}Team",
        "Ｄｅｖ",
        "Dev/Team",
    ] {
        assert_eq!(
            GroupName::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
        assert_eq!(
            RoleName::parse(text).unwrap_err().code(),
            "bad-character",
            "{text:?}"
        );
    }
    for text in [" Dev Team", "Dev Team ", "   "] {
        assert_eq!(
            GroupName::parse(text).unwrap_err().code(),
            "surrounding-whitespace",
            "{text:?}"
        );
    }
    let error = GroupName::parse("Café").unwrap_err();
    assert_eq!(
        error.kind(),
        ParseErrorKind::Character {
            character: 'é',
            position: 4
        }
    );
    assert_eq!(
        error.to_string(),
        "a group name takes letters A-Z and a-z, digits, `.`, `-`, `_` and spaces; this one has 'é' at position 4"
    );
}

/// G2: a description has 0 to 100 characters of the same alphabet, and may begin and end with a space.
#[test]
fn g2_a_description_has_0_to_100_characters() {
    assert_eq!(Description::parse("").unwrap(), Description::default());
    assert!(Description::parse(" who may write ").is_ok());
    assert!(Description::parse(&"a".repeat(100)).is_ok());
    assert_eq!(
        Description::parse(&"a".repeat(101)).unwrap_err().code(),
        "too-long"
    );
    assert_eq!(
        Description::parse("who, why").unwrap_err().code(),
        "bad-character"
    );
}

/// G3: a name is unique whatever the case of its letters; a group may change the case of its own.
#[test]
fn g3_group_names_differ_by_more_than_case() {
    let mut world = World::staffed();
    let refusal = world.refused(OWNER, create_group("new", "dev TEAM", [viewer(["dev"])]));
    assert_eq!(refusal.code(), "group-name-taken");
    assert_eq!(
        refusal.to_string(),
        "the name `dev TEAM` is taken by group `devs`; the case of letters and further spaces make no other name"
    );
    world.assert_refused(
        OWNER,
        rename_group("viewers", "Dev Team"),
        "group-name-taken",
    );
    world.ok(OWNER, rename_group("devs", "DEV TEAM"));
    world.ok(OWNER, create_group("new", "Dev-Team", [viewer(["dev"])]));
    world.ok(OWNER, rename_group("devs", "Developers"));
    world.ok(OWNER, rename_group("viewers", "dev team"));
}

/// G4: a group carries at least one grant.
#[test]
fn g4_a_group_carries_at_least_one_grant() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, create_group("new", "New Group", []), "no-grants");
    world.assert_refused(OWNER, regrant("devs", []), "no-grants");
}

/// G4: grants of the same role are merged into one with the stores of both.
#[test]
fn g4_grants_of_one_role_are_merged() {
    let mut world = World::staffed();
    let grants = [viewer(["prod"]), editor(["dev"]), viewer(["dev", "prod"])];
    let event = world.ok(OWNER, create_group("new", "New Group", grants));
    let Event::GroupCreated(GroupCreated { grants, .. }) = event else {
        panic!("{event:?}")
    };
    assert_eq!(grants, [editor(["dev"]), viewer(["dev", "prod"])]);
    assert_eq!(world.account.group("new").unwrap().grant_list(), grants);
    let twice = [Grant::group_manager(), Grant::group_manager()];
    world.ok(OWNER, create_group("managers", "Managers", twice));
    assert_eq!(
        world.account.group("managers").unwrap().grant_list(),
        [Grant::group_manager()]
    );
}

/// G4, U7: as many grants of one role as a command may name, each in another store, are merged into one.
#[test]
fn g4_ten_thousand_grants_of_one_role_are_merged() {
    let mut world = World::new();
    let id = |number: usize| format!("{number:05}");
    let stores: Vec<_> = (0..MAX_ITEMS_PER_COMMAND)
        .map(|number| create_store(&id(number)))
        .collect();
    for commands in stores.chunks(MAX_BATCH) {
        let done = world
            .account
            .execute_batch(&Actor::System, commands, at(1_000));
        world.records.extend(done.unwrap());
    }
    let grants: Vec<_> = (0..MAX_ITEMS_PER_COMMAND)
        .map(|number| viewer([id(number).as_str()]))
        .collect();
    world.ok(
        OWNER,
        create_group("all", "Every Store", [Grant::group_manager()]),
    );
    world.ok(OWNER, regrant("all", grants));
    let granted = world.account.group("all").unwrap().grant_list();
    assert_eq!(granted.len(), 1);
    assert!(granted[0].scope.stores().eq(world.account.stores()));
}

/// G5: a store-level role is granted in at least one store, and only in stores that exist; an account-level role is
/// granted in none.
#[test]
fn g5_a_scope_must_fit_its_role() {
    let mut world = World::staffed();
    let at_account = |id: &str| Grant::at_account(role(id));
    for (grant, code) in [
        (viewer([]), "empty-scope"),
        (
            Grant::in_stores(role("group-manager"), [] as [StoreId; 0]),
            "empty-scope",
        ),
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
fn g6_one_group_carries_several_roles() {
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
fn g7_a_group_with_members_cannot_be_deleted() {
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

/// G7, G9: a group created after another was deleted has neither its members nor its access.
#[test]
fn g7_a_new_group_inherits_nothing_from_a_deleted_one() {
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
fn g8_a_group_is_edited_in_part_or_as_a_whole() {
    let mut world = World::staffed();
    let edit = |name: Option<&str>, description: Option<&str>, grants: Option<Vec<Grant>>| {
        Command::EditGroup(EditGroup {
            group: group("devs"),
            name: name.map(|name| GroupName::parse(name).unwrap()),
            description: description.map(|text| Description::parse(text).unwrap()),
            grants,
        })
    };
    world.ok(MANAGER, edit(Some("Developers"), None, None));
    world.ok(MANAGER, edit(None, Some("Those who build"), None));
    world.ok(MANAGER, edit(None, None, Some(vec![viewer(["dev"])])));
    let devs = world.account.group("devs").unwrap();
    assert_eq!(devs.name().as_str(), "Developers");
    assert_eq!(devs.description().as_str(), "Those who build");
    assert_eq!(devs.grant_list(), [viewer(["dev"])]);
    let event = world.ok(
        MANAGER,
        edit(
            Some("Developers"),
            Some("Builders"),
            Some(vec![editor(["dev", "prod"])]),
        ),
    );
    let Event::GroupEdited(GroupEdited {
        name,
        description,
        grants,
        ..
    }) = event
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

/// G9: access follows membership at once; a member keeps what another group gives.
#[test]
fn g9_access_follows_membership() {
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
fn g9_access_follows_grants() {
    let mut world = World::staffed();
    world.ok(OWNER, add("devs", ["nils"]));
    world.ok(OWNER, regrant("devs", [viewer(["prod"])]));
    for member in ["dana", "nils"] {
        assert_eq!(world.level(member, "dev"), AccessLevel::None);
        assert_eq!(world.level(member, "prod"), AccessLevel::Viewer);
    }
}

/// G10: a member may be in any number of groups; a group itself cannot act, even under a member's id.
#[test]
fn g10_a_group_cannot_act() {
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

/// G3, L3: the number of spaces between two words makes no other name, and neither do other separators beside a
/// built-in role's.
#[test]
fn g3_spellings_of_one_name_are_one_name() {
    let mut world = World::staffed();
    for name in ["Dev Team", "dev team", "Dev  Team", "DEV    TEAM"] {
        let again = create_group("again", name, [Grant::group_manager()]);
        world.assert_refused(OWNER, again, "group-name-taken");
        assert!(
            GroupName::parse(name)
                .unwrap()
                .is_same_name(&GroupName::parse("Dev Team").unwrap())
        );
    }
    world.ok(
        OWNER,
        create_group("again", "Dev-Team", [Grant::group_manager()]),
    );
    for name in [
        "Group-Manager",
        "GroupManager",
        "store.viewer",
        "Store  Editor",
    ] {
        let role = define_role("own", name, RoleLevel::Store, &["log.read"]);
        world.assert_refused(OWNER, role, "role-name-taken");
    }
    world.ok(
        OWNER,
        define_role("own", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    world.assert_refused(
        OWNER,
        define_role("other", "log  READER", RoleLevel::Store, &["log.read"]),
        "role-name-taken",
    );
    world.ok(
        OWNER,
        define_role("other", "Log-Reader", RoleLevel::Store, &["log.read"]),
    );
}

/// G8: a role is granted apart from the others; the event says only what is new, and two who each add a store both
/// succeed.
#[test]
fn g8_a_role_is_granted_apart_from_the_others() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("stage"));
    world.ok(MANAGER, grant_role("devs", editor(["stage"])));
    let event = world.ok(OWNER, grant_role("devs", editor(["dev", "prod", "stage"])));
    let granted = |role: RoleId, scope| {
        Event::RoleGranted(RoleGranted {
            group: group("devs"),
            role,
            scope,
        })
    };
    let only_new = Scope::Stores([store("prod")].into());
    assert_eq!(event, granted(RoleId::store_editor(), only_new));
    for id in ["dev", "prod", "stage"] {
        assert_eq!(world.level("dana", id), AccessLevel::Editor);
    }
    world.no_change(OWNER, grant_role("devs", editor(["dev", "prod"])));
    let event = world.ok(OWNER, grant_role("devs", Grant::group_manager()));
    assert_eq!(event, granted(RoleId::group_manager(), Scope::Account));
    world.no_change(OWNER, grant_role("devs", Grant::group_manager()));
    assert!(world.may("dana", "account.manage_groups", Resource::Account));
    for (command, code) in [
        (grant_role("none", viewer(["dev"])), "unknown-group"),
        (grant_role("devs", viewer(["none"])), "unknown-store"),
        (grant_role("devs", viewer([])), "empty-scope"),
        (
            grant_role("devs", Grant::at_account(role("none"))),
            "unknown-role",
        ),
        (
            grant_role("devs", Grant::at_account(RoleId::store_viewer())),
            "scope-mismatch",
        ),
        (
            grant_role(
                "devs",
                Grant::in_stores(RoleId::group_manager(), [store("dev")]),
            ),
            "scope-mismatch",
        ),
    ] {
        world.assert_refused(OWNER, command, code);
    }
    world.assert_refused("dana", suspend("vic"), "not-authorized");
    world.assert_refused("vic", grant_role("devs", viewer(["dev"])), "not-authorized");
}

/// G8, S3, G4: a role is revoked in some stores or altogether. A revocation is never held up: the last store leaves an
/// empty scope. Only the last grant cannot go.
#[test]
fn g8_a_role_is_revoked_apart_from_the_others() {
    let mut world = World::staffed();
    world.ok(OWNER, grant_role("devs", viewer(["dev", "prod"])));
    let event = world.ok(OWNER, revoke_in("devs", "store-editor", ["dev", "prod"]));
    assert_eq!(
        event,
        Event::RoleRevoked(RoleRevoked {
            group: group("devs"),
            role: RoleId::store_editor(),
            stores: Some([store("dev")].into()),
        })
    );
    assert_eq!(world.level("dana", "dev"), AccessLevel::Viewer);
    assert_eq!(
        world.account.group("devs").unwrap().grant_list(),
        [editor([]), viewer(["dev", "prod"])]
    );
    world.no_change(OWNER, revoke_in("devs", "store-editor", ["dev"]));
    world.no_change(OWNER, revoke_role("devs", "group-manager"));
    world.ok(OWNER, revoke_role("devs", "store-editor"));
    world.no_change(OWNER, revoke_role("devs", "store-editor"));
    let error = world.refused(OWNER, revoke_role("devs", "store-viewer"));
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (
            "last-grant",
            "role `store-viewer` is the only one that group `devs` carries; grant it another role first, or delete \
             the group"
        )
    );
    world.ok(OWNER, revoke_in("devs", "store-viewer", ["dev", "prod"]));
    assert_eq!(world.level("dana", "dev"), AccessLevel::None);
    for (command, code) in [
        (revoke_role("none", "store-viewer"), "unknown-group"),
        (revoke_role("devs", "none"), "unknown-role"),
        (revoke_in("devs", "store-viewer", ["none"]), "unknown-store"),
        (revoke_in("devs", "store-viewer", []), "empty-scope"),
        (revoke_in("it", "group-manager", ["dev"]), "scope-mismatch"),
    ] {
        world.assert_refused(OWNER, command, code);
    }
    world.assert_refused("vic", revoke_role("devs", "store-viewer"), "not-authorized");
}

/// G11: the members of a group are set to an exact list; the event says who came and who went.
#[test]
fn g11_the_members_of_a_group_are_set_exactly() {
    let mut world = World::staffed();
    world.ok(OWNER, suspend("vic"));
    let event = world.ok(MANAGER, set_members("devs", ["dana", "nils", "vic"]));
    assert_eq!(
        event,
        Event::GroupMembersSet(GroupMembersSet {
            group: group("devs"),
            added: members(["nils", "vic"]),
            removed: members(["ina"]),
        })
    );
    assert!(
        world
            .account
            .group("devs")
            .unwrap()
            .members()
            .eq(&members(["dana", "nils", "vic"]))
    );
    world.no_change(OWNER, set_members("devs", ["dana", "nils", "vic"]));
    world.assert_refused(MANAGER, set_members("devs", [MANAGER]), "self-addition");
    world.no_change(MANAGER, set_members("it", [MANAGER]));
    world.assert_refused(OWNER, set_members("none", []), "unknown-group");
    world.assert_refused(OWNER, set_members("devs", ["none"]), "unknown-member");
    world.assert_refused("dana", set_members("devs", []), "not-authorized");
    world.ok(OWNER, invite_until("eva", 1_001));
    world.now = 1_001;
    world.assert_refused(OWNER, set_members("devs", ["eva"]), "invitation-expired");
    world.ok(OWNER, set_members("devs", []));
    assert_eq!(world.account.group("devs").unwrap().member_count(), 0);
}

/// G11, U7: at most 10,000 come and go together; more is refused with advice, whatever the list says.
#[test]
fn g11_a_list_changes_a_bounded_number_of_memberships() {
    let mut world = World::new();
    world.ok(OWNER, create_group("all", "All", [Grant::group_manager()]));
    let ids: Vec<String> = (0..12_000).map(|number| format!("m{number:05}")).collect();
    for part in ids.chunks(6_000) {
        world.system(enrol(part.iter().map(String::as_str)));
        world.ok(OWNER, add("all", part.iter().map(String::as_str)));
    }
    let error = world.refused(OWNER, set_members("all", [OWNER]));
    assert_eq!(error.code(), "too-many-changed");
    assert_eq!(
        error.to_string(),
        "the list would change 12001 memberships; one command may change 10000; send the difference, split into \
         several commands"
    );
    let some = ids.iter().map(String::as_str).take(2_000);
    let event = world.ok(OWNER, set_members("all", some));
    let Event::GroupMembersSet(set) = event else {
        panic!("{event:?}");
    };
    assert_eq!((set.added.len(), set.removed.len()), (0, 10_000));
}

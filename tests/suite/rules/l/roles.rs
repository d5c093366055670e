//! L1 to L3: the built-in roles, and the roles that owners define.

use grantbook::command::ChangeRole;
use grantbook::*;

use crate::rules::with_auditor;
use crate::support::*;

/// L1, L5: the built-in roles are these, and hold these permissions.
#[test]
fn l1_the_built_in_roles() {
    let world = World::new();
    let roles: Vec<_> = world
        .account
        .roles()
        .map(|(id, role)| {
            let permissions: Vec<_> = role.permissions().iter().map(Permission::as_str).collect();
            (
                id.as_str(),
                role.name().as_str(),
                role.level(),
                permissions,
                role.is_built_in(),
            )
        })
        .collect();
    let manager = vec!["account.invite_members", "account.manage_groups"];
    assert_eq!(
        roles,
        [
            (
                "group-manager",
                "Group Manager",
                RoleLevel::Account,
                manager,
                true
            ),
            (
                "store-editor",
                "Store Editor",
                RoleLevel::Store,
                vec!["store.read", "store.write"],
                true
            ),
            (
                "store-viewer",
                "Store Viewer",
                RoleLevel::Store,
                vec!["store.read"],
                true
            ),
        ]
    );
    for (id, role) in world.account.roles() {
        assert_eq!(
            RoleId::parse(id).as_ref(),
            Ok(id),
            "built-in ids are well formed, though they are made without a check"
        );
        assert_eq!(RoleName::parse(role.name()).as_ref(), Ok(role.name()));
    }
    assert_eq!(RoleId::group_manager().as_str(), "group-manager");
    assert_eq!(RoleId::store_editor().as_str(), "store-editor");
    assert_eq!(RoleId::store_viewer().as_str(), "store-viewer");
}

/// L1: a built-in role can be neither changed, nor deleted, nor defined again.
#[test]
fn l1_built_in_roles_cannot_be_changed() {
    let mut world = World::staffed();
    for id in ["group-manager", "store-editor", "store-viewer"] {
        for actor in [by(OWNER), Actor::System] {
            world.assert_refused(actor.clone(), delete_role(id), "built-in-role");
            let taken = define_role(id, "Another Name", RoleLevel::Account, &["log.read"]);
            world.assert_refused(actor, taken, "role-exists");
        }
        let rename = Command::ChangeRole(ChangeRole {
            role: role(id),
            name: Some(RoleName::parse("Another Name").unwrap()),
            permissions: None,
        });
        world.assert_refused(OWNER, rename, "built-in-role");
    }
    world.assert_refused(
        OWNER,
        redefine_role("store-editor", &["store.read"]),
        "built-in-role",
    );
}

/// L2: Store Editor includes Store Viewer on the same stores; granting both adds nothing.
#[test]
fn l2_store_editor_includes_store_viewer() {
    let mut world = World::staffed();
    assert!(world.may("dana", "store.read", Resource::Store("dev")));
    let before = world.account.effective_permissions("dana");
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["dev"])]));
    assert_eq!(world.account.effective_permissions("dana"), before);
    world.ok(OWNER, regrant("devs", [viewer(["dev"])]));
    assert_eq!(
        world.level("dana", "dev"),
        AccessLevel::Viewer,
        "the viewer role keeps what both gave"
    );
}

/// L3: owners define, change and delete roles; nobody else does.
#[test]
fn l3_owners_define_roles() {
    let mut world = with_auditor();
    for actor in [MANAGER, "dana", "nils", "ina", "nobody"] {
        let define = define_role("new", "New Role", RoleLevel::Account, &["log.read"]);
        world.assert_refused(actor, define, "not-authorized");
        world.assert_refused(
            actor,
            redefine_role("auditor", &["log.read"]),
            "not-authorized",
        );
        world.assert_refused(actor, delete_role("auditor"), "not-authorized");
    }
    world.assert_refused(OWNER, redefine_role("none", &["log.read"]), "unknown-role");
    world.assert_refused(OWNER, delete_role("none"), "unknown-role");
    world.ok(OWNER, delete_role("auditor"));
    assert!(world.account.role("auditor").is_none());
}

/// L3: role names and ids are unique, among the built-in ones too, whatever the case of letters.
#[test]
fn l3_role_names_and_ids_are_unique() {
    let mut world = with_auditor();
    for name in ["auditor", "GROUP manager", "Store editor", "store viewer"] {
        let define = define_role("new", name, RoleLevel::Account, &["log.read"]);
        world.assert_refused(OWNER, define, "role-name-taken");
    }
    let again = define_role("auditor", "New Role", RoleLevel::Account, &["log.read"]);
    world.assert_refused(OWNER, again, "role-exists");
    world.ok(
        OWNER,
        define_role("new", "New Role", RoleLevel::Account, &["log.read"]),
    );
    let rename = |id: &str, name: &str| {
        Command::ChangeRole(ChangeRole {
            role: role(id),
            name: Some(RoleName::parse(name).unwrap()),
            permissions: None,
        })
    };
    world.assert_refused(OWNER, rename("new", "AUDITOR"), "role-name-taken");
    world.ok(OWNER, rename("auditor", "AUDITOR"));
    world.no_change(OWNER, rename("auditor", "AUDITOR"));
    assert_eq!(
        world.account.role("auditor").unwrap().name().as_str(),
        "AUDITOR"
    );
}

/// L3: a role has at least one permission; its level stays.
#[test]
fn l3_a_role_has_at_least_one_permission() {
    let mut world = with_auditor();
    world.assert_refused(
        OWNER,
        define_role("new", "New Role", RoleLevel::Account, &[]),
        "no-permissions",
    );
    world.assert_refused(OWNER, redefine_role("auditor", &[]), "no-permissions");
    world.ok(OWNER, redefine_role("auditor", &["log.read"]));
    assert_eq!(
        world.account.role("auditor").unwrap().level(),
        RoleLevel::Store
    );
    world.no_change(OWNER, redefine_role("auditor", &["log.read"]));
}

/// L3: a change reaches everybody who holds the role at once.
#[test]
fn l3_a_changed_role_reaches_its_holders() {
    let mut world = with_auditor();
    world.ok(
        OWNER,
        regrant(
            "viewers",
            [Grant::in_stores(role("auditor"), [store("prod")])],
        ),
    );
    assert!(world.may("vic", "log.read", Resource::Store("prod")));
    world.ok(
        OWNER,
        redefine_role("auditor", &["log.export", "store.read", "store.write"]),
    );
    assert!(!world.may("vic", "log.read", Resource::Store("prod")));
    assert!(world.may("vic", "log.export", Resource::Store("prod")));
    assert_eq!(world.level("vic", "prod"), AccessLevel::Editor);
    assert_eq!(world.level("vic", "dev"), AccessLevel::None);
}

/// L3: a role that a group carries cannot be deleted, even if it is granted in no store any more.
#[test]
fn l3_a_role_in_use_cannot_be_deleted() {
    let mut world = with_auditor();
    world.ok(
        OWNER,
        regrant(
            "viewers",
            [Grant::in_stores(role("auditor"), [store("prod")])],
        ),
    );
    world.ok(OWNER, delete_store("prod"));
    let refusal = world.refused(OWNER, delete_role("auditor"));
    assert_eq!(
        refusal.to_string(),
        "group `viewers` carries role `auditor`; remove it from every group first"
    );
    world.assert_refused(Actor::System, delete_role("auditor"), "role-in-use");
    world.ok(OWNER, regrant("viewers", [viewer(["dev"])]));
    world.ok(OWNER, delete_role("auditor"));
}

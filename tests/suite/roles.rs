//! Roles, built in and of an account's own.

use grantbook::*;

use crate::support::*;

fn with_auditor() -> World {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role(
            "auditor",
            "Auditor",
            RoleLevel::Store,
            &["log.read", "store.read"],
        ),
    );
    world
}

/// L1, L5: the built-in roles are these, and hold these permissions.
#[test]
fn the_built_in_roles() {
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
            "well formed, though made without a check"
        );
        assert_eq!(RoleName::parse(role.name()).as_ref(), Ok(role.name()));
    }
    assert_eq!(RoleId::group_manager().as_str(), "group-manager");
    assert_eq!(RoleId::store_editor().as_str(), "store-editor");
    assert_eq!(RoleId::store_viewer().as_str(), "store-viewer");
}

/// L1: a built-in role is neither changed, nor deleted, nor defined again.
#[test]
fn built_in_roles_stay_as_they_are() {
    let mut world = World::staffed();
    for id in ["group-manager", "store-editor", "store-viewer"] {
        for actor in [by(OWNER), Actor::System] {
            world.assert_refused(actor.clone(), delete_role(id), "built-in-role");
            let taken = define_role(id, "Another Name", RoleLevel::Account, &["log.read"]);
            world.assert_refused(actor, taken, "role-exists");
        }
        let rename = Command::ChangeRole {
            role: role(id),
            name: Some(RoleName::parse("Another Name").unwrap()),
            permissions: None,
        };
        world.assert_refused(OWNER, rename, "built-in-role");
    }
    world.assert_refused(
        OWNER,
        redefine_role("store-editor", &["store.read"]),
        "built-in-role",
    );
}

/// L2: Store Editor includes Store Viewer on the same stores; giving both adds nothing.
#[test]
fn store_editor_includes_store_viewer() {
    let mut world = World::staffed();
    assert!(world.may("dana", "store.read", Resource::Store("dev")));
    let before = world.account.effective_permissions("dana");
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["dev"])]));
    assert_eq!(world.account.effective_permissions("dana"), before);
    world.ok(OWNER, regrant("devs", [viewer(["dev"])]));
    assert_eq!(
        world.level("dana", "dev"),
        AccessLevel::Viewer,
        "what the two shared stays with the one"
    );
}

/// L3: owners define, change and delete roles; nobody else does.
#[test]
fn owners_define_roles() {
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

/// L3: a role's name and id are its own, the built-in ones taken, whatever the case of letters.
#[test]
fn role_names_and_ids_are_unique() {
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
    let rename = |id: &str, name: &str| Command::ChangeRole {
        role: role(id),
        name: Some(RoleName::parse(name).unwrap()),
        permissions: None,
    };
    world.assert_refused(OWNER, rename("new", "AUDITOR"), "role-name-taken");
    world.ok(OWNER, rename("auditor", "AUDITOR"));
    world.no_change(OWNER, rename("auditor", "AUDITOR"));
    assert_eq!(
        world.account.role("auditor").unwrap().name().as_str(),
        "AUDITOR"
    );
}

/// M6, L3: no role goes by the name or the id of ownership.
#[test]
fn no_role_is_called_ownership() {
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
    let rename = Command::ChangeRole {
        role: role("auditor"),
        name: Some(RoleName::parse("Account Owner").unwrap()),
        permissions: None,
    };
    world.assert_refused(OWNER, rename, "ownership-name");
}

/// L3: a role has at least one permission; its level stays.
#[test]
fn a_role_has_at_least_one_permission() {
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
fn a_redefined_role_reaches_its_holders() {
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

/// L3: a role that a group carries cannot be deleted, even where its stores are gone.
#[test]
fn a_role_in_use_cannot_be_deleted() {
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
        "group `viewers` carries role `auditor`; take it off every group first"
    );
    world.assert_refused(Actor::System, delete_role("auditor"), "role-in-use");
    world.ok(OWNER, regrant("viewers", [viewer(["dev"])]));
    world.ok(OWNER, delete_role("auditor"));
}

/// L5: no role of an account's own holds an `account.` permission, and none of account level a `store.` one.
#[test]
fn reserved_permissions_are_kept_out_of_roles() {
    let mut world = with_auditor();
    for level in [RoleLevel::Account, RoleLevel::Store] {
        for text in ["account.manage_owners", "account.anything"] {
            let define = define_role("new", "New Role", level, &["log.read", text]);
            world.assert_refused(OWNER, define, "reserved-permission");
        }
    }
    world.assert_refused(
        OWNER,
        redefine_role("auditor", &["account.manage_groups"]),
        "reserved-permission",
    );
    for text in ["store.read", "store.anything"] {
        let define = define_role("new", "New Role", RoleLevel::Account, &[text]);
        world.assert_refused(OWNER, define, "store-permission");
    }
    world.ok(
        OWNER,
        define_role(
            "new",
            "New Role",
            RoleLevel::Account,
            &["log.read", "accounts.read"],
        ),
    );
    world.assert_refused(
        OWNER,
        redefine_role("new", &["store.read"]),
        "store-permission",
    );
    world.ok(OWNER, redefine_role("auditor", &["store.anything"]));
}

/// L6: a store-level role counts in its scope only, an account-level role at the account only.
#[test]
fn a_role_counts_at_its_level_only() {
    let mut world = with_auditor();
    world.ok(
        OWNER,
        define_role(
            "billing",
            "Billing",
            RoleLevel::Account,
            &["invoice.read", "log.read"],
        ),
    );
    let grants = [
        Grant::at_account(role("billing")),
        Grant::in_stores(role("auditor"), [store("prod")]),
    ];
    world.ok(OWNER, regrant("viewers", grants));
    assert!(world.may("vic", "invoice.read", Resource::Account));
    assert!(!world.may("vic", "invoice.read", Resource::Store("prod")));
    assert!(world.may("vic", "store.read", Resource::Store("prod")));
    assert!(!world.may("vic", "store.read", Resource::Account));
    assert!(!world.may("vic", "store.read", Resource::Store("dev")));
    assert!(world.may("vic", "log.read", Resource::Account));
    assert!(
        !world.may("vic", "invoice.write", Resource::Account),
        "there are no wildcards"
    );
}

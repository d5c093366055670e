//! S: stores and scopes.

use grantbook::*;

use crate::support::*;

/// S1: owners create and delete stores; nobody else does.
#[test]
fn s1_owners_manage_stores() {
    let mut world = World::staffed();
    for actor in [MANAGER, "dana", "vic", "nils", "ina", "nobody"] {
        world.assert_refused(actor, create_store("new"), "not-authorized");
        world.assert_refused(actor, delete_store("dev"), "not-authorized");
    }
    world.assert_refused(OWNER, create_store("dev"), "store-exists");
    world.assert_refused(OWNER, delete_store("new"), "unknown-store");
    let before = world.account.store_count();
    world.ok(OWNER, create_store("new"));
    assert_eq!(world.account.store_count(), before + 1);
    world.ok(OWNER, delete_store("new"));
    assert!(!world.account.has_store("new"));
    assert_eq!(world.account.store_count(), world.account.stores().count());
}

/// S2: a new store is in no scope, and owners have it at once.
#[test]
fn s2_a_new_store_is_in_no_scope() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("new"));
    assert_eq!(world.level(OWNER, "new"), AccessLevel::Owner);
    for member in [MANAGER, "dana", "vic", "nils"] {
        assert_eq!(world.level(member, "new"), AccessLevel::None);
        let missing = DenialReason::MissingPermission {
            permission: Permission::STORE_READ,
        };
        assert_eq!(
            world.denial(member, "store.read", Resource::Store("new")),
            missing
        );
    }
}

/// S3: a deleted store leaves every scope; created again, it is in none.
#[test]
fn s3_a_store_created_again_starts_with_no_grants() {
    let mut world = World::staffed();
    world.ok(OWNER, regrant("viewers", [viewer(["dev", "prod"])]));
    world.ok(OWNER, delete_store("dev"));
    assert_eq!(
        world.account.group("viewers").unwrap().grant_list(),
        [viewer(["prod"])]
    );
    assert_eq!(
        world.denial("dana", "store.read", Resource::Store("dev")),
        DenialReason::UnknownStore
    );
    world.ok(OWNER, create_store("dev"));
    assert_eq!(world.level("dana", "dev"), AccessLevel::None);
    assert_eq!(world.level("vic", "dev"), AccessLevel::None);
    assert_eq!(world.level("vic", "prod"), AccessLevel::Viewer);
}

/// S3, G5: a grant whose last store was deleted stays on its group, grants nothing, and cannot be assigned again like
/// that.
#[test]
fn s3_a_grant_without_stores_grants_nothing() {
    let mut world = World::staffed();
    world.ok(OWNER, delete_store("dev"));
    assert_eq!(
        world.account.group("devs").unwrap().grant_list(),
        [editor([])]
    );
    assert!(world.account.effective_permissions("dana").is_empty());
    world.ok(OWNER, rename_group("devs", "Former Dev Team"));
    world.no_change(OWNER, regrant("devs", [editor([])]));
    world.assert_refused(
        OWNER,
        regrant("devs", [editor([]), viewer(["prod"])]),
        "empty-scope",
    );
    world.assert_refused(OWNER, regrant("viewers", [editor([])]), "empty-scope");
    world.ok(OWNER, create_store("other"));
    assert_eq!(
        world.level("dana", "other"),
        AccessLevel::None,
        "an empty scope is not every store"
    );
    world.ok(OWNER, regrant("devs", [editor(["other"])]));
    assert_eq!(world.level("dana", "other"), AccessLevel::Editor);
}

/// S3: a snapshot may have an empty scope, because deleting a store can leave one behind.
#[test]
fn s3_a_snapshot_may_have_an_empty_scope() {
    let mut world = World::staffed();
    world.ok(OWNER, delete_store("dev"));
    let read = Account::try_from(world.account.snapshot()).unwrap();
    assert_eq!(read, world.account);
    assert_eq!(read.group("devs").unwrap().grant_list(), [editor([])]);
}

//! U8: which version last changed a role, a group, and who is in it.

use grantbook::*;

use crate::support::*;

/// U8: each change sets the revisions of what it changes and no others; records and snapshots lead to the same.
#[test]
fn u8_a_revision_is_the_version_of_the_last_change() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    let auditor = |prod: &str| Grant::in_stores(role("auditor"), [store(prod)]);
    // What is changed: the definition of `devs`, its membership, the role `auditor`.
    for (actor, command, [definition, membership, role]) in [
        (OWNER, suspend("dana"), [false, false, false]),
        (OWNER, reinstate("dana"), [false, false, false]),
        (
            OWNER,
            grant_role("devs", auditor("prod")),
            [true, false, false],
        ),
        (
            OWNER,
            redefine_role("auditor", &["log.read", "log.list"]),
            [false, false, true],
        ),
        (
            OWNER,
            rename_group("devs", "Developers"),
            [true, false, false],
        ),
        (OWNER, add("devs", ["nils", "vic"]), [false, true, false]),
        (OWNER, add("viewers", ["nils"]), [false, false, false]),
        (
            OWNER,
            set_members("devs", ["dana", "nils", "vic"]),
            [false, true, false],
        ),
        ("nils", leave(), [false, true, false]),
        (OWNER, remove_members(["vic"]), [false, true, false]),
        (
            OWNER,
            revoke_in("devs", "auditor", ["prod"]),
            [true, false, false],
        ),
        (
            OWNER,
            grant_role("devs", auditor("prod")),
            [true, false, false],
        ),
        (OWNER, delete_store("prod"), [true, false, false]),
        (OWNER, revoke_role("devs", "auditor"), [true, false, false]),
        (OWNER, take_out("devs", ["dana"]), [false, true, false]),
    ] {
        let before = revisions(&world.account);
        world.ok(actor, command.clone());
        let changed = [definition, membership, role];
        let expected: Vec<u64> = before
            .iter()
            .zip(changed)
            .map(|(before, is_changed)| {
                if is_changed {
                    world.account.version()
                } else {
                    *before
                }
            })
            .collect();
        assert_eq!(revisions(&world.account).to_vec(), expected, "{command:?}");
        let replayed = Account::replay(&world.records).unwrap();
        let restored = Account::try_from(world.account.snapshot()).unwrap();
        for account in [replayed, restored] {
            assert_eq!(revisions(&account).to_vec(), expected);
            assert_eq!(account, world.account);
        }
    }
    let built_in = world.account.role("store-editor").unwrap();
    assert_eq!(built_in.revision(), 0);
    // A group that is created again under an old id is a new one.
    world.ok(OWNER, delete_group("devs"));
    world.ok(OWNER, create_group("devs", "Dev Team", [viewer(["dev"])]));
    let [definition, membership, _] = revisions(&world.account);
    assert_eq!([definition, membership], [world.account.version(); 2]);
}

fn revisions(account: &Account) -> [u64; 3] {
    let group = account.group("devs").unwrap();
    [
        group.definition_revision(),
        group.membership_revision(),
        account.role("auditor").unwrap().revision(),
    ]
}

/// U8: a snapshot with a revision that the account cannot have had is refused.
#[test]
fn u8_a_snapshot_with_an_impossible_revision_is_refused() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    for (list, field) in [
        ("groups", "definition_revision"),
        ("groups", "membership_revision"),
        ("roles", "revision"),
    ] {
        for revision in [0, world.account.version() + 1] {
            let mut json = serde_json::to_value(world.account.snapshot()).unwrap();
            json[list][0][field] = revision.into();
            let snapshot: Snapshot = serde_json::from_value(json).unwrap();
            let error = Account::try_from(snapshot).unwrap_err();
            assert_eq!(error.code(), "bad-revision", "{list} {field} {revision}");
        }
    }
}

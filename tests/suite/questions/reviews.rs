//! Reviews: what an owner should look at.

use grantbook::*;

use crate::support::*;

/// A2, L2, M3, S3, G7: a review names what an owner should look at, in sentences, and nothing else.
#[test]
fn a2_a_review_names_what_to_look_at() {
    let mut world = World::staffed();
    let said = |world: &World| -> Vec<String> {
        world
            .account
            .review(at(world.now))
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(
        said(&world),
        [
            "`olga` is the only account owner; a second one could help when it cannot",
            "`nils` is in no group and can do nothing",
        ]
    );
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        create_group("older", "Older Group", [viewer(["old"])]),
    );
    world.ok(
        OWNER,
        create_group(
            "both",
            "Both Roles",
            [editor(["dev", "prod"]), viewer(["dev"])],
        ),
    );
    world.ok(
        OWNER,
        create_group("readers", "Other Readers", [viewer(["prod"])]),
    );
    world.ok(
        OWNER,
        define_role("same", "Same As Viewer", RoleLevel::Store, &["store.read"]),
    );
    let same = [
        viewer(["dev"]),
        Grant::in_stores(role("same"), [store("dev")]),
    ];
    world.ok(OWNER, create_group("twice", "Twice The Same", same));
    // Not reported: these roles add something, one in another store, the other with another permission.
    let elsewhere = [editor(["dev"]), viewer(["prod"])];
    world.ok(OWNER, create_group("apart", "Two Places", elsewhere));
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    let other = [
        viewer(["dev"]),
        Grant::in_stores(role("log"), [store("dev")]),
    ];
    world.ok(OWNER, create_group("other", "Two Things", other));
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, grant_ownership("dana"));
    world.ok(OWNER, add("both", ["dana"]));
    world.ok(OWNER, invite_until("eva", 1_001));
    for group in ["readers", "apart", "other"] {
        world.ok(OWNER, add(group, ["eva", "nils"]));
    }
    world.now = 1_001;
    let late = said(&world);
    world.ok(OWNER, create_store("later"));
    world.now = 900;
    assert_eq!(said(&world), late, "time does not run backwards");
    assert_eq!(
        late,
        [
            "account owner `dana` also sits in groups `both` and `devs`; that gives nothing now, and stays when ownership ends",
            "the invitation of `eva` has expired; cancel it, or invite again",
            "group `older` has no members",
            "group `twice` has no members",
            "group `older` carries `store-viewer` for no store; all its stores were deleted",
            "in group `both`, `store-viewer` adds nothing to `store-editor`",
            "in group `twice`, `store-viewer` adds nothing to `same`",
            "groups `readers` and `viewers` carry the same grants",
        ]
    );
}

/// A finding that a host makes itself can name no group, and says so.
#[test]
fn a_finding_may_name_no_group() {
    let groups = Vec::new();
    let finding = Finding::EqualGroups { groups };
    assert_eq!(finding.to_string(), "no group carry the same grants");
}

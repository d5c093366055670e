//! U6: lists are in the order of ids.

use grantbook::*;

use crate::support::*;

/// U6: lists are in the order of ids, whatever the history.
#[test]
fn u6_lists_are_in_the_order_of_ids() {
    let mut world = World::with_limit(50);
    for id in ["m", "c", "z", "a", "Z", "é", "10", "9"] {
        world.system(enrol([id]));
        world.ok(OWNER, create_store(id));
        world.ok(
            OWNER,
            create_group(
                id,
                &format!("Group {}", id.len() * 100 + usize::from(id.as_bytes()[0])),
                [viewer([id])],
            ),
        );
        world.ok(OWNER, add(id, [id]));
    }
    world.ok(OWNER, remove_member("c"));
    world.ok(OWNER, delete_group("c"));
    world.ok(OWNER, delete_store("c"));
    world.ok(OWNER, create_store("b"));
    let sorted = |ids: Vec<&str>| assert!(ids.is_sorted(), "{ids:?}");
    let account = &world.account;
    sorted(
        account
            .members()
            .map(|member| member.id().as_str())
            .collect(),
    );
    sorted(account.stores().map(StoreId::as_str).collect());
    sorted(account.groups().map(|group| group.id().as_str()).collect());
    sorted(account.roles().map(|(id, _)| id.as_str()).collect());
    sorted(
        account
            .effective_permissions(OWNER)
            .stores()
            .map(|(id, _)| id.as_str())
            .collect(),
    );
    assert_eq!(account.stores().count(), 8);
}

//! Who can, and where: lists, page by page.

use grantbook::command::DeleteGroup;
use grantbook::*;

use crate::support::*;

/// U6: lists can be read page by page, and resumed after an id that no longer exists.
#[test]
fn u6_lists_are_read_page_by_page() {
    let mut world = World::staffed();
    let letters: Vec<String> = ('a'..='z').map(String::from).collect();
    world.system(enrol(letters.iter().map(String::as_str)));
    world.ok(OWNER, add("devs", ["b", "c", "x"]));
    world.ok(
        OWNER,
        create_group("more", "More Editors", [editor(["dev"])]),
    );
    world.ok(OWNER, add("more", ["a", "c", "y"]));
    let page = |world: &World, after: Option<&str>| -> Vec<String> {
        let who = world
            .account
            .who_can(&Permission::STORE_WRITE, Resource::Store("dev"), after);
        who.take(3).map(ToString::to_string).collect()
    };
    assert_eq!(page(&world, None), ["a", "b", "c"]);
    assert_eq!(page(&world, Some("c")), ["dana", "olga", "x"]);
    world.ok(OWNER, remove_member("x"));
    assert_eq!(page(&world, Some("x")), ["y"]);
    assert!(page(&world, Some("y")).is_empty());
    let stores: Vec<_> = world
        .account
        .stores_for(OWNER, &Permission::STORE_READ, Some("dev"))
        .collect();
    assert_eq!(stores, [&store("prod")]);
}

/// U6, P1: the members of a group, and those who have a permission, come in the order of ids and page by page, whether
/// they are few among many or many.
#[test]
fn u6_small_and_large_groups_are_listed_alike() {
    let mut world = World::new();
    let id = |number: usize| format!("m{:03}", number * 37 % 200);
    let ids: Vec<String> = (0..200).map(id).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    world.ok(OWNER, create_store("dev"));
    for count in [1, 3, 12, 13, 150] {
        let group = format!("{count} of all");
        let mut some: Vec<&str> = ids[..count].iter().map(String::as_str).collect();
        world.ok(OWNER, create_group(&group, &group, [viewer(["dev"])]));
        world.ok(OWNER, add(&group, some.iter().copied()));
        some.sort_unstable();
        let listed = world.account.group(&group).unwrap().members();
        assert!(listed.map(MemberId::as_str).eq(some.iter().copied()));
        some.push(OWNER);
        let resource = Resource::Store("dev");
        let mut read: Vec<&str> = Vec::new();
        for _ in 0..some.len() {
            let page =
                world
                    .account
                    .who_can(&Permission::STORE_READ, resource, read.last().copied());
            read.extend(page.take(2).map(MemberId::as_str));
        }
        assert_eq!(read, some, "{count}");
        world.ok(OWNER, take_out(&group, some[..count].iter().copied()));
        world.ok(
            OWNER,
            Command::DeleteGroup(DeleteGroup {
                group: crate::support::group(&group),
            }),
        );
    }
}

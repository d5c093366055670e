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

/// U6: every list has a cursor: its pages are the list, also where the last id of a page is gone, and whoever stays is in
/// them once whatever changes in between.
#[test]
fn u6_every_list_goes_on_after_an_id() {
    let mut world = World::staffed();
    let ids: Vec<String> = (0..30).map(|number| format!("m{number:02}")).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    world.ok(OWNER, add("devs", ids.iter().map(String::as_str)));
    let listed = |list: &dyn Fn(Option<&str>) -> Vec<String>| -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        loop {
            let page = list(all.last().map(String::as_str));
            if page.is_empty() {
                return all;
            }
            all.extend(page.into_iter().take(4));
        }
    };
    let account = &world.account;
    let members = listed(&|after| {
        account
            .members_after(after)
            .map(|member| member.id().to_string())
            .collect()
    });
    assert!(
        members.iter().eq(account
            .members()
            .map(|member| member.id().to_string())
            .collect::<Vec<_>>()
            .iter())
    );
    let groups = listed(&|after| {
        account
            .groups_after(after)
            .map(|group| group.id().to_string())
            .collect()
    });
    assert!(
        groups.iter().eq(account
            .groups()
            .map(|group| group.id().to_string())
            .collect::<Vec<_>>()
            .iter())
    );
    let stores = listed(&|after| {
        account
            .stores_after(after)
            .map(ToString::to_string)
            .collect()
    });
    assert!(
        stores.iter().eq(account
            .stores()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .iter())
    );
    let devs = account.group("devs").unwrap();
    let of_devs = listed(&|after| devs.members_after(after).map(ToString::to_string).collect());
    assert!(
        of_devs.iter().eq(devs
            .members()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .iter())
    );
    assert_eq!(
        (of_devs.len(), account.group("devs").unwrap().member_count()),
        (of_devs.len(), of_devs.len())
    );

    let first: Vec<String> = devs.members().take(5).map(ToString::to_string).collect();
    let (last, gone) = (first[4].clone(), [first[4].as_str(), first[0].as_str()]);
    let rest: Vec<String> = devs.members().skip(5).map(ToString::to_string).collect();
    world.ok(OWNER, take_out("devs", gone));
    world.ok(OWNER, remove_members(gone));
    let devs = world.account.group("devs").unwrap();
    assert!(
        devs.members_after(Some(&last))
            .map(ToString::to_string)
            .eq(rest.iter().cloned())
    );
    assert!(
        world
            .account
            .members_after(Some(&last))
            .all(|member| member.id().as_str() > last.as_str())
    );
    assert_eq!(
        world.account.groups_after(Some("devt")).count(),
        world
            .account
            .groups()
            .filter(|group| group.id().as_str() > "devt")
            .count()
    );
}

/// P1, P2, P4: a filter of stores says where the check says yes, and of which version.
#[test]
fn p1_a_store_filter_is_the_check_in_every_store() {
    let world = World::staffed();
    for member in world
        .account
        .members()
        .map(|member| member.id().to_string())
        .chain(["nobody".to_owned()])
    {
        for permission in [
            Permission::STORE_READ,
            Permission::STORE_WRITE,
            permission("log.read"),
        ] {
            let filter = world.account.store_filter(&member, &permission);
            assert_eq!(filter.version, world.account.version());
            for store in world.account.stores() {
                let is_in = match &filter.stores {
                    StoreSet::All => true,
                    StoreSet::None => false,
                    StoreSet::Only(stores) => stores.contains(store),
                };
                assert_eq!(
                    is_in,
                    world
                        .account
                        .can(&member, &permission, Resource::Store(store)),
                    "{member} {store}"
                );
            }
        }
    }
    let json = |member| {
        serde_json::to_value(
            world
                .account
                .store_filter(member, &Permission::STORE_READ)
                .stores,
        )
        .unwrap()
    };
    assert_eq!(json(OWNER), "all");
    assert_eq!(json("nobody"), "none");
    assert_eq!(json("dana"), serde_json::json!({"only": ["dev"]}));
    let mut closed = world;
    closed.ok(OWNER, close());
    assert_eq!(
        closed
            .account
            .store_filter(OWNER, &Permission::STORE_READ)
            .stores,
        StoreSet::None
    );
}

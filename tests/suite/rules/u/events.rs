//! U1: an accepted command is exactly one event, or none if nothing changes.

use grantbook::event::{AddedToGroup, RemovedFromGroup};
use grantbook::*;

use crate::support::*;

/// U1: every accepted command that changes something is one event; one that changes nothing is none.
#[test]
fn u1_a_change_is_one_event() {
    let mut world = World::staffed();
    let before = world.account.version();
    world.ok(OWNER, add("viewers", ["dana", "nils", "ina"]));
    assert_eq!(world.account.version(), before + 1);
    world.no_change(OWNER, add("viewers", ["dana", "nils"]));
    world.no_change(OWNER, take_out("it", ["dana"]));
    world.no_change(OWNER, rename_group("it", "IT Group"));
    world.no_change(OWNER, revoke_ownership("dana"));
    assert_eq!(world.account.version(), before + 1);
    assert_eq!(world.records.len() as u64, world.account.version());
}

/// U1: creating something that exists is refused.
#[test]
fn u1_what_exists_cannot_be_created_again() {
    let mut world = World::staffed();
    world.assert_refused(OWNER, create_store("dev"), "store-exists");
    world.assert_refused(
        OWNER,
        create_group("it", "IT Group", [Grant::group_manager()]),
        "group-exists",
    );
    world.assert_refused(OWNER, invite("dana"), "already-member");
}

/// U1: adding members of a group and removing others changes nothing; an event names only the members that it moves.
#[test]
fn u1_an_event_names_only_the_members_it_moves() {
    let mut world = World::staffed();
    world.no_change(OWNER, add("devs", ["dana"]));
    world.no_change(OWNER, add("devs", []));
    world.no_change(OWNER, take_out("devs", ["nils", "vic"]));
    let event = world.ok(OWNER, add("devs", ["dana", "nils", "vic"]));
    assert_eq!(
        event,
        Event::AddedToGroup(AddedToGroup {
            group: group("devs"),
            members: members(["nils", "vic"])
        })
    );
    let event = world.ok(OWNER, take_out("devs", ["dana", OWNER]));
    assert_eq!(
        event,
        Event::RemovedFromGroup(RemovedFromGroup {
            group: group("devs"),
            members: members(["dana"])
        })
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

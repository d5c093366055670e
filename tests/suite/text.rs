//! Ids as text: collections are searched with plain text, and equal ids share theirs.

use grantbook::*;

use crate::support::*;

/// Collections keyed by these types are searched with plain text, without allocating an id.
#[test]
fn lookups_take_plain_text() {
    let by_id = std::collections::HashMap::from([(member("dana"), 1)]);
    assert_eq!(by_id.get("dana"), Some(&1));
    let held = std::collections::HashSet::from([permission("store.read"), permission("a.b")]);
    assert!(held.contains("store.read") && held.contains("a.b") && !held.contains("a.c"));
    assert!(permissions(["b.b", "store.read"]).contains("store.read"));
}

/// A scope shares the text of its stores' ids with the account, in whichever way the command named them.
#[test]
fn scopes_share_the_ids_of_their_stores() {
    let mut world = World::staffed();
    world.ok(OWNER, regrant("devs", [editor(["dev", "prod"])]));
    let snapshot = serde_json::to_string(&world.account.snapshot()).unwrap();
    let read: Snapshot = serde_json::from_str(&snapshot).unwrap();
    for account in [&world.account, &Account::try_from(read).unwrap()] {
        let scope = &account.group("devs").unwrap().grant_list()[0].scope;
        let own = account.stores().map(|store| store.as_str().as_ptr());
        assert!(scope.stores().map(|store| store.as_str().as_ptr()).eq(own));
    }
}

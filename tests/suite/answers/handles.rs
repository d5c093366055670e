//! `Debug` of what holds an account: one short line, however much the account holds.

use grantbook::repository::{Accounts, MemoryRepository, load};

use crate::support::*;

fn assert_is_a_line(shown: &str, expected: &[&str]) {
    assert!(shown.len() < 200 && !shown.contains('\n'), "{shown}");
    for part in expected {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn debug_of_a_handle_is_a_line() {
    let mut world = World::staffed();
    let many: Vec<String> = (0..1_000)
        .map(|number| format!("member-{number}"))
        .collect();
    world.system(enrol(many.iter().map(String::as_str)));
    world.ok(OWNER, add("devs", many.iter().map(String::as_str)));
    let account = &world.account;
    let version = format!("version: {}", account.version());
    let shown = [
        (
            format!("{account:?}"),
            vec![r#"id: "acme""#, version.as_str(), "Open"],
        ),
        (
            format!("{:?}", account.member("dana").unwrap()),
            vec![r#"id: "dana""#, "Active { owner: false }"],
        ),
        (
            format!("{:?}", account.group("devs").unwrap()),
            vec![r#"id: "devs""#, r#"name: "Dev Team""#, "members: 100"],
        ),
        (
            format!("{:?}", account.store("dev").unwrap()),
            vec![r#"id: "dev""#],
        ),
    ];
    for (shown, expected) in &shown {
        assert_is_a_line(shown, expected);
    }
}

#[test]
fn debug_of_a_copy_is_a_line() {
    let mut world = World::staffed();
    world.system(enrol(
        (0..1_000)
            .map(|n| n.to_string())
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str),
    ));
    let kept = MemoryRepository::new();
    store_history(&kept, &world.records);
    let id = world.account.id().clone();
    let version = format!("version: {}", world.account.version());
    let expected = [r#"id: "acme""#, version.as_str(), "behind: 0"];

    let replica = load(&kept, &id).unwrap().unwrap();
    assert_is_a_line(&format!("{replica:?}"), &expected);
    let accounts = Accounts::builder(kept).build();
    let shared = accounts.get(&id).unwrap();
    assert_is_a_line(&format!("{shared:?}"), &expected);
    assert_is_a_line(&format!("{accounts:?}"), &["held: 1"]);
}

//! U4: a batch is accepted or refused as a whole.

use grantbook::*;

use crate::support::*;

/// U4: a batch is accepted as a whole; each command that changes something is one record.
#[test]
fn u4_a_batch_is_accepted_as_a_whole() {
    let mut world = World::staffed();
    let commands = [
        create_store("new"),
        create_group("new", "New Group", [viewer(["new"])]),
        add("new", ["nils"]),
        add("new", ["nils"]),
    ];
    let decided = world
        .account
        .decide_batch(&by(OWNER), &commands, at(world.now))
        .unwrap();
    assert!(!world.account.has_store("new"), "deciding changes nothing");
    let version = world.account.version();
    let records = world
        .account
        .execute_batch(&by(OWNER), &commands, at(world.now))
        .unwrap();
    assert_eq!(records, decided);
    assert_eq!(
        records.iter().map(Record::version).collect::<Vec<_>>(),
        [version + 1, version + 2, version + 3]
    );
    assert_eq!(world.level("nils", "new"), AccessLevel::Viewer);
    assert!(world.account.index_is_exact());
    assert_eq!(
        world.account.execute_batch(&by(OWNER), &[], at(world.now)),
        Ok(vec![])
    );
}

/// U4: a batch is refused as a whole, and the refusal says which command was refused first and why.
#[test]
fn u4_a_batch_is_refused_as_a_whole() {
    let mut world = World::staffed();
    let before = world.account.clone();
    let commands = [
        create_store("new"),
        create_store("dev"),
        delete_store("none"),
    ];
    let refusal = world
        .account
        .execute_batch(&by(OWNER), &commands, at(world.now))
        .unwrap_err();
    assert_eq!(world.account, before);
    assert_eq!(
        (refusal.code(), refusal.kind()),
        ("store-exists", ErrorKind::Conflict)
    );
    assert_eq!(
        refusal.to_string(),
        "command 2 of the batch: store `dev` already exists; choose another id"
    );
    assert!(matches!(refusal, CommandError::InBatch { index: 1, .. }));
    assert!(matches!(refusal.reason(), CommandError::StoreExists { .. }));
    let one = world
        .account
        .decide_batch(&by(OWNER), &commands[1..2], at(world.now))
        .unwrap_err();
    assert_eq!(&one, refusal.reason(), "a batch of one is that command");
}

/// U4, A2, E6: each command of a batch must be acceptable on what those before it leave: a batch cannot break a rule
/// and repair it later, and an actor that loses its powers in the middle stops there.
#[test]
fn u4_a_batch_cannot_break_a_rule_on_the_way() {
    let mut world = World::staffed();
    for (commands, code) in [
        (
            vec![revoke_ownership(OWNER), grant_ownership("dana")],
            "last-owner",
        ),
        (
            vec![
                grant_ownership("dana"),
                revoke_ownership(OWNER),
                create_store("new"),
            ],
            "not-authorized",
        ),
        (
            vec![
                grant_ownership("dana"),
                remove_member(OWNER),
                create_store("new"),
            ],
            "not-authorized",
        ),
        (
            vec![
                grant_ownership("dana"),
                revoke_ownership(OWNER),
                revoke_ownership("dana"),
            ],
            "not-authorized",
        ),
    ] {
        let refusal = world
            .account
            .execute_batch(&by(OWNER), &commands, at(world.now))
            .unwrap_err();
        assert_eq!(refusal.code(), code);
    }
    let none_left = [
        grant_ownership("dana"),
        remove_member(OWNER),
        remove_member("dana"),
    ];
    let refusal = world
        .account
        .execute_batch(&Actor::System, &none_left, at(world.now))
        .unwrap_err();
    assert_eq!(refusal.code(), "last-owner");
    let handed_over = [grant_ownership("dana"), revoke_ownership(OWNER)];
    assert_eq!(
        world
            .account
            .execute_batch(&by(OWNER), &handed_over, at(world.now))
            .unwrap()
            .len(),
        2
    );
}

//! Large accounts: as right as small ones. (How fast is for the benches to say.)

use grantbook::*;

use crate::support::*;

/// A3, P1: 4,096 groups, the highest limit; members in many of them, on both sides of every 64th.
#[test]
fn four_thousand_groups() {
    let mut account = World::with_limit(4_096).account;
    let mut run = |actor: &Actor, commands: Vec<Command>| {
        for commands in commands.chunks(MAX_BATCH) {
            account.execute_batch(actor, commands, at(0)).unwrap();
        }
    };
    let id = |number: usize| format!("{number:04}");
    let all = 0..4_096_usize;
    run(&Actor::System, vec![enrol(["dana", "gil"])]);
    run(
        &Actor::System,
        all.clone()
            .map(|number| create_store(&id(number)))
            .collect(),
    );
    let create = |number: usize| {
        create_group(
            &id(number),
            &format!("Group {number}"),
            [viewer([id(number).as_str()])],
        )
    };
    run(&by(OWNER), all.clone().map(create).collect());
    let in_groups = |number: &usize| matches!(number % 64, 0 | 1 | 63) || number.is_power_of_two();
    run(
        &by(OWNER),
        all.clone()
            .filter(in_groups)
            .map(|number| add(&id(number), ["dana"]))
            .collect(),
    );
    assert!(account.index_is_exact());
    for number in all {
        assert_eq!(
            account.access_level("dana", &id(number)) == AccessLevel::Viewer,
            in_groups(&number),
            "{number}"
        );
        assert_eq!(account.access_level("gil", &id(number)), AccessLevel::None);
    }
    let more = account.execute(
        &by(OWNER),
        &create_group("more", "One Too Many", [viewer(["0000"])]),
        at(0),
    );
    assert_eq!(more.unwrap_err().code(), "too-many-groups");
    assert_eq!(Account::try_from(account.snapshot()).unwrap(), account);
}

/// A1, P1, U2, U7: a million members, enrolled, grouped, checked, snapshot and read back.
#[test]
fn a_million_members() {
    let mut world = World::new();
    let mut account = world.account;
    let mut records = std::mem::take(&mut world.records);
    let mut run = |actor: &Actor, command: Command| {
        records.extend(account.execute(actor, &command, at(0)).unwrap());
    };
    run(&by(OWNER), create_store("dev"));
    run(
        &by(OWNER),
        create_group("devs", "Dev Team", [editor(["dev"])]),
    );
    for block in 0..100 {
        let ids: Vec<String> = (0..10_000)
            .map(|number| format!("member-{}", number * 100 + block))
            .collect();
        run(&Actor::System, enrol(ids.iter().map(String::as_str)));
        run(
            &by(OWNER),
            add("devs", ids.iter().step_by(2).map(String::as_str)),
        );
    }
    run(&by(OWNER), take_out("devs", ["member-0"]));
    run(&by(OWNER), remove_member("member-200"));
    assert_eq!(account.member_count(), 1_000_000);
    assert_eq!(account.group("devs").unwrap().member_count(), 499_998);
    for (id, level) in [
        ("member-400", AccessLevel::Editor),
        ("member-500", AccessLevel::None),
        ("member-0", AccessLevel::None),
        ("member-200", AccessLevel::None),
        ("member-999899", AccessLevel::Editor),
        ("member-1000000", AccessLevel::None),
    ] {
        assert_eq!(account.access_level(id, "dev"), level, "{id}");
    }
    let read = Account::try_from(account.snapshot()).unwrap();
    assert!(read.snapshot() == account.snapshot());
    let replayed = Account::replay(&records).unwrap();
    assert!(replayed == account);
}

/// G4, U7: as many grants of one role as a command may name, each in another store, are united into one.
#[test]
fn ten_thousand_grants_of_one_role() {
    let mut world = World::new();
    let id = |number: usize| format!("{number:05}");
    let stores: Vec<_> = (0..MAX_ITEMS_PER_COMMAND)
        .map(|number| create_store(&id(number)))
        .collect();
    for commands in stores.chunks(MAX_BATCH) {
        let done = world
            .account
            .execute_batch(&Actor::System, commands, at(1_000));
        world.records.extend(done.unwrap());
    }
    let grants: Vec<_> = (0..MAX_ITEMS_PER_COMMAND)
        .map(|number| viewer([id(number).as_str()]))
        .collect();
    world.ok(
        OWNER,
        create_group("all", "Every Store", [Grant::group_manager()]),
    );
    world.ok(OWNER, regrant("all", grants));
    let granted = world.account.group("all").unwrap().grants();
    assert_eq!(granted.len(), 1);
    assert!(granted[0].scope.stores().eq(world.account.stores()));
}

//! A: the account.

use grantbook::*;

use crate::support::*;

/// A1: an account opens with one owner, who is active at once.
#[test]
fn a1_an_account_opens_with_one_active_owner() {
    let world = World::new();
    assert_eq!(world.account.member_count(), 1);
    let owner = world.account.member(OWNER).unwrap();
    assert_eq!(owner.status(), MemberStatus::Active { owner: true });
    assert!(world.account.owners().eq([&member(OWNER)]));
    assert_eq!(world.account.version(), 1);
    assert_eq!(world.account.changed_at(), at(1_000));
    assert_eq!(world.account.id().as_str(), "acme");
    assert_eq!(world.account.group_limit(), GroupLimit::default());
    assert_eq!(world.records[0].actor(), &Actor::System);
}

/// A2: the last owner can be neither removed nor stripped of ownership, whoever tries.
#[test]
fn a2_the_last_owner_cannot_leave() {
    let mut world = World::staffed();
    for actor in [by(OWNER), Actor::System] {
        world.assert_refused(actor.clone(), remove_member(OWNER), "last-owner");
        world.assert_refused(actor, revoke_ownership(OWNER), "last-owner");
    }
    world.ok(OWNER, grant_ownership("dana"));
    world.ok("dana", revoke_ownership(OWNER));
    assert_eq!(world.level(OWNER, "dev"), AccessLevel::None);
    let refusal = world.refused("dana", remove_member("dana"));
    assert_eq!(
        refusal.to_string(),
        "`dana` is the last account owner; grant ownership to someone else first"
    );
}

/// A2: an invited owner does not count as an owner until it has accepted.
#[test]
fn a2_an_invited_owner_does_not_count() {
    let mut world = World::new();
    world.ok(OWNER, invite_owner("otto"));
    world.assert_refused(OWNER, remove_member(OWNER), "last-owner");
    assert_eq!(world.account.owners().count(), 1);
    world.ok("otto", accept());
    assert_eq!(world.account.owners().count(), 2);
    world.ok(OWNER, remove_member(OWNER));
    assert!(world.account.owners().eq([&member("otto")]));
    assert!(world.account.member(OWNER).is_none());
    world.assert_refused("otto", revoke_ownership("otto"), "last-owner");
}

/// A3: an account has at most 20 groups.
#[test]
fn a3_an_account_has_at_most_20_groups() {
    let mut world = World::staffed();
    for number in 3..20 {
        world.ok(
            MANAGER,
            create_group(
                &number.to_string(),
                &format!("Group {number}"),
                [viewer(["dev"])],
            ),
        );
    }
    let refusal = world.refused(OWNER, create_group("20", "Group 20", [viewer(["dev"])]));
    assert_eq!(refusal.code(), "too-many-groups");
    assert_eq!(
        refusal.to_string(),
        "the account has reached its limit of 20 groups; delete one first"
    );
    world.assert_refused(
        Actor::System,
        create_group("20", "Group 20", [viewer(["dev"])]),
        "too-many-groups",
    );
    world.ok(OWNER, delete_group("3"));
    world.ok(OWNER, create_group("20", "Group 20", [viewer(["dev"])]));
}

/// A3: the host may set another limit.
#[test]
fn a3_the_host_can_set_another_limit() {
    let mut world = World::with_limit(1);
    world.ok(
        OWNER,
        create_group("1", "Group 1", [Grant::group_manager()]),
    );
    world.assert_refused(
        OWNER,
        create_group("2", "Group 2", [Grant::group_manager()]),
        "too-many-groups",
    );
}

/// A3: a limit is 1 to 4,096 groups.
#[test]
fn a3_a_group_limit_is_1_to_4096() {
    assert_eq!(GroupLimit::default().get(), 20);
    assert_eq!(GroupLimit::new(1).map(GroupLimit::get), Ok(1));
    assert_eq!(GroupLimit::new(4_096).map(GroupLimit::get), Ok(4_096));
    for groups in [0, 4_097, u16::MAX] {
        let message = GroupLimit::new(groups).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("an account can be limited to 1 to 4096 groups, not to {groups}")
        );
    }
}

/// A3, P1: an account with 4,096 groups, the highest limit, answers correctly for a member of many of them, on both
/// sides of every 64th.
#[test]
fn a3_an_account_of_4096_groups_answers_correctly() {
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

/// A4: the same ids in two accounts have nothing to do with each other.
#[test]
fn a4_accounts_are_independent() {
    let world = World::staffed();
    let (other, _) = Account::open(
        AccountId::parse("other").unwrap(),
        member("nils"),
        GroupLimit::default(),
        at(0),
    );
    let mut other = World {
        account: other,
        records: vec![],
        now: 0,
    };
    other.ok("nils", create_store("dev"));
    other.ok("nils", create_group("devs", "Dev Team", [viewer(["dev"])]));
    assert!(!other.may("dana", "store.read", Resource::Store("dev")));
    assert!(world.may("dana", "store.read", Resource::Store("dev")));
    assert!(!world.may("nils", "store.read", Resource::Store("dev")));
}

/// A4: a store that was looked up in another account is unknown in this one, whatever its id.
#[test]
fn a4_a_store_of_another_account_is_unknown() {
    let mut world = World::new();
    world.ok(OWNER, create_store("dev"));
    let other = world.account.clone();
    let olga = world.account.member(OWNER).unwrap();
    let (own, foreign) = (
        world.account.store("dev").unwrap(),
        other.store("dev").unwrap(),
    );
    assert!(olga.can_in(&Permission::STORE_READ, own));
    assert!(!olga.can_in(&Permission::STORE_READ, foreign));
    let answers: Vec<bool> = olga
        .can_in_each(&Permission::STORE_READ, [foreign, own])
        .collect();
    assert_eq!(answers, [false, true]);
    assert!(
        foreign
            .can_each(&Permission::STORE_READ, [olga])
            .eq([false])
    );
}

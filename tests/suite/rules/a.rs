//! A: the account.

use grantbook::*;

use crate::hostile::sealed;
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

/// A3: the application may set another limit.
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

/// A3: the application changes the limit later; nobody else does, and never to less than what is there.
#[test]
fn a3_the_application_changes_the_limit() {
    let mut world = World::staffed();
    let groups = world.account.groups().count();
    assert_eq!(groups, 3);
    for actor in [OWNER, MANAGER, "nobody"] {
        world.assert_refused(actor, change_limit(30), "system-only");
    }
    world.assert_refused(Actor::System, change_limit(2), "group-limit-too-low");
    assert_eq!(
        world.refused(Actor::System, change_limit(2)).to_string(),
        "the account has 3 groups, more than a limit of 2 allows; delete some first"
    );
    assert_eq!(world.system(change_limit(3)).kind(), "group-limit-changed");
    assert_eq!(world.account.group_limit().get(), 3);
    let fourth = create_group("ops", "Ops", [Grant::group_manager()]);
    world.assert_refused(OWNER, fourth.clone(), "too-many-groups");
    world.system(change_limit(4));
    assert_eq!(world.decide(&Actor::System, &change_limit(4)), Ok(None));
    world.ok(OWNER, fourth);
}

/// A5: an owner or the application closes the account, and that is its last record: every check is denied, every
/// command refused, whoever asks, and the history is readable.
#[test]
fn a5_a_closed_account_answers_nothing_and_changes_no_more() {
    for closes in [by(OWNER), Actor::System] {
        let mut world = World::staffed();
        for actor in [MANAGER, "dana", "nobody"] {
            world.assert_refused(actor, close(), "not-authorized");
        }
        let event = world.execute(&closes, &close()).unwrap();
        assert_eq!(event.kind(), "account-closed");
        assert!(world.account.is_closed());
        for id in [OWNER, MANAGER, "dana", "ina", "nobody"] {
            for resource in [
                Resource::Account,
                Resource::Store("dev"),
                Resource::Store("none"),
            ] {
                for held in Permission::BUILT_IN {
                    assert!(!world.may(id, &held, resource));
                    assert_eq!(
                        world.denial(id, &held, resource),
                        DenialReason::AccountClosed
                    );
                    assert_eq!(world.account.who_can(&held, resource, None).count(), 0);
                    assert_eq!(world.account.stores_for(id, &held, None).count(), 0);
                    if let Some(handle) = world.account.member(id) {
                        assert!(!handle.can(&held, resource));
                        let store = world.account.store("dev").unwrap();
                        assert!(!handle.can_in(&held, store));
                    }
                }
            }
            assert_eq!(world.level(id, "dev"), AccessLevel::None);
            assert!(world.account.effective_permissions(id).is_empty());
        }
        for actor in [by(OWNER), by(MANAGER), by("nobody"), Actor::System] {
            for command in [
                create_store("new"),
                accept(),
                leave(),
                enrol(["new"]),
                close(),
            ] {
                world.assert_refused(actor.clone(), command, "account-closed");
            }
        }
        // The history is there, and so are the lists; a record that comes after is not applied.
        assert_eq!(Account::replay(&world.records).unwrap(), world.account);
        assert_eq!(world.account.member_count(), 6);
        let snapshot = world.account.snapshot();
        assert!(Account::try_from(snapshot).unwrap().is_closed());
        let more = World::staffed();
        let mut later = serde_json::to_value(more.records.last().unwrap()).unwrap();
        later["version"] = (world.account.version() + 1).into();
        let later: Record = serde_json::from_value(later).unwrap();
        let later = sealed(&later, world.account.digest());
        let error = world.account.apply(&later).unwrap_err();
        assert_eq!(error.code(), "does-not-fit");
    }
}

//! What members could gain, alone or with another.

use grantbook::command::EditGroup;
use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, STORES, account, config};
use crate::support::*;

/// E4: alone, nobody gains anything; two group managers gain everything but ownership, and the search says how.
#[test]
fn e4_two_group_managers_can_raise_each_other() {
    let mut world = World::staffed();
    let alone = |world: &World, id: &str| world.account.escalation(id, None, 3, at(world.now));
    for id in [MANAGER, "dana", "nils", OWNER, "nobody"] {
        assert_eq!(alone(&world, id), [], "{id}");
    }
    let ina = alone(&world, "ina");
    assert_eq!(
        ina.iter().map(ToString::to_string).collect::<Vec<_>>(),
        [
            "`ina` could gain `store.read` in store `dev`: `ina` accepts the invitation",
            "`ina` could gain `store.write` in store `dev`: `ina` accepts the invitation",
        ]
    );
    let with_editor = world
        .account
        .escalation(MANAGER, Some("dana"), 3, at(world.now));
    let said: Vec<_> = with_editor.iter().map(ToString::to_string).collect();
    assert!(
        said.contains(
            &"`dana` could gain `store.read` in store `prod`: `gil` adds `dana` to group `viewers`"
                .to_owned()
        )
    );
    assert!(
        said.contains(
            &"`gil` could gain `store.read` in store `prod`: `gil` adds `dana` to group `it`, then `dana` adds `gil` to group `viewers`"
                .to_owned()
        ),
        "{said:#?}"
    );
    world.ok(OWNER, add("it", ["vic"]));
    let gains = world
        .account
        .escalation(MANAGER, Some("vic"), 3, at(world.now));
    assert_eq!(
        gains
            .iter()
            .filter(|gain| gain.member.as_str() == MANAGER)
            .count(),
        4
    );
    assert!(gains.iter().all(|gain| gain.steps.len() <= 2));
    let with_owner = world
        .account
        .escalation(OWNER, Some("nils"), 1, at(world.now));
    assert_eq!(with_owner.len(), Permission::BUILT_IN.len() * 3);
    let stranger = world
        .account
        .escalation(MANAGER, Some("eve"), 3, at(world.now));
    assert!(stranger.iter().any(|gain| {
        gain.to_string() == "`eve` could gain `store.read` in store `dev`: \
                             `gil` invites `eve`, then `eve` accepts the invitation, then `gil` adds `eve` to group `devs`"
    }));
}

/// E4: one group manager who controls a second person can raise itself by it, whether that person is a member already,
/// is invited, or is not known yet.
#[test]
fn e4_a_group_manager_can_use_a_second_person() {
    let mut world = World::staffed();
    let said = |world: &World, depth| -> Vec<String> {
        let gains = world
            .account
            .escalation(MANAGER, Some("gil2"), depth, at(world.now));
        let own = gains.iter().filter(|gain| gain.member.as_str() == MANAGER);
        own.map(ToString::to_string).collect()
    };
    let in_prod = "`gil` could gain `store.read` in store `prod`:";
    let raises = "then `gil2` adds `gil` to group `viewers`";
    assert_eq!(said(&world, 3), [""; 0], "too few steps");
    let of_a_stranger = said(&world, 4);
    assert_eq!(of_a_stranger.len(), 3, "what the groups grant already");
    assert!(
        of_a_stranger.contains(&format!(
            "{in_prod} `gil` invites `gil2`, then `gil2` accepts the invitation, then `gil` adds `gil2` to group `it`, \
             {raises}"
        )),
        "{of_a_stranger:#?}"
    );
    world.ok(MANAGER, invite("gil2"));
    let of_an_invited = said(&world, 3);
    assert!(
        of_an_invited.contains(&format!(
            "{in_prod} `gil2` accepts the invitation, then `gil` adds `gil2` to group `it`, {raises}"
        )),
        "{of_an_invited:#?}"
    );
    world.ok("gil2", accept());
    let of_a_member = said(&world, 2);
    assert!(of_a_member.contains(&format!(
        "{in_prod} `gil` adds `gil2` to group `it`, {raises}"
    )));
}

/// E4, U7: if one command can name all that a group could be given, the search grants it all at once.
#[test]
fn e4_the_search_grants_everything_in_one_command() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    world.ok(
        OWNER,
        define_role("bill", "Billing", RoleLevel::Account, &["bill.read"]),
    );
    world.ok(OWNER, add("it", ["vic"]));
    let gains = world
        .account
        .escalation(MANAGER, Some("vic"), 2, at(world.now));
    let steps = |text: &str| -> Vec<&Vec<(MemberId, Command)>> {
        let gains = gains.iter().filter(|gain| gain.permission.as_str() == text);
        gains
            .filter(|gain| gain.member.as_str() == MANAGER)
            .map(|gain| &gain.steps)
            .collect()
    };
    let (in_stores, at_account) = (steps("log.read"), steps("bill.read"));
    assert_eq!((in_stores.len(), at_account.len()), (2, 1));
    assert!(
        in_stores.iter().all(|steps| *steps == at_account[0]),
        "{gains:#?}"
    );
}

/// E4, U7: if everything is more than one command may name, the search grants it in parts.
#[test]
fn e4_the_search_splits_what_one_command_cannot_name() {
    let mut world = World::with_limit(3);
    world.system(enrol(["gil", "hal"]));
    let stores: Vec<_> = (0..=MAX_ITEMS_PER_COMMAND / 2)
        .map(|number| create_store(&format!("s{number}")))
        .collect();
    for stores in stores.chunks(MAX_BATCH) {
        world
            .account
            .execute_batch(&by(OWNER), stores, at(world.now))
            .unwrap();
    }
    world.ok(
        OWNER,
        create_group("it", "IT Group", [Grant::group_manager()]),
    );
    world.ok(OWNER, create_group("devs", "Dev Team", [viewer(["s0"])]));
    world.ok(OWNER, add("it", ["gil"]));
    world.ok(OWNER, add("devs", ["hal"]));
    let gains = world
        .account
        .escalation("hal", Some("gil"), 1, at(world.now));
    let of_hal = |permission, resource| {
        gains.iter().find(|gain| {
            gain.member.as_str() == "hal"
                && gain.permission == permission
                && gain.resource.as_deref() == resource
        })
    };
    let gain = of_hal(Permission::STORE_WRITE, Resource::Store("s5000")).unwrap();
    let [
        (
            _,
            Command::EditGroup(EditGroup {
                grants: Some(grants),
                ..
            }),
        ),
    ] = gain.steps.as_slice()
    else {
        panic!("{gain}")
    };
    assert!(
        matches!(grants.as_slice(), [grant] if grant.role == RoleId::store_editor()),
        "a part, and not everything"
    );
    assert!(of_hal(Permission::MANAGE_GROUPS, Resource::Account).is_some());
}

proptest! {
    #![proptest_config(config(48))]

    /// E4: alone, nobody but an invited member gains anything; what two could gain, they can, and what one command of
    /// theirs gains is reported as one.
    #[test]
    fn e4_the_search_is_exact(world in account(16), one in 0..MEMBERS.len(), other in 0..MEMBERS.len()) {
        let (one, other, now) = (MEMBERS[one], MEMBERS[other], at(world.now));
        let account = &world.account;
        let alone = account.escalation(one, None, 2, now);
        let is_active = account.member(one).is_some_and(|member| member.status().is_active());
        prop_assert!(alone.is_empty() || !is_active, "{:?}", alone);
        let together = account.escalation(one, Some(other), 2, now);
        for gain in alone.iter().chain(together.iter().step_by(7)) {
            check_gain(account, gain, now)?;
        }
        let ways = |gains: Vec<Escalation>| -> Vec<_> {
            gains.into_iter().map(|gain| (gain.member, gain.resource, gain.permission, gain.steps.len())).collect()
        };
        prop_assert_eq!(ways(together.clone()), {
            let mut turned = ways(account.escalation(other, Some(one), 2, now));
            turned.sort();
            turned
        });
        if one == other {
            return Ok(());
        }
        let mut single = vec![accept(), grant_ownership(one), grant_ownership(other), reinstate(one), reinstate(other)];
        for group in account.groups() {
            single.push(add(group.id(), [one]));
            single.push(add(group.id(), [other]));
            for store in STORES.into_iter().filter(|store| account.has_store(store)) {
                let grants = group.grants().filter(|grant| *grant.scope != Scope::Stores([].into()));
                single.push(regrant(group.id(), grants.map(GrantRef::to_grant).chain([editor([store])]).collect::<Vec<_>>()));
            }
        }
        for (actor, command) in [one, other].iter().flat_map(|actor| single.iter().map(move |command| (*actor, command))) {
            let Ok(preview) = account.preview(&by(actor), std::slice::from_ref(command), now) else { continue };
            for change in preview.delta.iter().filter(|change| [one, other].contains(&change.member.as_str())) {
                for permission in Permission::BUILT_IN.iter().filter(|permission| change.gains(permission)) {
                    let gain = together.iter().find(|gain| {
                        gain.member == *change.member && gain.resource == *change.resource && gain.permission == *permission
                    });
                    prop_assert_eq!(gain.map(|gain| gain.steps.len()), Some(1), "{:?} {:?}", command, change);
                }
            }
        }
    }
}

/// E4: what the search reports can be done, step by step, and no step before the last leads there.
fn check_gain(account: &Account, gain: &Escalation, now: Timestamp) -> Result<(), TestCaseError> {
    let mut account = account.clone();
    for (actor, command) in &gain.steps {
        prop_assert!(
            !account.can(&gain.member, &gain.permission, gain.resource.as_deref()),
            "{}",
            gain
        );
        let done = account.execute(&Actor::Member(actor.clone()), command, now);
        prop_assert!(matches!(done, Ok(Some(_))), "{}: {:?}", gain, done);
    }
    prop_assert!(
        account.can(&gain.member, &gain.permission, gain.resource.as_deref()),
        "{}",
        gain
    );
    Ok(())
}

//! No check allocates. A binary of its own, since it counts what its process allocates.

use std::alloc::System;
use std::hint::black_box;

use grantbook::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NOW: Timestamp = Timestamp::from_millis(0);

/// An account whose members are in one word of groups, in several, and in more than an entry holds.
fn account() -> Result<Account, Box<dyn std::error::Error>> {
    let (olga, limit) = (MemberId::parse("olga")?, GroupLimit::new(100)?);
    let (mut account, _) = Account::open(AccountId::parse("acme")?, olga, limit, NOW);
    let ids = ["one", "last", "all"];
    let members: Vec<MemberId> = ids
        .iter()
        .map(|id| MemberId::parse(id))
        .collect::<Result<_, _>>()?;
    let (invited, dev) = (MemberId::parse("ina")?, StoreId::parse("dev")?);
    let mut commands = vec![
        Command::EnrolMembers {
            members: members.iter().cloned().collect(),
        },
        Command::InviteMember {
            member: invited,
            as_owner: false,
            expires: Some(Timestamp::from_millis(9)),
        },
        Command::CreateStore { store: dev.clone() },
        Command::DefineRole {
            role: RoleId::parse("billing")?,
            name: RoleName::parse("Billing")?,
            level: Level::Store,
            permissions: [Permission::parse("invoice.read")?].into(),
        },
    ];
    for number in 0..100 {
        let group = GroupId::parse(&format!("group-{number:02}"))?;
        let grants = vec![
            Grant::store_viewer([dev.clone()]),
            Grant::in_stores(RoleId::parse("billing")?, [dev.clone()]),
        ];
        commands.push(Command::CreateGroup {
            group: group.clone(),
            name: GroupName::parse(&format!("Group {number:02}"))?,
            description: Description::default(),
            grants,
        });
        let mut some = vec![members[2].clone()];
        some.extend((number == 0).then(|| members[0].clone()));
        some.extend((number == 99).then(|| members[1].clone()));
        commands.push(Command::AddToGroup {
            group,
            members: some.into_iter().collect(),
        });
    }
    for command in &commands {
        account.execute(&Actor::System, command, NOW)?;
    }
    Ok(account)
}

/// P1, P4: nothing is allocated by a check, allowed or denied, by text or looked up before.
#[test]
fn a_check_allocates_nothing() {
    let account = account().unwrap();
    let permissions = [
        Permission::STORE_READ,
        Permission::STORE_WRITE,
        Permission::MANAGE_GROUPS,
        Permission::parse("invoice.read").unwrap(),
        Permission::parse("invoice.pay").unwrap(),
    ];
    let counted = Region::new(ALLOCATOR);
    let mut allowed = 0;
    for permission in &permissions {
        for id in ["olga", "one", "last", "all", "ina", "nobody"] {
            for place in [Place::Account, Place::Store("dev"), Place::Store("none")] {
                allowed += usize::from(black_box(account.can(id, permission, place)));
                let (member, store) = (account.member(id), account.store("dev"));
                for (member, store) in member.into_iter().zip(store) {
                    black_box(member.can(permission, place));
                    black_box(member.can_in(permission, store));
                    black_box(
                        member
                            .can_in_each(permission, [store; 3])
                            .filter(|may| *may)
                            .count(),
                    );
                    black_box(
                        store
                            .can_each(permission, [member; 3])
                            .filter(|may| *may)
                            .count(),
                    );
                }
            }
        }
    }
    let change = counted.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0));
    assert_eq!(
        allowed,
        5 * 2 + 3 * 2,
        "the owner everywhere, each of the three by two permissions"
    );
    drop(account.snapshot());
    assert!(counted.change().allocations > 0, "it does count");
}

//! No check allocates, and no change copies the account. A binary of its own with one test, since it counts what its
//! process allocates, and that of the test harness between two tests would count as well.

use std::alloc::System;
use std::hint::black_box;

use grantbook::command::{
    AddMembers, AddToGroup, CreateGroup, CreateStore, DefineRole, GrantRole, InviteMember,
    RemoveFromGroup, RemoveMembers,
};
use grantbook::repository::{Accounts, MemoryRepository, Request, SharedAccount, SyncStorage};
use grantbook::*;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NOW: Timestamp = Timestamp::from_millis(0);

/// An id that stands in a table by its text.
const LONG: &str = "last@members.example";

/// An account whose members are in one word of groups, in several, and in more than an entry holds.
fn account() -> Result<Account, Box<dyn std::error::Error>> {
    let (olga, limit) = (MemberId::parse("olga")?, GroupLimit::new(101)?);
    let (mut account, _) = Account::open(AccountId::parse("acme")?, olga, limit, NOW);
    let ids = ["one", LONG, "all"];
    let members: Vec<MemberId> = ids
        .iter()
        .map(|id| MemberId::parse(id))
        .collect::<Result<_, _>>()?;
    let (invited, dev) = (MemberId::parse("ina")?, StoreId::parse("dev")?);
    let mut commands = vec![
        Command::AddMembers(AddMembers {
            members: members.iter().cloned().collect(),
        }),
        Command::InviteMember(InviteMember {
            member: invited,
            as_owner: false,
            expires: Some(Timestamp::from_millis(9)),
        }),
        Command::CreateStore(CreateStore { store: dev.clone() }),
        Command::DefineRole(DefineRole {
            role: RoleId::parse("billing")?,
            name: RoleName::parse("Billing")?,
            level: RoleLevel::Store,
            permissions: [Permission::parse("invoice.read")?].into(),
        }),
    ];
    for number in 0..100 {
        let group = GroupId::parse(&format!("group-{number:02}"))?;
        let grants = vec![
            Grant::store_viewer([dev.clone()]),
            Grant::in_stores(RoleId::parse("billing")?, [dev.clone()]),
        ];
        commands.push(Command::CreateGroup(CreateGroup {
            group: group.clone(),
            name: GroupName::parse(&format!("Group {number:02}"))?,
            description: Description::default(),
            grants,
        }));
        let mut some = vec![members[2].clone()];
        some.extend((number == 0).then(|| members[0].clone()));
        some.extend((number == 99).then(|| members[1].clone()));
        commands.push(Command::AddToGroup(AddToGroup {
            group,
            members: some.into_iter().collect(),
        }));
    }
    for command in &commands {
        account.execute(&Actor::System, command, NOW)?;
    }
    Ok(account)
}

/// An account of olga's, for many threads.
fn shared() -> Result<SharedAccount<SyncStorage<MemoryRepository>>, Box<dyn std::error::Error>> {
    let (acme, olga) = (AccountId::parse("acme")?, MemberId::parse("olga")?);
    let (commit, limit) = (IdempotencyKey::parse("1")?, GroupLimit::default());
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    Ok(accounts.open(commit, acme, olga, limit, NOW)?)
}

#[test]
fn what_is_allocated() {
    a_check_allocates_nothing();
    a_change_copies_no_account();
    held_bytes_are_about_what_is_allocated();
}

/// P1, P4: nothing is allocated by a check, allowed or denied, by text or looked up before.
fn a_check_allocates_nothing() {
    let account = account().unwrap();
    let shared = shared().unwrap();
    // A thread's first check notes which lock is its own.
    assert!(shared.can("olga", &Permission::MANAGE_GROUPS, Resource::Account));
    let permissions = [
        Permission::STORE_READ,
        Permission::STORE_WRITE,
        Permission::MANAGE_GROUPS,
        Permission::parse("invoice.read").unwrap(),
        Permission::parse("invoice.pay").unwrap(),
        Permission::parse("store.read.titles").unwrap(),
        Permission::parse("invoice.read.all.pages").unwrap(),
    ];
    let counted = Region::new(ALLOCATOR);
    let mut allowed = 0;
    for permission in &permissions {
        for id in ["olga", "one", LONG, "all", "ina", "nobody"] {
            for resource in [
                Resource::Account,
                Resource::Store("dev"),
                Resource::Store("none"),
            ] {
                let decision = black_box(account.check(id, permission, resource));
                let may = black_box(account.can(id, permission, resource));
                assert_eq!(may, decision.is_allowed());
                allowed += usize::from(may);
                black_box(shared.can(id, permission, resource));
                black_box(account.access_level(id, "dev"));
                let asked = [(id, permission, resource); 40];
                assert!(account.can_many(asked).all(|answer| answer == may));
                let all = account.effective(id);
                assert_eq!(all.can(permission, resource), may);
                black_box((all.level("dev"), all.account().level(), all.is_empty()));
                for (_, there) in all.stores() {
                    black_box((there.level(), there.allows(permission)));
                }
                let (member, store) = (account.member(id), account.store("dev"));
                for (member, store) in member.into_iter().zip(store) {
                    black_box(member.can(permission, resource));
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
        7 * 2 + 3 * 4,
        "the owner everywhere, each of the three by two permissions, and by what these include"
    );
    drop(account.snapshot());
    assert!(counted.change().allocations > 0, "it does count");
}

/// U3, U4, E4: a change, whoever makes it, and a refused one are tried and made without a copy of the account.
fn a_change_copies_no_account() {
    let counted = Region::new(ALLOCATOR);
    let mut account = account().unwrap();
    let ids = (0..MAX_ITEMS_PER_COMMAND)
        .map(|number| MemberId::parse(&format!("member-{number}")).unwrap());
    let members = ids.collect();
    let enrol = Command::AddMembers(AddMembers { members });
    account.execute(&Actor::System, &enrol, NOW).unwrap();
    drop(enrol);
    let change = counted.change();
    let held = change.bytes_allocated - change.bytes_deallocated;

    let (one, it) = (
        MemberId::parse("one").unwrap(),
        GroupId::parse("it").unwrap(),
    );
    let manages = [
        Command::CreateGroup(CreateGroup {
            group: it.clone(),
            name: GroupName::parse("IT Group").unwrap(),
            description: Description::default(),
            grants: vec![Grant::group_manager()],
        }),
        Command::AddToGroup(AddToGroup {
            group: it,
            members: [one.clone()].into(),
        }),
    ];
    let system = Actor::System;
    for command in &manages {
        account.execute(&system, command, NOW).unwrap();
    }

    let change = |add: bool, number: u16| {
        let members = [MemberId::parse(&format!("member-{number}")).unwrap()].into();
        let group = GroupId::parse("group-07").unwrap();
        if add {
            Command::AddToGroup(AddToGroup { group, members })
        } else {
            Command::RemoveFromGroup(RemoveFromGroup { group, members })
        }
    };
    let refused = Command::RemoveMembers(RemoveMembers {
        members: [MemberId::parse("olga").unwrap()].into(),
    });
    let owner = Actor::Member(MemberId::parse("olga").unwrap());
    for (number, actor) in (0..).zip([system, owner, Actor::Member(one)]) {
        for add in [true, false] {
            let (command, batch) = (
                change(add, number),
                [change(add, number + 3), change(add, number + 6)],
            );
            let counted = Region::new(ALLOCATOR);
            assert!(account.execute(&actor, &command, NOW).unwrap().is_some());
            assert_eq!(account.execute_batch(&actor, &batch, NOW).unwrap().len(), 2);
            account.execute(&actor, &refused, NOW).unwrap_err();
            let allocated = counted.change().bytes_allocated;
            assert!(allocated < held / 50, "{actor}: {allocated} of {held}");
        }
    }
}

/// What `Accounts` counts against their capacity is within a factor of two of what was asked of the allocator, for
/// accounts that are mostly members, stores, groups, roles or grants.
fn held_bytes_are_about_what_is_allocated() {
    type Made = fn(u32) -> Command;
    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u32) -> T {
        format!("number {number}").parse().unwrap()
    }
    let member = |number| {
        let members = [id::<MemberId>(number)].into();
        Command::AddMembers(AddMembers { members })
    };
    let store = |number| Command::CreateStore(CreateStore { store: id(number) });
    let group = |number| {
        Command::CreateGroup(CreateGroup {
            group: id(number),
            name: id(number),
            description: Description::default(),
            grants: vec![Grant::group_manager()],
        })
    };
    let role = |number| {
        Command::DefineRole(DefineRole {
            role: id(number),
            name: id(number),
            level: RoleLevel::Store,
            permissions: [format!("invoice.no{number}").parse().unwrap()].into(),
        })
    };
    let grant = |number| {
        Command::GrantRole(GrantRole {
            group: id(0),
            role: RoleId::store_viewer(),
            scope: Scope::Stores([id(number)].into()),
        })
    };
    let joins = |number| {
        Command::AddToGroup(AddToGroup {
            group: id(number % 50),
            members: [id::<MemberId>(number % 5_000)].into(),
        })
    };
    let shapes: [(&str, &[(Made, u32)]); 7] = [
        ("empty", &[]),
        ("members", &[(member, 5_000)]),
        ("stores", &[(store, 5_000)]),
        ("groups", &[(group, 100)]),
        ("roles", &[(role, 200)]),
        ("grants", &[(group, 1), (store, 2_000), (grant, 2_000)]),
        (
            "memberships",
            &[(group, 50), (member, 5_000), (joins, 20_000)],
        ),
    ];
    for (shape, parts) in shapes {
        let (key, limit) = (
            IdempotencyKey::parse("1").unwrap(),
            GroupLimit::new(GroupLimit::HIGHEST).unwrap(),
        );
        let (acme, olga) = (id::<AccountId>(0), MemberId::parse("olga").unwrap());
        let kept = MemoryRepository::new();
        let opener = Accounts::builder(&kept).build();
        let handle = opener.open(key, acme.clone(), olga, limit, NOW).unwrap();
        let commands: Vec<_> = parts
            .iter()
            .flat_map(|(made, count)| (0..*count).map(made))
            .collect();
        for (number, batch) in commands.chunks(1_000).enumerate() {
            let key = IdempotencyKey::parse(&format!("batch {number}")).unwrap();
            let request = Request::by(Actor::System, key, NOW).commands(batch.to_vec());
            handle.execute(&request).unwrap();
        }
        drop((handle, opener, commands));
        let accounts = Accounts::builder(&kept).build();
        let counted = Region::new(ALLOCATOR);
        let handle = accounts.get(&acme).unwrap();
        let change = counted.change();
        let held = change.bytes_allocated - change.bytes_deallocated;
        let estimate = accounts.held_bytes();
        assert!(
            estimate <= held * 2 && held <= estimate * 2,
            "{shape}: {estimate} are estimated, {held} are held"
        );
        drop(handle);
    }
}

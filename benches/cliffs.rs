//! The property protected: cost follows a command's length and what it really changes, and never a product of what two
//! others put in place (U7). Inputs are doubled; each doubling may take 2.2 times the time and the memory.
//!
//! `cargo bench --bench cliffs` prints the table; `cargo test --bench cliffs` runs the smallest sizes.

use std::alloc::System;
use std::collections::BTreeSet;
use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use grantbook::command::{
    AddMembers, AddToGroup, ChangeRole, CreateGroup, CreateStore, DefineRole, RemoveMembers,
};
use grantbook::{
    Account, Actor, Command, Description, Grant, GroupId, GroupLimit, GroupName, MemberId,
    ParseError, Permission, RoleId, RoleLevel, RoleName, Snapshot, StoreId, Timestamp,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

mod timing;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn main() -> Result<()> {
    let is_bench = timing::is_bench();
    let sizes: &[usize] = if is_bench {
        &[1_000, 2_000, 4_000, 8_000, 10_000]
    } else {
        &[50, 100]
    };
    println!("{:64} {:>10} {:>10}", "", "ms", "MB");
    for by_manager in [false, true] {
        for size in sizes {
            let who = if by_manager { "a manager" } else { "the host" };
            let (time, bytes) = role_in_stores(*size, by_manager)?;
            row(
                &format!("{size} permissions granted in {size} stores by {who}"),
                time,
                bytes,
            );
        }
    }
    for size in sizes {
        let (time, bytes) = snapshot_of_role_in_stores(*size)?;
        row(
            &format!("the snapshot of {size} permissions in {size} stores, read"),
            time,
            bytes,
        );
    }
    let large = if is_bench { 10_000 } else { 100 };
    let (time, bytes) = many_roles_in_one_store(16, large)?;
    row(
        &format!("16 roles of {large} permissions in one store"),
        time,
        bytes,
    );
    for size in sizes {
        let (time, bytes) = many_roles_ended(*size)?;
        row(
            &format!("{size} roles of one group in one store, all ended by a manager"),
            time,
            bytes,
        );
    }
    let groups = if is_bench { [1, 20] } else { [1, 2] };
    for groups in groups {
        let time = rename_role(groups, large)?;
        row(
            &format!("a new name for a role that {groups} groups grant in {large} stores"),
            time,
            0,
        );
    }
    let groups = if is_bench { [100, 4_000] } else { [10, 20] };
    for groups in groups {
        row(
            &format!("500 members removed, {groups} groups"),
            remove_members(groups)?,
            0,
        );
    }
    for permissions in [10, large] {
        let time = additions_by_a_manager(permissions)?;
        row(
            &format!("1,000 single additions, {permissions} account-level permissions"),
            time,
            0,
        );
    }
    Ok(())
}

fn row(what: &str, time: Duration, bytes: usize) {
    let megabytes = f64::from(u32::try_from(bytes / 1_000).unwrap_or(u32::MAX)) / 1_000.0;
    println!(
        "{what:64} {:10.3} {megabytes:10.2}",
        time.as_secs_f64() * 1_000.0
    );
}

/// An account, with commands by the host.
struct Made(Account);

impl Made {
    fn new() -> Result<Self> {
        let limit = GroupLimit::new(GroupLimit::HIGHEST)?;
        let (account, _) = Account::open("acme".parse()?, "olga".parse()?, limit, NOW);
        Ok(Self(account))
    }

    fn run(&mut self, command: impl Into<Command>) -> Result<()> {
        let record = self.0.execute(&Actor::System, &command.into(), NOW)?;
        record.map(drop).ok_or_else(|| "nothing changed".into())
    }

    fn stores(&mut self, count: usize) -> Result<Vec<StoreId>> {
        let stores: Vec<StoreId> = (0..count)
            .map(|number| format!("store-{number:05}").parse())
            .collect::<std::result::Result<_, _>>()?;
        for store in &stores {
            self.run(CreateStore {
                store: store.clone(),
            })?;
        }
        Ok(stores)
    }

    fn role(&mut self, id: &str, level: RoleLevel, count: usize) -> Result<RoleId> {
        let permissions: BTreeSet<Permission> = (0..count)
            .map(|number| format!("report.p{number:05}").parse())
            .collect::<std::result::Result<_, ParseError>>()?;
        let role: RoleId = id.parse()?;
        let name: RoleName = format!("Role {id}").parse()?;
        self.run(DefineRole {
            role: role.clone(),
            name,
            level,
            permissions,
        })?;
        Ok(role)
    }

    fn group(&mut self, id: &str, grants: Vec<Grant>) -> Result<GroupId> {
        let command = create_group(id, grants)?;
        let group = command.group.clone();
        self.run(command)?;
        Ok(group)
    }

    fn members(&mut self, count: usize) -> Result<Vec<MemberId>> {
        let members: Vec<MemberId> = (0..count)
            .map(|number| format!("member-{number:05}").parse())
            .collect::<std::result::Result<_, _>>()?;
        self.run(AddMembers {
            members: members.iter().cloned().collect(),
        })?;
        Ok(members)
    }

    /// A group manager.
    fn manager(&mut self) -> Result<Actor> {
        let manager: MemberId = "gil".parse()?;
        self.run(AddMembers {
            members: [manager.clone()].into(),
        })?;
        let group = self.group("managers", vec![Grant::group_manager()])?;
        self.run(AddToGroup {
            group,
            members: [manager.clone()].into(),
        })?;
        Ok(Actor::Member(manager))
    }
}

fn create_group(id: &str, grants: Vec<Grant>) -> Result<CreateGroup> {
    Ok(CreateGroup {
        group: id.parse()?,
        name: GroupName::parse(&format!("Group {id}"))?,
        description: Description::default(),
        grants,
    })
}

/// The time that it takes, and the most bytes that stay.
fn measured<T>(run: impl FnOnce() -> T) -> (Duration, usize) {
    let region = Region::new(ALLOCATOR);
    let start = Instant::now();
    let made = black_box(run());
    let time = start.elapsed();
    let change = region.change();
    drop(made);
    (time, change.bytes_allocated)
}

/// The best of some runs, each on an account of its own.
fn best(mut run: impl FnMut() -> Result<(Duration, usize)>) -> Result<(Duration, usize)> {
    let mut best = run()?;
    for _ in 0..4 {
        best = best.min(run()?);
    }
    Ok(best)
}

fn role_in_stores(size: usize, by_manager: bool) -> Result<(Duration, usize)> {
    best(|| {
        let mut made = Made::new()?;
        let stores = made.stores(size)?;
        let role = made.role("large", RoleLevel::Store, size)?;
        let manager = made.manager()?;
        let actor = if by_manager { manager } else { Actor::System };
        let command: Command = create_group("new", vec![Grant::in_stores(role, stores)])?.into();
        let account = &mut made.0;
        Ok(measured(|| account.execute(&actor, &command, NOW)))
    })
}

fn snapshot_of_role_in_stores(size: usize) -> Result<(Duration, usize)> {
    let mut made = Made::new()?;
    let stores = made.stores(size)?;
    let role = made.role("large", RoleLevel::Store, size)?;
    made.group("new", vec![Grant::in_stores(role, stores)])?;
    let snapshot: Snapshot = made.0.snapshot();
    best(|| {
        let snapshot = snapshot.clone();
        Ok(measured(|| Account::try_from(snapshot)))
    })
}

/// All of it: the roles are defined, and granted by one group.
fn many_roles_in_one_store(roles: usize, size: usize) -> Result<(Duration, usize)> {
    best(|| {
        let mut made = Made::new()?;
        let stores = made.stores(1)?;
        let mut outcome = Ok(());
        let figures = measured(|| {
            let mut grants = Vec::new();
            for number in 0..roles {
                match made.role(&format!("role-{number}"), RoleLevel::Store, size) {
                    Ok(role) => grants.push(Grant::in_stores(role, stores.clone())),
                    Err(error) => outcome = Err(error),
                }
            }
            if let Err(error) = made.group("new", grants) {
                outcome = Err(error);
            }
        });
        outcome?;
        Ok(figures)
    })
}

/// A command of one grant that takes many others away.
fn many_roles_ended(roles: usize) -> Result<(Duration, usize)> {
    let gil: MemberId = "gil".parse()?;
    best(|| {
        let mut made = Made::new()?;
        let stores = made.stores(1)?;
        made.run(Command::add_members([&gil]))?;
        let managers = made.group("managers", vec![Grant::group_manager()])?;
        made.run(Command::add_to_group(&managers, [&gil]))?;
        let mut grants = Vec::new();
        for number in 0..roles {
            let role = made.role(&format!("role-{number:05}"), RoleLevel::Store, 1)?;
            grants.push(Grant::in_stores(role, stores.clone()));
        }
        let group = made.group("many", grants)?;
        let last = Command::set_grants(&group, [Grant::store_viewer(stores)]);
        let (executed, manager) = (&mut made.0, Actor::Member(gil.clone()));
        let mut outcome = Ok(None);
        let figures = measured(|| outcome = executed.execute(&manager, &last, NOW));
        outcome?.ok_or("nothing changed")?;
        Ok(figures)
    })
}

fn rename_role(groups: usize, size: usize) -> Result<Duration> {
    let mut made = Made::new()?;
    let stores = made.stores(size)?;
    let role = made.role("large", RoleLevel::Store, size)?;
    for number in 0..groups {
        made.group(
            &number.to_string(),
            vec![Grant::in_stores(role.clone(), stores.clone())],
        )?;
    }
    let mut number = 0;
    let time = best(|| {
        number += 1;
        let name = Some(RoleName::parse(&format!("Name {number}"))?);
        let command: Command = ChangeRole {
            role: role.clone(),
            name,
            permissions: None,
        }
        .into();
        let account = &mut made.0;
        Ok(measured(|| account.execute(&Actor::System, &command, NOW)))
    })?;
    Ok(time.0)
}

fn remove_members(groups: usize) -> Result<Duration> {
    let time = best(|| {
        let mut made = Made::new()?;
        let members = made.members(500)?;
        let mut all = Vec::new();
        for number in 0..groups {
            all.push(made.group(&number.to_string(), vec![Grant::group_manager()])?);
        }
        for group in all.iter().take(3) {
            made.run(AddToGroup {
                group: group.clone(),
                members: members.iter().cloned().collect(),
            })?;
        }
        let commands = members.into_iter().map(|member| {
            Command::from(RemoveMembers {
                members: [member].into(),
            })
        });
        let commands: Vec<Command> = commands.collect();
        let account = &mut made.0;
        Ok(measured(|| {
            for command in &commands {
                black_box(account.execute(&Actor::System, command, NOW).is_ok());
            }
        }))
    })?;
    Ok(time.0)
}

fn additions_by_a_manager(permissions: usize) -> Result<Duration> {
    let time = best(|| {
        let mut made = Made::new()?;
        let members = made.members(1_000)?;
        let role = made.role("auditors", RoleLevel::Account, permissions)?;
        made.group("auditors", vec![Grant::at_account(role)])?;
        let group = made.group("target", vec![Grant::group_manager()])?;
        let manager = made.manager()?;
        let commands = members.into_iter().map(|member| {
            Command::from(AddToGroup {
                group: group.clone(),
                members: [member].into(),
            })
        });
        let commands: Vec<Command> = commands.collect();
        let account = &mut made.0;
        Ok(measured(|| {
            for command in &commands {
                black_box(account.execute(&manager, command, NOW).is_ok());
            }
        }))
    })?;
    Ok(time.0)
}

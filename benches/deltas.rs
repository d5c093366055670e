//! The property protected: a delta costs members plus stores, and never the one times the other, until it is iterated.
//!
//! `cargo bench --bench deltas` prints the table; `cargo test --bench deltas` runs the smallest sizes.

use std::alloc::System;
use std::collections::BTreeSet;
use std::error::Error;
use std::hint::black_box;

use grantbook::command::{
    AddMembers, AddToGroup, ChangeRole, CreateGroup, CreateStore, DefineRole,
};
use grantbook::{
    Account, Actor, Command, Description, Grant, GroupId, GroupLimit, MemberId, Permission, Record,
    RoleId, RoleLevel, StoreId, Timestamp,
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
        &[1_250, 2_500, 5_000, 10_000]
    } else {
        &[50, 100]
    };
    println!(
        "{:92} {:>9} {:>8} {:>6} {:>7} {:>11}",
        "", "made, ms", "× before", "MB", "blocks", "blocks, ms"
    );
    for (what, shape) in [
        ("one group", Shape::OneGroup),
        (
            "one group, and another that gives the same",
            Shape::SameTwice,
        ),
        ("500 overlapping groups at random", Shape::Random),
    ] {
        let figures = timing::doubled(sizes, |size| -> Result<_> {
            let (account, record) = shape.account(size)?;
            account.delta_of(&record)?; // it can be made
            // Warm, as it is right after the change.
            let times = (0..5).map(|_| timing::time(|| account.delta_of(&record)));
            times.min().ok_or_else(|| Box::from("no run"))
        })?;
        for (size, (made, ratio)) in sizes.iter().zip(figures) {
            let (account, record) = shape.account(*size)?;
            let region = Region::new(ALLOCATOR);
            let delta = account.delta_of(&record)?;
            let bytes = region.change().bytes_allocated;
            let megabytes = f64::from(u32::try_from(bytes / 1_000)?) / 1_000.0;
            let (blocks, time) = timing::timed(|| delta.blocks().count());
            println!(
                "{:92} {made:9.3} {:>8} {megabytes:6.2} {blocks:7} {:11.3}",
                format!("a role's change for {size} members in {size} stores, {what}"),
                ratio.map_or(String::new(), |ratio| format!("{ratio:.2}")),
                timing::milliseconds(time),
            );
            if is_bench && shape != Shape::Random {
                let (changes, time) = timing::timed(|| delta.iter().map(black_box).count());
                println!(
                    "    {changes} changes, iterated one by one in {:.1} ms",
                    timing::milliseconds(time)
                );
            }
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Shape {
    /// Everybody is in one group, which grants the role in every store.
    OneGroup,
    /// Everybody is in a second group too, which grants all of it there already.
    SameTwice,
    /// Five hundred groups of a hundredth of the members and the stores each, at random.
    Random,
}

impl Shape {
    /// An account of so many members and stores, and a record that changes a role of it.
    fn account(self, size: usize) -> Result<(Account, Record)> {
        let limit = GroupLimit::new(GroupLimit::HIGHEST)?;
        let (mut account, _) = Account::open("acme".parse()?, "olga".parse()?, limit, NOW);
        let members: Vec<MemberId> = (0..size)
            .map(|number| format!("member-{number:06}").parse())
            .collect::<std::result::Result<_, _>>()?;
        let stores: Vec<StoreId> = (0..size)
            .map(|number| format!("store-{number:06}").parse())
            .collect::<std::result::Result<_, _>>()?;
        for chunk in members.chunks(10_000) {
            let add = AddMembers {
                members: chunk.iter().cloned().collect(),
            };
            run(&mut account, add)?;
        }
        for store in &stores {
            run(
                &mut account,
                CreateStore {
                    store: store.clone(),
                },
            )?;
        }
        for (role, name, names) in [
            ("reader", "Reader", &["store.read"][..]),
            ("writer", "Writer", &["store.read", "store.write"][..]),
        ] {
            run(
                &mut account,
                DefineRole {
                    role: role.parse()?,
                    name: name.parse()?,
                    level: RoleLevel::Store,
                    permissions: permissions(names)?,
                },
            )?;
        }
        let mut groups =
            |number: usize, role: &str, members: &[&MemberId], stores: &[&StoreId]| -> Result<()> {
                let group: GroupId = format!("group-{number}").parse()?;
                let role: RoleId = role.parse()?;
                run(
                    &mut account,
                    CreateGroup {
                        group: group.clone(),
                        name: format!("Group {number}").parse()?,
                        description: Description::default(),
                        grants: vec![Grant::in_stores(role, stores.iter().copied().cloned())],
                    },
                )?;
                let members = members.iter().copied().cloned().collect();
                run(&mut account, AddToGroup { group, members })
            };
        let (all, everywhere): (Vec<_>, Vec<_>) =
            (members.iter().collect(), stores.iter().collect());
        match self {
            Shape::OneGroup => groups(0, "reader", &all, &everywhere)?,
            Shape::SameTwice => {
                groups(0, "reader", &all, &everywhere)?;
                groups(1, "writer", &all, &everywhere)?;
            }
            Shape::Random => {
                let mut random = 1_u64;
                let mut is_drawn = || {
                    random = random
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (random >> 33) % 100 == 0
                };
                for number in 0..500 {
                    let mut members: Vec<&MemberId> =
                        all.iter().copied().filter(|_| is_drawn()).collect();
                    members.extend(all.first());
                    let mut stores: Vec<&StoreId> =
                        everywhere.iter().copied().filter(|_| is_drawn()).collect();
                    stores.extend(everywhere.first());
                    members.dedup();
                    stores.dedup();
                    groups(number, ["reader", "writer"][number % 2], &members, &stores)?;
                }
            }
        }
        let change = Command::from(ChangeRole {
            role: "reader".parse()?,
            name: None,
            permissions: Some(permissions(&["store.read", "store.write"])?),
        });
        let mut after = account.clone();
        let record = after
            .execute(&Actor::System, &change, NOW)?
            .ok_or("it changes something")?;
        Ok((account, record))
    }
}

fn permissions(names: &[&str]) -> Result<BTreeSet<Permission>> {
    let names = names.iter().map(|name| name.parse());
    Ok(names.collect::<std::result::Result<_, _>>()?)
}

fn run(account: &mut Account, command: impl Into<Command>) -> Result<()> {
    let record = account.execute(&Actor::System, &command.into(), NOW)?;
    record.map(drop).ok_or_else(|| "nothing changed".into())
}

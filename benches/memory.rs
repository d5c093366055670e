//! The property protected: an account takes at most twice the memory of the two hash tables that a check cannot do
//! without, at 100,000 members and above; and a check allocates nothing.
//!
//! Counted is what was asked of the allocator. What the allocator adds, some 8 to 16 bytes each time, is not in it.
//! Each more of something is the mean of doubling it, so that no table happens to have room, or to have just grown.

use std::alloc::System;
use std::error::Error;
use std::hint::black_box;

use grantbook::command::{AddMembers, AddToGroup, CreateStore, EditGroup};
use grantbook::{
    Account, Actor, Command, Grant, GrantRef, GroupId, MAX_ITEMS_PER_COMMAND, MemberId, Permission,
    Resource, Scope, StoreId,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::least::{Least, Parsed};
use crate::population::{Batch, Ids, L, M, NOW, S, Size, XL};
use crate::reference::{Compared, ONE, Reference};

mod least;
mod population;
mod reference;
mod timing;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// `cargo bench` measures all sizes; `cargo test --bench memory`, the smallest two.
fn main() -> Result<()> {
    let sizes: &[Size] = if timing::is_bench() {
        &[S, M, L, XL]
    } else {
        &[S, M]
    };
    println!("bytes{:27}grantbook   reference   ratio", "");
    for size in sizes {
        checks_allocate_nothing(*size);
        let (ours, least) = (of_account(*size)?, of_reference(*size)?);
        println!("{}, {} members", size.name, size.members);
        for ((what, ours), (_, least)) in ours.iter().zip(&least) {
            let ratio = if *least > 0.0 {
                format!("{:8.2}", ours / least)
            } else {
                "       -".to_owned()
            };
            println!("  {what:28}{ours:11.1} {least:11.1}{ratio}");
        }
    }
    println!("ids of other kinds, all of it, a member");
    for size in sizes {
        let (uuids, addresses) = (size.with(Ids::Uuid), size.with(Ids::Email));
        let ours = taken(*size, || Ok(uuids.account()?.0))?;
        let as_text = taken(*size, || Ok(Reference::<ONE>::new(uuids)))?;
        let least = taken(*size, || Ok(Least::<Parsed>::new(uuids)))?;
        ratio(size.name, "UUIDs ÷ as text", ours, as_text);
        ratio(size.name, "UUIDs ÷ as 16 bytes", ours, least);
        let ours = taken(*size, || Ok(addresses.account()?.0))?;
        let as_text = taken(*size, || Ok(Reference::<ONE>::new(addresses)))?;
        ratio(size.name, "addresses ÷ as text", ours, as_text);
    }
    println!("no check allocated anything");
    Ok(())
}

fn ratio(size: &str, what: &str, ours: f64, least: f64) {
    let what = format!("{what}, {size}");
    println!("  {what:28}{ours:11.1} {least:11.1}{:8.2}", ours / least);
}

/// Bytes a member of what this makes.
fn taken<T>(size: Size, make: impl FnOnce() -> Result<T>) -> Result<f64> {
    let before = bytes();
    let whole = make()?;
    let held = bytes() - before;
    drop(whole);
    Ok(held / number(usize::try_from(size.members)?))
}

/// Bytes in use.
fn bytes() -> f64 {
    let stats = ALLOCATOR.stats();
    number(stats.bytes_allocated - stats.bytes_deallocated)
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).expect("no more than four thousand million"))
}

fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}

/// A check by text, one of what is unknown, and one of what was looked up before.
fn checks_allocate_nothing(size: Size) {
    let compared = Compared::<ONE>::new(size);
    let account = &compared.account;
    let looked_up = compared.looked_up();
    let questions: Vec<_> = compared
        .batches
        .iter()
        .flat_map(Batch::questions)
        .take(10_000)
        .collect();
    let export = Permission::parse("invoice.export").expect("a permission");
    let before = allocations();
    for asked in &questions {
        let store = Resource::Store(asked.store);
        for permission in [asked.permission(), &export] {
            black_box(account.can(asked.member, permission, store));
            black_box(account.can(asked.member, permission, Resource::Account));
            black_box(account.can("nobody", permission, store));
            black_box(account.can(asked.member, permission, Resource::Store("nowhere")));
            let member = account.member(asked.member);
            black_box(member.is_some_and(|member| member.can(permission, store)));
        }
    }
    for (member, store, writes) in looked_up.iter().flatten().take(10_000) {
        let permission = &population::PERMISSIONS[usize::from(*writes)];
        black_box(member.can_in(permission, *store));
        black_box(member.can_in(&export, *store));
    }
    let allocated = allocations() - before;
    assert_eq!(allocated, 0, "{}: a check allocates", size.name);
}

/// What something takes, and how much of it there is.
type Figures = Vec<(&'static str, f64)>;

/// Bytes since the last time this was asked, for each of so many.
struct Meter {
    last: f64,
    figures: Figures,
}

impl Meter {
    fn new() -> Self {
        Self {
            last: bytes(),
            figures: Vec::with_capacity(10),
        }
    }

    fn read(&mut self, what: &'static str, of: u64) {
        let now = bytes();
        let count = usize::try_from(of).expect("a number");
        self.figures.push((what, (now - self.last) / number(count)));
        self.last = now;
    }
}

const ALL: &str = "all of it, a member";
const MEMBER: &str = "one more member";
const MEMBERSHIP: &str = "one more membership";
const STORE: &str = "one more store";
const GRANT: &str = "one more store in a scope";

fn new_member(number: u64) -> Result<MemberId> {
    Ok(MemberId::parse(&format!("neuber-{number:07}"))?)
}

fn new_store(number: u64) -> Result<StoreId> {
    Ok(StoreId::parse(&format!("stall-{number:05}"))?)
}

/// Of an account, whose records are dropped as soon as they are made.
fn of_account(size: Size) -> Result<Figures> {
    let mut meter = Meter::new();
    let mut account = size.account()?.0;
    meter.read(ALL, size.members);
    let mut run = |command| account.execute(&Actor::System, &command, NOW).map(drop);

    let chunks = |count: u64| (0..count).step_by(MAX_ITEMS_PER_COMMAND);
    let some = |first: u64, by: usize| -> Result<_> {
        let numbers = (first..size.members)
            .step_by(by)
            .take(MAX_ITEMS_PER_COMMAND);
        numbers.map(new_member).collect()
    };
    for first in chunks(size.members) {
        let members = some(first, 1)?;
        run(Command::AddMembers(AddMembers { members }))?;
    }
    meter.read(MEMBER, size.members);

    let groups = usize::try_from(size.groups)?;
    for number in 0..size.groups {
        let group = size.group_id(number)?;
        for first in (number..size.members).step_by(groups * MAX_ITEMS_PER_COMMAND) {
            let (group, members) = (group.clone(), some(first, groups)?);
            run(Command::AddToGroup(AddToGroup { group, members }))?;
        }
    }
    meter.read(MEMBERSHIP, size.members);

    for number in 0..size.stores {
        let store = new_store(number)?;
        run(Command::CreateStore(CreateStore { store }))?;
    }
    meter.read(STORE, size.stores);

    for number in 0..size.groups {
        widen(&mut account, size, number)?;
    }
    meter.read(GRANT, size.stores * size.groups / 4);
    drop(account);
    Ok(meter.figures)
}

/// Lets a group edit a quarter of the new stores too.
fn widen(account: &mut Account, size: Size, number: u64) -> Result<()> {
    let group: GroupId = size.group_id(number)?;
    let before = account.group(&group).ok_or("no such group")?;
    let new: Result<Vec<StoreId>> = (number % 4..size.stores)
        .step_by(4)
        .map(new_store)
        .collect();
    let mut grants: Vec<Grant> = before.grants().map(GrantRef::to_grant).collect();
    grants.push(Grant::store_editor(new?));
    debug_assert!(grants.iter().all(|grant| grant.scope != Scope::Account));
    let edit = Command::EditGroup(EditGroup {
        group,
        name: None,
        description: None,
        grants: Some(grants),
    });
    account.execute(&Actor::System, &edit, NOW)?;
    Ok(())
}

/// Of the two tables, which have no groups, so that more memberships and grants are more bits in the same words.
fn of_reference(size: Size) -> Result<Figures> {
    let mut meter = Meter::new();
    let mut reference = Reference::<ONE>::new(size);
    meter.read(ALL, size.members);
    for number in 0..size.members {
        reference.members.insert(new_member(number)?, [0]);
    }
    meter.read(MEMBER, size.members);
    meter.read(MEMBERSHIP, size.members);
    for number in 0..size.stores {
        reference.stores.insert(new_store(number)?, [[0]; 2]);
    }
    meter.read(STORE, size.stores);
    meter.read(GRANT, size.stores * size.groups / 4);
    drop(reference);
    Ok(meter.figures)
}

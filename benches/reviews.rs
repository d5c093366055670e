//! The property protected: a review, what records tell of one member, and lists that are read page by page take time in
//! proportion to what is there.
//! Inputs are doubled; each doubling may take 2.2 times the time.
//!
//! `cargo bench --bench reviews` prints the table; `cargo test --bench reviews` runs the smallest sizes.

use std::collections::BTreeSet;
use std::error::Error;

use grantbook::command::{AddMembers, AddToGroup, CreateGroup, CreateStore, DefineRole};
use grantbook::{
    Account, Actor, Command, Description, Grant, GroupId, GroupLimit, MemberId, Permission, Record,
    Resource, RoleId, RoleLevel, StoreId, Timestamp, history,
};

mod timing;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn main() -> Result<()> {
    let sizes: &[usize] = if timing::is_bench() {
        &[1_000, 2_000, 4_000, 8_000]
    } else {
        &[20, 40]
    };
    println!("{:64} {:>10} {:>8}", "", "ms", "× before");
    doubled(
        "review: grants of one group, each of a role of its own",
        sizes,
        |size| {
            let account = many_grants(size, true)?;
            Ok(Box::new(move || account.review(NOW).len()))
        },
    )?;
    doubled(
        "review: grants of one group, all in one store, of the same permission",
        sizes,
        |size| {
            let account = many_grants(size, false)?;
            Ok(Box::new(move || account.review(NOW).len()))
        },
    )?;
    doubled(
        "changes touching one of ten members, records",
        sizes,
        |size| {
            let records = comings_and_goings(size)?;
            Ok(Box::new(move || {
                history::changes_touching(&records, None, "m3").map_or(0, |touching| touching.len())
            }))
        },
    )?;
    for (what, list) in LISTS {
        doubled(&format!("{what}, in pages of {PAGE}"), sizes, |size| {
            let account = one_large_group(size)?;
            Ok(Box::new(move || in_pages(&account, list)))
        })?;
    }
    Ok(())
}

/// So many at once of a list that is read page by page.
const PAGE: usize = 100;

/// A list, and the ids of a page of it that come after an id.
type List = for<'a> fn(&'a Account, Option<&str>) -> Vec<&'a str>;

const LISTS: [(&str, List); 5] = [
    ("members", |account, after| {
        let members = account.members_after(after).take(PAGE);
        members.map(|member| member.id().as_str()).collect()
    }),
    ("members of a group", |account, after| {
        let group = account.group("all").into_iter();
        let members = group.flat_map(|group| group.members_after(after));
        members.take(PAGE).map(MemberId::as_str).collect()
    }),
    ("stores", |account, after| {
        let stores = account.stores_after(after).take(PAGE);
        stores.map(StoreId::as_str).collect()
    }),
    ("who may write in a store", |account, after| {
        let members = account.who_can(&Permission::STORE_WRITE, Resource::Store("store-1"), after);
        members.take(PAGE).map(MemberId::as_str).collect()
    }),
    ("stores where a member may write", |account, after| {
        let stores = account.stores_for("member-1", &Permission::STORE_WRITE, after);
        stores.take(PAGE).map(StoreId::as_str).collect()
    }),
];

/// Reads a list page by page, and counts what is in it.
fn in_pages(account: &Account, list: List) -> usize {
    let mut count = 0;
    let mut after = None;
    loop {
        let page = list(account, after);
        count += page.len();
        match page.last() {
            Some(end) => after = Some(*end),
            None => return count,
        }
    }
}

type Measured = Box<dyn Fn() -> usize>;

fn doubled(what: &str, sizes: &[usize], make: impl Fn(usize) -> Result<Measured>) -> Result<()> {
    let runs = if timing::is_bench() { 20 } else { 1 };
    let figures = timing::doubled(sizes, |size| {
        Ok::<_, Box<dyn Error>>(timing::best_cold(runs, make(size)?))
    })?;
    for (size, (time, ratio)) in sizes.iter().zip(figures) {
        let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:8.2}"));
        println!("{:64} {time:10.3} {ratio}", format!("{what}: {size}"));
    }
    Ok(())
}

struct Made(Account, Vec<Record>);

impl Made {
    fn new() -> Result<Self> {
        let limit = GroupLimit::new(GroupLimit::HIGHEST)?;
        let (account, record) = Account::open("acme".parse()?, "olga".parse()?, limit, NOW);
        Ok(Self(account, vec![record]))
    }

    fn run(&mut self, command: impl Into<Command>) -> Result<()> {
        let record = self.0.execute(&Actor::System, &command.into(), NOW)?;
        self.1.push(record.ok_or("nothing changed")?);
        Ok(())
    }
}

/// One group with so many grants: each of another permission in a store of its own, or all of the same in one.
fn many_grants(size: usize, differ: bool) -> Result<Account> {
    let mut made = Made::new()?;
    let stores: Vec<StoreId> = (0..if differ { size } else { 1 })
        .map(|number| format!("store-{number}").parse())
        .collect::<std::result::Result<_, _>>()?;
    for store in &stores {
        made.run(CreateStore {
            store: store.clone(),
        })?;
    }
    let mut grants = Vec::new();
    for number in 0..size {
        let role: RoleId = format!("role-{number:05}").parse()?;
        let permission = if differ {
            format!("thing-{number}.read")
        } else {
            "log.read".to_owned()
        };
        made.run(DefineRole {
            role: role.clone(),
            name: format!("Role {number}").parse()?,
            level: RoleLevel::Store,
            permissions: [permission.parse()?].into(),
        })?;
        let store = stores.get(number % stores.len()).ok_or("a store")?;
        grants.push(Grant::in_stores(role, [store.clone()]));
    }
    made.run(CreateGroup {
        group: "all".parse()?,
        name: "All Of Them".parse()?,
        description: Description::default(),
        grants,
    })?;
    Ok(made.0)
}

/// So many members in one group, which may write in as many stores.
fn one_large_group(size: usize) -> Result<Account> {
    let mut made = Made::new()?;
    let members: BTreeSet<MemberId> = (0..size)
        .map(|number| format!("member-{number}").parse())
        .collect::<std::result::Result<_, _>>()?;
    made.run(AddMembers {
        members: members.clone(),
    })?;
    let mut stores = BTreeSet::new();
    for number in 0..size {
        let store: StoreId = format!("store-{number}").parse()?;
        made.run(CreateStore {
            store: store.clone(),
        })?;
        stores.insert(store);
    }
    let group: GroupId = "all".parse()?;
    made.run(CreateGroup {
        group: group.clone(),
        name: "All Of Them".parse()?,
        description: Description::default(),
        grants: vec![Grant::store_editor(stores)],
    })?;
    made.run(AddToGroup { group, members })?;
    Ok(made.0)
}

/// Ten members of ten groups; so many records put one in and take it out.
fn comings_and_goings(size: usize) -> Result<Vec<Record>> {
    let mut made = Made::new()?;
    let members: Vec<MemberId> = (0..10)
        .map(|number| format!("m{number}").parse())
        .collect::<std::result::Result<_, _>>()?;
    made.run(AddMembers {
        members: members.iter().cloned().collect(),
    })?;
    let store: StoreId = "dev".parse()?;
    made.run(CreateStore {
        store: store.clone(),
    })?;
    let group: GroupId = "devs".parse()?;
    made.run(CreateGroup {
        group: group.clone(),
        name: "Dev Team".parse()?,
        description: Description::default(),
        grants: vec![Grant::in_stores(RoleId::store_viewer(), [store])],
    })?;
    for number in 0..size {
        let members = [members.get(number / 2 % 10).ok_or("a member")?.clone()].into();
        let group = group.clone();
        if number % 2 == 0 {
            made.run(AddToGroup { group, members })?;
        } else {
            made.run(grantbook::command::RemoveFromGroup { group, members })?;
        }
    }
    Ok(made.1)
}

//! What checks, lists, changes and loading take, and what a member takes of memory, beside the hash maps that one would
//! write oneself: in an account of your size, or in your own.
//!
//! ```sh
//! cargo run --release --example benchmark                           # 10,000 members, 20 groups, 200 stores
//! cargo run --release --example benchmark -- 100000 20 2000 uuid    # so many, with ids of this kind
//! cargo run --release --example benchmark -- snapshot.json          # an account, as its snapshot in JSON
//! ```
//!
//! Each figure is the median of eleven rounds, in which grantbook and the maps take turns. It ends with 2 if it cannot do
//! what it is asked.

use std::alloc::System;
use std::error::Error;
use std::fmt::Display;
use std::hint::black_box;
use std::process::ExitCode;

use grantbook::command::{AddMembers, AddToGroup, GrantRole, RemoveMembers, RevokeRole};
use grantbook::{
    Account, Actor, Command, GroupLimit, MemberId, Permission, Resource, Role, RoleId, RoleLevel,
    Scope, Snapshot, StoreId,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::by_hand::ByHand;
use crate::population::{Ids, Size, mixed};
use crate::timing::{Rounds, Run, each};

#[path = "../benches/by_hand/mod.rs"]
mod by_hand;
#[path = "../benches/population/mod.rs"]
mod population;
#[path = "../benches/timing/mod.rs"]
mod timing;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const USAGE: &str = "usage: benchmark [MEMBERS GROUPS STORES [short|uuid|email] | SNAPSHOT.json]";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match account(&arguments).and_then(|account| benchmark(&account, 65_536)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// The account that the arguments ask for.
fn account(arguments: &[String]) -> Result<Account> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => made_up(["10000", "20", "200"], "short"),
        [file] if file.parse::<f64>().is_err() && !file.starts_with('-') => {
            let json = std::fs::read_to_string(file);
            let json = json.map_err(|error| format!("cannot read `{file}`: {error}"))?;
            load(&json).map_err(|error| format!("`{file}` is not a snapshot: {error}").into())
        }
        [members, groups, stores] => made_up([members, groups, stores], "short"),
        [members, groups, stores, ids] => made_up([members, groups, stores], ids),
        _ => Err("give three numbers, three numbers and a kind of ids, or a file".into()),
    }
}

fn made_up([members, groups, stores]: [&str; 3], ids: &str) -> Result<Account> {
    let number = |text: &str, what: &str, most: u64| match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "`{text}` is not a number of {what}: give 1 to {most}"
        )),
    };
    let most_groups = u64::from(GroupLimit::HIGHEST) - Size::FREE_GROUPS;
    let size = Size {
        name: "",
        members: number(members, "members", 9_999_999)?,
        groups: number(groups, "groups", most_groups)?,
        stores: number(stores, "stores", 99_999)?,
        ids: match ids {
            "short" => Ids::Short,
            "uuid" => Ids::Uuid,
            "email" => Ids::Email,
            _ => {
                let what = format!("`{ids}` is not a kind of ids: give short, uuid or email");
                return Err(what.into());
            }
        },
    };
    Ok(size.account()?.0)
}

fn load(json: &str) -> Result<Account> {
    Ok(Account::try_from(serde_json::from_str::<Snapshot>(json)?)?)
}

fn line(what: &str, ours: impl Display, maps: impl Display, ratio: f64) {
    println!("{what:36} {ours:>12} {maps:>12} {ratio:>12.2}");
}

/// Measures both in turn.
fn compare<'a>(
    what: &str,
    ours: impl FnMut(usize) -> f64 + 'a,
    maps: impl FnMut(usize) -> f64 + 'a,
) {
    let runs: Vec<Run<'a>> = vec![Box::new(ours), Box::new(maps)];
    let rounds = Rounds::of(11, runs);
    let spoken = |run| match rounds.median(run) {
        0.0..1e4 => format!("{:.0} ns", rounds.median(run)),
        1e4..1e7 => format!("{:.1} µs", rounds.median(run) / 1e3),
        _ => format!("{:.1} ms", rounds.median(run) / 1e6),
    };
    line(what, spoken(0), spoken(1), rounds.ratio(1, 0));
}

/// Asks each of these, and gives the nanoseconds that one took.
fn time<T, A>(all: &[T], mut ask: impl FnMut(&T) -> A) -> f64 {
    let taken = timing::time(|| all.iter().for_each(|one| drop(black_box(ask(one)))));
    each(taken, all.len() as u64)
}

/// Measures all of it, with so many checks in each round.
fn benchmark(made: &Account, checks: u64) -> Result<()> {
    let json = serde_json::to_string(&made.snapshot())?;
    let maps = ByHand::of(made).ok_or("the maps hold 64 permissions, the account more")?;
    let maps_json = serde_json::to_string(&maps)?;
    drop(maps);

    let in_use = || {
        let stats = ALLOCATOR.stats();
        stats.bytes_allocated - stats.bytes_deallocated
    };
    let before = in_use();
    let mut account = load(&json)?;
    let loaded = in_use();
    let mut maps: ByHand = serde_json::from_str(&maps_json)?;
    let bytes = [loaded - before, in_use() - loaded];

    let (members, groups) = (account.member_count(), account.groups().count());
    let stores = account.store_count();
    println!("{members} members, {groups} groups, {stores} stores");
    println!(
        "{:36} {:>12} {:>12} {:>12}",
        "", "grantbook", "hash maps", "times"
    );
    questions(&account, &maps, checks)?;
    changes(&mut account, &mut maps)?;
    let [ours, theirs] = bytes.map(|bytes| u32::try_from(bytes / members));
    let (ours, theirs) = (ours?, theirs?);
    line(
        "bytes a member",
        ours,
        theirs,
        f64::from(theirs) / f64::from(ours),
    );
    drop((account, maps));
    compare(
        "load from JSON",
        |_| time(&[&json], |json| load(json).is_ok()),
        |_| time(&[&maps_json], |json| serde_json::from_str::<ByHand>(json)),
    );
    Ok(())
}

/// One of these, chosen by the number.
fn drawn<T: Copy>(of: &[T], seed: u64, number: u64) -> Option<T> {
    let place = mixed(seed, number) % (of.len() as u64).max(1);
    of.get(usize::try_from(place).ok()?).copied()
}

/// Checks of members, permissions and stores that are drawn at random, and lists.
fn questions(account: &Account, maps: &ByHand, checks: u64) -> Result<()> {
    let members = account.members().map(|member| member.id().as_str());
    let members: Vec<&str> = members.collect();
    let stores: Vec<&str> = account.stores().map(StoreId::as_str).collect();
    let roles = account.groups().flat_map(|group| group.grants());
    let roles = roles.filter_map(|grant| account.role(grant.role));
    let mut permissions: Vec<&Permission> = roles
        .filter(|role| role.level() == RoleLevel::Store)
        .flat_map(Role::permissions)
        .collect();
    permissions.sort_unstable();
    permissions.dedup();
    let question = |number| {
        let member = drawn(&members, 6, number)?;
        let store = Resource::Store(drawn(&stores, 7, number)?);
        Some((member, drawn(&permissions, 8, number)?, store))
    };
    let asked: Vec<_> = (0..checks).filter_map(question).collect();
    for &(member, permission, store) in &asked {
        if account.can(member, permission, store) != maps.can(member, permission, store) {
            return Err(format!("the maps differ: {member}, {permission}, {store}").into());
        }
    }
    if !asked.is_empty() {
        let by_maps = |_| time(&asked, |&(id, what, store)| maps.can(id, what, store));
        let one_by_one = |_| time(&asked, |&(id, what, store)| account.can(id, what, store));
        compare("check", one_by_one, by_maps);
        let at_once = |_| {
            let answers = || account.can_many(asked.iter().copied()).filter(|may| *may);
            each(timing::time(|| answers().count()), asked.len() as u64)
        };
        compare("check, many at once", at_once, by_maps);
    }
    let some: Vec<&str> = (0..64).filter_map(|n| drawn(&members, 9, n)).collect();
    let by_maps = |_| time(&some, |id| maps.effective(id));
    let owned = |_| time(&some, |id| account.effective_permissions(id));
    compare("effective permissions", owned, by_maps);
    let viewed = |_| {
        time(&some, |id| {
            let levels = account.effective(id);
            let levels = levels.stores().map(|(_, there)| there.level() as usize);
            levels.sum::<usize>()
        })
    };
    compare("effective permissions, as a view", viewed, by_maps);
    Ok(())
}

/// A member more, and a store more for a group, each taken back before the next round.
fn changes(account: &mut Account, maps: &mut ByHand) -> Result<()> {
    let (new, now) = (MemberId::parse("somebody-new")?, account.changed_at());
    let Some(group) = account.groups().next().map(|group| group.id().clone()) else {
        return Ok(());
    };
    if account.is_closed() || account.member(&new).is_some() {
        return Ok(());
    }
    let is_granted = |store: &StoreId| {
        let mut grants = account.group(&group).into_iter().flat_map(|it| it.grants());
        grants.any(|grant| grant.scope.stores().any(|other| other == store))
    };
    let free = account.stores().find(|store| !is_granted(store)).cloned();

    let mut run = |command: &Command| {
        let done = account.execute(&Actor::System, command, now);
        assert!(done.is_ok_and(|record| record.is_some()), "{command:?}");
    };
    let members = || [new.clone()].into();
    let (to, role) = (group.clone(), RoleId::store_viewer());
    let add: Command = AddMembers { members: members() }.into();
    let join = AddToGroup {
        group: to,
        members: members(),
    };
    let join: Command = join.into();
    let remove: Command = RemoveMembers { members: members() }.into();
    let ours = |_| {
        let taken = time(&[&add, &join], |command| run(command)) * 2.0;
        run(&remove);
        taken
    };
    let theirs = |_| {
        let taken = time(&[&new], |new| maps.add_member(new, &group));
        maps.remove_member(&new);
        taken
    };
    compare("add a member, to a group too", ours, theirs);
    let Some(store) = free else {
        return Ok(());
    };
    let grant = GrantRole {
        group: group.clone(),
        role: role.clone(),
        scope: Scope::Stores([store.clone()].into()),
    };
    let revoke = RevokeRole {
        group: group.clone(),
        role,
        stores: Some([store.clone()].into()),
    };
    let (grant, revoke): (Command, Command) = (grant.into(), revoke.into());
    let ours = |_| {
        let taken = time(&[&grant], |command| run(command));
        run(&revoke);
        taken
    };
    let theirs = |_| {
        let taken = time(&[&store], |store| maps.grant(&group, store, 1));
        maps.revoke(&group, &store);
        taken
    };
    compare("one more store for a group", ours, theirs);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(arguments: &str) -> Result<Account> {
        let arguments = arguments.split_whitespace().map(str::to_owned);
        account(&arguments.collect::<Vec<_>>())
    }

    /// An account is as large as the arguments say, in every kind of ids, and can be measured.
    #[test]
    fn an_account_of_a_size_is_measured() {
        for ids in ["", "short", "uuid", "email"] {
            let account = made(&format!("50 4 6 {ids}")).unwrap();
            let (groups, stores) = (account.groups().count(), account.store_count());
            assert_eq!((account.member_count(), groups, stores), (50, 4, 6));
            benchmark(&account, 99).unwrap();
        }
        benchmark(&made("1 1 1").unwrap(), 9).unwrap();
        assert_eq!(made("7919 1 1").unwrap().member_count(), 7_919);
    }

    /// Arguments and files that are of no use end with what is wrong with them.
    #[test]
    fn what_is_asked_badly_is_said() {
        for (arguments, said) in [
            ("7", "give three numbers"),
            ("--help", "give three numbers"),
            ("1 2", "give three numbers"),
            ("0 1 1", "`0` is not a number of members: give 1 to 9999999"),
            ("1 99999 1", "`99999` is not a number of groups"),
            ("1 1 many", "`many` is not a number of stores"),
            ("1 1 1 long", "`long` is not a kind of ids: give short,"),
            ("no/such.json", "cannot read `no/such.json`: "),
            ("Cargo.toml", "`Cargo.toml` is not a snapshot: "),
        ] {
            let error = made(arguments).unwrap_err().to_string();
            assert!(error.starts_with(said), "{arguments}: {error}");
        }
    }
}

//! The property protected: the targets, each in one line. What is compared is measured in turn, in one run, so that
//! what disturbs the machine disturbs all alike; each figure is the median of the rounds, and each ratio the median
//! of the rounds' ratios. Takes a minute or two, and prints a table.

use std::error::Error;
use std::hint::black_box;

use grantbook::{
    Account, Actor, Command, Grant, GroupId, MemberId, ParseError, Permission, Resource, RoleId,
    Scope, StoreId,
};

use crate::by_hand::ByHand;
use crate::cycles::Cycle;
use crate::least::{InTable, Key, Least, Parsed};
use crate::population::{Asked, Batch, Ids, L, LONG, M, NOW, S, Size, WIDE, XL, mixed};
use crate::reference::{Compared, ONE, WIDE_WORDS, allowed, allowed_looked_up};
use crate::timing::{Rounds, Run, each, is_bench, time};

mod by_hand;
mod cycles;
mod least;
mod population;
mod reference;
mod timing;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const ROUNDS: usize = 31;

/// In how many accounts one after another the checks are measured, and in how many rounds each. Every table has a seed of
/// its own: which entries share a line of memory, and how often a lookup has to go on, is chance, for as long as the
/// table lives.
const ACCOUNTS: usize = 7;
const ROUNDS_EACH: usize = 9;

/// In how many accounts everything that a member may do is measured: building one with its hash maps takes long.
const ACCOUNTS_OF_ALL: usize = 3;

fn main() -> Result<()> {
    if !is_bench() {
        println!("measured by `cargo bench --bench ratios`");
        return Ok(());
    }
    println!("{:54}  grantbook  reference   ratio", "ns");
    if is_asked("checks") {
        alone(S);
        alone(M);
        with_wide();
        alone(LONG);
        alone(XL);
    }
    if is_asked("ids") {
        ids();
    }
    if is_asked("effective") {
        println!("\n{:54}       ours      other   ratio   target", "ns");
        for size in [S, M, L, XL] {
            effective(size);
        }
    }
    if is_asked("changes") {
        println!("\n{:54}          S         XL  XL ÷ S   target", "ns");
        changes()?;
    }
    if is_asked("replay") {
        println!();
        replay()?;
    }
    Ok(())
}

/// Whether this part is measured: all are, unless the arguments name some.
fn is_asked(part: &str) -> bool {
    let mut named = std::env::args()
        .skip(1)
        .filter(|name| !name.starts_with('-'))
        .peekable();
    named.peek().is_none() || named.any(|name| name == part)
}

/// Checks by the ids that people have, each beside the least that knows what ids there are.
fn ids() {
    println!("\n{:54}       ours      other   ratio   target", "ns");
    for (size, target) in [(S, 1.45), (M, 1.35), (L, 1.35), (XL, 1.3)] {
        beside::<InTable>("check, 14-byte ids", size.with(Ids::Short), target);
    }
    for (size, target) in [(S, 2.2), (L, 1.8), (XL, 1.6)] {
        beside::<Parsed>("check, UUID text", size.with(Ids::Uuid), target);
    }
    for size in [S, L, XL] {
        let size = size.with(Ids::Email);
        let account = |_| {
            let compared = Compared::<ONE>::new(size);
            Rounds::of(ROUNDS_EACH, by_text(&compared).into())
        };
        let rounds = (0..ACCOUNTS).map(account).collect();
        let what = "check, 22-byte addresses ÷ least, text by pointer";
        line(&format!("{what}, {}", size.name), &rounds, [0, 1], "<= 1.0");
    }
}

/// Checks by text, and by ids that were parsed before, beside the least with keys of this type: that makes them of the
/// text each time, and that is given them.
fn beside<K: Key>(what: &str, size: Size, target: f64) {
    let account = |_| {
        let (account, _) = size.account().expect("an account");
        let (least, batches) = (Least::<K>::new(size), size.batches());
        let (mut by_id, mut by_key) = (Vec::new(), Vec::new());
        for batch in &batches {
            assert_eq!(least.allowed(batch), allowed(&account, batch));
            by_id.push(least::by_id(batch));
            by_key.push(least::by_key::<K>(batch));
        }
        let runs: Vec<Run<'_>> = vec![
            in_windows(&batches, |batch| allowed(&account, batch)),
            in_windows(&by_id, |asked| least::allowed_by_id(&account, asked)),
            in_windows(&batches, |batch| least.allowed(batch)),
            in_windows(&by_key, |asked| least.allowed_by_key(asked)),
        ];
        Rounds::of(ROUNDS_EACH, runs)
    };
    let rounds: Rounds = (0..ACCOUNTS).map(account).collect();
    let target = format!("<= {target}");
    let row = |what: &str, runs, target: &str| {
        line(&format!("{what}, {}", size.name), &rounds, runs, target);
    };
    row(&format!("{what} ÷ least by text"), [0, 2], &target);
    row(&format!("{what} ÷ least by key"), [0, 3], "");
    if size.ids == Ids::Uuid {
        row(
            "the same with the parsed MemberId ÷ by text",
            [1, 2],
            "<= 1.5",
        );
        row("the same with the parsed MemberId ÷ by key", [1, 3], "");
    }
}

/// Checks by text: of the account, and of its reference.
fn by_text<const WORDS: usize>(compared: &Compared<WORDS>) -> [Run<'_>; 2] {
    let ours = |batch: &Batch| allowed(&compared.account, batch);
    let least = |batch: &Batch| compared.reference.allowed(batch);
    [
        in_windows(&compared.batches, ours),
        in_windows(&compared.batches, least),
    ]
}

/// Asks 64 batches in each round, other ones each time if there are more, and warms up with those of the round
/// before.
fn in_windows<'a, T>(batches: &'a [T], ask: impl Fn(&T) -> usize + 'a) -> Run<'a> {
    let windows: Vec<&[T]> = batches.chunks(64).collect();
    let all = move |window: &[T]| window.iter().map(&ask).sum::<usize>();
    Box::new(move |round| {
        black_box(all(windows[round % windows.len()]));
        let window = windows[(round + 1) % windows.len()];
        let questions = u64::from(Batch::QUESTIONS) * u64::try_from(window.len()).expect("few");
        each(time(|| all(window)), questions)
    })
}

fn compare(what: &str, rounds: &Rounds, ours: usize, least: usize) {
    let (one, other) = (rounds.median(ours), rounds.median(least));
    let ratio = rounds.ratio(ours, least);
    println!("{what:54} {one:10.1} {other:10.1} {ratio:7.2}");
}

fn alone(size: Size) {
    let account = |_| {
        let compared = Compared::<ONE>::new(size);
        Rounds::of(ROUNDS_EACH, by_text(&compared).into())
    };
    let rounds = (0..ACCOUNTS).map(account).collect();
    compare(&check_of(size), &rounds, 0, 1);
}

fn check_of(size: Size) -> String {
    format!("check by text id, {}", size.name)
}

fn with_wide() {
    let accounts = |_| {
        let (large, wide) = (Compared::<ONE>::new(L), Compared::<WIDE_WORDS>::new(WIDE));
        let (looked_up, lists) = (large.looked_up(), large.in_lists());
        let mut runs: Vec<Run<'_>> = by_text(&large).into();
        runs.extend(by_text(&wide));
        runs.push(in_windows(&looked_up, |batch| allowed_looked_up(batch)));
        runs.push(in_windows(&lists.questions, |batch| lists.allowed(batch)));
        Rounds::of(ROUNDS_EACH, runs)
    };
    let rounds = (0..ACCOUNTS).map(accounts).collect();
    compare(&check_of(L), &rounds, 0, 1);
    compare(&check_of(WIDE), &rounds, 2, 3);
    let ratio = rounds.ratio(2, 0);
    println!("{:76} {ratio:7.2}", "check by text id, WIDE ÷ L");
    compare("check with a resolved member and store, L", &rounds, 4, 5);
}

/// Everything that a member may do, as a value and as a view, beside the least and beside hash maps; and many checks at
/// once beside as many one by one.
fn effective(size: Size) {
    let measured = |_| {
        let compared = Compared::<ONE>::new(size);
        let (account, least) = (&compared.account, &compared.reference);
        let by_hand = ByHand::of(account).expect("few permissions");
        let in_order = least.in_order();
        let numbers = (0..256).map(|n| mixed(21, n) % size.members);
        let members: Vec<String> = numbers.map(|number| size.member(number)).collect();
        for member in &members {
            let all = account.effective_permissions(member);
            let told: Vec<_> = all
                .stores()
                .map(|(id, there)| (id, there.level()))
                .collect();
            let viewed = account.effective(member);
            let viewed = viewed.stores().map(|(id, there)| (id, there.level()));
            assert!(viewed.eq(told.iter().copied()));
            let walked = least.walk(&in_order, member).map(|(id, _)| id);
            assert!(walked.eq(told.iter().map(|(id, _)| *id)));
            assert_eq!(by_hand.effective(member).len(), told.len());
        }
        // A few members in each round, so that their own places are in no cache, as in a service.
        let each_of = |ask: &dyn Fn(&str) -> usize, round: usize| {
            let mut turns = members.chunks(16).cycle();
            let some = turns.nth(round).expect("endless");
            each(time(|| some.iter().map(|id| ask(id)).sum::<usize>()), 16)
        };
        let asks: [&dyn Fn(&str) -> usize; 5] = [
            &|id| {
                black_box(account.effective_permissions(id))
                    .is_empty()
                    .into()
            },
            &|id| {
                let levels = account.effective(id);
                let levels = levels.stores().map(|(_, there)| there.level() as usize);
                levels.sum()
            },
            &|id| black_box(least.effective(&in_order, id)).len(),
            &|id| {
                least
                    .walk(&in_order, id)
                    .map(|(_, bits)| usize::from(bits))
                    .sum()
            },
            &|id| black_box(by_hand.effective(id)).len(),
        ];
        let mut runs: Vec<Run<'_>> = Vec::new();
        for ask in asks {
            runs.push(Box::new(move |round| each_of(ask, round)));
        }
        let at_once = |batch: &Batch| {
            let answers = account.can_many(batch.questions().map(in_parts));
            answers.filter(|may| *may).count()
        };
        let batches = &compared.batches;
        assert_eq!(at_once(&batches[0]), allowed(account, &batches[0]));
        runs.push(in_windows(batches, at_once));
        runs.push(in_windows(batches, |batch| allowed(account, batch)));
        Rounds::of(ROUNDS_EACH, runs)
    };
    let rounds: Rounds = (0..ACCOUNTS_OF_ALL).map(measured).collect();
    let line = |what: &str, one: usize, other: usize, target: &str| {
        line(
            &format!("{what}, {}", size.name),
            &rounds,
            [one, other],
            target,
        );
    };
    line("effective permissions, owned ÷ least", 0, 2, "<= 4");
    line("effective permissions, borrowed ÷ least", 1, 2, "<= 2");
    line(
        "effective permissions, borrowed ÷ least that copies nothing",
        1,
        3,
        "",
    );
    line(
        "effective permissions, hand-written maps ÷ owned",
        4,
        0,
        ">= 2",
    );
    line("checks of pairs at once ÷ one by one", 5, 6, "<= 0.5 at XL");
}

fn line(what: &str, rounds: &Rounds, [one, other]: [usize; 2], target: &str) {
    let (ours, others) = (rounds.median(one), rounds.median(other));
    let ratio = rounds.ratio(one, other);
    println!("{what:54} {ours:10.1} {others:10.1} {ratio:7.2}   {target}");
}

fn in_parts(asked: Asked<'_>) -> (&str, &Permission, Resource<&str>) {
    (
        asked.member,
        asked.permission(),
        Resource::Store(asked.store),
    )
}

/// The same change in the smallest account and in the largest.
fn changes() -> Result<()> {
    let mut small = cycles::account(S)?;
    let mut large = cycles::account(XL)?;
    for by_owner in [false, true] {
        let who = if by_owner { "an owner" } else { "the host" };
        let actor = |size| {
            if by_owner {
                cycles::owner(size)
            } else {
                Ok(Actor::System)
            }
        };
        for most in [cycles::FEW, cycles::MANY] {
            let membership = |size| cycles::membership(size, &actor(size)?, most);
            let cycles = [(&mut small, membership(S)?), (&mut large, membership(XL)?)];
            let what = format!("add one of {most} members to a group, by {who}");
            change(&what, "<= 4, and < 2000 ns", cycles);
        }
        let grants = |size| cycles::grants(size, &actor(size)?);
        let what = format!("change grants over 100 stores, by {who}");
        change(
            &what,
            "<= 4",
            [(&mut small, grants(S)?), (&mut large, grants(XL)?)],
        );
    }
    narrow(&mut small, &mut large)
}

/// One member more in a group and one store more for it, by the application, each with the check that it allows.
fn narrow(small: &mut Account, large: &mut Account) -> Result<()> {
    const NEW: usize = 256;
    let group = GroupId::parse("narrow")?;
    let members: Vec<MemberId> = ids_of("narrow-member", NEW)?;
    let stores: Vec<StoreId> = ids_of("narrow-store", NEW)?;
    let ([insider, ..], [first, ..]) = (&members[..], &stores[..]) else {
        return Err("none".into());
    };
    let viewer = Grant::store_viewer([first.clone()]);
    let mut made = vec![Command::add_members(&members)];
    made.extend(stores.iter().map(Command::create_store));
    made.push(Command::create_group(&group, "Narrow".parse()?, [viewer]));
    made.push(Command::add_to_group(&group, [insider]));
    for account in [&mut *small, &mut *large] {
        account.execute_batch(&Actor::System, &made, NOW)?;
    }
    let joining = members.iter().skip(1).map(|member| Narrow {
        change: Command::add_to_group(&group, [member]),
        back: Command::remove_from_group(&group, [member]),
        allows: (member, first),
    });
    let granting = stores.iter().skip(1).map(|store| Narrow {
        change: Command::grant_role(
            &group,
            RoleId::store_viewer(),
            Scope::Stores([store.clone()].into()),
        ),
        back: Command::revoke_role_in(&group, RoleId::store_viewer(), [store]),
        allows: (insider, store),
    });
    for (what, steps) in [
        ("add a member to a group, and check", joining.collect()),
        (
            "one more store for a group, and check",
            granting.collect::<Vec<_>>(),
        ),
    ] {
        let runs = [&mut *small, &mut *large]
            .map(|account| -> Run<'_> { Box::new(|_| Narrow::time(&steps, account)) });
        small_and_large(what, "<= 2.5, and < 1500 ns", runs);
    }
    Ok(())
}

/// A change that allows something, and the one that takes it back.
struct Narrow<'a> {
    change: Command,
    back: Command,
    allows: (&'a MemberId, &'a StoreId),
}

impl Narrow<'_> {
    /// What one took, with the check after it, in nanoseconds.
    fn time(all: &[Self], account: &mut Account) -> f64 {
        let mut records = Vec::with_capacity(all.len());
        let taken = time(|| {
            for step in all {
                records.push(account.execute(&Actor::System, &step.change, NOW));
                let (member, store) = step.allows;
                let store = Resource::Store(store.as_str());
                assert!(account.can(member, &Permission::STORE_READ, store));
            }
        });
        for step in all {
            let back = account.execute(&Actor::System, &step.back, NOW);
            assert!(back.is_ok_and(|record| record.is_some()));
        }
        each(taken, all.len() as u64)
    }
}

fn ids_of<T: std::str::FromStr<Err = ParseError>>(what: &str, count: usize) -> Result<Vec<T>> {
    let ids = (0..count).map(|number| format!("{what}-{number:04}").parse());
    Ok(ids.collect::<std::result::Result<_, _>>()?)
}

fn change(what: &str, target: &str, accounts: [(&mut Account, Cycle); 2]) {
    let runs = accounts.map(|(account, cycle)| -> Run<'_> {
        Box::new(move |_| {
            let commands = cycle.commands(0);
            // As many in the small account, which has fewer members to add.
            let times = (1_024 / commands).max(1);
            let taken = (0..times).map(|_| cycle.time(account, 0)).sum();
            each(taken, times * commands)
        })
    });
    small_and_large(what, target, runs);
}

fn small_and_large(what: &str, target: &str, runs: [Run<'_>; 2]) {
    let rounds = Rounds::of(ROUNDS, runs.into());
    let (small, large) = (rounds.median(0), rounds.median(1));
    let ratio = rounds.ratio(1, 0);
    println!("{what:54} {small:10.0} {large:10.0} {ratio:7.2}   {target}");
}

/// Of the long history of L.
fn replay() -> Result<()> {
    let (account, records) = L.history()?;
    let snapshot = account.snapshot();
    drop(account);
    let runs: Vec<Run<'_>> = vec![
        Box::new(|_| each(time(|| Account::replay(&records)), 1)),
        Box::new(|_| {
            let snapshot = snapshot.clone();
            each(time(|| Account::try_from(snapshot)), 1)
        }),
    ];
    let rounds = Rounds::of(9, runs);
    let count = u32::try_from(records.len())?;
    let replayed = f64::from(count) / rounds.median(0) * 1e3;
    let ratio = rounds.ratio(0, 1);
    println!("replay of {count} records of L: {replayed:.2} million a second (target: 2)");
    println!(
        "replay {:.0} ms, snapshot in {:.0} ms: replay ÷ snapshot in {ratio:.2}",
        rounds.median(0) / 1e6,
        rounds.median(1) / 1e6,
    );
    Ok(())
}

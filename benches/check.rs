//! The property protected: a check is two lookups and an AND, whatever the size of the account; with the member and
//! the store looked up before, it is the AND alone. Beside each stands the least that it does, with the same hash
//! function and the same types of ids. Each iteration asks many questions: look at the elements a second.

// The macros below make functions that nobody documents.
#![allow(missing_docs)]

use std::cell::LazyCell;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use grantbook::{Member, Permission, Resource, Store};

use crate::population::{Asked, Batch, L, M, S, Size, WIDE, XL, mixed};
use crate::reference::{
    Compared, ONE, WIDE_WORDS, Words, allowed, allowed_looked_up, meet, of_member, of_store,
};

mod population;
mod reference;

/// One account at a time, and none that a filter on the command line leaves out.
fn check(criterion: &mut Criterion) {
    for size in [S, M, L, XL] {
        checks::<ONE>(criterion, size);
    }
    checks::<WIDE_WORDS>(criterion, WIDE);
}

type Lazy<'a, T> = LazyCell<T, Box<dyn FnOnce() -> T + 'a>>;

fn lazy<'a, T>(make: impl FnOnce() -> T + 'a) -> Lazy<'a, T> {
    LazyCell::new(Box::new(make))
}

fn checks<const WORDS: usize>(criterion: &mut Criterion, size: Size) {
    let compared: Lazy<'_, Compared<WORDS>> = lazy(|| Compared::new(size));
    let group = "check by text id";
    bench_each(
        criterion,
        group,
        "grantbook",
        size,
        &compared,
        |it, turn| allowed(&it.account, in_turn(&it.batches, turn)),
    );
    bench_each(
        criterion,
        group,
        "reference",
        size,
        &compared,
        |it, turn| it.reference.allowed(in_turn(&it.batches, turn)),
    );
    let group = "check with the reason";
    bench_each(
        criterion,
        group,
        "grantbook",
        size,
        &compared,
        |it, turn| {
            let questions = in_turn(&it.batches, turn).questions();
            questions
                .filter(|asked| {
                    let (resource, permission) = (Resource::Store(asked.store), asked.permission());
                    let decision = it.account.check(asked.member, permission, resource);
                    black_box(decision).is_allowed()
                })
                .count()
        },
    );
    resolved(criterion, size, &compared);
    one_with_all(criterion, size, &compared);
    others(criterion, size, &compared);
}

/// What comes round in this turn.
fn in_turn<T>(list: &[T], turn: usize) -> &T {
    &list[turn % list.len()]
}

/// Measures what asks a batch of questions.
fn bench_each<T>(
    criterion: &mut Criterion,
    group: &str,
    whose: &str,
    size: Size,
    of: &Lazy<'_, T>,
    mut ask: impl FnMut(&T, usize) -> usize,
) {
    let each = u64::from(Batch::QUESTIONS);
    bench(criterion, group, whose, size, each, |turn| ask(of, turn));
}

/// Measures what does something so many times.
fn bench<T>(
    criterion: &mut Criterion,
    group: &str,
    whose: &str,
    size: Size,
    each: u64,
    mut run: impl FnMut(usize) -> T,
) {
    let mut benches = criterion.benchmark_group(group);
    benches.throughput(Throughput::Elements(each));
    let mut turn = 0; // goes on from sample to sample, so that all questions come round
    benches.bench_function(BenchmarkId::new(whose, size.name), |bencher| {
        bencher.iter(|| {
            turn += 1;
            run(turn)
        });
    });
    benches.finish();
}

fn resolved<const WORDS: usize>(
    criterion: &mut Criterion,
    size: Size,
    compared: &Lazy<'_, Compared<WORDS>>,
) {
    let group = "check with a resolved member and store";
    let looked_up = lazy(|| compared.looked_up());
    bench_each(
        criterion,
        group,
        "grantbook",
        size,
        &looked_up,
        |it, turn| allowed_looked_up(in_turn::<Vec<_>>(it, turn)),
    );
    let members = lazy(|| -> Vec<Vec<_>> {
        let batches = compared.batches.iter().map(Batch::questions);
        let known = |asked: Asked<'_>| compared.account.member(asked.member);
        batches
            .map(|asked| {
                asked
                    .filter_map(|asked| Some((known(asked)?, asked)))
                    .collect()
            })
            .collect()
    });
    let by_store = "check with a resolved member";
    bench_each(
        criterion,
        by_store,
        "grantbook",
        size,
        &members,
        |it, turn| {
            let may = |(member, asked): &&(Member<'_>, Asked<'_>)| {
                member.can(asked.permission(), Resource::Store(asked.store))
            };
            in_turn::<Vec<_>>(it, turn).iter().filter(may).count()
        },
    );
    let lists = lazy(|| compared.in_lists());
    bench_each(criterion, group, "reference", size, &lists, |it, turn| {
        it.allowed(in_turn::<Vec<_>>(&it.questions, turn))
    });
}

/// One member in all stores, and one store for a thousand members.
fn one_with_all<const WORDS: usize>(
    criterion: &mut Criterion,
    size: Size,
    compared: &Lazy<'_, Compared<WORDS>>,
) {
    let read = &Permission::STORE_READ;
    let member_numbers: Vec<u64> = (0..1_000).map(|n| mixed(21, n) % size.members).collect();
    let store_numbers: Vec<u64> = (0..size.stores).collect();
    let stores = lazy(|| -> Vec<Store<'_>> {
        let stores = store_numbers.iter().map(|number| size.store(*number));
        stores
            .map(|id| compared.account.store(&id).expect("a store"))
            .collect()
    });
    let members = lazy(|| -> Vec<Member<'_>> {
        let members = member_numbers.iter().map(|number| size.member(*number));
        members
            .map(|id| compared.account.member(&id).expect("a member"))
            .collect()
    });
    let store_words: Vec<[Words<WORDS>; 2]> = store_numbers
        .iter()
        .map(|number| of_store(size, *number))
        .collect();
    let member_words: Vec<Words<WORDS>> = member_numbers
        .iter()
        .map(|number| of_member(size, *number))
        .collect();
    let group = "one member, all stores";
    bench(criterion, group, "grantbook", size, size.stores, |turn| {
        let stores = stores.iter().copied();
        let answers = in_turn(&members, turn).can_in_each(read, stores);
        answers.filter(|may| *may).count()
    });
    bench(criterion, group, "reference", size, size.stores, |turn| {
        let member = in_turn(&member_words, turn);
        let stores = store_words.iter();
        stores.filter(|store| meet(member, &store[0])).count()
    });
    let group = "a thousand members, one store";
    bench(criterion, group, "grantbook", size, 1_000, |turn| {
        let members = members.iter().copied();
        let answers = in_turn(&stores, turn).can_each(read, members);
        answers.filter(|may| *may).count()
    });
    bench(criterion, group, "reference", size, 1_000, |turn| {
        let [readers, _] = in_turn(&store_words, turn);
        let members = member_words.iter();
        members.filter(|member| meet(member, readers)).count()
    });
}

/// What takes its time by the number of stores, and by that of the answers asked for.
fn others<const WORDS: usize>(
    criterion: &mut Criterion,
    size: Size,
    compared: &Lazy<'_, Compared<WORDS>>,
) {
    let members: Vec<String> = (0..1_000)
        .map(|n| size.member(mixed(21, n) % size.members))
        .collect();
    let stores: Vec<String> = (0..size.stores).map(|n| size.store(n)).collect();
    let group = "effective permissions";
    bench(criterion, group, "grantbook", size, 1, |turn| {
        let member = in_turn(&members, turn);
        compared.account.effective_permissions(member)
    });
    let group = "who can: the first 100";
    bench(criterion, group, "grantbook", size, 1, |turn| {
        let resource = Resource::Store(in_turn(&stores, turn).as_str());
        let who = compared
            .account
            .who_can(&Permission::STORE_READ, resource, None);
        who.take(100).map(black_box).count()
    });
}

criterion_group!(benches, check);
criterion_main!(benches);

//! Requests and copies over a repository that fails on purpose.
//!
//! There are 100,000 runs; the environment variable `GRANTBOOK_FAULT_RUNS` sets another number, and
//! `GRANTBOOK_FAULT_SEED` runs the one with that seed.

mod check;
mod flaky;
mod run;

use std::collections::BTreeMap;
use std::env;
use std::thread;

use grantbook::repository::conformance::{Fault, FlakyRepository};
use grantbook::repository::*;
use grantbook::*;

const RUNS: u64 = 100_000;
const STEPS: u64 = 20;
const COPIES: usize = 3;
/// How often a request without an answer is retried at the end.
const TRIES: u64 = 40;

/// Random numbers from a seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

pub(crate) fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

pub(crate) fn commit(id: &str) -> IdempotencyKey {
    IdempotencyKey::parse(id).unwrap()
}

pub(crate) fn last_of(repository: &MemoryRepository) -> u64 {
    match repository.records_after(&acme(), u64::MAX).unwrap() {
        RecordPage::Records { head, .. } => head.map_or(0, |head| head.version),
        RecordPage::Compacted => panic!("records in memory stay"),
    }
}

/// How far the repository is to be trusted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Trust {
    /// It keeps the contract, over an unreliable connection.
    Contract,
    /// In addition its pages are torn, and it reports conflicts where there are none.
    TornPages,
    /// In addition it reads from a copy that lags behind.
    StaleReads,
}

impl Trust {
    fn allows(self, fault: Fault) -> bool {
        match fault {
            Fault::StaleRecords | Fault::StaleSnapshot | Fault::StaleRequests => {
                self == Trust::StaleReads
            }
            _ => fault.keeps_contract() || self >= Trust::TornPages,
        }
    }
}

/// What is remembered of a request, and its records.
pub(crate) fn stored_of(
    repository: &MemoryRepository,
    key: &IdempotencyKey,
) -> Option<(StoredRequest, Vec<Record>)> {
    let stored = repository.request(&acme(), key).unwrap()?;
    let RecordPage::Records { records, .. } =
        repository.records_after(&acme(), stored.before).unwrap()
    else {
        panic!("records in memory stay")
    };
    let of_it = records
        .into_iter()
        .take_while(|record| record.version() <= stored.version);
    let records = of_it.collect();
    Some((stored, records))
}

/// A refusal, by which nothing is stored.
struct NothingKept {
    refusal: CommandError,
    /// The newest version that was stored when the request was made, and when it was answered. With stale reads, the
    /// first is the version of the copy that was asked.
    between: (u64, u64),
}

struct Asked {
    request: Request,
    /// What it was answered with, when it was accepted.
    kept: Option<Executed>,
    nothing_kept: Vec<NothingKept>,
    /// Whether the last answer was no error, so that nothing may be stored for it any more.
    is_settled: bool,
}

#[derive(Default)]
struct Seen {
    faults: BTreeMap<Fault, u64>,
    answers: BTreeMap<&'static str, u64>,
}

impl Seen {
    fn answer(&mut self, code: &'static str) {
        *self.answers.entry(code).or_default() += 1;
    }
}

struct Run {
    chance: Chance,
    trust: Trust,
    /// Whether the repository finds each request that it stores. If it does not, a request that was stored may be
    /// decided again, and refused because of its own effect; it is not stored again.
    finds_requests: bool,
    line: FlakyRepository,
    copies: Vec<Replica>,
    /// For each copy, the latest version that it was told of since it last caught up.
    heard: Vec<u64>,
    asked: Vec<Asked>,
    /// The records that are stored, as they were last read.
    records: Vec<Record>,
    /// Copies as they were at some moments, to compare at the end.
    samples: Vec<Account>,
    now: u64,
    seen: Seen,
}

/// Prints how to run it again, when a run fails.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("failed; run it alone with GRANTBOOK_FAULT_SEED={}", self.0);
        }
    }
}

fn run(seed: u64, tally: &mut Seen) {
    let _named = Named(seed);
    let mut run = Run::new(seed);
    (0..STEPS).for_each(|_| run.step());
    run.finish();
    run.check();
    for fault in run.line.injected_faults() {
        *tally.faults.entry(fault).or_default() += 1;
    }
    for (code, times) in run.seen.answers {
        *tally.answers.entry(code).or_default() += times;
    }
    let unanswered = run.asked.iter().filter(|asked| !asked.is_settled).count() as u64;
    *tally.answers.entry("never answered").or_default() += unanswered;
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

/// U1, U2, U3, U4, U5, A2, G9: whatever the storage does, a request is stored once at most, as it was asked for; what
/// was acknowledged is there; an answer that stores nothing was right when it was given; a copy is the account at its
/// version.
#[test]
fn u1_no_fault_of_the_storage_does_harm() {
    let mut seen = Seen::default();
    if let Some(seed) = number("GRANTBOOK_FAULT_SEED") {
        run(seed, &mut seen);
        println!("{:?}\n{:?}", seen.faults, seen.answers);
        return;
    }
    let runs = number("GRANTBOOK_FAULT_RUNS").unwrap_or(RUNS);
    let halves = thread::scope(|threads| {
        let half = |first| {
            threads.spawn(move || {
                let mut seen = Seen::default();
                (first..runs)
                    .step_by(2)
                    .for_each(|seed| run(seed, &mut seen));
                seen
            })
        };
        [half(0), half(1)].map(thread::ScopedJoinHandle::join)
    });
    for half in halves {
        let half = half.expect("no run fails");
        for (fault, times) in half.faults {
            *seen.faults.entry(fault).or_default() += times;
        }
        for (code, times) in half.answers {
            *seen.answers.entry(code).or_default() += times;
        }
    }
    let faults: u64 = seen.faults.values().sum();
    println!("{runs} runs, {faults} faults: 0 lost, 0 twice, 0 wrong");
    println!("{:?}\n{:?}", seen.faults, seen.answers);
    // If nothing goes wrong, nothing is proved.
    for fault in Fault::ALL {
        assert!(
            seen.faults.contains_key(&fault),
            "{fault:?} was not injected"
        );
    }
    for code in [
        "kept",
        "nothing changed",
        "answered again",
        "refused",
        "precondition failed",
        "repository-failed",
        "diverged",
    ] {
        assert!(seen.answers.contains_key(code), "no answer is {code}");
    }
}

/// U2: with the same seed and the same calls, the same faults are injected, with the same result.
#[test]
fn u2_a_seed_gives_the_same_run() {
    let run = |seed| {
        let mut run = Run::new(seed);
        (0..STEPS).for_each(|_| run.step());
        run.finish();
        (run.line.injected_faults(), run.records)
    };
    let runs: Vec<_> = (0..20).map(run).collect();
    assert_eq!(runs, (0..20).map(run).collect::<Vec<_>>());
    assert!(
        runs.windows(2).all(|two| two[0] != two[1]),
        "each seed its own"
    );
}

//! Requests and copies over a repository that fails on purpose.
//!
//! 100,000 runs; the environment variable `GRANTBOOK_FAULT_RUNS` sets another number, and `GRANTBOOK_FAULT_SEED` runs
//! the one of that seed.

use std::collections::BTreeMap;
use std::env;
use std::thread;

use grantbook::repository::conformance::{Fault, FlakyRepository, TimedOut};
use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

const RUNS: u64 = 100_000;
const STEPS: u64 = 20;
const COPIES: usize = 3;
/// How often a request that has had no answer is tried at the end.
const TRIES: u64 = 40;

/// Numbers as a seed says.
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

/// How far the repository is to be trusted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Trust {
    /// It keeps the contract, over a bad line.
    Contract,
    /// Its pages are torn besides, and it sees conflicts where there are none.
    TornPages,
    /// It reads from a copy that lags behind besides.
    StaleReads,
}

impl Trust {
    fn allows(self, fault: Fault) -> bool {
        match fault {
            Fault::StaleRecords | Fault::StaleSnapshot | Fault::StaleCommitted => {
                self == Trust::StaleReads
            }
            _ => fault.keeps_contract() || self >= Trust::TornPages,
        }
    }
}

/// An answer that keeps nothing.
struct NothingKept {
    /// What it is: a refusal, or that nothing would change.
    answer: Result<Vec<Record>, CommandError>,
    /// The newest version that was kept when it was asked, and when it had answered. Of stale reads no more can be
    /// wanted than the version of the copy that was asked.
    between: (u64, u64),
}

struct Asked {
    request: Request,
    /// The records it was answered with.
    kept: Option<Vec<Record>>,
    nothing_kept: Vec<NothingKept>,
    /// Whether the last answer was no error, so that nothing is to come of it any more.
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
    /// Whether the repository finds each commit that it keeps. Where it does not, a request that was kept may be
    /// decided again, and refused because of its own effect; it is not kept again.
    finds_commits: bool,
    line: FlakyRepository,
    copies: Vec<Replica>,
    /// For each copy, the latest version that it has heard of and not been told better since.
    heard: Vec<u64>,
    asked: Vec<Asked>,
    /// What is kept, as it was last looked at.
    records: Vec<Record>,
    /// Copies as they were at some moments, to be compared at the end.
    samples: Vec<Account>,
    now: u64,
    seen: Seen,
}

pub(crate) fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

pub(crate) fn commit(id: &str) -> IdempotencyKey {
    IdempotencyKey::parse(id).unwrap()
}

/// The account's beginnings: `a` manages groups, `b` builds, `c` is an owner too.
fn staffing() -> Vec<Command> {
    vec![
        enrol(["a", "b", "c"]),
        create_store("dev"),
        create_group("it", "IT Group", [Grant::group_manager()]),
        create_group("devs", "Dev Team", [editor(["dev"])]),
        add("it", ["a"]),
        add("devs", ["b"]),
        grant_ownership("c"),
    ]
}

fn commands(chance: &mut Chance, now: u64) -> Vec<Command> {
    let some = chance.one_of(&[1, 1, 1, 2, 3]);
    (0..some).map(|_| command(chance, now)).collect()
}

fn command(chance: &mut Chance, now: u64) -> Command {
    let who = chance.one_of(&["a", "b", "c", "d", "olga"]);
    let with = chance.one_of(&["a", "b", "d"]);
    let (store, group) = (
        chance.one_of(&["dev", "prod"]),
        chance.one_of(&["devs", "it", "ops"]),
    );
    let name = chance.one_of(&["Dev Team", "IT Group", "Ops"]);
    match chance.below(19) {
        0 => create_store(store),
        1 => delete_store(store),
        2..5 => add(group, [who, with]),
        5 | 6 => take_out(group, [who, with]),
        7 => enrol([who, with]),
        8 => invite(who),
        9 => invite_until(who, now + 2),
        10 => accept(),
        11 => cancel(who),
        12 => remove_member(who),
        13 => grant_ownership(who),
        14 => revoke_ownership(who),
        15 => create_group(group, name, [viewer(["dev"])]),
        16 => Command::EditGroup {
            group: GroupId::parse(group).unwrap(),
            name: Some(GroupName::parse(name).unwrap()),
            description: Some(Description::parse(chance.one_of(&["", "Those who build"])).unwrap()),
            grants: None,
        },
        17 => regrant(group, [editor([store])]),
        _ => delete_group(group),
    }
}

pub(crate) fn last_of(repository: &MemoryRepository) -> u64 {
    match repository.records_after(&acme(), u64::MAX).unwrap() {
        RecordPage::Records { last, .. } => last,
        RecordPage::Compacted => panic!("records in memory stay"),
    }
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let trust = chance.one_of(&[Trust::Contract, Trust::TornPages, Trust::StaleReads]);
        let faults = Fault::ALL.into_iter().filter(|fault| trust.allows(*fault));
        let rates: Vec<_> = faults
            .map(|fault| (fault, chance.one_of(&[0, 20, 60, 140])))
            .collect();
        let finds_commits = !rates
            .iter()
            .any(|(fault, rate)| *fault == Fault::StaleCommitted && *rate > 0);
        let line = FlakyRepository::new(seed, rates);
        let (limit, now) = (GroupLimit::new(3).unwrap(), at(1_000));
        let is_opened_here = trust == Trust::Contract;
        let open = |_| {
            let opened = if is_opened_here {
                open(&line, commit("open"), acme(), member(OWNER), limit, now)
            } else {
                let opened = open(
                    line.kept(),
                    commit("open"),
                    acme(),
                    member(OWNER),
                    limit,
                    now,
                );
                return Some(opened.unwrap());
            };
            match opened {
                Ok(copy) => Some(copy),
                Err(OpenError::Load(LoadError::Repository(TimedOut))) => None,
                Err(error) => panic!("it was not opened before: {error}"),
            }
        };
        let mut first = (0..TRIES).find_map(open).expect("an answer");
        let request = Request {
            commit: commit("staff"),
            actor: Actor::System,
            commands: staffing(),
            now,
        };
        execute(line.kept(), &mut first, &request).unwrap();
        Self {
            chance,
            trust,
            finds_commits,
            line,
            heard: vec![first.version(); COPIES],
            copies: vec![first; COPIES],
            asked: Vec::new(),
            records: Vec::new(),
            samples: Vec::new(),
            now: 1_000,
            seen: Seen::default(),
        }
    }

    /// What is kept now, looked at without faults.
    fn look(&mut self) -> u64 {
        let version = self.records.len() as u64;
        match self.line.kept().records_after(&acme(), version).unwrap() {
            RecordPage::Records { records, last } => {
                self.records.extend(records);
                last
            }
            RecordPage::Compacted => panic!("records in memory stay"),
        }
    }

    fn is_kept(&self, request: &Request) -> bool {
        let records = self.line.kept().records_of(&acme(), &request.commit);
        !records.unwrap().is_empty()
    }

    fn step(&mut self) {
        let which = usize::try_from(self.chance.below(COPIES as u64)).unwrap();
        match self.chance.below(20) {
            0..10 => {
                self.now = self.now + self.chance.below(3) - self.chance.below(2);
                let request = self.request(which);
                self.asked.push(Asked {
                    request,
                    kept: None,
                    nothing_kept: Vec::new(),
                    is_settled: false,
                });
                self.ask(which, self.asked.len() - 1);
            }
            10..13 if !self.asked.is_empty() => {
                let again = self.chance.below(self.asked.len() as u64);
                self.ask(which, usize::try_from(again).unwrap());
            }
            13 | 14 => self.catch_up(which),
            15 => self.ingest(which),
            16 => self.notify_version(which),
            17 => self.demand(which),
            18 => self.load(which),
            _ => {}
        }
        if self.chance.below(4) == 0 {
            self.samples.push(Account::clone(&self.copies[which]));
        }
    }

    /// Some request, mostly one that this copy would accept.
    fn request(&mut self, which: usize) -> Request {
        let mut tries = self.chance.below(12);
        loop {
            let request = Request {
                commit: commit(&self.asked.len().to_string()),
                actor: match self
                    .chance
                    .one_of(&["", "", "olga", "olga", "c", "a", "b", "d"])
                {
                    "" => Actor::System,
                    id => by(id),
                },
                commands: commands(&mut self.chance, self.now),
                now: at(self.now),
            };
            let Request {
                actor,
                commands,
                now,
                ..
            } = &request;
            let decided = self.copies[which].decide_batch(actor, commands, *now);
            if tries == 0 || decided.is_ok_and(|records| !records.is_empty()) {
                return request;
            }
            tries -= 1;
        }
    }

    fn ask(&mut self, which: usize, number: usize) {
        let asked = &self.asked[number];
        let request = asked.request.clone();
        let newest_before = last_of(self.line.kept());
        let copy = &mut self.copies[which];
        let (from, mut shown) = (copy.version(), Vec::new());
        let answer = execute_with(&self.line, copy, &request, |before, record| {
            shown.push((before.version(), record.clone()));
        });
        let copy = &self.copies[which];
        let reached = copy.version();
        assert!(reached >= from, "a copy never goes back");
        self.heard[which] = reached;
        let newest = self.look();
        let is_kept = self.is_kept(&request);
        let mut last = from;
        for (before, record) in shown {
            let version = record.version();
            assert!(
                before + 1 == version && version > last,
                "shown before it is applied, in order"
            );
            assert_eq!(record, self.records[usize::try_from(version).unwrap() - 1]);
            last = version;
        }
        let asked = &mut self.asked[number];
        asked.is_settled = true;
        let nothing_kept = match answer {
            Ok(records) if !records.is_empty() => {
                self.seen.answer("kept");
                let kept = self
                    .line
                    .kept()
                    .records_of(&acme(), &request.commit)
                    .unwrap();
                assert_eq!(
                    records, kept,
                    "an acknowledged request is there, as it was answered"
                );
                assert!(
                    reached >= records[records.len() - 1].version(),
                    "it counts at once"
                );
                asked.kept = Some(records);
                return;
            }
            Ok(nothing) => {
                self.seen.answer("nothing would change");
                Ok(nothing)
            }
            Err(ExecuteError::Refused(refusal)) => {
                self.seen.answer("refused");
                Err(refusal)
            }
            Err(error) => {
                asked.is_settled = false;
                self.seen.answer(error.code());
                match error {
                    // Whether a request is the one that was kept may depend on records that are kept no more.
                    ExecuteError::Load(LoadError::Missing { .. }) => {}
                    ExecuteError::Load(error) => self.assert_due(&error),
                    ExecuteError::Contended { .. } => {
                        assert!(!(is_kept && self.finds_commits), "it is kept");
                    }
                    other => panic!("{other}: {request:?}"),
                }
                return;
            }
        };
        if is_kept {
            assert!(!self.finds_commits, "it is kept: {nothing_kept:?}");
            self.seen
                .answer("nothing, though it was kept and not found");
        }
        let oldest = match self.trust {
            Trust::Contract | Trust::TornPages => newest_before,
            Trust::StaleReads => from,
        };
        asked.nothing_kept.push(NothingKept {
            answer: nothing_kept,
            between: (oldest, newest),
        });
    }

    /// An error is one that this repository can be blamed for.
    fn assert_due(&self, error: &LoadError<TimedOut>) {
        let least = match error {
            LoadError::Repository(TimedOut) => Trust::Contract,
            LoadError::Missing { .. }
            | LoadError::Replay(ReplayError::Gap { .. } | ReplayError::Repeat { .. }) => {
                Trust::TornPages
            }
            LoadError::Diverged { .. } => Trust::StaleReads,
            other => panic!("{other}"),
        };
        assert!(self.trust >= least, "{error}");
    }

    fn catch_up(&mut self, which: usize) {
        let (kept, copy) = (last_of(self.line.kept()), &mut self.copies[which]);
        let (from, result) = (copy.version(), catch_up(&self.line, copy));
        let as_of = self.copies[which].as_of();
        assert!(as_of.version >= from, "a copy never goes back");
        match result {
            Ok(()) if self.trust != Trust::StaleReads => {
                assert!(
                    as_of.version >= kept && as_of.behind == 0,
                    "it has caught up"
                );
            }
            Ok(()) => {}
            Err(error) => self.assert_due(&error),
        }
        self.heard[which] = as_of.version;
    }

    fn ingest(&mut self, which: usize) {
        let last = self.look();
        let record = &self.records[usize::try_from(self.chance.below(last)).unwrap()];
        let (version, copy) = (record.version(), &mut self.copies[which]);
        let had = copy.version();
        match copy.ingest(record).unwrap() {
            Ingested::Duplicate => assert!(version <= had),
            Ingested::Applied => assert!(version == had + 1),
            Ingested::Gap { behind } => assert!(version > had + 1 && behind >= version - had),
        }
        self.heard[which] = self.heard[which].max(version);
        self.assert_says_how_late(which);
    }

    fn notify_version(&mut self, which: usize) {
        let last = last_of(self.line.kept());
        let version = self
            .chance
            .one_of(&[1, last - 1, last, last, last + 3, u64::MAX]);
        let had = self.copies[which].version();
        match self.copies[which].notify_version(version) {
            Freshness::UpToDate => assert!(version <= had),
            Freshness::CatchUp { behind } => assert!(behind >= version.saturating_sub(had)),
        }
        self.heard[which] = self.heard[which].max(version);
        self.assert_says_how_late(which);
    }

    fn assert_says_how_late(&self, which: usize) {
        let as_of = self.copies[which].as_of();
        assert!(as_of.behind >= self.heard[which].saturating_sub(as_of.version));
    }

    fn demand(&mut self, which: usize) {
        let wanted = self.chance.below(last_of(self.line.kept()) + 2);
        let copy = &self.copies[which];
        match copy.at_least(wanted) {
            Ok(account) => assert!(account.version() >= wanted),
            Err(stale) => {
                assert!(copy.version() < wanted);
                assert_eq!((stale.version, stale.wanted), (copy.version(), wanted));
            }
        }
    }

    fn load(&mut self, which: usize) {
        match load(&self.line, &acme()) {
            Ok(Some(copy)) => {
                let is_newest = copy.version() == last_of(self.line.kept());
                assert!(is_newest || self.trust == Trust::StaleReads);
                self.heard[which] = copy.version();
                self.copies[which] = copy;
            }
            Ok(None) => assert!(self.trust == Trust::StaleReads, "the account is there"),
            Err(error) => self.assert_due(&error),
        }
    }

    /// Tries what has had no answer until it has one.
    fn finish(&mut self) {
        for number in 0..self.asked.len() {
            for which in 0..TRIES {
                if self.asked[number].is_settled {
                    break;
                }
                let which = usize::try_from(which).unwrap() % COPIES;
                if self.chance.below(4) == 0 {
                    self.load(which); // which is what a copy that is ahead of a stale reader is told to do
                }
                self.ask(which, number);
            }
        }
        if self.trust == Trust::Contract {
            assert!(
                self.asked.iter().all(|asked| asked.is_settled),
                "whoever asks on is answered"
            );
        }
        self.line.settle();
        self.look();
    }

    /// Everything that was answered, against what is kept.
    fn check(&mut self) {
        let kept = self.line.kept();
        let mut covered = vec![0; self.records.len()];
        let mut cover = |records: &[Record]| {
            for record in records {
                covered[usize::try_from(record.version()).unwrap() - 1] += 1;
            }
        };
        let rivals = self
            .line
            .injected_faults()
            .iter()
            .filter(|fault| **fault == Fault::Rival)
            .count();
        let others = ["open".to_owned(), "staff".to_owned()].into_iter();
        for id in others.chain((0..rivals).map(|number| format!("rival-{number}"))) {
            let records = kept.records_of(&acme(), &commit(&id)).unwrap();
            assert!(!records.is_empty());
            cover(&records);
        }
        let mut decided_on: BTreeMap<u64, (&Request, Vec<Record>)> = BTreeMap::new();
        let mut nothing_kept = Vec::new();
        for Asked {
            request,
            kept: answered,
            nothing_kept: answers,
            is_settled,
        } in &self.asked
        {
            let records = kept.records_of(&acme(), &request.commit).unwrap();
            cover(&records);
            match answered {
                Some(answered) => assert_eq!(*answered, records, "what was acknowledged stays"),
                None if *is_settled && self.trust != Trust::StaleReads => {
                    assert_eq!(records, [], "what was answered with nothing stays nothing");
                }
                None => {}
            }
            if let Some(first) = records.first() {
                decided_on.insert(first.version() - 1, (request, records));
            }
            nothing_kept.extend(answers.iter().map(|answer| (request, answer)));
        }
        assert!(
            covered.iter().all(|times| *times == 1),
            "each record is of one request: {covered:?}"
        );

        self.samples
            .extend(self.copies.iter().map(|copy| Account::clone(copy)));
        self.samples.sort_by_key(Account::version);
        let mut samples = self.samples.iter().peekable();
        let mut account = Account::replay(&self.records[..1]).unwrap();
        for (index, record) in self.records.iter().enumerate() {
            let version = index as u64 + 1;
            if index > 0 {
                account.apply(record).expect("no gap, and each record fits");
            }
            assert_eq!(account.version(), version);
            let mut members = account.members();
            assert!(
                members.any(|member| member.status() == MemberStatus::Active { owner: true }),
                "A2"
            );
            while let Some(sample) = samples.next_if(|sample| sample.version() == version) {
                assert_eq!(*sample, account, "a copy is the account at its version");
            }
            let decide = |request: &Request| {
                account.decide_batch(&request.actor, &request.commands, request.now)
            };
            if let Some((request, records)) = decided_on.get(&version) {
                assert_eq!(
                    decide(request).as_ref(),
                    Ok(records),
                    "as it was asked for, as a whole"
                );
            }
            nothing_kept.retain(
                |(
                    request,
                    NothingKept {
                        answer,
                        between: (from, to),
                    },
                )| {
                    !((*from..=*to).contains(&version) && decide(request) == *answer)
                },
            );
        }
        assert!(samples.next().is_none(), "no copy is ahead of what is kept");
        let wrong = nothing_kept
            .first()
            .map(|(request, wrong)| (request, &wrong.answer, wrong.between));
        assert!(
            wrong.is_none(),
            "right at no version that it may be of: {wrong:?}"
        );
        let loaded = load(kept, &acme()).unwrap().unwrap();
        assert_eq!(*loaded, account, "the account is its replay");
    }
}

/// Says how to run it again, when a run fails.
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

/// U1, U2, U3, U4, U5, A2, G9: whatever the storage does, a request is kept once at most, as it was asked for; what was
/// acknowledged is there; an answer that keeps nothing was right when it was given; a copy is the account at its
/// version.
#[test]
fn no_fault_of_the_storage_does_harm() {
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
    // Where nothing goes wrong, nothing is shown.
    for fault in Fault::ALL {
        assert!(
            seen.faults.contains_key(&fault),
            "{fault:?} did not come about"
        );
    }
    for code in [
        "kept",
        "nothing would change",
        "refused",
        "repository-failed",
        "diverged",
    ] {
        assert!(seen.answers.contains_key(code), "no answer is {code}");
    }
}

/// U2: with the same seed and the same calls, the same goes wrong, and the same comes of it.
#[test]
fn a_seed_gives_the_same_run() {
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

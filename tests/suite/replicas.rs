//! Copies of an account in several processes and threads: never wrong, only late, and they say how late.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use grantbook::repository::conformance::{Fault, FlakyRepository, TimedOut};
use grantbook::repository::{
    AsyncRepository, Commit, CommitOutcome, ExecuteError, Freshness, Ingested, LoadError,
    MemoryRepository, RecordPage, Replica, Repository, Request, Shared, catch_up, catch_up_with,
    execute, load, open,
};
use grantbook::*;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::faults::Chance;
use crate::strategies::{account, config};
use crate::support::*;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn commit(id: impl ToString) -> IdempotencyKey {
    IdempotencyKey::parse(&id.to_string()).unwrap()
}

fn by_host(id: impl ToString, command: Command) -> Request {
    Request {
        commit: commit(id),
        actor: Actor::System,
        commands: vec![command],
        now: at(0),
    }
}

fn opened(kept: &MemoryRepository) -> Replica {
    let limit = GroupLimit::default();
    open(
        kept,
        commit("open"),
        acme(),
        member(OWNER),
        limit,
        at(1_000),
    )
    .unwrap()
}

fn loaded(kept: &MemoryRepository) -> Replica {
    load(kept, &acme()).unwrap().unwrap()
}

/// A repository that keeps these records, each of a commit of its own.
fn keeping(records: &[Record]) -> MemoryRepository {
    let kept = MemoryRepository::new();
    keep(&kept, records);
    kept
}

fn keep(kept: &MemoryRepository, records: &[Record]) {
    for record in records {
        let commit = Commit::new(commit(record.version()), vec![record.clone()]).unwrap();
        assert_eq!(kept.commit(&commit), Ok(CommitOutcome::Appended));
    }
}

fn records_of(kept: &MemoryRepository) -> Vec<Record> {
    match kept.records_after(&acme(), 0).unwrap() {
        RecordPage::Records { records, .. } => records,
        RecordPage::Compacted => panic!("records in memory stay"),
    }
}

/// The same record with something else in it.
fn changed(record: &Record, field: &str, value: impl Into<serde_json::Value>) -> Record {
    let mut form = serde_json::to_value(record).unwrap();
    form[field] = value.into();
    serde_json::from_value(form).unwrap()
}

/// U2, U5: the next record is applied, one that was applied is not applied again, and before one that is missing
/// nothing is.
#[test]
fn a_copy_applies_the_next_record() {
    let world = World::staffed();
    let mut copy = loaded(&keeping(&world.records[..3]));
    assert_eq!(
        copy.ingest(&world.records[5]),
        Ok(Ingested::Gap { behind: 3 })
    );
    assert_eq!(
        copy.ingest(&world.records[4]),
        Ok(Ingested::Gap { behind: 3 })
    );
    assert_eq!((copy.version(), copy.as_of().behind), (3, 3));
    assert_eq!(copy.ingest(&world.records[3]), Ok(Ingested::Applied));
    for applied in &world.records[..4] {
        assert_eq!(copy.ingest(applied), Ok(Ingested::Duplicate));
    }
    assert_eq!(*copy, Account::replay(&world.records[..4]).unwrap());
    assert_eq!(
        (copy.as_of().version, copy.as_of().at),
        (4, world.records[3].at())
    );
    assert_eq!(copy.as_of().behind, 2, "it knows of six");
    for next in &world.records[4..] {
        assert_eq!(copy.ingest(next), Ok(Ingested::Applied));
    }
    assert_eq!((&*copy, copy.as_of().behind), (&world.account, 0));
}

/// U2: an observer sees a record that is applied, with the account before it, and no other.
#[test]
fn an_observer_sees_what_is_applied() {
    let world = World::staffed();
    let mut copy = loaded(&keeping(&world.records[..3]));
    let mut shown = Vec::new();
    for number in [4, 3, 2, 3, 4] {
        let show =
            |before: &Account, record: &Record| shown.push((before.version(), record.clone()));
        let _ = copy.offer_with(&world.records[number], show).unwrap();
    }
    let expected = [(3, world.records[3].clone()), (4, world.records[4].clone())];
    assert_eq!(shown, expected);
    catch_up_with(&keeping(&world.records), &mut copy, |before, record| {
        assert_eq!(before.version() + 1, record.version());
        shown.push((before.version(), record.clone()));
    })
    .unwrap();
    assert_eq!(shown.len(), world.records.len() - 3);
}

/// G9: whoever hears of a change that it does not have is late, and says how late, until it has it.
#[test]
fn a_notice_says_how_late_a_copy_is() {
    let world = World::staffed();
    let (kept, last) = (keeping(&world.records), world.account.version());
    let mut copy = loaded(&keeping(&world.records[..3]));
    assert_eq!(copy.notify_version(2), Freshness::UpToDate);
    assert_eq!(copy.notify_version(3), Freshness::UpToDate);
    assert_eq!(copy.notify_version(5), Freshness::CatchUp { behind: 2 });
    assert_eq!(
        copy.notify_version(4),
        Freshness::CatchUp { behind: 2 },
        "the later notice counts"
    );
    assert_eq!(copy.ingest(&world.records[3]), Ok(Ingested::Applied));
    assert_eq!(copy.as_of().behind, 1);
    assert_eq!(
        copy.notify_version(u64::MAX),
        Freshness::CatchUp {
            behind: u64::MAX - 4
        }
    );
    catch_up(&kept, &mut copy).unwrap();
    assert_eq!(
        (copy.version(), copy.as_of().behind),
        (last, 0),
        "a false notice is forgotten"
    );
    assert_eq!(
        copy.notify_version(last + 1),
        Freshness::CatchUp { behind: 1 },
        "and notices count again"
    );
}

/// G9: a copy that is older than it has to be does not answer.
#[test]
fn a_stale_copy_does_not_answer() {
    let world = World::staffed();
    let (kept, last) = (keeping(&world.records), world.account.version());
    let mut copy = loaded(&keeping(&world.records[..3]));
    assert_eq!(copy.at_least(0).map(Account::version), Ok(3));
    assert_eq!(copy.at_least(3).map(Account::version), Ok(3));
    let _ = copy.notify_version(last);
    let stale = copy.at_least(4).unwrap_err();
    assert_eq!(stale.code(), "stale");
    assert_eq!(
        stale.to_string(),
        "this copy of account `acme` is at version 3, and version 4 was wanted; catch up"
    );
    let shared = Shared::new(copy.clone());
    assert_eq!(shared.at_least(4).err(), Some(stale));
    catch_up(&kept, &mut copy).unwrap();
    shared.catch_up(&kept).unwrap();
    assert_eq!(copy.at_least(last), Ok(&world.account));
    assert_eq!(*shared.at_least(last).unwrap(), copy);
    assert!(copy.at_least(last + 1).is_err() && shared.at_least(u64::MAX).is_err());
}

/// A4, U5: a record of another account and one that does not fit are refused, and change nothing: neither the account
/// nor what the copy knows of.
#[test]
fn what_does_not_belong_is_refused() {
    let world = World::staffed();
    let mut copy = loaded(&keeping(&world.records));
    let (before, last) = (copy.clone(), copy.version());
    let newest = &world.records[world.records.len() - 1];
    let unfitting = changed(&world.records[1], "version", last + 1);
    for version in [1, last, last + 1, last + 9] {
        let foreign = changed(&changed(newest, "version", version), "account", "other");
        let refused = copy.offer_with(&foreign, |_, _| panic!("it is not applied"));
        assert_eq!(refused.unwrap_err().code(), "wrong-account");
        assert_eq!(
            Shared::new(copy.clone())
                .ingest(&foreign)
                .unwrap_err()
                .code(),
            "wrong-account"
        );
    }
    let refused = copy.offer_with(&unfitting, |_, _| panic!("it is not applied"));
    assert_eq!(refused.unwrap_err().code(), "redundant");
    assert_eq!((&copy, copy.as_of()), (&before, before.as_of()));
}

/// U2: a request over a copy that is behind counts there once it is kept, and so does all before it.
#[test]
fn a_copy_that_is_behind_catches_up_to_execute() {
    let kept = MemoryRepository::new();
    let mut here = opened(&kept);
    let (mut elsewhere, shared) = (here.clone(), Shared::new(here.clone()));
    execute(&kept, &mut here, &by_host(1, create_store("dev"))).unwrap();
    execute(&kept, &mut elsewhere, &by_host(2, create_store("prod"))).unwrap();
    assert!(elsewhere.has_store("dev") && elsewhere.has_store("prod"));
    let mut shown = Vec::new();
    let see = |_: &Account, record: &Record| shown.push(record.version());
    shared
        .execute_with(&kept, &by_host(3, create_store("test")), see)
        .unwrap();
    assert_eq!(shown, [2, 3, 4]);
    assert_eq!((shared.as_of().version, shared.as_of().behind), (4, 0));
    assert_eq!(here.notify_version(4), Freshness::CatchUp { behind: 2 });
    catch_up(&kept, &mut here).unwrap();
    assert_eq!(here, *shared.read());
}

/// U2: whoever observes may fail: the copy is then as late as before the record that was shown, serves on, and catches
/// up.
#[test]
fn an_observer_that_fails_leaves_a_copy_late() {
    let kept = MemoryRepository::new();
    let shared = Shared::new(opened(&kept));
    let commands = vec![create_store("dev"), create_store("prod")];
    let both = Request {
        commands,
        ..by_host(1, create_store("dev"))
    };
    let failed = catch_unwind(|| {
        shared.execute_with(&kept, &both, |_, record| {
            assert!(record.version() < 3, "the observer fails on purpose");
        })
    });
    assert!(failed.is_err());
    assert_eq!(shared.as_of().version, 2);
    assert!(shared.can(OWNER, &Permission::STORE_READ, Resource::Store("dev")));
    assert_eq!(*shared.read(), {
        let mut late = loaded(&keeping(&records_of(&kept)[..1]));
        assert_eq!(late.ingest(&records_of(&kept)[1]), Ok(Ingested::Applied));
        late
    });
    // Asked again, it is answered as a whole; and others are executed.
    assert_eq!(shared.execute(&kept, &both).unwrap().len(), 2);
    shared
        .execute(&kept, &by_host(2, create_store("test")))
        .unwrap();
    assert_eq!(*shared.read(), loaded(&kept));
}

/// What happens to a copy and the repository it is a copy of.
#[derive(Clone, Debug)]
enum Step {
    /// Somebody commits so many records, and sends each about, and its version.
    Commit(usize),
    /// A message that was sent arrives, and is gone.
    Arrive(Index),
    /// A message arrives, and will arrive again.
    Repeat(Index),
    /// A message is lost.
    Lose(Index),
    /// Notice of a version that may not be there.
    FalseHint(u64),
    /// A record of another account with the same id, but for the account's.
    Foreign(Index),
    /// A check that must not be older.
    Demand(u64),
    CatchUp,
}

#[derive(Clone, Copy, Debug)]
enum Message {
    Record(usize),
    Freshness(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || any::<Index>();
    let step = prop_oneof![
        3 => (1..4_usize).prop_map(Step::Commit),
        8 => index().prop_map(Step::Arrive),
        4 => index().prop_map(Step::Repeat),
        1 => index().prop_map(Step::Lose),
        1 => prop_oneof![Just(u64::MAX), 0..40_u64].prop_map(Step::FalseHint),
        1 => index().prop_map(Step::Foreign),
        2 => (0..40_u64).prop_map(Step::Demand),
        1 => Just(Step::CatchUp),
    ];
    prop::collection::vec(step, 48)
}

/// A copy of each kind, side by side, and what is to be expected of both.
struct Copies {
    own: Replica,
    shared: Shared,
    kept: MemoryRepository,
    records: Vec<Record>,
    states: Vec<Account>,
    /// How many of the records are kept.
    last: usize,
    version: u64,
    /// The latest version that they were told of since the repository last said which is its last.
    heard: u64,
}

impl Copies {
    fn new(world: &World, first: usize) -> Self {
        let kept = keeping(&world.records[..first]);
        let (own, mut states) = (
            loaded(&kept),
            vec![Account::replay(&world.records[..1]).unwrap()],
        );
        for record in &world.records[1..] {
            let mut next = states[states.len() - 1].clone();
            next.apply(record).unwrap();
            states.push(next);
        }
        let (version, records) = (first as u64, world.records.clone());
        Self {
            shared: Shared::new(own.clone()),
            own,
            kept,
            records,
            states,
            last: first,
            version,
            heard: version,
        }
    }

    fn commit(&mut self, many: usize, sent: &mut Vec<Message>) {
        let until = self.records.len().min(self.last.saturating_add(many));
        keep(&self.kept, &self.records[self.last..until]);
        for number in self.last..until {
            sent.push(Message::Record(number));
            sent.push(Message::Freshness(number as u64 + 1));
        }
        self.last = until;
    }

    fn arrive(&mut self, message: Message) -> Result<(), TestCaseError> {
        match message {
            Message::Record(number) => {
                let (record, version) = (&self.records[number], number as u64 + 1);
                let answer = self.own.ingest(record);
                prop_assert_eq!(&answer, &self.shared.ingest(record));
                let expected = if version <= self.version {
                    Ingested::Duplicate
                } else if version == self.version + 1 {
                    self.version = version;
                    Ingested::Applied
                } else {
                    let behind = self.heard.max(version) - self.version;
                    Ingested::Gap { behind }
                };
                self.heard = self.heard.max(version);
                prop_assert_eq!(answer, Ok(expected));
            }
            Message::Freshness(version) => {
                let answer = self.own.notify_version(version);
                prop_assert_eq!(answer, self.shared.notify_version(version));
                self.heard = self.heard.max(version);
                let expected = match self.heard.saturating_sub(self.version) {
                    0 => Freshness::UpToDate,
                    behind => Freshness::CatchUp { behind },
                };
                prop_assert_eq!(answer, expected);
            }
        }
        Ok(())
    }

    fn refuse(&mut self, record: &Record) -> Result<(), TestCaseError> {
        let foreign = changed(record, "account", "other");
        let refused = self.own.ingest(&foreign).unwrap_err();
        prop_assert_eq!(refused.code(), "wrong-account");
        prop_assert_eq!(self.shared.ingest(&foreign).unwrap_err(), refused);
        Ok(())
    }

    fn demand(&self, wanted: u64) -> Result<(), TestCaseError> {
        let answers = [
            self.own.at_least(wanted).map(Account::version),
            self.shared.at_least(wanted).map(|copy| copy.version()),
        ];
        for answer in answers {
            match answer {
                Ok(version) => prop_assert!(version >= wanted && version == self.version),
                Err(stale) => {
                    prop_assert!(self.version < wanted);
                    prop_assert_eq!((stale.version, stale.wanted), (self.version, wanted));
                }
            }
        }
        Ok(())
    }

    fn catch_up(&mut self) -> Result<(), TestCaseError> {
        prop_assert!(catch_up(&self.kept, &mut self.own).is_ok());
        prop_assert!(self.shared.catch_up(&self.kept).is_ok());
        self.version = self.last as u64;
        self.heard = self.version;
        Ok(())
    }

    /// Never wrong, only late, and they say how late.
    fn check(&self) -> Result<(), TestCaseError> {
        let number = usize::try_from(self.version).unwrap() - 1;
        let as_of = self.own.as_of();
        prop_assert_eq!(as_of, self.shared.as_of());
        prop_assert_eq!(
            (as_of.version, as_of.at),
            (self.version, self.records[number].at())
        );
        prop_assert_eq!(as_of.behind, self.heard.saturating_sub(self.version));
        prop_assert_eq!(&*self.own, &self.states[number]);
        prop_assert_eq!(&*self.shared.read(), &self.own);
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// U2, U5, A4, G9: messages are dropped, repeated, delayed and reordered: a copy is the account at its version,
    /// answers each message exactly, never serves an older version than is demanded, says how late it is, and is the
    /// account once it has caught up.
    #[test]
    fn a_copy_is_never_wrong_only_late(world in account(16), first in any::<Index>(), steps in steps()) {
        let mut copies = Copies::new(&world, 1 + first.index(world.records.len()));
        let mut sent = Vec::new();
        for step in steps {
            match step {
                Step::Commit(many) => copies.commit(many, &mut sent),
                Step::Arrive(which) if !sent.is_empty() => {
                    let message = sent.swap_remove(which.index(sent.len()));
                    copies.arrive(message)?;
                }
                Step::Repeat(which) if !sent.is_empty() => copies.arrive(*which.get(&sent))?,
                Step::Lose(which) if !sent.is_empty() => drop(sent.swap_remove(which.index(sent.len()))),
                Step::Arrive(_) | Step::Repeat(_) | Step::Lose(_) => {}
                Step::FalseHint(version) => copies.arrive(Message::Freshness(version))?,
                Step::Foreign(which) => copies.refuse(which.get(&world.records))?,
                Step::Demand(version) => copies.demand(version)?,
                Step::CatchUp => copies.catch_up()?,
            }
            copies.check()?;
        }
        copies.commit(usize::MAX, &mut sent);
        copies.catch_up()?;
        copies.check()?;
        prop_assert_eq!(&*copies.own, &world.account);
    }
}

/// Waits, and is to be asked again at once.
async fn pause() {
    let mut is_over = false;
    poll_fn(|context| {
        if is_over {
            return Poll::Ready(());
        }
        is_over = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A repository that is waited for: before it does what it is asked, and before the answer is there.
struct Waited<'r, R>(&'r R);

impl<R: Repository<Error: Send + Sync> + Sync> AsyncRepository for Waited<'_, R> {
    type Error = R::Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
        pause().await;
        let answer = self.0.snapshot(account);
        pause().await;
        answer
    }

    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, R::Error> {
        pause().await;
        let answer = self.0.records_after(account, version);
        pause().await;
        answer
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, R::Error> {
        pause().await;
        let answer = self.0.records_of(account, id);
        pause().await;
        answer
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        pause().await;
        let answer = self.0.commit(commit);
        pause().await;
        answer
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.0.wants_snapshot(expected, version)
    }
}

/// Waits for so many pauses, and then gives up: what was begun is dropped where it stands.
async fn within<T>(mut pauses: u64, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(result) => Poll::Ready(Some(result)),
        Poll::Pending if pauses == 0 => Poll::Ready(None),
        Poll::Pending => {
            pauses -= 1;
            Poll::Pending
        }
    })
    .await
}

type Task<'t> = Pin<Box<dyn Future<Output = ()> + 't>>;

/// Lets one task go on at a time, as chance will have it, and looks at every moment in between.
fn interleaved(chance: &mut Chance, mut tasks: Vec<Task<'_>>, look: impl Fn()) {
    while !tasks.is_empty() {
        let which = usize::try_from(chance.below(tasks.len() as u64)).unwrap();
        let polled = tasks[which]
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        if polled.is_ready() {
            drop(tasks.swap_remove(which));
        }
        look();
    }
}

/// What was shown of each version.
#[derive(Default)]
struct Shown(Mutex<Vec<Record>>);

impl Shown {
    fn see(&self, before: &Account, record: &Record) {
        assert_eq!(before.version() + 1, record.version());
        self.0.lock().unwrap().push(record.clone());
    }
}

/// One thread, whose tasks take turns as a seed says: executing, catching up, hearing of what happens elsewhere.
fn take_turns(seed: u64, faults: &[(Fault, u16)]) -> Vec<Fault> {
    let chance = &mut Chance::new(seed);
    let line = FlakyRepository::new(seed, faults.iter().copied());
    let kept = line.kept();
    let shared = &Shared::new(opened(kept));
    let (storage, shown) = (&Waited(&line), &Shown::default());
    let see = |before: &Account, record: &Record| shown.see(before, record);
    let told = &AtomicU64::new(1);
    // True when it is given; a false one may be forgotten.
    let hint = |version| {
        if version <= records_of(kept).len() as u64 {
            told.fetch_max(version, Ordering::Relaxed);
        }
        let _ = shared.notify_version(version);
    };
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for number in 0..2 {
        // Some give up waiting, and ask again.
        let mut patience = chance.below(20);
        tasks.push(Box::pin(async move {
            for store in ["dev", "prod"] {
                let id = format!("{number}-{store}");
                let request = by_host(&id, create_store(&id));
                let records = loop {
                    let asked = shared.execute_with_async(storage, &request, see);
                    match within(patience, asked).await {
                        Some(Ok(records)) => break records,
                        None | Some(Err(ExecuteError::Load(LoadError::Repository(TimedOut)))) => {}
                        Some(Err(error)) => panic!("{error}"),
                    }
                    patience += 5;
                };
                assert_eq!(records, kept.records_of(&acme(), &request.commit).unwrap());
                assert!(
                    shared.at_least(records[0].version()).is_ok(),
                    "it counts at once"
                );
            }
        }));
    }
    tasks.push(Box::pin(async {
        for _ in 0..3 {
            let version = shared.as_of().version;
            shared.catch_up_with_async(storage, see).await.unwrap();
            assert!(shared.as_of().version >= version, "it never goes back");
        }
    }));
    let versions: Vec<_> = (0..3).map(|_| 2 + chance.below(6)).collect();
    tasks.push(Box::pin(async move {
        let mut elsewhere = loaded(kept);
        for version in versions {
            pause().await;
            hint(version);
            pause().await;
            let id = version + elsewhere.version() * 10;
            let request = by_host(id, create_store(&id.to_string()));
            let records = execute(kept, &mut elsewhere, &request).unwrap();
            pause().await;
            let _ = shared.offer_with(&records[0], see).unwrap();
            hint(elsewhere.version());
        }
    }));
    interleaved(chance, tasks, || {
        let (as_of, told) = (shared.as_of(), told.load(Ordering::Relaxed));
        assert!(
            as_of.version.saturating_add(as_of.behind) >= told,
            "told of {told}: {as_of:?}"
        );
    });
    shared.catch_up_with(kept, see).unwrap();
    let (records, shown) = (records_of(kept), shown.0.lock().unwrap());
    assert_eq!(records.len(), 1 + 4 + 3, "each request is kept once");
    if faults.is_empty() {
        assert_eq!(*shown, records[1..], "each is shown once, in order");
    }
    assert!(
        shown
            .windows(2)
            .all(|two| two[0].version() < two[1].version())
    );
    assert_eq!(*shared.read(), loaded(kept));
    assert_eq!(shared.as_of().behind, 0);
    line.injected_faults()
}

/// U2, G9: requests, notices, records and catching up meet on a shared copy in 10,000 orders: each record is applied
/// and shown once, in order; what was executed counts at once; a notice of what is there is never forgotten.
#[test]
fn turns_are_taken_in_any_order() {
    let faults = [
        (Fault::KeptUnanswered, 150),
        (Fault::NotKept, 150),
        (Fault::ShortPage, 200),
        (Fault::Gone, 300),
    ];
    let mut injected_faults = BTreeSet::new();
    for seed in 0..10_000 {
        let faults = if seed % 2 == 0 { &[][..] } else { &faults };
        let Ok(faults) = catch_unwind(|| take_turns(seed, faults)) else {
            panic!("in the order of seed {seed}");
        };
        injected_faults.extend(faults);
    }
    assert_eq!(injected_faults, faults.map(|(fault, _)| fault).into());
}

/// Waits with its thread until the future is there.
fn block_on<T>(future: impl Future<Output = T> + Send) -> T {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(result) => return result,
            Poll::Pending => thread::park(),
        }
    }
}

/// U1, U2, G9: threads that execute, wait, catch up, hear and check share one copy, and another process writes too:
/// each request is kept once, each record is applied and shown once, in order, and no check goes back in time.
#[test]
fn threads_share_a_copy() {
    const EACH: usize = 60;
    let kept = MemoryRepository::new();
    let shared = Shared::new(opened(&kept));
    let (shown, storage) = (Shown::default(), Waited(&kept));
    let see = |before: &Account, record: &Record| shown.see(before, record);
    let request = |who: &str, number: usize| {
        let id = format!("{who}-{number}");
        by_host(&id, create_store(&id))
    };
    let (send, receive) = mpsc::channel::<Record>();
    let is_over = AtomicBool::new(false);
    thread::scope(|threads| {
        let executing = ["x", "y"].map(|who| {
            let (shared, kept) = (&shared, &kept);
            threads.spawn(move || {
                for number in 0..EACH {
                    let records = shared
                        .execute_with(kept, &request(who, number), see)
                        .unwrap();
                    let copy = shared
                        .at_least(records[0].version())
                        .expect("it counts at once");
                    assert!(copy.has_store(format!("{who}-{number}").as_str()));
                }
            })
        });
        let waiting = ["v", "w"].map(|who| {
            let (shared, storage) = (&shared, &storage);
            threads.spawn(move || {
                for number in 0..EACH {
                    let request = request(who, number);
                    let records =
                        block_on(shared.execute_with_async(storage, &request, see)).unwrap();
                    assert_eq!(records.len(), 1);
                    // Asked again, it is answered as before.
                    assert_eq!(
                        block_on(shared.execute_with_async(storage, &request, see)).unwrap(),
                        records
                    );
                }
            })
        });
        let kept = &kept;
        let elsewhere = threads.spawn(move || {
            let mut copy = loaded(kept);
            for number in 0..EACH {
                for record in execute(kept, &mut copy, &request("z", number)).unwrap() {
                    send.send(record).unwrap();
                }
            }
        });
        let (shared, storage) = (&shared, &storage);
        threads.spawn(move || {
            // Two at a time arrive in the wrong order, and every third not at all; then one is repeated.
            loop {
                let pair: Vec<_> = receive.iter().take(2).collect();
                let Some(first) = pair.first() else { break };
                for record in pair.iter().rev().filter(|record| record.version() % 3 != 0) {
                    let _ = shared.notify_version(record.version());
                    let _ = shared.offer_with(record, see).unwrap();
                }
                let _ = shared.offer_with(first, see).unwrap();
                block_on(shared.catch_up_with_async(storage, see)).unwrap();
            }
        });
        threads.spawn(|| {
            let mut seen = 0;
            while !is_over.load(Ordering::Relaxed) {
                let copy = shared.read();
                assert!(copy.version() >= seen, "no check goes back");
                let stores = copy.stores().count() as u64;
                assert_eq!(stores + 1, copy.version(), "nothing is half applied");
                seen = stores;
                drop(copy);
                shared.catch_up_with(kept, see).unwrap();
            }
        });
        let writers = executing.into_iter().chain(waiting).chain([elsewhere]);
        let ended: Vec<_> = writers.map(thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    let records = records_of(&kept);
    let mut kept_of: BTreeMap<char, usize> = BTreeMap::new();
    for record in &records[1..] {
        match record.event() {
            Event::StoreCreated { store } => {
                *kept_of.entry(store.chars().next().unwrap()).or_default() += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(kept_of, "vwxyz".chars().map(|who| (who, EACH)).collect());
    assert_eq!(
        *shown.0.lock().unwrap(),
        records[1..],
        "each is shown once, in order"
    );
    assert_eq!(*shared.read(), loaded(&kept));
    assert_eq!(shared.as_of().behind, 0);
}

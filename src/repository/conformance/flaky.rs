//! A repository that fails on purpose, as a seed says.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::changes::{CreateStore, DeleteStore};
use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey, StoreId};
use crate::repository::commit::Commit;
use crate::repository::contract::{CommitOutcome, RecordPage, Repository};
use crate::repository::execute;
use crate::repository::head::Head;
use crate::repository::memory::MemoryRepository;
use crate::repository::request::{Request, StoredRequest};
use crate::time::Timestamp;

/// A [`MemoryRepository`] behind a bad line: each call may go wrong, in one of the ways that are asked for. The same
/// seed and the same calls give the same faults.
///
/// For tests of what is built over a repository. What is really kept is never wrong, and is at hand without faults
/// ([`kept`](FlakyRepository::kept)); which faults came about is told ([`injected_faults`](FlakyRepository::injected_faults)), for a test in which
/// nothing went wrong shows nothing.
///
/// ```
/// use grantbook::repository::conformance::{Fault, FlakyRepository};
/// use grantbook::repository::{self, Request};
/// # use grantbook::{AccountId, Actor, IdempotencyKey, GroupLimit, MemberId, StoreId, Timestamp};
/// # let (acme, olga) = (AccountId::parse("acme")?, MemberId::parse("olga")?);
/// # let (now, limit) = (Timestamp::from_millis(0), GroupLimit::default());
///
/// let line = FlakyRepository::new(7, [(Fault::KeptUnanswered, 500), (Fault::NotKept, 200)]);
/// let mut account = repository::open(line.kept(), IdempotencyKey::parse("1")?, acme, olga, limit, now)?;
/// # let create = grantbook::command::CreateStore { store: StoreId::parse("dev")? };
/// # let request = Request::by(Actor::System, IdempotencyKey::parse("2")?, now).command(create);
///
/// // An answer that is lost is asked for again, and the request is kept once.
/// let answered = (0..100).find_map(|_| repository::execute(&line, &mut account, &request).ok());
/// assert_eq!(answered.map(|executed| executed.records().len()), Some(1));
/// assert_eq!(account.version(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FlakyRepository {
    kept: MemoryRepository,
    /// Of a thousand calls that may go wrong so, how many do.
    rates: Vec<(Fault, u16)>,
    line: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    chance: Chance,
    injected_faults: Vec<Fault>,
    /// Commits whose answer was lost, and which have yet to reach the storage.
    under_way: VecDeque<Commit>,
    /// All snapshots that were ever kept, of all accounts.
    snapshots: Vec<Snapshot>,
    rivals: u64,
}

/// The storage did not answer in time. Of a commit, it is unknown whether it is kept, or will be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no answer in time")]
pub struct TimedOut;

/// A way for a call to go wrong.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Fault {
    /// A reading call times out.
    ReadTimedOut,
    /// A commit times out, and is not kept.
    NotKept,
    /// A commit times out, though it is kept.
    KeptUnanswered,
    /// A commit times out, and reaches the storage later: before one of the next calls, if it is not too late by then.
    KeptLater,
    /// Another writer has just committed. It creates the store `rival`, or deletes it, under the keys `rival-0`,
    /// `rival-1`, and so on. Not before the account is opened.
    Rival,
    /// A page ends early, with at least one record.
    ShortPage,
    /// The records are kept no more, but a later snapshot is. Only where it is.
    Gone,
    /// A commit is answered with a conflict, though there is none.
    FalseConflict,
    /// A page is empty, though there are records.
    EmptyPage,
    /// A page leaves out a record before its last.
    TornPage,
    /// A page begins before the version that was asked for, and stutters.
    RepeatingPage,
    /// The records are those of an earlier moment, as a reader that lags behind has them.
    StaleRecords,
    /// The snapshot is an earlier one, or there is none yet.
    StaleSnapshot,
    /// A request that was accepted is not found, as by a reader that lags behind. It may then be refused because of its own
    /// effect; it is not kept twice.
    StaleRequests,
}

impl Fault {
    /// All there are.
    pub const ALL: [Fault; 14] = [
        Fault::ReadTimedOut,
        Fault::NotKept,
        Fault::KeptUnanswered,
        Fault::KeptLater,
        Fault::Rival,
        Fault::ShortPage,
        Fault::Gone,
        Fault::FalseConflict,
        Fault::EmptyPage,
        Fault::TornPage,
        Fault::RepeatingPage,
        Fault::StaleRecords,
        Fault::StaleSnapshot,
        Fault::StaleRequests,
    ];

    /// Whether a repository that keeps the contract may do so too. All the others are defects of the repository.
    #[must_use]
    pub fn keeps_contract(self) -> bool {
        match self {
            Fault::ReadTimedOut
            | Fault::NotKept
            | Fault::KeptUnanswered
            | Fault::KeptLater
            | Fault::Rival
            | Fault::ShortPage
            | Fault::Gone => true,
            Fault::FalseConflict
            | Fault::EmptyPage
            | Fault::TornPage
            | Fault::RepeatingPage
            | Fault::StaleRecords
            | Fault::StaleSnapshot
            | Fault::StaleRequests => false,
        }
    }
}

impl FlakyRepository {
    /// An empty one. Of a thousand calls that can go wrong in a way, so many do, on average; a way that is not named
    /// does not happen. A call goes wrong in one way at most, so rates that add up to more leave nothing for the last.
    pub fn new(seed: u64, rates: impl IntoIterator<Item = (Fault, u16)>) -> Self {
        let line = Line {
            chance: Chance(seed),
            injected_faults: Vec::new(),
            under_way: VecDeque::new(),
            snapshots: Vec::new(),
            rivals: 0,
        };
        Self {
            kept: MemoryRepository::new(),
            rates: rates.into_iter().collect(),
            line: Mutex::new(line),
        }
    }

    /// What is really kept, without faults.
    #[must_use]
    pub fn kept(&self) -> &MemoryRepository {
        &self.kept
    }

    /// Lets all that is under way arrive ([`Fault::KeptLater`]). Each other call lets some of it.
    pub fn settle(&self) {
        let mut line = self.line();
        while let Some(commit) = line.under_way.pop_front() {
            self.arrive(&mut line, &commit);
        }
    }

    /// The faults until now, in their order.
    #[must_use]
    pub fn injected_faults(&self) -> Vec<Fault> {
        self.line().injected_faults.clone()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line for one call, after what was under way has arrived, as chance will have it.
    fn call(&self) -> MutexGuard<'_, Line> {
        let mut line = self.line();
        for _ in 0..line.under_way.len() {
            if let Some(commit) = line.under_way.pop_front() {
                if line.chance.below(2) == 0 {
                    self.arrive(&mut line, &commit);
                } else {
                    line.under_way.push_back(commit);
                }
            }
        }
        line
    }

    /// Which of these ways the call goes wrong in, if any. A way that turns out to have no effect is not noted.
    fn draw(&self, line: &mut Line, ways: &[Fault]) -> Option<Fault> {
        let mut drawn = line.chance.below(1_000);
        let ours = self.rates.iter().filter(|(fault, _)| ways.contains(fault));
        for &(fault, rate) in ours {
            match drawn.checked_sub(u64::from(rate)) {
                Some(rest) => drawn = rest,
                None => return Some(fault),
            }
        }
        None
    }

    fn keep(&self, line: &mut Line, commit: &Commit) -> CommitOutcome {
        let Ok(answer) = self.kept.commit(commit);
        if answer == CommitOutcome::Appended {
            line.snapshots.extend(commit.snapshot().cloned());
        }
        answer
    }

    fn arrive(&self, line: &mut Line, commit: &Commit) {
        // Nobody waits for the answer any more.
        let _ = self.keep(line, commit);
    }

    /// Another writer's commit, unless the account is not opened yet.
    fn rival(&self, line: &mut Line, account: &AccountId) {
        let commit = IdempotencyKey::parse(&format!("rival-{}", line.rivals));
        let (Ok(commit), Ok(store)) = (commit, StoreId::parse("rival")) else {
            return;
        };
        if let Ok(Some(mut copy)) = execute::load(&self.kept, account) {
            let command = if copy.has_store(&store) {
                Command::DeleteStore(DeleteStore { store })
            } else {
                Command::CreateStore(CreateStore { store })
            };
            let now = Timestamp::from_millis(0);
            let request = Request::by(Actor::System, commit, now).command(command);
            if execute::execute(&self.kept, &mut copy, &request).is_ok() {
                line.rivals += 1;
                line.injected_faults.push(Fault::Rival);
            }
        }
    }
}

impl Repository for FlakyRepository {
    type Error = TimedOut;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, TimedOut> {
        let mut line = self.call();
        let Ok(latest) = self.kept.snapshot(account);
        match self.draw(&mut line, &[Fault::ReadTimedOut, Fault::StaleSnapshot]) {
            Some(Fault::ReadTimedOut) => line.time_out(Fault::ReadTimedOut),
            Some(_) if latest.is_some() => {
                let all = line
                    .snapshots
                    .iter()
                    .filter(|kept| kept.account() == account);
                let mut earlier: Vec<_> = all.map(|kept| Some(kept.clone())).collect();
                earlier.pop();
                earlier.push(None);
                let which = line.chance.resource(earlier.len());
                line.injected_faults.push(Fault::StaleSnapshot);
                Ok(earlier.into_iter().nth(which).flatten())
            }
            _ => Ok(latest),
        }
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, TimedOut> {
        let mut line = self.call();
        let ways = [
            Fault::ReadTimedOut,
            Fault::ShortPage,
            Fault::Gone,
            Fault::EmptyPage,
            Fault::TornPage,
            Fault::RepeatingPage,
            Fault::StaleRecords,
        ];
        let Some(fault) = self.draw(&mut line, &ways) else {
            let Ok(tail) = self.kept.records_after(account, version);
            return Ok(tail);
        };
        if fault == Fault::ReadTimedOut {
            return line.time_out(fault);
        }
        let Ok(snapshot) = self.kept.snapshot(account);
        if fault == Fault::Gone && snapshot.is_some_and(|kept| kept.version() > version) {
            line.injected_faults.push(fault);
            return Ok(RecordPage::Compacted);
        }
        let (records, head) = match self.kept.records_after(account, 0) {
            Ok(RecordPage::Records {
                records,
                head: Some(head),
            }) => (records, head),
            Ok(other) => return Ok(other),
        };
        let (early, due) = records.split_at(records.partition_point(|one| one.version <= version));
        let (page, told) = line.chance.page(fault, early, due, head);
        if page != due || told != head {
            line.injected_faults.push(fault);
        }
        Ok(RecordPage::Records {
            records: page,
            head: Some(told),
        })
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, TimedOut> {
        let mut line = self.call();
        let Ok(request) = self.kept.request(account, key);
        match self.draw(&mut line, &[Fault::ReadTimedOut, Fault::StaleRequests]) {
            Some(Fault::ReadTimedOut) => line.time_out(Fault::ReadTimedOut),
            Some(fault) if request.is_some() => {
                line.injected_faults.push(fault);
                Ok(None)
            }
            _ => Ok(request),
        }
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, TimedOut> {
        let mut line = self.call();
        let ways = [
            Fault::NotKept,
            Fault::KeptUnanswered,
            Fault::KeptLater,
            Fault::Rival,
            Fault::FalseConflict,
        ];
        match self.draw(&mut line, &ways) {
            Some(Fault::NotKept) => line.time_out(Fault::NotKept),
            Some(Fault::KeptLater) => {
                line.under_way.push_back(commit.clone());
                line.time_out(Fault::KeptLater)
            }
            Some(Fault::KeptUnanswered) => match self.keep(&mut line, commit) {
                CommitOutcome::Appended | CommitOutcome::Duplicate => {
                    line.time_out(Fault::KeptUnanswered)
                }
                CommitOutcome::Conflict => Ok(CommitOutcome::Conflict),
            },
            Some(Fault::FalseConflict) => {
                line.injected_faults.push(Fault::FalseConflict);
                Ok(CommitOutcome::Conflict)
            }
            Some(Fault::Rival) => {
                self.rival(&mut line, commit.account());
                Ok(self.keep(&mut line, commit))
            }
            _ => Ok(self.keep(&mut line, commit)),
        }
    }

    /// One in four versions, so that there are old ones soon.
    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        expected / 4 != version / 4
    }
}

impl Line {
    fn time_out<T>(&mut self, fault: Fault) -> Result<T, TimedOut> {
        self.injected_faults.push(fault);
        Err(TimedOut)
    }
}

/// Numbers as a seed says: the generator called `SplitMix64`.
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A number below this one; 0, if there is none.
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    }

    /// A place below this length.
    fn resource(&mut self, length: usize) -> usize {
        let bound = u64::try_from(length).unwrap_or(u64::MAX);
        usize::try_from(self.below(bound)).unwrap_or(0)
    }
    /// What is answered where these records are due, after those early ones, and which version is told as the last.
    fn page(
        &mut self,
        fault: Fault,
        early: &[Record],
        due: &[Record],
        head: Head,
    ) -> (Vec<Record>, Head) {
        let (mut page, are_many) = (due.to_vec(), due.len() > 1);
        if fault == Fault::ShortPage && are_many {
            page.truncate(1 + self.resource(due.len() - 1));
        } else if fault == Fault::EmptyPage {
            page.clear();
        } else if fault == Fault::TornPage && are_many {
            page.remove(self.resource(due.len() - 1));
        } else if fault == Fault::RepeatingPage {
            let (again, until, back) = (
                self.resource(4),
                self.resource(due.len() + 1),
                self.resource(4),
            );
            page = early
                .iter()
                .skip(early.len().saturating_sub(again))
                .chain(due.iter().take(until))
                .chain(due.iter().skip(until.saturating_sub(back)))
                .cloned()
                .collect();
        } else if fault == Fault::StaleRecords {
            let stale = head.version.saturating_sub(1 + self.below(4)).max(1);
            page.retain(|record| record.version <= stale);
            let mut all = early.iter().chain(due);
            if let Some(last) = all.find(|record| record.version == stale) {
                return (page, Head::after(last));
            }
        }
        (page, head)
    }
}

//! Messages that are dropped, repeated, delayed and reordered.

use grantbook::repository::*;
use grantbook::*;
use proptest::prelude::*;
use proptest::sample::Index;

use super::{acme, changed, keeping, loaded, whole};
use crate::strategies::{account, config};
use crate::support::*;

/// What happens to a copy and the repository it is a copy of.
#[derive(Clone, Debug)]
enum Step {
    /// So many records are committed; each is sent to everybody, and so is a notice of its version.
    Commit(usize),
    /// A message arrives.
    Arrive(Index),
    /// A message arrives, and can arrive again.
    Repeat(Index),
    /// A message is lost.
    Lose(Index),
    /// A notice arrives of a version that may not exist.
    FalseNotice(u64),
    /// A record arrives that differs in its account only.
    Foreign(Index),
    /// A check demands at least this version.
    Demand(u64),
    CatchUp,
}

#[derive(Clone, Copy, Debug)]
enum Message {
    Record(usize),
    Notice(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let index = || any::<Index>();
    let step = prop_oneof![
        3 => (1..4_usize).prop_map(Step::Commit),
        8 => index().prop_map(Step::Arrive),
        4 => index().prop_map(Step::Repeat),
        1 => index().prop_map(Step::Lose),
        1 => prop_oneof![Just(u64::MAX), 0..40_u64].prop_map(Step::FalseNotice),
        1 => index().prop_map(Step::Foreign),
        2 => (0..40_u64).prop_map(Step::Demand),
        1 => Just(Step::CatchUp),
    ];
    prop::collection::vec(step, 48)
}

/// A copy of one's own and one that is shared, side by side, and what is expected of both.
struct Copies {
    own: Replica,
    shared: SharedAccount<SyncStorage<MemoryRepository>>,
    accounts: Accounts<SyncStorage<MemoryRepository>>,
    records: Vec<Record>,
    states: Vec<Account>,
    /// How many of the records are stored.
    last: usize,
    version: u64,
    /// How many records after that version wait for the end of their commit.
    pending: u64,
    /// The latest version that they were told of since they last caught up.
    heard: u64,
}

impl Copies {
    fn new(world: &World, first: usize) -> Self {
        let first = whole(&world.records, first);
        let accounts = Accounts::builder(keeping(&world.records[..first])).build();
        let mut states = vec![Account::replay(&world.records[..1]).unwrap()];
        for record in &world.records[1..] {
            let mut next = states[states.len() - 1].clone();
            next.apply(record).unwrap();
            states.push(next);
        }
        Self {
            own: loaded(accounts.repository()),
            shared: accounts.get(&acme()).unwrap(),
            accounts,
            records: world.records.clone(),
            states,
            last: first,
            version: first as u64,
            pending: 0,
            heard: first as u64,
        }
    }

    fn commit(&mut self, many: usize, sent: &mut Vec<Message>) {
        let until = self.records.len().min(self.last.saturating_add(many));
        if until == self.last {
            return;
        }
        let until = whole(&self.records, until);
        let all = keeping(&self.records[..until]);
        self.accounts.repository().restore(&all);
        for number in self.last..until {
            sent.push(Message::Record(number));
            sent.push(Message::Notice(number as u64 + 1));
        }
        self.last = until;
    }

    fn arrive(&mut self, message: Message) -> Result<(), TestCaseError> {
        match message {
            Message::Record(number) => {
                let (record, version) = (&self.records[number], number as u64 + 1);
                let answer = self.own.ingest(record);
                prop_assert_eq!(&answer, &self.shared.ingest(record));
                let reached = self.version + self.pending;
                let place = record.commit();
                let missing = place.of() - place.number();
                let expected = if version <= reached {
                    Ingested::Duplicate
                } else if version > reached + 1 {
                    self.heard = self.heard.max(version);
                    let behind = self.heard - self.version;
                    Ingested::Gap { behind }
                } else if missing > 0 {
                    self.pending += 1;
                    self.heard = self.heard.max(version + missing as u64);
                    Ingested::Incomplete { missing }
                } else {
                    (self.version, self.pending) = (version, 0);
                    self.heard = self.heard.max(version);
                    Ingested::Applied
                };
                prop_assert_eq!(answer, Ok(expected));
            }
            Message::Notice(version) => {
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
            self.shared.at_least(wanted, Account::version),
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
        prop_assert!(catch_up(self.accounts.repository(), &mut self.own).is_ok());
        prop_assert!(self.shared.refresh().is_ok());
        if self.version != self.last as u64 {
            self.pending = 0;
        }
        self.version = self.last as u64;
        self.heard = self.version;
        Ok(())
    }

    /// Both may be stale, are never inconsistent, and report their lag.
    fn check(&self) -> Result<(), TestCaseError> {
        let number = usize::try_from(self.version).unwrap() - 1;
        prop_assert!(self.records[number].commit().is_last(), "U10");
        let as_of = self.own.as_of();
        prop_assert_eq!(&as_of, &self.shared.as_of());
        prop_assert_eq!(
            (as_of.version, as_of.at),
            (self.version, self.records[number].at())
        );
        prop_assert_eq!(as_of.behind, self.heard.saturating_sub(self.version));
        prop_assert_eq!(&*self.own, &self.states[number]);
        prop_assert!(self.shared.with(|shared| *shared == *self.own));
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(300))]

    /// U2, U5, U10, A4, G9: messages are dropped, repeated, delayed and reordered: a copy is the account at its version,
    /// which is the end of a commit, answers each message exactly, never serves an older version than is demanded,
    /// reports its lag, and is the account once it has caught up.
    #[test]
    fn u2_a_copy_may_be_stale_but_never_inconsistent(world in account(16), first in any::<Index>(), steps in steps()) {
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
                Step::FalseNotice(version) => copies.arrive(Message::Notice(version))?,
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

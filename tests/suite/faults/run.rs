//! One run: requests and copies, as a seed says, over a repository that fails.

use grantbook::command::EditGroup;
use grantbook::repository::conformance::{Fault, FlakyRepository};
use grantbook::repository::*;
use grantbook::*;

use super::{
    Asked, COPIES, Chance, NothingKept, Run, Seen, TRIES, Trust, acme, commit, last_of, stored_of,
};
use crate::support::*;

impl Run {
    pub(super) fn new(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let trust = chance.one_of(&[Trust::Contract, Trust::TornPages, Trust::StaleReads]);
        let faults = Fault::ALL.into_iter().filter(|fault| trust.allows(*fault));
        let rates: Vec<_> = faults
            .map(|fault| (fault, chance.one_of(&[0, 20, 60, 140])))
            .collect();
        let finds_requests = !rates
            .iter()
            .any(|(fault, rate)| *fault == Fault::StaleRequests && *rate > 0);
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
                Err(RepositoryError::Storage(_)) => None,
                Err(error) => panic!("it was not opened before: {error}"),
            }
        };
        let mut first = (0..TRIES).find_map(open).expect("an answer");
        let request = Request::by(Actor::System, commit("staff"), now).commands(staffing());
        execute(line.kept(), &mut first, &request).unwrap();
        Self {
            chance,
            trust,
            finds_requests,
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

    /// Reads what is stored now, without faults, and returns the newest version.
    pub(super) fn look(&mut self) -> u64 {
        let version = self.records.len() as u64;
        match self.line.kept().records_after(&acme(), version).unwrap() {
            RecordPage::Records { records, head } => {
                self.records.extend(records);
                head.expect("it is open").version
            }
            RecordPage::Compacted => panic!("records in memory stay"),
        }
    }

    fn is_kept(&self, request: &Request) -> bool {
        stored_of(self.line.kept(), &request.key).is_some()
    }

    /// Keeps the copy as it is now, to compare at the end. One that has diverged answers nothing.
    pub(super) fn sample(&mut self, which: usize) {
        let account = Account::clone(&self.copies[which]);
        let check = account.check(OWNER, &Permission::STORE_READ, Resource::Account);
        if check == Decision::Denied(DenialReason::Diverged) {
            assert_eq!(self.trust, Trust::StaleReads);
        } else {
            self.samples.push(account);
        }
    }

    /// U10: a copy never shows a part of a commit.
    fn assert_whole(&mut self, which: usize) {
        self.look();
        let version = usize::try_from(self.copies[which].version()).unwrap();
        assert!(self.records[version - 1].commit().is_last());
    }

    pub(super) fn step(&mut self) {
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
        self.assert_whole(which);
        if self.chance.below(4) == 0 {
            self.sample(which);
        }
    }

    /// Draws a request, mostly one that this copy would accept.
    fn request(&mut self, which: usize) -> Request {
        let mut tries = self.chance.below(12);
        loop {
            let actor = match self
                .chance
                .one_of(&["", "", "olga", "olga", "c", "a", "b", "d"])
            {
                "" => Actor::System,
                id => by(id),
            };
            let (key, now) = (commit(&self.asked.len().to_string()), at(self.now));
            let mut request =
                Request::by(actor, key, now).commands(commands(&mut self.chance, self.now));
            request
                .preconditions
                .extend(self.precondition(&self.copies[which].clone()));
            let decided = Commit::decide(&self.copies[which], &request);
            if tries == 0 || decided.is_ok_and(|commit| !commit.records().is_empty()) {
                return request;
            }
            tries -= 1;
        }
    }

    /// What a form was made from that somebody looked at on this copy.
    fn precondition(&mut self, copy: &Account) -> Option<Precondition> {
        let group = copy.group(self.chance.one_of(&["devs", "it"]))?;
        let id = group.id().clone();
        Some(match self.chance.below(8) {
            0 => Precondition::Account {
                digest: *copy.digest(),
            },
            1 => Precondition::GroupDefinition {
                revision: group.definition_revision(),
                group: id,
            },
            2 => Precondition::GroupMembership {
                revision: group.membership_revision(),
                group: id,
            },
            _ => return None,
        })
    }

    pub(super) fn ask(&mut self, which: usize, number: usize) {
        let asked = &self.asked[number];
        let request = asked.request.clone();
        let newest_before = last_of(self.line.kept());
        let copy = &mut self.copies[which];
        let from = copy.version();
        let answer = execute(&self.line, copy, &request);
        let copy = &self.copies[which];
        let reached = copy.version();
        assert!(reached >= from, "a copy never goes back");
        self.heard[which] = reached;
        let newest = self.look();
        let is_kept = self.is_kept(&request);
        let asked = &mut self.asked[number];
        asked.is_settled = true;
        let refusal = match answer {
            Ok(executed) => {
                self.seen.answer(match &executed {
                    again if again.is_repeat() => "answered again",
                    done if done.is_change() => "kept",
                    _ => "nothing changed",
                });
                let (stored, records) = stored_of(self.line.kept(), &request.key)
                    .expect("an acknowledged request is remembered");
                assert!(stored.is_of(&request));
                assert_eq!(stored.version, executed.version());
                // Of a retry, the records may be read where they are said to be given up.
                if !executed.is_repeat() || !executed.records().is_empty() {
                    assert_eq!(executed.records(), records, "as it was answered");
                }
                assert!(reached >= executed.version(), "it counts at once");
                asked.kept = Some(executed);
                return;
            }
            Err(RepositoryError::Refused(refusal)) => {
                self.seen.answer(match &refusal {
                    CommandError::PreconditionFailed { .. } => "precondition failed",
                    _ => "refused",
                });
                refusal
            }
            Err(error) => {
                asked.is_settled = false;
                self.seen.answer(error.code());
                if let RepositoryError::Contended { .. } = error {
                    assert!(!(is_kept && self.finds_requests), "it is stored");
                } else {
                    self.assert_due(&error);
                }
                return;
            }
        };
        if is_kept {
            assert!(!self.finds_requests, "it is stored: {refusal:?}");
            self.seen
                .answer("nothing, though it was stored and not found");
        }
        let oldest = match self.trust {
            Trust::Contract | Trust::TornPages => newest_before,
            Trust::StaleReads => from,
        };
        asked.nothing_kept.push(NothingKept {
            refusal,
            between: (oldest, newest),
        });
    }

    /// Asserts that the repository's faults can explain this error.
    fn assert_due(&self, error: &RepositoryError) {
        let least = match error {
            RepositoryError::Storage(_) => Trust::Contract,
            RepositoryError::RecordsMissing { .. }
            | RepositoryError::Replay(ReplayError::Gap { .. } | ReplayError::Repeat { .. }) => {
                Trust::TornPages
            }
            RepositoryError::Diverged { .. } => Trust::StaleReads,
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
        let ingested = match copy.ingest(record) {
            Ok(ingested) => ingested,
            Err(error) => {
                let reason = CommandError::Diverged;
                assert_eq!(error, ReplayError::DoesNotFit { version, reason });
                assert_eq!(self.trust, Trust::StaleReads);
                return;
            }
        };
        let now = copy.version();
        match ingested {
            // A part of a commit may wait beyond the version that the copy shows.
            Ingested::Duplicate => assert!(now == had),
            Ingested::Applied => assert!(now == version && had < now),
            Ingested::Incomplete { .. } => assert!(now == had && version > had),
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

    pub(super) fn load(&mut self, which: usize) {
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
}

/// The commands that set the account up: `a` manages groups, `b` edits the store, `c` is an owner too.
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
        16 => Command::EditGroup(EditGroup {
            group: GroupId::parse(group).unwrap(),
            name: Some(GroupName::parse(name).unwrap()),
            description: Some(Description::parse(chance.one_of(&["", "Those who build"])).unwrap()),
            grants: None,
        }),
        17 => regrant(group, [editor([store])]),
        _ => delete_group(group),
    }
}

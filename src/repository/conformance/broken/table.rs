//! A table of records as a database has it, and a connection to it that has a defect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::changes::{MemberInvited, MembersAdded};
use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::commit::Commit;
use crate::repository::conformance::broken::Defect;
use crate::repository::contract::{CommitOutcome, RecordPage, Repository};
use crate::time::Timestamp;

/// How many records a page has, where it is cut.
const PAGE: usize = 500;

/// The last moment in a signed number of nanoseconds.
const YEAR_2262: Timestamp = Timestamp::from_millis(i64::MAX.unsigned_abs() / 1_000_000);

/// What is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    /// By account and version: the commit's id, and the record.
    rows: BTreeMap<(String, u64), (String, Record)>,
    /// By account and commit id.
    ids: BTreeSet<(String, String)>,
    snapshots: BTreeMap<String, Snapshot>,
    /// By account: the version up to which records were given up.
    gone: BTreeMap<String, u64>,
}

impl Table {
    fn last(&self, account: &str) -> u64 {
        let of_it = self.rows.keys().filter(|(of, _)| of == account);
        of_it.map(|(_, version)| *version).max().unwrap_or_default()
    }
}

/// A connection to a [`Broken`](super::Broken) storage.
#[derive(Debug)]
pub struct BrokenConnection {
    defect: Option<Defect>,
    table: Arc<Mutex<Table>>,
    /// What was there when this connection first read.
    seen: Mutex<Option<Table>>,
    /// The commits that this connection has kept.
    own: Mutex<BTreeSet<(String, String)>>,
}

/// A [`Broken`](super::Broken) repository gives an error where it has to answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct BrokenError(&'static str);

impl BrokenConnection {
    pub(super) fn new(defect: Option<Defect>, table: Arc<Mutex<Table>>) -> Self {
        let (seen, own) = (Mutex::default(), Mutex::default());
        Self {
            defect,
            table,
            seen,
            own,
        }
    }

    fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        locked(&self.table)
    }

    fn read<T>(&self, read: impl FnOnce(&Table) -> T) -> T {
        if self.has(Defect::ReadsOldState) {
            let mut seen = locked(&self.seen);
            return read(seen.get_or_insert_with(|| self.table().clone()));
        }
        read(&self.table())
    }

    /// An id, as it is kept.
    fn key(&self, id: &str) -> Result<String, BrokenError> {
        let Some(defect) = self.defect else {
            return Ok(id.to_owned());
        };
        if defect == Defect::RefusesLongIds && id.len() > 64 {
            return Err(BrokenError("file name too long"));
        }
        if defect == Defect::SplicesIds && id.contains('\'') {
            return Err(BrokenError("syntax error near `'`"));
        }
        Ok(if defect == Defect::IgnoresCase {
            id.to_lowercase()
        } else if defect == Defect::CutsLongIds {
            let end = (0..=id.len().min(64)).rfind(|end| id.is_char_boundary(*end));
            id.get(..end.unwrap_or_default())
                .unwrap_or_default()
                .to_owned()
        } else if defect == Defect::NormalizesIds {
            id.replace("e\u{301}", "\u{e9}")
        } else if defect == Defect::LosesUnicode {
            id.replace(|character: char| !character.is_ascii(), "?")
        } else if defect == Defect::SanitizesIds {
            id.replace(
                |character: char| !character.is_alphanumeric() && character != '-',
                "_",
            )
        } else if defect == Defect::TakesIdsForNumbers {
            let number = id.parse::<f64>();
            number.map_or_else(|_| id.to_owned(), |number| number.to_string())
        } else if defect == Defect::TrimsPunctuation {
            id.trim_end_matches(|character: char| character.is_ascii_punctuation())
                .to_owned()
        } else {
            id.to_owned()
        })
    }

    /// A record, as it is kept.
    fn stored(&self, record: &Record) -> Result<Record, BrokenError> {
        let mut record = record.clone();
        if self.has(Defect::RefusesLateTimes) && record.at > YEAR_2262 {
            return Err(BrokenError("value out of range for nanoseconds"));
        }
        if self.has(Defect::RoundsTimes) {
            record.at = Timestamp::from_millis(record.at.as_millis() / 1_000 * 1_000);
        }
        if self.has(Defect::LosesActors) {
            record.actor = Actor::System;
        }
        if self.has(Defect::LosesNotes) {
            record.note = None;
        }
        if self.has(Defect::LosesExpiry) {
            if let Event::MemberInvited(MemberInvited { expires, .. }) = &mut record.event {
                *expires = None;
            }
        }
        if self.has(Defect::CutsMembers) {
            if let Event::MembersAdded(MembersAdded { members, .. }) = &mut record.event {
                *members = members.iter().take(1_000).cloned().collect();
            }
        }
        Ok(record)
    }

    fn fits(&self, table: &Table, account: &str, commit: &Commit) -> bool {
        let last = table.last(account);
        if self.has(Defect::IgnoresExpectedVersion) {
            true
        } else if self.has(Defect::AcceptsGaps) {
            commit.expected() >= last
        } else {
            commit.expected() == last
        }
    }

    fn conflict(
        &self,
        table: &mut Table,
        (account, id): (String, String),
        commit: &Commit,
    ) -> Result<CommitOutcome, BrokenError> {
        if self.has(Defect::FailsOnConflict) {
            return Err(BrokenError("duplicate key value violates a constraint"));
        }
        if self.has(Defect::SkipsCollisions) {
            for record in commit.records() {
                if commit.expected() < table.last(&account) {
                    let resource = (account.clone(), record.version);
                    let row = (id.clone(), record.clone());
                    table.rows.entry(resource).or_insert(row);
                }
            }
        }
        if let Some(snapshot) = commit
            .snapshot()
            .filter(|_| self.has(Defect::KeepsSnapshotOfConflict))
        {
            table.snapshots.insert(account.clone(), snapshot.clone());
        }
        if self.has(Defect::KeepsIdOfConflict) {
            table.ids.insert((account, id));
        }
        Ok(CommitOutcome::Conflict)
    }

    fn keep_snapshot(&self, table: &mut Table, account: &str, commit: &Commit) {
        let resource = self.snapshot_place(account);
        match commit.snapshot() {
            Some(_)
                if self.has(Defect::KeepsFirstSnapshot)
                    && table.snapshots.contains_key(&resource) => {}
            Some(snapshot) => {
                table.snapshots.insert(resource, snapshot.clone());
            }
            None if self.has(Defect::LosesSnapshot) => {
                table.snapshots.remove(&resource);
            }
            None if self.has(Defect::GivesUpTooMuch) && table.snapshots.contains_key(&resource) => {
                table.gone.insert(account.to_owned(), commit.version());
            }
            None => {}
        }
    }

    fn snapshot_place(&self, account: &str) -> String {
        if self.has(Defect::SharesSnapshots) {
            String::new()
        } else {
            account.to_owned()
        }
    }

    /// The records of an account after a version, in the order in which they are given.
    fn found(&self, table: &Table, account: &str, version: u64) -> Vec<Record> {
        let version = match i64::try_from(version) {
            Err(_) if self.has(Defect::WrapsVersions) => 0,
            _ => version,
        };
        let is_of_it = |of: &str| {
            of == account
                || self.has(Defect::MixesAccounts)
                || self.has(Defect::ScansByPrefix) && of.starts_with(account)
                || self.has(Defect::MatchesPatterns)
                    && account
                        .strip_suffix('%')
                        .is_some_and(|start| of.starts_with(start))
        };
        let later = table.rows.iter().filter(|((_, at), _)| *at > version);
        let commits: BTreeSet<&String> = later.map(|(_, (commit, _))| commit).collect();
        let rows = table.rows.iter().filter(|((of, at), (commit, _))| {
            is_of_it(of)
                && (*at > version
                    || self.has(Defect::IncludesVersion) && *at == version
                    || self.has(Defect::GivesWholeCommits) && commits.contains(commit))
        });
        let mut records: Vec<_> = rows.map(|(_, (_, record))| record.clone()).collect();
        if self.has(Defect::ReordersRecords) {
            records.sort_by_key(|record| record.version.to_string());
        } else {
            records.sort_by_key(Record::version);
        }
        if self.has(Defect::LosesBetweenPages) {
            let is_third_or_later = version > PAGE as u64 && version % PAGE as u64 == 0;
            records.drain(..usize::from(is_third_or_later && !records.is_empty()));
        }
        if self.has(Defect::CutsPages) || self.has(Defect::LosesBetweenPages) {
            records.truncate(PAGE);
        }
        records
    }
}

impl Repository for BrokenConnection {
    type Error = BrokenError;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, BrokenError> {
        let resource = self.snapshot_place(&self.key(account)?);
        Ok(self.read(|table| table.snapshots.get(&resource).cloned()))
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, BrokenError> {
        let account = self.key(account)?;
        self.read(|table| {
            if table.gone.get(&account).is_some_and(|gone| version < *gone) {
                return Ok(RecordPage::Compacted);
            }
            let records = self.found(table, &account, version);
            let last = table.last(&account);
            if last == 0 && self.has(Defect::FailsOnNone) {
                return Err(BrokenError("the query returned no rows"));
            }
            let is_cut = self.has(Defect::CutsPages) && records.len() == PAGE;
            let last = if self.has(Defect::LastTooSmall) {
                last.saturating_sub(1)
            } else if self.has(Defect::LastTooLarge) {
                last + 1
            } else if self.has(Defect::LastOfPage) || is_cut {
                records.last().map_or(version, Record::version)
            } else {
                last
            };
            Ok(RecordPage::Records { records, last })
        })
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, BrokenError> {
        let (account, id) = (self.key(account)?, self.key(id)?);
        Ok(self.read(|table| {
            let is_of_any = self.has(Defect::CommittedOfOthers);
            let is_known = is_of_any || table.ids.contains(&(account.clone(), id.clone()));
            let rows = table
                .rows
                .iter()
                .filter(|((of, _), _)| *of == account || is_of_any);
            let mut rows = rows.skip_while(|(_, (commit, _))| *commit != id);
            let mut records = Vec::new();
            while let Some((_, (commit, record))) = rows.next().filter(|_| is_known) {
                if *commit == id || self.has(Defect::CommittedWithoutEnd) {
                    records.push(record.clone());
                }
                if self.has(Defect::CommittedOfFirst) {
                    break;
                }
            }
            if self.has(Defect::CutsCommitted) {
                records.truncate(PAGE);
            }
            records
        }))
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, BrokenError> {
        let (account, id) = (self.key(commit.account())?, self.key(commit.id())?);
        let name = (account.clone(), id.clone());
        locked(&self.seen).take();
        let mut table = self.table();

        let is_repeated = if self.has(Defect::KeepsRepeatsTwice) {
            false
        } else if self.has(Defect::KeepsIdsInProcess) {
            locked(&self.own).contains(&name)
        } else if self.has(Defect::SharesCommitIds) {
            table.ids.iter().any(|(_, known)| *known == id)
        } else {
            table.ids.contains(&name)
        };
        let fits = self.fits(&table, &account, commit);
        let is_overlooked = if fits {
            self.has(Defect::LooksIdsUpOnConflict)
        } else {
            self.has(Defect::ChecksVersionFirst)
        };
        if is_repeated && !is_overlooked {
            return Ok(if self.has(Defect::AnswersRepeatsAsDone) {
                CommitOutcome::Appended
            } else {
                CommitOutcome::Duplicate
            });
        }
        if !fits {
            return self.conflict(&mut table, name, commit);
        }

        let records = commit.records().iter().map(|record| self.stored(record));
        let mut records = records.collect::<Result<Vec<_>, _>>()?;
        // Where nobody else is there, nothing happens in between, so there is nothing to wait for.
        let is_among_many = Arc::strong_count(&self.table) > 4;
        if is_among_many && self.has(Defect::ComparesThenInserts) {
            drop(table);
            thread::sleep(Duration::from_millis(50));
            table = self.table();
        }
        if self.has(Defect::LosesLastRecord) && records.len() > 1 {
            records.pop();
        }
        let half = records.len() / 2;
        for (position, record) in records.into_iter().enumerate() {
            let is_between = position > 100 && position == half;
            if is_between && self.has(Defect::InsertsPiecemeal) {
                drop(table);
                thread::sleep(Duration::from_millis(200));
                table = self.table();
            }
            let resource = (account.clone(), record.version);
            table.rows.insert(resource, (id.clone(), record));
        }
        self.keep_snapshot(&mut table, &account, commit);
        if self.has(Defect::ForgetsOlderCommitIds) {
            table.ids.retain(|(of, _)| *of != account);
        }
        if !self.has(Defect::ForgetsCommitIds) {
            table.ids.insert(name.clone());
            locked(&self.own).insert(name);
        }
        Ok(CommitOutcome::Appended)
    }
}

/// What some hosts do when a process ends.
impl Drop for BrokenConnection {
    fn drop(&mut self) {
        // The storage itself holds one, and this connection the other.
        if Arc::strong_count(&self.table) > 2 {
            return;
        }
        if self.has(Defect::ForgetsOnClose) {
            *self.table() = Table::default();
        }
        if self.has(Defect::ForgetsIdsOnClose) {
            self.table().ids.clear();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No thread stops while it holds one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

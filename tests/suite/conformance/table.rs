//! A table of records as a database has it, and a connection to it that has a defect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use grantbook::repository::{
    Commit, CommitOutcome, EraseOutcome, Head, HeadState, RecordPage, Repository, StoredRequest,
};
use grantbook::{AccountId, Actor, IdempotencyKey, Record, Snapshot, Timestamp};
use serde_json::Value;

use super::Defect;
use super::ids::kept_id;

/// How many records a page has, where it is cut.
const PAGE: usize = 500;

/// The last moment in a signed number of nanoseconds.
const YEAR_2262: Timestamp = Timestamp::from_millis(i64::MAX.unsigned_abs() / 1_000_000);

/// What is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    heads: BTreeMap<String, Head>,
    /// By account and version: the commit's key, and the record.
    rows: BTreeMap<(String, u64), (String, Record)>,
    /// By account and key.
    requests: BTreeMap<(String, String), StoredRequest>,
    snapshots: BTreeMap<String, Snapshot>,
    /// By account: the version up to which records were given up.
    gone: BTreeMap<String, u64>,
}

impl Table {
    fn last(&self, account: &str) -> u64 {
        self.heads.get(account).map_or(0, |head| head.version)
    }
}

/// A connection to a [`Broken`](super::Broken) storage.
#[derive(Debug)]
pub(super) struct BrokenConnection {
    defect: Option<Defect>,
    table: Arc<Mutex<Table>>,
    /// What was there when this connection first read.
    seen: Mutex<Option<Table>>,
    /// The commits that this connection has kept.
    own: Mutex<BTreeSet<(String, String)>>,
    /// What this connection was told of requests.
    told: Mutex<BTreeMap<(String, String), Option<StoredRequest>>>,
}

/// A [`Broken`](super::Broken) repository gives an error where it has to answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(super) struct BrokenError(pub(super) &'static str);

impl BrokenConnection {
    pub(super) fn new(defect: Option<Defect>, table: Arc<Mutex<Table>>) -> Self {
        let (seen, own, told) = Default::default();
        Self {
            defect,
            table,
            seen,
            own,
            told,
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

    fn key(&self, id: &str) -> Result<String, BrokenError> {
        kept_id(self.defect, id)
    }

    /// A record, as it is kept.
    fn stored(&self, record: &Record) -> Result<Record, BrokenError> {
        if self.has(Defect::RefusesLateTimes) && record.at() > YEAR_2262 {
            return Err(BrokenError("value out of range for nanoseconds"));
        }
        let Some(
            Defect::RefusesLargeRecords
            | Defect::RoundsTimes
            | Defect::LosesActors
            | Defect::LosesNotes
            | Defect::LosesExpiry
            | Defect::CutsMembers
            | Defect::ShiftsFields,
        ) = self.defect
        else {
            return Ok(record.clone());
        };
        let mut form = serde_json::to_value(record).expect("a record is written");
        if self.has(Defect::RefusesLargeRecords) && form.to_string().len() > 600_000 {
            return Err(BrokenError("the value is too large"));
        }
        if self.has(Defect::RoundsTimes) {
            form["at"] = (record.at().as_millis() / 1_000 * 1_000).into();
        }
        if self.has(Defect::LosesActors) {
            form["actor"] = "system".into();
        }
        if self.has(Defect::LosesNotes) {
            form["note"] = Value::Null;
        }
        let event = &mut form["event"];
        if self.has(Defect::LosesExpiry) && event["kind"] == "member-invited" {
            event["expires"] = Value::Null;
        }
        if self.has(Defect::CutsMembers) && event["kind"] == "members-added" {
            let members = event["members"].as_array_mut().expect("a list");
            members.truncate(1_000);
        }
        // A format without field names, in which what is absent is left out.
        if self.has(Defect::ShiftsFields)
            && event["kind"] == "group-edited"
            && event["name"].is_null()
        {
            event["name"] = event["description"].take();
        }
        Ok(serde_json::from_value(form).expect("a record"))
    }

    fn fits(&self, table: &Table, account: &str, commit: &Commit) -> bool {
        let head = table.heads.get(account);
        let expected = commit.expected();
        let version = |head: Option<&Head>| head.map_or(0, |head| head.version);
        if self.has(Defect::IgnoresExpectedHead)
            || self.has(Defect::ComparesRecordsOnly) && commit.records().is_empty()
        {
            return true;
        }
        match head.map(|head| head.state) {
            Some(HeadState::Closed) if self.has(Defect::ReopensClosedAccounts) => {
                return expected.is_none();
            }
            Some(HeadState::Erased) if self.has(Defect::ForgetsErasedIds) => {
                return expected.is_none();
            }
            Some(HeadState::Closed | HeadState::Erased)
                if !self.has(Defect::KeepsOnClosedHeads)
                    && !self.has(Defect::ComparesHeadWithoutState) =>
            {
                return false;
            }
            _ => {}
        }
        if self.has(Defect::AcceptsGaps) {
            version(expected) >= version(head)
        } else if self.has(Defect::ComparesVersionOnly) {
            version(expected) == version(head)
        } else if self.has(Defect::ComparesHeadWithoutState) {
            let chain = |head: &Head| (head.version, head.digest);
            expected.map(chain) == head.map(chain)
        } else {
            expected == head
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
                if commit.request().before < table.last(&account) {
                    let resource = (account.clone(), record.version());
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
        if self.has(Defect::KeepsKeyOfConflict) {
            table
                .requests
                .insert((account, id), commit.request().clone());
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
                table.gone.insert(account.to_owned(), commit.head().version);
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
            records.sort_by_key(|record| record.version().to_string());
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
            let mut head = table.heads.get(&account).copied();
            if head.is_none() && self.has(Defect::FailsOnNone) {
                return Err(BrokenError("the query returned no rows"));
            }
            let is_cut = self.has(Defect::CutsPages) && records.len() == PAGE;
            if let Some(head) = &mut head {
                if self.has(Defect::HeadTooSmall) {
                    head.version = head.version.saturating_sub(1);
                } else if self.has(Defect::HeadTooLarge) {
                    head.version += 1;
                } else if self.has(Defect::HeadOfPage) || is_cut {
                    head.version = records.last().map_or(version, Record::version);
                }
                if self.has(Defect::LosesState) {
                    head.state = HeadState::Open;
                }
            }
            Ok(RecordPage::Records { records, head })
        })
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, BrokenError> {
        let (account, key) = (self.key(account)?, self.key(key)?);
        let told = locked(&self.told);
        match told.get(&(account.clone(), key.clone())) {
            Some(None) if self.has(Defect::RemembersAbsentRequests) => return Ok(None),
            Some(Some(told)) if self.has(Defect::RemembersFoundRequests) => {
                return Ok(Some(told.clone()));
            }
            _ => drop(told),
        }
        let found = self.read(|table| {
            let mut of_it = table.requests.iter().filter(|((of, known), _)| {
                *known == key && (*of == account || self.has(Defect::RequestOfAnyAccount))
            });
            let (_, found) = of_it.next()?;
            let mut found = found.clone();
            if self.has(Defect::LosesActorsOfRequests) {
                found.actor = Actor::System;
            }
            Some(found)
        });
        locked(&self.told).insert((account, key), found.clone());
        Ok(found)
    }

    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, BrokenError> {
        let account = self.key(account)?;
        let mut table = self.table();
        let Some(head) = table.heads.get(&account) else {
            return Ok(EraseOutcome::Unknown);
        };
        if head.state == HeadState::Open && !self.has(Defect::ErasesOpenAccounts) {
            return Ok(EraseOutcome::NotClosed);
        }
        let also_erased = |of: &str, head: &Head| match self.defect {
            Some(Defect::ErasesByPrefix) => of.starts_with(&account),
            Some(Defect::ErasesByPattern) => account
                .strip_suffix('%')
                .is_some_and(|start| of.starts_with(start)),
            Some(Defect::ErasesWithoutCase) => of.to_lowercase() == account.to_lowercase(),
            Some(Defect::ErasesAllClosed) => head.state == HeadState::Closed,
            _ => false,
        };
        let erased = table.heads.iter();
        let erased = erased.filter(|(of, head)| **of == account || also_erased(of, head));
        let erased: BTreeSet<_> = erased.map(|(of, _)| of.clone()).collect();
        for of in &erased {
            if let Some(head) = table.heads.get_mut(of) {
                head.state = HeadState::Erased;
            }
            table.snapshots.remove(&self.snapshot_place(of));
        }
        if !self.has(Defect::KeepsErasedRecords) {
            table.rows.retain(|(of, _), _| !erased.contains(of));
        }
        if !self.has(Defect::KeepsErasedRequests) {
            table.requests.retain(|(of, _), _| !erased.contains(of));
        }
        Ok(EraseOutcome::Erased)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, BrokenError> {
        let (account, id) = (self.key(commit.account())?, self.key(commit.key())?);
        let name = (account.clone(), id.clone());
        locked(&self.seen).take();
        let mut table = self.table();

        let is_repeated = if self.has(Defect::KeepsRepeatsTwice) {
            false
        } else if self.has(Defect::KeepsKeysInProcess) {
            locked(&self.own).contains(&name)
        } else if self.has(Defect::SharesKeys) {
            table.requests.keys().any(|(_, known)| *known == id)
        } else if self.has(Defect::RemembersAbsentKeys)
            && matches!(locked(&self.told).get(&name), Some(None))
        {
            false
        } else {
            table.requests.contains_key(&name)
        };
        let fits = self.fits(&table, &account, commit);
        let is_overlooked = if fits {
            self.has(Defect::LooksKeysUpOnConflict)
        } else {
            self.has(Defect::ComparesHeadFirst)
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

        if commit.records().is_empty() {
            if self.has(Defect::RefusesCommitsWithoutRecords) {
                return Err(BrokenError("there is nothing to insert"));
            }
            if self.has(Defect::SkipsCommitsWithoutRecords) {
                return Ok(CommitOutcome::Appended);
            }
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
            let resource = (account.clone(), record.version());
            table.rows.insert(resource, (id.clone(), record));
        }
        self.keep_snapshot(&mut table, &account, commit);
        table.heads.insert(account.clone(), *commit.head());
        let version = commit.head().version;
        if self.has(Defect::ForgetsOlderKeys) {
            table.requests.retain(|(of, _), _| *of != account);
        }
        if self.has(Defect::ForgetsKeysInTime) {
            let is_recent = |request: &StoredRequest| version - request.version < 50_000;
            table
                .requests
                .retain(|(of, _), request| *of != account || is_recent(request));
        }
        if !self.has(Defect::ForgetsKeys) {
            table
                .requests
                .insert(name.clone(), commit.request().clone());
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
        if self.has(Defect::ForgetsKeysOnClose) {
            self.table().requests.clear();
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // No thread stops while it holds one.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

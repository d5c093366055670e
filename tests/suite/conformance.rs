//! The conformance suite passes repositories that keep the contract, and finds what is wrong with the others.

mod broken;
mod ids;
mod table;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use broken::{Broken, Defect};
use grantbook::repository::conformance::{self, Case, Failure, Fixture};
use grantbook::repository::{
    AsyncAsSync, Commit, CommitOutcome, EraseOutcome, MemoryRepository, RecordPage, Repository,
    Runtime, StoredRequest, SyncAsAsync,
};
use grantbook::{AccountId, IdempotencyKey, Snapshot};

/// One repository in memory, which stays while the fixture does.
#[derive(Default)]
struct Memory(Arc<MemoryRepository>);

impl Fixture for Memory {
    type Repository = Arc<MemoryRepository>;

    fn connect(&self) -> Self::Repository {
        Arc::clone(&self.0)
    }
}

mod memory {
    use super::Memory;

    grantbook::repository_conformance!(Memory::default());
}

/// The smallest runtime: the thread sleeps until it is woken.
struct Parked;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

impl Runtime for Parked {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            thread::park();
        }
    }
}

/// The same repository, waited for.
#[derive(Default)]
struct Waited(Arc<MemoryRepository>);

impl Fixture for Waited {
    type Repository = AsyncAsSync<SyncAsAsync<Arc<MemoryRepository>>, Parked>;

    fn connect(&self) -> Self::Repository {
        let repository = SyncAsAsync(Arc::clone(&self.0));
        AsyncAsSync {
            repository,
            runtime: Parked,
        }
    }
}

mod blocked_on {
    use super::Waited;

    grantbook::repository_conformance!(Waited::default());
}

/// What the contract allows: short pages, no snapshots, records given up that a snapshot stands for.
#[derive(Clone)]
struct Lean {
    kept: Arc<MemoryRepository>,
    page: usize,
    keeps_snapshots: bool,
    gives_up: bool,
}

impl Fixture for Lean {
    type Repository = Self;

    fn connect(&self) -> Self {
        self.clone()
    }
}

impl Repository for Lean {
    type Error = <MemoryRepository as Repository>::Error;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Self::Error> {
        let snapshot = self.kept.snapshot(account)?;
        Ok(snapshot.filter(|_| self.keeps_snapshots))
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Self::Error> {
        let snapshot = self.snapshot(account)?;
        if self.gives_up && snapshot.is_some_and(|snapshot| version < snapshot.version()) {
            return Ok(RecordPage::Compacted);
        }
        let mut tail = self.kept.records_after(account, version)?;
        if let RecordPage::Records { records, .. } = &mut tail {
            records.truncate(self.page);
        }
        Ok(tail)
    }

    fn request(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Self::Error> {
        self.kept.request(account, id)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Self::Error> {
        self.kept.commit(commit)
    }

    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, Self::Error> {
        if self.gives_up {
            return Ok(EraseOutcome::Unsupported);
        }
        self.kept.erase(account)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        expected / 2 != version / 2
    }
}

/// What the contract allows, the suite passes.
#[test]
fn short_pages_and_no_snapshots_and_given_up_records_pass() {
    for (page, keeps_snapshots, gives_up) in
        [(100, true, true), (7, false, false), (1_000, true, false)]
    {
        let failing = conformance::run_all(|| Lean {
            kept: Arc::default(),
            page,
            keeps_snapshots,
            gives_up,
        });
        assert!(failing.is_empty(), "{failing:#?}");
    }
    let failing = conformance::run_all(Broken::sound);
    assert!(failing.is_empty(), "{failing:#?}");
}

fn names(failing: &[(&'static str, Failure)]) -> Vec<&'static str> {
    failing.iter().map(|(name, _)| *name).collect()
}

/// The page for hosts has a line for each case, in order, and says how many defects there are.
#[test]
fn the_documentation_lists_the_cases() {
    let page = include_str!("../../docs/own-database.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: Vec<_> = rows.filter_map(|row| row.split_once("` |")).collect();
    let listed = listed.iter().map(|(name, _)| *name);
    let cases = conformance::all::<Memory>();
    assert!(
        listed
            .filter(|name| !name.contains('('))
            .eq(cases.iter().map(Case::name))
    );
    assert!(page.contains(&format!("each of {} defects", Defect::ALL.len())));
}

/// Each defect, and the cases that find it: no others.
const FOUND_BY: &str = "
    LosesLastRecord: a_commit_adds_its_records a_conflict_leaves_nothing a_commit_of_many_records_is_whole
        of_writers_that_race_one_wins records_after_any_version pages_give_every_record_once
        a_snapshot_and_the_records_after_it_are_the_account every_kind_of_event_comes_back
        every_combination_of_fields_comes_back large_records_come_back times_come_back
        what_was_kept_is_there_when_opened_again
    IgnoresExpectedHead: an_account_is_opened_once a_stale_commit_is_a_conflict a_commit_ahead_is_a_conflict
        a_commit_of_another_branch_is_a_conflict a_conflict_leaves_nothing a_commit_without_records_is_kept
        a_commit_is_seen_by_every_connection a_request_is_looked_up_each_time of_writers_that_race_one_wins
        a_closed_account_stays_closed an_erased_account_is_gone_for_good requests_run_from_end_to_end
    ComparesVersionOnly: a_commit_of_another_branch_is_a_conflict
    AcceptsGaps: a_commit_ahead_is_a_conflict a_commit_of_another_branch_is_a_conflict
    ComparesThenInserts: of_writers_that_race_one_wins a_commit_that_races_with_itself_is_kept_once
    InsertsPiecemeal: a_commit_of_many_records_is_whole
    SkipsCollisions: a_conflict_leaves_nothing
    KeepsKeyOfConflict: a_commit_of_another_branch_is_a_conflict a_conflict_leaves_nothing
        a_commit_without_records_is_kept a_closed_account_stays_closed requests_run_from_end_to_end
    KeepsSnapshotOfConflict: a_conflict_leaves_nothing
    FailsOnConflict: an_account_is_opened_once a_stale_commit_is_a_conflict a_commit_ahead_is_a_conflict
        a_commit_of_another_branch_is_a_conflict a_conflict_leaves_nothing a_commit_without_records_is_kept
        a_commit_is_seen_by_every_connection a_request_is_looked_up_each_time of_writers_that_race_one_wins
        a_closed_account_stays_closed an_erased_account_is_gone_for_good requests_run_from_end_to_end
    ForgetsKeys: an_account_is_opened_once a_commit_without_records_is_kept a_repeated_commit_is_kept_once
        a_key_counts_before_the_head a_key_is_remembered a_request_is_found_under_its_key
        keys_outlive_later_versions a_commit_is_seen_by_every_connection a_request_is_looked_up_each_time
        a_commit_of_many_records_is_whole of_writers_that_race_one_wins ids_of_any_text_are_kept
        keys_that_look_alike_stay_apart accounts_are_kept_apart a_closed_account_stays_closed
        an_erased_account_is_gone_for_good an_erasure_takes_one_account what_was_kept_is_there_when_opened_again
        requests_run_from_end_to_end
    ForgetsOlderKeys: a_commit_without_records_is_kept a_key_is_remembered a_request_is_found_under_its_key
        keys_outlive_later_versions keys_that_look_alike_stay_apart a_closed_account_stays_closed
        an_erasure_takes_one_account requests_run_from_end_to_end
    KeepsRepeatsTwice: an_account_is_opened_once a_commit_without_records_is_kept a_repeated_commit_is_kept_once
        a_key_counts_before_the_head a_key_is_remembered keys_outlive_later_versions
        a_request_is_looked_up_each_time a_closed_account_stays_closed what_was_kept_is_there_when_opened_again
        requests_run_from_end_to_end
    LooksKeysUpOnConflict: a_commit_without_records_is_kept a_key_counts_before_the_head
        requests_run_from_end_to_end
    ComparesHeadFirst: an_account_is_opened_once a_commit_without_records_is_kept a_repeated_commit_is_kept_once
        a_key_counts_before_the_head a_key_is_remembered keys_outlive_later_versions
        a_request_is_looked_up_each_time a_closed_account_stays_closed what_was_kept_is_there_when_opened_again
    AnswersRepeatsAsDone: an_account_is_opened_once a_commit_without_records_is_kept a_repeated_commit_is_kept_once
        a_key_counts_before_the_head a_key_is_remembered keys_outlive_later_versions
        a_request_is_looked_up_each_time a_commit_that_races_with_itself_is_kept_once a_closed_account_stays_closed
        what_was_kept_is_there_when_opened_again requests_run_from_end_to_end
    SharesKeys: ids_that_look_alike_stay_apart accounts_are_kept_apart a_closed_account_says_so
        an_erased_account_is_gone_for_good an_erasure_takes_one_account
    RequestOfAnyAccount: a_request_is_found_under_its_key accounts_are_kept_apart an_erased_account_is_gone_for_good
    MixesAccounts: ids_of_any_text_are_kept ids_that_look_alike_stay_apart accounts_are_kept_apart
        a_closed_account_says_so an_erased_account_is_gone_for_good an_erasure_takes_one_account
    ScansByPrefix: ids_that_look_alike_stay_apart accounts_are_kept_apart an_erasure_takes_one_account
    ReordersRecords: a_commit_adds_its_records a_commit_of_many_records_is_whole of_writers_that_race_one_wins
        pages_give_every_record_once every_kind_of_event_comes_back every_combination_of_fields_comes_back
        large_records_come_back
    IncludesVersion: an_account_is_opened_once a_commit_adds_its_records a_stale_commit_is_a_conflict
        a_commit_ahead_is_a_conflict a_commit_of_another_branch_is_a_conflict a_conflict_leaves_nothing
        a_commit_without_records_is_kept a_repeated_commit_is_kept_once a_key_counts_before_the_head
        a_key_is_remembered a_commit_is_seen_by_every_connection a_commit_of_many_records_is_whole
        of_writers_that_race_one_wins a_commit_that_races_with_itself_is_kept_once records_after_any_version
        pages_give_every_record_once a_snapshot_and_the_records_after_it_are_the_account
        every_kind_of_event_comes_back every_combination_of_fields_comes_back large_records_come_back
        times_come_back ids_of_any_text_are_kept ids_that_look_alike_stay_apart accounts_are_kept_apart
        a_closed_account_says_so a_closed_account_stays_closed an_erased_account_is_gone_for_good
        an_erasure_takes_one_account what_was_kept_is_there_when_opened_again requests_run_from_end_to_end
    GivesWholeCommits: records_after_any_version
    CutsPages: pages_give_every_record_once
    LosesBetweenPages: a_commit_of_many_records_is_whole pages_give_every_record_once large_records_come_back
    HeadOfPage: records_after_any_version an_erased_account_is_gone_for_good
    HeadTooSmall: a_commit_of_another_branch_is_a_conflict a_commit_without_records_is_kept
        records_after_any_version pages_give_every_record_once a_snapshot_and_the_records_after_it_are_the_account
        a_closed_account_says_so a_closed_account_stays_closed an_erased_account_is_gone_for_good
        an_erasure_takes_one_account requests_run_from_end_to_end
    HeadTooLarge: a_commit_of_another_branch_is_a_conflict a_commit_without_records_is_kept
        records_after_any_version pages_give_every_record_once a_snapshot_and_the_records_after_it_are_the_account
        a_closed_account_says_so a_closed_account_stays_closed an_erased_account_is_gone_for_good
        an_erasure_takes_one_account requests_run_from_end_to_end
    WrapsVersions: records_after_any_version
    FailsOnNone: an_empty_storage_has_no_account
    KeepsFirstSnapshot: the_latest_snapshot_is_given_back
    LosesSnapshot: the_latest_snapshot_is_given_back
    SharesSnapshots: accounts_are_kept_apart an_erasure_takes_one_account
    GivesUpTooMuch: a_snapshot_and_the_records_after_it_are_the_account accounts_are_kept_apart
        an_erased_account_is_gone_for_good an_erasure_takes_one_account what_was_kept_is_there_when_opened_again
    IgnoresCase: ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart an_erasure_takes_one_account
    CutsLongIds: ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
    RefusesLongIds: ids_of_any_text_are_kept ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
    NormalizesIds: ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
    LosesUnicode: ids_of_any_text_are_kept ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
    SanitizesIds: ids_of_any_text_are_kept ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
        accounts_are_kept_apart
    TakesIdsForNumbers: ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
    TrimsPunctuation: ids_of_any_text_are_kept ids_that_look_alike_stay_apart keys_that_look_alike_stay_apart
    MatchesPatterns: ids_that_look_alike_stay_apart
    SplicesIds: ids_of_any_text_are_kept
    LosesExpiry: every_kind_of_event_comes_back every_combination_of_fields_comes_back times_come_back
    LosesActors: every_kind_of_event_comes_back
    LosesNotes: every_kind_of_event_comes_back times_come_back
    CutsMembers: large_records_come_back
    RoundsTimes: times_come_back
    RefusesLateTimes: times_come_back
    ReadsOldState: a_commit_is_seen_by_every_connection a_request_is_looked_up_each_time
        a_commit_of_many_records_is_whole of_writers_that_race_one_wins
    ForgetsOnClose: what_was_kept_is_there_when_opened_again
    ForgetsKeysOnClose: what_was_kept_is_there_when_opened_again
    KeepsKeysInProcess: a_repeated_commit_is_kept_once a_key_is_remembered a_request_is_looked_up_each_time
        a_closed_account_stays_closed an_erased_account_is_gone_for_good what_was_kept_is_there_when_opened_again
        requests_run_from_end_to_end
    RemembersAbsentRequests: a_request_is_looked_up_each_time
    RemembersFoundRequests: a_request_is_looked_up_each_time
    RemembersAbsentKeys: a_request_is_looked_up_each_time
    ForgetsKeysInTime: keys_outlive_later_versions
    LosesActorsOfRequests: keys_outlive_later_versions
    RefusesCommitsWithoutRecords: a_commit_without_records_is_kept keys_outlive_later_versions
    SkipsCommitsWithoutRecords: a_commit_without_records_is_kept keys_outlive_later_versions
    ComparesRecordsOnly: a_commit_of_another_branch_is_a_conflict a_commit_without_records_is_kept
        a_closed_account_stays_closed
    LosesState: a_closed_account_says_so a_closed_account_stays_closed an_erased_account_is_gone_for_good
        an_erasure_takes_one_account
    ReopensClosedAccounts: a_closed_account_stays_closed
    KeepsOnClosedHeads: a_closed_account_stays_closed
    ComparesHeadWithoutState: a_closed_account_stays_closed
    ErasesOpenAccounts: an_erased_account_is_gone_for_good
    KeepsErasedRecords: an_erased_account_is_gone_for_good
    KeepsErasedRequests: a_request_is_looked_up_each_time an_erased_account_is_gone_for_good
    ForgetsErasedIds: a_closed_account_stays_closed an_erased_account_is_gone_for_good
    ErasesByPrefix: an_erasure_takes_one_account
    ErasesByPattern: an_erasure_takes_one_account
    ErasesWithoutCase: an_erasure_takes_one_account
    ErasesAllClosed: an_erasure_takes_one_account
    RefusesLargeRecords: large_records_come_back
    ShiftsFields: every_combination_of_fields_comes_back
";

/// The rows of the table.
fn found_by() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut rows: Vec<(_, Vec<_>)> = Vec::new();
    for word in FOUND_BY.split_whitespace() {
        match (word.strip_suffix(':'), rows.last_mut()) {
            (Some(defect), _) => rows.push((defect, Vec::new())),
            (None, Some((_, cases))) => cases.push(word),
            (None, None) => panic!("`{word}` stands before any defect"),
        }
    }
    rows
}

/// Each defect is found by the cases for it, and by no others.
#[test]
fn each_defect_is_found_by_the_cases_for_it() {
    let found = Defect::ALL.iter().map(|defect| {
        let failing = conformance::run_all(|| Broken::with(*defect));
        (format!("{defect:?}"), failing)
    });
    let table = found_by();
    assert_eq!(table.len(), Defect::ALL.len());
    let mut otherwise = Vec::new();
    for ((expected, cases), (defect, failing)) in table.into_iter().zip(found) {
        assert_eq!(expected, defect);
        if names(&failing) != cases {
            otherwise.push(format!("{defect}: {}", names(&failing).join(" ")));
        }
    }
    assert!(otherwise.is_empty(), "found by:\n{}", otherwise.join("\n"));
}

/// No case passes whatever it is given: each finds a defect.
#[test]
fn each_case_finds_a_defect() {
    let table = found_by();
    let finders: BTreeSet<_> = table.into_iter().flat_map(|(_, cases)| cases).collect();
    let cases = conformance::all::<Memory>();
    let cases: BTreeSet<_> = cases.iter().map(Case::name).collect();
    assert_eq!(finders, cases);
}

/// Runs the case of this name.
fn run<F: Fixture>(name: &str, fixture: &F) -> Result<(), Failure> {
    let mut cases = conformance::all().into_iter();
    cases.find(|case| case.name() == name).unwrap().run(fixture)
}

/// A failure says what was asked, what was expected, what came, and what is likely wrong.
#[test]
fn a_failure_says_what_is_likely_wrong() {
    const STALE: &str = "a_stale_commit_is_a_conflict";
    let found = run(STALE, &Broken::with(Defect::IgnoresExpectedHead));
    assert_eq!(
        found.unwrap_err().to_string(),
        "commit, of account `acme` from version 1 to 2, with the key `stale`\n  \
         expected: Conflict\n  \
         got:      Appended\n  \
         likely:   the expected version is not compared with the last one kept"
    );
    let found = run(STALE, &Broken::with(Defect::FailsOnConflict));
    assert_eq!(
        found.unwrap_err().to_string(),
        "commit, of account `acme` from version 1 to 2, with the key `stale`\n  \
         expected: an answer\n  \
         got:      the error `duplicate key value violates a constraint`\n  \
         likely:   a version that is there already (a violated primary key, a lost race, a busy database) is given as \
         an error; it is Conflict"
    );
}

/// The case about kinds of events has each of them.
#[test]
fn every_kind_of_event_is_among_those_that_come_back() {
    let memory = Memory::default();
    run("every_kind_of_event_comes_back", &memory).unwrap();
    let acme = AccountId::parse("acme").unwrap();
    let RecordPage::Records { records, .. } = memory.0.records_after(&acme, 0).unwrap() else {
        panic!("nothing was given up");
    };
    let kinds: BTreeSet<_> = records.iter().map(|record| record.event().kind()).collect();
    assert_eq!(kinds, grantbook::Event::KINDS.iter().copied().collect());
}

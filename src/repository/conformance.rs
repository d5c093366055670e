//! Tests for a host's own repository, and repositories that fail in known ways.
//!
//! A host says how a fresh storage is made and how it is opened, and has one test for each case of the contract:
//!
//! ```
//! # fn main() {} // A test file has none.
//! use std::sync::Arc;
//! use grantbook::repository::MemoryRepository;
//! use grantbook::repository::conformance::Fixture;
//!
//! /// One fresh storage. Dropping it may take the storage away.
//! struct Memory(Arc<MemoryRepository>);
//!
//! impl Fixture for Memory {
//!     type Repository = Arc<MemoryRepository>;
//!
//!     fn connect(&self) -> Self::Repository {
//!         Arc::clone(&self.0)
//!     }
//! }
//!
//! grantbook::repository_conformance!(Memory(Arc::new(MemoryRepository::new())));
//! ```
//!
//! An asynchronous repository is tested the same way, [blocked on](super::AsyncAsSync) with the host's runtime. A test
//! is named after what the contract says; one that fails says what was expected, what came, and what is likely wrong.

mod cases;
mod failure;
mod flaky;
mod harness;

use crate::repository::contract::Repository;

pub use failure::Failure;
pub use flaky::{Fault, FlakyRepository, TimedOut};

/// A fresh and empty storage, and how it is opened.
pub trait Fixture: Sync {
    /// What is tested.
    type Repository: Repository;

    /// Opens the storage, once more from the beginning, as another process would. The suite opens it several times,
    /// from several threads, and once more after all before have been dropped: what was kept must still be there.
    fn connect(&self) -> Self::Repository;
}

/// One case of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Case<F> {
    name: &'static str,
    run: fn(&F) -> Result<(), Failure>,
}

impl<F: Fixture> Case<F> {
    /// Its name, which is that of the test.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Runs it over a fixture, which must be fresh.
    ///
    /// # Errors
    /// The repository breaks the contract.
    pub fn run(&self, fixture: &F) -> Result<(), Failure> {
        (self.run)(fixture)
    }
}

/// Runs every case, each over a fixture of its own, and gives those that failed.
pub fn run_all<F: Fixture>(fresh: impl Fn() -> F) -> Vec<(&'static str, Failure)> {
    let failures = all().into_iter().filter_map(|case| {
        let failure = case.run(&fresh()).err()?;
        Some((case.name, failure))
    });
    failures.collect()
}

/// The one list of cases: for who runs them all, and for the macro.
macro_rules! suite {
    ($dollar:tt $($case:ident)*) => {
        /// Every case, in the order in which they are best fixed:
        $(#[doc = concat!("- `", stringify!($case), "`")])*
        #[must_use]
        pub fn all<F: Fixture>() -> Vec<Case<F>> {
            vec![$(Case { name: stringify!($case), run: cases::$case }),*]
        }

        /// Makes one `#[test]` for each case of the repository's contract, over a storage of the host's. The expression
        /// is evaluated for each of them and gives a `repository::conformance::Fixture`, fresh and empty.
        ///
        /// Written in a test file or, where there are several storages, in a module for each.
        #[macro_export]
        #[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
        macro_rules! repository_conformance {
            ($dollar fixture:expr) => {$(
                #[test]
                fn $case() {
                    let mut cases = $crate::repository::conformance::all().into_iter();
                    let case = cases.find(|case| case.name() == stringify!($case)).unwrap();
                    if let Err(failure) = case.run(&$dollar fixture) {
                        panic!("{failure}");
                    }
                }
            )*};
        }
    };
}
suite! { $
    an_empty_storage_has_no_account
    an_account_is_opened_once
    a_commit_adds_its_records
    a_stale_commit_is_a_conflict
    a_commit_ahead_is_a_conflict
    a_commit_of_another_branch_is_a_conflict
    a_conflict_leaves_nothing
    a_commit_without_records_is_kept
    a_repeated_commit_is_kept_once
    a_key_counts_before_the_head
    a_key_is_remembered
    a_request_is_found_under_its_key
    keys_outlive_later_versions
    a_commit_is_seen_by_every_connection
    a_request_is_looked_up_each_time
    a_commit_of_many_records_is_whole
    of_writers_that_race_one_wins
    a_commit_that_races_with_itself_is_kept_once
    records_after_any_version
    pages_give_every_record_once
    the_latest_snapshot_is_given_back
    a_snapshot_and_the_records_after_it_are_the_account
    every_kind_of_event_comes_back
    every_combination_of_fields_comes_back
    large_records_come_back
    times_come_back
    ids_of_any_text_are_kept
    ids_that_look_alike_stay_apart
    keys_that_look_alike_stay_apart
    accounts_are_kept_apart
    a_closed_account_says_so
    a_closed_account_stays_closed
    an_erased_account_is_gone_for_good
    an_erasure_takes_one_account
    what_was_kept_is_there_when_opened_again
    requests_run_from_end_to_end
}

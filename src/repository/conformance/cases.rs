//! The cases of the contract. Each needs a fresh fixture, and says why if the repository fails it.

mod branches;
mod connections;
mod endings;
mod ids;
mod reading;
mod records;
mod snapshots;
mod writing;

pub(super) use branches::{
    a_commit_of_another_branch_is_a_conflict, a_commit_without_records_is_kept,
    keys_outlive_later_versions,
};
pub(super) use connections::{
    a_commit_is_seen_by_every_connection, a_commit_of_many_records_is_whole,
    a_commit_that_races_with_itself_is_kept_once, a_request_is_looked_up_each_time,
    of_writers_that_race_one_wins, requests_run_from_end_to_end,
    what_was_kept_is_there_when_opened_again,
};
pub(super) use endings::{
    a_closed_account_says_so, a_closed_account_stays_closed, an_erased_account_is_gone_for_good,
    an_erasure_takes_one_account,
};
pub(super) use ids::{
    accounts_are_kept_apart, ids_of_any_text_are_kept, ids_that_look_alike_stay_apart,
    keys_that_look_alike_stay_apart,
};
pub(super) use reading::{
    a_request_is_found_under_its_key, an_empty_storage_has_no_account,
    pages_give_every_record_once, records_after_any_version,
};
pub(super) use records::{
    every_combination_of_fields_comes_back, every_kind_of_event_comes_back,
    large_records_come_back, times_come_back,
};
pub(super) use snapshots::{
    a_snapshot_and_the_records_after_it_are_the_account, the_latest_snapshot_is_given_back,
};
pub(super) use writing::{
    a_commit_adds_its_records, a_commit_ahead_is_a_conflict, a_conflict_leaves_nothing,
    a_key_counts_before_the_head, a_key_is_remembered, a_repeated_commit_is_kept_once,
    a_stale_commit_is_a_conflict, an_account_is_opened_once,
};

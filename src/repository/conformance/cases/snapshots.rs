//! Snapshots, which a repository may keep or not.

use crate::account::Account;
use crate::repository;
use crate::repository::conformance::harness::{
    Connection, History, asked_for_snapshot, store, stores,
};
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::{CommitOutcome, Repository};

/// The latest snapshot that was committed is given back as it was, or none ever. Commits without one leave it there.
pub(crate) fn the_latest_snapshot_is_given_back<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let id = acme.id().clone();
    with_snapshot(&kept, &mut acme, "first")?;
    let keeps_snapshots = kept.snapshot(&id)?.is_some();
    let mut latest = acme.account().snapshot();
    for (commit, brings_one) in [
        ("second", false),
        ("third", true),
        ("fourth", true),
        ("fifth", false),
    ] {
        if brings_one {
            with_snapshot(&kept, &mut acme, commit)?;
            latest = acme.account().snapshot();
        } else {
            kept.adds(&mut acme, commit, &[store(commit)?])?;
        }
        let expected = keeps_snapshots.then_some(&latest).cloned();
        let likely = "the first snapshot is kept and not the latest, or a commit without one takes it away, or it is \
                      not read back as it was written; with a primary key of the account alone, it is an upsert";
        Failure::unless_equal(
            asked_for_snapshot(&id),
            &expected,
            &kept.snapshot(&id)?,
            likely,
        )?;
    }
    Ok(())
}

/// A snapshot and the records after it lead to the same account as all records from the first. Where older records are
/// given up, they are those that a snapshot stands for.
pub(crate) fn a_snapshot_and_the_records_after_it_are_the_account<F: Fixture>(
    fixture: &F,
) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    kept.adds(&mut acme, "before", &stores("before", 3)?)?;
    with_snapshot(&kept, &mut acme, "snapshot")?;
    kept.adds(&mut acme, "after", &stores("after", 3)?)?;
    kept.holds(
        &acme,
        "records are given up beyond the snapshot, or changed when it is taken",
    )?;

    if let Some(snapshot) = kept.snapshot(acme.id())? {
        let likely = "the snapshot is kept apart from its commit, and is of another moment";
        let asked = "the account of the snapshot, after the records that follow it";
        let version = snapshot.version();
        let mut restored = Account::try_from(snapshot)
            .map_err(|error| Failure::new(asked, "an account", error, likely))?;
        for record in acme.after(version) {
            let applied = restored.apply(record);
            applied.map_err(|error| Failure::new(asked, "the next record fits", error, likely))?;
        }
        Failure::unless_equal(asked, acme.account(), &restored, likely)?;
    }
    let asked = "repository::load";
    let loaded = repository::load(&kept.0, acme.id());
    let likely = "the snapshot, the records after it and `last` do not fit together";
    let loaded = loaded.map_err(|error| Failure::of_storage(asked, &error, likely))?;
    let account = loaded.as_deref();
    Failure::unless_equal(asked, &Some(acme.account()), &account, likely)
}

/// A commit of one record that brings a snapshot.
fn with_snapshot<R: Repository>(
    kept: &Connection<R>,
    history: &mut History,
    commit: &str,
) -> Result<(), Failure> {
    let commit = history.propose(commit, &[store(commit)?])?;
    let commit = history.with_snapshot(commit)?;
    let likely =
        "a commit with a snapshot cannot be stored; a repository may leave the snapshot out";
    kept.answers(CommitOutcome::Appended, &commit, likely)?;
    history.accept(&commit)
}

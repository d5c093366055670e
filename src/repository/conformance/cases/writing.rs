//! What a commit does, and when it does nothing.

use crate::repository::CommitOutcome;
use crate::repository::conformance::harness::{Connection, History, store, stores};
use crate::repository::conformance::{Failure, Fixture};

/// A second opening of the same account is refused, whoever the owner is; the first one, tried again, is known.
pub(crate) fn an_account_is_opened_once<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let (acme, opening) = History::open_by("acme", "open", "olga")?;
    kept.keeps(&opening)?;
    let (_, other) = History::open_by("acme", "another", "otto")?;
    kept.conflicts(
        &other,
        "a commit that expects version 0 is not compared with what is kept, so an account can be taken over",
    )?;
    kept.repeats(&opening, "the key of the first record is not kept")?;
    kept.holds(
        &acme,
        "the second opening wrote over the first, or beside it",
    )
}

/// What was committed can be read: every record, in the order of versions, after what was there before.
pub(crate) fn a_commit_adds_its_records<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    kept.adds(&mut acme, "one", &stores("one", 1)?)?;
    kept.adds(&mut acme, "more", &stores("more", 12)?)?;
    kept.adds(&mut acme, "last", &stores("last", 1)?)?;
    let likely = "records are lost, or are not ordered by version (versions that are kept as text have 10 before 2)";
    kept.holds(&acme, likely)
}

/// A commit that was decided on an older version is a conflict: what happened since then counts.
pub(crate) fn a_stale_commit_is_a_conflict<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let stale = acme.propose("stale", &[store("late")?])?;
    kept.adds(&mut acme, "first", &[store("early")?])?;
    let likely = "the expected version is not compared with the last one kept";
    kept.conflicts(&stale, likely)?;
    kept.holds(
        &acme,
        "a stale commit was answered as a conflict, and kept all the same",
    )
}

/// A commit on a version that is not kept yet is a conflict: a gap would make the account unreadable. It comes about
/// when a storage is put back to an older state while copies are alive.
pub(crate) fn a_commit_ahead_is_a_conflict<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let acme = kept.opens("acme")?;
    let mut ahead = acme.clone();
    ahead.accept(&acme.propose("lost", &[store("lost")?])?)?;
    let likely = "only a record of the same version is looked for (a primary key alone), and not the one before it";
    kept.conflicts(&ahead.propose("ahead", &[store("next")?])?, likely)?;

    let (mut unopened, _) = History::open("unopened")?;
    kept.conflicts(&unopened.propose("ahead", &[store("next")?])?, likely)?;
    unopened.accept(&unopened.propose("lost", &stores("lost", 40)?)?)?;
    kept.conflicts(&unopened.propose("far-ahead", &[store("next")?])?, likely)?;
    kept.holds(
        &acme,
        "a commit ahead was answered as a conflict, and kept all the same",
    )
}

/// A conflict keeps nothing: not the records beyond those that collide, not the key, not the snapshot.
pub(crate) fn a_conflict_leaves_nothing<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let stale = acme.propose("tried-twice", &stores("late", 5)?)?;
    let stale = acme.with_snapshot(stale)?;
    kept.adds(&mut acme, "first", &[store("early")?])?;
    let likely = "the expected version is not compared";
    kept.conflicts(&stale, likely)?;

    let likely = "inserts that collide are skipped, or the transaction is not rolled back: the records after them stay";
    kept.holds(&acme, likely)?;
    if let Some(snapshot) = kept.snapshot(acme.id())? {
        let asked = "snapshot, after a conflict of the only commit that brought one";
        let found = format!("one of version {}", snapshot.version());
        let likely =
            "the snapshot is written before the versions are compared, or outside the transaction";
        return Err(Failure::new(asked, "none", found, likely));
    }
    let likely = "the key is written before the versions are compared, or outside the transaction";
    kept.remembers(acme.id(), stale.key(), None, likely)?;
    let again = acme.propose("tried-twice", &stores("late", 5)?)?;
    kept.answers(CommitOutcome::Appended, &again, likely)?;
    acme.accept(&again)?;
    kept.holds(&acme, "what was tried again after a conflict was not kept")
}

/// The same commit, tried again after its answer was lost, is kept once, whichever process tries.
pub(crate) fn a_repeated_commit_is_kept_once<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (kept, elsewhere) = (Connection::to(fixture), Connection::to(fixture));
    let mut acme = kept.opens("acme")?;
    let commit = kept.adds(&mut acme, "once", &[store("once")?])?;
    let likely =
        "keys are not kept, so a retry after a lost answer looks like a conflict, or is done twice";
    kept.repeats(&commit, likely)?;
    elsewhere.repeats(
        &commit,
        "keys are kept in the process and not in the storage",
    )?;
    elsewhere.holds(
        &acme,
        "the repeated commit was answered as such, and kept again",
    )
}

/// A key that is kept is a repetition whatever version the commit expects: whoever tries again has decided again,
/// on what is there now.
pub(crate) fn a_key_counts_before_the_head<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    kept.adds(&mut acme, "once", &[store("once")?])?;
    let decided_again = acme.propose("once", &[store("again")?])?;
    let likely = "a repeated commit is found by its versions only; look the key up first";
    kept.repeats(&decided_again, likely)?;
    let mut ahead = acme.clone();
    ahead.accept(&acme.propose("lost", &[store("lost")?])?)?;
    kept.repeats(&ahead.propose("once", &[store("again")?])?, likely)?;
    kept.holds(
        &acme,
        "the repeated commit was answered as such, and kept again",
    )
}

/// A key is known for as long as its records are, whatever has been committed in between.
pub(crate) fn a_key_is_remembered<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (kept, elsewhere) = (Connection::to(fixture), Connection::to(fixture));
    let (mut acme, opening) = History::open("acme")?;
    kept.keeps(&opening)?;
    let first = kept.adds(&mut acme, "first", &[store("first")?])?;
    elsewhere.adds(&mut acme, "second", &[store("second")?])?;
    kept.adds(&mut acme, "third", &[store("third")?])?;
    let likely = "only the latest key of an account is kept, or of a connection";
    for connection in [&kept, &elsewhere] {
        connection.repeats(&opening, likely)?;
        connection.repeats(&first, likely)?;
        connection.remembers(acme.id(), first.key(), Some(first.request()), likely)?;
    }
    kept.holds(
        &acme,
        "the repeated commit was answered as such, and kept again",
    )
}

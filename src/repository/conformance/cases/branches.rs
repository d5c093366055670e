//! Heads: other branches, commits without records, and keys that outlive records.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::account::actor::Actor;
use crate::account::changes::{Command, CreateStore, DeleteStore, RemoveMembers};
use crate::account::limits::MAX_BATCH;
use crate::id::StoreId;
use crate::repository::conformance::harness::{Connection, History, NOW, member_id, store, stores};
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::{Commit, CommitOutcome};

/// A commit that was decided on another branch is a conflict, also where the versions are the same: a backup was restored,
/// and went on otherwise. Otherwise two histories are mixed, and what one of them revoked is back.
pub(crate) fn a_commit_of_another_branch_is_a_conflict<F: Fixture>(
    fixture: &F,
) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let mut elsewhere = acme.clone();
    kept.adds(&mut acme, "here", &[store("here")?])?;
    elsewhere.accept(&elsewhere.propose("there", &[store("there")?])?)?;
    let likely = "only the version is compared with the one expected; compare the digest too";
    for commands in [vec![store("next")?], stores("several", 3)?, nothing()] {
        kept.conflicts(&elsewhere.propose("next", &commands)?, likely)?;
    }
    elsewhere.accept(&elsewhere.propose("more", &stores("more", 2)?)?)?;
    kept.conflicts(&elsewhere.propose("ahead", &[store("ahead")?])?, likely)?;
    kept.holds(&acme, "a commit of another branch was kept")?;
    kept.stands(&acme, acme.head())?;
    kept.adds(&mut acme, "next", &[store("next")?])?;
    kept.holds(
        &acme,
        "a commit is lost after one of another branch was refused",
    )
}

/// A request that changed nothing is kept without records: it is remembered, and compares the head like any other.
pub(crate) fn a_commit_without_records_is_kept<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let unchanged = acme.propose("unchanged", &nothing())?;
    let stale = acme.propose("stale", &nothing())?;
    let likely = "a commit without records cannot be stored, or its request is not";
    kept.answers(CommitOutcome::Appended, &unchanged, likely)?;
    kept.remembers(
        acme.id(),
        unchanged.key(),
        Some(unchanged.request()),
        likely,
    )?;
    kept.stands(&acme, acme.head())?;
    kept.repeats(
        &unchanged,
        "the key of a commit without records is not kept",
    )?;
    kept.adds(&mut acme, "change", &[store("change")?])?;
    let likely = "the head is not compared where there are no records to insert";
    kept.conflicts(&stale, likely)?;
    kept.remembers(acme.id(), stale.key(), None, likely)?;
    kept.repeats(&unchanged, "a key is forgotten with the next commit")?;
    kept.holds(&acme, "a commit without records changed what is kept")
}

/// Keys are remembered however much has been committed since, with all that a retry is recognized and answered by.
pub(crate) fn keys_outlive_later_versions<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let (mut acme, opening) = History::open("acme")?;
    kept.keeps(&opening)?;
    let olga = Actor::Member(member_id("olga")?);
    let by_owner = acme.propose_by(&olga, "by-owner", &stores("first", 2)?, NOW)?;
    kept.keeps(&by_owner)?;
    acme.accept(&by_owner)?;
    let unchanged = acme.propose_by(&olga, "unchanged", &nothing(), NOW)?;
    kept.keeps(&unchanged)?;
    for commit in a_hundred_thousand_versions(&acme)? {
        kept.keeps(commit)?;
    }
    let likely = "keys are forgotten after a number of versions or commits, or what is remembered of a request (its \
                  actor, its digest, the versions before and after it) is not all stored";
    for commit in [&opening, &by_owner, &unchanged] {
        kept.repeats(commit, likely)?;
        kept.remembers(acme.id(), commit.key(), Some(commit.request()), likely)?;
    }
    Ok(())
}

/// The commits that take an account a hundred thousand versions further. They are the same each time, so they are decided
/// once.
fn a_hundred_thousand_versions(history: &History) -> Result<&'static [Commit], Failure> {
    static COMMITS: OnceLock<Vec<Commit>> = OnceLock::new();
    if COMMITS.get().is_none() {
        let id = StoreId::parse("later").map_err(Failure::of_suite)?;
        let toggle = [
            Command::CreateStore(CreateStore { store: id.clone() }),
            Command::DeleteStore(DeleteStore { store: id }),
        ];
        let commands: Vec<_> = toggle.into_iter().cycle().take(MAX_BATCH).collect();
        let mut history = history.clone();
        let commits = (0..100_000 / MAX_BATCH).map(|number| {
            let commit = history.propose(&format!("later-{number}"), &commands)?;
            history.accept(&commit)?;
            Ok(commit)
        });
        let _ = COMMITS.set(commits.collect::<Result<_, Failure>>()?);
    }
    Ok(COMMITS.get().map_or(&[], Vec::as_slice))
}

/// Commands that change nothing.
fn nothing() -> Vec<Command> {
    let members = BTreeSet::new();
    vec![Command::RemoveMembers(RemoveMembers { members })]
}

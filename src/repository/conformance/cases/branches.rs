//! Heads: other branches, commits without records, keys that outlive records, and the end of an account.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::account::actor::Actor;
use crate::account::changes::{CloseAccount, Command, CreateStore, DeleteStore, RemoveMembers};
use crate::account::limits::{GroupLimit, MAX_BATCH};
use crate::id::StoreId;
use crate::repository::conformance::harness::{
    Connection, History, NOW, account_id, asked_for_snapshot, commit_id, member_id, store, stores,
};
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::{Commit, CommitOutcome, EraseOutcome, Head, HeadState, Repository};
use crate::visible::Quoted;

/// A commit that was decided on another branch is a conflict, also where the versions are the same: a backup was restored,
/// and went on otherwise. Otherwise two histories are mixed, and what one of them revoked is back.
pub fn a_commit_of_another_branch_is_a_conflict<F: Fixture>(fixture: &F) -> Result<(), Failure> {
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
    expect_head(&kept, &acme, acme.head())?;
    kept.adds(&mut acme, "next", &[store("next")?])?;
    kept.holds(
        &acme,
        "a commit is lost after one of another branch was refused",
    )
}

/// A request that changed nothing is kept without records: it is remembered, and compares the head like any other.
pub fn a_commit_without_records_is_kept<F: Fixture>(fixture: &F) -> Result<(), Failure> {
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
    expect_head(&kept, &acme, acme.head())?;
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
pub fn keys_outlive_later_versions<F: Fixture>(fixture: &F) -> Result<(), Failure> {
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

/// The head says that an account is closed, and other accounts go on.
pub fn a_closed_account_says_so<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let (mut acme, mut other) = (kept.opens("acme")?, kept.opens("other")?);
    closes(&kept, &mut acme)?;
    expect_head(&kept, &acme, acme.head())?;
    kept.holds(&acme, "the last record of a closed account is not kept")?;
    kept.adds(&mut other, "more", &[store("more")?])?;
    expect_head(&kept, &other, other.head())
}

/// Only a closed account can be erased. Then nothing is left of it but its head, and its id is never used again, by
/// whichever key. A repository that erases nothing passes.
pub fn an_erased_account_is_gone_for_good<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (kept, elsewhere) = (Connection::to(fixture), Connection::to(fixture));
    let (mut acme, opening) = History::open("acme")?;
    kept.keeps(&opening)?;
    let other = kept.opens("other")?;
    let snapshot = acme.with_snapshot(acme.propose("snapshot", &[store("dev")?])?)?;
    kept.keeps(&snapshot)?;
    acme.accept(&snapshot)?;
    let likely = "the head is not looked at before an account is erased";
    if erased(&kept, "acme")? == EraseOutcome::Unsupported {
        return Ok(());
    }
    expect_erased(&kept, "acme", (EraseOutcome::NotClosed, likely))?;
    kept.holds(&acme, "an account that is in use was erased")?;
    let likely = "an account that nobody opened is taken for one that was erased";
    expect_erased(&kept, "nobody", (EraseOutcome::Unknown, likely))?;

    closes(&kept, &mut acme)?;
    let likely = "a closed account cannot be erased, or not twice";
    for connection in [&kept, &elsewhere] {
        expect_erased(connection, "acme", (EraseOutcome::Erased, likely))?;
        let (records, head) = connection.page(acme.id(), 0)?;
        let asked = "records_after, of an account that was erased";
        let likely = "the records are kept, or the head went with them; the id could be used again";
        let gone = Head {
            state: HeadState::Erased,
            ..acme.head()
        };
        Failure::unless_equal(asked, &(Vec::new(), Some(gone)), &(records, head), likely)?;
        let likely = "what is remembered of requests names members; it goes with the records";
        connection.remembers(acme.id(), opening.key(), None, likely)?;
        connection.remembers(acme.id(), snapshot.key(), None, likely)?;
        let found = connection.snapshot(acme.id())?;
        let likely = "the snapshot is kept, and with it all that was erased";
        Failure::unless_equal(asked_for_snapshot(acme.id()), &None, &found, likely)?;
    }
    let likely = "the id of an erased account is forgotten, so that somebody else can take it over";
    kept.conflicts(&opening, likely)?;
    let (key, id, owner) = (commit_id("again")?, account_id("acme")?, member_id("eve")?);
    let (again, _) = Commit::opening(key, id, owner, GroupLimit::default(), NOW);
    elsewhere.conflicts(&again, likely)?;
    kept.holds(&other, "the erasure of one account reached another")?;
    let asked = "request, of an account beside one that was erased";
    let found = kept.0.request(other.id(), opening.key());
    let found = found.map_err(|error| Failure::of_storage(asked, &error, likely))?;
    Failure::unless_equal(
        asked,
        &true,
        &found.is_some(),
        "the erasure of one account reached another",
    )
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

fn closes<R: Repository>(kept: &Connection<R>, history: &mut History) -> Result<(), Failure> {
    kept.adds(history, "close", &[Command::CloseAccount(CloseAccount {})])?;
    Ok(())
}

fn expect_head<R: Repository>(
    kept: &Connection<R>,
    history: &History,
    expected: Head,
) -> Result<(), Failure> {
    let (_, head) = kept.page(history.id(), history.version())?;
    let asked = format!("the head of account {}", Quoted(history.id()));
    let likely =
        "the head is not the one of the last commit: its version, its digest, or its state";
    Failure::unless_equal(asked, &Some(expected), &head, likely)
}

fn erased<R: Repository>(kept: &Connection<R>, account: &str) -> Result<EraseOutcome, Failure> {
    let found = kept.0.erase(&account_id(account)?);
    found.map_err(|error| {
        let likely = "that an account is in use, or not there, is an ordinary answer";
        Failure::of_storage(asked_to_erase(account), &error, likely)
    })
}

fn expect_erased<R: Repository>(
    kept: &Connection<R>,
    account: &str,
    (expected, likely): (EraseOutcome, &str),
) -> Result<(), Failure> {
    let found = erased(kept, account)?;
    Failure::unless_equal(asked_to_erase(account), &expected, &found, likely)
}

fn asked_to_erase(account: &str) -> String {
    format!("erase, of account {}", Quoted(account))
}

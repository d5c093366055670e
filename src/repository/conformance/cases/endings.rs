//! The end of an account: closed, and erased.

use crate::account::changes::{CloseAccount, Command};
use crate::account::limits::GroupLimit;
use crate::repository::conformance::harness::{
    Connection, History, NOW, account_id, asked_for_snapshot, commit_id, member_id, store,
};
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::{Commit, EraseOutcome, Head, HeadState, Repository};
use crate::visible::Quoted;

/// The head says that an account is closed, and other accounts go on.
pub(crate) fn a_closed_account_says_so<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let (mut acme, mut other) = (kept.opens("acme")?, kept.opens("other")?);
    closes(&kept, &mut acme)?;
    kept.stands(&acme, acme.head())?;
    kept.holds(&acme, "the last record of a closed account is not kept")?;
    kept.adds(&mut other, "more", &[store("more")?])?;
    kept.stands(&other, other.head())
}

/// A closed account stays closed, and an erased one erased: nothing is kept on its head, also no request that changed
/// nothing, and nobody opens it again, by whichever key ([A5](crate::docs::rules#A5)).
pub(crate) fn a_closed_account_stays_closed<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (kept, elsewhere) = (Connection::to(fixture), Connection::to(fixture));
    let (mut acme, opening) = History::open("acme")?;
    kept.keeps(&opening)?;
    closes(&kept, &mut acme)?;
    let closed = acme.head();
    for connection in [&kept, &elsewhere] {
        let likely = "the key of the opening is forgotten when the account is closed";
        connection.repeats(&opening, likely)?;
        expect_over(connection, &acme, closed)?;
        connection.holds(&acme, "a closed account was opened again, over the old one")?;
    }
    if erased(&kept, "acme")? == EraseOutcome::Unsupported {
        return Ok(());
    }
    let state = HeadState::Erased;
    expect_over(&elsewhere, &acme, Head { state, ..closed })
}

/// Expects that nothing is kept of an account any more that was closed, or erased, and that has this head.
fn expect_over<R: Repository>(
    kept: &Connection<R>,
    history: &History,
    head: Head,
) -> Result<(), Failure> {
    let (_, again) = History::open_by(history.id(), "again", "eve")?;
    let likely = "an account that is closed or erased is taken for none, so that somebody else can take its id over";
    kept.conflicts(&again, likely)?;
    kept.remembers(history.id(), again.key(), None, likely)?;
    // The contract is about the head that is kept, whatever is expected of it.
    for state in [HeadState::Open, HeadState::Closed, HeadState::Erased] {
        let nothing = history.nothing_on("nothing", Head { state, ..head })?;
        let likely = "a commit without records is kept of an account that is closed or erased; compare the state too";
        kept.conflicts(&nothing, likely)?;
        kept.remembers(history.id(), nothing.key(), None, likely)?;
    }
    kept.stands(history, head)
}

/// Only a closed account can be erased. Then nothing is left of it but its head, and its id is never used again, by
/// whichever key. A repository that erases nothing passes.
pub(crate) fn an_erased_account_is_gone_for_good<F: Fixture>(fixture: &F) -> Result<(), Failure> {
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

/// An erasure takes one account: none whose id begins with the same text, differs in the case of letters only or matches
/// a pattern, and no other that is closed. A repository that erases nothing passes.
pub(crate) fn an_erasure_takes_one_account<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut accounts = Vec::new();
    for id in ["acm%", "acme", "acme1", "acme/1", "ACME", "other"] {
        let (mut account, opening) = History::open(id)?;
        kept.keeps(&opening)?;
        let snapshot = account.propose("snapshot", &[store(id)?])?;
        let snapshot = account.with_snapshot(snapshot)?;
        kept.keeps(&snapshot)?;
        account.accept(&snapshot)?;
        closes(&kept, &mut account)?;
        let snapshot = kept.snapshot(account.id())?;
        accounts.push((account, opening, snapshot));
    }
    let mut in_use = kept.opens("acme in use")?;
    let likely = "more than the account of exactly this id was erased: all whose ids begin with it, match it as a \
                  pattern or differ in case only, or all that are closed";
    let mut rest = &*accounts;
    while let Some(((gone, _, _), others)) = rest.split_first() {
        if erased(&kept, gone.id())? == EraseOutcome::Unsupported {
            return Ok(());
        }
        for (other, opening, snapshot) in others {
            kept.stands(other, other.head())?;
            kept.holds(other, likely)?;
            kept.remembers(other.id(), opening.key(), Some(opening.request()), likely)?;
            let (asked, found) = (asked_for_snapshot(other.id()), kept.snapshot(other.id())?);
            Failure::unless_equal(asked, snapshot, &found, likely)?;
        }
        rest = others;
    }
    kept.adds(&mut in_use, "more", &[store("more")?])?;
    kept.holds(&in_use, likely)
}

fn closes<R: Repository>(kept: &Connection<R>, history: &mut History) -> Result<(), Failure> {
    kept.adds(history, "close", &[Command::CloseAccount(CloseAccount {})])?;
    Ok(())
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

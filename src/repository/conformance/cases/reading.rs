//! What is read: nothing, the records after a version, pages, the records of a commit.

use crate::account::record::Record;
use crate::id::AccountId;
use crate::repository::Repository;
use crate::repository::conformance::harness::{
    Connection, History, account_id, asked_for_snapshot, asked_for_tail, commit_id, store, stores,
};
use crate::repository::conformance::{Failure, Fixture};

/// Versions at which a number turns into another one where it is kept in a narrower type, or a signed one.
const EDGES: [u64; 6] = [
    u32::MAX as u64,
    u32::MAX as u64 + 1,
    i64::MAX as u64 - 1,
    i64::MAX as u64,
    i64::MAX as u64 + 1,
    u64::MAX,
];

/// Of an account that nobody opened there is nothing, which is not an error.
pub(crate) fn an_empty_storage_has_no_account<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (kept, acme) = (Connection::to(fixture), account_id("acme")?);
    let likely = "an account that is not kept has no records, and its last version is 0";
    for version in [0, 1, 7].into_iter().chain(EDGES) {
        let page = kept.page(&acme, version)?;
        let asked = asked_for_tail(&acme, version);
        Failure::unless_equal(asked, &(Vec::new(), None), &page, likely)?;
    }
    let snapshot = kept.snapshot(&acme)?;
    Failure::unless_equal(
        asked_for_snapshot(&acme),
        &None,
        &snapshot,
        "the fixture is not fresh",
    )?;
    kept.remembers(
        &acme,
        &commit_id("never")?,
        None,
        "the fixture is not fresh",
    )
}

/// `request` gives all records of that commit of that account, and no others; none, for an id that is not known.
pub(crate) fn a_request_is_found_under_its_key<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let (mut acme, opening) = History::open("acme")?;
    kept.keeps(&opening)?;
    let (other, other_opening) = History::open_by("other", "open-other", "olga")?;
    kept.keeps(&other_opening)?;
    let three = kept.adds(&mut acme, "three", &stores("three", 3)?)?;
    let one = kept.adds(&mut acme, "one", &[store("one")?])?;

    let likely = "the records of a commit are not told from those before and after it, or only one of them is read";
    for commit in [&opening, &three, &one] {
        kept.remembers(acme.id(), commit.key(), Some(commit.request()), likely)?;
    }
    kept.remembers(
        acme.id(),
        &commit_id("unknown")?,
        None,
        "an unknown key gives records",
    )?;
    let likely = "keys are not looked up by account and id, so another account's records are given";
    kept.remembers(other.id(), three.key(), None, likely)
}

/// After any version, kept or not: the records beyond it, and which version is the last.
pub(crate) fn records_after_any_version<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    kept.adds(&mut acme, "one", &[store("one")?])?;
    kept.adds(&mut acme, "several", &stores("several", 3)?)?;
    for version in (0..=acme.version() + 2).chain(EDGES) {
        expect_page(&kept, &acme, version)?;
    }
    Ok(())
}

/// Several thousand records, read page by page: every one once, in order. No page is empty before the end, and each
/// says which version is the last one kept, not the last one in it.
pub(crate) fn pages_give_every_record_once<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    for commit in ["a", "b", "c", "d"] {
        kept.adds(&mut acme, commit, &stores(commit, 1_000)?)?;
    }
    let mut version = 0;
    while version < acme.version() {
        version = expect_page(&kept, &acme, version)?;
    }
    expect_page(&kept, &acme, version)?;
    Ok(())
}

/// Expects a good page after this version, and gives the version of its last record.
fn expect_page<R: Repository>(
    kept: &Connection<R>,
    history: &History,
    version: u64,
) -> Result<u64, Failure> {
    let id: &AccountId = history.id();
    let (records, head) = kept.page(id, version)?;
    let asked = asked_for_tail(id, version);
    let expected = history.after(version);
    if records.is_empty() && !expected.is_empty() {
        let likely = "a page must have a record where there is one, or nobody can read on; u64 or u32 may be cut";
        return Err(Failure::new(asked, "at least one record", "none", likely));
    }
    let likely =
        "records are skipped or given twice: `version > ?`, ordered by version, and then the limit";
    let expected = expected.get(..records.len()).unwrap_or(expected);
    Failure::unless_same_records(&asked, expected, &records, likely)?;
    let likely = "the head is the one that the last commit set, whatever was asked for and however much of the account \
                  is in this page; readers stop there";
    let asked = format!("{asked}: `head`");
    Failure::unless_equal(asked, &Some(history.head()), &head, likely)?;
    Ok(records.last().map_or(version, Record::version))
}

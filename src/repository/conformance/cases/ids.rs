//! Ids, which are any text and compared byte by byte.

use crate::repository::conformance::harness::{Connection, History, store};
use crate::repository::conformance::{Failure, Fixture};

/// What may be text to a host and something else to a database, a path, an address or a pattern.
const ANY_TEXT: [&str; 18] = [
    "'",
    "\"",
    "`",
    "a'; drop table records; --",
    "\\",
    "a\\' or 1=1",
    ".",
    "..",
    "../../etc/passwd",
    "/",
    "C:\\con",
    "%s %1$s {0} {} $1 :a ?1 @a",
    "null",
    "NaN",
    "[\"a\",{\"b\":1}]",
    "two  words",
    "\u{202e}\u{5d0}\u{5d1}",
    "\u{1f469}\u{200d}\u{1f680}",
];

/// Ids that are different, and that collations, columns, patterns and paths take for the same.
const LOOK_ALIKES: [&str; 26] = [
    "acme",
    "Acme",
    "ACME",
    "\u{ff41}cme",
    "ac\u{200b}me",
    "\u{430}cme",
    "caf\u{e9}",
    "cafe\u{301}",
    "cafe",
    "caf?",
    "acme.",
    "acme,",
    "acme-",
    "acme_",
    "acme/",
    "acme\\",
    "acm_",
    "acm%",
    "%",
    "stra\u{df}e",
    "strasse",
    "7",
    "007",
    "7.0",
    "acme team",
    "acme  team",
];

/// Those, and two of 128 bytes that differ in the last.
fn look_alikes() -> impl Iterator<Item = String> {
    let long = ["x", "y"].map(|end| "a".repeat(127) + end);
    LOOK_ALIKES.into_iter().map(str::to_owned).chain(long)
}

/// An id is any text of up to 128 bytes, of accounts, of members and of commits.
pub(crate) fn ids_of_any_text_are_kept<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let (long, four_bytes) = ("a".repeat(128), "\u{1f600}".repeat(32));
    for id in ANY_TEXT.into_iter().chain([&*long, &*four_bytes]) {
        let (account, opening) = History::open_by(id, id, id)?;
        kept.keeps(&opening)?;
        let likely = "an id is spliced into a statement, a pattern or a path, or cut";
        kept.holds(&account, likely)?;
        kept.remembers(account.id(), opening.key(), Some(opening.request()), likely)?;
    }
    Ok(())
}

/// Account ids are equal byte by byte, or not at all: else an account is served to another's members
/// ([A4](crate::docs::rules#A4)).
pub(crate) fn ids_that_look_alike_stay_apart<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut accounts = Vec::new();
    for id in look_alikes() {
        let (account, opening) = History::open_by(&id, "open", &id)?;
        kept.keeps(&opening)?;
        accounts.push(account);
    }
    for account in &accounts {
        let likely = "account ids are compared by a collation, as a pattern, as numbers, or by their beginning; \
                      compare bytes";
        kept.holds(account, likely)?;
    }
    Ok(())
}

/// Keys are equal byte by byte, or not at all: else a request is taken for the repetition of another one.
pub(crate) fn keys_that_look_alike_stay_apart<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let mut commits = Vec::new();
    for id in look_alikes() {
        commits.push(kept.adds(&mut acme, &id, &[store(&id)?])?);
    }
    for commit in &commits {
        let likely = "keys are compared by a collation, as a pattern, as numbers, or by their beginning; compare \
                      bytes";
        kept.remembers(acme.id(), commit.key(), Some(commit.request()), likely)?;
    }
    Ok(())
}

/// Accounts with the same versions and the same keys have nothing to do with each other, also where the id of one
/// is the beginning of another's ([A4](crate::docs::rules#A4)).
pub(crate) fn accounts_are_kept_apart<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut accounts = Vec::new();
    for id in ["acme", "acme1", "acme/1", "acme:1", "acm"] {
        let mut account = kept.opens(id)?;
        let commit = account.propose("snapshot", &[store(&format!("of-{id}"))?])?;
        let commit = account.with_snapshot(commit)?;
        kept.keeps(&commit)?;
        account.accept(&commit)?;
        let snapshot = account.account().snapshot();
        let commit = kept.adds(&mut account, "same-id", &[store(&format!("for-{id}"))?])?;
        accounts.push((account, commit, snapshot));
    }
    for (account, commit, expected) in &mut accounts {
        let likely = "records are not looked up by exactly their account (no condition on it, or a scan by the \
                      beginning of its id)";
        kept.holds(account, likely)?;
        kept.remembers(account.id(), commit.key(), Some(commit.request()), likely)?;
        if let Some(snapshot) = kept.snapshot(account.id())? {
            let (asked, likely) = (
                "snapshot, where several accounts have one",
                "snapshots are not looked up by their account",
            );
            Failure::unless_equal(asked, expected, &snapshot, likely)?;
        }
        kept.adds(account, "more", &[store("more")?])?;
    }
    for (account, _, _) in &accounts {
        kept.holds(account, "a commit of one account changed another")?;
    }
    Ok(())
}

//! Any bytes as what somebody does to the records of a story.

use grantbook::event::InvitationAccepted;
use grantbook::*;

use super::snapshots::same_snapshot;
use super::story::{LINE, Story};
use super::tampering::tampered;
use super::{answers_are_right, digest_after, follows, keeps_the_rules, no_digest};
use crate::model::laws;

/// Any bytes as a story, and as what somebody does to its records where they are stored. They are replayed as far as
/// nobody touched them; from there on each record is refused, or leads to an account that keeps every rule.
///
/// The first byte says how many lines of changes come (its low three bits), and whether versions and times are fixed
/// afterwards (its top bit); then come the changes, eight bytes each; then the story.
pub(crate) fn replays(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let (lines, told) = rest.split_at(rest.len().min(usize::from(first & 7) * LINE));
    let Story { beginning, steps } = Story::read(told);
    let mut account = beginning.account.clone();
    let mut records = beginning.records.clone();
    for step in &steps {
        let outcome = account.execute_batch(&step.actor, &step.commands, step.now);
        records.extend(outcome.unwrap_or_default());
    }
    let base = beginning.records.is_empty().then_some(beginning.account);
    let before = base.as_ref().map_or_else(no_digest, |base| *base.digest());
    let (changed, untouched) = tampered(&records, lines, *first >= 128, &before);
    if untouched > 0 {
        // The same account as far as nothing was touched.
        let (one, other) = (&records[..untouched], &changed[..untouched]);
        assert_eq!(replay(base.clone(), one), replay(base.clone(), other));
    }
    if untouched == records.len() {
        assert_eq!(replay(base.clone(), &records).as_ref(), Ok(&account), "U2");
    }
    replayed(base, &changed);
}

fn replay(base: Option<Account>, records: &[Record]) -> Result<Account, ReplayError> {
    match base {
        None => Account::replay(records),
        Some(mut account) => {
            records
                .iter()
                .try_for_each(|record| account.apply(record))?;
            Ok(account)
        }
    }
}

/// Replays records that anybody may have written, and goes on after those that are refused.
pub(super) fn replayed(base: Option<Account>, records: &[Record]) {
    let whole = replay(base.clone(), records);
    let mut account = base;
    let mut refused = None;
    for record in records {
        let before = account.clone();
        let applied = match &mut account {
            Some(account) => account.apply(record),
            None => Account::replay([record]).map(|opened| account = Some(opened)),
        };
        let barred = barred(before.as_ref(), record);
        if let Err(error) = applied {
            assert_eq!(account, before, "U5: a refused record changes nothing");
            match barred {
                Some(code) => assert_eq!(error.code(), code),
                None => assert!(["does-not-fit", "redundant"].contains(&error.code())),
            }
            assert!(error.to_string().len() < 900, "{error}");
            refused.get_or_insert(error);
        } else {
            assert_eq!(barred, None, "{record:?}");
            let account = account.as_ref().expect("it was applied");
            keeps_the_rules(account);
            if let Some(before) = before {
                follows(&before, account, record, laws::of_effect);
            }
        }
    }
    if let Some(account) = &account {
        answers_are_right(account);
        same_snapshot(account);
    }
    match (whole, refused, account) {
        (Ok(whole), None, Some(account)) => assert_eq!(whole, account, "U2"),
        (Err(error), Some(refused), _) => assert_eq!(error, refused, "U5"),
        (Err(ReplayError::NoRecords), None, None) => {}
        (whole, refused, _) => panic!("{whole:?}, and one at a time {refused:?}"),
    }
}

/// Why a record cannot be next, whatever it says happened: the first reason of A4, U2, A1, U5.
fn barred(account: Option<&Account>, record: &Record) -> Option<&'static str> {
    let digest = account.map_or_else(no_digest, |account| *account.digest());
    let place = record.commit();
    let last = account.map(|account| serde_json::to_value(account.snapshot()).expect("a snapshot"));
    let follows = match last.map(|last| last["commit"].clone()) {
        Some(last) if last["number"] != last["of"] => {
            last == serde_json::json!({"number": place.number() - 1, "of": place.of()})
        }
        Some(_) | None => place.number() == 1,
    };
    let version = account.map_or(0, Account::version);
    let is_opening = matches!(record.event(), Event::AccountOpened(_));
    let by_itself = match record.event() {
        Event::AccountOpened(_) | Event::MembersAdded(_) => *record.actor() == Actor::System,
        Event::InvitationAccepted(InvitationAccepted { member }) => {
            matches!(record.actor(), Actor::Member(actor) if actor == member)
        }
        _ => true,
    };
    [
        (
            account.is_some_and(|account| account.id() != record.account()),
            "wrong-account",
        ),
        (record.version() <= version, "repeat"),
        (record.version().saturating_sub(1) > version, "gap"),
        (
            digest_after(record, &digest) != *record.digest(),
            "digest-mismatch",
        ),
        (
            account.is_some_and(|account| account.changed_at() > record.at()),
            "time-runs-backwards",
        ),
        (!follows, "commit-place"),
        (is_opening != account.is_none(), "opening"),
        (!by_itself, "wrong-actor"),
    ]
    .into_iter()
    .find_map(|(is_so, code)| is_so.then_some(code))
}

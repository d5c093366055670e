//! Hostile input: what must hold of any bytes whatever. Plain functions, which the fuzz targets (`fuzz/`) and the
//! ordinary tests (`corpus.rs`) share; each panics where the crate does not keep its word.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use grantbook::{Account, Permission, PlannedChange, Record};

mod commands;
mod replays;
mod sealing;
mod snapshots;
mod stored;
mod story;
mod tampering;
mod text;

use crate::model::laws::{self, Change, Deed};
use crate::model::{Asked, Checked, agree, read};
pub(crate) use commands::commands;
pub(crate) use replays::replays;
pub(crate) use sealing::{digest_after, no_digest, sealed};
pub(crate) use stored::stored;
pub(crate) use text::text;

/// Whatever was looked at, found to be as it should.
fn kept<T>(checked: Checked<T>) -> T {
    checked.unwrap_or_else(|flaw| panic!("{flaw}"))
}

/// What is true of every account at every moment.
fn keeps_the_rules(account: &Account) {
    kept(read(account).and_then(|state| laws::of_state(&state)));
    assert!(
        account.index_is_exact(),
        "the index is not what a new one would be"
    );
}

/// What the account answers about its members is what their groups say (P1 to P5).
fn answers_are_right(account: &Account) {
    let roles = account.roles();
    let held: BTreeSet<&Permission> = roles.flat_map(|(_, role)| role.permissions()).collect();
    let asked = Asked {
        members: account
            .members()
            .map(|member| member.id().to_string())
            .collect(),
        stores: account.stores().map(ToString::to_string).collect(),
        permissions: held.into_iter().cloned().collect(),
    };
    kept(read(account).and_then(|state| agree(account, &state, &asked)));
}

/// What a preview shows of these records.
pub(crate) fn planned(records: &[Record]) -> Vec<PlannedChange> {
    let change = |record: &Record| PlannedChange {
        version: record.version(),
        event: record.event().clone(),
    };
    records.iter().map(change).collect()
}

/// The record is the next one (A4, U2), and what it tells is what changed.
fn follows(before: &Account, after: &Account, record: &Record, laws: fn(&Change<'_>) -> Checked) {
    assert_eq!(record.version(), after.version(), "U2");
    assert_eq!(record.account(), after.id(), "A4");
    assert_eq!(record.at(), after.changed_at(), "U2");
    kept(laws(&Change {
        before: &kept(read(before)),
        after: &kept(read(after)),
        actor: record.actor(),
        deed: Deed::of_event(record.event()),
    }));
}

/// Whether the table of refusals in `docs/rules.md` has this code.
fn is_refusal_code(code: &str) -> bool {
    static CODES: OnceLock<BTreeSet<&str>> = OnceLock::new();
    let codes = CODES.get_or_init(|| {
        let rules = include_str!("../../../docs/rules.md");
        let (_, table) = rules.split_once("## Refusals").expect("a table");
        let (table, _) = table.split_once("## ").expect("what comes after it");
        table.split('`').skip(1).step_by(2).collect()
    });
    codes.contains(code)
}

//! Any bytes as a story of commands.

use std::collections::BTreeSet;

use grantbook::command::EditGroup;
use grantbook::*;

use super::snapshots::same_snapshot;
use super::story::{Step, Story};
use super::{answers_are_right, follows, is_refusal_code, keeps_the_rules, kept, planned};
use crate::model::{Model, State, decides_alike, grants_of, laws, read, reads_as};

/// What a story came to: for the test that says that the stories of the corpus reach everything.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    pub(crate) accepted: BTreeSet<&'static str>,
    pub(crate) refused: BTreeSet<&'static str>,
    pub(crate) accepted_steps: usize,
    pub(crate) refused_steps: usize,
    pub(crate) unchanged_steps: usize,
}

/// Any bytes as a story of commands: every rule is kept after each step, whoever asked for what.
pub(crate) fn commands(data: &[u8]) -> Reached {
    let Story { beginning, steps } = Story::read(data);
    let mut reached = Reached::default();
    let mut account = beginning.account.clone();
    let mut records = beginning.records.clone();
    let mut model = kept(read(&account));
    for step in &steps {
        match asked(&mut account, &mut model, step) {
            Err(refusal) => {
                reached.refused.insert(refusal.code());
                reached.refused_steps += 1;
            }
            Ok(more) => {
                reached
                    .accepted
                    .extend(more.iter().map(|record| record.event().kind()));
                reached.accepted_steps += usize::from(!more.is_empty());
                reached.unchanged_steps += usize::from(more.is_empty());
                records.extend(more);
            }
        }
    }
    keeps_the_rules(&account);
    answers_are_right(&account);
    same_snapshot(&account);
    // Questions that are not asked above give some answer.
    let now = account.changed_at();
    drop((account.review(now), account.matrix()));
    // U1, S3: to give a group what it has is to change nothing.
    for group in account.groups() {
        let same = Command::EditGroup(EditGroup {
            group: group.id().clone(),
            name: Some(group.name().clone()),
            description: Some(group.description().clone()),
            grants: Some(grants_of(&group)),
        });
        let decided = account.decide(&Actor::System, &same, now);
        let nothing = if account.is_closed() {
            Err(CommandError::AccountClosed)
        } else {
            Ok(None)
        };
        assert_eq!(decided, nothing, "U1, S3");
    }
    let mut again = beginning.account;
    if !beginning.records.is_empty() {
        again = Account::replay(&records[..1]).expect("U2");
        records.remove(0);
    }
    for record in through_json(&records) {
        assert_eq!(record.version(), again.version() + 1, "U2");
        again.apply(&record).expect("U2");
    }
    assert_eq!(again, account, "U2");
    reached
}

fn through_json(records: &[Record]) -> Vec<Record> {
    let json = serde_json::to_string(records).expect("records are written");
    let read: Vec<Record> = serde_json::from_str(&json).expect("records are read");
    assert_eq!(read, records);
    read
}

/// Asks, and holds the answer against every rule about answers.
fn asked(
    account: &mut Account,
    model: &mut State,
    step: &Step,
) -> Result<Vec<Record>, CommandError> {
    let Step {
        actor,
        commands,
        now,
    } = step;
    let before = account.clone();
    let preview = before.preview(actor, commands, *now);
    let outcome = match commands.as_slice() {
        [command] => account.execute(actor, command, *now).map(Vec::from_iter),
        _ => account.execute_batch(actor, commands, *now),
    };
    match (preview, &outcome) {
        (Ok(preview), Ok(records)) => {
            assert_eq!(
                preview.changes,
                planned(records),
                "what is previewed is what is done"
            );
            let delta = AccessDelta::between(&before, account);
            assert_eq!(preview.delta, delta, "what is previewed is what changes");
        }
        (Err(previewed), Err(refusal)) => assert_eq!(previewed, *refusal),
        (preview, _) => panic!("{preview:?} is previewed, {outcome:?} is done"),
    }
    let verdict = Model::default().execute(model, actor, commands, now.as_millis());
    kept(decides_alike(&outcome, commands, &verdict));
    kept(reads_as(account, model));
    match &outcome {
        Err(refusal) => {
            assert_eq!(*account, before, "U3");
            assert!(account.index_is_exact(), "U3");
            assert!(is_refusal_code(refusal.code()), "{}", refusal.code());
            assert!(refusal.to_string().len() < 700, "{refusal}");
        }
        Ok(records) => {
            let mut after = before.clone();
            for record in records {
                let last = after.clone();
                after.apply(record).expect("U2");
                follows(&last, &after, record, laws::of_change);
                assert_eq!(record.actor(), actor);
                assert_eq!(record.at(), last.changed_at().max(*now), "U2");
            }
            assert_eq!(after, *account, "U2");
            keeps_the_rules(account);
        }
    }
    if commands.len() > 1 && commands.len() <= MAX_BATCH {
        let done = outcome.as_ref().map(|records| planned(records));
        let alone = one_by_one(before, step);
        assert_eq!(done, alone.as_ref().map(|records| planned(records)), "U4");
    }
    outcome
}

/// U4: a batch, one command at a time.
fn one_by_one(mut account: Account, step: &Step) -> Result<Vec<Record>, CommandError> {
    let mut records = Vec::new();
    for (index, command) in step.commands.iter().enumerate() {
        match account.execute(&step.actor, command, step.now) {
            Ok(record) => records.extend(record),
            Err(refusal) => {
                let refusal = Box::new(refusal);
                return Err(CommandError::InBatch {
                    index,
                    error: refusal,
                });
            }
        }
    }
    Ok(records)
}

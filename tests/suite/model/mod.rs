//! The rules as a program: `docs/rules.md` and the decisions of `docs/design.md`, restated over plain lists of plain
//! text. It was written from those pages and not from the crate, with which it shares nothing but the command that goes
//! in. Nothing here is indexed, cached or thought ahead: a change is made on a copy of everything, and what a member
//! may do is added up from the groups each time it is asked.
//!
//! | file | |
//! |---|---|
//! | `state.rs` | what an account holds, and what follows for its members |
//! | `actions.rs` | command by command: what it takes, what it names, what it conflicts with, what it does |
//! | `decision.rs` | which command is refused for what, in the order of U3 |
//! | `laws.rs` | what is true of every account, every change and every refusal, rule by rule |
//! | `reading.rs` | an account of the crate, read as a state of the model |
//! | `answers.rs` | whether an account of the crate answers as its state says |
//!
//! The oracle (`differential`), the small world, the random histories and the hostile streams share it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use grantbook::{Actor, Command};

mod actions;
mod answers;
mod decision;
pub(crate) mod laws;
mod reading;
mod state;

pub(crate) use actions::{event_of, is_ownership_name};
pub(crate) use answers::{Asked, agree, decides_alike, lists_agree};
pub(crate) use decision::FORBIDDEN;
pub(crate) use reading::{grants_of, read, reads_as};
pub(crate) use state::{Grants, Group, Role, Set, State, Status, built_in_roles};

const MAX_ITEMS_PER_COMMAND: usize = 10_000;
const MAX_BATCH: usize = 1_000;

/// A rule that can be taken out of the model, to show that its absence is noticed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rule {
    /// The last active owner can go.
    A2,
    /// A group manager can add itself to a group.
    E1,
    /// A change to a group's grants is not held against what the actor had.
    E2,
    /// Nothing is held against what the actor had.
    E4,
    /// Whoever leaves the account stays in its groups.
    M5,
    /// A suspended member counts as active.
    M8,
    /// A closed account counts as open.
    P4,
    /// A deleted store stays in the scopes.
    S3,
}

/// Every reason that stands at the first step of U3 where one stands; U3 does not order the reasons of one step.
pub(crate) type Reasons = BTreeSet<&'static str>;

/// What comes of some commands: for each whether it changed something, or which was refused, and why.
pub(crate) type Verdict = Result<Vec<bool>, (Option<usize>, Reasons)>;

/// All the rules, or all but one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Model {
    missing: Option<Rule>,
}

impl Model {
    pub(crate) fn without(rule: Rule) -> Self {
        Self {
            missing: Some(rule),
        }
    }

    fn has(self, rule: Rule) -> bool {
        self.missing != Some(rule)
    }

    /// A state as it counts, which is as it is where no rule is missing.
    pub(crate) fn seen(self, state: &State) -> Cow<'_, State> {
        let mut seen = Cow::Borrowed(state);
        if !self.has(Rule::M8) {
            for status in seen.to_mut().members.values_mut() {
                if let Status::Suspended { owner } = *status {
                    *status = Status::Active { owner };
                }
            }
        }
        if !self.has(Rule::P4) {
            seen.to_mut().is_closed = false;
        }
        seen
    }

    /// U4: all or none, each on what those before it leave (Decision 12). The index is given where there are several.
    pub(crate) fn execute(
        self,
        state: &mut State,
        actor: &Actor,
        commands: &[Command],
        now: u64,
    ) -> Verdict {
        let index = |index| (commands.len() > 1).then_some(index);
        if commands.len() > MAX_BATCH {
            // U7: whoever may not issue the first of them is told that and not the count; both are about the whole.
            let unauthorized = state.entitlement(actor).lacks(&commands[0]);
            let reason = unauthorized.unwrap_or("batch-too-large");
            return Err((None, [reason].into()));
        }
        let mut after = state.clone();
        let mut changed = Vec::new();
        for (number, command) in commands.iter().enumerate() {
            let next = self.decide(&after, actor, command, now);
            let next = next.map_err(|reasons| (index(number), reasons))?;
            changed.push(next.is_some());
            after = next.unwrap_or(after);
        }
        *state = after;
        Ok(changed)
    }
}

/// A rule that something does not keep.
#[derive(Debug)]
pub(crate) struct Flaw {
    /// The rule's number.
    pub(crate) rule: &'static str,
    /// What was seen.
    pub(crate) what: String,
}

impl Flaw {
    pub(crate) fn new(rule: &'static str, what: impl fmt::Display) -> Self {
        let what = what.to_string();
        Self { rule, what }
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} does not hold: {}", self.rule, self.what)
    }
}

/// What a look at something comes to.
pub(crate) type Checked<T = ()> = Result<T, Flaw>;

pub(crate) fn law(rule: &'static str, holds: bool, what: impl FnOnce() -> String) -> Checked {
    if holds {
        return Ok(());
    }
    Err(Flaw { rule, what: what() })
}

/// That two things are the same.
pub(crate) fn same<T: PartialEq + fmt::Debug>(
    rule: &'static str,
    what: impl fmt::Debug,
    is: T,
    should_be: T,
) -> Checked {
    law(rule, is == should_be, || {
        format!("{what:?}\n  is:        {is:?}\n  should be: {should_be:?}")
    })
}

//! The way through: breadth first, on several threads.

use std::collections::HashSet;
use std::fmt;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use grantbook::*;

use super::content::Content;
use super::laws::{Before, answers, check_lists, check_state};
use super::{Figures, Flaw, PERMISSIONS, Violation, World, parsed, start, written};

/// How a state was first reached: from which one, by which of the world's steps.
#[derive(Clone, Copy)]
struct Reached {
    from: u32,
    step: u32,
}

/// Who asks for what, when.
pub(super) struct Step {
    pub(super) actor: Actor,
    pub(super) command: Command,
    pub(super) at: Timestamp,
}

struct Explorer<'w, V> {
    world: &'w World,
    steps: Vec<Step>,
    asked: Vec<Permission>,
    visit: V,
    known: HashSet<u64>,
    /// The states in the order in which they were found.
    reached: Vec<Reached>,
}

/// Goes to the end of a world. Each state is visited once, on one of several threads; the figures and the reported
/// violation do not depend on how many there are.
pub(crate) fn explore(
    world: &World,
    visit: impl Fn(&Account) + Sync,
) -> Result<Figures, Violation> {
    let mut explorer = Explorer {
        world,
        steps: world.steps(),
        asked: PERMISSIONS
            .iter()
            .map(|text| parsed(text, Permission::parse))
            .collect(),
        visit,
        known: HashSet::new(),
        reached: Vec::new(),
    };
    explorer.run()
}

/// What comes of looking at a part of the states of one depth.
#[derive(Default)]
struct Found {
    decisions: u64,
    changes: u64,
    /// States not known before this depth, and how they were reached.
    new: Vec<(u64, Reached)>,
    /// Which step of which state broke a law.
    flaw: Option<(Flaw, u32, Option<u32>)>,
}

impl<V: Fn(&Account) + Sync> Explorer<'_, V> {
    fn run(&mut self) -> Result<Figures, Violation> {
        let mut figures = Figures::default();
        let start = Content::of(&start(), self.world).expect("the first state is of this world");
        self.known.insert(start.packed());
        self.reached.push(Reached { from: 0, step: 0 });
        let mut newest = 0..self.count();
        loop {
            let found = self.look_at_all(newest.clone());
            if let Some(violation) = self.shortest(&found) {
                return Err(violation);
            }
            for found in found {
                figures.decisions += found.decisions;
                figures.changes += found.changes;
                for (packed, reached) in found.new {
                    if self.known.insert(packed) {
                        self.reached.push(reached);
                    }
                }
            }
            newest = newest.end..self.count();
            if newest.is_empty() {
                figures.states = self.reached.len();
                return Ok(figures);
            }
            figures.depth += 1;
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.reached.len()).expect("fewer than 4,294,967,296 states")
    }

    /// Small parts of these states, handed out in turn; what was found in each, in their order.
    fn look_at_all(&self, states: Range<u32>) -> Vec<Found> {
        let starts = states.clone().step_by(64);
        let parts: Vec<_> = starts
            .map(|start| start..states.end.min(start + 64))
            .collect();
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(number) else {
                    return found;
                };
                found.push((number, self.look_at(part.clone())));
            }
        };
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let mut found: Vec<_> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let found = workers.into_iter().map(thread::ScopedJoinHandle::join);
            found
                .flat_map(|found| found.expect("no worker panics"))
                .collect()
        });
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, found)| found).collect()
    }

    /// The violation that takes the fewest steps, if there is one.
    fn shortest(&self, found: &[Found]) -> Option<Violation> {
        let flaws = found.iter().filter_map(|found| found.flaw.as_ref());
        let violations = flaws.map(|((rule, what), state, step)| Violation {
            rule,
            what: what.clone(),
            steps: self
                .way_to(*state)
                .into_iter()
                .chain(*step)
                .map(|step| self.steps[step as usize].to_string())
                .collect(),
        });
        violations.min_by_key(|violation| violation.steps.len())
    }

    /// The steps that lead to a state.
    fn way_to(&self, mut state: u32) -> Vec<u32> {
        let mut steps = Vec::new();
        while state != 0 {
            let Reached { from, step } = self.reached[state as usize];
            steps.push(step);
            state = from;
        }
        steps.reverse();
        steps
    }

    /// The account of a state, by the very commands that led there.
    fn account(&self, state: u32) -> Account {
        let mut account = start();
        for step in self.way_to(state) {
            let Step { actor, command, at } = &self.steps[step as usize];
            account
                .execute(actor, command, *at)
                .expect("accepted before");
        }
        account
    }

    fn look_at(&self, states: Range<u32>) -> Found {
        let mut found = Found::default();
        // First all states, since what is wrong with one of them shows sooner than what is wrong with a step.
        let mut seen = Vec::new();
        for state in states {
            let account = self.account(state);
            (self.visit)(&account);
            let before = self.seen(&account).and_then(|(content, answers)| {
                check_state(&account, &self.asked)?;
                let world = self.world;
                Ok(Before {
                    world,
                    content,
                    answers,
                })
            });
            match before {
                Ok(before) => seen.push((state, account, before)),
                Err(flaw) => {
                    found.flaw = Some((flaw, state, None));
                    return found;
                }
            }
        }
        for (state, account, before) in seen {
            for (number, step) in (0..).zip(&self.steps) {
                found.decisions += 1;
                match self.take(&account, &before, step) {
                    Ok(None) => {}
                    Ok(Some(packed)) => {
                        found.changes += 1;
                        if !self.known.contains(&packed) {
                            found.new.push((
                                packed,
                                Reached {
                                    from: state,
                                    step: number,
                                },
                            ));
                        }
                    }
                    Err(flaw) => {
                        found.flaw = Some((flaw, state, Some(number)));
                        return found;
                    }
                }
            }
        }
        found
    }

    /// What an account holds and answers, with the laws of every account looked at that cost little.
    fn seen(&self, account: &Account) -> Result<(Content, u64), Flaw> {
        let content = Content::of(account, self.world)?;
        check_lists(account, &content)?;
        let answers = answers(account, &content, self.world, &self.asked)?;
        Ok((content, answers))
    }

    /// Decides one command, and applies what comes of it; the content after it, if that changed.
    fn take(
        &self,
        account: &Account,
        before: &Before<'_>,
        step: &Step,
    ) -> Result<Option<u64>, Flaw> {
        let Step { actor, command, at } = step;
        match account.decide(actor, command, *at) {
            Err(refusal) => before
                .check_refusal(actor, command, &refusal)
                .map(|()| None),
            Ok(None) => before.check_accepted(actor, command, None).map(|()| None),
            Ok(Some(record)) => {
                let mut after = account.clone();
                after
                    .apply(&record)
                    .map_err(|error| ("U2", format!("its own record: {error}")))?;
                let (content, answers) = self.seen(&after)?;
                before.check_accepted(actor, command, Some((&content, answers)))?;
                Ok(Some(content.packed()))
            }
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} asks, at {}: {}",
            self.actor,
            self.at.as_millis(),
            written(&self.command)
        )
    }
}

//! The way through: breadth first, on several threads.

use std::collections::HashMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use grantbook::*;

use super::subject::{Answer, Questions};
use super::{Figures, Subject, Violation, World, written};
use crate::model::laws::{self, Change, Deed};
use crate::model::{Checked, Flaw, State, same};

/// How a state was first reached: from which one, by which of the world's steps.
#[derive(Clone, Copy)]
struct Reached {
    from: u32,
    step: u32,
}

/// Who asks for what, when.
pub(super) struct Step {
    /// Which of the world's actors.
    pub(super) actor: usize,
    pub(super) command: Command,
    pub(super) at: Timestamp,
}

/// A state by its packed content, with its answers.
#[derive(Clone, Copy)]
struct Known {
    packed: u64,
    answers: u64,
}

struct Explorer<'w, S, V> {
    subject: &'w S,
    world: &'w World,
    actors: Vec<Actor>,
    steps: Vec<Step>,
    questions: Questions,
    visit: V,
    /// The answers in each state, by its packed content.
    known: HashMap<u64, u64>,
    /// The states in the order in which they were found.
    reached: Vec<Reached>,
}

/// Goes to the end of a world. Each state is visited once, on one of several threads; the figures and the reported
/// violation do not depend on how many there are.
pub(crate) fn explore<S: Subject>(
    subject: &S,
    world: &World,
    visit: impl Fn(&S::State) + Sync,
) -> Result<Figures, Violation> {
    let mut explorer = Explorer {
        subject,
        world,
        actors: world.actors(),
        steps: world.steps(),
        questions: Questions::of(world),
        visit,
        known: HashMap::new(),
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
    new: Vec<(Known, Reached)>,
    /// Which step of which state broke a law.
    flaw: Option<(Flaw, u32, Option<u32>)>,
}

impl<S: Subject, V: Fn(&S::State) + Sync> Explorer<'_, S, V> {
    fn run(&mut self) -> Result<Figures, Violation> {
        let mut figures = Figures::default();
        let start = self.looked_at(&self.subject.start());
        let (_, start) = start.expect("the first state is of this world");
        self.known.insert(start.packed, start.answers);
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
                for (state, reached) in found.new {
                    if self.known.insert(state.packed, state.answers).is_none() {
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
        let violations = flaws.map(|(flaw, state, step)| Violation {
            flaw: Flaw {
                rule: flaw.rule,
                what: flaw.what.clone(),
            },
            steps: self
                .way_to(*state)
                .into_iter()
                .chain(*step)
                .map(|step| self.told(&self.steps[step as usize]))
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

    fn told(&self, step: &Step) -> String {
        let (at, command) = (step.at.as_millis(), written(&step.command));
        format!("{} asks, at {at}: {command}", self.actors[step.actor])
    }

    fn answer(&self, state: &S::State, step: &Step) -> Checked<Answer<S::State>> {
        let actor = &self.actors[step.actor];
        self.subject.answer(state, actor, &step.command, step.at)
    }

    /// A state, by the very commands that led there.
    fn state(&self, number: u32) -> S::State {
        let mut state = self.subject.start();
        for step in self.way_to(number) {
            match self.answer(&state, &self.steps[step as usize]) {
                Ok(Answer::Changed(after)) => state = after,
                _ => panic!("accepted before"),
            }
        }
        state
    }

    fn look_at(&self, states: Range<u32>) -> Found {
        let mut found = Found::default();
        // First all states, since what is wrong with one of them shows sooner than what is wrong with a step.
        let mut seen = Vec::new();
        for number in states {
            let state = self.state(number);
            (self.visit)(&state);
            let read = self.looked_at(&state).and_then(|(read, _)| {
                laws::of_state(&read)?;
                self.subject.check(&state, &read)?;
                Ok(read)
            });
            match read {
                Ok(read) => seen.push((number, state, read)),
                Err(flaw) => {
                    found.flaw = Some((flaw, number, None));
                    return found;
                }
            }
        }
        for (from, state, read) in &seen {
            let entitled = self.actors.iter().map(|actor| read.entitlement(actor));
            let entitled: Vec<_> = entitled.collect();
            for (number, step) in (0..).zip(&self.steps) {
                found.decisions += 1;
                let lacks = entitled[step.actor].lacks(&step.command);
                match self.take(state, read, step, lacks) {
                    Ok(None) => {}
                    Ok(Some(after)) => {
                        found.changes += 1;
                        if !self.known.contains_key(&after.packed) {
                            let reached = Reached {
                                from: *from,
                                step: number,
                            };
                            found.new.push((after, reached));
                        }
                    }
                    Err(flaw) => {
                        found.flaw = Some((flaw, *from, Some(number)));
                        return found;
                    }
                }
            }
        }
        found
    }

    /// What a state holds, found to answer as it should (P1).
    fn looked_at(&self, state: &S::State) -> Checked<(State, Known)> {
        let read = self.subject.read(state)?;
        let packed = self.world.packed(&read)?;
        // What a state answers follows from what it holds, which need not be added up again each time.
        let should_be = match self.known.get(&packed) {
            Some(answers) => *answers,
            None => self.questions.answers_of(&read),
        };
        let answers = self.subject.answers(state, &self.questions);
        for (member, may_something) in self.questions.each_member(answers) {
            laws::of_answers(&read, member, may_something)?;
        }
        if answers != should_be {
            self.subject.check(state, &read)?; // Which says more.
            same("P1", &read, answers, should_be)?;
        }
        Ok((read, Known { packed, answers }))
    }

    /// Decides one command, and looks at what comes of it, if that changed anything.
    fn take(
        &self,
        state: &S::State,
        before: &State,
        step: &Step,
        lacks: Option<&'static str>,
    ) -> Checked<Option<Known>> {
        let refused_with = |code| laws::u3_who_may_not_ask_is_told_that(lacks, code);
        match self.answer(state, step)? {
            Answer::Refused(code) => refused_with(Some(code)).map(|()| None),
            Answer::Unchanged => refused_with(None).map(|()| None),
            Answer::Changed(after) => {
                refused_with(None)?;
                let (read, known) = self.looked_at(&after)?;
                let change = Change {
                    before,
                    after: &read,
                    actor: &self.actors[step.actor],
                    deed: Deed::of_command(&self.actors[step.actor], &step.command, before),
                };
                laws::of_change(&change)?;
                Ok(Some(known))
            }
        }
    }
}

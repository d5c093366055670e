//! The same population in each engine, to measure them side by side.
//!
//! [`Plain`] is what a service has read from its database: data in memory, of no engine. Each [`Peer`] is loaded from
//! it. A [`Contestant`] is a peer behind one face for all, so that they can be measured in turn; [`contestants`] are
//! all of them. `benches/speed.rs` is the program, and [`agree`] is what must hold before it measures anything.

use std::error::Error;
use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use grantbook::{Account, GroupId, MemberId, Permission, Resource, Snapshot};

use crate::population::{Batch, PERMISSIONS, Question, Size};
use crate::{Engine, EngineError, Facts};

pub mod by_hand;
pub mod casbin;
pub mod cedar;
pub mod gatehouse;
pub mod grantbook_itself;
pub mod zanzibar;

/// A population as plain data, of no engine.
pub struct Plain {
    /// What grantbook loads.
    pub snapshot: Snapshot,
    /// What the others load.
    pub facts: Facts,
}

impl Plain {
    /// A population of this size.
    ///
    /// # Errors
    /// Grantbook refuses it.
    pub fn of(size: Size) -> Result<Self, EngineError> {
        let (account, _) = size.account().map_err(|error| error.to_string())?;
        Ok(Self {
            snapshot: account.snapshot(),
            facts: Facts::of(&account),
        })
    }
}

/// A question as a request brings it: may this member do this in this store?
#[derive(Clone, Debug)]
pub struct Request {
    /// Who.
    pub member: String,
    /// What.
    pub permission: Permission,
    /// Where.
    pub store: String,
}

/// Questions over a whole population.
#[must_use]
pub fn requests(size: Size, count: u64) -> Vec<Request> {
    let request = |question: Question| Request {
        member: size.member(question.member),
        permission: PERMISSIONS[usize::from(question.writes)].clone(),
        store: size.store(question.store),
    };
    size.questions(count).map(request).collect()
}

/// A member who is put in a group, and what it can do by that alone.
pub struct Change {
    /// Who.
    pub member: MemberId,
    /// Into which group.
    pub group: GroupId,
    /// What is denied before, and allowed after.
    pub opens: Request,
}

/// Up to so many changes, each of another member.
#[must_use]
pub fn changes(plain: &Plain, account: &Account, count: usize) -> Vec<Change> {
    let Facts {
        groups,
        grants,
        members,
        ..
    } = &plain.facts;
    let opened = |member: &MemberId, group: &GroupId| {
        let denied = |store| !account.can(member, &Permission::STORE_READ, Resource::Store(store));
        let store = grants.iter().find_map(|(resource, roles)| match resource {
            Resource::Store(store) => {
                let held = roles.values().any(|holders| holders.contains(group));
                (held && denied(store)).then_some(store)
            }
            Resource::Account => None,
        })?;
        Some(Change {
            member: member.clone(),
            group: group.clone(),
            opens: Request {
                member: member.to_string(),
                permission: Permission::STORE_READ,
                store: store.to_string(),
            },
        })
    };
    let active: Vec<_> = members
        .iter()
        .filter(|(_, membership)| membership.active && !membership.owner)
        .collect();
    active
        .iter()
        .step_by((active.len() / count.max(1)).max(1)) // apart from each other
        .enumerate()
        .filter_map(|(number, (member, _))| {
            let mut turn = groups.iter().cycle().skip(number).take(groups.len());
            turn.find_map(|group| opened(member, group))
        })
        .take(count)
        .collect()
}

/// An engine that can be loaded, and changed.
pub trait Peer: Engine + Sized {
    /// How much it is asked in each round.
    const PACE: Pace;

    /// Ready to answer.
    ///
    /// # Errors
    /// The engine does not take the data.
    fn load(plain: &Plain) -> Result<Self, EngineError>;

    /// Puts a member in a group; the next answer counts with it.
    ///
    /// # Errors
    /// The engine does not take the change.
    fn add_to_group(&mut self, member: &MemberId, group: &GroupId) -> Result<(), EngineError>;
}

/// How much of an engine is asked in one round, so that a round of each takes a fraction of a second.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Batches of questions.
    pub batches: usize,
    /// Changes.
    pub changes: usize,
}

impl Pace {
    /// How many questions that is.
    #[must_use]
    pub fn questions(self) -> usize {
        self.batches * Batch::QUESTIONS as usize
    }

    /// Below a microsecond a check.
    pub const FAST: Self = Self {
        batches: 64,
        changes: 9,
    };
    /// Some microseconds a check.
    pub const SLOW: Self = Self {
        batches: 10,
        changes: 3,
    };
    /// Tens of microseconds a check.
    pub const SLOWEST: Self = Self {
        batches: 1,
        changes: 3,
    };
}

/// A peer, whichever it is.
pub trait Contestant {
    /// What it is called.
    fn name(&self) -> &'static str;

    /// How much it is asked in each round.
    fn pace(&self) -> Pace;

    /// Loads it, in the place of what was loaded before, and says how long that took.
    ///
    /// # Errors
    /// The engine does not take the data.
    fn load(&mut self, plain: &Plain) -> Result<Duration, EngineError>;

    /// Its answers.
    ///
    /// # Errors
    /// It is not loaded, or could not answer.
    fn answers(&self, questions: &[&Request]) -> Result<Vec<bool>, EngineError>;

    /// Asks all of the questions, and says how long that took.
    ///
    /// # Errors
    /// It is not loaded, or could not answer.
    fn time_checks(&self, batches: &[Batch]) -> Result<Duration, EngineError>;

    /// Makes each of the changes and asks what it opens, and says how long that took.
    ///
    /// # Errors
    /// It is not loaded, does not take a change, or does not see it in the next answer.
    fn time_changes(&mut self, changes: &[Change]) -> Result<Duration, EngineError>;
}

/// All of them, grantbook first.
#[must_use]
pub fn contestants() -> Vec<Box<dyn Contestant>> {
    vec![
        Box::new(Entrant::<grantbook_itself::Grantbook>(None)),
        Box::new(Entrant::<by_hand::ByHand>(None)),
        Box::new(Entrant::<gatehouse::Gatehouse>(None)),
        Box::new(Entrant::<cedar::Cedar>(None)),
        Box::new(Entrant::<zanzibar::Zanzibar>(None)),
        Box::new(Entrant::<casbin::Casbin<true>>(None)),
        Box::new(Entrant::<casbin::Casbin<false>>(None)),
    ]
}

struct Entrant<P>(Option<P>);

impl<P: Peer> Entrant<P> {
    fn loaded(&self) -> Result<&P, EngineError> {
        self.0.as_ref().ok_or_else(|| "not loaded".into())
    }
}

impl<P: Peer> Contestant for Entrant<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn pace(&self) -> Pace {
        P::PACE
    }

    fn load(&mut self, plain: &Plain) -> Result<Duration, EngineError> {
        self.0 = None;
        let began = Instant::now();
        let loaded = P::load(black_box(plain))?;
        let took = began.elapsed();
        self.0 = Some(loaded);
        Ok(took)
    }

    fn answers(&self, questions: &[&Request]) -> Result<Vec<bool>, EngineError> {
        let peer = self.loaded()?;
        let answers = questions
            .iter()
            .map(|question| peer.allows(asked(question)));
        answers.collect()
    }

    fn time_checks(&self, batches: &[Batch]) -> Result<Duration, EngineError> {
        let peer = self.loaded()?;
        let mut allowed = 0_u64;
        let began = Instant::now();
        for batch in batches {
            for asked in batch.questions() {
                allowed += u64::from(peer.allows(crate::Question {
                    member: asked.member,
                    permission: asked.permission(),
                    resource: Resource::Store(asked.store),
                })?);
            }
        }
        black_box(allowed);
        Ok(began.elapsed())
    }

    fn time_changes(&mut self, changes: &[Change]) -> Result<Duration, EngineError> {
        let peer = self.0.as_mut().ok_or("not loaded")?;
        let mut seen = true;
        let began = Instant::now();
        for change in changes {
            peer.add_to_group(&change.member, &change.group)?;
            seen &= peer.allows(asked(&change.opens))?;
        }
        let took = began.elapsed();
        if !seen {
            return Err(format!("{} does not see a change in the next check", P::NAME).into());
        }
        Ok(took)
    }
}

fn asked(question: &Request) -> crate::Question<'_> {
    crate::Question {
        member: &question.member,
        permission: &question.permission,
        resource: Resource::Store(&question.store),
    }
}

/// A question that two engines answer differently.
#[derive(Debug)]
pub struct Disagreement {
    engine: &'static str,
    question: String,
    grantbook: bool,
}

impl Error for Disagreement {}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |yes| if yes { "yes" } else { "no" };
        write!(
            f,
            "{} grantbook says {}, {} says {}",
            self.question,
            said(self.grantbook),
            self.engine,
            said(!self.grantbook)
        )
    }
}

/// Asks an engine the questions, and what the changes will open; says how many answers were compared.
///
/// # Errors
/// An answer is not grantbook's, or the engine could not answer.
pub fn agree(
    account: &Account,
    engine: &dyn Contestant,
    questions: &[Request],
    changes: &[Change],
) -> Result<usize, EngineError> {
    let opened = changes.iter().map(|change| &change.opens);
    let questions: Vec<_> = questions.iter().chain(opened).collect();
    for (question, answer) in questions.iter().zip(engine.answers(&questions)?) {
        let question = asked(question);
        let grantbook = account.can(question.member, question.permission, question.resource);
        if grantbook != answer {
            return Err(Box::new(Disagreement {
                engine: engine.name(),
                question: question.to_string(),
                grantbook,
            }));
        }
    }
    Ok(questions.len())
}

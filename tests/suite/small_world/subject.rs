//! What is explored: the crate, or the model.

use std::collections::BTreeMap;

use grantbook::*;

use super::{MEMBERS, PERMISSIONS, START, STORES, World, parsed};
use crate::model::{self, Asked, Checked, Flaw, Model, State, law, read};

/// An implementation of the rules. Its states are looked at as states of the model.
pub(crate) trait Subject: Sync {
    type State: Clone + Sync;

    fn start(&self) -> Self::State;

    fn answer(
        &self,
        state: &Self::State,
        actor: &Actor,
        command: &Command,
        at: Timestamp,
    ) -> Checked<Answer<Self::State>>;

    fn read(&self, state: &Self::State) -> Checked<State>;

    /// What it answers to these questions.
    fn answers(&self, state: &Self::State, questions: &Questions) -> u64;

    /// What takes longer to look at: that it answers alike, whichever way it is asked.
    fn check(&self, state: &Self::State, read: &State) -> Checked;
}

/// What comes of a command.
pub(crate) enum Answer<S> {
    Refused(&'static str),
    Unchanged,
    Changed(S),
}

/// The crate itself, by the real `decide` and `apply`.
pub(crate) struct Crate;

impl Subject for Crate {
    type State = Account;

    fn start(&self) -> Account {
        let account = parsed("acme", AccountId::parse);
        let owner = parsed(MEMBERS[0], MemberId::parse);
        Account::open(account, owner, GroupLimit::default(), START).0
    }

    fn answer(
        &self,
        account: &Account,
        actor: &Actor,
        command: &Command,
        at: Timestamp,
    ) -> Checked<Answer<Account>> {
        match account.decide(actor, command, at) {
            Err(error) => Ok(Answer::Refused(error.code())),
            Ok(None) => Ok(Answer::Unchanged),
            Ok(Some(record)) => {
                let mut after = account.clone();
                let applied = after.apply(&record);
                applied.map_err(|error| Flaw {
                    rule: "U2",
                    what: format!("its own record: {error}"),
                })?;
                Ok(Answer::Changed(after))
            }
        }
    }

    fn read(&self, account: &Account) -> Checked<State> {
        read(account)
    }

    fn answers(&self, account: &Account, questions: &Questions) -> u64 {
        questions.answered(|member, permission, place| {
            let place = place.map_or(Resource::Account, Resource::Store);
            account.can(member, permission, place)
        })
    }

    fn check(&self, account: &Account, read: &State) -> Checked {
        let asked = Asked {
            members: MEMBERS.map(str::to_owned).into(),
            stores: STORES.map(str::to_owned).into(),
            permissions: PERMISSIONS
                .map(|text| parsed(text, Permission::parse))
                .into(),
        };
        model::agree(account, read, &asked)?;
        model::lists_agree(account, read, &asked)?;
        law("G9", account.index_is_exact(), || {
            "the index is not what a new one would be".to_owned()
        })
    }
}

impl Subject for Model {
    type State = State;

    fn start(&self) -> State {
        let limit = GroupLimit::default().get();
        State::open(MEMBERS[0], limit.into(), START.as_millis())
    }

    fn answer(
        &self,
        state: &State,
        actor: &Actor,
        command: &Command,
        at: Timestamp,
    ) -> Checked<Answer<State>> {
        Ok(match self.decide(state, actor, command, at.as_millis()) {
            Err(reasons) => Answer::Refused(reasons.first().expect("a reason")),
            Ok(None) => Answer::Unchanged,
            Ok(Some(after)) => Answer::Changed(after),
        })
    }

    fn read(&self, state: &State) -> Checked<State> {
        Ok(state.clone())
    }

    fn answers(&self, state: &State, questions: &Questions) -> u64 {
        questions.answers_of(&self.seen(state))
    }

    fn check(&self, _: &State, _: &State) -> Checked {
        Ok(())
    }
}

/// What is asked after every change: everybody, everything, everywhere.
pub(crate) struct Questions {
    members: &'static [&'static str],
    permissions: Vec<Permission>,
    places: Vec<Option<&'static str>>,
}

impl Questions {
    pub(super) fn of(world: &World) -> Self {
        let stores = STORES.into_iter().take(world.stores);
        Self {
            members: &MEMBERS[..world.members],
            permissions: PERMISSIONS
                .map(|text| parsed(text, Permission::parse))
                .into(),
            places: [None].into_iter().chain(stores.map(Some)).collect(),
        }
    }

    /// One bit for each question, in their order.
    fn answered(&self, may: impl Fn(&'static str, &Permission, Option<&str>) -> bool) -> u64 {
        let mut answers = 0;
        for member in self.members {
            for permission in &self.permissions {
                for place in &self.places {
                    answers = answers << 1 | u64::from(may(member, permission, *place));
                }
            }
        }
        answers
    }

    /// Whether each member may do something, by its answers.
    pub(super) fn each_member(&self, answers: u64) -> impl Iterator<Item = (&'static str, bool)> {
        let asked = self.permissions.len() * self.places.len();
        let members = self.members.iter().rev().zip(0..);
        members.map(move |(id, number)| {
            let its = answers >> (number * asked) & ((1 << asked) - 1);
            (*id, its != 0)
        })
    }

    /// What the rules answer (L2, L5 to L7, P1 to P4).
    pub(super) fn answers_of(&self, state: &State) -> u64 {
        let members = self.members.iter();
        let holdings: BTreeMap<_, _> = members.map(|id| (*id, state.holdings(id))).collect();
        self.answered(|member, permission, place| {
            let denial = state.denial((member, &holdings[member]), permission, place);
            denial.is_none()
        })
    }
}

//! Grantbook: an account from its snapshot, which is checked against every rule. The host makes the changes.

use grantbook::command::AddToGroup;
use grantbook::{Account, Actor, Command, GroupId, MemberId};

use super::{Pace, Peer, Plain};
use crate::population::NOW;
use crate::{Engine, EngineError, Question};

/// An account.
pub struct Grantbook(Account);

impl Engine for Grantbook {
    const NAME: &'static str = "grantbook";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        Ok(self
            .0
            .can(question.member, question.permission, question.resource))
    }
}

impl Peer for Grantbook {
    const PACE: Pace = Pace::FAST;

    fn load(plain: &Plain) -> Result<Self, EngineError> {
        Ok(Self(plain.snapshot.clone().try_into()?))
    }

    fn add_to_group(&mut self, member: &MemberId, group: &GroupId) -> Result<(), EngineError> {
        let command = Command::AddToGroup(AddToGroup {
            group: group.clone(),
            members: [member.clone()].into(),
        });
        self.0.execute(&Actor::System, &command, NOW)?;
        Ok(())
    }
}

//! The account itself ([A1](crate::docs::rules#A1), [A3](crate::docs::rules#A3), [A5](crate::docs::rules#A5)).

use crate::account::actor::Actor;
use crate::account::changes::{Change, Outcome, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::writes::Writes;
use crate::account::data::{AccountData, Condition};
use crate::account::limits::GroupLimit;
use crate::account::status::MemberStatus;
use crate::id::{IdempotencyKey, MemberId};
use crate::time::Timestamp;

/// The account was opened, with one active owner ([A1](crate::docs::rules#A1)).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountOpened {
    /// The first owner.
    pub owner: MemberId,
    /// How many groups the account may have ([A3](crate::docs::rules#A3)).
    pub group_limit: GroupLimit,
    /// The idempotency key of the request that opened it, if it was opened in a repository. So the digests of two
    /// accounts that are opened under one id differ ([U2](crate::docs::rules#U2)).
    pub key: Option<IdempotencyKey>,
}

impl Change for AccountOpened {
    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.header_mut().group_limit = self.group_limit;
        data.insert_member(&self.owner, MemberStatus::Active { owner: true });
    }

    fn can_be_caused_by(&self, actor: &Actor) -> bool {
        *actor == Actor::System
    }

    fn names_member(&self, id: &str) -> bool {
        self.owner.as_str() == id
    }
}

command_and_event! {
    /// Changes how many groups the account may have ([A3](crate::docs::rules#A3)). For [`Actor::System`] only.
    ChangeGroupLimit =>

    /// The number of groups that the account may have changed.
    GroupLimitChanged {
        /// The new limit; must not be below the number of groups that are there.
        limit: GroupLimit,
    }
}

impl Change for GroupLimitChanged {
    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        let (limit, groups) = (self.limit.get(), data.group_count());
        if groups > usize::from(limit) {
            return Err(CommandError::GroupLimitTooLow { limit, groups });
        }
        Ok(())
    }

    fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
        self.has_no_noops(data).then_some(self)
    }

    fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
        self.limit != data.header().group_limit
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.header_mut().group_limit = self.limit;
    }

    fn can_be_caused_by(&self, actor: &Actor) -> bool {
        *actor == Actor::System
    }
}

command_and_event! {
    /// Closes the account for good: every check is denied from then on, and every command refused
    /// ([A5](crate::docs::rules#A5)). Takes `account.close`.
    CloseAccount =>

    /// The account was closed. This is its last record ([A5](crate::docs::rules#A5)).
    // It has braces so that its JSON is as strict as the others'.
    AccountClosed {}
}

impl Change for AccountClosed {
    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.header_mut().condition = Condition::Closed;
    }
}

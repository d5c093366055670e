//! The account itself.

use crate::account::actor::Actor;
use crate::account::changes::Change;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::limits::GroupLimit;
use crate::account::status::MemberStatus;
use crate::id::MemberId;

/// The account was opened, with one active owner (A1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccountOpened {
    /// The first owner.
    pub owner: MemberId,
    /// How many groups the account may have (A3).
    pub group_limit: GroupLimit,
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

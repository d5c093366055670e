//! The lists of an account from an id on, so that they can be read page by page.

use crate::account::Account;
use crate::account::handles::{Group, Member};
use crate::id::StoreId;

/// The lists from an id on. To go on where an earlier page ended, give the last id of that page; it need not exist any
/// more. So whatever stays is in the pages once, whatever changes in between.
impl Account {
    /// As [`members`](Account::members), those whose ids come after this one: to go on where an earlier page ended. It
    /// need not exist any more, so whoever stays is in the pages once, whatever changes in between. Going there takes
    /// constant time.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// let page: Vec<_> = account.members_after(None).take(100).collect();
    /// let next = account.members_after(page.last().map(|last| last.id().as_str())).take(100);
    /// # assert_eq!((page.len(), next.count()), (1, 0));
    /// # Ok::<(), ParseError>(())
    /// ```
    pub fn members_after(&self, id: Option<&str>) -> impl Iterator<Item = Member<'_>> {
        let members = self.state.members_after(id);
        members.map(|found| Member::new(&self.state, found))
    }

    /// As [`groups`](Account::groups), those whose ids come after this one, which need not exist any more.
    pub fn groups_after(&self, id: Option<&str>) -> impl Iterator<Item = Group<'_>> {
        let groups = self.state.groups_after(id);
        groups.map(|found| Group::new(&self.state, found))
    }

    /// As [`stores`](Account::stores), those whose ids come after this one, which need not exist any more.
    pub fn stores_after(&self, id: Option<&str>) -> impl Iterator<Item = &StoreId> {
        self.state.stores_after(id).map(|(id, _)| id)
    }
}

//! The check, asked from the other sides: who can, and where.

use std::borrow::Cow;

use roaring::RoaringBitmap;

use crate::access::{DenialReason, Permissions, Resource};
use crate::account::Account;
use crate::account::check::Check;
use crate::account::data::AccountData;
use crate::account::data::member::MemberEntry;
use crate::id::{MemberId, StoreId};
use crate::permission::Permission;

/// The check from the other sides. Each answer is complete, in the order of ids, and found as it is asked for. To
/// go on where an earlier page ended, give the last id of that page as `after`; it need not exist any more.
impl Account {
    /// Who may do this here. Nobody, in an unknown store.
    ///
    /// The memberships that give it are united first, at some nanoseconds for each thousand. If at least one in sixteen
    /// of all members may, the list of all is then gone through as far as is asked for; if fewer may, they are put in
    /// order, and nobody else is looked at.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// let (page, place) = (100, Resource::Account);
    /// let first: Vec<_> = account.who_can(&Permission::MANAGE_GROUPS, place, None).take(page).collect();
    /// let last = first.last().map(|member| member.as_str());
    /// let next: Vec<_> = account.who_can(&Permission::MANAGE_GROUPS, place, last).take(page).collect();
    /// # assert_eq!((first.len(), next.len()), (1, 0));
    /// # Ok::<(), ParseError>(())
    /// ```
    pub fn who_can<'a>(
        &'a self,
        permission: &Permission,
        resource: Resource<&str>,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a MemberId> + use<'a> {
        let state = &self.state;
        let mut indexes = RoaringBitmap::new();
        if state.index(resource).is_some() && state.header().is_open() {
            let index = |owner| state.member(owner).map(MemberEntry::index);
            indexes.extend(state.owners().filter_map(|owner| index(owner)));
            for (_, group) in state.groups_giving(permission, resource) {
                indexes |= &*state.members_of(group);
            }
        }
        let members = state.in_order(Cow::Owned(indexes), after);
        let active = members.filter(|(_, member)| member.is_active());
        active.map(|(id, _)| id)
    }

    /// Where this member may do this: in which stores. In none, for somebody unknown or only invited.
    ///
    /// Takes time in proportion to the account's stores.
    pub fn stores_for<'a>(
        &'a self,
        member: &str,
        permission: &Permission,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a StoreId> + use<'a> {
        let state = &self.state;
        let member = state
            .look_up(member, Resource::Account)
            .ok()
            .map(|(member, _)| member);
        let permission = permission.clone();
        state
            .stores_after(after)
            .filter(move |(_, store)| {
                member.is_some_and(|member| state.holds(member, &permission, &store.index))
            })
            .map(|(id, _)| id)
    }

    /// What this member may do here.
    ///
    /// # Errors
    /// The reason why it may do nothing, for an unknown member, an invited one, an unknown store (P4).
    pub fn permissions_on(
        &self,
        member: &str,
        resource: Resource<&str>,
    ) -> Result<Permissions, DenialReason> {
        self.state.permissions_in(member, resource)
    }
}

//! The check, asked from the other sides: who can, and where.

use std::borrow::Cow;

use roaring::RoaringBitmap;
use serde::Serialize;

use crate::access::{DenialReason, Permissions, Resource};
use crate::account::Account;
use crate::account::check::Check;
use crate::account::data::AccountData;
use crate::account::data::member::MemberEntry;
use crate::id::{MemberId, StoreId};
use crate::permission::Permission;

/// Where a member may do something, and the version of the account of which that is true: the answer of
/// [`Account::store_filter`].
///
/// As JSON: `{"version":7,"stores":{"only":["dev","prod"]}}`, or `"all"` or `"none"` in place of the object.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct StoreFilter {
    /// The version. A later one may say otherwise.
    pub version: u64,
    /// The stores.
    pub stores: StoreSet,
}

/// Some of an account's stores.
///
/// Exhaustive on purpose: a host that makes a condition of it must handle each.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreSet {
    /// Every store that there is or will be: an Account Owner's ([P2](crate::docs::rules#P2)). A row of a store that
    /// the account does not have is in none, and its check would be denied: where your tables may hold such rows, join
    /// them with your stores.
    All,
    /// No store.
    None,
    /// These, at least one, in the order of ids.
    Only(Vec<StoreId>),
}

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
        let member = self.member(member);
        let permission = permission.clone();
        self.state
            .stores_after(after)
            .filter(move |(_, store)| {
                member.is_some_and(|member| member.holds(&permission, &store.index))
            })
            .map(|(id, _)| id)
    }

    /// Where this member may do this, for the condition of a query: `WHERE store = ANY (…)`.
    ///
    /// Takes time in proportion to the account's stores; of an owner, none.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// let filter = account.store_filter("olga", &Permission::STORE_READ);
    /// let condition = match &filter.stores {
    ///     StoreSet::All => "true".to_owned(),
    ///     StoreSet::None => "false".to_owned(),
    ///     StoreSet::Only(stores) => format!("store = ANY ($1) /* {} of them */", stores.len()),
    /// };
    /// assert_eq!((condition.as_str(), filter.version), ("true", 1));
    /// # Ok::<(), ParseError>(())
    /// ```
    #[must_use]
    pub fn store_filter(&self, member: &str, permission: &Permission) -> StoreFilter {
        let found = self.state.look_up(member, Resource::Account);
        let stores = if found.is_ok_and(|(member, _)| member.is_owner()) {
            StoreSet::All
        } else {
            let stores: Vec<StoreId> = self.stores_for(member, permission, None).cloned().collect();
            if stores.is_empty() {
                StoreSet::None
            } else {
                StoreSet::Only(stores)
            }
        };
        StoreFilter {
            version: self.version(),
            stores,
        }
    }

    /// What this member may do here.
    ///
    /// # Errors
    /// The reason why it may do nothing, for an unknown member, an invited one, an unknown store
    /// ([P4](crate::docs::rules#P4)).
    pub fn permissions_on(
        &self,
        member: &str,
        resource: Resource<&str>,
    ) -> Result<Permissions, DenialReason> {
        self.state.permissions_in(member, resource)
    }
}

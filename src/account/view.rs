//! What a host reads of a member, of a group and of a store, looked up once.

use crate::access::Resource;
use crate::account::group::GroupEntry;
use crate::account::index::Granting;
use crate::account::member::{MemberEntry, MemberStatus};
use crate::account::state::State;
use crate::grant::Grant;
use crate::id::{GroupId, MemberId, StoreId};
use crate::name::{Description, GroupName};
use crate::permission::Permission;

/// A member of an account, as it stands: looked up once, asked many times.
///
/// It borrows the account. So it cannot outlive a change, nor answer for somebody else:
///
/// ```compile_fail,E0502
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// let olga = account.member("olga").unwrap();
/// account.execute(&Actor::System, &Command::CreateStore { store: StoreId::parse("dev")? }, now);
/// olga.can(&Permission::MANAGE_STORES, Resource::Account); // the account has changed: look her up again
/// # Ok::<(), ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    state: &'a State<'a>,
    id: &'a MemberId,
    entry: &'a MemberEntry,
    /// What is asked of the entry again and again, near by.
    word: Option<u64>,
}

impl<'a> Member<'a> {
    pub(crate) fn new(state: &'a State<'a>, (id, entry): (&'a MemberId, &'a MemberEntry)) -> Self {
        Self {
            state,
            id,
            entry,
            word: entry.word(),
        }
    }

    #[inline]
    fn holds(&self, permission: &Permission, granting: &Granting) -> bool {
        match self.word {
            Some(word) => granting
                .groups(permission)
                .is_some_and(|groups| groups.intersects_word(word)),
            None => self.entry.holds(permission, granting),
        }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'a MemberId {
        self.id
    }

    /// Whether it is active or invited, and as what.
    #[must_use]
    pub fn status(&self) -> MemberStatus {
        self.entry.status()
    }

    /// The groups that it is in, in the order of their ids. Takes time in proportion to the account's groups.
    pub fn groups(&self) -> impl Iterator<Item = &'a GroupId> + use<'a> {
        let entry = self.entry;
        self.state
            .groups
            .iter()
            .filter(|(_, group)| entry.is_in(group.slot))
            .map(|(id, _)| id)
    }

    /// Whether it is in this group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.state
            .groups
            .get(group)
            .is_some_and(|group| self.entry.is_in(group.slot))
    }
}

/// Checks, without looking the member up again.
///
/// ```
/// # use grantbook::*;
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
/// # for store in ["dev", "live"] {
/// #     let create = Command::CreateStore { store: StoreId::parse(store)? };
/// #     account.execute(&Actor::System, &create, Timestamp::from_millis(0)).unwrap();
/// # }
/// let olga = account.member("olga").expect("she opened the account");
/// assert!(olga.can(&Permission::STORE_READ, Resource::Store("dev"))); // one look-up: the store
/// let stores: Vec<Store> = ["dev", "live"].iter().filter_map(|id| account.store(id)).collect();
/// assert!(olga.can_in(&Permission::STORE_READ, stores[0])); // no look-up
/// let may: Vec<bool> = olga.can_in_each(&Permission::STORE_WRITE, stores).collect();
/// assert_eq!(may, [true, true]);
/// # Ok::<(), ParseError>(())
/// ```
impl Member<'_> {
    /// As [`Account::can`](crate::Account::can).
    #[must_use]
    #[inline]
    pub fn can(&self, permission: &Permission, resource: Resource<&str>) -> bool {
        let granting = self.state.granting(resource);
        granting.is_some_and(|granting| self.holds(permission, granting))
    }

    /// As [`can`](Member::can), in a store that was looked up before. Costs the AND. In a store of another account,
    /// which this one does not know, the answer is no (A4).
    #[must_use]
    #[inline]
    pub fn can_in(&self, permission: &Permission, store: Store<'_>) -> bool {
        std::ptr::eq(self.state, store.state) & self.holds(permission, store.granting)
    }

    /// As [`can_in`](Member::can_in), in each of these stores, in their order.
    pub fn can_in_each<'s>(
        self,
        permission: &Permission,
        stores: impl IntoIterator<Item = Store<'s>>,
    ) -> impl Iterator<Item = bool> {
        stores
            .into_iter()
            .map(move |store| self.can_in(permission, store))
    }
}

/// A store of an account, as it stands: looked up once, asked many times. It borrows the account, as a [`Member`] does.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    pub(crate) state: &'a State<'a>,
    pub(crate) id: &'a StoreId,
    pub(crate) granting: &'a Granting,
}

impl<'a> Store<'a> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'a StoreId {
        self.id
    }

    /// As [`Member::can_in`], for each of these members, in their order.
    pub fn can_each<'m>(
        self,
        permission: &Permission,
        members: impl IntoIterator<Item = Member<'m>>,
    ) -> impl Iterator<Item = bool> {
        members
            .into_iter()
            .map(move |member| member.can_in(permission, self))
    }
}

/// A group of an account, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Group<'a> {
    state: &'a State<'a>,
    id: &'a GroupId,
    entry: &'a GroupEntry<'a>,
}

impl<'a> Group<'a> {
    pub(crate) fn new(
        state: &'a State<'a>,
        (id, entry): (&'a GroupId, &'a GroupEntry<'a>),
    ) -> Self {
        Self { state, id, entry }
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &'a GroupId {
        self.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'a GroupName {
        &self.entry.name
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> &'a Description {
        &self.entry.description
    }

    /// Its grants, each role once, in the order of the roles' ids. A grant whose stores are all deleted has an empty
    /// scope and grants nothing (S3).
    #[must_use]
    pub fn grants(&self) -> &'a [Grant] {
        &self.entry.grants
    }

    /// How many members it has, invited ones included.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.entry.members.len()
    }

    /// Its members, invited ones included, in the order of their ids. The first takes time in proportion to the group.
    pub fn members(&self) -> impl Iterator<Item = &'a MemberId> + use<'a> {
        let members = self.state.in_order(self.entry.members.numbers(), None);
        members.map(|(id, _)| id)
    }
}

//! What a host reads of a member, of a group and of a store, looked up once.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::access::Resource;
use crate::account::data::StoreEntry;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::state::State;
use crate::account::data::{AccountData, GroupEntry};
use crate::account::status::MemberStatus;
use crate::grant::GrantRef;
use crate::id::{GroupId, MemberId, StoreId};
use crate::name::{Description, GroupName};
use crate::permission::Permission;

/// A member of an account: looked up once, asked many times.
///
/// It borrows the account. So it cannot outlive a change, nor answer for somebody else:
///
/// ```compile_fail,E0502
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// let olga = account.member("olga").unwrap();
/// account.execute(&Actor::System, &command::CreateStore { store: StoreId::parse("dev")? }.into(), now);
/// olga.can(&Permission::MANAGE_STORES, Resource::Account); // the account has changed: look her up again
/// # Ok::<(), ParseError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Member<'a> {
    state: &'a State,
    id: &'a MemberId,
    entry: &'a MemberEntry,
    /// What is asked of the entry again and again, near by.
    word: Option<u64>,
}

impl<'a> Member<'a> {
    pub(crate) fn new(state: &'a State, (id, entry): (&'a MemberId, &'a MemberEntry)) -> Self {
        Self {
            state,
            id,
            entry,
            word: entry.word().filter(|_| state.header().is_open()),
        }
    }

    #[inline]
    pub(crate) fn holds(&self, permission: &Permission, index: &GrantIndex) -> bool {
        match (self.word, permission.store_action()) {
            (Some(word), Some(action)) => {
                let groups = index.action(action);
                groups.is_some_and(|groups| groups.intersects_word(word))
            }
            (Some(_) | None, _) => self.state.holds(self.entry, permission, index),
        }
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &'a MemberId {
        self.id
    }

    /// Returns whether it is active, suspended or invited, and as what.
    #[must_use]
    pub fn status(&self) -> MemberStatus {
        self.entry.status()
    }

    /// Returns the groups that it is in, in the order of their ids. Takes time in proportion to the account's groups.
    pub fn groups(&self) -> impl Iterator<Item = &'a GroupId> + use<'a> {
        self.state.groups_of(self.entry).map(|(id, _)| id)
    }

    /// Returns whether it is in this group.
    #[must_use]
    pub fn is_in(&self, group: &str) -> bool {
        self.state.is_in_group(self.id, group)
    }
}

/// Checks, without looking the member up again.
///
/// ```
/// # use grantbook::*;
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
/// # for store in ["dev", "live"] {
/// #     let create = command::CreateStore { store: StoreId::parse(store)? }.into();
/// #     account.execute(&Actor::System, &create, Timestamp::from_millis(0)).unwrap();
/// # }
/// let olga = account.member("olga").expect("she opened the account");
/// assert!(olga.can(&Permission::STORE_READ, Resource::Store("dev"))); // one lookup: the store
/// let stores: Vec<Store> = ["dev", "live"].iter().filter_map(|id| account.store(id)).collect();
/// assert!(olga.can_in(&Permission::STORE_READ, stores[0])); // no lookup
/// let may: Vec<bool> = olga.can_in_each(&Permission::STORE_WRITE, stores).collect();
/// assert_eq!(may, [true, true]);
/// # Ok::<(), ParseError>(())
/// ```
impl Member<'_> {
    /// As [`Account::can`](crate::Account::can).
    #[must_use]
    #[inline]
    pub fn can(&self, permission: &Permission, resource: Resource<&str>) -> bool {
        self.state.holds_at(self.entry, permission, resource)
    }

    /// As [`can`](Member::can), in a store that was looked up before. Costs the AND. In a store of another account,
    /// which this one does not know, the answer is no ([A4](crate::docs::rules#A4)).
    #[must_use]
    #[inline]
    pub fn can_in(&self, permission: &Permission, store: Store<'_>) -> bool {
        std::ptr::eq(self.state, store.state) & self.holds(permission, &store.entry.index)
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

/// A store of an account: looked up once, asked many times. It borrows the account, as a [`Member`] does.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    state: &'a State,
    entry: &'a StoreEntry,
}

impl<'a> Store<'a> {
    pub(crate) fn new(state: &'a State, entry: &'a StoreEntry) -> Self {
        Self { state, entry }
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &'a StoreId {
        &self.entry.id
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

/// A group of an account.
#[derive(Clone, Copy)]
pub struct Group<'a> {
    state: &'a State,
    id: &'a GroupId,
    entry: &'a GroupEntry,
}

impl<'a> Group<'a> {
    pub(crate) fn new(state: &'a State, (id, entry): (&'a GroupId, &'a GroupEntry)) -> Self {
        Self { state, id, entry }
    }

    /// Returns its id.
    #[must_use]
    pub fn id(&self) -> &'a GroupId {
        self.id
    }

    /// Returns its name.
    #[must_use]
    pub fn name(&self) -> &'a GroupName {
        &self.entry.name
    }

    /// Returns what it is for.
    #[must_use]
    pub fn description(&self) -> &'a Description {
        &self.entry.description
    }

    /// Returns its grants, each role once, in the order of the roles' ids. A grant whose stores are all deleted has an
    /// empty scope and grants nothing ([S3](crate::docs::rules#S3)).
    pub fn grants(&self) -> impl Iterator<Item = GrantRef<'a>> + use<'a> {
        let grants = self.state.scopes(self.entry);
        grants.map(|(role, scope)| GrantRef { role, scope })
    }

    /// Returns the revision of its definition: the version of the last record that changed its name, its description or
    /// its grants. Deleting a store changes each group that the store leaves ([U8](crate::docs::rules#U8)).
    #[must_use]
    pub fn definition_revision(&self) -> u64 {
        self.state.revisions(self.entry).definition
    }

    /// Returns the revision of its membership: the version of the last record by which somebody came or went.
    /// Suspending a member changes nothing here ([U8](crate::docs::rules#U8)).
    #[must_use]
    pub fn membership_revision(&self) -> u64 {
        self.state.revisions(self.entry).membership
    }

    /// Returns how many members it has, invited ones included.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.state.member_count_of(self.entry)
    }

    /// Returns its members, invited ones included, in the order of their ids. The first takes time in proportion to the
    /// group.
    pub fn members(&self) -> impl Iterator<Item = &'a MemberId> + use<'a> {
        self.members_after(None)
    }

    /// As [`members`](Group::members), those whose ids come after this one, which need not exist any more.
    pub fn members_after(&self, id: Option<&str>) -> impl Iterator<Item = &'a MemberId> + use<'a> {
        let members = self.state.in_order(self.state.members_of(self.entry), id);
        members.map(|(id, _)| id)
    }
}

// Handles as JSON: what their methods return without being asked about anything.

impl Serialize for Member<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Member", 3)?;
        object.serialize_field("id", self.id)?;
        object.serialize_field("status", &self.status())?;
        object.serialize_field("groups", &self.groups().collect::<Vec<_>>())?;
        object.end()
    }
}

impl Serialize for Store<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Store", 1)?;
        object.serialize_field("id", self.id())?;
        object.end()
    }
}

/// With the number of its members: there may be many, and [`members`](Group::members) lists them.
impl Serialize for Group<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Group", 7)?;
        object.serialize_field("id", self.id)?;
        object.serialize_field("name", self.name())?;
        object.serialize_field("description", self.description())?;
        object.serialize_field("grants", &self.grants().collect::<Vec<_>>())?;
        object.serialize_field("member_count", &self.member_count())?;
        object.serialize_field("definition_revision", &self.definition_revision())?;
        object.serialize_field("membership_revision", &self.membership_revision())?;
        object.end()
    }
}

// A handle in one line, without the account that it borrows.

impl fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("id", self.id)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Store<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("id", self.id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Group<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("id", self.id)
            .field("name", self.name())
            .field("members", &self.member_count())
            .finish_non_exhaustive()
    }
}

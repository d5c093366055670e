//! Everything that a member may do: as a view of the account, and as a value of its own.

use std::fmt;

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use crate::access::{AccessLevel, EffectivePermissions, HeldInStores, Permissions, Resource};
use crate::account::Account;
use crate::account::check::Check;
use crate::account::data::AccountData;
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::hash::KeyedMap;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::SlotSet;
use crate::account::data::state::State;
use crate::id::{RoleId, StoreId};
use crate::permission::Permission;

impl Account {
    /// Returns everything that this member may do ([P1](crate::docs::rules#P1)); nothing, for one who is unknown or
    /// only invited. Takes time in proportion to the account's stores. A value of its own, to be kept or sent; to look
    /// at it and go on, ask [`effective`](Account::effective), which copies nothing.
    #[must_use]
    pub fn effective_permissions(&self, member: &str) -> EffectivePermissions {
        self.effective(member).to_effective_permissions()
    }

    /// Returns a view of everything that this member may do ([P1](crate::docs::rules#P1)); of nothing, for one who is
    /// unknown or only invited. Takes one lookup, and allocates nothing, whatever it is asked.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (mut account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// # for store in ["dev", "live"] {
    /// #     let create = command::CreateStore { store: StoreId::parse(store)? }.into();
    /// #     account.execute(&Actor::System, &create, Timestamp::from_millis(0)).unwrap();
    /// # }
    /// let olga = account.effective("olga");
    /// for (store, there) in olga.stores() {
    ///     println!("{store}: {}", there.level());
    /// }
    /// # assert_eq!(olga.stores().count(), 2);
    /// assert_eq!(olga.to_effective_permissions(), account.effective_permissions("olga"));
    /// # Ok::<(), ParseError>(())
    /// ```
    #[must_use]
    pub fn effective(&self, member: &str) -> EffectivePermissionsRef<'_> {
        let found = self.state.look_up(member, Resource::Account);
        EffectivePermissionsRef {
            state: &self.state,
            holder: found.ok().map(|(entry, _)| Holder {
                entry,
                word: entry.word(),
            }),
        }
    }
}

/// Everything that one member may do in one account, read from the account as it is asked for: the
/// [`EffectivePermissions`] that nobody has copied. It borrows the account, so it cannot outlive a change.
///
/// As JSON, it is the same as they.
#[derive(Clone, Copy)]
pub struct EffectivePermissionsRef<'a> {
    state: &'a State,
    /// `None`: who may do nothing at all.
    holder: Option<Holder<'a>>,
}

/// An active member of an account that is open.
#[derive(Clone, Copy)]
struct Holder<'a> {
    entry: &'a MemberEntry,
    /// What is asked of the entry again and again, near by.
    word: Option<u64>,
}

/// What a member holds in one resource, by kinds.
#[derive(Clone, Copy)]
#[allow(clippy::struct_excessive_bools)] // kinds that come together in every way
struct Kinds {
    everything: bool,
    reads: bool,
    writes: bool,
    others: bool,
}

impl Kinds {
    fn any(self) -> bool {
        // Without branches: nobody can predict the answer.
        self.everything | self.reads | self.writes | self.others
    }

    fn level(self) -> AccessLevel {
        if self.everything {
            return AccessLevel::Owner;
        }
        AccessLevel::of(self.reads, self.writes, || self.others)
    }
}

impl Holder<'_> {
    #[inline]
    fn is_in_any(&self, groups: &SlotSet) -> bool {
        match self.word {
            Some(word) => groups.intersects_word(word),
            None => self.entry.is_in_any(groups),
        }
    }

    #[inline]
    fn kinds_in_store(&self, index: &GrantIndex) -> Kinds {
        let [reading, writing] = index.actions();
        Kinds {
            everything: self.word.is_none() && self.entry.is_owner(),
            reads: self.is_in_any(reading),
            writes: self.is_in_any(writing),
            others: self.is_in_any(index.others()),
        }
    }
}

impl<'a> EffectivePermissionsRef<'a> {
    /// Returns whether they allow this. As [`Account::can`], without looking the member up again.
    #[must_use]
    pub fn can(&self, permission: &Permission, resource: Resource<&str>) -> bool {
        let holder = self.holder;
        holder.is_some_and(|holder| self.state.holds_at(holder.entry, permission, resource))
    }

    /// Returns the permissions at the account.
    #[must_use]
    pub fn account(&self) -> PermissionsRef<'a> {
        let index = self.state.account_index();
        let is_in = |holder: Holder<'_>| {
            let mut granted = index.iter();
            granted.any(|(_, groups)| holder.is_in_any(groups))
        };
        // Nothing that is held at the account is for stores (L5).
        let kinds = Kinds {
            everything: self.is_owner(),
            reads: false,
            writes: false,
            others: self.holder.is_some_and(is_in),
        };
        self.permissions(index, kinds)
    }

    /// Returns the stores where the member may do anything, in the order of their ids, with what it may do there. Takes
    /// some nanoseconds for each store of the account.
    pub fn stores(&self) -> impl Iterator<Item = (&'a StoreId, PermissionsRef<'a>)> + use<'a> {
        let this = *self;
        let rows = self.state.stores_after(None);
        let held = self.holder.into_iter().zip(Some(rows));
        held.flat_map(move |(holder, rows)| {
            rows.filter_map(move |(id, store)| {
                let kinds = holder.kinds_in_store(&store.index);
                kinds
                    .any()
                    .then(|| (id, this.permissions(&store.index, kinds)))
            })
        })
    }

    /// Returns the access level in a store; [`AccessLevel::None`] in a store that is unknown, or where the member may
    /// do nothing.
    #[must_use]
    pub fn level(&self, store: &str) -> AccessLevel {
        let found = self.holder.zip(self.state.index(Resource::Store(store)));
        found.map_or(AccessLevel::None, |(holder, index)| {
            holder.kinds_in_store(index).level()
        })
    }

    /// Returns whether there is nothing that they allow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.account().is_empty() && self.stores().next().is_none()
    }

    /// Returns a value of its own, which says the same and does not change with the account.
    #[must_use]
    pub fn to_effective_permissions(&self) -> EffectivePermissions {
        let account = self.account().to_permissions();
        if self.holder.is_none() {
            return HeldInStores::with_capacity(0).with_account(account);
        }
        let mut held = HeldInStores::with_capacity(self.state.store_count());
        let mut sets = Sets::default();
        for (id, there) in self.stores() {
            let set = sets.place_of(there, &mut held);
            held.push(id.clone(), set);
        }
        held.with_account(account)
    }

    fn is_owner(&self) -> bool {
        self.holder.is_some_and(|holder| holder.entry.is_owner())
    }

    fn permissions(&self, index: &'a GrantIndex, kinds: Kinds) -> PermissionsRef<'a> {
        PermissionsRef {
            state: self.state,
            holder: self.holder,
            index,
            kinds,
        }
    }
}

/// Where the sets are that were put together before: each is, once for what the same roles give.
#[derive(Default)]
struct Sets<'a> {
    /// What consists of `store.read` and `store.write` alone, by which of the two; and everything. None of them is equal
    /// to any other set.
    plain: [Option<u32>; 4],
    by_roles: KeyedMap<SmallVec<[&'a RoleId; 4]>, u32>,
}

impl<'a> Sets<'a> {
    fn place_of(&mut self, there: PermissionsRef<'a>, held: &mut HeldInStores) -> u32 {
        let plain = match there.kinds {
            Kinds {
                everything: true, ..
            } => 0,
            Kinds {
                reads,
                writes,
                others: false,
                ..
            } => usize::from(reads) + 2 * usize::from(writes),
            Kinds { others: true, .. } => {
                let place = self.by_roles.entry(there.roles().collect());
                return *place.or_insert_with(|| held.set(there.to_permissions()));
            }
        };
        match self.plain.get_mut(plain) {
            Some(Some(place)) => *place,
            Some(place) => *place.insert(held.new_set(there.to_permissions())),
            None => held.set(there.to_permissions()),
        }
    }
}

/// What one member may do in one place: the [`Permissions`] that nobody has copied.
///
/// As JSON, it is the same as they.
#[derive(Clone, Copy)]
pub struct PermissionsRef<'a> {
    state: &'a State,
    holder: Option<Holder<'a>>,
    index: &'a GrantIndex,
    kinds: Kinds,
}

impl<'a> PermissionsRef<'a> {
    /// Returns whether they allow this: whether one of them includes it ([L7](crate::docs::rules#L7)).
    #[must_use]
    pub fn allows(&self, permission: &Permission) -> bool {
        let held = |holder: Holder<'_>| self.state.holds(holder.entry, permission, self.index);
        self.holder.is_some_and(held)
    }

    /// Returns whether they are every permission there is or will be: an Account Owner's ([P2](crate::docs::rules#P2)).
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.kinds.everything
    }

    /// Returns whether there is nothing that they allow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.kinds.any()
    }

    /// Returns the level that they amount to in a store ([P5](crate::docs::rules#P5)).
    #[must_use]
    pub fn level(&self) -> AccessLevel {
        self.kinds.level()
    }

    /// Returns a value of its own. Takes time in proportion to the permissions.
    #[must_use]
    pub fn to_permissions(&self) -> Permissions {
        if self.kinds.everything {
            Permissions::All
        } else {
            self.state.united(self.roles())
        }
    }

    /// The roles that the member's groups grant here, in the order of ids.
    fn roles(self) -> impl Iterator<Item = &'a RoleId> {
        let roles = self.index.iter();
        roles
            .filter(move |(_, groups)| {
                let holder = self.holder;
                holder.is_some_and(|holder| holder.is_in_any(groups))
            })
            .map(|(role, _)| role)
    }
}

impl Serialize for EffectivePermissionsRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_effective_permissions().serialize(serializer)
    }
}

impl Serialize for PermissionsRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_permissions().serialize(serializer)
    }
}

impl fmt::Debug for EffectivePermissionsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_effective_permissions().fmt(f)
    }
}

impl fmt::Debug for PermissionsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_permissions().fmt(f)
    }
}

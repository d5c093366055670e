//! The answers: allowed or denied and why, and everything that a member may do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::error::Error;
use std::fmt;

use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Deserialize, Serialize, Serializer};

use crate::distinct;
use crate::errors::{coded_errors, error_field, serialized_as_object};
use crate::id::StoreId;
use crate::permission::{Permission, Powers};
use crate::visible::Quoted;

/// Where something is to be done: at the account, or in one store.
///
/// Questions take a `Resource<&str>`, because a request brings text; answers that are kept hold a `Resource<StoreId>`.
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource<S = StoreId> {
    /// The account itself.
    Account,
    /// One store.
    Store(S),
}

impl Resource {
    /// The same place, as a question takes it.
    #[must_use]
    pub fn as_deref(&self) -> Resource<&str> {
        match self {
            Resource::Account => Resource::Account,
            Resource::Store(store) => Resource::Store(store),
        }
    }
}

error_field!(Resource: resource => resource);

/// `at the account` or ``in store `dev` ``. An id is [`Quoted`](crate::Quoted).
impl<S: AsRef<str>> fmt::Display for Resource<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resource::Account => write!(f, "at the account"),
            Resource::Store(store) => write!(f, "in store {}", Quoted(store.as_ref())),
        }
    }
}

/// The answer to a check.
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[must_use = "a decision that nobody looks at protects nothing"]
pub enum Decision {
    /// The member may.
    Allowed,
    /// The member may not, and why.
    Denied(DenialReason),
}

impl Decision {
    /// Whether the member may.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        matches!(self, Decision::Allowed)
    }
}

coded_errors! {
    /// Why a check was denied ([P4](crate::docs::rules#P4)). When several reasons apply, the first in this order is
    /// given, so that somebody outside the account learns nothing about its stores.
    ///
    /// Exhaustive on purpose: a host that matches on it must handle every reason.
    #[derive(Clone, Debug, Eq, PartialEq)]
    pub enum DenialReason with http_status {
        /// The account is closed ([A5](crate::docs::rules#A5)).
        #[error("account-closed", "the account is closed")]
        AccountClosed,
        /// This copy of the account does not hold what its repository holds: a backup was restored, say. It denies
        /// everything until the account is loaded again ([U2](crate::docs::rules#U2)).
        #[error("diverged", "this copy of the account is not what the repository holds; load the account again")]
        Diverged,
        /// No such member in this account.
        #[error("unknown-member", "no such member in this account")]
        UnknownMember,
        /// The member is invited and has not accepted; until then it has no permission at all
        /// ([M1](crate::docs::rules#M1)).
        #[error("invited", "the member has not accepted its invitation yet")]
        Invited,
        /// The member is suspended; until it is reinstated it has no permission at all ([M8](crate::docs::rules#M8)).
        #[error("suspended", "the member is suspended")]
        Suspended,
        /// No such store in this account.
        #[error("unknown-store", "no such store in this account")]
        UnknownStore,
        /// None of the member's groups grants this permission there.
        #[error("missing-permission", "the member lacks {permission}")]
        MissingPermission {
            /// What is missing.
            permission: Permission,
        },
    }
}

impl Error for DenialReason {}

serialized_as_object!(DenialReason);
error_field!(DenialReason: reason => reason);

impl DenialReason {
    /// Returns the status with which an HTTP service answers: 403, or 503 where the account has to be loaded again.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        if matches!(self, DenialReason::Diverged) {
            503
        } else {
            403
        }
    }
}

/// How much a member may do in a store, in one word ([P5](crate::docs::rules#P5)).
///
/// An owner may do all that an editor may, and an editor all that a viewer may. [`Custom`](AccessLevel::Custom) is not
/// one of that row: it comes before `Viewer` only so that the levels can be sorted.
///
/// A level says no more than it says: a viewer may hold `invoice.export` as well. Ask
/// [`Permissions::exceeds_level`], or look at the [`MatrixCell`](crate::MatrixCell)s of a matrix.
///
/// Exhaustive on purpose: a host that matches on it must handle every level.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLevel {
    /// Nothing at all.
    #[default]
    None,
    /// Something, and not `store.read`: `store.write` alone, `store.read.titles` alone, `invoice.export`.
    Custom,
    /// `store.read`, and not `store.write`.
    Viewer,
    /// `store.read` and `store.write`.
    Editor,
    /// The member is an Account Owner.
    Owner,
}

impl AccessLevel {
    /// The level of somebody who is no owner.
    pub(crate) fn of(reads: bool, writes: bool, holds_any: impl FnOnce() -> bool) -> Self {
        match (reads, writes) {
            (true, true) => AccessLevel::Editor,
            (true, false) => AccessLevel::Viewer,
            (false, true) => AccessLevel::Custom,
            (false, false) if holds_any() => AccessLevel::Custom,
            (false, false) => AccessLevel::None,
        }
    }
}

impl fmt::Display for AccessLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            AccessLevel::None => "none",
            AccessLevel::Custom => "custom",
            AccessLevel::Viewer => "viewer",
            AccessLevel::Editor => "editor",
            AccessLevel::Owner => "owner",
        })
    }
}

/// A member's permissions in one place.
///
/// They list what the member's roles name. What that includes ([L7](crate::docs::rules#L7)) is not listed, and counts:
/// ask [`allows`](Permissions::allows). Two sets that allow the same may list different permissions, and are then not
/// equal; compare what they allow by [`is_subset`](Permissions::is_subset).
///
/// Exhaustive on purpose: an owner's permissions cannot be listed, because they include those not yet defined
/// ([P2](crate::docs::rules#P2)).
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permissions {
    /// Every permission there is or will be: an Account Owner's ([P2](crate::docs::rules#P2)).
    All,
    /// These and no others, in the order of their text.
    Only(#[serde(deserialize_with = "distinct::set")] BTreeSet<Permission>),
}

impl Permissions {
    /// Returns no permissions.
    #[must_use]
    pub fn nothing() -> Self {
        Permissions::Only(BTreeSet::new())
    }

    /// Returns whether they allow nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Permissions::All => false,
            Permissions::Only(permissions) => permissions.is_empty(),
        }
    }

    /// Returns whether they allow this: whether one of them includes it ([L7](crate::docs::rules#L7)).
    #[must_use]
    pub fn allows(&self, permission: &Permission) -> bool {
        match self {
            Permissions::All => true,
            Permissions::Only(permissions) => permissions.allows(permission),
        }
    }

    /// Whether both allow the same, whatever they list.
    pub(crate) fn allows_same(&self, others: &Self) -> bool {
        self == others || self.is_subset(others) && others.is_subset(self)
    }

    /// Returns whether the others allow all that these allow.
    #[must_use]
    pub fn is_subset(&self, others: &Self) -> bool {
        match (self, others) {
            (_, Permissions::All) => true,
            (Permissions::All, Permissions::Only(_)) => false,
            (Permissions::Only(these), Permissions::Only(others)) => others.allows_all(these),
        }
    }

    /// Returns the level that they amount to in a store ([P5](crate::docs::rules#P5)).
    #[must_use]
    pub fn level(&self) -> AccessLevel {
        match self {
            Permissions::All => AccessLevel::Owner,
            Permissions::Only(permissions) => {
                let [reads, writes] =
                    Permission::STORE_ACTIONS.map(|action| permissions.allows(&action));
                AccessLevel::of(reads, writes, || !permissions.is_empty())
            }
        }
    }

    /// Returns whether they allow more than their [`level`](Permissions::level) says, as `store.read` with
    /// `invoice.export` does. Never of an owner, who has everything, nor of [`AccessLevel::Custom`], which says nothing
    /// of what it is.
    #[must_use]
    pub fn exceeds_level(&self) -> bool {
        let said = match self.level() {
            AccessLevel::Viewer => vec![Permission::STORE_READ],
            AccessLevel::Editor => vec![Permission::STORE_READ, Permission::STORE_WRITE],
            AccessLevel::None | AccessLevel::Custom | AccessLevel::Owner => return false,
        };
        !self.is_subset(&Permissions::Only(said.into_iter().collect()))
    }
}

/// Everything that one member may do in one account: the union over all roles of all its groups, plus
/// ownership ([P1](crate::docs::rules#P1)).
///
/// A value of its own: it does not change with the account, so it is as old as the moment when it was read. In a
/// token, put the account's id, the member's and [`Account::version`](crate::Account::version) beside it. An owner's
/// lists all stores that there were, and knows of no later one.
///
/// ```
/// use grantbook::EffectivePermissions;
///
/// let token = r#"{"account":{"only":["account.manage_groups"]},"stores":{"dev":{"only":["store.read"]}}}"#;
/// let permissions: EffectivePermissions = serde_json::from_str(token)?;
/// assert!(permissions.stores().all(|(_, there)| there.level() == grantbook::AccessLevel::Viewer));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Deserialize)]
#[serde(from = "Listed")]
pub struct EffectivePermissions {
    account: Permissions,
    /// What the member may do in any store, each set once, in the order of the first store that it is of.
    sets: Vec<Permissions>,
    /// As the account gives them, without the stores where the member may do nothing; in the order of ids, each with the
    /// place of its set.
    stores: Vec<(StoreId, u32)>,
}

/// Effective permissions as they are written: each store with its permissions.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename = "EffectivePermissions")]
struct Listed {
    account: Permissions,
    #[serde(deserialize_with = "distinct::map")]
    stores: BTreeMap<StoreId, Permissions>,
}

impl From<Listed> for EffectivePermissions {
    fn from(Listed { account, stores }: Listed) -> Self {
        let mut held = HeldInStores::with_capacity(stores.len());
        for (store, there) in stores {
            let set = held.set(there);
            held.push(store, set);
        }
        held.with_account(account)
    }
}

/// Effective permissions in the making.
pub(crate) struct HeldInStores {
    sets: Vec<Permissions>,
    /// Where those are that may come again.
    known: HashMap<Permissions, u32>,
    stores: Vec<(StoreId, u32)>,
}

impl HeldInStores {
    /// With room for so many stores.
    pub(crate) fn with_capacity(stores: usize) -> Self {
        Self {
            sets: Vec::new(),
            known: HashMap::new(),
            stores: Vec::with_capacity(stores),
        }
    }

    /// The place of this set, which may be there already.
    pub(crate) fn set(&mut self, permissions: Permissions) -> u32 {
        if let Some(place) = self.known.get(&permissions) {
            return *place;
        }
        let place = self.new_set(permissions.clone());
        self.known.insert(permissions, place);
        place
    }

    /// The place of a set that is not there, and does not come again.
    pub(crate) fn new_set(&mut self, permissions: Permissions) -> u32 {
        self.sets.push(permissions);
        // As many as stores at most, which are counted in 32 bits.
        u32::try_from(self.sets.len() - 1).unwrap_or(u32::MAX)
    }

    /// The next store in the order of ids, and the place of what is held there.
    pub(crate) fn push(&mut self, store: StoreId, set: u32) {
        self.stores.push((store, set));
    }

    pub(crate) fn with_account(self, account: Permissions) -> EffectivePermissions {
        EffectivePermissions {
            account,
            sets: self.sets,
            stores: self.stores,
        }
    }
}

/// Each store with its permissions, as `Listed` reads them.
impl Serialize for EffectivePermissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Stores<'a>(&'a EffectivePermissions);

        impl Serialize for Stores<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(self.0.stores.len()))?;
                for (store, there) in self.0.stores() {
                    map.serialize_entry(store, there)?;
                }
                map.end()
            }
        }

        let mut object = serializer.serialize_struct("EffectivePermissions", 2)?;
        object.serialize_field("account", &self.account)?;
        object.serialize_field("stores", &Stores(self))?;
        object.end()
    }
}

impl EffectivePermissions {
    /// What is held in this store; `None` in one that is not listed.
    fn in_store(&self, store: &str) -> Option<&Permissions> {
        let found = self
            .stores
            .binary_search_by(|(id, _)| id.as_str().cmp(store));
        let (_, set) = self.stores.get(found.ok()?)?;
        self.sets.get(*set as usize)
    }

    /// Whether they allow this, as the account did when they were read from it.
    #[must_use]
    pub fn can(&self, permission: &Permission, resource: Resource<&str>) -> bool {
        match resource {
            Resource::Account => self.account.allows(permission),
            Resource::Store(store) => {
                let there = self.in_store(store);
                there.is_some_and(|there| there.allows(permission))
            }
        }
    }

    /// The permissions at the account.
    #[must_use]
    pub fn account(&self) -> &Permissions {
        &self.account
    }

    /// The stores where the member may do anything, in the order of their ids, with what it may do there. Equal
    /// permissions are held once: those of two stores are often the same value.
    pub fn stores(&self) -> impl Iterator<Item = (&StoreId, &Permissions)> {
        let stores = self.stores.iter();
        stores.filter_map(|(store, set)| Some((store, self.sets.get(*set as usize)?)))
    }

    /// The access level in a store; [`AccessLevel::None`] in a store that is unknown, or where the member may do
    /// nothing.
    #[must_use]
    pub fn level(&self, store: &str) -> AccessLevel {
        self.in_store(store)
            .map_or(AccessLevel::None, Permissions::level)
    }

    /// Whether there is nothing that they allow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let nothing = Permissions::nothing();
        self.account == nothing && self.sets.iter().all(|set| *set == nothing)
    }

    /// Whether the others allow all that these allow.
    #[must_use]
    pub fn is_subset(&self, others: &Self) -> bool {
        let nothing = Permissions::nothing();
        self.account.is_subset(&others.account)
            && self
                .stores()
                .all(|(store, these)| these.is_subset(others.in_store(store).unwrap_or(&nothing)))
    }
}

//! Grants: a role on a group, with its scope.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::distinct;
use crate::id::{RoleId, StoreId};
use crate::role::RoleLevel;

/// A role on a group, with its scope ([G4](crate::docs::rules#G4), [G5](crate::docs::rules#G5)).
///
/// ```
/// use grantbook::{Grant, StoreId};
///
/// // One group may edit one store, view another, and manage groups too.
/// let grants = vec![
///     Grant::store_editor([StoreId::parse("staging")?]),
///     Grant::store_viewer([StoreId::parse("production")?]),
///     Grant::group_manager(),
/// ];
/// # assert_eq!(grants.len(), 3);
/// # Ok::<(), grantbook::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a grant, such as `{\"role\": \"store-editor\", \"scope\": {\"stores\": [\"dev\"]}}`"
)]
pub struct Grant {
    /// Which role.
    pub role: RoleId,
    /// Where it holds.
    pub scope: Scope,
}

impl Grant {
    /// Group Manager, at the account.
    #[must_use]
    pub fn group_manager() -> Self {
        Self::at_account(RoleId::group_manager())
    }

    /// Store Editor, which includes Store Viewer ([L2](crate::docs::rules#L2)), in these stores.
    #[must_use]
    pub fn store_editor(stores: impl IntoIterator<Item = impl Into<StoreId>>) -> Self {
        Self::in_stores(RoleId::store_editor(), stores)
    }

    /// Store Viewer, in these stores.
    #[must_use]
    pub fn store_viewer(stores: impl IntoIterator<Item = impl Into<StoreId>>) -> Self {
        Self::in_stores(RoleId::store_viewer(), stores)
    }

    /// An account-level role.
    #[must_use]
    pub fn at_account(role: impl Into<RoleId>) -> Self {
        Self {
            role: role.into(),
            scope: Scope::Account,
        }
    }

    /// A store-level role, in these stores. Naming a store twice is naming it once.
    #[must_use]
    pub fn in_stores(
        role: impl Into<RoleId>,
        stores: impl IntoIterator<Item = impl Into<StoreId>>,
    ) -> Self {
        Self {
            role: role.into(),
            scope: Scope::Stores(stores.into_iter().map(Into::into).collect()),
        }
    }
}

/// Where a grant holds.
///
/// An empty set of stores is *no* store, never all of them. A grant is not assigned with one
/// ([G5](crate::docs::rules#G5)); it comes to have one when its last store is deleted, and then grants nothing
/// ([S3](crate::docs::rules#S3)).
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The account itself, for a role of [`RoleLevel::Account`].
    Account,
    /// These stores, for a role of [`RoleLevel::Store`]. What is read may not name one twice.
    Stores(BTreeSet<StoreId>),
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Scope", rename_all = "kebab-case")]
        enum Repr {
            Account,
            Stores(#[serde(deserialize_with = "distinct::set")] BTreeSet<StoreId>),
        }

        match Repr::deserialize(deserializer) {
            Ok(Repr::Account) => Ok(Self::Account),
            Ok(Repr::Stores(stores)) => Ok(Self::Stores(stores)),
            // What an error of JSON ends with is the place: it stays at the end.
            Err(error) => Err(D::Error::custom(format_args!(
                "a scope is `\"account\"` or `{{\"stores\": [\"dev\"]}}`: {error}"
            ))),
        }
    }
}

impl Scope {
    /// Whether a role of this level can have this scope ([G5](crate::docs::rules#G5)).
    #[must_use]
    pub fn fits(&self, level: RoleLevel) -> bool {
        self.level() == level
    }

    /// The level of the roles that can have this scope (G5).
    pub(crate) fn level(&self) -> RoleLevel {
        match self {
            Scope::Account => RoleLevel::Account,
            Scope::Stores(_) => RoleLevel::Store,
        }
    }

    pub(crate) fn store_set(&self) -> &BTreeSet<StoreId> {
        static NONE: BTreeSet<StoreId> = BTreeSet::new();
        match self {
            Scope::Account => &NONE,
            Scope::Stores(stores) => stores,
        }
    }

    /// The stores, in the order of their ids; none for the account.
    pub fn stores(&self) -> impl Iterator<Item = &StoreId> {
        self.store_set().iter()
    }
}

/// A role that a group carries, with its scope: a [`Grant`] as the account holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct GrantRef<'a> {
    /// The role.
    pub role: &'a RoleId,
    /// Where it holds. Without stores, if all of them were deleted ([S3](crate::docs::rules#S3)).
    pub scope: &'a Scope,
}

impl GrantRef<'_> {
    /// Copies the grant, for a command.
    #[must_use]
    pub fn to_grant(self) -> Grant {
        Grant {
            role: self.role.clone(),
            scope: self.scope.clone(),
        }
    }
}

/// Whether each role is named once, in the order of ids.
pub(crate) fn are_merged(grants: &[Grant]) -> bool {
    grants.is_sorted_by(|one, other| one.role < other.role)
}

/// Each role once, its stores united, in the order of the roles' ids (G4).
///
/// A role given both at the account and in stores stays twice: one of the two does not fit its level, and is refused.
pub(crate) fn merge_grants(mut grants: Vec<Grant>) -> Vec<Grant> {
    if are_merged(&grants) {
        return grants;
    }
    grants.sort_by(|one, other| one.role.cmp(&other.role));
    grants.dedup_by(|next, kept| {
        next.role == kept.role
            && match (&mut kept.scope, &mut next.scope) {
                (Scope::Stores(stores), Scope::Stores(more)) => {
                    // Not `append`, which goes over all that is there already: 10,000 times, for 10,000 grants.
                    stores.extend(std::mem::take(more));
                    true
                }
                (Scope::Account, Scope::Account) => true,
                (Scope::Account, Scope::Stores(_)) | (Scope::Stores(_), Scope::Account) => false,
            }
    });
    grants
}

/// Reads a list of grants.
pub(crate) fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Grant>, D::Error> {
    struct Grants;

    impl<'de> Visitor<'de> for Grants {
        type Value = Vec<Grant>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of grants")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut grants = Vec::new();
            while let Some(grant) = items.next_element()? {
                grants.push(grant);
            }
            Ok(grants)
        }
    }

    deserializer.deserialize_seq(Grants)
}

/// Reads a list of grants that may be left out.
pub(crate) fn optional_list<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Grant>>, D::Error> {
    #[derive(Deserialize)]
    struct List(#[serde(deserialize_with = "list")] Vec<Grant>);

    Ok(Option::<List>::deserialize(deserializer)?.map(|list| list.0))
}

//! The permissions that there are: the built-in ones, and those that an application declares.

mod command;
mod declared;

use std::collections::BTreeMap;
use std::error::Error;

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::errors::{coded_errors, error_field, serialized_as_object};
use crate::permission::Permission;
use crate::role::{Role, RoleLevel};

use declared::Unlisted;

pub use command::PermissionError;

/// The permissions that there are: the built-in ones ([L5](crate::docs::rules#L5)), and those of your application, each
/// with the level of the roles that can give it ([L6](crate::docs::rules#L6)).
///
/// An account takes any permission that is well formed, so a typing error in a role, or in a check, grants nothing to
/// anybody and nobody notices. With a catalog it is noticed: by [`check`](Catalog::check) before a role is defined, by
/// [`Account::explain`](crate::Account::explain) with [`ExplainOptions`](crate::ExplainOptions), and by
/// [`Account::review_with`](crate::Account::review_with). No check of access depends on it.
///
/// Only what is listed is known: that a permission extends a known one ([L7](crate::docs::rules#L7)) does not make it
/// known.
///
/// [`permissions!`](crate::permissions) declares one that is checked when it is compiled. This one comes from a list that
/// your application reads:
///
/// ```
/// use grantbook::{Catalog, Permission, RoleLevel};
///
/// let catalog = Catalog::new([(Permission::parse("report.export")?, RoleLevel::Store)])?;
/// assert!(catalog.contains("report.export") && catalog.contains("store.read"));
/// assert!(!catalog.contains("report.export.pdf"));
/// assert_eq!(catalog.level_of("report.export"), Some(RoleLevel::Store));
/// assert_eq!(catalog.nearest("report.exprot"), Some(&Permission::parse("report.export")?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// As JSON it is the list of its permissions, in the order of their text:
/// `[{"permission":"account.close","level":"account","is_built_in":true},…]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Catalog {
    levels: BTreeMap<Permission, RoleLevel>,
}

/// The built-in permissions alone.
impl Default for Catalog {
    fn default() -> Self {
        let built_in = Permission::BUILT_IN.into_iter();
        let levels = built_in.map(|permission| {
            let level = level_by_prefix(&permission).unwrap_or(RoleLevel::Store);
            (permission, level)
        });
        Self {
            levels: levels.collect(),
        }
    }
}

impl Catalog {
    /// Creates a catalog of these permissions, beside the built-in ones. One may be listed twice, at one level.
    ///
    /// # Errors
    /// `account.export` at either level (reserved), `store.read.titles` at the account and `account.close.soon` in stores
    /// (level), and a permission that is listed at both levels.
    pub fn new(
        permissions: impl IntoIterator<Item = (Permission, RoleLevel)>,
    ) -> Result<Self, CatalogError> {
        let mut catalog = Self::default();
        for (permission, level) in permissions {
            match Unlisted::reason(&permission, level) {
                None | Some(Unlisted::Malformed) => {}
                Some(Unlisted::Reserved) => {
                    return Err(CatalogError::ReservedPermission { permission });
                }
                Some(Unlisted::WrongLevel) => {
                    return Err(CatalogError::WrongLevel { permission, level });
                }
            }
            let listed = *catalog.levels.entry(permission.clone()).or_insert(level);
            if listed != level {
                return Err(CatalogError::BothLevels { permission });
            }
        }
        Ok(catalog)
    }

    /// Returns whether there is such a permission.
    #[must_use]
    pub fn contains(&self, permission: &str) -> bool {
        self.levels.contains_key(permission)
    }

    /// Returns the level of the roles that can give this permission; `None` if there is no such permission.
    #[must_use]
    pub fn level_of(&self, permission: &str) -> Option<RoleLevel> {
        self.levels.get(permission).copied()
    }

    /// Returns the permission that takes the fewest changes of a letter to become this text, if these are few: at most
    /// one for each four of its letters. Of several, the first.
    ///
    /// Takes time in proportion to the permissions of the catalog, whatever the text.
    #[must_use]
    pub fn nearest(&self, text: &str) -> Option<&Permission> {
        nearest(text, self.levels.keys())
    }

    /// Iterates over all permissions with their levels, in the order of their text.
    pub fn permissions(&self) -> impl Iterator<Item = (&Permission, RoleLevel)> {
        let levels = self.levels.iter();
        levels.map(|(permission, level)| (permission, *level))
    }

    /// The permissions of a role that are not listed.
    pub(crate) fn unknown_of<'a>(&self, role: &'a Role) -> impl Iterator<Item = &'a Permission> {
        let permissions = role.permissions().iter();
        permissions.filter(|permission| !self.contains(permission))
    }

    /// The permissions of a role that are listed at the other level.
    pub(crate) fn misplaced_of<'a>(&self, role: &'a Role) -> impl Iterator<Item = &'a Permission> {
        let level = role.level();
        let permissions = role.permissions().iter();
        permissions.filter(move |permission| {
            let listed = self.level_of(permission);
            listed.is_some_and(|listed| listed != level)
        })
    }
}

impl Serialize for Catalog {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Listed<'a> {
            permission: &'a Permission,
            level: RoleLevel,
            is_built_in: bool,
        }
        let mut list = serializer.serialize_seq(Some(self.levels.len()))?;
        for (permission, level) in self.permissions() {
            list.serialize_element(&Listed {
                permission,
                level,
                is_built_in: permission.is_built_in(),
            })?;
        }
        list.end()
    }
}

coded_errors! {
    /// Why a list is no catalog of permissions.
    #[derive(Clone, Debug, Eq, PartialEq)]
    #[non_exhaustive]
    pub enum CatalogError with http_status {
        /// It begins with `account.`, and neither is it one of the library's own nor does it extend one
        /// ([L5](crate::docs::rules#L5)).
        #[error("reserved-permission", "{permission} is reserved; name what your application does otherwise")]
        ReservedPermission {
            /// The permission.
            permission: Permission,
        },
        /// What begins with `store.` belongs to stores, and what begins with `account.` to the account
        /// ([L5](crate::docs::rules#L5)).
        #[error("wrong-level", "{permission} cannot be listed at {level} level")]
        WrongLevel {
            /// The permission.
            permission: Permission,
            /// The level at which it is listed.
            level: RoleLevel,
        },
        /// It is listed at both levels: what the same check means would depend on where it is asked.
        #[error("both-levels", "{permission} is listed at both levels; give it a name for each")]
        BothLevels {
            /// The permission.
            permission: Permission,
        },
    }
}

impl CatalogError {
    /// Returns 422, the status with which an HTTP service answers.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        422
    }
}

impl Error for CatalogError {}

serialized_as_object!(CatalogError);
error_field!(Option<Permission>: permission => permission.as_deref().unwrap_or("no permission"));
error_field!(Option<RoleLevel>: level => level.map_or("no level", RoleLevel::as_str));

/// The level that a permission belongs to by its first segment, whatever the application lists.
pub(crate) fn level_by_prefix(permission: &Permission) -> Option<RoleLevel> {
    if permission.is_reserved() {
        Some(RoleLevel::Account)
    } else if permission.is_store_only() {
        Some(RoleLevel::Store)
    } else {
        None
    }
}

/// The permission that takes the fewest changes of a letter to become this text, if these are few.
pub(crate) fn nearest<'a>(
    text: &str,
    known: impl Iterator<Item = &'a Permission>,
) -> Option<&'a Permission> {
    // What is longer takes more than these few to become as short as the longest permission.
    if text.len() > Permission::LONGEST * 4 / 3 {
        return None;
    }
    let distances = known.map(|known| (distance(text, known), known));
    let (distance, nearest) = distances.min()?;
    (distance * 4 <= text.len()).then_some(nearest)
}

/// How many letters have to be put in, taken out or replaced (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.bytes().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        for (cell, other) in row.iter_mut().skip(1).zip(other.bytes()) {
            let replaced = diagonal + usize::from(letter != other);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

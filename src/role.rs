//! Roles: named sets of permissions, at one level.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::errors::error_field;
use crate::id::RoleId;
use crate::name::RoleName;
use crate::permission::{Permission, Powers};

/// Where a role's permissions hold: at the account, or in the stores that a grant names ([L6](crate::docs::rules#L6)).
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleLevel {
    /// At the account, and in no store.
    Account,
    /// In the stores of the grant's scope, and nowhere else.
    Store,
}

error_field!(RoleLevel: level => level);

impl RoleLevel {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            RoleLevel::Account => "account",
            RoleLevel::Store => "store",
        }
    }
}

impl fmt::Display for RoleLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A role of an account: built in ([L1](crate::docs::rules#L1)), or defined by it ([L3](crate::docs::rules#L3)).
///
/// A role is read from an account; the command [`DefineRole`](crate::command::DefineRole) creates one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Role {
    pub(crate) name: RoleName,
    pub(crate) level: RoleLevel,
    /// Shared, because a role is copied when a change to it is tried out.
    pub(crate) permissions: Arc<BTreeSet<Permission>>,
    pub(crate) built_in: bool,
    /// As the account has it; the account sets it.
    pub(crate) revision: u64,
}

/// As one object: what the methods return. Its id is where it was read from.
impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Role", 5)?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("level", &self.level)?;
        object.serialize_field("permissions", self.permissions())?;
        object.serialize_field("is_built_in", &self.built_in)?;
        object.serialize_field("revision", &self.revision)?;
        object.end()
    }
}

impl Role {
    /// The role's name.
    #[must_use]
    pub fn name(&self) -> &RoleName {
        &self.name
    }

    /// Returns the revision of its definition: the version of the last record that changed its name or permissions; 0,
    /// if it is built in ([U8](crate::docs::rules#U8)).
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Where its permissions hold. It never changes ([L3](crate::docs::rules#L3)).
    #[must_use]
    pub fn level(&self) -> RoleLevel {
        self.level
    }

    /// Its permissions, in the order of their text; at least one. What these include ([L7](crate::docs::rules#L7)) is
    /// not listed: ask [`allows`](Role::allows).
    #[must_use]
    pub fn permissions(&self) -> &BTreeSet<Permission> {
        &self.permissions
    }

    /// Returns whether its permissions allow this: whether one of them includes it ([L7](crate::docs::rules#L7)).
    #[must_use]
    pub fn allows(&self, permission: &Permission) -> bool {
        self.permissions.allows(permission)
    }

    /// Whether the library defines it, so that nobody can change or delete it ([L1](crate::docs::rules#L1)).
    #[must_use]
    pub fn is_built_in(&self) -> bool {
        self.built_in
    }

    /// The roles that every account has from the start (L1, L5).
    pub(crate) fn built_ins() -> [(RoleId, Role); 3] {
        let built_in = |name, level, permissions: &[Permission]| Role {
            name: RoleName::built_in(name),
            level,
            permissions: Arc::new(permissions.iter().cloned().collect()),
            built_in: true,
            revision: 0,
        };
        let manager = [Permission::INVITE_MEMBERS, Permission::MANAGE_GROUPS];
        let editor = [Permission::STORE_READ, Permission::STORE_WRITE];
        let viewer = [Permission::STORE_READ];
        [
            (
                RoleId::group_manager(),
                built_in("Group Manager", RoleLevel::Account, &manager),
            ),
            (
                RoleId::store_editor(),
                built_in("Store Editor", RoleLevel::Store, &editor),
            ),
            (
                RoleId::store_viewer(),
                built_in("Store Viewer", RoleLevel::Store, &viewer),
            ),
        ]
    }
}

/// Whether no custom role may be called so, by id or by name, in whatever case of letters and with whatever between them:
/// ownership is given directly, never by a role (M6).
pub(crate) fn is_ownership(id_or_name: &str) -> bool {
    has_same_letters(id_or_name, "accountowner")
}

/// Whether both have the same letters and digits, in whatever case and with whatever between them.
pub(crate) fn has_same_letters(one: &str, other: &str) -> bool {
    let letters = |text: &str| {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters
            .map(|letter| letter.to_ascii_lowercase())
            .collect::<String>()
    };
    letters(one) == letters(other)
}

//! Members by stores.

use std::collections::HashMap;
use std::fmt;

use crate::access::{AccessLevel, Permissions, Resource};
use crate::account::Account;
use crate::account::check::Check;
use crate::account::data::AccountData;
use crate::account::status::MemberStatus;
use crate::id::{MemberId, RoleId, StoreId};

/// Who has which access in which store: a row for each member, a column for each store, both in the order of ids; and
/// what each member holds at the account. With the feature `render` it is written as text, Markdown, CSV and HTML.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessMatrix {
    /// The columns.
    pub stores: Vec<StoreId>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
}

/// One member's row of an [`AccessMatrix`]. While it is invited, a member holds nothing, whatever it was promised (M1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MatrixRow {
    /// The member.
    pub member: MemberId,
    /// Whether it is active, and whether it is an owner or invited as one.
    pub status: MemberStatus,
    /// What it holds at the account.
    pub account: Permissions,
    /// What it may do in the store of each column.
    pub cells: Vec<MatrixCell>,
}

/// How much a member may do in a store. `Display` writes it as `viewer`, or `viewer+` where there is more.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MatrixCell {
    /// The access level (P5).
    pub level: AccessLevel,
    /// Whether the member may do more there than the level says ([`Permissions::exceeds_level`]).
    pub has_more: bool,
}

impl From<&Permissions> for MatrixCell {
    fn from(permissions: &Permissions) -> Self {
        Self {
            level: permissions.level(),
            has_more: permissions.exceeds_level(),
        }
    }
}

impl fmt::Display for MatrixCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.level, if self.has_more { "+" } else { "" })
    }
}

impl Account {
    /// Returns members by stores, with their levels. Takes time and memory in proportion to members times stores.
    #[must_use]
    pub fn matrix(&self) -> AccessMatrix {
        let state = &self.state;
        // What the same roles give is looked at once.
        let mut known: HashMap<Vec<&RoleId>, MatrixCell> = HashMap::new();
        let rows = state.members_after(None).map(|(id, member)| {
            let account = state.permissions_in(id, Resource::Account);
            let account = account.unwrap_or_else(|_| Permissions::nothing());
            let is_listed = member.is_active() && !member.is_owner() && state.header().is_open();
            let cells = if is_listed {
                let each = state.roles_in_stores(member).map(|(_, roles)| {
                    let cell = known.entry(roles).or_insert_with_key(|roles| {
                        MatrixCell::from(&state.united(roles.iter().copied()))
                    });
                    *cell
                });
                each.collect()
            } else {
                vec![MatrixCell::from(&account); state.store_count()]
            };
            MatrixRow {
                member: id.clone(),
                status: member.status(),
                account,
                cells,
            }
        });
        AccessMatrix {
            rows: rows.collect(),
            stores: self.stores().cloned().collect(),
        }
    }
}

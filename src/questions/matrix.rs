//! Who holds which access: members with the same access by stores.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::access::{AccessLevel, Permissions, Resource};
use crate::account::Account;
use crate::account::check::Check;
use crate::account::data::AccountData;
use crate::account::data::hash::KeyedMap;
use crate::account::data::slots::SlotSet;
use crate::account::status::MemberStatus;
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::permission::{Permission, Powers};

/// Who holds which access: a row for all members who have the same, a column for each store.
///
/// Whoever differs from most comes first. The rows are those of account owners, of suspended owners, of members invited
/// as owners, of other active members who hold something at the account, of those who hold something in stores, of those
/// who hold nothing, of suspended members, and of invited ones; among these, the fewest members first, and then by the
/// first member's id. Everybody has one place in one row. The columns are in the order of ids.
///
/// With the feature `render` it is written as text, Markdown and CSV, and [`Account::to_html`] makes a page of it.
///
/// As JSON:
///
/// ```
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// # account.execute(&Actor::System, &command::CreateStore { store: StoreId::parse("dev")? }.into(), now)?;
/// let json = serde_json::to_value(account.matrix())?;
/// assert_eq!(json["stores"], serde_json::json!(["dev"]));
/// assert_eq!(json["rows"][0], serde_json::json!({
///     "status": "owner",
///     "count": 1,
///     "account": "all",
///     "cells": [{ "level": "owner", "beyond": [] }],
///     "members": [{ "groups": [], "members": ["olga"] }],
/// }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AccessMatrix {
    /// The columns.
    pub stores: Vec<StoreId>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
    /// The last member of this page, if there are members after it: what [`Account::matrix_page`] takes for the next.
    pub next: Option<MemberId>,
}

/// The row of all members who have the same status and the same access, in every store and at the account.
///
/// While it is invited or suspended, a member holds nothing, whatever its groups would give
/// ([M1](crate::docs::rules#M1), [M8](crate::docs::rules#M8)).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MatrixRow {
    /// The status that they share.
    pub status: MatrixStatus,
    /// How many members they are.
    pub count: usize,
    /// What each of them holds at the account, without what the rest includes ([L7](crate::docs::rules#L7)).
    pub account: Permissions,
    /// What each of them may do in the store of each column.
    pub cells: Vec<MatrixCell>,
    /// Who they are, by the groups that they are in, which may differ where the access does not.
    pub members: Vec<MatrixMembers>,
}

/// Members of a [`MatrixRow`] who are in the same groups.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MatrixMembers {
    /// The groups, in the order of ids.
    pub groups: Vec<GroupId>,
    /// The members, in the order of ids.
    pub members: Vec<MemberId>,
}

/// The status that the members of a [`MatrixRow`] share: a [`MemberStatus`] without the time at which an invitation
/// ends. `Display` writes it in words.
///
/// Exhaustive on purpose: a report that matches on it must show each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MatrixStatus {
    /// An Account Owner, who holds everything.
    Owner,
    /// Holds nothing, and is an Account Owner again once it is reinstated.
    SuspendedOwner,
    /// Holds nothing, and becomes an Account Owner by accepting.
    InvitedAsOwner,
    /// Holds what its groups grant.
    Active,
    /// Holds nothing until it is reinstated.
    Suspended,
    /// Holds nothing until it accepts.
    Invited,
}

impl From<MemberStatus> for MatrixStatus {
    fn from(status: MemberStatus) -> Self {
        match status {
            MemberStatus::Active { owner: true } => MatrixStatus::Owner,
            MemberStatus::Active { owner: false } => MatrixStatus::Active,
            MemberStatus::Suspended { owner: true } => MatrixStatus::SuspendedOwner,
            MemberStatus::Suspended { owner: false } => MatrixStatus::Suspended,
            MemberStatus::Invited { as_owner: true, .. } => MatrixStatus::InvitedAsOwner,
            MemberStatus::Invited { .. } => MatrixStatus::Invited,
        }
    }
}

impl fmt::Display for MatrixStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            MatrixStatus::Owner => "owner",
            MatrixStatus::SuspendedOwner => "suspended owner",
            MatrixStatus::InvitedAsOwner => "invited as owner",
            MatrixStatus::Active => "active",
            MatrixStatus::Suspended => "suspended",
            MatrixStatus::Invited => "invited",
        })
    }
}

/// What a member may do in a store: the level, and every permission beyond it.
///
/// Two cells are equal exactly where the same is allowed. `Display` writes `none`, `viewer`, `viewer + log.export` or
/// `custom: store.write`.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct MatrixCell {
    level: AccessLevel,
    /// Without what the level or another of them includes (L7). Cells of the same roles share it.
    beyond: Option<Arc<BTreeSet<Permission>>>,
}

impl MatrixCell {
    /// Returns the access level ([P5](crate::docs::rules#P5)).
    #[must_use]
    pub fn level(&self) -> AccessLevel {
        self.level
    }

    /// Returns the permissions beyond what the level says, in the order of their text, without what another of them
    /// includes ([L7](crate::docs::rules#L7)). With [`AccessLevel::Custom`], which says nothing of what it is, that is
    /// all that is held; with [`AccessLevel::Owner`], which says everything, it is nothing.
    pub fn beyond(&self) -> impl ExactSizeIterator<Item = &Permission> {
        let beyond = self.beyond.as_deref();
        beyond.map_or_else(Default::default, BTreeSet::iter)
    }
}

impl From<&Permissions> for MatrixCell {
    fn from(permissions: &Permissions) -> Self {
        let level = permissions.level();
        let said = match level {
            AccessLevel::None | AccessLevel::Custom | AccessLevel::Owner => BTreeSet::new(),
            AccessLevel::Viewer => [Permission::STORE_READ].into(),
            AccessLevel::Editor => [Permission::STORE_READ, Permission::STORE_WRITE].into(),
        };
        let beyond = match permissions {
            Permissions::All => BTreeSet::new(),
            Permissions::Only(permissions) => {
                let beyond = shortest(permissions).filter(|permission| !said.allows(permission));
                beyond.cloned().collect()
            }
        };
        Self {
            level,
            beyond: (!beyond.is_empty()).then(|| Arc::new(beyond)),
        }
    }
}

impl Serialize for MatrixCell {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a> {
            level: AccessLevel,
            beyond: Vec<&'a Permission>,
        }
        let fields = Fields {
            level: self.level,
            beyond: self.beyond().collect(),
        };
        fields.serialize(serializer)
    }
}

impl fmt::Display for MatrixCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.level)?;
        let sign = match self.level {
            AccessLevel::Custom => ":",
            AccessLevel::None | AccessLevel::Viewer | AccessLevel::Editor | AccessLevel::Owner => {
                " +"
            }
        };
        if self.beyond.is_some() {
            f.write_str(sign)?;
        }
        self.beyond()
            .try_for_each(|permission| write!(f, " {}", permission.as_str()))
    }
}

/// Those that no other includes (L7). Sets that allow the same have the same.
fn shortest(permissions: &BTreeSet<Permission>) -> impl Iterator<Item = &Permission> {
    permissions.iter().filter(|permission| {
        let mut including = permission.included_in();
        including.all(|text| text == permission.as_str() || !permissions.contains(text))
    })
}

impl MatrixRow {
    /// Returns who they are, in the order of ids.
    pub fn member_ids(&self) -> impl Iterator<Item = &MemberId> {
        let parts = self.members.iter().flat_map(|part| &part.members);
        let mut members: Vec<&MemberId> = parts.collect();
        members.sort_unstable();
        members.into_iter()
    }

    /// Returns whether each of them holds anything, in any store or at the account.
    #[must_use]
    pub fn has_access(&self) -> bool {
        self.has_account_access() || self.cells.iter().any(|cell| *cell != MatrixCell::default())
    }

    /// Returns whether each of them holds anything at the account itself.
    #[must_use]
    pub fn has_account_access(&self) -> bool {
        self.account != Permissions::nothing()
    }

    fn rank(&self) -> (MatrixStatus, bool, bool) {
        let is_plain = !self.has_account_access();
        (self.status, is_plain, is_plain && !self.has_access())
    }
}

/// Members who are in the same groups, and so have the same access.
type Alike<'a> = KeyedMap<(MatrixStatus, SlotSet), Vec<&'a MemberId>>;

impl Account {
    /// Returns who holds which access, grouped by what is the same.
    ///
    /// Members are put by their groups first. So it takes time and memory in proportion to the members, and to the
    /// distinct sets of groups times the stores.
    #[must_use]
    pub fn matrix(&self) -> AccessMatrix {
        self.matrix_page(None, usize::MAX)
    }

    /// As [`matrix`](Account::matrix), of at most so many members, the first ones whose ids come after this one.
    ///
    /// Pages that are asked for one after the other, each after the [`next`](AccessMatrix::next) of the one before, hold
    /// everybody once who is there all the time. The member `after` need not exist any more. Rows of different pages
    /// that have the same status and access are to be joined. A page has at least one member.
    #[must_use]
    pub fn matrix_page(&self, after: Option<&str>, limit: usize) -> AccessMatrix {
        let state = &self.state;
        let mut members = state.members_after(after);
        let mut last = None;
        let mut alike = Alike::default();
        for (id, member) in members.by_ref().take(limit.max(1)) {
            let key = (MatrixStatus::from(member.status()), member.groups());
            alike.entry(key).or_default().push(id);
            last = Some(id);
        }
        let next = last.filter(|_| members.next().is_some());
        AccessMatrix {
            stores: self.stores().cloned().collect(),
            rows: self.matrix_rows(alike),
            next: next.cloned(),
        }
    }

    fn matrix_rows(&self, alike: Alike<'_>) -> Vec<MatrixRow> {
        let mut known = KnownCells::default();
        let mut rows: KeyedMap<(MatrixStatus, usize, Vec<usize>), MatrixRow> = KeyedMap::default();
        let by_slot = self.state.groups_by_slot();
        for ((status, slots), ids) in alike {
            let account = self.account_access(status, &slots);
            // Its level and what is beyond it say all of it, in a store or not.
            let at_account = known.number(MatrixCell::from(&account));
            let in_stores = self.store_access(&account, status, &slots, &mut known);
            let row = rows
                .entry((status, at_account, in_stores))
                .or_insert_with_key(|(status, _, in_stores)| MatrixRow {
                    status: *status,
                    count: 0,
                    account,
                    cells: in_stores.iter().map(|number| known.cell(*number)).collect(),
                    members: Vec::new(),
                });
            let groups = slots.iter().filter_map(|slot| by_slot.get(&slot));
            let mut groups: Vec<GroupId> = groups.map(|group| (*group).clone()).collect();
            groups.sort_unstable();
            row.count += ids.len();
            row.members.push(MatrixMembers {
                groups,
                members: ids.into_iter().cloned().collect(),
            });
        }
        let mut rows: Vec<MatrixRow> = rows.into_values().collect();
        for row in &mut rows {
            row.members
                .sort_unstable_by(|one, other| one.groups.cmp(&other.groups));
        }
        let first = |row: &MatrixRow| row.member_ids().next().cloned();
        rows.sort_by_cached_key(|row| (row.rank(), row.count, first(row)));
        rows
    }

    fn account_access(&self, status: MatrixStatus, slots: &SlotSet) -> Permissions {
        let is_open = self.state.header().is_open();
        match status {
            MatrixStatus::Owner if is_open => Permissions::All,
            MatrixStatus::Active if is_open => {
                let index = self.state.index(Resource::Account);
                let roles = index.into_iter().flat_map(|index| index.granted_by(slots));
                match self.state.united(roles) {
                    Permissions::Only(held) => {
                        Permissions::Only(shortest(&held).cloned().collect())
                    }
                    Permissions::All => Permissions::All,
                }
            }
            MatrixStatus::Owner
            | MatrixStatus::Active
            | MatrixStatus::SuspendedOwner
            | MatrixStatus::InvitedAsOwner
            | MatrixStatus::Suspended
            | MatrixStatus::Invited => Permissions::nothing(),
        }
    }

    /// The number of the cell of each store, for members in these groups who hold this at the account.
    fn store_access<'a>(
        &'a self,
        account: &Permissions,
        status: MatrixStatus,
        slots: &SlotSet,
        known: &mut KnownCells<'a>,
    ) -> Vec<usize> {
        let state = &self.state;
        if status != MatrixStatus::Active || !state.header().is_open() {
            let number = known.number(MatrixCell::from(account));
            return vec![number; state.store_count()];
        }
        let stores = state.stores().map(|(_, store)| {
            let roles: Vec<&RoleId> = store.index.granted_by(slots).collect();
            if let Some(number) = known.by_roles.get(&roles) {
                return *number;
            }
            let cell = MatrixCell::from(&state.united(roles.iter().copied()));
            let number = known.number(cell);
            known.by_roles.insert(roles, number);
            number
        });
        stores.collect()
    }
}

/// The distinct cells, each under a number, so that rows are compared without looking at permissions.
#[derive(Default)]
struct KnownCells<'a> {
    by_roles: KeyedMap<Vec<&'a RoleId>, usize>,
    numbers: KeyedMap<MatrixCell, usize>,
    cells: Vec<MatrixCell>,
}

impl KnownCells<'_> {
    fn number(&mut self, cell: MatrixCell) -> usize {
        *self.numbers.entry(cell).or_insert_with_key(|cell| {
            self.cells.push(cell.clone());
            self.cells.len() - 1
        })
    }

    fn cell(&self, number: usize) -> MatrixCell {
        self.cells.get(number).cloned().unwrap_or_default()
    }
}

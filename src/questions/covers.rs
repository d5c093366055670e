//! Grants of a group that add nothing to another one of it.

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

use crate::account::Account;
use crate::account::data::hash::KeyedMap;
use crate::grant::{GrantRef, Scope};
use crate::id::{RoleId, StoreId};
use crate::permission::{Permission, Powers};
use crate::role::Role;

/// The grants of one group, by what each gives and where.
///
/// Whatever covers a grant allows each of its permissions, and holds in each of its stores. So only the grants are
/// compared with it that allow its rarest permission, or those that hold in its rarest store, whichever are fewer.
pub(super) struct Covers<'a> {
    grants: Vec<(GrantRef<'a>, &'a Role)>,
    /// By a permission that their role names.
    naming: KeyedMap<&'a str, SmallVec<[usize; 2]>>,
    in_store: KeyedMap<&'a StoreId, Vec<usize>>,
    at_account: Vec<usize>,
}

impl<'a> Covers<'a> {
    pub(super) fn new(account: &'a Account, grants: &[GrantRef<'a>]) -> Self {
        let grants = grants.iter().filter(|grant| !is_empty(grant.scope));
        let grants = grants.filter_map(|grant| Some((*grant, account.role(grant.role)?)));
        let mut covers = Self {
            grants: grants.collect(),
            naming: KeyedMap::default(),
            in_store: KeyedMap::default(),
            at_account: Vec::new(),
        };
        for (index, (grant, role)) in covers.grants.iter().enumerate() {
            for permission in role.permissions() {
                let naming = covers.naming.entry(permission.as_str()).or_default();
                naming.push(index);
            }
            match grant.scope {
                Scope::Account => covers.at_account.push(index),
                Scope::Stores(stores) => {
                    for store in stores {
                        covers.in_store.entry(store).or_default().push(index);
                    }
                }
            }
        }
        covers
    }

    /// Of each grant that another one covers: its role, and the first that covers it. Of two that cover each other,
    /// the later.
    pub(super) fn covered(&self) -> impl Iterator<Item = (&'a RoleId, &'a RoleId)> {
        let grants = self.grants.iter().enumerate();
        grants.filter_map(|(index, (grant, role))| {
            let candidates = self.candidates(grant.scope, role);
            // Of two that cover each other, the first stands.
            let by = candidates.iter().copied().find(|other| {
                self.covers(*other, index)
                    && match other.cmp(&index) {
                        Ordering::Less => true,
                        Ordering::Equal => false,
                        Ordering::Greater => !self.covers(index, *other),
                    }
            });
            let (by, _) = self.grants.get(by?)?;
            Some((grant.role, by.role))
        })
    }

    /// All grants that may cover one of this role and scope, in their order.
    fn candidates(&self, scope: &Scope, role: &Role) -> Cow<'_, [usize]> {
        let here: &[usize] = match scope {
            Scope::Account => &self.at_account,
            Scope::Stores(stores) => {
                let lists = stores.iter().filter_map(|store| self.in_store.get(store));
                lists
                    .min_by_key(|list| list.len())
                    .map_or(&[], Vec::as_slice)
            }
        };
        // Those that name a permission, or one that includes it (L7).
        let allowing = |permission: &Permission| -> Vec<&[usize]> {
            let lists = permission
                .included_in()
                .filter_map(|text| self.naming.get(text));
            lists.map(SmallVec::as_slice).collect()
        };
        let length = |lists: &Vec<&[usize]>| lists.iter().map(|list| list.len()).sum::<usize>();
        let rarest = role.permissions().iter().map(allowing).min_by_key(length);
        match rarest {
            Some(lists) if length(&lists) < here.len() => match lists.as_slice() {
                [list] => Cow::Borrowed(list),
                lists => {
                    let mut all = lists.concat();
                    all.sort_unstable();
                    all.dedup();
                    Cow::Owned(all)
                }
            },
            Some(_) | None => Cow::Borrowed(here),
        }
    }

    fn covers(&self, one: usize, other: usize) -> bool {
        let found = self.grants.get(one).zip(self.grants.get(other));
        found.is_some_and(|((wide, more), (narrow, less))| {
            let is_within = match (narrow.scope, wide.scope) {
                (Scope::Account, Scope::Account) => true,
                (Scope::Stores(stores), Scope::Stores(more)) => stores.is_subset(more),
                (Scope::Account, Scope::Stores(_)) | (Scope::Stores(_), Scope::Account) => false,
            };
            is_within && more.permissions.allows_all(&less.permissions)
        })
    }
}

pub(super) fn is_empty(scope: &Scope) -> bool {
    match scope {
        Scope::Account => false,
        Scope::Stores(stores) => stores.is_empty(),
    }
}

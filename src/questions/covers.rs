//! Grants of a group that add nothing to another one of it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::cmp::Ordering;

use indexmap::IndexMap;
use smallvec::SmallVec;

use crate::account::Account;
use crate::account::data::hash::{Keyed, KeyedMap};
use crate::grant::{GrantRef, Scope};
use crate::id::{RoleId, StoreId};
use crate::role::Role;

/// The grants of one group, by what each gives and where.
///
/// Whatever covers a grant allows each of its permissions, and holds in each of its stores. So only the grants are
/// compared with it that allow its rarest permission, or those that hold in its rarest store, whichever are fewer.
///
/// Permissions and stores are numbered as they are met, so that what is compared lies close together in memory.
pub(super) struct Covers<'a> {
    grants: Vec<GrantRef<'a>>,
    /// For each grant, the permissions that its role names.
    named: Vec<Numbers>,
    /// The grants that name a permission.
    naming: IndexMap<&'a str, Numbers, Keyed>,
    /// Of a permission that others include (L7): these, as far as they are named.
    included_in: KeyedMap<usize, Numbers>,
    /// Made once two grants allow the same.
    places: OnceCell<Places<'a>>,
}

/// In ascending order.
type Numbers = SmallVec<[usize; 2]>;

/// Where the grants of one group hold.
#[derive(Default)]
struct Places<'a> {
    at_account: Numbers,
    /// The grants that hold in a store.
    in_store: IndexMap<&'a StoreId, Numbers, Keyed>,
    /// For each grant, its stores.
    stores: Vec<Numbers>,
}

impl<'a> Covers<'a> {
    pub(super) fn new(account: &'a Account, grants: impl Iterator<Item = GrantRef<'a>>) -> Self {
        let grants: Vec<GrantRef<'a>> = grants.filter(|grant| !is_empty(grant.scope)).collect();
        let mut named = Vec::with_capacity(grants.len());
        let mut naming = IndexMap::with_capacity_and_hasher(grants.len(), Keyed::default());
        let mut extensions = Vec::new();
        for (grant, held) in grants.iter().enumerate() {
            let role = account.role(held.role).into_iter();
            let numbers = role.flat_map(Role::permissions).map(|permission| {
                let before = naming.len();
                let number = add(&mut naming, permission.as_str(), grant);
                if number == before && permission.is_extension() {
                    extensions.push((permission, number));
                }
                number
            });
            named.push(in_order(numbers));
        }
        let mut covers = Self {
            grants,
            named,
            naming,
            included_in: KeyedMap::default(),
            places: OnceCell::new(),
        };
        for (permission, number) in extensions {
            let including = permission.included_in();
            let numbers = including.filter_map(|text| covers.naming.get_index_of(text));
            let others = in_order(numbers.filter(|other| *other != number));
            covers.included_in.insert(number, others);
        }
        covers
    }

    /// Of each grant that another one covers: its role, and the first that covers it. Of two that cover each other,
    /// the later.
    pub(super) fn covered(&self) -> impl Iterator<Item = (&'a RoleId, &'a RoleId)> {
        let grants = self.grants.iter().enumerate();
        grants.filter_map(|(index, grant)| {
            let candidates = self.candidates(index)?;
            // Of two that cover each other, the first stands.
            let by = candidates.iter().copied().find(|other| {
                self.covers(*other, index)
                    && match other.cmp(&index) {
                        Ordering::Less => true,
                        Ordering::Equal => false,
                        Ordering::Greater => !self.covers(index, *other),
                    }
            });
            Some((grant.role, self.grants.get(by?)?.role))
        })
    }

    /// All grants that may cover this one, in their order.
    fn candidates(&self, grant: usize) -> Option<Cow<'_, [usize]>> {
        let counted = self.named.get(grant)?.iter().map(|permission| {
            let count: usize = self.allowing(*permission).map(SmallVec::len).sum();
            (count, *permission)
        });
        let (count, rarest) = counted.min()?;
        if count < 2 {
            return None; // nothing but itself
        }
        let here = self.places().around(grant)?;
        if here.len() <= count {
            return Some(Cow::Borrowed(here));
        }
        let mut lists = self.allowing(rarest);
        if let (Some(list), None) = (lists.next(), lists.next()) {
            return Some(Cow::Borrowed(list));
        }
        let mut all: Vec<usize> = self.allowing(rarest).flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        Some(Cow::Owned(all))
    }

    /// The grants that name a permission, and those that name one that includes it.
    fn allowing(&self, permission: usize) -> impl Iterator<Item = &Numbers> {
        let including = self.included_in.get(&permission).into_iter().flatten();
        let numbers = including.copied().chain([permission]);
        numbers.filter_map(|number| self.naming.get_index(number).map(|(_, grants)| grants))
    }

    fn covers(&self, wide: usize, narrow: usize) -> bool {
        let named = self.named.get(wide).zip(self.named.get(narrow));
        let allows_all = named.is_some_and(|(more, less)| {
            less.iter().all(|permission| {
                let mut including = self.included_in.get(permission).into_iter().flatten();
                more.binary_search(permission).is_ok()
                    || including.any(|other| more.binary_search(other).is_ok())
            })
        });
        allows_all && self.places().is_within(narrow, wide)
    }

    fn places(&self) -> &Places<'a> {
        self.places.get_or_init(|| {
            let mut places = Places::default();
            for (grant, held) in self.grants.iter().enumerate() {
                let stores = match held.scope {
                    Scope::Account => {
                        places.at_account.push(grant);
                        Numbers::new()
                    }
                    Scope::Stores(stores) => {
                        let in_store = &mut places.in_store;
                        in_order(stores.iter().map(|store| add(in_store, store, grant)))
                    }
                };
                places.stores.push(stores);
            }
            places
        })
    }
}

impl Places<'_> {
    /// The grants at the account, if this one is; else those in that of its stores where the fewest hold.
    fn around(&self, grant: usize) -> Option<&[usize]> {
        let stores = self.stores.get(grant)?;
        let lists = stores.iter().filter_map(|store| {
            let (_, grants) = self.in_store.get_index(*store)?;
            Some(grants)
        });
        let fewest = lists.min_by_key(|grants| grants.len());
        Some(fewest.unwrap_or(&self.at_account))
    }

    /// Whether the one holds wherever the other does. No grant is of no store.
    fn is_within(&self, narrow: usize, wide: usize) -> bool {
        let stores = self.stores.get(narrow).zip(self.stores.get(wide));
        stores.is_some_and(|(less, more)| {
            less.is_empty() == more.is_empty()
                && less.iter().all(|store| more.binary_search(store).is_ok())
        })
    }
}

/// Adds the grant to those of this key, and returns the key's number.
fn add<K: Eq + std::hash::Hash>(
    lists: &mut IndexMap<K, Numbers, Keyed>,
    key: K,
    grant: usize,
) -> usize {
    let entry = lists.entry(key);
    let number = entry.index();
    entry.or_default().push(grant);
    number
}

fn in_order(numbers: impl Iterator<Item = usize>) -> Numbers {
    let mut numbers: Numbers = numbers.collect();
    numbers.sort_unstable();
    numbers
}

pub(super) fn is_empty(scope: &Scope) -> bool {
    match scope {
        Scope::Account => false,
        Scope::Stores(stores) => stores.is_empty(),
    }
}

//! The stores of an account: found by hash, and walked in the order of ids.

use std::collections::BTreeMap;
use std::ops::Bound;

use crate::account::data::StoreEntry;
use crate::account::data::grant_index::Actions;
use crate::account::data::inline_key::InlineKeyMap;
use crate::id::StoreId;

/// The stores of an account. The usual check finds who grants `store.read` or `store.write` within the hash table, with
/// no line of memory more; whoever goes through all stores reads one row after another, and hashes nothing.
///
/// INVARIANT: each store is in all three, and the table's copy of its actions is what the row has. So a row changes by
/// [`change`](StoreTable::change) alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoreTable {
    table: InlineKeyMap<StoreId, Placed>,
    /// In no order.
    rows: Vec<StoreEntry>,
    order: BTreeMap<StoreId, Row>,
}

type Row = u32;

/// What most checks ask of a store, and where its row is.
#[derive(Clone, Debug)]
struct Placed {
    actions: Actions,
    row: Row,
}

impl StoreTable {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Who grants `store.read` and `store.write` there.
    #[inline]
    pub(crate) fn actions(&self, id: &str) -> Option<&Actions> {
        self.table.get(id).map(|placed| &placed.actions)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&StoreEntry> {
        self.row(self.table.get(id)?.row)
    }

    fn row(&self, row: Row) -> Option<&StoreEntry> {
        self.rows.get(row as usize)
    }

    /// Changes the store, if it is there.
    pub(crate) fn change(&mut self, id: &StoreId, change: impl FnOnce(&mut StoreEntry)) {
        let Some(placed) = self.table.get_mut(id) else {
            return;
        };
        if let Some(row) = self.rows.get_mut(placed.row as usize) {
            change(row);
            placed.actions.clone_from(row.index.actions());
        }
    }

    /// Puts a store in, or another entry in the place of the one that is there.
    pub(crate) fn insert(&mut self, id: &StoreId, entry: StoreEntry) {
        if self.table.get(id).is_some() {
            self.change(id, |row| *row = entry);
        } else if let Ok(row) = Row::try_from(self.rows.len()) {
            // There is always a row: 2^32 stores do not fit into memory.
            let actions = entry.index.actions().clone();
            self.table.insert(id, Placed { actions, row });
            self.order.insert(entry.id.clone(), row);
            self.rows.push(entry);
        }
    }

    /// Takes a store out. The last row moves into its place.
    pub(crate) fn remove(&mut self, id: &StoreId) {
        let Some(Placed { row, .. }) = self.table.remove(id) else {
            return;
        };
        self.order.remove(id);
        self.rows.swap_remove(row as usize);
        if let Some(moved) = self.rows.get(row as usize) {
            if let Some(placed) = self.table.get_mut(&moved.id) {
                placed.row = row;
            }
            self.order.insert(moved.id.clone(), row);
        }
    }

    /// The stores whose ids come after this one, which need not be there; all stores, if it is `None`.
    pub(crate) fn iter_after(
        &self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&StoreId, &StoreEntry)> + use<'_> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.order.range::<str, _>((start, Bound::Unbounded));
        rows.filter_map(|(id, row)| self.row(*row).map(|entry| (id, entry)))
    }

    /// Whether the table, the rows and the order say the same. For tests.
    pub(crate) fn is_exact(&self) -> bool {
        self.order.len() == self.rows.len()
            && self.order.iter().all(|(id, row)| {
                let placed = self.table.get(id);
                let entry = self.row(*row);
                placed.zip(entry).is_some_and(|(placed, entry)| {
                    placed.row == *row
                        && placed.actions == *entry.index.actions()
                        && entry.id == *id
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::account::data::grant_index::GrantIndex;

    /// What the table holds of a store with a short id is 56 bytes, and its row 64. More would be more memory, and slower
    /// checks.
    #[test]
    fn what_is_held_of_a_store_is_small() {
        assert_eq!((size_of::<Placed>(), size_of::<StoreEntry>()), (40, 64));
    }

    proptest! {
        /// Whatever comes, changes and goes, a table of stores is a map from ids to what is granted there (A3).
        #[test]
        fn a_table_of_stores_is_a_map(
            steps in prop::collection::vec((0..8_u8, 0..4_u8, 0..70_u16), 0..60),
            after in prop::option::of(0..8_u8),
        ) {
            let id = |number: u8| StoreId::parse(&format!("{}{number}", "long".repeat(usize::from(number)))).unwrap();
            let mut table = StoreTable::default();
            let mut plain: BTreeMap<StoreId, GrantIndex> = BTreeMap::new();
            for (number, step, slot) in steps {
                let store = id(number);
                match step {
                    0 => {
                        table.insert(&store, StoreEntry::new(store.clone()));
                        plain.insert(store, GrantIndex::default());
                    }
                    1 => {
                        table.remove(&store);
                        plain.remove(&store);
                    }
                    _ => {
                        let is_granted = step == 2;
                        table.change(&store, |entry| entry.index.set_action(0, slot, is_granted));
                        if let Some(index) = plain.get_mut(&store) {
                            index.set_action(0, slot, is_granted);
                        }
                    }
                }
                prop_assert!(table.is_exact());
            }
            prop_assert_eq!(table.len(), plain.len());
            let listed = table.iter_after(None).map(|(id, entry)| (id, &entry.index));
            prop_assert!(listed.eq(&plain));
            let after = after.map(id);
            let listed = table.iter_after(after.as_deref()).map(|(id, _)| id);
            let is_after = |id: &&StoreId| after.as_ref().is_none_or(|after| *id > after);
            prop_assert!(listed.eq(plain.keys().filter(is_after)));
            for number in 0..8 {
                let id = id(number);
                prop_assert_eq!(table.actions(&id), plain.get(&id).map(GrantIndex::actions));
                prop_assert_eq!(table.get(&id).map(|entry| &entry.index), plain.get(&id));
            }
        }
    }
}

//! A map by id: lookup by hash, lists in the order of ids.

use std::array;
use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::Bound;

use crate::account::data::inline_key::InlineKeyMap;

/// A map by id, for what there may be any number of: members and stores.
///
/// Lookup is one hash. Lists come in the order of the ids, which no history and no hash seed changes (U6).
#[derive(Clone, Debug)]
pub(crate) struct IdMap<K, V> {
    entries: InlineKeyMap<K, V>,
    order: BTreeSet<K>,
    /// During a bulk load: ids that are not in `order` yet. Some may be gone again.
    pending: Option<Vec<K>>,
    len: usize,
}

impl<K, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self {
            entries: InlineKeyMap::default(),
            order: BTreeSet::new(),
            pending: None,
            len: 0,
        }
    }
}

impl<K: Clone + Ord + Hash + Borrow<str>, V> IdMap<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        self.entries.get(id)
    }

    /// As [`get`](Self::get), of each of these: so that they wait for memory together.
    #[inline]
    pub(crate) fn get_each<'a, const N: usize>(
        &'a self,
        ids: &[&str; N],
        found: &mut [Option<&'a V>; N],
    ) {
        self.entries.get_each(ids, found);
    }

    pub(crate) fn get_mut(&mut self, id: &K) -> Option<&mut V> {
        self.entries.get_mut(id.borrow())
    }

    /// Puts a value in, replacing the one that was there.
    pub(crate) fn insert(&mut self, id: K, value: V) {
        if self.entries.insert(&id, value).is_some() {
            return;
        }
        self.len += 1;
        match &mut self.pending {
            Some(pending) => pending.push(id),
            None => _ = self.order.insert(id),
        }
    }

    pub(crate) fn remove(&mut self, id: &K) {
        if self.entries.remove(id.borrow()).is_some() {
            self.len -= 1;
            self.order.remove(id.borrow());
        }
    }

    /// Ids that are inserted from now on are put in order together, and faster, by
    /// [`finish_bulk_load`](Self::finish_bulk_load). Until then nothing is listed.
    pub(crate) fn begin_bulk_load(&mut self) {
        self.pending = Some(Vec::new());
    }

    pub(crate) fn finish_bulk_load(&mut self) {
        let pending = self.pending.take().into_iter().flatten();
        let mut pending: Vec<(u128, K)> = pending
            .filter(|id| self.entries.get(id.borrow()).is_some())
            .map(|id| (beginning(id.borrow()), id))
            .collect();
        pending.sort_unstable();
        let mut pending = pending.into_iter().map(|(_, id)| id).collect();
        self.order.append(&mut pending);
    }

    /// The entries whose ids come after this one, which need not be there; all entries, if it is `None`.
    pub(crate) fn iter_after(
        &self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&K, &V)> + use<'_, K, V> {
        debug_assert!(self.pending.is_none());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.order.range::<str, _>((start, Bound::Unbounded));
        ids.filter_map(|id| self.entries.get(id.borrow()).map(|value| (id, value)))
    }
}

/// The first sixteen bytes of a text, zeros if it is shorter: in the order of texts, but for those that begin alike.
/// Quicker to compare than texts that are elsewhere in memory.
fn beginning(text: &str) -> u128 {
    let mut bytes = text.bytes();
    let first = array::from_fn(|_| bytes.next().unwrap_or(0));
    u128::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn steps() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
        prop::collection::vec((0..8_u8, prop::option::of(any::<u8>())), 0..40)
    }

    fn apply(
        map: &mut IdMap<String, u8>,
        plain: &mut BTreeMap<String, u8>,
        steps: &[(u8, Option<u8>)],
    ) {
        for (id_number, value) in steps {
            let id = id(*id_number);
            match value {
                Some(value) if value % 2 == 0 => {
                    map.insert(id.clone(), *value);
                    plain.insert(id, *value);
                }
                Some(value) => match (map.get_mut(&id), plain.get_mut(&id)) {
                    (Some(one), Some(other)) => {
                        *one = *value;
                        *other = *value;
                    }
                    (one, other) => assert_eq!(one, other),
                },
                None => {
                    map.remove(&id);
                    plain.remove(&id);
                }
            }
        }
    }

    /// Some ids are kept whole and some are not; of two, one begins as the other, or differs from it in the end only.
    fn id(number: u8) -> String {
        let start = "7".repeat(usize::from(number / 2) + 12);
        format!("{start}{}", number % 2)
    }

    /// On both sides of sixteen bytes, often alike but for one byte or their length.
    fn beginnings() -> impl Strategy<Value = String> {
        prop_oneof![
            "(a{0,15}|[ab\0]{0,3})[ab\0é]{0,4}",
            "(a{0,20}|b{14,18}a{0,4})[ab\0é]{0,2}"
        ]
    }

    fn agree(map: &IdMap<String, u8>, plain: &BTreeMap<String, u8>) {
        assert!(map.iter_after(None).eq(plain.iter()), "{map:?} {plain:?}");
        assert_eq!(map.len(), plain.len());
        for number in 0..8_u8 {
            let id = id(number);
            assert_eq!(map.get(&id), plain.get(&id));
            let after = (Bound::Excluded(id.clone()), Bound::Unbounded);
            assert!(
                map.iter_after(Some(&id))
                    .eq(plain.range::<String, _>(after))
            );
        }
    }

    proptest! {
        /// What begins texts compares as they do.
        #[test]
        fn texts_are_in_the_order_of_how_they_begin(one in beginnings(), other in beginnings()) {
            let (start, other_start) = (beginning(&one), beginning(&other));
            prop_assert_eq!((start, &one).cmp(&(other_start, &other)), one.cmp(&other));
        }

        /// A map by id behaves as a plain map. Ids that come together come into the same order.
        #[test]
        fn a_map_by_id_is_a_map(first in steps(), bulk in steps(), last in steps()) {
            let (mut map, mut plain) = (IdMap::default(), BTreeMap::new());
            apply(&mut map, &mut plain, &first);
            map.begin_bulk_load();
            apply(&mut map, &mut plain, &bulk);
            map.finish_bulk_load();
            agree(&map, &plain);
            apply(&mut map, &mut plain, &last);
            agree(&map, &plain);
        }
    }
}

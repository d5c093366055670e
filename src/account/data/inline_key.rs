//! A hash table by id, in which short ids stand within the table.

use std::borrow::Borrow;
use std::hash::Hash;

use crate::account::data::hash::HashById;

/// A hash table by id. A short id stands within the table, where a lookup that has found the entry has it at hand,
/// and does not wait for a text that is elsewhere in memory.
#[derive(Clone, Debug)]
pub(crate) struct InlineKeyMap<K, V> {
    short: HashById<InlineKey, V>,
    long: HashById<K, V>,
}

impl<K, V> Default for InlineKeyMap<K, V> {
    fn default() -> Self {
        Self {
            short: HashById::default(),
            long: HashById::default(),
        }
    }
}

impl<K: Clone + Eq + Hash + Borrow<str>, V> InlineKeyMap<K, V> {
    #[inline]
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        let key = InlineKey::of(id);
        if key.is_complete() {
            self.short.get(&key)
        } else {
            self.long.get(id)
        }
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut V> {
        let key = InlineKey::of(id);
        if key.is_complete() {
            self.short.get_mut(&key)
        } else {
            self.long.get_mut(id)
        }
    }

    /// Puts a value in, in the place of one that was there.
    pub(crate) fn insert(&mut self, id: &K, value: V) -> Option<V> {
        let key = InlineKey::of(id.borrow());
        if key.is_complete() {
            self.short.insert(key, value)
        } else {
            self.long.insert(id.clone(), value)
        }
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<V> {
        let key = InlineKey::of(id);
        if key.is_complete() {
            self.short.remove(&key)
        } else {
            self.long.remove(id)
        }
    }
}

/// How a text begins, and all of it if it is short. In the order of the texts, but for two long ones that begin alike.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct InlineKey {
    /// The first eight bytes, or as many as there are, from the highest place on.
    first: u64,
    /// The next seven likewise, and in the lowest place how many bytes there are, 16 for more than 15.
    rest: u64,
}

impl InlineKey {
    const LONGEST: usize = 15;

    #[inline]
    pub(crate) fn of(text: &str) -> Self {
        let all = text.as_bytes();
        let (bytes, length) = match all.split_first_chunk::<{ Self::LONGEST }>() {
            Some((key, [_, ..])) => (key.as_slice(), 16),
            _ => (all, all.len() as u64),
        };
        let unused = 8 * (Self::LONGEST - bytes.len());
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            Self {
                first: u64::from_be_bytes(*first),
                // Of the last eight, what the first eight do not have.
                rest: u64::from_be_bytes(*last) << 8 << unused | length,
            }
        } else {
            let word = bytes
                .iter()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
            Self {
                first: word << 8 << (unused - 64),
                rest: length,
            }
        }
    }

    #[inline]
    fn is_complete(self) -> bool {
        self.rest & 0xFF < 16
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher;

    use proptest::prelude::*;

    use super::*;
    use crate::account::data::hash::Keyed;

    /// A table of members has 32 bytes for each, and one for its tag.
    #[test]
    fn a_short_id_is_two_words() {
        assert_eq!(size_of::<InlineKey>(), 16);
    }

    /// Ids that all fall into one place of one table are spread over another's, short ones and long ones: what an
    /// attacker learns from one account, or from a process of its own, does not help with the next.
    #[test]
    fn ids_that_collide_in_one_table_are_spread_in_another() {
        let is_spread = |id: &dyn Fn(u32) -> String| {
            let (one, other) = (Keyed::default(), Keyed::default());
            let resource = |keyed: &Keyed, id: &str| {
                let key = InlineKey::of(id);
                let hash = if key.is_complete() {
                    keyed.hash_one(key)
                } else {
                    keyed.hash_one(id)
                };
                hash % 1_024
            };
            let ids = (0..200_000).map(id);
            let flood: Vec<_> = ids.filter(|id| resource(&one, id) == 0).collect();
            let resources: BTreeSet<u64> = flood.iter().map(|id| resource(&other, id)).collect();
            assert!(flood.len() > 100 && resources.len() > flood.len() / 2);
        };
        is_spread(&|number| format!("attacker{number}"));
        is_spread(&|number| format!("attacker-{number}@acme.example"));
    }

    fn text() -> impl Strategy<Value = String> {
        "(a{0,14}|[ab\0]{0,3})[ab\0é]{0,4}"
    }

    proptest! {
        /// What begins texts compares as they do, on both sides of the longest short one, and short ones are different
        /// from all others.
        #[test]
        fn texts_are_in_the_order_of_how_they_begin(one in text(), other in text()) {
            let (key, other_start) = (InlineKey::of(&one), InlineKey::of(&other));
            prop_assert_eq!((key, &one).cmp(&(other_start, &other)), one.cmp(&other));
            prop_assert_eq!(key.is_complete(), one.len() <= 15);
            prop_assert!(key != other_start || !key.is_complete() || one == other);
        }

        /// A table is a map, whatever the lengths of the ids.
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec((text(), any::<Option<u8>>()), 0..20)) {
            let mut table = InlineKeyMap::default();
            let mut plain = std::collections::BTreeMap::new();
            for (id, value) in &steps {
                let [ours, theirs] = if let Some(value) = value {
                    [table.insert(id, *value), plain.insert(id.clone(), *value)]
                } else {
                    [table.remove(id), plain.remove(id)]
                };
                prop_assert_eq!(ours, theirs);
            }
            for (id, _) in &steps {
                prop_assert_eq!(table.get(id), plain.get(id));
                prop_assert_eq!(table.get_mut(id), plain.get_mut(id));
            }
        }
    }
}

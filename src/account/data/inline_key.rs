//! A hash table by id, in which short ids stand within the table.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::hint::black_box;
use std::mem;

use hashbrown::HashTable;

use crate::account::data::hash::Keyed;

/// A hash table by id. A short id stands within the table, where a lookup that has found the entry has it at hand,
/// and does not wait for a text that is elsewhere in memory.
#[derive(Clone, Debug)]
pub(crate) struct InlineKeyMap<K, V> {
    short: HashTable<(InlineKey, V)>,
    long: HashTable<(K, V)>,
    hasher: Keyed,
}

impl<K, V> Default for InlineKeyMap<K, V> {
    fn default() -> Self {
        Self {
            short: HashTable::new(),
            long: HashTable::new(),
            hasher: Keyed::default(),
        }
    }
}

/// What a table is searched for.
#[derive(Clone, Copy)]
struct Wanted<'i> {
    hash: u64,
    key: InlineKey,
    id: &'i str,
}

impl<K: Clone + Eq + Hash + Borrow<str>, V> InlineKeyMap<K, V> {
    /// With so many entries, a table is in the processor's cache.
    const NEAR: usize = 8_192;

    #[inline]
    fn wanted<'i>(&self, id: &'i str) -> Wanted<'i> {
        let key = InlineKey::of(id);
        let hash = if key.is_complete() {
            self.hasher.hash_one(key)
        } else {
            self.hasher.hash_one(id)
        };
        Wanted { hash, key, id }
    }

    #[inline]
    fn find(&self, wanted: Wanted<'_>) -> Option<&V> {
        let Wanted { hash, key, id } = wanted;
        if key.is_complete() {
            let found = self.short.find(hash, |(found, _)| *found == key);
            found.map(|(_, value)| value)
        } else {
            let found = self.long.find(hash, |(found, _)| found.borrow() == id);
            found.map(|(_, value)| value)
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        self.find(self.wanted(id))
    }

    /// As [`get`](Self::get), of each of these: so that they wait for memory together.
    #[inline]
    pub(crate) fn get_each<'a, const N: usize>(
        &'a self,
        ids: &[&str; N],
        found: &mut [Option<&'a V>; N],
    ) {
        let mut wanted = [Wanted {
            hash: 0,
            key: InlineKey { first: 0, rest: 0 },
            id: "",
        }; N];
        for (wanted, id) in wanted.iter_mut().zip(ids) {
            *wanted = self.wanted(id);
        }
        if self.short.len() + self.long.len() > Self::NEAR {
            self.read_ahead(&wanted);
        }
        for (found, wanted) in found.iter_mut().zip(&wanted) {
            *found = self.find(*wanted);
        }
    }

    /// Brings what is searched for near by, all of it at once.
    #[inline]
    fn read_ahead(&self, wanted: &[Wanted<'_>]) {
        // Read, and not compared: nothing is decided by what is read, so that nothing waits for it before it goes on.
        let mut read = 0;
        for Wanted { hash, key, .. } in wanted {
            if key.is_complete() {
                self.short.find(*hash, |(found, _)| {
                    read ^= found.first;
                    false
                });
            } else {
                self.long.find(*hash, |(found, _)| {
                    let text: &str = found.borrow();
                    read ^= text.len() as u64;
                    false
                });
            }
        }
        black_box(read);
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut V> {
        let Wanted { hash, key, .. } = self.wanted(id);
        if key.is_complete() {
            let found = self.short.find_mut(hash, |(found, _)| *found == key);
            found.map(|(_, value)| value)
        } else {
            let found = self.long.find_mut(hash, |(found, _)| found.borrow() == id);
            found.map(|(_, value)| value)
        }
    }

    /// Puts a value in, in the place of one that was there.
    pub(crate) fn insert(&mut self, id: &K, value: V) -> Option<V> {
        if let Some(there) = self.get_mut(id.borrow()) {
            return Some(mem::replace(there, value));
        }
        let Wanted { hash, key, .. } = self.wanted(id.borrow());
        let hasher = &self.hasher;
        if key.is_complete() {
            let entry = (key, value);
            self.short
                .insert_unique(hash, entry, |(key, _)| hasher.hash_one(key));
        } else {
            let entry = (id.clone(), value);
            self.long.insert_unique(hash, entry, |(id, _)| {
                let id: &str = id.borrow();
                hasher.hash_one(id)
            });
        }
        None
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<V> {
        let Wanted { hash, key, .. } = self.wanted(id);
        if key.is_complete() {
            let found = self.short.find_entry(hash, |(found, _)| *found == key);
            found.ok().map(|found| found.remove().0.1)
        } else {
            let found = self
                .long
                .find_entry(hash, |(found, _)| found.borrow() == id);
            found.ok().map(|found| found.remove().0.1)
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

    use proptest::prelude::*;

    use super::*;

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
            let ids = steps.iter().map(|(id, _)| id.as_str()).chain(["never"; 20]);
            let ids: Vec<&str> = ids.take(20).collect();
            let ids: &[&str; 20] = ids.as_slice().try_into().unwrap();
            let mut found = [None; 20];
            table.read_ahead(&ids.map(|id| table.wanted(id)));
            table.get_each(ids, &mut found);
            prop_assert_eq!(found, ids.map(|id| plain.get(id)));
        }
    }
}

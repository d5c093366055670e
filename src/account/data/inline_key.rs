//! A hash table by id, in which ids stand within the table unless they are long.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};
use std::hint::black_box;
use std::mem;

use hashbrown::HashTable;

use crate::account::data::hash::Keyed;
use crate::account::data::uuid_key::UuidKey;

/// A hash table by id. An id of up to 31 bytes, or a UUID, stands within the table, where a lookup that has found the
/// entry has it at hand, and does not wait for a text that is elsewhere in memory.
///
/// INVARIANT: which class an id is of, [`Class::of`] alone says, and an id is looked for in the table of its class only.
#[derive(Clone, Debug)]
pub(crate) struct InlineKeyMap<K, V> {
    short: Table<InOneLine<ShortKey, V>>,
    longer: Table<(LongerKey, V)>,
    uuid: Table<InOneLine<UuidKey, V>>,
    long: Table<(K, V)>,
    hasher: Keyed,
}

impl<K, V> Default for InlineKeyMap<K, V> {
    fn default() -> Self {
        Self {
            short: Table::default(),
            longer: Table::default(),
            uuid: Table::default(),
            long: Table::default(),
            hasher: Keyed::default(),
        }
    }
}

/// What a table is searched for: in the table of its class, all of the id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Class<'i> {
    Short(ShortKey),
    Longer(LongerKey),
    Uuid(UuidKey),
    Long(&'i str),
}

impl<'i> Class<'i> {
    #[allow(clippy::inline_always)] // else the key goes through memory: a tenth more instructions for a UUID
    #[inline(always)]
    fn of(id: &'i str) -> Self {
        if id.len() <= ShortKey::LONGEST {
            Self::Short(ShortKey::of(id))
        } else if let Some(key) = LongerKey::of(id) {
            Self::Longer(key)
        } else if let Some(key) = UuidKey::of(id) {
            Self::Uuid(key)
        } else {
            Self::Long(id)
        }
    }

    #[inline]
    fn hash(&self, hasher: &Keyed) -> u64 {
        match self {
            Self::Short(key) => hasher.hash_one(key),
            Self::Longer(key) => hasher.hash_one(key),
            Self::Uuid(key) => hasher.hash_one(key),
            Self::Long(id) => hasher.hash_one(id),
        }
    }
}

impl<K: Clone + Eq + Hash + Borrow<str>, V> InlineKeyMap<K, V> {
    /// With so many entries, a table is in the processor's cache.
    const NEAR: usize = 8_192;

    #[inline]
    fn wanted<'i>(&self, id: &'i str) -> (u64, Class<'i>) {
        let class = Class::of(id);
        (class.hash(&self.hasher), class)
    }

    #[inline]
    fn find(&self, (hash, class): (u64, Class<'_>)) -> Option<&V> {
        match class {
            Class::Short(key) => self.short.get(hash, &key),
            Class::Longer(key) => self.longer.get(hash, &key),
            Class::Uuid(key) => self.uuid.get(hash, &key),
            Class::Long(id) => self.long.get(hash, id),
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        if id.len() <= ShortKey::LONGEST {
            let key = ShortKey::of(id);
            self.short.get(self.hasher.hash_one(key), &key)
        } else {
            self.get_longer(id)
        }
    }

    /// Not a part of each check, which takes 7 % fewer instructions so.
    #[inline(never)]
    fn get_longer(&self, id: &str) -> Option<&V> {
        match Class::of(id) {
            Class::Short(key) => self.short.get(self.hasher.hash_one(key), &key),
            Class::Longer(key) => self.longer.get(self.hasher.hash_one(key), &key),
            Class::Uuid(key) => self.uuid.get(self.hasher.hash_one(key), &key),
            Class::Long(id) => self.get_long(id),
        }
    }

    #[inline(never)]
    fn get_long(&self, id: &str) -> Option<&V> {
        self.long.get(self.hasher.hash_one(id), id)
    }

    /// As [`get`](Self::get), of each of these: so that they wait for memory together.
    #[inline]
    pub(crate) fn get_each<'a, const N: usize>(
        &'a self,
        ids: &[&str; N],
        found: &mut [Option<&'a V>; N],
    ) {
        let wanted = ids.map(|id| self.wanted(id));
        let tables = [
            self.short.len(),
            self.longer.len(),
            self.uuid.len(),
            self.long.len(),
        ];
        if tables.iter().sum::<usize>() > Self::NEAR {
            self.read_ahead(&wanted);
        }
        for (found, wanted) in found.iter_mut().zip(wanted) {
            *found = self.find(wanted);
        }
    }

    /// Brings what is searched for near by, all of it at once.
    #[inline]
    fn read_ahead(&self, wanted: &[(u64, Class<'_>)]) {
        // Read, and not compared: nothing is decided by what is read, so that nothing waits for it before it goes on.
        let mut read = 0;
        for (hash, class) in wanted {
            read ^= match class {
                Class::Short(_) => self.short.read(*hash, |key| key.first),
                Class::Longer(_) => self.longer.read(*hash, |key| u64::from(key.first == 0)),
                Class::Uuid(_) => self.uuid.read(*hash, |key| key.first),
                Class::Long(_) => self.long.read(*hash, |id| id.borrow().len() as u64),
            };
        }
        black_box(read);
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut V> {
        self.find_mut(self.wanted(id))
    }

    fn find_mut(&mut self, (hash, class): (u64, Class<'_>)) -> Option<&mut V> {
        match class {
            Class::Short(key) => self.short.get_mut(hash, &key),
            Class::Longer(key) => self.longer.get_mut(hash, &key),
            Class::Uuid(key) => self.uuid.get_mut(hash, &key),
            Class::Long(id) => self.long.get_mut(hash, id),
        }
    }

    /// Puts a value in, in the place of one that was there.
    pub(crate) fn insert(&mut self, id: &K, value: V) -> Option<V> {
        let (hash, class) = self.wanted(id.borrow());
        if let Some(there) = self.find_mut((hash, class)) {
            return Some(mem::replace(there, value));
        }
        let hasher = &self.hasher;
        match class {
            Class::Short(key) => self.short.insert(hash, key, value, hasher),
            Class::Longer(key) => self.longer.insert(hash, key, value, hasher),
            Class::Uuid(key) => self.uuid.insert(hash, key, value, hasher),
            Class::Long(_) => self.long.insert(hash, id.clone(), value, hasher),
        }
        None
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<V> {
        let (hash, class) = self.wanted(id);
        match class {
            Class::Short(key) => self.short.remove(hash, &key),
            Class::Longer(key) => self.longer.remove(hash, &key),
            Class::Uuid(key) => self.uuid.remove(hash, &key),
            Class::Long(id) => self.long.remove(hash, id),
        }
    }
}

/// An id and what it stands for.
trait Entry {
    type Key;
    type Value;

    fn new(key: Self::Key, value: Self::Value) -> Self;
    fn key(&self) -> &Self::Key;
    fn value(&self) -> &Self::Value;
    fn value_mut(&mut self) -> &mut Self::Value;
    fn into_value(self) -> Self::Value;
}

/// An entry that no line of memory ends in the middle of, where it is 32 bytes or 64.
#[derive(Clone, Debug)]
#[repr(align(32))]
struct InOneLine<K, V>(K, V);

macro_rules! entry {
    ($entry:ty, $new:expr) => {
        impl<K, V> Entry for $entry {
            type Key = K;
            type Value = V;

            fn new(key: K, value: V) -> Self {
                $new(key, value)
            }

            #[inline]
            fn key(&self) -> &K {
                &self.0
            }

            #[inline]
            fn value(&self) -> &V {
                &self.1
            }

            fn value_mut(&mut self) -> &mut V {
                &mut self.1
            }

            fn into_value(self) -> V {
                self.1
            }
        }
    };
}
entry!((K, V), |key, value| (key, value));
entry!(InOneLine<K, V>, InOneLine);

/// The ids of one class.
#[derive(Clone, Debug)]
struct Table<E>(HashTable<E>);

impl<E> Default for Table<E> {
    fn default() -> Self {
        Self(HashTable::new())
    }
}

impl<E: Entry> Table<E> {
    fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    fn get<Q: Eq + ?Sized>(&self, hash: u64, wanted: &Q) -> Option<&E::Value>
    where
        E::Key: Borrow<Q>,
    {
        let found = self.0.find(hash, |entry| entry.key().borrow() == wanted);
        found.map(E::value)
    }

    /// Reads what has this hash, and maybe something else.
    #[inline]
    fn read(&self, hash: u64, word: impl Fn(&E::Key) -> u64) -> u64 {
        let mut read = 0;
        self.0.find(hash, |entry| {
            read ^= word(entry.key());
            false
        });
        read
    }

    fn get_mut<Q: Eq + ?Sized>(&mut self, hash: u64, wanted: &Q) -> Option<&mut E::Value>
    where
        E::Key: Borrow<Q>,
    {
        let found = self
            .0
            .find_mut(hash, |entry| entry.key().borrow() == wanted);
        found.map(E::value_mut)
    }

    /// Puts in what is not there yet.
    fn insert(&mut self, hash: u64, key: E::Key, value: E::Value, hasher: &Keyed)
    where
        E::Key: Hash,
    {
        // An id's hash is that of its text.
        let hash_of = |entry: &E| hasher.hash_one(entry.key());
        self.0.insert_unique(hash, E::new(key, value), hash_of);
    }

    fn remove<Q: Eq + ?Sized>(&mut self, hash: u64, wanted: &Q) -> Option<E::Value>
    where
        E::Key: Borrow<Q>,
    {
        let found = self
            .0
            .find_entry(hash, |entry| entry.key().borrow() == wanted);
        found.ok().map(|found| found.remove().0.into_value())
    }
}

/// A text of 16 to 31 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct LongerKey {
    /// The first sixteen bytes.
    first: u128,
    /// The last sixteen, but for the first of them, which the others have as well: in its place is how many there are.
    last: u128,
}

impl LongerKey {
    #[inline]
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let length = bytes.len();
        if length > 31 {
            return None;
        }
        let last = u128::from_le_bytes(*bytes.last_chunk()?) & !0xFF | length as u128;
        Some(Self {
            first: u128::from_le_bytes(*bytes.first_chunk()?),
            last,
        })
    }
}

/// A text of at most 15 bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct ShortKey {
    /// The first eight bytes, or as many as there are.
    first: u64,
    /// The last eight, if there are so many, but for the first of them, which the others have as well: in its place is
    /// how many there are.
    last: u64,
}

impl ShortKey {
    const LONGEST: usize = 15;

    /// The key of this text, which is no longer.
    #[inline]
    fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let length = bytes.len() as u64;
        if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
            Self {
                first: u64::from_le_bytes(*first),
                last: u64::from_le_bytes(*last) & !0xFF | length,
            }
        } else {
            let bytes = bytes.iter().rev();
            Self {
                first: bytes.fold(0, |word, byte| word << 8 | u64::from(*byte)),
                last: length,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::Layout;
    use std::collections::{BTreeSet, HashMap};

    use proptest::prelude::*;

    use super::*;

    /// A table of members has 32 bytes for each with a short id or a UUID, 48 with a longer one, and one for its tag.
    #[test]
    fn keys_are_small() {
        let sizes = (size_of::<ShortKey>(), size_of::<UuidKey>());
        assert_eq!(sizes, (16, 16));
        assert_eq!(size_of::<LongerKey>(), 32);
        // A member's entry takes sixteen.
        let row = Layout::new::<InOneLine<ShortKey, [u64; 2]>>();
        assert_eq!((row.size(), row.align()), (32, 32));
    }

    /// Ids that all fall into one place of one table are spread over another's, in each class: what an attacker learns
    /// from one account, or from a process of its own, does not help with the next.
    #[test]
    fn ids_that_collide_in_one_table_are_spread_in_another() {
        let is_spread = |class: &str, id: &dyn Fn(u32) -> String| {
            let (one, other) = (Keyed::default(), Keyed::default());
            let place = |keyed: &Keyed, id: &str| {
                let of_id = Class::of(id);
                assert!(format!("{of_id:?}").starts_with(class), "{of_id:?}");
                of_id.hash(keyed) % 1_024
            };
            let ids = (0..200_000).map(id);
            let flood: Vec<_> = ids.filter(|id| place(&one, id) == 0).collect();
            let places: BTreeSet<u64> = flood.iter().map(|id| place(&other, id)).collect();
            assert!(flood.len() > 100 && places.len() > flood.len() / 2);
        };
        is_spread("Short", &|number| format!("attacker{number}"));
        is_spread("Longer", &|number| {
            format!("attacker-{number}@acme.example")
        });
        is_spread("Uuid", &|number| {
            format!("{number:08x}-0000-4000-8000-{number:012x}")
        });
        is_spread("Long(", &|number| {
            format!("attacker-{number}@department.acme.example")
        });
    }

    /// Texts of every length up to 63 bytes that are often alike but for one byte or their length, UUIDs, and what is
    /// nearly a UUID.
    fn text() -> impl Strategy<Value = String> {
        let uuid = || "[0-9a-f]{7}[01]-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{11}[01]";
        let few = || "0000000[01]-0000-4000-8000-00000000000[0-3a]";
        let near = (few(), 0..36_usize, "[0-9a-gA-F:-]").prop_map(|(mut uuid, at, other)| {
            uuid.replace_range(at..=at, &other);
            uuid
        });
        prop_oneof![
            3 => "(a{0,14}|[ab\0]{0,3})[ab\0é]{0,4}",
            3 => "(a{0,58}|b{10,16}a{0,16})[ab\0é]{0,2}",
            1 => uuid(),
            2 => few(),
            2 => near,
            1 => few().prop_map(|uuid| uuid.to_uppercase()),
            1 => few().prop_map(|uuid| uuid.replace('-', "")),
            1 => few().prop_map(|uuid| uuid[1..].to_owned()),
            1 => few().prop_map(|uuid| format!("{uuid}0")),
        ]
    }

    proptest! {
        /// Two ids are one for a table if and only if their texts are the same, and a class has the ids that it is for.
        #[test]
        fn a_class_and_its_key_are_all_of_an_id(one in text(), other in text()) {
            prop_assert_eq!(Class::of(&one) == Class::of(&other), one == other);
            let digits = [0..8, 9..13, 14..18, 19..23, 24..36];
            let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            let is_uuid = one.len() == 36
                && one.bytes().enumerate().all(|(at, byte)| {
                    let is_digit = digits.iter().any(|digits| digits.contains(&at));
                    if is_digit { is_lower_hex(byte) } else { byte == b'-' }
                });
            let expected = match one.len() {
                0..16 => "Short",
                16..32 => "Longer",
                _ if is_uuid => "Uuid",
                _ => "Long(",
            };
            let class = format!("{:?}", Class::of(&one));
            prop_assert!(class.starts_with(expected), "{class}");
        }

        /// A table is a map, whatever its ids are.
        #[test]
        fn a_table_is_a_map(steps in prop::collection::vec((text(), any::<Option<u8>>()), 0..40)) {
            let mut table = InlineKeyMap::default();
            let mut plain = HashMap::new();
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
            let ids = steps.iter().map(|(id, _)| id.as_str()).chain(["never", "never-a-member-here", "ffffffff-ffff-4fff-8fff-ffffffffffff"].into_iter().cycle());
            let ids: Vec<&str> = ids.take(20).collect();
            let ids: &[&str; 20] = ids.as_slice().try_into().unwrap();
            let mut found = [None; 20];
            table.read_ahead(&ids.map(|id| table.wanted(id)));
            table.get_each(ids, &mut found);
            prop_assert_eq!(found, ids.map(|id| plain.get(id)));
        }
    }
}

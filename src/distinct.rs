//! Reading sets and maps in which nothing may stand twice.
//!
//! Who reads a list of names and drops one of two equal ones reads something else than was written, and perhaps
//! something else than the next reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::text::Parsed;
use crate::visible::Quoted;

/// A set, in any order.
pub(crate) fn set<'de, D, T>(deserializer: D) -> Result<BTreeSet<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Ord + AsRef<str> + Parsed,
{
    struct Items<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + Ord + AsRef<str> + Parsed> Visitor<'de> for Items<T> {
        type Value = BTreeSet<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list, each item {}", T::NOUN)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut set = BTreeSet::new();
            while let Some(item) = items.next_element()? {
                if let Some(twice) = set.replace(item) {
                    return Err(listed_twice(&twice));
                }
            }
            Ok(set)
        }
    }

    deserializer.deserialize_seq(Items(PhantomData))
}

/// A set that may be left out.
pub(crate) fn optional_set<'de, D, T>(deserializer: D) -> Result<Option<BTreeSet<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Ord + AsRef<str> + Parsed,
{
    struct Distinct<T: Ord>(BTreeSet<T>);

    impl<'de, T: Deserialize<'de> + Ord + AsRef<str> + Parsed> Deserialize<'de> for Distinct<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            set(deserializer).map(Self)
        }
    }

    Ok(Option::<Distinct<T>>::deserialize(deserializer)?.map(|distinct| distinct.0))
}

/// A map, in any order.
pub(crate) fn map<'de, D, K, V>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + AsRef<str>,
    V: Deserialize<'de>,
{
    struct Entries<K, V>(PhantomData<(K, V)>);

    impl<'de, K: Deserialize<'de> + Ord + AsRef<str>, V: Deserialize<'de>> Visitor<'de>
        for Entries<K, V>
    {
        type Value = BTreeMap<K, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a map")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut map = BTreeMap::new();
            while let Some((key, value)) = entries.next_entry::<K, V>()? {
                if map.contains_key(&key) {
                    return Err(listed_twice(&key));
                }
                map.insert(key, value);
            }
            Ok(map)
        }
    }

    deserializer.deserialize_map(Entries(PhantomData))
}

fn listed_twice<E: Error>(name: &impl AsRef<str>) -> E {
    E::custom(format_args!("{} is listed twice", Quoted(name.as_ref())))
}

//! The hasher of every table by id: fast, and keyed anew for each table.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};

/// A hash table by id.
pub(crate) type HashById<K, V> = HashMap<K, V, Keyed>;

/// A hash function that nobody knows outside the process: ids may be chosen by an attacker, and must not all fall into
/// one place. Its keys come from the operating system, as those of the standard library's do.
#[derive(Clone, Debug)]
pub(crate) struct Keyed(SeedableRandomState);

impl Default for Keyed {
    fn default() -> Self {
        static SHARED: LazyLock<SharedSeed> = LazyLock::new(|| SharedSeed::from_u64(random()));
        Self(SeedableRandomState::with_seed(random(), &SHARED))
    }
}

fn random() -> u64 {
    RandomState::new().hash_one(())
}

impl BuildHasher for Keyed {
    type Hasher = FoldHasher<'static>;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Ids that all fall into one place of one table are spread over another's: what an attacker learns from one
    /// account, or from a process of its own, does not help with the next.
    #[test]
    fn ids_that_collide_in_one_table_are_spread_in_another() {
        let (one, other) = (Keyed::default(), Keyed::default());
        let place = |keyed: &Keyed, id: &str| keyed.hash_one(id) % 1_024;
        let flood: Vec<String> = (0..200_000)
            .map(|number| format!("attacker-{number}"))
            .filter(|id| place(&one, id) == 0)
            .collect();
        let places: BTreeSet<u64> = flood.iter().map(|id| place(&other, id)).collect();
        assert!(flood.len() > 100 && places.len() > flood.len() / 2);
    }
}

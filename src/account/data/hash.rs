//! The crate's own hasher of tables: fast, and with keys of its own for each table.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use foldhash::SharedSeed;
use foldhash::fast::{FoldHasher, SeedableRandomState};

/// A hash table with the crate's own hasher.
pub(crate) type KeyedMap<K, V> = HashMap<K, V, Keyed>;

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

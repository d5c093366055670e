//! The keys of those who ask.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

/// Which bearer keys may ask about which account. Keys are kept as their SHA-256 alone: make them of 128 random bits or
/// more.
///
/// ```
/// let mut keys = grantbook_authzen::Keys::default();
/// keys.insert("acme", "1f8a5b0c");
/// assert!(keys.allows("acme", "1f8a5b0c"));
/// assert!(!keys.allows("globex", "1f8a5b0c"));
/// assert!(!keys.allows("acme", ""));
/// ```
#[derive(Clone, Default)]
pub struct Keys(HashMap<String, HashSet<[u8; 32]>>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys of {} accounts", self.0.len())
    }
}

impl Keys {
    /// Lets whoever has this key ask about this account.
    pub fn insert(&mut self, account: &str, key: &str) {
        let keys = self.0.entry(account.to_owned()).or_default();
        keys.insert(Sha256::digest(key).into());
    }

    /// Returns whether this key may ask about this account.
    #[must_use]
    pub fn allows(&self, account: &str, key: &str) -> bool {
        let keys = self.0.get(account);
        keys.is_some_and(|keys| keys.contains::<[u8; 32]>(&Sha256::digest(key).into()))
    }
}

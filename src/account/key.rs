//! An id as a hash table keeps it.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

/// An id as a hash table keeps it: a short one within the table, where a look-up that has found the entry has it at
/// hand, and does not wait for a text that is somewhere else in memory.
///
/// INVARIANT: `Short` wherever that can be. Equality, order and hash are those of the text.
#[derive(Clone, Debug)]
pub(crate) enum Key<K> {
    Short { length: u8, text: [u8; SHORT] },
    Long(K),
}

/// As many bytes as leave a key at 16.
const SHORT: usize = 14;

impl<K: Clone + Borrow<str>> Key<K> {
    pub(crate) fn of(id: &K) -> Self {
        let bytes = id.borrow().as_bytes();
        let mut text = [0; SHORT];
        match (u8::try_from(bytes.len()), text.get_mut(..bytes.len())) {
            (Ok(length), Some(start)) => {
                start.copy_from_slice(bytes);
                Self::Short { length, text }
            }
            _ => Self::Long(id.clone()),
        }
    }
}

impl<K: Borrow<str>> Key<K> {
    #[inline]
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, text } => text.get(..usize::from(*length)).unwrap_or(text),
            Self::Long(id) => id.borrow().as_bytes(),
        }
    }
}

impl<K: Borrow<str>> Borrow<[u8]> for Key<K> {
    #[inline]
    fn borrow(&self) -> &[u8] {
        self.bytes()
    }
}

impl<K: Borrow<str>> Hash for Key<K> {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

impl<K: Borrow<str>> PartialEq for Key<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl<K: Borrow<str>> Eq for Key<K> {}

impl<K: Borrow<str>> PartialOrd for Key<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Borrow<str>> Ord for Key<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::id::MemberId;

    /// A table of members has 32 bytes for each, and one for its tag.
    #[test]
    fn a_key_is_two_words() {
        assert_eq!(size_of::<Key<MemberId>>(), 16);
    }

    proptest! {
        /// Keys compare as their texts do, on both sides of the longest short one, and have their bytes.
        #[test]
        fn a_key_is_its_text(one in "[ab\0]{0,3}a{0,15}", other in "[ab\0]{0,3}a{0,15}") {
            let (key, other_key) = (Key::of(&one), Key::of(&other));
            prop_assert_eq!(key.cmp(&other_key), one.cmp(&other));
            prop_assert_eq!(key == other_key, one == other);
            prop_assert_eq!(key.bytes(), one.as_bytes());
            prop_assert_eq!(matches!(key, Key::Short { .. }), one.len() <= 14);
        }
    }
}

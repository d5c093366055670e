//! Slots: while a group exists it holds a small number, so that a set of groups is a word of bits.

use std::slice;

/// A group's number while it exists; the lowest free one is taken.
pub(crate) type Slot = u16;

/// A set of group slots: one word up to 64 groups, more words beyond.
///
/// INVARIANT: more words only where one does not do, and the last one is not zero, so that equal sets are equal and
/// absent words mean absent groups.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) enum SlotSet {
    Word(u64),
    Words(Box<[u64]>),
}

impl Default for SlotSet {
    fn default() -> Self {
        Self::Word(0)
    }
}

impl SlotSet {
    const BITS: usize = u64::BITS as usize;

    fn position(slot: Slot) -> (usize, u64) {
        let slot = usize::from(slot);
        (slot / Self::BITS, 1 << (slot % Self::BITS))
    }

    #[inline]
    fn words(&self) -> &[u64] {
        match self {
            SlotSet::Word(word) => slice::from_ref(word),
            SlotSet::Words(words) => words,
        }
    }

    fn from_words(words: &[u64]) -> Self {
        let used = words.iter().rposition(|word| *word != 0);
        match words.get(..used.map_or(0, |last| last + 1)) {
            Some([]) | None => Self::default(),
            Some([word]) => SlotSet::Word(*word),
            Some(words) => SlotSet::Words(words.into()),
        }
    }

    /// Puts a slot in; whether it was not there.
    pub(crate) fn insert(&mut self, slot: Slot) -> bool {
        let is_new = !self.contains(slot);
        if is_new {
            self.toggle(slot);
        }
        is_new
    }

    /// Takes a slot out; whether it was there.
    pub(crate) fn remove(&mut self, slot: Slot) -> bool {
        let was_there = self.contains(slot);
        if was_there {
            self.toggle(slot);
        }
        was_there
    }

    /// Puts in a slot that is not there, or takes out one that is.
    fn toggle(&mut self, slot: Slot) {
        match (self, Self::position(slot)) {
            (SlotSet::Word(word), (0, bit)) => *word ^= bit,
            (set, (index, bit)) => {
                let mut words = set.words().to_vec();
                words.resize(words.len().max(index + 1), 0);
                if let Some(word) = words.get_mut(index) {
                    *word ^= bit;
                }
                *set = Self::from_words(&words);
            }
        }
    }

    pub(crate) fn contains(&self, slot: Slot) -> bool {
        let (index, bit) = Self::position(slot);
        self.words().get(index).is_some_and(|word| word & bit != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The groups in the lowest 64 slots, if there are no others.
    pub(crate) fn word(&self) -> Option<u64> {
        match self {
            SlotSet::Word(word) => Some(*word),
            SlotSet::Words(_) => None,
        }
    }

    /// Whether any of the groups in the lowest 64 slots is one of these.
    #[inline]
    pub(crate) fn intersects_word(&self, word: u64) -> bool {
        match self {
            SlotSet::Word(own) => own & word != 0,
            SlotSet::Words(words) => words.first().is_some_and(|own| own & word != 0),
        }
    }

    /// Whether any of these slots is in the set. Looks at all of them: nobody can predict at which to stop, and to be
    /// wrong about it costs more.
    #[inline]
    pub(crate) fn has_any(&self, slots: &[Slot]) -> bool {
        let words = self.words();
        let found = slots.iter().fold(0, |found, slot| {
            let (index, bit) = Self::position(*slot);
            found | (words.get(index).copied().unwrap_or_default() & bit)
        });
        found != 0
    }

    pub(crate) fn intersects(&self, other: &Self) -> bool {
        let mut pairs = self.words().iter().zip(other.words());
        pairs.any(|(one, other)| one & other != 0)
    }

    pub(crate) fn is_subset(&self, other: &Self) -> bool {
        let mut pairs = self.words().iter().zip(other.words());
        self.words().len() <= other.words().len() && pairs.all(|(one, other)| one & !other == 0)
    }

    /// The slots that are in one of the two and not in the other.
    pub(crate) fn differing(&self, other: &Self) -> Self {
        let in_one = |slot: &Slot| !(self.contains(*slot) && other.contains(*slot));
        self.iter().chain(other.iter()).filter(in_one).collect()
    }

    /// The slots, lowest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Slot> {
        self.words().iter().zip(0..).flat_map(|(word, index)| {
            let bits = u64::BITS;
            (0..bits)
                .filter(move |bit| word & (1 << bit) != 0)
                .filter_map(move |bit| Slot::try_from(index * bits + bit).ok())
        })
    }

    /// The lowest slot that is not in the set.
    pub(crate) fn lowest_free(&self) -> Option<Slot> {
        let words = self.words();
        let full = words.iter().take_while(|word| **word == u64::MAX).count();
        let bit = words
            .get(full)
            .map_or(0, |word| word.trailing_ones() as usize);
        Slot::try_from(full * Self::BITS + bit).ok()
    }
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = Self::default();
        for slot in slots {
            set.insert(slot);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const SLOTS: std::ops::Range<Slot> = 0..200;

    proptest! {
        /// A group set behaves as the plain set, on both sides of every word's edge (A3).
        #[test]
        fn a_group_set_is_a_set(steps in prop::collection::vec((SLOTS, any::<bool>()), 0..100), other in prop::collection::btree_set(SLOTS, 0..20)) {
            let mut plain = BTreeSet::new();
            let mut set = SlotSet::default();
            for (slot, is_insert) in steps {
                if is_insert {
                    prop_assert_eq!(set.insert(slot), plain.insert(slot));
                } else {
                    prop_assert_eq!(set.remove(slot), plain.remove(&slot));
                }
                prop_assert_eq!(set.contains(slot), plain.contains(&slot));
            }
            let other_set: SlotSet = other.iter().copied().collect();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(&set, &plain.iter().copied().collect());
            prop_assert_eq!(set.is_empty(), plain.is_empty());
            prop_assert_eq!(set.intersects(&other_set), !plain.is_disjoint(&other));
            let slots: Vec<_> = other.iter().copied().chain([Slot::MAX]).collect();
            prop_assert_eq!(set.has_any(&slots), !plain.is_disjoint(&other));
            prop_assert_eq!(set.is_subset(&other_set), plain.is_subset(&other));
            let differing = plain.symmetric_difference(&other).copied().collect();
            prop_assert_eq!(set.differing(&other_set), differing);
            prop_assert_eq!(set.lowest_free(), SLOTS.into_iter().find(|slot| !plain.contains(slot)));
        }
    }
}

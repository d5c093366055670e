//! The bits: which groups a member is in, and which groups grant a permission in a place.
//!
//! While a group exists it holds a slot, a small number. A check is one AND of two sets of slots.

use std::slice;

use crate::permission::Permission;

/// A group's number while it exists; the lowest free one is taken.
pub(crate) type Slot = u16;

/// A set of group slots: one word up to 64 groups, more words beyond.
///
/// INVARIANT: more words only where one does not do, and the last one is not zero, so that equal sets are equal and
/// absent words mean absent groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum GroupSet {
    Word(u64),
    Words(Box<[u64]>),
}

impl Default for GroupSet {
    fn default() -> Self {
        Self::Word(0)
    }
}

impl GroupSet {
    const BITS: usize = u64::BITS as usize;

    fn position(slot: Slot) -> (usize, u64) {
        let slot = usize::from(slot);
        (slot / Self::BITS, 1 << (slot % Self::BITS))
    }

    #[inline]
    fn words(&self) -> &[u64] {
        match self {
            GroupSet::Word(word) => slice::from_ref(word),
            GroupSet::Words(words) => words,
        }
    }

    fn from_words(words: &[u64]) -> Self {
        let used = words.iter().rposition(|word| *word != 0);
        match words.get(..used.map_or(0, |last| last + 1)) {
            Some([]) | None => Self::default(),
            Some([word]) => GroupSet::Word(*word),
            Some(words) => GroupSet::Words(words.into()),
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
            (GroupSet::Word(word), (0, bit)) => *word ^= bit,
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
            GroupSet::Word(word) => Some(*word),
            GroupSet::Words(_) => None,
        }
    }

    /// Whether any of the groups in the lowest 64 slots is one of these.
    #[inline]
    pub(crate) fn intersects_word(&self, word: u64) -> bool {
        match self {
            GroupSet::Word(own) => own & word != 0,
            GroupSet::Words(words) => words.first().is_some_and(|own| own & word != 0),
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

impl FromIterator<Slot> for GroupSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = Self::default();
        for slot in slots {
            set.insert(slot);
        }
        set
    }
}

/// For one place, the account or a store: which groups grant which permission there.
///
/// What is asked for most stands in the place's own line of memory.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Granting {
    /// For `store.read` and `store.write`, by [`Permission::store_action`].
    store: [GroupSet; 2],
    /// `None` if there is nothing else.
    others: Option<Box<Others>>,
}

/// INVARIANT: without `store.read` and `store.write`, in the order of the permissions' text, each once, and no set is
/// empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
struct Others(Vec<(Permission, GroupSet)>);

impl Others {
    fn find(&self, permission: &Permission) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(granted, _)| granted.cmp(permission))
    }

    fn groups(&self, permission: &Permission) -> Option<&GroupSet> {
        self.0
            .get(self.find(permission).ok()?)
            .map(|(_, groups)| groups)
    }

    fn groups_mut(&mut self, permission: &Permission) -> Option<&mut GroupSet> {
        let index = self.find(permission).unwrap_or_else(|index| {
            self.0
                .insert(index, (permission.clone(), GroupSet::default()));
            index
        });
        self.0.get_mut(index).map(|(_, groups)| groups)
    }
}

static READ: Permission = Permission::STORE_READ;
static WRITE: Permission = Permission::STORE_WRITE;

impl Granting {
    /// The groups that grant this permission here, if any.
    #[inline]
    pub(crate) fn groups(&self, permission: &Permission) -> Option<&GroupSet> {
        match permission.store_action() {
            Some(action) => self.store.get(action),
            None => self.others.as_ref()?.groups(permission),
        }
    }

    /// What is granted here and by which groups, in the order of the permissions' text.
    fn iter<'a>(&'a self) -> impl Iterator<Item = (&'a Permission, &'a GroupSet)> {
        let others = self.others.as_ref().map_or(&[][..], |others| &others.0);
        let until = |end: &Permission| {
            others.partition_point(|(permission, _)| permission.cmp(end).is_lt())
        };
        let (below, above) = others.split_at(until(&WRITE));
        let (below, between) = below.split_at(until(&READ));
        let [read, write] = &self.store;
        let entries = |others: &'a [(Permission, GroupSet)]| {
            others
                .iter()
                .map(|(permission, groups)| (permission, groups))
        };
        entries(below)
            .chain([(&READ, read)])
            .chain(entries(between))
            .chain([(&WRITE, write)])
            .chain(entries(above))
            .filter(|(_, groups)| !groups.is_empty())
    }

    /// What these groups grant here, in the order of the permissions' text.
    pub(crate) fn granted_to(&self, groups: &GroupSet) -> impl Iterator<Item = &Permission> {
        self.iter()
            .filter(|(_, granting)| granting.intersects(groups))
            .map(|(permission, _)| permission)
    }

    /// The groups that grant something in one of the two that they do not in the other.
    pub(crate) fn differing(&self, other: &Self) -> GroupSet {
        let nothing = GroupSet::default();
        let mut slots = GroupSet::default();
        for (permission, _) in self.iter().chain(other.iter()) {
            let groups = |granting: &Self| granting.groups(permission).unwrap_or(&nothing).clone();
            for slot in groups(self).differing(&groups(other)).iter() {
                slots.insert(slot);
            }
        }
        slots
    }

    /// The group in this slot grants these permissions here.
    pub(crate) fn add<'a>(
        &mut self,
        slot: Slot,
        permissions: impl IntoIterator<Item = &'a Permission>,
    ) {
        for permission in permissions {
            let groups = match permission.store_action() {
                Some(action) => self.store.get_mut(action),
                None => self.others.get_or_insert_default().groups_mut(permission),
            };
            if let Some(groups) = groups {
                groups.insert(slot);
            }
        }
    }

    /// The group in this slot grants nothing here any more.
    pub(crate) fn remove(&mut self, slot: Slot) {
        for groups in &mut self.store {
            groups.remove(slot);
        }
        if let Some(others) = &mut self.others {
            others.0.retain_mut(|(_, groups)| {
                groups.remove(slot);
                !groups.is_empty()
            });
        }
        self.others.take_if(|others| others.0.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const SLOTS: std::ops::Range<Slot> = 0..200;

    /// Whatever the order in which permissions came, they are given in the order of their text; and none twice.
    #[test]
    fn what_is_granted_comes_in_the_order_of_its_text() {
        let texts = [
            "store.write",
            "log.read",
            "store.zap",
            "store.read",
            "store.scan",
        ];
        let mut granting = Granting::default();
        for text in texts {
            granting.add(3, [&Permission::parse(text).unwrap()]);
        }
        let groups = [3].into_iter().collect();
        let granted = granting.granted_to(&groups);
        let granted: Vec<_> = granted.map(Permission::as_str).collect();
        let mut sorted = texts;
        sorted.sort_unstable();
        assert_eq!(granted, sorted);
    }

    proptest! {
        /// A group set behaves as the plain set, on both sides of every word's edge (A3).
        #[test]
        fn a_group_set_is_a_set(steps in prop::collection::vec((SLOTS, any::<bool>()), 0..100), other in prop::collection::btree_set(SLOTS, 0..20)) {
            let mut plain = BTreeSet::new();
            let mut set = GroupSet::default();
            for (slot, is_insert) in steps {
                if is_insert {
                    prop_assert_eq!(set.insert(slot), plain.insert(slot));
                } else {
                    prop_assert_eq!(set.remove(slot), plain.remove(&slot));
                }
                prop_assert_eq!(set.contains(slot), plain.contains(&slot));
            }
            let other_set: GroupSet = other.iter().copied().collect();
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

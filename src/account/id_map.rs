//! A map by id: look-up by hash, lists in the order of ids, and a layer over another map.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::ops::Bound;

use crate::account::layer::{Layered, Merged};
use crate::account::table::{Start, Table};

/// A map by id.
///
/// Look-up is one hash. Lists come in the order of the ids, which no history and no hash seed changes (U6).
///
/// A map can lie over another one: it then holds only what differs, and the one below is not touched. That is how a
/// change is tried out at the cost of the change (see `State::over`).
#[derive(Clone, Debug)]
pub(crate) struct IdMap<'base, K, V> {
    base: Option<&'base IdMap<'base, K, V>>,
    own: Table<K, V>,
    /// The ids of `own`, in their order. In a layer also those that are gone: there, and not in `own`.
    order: BTreeSet<K>,
    /// While many ids come at once: those that are not in `order` yet. Some may be gone again.
    late: Option<Vec<K>>,
    len: usize,
}

impl<K, V> Default for IdMap<'_, K, V> {
    fn default() -> Self {
        Self {
            base: None,
            own: Table::default(),
            order: BTreeSet::new(),
            late: None,
            len: 0,
        }
    }
}

impl<'base, K: Clone + Ord + Hash + Borrow<str>, V: Layered<'base>> IdMap<'base, K, V> {
    /// An empty layer: it reads as the map below.
    pub(crate) fn over(base: &'base IdMap<'base, K, V>) -> Self {
        Self {
            base: Some(base),
            own: Table::like(&base.own),
            order: BTreeSet::new(),
            late: None,
            len: base.len,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, id: &str) -> Option<&V> {
        match (self.own.get(id), self.base) {
            (Some(value), _) => Some(value),
            (None, None) => None,
            (None, Some(_)) => self.get_below(id),
        }
    }

    /// What the map below holds, unless it is gone.
    fn get_below(&self, id: &str) -> Option<&V> {
        let base = self.base.filter(|_| !self.order.contains(id))?;
        base.get(id)
    }

    /// The value, with the id that the map has. Takes some twenty comparisons in a large map.
    pub(crate) fn get_key_value(&self, id: &str) -> Option<(&K, &V)> {
        self.get(id)
            .and_then(|value| self.key(id).map(|id| (id, value)))
    }

    fn key(&self, id: &str) -> Option<&K> {
        self.order.get(id).or_else(|| self.base?.key(id))
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    /// The value, to be changed. A layer takes its own first.
    pub(crate) fn get_mut(&mut self, id: &K) -> Option<&mut V> {
        let text = id.borrow();
        if let Some(base) = self.base {
            if !self.order.contains(text) {
                let value = base.get(text)?;
                self.order.insert(id.clone());
                self.own.insert(id, V::over(value));
            }
        }
        self.own.get_mut(text)
    }

    /// Puts a value in; the one before is gone.
    pub(crate) fn insert(&mut self, id: K, value: V) {
        let was_below = self.get_below(id.borrow()).is_some();
        let was_here = self.own.insert(&id, value).is_some();
        match &mut self.late {
            Some(late) => late.push(id),
            None => _ = self.order.insert(id),
        }
        self.len += usize::from(!was_here && !was_below);
    }

    /// Takes a value out; whether it was there.
    pub(crate) fn remove(&mut self, id: &K) -> bool {
        let text = id.borrow();
        if !self.contains(text) {
            return false;
        }
        self.len -= 1;
        self.own.remove(text);
        if self.base.is_some() {
            self.order.insert(id.clone());
        } else {
            self.order.remove(text);
        }
        true
    }

    /// Ids that come from now on find their place among the others together, and faster, in [`Self::settle`]. Until
    /// then nothing is listed.
    pub(crate) fn postpone_order(&mut self) {
        self.late = Some(Vec::new());
    }

    /// All that came late is in its place.
    pub(crate) fn settle(&mut self) {
        let late = self.late.take().into_iter().flatten();
        let mut late: Vec<(Start, K)> = late
            .filter(|id| self.own.get(id.borrow()).is_some())
            .map(|id| (Start::of(id.borrow()), id))
            .collect();
        late.sort_unstable();
        let mut late = late.into_iter().map(|(_, id)| id).collect();
        self.order.append(&mut late);
    }

    /// All entries, in the order of the ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.iter_after(None)
    }

    /// The entries whose ids come after this one, which need not be there.
    pub(crate) fn iter_after<'a>(
        &'a self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a K, &'a V)> + use<'a, 'base, K, V> {
        debug_assert!(self.late.is_none());
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let own = self.order.range::<str, _>((start, Bound::Unbounded));
        let own = own.map(|id| (id, self.own.get(id.borrow())));
        let below = self
            .base
            .map(|base| Box::new(base.iter_after(after)) as Box<dyn Iterator<Item = _>>);
        Merged::new(own, below)
    }

    /// The ids whose entries this layer holds itself: those that may differ from the map below.
    pub(crate) fn touched(&self) -> impl Iterator<Item = &K> {
        self.order.iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    impl Layered<'_> for u8 {
        fn over(base: &u8) -> u8 {
            *base
        }
    }

    fn steps() -> impl Strategy<Value = Vec<(u8, Option<u8>)>> {
        prop::collection::vec((0..8_u8, prop::option::of(any::<u8>())), 0..40)
    }

    fn apply(
        map: &mut IdMap<'_, String, u8>,
        plain: &mut BTreeMap<String, u8>,
        steps: &[(u8, Option<u8>)],
    ) {
        for (id_number, value) in steps {
            let id = id(*id_number);
            match value {
                Some(value) if value % 2 == 0 => {
                    map.insert(id.clone(), *value);
                    plain.insert(id, *value);
                }
                Some(value) => match (map.get_mut(&id), plain.get_mut(&id)) {
                    (Some(one), Some(other)) => (*one, *other) = (*value, *value),
                    (one, other) => assert_eq!(one, other),
                },
                None => assert_eq!(map.remove(&id), plain.remove(&id).is_some()),
            }
        }
    }

    /// Some ids are kept whole and some are not; of two, one begins as the other, or differs from it in the end only.
    fn id(number: u8) -> String {
        let start = "7".repeat(usize::from(number / 2) + 12);
        format!("{start}{}", number % 2)
    }

    fn agree(map: &IdMap<'_, String, u8>, plain: &BTreeMap<String, u8>) {
        assert!(map.iter().eq(plain.iter()), "{map:?} {plain:?}");
        assert_eq!(map.len(), plain.len());
        for number in 0..8_u8 {
            let id = id(number);
            assert_eq!(map.get(&id), plain.get(&id));
            assert_eq!(map.get_key_value(&id), plain.get_key_value(&id));
            let after = (
                std::ops::Bound::Excluded(id.clone()),
                std::ops::Bound::Unbounded,
            );
            assert!(
                map.iter_after(Some(&id))
                    .eq(plain.range::<String, _>(after))
            );
        }
    }

    proptest! {
        /// A map, a layer over it, and a layer over that each behave as a plain map, and what lies below stays as it
        /// was. Ids that come together come into the same order.
        #[test]
        fn a_layer_is_a_map(below in steps(), late in steps(), middle in steps(), above in steps()) {
            let (mut root, mut plain) = (IdMap::default(), BTreeMap::new());
            apply(&mut root, &mut plain, &below);
            root.postpone_order();
            apply(&mut root, &mut plain, &late);
            root.settle();
            agree(&root, &plain);
            let mut layer = IdMap::over(&root);
            let mut plain_layer = plain.clone();
            apply(&mut layer, &mut plain_layer, &middle);
            agree(&layer, &plain_layer);
            let mut top = IdMap::over(&layer);
            let mut plain_top = plain_layer.clone();
            apply(&mut top, &mut plain_top, &above);
            agree(&top, &plain_top);
            agree(&layer, &plain_layer);
            agree(&root, &plain);
        }
    }
}

//! A set of ids: lists in their order, and a layer over another set.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Bound;

use crate::account::layer::Merged;

/// A set of ids, in their order. Like an `IdMap`, it can lie over another one and hold only what differs.
#[derive(Clone, Debug)]
pub(crate) struct IdSet<'base, K> {
    base: Option<&'base IdSet<'base, K>>,
    /// `false`: not in the set, whatever the set below says. Only in a layer.
    own: BTreeMap<K, bool>,
    len: usize,
}

impl<K> Default for IdSet<'_, K> {
    fn default() -> Self {
        Self {
            base: None,
            own: BTreeMap::new(),
            len: 0,
        }
    }
}

impl<'base, K: Clone + Ord + Borrow<str>> IdSet<'base, K> {
    /// An empty layer: it reads as the set below.
    pub(crate) fn over(base: &'base IdSet<'base, K>) -> Self {
        Self {
            base: Some(base),
            len: base.len,
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        match (self.own.get(id), self.base) {
            (Some(is_in), _) => *is_in,
            (None, Some(base)) => base.contains(id),
            (None, None) => false,
        }
    }

    /// Puts an id in; whether it was not there.
    pub(crate) fn insert(&mut self, id: K) -> bool {
        let is_new = !self.contains(id.borrow());
        if is_new {
            self.len += 1;
            self.own.insert(id, true);
        }
        is_new
    }

    /// Takes an id out; whether it was there.
    pub(crate) fn remove(&mut self, id: &K) -> bool {
        let was_there = self.contains(id.borrow());
        if was_there {
            self.len -= 1;
            if self.base.is_some() {
                self.own.insert(id.clone(), false);
            } else {
                self.own.remove(id.borrow());
            }
        }
        was_there
    }

    /// The ids, in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &K> {
        self.iter_after(None)
    }

    /// The ids that come after this one, which need not be in the set.
    pub(crate) fn iter_after<'a>(
        &'a self,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a K> + use<'a, 'base, K> {
        self.entries_after(after).map(|(id, ())| id)
    }

    fn entries_after<'a>(
        &'a self,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a K, ())> + use<'a, 'base, K> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let own = self.own.range::<str, _>((start, Bound::Unbounded));
        let below = self
            .base
            .map(|base| Box::new(base.entries_after(after)) as Box<dyn Iterator<Item = _>>);
        Merged::new(own.map(|(id, is_in)| (id, is_in.then_some(()))), below)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn steps() -> impl Strategy<Value = Vec<(u8, bool)>> {
        prop::collection::vec((0..8_u8, any::<bool>()), 0..40)
    }

    fn apply(set: &mut IdSet<'_, String>, plain: &mut BTreeSet<String>, steps: &[(u8, bool)]) {
        for (id, is_insert) in steps {
            let id = id.to_string();
            if *is_insert {
                assert_eq!(set.insert(id.clone()), plain.insert(id));
            } else {
                assert_eq!(set.remove(&id), plain.remove(&id));
            }
        }
    }

    fn agree(set: &IdSet<'_, String>, plain: &BTreeSet<String>) {
        assert!(set.iter().eq(plain.iter()), "{set:?} {plain:?}");
        assert_eq!(set.len(), plain.len());
        assert!(
            (0..8_u8)
                .map(|id| id.to_string())
                .all(|id| set.contains(&id) == plain.contains(&id))
        );
    }

    proptest! {
        /// A set, a layer over it, and a layer over that each behave as a plain set, and what lies below stays as it
        /// was.
        #[test]
        fn a_layer_is_a_set(below in steps(), middle in steps(), above in steps()) {
            let (mut root, mut plain) = (IdSet::default(), BTreeSet::new());
            apply(&mut root, &mut plain, &below);
            agree(&root, &plain);
            let mut layer = IdSet::over(&root);
            let mut plain_layer = plain.clone();
            apply(&mut layer, &mut plain_layer, &middle);
            agree(&layer, &plain_layer);
            let mut top = IdSet::over(&layer);
            let mut plain_top = plain_layer.clone();
            apply(&mut top, &mut plain_top, &above);
            agree(&top, &plain_top);
            agree(&layer, &plain_layer);
            agree(&root, &plain);
        }
    }
}

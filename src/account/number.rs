//! Members' numbers, and sets of them: who is in a group, at a bit or two for each.

use std::borrow::Cow;

use roaring::RoaringBitmap;

use crate::id::MemberId;

/// A member's number while it is in the account. Nobody outside sees it.
pub(crate) type Number = u32;

/// Which member has which number. A number that is free again is given again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Numbers<'base> {
    base: Option<&'base Numbers<'base>>,
    /// The first number of `own`: those below are the base's.
    first: usize,
    own: Vec<Option<MemberId>>,
    free: Vec<Number>,
}

impl<'base> Numbers<'base> {
    /// A layer: what it gives is new, and what it takes back of the ones below stays with them.
    pub(crate) fn over(base: &'base Numbers<'base>) -> Self {
        Self {
            base: Some(base),
            first: base.first + base.own.len(),
            ..Self::default()
        }
    }

    /// A number that no other member has; `None` once there are 2^32 members.
    pub(crate) fn give(&mut self, id: &MemberId) -> Option<Number> {
        if self.free.is_empty() {
            let next = Number::try_from(self.first + self.own.len()).ok()?;
            self.own.push(None);
            self.free.push(next);
        }
        let number = self.free.pop()?;
        *self.own_mut(number)? = Some(id.clone());
        Some(number)
    }

    /// Frees a number, which no set holds any more.
    pub(crate) fn take_back(&mut self, number: Number) {
        if let Some(entry) = self.own_mut(number) {
            *entry = None;
            self.free.push(number);
        }
    }

    pub(crate) fn id(&self, number: Number) -> Option<&MemberId> {
        match (number as usize).checked_sub(self.first) {
            Some(index) => self.own.get(index)?.as_ref(),
            None => self.base?.id(number),
        }
    }

    fn own_mut(&mut self, number: Number) -> Option<&mut Option<MemberId>> {
        let index = (number as usize).checked_sub(self.first)?;
        self.own.get_mut(index)
    }
}

/// A set of numbers. It can lie over another one and hold only what differs.
#[derive(Clone, Debug, Default)]
pub(crate) struct NumberSet<'base> {
    base: Option<&'base NumberSet<'base>>,
    /// Not in the base.
    added: RoaringBitmap,
    /// In the base. Only in a layer.
    removed: RoaringBitmap,
}

impl<'base> NumberSet<'base> {
    /// An empty layer: it reads as the set below.
    pub(crate) fn over(base: &'base NumberSet<'base>) -> Self {
        Self {
            base: Some(base),
            ..Self::default()
        }
    }

    pub(crate) fn len(&self) -> usize {
        let here = |numbers: &RoaringBitmap| usize::try_from(numbers.len()).unwrap_or(usize::MAX);
        self.base.map_or(0, NumberSet::len) + here(&self.added) - here(&self.removed)
    }

    /// Puts a number in; whether it was not there.
    pub(crate) fn insert(&mut self, number: Number) -> bool {
        if self.base.is_some_and(|base| base.contains(number)) {
            self.removed.remove(number)
        } else {
            self.added.insert(number)
        }
    }

    /// Takes a number out; whether it was there.
    pub(crate) fn remove(&mut self, number: Number) -> bool {
        if self.base.is_some_and(|base| base.contains(number)) {
            self.removed.insert(number)
        } else {
            self.added.remove(number)
        }
    }

    fn contains(&self, number: Number) -> bool {
        let is_below = self.base.is_some_and(|base| base.contains(number));
        self.added.contains(number) || is_below && !self.removed.contains(number)
    }

    /// The numbers, without layers.
    pub(crate) fn numbers(&self) -> Cow<'_, RoaringBitmap> {
        match self.base {
            None => Cow::Borrowed(&self.added),
            Some(base) => Cow::Owned(&(&*base.numbers() - &self.removed) | &self.added),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn steps() -> impl Strategy<Value = Vec<(Number, bool)>> {
        prop::collection::vec((0..8_u32, any::<bool>()), 0..40)
    }

    fn apply(set: &mut NumberSet<'_>, plain: &mut BTreeSet<Number>, steps: &[(Number, bool)]) {
        for (number, is_insert) in steps {
            if *is_insert {
                assert_eq!(set.insert(*number), plain.insert(*number));
            } else {
                assert_eq!(set.remove(*number), plain.remove(number));
            }
            assert_eq!(set.contains(*number), plain.contains(number));
        }
    }

    fn agree(set: &NumberSet<'_>, plain: &BTreeSet<Number>) {
        assert!(
            set.numbers().iter().eq(plain.iter().copied()),
            "{set:?} {plain:?}"
        );
        assert_eq!(set.len(), plain.len());
    }

    proptest! {
        /// A set, a layer over it, and a layer over that each behave as a plain set, and what lies below stays as it
        /// was.
        #[test]
        fn a_layer_is_a_set(below in steps(), middle in steps(), above in steps()) {
            let (mut root, mut plain) = (NumberSet::default(), BTreeSet::new());
            apply(&mut root, &mut plain, &below);
            agree(&root, &plain);
            let mut layer = NumberSet::over(&root);
            let mut plain_layer = plain.clone();
            apply(&mut layer, &mut plain_layer, &middle);
            agree(&layer, &plain_layer);
            let mut top = NumberSet::over(&layer);
            let mut plain_top = plain_layer.clone();
            apply(&mut top, &mut plain_top, &above);
            agree(&top, &plain_top);
            agree(&layer, &plain_layer);
            agree(&root, &plain);
        }
    }

    /// No two members have one number at a time, in a layer neither; and a number that is free is given again, so that
    /// they stay as small as the account.
    #[test]
    fn a_number_belongs_to_one() {
        let id = |text: &str| MemberId::parse(text).unwrap();
        let (olga, dana, gil) = (id("olga"), id("dana"), id("gil"));
        let mut numbers = Numbers::default();
        assert_eq!(
            (numbers.give(&olga), numbers.give(&dana)),
            (Some(0), Some(1))
        );
        {
            let mut layer = Numbers::over(&numbers);
            layer.take_back(0);
            assert_eq!(layer.give(&gil), Some(2));
            assert_eq!(layer.id(1), Some(&dana));
            assert_eq!(layer.id(2), Some(&gil));
            layer.take_back(2);
            assert_eq!(layer.id(2), None);
            assert_eq!(layer.give(&olga), Some(2));
        }
        assert_eq!(numbers.id(2), None);
        numbers.take_back(0);
        assert_eq!((numbers.id(0), numbers.id(1)), (None, Some(&dana)));
        assert_eq!(
            (numbers.give(&gil), numbers.give(&olga)),
            (Some(0), Some(2))
        );
        assert_eq!(numbers.id(0), Some(&gil));
    }
}

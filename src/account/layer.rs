//! What the collections that lie in layers have in common.

use std::iter::Peekable;

use crate::id::{GroupId, RoleId};
use crate::role::Role;

/// A value that a layer changes: it takes its own before it does.
pub(crate) trait Layered<'base> {
    /// A copy of the value below; of a large one, a layer over it.
    fn over(base: &'base Self) -> Self;
}

/// The entries of a layer and all below it.
type Entries<'a, K, V> = Box<dyn Iterator<Item = (&'a K, V)> + 'a>;

/// One layer's entries over those of the layers below it. Both are in the order of the keys; a key that both hold is
/// the upper layer's to answer, and `None` is its way to say that there is nothing.
pub(crate) struct Merged<'a, K, V, O: Iterator<Item = (&'a K, Option<V>)>> {
    own: Peekable<O>,
    below: Option<Peekable<Entries<'a, K, V>>>,
}

impl<'a, K, V, O: Iterator<Item = (&'a K, Option<V>)>> Merged<'a, K, V, O> {
    pub(crate) fn new(own: O, below: Option<Entries<'a, K, V>>) -> Self {
        Self {
            own: own.peekable(),
            below: below.map(Iterator::peekable),
        }
    }
}

impl<'a, K: Ord, V, O: Iterator<Item = (&'a K, Option<V>)>> Iterator for Merged<'a, K, V, O> {
    type Item = (&'a K, V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let next_own = self.own.peek().map(|(key, _)| *key);
            let below = self
                .below
                .as_mut()
                .and_then(|below| below.next_if(|(key, _)| next_own.is_none_or(|own| *key <= own)));
            match (below, next_own) {
                (Some((key, _)), Some(own)) if key == own => {}
                (Some(entry), _) => return Some(entry),
                (None, _) => {
                    let (key, value) = self.own.next()?;
                    if let Some(value) = value {
                        return Some((key, value));
                    }
                }
            }
        }
    }
}

macro_rules! copied {
    ($($value:ty),*) => {
        $(impl Layered<'_> for $value {
            fn over(base: &Self) -> Self {
                base.clone()
            }
        })*
    };
}
pub(crate) use copied;

copied!(GroupId, RoleId, Role);

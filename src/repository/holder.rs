//! The copies that a process holds.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};

use crossbeam_utils::sync::ShardedLock;

use crate::id::AccountId;
use crate::repository::held::Held;
use crate::repository::observer::Observer;

/// The copies that a process holds, and how.
pub(super) struct Holder<S> {
    storage: S,
    capacity: usize,
    observer: Option<Observer>,
    wants_deltas: bool,
    held: ShardedLock<HashMap<AccountId, Arc<Held>>>,
    /// About how many bytes all of them take.
    bytes: AtomicUsize,
    /// Counts what is asked for.
    uses: AtomicU64,
    /// How often not to look for accounts that can be given up, since all of them were in use the last time.
    passes: AtomicUsize,
}

impl<S> Holder<S> {
    pub(super) fn new(
        storage: S,
        capacity: usize,
        observer: Option<Observer>,
        wants_deltas: bool,
    ) -> Self {
        Self {
            storage,
            capacity,
            observer,
            wants_deltas,
            held: ShardedLock::default(),
            bytes: AtomicUsize::new(0),
            uses: AtomicU64::new(0),
            passes: AtomicUsize::new(0),
        }
    }

    /// About how many bytes all copies take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn storage(&self) -> &S {
        &self.storage
    }

    pub(super) fn observer(&self) -> Option<&Observer> {
        self.observer.as_ref()
    }

    pub(super) fn read(&self) -> impl Deref<Target = HashMap<AccountId, Arc<Held>>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> impl DerefMut<Target = HashMap<AccountId, Arc<Held>>> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_used(&self, held: &Held) {
        let now = self.uses.fetch_add(1, Ordering::Relaxed);
        held.used.store(now, Ordering::Relaxed);
    }

    /// Whether nobody has a handle, loads it, or is being told of it. Asked under the lock for writing, so that nobody
    /// can come meanwhile.
    pub(super) fn is_idle(held: &Arc<Held>) -> bool {
        Arc::strong_count(held) == 1 && !held.has_untold()
    }

    /// The place of an account, which may have yet to be loaded, to be [left](Holder::leave) again. Nobody uses it by
    /// this.
    pub(super) fn place(&self, id: &AccountId) -> Arc<Held> {
        // Counted under the lock, so that the place does not go meanwhile.
        let enter = |held: &Arc<Held>| {
            held.loading.fetch_add(1, Ordering::Relaxed);
            Arc::clone(held)
        };
        let found = self.read().get(id).map(enter);
        found.unwrap_or_else(|| {
            let mut all = self.write();
            let place = all.entry(id.clone());
            let new = || Arc::new(Held::new(id.clone(), self.wants_deltas));
            let held = enter(place.or_insert_with(new));
            self.is_used(&held);
            held
        })
    }

    /// Leaves the place of an account. It goes if nothing was loaded and nobody else is about to.
    pub(super) fn leave(&self, id: &AccountId, held: &Arc<Held>) {
        let is_last = held.loading.fetch_sub(1, Ordering::Relaxed) == 1;
        if is_last && !held.is_loaded() {
            let mut all = self.write();
            let is_empty = |found: &Arc<Held>| {
                Arc::ptr_eq(found, held)
                    && found.loading.load(Ordering::Relaxed) == 0
                    && !found.is_loaded()
            };
            if all.get(id).is_some_and(is_empty) {
                all.remove(id);
            }
        }
    }

    pub(super) fn found(&self, id: &str) -> Option<Arc<Held>> {
        let held = Arc::clone(self.read().get(id)?);
        self.is_used(&held);
        Some(held)
    }

    /// Counts what a copy takes now, and gives others up where all take too much.
    pub(super) fn recount(&self, held: &Held) {
        let (before, now) = held.recount();
        self.bytes.fetch_add(now, Ordering::Relaxed);
        self.bytes.fetch_sub(before, Ordering::Relaxed);
        self.make_room();
    }

    pub(super) fn less(&self, held: Option<&Arc<Held>>) {
        let bytes = held.map_or(0, |held| held.bytes());
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Gives accounts up that nobody uses, where all take too much: an eighth more than it must, so that it is seldom
    /// looked for them. Where too many are in use, it is looked again only after an eighth as many calls.
    fn make_room(&self) {
        if self.bytes.load(Ordering::Relaxed) <= self.capacity {
            return;
        }
        let passes = |passes: usize| passes.checked_sub(1);
        let (set, fetch) = (Ordering::Relaxed, Ordering::Relaxed);
        if self.passes.fetch_update(set, fetch, passes).is_ok() {
            return;
        }
        let mut given_up = Vec::new();
        {
            let mut all = self.write();
            let mut idle: Vec<_> = all
                .iter()
                .filter(|(_, held)| Self::is_idle(held))
                .map(|(id, held)| (held.used.load(Ordering::Relaxed), id.clone()))
                .collect();
            idle.sort_unstable();
            let enough = self.capacity - self.capacity / 8;
            for (_, id) in idle {
                if self.bytes.load(Ordering::Relaxed) <= enough {
                    break;
                }
                let held = all.remove(&id);
                self.less(held.as_ref());
                given_up.extend(held);
            }
            if self.bytes.load(Ordering::Relaxed) > self.capacity {
                self.passes.store(all.len() / 8, Ordering::Relaxed);
            }
        }
        drop(given_up); // which takes its time, and needs no lock
    }
}

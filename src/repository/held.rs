//! One copy for many threads, and the queue of what an observer is to be told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crossbeam_utils::sync::ShardedLock;

use crate::account::Account;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::id::AccountId;
use crate::repository::cell::ReplicaCell;
use crate::repository::commit::Commit;
use crate::repository::observer::{Notice, Observer};
use crate::repository::replica::{Admitted, Ingested, Replica};
use crate::repository::turns::Turns;

/// A copy that threads share.
pub(super) struct Held {
    /// At version 0 until the account is loaded: it denies everything, and keeps what is heard of meanwhile.
    replica: ShardedLock<Replica>,
    /// Held by whoever changes the copy, and by who looks at it for long. So nobody waits for the lock for writing while
    /// somebody looks for long, and checks, which take the lock for reading alone, do not wait for either.
    changing: Mutex<()>,
    /// How many are about to load it.
    pub(super) loading: AtomicUsize,
    /// Whether it was ever loaded.
    is_loaded: AtomicBool,
    /// Held by whoever loads the account, catches up or executes.
    pub(super) turns: Turns,
    /// About how many bytes the copy takes, and at how many records they are to be counted again.
    bytes: AtomicUsize,
    counted_until: AtomicU64,
    /// When it was last asked for, as its `Accounts` count.
    pub(super) used: AtomicU64,
    /// Whether notices are to say what changes for whom.
    wants_deltas: bool,
    queue: Mutex<Queue>,
    delivered: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Notice>,
    /// Who is telling the observer.
    teller: Option<ThreadId>,
}

impl Held {
    /// One that is yet to be loaded.
    pub(super) fn new(id: AccountId, wants_deltas: bool) -> Self {
        Self {
            replica: ShardedLock::new(Replica::new(Account::unopened(id))),
            changing: Mutex::default(),
            loading: AtomicUsize::new(0),
            is_loaded: AtomicBool::new(false),
            turns: Turns::default(),
            bytes: AtomicUsize::new(0),
            counted_until: AtomicU64::new(0),
            used: AtomicU64::new(0),
            wants_deltas,
            queue: Mutex::default(),
            delivered: Condvar::new(),
        }
    }

    /// Looks at the copy.
    #[inline]
    pub(super) fn look<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        // Nothing is half applied: a commit is applied as a whole, by code of this library alone.
        look(&self.replica.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether it is of any use.
    pub(super) fn is_loaded(&self) -> bool {
        self.is_loaded.load(Ordering::Acquire)
    }

    /// Looks at the copy for longer: the next change waits, and no check.
    pub(super) fn study<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        let _changing = self.changing();
        self.look(look)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the copy, with the lock above held.
    fn write<T>(&self, change: impl FnOnce(&mut Replica) -> T) -> T {
        let mut replica = self.replica.write().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&mut replica);
        if replica.version() > 0 {
            self.is_loaded.store(true, Ordering::Release);
        }
        changed
    }

    /// Applies records that fit, and leaves the notice of it, which was made before: checks wait only while records are
    /// applied.
    fn accept(&self, records: &[Record]) {
        let notice = self.look(|replica| Notice::Committed {
            account: replica.id().clone(),
            records: records.to_vec(),
            delta: (self.wants_deltas)
                .then(|| replica.delta_of_commit(records).unwrap_or_default()),
        });
        self.write(|replica| {
            replica.accept_commit(records);
            self.tell(notice);
        });
    }

    /// Takes an account that was just loaded, in the place of one that is not, or cannot be brought up to date. That
    /// settles the notices before it.
    pub(super) fn install(&self, loaded: Replica, doubts: u64) {
        let mut this = self;
        let version = loaded.version();
        self.begin(loaded.into_account(), |_| true);
        this.change(|replica| replica.settle(doubts, version));
    }

    /// Begins again from an account that was read, if that is wanted.
    fn begin(&self, account: Account, is_wanted: impl FnOnce(&Replica) -> bool) -> bool {
        let mut this = self;
        let given_up = this.change(|replica| {
            if !is_wanted(replica) {
                return None;
            }
            self.tell(Notice::Began {
                account: account.id().clone(),
                version: account.version(),
            });
            Some(replica.restart(account))
        });
        if given_up.is_some() {
            self.counted_until.store(0, Ordering::Relaxed);
        }
        given_up.is_some() // what is given up takes its time, and needs no lock
    }

    /// Takes a record that the repository keeps.
    pub(super) fn ingest(&self, record: &Record) -> Result<Ingested, ReplayError> {
        let mut this = self;
        match this.change(|replica| replica.admit(record))? {
            Admitted::Commit(commit) => this.apply(&commit).map(|_| Ingested::Applied),
            Admitted::Not(ingested) => Ok(ingested),
        }
    }

    /// About how many bytes the copy took when they were last counted.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts the bytes, if there were enough changes since the last time that it costs each of them little. Returns the
    /// count before and the one now.
    pub(super) fn recount(&self) -> (usize, usize) {
        self.look(|replica| {
            if replica.version() < self.counted_until.load(Ordering::Relaxed) {
                return (0, 0);
            }
            let (bytes, effort) = replica.state.estimated_bytes();
            let next = replica.version().saturating_add(1 + effort / 64);
            self.counted_until.store(next, Ordering::Relaxed);
            (self.bytes.swap(bytes, Ordering::Relaxed), bytes)
        })
    }

    /// Leaves a notice for the observer.
    pub(super) fn tell(&self, notice: Notice) {
        self.queue().waiting.push_back(notice);
    }

    /// Tells the observer what waits for it, in order. If another thread is telling it already, that one goes on.
    pub(super) fn deliver(&self, observer: Option<&Observer>) {
        let Some(observer) = observer else {
            let mut queue = self.queue();
            queue.waiting = VecDeque::new();
            return;
        };
        {
            let mut queue = self.queue();
            if queue.teller.is_some() || queue.waiting.is_empty() {
                return;
            }
            queue.teller = Some(thread::current().id());
        }
        // A notice counts as delivered when the observer was called, also where it panics.
        let mut telling = Telling {
            held: self,
            is_over: false,
        };
        while let Some(notice) = telling.next() {
            observer(&notice);
        }
    }

    /// Waits until the observer was told everything that happened before; not if the observer itself calls this.
    pub(super) fn flush(&self, observer: Option<&Observer>) {
        loop {
            self.deliver(observer);
            let queue = self.queue();
            match queue.teller {
                Some(teller) if teller == thread::current().id() => return,
                Some(_) => {
                    let waited = self.delivered.wait(queue);
                    drop(waited.unwrap_or_else(PoisonError::into_inner));
                }
                None if queue.waiting.is_empty() => return,
                None => {} // the observer panicked elsewhere
            }
        }
    }

    /// Whether the observer has yet to be told something.
    pub(super) fn has_untold(&self) -> bool {
        let queue = self.queue();
        queue.teller.is_some() || !queue.waiting.is_empty()
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While this is there, its thread tells the observer.
struct Telling<'h> {
    held: &'h Held,
    is_over: bool,
}

impl Telling<'_> {
    /// The next notice. That there is none and that nobody tells any more is one step: whoever leaves a notice after it
    /// tells it.
    fn next(&mut self) -> Option<Notice> {
        let mut queue = self.held.queue();
        let next = queue.waiting.pop_front();
        if next.is_none() {
            queue.teller = None;
            self.is_over = true;
        }
        next
    }
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.held.queue().teller = None; // the observer panicked
        }
        self.held.delivered.notify_all();
    }
}

impl ReplicaCell for &Held {
    fn read<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        self.look(look)
    }

    fn study<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        Held::study(self, look)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Replica) -> T) -> T {
        let _changing = self.changing();
        self.write(change)
    }

    fn apply(&mut self, records: &[Record]) -> Result<bool, ReplayError> {
        let _changing = self.changing();
        let is_new = self.look(|replica| replica.validate_commit(records))?;
        if is_new {
            self.accept(records);
        }
        Ok(is_new)
    }

    fn adopt(&mut self, commit: &Commit) -> bool {
        let _changing = self.changing();
        if !commit.records().is_empty() && self.look(|replica| replica.is_expected_by(commit)) {
            self.accept(commit.records());
        }
        self.look(|replica| replica.confirm(commit.head()))
    }

    fn go_on_from(&mut self, account: Account) -> bool {
        let version = account.version();
        self.begin(account, |replica| version > replica.version())
    }
}

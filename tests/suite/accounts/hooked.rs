//! A repository during whose answers something else happens.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use grantbook::repository::*;
use grantbook::*;

/// What a repository is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    Records,
    Snapshot,
    Request,
    Commit,
    Erase,
    /// While a request is decided.
    WantsSnapshot,
}

/// What happens, and what becomes of the answer.
type Hook = Box<dyn FnOnce(&MemoryRepository) -> io::Result<()> + Send>;

/// The repository in memory, where something happens once between what it does and its answer.
#[derive(Default)]
pub(super) struct Hooked {
    pub(super) kept: MemoryRepository,
    hook: Mutex<Option<(Asked, Hook)>>,
    /// Whether there is a snapshot with each commit, and the records before it are given up.
    pub(super) compacts: AtomicBool,
}

impl Hooked {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Does this when it is next asked that.
    pub(super) fn when(&self, asked: Asked, act: impl FnOnce(&MemoryRepository) + Send + 'static) {
        let hook = move |kept: &MemoryRepository| {
            act(kept);
            Ok(())
        };
        *self.hook.lock().unwrap() = Some((asked, Box::new(hook)));
    }

    /// As [`when`](Self::when), and the answer is lost.
    pub(super) fn lost_when(
        &self,
        asked: Asked,
        act: impl FnOnce(&MemoryRepository) + Send + 'static,
    ) {
        let hook = move |kept: &MemoryRepository| {
            act(kept);
            Err(io::Error::other("the connection is gone"))
        };
        *self.hook.lock().unwrap() = Some((asked, Box::new(hook)));
    }

    /// Whether what was to be done has been done.
    pub(super) fn is_done(&self) -> bool {
        self.hook.lock().unwrap().is_none()
    }

    fn after<T, E>(&self, asked: Asked, answer: Result<T, E>) -> io::Result<T>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let hook = {
            let mut hook = self.hook.lock().unwrap();
            hook.take_if(|(when, _)| *when == asked)
        };
        if let Some((_, act)) = hook {
            act(&self.kept)?;
        }
        answer.map_err(io::Error::other)
    }
}

impl Repository for Hooked {
    type Error = io::Error;

    fn snapshot(&self, account: &AccountId) -> io::Result<Option<Snapshot>> {
        self.after(Asked::Snapshot, self.kept.snapshot(account))
    }

    fn records_after(&self, account: &AccountId, version: u64) -> io::Result<RecordPage> {
        let page = self.kept.records_after(account, version);
        let is_given_up = self.compacts.load(Ordering::Relaxed)
            && self
                .kept
                .snapshot(account)
                .is_ok_and(|kept| kept.is_some_and(|kept| version < kept.version()));
        let page = if is_given_up {
            Ok(RecordPage::Compacted)
        } else {
            page
        };
        self.after(Asked::Records, page)
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> io::Result<Option<StoredRequest>> {
        self.after(Asked::Request, self.kept.request(account, key))
    }

    fn commit(&self, commit: &Commit) -> io::Result<CommitOutcome> {
        self.after(Asked::Commit, self.kept.commit(commit))
    }

    fn erase(&self, account: &AccountId) -> io::Result<EraseOutcome> {
        self.after(Asked::Erase, self.kept.erase(account))
    }

    fn wants_snapshot(&self, _: u64, _: u64) -> bool {
        let asked = self.after(Asked::WantsSnapshot, Ok::<_, io::Error>(()));
        asked.is_ok() && self.compacts.load(Ordering::Relaxed)
    }
}

//! A repository during whose answers something else happens.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use grantbook::repository::*;
use grantbook::*;

/// What a repository is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    Records,
    Request,
    Commit,
    /// While a request is decided.
    WantsSnapshot,
}

type Hook = Box<dyn FnOnce(&MemoryRepository) + Send>;

/// The repository in memory, where something happens once between what it does and its answer.
#[derive(Default)]
pub(super) struct Hooked {
    pub(super) kept: MemoryRepository,
    hook: Mutex<Option<(Asked, Hook)>>,
}

impl Hooked {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Does this when it is next asked that.
    pub(super) fn when(&self, asked: Asked, act: impl FnOnce(&MemoryRepository) + Send + 'static) {
        *self.hook.lock().unwrap() = Some((asked, Box::new(act)));
    }

    /// Whether what was to be done has been done.
    pub(super) fn is_done(&self) -> bool {
        self.hook.lock().unwrap().is_none()
    }

    fn after<T>(&self, asked: Asked, answer: T) -> T {
        let hook = {
            let mut hook = self.hook.lock().unwrap();
            hook.take_if(|(when, _)| *when == asked)
        };
        if let Some((_, act)) = hook {
            act(&self.kept);
        }
        answer
    }
}

impl Repository for Hooked {
    type Error = Infallible;

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        self.after(Asked::Records, self.kept.records_after(account, version))
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        self.after(Asked::Request, self.kept.request(account, key))
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        self.after(Asked::Commit, self.kept.commit(commit))
    }

    fn erase(&self, account: &AccountId) -> Result<EraseOutcome, Infallible> {
        self.kept.erase(account)
    }

    fn wants_snapshot(&self, _: u64, _: u64) -> bool {
        self.after(Asked::WantsSnapshot, false)
    }
}

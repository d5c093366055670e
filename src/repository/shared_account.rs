//! A handle to one account that a process holds.

use std::fmt;
use std::sync::Arc;
use std::thread;

use crate::access::{Decision, DenialReason, Resource};
use crate::account::Account;
use crate::account::changes::Command;
use crate::account::command_error::CommandError;
use crate::account::precondition::Precondition;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::account::status::MemberStatus;
use crate::id::AccountId;
use crate::permission::Permission;
use crate::questions::delta::Preview;
use crate::repository::as_of::{AsOf, StaleError};
use crate::repository::cell::ReplicaCell;
use crate::repository::commit::{Commit, Prepared};
use crate::repository::contract::{AsyncRepository, Repository};
use crate::repository::error::RepositoryError;
use crate::repository::head::Head;
use crate::repository::held::Held;
use crate::repository::holder::Holder;
use crate::repository::observer::Notice;
use crate::repository::protocol;
use crate::repository::replica::{Freshness, Ingested, Replica};
use crate::repository::request::{Executed, Request};
use crate::repository::storage::{AsyncStorage, Storage, SyncStorage, poll_ready};
use crate::repository::turns::TurnGuard;

/// A handle to an account that a process holds, given out by [`Accounts`](super::Accounts). Cheap to clone; all handles
/// to an account share one copy of it.
///
/// Checks do not slow each other: each thread locks a place of its own. A change is decided and stored while checks go
/// on; they wait while it is applied, which copies nothing and takes about a microsecond, and in a request that names many
/// members, stores or groups about a fifth of one for each. It counts for every check that
/// begins after [`execute`](SharedAccount::execute) has returned, in this process.
///
/// Requests take turns, one for each account. While an account is in use by a handle, it is not given up for others.
///
/// # Deadlocks
///
/// What is passed to [`with`](SharedAccount::with) and [`at_least`](SharedAccount::at_least) must ask neither a handle of
/// this account again nor its [`Accounts`](super::Accounts): if a change is about to be applied, the thread would wait
/// for itself. The observer may. But an observer that [`flush`](SharedAccount::flush)es another account waits for what
/// its own account's observer may be waiting for. A future of an asynchronous method that was polled once stands in line
/// for its turn: poll it on or drop it, or those behind it wait for it.
pub struct SharedAccount<S> {
    id: AccountId,
    held: Arc<Held>,
    accounts: Arc<Holder<S>>,
}

impl<S> Clone for SharedAccount<S> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            held: Arc::clone(&self.held),
            accounts: Arc::clone(&self.accounts),
        }
    }
}

impl<S> fmt::Debug for SharedAccount<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let as_of = self.as_of();
        f.debug_struct("SharedAccount")
            .field("id", &self.id)
            .field("version", &as_of.version)
            .field("behind", &as_of.behind)
            .field("is_diverged", &as_of.is_diverged)
            .finish_non_exhaustive()
    }
}

/// Questions.
impl<S> SharedAccount<S> {
    /// Of a copy that is loaded.
    pub(super) fn new(id: AccountId, held: Arc<Held>, accounts: Arc<Holder<S>>) -> Self {
        Self { id, held, accounts }
    }

    /// Returns the account's id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.id
    }

    /// Returns whether this member may do this here, as [`Account::can`]. Allocates nothing but, for the first check of
    /// a thread, its place among those that read.
    #[must_use]
    #[inline]
    pub fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        self.held
            .look(|replica| replica.can(member, permission, resource))
    }

    /// Returns whether this member may do this here and, if not, why, as [`Account::check`].
    pub fn check(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> Decision {
        self.with(|account| account.check(member, permission, resource))
    }

    /// Returns an error if this member may not do this here: the reason, which has a code and an HTTP status.
    ///
    /// # Errors
    /// The member may not.
    pub fn require(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> Result<(), DenialReason> {
        match self.check(member, permission, resource) {
            Decision::Allowed => Ok(()),
            Decision::Denied(reason) => Err(reason),
        }
    }

    /// Asks several questions about one moment. Whoever changes the account waits meanwhile, and then whoever asks: be
    /// brief, and do not wait for anything else. Ask the account that you are given, and not this handle once more: that
    /// would wait for a change that waits for you, forever.
    pub fn with<T>(&self, ask: impl FnOnce(&Account) -> T) -> T {
        self.held.look(|replica| ask(replica))
    }

    /// Asks the account if it is of this version or a later one, as [`Replica::at_least`](super::Replica::at_least).
    ///
    /// # Errors
    /// The copy is older. [`refresh`](SharedAccount::refresh) it once and ask again; if it is still older, there is no
    /// such version.
    pub fn at_least<T>(
        &self,
        version: u64,
        ask: impl FnOnce(&Account) -> T,
    ) -> Result<T, StaleError> {
        self.held.look(|replica| replica.at_least(version).map(ask))
    }

    /// Returns which state of the account this copy holds, and whether it is known to be behind.
    #[must_use]
    pub fn as_of(&self) -> AsOf {
        self.held.look(Replica::as_of)
    }

    /// Returns the version that the account is at.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.with(Account::version)
    }

    /// Returns where the copy stands, to compare it with what the repository keeps. A copy whose
    /// [`as_of`](SharedAccount::as_of) says that it is diverged stands nowhere that counts.
    #[must_use]
    pub fn head(&self) -> Head {
        self.with(Head::of)
    }

    /// Returns what a request would change, without executing it, and the request to execute if that is what is wanted:
    /// it is refused if the account has changed since ([U8](crate::docs::rules#U8)).
    ///
    /// # Errors
    /// The request would be refused.
    pub fn preview(&self, request: Request) -> Result<(Preview, Request), CommandError> {
        self.held.study(|account| {
            request.check_preconditions(account)?;
            let preview = account.preview(&request.actor, &request.commands, request.context())?;
            let digest = *account.digest();
            Ok((
                preview,
                request.if_unchanged(Precondition::Account { digest }),
            ))
        })
    }

    /// Applies a commit that was [prepared](SharedAccount::prepare) and that the repository keeps now. If the copy stands
    /// elsewhere meanwhile, nothing is applied, and the answer is to catch up.
    ///
    /// Adopt only what the repository keeps: what is not kept there would be believed here.
    pub fn adopt(&self, commit: &Commit) -> Freshness {
        if *commit.account() != self.id {
            return self.notify_version(0);
        }
        ReplicaCell::adopt(&mut &*self.held, commit);
        let freshness = self.notify_version(commit.head().version);
        self.settle();
        freshness
    }

    /// Takes notice that the repository keeps a record of this version, and says what is to be done. Holds up no check.
    pub fn notify_version(&self, version: u64) -> Freshness {
        self.held.look(|replica| replica.heard_of(version))
    }

    /// Takes a record that the repository keeps, as [`Replica::ingest`](super::Replica::ingest).
    ///
    /// # Errors
    /// As [`Replica::ingest`](super::Replica::ingest).
    pub fn ingest(&self, record: &Record) -> Result<Ingested, ReplayError> {
        let ingested = self.held.ingest(record);
        self.settle();
        ingested
    }

    /// Waits, with this thread, until the observer was told everything about this account that has happened so far. Does
    /// nothing when the observer calls it of the account that it is being told of; of another account, it must not: two
    /// of them could wait for each other.
    pub fn flush(&self) {
        self.held.flush(self.accounts.observer());
    }

    /// What a member is; `None` also where the copy is not what the repository holds.
    pub(super) fn status_of(&self, member: &str) -> Option<MemberStatus> {
        self.held.look(|replica| {
            let member = replica.member(member).filter(|_| !replica.is_lost());
            Some(member?.status())
        })
    }

    fn deliver(&self) {
        self.held.deliver(self.accounts.observer());
    }

    /// Ends what a turn began: counts what the copy takes now, gives others up, tells the observer.
    pub(super) fn settle(&self) {
        self.accounts.recount(&self.held);
        self.deliver();
    }

    /// The observer is to be told of a request that was refused.
    fn note_refusal<T>(&self, request: &Request, answer: &Result<T, RepositoryError>) {
        if let Err(
            error @ (RepositoryError::Refused(_) | RepositoryError::IdempotencyKeyReused { .. }),
        ) = answer
        {
            self.held.tell(Notice::Refused {
                account: self.id.clone(),
                actor: request.actor.clone(),
                commands: request.commands.iter().map(Command::kind).collect(),
                code: error.code(),
            });
        }
    }
}

/// A turn on an account. However it ends, also where nobody waits for it any more, what it brought is counted, others
/// are given up for it, and the observer is told.
struct Turn<'a, S> {
    account: &'a SharedAccount<S>,
    turn: Option<TurnGuard<'a>>,
}

impl<'a, S: Storage> Turn<'a, S> {
    async fn on(account: &'a SharedAccount<S>) -> Self {
        let turn = account.accounts.storage().turn(&account.held.turns).await;
        let turn = Some(turn);
        Self { account, turn }
    }
}

impl<S> Drop for Turn<'_, S> {
    fn drop(&mut self) {
        self.turn = None;
        if !thread::panicking() {
            self.account.settle();
        }
    }
}

// What both kinds of repository do the same.

async fn execute<S: Storage>(
    account: &SharedAccount<S>,
    request: &Request,
) -> Result<Executed, RepositoryError> {
    let _turn = Turn::on(account).await;
    let (storage, mut copy) = (account.accounts.storage(), &*account.held);
    let executed = protocol::execute(storage, &mut copy, request).await;
    account.note_refusal(request, &executed);
    executed
}

async fn prepare<S: Storage>(
    account: &SharedAccount<S>,
    request: &Request,
) -> Result<Prepared, RepositoryError> {
    let _turn = Turn::on(account).await;
    let (storage, mut copy) = (account.accounts.storage(), &*account.held);
    let prepared = protocol::prepare(storage, &mut copy, request).await;
    account.note_refusal(request, &prepared);
    prepared
}

async fn refresh<S: Storage>(account: &SharedAccount<S>) -> Result<(), RepositoryError> {
    let _turn = Turn::on(account).await;
    protocol::catch_up(account.accounts.storage(), &mut &*account.held).await
}

/// Over a [`Repository`].
impl<R: Repository> SharedAccount<SyncStorage<R>> {
    /// Decides a request, keeps its commit, and then applies it, as [`execute`](super::execute) does.
    ///
    /// # Errors
    /// As [`execute`](super::execute).
    pub fn execute(&self, request: &Request) -> Result<Executed, RepositoryError> {
        poll_ready(execute(self, request))
    }

    /// Decides a request without keeping or applying anything, for a commit inside a transaction of your own: append the
    /// commit with the transaction's part of the repository (such as `append_in` of the repositories for `SQLite` and
    /// `PostgreSQL`), commit the transaction, and then [`adopt`](SharedAccount::adopt) it. So a change of access and your
    /// application's own rows are kept together or not at all. No turn is held meanwhile. This may read the storage, so
    /// call it before you begin the transaction.
    ///
    /// If `append_in` answers [`Conflict`](super::CommitOutcome::Conflict), roll back,
    /// [`refresh`](SharedAccount::refresh) and prepare again. If it answers
    /// [`Duplicate`](super::CommitOutcome::Duplicate), another request has this key, or this one was done before: roll
    /// back, and [`execute`](SharedAccount::execute) the request, which says which it was and changes nothing.
    ///
    /// # Errors
    /// As [`execute`](SharedAccount::execute).
    pub fn prepare(&self, request: &Request) -> Result<Prepared, RepositoryError> {
        poll_ready(prepare(self, request))
    }

    /// Brings the copy up to date, as [`catch_up`](super::catch_up) does. A copy that has diverged stays so: ask
    /// [`Accounts::get`](super::Accounts::get) for the account, which loads it again.
    ///
    /// # Errors
    /// As [`catch_up`](super::catch_up).
    pub fn refresh(&self) -> Result<(), RepositoryError> {
        poll_ready(refresh(self))
    }
}

/// Over an [`AsyncRepository`]. What is awaited may be dropped; a request may then have been kept, and can be made
/// again.
impl<R: AsyncRepository> SharedAccount<AsyncStorage<R>> {
    /// Decides a request, keeps its commit, and then applies it, as [`execute`](super::execute) does.
    ///
    /// # Errors
    /// As [`execute`](super::execute).
    pub async fn execute(&self, request: &Request) -> Result<Executed, RepositoryError> {
        execute(self, request).await
    }

    /// Decides a request without keeping or applying anything, for a commit inside a transaction of your own: append the
    /// commit with the transaction's part of the repository (such as `append_in` of the repositories for `SQLite` and
    /// `PostgreSQL`), commit the transaction, and then [`adopt`](SharedAccount::adopt) it. So a change of access and your
    /// application's own rows are kept together or not at all. No turn is held meanwhile. This may read the storage, so
    /// call it before you begin the transaction.
    ///
    /// If `append_in` answers [`Conflict`](super::CommitOutcome::Conflict), roll back,
    /// [`refresh`](SharedAccount::refresh) and prepare again. If it answers
    /// [`Duplicate`](super::CommitOutcome::Duplicate), another request has this key, or this one was done before: roll
    /// back, and [`execute`](SharedAccount::execute) the request, which says which it was and changes nothing.
    ///
    /// # Errors
    /// As [`execute`](SharedAccount::execute).
    pub async fn prepare(&self, request: &Request) -> Result<Prepared, RepositoryError> {
        prepare(self, request).await
    }

    /// Brings the copy up to date, as [`catch_up`](super::catch_up) does. A copy that has diverged stays so: ask
    /// [`Accounts::get`](super::Accounts::get) for the account, which loads it again.
    ///
    /// # Errors
    /// As [`catch_up`](super::catch_up).
    pub async fn refresh(&self) -> Result<(), RepositoryError> {
        refresh(self).await
    }
}

//! What a host calls: opening, loading, catching up and executing, over either kind of repository.

use crate::account::Account;
use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::contract::{AsyncRepository, Repository};
use crate::repository::error::{ExecuteError, LoadError, OpenError};
use crate::repository::replica::Replica;
use crate::repository::request::Request;
use crate::repository::steps::{self, AtOnce, Awaited, at_once};
use crate::time::Timestamp;

/// Opens an account and keeps its first record (A1). Tried again with the same commit id and the same owner, it gives
/// the account that the first attempt opened.
///
/// # Errors
/// [`OpenError::Exists`] if the repository keeps such an account already, opened by another request.
pub fn open<R: Repository + ?Sized>(
    repository: &R,
    commit: IdempotencyKey,
    id: AccountId,
    owner: MemberId,
    group_limit: GroupLimit,
    now: Timestamp,
) -> Result<Replica, OpenError<R::Error>> {
    let storage = AtOnce(repository);
    at_once(steps::open(&storage, commit, id, owner, group_limit, now))
}

/// Loads an account; `None` if the repository keeps none of this id.
///
/// # Errors
/// The storage fails; or what it keeps is not this account, which is then not to be served.
pub fn load<R: Repository + ?Sized>(
    repository: &R,
    id: &AccountId,
) -> Result<Option<Replica>, LoadError<R::Error>> {
    at_once(steps::load(&AtOnce(repository), id))
}

/// Brings a copy up to date: applies the records that the repository keeps beyond its version, or begins again from a
/// later snapshot where those are kept no more.
///
/// # Errors
/// As [`load`], and [`LoadError::Diverged`] if the repository keeps less than this copy holds. The copy is then at the
/// last version that could be applied.
pub fn catch_up<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut Replica,
) -> Result<(), LoadError<R::Error>> {
    catch_up_with(repository, copy, |_, _| ())
}

/// As [`catch_up`], and shows each record just before it is applied, with the account as it is then. Where the copy
/// begins again from a snapshot, the records before that are not shown.
///
/// # Errors
/// As [`catch_up`].
pub fn catch_up_with<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut Replica,
    mut observe: impl FnMut(&Account, &Record),
) -> Result<(), LoadError<R::Error>> {
    at_once(steps::catch_up(&AtOnce(repository), copy, &mut observe))
}

/// Decides a request, keeps its records, and then applies them to the copy, which may be behind. All its commands are
/// accepted or none (U4). Gives the records, one for each command that changed something.
///
/// When the repository has moved on, the copy catches up and the request is decided *again*, on what is there now. A
/// refusal, and the answer that nothing would change, are given only from a copy that is up to date. After 64 attempts
/// it gives up.
///
/// A request that was kept already, by whichever process, is not kept again; its records are given as they were.
///
/// # Errors
/// [`ExecuteError::Refused`]: nothing was kept. [`ExecuteError::Contended`]: nothing was kept; try again later.
/// [`ExecuteError::IdempotencyKeyReused`]: nothing was kept; another request has this id. [`ExecuteError::Load`]: the storage
/// failed, or gave what does not fit; whether it was kept is not known, and the same request can be tried again.
pub fn execute<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut Replica,
    request: &Request,
) -> Result<Vec<Record>, ExecuteError<R::Error>> {
    execute_with(repository, copy, request, |_, _| ())
}

/// As [`execute`], and shows each record just before it is applied, with the account as it is then: those of other
/// processes that are caught up with, and those of this request once they are kept. For notifications, and for
/// revoking what was handed out:
///
/// ```
/// # use grantbook::command::{AddMembers, GrantOwnership, RevokeOwnership};
/// # use grantbook::{repository::{self, MemoryRepository, Request}, *};
/// # let (kept, olga, now) = (MemoryRepository::new(), MemberId::parse("olga")?, Timestamp::from_millis(0));
/// # let (commit, acme) = (IdempotencyKey::parse("open")?, AccountId::parse("acme")?);
/// # let mut account = repository::open(&kept, commit, acme, olga, GroupLimit::default(), now)?;
/// let otto = MemberId::parse("otto")?;
/// let request = Request {
///     commit: IdempotencyKey::parse("3f0c")?,
///     actor: Actor::System,
///     commands: vec![
///         AddMembers { members: [otto.clone()].into() }.into(),
///         GrantOwnership { member: otto.clone() }.into(),
///         RevokeOwnership { member: otto }.into(),
///     ],
///     now,
///     note: None,
/// };
/// let mut to_revoke = Vec::new();
/// repository::execute_with(&kept, &mut account, &request, |before, record| {
///     let delta = before.delta_of(record).unwrap_or_default();
///     to_revoke.extend(delta.iter().filter(|change| change.loses_any()).map(|change| change.member.clone()));
/// })?;
/// assert_eq!(to_revoke, [MemberId::parse("otto")?]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`execute`].
pub fn execute_with<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut Replica,
    request: &Request,
    mut observe: impl FnMut(&Account, &Record),
) -> Result<Vec<Record>, ExecuteError<R::Error>> {
    at_once(steps::execute(
        &AtOnce(repository),
        copy,
        request,
        &mut observe,
    ))
}

/// [`open`], waiting without holding up a thread.
///
/// # Errors
/// As [`open`].
pub async fn open_async<R: AsyncRepository + ?Sized>(
    repository: &R,
    commit: IdempotencyKey,
    id: AccountId,
    owner: MemberId,
    group_limit: GroupLimit,
    now: Timestamp,
) -> Result<Replica, OpenError<R::Error>> {
    steps::open(&Awaited(repository), commit, id, owner, group_limit, now).await
}

/// [`load`], waiting without holding up a thread.
///
/// # Errors
/// As [`load`].
pub async fn load_async<R: AsyncRepository + ?Sized>(
    repository: &R,
    id: &AccountId,
) -> Result<Option<Replica>, LoadError<R::Error>> {
    steps::load(&Awaited(repository), id).await
}

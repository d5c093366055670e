//! A single copy, for programs that need no [`Accounts`](super::Accounts): opening, loading, catching up and executing.

use crate::account::limits::GroupLimit;
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::contract::Repository;
use crate::repository::error::RepositoryError;
use crate::repository::protocol::{self, Opening};
use crate::repository::replica::Replica;
use crate::repository::request::{Executed, Request};
use crate::repository::storage::{SyncStorage, poll_ready};
use crate::time::Timestamp;

/// Opens an account and keeps its first record (A1). Tried again with the same key, owner and limit, it gives the
/// account that the first attempt opened.
///
/// # Errors
/// [`RepositoryError::AccountExists`] if the repository keeps such an account already, opened by another request;
/// [`RepositoryError::AccountErased`] if it kept one.
pub fn open<R: Repository + ?Sized>(
    repository: &R,
    key: IdempotencyKey,
    id: AccountId,
    owner: MemberId,
    group_limit: GroupLimit,
    now: Timestamp,
) -> Result<Replica, RepositoryError> {
    let opening = Opening {
        key,
        id,
        owner,
        group_limit,
        now,
    };
    poll_ready(protocol::open(&SyncStorage(repository), opening))
}

/// Loads an account; `None` if the repository keeps none of this id.
///
/// # Errors
/// The storage fails; or what it keeps is not this account, which is then not to be served.
pub fn load<R: Repository + ?Sized>(
    repository: &R,
    id: &AccountId,
) -> Result<Option<Replica>, RepositoryError> {
    poll_ready(protocol::load(&SyncStorage(repository), id))
}

/// Brings a copy up to date: applies the commits that the repository keeps beyond its version, or begins again from a
/// later snapshot where those are kept no more.
///
/// # Errors
/// As [`load`], and [`RepositoryError::Diverged`] if the repository does not hold what this copy holds; the copy then
/// denies everything. After any error the copy is at the last commit that could be applied, and counts as behind.
pub fn catch_up<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut Replica,
) -> Result<(), RepositoryError> {
    poll_ready(protocol::catch_up(&SyncStorage(repository), copy))
}

/// Decides a request, keeps its commit, and then applies it to the copy, which may be behind. All its commands are
/// accepted or none (U4).
///
/// When the repository has moved on, the copy catches up and the request is decided *again*, on what is there now. A
/// refusal is given only from a copy that is up to date. After 64 attempts it gives up.
///
/// A request that was accepted before, by whichever process, is answered as it was, whatever has happened since (U9).
///
/// # Errors
/// [`RepositoryError::Refused`], [`RepositoryError::IdempotencyKeyReused`] and [`RepositoryError::Contended`]: nothing
/// was kept. [`RepositoryError::Diverged`]: as for [`catch_up`]. Otherwise the storage failed, or gave what does not fit;
/// whether the request was kept is not known, and it can be tried again.
pub fn execute<R: Repository + ?Sized>(
    repository: &R,
    copy: &mut Replica,
    request: &Request,
) -> Result<Executed, RepositoryError> {
    poll_ready(protocol::execute(&SyncStorage(repository), copy, request))
}

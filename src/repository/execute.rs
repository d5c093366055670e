//! A single copy, for programs that need no [`Accounts`](super::Accounts): opening, loading, catching up and executing.

use std::iter;

use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::contract::{RecordPage, Repository};
use crate::repository::error::RepositoryError;
use crate::repository::opening::{self, Opened, Opening};
use crate::repository::protocol;
use crate::repository::replica::Replica;
use crate::repository::request::{Executed, Request};
use crate::repository::storage::{SyncStorage, poll_ready};
use crate::time::Timestamp;

/// Opens an account and keeps its first record ([A1](crate::docs::rules#A1)). Tried again with the same key, owner and
/// limit, it gives the account that the first attempt opened.
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
    poll_ready(opening::open(&SyncStorage(repository), opening)).map(Opened::into_replica)
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
/// accepted or none ([U4](crate::docs::rules#U4)).
///
/// When the repository has moved on, the copy catches up and the request is decided *again*, on what is there now. A
/// refusal is given only from a copy that is up to date. After 64 attempts it gives up.
///
/// A request that was accepted before, by whichever process, is answered as it was, whatever has happened since
/// ([U9](crate::docs::rules#U9)).
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

/// The records of an account after a version, read page by page as they are asked for: for what reads a whole history, as
/// the functions in [`history`](crate::history) do, and holds one page of it. What they say of the account is not verified
/// here. It ends at the head that the repository names, or with the first error.
///
/// ```
/// # use grantbook::{*, repository::*};
/// # let (repository, acme) = (MemoryRepository::new(), AccountId::parse("acme")?);
/// # let key = IdempotencyKey::parse("opening")?;
/// # let now = Timestamp::from_millis(0);
/// # open(&repository, key, acme.clone(), MemberId::parse("olga")?, GroupLimit::default(), now)?;
/// let mut failure = Ok(());
/// let all = records(&repository, &acme, 0).map_while(|record| record.map_err(|error| failure = Err(error)).ok());
/// let touching = history::changes_touching(all, None, "olga")?;
/// failure?;
/// assert_eq!(touching.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The storage's own; [`RepositoryError::AccountErased`]; [`RepositoryError::RecordsMissing`] where records are kept no
/// more, or the head names more than can be read.
pub fn records<'r, R: Repository + ?Sized>(
    repository: &'r R,
    account: &AccountId,
    after: u64,
) -> impl Iterator<Item = Result<Record, RepositoryError>> + use<'r, R> {
    let account = account.clone();
    let mut page = Vec::new().into_iter();
    let (mut read, mut is_at_end) = (after, false);
    iter::from_fn(move || {
        loop {
            if let Some(record) = page.next() {
                return Some(Ok(record));
            }
            if is_at_end {
                return None;
            }
            is_at_end = true; // unless more is found
            let found = poll_ready(protocol::page(&SyncStorage(repository), &account, read));
            let missing = RepositoryError::RecordsMissing { version: read };
            let (records, head) = match found {
                Ok(RecordPage::Records { records, head }) => (records, head),
                Ok(RecordPage::Compacted) => return Some(Err(missing)),
                Err(error) => return Some(Err(error)),
            };
            let end = head.map_or(0, |head| head.version);
            read = records.last().map_or(read, Record::version);
            if records.is_empty() && read < end {
                return Some(Err(missing));
            }
            is_at_end = read >= end;
            page = records.into_iter();
        }
    })
}

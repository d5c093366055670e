//! Opening, loading, catching up and executing, once for both kinds of repository.
//!
//! They are written for one that has to be waited for. One that makes its thread wait is asked through [`AtOnce`],
//! which always has its answer at once, so that [`at_once`] gets the result without a runtime.

use std::error::Error;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::account::Account;
use crate::account::command_error::CommandError;
use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::commit::Commit;
use crate::repository::contract::{AsyncRepository, CommitOutcome, RecordPage, Repository};
use crate::repository::error::{ExecuteError, LoadError, OpenError};
use crate::repository::replica::{Ingested, Replica};
use crate::repository::request::{Likeness, Request};
use crate::time::Timestamp;

/// How often a request is decided before it is given up.
const ATTEMPTS: usize = 64;

/// Opens an account and keeps its first record.
pub(super) async fn open<S: Storage>(
    storage: &S,
    commit: IdempotencyKey,
    id: AccountId,
    owner: MemberId,
    group_limit: GroupLimit,
    now: Timestamp,
) -> Result<Replica, OpenError<S::Error>> {
    let key = Some(commit.clone());
    let (account, record) = Account::open_under(key, id, owner, group_limit, now);
    let commit = Commit::opening(commit, record);
    for _ in 0..ATTEMPTS {
        match storage
            .commit(&commit)
            .await
            .map_err(LoadError::Repository)?
        {
            CommitOutcome::Appended => return Ok(Replica::new(account)),
            CommitOutcome::Duplicate => return opened_before(storage, &commit).await,
            // There is such an account, perhaps by this very request, tried twice at a time; or another transaction was
            // in the way, and left nothing.
            CommitOutcome::Conflict if load(storage, account.id()).await?.is_some() => {
                return opened_before(storage, &commit).await;
            }
            CommitOutcome::Conflict => {}
        }
    }
    Err(LoadError::Missing { version: 0 }.into())
}

/// The account that is there, if this very request opened it.
async fn opened_before<S: Storage>(
    storage: &S,
    commit: &Commit,
) -> Result<Replica, OpenError<S::Error>> {
    let (id, opening) = (commit.account(), commit.records().first());
    let kept = storage.records_of(id, commit.id()).await;
    let kept = kept.map_err(LoadError::Repository)?;
    if kept.first().map(Record::event) != opening.map(Record::event) {
        let account = id.clone();
        return Err(OpenError::Exists { account });
    }
    let replica = load(storage, id).await?;
    replica.ok_or(LoadError::Missing { version: 0 }.into())
}

/// Loads an account, from its latest snapshot if there is one.
pub(super) async fn load<S: Storage>(
    storage: &S,
    id: &AccountId,
) -> Result<Option<Replica>, LoadError<S::Error>> {
    let mut snapshot = kept_snapshot(storage, id).await?;
    if snapshot.is_none() {
        match storage
            .records_after(id, 0)
            .await
            .map_err(LoadError::Repository)?
        {
            RecordPage::Records { records, last } => {
                return replayed(storage, id, &records, last).await;
            }
            // Another process stored one in between, and gave up the records before it.
            RecordPage::Compacted => snapshot = kept_snapshot(storage, id).await?,
        }
    }
    let snapshot = snapshot.ok_or(LoadError::Missing { version: 0 })?;
    let mut replica = Replica::new(restored(id, snapshot)?);
    catch_up(storage, &mut replica, &mut |_, _| ()).await?;
    Ok(Some(replica))
}

/// Loads an account without a snapshot, of which these are the first records.
async fn replayed<S: Storage>(
    storage: &S,
    id: &AccountId,
    records: &[Record],
    last: u64,
) -> Result<Option<Replica>, LoadError<S::Error>> {
    let Some((first, rest)) = records.split_first() else {
        return if last == 0 {
            Ok(None)
        } else {
            Err(LoadError::Missing { version: 0 })
        };
    };
    let account = Account::replay([first]).map_err(LoadError::Replay)?;
    let mut replica = Replica::new(of_account(id, account)?);
    in_order(replica.version(), rest)
        .and_then(|()| replica.take(rest, &mut |_, _| ()))
        .map_err(LoadError::Replay)?;
    if replica.version() < last {
        catch_up(storage, &mut replica, &mut |_, _| ()).await?;
    }
    Ok(Some(replica))
}

/// Brings a copy up to date. The copy is then at the last version that could be applied, error or not.
pub(super) async fn catch_up<S: Storage>(
    storage: &S,
    copy: &mut impl Held,
    observe: &mut impl FnMut(&Account, &Record),
) -> Result<(), LoadError<S::Error>> {
    loop {
        let (id, version, notices) =
            copy.read(|replica| (replica.id().clone(), replica.version(), replica.notices()));
        let tail = storage
            .records_after(&id, version)
            .await
            .map_err(LoadError::Repository)?;
        let last = match tail {
            RecordPage::Records { last, .. } if last < version => {
                let kept = last;
                return Err(LoadError::Diverged { version, kept });
            }
            RecordPage::Records { records, last } => {
                in_order(version, &records)
                    .and_then(|()| copy.take(&records, observe))
                    .map_err(LoadError::Replay)?;
                copy.change(|replica| replica.settle(notices, last));
                last
            }
            RecordPage::Compacted => {
                let snapshot = kept_snapshot(storage, &id).await?;
                let account = restored(&id, snapshot.ok_or(LoadError::Missing { version })?)?;
                copy.change(|replica| replica.restart(account));
                u64::MAX // not known: ask what comes after it
            }
        };
        match copy.read(|replica| replica.version()) {
            reached if reached >= last => return Ok(()),
            reached if reached == version => return Err(LoadError::Missing { version }),
            _ => {}
        }
    }
}

/// Decides a request, keeps its records, and applies them to the copy.
pub(super) async fn execute<S: Storage>(
    storage: &S,
    copy: &mut impl Held,
    request: &Request,
    observe: &mut impl FnMut(&Account, &Record),
) -> Result<Vec<Record>, ExecuteError<S::Error>> {
    // Whether the copy was up to date at some moment since this was asked.
    let mut is_fresh = false;
    for _ in 0..ATTEMPTS {
        let (version, decided) =
            copy.read(|replica| (replica.version(), decided(storage, replica, request)));
        // What is answered if no record of this request is found, and whether to look for them.
        let (mut answer, mut may_be_kept) = (None, false);
        match decided {
            Ok(Some(commit)) => match storage
                .commit(&commit)
                .await
                .map_err(LoadError::Repository)?
            {
                CommitOutcome::Appended => {
                    copy.take(commit.records(), observe)
                        .map_err(LoadError::Replay)?;
                    return Ok(commit.into_records());
                }
                CommitOutcome::Duplicate => may_be_kept = true,
                CommitOutcome::Conflict => {}
            },
            Ok(None) => answer = Some(Ok(Vec::new())),
            Err(refusal) => answer = Some(Err(ExecuteError::Refused(refusal))),
        }
        // A refusal, and that nothing would change, are believed on a copy only that was up to date.
        let mut is_believed = answer.is_some() && is_fresh;
        if !is_believed {
            catch_up(storage, copy, observe).await?;
            is_fresh = true;
            is_believed = answer.is_some() && copy.read(|replica| replica.version()) == version;
        }
        if is_believed || may_be_kept {
            if let Some(records) = kept_records(storage, copy, request, observe).await? {
                return Ok(records);
            }
        }
        if let Some(answer) = answer.filter(|_| is_believed) {
            return answer;
        }
    }
    // The same request, tried elsewhere, may have been the last that was in the way.
    if let Some(records) = kept_records(storage, copy, request, observe).await? {
        return Ok(records);
    }
    let attempts = ATTEMPTS;
    Err(ExecuteError::Contended { attempts })
}

/// What a request would lead to; `None`: nothing would change.
fn decided<S: Storage>(
    storage: &S,
    account: &Account,
    request: &Request,
) -> Result<Option<Commit>, CommandError> {
    let context = request.context();
    let records = account.decide_batch(&request.actor, &request.commands, context)?;
    // There are no records, or they are a commit: they were decided one after another.
    let commit = Commit::new(request.commit.clone(), records).ok();
    Ok(commit.map(|commit| {
        if storage.wants_snapshot(commit.expected(), commit.version()) {
            let mut after = account.clone();
            after.accept(commit.records());
            commit.bringing(after.snapshot())
        } else {
            commit
        }
    }))
}

/// The records that were kept when this request was tried before, on a copy that has them.
async fn kept_records<S: Storage>(
    storage: &S,
    copy: &mut impl Held,
    request: &Request,
    observe: &mut impl FnMut(&Account, &Record),
) -> Result<Option<Vec<Record>>, ExecuteError<S::Error>> {
    let id = copy.read(|replica| replica.id().clone());
    let records = storage
        .records_of(&id, &request.commit)
        .await
        .map_err(LoadError::Repository)?;
    let Some((first, last)) = records.first().zip(records.last()) else {
        return Ok(None);
    };
    let is_behind = |replica: &Replica| replica.version() < last.version;
    if copy.read(is_behind) {
        catch_up(storage, copy, observe).await?;
        if copy.read(is_behind) {
            let version = copy.read(|replica| replica.version());
            return Err(LoadError::Missing { version }.into());
        }
    }
    let is_its_own = match request.likeness(&id, &records) {
        Likeness::Same => true,
        Likeness::Less => {
            let before = as_it_was(storage, &id, first.version.saturating_sub(1)).await?;
            request.leads_to(&records, &before)
        }
        Likeness::Other => false,
    };
    if is_its_own {
        Ok(Some(records))
    } else {
        let commit = request.commit.clone();
        Err(ExecuteError::IdempotencyKeyReused { commit })
    }
}

/// The account at a version before the last, from a snapshot if it is old enough, and otherwise from all records until
/// there. Where they are kept no more, it is missing.
async fn as_it_was<S: Storage>(
    storage: &S,
    id: &AccountId,
    version: u64,
) -> Result<Account, LoadError<S::Error>> {
    let snapshot = kept_snapshot(storage, id).await?;
    let snapshot = snapshot.filter(|snapshot| snapshot.version() <= version);
    let mut then = snapshot
        .map(|snapshot| restored(id, snapshot))
        .transpose()?;
    loop {
        let reached = match then {
            Some(account) if account.version() >= version => return Ok(account),
            Some(ref account) => account.version(),
            None => 0,
        };
        let tail = storage.records_after(id, reached).await;
        let records = match tail.map_err(LoadError::Repository)? {
            RecordPage::Records { records, .. } if !records.is_empty() => records,
            RecordPage::Records { .. } | RecordPage::Compacted => {
                return Err(LoadError::Missing { version: reached });
            }
        };
        in_order(reached, &records).map_err(LoadError::Replay)?;
        for record in records
            .iter()
            .take_while(|record| record.version <= version)
        {
            if let Some(account) = &mut then {
                account.apply(record).map_err(LoadError::Replay)?;
            } else {
                let account = Account::replay([record]).map_err(LoadError::Replay)?;
                then = Some(of_account(id, account)?);
            }
        }
    }
}

async fn kept_snapshot<S: Storage>(
    storage: &S,
    id: &AccountId,
) -> Result<Option<Snapshot>, LoadError<S::Error>> {
    storage.snapshot(id).await.map_err(LoadError::Repository)
}

fn restored<E: Error + 'static>(
    id: &AccountId,
    snapshot: Snapshot,
) -> Result<Account, LoadError<E>> {
    let account = Account::try_from(snapshot).map_err(LoadError::Snapshot)?;
    of_account(id, account)
}

/// The records that were read after a version follow it and each other; none of them is applied otherwise (U5).
fn in_order(version: u64, records: &[Record]) -> Result<(), ReplayError> {
    let mut last = version;
    for record in records {
        let (expected, found) = (last.saturating_add(1), record.version);
        if found > expected {
            return Err(ReplayError::Gap { expected, found });
        }
        if found <= last {
            return Err(ReplayError::Repeat { expected, found });
        }
        last = found;
    }
    Ok(())
}

/// What was stored under this id is the account of this id (A4).
fn of_account<E: Error + 'static>(
    id: &AccountId,
    account: Account,
) -> Result<Account, LoadError<E>> {
    if account.id() == id {
        return Ok(account);
    }
    Err(LoadError::Replay(ReplayError::WrongAccount {
        expected: id.clone(),
        found: account.id().clone(),
        version: account.version(),
    }))
}

/// A copy that is being changed: one's own, or one that threads share. It is never held while the storage is waited
/// for; others may bring it further in between.
pub(super) trait Held {
    fn read<T>(&self, look: impl FnOnce(&Replica) -> T) -> T;
    fn change<T>(&mut self, change: impl FnOnce(&mut Replica) -> T) -> T;

    /// Applies records that the repository keeps, in one go, but for those that are applied already.
    fn take(
        &mut self,
        records: &[Record],
        observe: &mut impl FnMut(&Account, &Record),
    ) -> Result<(), ReplayError> {
        self.change(|replica| {
            for record in records {
                if let Ingested::Gap { .. } = replica.ingest_with(record, &mut *observe)? {
                    return Err(ReplayError::Gap {
                        expected: replica.version().saturating_add(1),
                        found: record.version,
                    });
                }
            }
            Ok(())
        })
    }
}

impl Held for Replica {
    fn read<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        look(self)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Replica) -> T) -> T {
        change(self)
    }
}

/// A repository of either kind, as the steps ask it.
pub(super) trait Storage {
    type Error: Error + 'static;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Self::Error>;
    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, Self::Error>;
    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, Self::Error>;
    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Self::Error>;
    fn wants_snapshot(&self, expected: u64, version: u64) -> bool;
}

/// One that makes its thread wait.
pub(super) struct AtOnce<'r, R: ?Sized>(pub(super) &'r R);

/// One that is waited for.
pub(super) struct Awaited<'r, R: ?Sized>(pub(super) &'r R);

macro_rules! storage {
    ($wrapper:ident, $contract:ident $(, $wait:ident)?) => {
        impl<R: $contract + ?Sized> Storage for $wrapper<'_, R> {
            type Error = R::Error;

            async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
                self.0.snapshot(account)$(.$wait)?
            }

            async fn records_after(
                &self,
                account: &AccountId,
                version: u64,
            ) -> Result<RecordPage, R::Error> {
                self.0.records_after(account, version)$(.$wait)?
            }

            async fn records_of(
                &self,
                account: &AccountId,
                id: &IdempotencyKey,
            ) -> Result<Vec<Record>, R::Error> {
                self.0.records_of(account, id)$(.$wait)?
            }

            async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
                self.0.commit(commit)$(.$wait)?
            }

            fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
                self.0.wants_snapshot(expected, version)
            }
        }
    };
}
storage!(AtOnce, Repository);
storage!(Awaited, AsyncRepository, await);

/// The result of steps over a [`AtOnce`] repository, in which nothing is ever waited for: the first look has it.
pub(super) fn at_once<T>(steps: impl Future<Output = T>) -> T {
    let mut steps = pin!(steps);
    loop {
        if let Poll::Ready(result) = steps.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}

//! Loading, catching up, executing and erasing, once for both kinds of repository.

use crate::account::Account;
use crate::account::command_error::CommandError;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::account::snapshot::Snapshot;
use crate::id::AccountId;
use crate::repository::cell::ReplicaCell;
use crate::repository::commit::{Commit, Prepared};
use crate::repository::contract::{CommitOutcome, EraseOutcome, RecordPage};
use crate::repository::error::RepositoryError;
use crate::repository::head::{Head, HeadState};
use crate::repository::replica::Replica;
use crate::repository::request::{Executed, Request, StoredRequest};
use crate::repository::storage::{Outcome, Storage};
#[cfg(feature = "tracing")]
use crate::visible::Visible;

/// How often a request is decided, and a snapshot begun with, before it is given up.
pub(super) const ATTEMPTS: usize = 64;

/// Loads an account, from its latest snapshot if there is one that can be read and continued.
pub(super) async fn load(storage: &impl Storage, id: &AccountId) -> Outcome<Option<Replica>> {
    let snapshot = match storage.snapshot(id).await {
        Ok(Some(snapshot)) => restored(id, snapshot).map(Some),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    let failure = match snapshot {
        Ok(Some(account)) => {
            let mut replica = Replica::new(account);
            let version = replica.version();
            match read_on(storage, &mut replica, version).await {
                Ok(()) => return Ok(Some(replica)),
                Err(error @ RepositoryError::AccountErased { .. }) => return Err(error),
                Err(error) => Some(error),
            }
        }
        Ok(None) => None,
        Err(error) => Some(error),
    };
    // A snapshot that is of no use is passed over where the records are there.
    let mut replica = Replica::new(Account::unopened(id.clone()));
    replica.begin_bulk_load();
    match (read_on(storage, &mut replica, 0).await, failure) {
        // Where a snapshot was kept there was an account.
        (Ok(()), Some(error)) if replica.version() == 0 => Err(error),
        (Ok(()), _) => {
            replica.finish_bulk_load();
            Ok((replica.version() > 0).then_some(replica))
        }
        (Err(error @ RepositoryError::AccountErased { .. }), _)
        | (Err(error), None)
        | (Err(_), Some(error)) => Err(error),
    }
}

/// Brings a copy up to date. The copy is then at the last whole commit that could be applied, error or not; where there
/// is an error, it counts as behind.
pub(super) async fn catch_up(storage: &impl Storage, copy: &mut impl ReplicaCell) -> Outcome<()> {
    let caught_up = read_on(storage, copy, 0).await;
    if let Err(error) = &caught_up {
        copy.change(|replica| replica.failed(error));
    }
    caught_up
}

/// Reads on from where a copy stands. What contradicts what the copy held before, or was handed over meanwhile, shows
/// that it is on another branch. What contradicts what was read just now, which is all up to the version `read_until`,
/// shows that the repository's records are damaged.
async fn read_on(
    storage: &impl Storage,
    copy: &mut impl ReplicaCell,
    mut read_until: u64,
) -> Outcome<()> {
    let account = copy.read(|replica| replica.id().clone());
    copy.read(Replica::ensure_not_lost)?;
    // The first records of a commit whose last one is not read yet.
    let mut incomplete: Vec<Record> = Vec::new();
    let mut restarts = 0;
    loop {
        let (version, doubts) = copy.read(|replica| (replica.version(), replica.begin_reading()));
        if incomplete
            .first()
            .is_some_and(|first| first.version <= version)
        {
            incomplete.clear(); // it came in another way
        }
        let read = incomplete.last().map_or(version, Record::version);
        // What it is that a copy at this version is contradicted.
        let contradicted = |version, read_until, damage| {
            if version == 0 || version == read_until {
                damage
            } else {
                let account = account.clone();
                RepositoryError::Diverged { account, version }
            }
        };
        let (records, head) = match page(storage, &account, read).await? {
            RecordPage::Records { records, head } => (records, head),
            RecordPage::Compacted => {
                restarts += 1;
                let snapshot = storage.snapshot(&account).await?;
                let snapshot = snapshot.filter(|snapshot| snapshot.version() > version);
                let snapshot = snapshot.filter(|_| restarts <= ATTEMPTS);
                let missing = RepositoryError::RecordsMissing { version };
                let restored = restored(&account, snapshot.ok_or(missing)?)?;
                let restored_version = restored.version();
                if copy.go_on_from(restored) {
                    read_until = restored_version;
                }
                continue;
            }
        };
        let stands = head.map_or(0, |head| head.version);
        if stands < version {
            let missing = RepositoryError::RecordsMissing { version };
            return Err(contradicted(version, read_until, missing));
        }
        let Some(head) = head else {
            return Ok(()); // there is no such account
        };
        in_order(read, &records).map_err(RepositoryError::Replay)?;
        let is_progress = !records.is_empty();
        incomplete.extend(records);
        if let Err(error) = apply_whole(copy, &mut incomplete, &mut read_until) {
            let version = copy.read(|replica| replica.version());
            let is_contradicted = contradicts(&error, version);
            let damage = RepositoryError::Replay(error);
            return Err(if is_contradicted {
                contradicted(version, read_until, damage)
            } else {
                damage
            });
        }
        let stands_at = copy.read(|replica| Head::of(replica));
        let reached = stands_at.version;
        if reached == head.version && stands_at.digest != head.digest {
            let error = ReplayError::OtherHead {
                version: reached,
                expected: head.digest,
                found: stands_at.digest,
            };
            let damage = RepositoryError::Replay(error);
            return Err(contradicted(reached, read_until, damage));
        }
        if reached == head.version && stands_at.state != head.state {
            return Err(RepositoryError::OtherState {
                version: reached,
                kept: head.state,
            });
        }
        if reached == head.version {
            copy.change(|replica| replica.settle(doubts, head.version));
            return Ok(());
        }
        if reached > head.version {
            continue; // by what was handed over meanwhile, and is to be found in the repository, too
        }
        let read = incomplete.last().map_or(reached, Record::version);
        if !is_progress || read >= head.version {
            return Err(RepositoryError::RecordsMissing { version: read });
        }
    }
}

/// A page of an account's records. Of an erased account there are none.
pub(super) async fn page(
    storage: &impl Storage,
    account: &AccountId,
    after: u64,
) -> Outcome<RecordPage> {
    let page = storage.records_after(account, after).await?;
    match &page {
        RecordPage::Records {
            head: Some(head), ..
        } if head.state == HeadState::Erased => {
            let account = account.clone();
            Err(RepositoryError::AccountErased { account })
        }
        RecordPage::Records { .. } | RecordPage::Compacted => Ok(page),
    }
}

/// Whether a commit that is kept contradicts a copy at this version, and not itself.
fn contradicts(error: &ReplayError, version: u64) -> bool {
    let next = version.saturating_add(1);
    matches!(
        error,
        ReplayError::OtherHead { .. } | ReplayError::Repeat { .. }
    ) || matches!(error, ReplayError::DigestMismatch { version, .. } if *version == next)
}

/// Applies the whole commits that these records begin with, notes which was the last one, and leaves the others.
fn apply_whole(
    copy: &mut impl ReplicaCell,
    records: &mut Vec<Record>,
    read_until: &mut u64,
) -> Result<(), ReplayError> {
    let is_whole = |commit: &&[Record]| commit.last().is_some_and(|last| last.commit.is_last());
    let mut applied = 0;
    let mut commits = records.split_inclusive(|record| record.commit.is_last());
    while let Some(commit) = commits.next().filter(is_whole) {
        if copy.apply(commit)? {
            *read_until = commit.last().map_or(0, Record::version);
        }
        applied += commit.len();
    }
    records.drain(..applied);
    Ok(())
}

/// Decides a request, keeps its commit, and applies it to the copy.
///
/// In the order of U9: a retry is answered as the first time; then comes authority for the first command, then a key
/// of another request, then the preconditions, then the commands. A request that is accepted meets all of that in the
/// commit itself. One that is refused is refused from a copy only that is up to date.
#[cfg_attr(
    feature = "tracing",
    tracing::instrument(
        name = "grantbook.execute",
        level = "debug",
        skip_all,
        fields(account = %copy.read(|replica| Visible(replica.id()).to_string()), commands = request.commands.len()),
        err(level = "debug")
    )
)]
pub(super) async fn execute(
    storage: &impl Storage,
    copy: &mut impl ReplicaCell,
    request: &Request,
) -> Outcome<Executed> {
    let account = copy.read(|replica| replica.id().clone());
    let mut is_fresh = false;
    for _ in 0..ATTEMPTS {
        match copy.study(|replica| decide(storage, replica, request))? {
            Decided::Accepted(commit) if request.commands.is_empty() => {
                if is_fresh || request.preconditions.is_empty() {
                    return Ok(done(*commit));
                }
            }
            Decided::Accepted(commit) => match kept(storage, copy, &commit).await? {
                CommitOutcome::Appended => {
                    if copy.adopt(&commit) {
                        return Ok(done(*commit));
                    }
                    // Records were handed over meanwhile. They follow the commit, or are of a branch that is not the
                    // repository's, or a backup was restored that does not hold the commit.
                    catch_up(storage, copy).await?;
                    let stored = storage.request(&account, &request.key).await?;
                    if stored.as_ref() == Some(commit.request()) {
                        return Ok(done(*commit));
                    }
                }
                CommitOutcome::Duplicate => {
                    if let Some(answer) = answered_before(storage, copy, request).await? {
                        return Ok(answer);
                    }
                }
                CommitOutcome::Conflict => {}
            },
            Decided::Refused(error) if is_fresh => {
                let answer = answered_before(storage, copy, request).await?;
                return answer.ok_or(RepositoryError::Refused(error));
            }
            Decided::Refused(_) => {}
        }
        catch_up(storage, copy).await?;
        is_fresh = true;
    }
    // The same request, tried elsewhere, may have been the last that was in the way.
    let answer = answered_before(storage, copy, request).await?;
    let attempts = ATTEMPTS;
    answer.ok_or(RepositoryError::Contended { attempts })
}

/// Has a commit kept. As long as the storage has not answered, it may be kept: if it fails, or if nobody waits for the
/// answer any more, the copy counts as behind, and whoever asks for the account next finds out.
async fn kept(
    storage: &impl Storage,
    copy: &impl ReplicaCell,
    commit: &Commit,
) -> Outcome<CommitOutcome> {
    let may_be_kept = !commit.records().is_empty();
    let doubt = Doubt(may_be_kept.then_some(copy));
    let outcome = storage.commit(commit).await?;
    doubt.settle_if(true);
    Ok(outcome)
}

/// Dropped before it is settled, it leaves the copy in doubt.
pub(super) struct Doubt<'c, C: ReplicaCell>(pub(super) Option<&'c C>);

impl<C: ReplicaCell> Doubt<'_, C> {
    pub(super) fn settle_if(mut self, is_known: bool) {
        if is_known {
            self.0 = None;
        }
    }
}

impl<C: ReplicaCell> Drop for Doubt<'_, C> {
    fn drop(&mut self) {
        if let Some(copy) = self.0 {
            copy.read(Replica::doubt);
        }
    }
}

/// Decides a request, for a transaction of the application's own to keep. In the order of U9 like [`execute`]; whether
/// the key is that of another request shows when the commit is kept.
pub(super) async fn prepare(
    storage: &impl Storage,
    copy: &mut impl ReplicaCell,
    request: &Request,
) -> Outcome<Prepared> {
    let mut is_fresh = false;
    loop {
        match copy.study(|replica| decide(storage, replica, request))? {
            Decided::Accepted(commit) if request.commands.is_empty() => {
                if is_fresh || request.preconditions.is_empty() {
                    return Ok(Prepared::Done(done(*commit)));
                }
            }
            Decided::Accepted(commit) => return Ok(Prepared::Commit(commit)),
            Decided::Refused(error) if is_fresh => {
                let answer = answered_before(storage, copy, request).await?;
                let answer = answer.ok_or(RepositoryError::Refused(error));
                return answer.map(Prepared::Done);
            }
            Decided::Refused(_) => {}
        }
        catch_up(storage, copy).await?;
        is_fresh = true;
    }
}

/// What the repository remembers under the key of a request: the answer that it was given, or that the key is another
/// one's. `None`: nothing.
async fn answered_before(
    storage: &impl Storage,
    copy: &mut impl ReplicaCell,
    request: &Request,
) -> Outcome<Option<Executed>> {
    let account = copy.read(|replica| replica.id().clone());
    if storage.request(&account, &request.key).await?.is_none() {
        return Ok(None);
    }
    // It is answered on a copy that holds what came of it. What was found may have been kept on another branch than the
    // one that the copy is found to be on now, so it is looked up again.
    catch_up(storage, copy).await?;
    match storage.request(&account, &request.key).await? {
        None => Ok(None),
        Some(stored) if stored.is_of(request) => repeated(storage, copy, stored).await.map(Some),
        Some(_) => {
            copy.read(|replica| request.authorize_first(replica))?;
            let key = request.key.clone();
            Err(RepositoryError::IdempotencyKeyReused { key })
        }
    }
}

/// How a request was decided.
enum Decided {
    Accepted(Box<Commit>),
    Refused(CommandError),
}

/// Decides a request on a copy; with a snapshot, if the repository wants one.
fn decide(storage: &impl Storage, copy: &Replica, request: &Request) -> Outcome<Decided> {
    copy.ensure_not_lost()?;
    let decided = request
        .authorize_first(copy)
        .and_then(|()| Commit::decide(copy, request));
    let commit = match decided {
        Ok(commit) => commit,
        Err(error) => return Ok(Decided::Refused(error)),
    };
    let (before, version) = (commit.request().before, commit.request().version);
    let commit = if !commit.records().is_empty() && storage.wants_snapshot(before, version) {
        commit.with_snapshot_after(copy)
    } else {
        commit
    };
    Ok(Decided::Accepted(Box::new(commit)))
}

fn done(commit: Commit) -> Executed {
    Executed {
        before: commit.request().before,
        version: commit.request().version,
        records: commit.into_records(),
        is_repeat: false,
    }
}

/// Answers a request once more, on a copy that was just brought up to date.
async fn repeated(
    storage: &impl Storage,
    copy: &mut impl ReplicaCell,
    stored: StoredRequest,
) -> Outcome<Executed> {
    let version = copy.read(|replica| replica.version());
    if version < stored.version {
        return Err(RepositoryError::RecordsMissing { version });
    }
    let account = copy.read(|replica| replica.id().clone());
    let mut records: Vec<Record> = Vec::new();
    loop {
        let read = records.last().map_or(stored.before, Record::version);
        if read >= stored.version {
            break;
        }
        match page(storage, &account, read).await? {
            RecordPage::Records { records: page, .. } if !page.is_empty() => {
                in_order(read, &page).map_err(RepositoryError::Replay)?;
                let of_it = page
                    .into_iter()
                    .take_while(|record| record.version <= stored.version);
                records.extend(of_it);
            }
            RecordPage::Records { .. } => {
                return Err(RepositoryError::RecordsMissing { version: read });
            }
            RecordPage::Compacted => {
                records.clear();
                break;
            }
        }
    }
    Ok(Executed {
        before: stored.before,
        version: stored.version,
        records,
        is_repeat: true,
    })
}

/// Erases a closed account. Tried again, it is done already. A copy that is held then denies; whatever else comes of it,
/// the copy asks the repository what became of the account.
pub(super) async fn erase(
    storage: &impl Storage,
    id: &AccountId,
    copy: &mut impl ReplicaCell,
) -> Outcome<()> {
    let account = id.clone();
    let doubt = Doubt(Some(&*copy));
    let outcome = storage.erase(id).await?;
    doubt.settle_if(matches!(
        outcome,
        EraseOutcome::Erased | EraseOutcome::Unsupported
    ));
    match outcome {
        EraseOutcome::Erased => {
            let error = RepositoryError::AccountErased { account };
            copy.change(|replica| replica.failed(&error));
            Ok(())
        }
        EraseOutcome::NotClosed => Err(RepositoryError::NotClosed { account }),
        EraseOutcome::Unknown => Err(RepositoryError::UnknownAccount { account }),
        EraseOutcome::Unsupported => Err(RepositoryError::EraseUnsupported),
    }
}

/// Records that are read after a version follow each other without gaps.
fn in_order(version: u64, records: &[Record]) -> Result<(), ReplayError> {
    let mut expected = version;
    for record in records {
        expected = expected.saturating_add(1);
        let found = record.version;
        if found > expected {
            return Err(ReplayError::Gap { expected, found });
        }
        if found < expected {
            return Err(ReplayError::Repeat { expected, found });
        }
    }
    Ok(())
}

fn restored(id: &AccountId, snapshot: Snapshot) -> Outcome<Account> {
    let account = Account::try_from(snapshot).map_err(RepositoryError::Snapshot)?;
    if account.id() == id {
        return Ok(account);
    }
    Err(RepositoryError::Replay(ReplayError::WrongAccount {
        expected: id.clone(),
        found: account.id().clone(),
        version: account.version(),
    }))
}

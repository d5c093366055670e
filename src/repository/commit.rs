//! What is kept in one step: the records of one request, what is remembered of it, and perhaps a snapshot.

use std::error::Error;

use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::command_error::CommandError;
use crate::account::digest::Digest;
use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::errors::{coded_errors, serialized_as_object};
use crate::id::{AccountId, IdempotencyKey, MemberId};
use crate::repository::head::{Head, HeadState};
use crate::repository::request::{Executed, Request, StoredRequest, digest_of_opening};
use crate::time::Timestamp;

/// The records of one request, to be kept all or none, with what is to be remembered of the request.
///
/// Holding one proves that its records follow the head that it expects, and each other: their versions have no gaps,
/// their digests are a chain, and their places are those of one commit ([U2](crate::docs::rules#U2)). There may be no
/// records: an accepted request that changed nothing is remembered too ([U9](crate::docs::rules#U9)).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Commit {
    account: AccountId,
    request: StoredRequest,
    expected: Option<Head>,
    head: Head,
    records: Vec<Record>,
    snapshot: Option<Snapshot>,
}

impl Commit {
    /// Decides a request on an account. The library does so by itself; who tests a repository may want to.
    ///
    /// # Errors
    /// The request is refused.
    pub fn decide(account: &Account, request: &Request) -> Result<Self, CommandError> {
        request.authorize_first(account)?;
        request.check_preconditions(account)?;
        let records = account.decide_batch(&request.actor, &request.commands, request.context())?;
        let expected = Head::of(account);
        let head = records.last().map_or(expected, Head::after);
        Ok(Self {
            account: account.id().clone(),
            request: StoredRequest {
                key: request.key.clone(),
                actor: request.actor.clone(),
                digest: request.digest(),
                before: expected.version,
                version: head.version,
            },
            expected: Some(expected),
            head,
            records,
            snapshot: None,
        })
    }

    /// Returns the commit that opens an account, and the account.
    #[must_use]
    pub fn opening(
        key: IdempotencyKey,
        id: AccountId,
        owner: MemberId,
        group_limit: GroupLimit,
        now: Timestamp,
    ) -> (Self, Account) {
        let request = StoredRequest {
            key: key.clone(),
            actor: Actor::System,
            digest: digest_of_opening(&owner, group_limit),
            before: 0,
            version: 1,
        };
        let (account, record) = Account::open_under(Some(key), id.clone(), owner, group_limit, now);
        let commit = Self {
            account: id,
            request,
            expected: None,
            head: Head::of(&account),
            records: vec![record],
            snapshot: None,
        };
        (commit, account)
    }

    /// Puts a commit together from what another repository kept of it, to copy it. One without records may expect a head
    /// that is closed: a repository answers that with [`Conflict`](super::CommitOutcome::Conflict).
    ///
    /// # Errors
    /// The request says that it led to other versions; the records do not follow the head or each other, or are not
    /// one commit.
    pub fn copied(
        account: AccountId,
        request: StoredRequest,
        expected: Option<Head>,
        records: Vec<Record>,
    ) -> Result<Self, CommitError> {
        let mut version = expected.map_or(0, |head| head.version);
        if request.before != version {
            return Err(CommitError::OtherRequest);
        }
        let mut head = expected.unwrap_or(Head {
            version: 0,
            digest: Digest::ZERO,
            state: HeadState::Open,
        });
        for (number, record) in (1..).zip(&records) {
            let place = record.commit;
            let is_next = record.account == account
                && head.state == HeadState::Open
                && version.checked_add(1) == Some(record.version)
                && record.digest == record.digest_after(head.digest)
                && (place.number(), place.of()) == (number, records.len());
            if !is_next {
                let version = record.version;
                return Err(CommitError::OutOfOrder { version });
            }
            version = record.version;
            head = Head::after(record);
        }
        if request.version != version || version == 0 {
            return Err(CommitError::OtherRequest);
        }
        Ok(Self {
            account,
            request,
            expected,
            head,
            records,
            snapshot: None,
        })
    }

    /// Adds a snapshot, made from the account that this was just decided on.
    pub(super) fn with_snapshot_after(self, account: &Account) -> Self {
        let mut after = account.clone();
        after.accept(&self.records);
        let snapshot = Some(after.snapshot());
        Self { snapshot, ..self }
    }

    /// Adds a snapshot of the account after the last record.
    ///
    /// # Errors
    /// A snapshot of another account, or that does not stand at the commit's [`head`](Commit::head).
    pub fn with_snapshot(self, snapshot: Snapshot) -> Result<Self, CommitError> {
        let is_of_it = *snapshot.account() == self.account
            && snapshot.version() == self.head.version
            && *snapshot.digest() == self.head.digest;
        if is_of_it {
            let snapshot = Some(snapshot);
            Ok(Self { snapshot, ..self })
        } else {
            Err(CommitError::OtherSnapshot)
        }
    }

    /// Returns the account that changes.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// Returns the request's key.
    #[must_use]
    pub fn key(&self) -> &IdempotencyKey {
        &self.request.key
    }

    /// Returns what is to be remembered of the request, under its key.
    #[must_use]
    pub fn request(&self) -> &StoredRequest {
        &self.request
    }

    /// Returns the head that the records were decided on: it must be the one that is kept, or nothing may be kept.
    /// `None`: no account of this id was ever opened.
    #[must_use]
    pub fn expected(&self) -> Option<&Head> {
        self.expected.as_ref()
    }

    /// Returns the head that the account has afterwards.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Returns the records, in the order of their versions; none, if the request changed nothing.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the account after the last record, if the repository asked for it.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Snapshot> {
        self.snapshot.as_ref()
    }

    pub(super) fn into_records(self) -> Vec<Record> {
        self.records
    }
}

impl Head {
    pub(super) fn of(account: &Account) -> Self {
        Self {
            version: account.version(),
            digest: *account.digest(),
            state: if account.is_closed() {
                HeadState::Closed
            } else {
                HeadState::Open
            },
        }
    }

    pub(super) fn after(record: &Record) -> Self {
        Self {
            version: record.version,
            digest: record.digest,
            state: if matches!(record.event, Event::AccountClosed(_)) {
                HeadState::Closed
            } else {
                HeadState::Open
            },
        }
    }
}

/// A request that was decided, to be kept by a transaction of the application's own; see
/// [`SharedAccount::prepare`](super::SharedAccount::prepare).
///
/// Exhaustive on purpose: a request that was done before has nothing to be kept.
#[derive(Clone, Debug, Eq, PartialEq)]
#[must_use = "nothing is kept yet"]
pub enum Prepared {
    /// Append this commit in the transaction and, when the transaction is committed,
    /// [adopt](super::SharedAccount::adopt) it. Dropped, it changes nothing.
    Commit(Box<Commit>),
    /// The request was done before, and this is what came of it.
    Done(Executed),
}

coded_errors! {
    /// Why records are no commit.
    #[derive(Clone, Debug, Eq, PartialEq)]
    #[non_exhaustive]
    pub enum CommitError with http_status {
        /// A record does not follow the one before it, or has another place than in this commit.
        #[error("commit-out-of-order", "record {version} is not the next one of this commit")]
        OutOfOrder {
            /// The record's version.
            version: u64,
        },
        /// The request led to other versions than those of the records.
        #[error("other-request", "the request that is remembered did not lead to these records")]
        OtherRequest,
        /// The snapshot is of another account, or does not stand at the commit's last record.
        #[error("other-snapshot", "the snapshot is not of the commit's account after its last record")]
        OtherSnapshot,
    }
}

impl Error for CommitError {}

serialized_as_object!(CommitError);

impl CommitError {
    /// Returns 500, the status with which an HTTP service answers: somebody has to look at what is stored.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        500
    }
}

//! grantbook's contract for storages, over etcd.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, GetOptions, KeyValue, KvClient, Txn, TxnOp, TxnOpResponse,
    TxnResponse, WatchClient,
};
use grantbook::repository::{AsyncRepository, Commit, CommitOutcome, RecordPage};
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use tokio::time::{sleep, timeout};
use tonic::Code;

use crate::error::{Error, Part};
use crate::heads::Heads;
use crate::keys::Keys;
use crate::values;

/// What a server takes in one request, if it was not told otherwise.
const REQUEST_LIMIT: usize = 1_572_864;
/// What the values of a commit may take of it. The rest is for keys.
const VALUES_LIMIT: usize = REQUEST_LIMIT - 32_768;

/// The first pause before etcd is asked again, and the longest. Each is twice as long as the one before.
const PAUSES: [Duration; 2] = [Duration::from_millis(10), Duration::from_millis(160)];

/// Keeps accounts in etcd.
///
/// It is a handle: clones share the client's connections. All is read as of the moment that it is asked for
/// (linearizable, as etcd calls it). A serializable read comes from what one member happens to have, which may be older
/// than a revocation that was acknowledged long ago; this contract rules it out.
#[derive(Clone)]
pub struct EtcdRepository {
    kv: KvClient,
    watch: WatchClient,
    keys: Keys,
    timeout: Duration,
    page: NonZeroU32,
    snapshot_every: Option<NonZeroU64>,
}

impl EtcdRepository {
    /// Keeps accounts under keys that begin with the prefix and a `/`. Nothing else may write there, and no prefix of
    /// another repository may lie below it.
    #[must_use]
    pub fn new(client: &Client, prefix: &str) -> Self {
        let page = NonZeroU32::MIN.saturating_add(63);
        Self {
            kv: client.kv_client(),
            watch: client.watch_client(),
            keys: Keys::below(prefix),
            timeout: Duration::from_secs(5),
            page,
            snapshot_every: NonZeroU64::new(1_000),
        }
        .with_page(page)
    }

    /// Asks for so long, in all, before it gives up; 5 seconds, if nothing is said. Meanwhile members that cannot be
    /// reached are asked again, or others are: a member may be lost, and a leader elected, without anybody noticing.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Reads at most so many commits at once; 64, if nothing is said. A commit takes up to a megabyte and a half.
    #[must_use]
    pub fn with_page(self, page: NonZeroU32) -> Self {
        let most = usize::try_from(page.get()).unwrap_or(usize::MAX);
        let kv = self
            .kv
            .max_decoding_message_size(most.saturating_add(1).saturating_mul(REQUEST_LIMIT));
        Self { kv, page, ..self }
    }

    /// Keeps a snapshot about every so many versions, or none; every 1,000, if nothing is said. One that does not fit
    /// into the request of its commit is left out.
    #[must_use]
    pub fn with_snapshots(self, snapshot_every: Option<NonZeroU64>) -> Self {
        Self {
            snapshot_every,
            ..self
        }
    }

    /// What changes from now on, in any account.
    #[must_use]
    pub fn heads(&self) -> Heads {
        Heads::of_all(self.watch.clone(), self.keys.clone(), self.timeout)
    }

    /// What changes from now on in this account.
    #[must_use]
    pub fn head(&self, account: &AccountId) -> Heads {
        Heads::of_one(self.watch.clone(), self.keys.clone(), self.timeout, account)
    }

    /// Asks for keys, all as of one moment.
    async fn read<const N: usize>(&self, gets: [TxnOp; N]) -> Result<[Vec<KeyValue>; N], Error> {
        answers(&self.ask(Txn::new().and_then(gets)).await?)
    }

    /// Asks until there is an answer, or no time left.
    ///
    /// A transaction may arrive twice, then, after an answer that was lost. It takes effect once: what it writes is what
    /// it compares. A refusal of the second says nothing about the first, so it is no answer.
    async fn ask(&self, transaction: Txn) -> Result<TxnResponse, Error> {
        let mut last = None;
        let asking = async {
            let [mut pause, longest] = PAUSES;
            loop {
                match self.kv.clone().txn(transaction.clone()).await {
                    Err(error) if last.is_some() || may_pass(&error) => {
                        last = Some(Box::new(error));
                    }
                    answer => return answer.map_err(|error| Error::Refused(Box::new(error))),
                }
                sleep(pause).await;
                pause = longest.min(pause * 2);
            }
        };
        match timeout(self.timeout, asking).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::Unanswered {
                timeout: self.timeout,
                error: last,
            }),
        }
    }
}

fn get(key: String) -> TxnOp {
    TxnOp::get(key, None)
}

/// Whether another attempt may fare better: no member was reached, or the one that was had no leader, or was stopped.
fn may_pass(error: &etcd_client::Error) -> bool {
    if let etcd_client::Error::GRpcStatus(status) = error {
        return matches!(
            status.code(),
            Code::Unavailable
                | Code::Unknown
                | Code::Internal
                | Code::Cancelled
                | Code::DeadlineExceeded
        );
    }
    matches!(
        error,
        etcd_client::Error::TransportError(_) | etcd_client::Error::IoError(_)
    )
}

/// What the reads of a transaction found.
fn answers<const N: usize>(response: &TxnResponse) -> Result<[Vec<KeyValue>; N], Error> {
    let found: Vec<_> = response
        .op_responses()
        .into_iter()
        .filter_map(|answer| match answer {
            TxnOpResponse::Get(mut found) => Some(found.take_kvs()),
            TxnOpResponse::Put(_) | TxnOpResponse::Delete(_) | TxnOpResponse::Txn(_) => None,
        })
        .collect();
    found.try_into().map_err(|found: Vec<_>| {
        let problem = format!("{} answers to {N} questions", found.len());
        Error::Refused(Box::new(etcd_client::Error::Internal(problem)))
    })
}

/// The last version of an account, and the revision at which that was written; zeros, if there is no account.
#[derive(Eq, PartialEq)]
struct Head {
    version: u64,
    revision: i64,
}

impl Head {
    fn read(found: &[KeyValue], account: &AccountId) -> Result<Self, Error> {
        let Some(kept) = found.first() else {
            let (version, revision) = (0, 0);
            return Ok(Self { version, revision });
        };
        let version = values::version(kept, account, Part::Head)?;
        let revision = kept.mod_revision();
        Ok(Self { version, revision })
    }
}

impl AsyncRepository for EtcdRepository {
    type Error = Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Error> {
        let [found] = self.read([get(self.keys.snapshot(account))]).await?;
        let kept = found.first();
        kept.map(|kept| values::snapshot(kept, account)).transpose()
    }

    async fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Error> {
        let (first, end) = self.keys.commits_after(account, version);
        let page = GetOptions::new()
            .with_range(end)
            .with_limit(self.page.get().into());
        let [head, found] = self
            .read([get(self.keys.head(account)), TxnOp::get(first, Some(page))])
            .await?;
        let last = Head::read(&head, account)?.version;
        let is_all = found.len() < self.page.get() as usize;

        let (mut records, mut reached) = (Vec::new(), version);
        for kept in found {
            let missing = reached.saturating_add(1);
            let version = self.keys.version(account, kept.key()).unwrap_or(missing);
            let commit = values::commit(&kept, account, version)?;
            if commit.expected() > reached {
                let (account, version) = (account.clone(), missing);
                return Err(Error::Missing { account, version });
            }
            let after = commit.records().iter();
            records.extend(after.filter(|record| record.version() > reached).cloned());
            reached = commit.version();
        }
        if reached > last && !records.is_empty() {
            let (account, head) = (account.clone(), last);
            return Err(Error::HeadBehind { account, head });
        }
        if reached < last && is_all {
            let (account, version) = (account.clone(), reached.saturating_add(1));
            return Err(Error::Missing { account, version });
        }
        Ok(RecordPage::Records { records, last })
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, Error> {
        let [found] = self.read([get(self.keys.id(account, id))]).await?;
        let Some(kept) = found.first() else {
            return Ok(Vec::new());
        };
        let part = Part::IdempotencyKey { commit: id.clone() };
        let version = values::version(kept, account, part.clone())?;
        let [found] = self.read([get(self.keys.commit(account, version))]).await?;
        let Some(kept) = found.first() else {
            let account = account.clone();
            return Err(Error::Missing { account, version });
        };
        let commit = values::commit(kept, account, version)?;
        if commit.id() != id {
            let account = account.clone();
            return Err(Error::Misplaced { account, part });
        }
        Ok(commit.records().to_vec())
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Error> {
        let (account, keys) = (commit.account(), &self.keys);
        let (id, head) = (keys.id(account, commit.id()), keys.head(account));
        let look = [get(id.clone()), get(head.clone())];

        let [found_id, found_head] = self.read(look.clone()).await?;
        if !found_id.is_empty() {
            return Ok(CommitOutcome::Duplicate);
        }
        let seen = Head::read(&found_head, account)?;
        if seen.version != commit.expected() {
            return Ok(CommitOutcome::Conflict);
        }

        let records = values::written(commit)?;
        let (bytes, limit) = (records.len(), VALUES_LIMIT);
        if bytes > limit {
            return Err(Error::TooLarge {
                account: account.clone(),
                version: commit.version(),
                bytes,
                limit,
            });
        }
        let version = commit.version().to_string();
        let mut puts = vec![
            TxnOp::put(keys.commit(account, commit.version()), records, None),
            TxnOp::put(id.clone(), version.clone(), None),
            TxnOp::put(head.clone(), version, None),
        ];
        if let Some(snapshot) = commit.snapshot() {
            let snapshot = serde_json::to_string(snapshot).map_err(Error::Json)?;
            if bytes.saturating_add(snapshot.len()) <= limit {
                puts.push(TxnOp::put(keys.snapshot(account), snapshot, None));
            }
        }
        let (after, end) = keys.commits_after(account, commit.expected());
        let unchanged = [
            // A key that is not there has revision 0.
            Compare::mod_revision(head, CompareOp::Equal, seen.revision),
            Compare::create_revision(id, CompareOp::Equal, 0),
            // Whatever was done to the head by hand, no record is written over.
            Compare::create_revision(after, CompareOp::Equal, 0).with_range(end),
        ];
        let kept = self
            .ask(Txn::new().when(unchanged).and_then(puts).or_else(look))
            .await?;
        if kept.succeeded() {
            return Ok(CommitOutcome::Appended);
        }
        let [found_id, found_head] = answers(&kept)?;
        if !found_id.is_empty() {
            return Ok(CommitOutcome::Duplicate);
        }
        if Head::read(&found_head, account)? == seen {
            let (account, head) = (account.clone(), seen.version);
            return Err(Error::HeadBehind { account, head });
        }
        Ok(CommitOutcome::Conflict)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        self.snapshot_every
            .is_some_and(|every| expected / every != version / every)
    }
}

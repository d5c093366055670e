//! grantbook's contract for storages, over etcd.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use etcd_client::{
    Client, Compare, CompareOp, DeleteOptions, GetOptions, KeyValue, KvClient, Txn, TxnOp,
    TxnOpResponse, TxnResponse, WatchClient,
};
use grantbook::repository::{
    AsyncRepository, Commit, CommitOutcome, EraseOutcome, Head, HeadState, RecordPage,
    StoredRequest,
};
use grantbook::{AccountId, IdempotencyKey, Record, Snapshot};
use tokio::time::{sleep, timeout};
use tonic::Code;

use crate::error::Error;
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

/// The head of an account; `None`, if there is none.
fn read_head(found: &[KeyValue], account: &AccountId) -> Result<Option<Head>, Error> {
    let kept = found.first();
    kept.map(|kept| values::head(kept, account)).transpose()
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
        let head = read_head(&head, account)?;
        let last = match head {
            Some(head) if head.state != HeadState::Erased => head.version,
            // Never opened, or erased.
            _ => {
                let records = Vec::new();
                return Ok(RecordPage::Records { records, head });
            }
        };
        let is_all = found.len() < self.page.get() as usize;

        let (mut records, mut reached) = (Vec::new(), version);
        for kept in found {
            let missing = reached.saturating_add(1);
            let version = self.keys.version(account, kept.key()).unwrap_or(missing);
            let of_it = values::records(&kept, account, version)?;
            let first = of_it.first().map_or(version, Record::version);
            if first > missing {
                let (account, version) = (account.clone(), missing);
                return Err(Error::Missing { account, version });
            }
            let after = of_it.into_iter();
            records.extend(after.filter(|record| record.version() > reached));
            reached = version;
        }
        if reached > last && !records.is_empty() {
            let (account, head) = (account.clone(), last);
            return Err(Error::HeadBehind { account, head });
        }
        if reached < last && is_all {
            let (account, version) = (account.clone(), reached.saturating_add(1));
            return Err(Error::Missing { account, version });
        }
        Ok(RecordPage::Records { records, head })
    }

    async fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Error> {
        let [found] = self.read([get(self.keys.request(account, key))]).await?;
        let kept = found.first();
        kept.map(|kept| values::request(kept, account, key))
            .transpose()
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Error> {
        let (account, keys) = (commit.account(), &self.keys);
        let (request, head) = (keys.request(account, commit.key()), keys.head(account));
        let look = [get(request.clone()), get(head.clone())];

        let [found_request, found_head] = self.read(look.clone()).await?;
        if !found_request.is_empty() {
            return Ok(CommitOutcome::Duplicate);
        }
        let kept_head = read_head(&found_head, account)?;
        let is_over = kept_head.is_some_and(|head| head.state != HeadState::Open);
        if kept_head.as_ref() != commit.expected() || is_over {
            return Ok(CommitOutcome::Conflict);
        }

        let mut puts = vec![
            TxnOp::put(request.clone(), values::json(commit.request())?, None),
            TxnOp::put(head.clone(), values::json(commit.head())?, None),
        ];
        if !commit.records().is_empty() {
            let (version, limit) = (commit.head().version, VALUES_LIMIT);
            let records = values::written(commit)?;
            let bytes = records.len();
            if bytes > limit {
                return Err(Error::TooLarge {
                    account: account.clone(),
                    version,
                    bytes,
                    limit,
                });
            }
            puts.push(TxnOp::put(keys.commit(account, version), records, None));
            if let Some(snapshot) = commit.snapshot() {
                let snapshot = values::json(snapshot)?;
                if bytes.saturating_add(snapshot.len()) <= limit {
                    puts.push(TxnOp::put(keys.snapshot(account), snapshot, None));
                }
            }
        }
        let (after, end) = keys.commits_after(account, commit.request().before);
        let unchanged = [
            // The very value: its version, its digest, its state. A key that is not there has revision 0.
            match found_head.first() {
                Some(kept) => Compare::value(head, CompareOp::Equal, kept.value()),
                None => Compare::create_revision(head, CompareOp::Equal, 0),
            },
            Compare::create_revision(request, CompareOp::Equal, 0),
            // Whatever was done to the head by hand, no record is written over.
            Compare::create_revision(after, CompareOp::Equal, 0).with_range(end),
        ];
        let kept = self
            .ask(Txn::new().when(unchanged).and_then(puts).or_else(look))
            .await?;
        if kept.succeeded() {
            return Ok(CommitOutcome::Appended);
        }
        let [found_request, found_head] = answers(&kept)?;
        if !found_request.is_empty() {
            return Ok(CommitOutcome::Duplicate);
        }
        if read_head(&found_head, account)?.as_ref() == commit.expected() {
            let (account, head) = (account.clone(), commit.request().before);
            return Err(Error::HeadBehind { account, head });
        }
        Ok(CommitOutcome::Conflict)
    }

    async fn erase(&self, account: &AccountId) -> Result<EraseOutcome, Error> {
        let (keys, key) = (&self.keys, self.keys.head(account));
        let [found] = self.read([get(key.clone())]).await?;
        let Some((kept, head)) = found.first().zip(read_head(&found, account)?) else {
            return Ok(EraseOutcome::Unknown);
        };
        if head.state == HeadState::Open {
            return Ok(EraseOutcome::NotClosed);
        }
        let all = || Some(DeleteOptions::new().with_prefix());
        let state = HeadState::Erased;
        let erased = Head { state, ..head };
        // A closed account changes no more, so that its head is what was read, or erased by now.
        let unchanged = [Compare::value(key.clone(), CompareOp::Equal, kept.value())];
        let gone = vec![
            TxnOp::put(key, values::json(&erased)?, None),
            TxnOp::delete(keys.commits(account), all()),
            TxnOp::delete(keys.requests(account), all()),
            TxnOp::delete(keys.snapshot(account), None),
        ];
        self.ask(Txn::new().when(unchanged).and_then(gone)).await?;
        Ok(EraseOutcome::Erased)
    }

    fn wants_snapshot(&self, before: u64, version: u64) -> bool {
        self.snapshot_every
            .is_some_and(|every| before / every != version / every)
    }
}

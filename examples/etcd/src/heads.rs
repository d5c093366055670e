//! Watching which accounts change.

use std::collections::VecDeque;
use std::time::Duration;

use etcd_client::{Event, EventType, WatchClient, WatchOptions, WatchResponse, WatchStream};
use grantbook::AccountId;
use grantbook::repository::Head;
use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::keys::Keys;

/// The pause before a watch that was cut is taken up again.
const PAUSE: Duration = Duration::from_millis(50);

/// A watch on the versions of accounts.
///
/// It hears of every change from where it begins. When it is cut, it goes on after the last change that it heard of, at
/// whichever member can be reached. Where etcd keeps no longer what happened in between ([compaction][1]), it begins
/// again, and says so by [`Notice::Restarted`].
///
/// [1]: https://etcd.io/docs/v3.4/op-guide/maintenance/
pub struct Heads {
    client: WatchClient,
    keys: Keys,
    timeout: Duration,
    key: String,
    all: bool,
    stream: Option<WatchStream>,
    /// The first revision that it has not heard of; none before it has begun.
    next: Option<i64>,
    heard: VecDeque<Notice>,
}

/// What a watch has heard.
///
/// Exhaustive on purpose: both are to be acted on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Notice {
    /// An account has changed.
    Changed {
        /// Which.
        account: AccountId,
        /// The version that it has now.
        version: u64,
    },
    /// From here on every change is heard of. What was before may have been missed: catch up with every account that is
    /// watched. It is always the first notice; another comes after a compaction, and where something was written that is
    /// no version.
    Restarted,
}

impl Heads {
    pub(crate) fn of_all(client: WatchClient, keys: Keys, timeout: Duration) -> Self {
        let key = keys.heads();
        Self::new(client, keys, timeout, key, true)
    }

    pub(crate) fn of_one(
        client: WatchClient,
        keys: Keys,
        timeout: Duration,
        account: &AccountId,
    ) -> Self {
        let key = keys.head(account);
        Self::new(client, keys, timeout, key, false)
    }

    fn new(client: WatchClient, keys: Keys, timeout: Duration, key: String, all: bool) -> Self {
        Self {
            client,
            keys,
            timeout,
            key,
            all,
            stream: None,
            next: None,
            heard: VecDeque::new(),
        }
    }

    /// Waits for the next notice, for as long as it takes, whether or not etcd can be reached meanwhile. What waits for
    /// it may be dropped, and nothing is lost.
    ///
    /// # Errors
    /// [`Error::WatchEnded`]: etcd does not let this client watch. The next call tries again.
    pub async fn next(&mut self) -> Result<Notice, Error> {
        loop {
            if let Some(notice) = self.heard.pop_front() {
                return Ok(notice);
            }
            let response = match &mut self.stream {
                Some(stream) => stream.message().await.ok().flatten(),
                None => None,
            };
            match response {
                Some(response) => self.hear(&response)?,
                None => self.take_up().await,
            }
        }
    }

    /// Opens a stream in place of one that was cut, or tries to.
    async fn take_up(&mut self) {
        if self.stream.take().is_some() {
            sleep(PAUSE).await;
        }
        let mut options = WatchOptions::new();
        if self.all {
            options = options.with_prefix();
        }
        if let Some(next) = self.next {
            options = options.with_start_revision(next);
        }
        let opening = self.client.watch(self.key.as_str(), Some(options));
        match timeout(self.timeout, opening).await {
            Ok(Ok(stream)) => self.stream = Some(stream),
            Ok(Err(_)) => sleep(PAUSE).await,
            Err(_) => {}
        }
    }

    fn hear(&mut self, response: &WatchResponse) -> Result<(), Error> {
        for event in response.events() {
            if let Some(kept) = event.kv() {
                self.next = Some(kept.mod_revision().saturating_add(1));
            }
            self.heard.push_back(self.notice(event));
        }
        if response.canceled() {
            self.stream = None;
            if response.compact_revision() == 0 {
                let reason = response.cancel_reason().to_owned();
                return Err(Error::WatchEnded { reason });
            }
            self.next = None;
        } else if self.next.is_none() {
            // It has begun: what this revision has, and all before, is not heard of.
            let revision = response.header().map(etcd_client::ResponseHeader::revision);
            self.next = revision.map(|revision| revision.saturating_add(1));
            self.heard.push_back(Notice::Restarted);
        }
        Ok(())
    }

    fn notice(&self, event: &Event) -> Notice {
        let changed = || {
            let kept = event
                .kv()
                .filter(|_| event.event_type() == EventType::Put)?;
            let account = self.keys.account(kept.key())?;
            let head: Head = serde_json::from_slice(kept.value()).ok()?;
            let version = head.version;
            Some(Notice::Changed { account, version })
        };
        changed().unwrap_or(Notice::Restarted)
    }
}

//! The task that follows: one part listens, the other catches up.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grantbook::AccountId;
use grantbook::repository::{
    Accounts, AsyncStorage, Freshness, Head, HeadState, RepositoryError, SharedAccount,
};
use tokio::sync::{Notify, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Notification, Socket};

use super::state::{FollowError, Listening, State};
use crate::repository::PostgresRepository;

/// How long the database may take to answer before it counts as gone.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before connecting again: twice as long each time, from the one to the other.
const SHORTEST_BREAK: Duration = Duration::from_millis(50);
const LONGEST_BREAK: Duration = Duration::from_secs(5);
/// So many accounts are compared with one statement.
const AT_ONCE: usize = 1_000;

type Copy = SharedAccount<AsyncStorage<PostgresRepository>>;

/// The accounts that are followed, and how it goes.
#[derive(Debug)]
pub(super) struct Following {
    accounts: Accounts<AsyncStorage<PostgresRepository>>,
    due: Mutex<Due>,
    has_due: Notify,
    state: Mutex<State>,
}

/// Which accounts are to be compared with what is kept. However many notices come, it is no more than there are accounts.
#[derive(Debug, Default)]
struct Due {
    accounts: BTreeSet<AccountId>,
    all: bool,
}

impl Following {
    pub(super) fn new(accounts: Accounts<AsyncStorage<PostgresRepository>>) -> Self {
        Self {
            accounts,
            due: Mutex::default(),
            has_due: Notify::new(),
            state: Mutex::new(State::new()),
        }
    }

    // Nothing is half written under these locks, so a thread that panicked elsewhere leaves good data.

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that listens failed; whether it had come to listen.
    fn broke_off(&self, error: FollowError) -> bool {
        let mut state = self.state();
        let was_connected = state.listening == Listening::Connected;
        state.turn(Listening::Connecting);
        state.failed(error);
        was_connected
    }

    /// Takes a notice. One that nobody can have sent for an account that is followed is nobody's business.
    fn hear(&self, notice: &Notification) {
        let Some((version, account)) = notice.payload().split_once(' ') else {
            return;
        };
        let (Ok(version), Ok(account)) = (version.parse(), AccountId::parse(account)) else {
            return;
        };
        if let Some(Freshness::CatchUp { .. }) = self.accounts.notify_version(&account, version) {
            self.is_due(account);
        }
    }

    fn is_due(&self, account: AccountId) {
        self.due().accounts.insert(account);
        self.has_due.notify_one();
    }

    fn all_are_due(&self) {
        self.due().all = true;
        self.has_due.notify_one();
    }

    /// Compares all copies with what is kept, and brings those up to date that are not.
    async fn refresh_all(&self) {
        let began = Instant::now();
        let mut is_known = true;
        let mut held = self.accounts.held();
        self.state().failing.retain(|account| {
            let found = held.binary_search_by(|copy| copy.id().cmp(account));
            found.is_ok()
        });
        while !held.is_empty() {
            let some = held.split_off(held.len().saturating_sub(AT_ONCE));
            let asked: Vec<&AccountId> = some.iter().map(SharedAccount::id).collect();
            let heads = self.accounts.repository().heads(&asked);
            let error = match timeout(PATIENCE, heads).await {
                Ok(Ok(heads)) => {
                    for (copy, head) in some.into_iter().zip(heads) {
                        self.compare(copy, head).await;
                    }
                    continue;
                }
                Ok(Err(error)) => FollowError::Compare(error),
                Err(_) => FollowError::Silent,
            };
            is_known = false;
            self.state().failed(error);
        }
        if is_known {
            self.state().fresh_at = Some(began);
        }
    }

    /// Brings those copies up to date that are due.
    async fn refresh_due(&self) {
        let due = mem::take(&mut *self.due());
        if due.all {
            return self.refresh_all().await;
        }
        for account in due.accounts {
            // Whether it is still held; a notice that says nothing new is no use of it.
            if self.accounts.notify_version(&account, 0).is_some() {
                self.refresh(&account).await;
            }
        }
    }

    /// Brings a copy up to date if it is not what the database holds. That of an erased account denies everything from
    /// then on, and is given up once nobody has a handle to it.
    async fn compare(&self, copy: Copy, head: Option<Head>) {
        let is_erased = head.is_some_and(|head| head.state == HeadState::Erased);
        let is_done = if is_erased {
            copy.as_of().problem.is_some()
        } else {
            copy.as_of().behind == 0 && head == Some(copy.head())
        };
        if is_done {
            self.state().failing.remove(copy.id());
        } else {
            self.refresh(copy.id()).await;
        }
        if is_erased {
            let account = copy.id().clone();
            drop(copy);
            self.accounts.forget(&account);
        }
    }

    /// Brings the copy of an account up to date; one that has diverged is loaded again. It is no use of the account, which
    /// is given up as if nobody had told of it.
    async fn refresh(&self, account: &AccountId) {
        let refresh = async {
            // The first finds out that it has diverged, the second loads it.
            match self.accounts.refresh(account).await {
                Err(RepositoryError::Diverged { .. }) => self.accounts.refresh(account).await,
                refreshed => refreshed,
            }
        };
        let error = match timeout(PATIENCE, refresh).await {
            Ok(Ok(_) | Err(RepositoryError::AccountErased { .. })) => {
                self.state().failing.remove(account);
                return;
            }
            Ok(Err(error)) => FollowError::CatchUp {
                account: account.clone(),
                error,
            },
            Err(_) => FollowError::Silent,
        };
        let mut state = self.state();
        state.failing.insert(account.clone());
        state.failed(error);
    }
}

/// Follows until it is told to stop, or nobody is left to tell.
pub(super) async fn run<T>(
    following: Arc<Following>,
    config: Config,
    tls: T,
    tick: Duration,
    stopped: oneshot::Receiver<()>,
) where
    T: MakeTlsConnect<Socket> + Clone,
{
    tokio::select! {
        never = listen(&following, &config, &tls, tick) => match never {},
        never = refresh(&following, tick) => match never {},
        _ = stopped => {}
    }
    following.state().turn(Listening::Stopped);
}

/// Catches up at every tick, and whenever something is due.
async fn refresh(following: &Following, tick: Duration) -> Infallible {
    // An interval of zero would panic.
    let mut ticks = interval(tick.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => following.refresh_all().await,
            () = following.has_due.notified() => following.refresh_due().await,
        }
    }
}

/// Listens, and connects again when that fails.
async fn listen<T>(following: &Following, config: &Config, tls: &T, tick: Duration) -> Infallible
where
    T: MakeTlsConnect<Socket> + Clone,
{
    let mut pause = SHORTEST_BREAK;
    loop {
        let Err(error) = session(following, config, tls.clone(), tick).await;
        if following.broke_off(error) {
            pause = SHORTEST_BREAK;
        }
        sleep(jittered(pause)).await;
        pause = LONGEST_BREAK.min(pause * 2);
    }
}

/// Up to a half longer, so that not all processes come back at once to a server that was gone.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) % 1_000;
    pause + pause * u32::try_from(random).unwrap_or_default() / 2_000
}

/// Connects and listens until that fails.
async fn session<T>(
    following: &Following,
    config: &Config,
    tls: T,
    tick: Duration,
) -> Result<Infallible, FollowError>
where
    T: MakeTlsConnect<Socket>,
{
    let connected = timeout(PATIENCE, config.connect(tls)).await;
    let (client, connection) = connected.map_err(|_| FollowError::Silent)??;
    tokio::select! {
        failed = subscribe(following, &client, tick) => failed,
        failed = hear(following, connection) => failed,
    }
}

/// Subscribes, has all copies compared, and then asks now and then whether the server is still there: a connection that
/// waits for notices alone would never know.
async fn subscribe(
    following: &Following,
    client: &Client,
    tick: Duration,
) -> Result<Infallible, FollowError> {
    client.batch_execute("LISTEN grantbook").await?;
    following.state().turn(Listening::Connected);
    following.all_are_due();
    loop {
        sleep(tick.max(PATIENCE)).await;
        let answer = timeout(PATIENCE, client.batch_execute("")).await;
        answer.map_err(|_| FollowError::Silent)??;
    }
}

/// Takes what the connection brings.
async fn hear<S>(
    following: &Following,
    mut connection: Connection<Socket, S>,
) -> Result<Infallible, FollowError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        match poll_fn(|context| connection.poll_message(context)).await {
            Some(Ok(AsyncMessage::Notification(notice))) => following.hear(&notice),
            // What the server has to say to people.
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
            None => return Err(FollowError::Closed),
        }
    }
}

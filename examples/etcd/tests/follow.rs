//! Copies that hear of changes by a watch, which is cut, and compacted behind their backs.

mod common;

use std::time::Duration;

use etcd_client::Client;
use grantbook::Account;
use grantbook::repository::RepositoryError;
use grantbook_etcd::{Error, EtcdRepository, Heads, Notice, Part};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use common::proxy::Proxy;
use common::{Copy, Host, account_id, create, report, request, server};

/// Guards against hanging only.
const PATIENCE: Duration = Duration::from_secs(100);
/// Longer than any test: what a copy knows, it knows by its watch.
const NEVER: Duration = Duration::from_secs(10_000);

/// A host, and the same repository through a connection that can be cut.
struct Apart {
    host: Host,
    proxy: Proxy,
    through: EtcdRepository,
}

impl Apart {
    async fn fresh() -> Self {
        let host = Host::fresh().await;
        let [server] = &host.server.endpoints()[..] else {
            panic!("there is one server");
        };
        let proxy = Proxy::to(server).await;
        let client = server::client(std::slice::from_ref(&proxy.endpoint)).await;
        let through = EtcdRepository::new(&client, "access");
        Self {
            host,
            proxy,
            through,
        }
    }

    /// Creates a store, and gives the account's version afterwards.
    async fn create(&self, copy: &Copy, store: &str) -> u64 {
        let request = request(store, create([store.to_owned()]));
        let done = copy.execute(&request).await.expect("it is kept");
        assert!(done.is_change(), "it is new");
        done.version()
    }

    /// Has etcd forget all history.
    async fn compact(&self) {
        let mut kv = self.host.client.kv_client();
        let now = kv.get("any", None).await.expect("etcd answers");
        let now = now.header().expect("there is one").revision();
        kv.compact(now, None).await.expect("etcd compacts");
    }
}

async fn next(heads: &mut Heads) -> Notice {
    let notice = timeout(PATIENCE, heads.next()).await;
    notice.expect("there is a notice").expect("it may watch")
}

fn changed(account: &str, version: u64) -> Notice {
    let account = account_id(account);
    Notice::Changed { account, version }
}

#[tokio::test]
async fn a_watch_hears_of_every_change_to_what_it_watches_and_of_no_other() {
    let apart = Apart::fresh().await;
    let acme = apart.host.open("acme").await;
    let other = apart.host.open("acme/2").await;
    let mut all = apart.through.heads();
    let mut one = apart.through.head(&account_id("acme"));
    assert_eq!(next(&mut all).await, Notice::Restarted);
    assert_eq!(next(&mut one).await, Notice::Restarted);

    apart.create(&acme, "dev").await;
    apart.create(&other, "dev").await;
    apart.create(&acme, "prod").await;
    for notice in [changed("acme", 2), changed("acme/2", 2), changed("acme", 3)] {
        assert_eq!(next(&mut all).await, notice);
    }
    for notice in [changed("acme", 2), changed("acme", 3)] {
        assert_eq!(next(&mut one).await, notice);
    }
}

#[tokio::test]
async fn a_watch_that_was_cut_goes_on_where_it_was() {
    let apart = Apart::fresh().await;
    let acme = apart.host.open("acme").await;
    let mut heads = apart.through.heads();
    assert_eq!(next(&mut heads).await, Notice::Restarted);

    // Before it has heard of anything, and after.
    for version in [2, 4] {
        apart.proxy.cut();
        for version in [version, version + 1] {
            assert_eq!(apart.create(&acme, &version.to_string()).await, version);
        }
        let notice = timeout(Duration::from_millis(200), heads.next()).await;
        assert!(notice.is_err(), "it is cut: {notice:?}");
        apart.proxy.restore();
        for version in [version, version + 1] {
            assert_eq!(next(&mut heads).await, changed("acme", version));
        }
    }
}

#[tokio::test]
async fn a_watch_whose_history_was_compacted_begins_anew_and_says_so() {
    let apart = Apart::fresh().await;
    let acme = apart.host.open("acme").await;
    let mut heads = apart.through.heads();
    assert_eq!(next(&mut heads).await, Notice::Restarted);

    apart.proxy.cut();
    apart.create(&acme, "dev").await;
    apart.create(&acme, "prod").await;
    apart.compact().await;
    apart.proxy.restore();
    assert_eq!(next(&mut heads).await, Notice::Restarted);
    apart.create(&acme, "test").await;
    assert_eq!(next(&mut heads).await, changed("acme", 4));
}

#[tokio::test]
async fn what_is_no_version_is_a_reason_to_look() {
    let apart = Apart::fresh().await;
    apart.host.open("acme").await;
    let mut heads = apart.through.heads();
    assert_eq!(next(&mut heads).await, Notice::Restarted);
    apart.host.change("access/head/acme", "two").await;
    assert_eq!(next(&mut heads).await, Notice::Restarted);
    apart.host.delete("access/head/acme").await;
    assert_eq!(next(&mut heads).await, Notice::Restarted);
}

fn follow(repository: EtcdRepository, copy: Copy, tick: Duration) -> JoinHandle<RepositoryError> {
    tokio::spawn(async move {
        let Err(error) = repository.follow(&copy, tick, |_| ()).await;
        error
    })
}

/// A copy that follows through the connection that can be cut, and the copy that changes elsewhere.
struct Following {
    apart: Apart,
    elsewhere: Copy,
    here: Copy,
    follows: JoinHandle<RepositoryError>,
}

impl Following {
    async fn fresh(tick: Duration) -> Self {
        let apart = Box::pin(Apart::fresh()).await;
        let elsewhere = apart.host.open("acme").await;
        let here = common::load(&apart.through, "acme").await;
        let here = here.expect("it is there");
        // What comes before the watch is not heard of.
        apart.create(&elsewhere, "before").await;
        let follows = follow(apart.through.clone(), here.clone(), tick);
        Self {
            apart,
            elsewhere,
            here,
            follows,
        }
    }

    /// Creates a store elsewhere.
    async fn create(&self, store: &str) -> u64 {
        self.apart.create(&self.elsewhere, store).await
    }

    /// Waits until the copy is of this version, and asks it.
    async fn has(&self, version: u64, store: &str) -> bool {
        let has = async {
            loop {
                let has_store = |account: &Account| account.has_store(store);
                if let Ok(has_store) = self.here.at_least(version, has_store) {
                    return has_store;
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, has).await.expect("the copy catches up")
    }
}

#[tokio::test]
async fn a_copy_catches_up_with_what_came_before_its_watch_and_with_every_change_after() {
    let following = Following::fresh(NEVER).await;
    assert!(following.has(2, "before").await);
    for n in 0..20 {
        let store = n.to_string();
        let version = following.create(&store).await;
        assert!(following.has(version, &store).await);
    }
    assert!(!following.follows.is_finished());
}

#[tokio::test]
async fn a_copy_catches_up_after_its_watch_was_cut_and_never_gives_an_old_answer() {
    const ROUNDS: u32 = 20;
    let following = Following::fresh(NEVER).await;
    let (proxy, mut old) = (&following.apart.proxy, 0);
    for round in 0..ROUNDS {
        // It follows before it is cut.
        let (before, after) = (format!("{round} before"), format!("{round} after"));
        let version = following.create(&before).await;
        assert!(following.has(version, &before).await);

        proxy.cut();
        following.create(&format!("{round} between")).await;
        let version = following.create(&after).await;
        if round % 2 == 1 {
            // Of the two changes, the first is forgotten.
            following.apart.compact().await;
        }
        match following
            .here
            .at_least(version, |account| account.has_store(&after))
        {
            Ok(false) => old += 1,
            Ok(true) => panic!("nobody can have told it"),
            Err(stale) => assert_eq!((stale.version, stale.wanted), (version - 2, version)),
        }
        proxy.restore();
        if !following.has(version, &after).await {
            old += 1;
        }
    }
    assert!(!following.follows.is_finished());
    report(&format!(
        "watch cut (history compacted in half), {ROUNDS} rounds: {old} old answers"
    ));
    assert_eq!(old, 0);
}

#[tokio::test]
async fn a_copy_follows_no_history_that_is_not_its_own() {
    let following = Following::fresh(NEVER).await;
    let version = following.create("dev").await;
    assert!(following.has(version, "dev").await);

    let host = &following.apart.host;
    host.change("access/commit/acme/00000000000000000004", r#"{"format":2}"#)
        .await;
    let head = format!(
        r#"{{"version":4,"digest":"{}","state":"open"}}"#,
        "1".repeat(64)
    );
    host.change("access/head/acme", head).await;
    let ended = timeout(PATIENCE, following.follows).await.expect("it ends");
    let Error::Unreadable { account, part, .. } =
        common::of_storage(ended.expect("it ends by itself"))
    else {
        panic!("it is unreadable");
    };
    assert_eq!((&*account, part), ("acme", Part::Commit { version: 4 }));
    assert_eq!(following.here.version(), 3);
    assert_eq!(following.here.as_of().behind, 1);
}

#[tokio::test]
async fn a_client_that_may_not_watch_is_told_so() {
    let host = Host::fresh().await;
    let mut root = host.client.clone();
    root.user_add("root", "secret", None)
        .await
        .expect("etcd answers");
    root.role_add("root").await.expect("etcd answers");
    root.user_grant_role("root", "root")
        .await
        .expect("etcd answers");
    root.user_add("guest", "guest", None)
        .await
        .expect("etcd answers");
    root.auth_enable().await.expect("etcd answers");
    let options = etcd_client::ConnectOptions::new().with_user("guest", "guest");
    let guest = Client::connect(host.server.endpoints(), Some(options)).await;
    let guest = EtcdRepository::new(&guest.expect("it may connect"), "access");
    let heard = timeout(PATIENCE, guest.heads().next()).await;
    let heard = heard.expect("it is told");
    assert!(matches!(heard, Err(Error::WatchEnded { .. })), "{heard:?}");
}

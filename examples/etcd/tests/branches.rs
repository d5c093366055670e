//! A backup is restored while copies of the other branch are alive.

mod common;

use etcd_client::{DeleteOptions, TxnOp};
use grantbook::repository::AsyncRepository;
use grantbook::{Decision, DenialReason, Permission, Resource, Timestamp};

use common::{Copy, Host, account_id, are_equal, create, held, report, request};

const ROUNDS: usize = 50;

async fn created(copy: &Copy, store: String) {
    let request = request(&store, create([store.clone()]));
    assert!(
        copy.execute(&request)
            .await
            .expect("it is kept")
            .is_change()
    );
}

/// Puts all that there was in the place of all that there is.
async fn restore(host: &Host, backup: &[(Vec<u8>, Vec<u8>)]) {
    let all = Some(DeleteOptions::new().with_prefix());
    let mut kv = host.client.kv_client();
    kv.delete("access/", all).await.expect("etcd answers");
    for some in backup.chunks(100) {
        let puts = some
            .iter()
            .map(|(key, value)| TxnOp::put(key.clone(), value.clone(), None));
        let puts: Vec<_> = puts.collect();
        let written = kv.txn(etcd_client::Txn::new().and_then(puts)).await;
        assert!(written.expect("etcd answers").succeeded());
    }
}

/// 50 times, a backup is restored and goes on otherwise: no record of one branch is applied to a copy of the other, none
/// is committed across, and every copy of the old branch says `diverged` and denies until it is loaded again.
#[tokio::test]
async fn a_restored_backup_is_another_branch() {
    let host = Host::fresh().await;
    host.open("acme").await;
    let mut told = 0;
    for round in 0..ROUNDS {
        let backup = host.everything().await;
        let before = host.load("acme").await.expect("it is whole");
        created(&before, format!("old {round}")).await;
        if round % 2 == 0 {
            created(&before, format!("older {round}")).await;
        }
        let accounts = held(&host.repository);
        let shared = accounts
            .get(&account_id("acme"))
            .await
            .expect("it is whole");

        restore(&host, &backup).await;
        let after = host.load("acme").await.expect("it is whole");
        for store in 0..round % 4 {
            created(&after, format!("new {round} {store}")).await;
        }
        let kept = host.everything().await;
        let version = before.version();
        let late = request(&format!("late {round}"), create(["late".to_owned()]));
        for error in [
            before.refresh().await.expect_err("another branch"),
            before.execute(&late).await.expect_err("another branch"),
            shared.execute(&late).await.expect_err("another branch"),
        ] {
            assert_eq!(error.code(), "diverged");
            told += 1;
        }
        assert_eq!(host.everything().await, kept, "nothing is committed across");
        assert_eq!(before.version(), version, "nothing is applied across");
        let denied = before.check("olga", &Permission::STORE_READ, Resource::Account);
        assert_eq!(denied, Decision::Denied(DenialReason::Diverged));
        accounts
            .get(&account_id("acme"))
            .await
            .expect("loaded again");
        assert!(are_equal(&shared, &after));
    }
    report(&format!(
        "fork, {ROUNDS} rounds: {told} told, 0 committed across"
    ));
    assert_eq!(told, 3 * ROUNDS);
}

/// A time after the year 9999 is refused, nothing is kept of it, and the next request is as good as ever.
#[tokio::test]
async fn a_clock_in_microseconds_is_refused() {
    let host = Host::fresh().await;
    let copy = host.open("acme").await;
    let kept = host.everything().await;
    let mut wrong = request("wrong", create(["dev".to_owned()]));
    wrong.now = Timestamp::from_millis(wrong.now.as_millis() * 1_000);
    let error = copy.execute(&wrong).await.expect_err("it is too late");
    assert_eq!(error.code(), "time-out-of-range");
    assert_eq!(host.everything().await, kept);
    created(&copy, "dev".to_owned()).await;
    let remembered = host.repository.request(copy.id(), &wrong.key).await;
    assert_eq!(remembered.expect("it is read"), None);
}

//! A backup is restored while copies of the other branch are alive.

use grantbook::command::CreateStore;
use grantbook::repository::AsyncRepository;
use grantbook::{Command, Decision, DenialReason, Permission, Resource, StoreId, Timestamp};
use tokio_postgres::Client;

use crate::server::accounts::{Copy, account, held, loaded, request, with_two_owners};
use crate::server::{Server, client, repository, runtime};

const ROUNDS: usize = 50;
const TABLES: [&str; 4] = ["heads", "records", "requests", "snapshots"];

/// Copies all rows to tables beside, as a backup would.
pub(crate) async fn back_up(sql: &Client) {
    sql.batch_execute("DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup")
        .await
        .expect("as a superuser");
    for table in TABLES {
        let copy = format!("CREATE TABLE backup.{table} AS TABLE grantbook.{table}");
        sql.batch_execute(&copy).await.expect("they are copied");
    }
}

/// Puts the backup in the place of what is there, past all triggers.
pub(crate) async fn restore(sql: &Client) {
    let mut all = "BEGIN; SET LOCAL session_replication_role = replica;".to_owned();
    for (table, columns) in [
        ("heads", "account, version, digest, state"),
        ("records", "account, version, before, digest, record"),
        ("requests", "account, key, before, version, request"),
        ("snapshots", "account, version, digest, snapshot"),
    ] {
        all.extend([
            format!("DELETE FROM grantbook.{table};"),
            format!(
                "INSERT INTO grantbook.{table} ({columns}) SELECT {columns} FROM backup.{table};"
            ),
        ]);
    }
    sql.batch_execute(&(all + "COMMIT"))
        .await
        .expect("it is restored");
}

async fn create(copy: &Copy, store: &str) {
    let done = copy.execute(&request(store, vec![created(store)])).await;
    assert!(done.expect("it is done").is_change());
}

fn created(store: &str) -> Command {
    let store = StoreId::parse(store).expect("an id");
    Command::CreateStore(CreateStore { store })
}

async fn rows(sql: &Client) -> Vec<String> {
    let all = "SELECT heads::text FROM grantbook.heads UNION ALL SELECT records::text FROM grantbook.records
        UNION ALL SELECT requests::text FROM grantbook.requests ORDER BY 1";
    let rows = sql.query(all, &[]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// 50 times, a backup is restored and goes on otherwise: no record of one branch is applied to a copy of the other, none
/// is committed across, and every copy of the old branch says `diverged` and denies until it is loaded again.
pub(crate) fn of_a_restored_backup(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let (sql, repository) = (client(&address).await, repository(&address));
        with_two_owners(&repository, "acme").await;
        let mut told = 0;
        for round in 0..ROUNDS {
            back_up(&sql).await;
            let before = loaded(&repository, "acme").await.expect("it is whole");
            create(&before, &format!("old {round}")).await;
            if round % 2 == 0 {
                create(&before, &format!("older {round}")).await;
            }
            let accounts = held(&repository);
            let shared = accounts.get(&account("acme")).await.expect("it is whole");

            restore(&sql).await;
            let after = loaded(&repository, "acme").await.expect("it is whole");
            for store in 0..round % 4 {
                create(&after, &format!("new {round} {store}")).await;
            }
            let kept = rows(&sql).await;
            let version = before.version();
            let late = request(&format!("late {round}"), vec![created("late")]);
            for error in [
                before.refresh().await.expect_err("another branch"),
                before.execute(&late).await.expect_err("another branch"),
                shared.execute(&late).await.expect_err("another branch"),
            ] {
                assert_eq!(error.code(), "diverged");
                told += 1;
            }
            assert_eq!(rows(&sql).await, kept, "nothing is committed across");
            assert_eq!(before.version(), version, "nothing is applied across");
            let denied = before.check("olga", &Permission::STORE_READ, Resource::Account);
            assert_eq!(denied, Decision::Denied(DenialReason::Diverged));
            accounts.get(&account("acme")).await.expect("loaded again");
            assert!(shared.with(|one| after.with(|other| one == other)));
        }
        println!("fork: postgres, {ROUNDS} rounds: {told} told, 0 committed across");
        assert_eq!(told, 3 * ROUNDS);
    });
}

/// A time after the year 9999 is refused, nothing is kept of it, and the next request is as good as ever.
pub(crate) fn clock_in_microseconds(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let (sql, repository) = (client(&address).await, repository(&address));
        let copy = with_two_owners(&repository, "acme").await;
        let kept = rows(&sql).await;
        let mut wrong = request("wrong", vec![created("dev")]);
        wrong.now = Timestamp::from_millis(wrong.now.as_millis() * 1_000);
        let error = copy.execute(&wrong).await.expect_err("it is too late");
        assert_eq!(error.code(), "time-out-of-range");
        assert_eq!(rows(&sql).await, kept);
        create(&copy, "dev").await;
        let remembered = repository.request(copy.id(), &wrong.key).await;
        assert_eq!(remembered.expect("it is read"), None);
    });
}

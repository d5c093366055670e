//! Mirrors of accounts that were there before, and mirrors that do not stand where their account does.

use std::num::NonZeroU64;

use grantbook_postgres::{append_in, fill_mirrors, migrate_mirror};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::compare::{all_answers, rows};
use crate::decisions::History;
use crate::server::accounts::{Copy, add_otto, enrol, loaded, opened, prepared, request, revoke};
use crate::server::{client, repository};
use crate::{SERVER, mirrored};

const ACCOUNTS: u64 = 6;

/// How many answers are yes, all of which the library says too.
async fn allowed(sql: &Client, copy: &Copy) -> usize {
    let compared = all_answers(sql, &copy.with(Clone::clone)).await;
    assert_eq!(compared.different, [""; 0]);
    compared.allowed
}

/// Accounts that were there before are denied everything, also after their next commit, until they are filled: from their
/// snapshots, and those that have none from all records. Then they go along.
pub(crate) async fn of_accounts_that_were_there() {
    let address = SERVER.database("before").await;
    let mut histories = Vec::new();
    for seed in 0..ACCOUNTS {
        let every = (seed % 2 == 0).then_some(NonZeroU64::MIN.saturating_add(9));
        let repository = repository(&address).with_snapshots(every);
        let mut history = History::begin(&repository, &format!("history {seed}"), seed).await;
        for _ in 0..40 {
            history.step().await.expect("it is done, or refused");
        }
        histories.push(history);
    }
    let repository = repository(&address);
    let erased = opened(&repository, "erased").await;
    let close = serde_json::from_str(r#"{"command":"close-account"}"#).expect("a command");
    let closed = erased.execute(&request("close", vec![close])).await;
    closed.expect("it is done");
    let held = crate::server::accounts::held(&repository);
    held.erase(erased.id()).await.expect("it was closed");

    migrate_mirror(&repository).await.expect("it is prepared");
    migrate_mirror(&repository).await.expect("again");
    let mut sql = client(&address).await;
    for history in &mut histories {
        let _ = history
            .copy
            .execute(&request("new", vec![enrol("new")]))
            .await;
        let transaction = sql.transaction().await.expect("it begins");
        if let Ok(commit) = prepared(&history.copy, &request("newer", vec![enrol("newer")])).await {
            let appended = append_in(&transaction, &commit).await;
            let _ = appended.expect("an answer");
            transaction.commit().await.expect("it is kept");
            let _ = history.copy.adopt(&commit);
        }
    }
    for history in &histories {
        let compared = history.compare(&sql).await;
        assert_eq!(compared.different.len(), compared.allowed, "all are denied");
    }
    let filled = fill_mirrors(&repository).await.expect("they are filled");
    assert_eq!(filled, histories.len());
    assert_eq!(
        fill_mirrors(&repository).await.expect("it is asked"),
        0,
        "all are filled"
    );
    let mut yes = 0;
    for history in &mut histories {
        allowed(&sql, &history.copy).await;
        for _ in 0..20 {
            history.step().await.expect("it is done, or refused");
        }
        yes += allowed(&sql, &history.copy).await;
    }
    assert!(yes > 0);
    assert_eq!(rows(&sql, "erased").await, [""; 0]);
    println!(
        "mirror: {ACCOUNTS} accounts of before: denied until they are filled, 0 different then"
    );
}

/// Mirrors are filled again and again while two processes write: none is ever behind when nobody writes any more.
pub(crate) async fn while_others_write() {
    const COMMITS: usize = 60;
    let address = mirrored("meanwhile").await;
    let repository = repository(&address);
    let copy = opened(&repository, "acme").await;
    let writers = ["a", "b"].map(|writer| {
        let repository = crate::server::repository(&address);
        tokio::spawn(async move {
            let copy = loaded(&repository, "acme").await.expect("it is whole");
            for commit in 0..COMMITS {
                let name = format!("{writer} {commit}");
                let done = copy.execute(&request(&name, vec![enrol(&name)])).await;
                done.expect("it is done");
            }
        })
    });
    let sql = client(&address).await;
    let mut rounds = 0;
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        let fill = "SELECT grantbook.fill_mirror('acme')";
        sql.batch_execute(fill).await.expect("it is filled");
        rounds += 1;
    }
    for writer in writers {
        writer.await.expect("it does not panic");
    }
    copy.refresh().await.expect("it catches up");
    allowed(&sql, &copy).await;
    let went_along = rows(&sql, "acme").await;
    assert_eq!(
        went_along.len(),
        2 + 2 * COMMITS,
        "the account, olga, and all who came"
    );
    assert_eq!(
        fill_mirrors(&repository).await.expect("it is asked"),
        0,
        "it stands there"
    );
    println!(
        "mirror: filled {rounds} times while {} commits were made: 0 lost",
        2 * COMMITS
    );
}

/// A backup that brought the accounts back and not the mirror, or the mirror alone: denied, until it is filled.
pub(crate) async fn elsewhere() {
    let address = mirrored("elsewhere").await;
    let repository = repository(&address);
    let copy = opened(&repository, "acme").await;
    let sql = client(&address).await;
    let at_first = allowed(&sql, &copy).await;
    assert!(at_first > 0);
    sql.batch_execute("SET session_replication_role = replica")
        .await
        .expect("as a superuser: what is restored fires no trigger");
    for damage in [
        "UPDATE grantbook.mirrors SET version = version - 1",
        "UPDATE grantbook.mirrors SET digest = repeat('1', 64)",
        "DELETE FROM grantbook.mirrors",
    ] {
        sql.batch_execute(damage).await.expect("it is damaged");
        let compared = all_answers(&sql, &copy.with(Clone::clone)).await;
        assert_eq!(
            compared.different.len(),
            compared.allowed,
            "{damage}: all are denied"
        );
        assert_eq!(
            fill_mirrors(&repository).await.expect("it is filled"),
            1,
            "{damage}"
        );
        allowed(&sql, &copy).await;
    }
    sql.batch_execute("UPDATE grantbook.mirrors SET version = 0")
        .await
        .expect("it is damaged");
    // The next commits do not hide it.
    add_otto(&copy).await;
    let compared = all_answers(&sql, &copy.with(Clone::clone)).await;
    assert_eq!(compared.different.len(), compared.allowed, "all are denied");
    fill_mirrors(&repository).await.expect("it is filled");
    copy.execute(&request("three", vec![revoke("otto")]))
        .await
        .expect("it is done");
    allowed(&sql, &copy).await;
}

/// A kind of event and a format of records that a later library writes fail their commit: nothing is kept of it.
pub(crate) async fn of_a_later_library() {
    let address = mirrored("later").await;
    let copy = opened(&repository(&address), "acme").await;
    let sql = client(&address).await;
    let kept = rows(&sql, "acme").await;
    for (says, message) in [
        (
            r#""record": 1, "event": {"kind": "group-frozen", "group": "devs"}"#,
            "the mirror of account acme does not know events of the kind group-frozen",
        ),
        (
            r#""record": 2, "event": {"kind": "store-created", "store": "dev"}"#,
            "the mirror of account acme does not read format 2 of records",
        ),
        (
            r#""event": {"kind": "store-created", "store": "dev"}"#,
            "the mirror of account acme does not read format <NULL> of records",
        ),
    ] {
        let next = "1".repeat(64);
        let commit = format!(
            r#"WITH moved AS (UPDATE grantbook.heads SET version = 2, digest = '{next}')
            INSERT INTO grantbook.records (account, version, before, digest, record)
            SELECT 'acme', 2, digest, '{next}',
                '{{"account": "acme", "version": 2, "digest": "{next}", {says}}}' FROM grantbook.heads"#
        );
        let refused = sql.batch_execute(&commit).await.expect_err(says);
        let error = refused.as_db_error().expect("the database's");
        assert_eq!(error.code(), &SqlState::FEATURE_NOT_SUPPORTED, "{error}");
        assert_eq!(error.message(), message);
        assert_eq!(error.hint(), Some("migrate the mirror first"));
        assert_eq!(rows(&sql, "acme").await, kept, "{says}");
    }
    add_otto(&copy).await;
    assert!(allowed(&sql, &copy).await > 0, "it goes on");
}

//! A commit inside a transaction of the application.

use grantbook::command::CreateStore;
use grantbook::repository::{CommitOutcome, Freshness, Prepared, RepositoryError};
use grantbook::{Command, StoreId};
use grantbook_postgres::append_in;
use tokio_postgres::Client;

use crate::server::accounts::{Copy, loaded, prepared, request, with_two_owners};
use crate::server::{Server, client, repository, runtime};

const ROUNDS: usize = 100;

fn created(store: &str) -> Vec<Command> {
    let store = StoreId::parse(store).expect("an id");
    vec![Command::CreateStore(CreateStore { store })]
}

async fn with_projects(address: &str) -> Client {
    let sql = client(address).await;
    let create = "CREATE TABLE projects (name text PRIMARY KEY)";
    sql.batch_execute(create).await.expect("it is new");
    sql
}

async fn projects(sql: &Client) -> usize {
    let rows = sql.query("SELECT FROM projects", &[]).await;
    rows.expect("they are read").len()
}

const INSERT: &str = "INSERT INTO projects (name) VALUES ($1)";

/// A hundred changes, each in a transaction with a row of the application's: half of them are rolled back. Copy, records
/// and rows agree every time. What was kept is not done again; what was rolled back is.
pub(crate) fn or_not_at_all(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address);
        let copy = with_two_owners(&repository, "acme").await;
        let mut sql = with_projects(&address).await;
        let mut kept = 0;
        for round in 0..ROUNDS {
            let name = format!("project {round}");
            let request = request(&name, created(&name));
            let commit = prepared(&copy, &request).await.expect("it is allowed");
            let transaction = sql.transaction().await.expect("it begins");
            transaction.execute(INSERT, &[&name]).await.expect("a row");
            let outcome = append_in(&transaction, &commit).await;
            assert_eq!(outcome.expect("an answer"), CommitOutcome::Appended);
            let is_kept = round % 2 == 0;
            if is_kept {
                transaction.commit().await.expect("it is kept");
                assert_eq!(copy.adopt(&commit), Freshness::UpToDate);
                kept += 1;
            } else {
                transaction.rollback().await.expect("it is gone");
            }
            assert_eq!(copy.with(|account| account.has_store(&name)), is_kept);
            let stored = loaded(&repository, "acme").await.expect("it is whole");
            assert!(copy.with(|one| stored.with(|other| one == other)));
            assert_eq!(projects(&sql).await, kept);
            let again = copy.prepare(&request).await.expect("it is allowed");
            match again {
                Prepared::Done(done) => assert!(is_kept && done.version() == copy.version()),
                Prepared::Commit(again) => assert!(!is_kept && *again == commit),
            }
        }
        println!("together: postgres, {ROUNDS} rounds: copy, records and rows agree");
    });
}

/// What the transaction was told, and how it ended.
async fn append(
    sql: &mut Client,
    copy: &Copy,
    name: &str,
    before_append: impl AsyncFnOnce(),
) -> Result<CommitOutcome, RepositoryError> {
    let commit = prepared(copy, &request(name, created(name))).await?;
    before_append().await;
    let transaction = sql.transaction().await.expect("it begins");
    transaction.execute(INSERT, &[&name]).await.expect("a row");
    let outcome = append_in(&transaction, &commit).await;
    let outcome = outcome.expect("an answer");
    if outcome == CommitOutcome::Appended {
        transaction.commit().await.expect("it is kept");
        assert_eq!(copy.adopt(&commit), Freshness::UpToDate);
    } else {
        transaction.rollback().await.expect("it is gone");
    }
    Ok(outcome)
}

/// Another process commits between the decision and the transaction: a conflict, and nothing is kept. After a refresh the
/// same request is decided again, and kept. One that another process did meanwhile is a duplicate.
pub(crate) fn with_other_writers(server: &Server, name: &str) {
    const ROUNDS: usize = 50;
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address);
        let copy = with_two_owners(&repository, "acme").await;
        let elsewhere = loaded(&repository, "acme").await.expect("it is whole");
        let mut sql = with_projects(&address).await;
        for round in 0..ROUNDS {
            let mine = format!("mine {round}");
            let theirs = format!("theirs {round}");
            let theirs = request(&theirs, created(&theirs));
            let overtaken = append(&mut sql, &copy, &mine, async || {
                let done = elsewhere.execute(&theirs);
                done.await.expect("it is done");
            });
            let overtaken = overtaken.await.expect("it is allowed");
            assert_eq!(overtaken, CommitOutcome::Conflict);
            assert!(!copy.with(|account| account.has_store(&mine)));
            assert_eq!(projects(&sql).await, round, "nothing is kept of it");

            copy.refresh().await.expect("it catches up");
            let again = append(&mut sql, &copy, &mine, async || ()).await;
            assert_eq!(again.expect("it is allowed"), CommitOutcome::Appended);
            elsewhere.refresh().await.expect("it catches up");
            assert!(copy.with(|one| elsewhere.with(|other| one == other)));
        }
        let twice = append(&mut sql, &copy, "twice", async || {
            let theirs = request("twice", created("twice"));
            let done = elsewhere.execute(&theirs);
            done.await.expect("it is done");
        });
        let twice = twice.await.expect("it is allowed");
        assert_eq!(twice, CommitOutcome::Duplicate);
        let executed = copy.execute(&request("twice", created("twice"))).await;
        assert!(executed.expect("it was done").is_repeat());

        // Who comes while the transaction is open waits for its end, and then decides again.
        let commit = prepared(&copy, &request("last", created("last"))).await;
        let commit = commit.expect("it is allowed");
        let transaction = sql.transaction().await.expect("it begins");
        let outcome = append_in(&transaction, &commit).await;
        assert_eq!(outcome.expect("an answer"), CommitOutcome::Appended);
        let waiting = tokio::spawn({
            let elsewhere = elsewhere.clone();
            async move {
                let theirs = request("after", created("after"));
                let done = elsewhere.execute(&theirs);
                done.await.expect("it is done").version()
            }
        });
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        assert!(!waiting.is_finished(), "the head is locked");
        transaction.commit().await.expect("it is kept");
        let _ = copy.adopt(&commit);
        let version = waiting.await.expect("it does not panic");
        assert_eq!(version, copy.version() + 1);
        println!("together: postgres, {ROUNDS} conflicts: 0 kept, all kept when decided again");
    });
}

//! A commit inside a transaction of the application.

use grantbook::command::CreateStore;
use grantbook::repository::{CommitOutcome, Freshness};
use grantbook::{Command, StoreId};
use grantbook_postgres::append_in;

use crate::server::accounts::{loaded, request, with_two_owners};
use crate::server::{Server, client, repository, runtime};

const ROUNDS: usize = 100;

/// A hundred changes, each in a transaction with a row of the application's: half of them are rolled back. Copy, records
/// and rows agree every time. Then a commit that was overtaken is a conflict, and one that was done a duplicate.
pub(crate) fn or_not_at_all(server: &Server, name: &str) {
    let created = |store: &str| {
        let store = StoreId::parse(store).expect("an id");
        vec![Command::CreateStore(CreateStore { store })]
    };
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address);
        let copy = with_two_owners(&repository, "acme").await;
        let mut sql = client(&address).await;
        sql.batch_execute("CREATE TABLE projects (name text PRIMARY KEY)")
            .await
            .expect("it is new");
        let mut projects = 0;
        for round in 0..ROUNDS {
            let name = format!("project {round}");
            let commit = copy.prepare(&request(&name, created(&name)));
            let commit = commit.expect("it is allowed");
            let transaction = sql.transaction().await.expect("it begins");
            let insert = "INSERT INTO projects (name) VALUES ($1)";
            transaction.execute(insert, &[&name]).await.expect("a row");
            let outcome = append_in(&transaction, &commit).await;
            assert_eq!(outcome.expect("an answer"), CommitOutcome::Appended);
            let is_kept = round % 2 == 0;
            if is_kept {
                transaction.commit().await.expect("it is kept");
                assert_eq!(copy.adopt(&commit), Freshness::UpToDate);
                projects += 1;
            } else {
                transaction.rollback().await.expect("it is gone");
            }
            assert_eq!(copy.with(|account| account.has_store(&name)), is_kept);
            let stored = loaded(&repository, "acme").await.expect("it is whole");
            assert!(copy.with(|one| stored.with(|other| one == other)));
            let rows = sql.query("SELECT FROM projects", &[]).await;
            assert_eq!(rows.expect("they are read").len(), projects);
        }
        let first = copy.prepare(&request("first", created("first")));
        let stale = copy.prepare(&request("stale", created("stale")));
        let (first, stale) = (first.expect("it is allowed"), stale.expect("it is allowed"));
        for (commit, expected) in [
            (&first, CommitOutcome::Appended),
            (&first, CommitOutcome::Duplicate),
            (&stale, CommitOutcome::Conflict),
        ] {
            let transaction = sql.transaction().await.expect("it begins");
            let outcome = append_in(&transaction, commit).await;
            assert_eq!(outcome.expect("an answer"), expected);
            transaction.commit().await.expect("it can go on");
        }
        println!("together: postgres, {ROUNDS} rounds: copy, records and rows agree");
    });
}

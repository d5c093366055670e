//! An application lists its rows with a filter of stores, and gets those that a check of each row allows.

mod server;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use grantbook::{Permission, Resource, StoreId, StoreSet};
use grantbook_faults::listing::{HOSTILE_STORES, MEMBERS, command, permissions, staff, stores};
use serde_json::json;
use tokio_postgres::Client;

use server::accounts::{Copy, opened, request};
use server::{Server, client, repository, runtime};

/// The query of the package's documentation.
const LIST: &str = "SELECT title FROM documents WHERE account = $1 AND store = ANY($2)";
const COUNT: &str = "SELECT count(*) FROM documents WHERE account = $1 AND store = ANY($2)";

const DOCUMENTS_IN_EACH_STORE: i32 = 40;

/// What the documentation does: the version that the list is of, and the titles.
async fn list(
    acme: &Copy,
    documents: &Client,
    query: &str,
    member: &str,
    permission: &Permission,
) -> (u64, Vec<tokio_postgres::Row>) {
    let (version, stores) = acme.with(|acme| {
        let filter = acme.store_filter(member, permission);
        let stores: Vec<StoreId> = match filter.stores {
            StoreSet::All => acme.stores().cloned().collect(),
            StoreSet::None => Vec::new(),
            StoreSet::Only(stores) => stores,
        };
        (filter.version, stores)
    });
    let stores: Vec<&str> = stores.iter().map(StoreId::as_str).collect();
    let rows = documents
        .query(query, &[&acme.id().as_str(), &stores])
        .await;
    (version, rows.expect("they are read"))
}

/// The application's own table: documents of this account, of stores that it does not have, and of another account.
async fn fill(documents: &Client) {
    let create = "CREATE TABLE documents
        (account text NOT NULL, store text NOT NULL, title text PRIMARY KEY)";
    documents.batch_execute(create).await.expect("it is new");
    let mut all = stores();
    all.extend(["never-there".to_owned(), "store-0".to_owned()]);
    let insert = "INSERT INTO documents
        SELECT account, store, account || ' ' || store || ' ' || number
        FROM unnest(ARRAY['acme', 'globex']) AS account, unnest($1::text[]) AS store,
            generate_series(1, $2::int) AS number";
    let inserted = documents
        .execute(insert, &[&all, &DOCUMENTS_IN_EACH_STORE])
        .await;
    inserted.expect("they are new");
}

/// How long both ways took.
#[derive(Default)]
struct Took {
    filtered: Duration,
    one_by_one: Duration,
}

/// For everybody and every permission: the rows of one query are those that a check allows, and as many. Gives the size
/// of each filter, `None` of an owner's.
async fn compare(acme: &Copy, documents: &Client, took: &mut Took) -> BTreeSet<Option<usize>> {
    let mut sizes = BTreeSet::new();
    let permissions = permissions();
    for member in MEMBERS {
        for permission in &permissions {
            let began = Instant::now();
            let (version, found) = list(acme, documents, LIST, member, permission).await;
            took.filtered += began.elapsed();

            let began = Instant::now();
            let all = "SELECT account, store, title FROM documents";
            let all = documents.query(all, &[]).await.expect("they are read");
            let allowed = all.iter().filter(|row| {
                let resource = Resource::Store(row.get(1));
                row.get::<_, &str>(0) == "acme" && acme.can(member, permission, resource)
            });
            let allowed: BTreeSet<&str> = allowed.map(|row| row.get(2)).collect();
            took.one_by_one += began.elapsed();

            let (_, count) = list(acme, documents, COUNT, member, permission).await;
            let count = usize::try_from(count[0].get::<_, i64>(0)).expect("a count");
            assert_eq!(count, allowed.len(), "{member}: {permission}");
            assert_eq!(found.len(), allowed.len(), "{member}: {permission}");
            let found: BTreeSet<&str> = found.iter().map(|row| row.get(0)).collect();
            assert_eq!(found, allowed, "{member}: {permission}");
            assert_eq!(version, acme.version());
            let filter = acme.with(|acme| acme.store_filter(member, permission));
            sizes.insert(match filter.stores {
                StoreSet::All => None,
                StoreSet::None => Some(0),
                StoreSet::Only(stores) => Some(stores.len()),
            });
        }
    }
    sizes
}

async fn lists_what_checks_allow(server: &Server) {
    assert!(include_str!("../README.md").contains(LIST), "documented");
    let address = server.database("filter").await;
    let documents = client(&address).await;
    fill(&documents).await;
    let acme = opened(&repository(&address), "acme").await;
    let staffed = acme.execute(&request("staff", staff())).await;
    staffed.expect("it is done");

    let mut took = Took::default();
    let (all, half) = (stores().len(), stores().len() / 2);
    let sizes = compare(&acme, &documents, &mut took).await;
    let expected = [None, Some(0), Some(3), Some(half), Some(all)];
    assert_eq!(sizes, expected.into(), "every kind of filter");

    // Documents stay when their store goes, and nobody lists them any more.
    let delete = |store: &str| command(json!({ "command": "delete-store", "store": store }));
    let gone = ["store-00", HOSTILE_STORES[0]].map(delete).to_vec();
    let gone = acme.execute(&request("gone", gone)).await;
    gone.expect("it is done");
    let sizes = compare(&acme, &documents, &mut took).await;
    assert!(sizes.contains(&Some(all - 2)), "{sizes:?}");

    let closed = vec![command(json!({ "command": "close-account" }))];
    let closed = acme.execute(&request("closed", closed)).await;
    closed.expect("it is done");
    let sizes = compare(&acme, &documents, &mut took).await;
    assert_eq!(sizes, [Some(0)].into(), "a closed account lists nothing");
    println!(
        "filter: one query {:.1?}, row by row {:.1?}",
        took.filtered, took.one_by_one
    );
}

#[test]
fn a_query_with_a_filter_lists_what_a_check_of_each_row_allows() {
    let server = Server::start(false);
    runtime().block_on(lists_what_checks_allow(&server));
}

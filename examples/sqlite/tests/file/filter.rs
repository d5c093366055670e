//! An application lists its rows with a filter of stores, and gets those that a check of each row allows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use grantbook::repository::{self, Replica};
use grantbook::{Account, Command, Permission, Resource, StoreId, StoreSet};
use grantbook_faults::listing::{HOSTILE_STORES, MEMBERS, command, permissions, staff, stores};
use grantbook_sqlite::SqliteRepository;
use rusqlite::{Connection, Row, params};
use serde_json::json;

use crate::kept::{Kept, request};

/// The query of the package's documentation.
const LIST: &str =
    "SELECT title FROM documents WHERE account = ?1 AND store IN (SELECT value FROM json_each(?2))";
const COUNT: &str = "SELECT count(*) FROM documents WHERE account = ?1 AND store IN (SELECT value FROM json_each(?2))";

const DOCUMENTS_IN_EACH_STORE: i64 = 40;

/// What the documentation does: the version that the list is of, and what the query finds.
fn list<T>(
    acme: &Account,
    documents: &Connection,
    query: &str,
    (member, permission): (&str, &Permission),
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> (u64, Vec<T>) {
    let filter = acme.store_filter(member, permission);
    let stores: Vec<StoreId> = match filter.stores {
        StoreSet::All => acme.stores().cloned().collect(),
        StoreSet::None => Vec::new(),
        StoreSet::Only(stores) => stores,
    };
    let stores = serde_json::to_string(&stores).unwrap();
    let mut statement = documents.prepare_cached(query).unwrap();
    let rows = statement.query_map(params![acme.id().as_str(), stores], read);
    (filter.version, rows.unwrap().map(Result::unwrap).collect())
}

/// The application's own table, in the same file: documents of this account, of stores that it does not have, and of
/// another account.
fn fill(documents: &Connection) {
    let create = "CREATE TABLE documents
        (account TEXT NOT NULL, store TEXT NOT NULL, title TEXT PRIMARY KEY) STRICT";
    documents.execute_batch(create).unwrap();
    let mut all = stores();
    // `Kept` made the first two of these.
    all.extend(["dev", "live", "never-there", "store-0"].map(str::to_owned));
    let all = serde_json::to_string(&all).unwrap();
    let insert = "WITH RECURSIVE numbers (number) AS
            (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?2)
        INSERT INTO documents
        SELECT account.value, store.value, account.value || ' ' || store.value || ' ' || number
        FROM json_each('[\"acme\", \"beta\"]') AS account, json_each(?1) AS store, numbers";
    documents
        .execute(insert, params![all, DOCUMENTS_IN_EACH_STORE])
        .unwrap();
}

/// How long both ways took.
#[derive(Default)]
struct Took {
    filtered: Duration,
    one_by_one: Duration,
}

/// For everybody and every permission: the rows of one query are those that a check allows, and as many. Gives the size
/// of each filter, `None` of an owner's.
fn compare(acme: &Account, documents: &Connection, took: &mut Took) -> BTreeSet<Option<usize>> {
    let mut sizes = BTreeSet::new();
    let permissions = permissions();
    for member in MEMBERS {
        for permission in &permissions {
            let asked = (member, permission);
            let began = Instant::now();
            let (version, found) =
                list(acme, documents, LIST, asked, |row| row.get::<_, String>(0));
            took.filtered += began.elapsed();

            let began = Instant::now();
            let all = "SELECT account, store, title FROM documents";
            let mut all = documents.prepare_cached(all).unwrap();
            let allowed = all.query_map([], |row| {
                let (account, store): (String, String) = (row.get(0)?, row.get(1)?);
                let is_allowed = acme.can(member, permission, Resource::Store(&store));
                Ok((account == "acme" && is_allowed).then_some(row.get::<_, String>(2)?))
            });
            let allowed: BTreeSet<String> = allowed.unwrap().filter_map(Result::unwrap).collect();
            took.one_by_one += began.elapsed();

            let (_, count) = list(acme, documents, COUNT, asked, |row| row.get::<_, i64>(0));
            assert_eq!(
                count,
                [i64::try_from(allowed.len()).unwrap()],
                "{member}: {permission}"
            );
            assert_eq!(found.len(), allowed.len(), "{member}: {permission}");
            let found: BTreeSet<String> = found.into_iter().collect();
            assert_eq!(found, allowed, "{member}: {permission}");
            assert_eq!(version, acme.version());
            sizes.insert(match acme.store_filter(member, permission).stores {
                StoreSet::All => None,
                StoreSet::None => Some(0),
                StoreSet::Only(stores) => Some(stores.len()),
            });
        }
    }
    sizes
}

#[test]
fn a_query_with_a_filter_lists_what_a_check_of_each_row_allows() {
    assert!(include_str!("../../README.md").contains(LIST), "documented");
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let documents = kept.by_hand();
    fill(&documents);
    let mut acme: Replica = kept.load("acme").unwrap().unwrap();
    let change = |acme: &mut Replica, key: &str, commands: Vec<Command>| {
        repository::execute(&repository, acme, &request(key, commands)).unwrap();
    };
    change(&mut acme, "staff", staff());

    let mut took = Took::default();
    let (all, half) = (stores().len(), stores().len() / 2);
    let sizes = compare(&acme, &documents, &mut took);
    let expected = [None, Some(0), Some(3), Some(half), Some(all)];
    assert_eq!(sizes, expected.into(), "every kind of filter");

    // Documents stay when their store goes, and nobody lists them any more.
    let delete = |store: &str| command(json!({ "command": "delete-store", "store": store }));
    let gone = ["store-00", HOSTILE_STORES[0]].map(delete).to_vec();
    change(&mut acme, "gone", gone);
    let sizes = compare(&acme, &documents, &mut took);
    assert!(sizes.contains(&Some(all - 2)), "{sizes:?}");

    let closed = vec![command(json!({ "command": "close-account" }))];
    change(&mut acme, "closed", closed);
    let sizes = compare(&acme, &documents, &mut took);
    assert_eq!(sizes, [Some(0)].into(), "a closed account lists nothing");
    println!(
        "filter: one query {:.1?}, row by row {:.1?}",
        took.filtered, took.one_by_one
    );
}

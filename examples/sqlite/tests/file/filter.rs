//! An application lists its rows with a filter of stores, and gets those that a check of each row allows.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use grantbook::repository::{self, Replica};
use grantbook::{Account, Command, Permission, Resource, StoreId, StoreSet};
use grantbook_sqlite::SqliteRepository;
use rusqlite::{Connection, Row, params};
use serde_json::{Value, json};

use crate::kept::{Kept, request};

/// The query of the package's documentation.
const LIST: &str =
    "SELECT title FROM documents WHERE account = ?1 AND store IN (SELECT value FROM json_each(?2))";
const COUNT: &str = "SELECT count(*) FROM documents WHERE account = ?1 AND store IN (SELECT value FROM json_each(?2))";

const PLAIN_STORES: usize = 60;
/// Ids that mean something in SQL, in the text of an array, or in a pattern, and ids that look alike.
const HOSTILE_STORES: [&str; 14] = [
    "'; DROP TABLE documents; --",
    "' OR true --",
    "[\"store-00\",\"store-01\"]",
    "store-00\",\"store-01",
    "\\",
    "null",
    "%",
    "?1",
    "STORE-00",
    "stóre-00",
    "sto\u{301}re-00",
    "\u{202e}00-erots",
    "0",
    "{}",
];
const MEMBERS: [&str; 11] = [
    "olga",
    "eva",
    "vic",
    "mia",
    "exi",
    "nils",
    "sus",
    "oda",
    "ina",
    "nobody",
    "' OR true --",
];
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

fn command(json: Value) -> Command {
    serde_json::from_value(json).unwrap()
}

fn stores() -> Vec<String> {
    let plain = (0..PLAIN_STORES).map(|number| format!("store-{number:02}"));
    plain.chain(HOSTILE_STORES.map(str::to_owned)).collect()
}

/// Members of every status, and groups that reach half of the stores, all of them, and three.
fn staff() -> Vec<Command> {
    let about = |kind: &str, member: &str| command(json!({ "command": kind, "member": member }));
    let group = |id: &str, role: &str, stores: &[String]| {
        command(
            json!({ "command": "create-group", "group": id, "name": format!("Group {id}"),
            "grants": [{ "role": role, "scope": { "stores": stores } }] }),
        )
    };
    let into = |id: &str, members: &[&str]| {
        command(json!({ "command": "add-to-group", "group": id, "members": members }))
    };
    let stores = stores();
    let every_other: Vec<String> = stores.iter().step_by(2).cloned().collect();
    let mut commands: Vec<Command> = stores
        .iter()
        .map(|store| command(json!({ "command": "create-store", "store": store })))
        .collect();
    commands.extend([
        command(json!({ "command": "add-members",
            "members": ["eva", "vic", "mia", "exi", "nils", "sus", "oda"] })),
        about("invite-member", "ina"),
        command(
            json!({ "command": "define-role", "role": "exporter", "name": "Exporter",
            "level": "store", "permissions": ["report.export", "store.read.titles"] }),
        ),
        group("editors", "store-editor", &every_other),
        group("viewers", "store-viewer", &stores),
        group("exporters", "exporter", &stores[stores.len() - 3..]),
        into("editors", &["eva", "mia", "sus", "ina"]),
        into("viewers", &["vic", "mia", "sus"]),
        into("exporters", &["exi", "mia"]),
        about("suspend-member", "sus"),
        about("grant-ownership", "oda"),
        about("suspend-member", "oda"),
    ]);
    commands
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
    let permissions = [
        Permission::STORE_READ,
        Permission::STORE_WRITE,
        Permission::MANAGE_GROUPS,
        Permission::parse("report.export").unwrap(),
        Permission::parse("store.read.titles").unwrap(),
        Permission::parse("never.defined").unwrap(),
    ];
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

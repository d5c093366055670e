//! Row-level security over a table of the application's own.

use std::time::Instant;

use grantbook::repository::CommitOutcome;
use grantbook::{Command, Permission, Resource};
use grantbook_postgres::append_in;
use serde_json::{Value, json};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient, Transaction};

use crate::compare::rows;
use crate::server::accounts::{Copy, enrol, grant, opened, prepared, request, revoke};
use crate::server::{client, repository};
use crate::{as_app, documented_sql, mirrored, prepare_app};

const MEMBERS: [&str; 5] = ["olga", "eva", "vic", "ina", "eve"];
const STORES: [&str; 3] = ["dev", "prod", "gone"];

/// An account with its documents, and a connection of the application's role, which passes by no policy.
struct World {
    acme: Copy,
    /// Another account, whose owner is olga too.
    globex: Copy,
    app: Client,
    owner: Client,
}

async fn world(name: &str) -> World {
    let address = mirrored(name).await;
    let owner = client(&address).await;
    prepare_app(&owner).await;
    let policies = documented_sql(1);
    owner.batch_execute(policies).await.expect("as a superuser");
    let repository = repository(&as_app(&address));
    let (acme, globex) = (
        opened(&repository, "acme").await,
        opened(&repository, "globex").await,
    );
    let insert = "INSERT INTO documents
        SELECT account, store, number FROM unnest(ARRAY['acme', 'globex', 'unknown']) AS account,
            unnest(ARRAY['dev', 'prod', 'gone']) AS store, generate_series(1, 2) AS number";
    owner.batch_execute(insert).await.expect("they are new");
    let app = client(&as_app(&address)).await;
    let role = "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user";
    let role = app.query_one(role, &[]).await.expect("a role");
    assert!(!role.get::<_, bool>(0), "policies are for it");
    World {
        acme,
        globex,
        app,
        owner,
    }
}

fn command(json: Value) -> Command {
    serde_json::from_value(json).expect("a command")
}

async fn set_member(transaction: &Transaction<'_>, member: &str) {
    let set = "SELECT set_config('app.member', $1, true)";
    transaction.query(set, &[&member]).await.expect("it is set");
}

async fn visible(sql: &impl GenericClient) -> Vec<String> {
    let all = "SELECT account || '/' || store || '/' || title FROM documents ORDER BY 1";
    let rows = sql.query(all, &[]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// What each member sees, in one transaction.
async fn seen(transaction: &Transaction<'_>) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for member in MEMBERS {
        set_member(transaction, member).await;
        all.push(visible(transaction).await);
    }
    all
}

impl World {
    /// What each member is to see, by the library.
    fn expected(&self) -> Vec<Vec<String>> {
        let of = |member: &str| {
            let mut all = Vec::new();
            for copy in [&self.acme, &self.globex] {
                for store in STORES {
                    if copy.can(member, &Permission::STORE_READ, Resource::Store(store)) {
                        all.extend((1..=2).map(|number| format!("{}/{store}/{number}", copy.id())));
                    }
                }
            }
            all.sort();
            all
        };
        MEMBERS.map(of).to_vec()
    }

    /// The same command twice: in a transaction that is rolled back, and in one that is kept. Inside, its effect is seen;
    /// after the first, nothing has changed.
    async fn change(&mut self, name: &str, commands: Vec<Command>) {
        let mirror = rows(&self.owner, "acme").await;
        let before = self.expected();
        let mut inside = Vec::new();
        for is_kept in [false, true] {
            let request = request(name, commands.clone());
            let commit = prepared(&self.acme, &request).await.expect("it is allowed");
            let transaction = self.app.transaction().await.expect("it begins");
            let outcome = append_in(&transaction, &commit).await;
            assert_eq!(outcome.expect("an answer"), CommitOutcome::Appended);
            inside.push(seen(&transaction).await);
            if is_kept {
                transaction.commit().await.expect("it is kept");
                let _ = self.acme.adopt(&commit);
            } else {
                transaction.rollback().await.expect("it is gone");
                assert_eq!(
                    rows(&self.owner, "acme").await,
                    mirror,
                    "{name}: rolled back"
                );
            }
            let transaction = self.app.transaction().await.expect("it begins");
            let seen = seen(&transaction).await;
            drop(transaction);
            assert_eq!(seen, self.expected(), "{name}");
        }
        let after = self.expected();
        assert_eq!(
            inside,
            [after.clone(), after.clone()],
            "{name}: seen inside at once"
        );
        assert_ne!(before, after, "{name}: it makes a difference");
        assert!(visible(&self.app).await.is_empty(), "nobody is named");
    }
}

/// Grants, revocations, suspensions, changes of ownership, a store's end and the account's: after each, rolled back or
/// kept, a member sees the rows of the stores that the library lets it read, and no others.
pub(crate) async fn show_what_is_allowed() {
    let mut world = world("policies").await;
    assert!(
        visible(&world.app).await.is_empty(),
        "without a setting, nothing"
    );
    let store = |id: &str| command(json!({ "command": "create-store", "store": id }));
    let group = |id: &str, role: &str, stores: &[&str]| {
        command(
            json!({ "command": "create-group", "group": id, "name": format!("Group {id}"),
            "grants": [{ "role": role, "scope": { "stores": stores } }] }),
        )
    };
    let about = |kind: &str, member: &str| command(json!({ "command": kind, "member": member }));
    let into = |id: &str, members: &[&str]| {
        command(json!({ "command": "add-to-group", "group": id, "members": members }))
    };
    let steps = [
        ("stores", STORES.map(store).to_vec()),
        (
            "groups",
            vec![
                enrol("eva"),
                enrol("vic"),
                about("invite-member", "ina"),
                group("devs", "store-editor", &["dev", "gone"]),
                group("viewers", "store-viewer", &["prod"]),
                into("devs", &["eva", "ina"]),
                into("viewers", &["vic", "ina"]),
            ],
        ),
        (
            "granted",
            vec![command(
                json!({ "command": "grant-role", "group": "viewers", "role": "store-editor",
                "scope": { "stores": ["dev"] } }),
            )],
        ),
        (
            "revoked",
            vec![command(
                json!({ "command": "revoke-role", "group": "devs", "role": "store-editor",
                "stores": ["dev"] }),
            )],
        ),
        ("suspended", vec![about("suspend-member", "vic")]),
        ("reinstated", vec![about("reinstate-member", "vic")]),
        ("owner", vec![grant("eva")]),
        ("suspended owner", vec![about("suspend-member", "eva")]),
        ("reinstated owner", vec![about("reinstate-member", "eva")]),
        ("no owner", vec![revoke("olga")]),
        (
            "store",
            vec![command(
                json!({ "command": "delete-store", "store": "gone" }),
            )],
        ),
        (
            "removed",
            vec![command(
                json!({ "command": "remove-members", "members": ["vic"] }),
            )],
        ),
        (
            "closed",
            vec![command(json!({ "command": "close-account" }))],
        ),
    ];
    let mut count = 0;
    for (name, commands) in steps {
        world.change(name, commands).await;
        count += 1;
    }
    let closed = world.expected().iter().map(Vec::len).sum::<usize>();
    assert_eq!(closed, 0, "nobody sees anything of a closed account");
    println!(
        "mirror: {count} changes, rolled back and kept, of {} members: 0 other rows than allowed",
        MEMBERS.len()
    );
}

/// An editor writes in its store, a viewer does not, and nobody without a name.
pub(crate) async fn decide_what_is_written() {
    let mut world = world("writing").await;
    let commands = vec![
        enrol("eva"),
        enrol("vic"),
        command(json!({ "command": "create-store", "store": "dev" })),
        command(json!({ "command": "create-store", "store": "prod" })),
        command(
            json!({ "command": "create-group", "group": "both", "name": "Both",
            "grants": [{ "role": "store-viewer", "scope": { "stores": ["dev", "prod"] } }] }),
        ),
        command(
            json!({ "command": "create-group", "group": "devs", "name": "Devs",
            "grants": [{ "role": "store-editor", "scope": { "stores": ["dev"] } }] }),
        ),
        command(json!({ "command": "add-to-group", "group": "both", "members": ["eva", "vic"] })),
        command(json!({ "command": "add-to-group", "group": "devs", "members": ["eva"] })),
    ];
    world
        .acme
        .execute(&request("staff", commands))
        .await
        .expect("it is done");
    let insert = |store: &str| format!("INSERT INTO documents VALUES ('acme', '{store}', 'new')");
    let moved =
        "UPDATE documents SET store = 'prod' WHERE account = 'acme' AND store = 'dev'".to_owned();
    let edited = "UPDATE documents SET title = title WHERE account = 'acme'".to_owned();
    let removed = "DELETE FROM documents".to_owned();
    // How many rows are written; none where it is an error.
    for (member, statement, expected) in [
        ("eva", insert("dev"), Some(1)),
        ("eva", insert("prod"), None),
        ("eva", insert("none"), None),
        ("eva", moved.clone(), None),
        ("eva", edited.clone(), Some(2)),
        ("eva", removed.clone(), Some(2)),
        ("vic", insert("dev"), None),
        ("vic", edited.clone(), Some(0)),
        ("vic", removed.clone(), Some(0)),
        ("olga", moved, Some(2)),
        ("olga", removed.clone(), Some(4)),
        ("eve", insert("dev"), None),
        ("", insert("dev"), None),
        ("", removed, Some(0)),
    ] {
        let transaction = world.app.transaction().await.expect("it begins");
        set_member(&transaction, member).await;
        let written = transaction.execute(&statement, &[]).await;
        match (written, expected) {
            (Ok(rows), Some(expected)) => assert_eq!(rows, expected, "{member}: {statement}"),
            (Err(error), None) => {
                assert_eq!(
                    error.code(),
                    Some(&SqlState::INSUFFICIENT_PRIVILEGE),
                    "{error}"
                );
            }
            (written, expected) => panic!("{member}: {statement}: {written:?}, not {expected:?}"),
        }
    }
    let nobody = world.app.execute(&insert("dev"), &[]).await;
    let error = nobody.expect_err("no member is set");
    assert_eq!(
        error.code(),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE),
        "{error}"
    );
}

/// How long it takes to filter many rows, and to ask once.
pub(crate) async fn over_many_rows() {
    let world = world("many_rows").await;
    let stores: Vec<String> = (0..100).map(|number| format!("store {number}")).collect();
    let members: Vec<String> = (0..1_000).map(|number| format!("m{number}")).collect();
    let mut commands: Vec<Command> = stores
        .iter()
        .map(|store| command(json!({ "command": "create-store", "store": store })))
        .collect();
    commands.push(command(
        json!({ "command": "add-members", "members": members }),
    ));
    commands.push(command(
        json!({ "command": "create-group", "group": "devs", "name": "Devs",
        "grants": [{ "role": "store-viewer", "scope": { "stores": stores[..50] } }] }),
    ));
    commands.push(command(
        json!({ "command": "add-to-group", "group": "devs", "members": members }),
    ));
    world
        .acme
        .execute(&request("staff", commands))
        .await
        .expect("it is done");
    let insert = "INSERT INTO documents
        SELECT 'acme', 'store ' || number % 100, number FROM generate_series(1, 100000) AS number;
        ANALYZE;
        CREATE TABLE each AS TABLE documents;
        ALTER TABLE each ENABLE ROW LEVEL SECURITY;
        CREATE POLICY readers ON each FOR SELECT
            USING (grantbook.can(account, current_setting('app.member', true), 'store.read', store));
        GRANT SELECT ON each TO app";
    world
        .owner
        .batch_execute(insert)
        .await
        .expect("they are new");
    world
        .app
        .batch_execute("SET app.member = 'm7'")
        .await
        .expect("it is set");
    for (table, what) in [("documents", "asked once"), ("each", "asked for each row")] {
        let count = format!("SELECT count(*) FROM {table}");
        let began = Instant::now();
        let rows = world.app.query_one(&count, &[]).await.expect("it is read");
        assert_eq!(rows.get::<_, i64>(0), 50_000);
        println!("mirror: 100000 rows, {what}: {:.1?}", began.elapsed());
    }
    let ask = "SELECT count(*) FILTER (WHERE grantbook.can('acme', 'm' || number % 1000, 'store.read', 'store 7'))
        FROM generate_series(1, 10000) AS number";
    let began = Instant::now();
    let rows = world.owner.query_one(ask, &[]).await.expect("it is read");
    assert_eq!(rows.get::<_, i64>(0), 10_000);
    println!("mirror: `can`: {:.1?} each", began.elapsed() / 10_000);
}

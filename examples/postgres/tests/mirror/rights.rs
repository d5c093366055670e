//! What the application's role may do.

use grantbook::repository::{AsyncRepository, EraseOutcome};
use grantbook_postgres::migrate;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::compare::rows;
use crate::server::accounts::{account, opened, request, with_two_owners};
use crate::server::{client, repository};
use crate::{as_app, mirrored, prepare_app};

async fn is_denied(app: &Client, statement: &str) {
    let refused = app.batch_execute(statement).await;
    let error = refused.expect_err(statement);
    assert_eq!(
        error.code(),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE),
        "{statement}: {error}"
    );
}

/// It keeps commits, which keep the mirror, and it asks. The mirror itself it neither reads nor writes.
pub(crate) async fn of_the_application() {
    let address = mirrored("rights").await;
    let sql = client(&address).await;
    prepare_app(&sql).await;
    let repository = repository(&as_app(&address));
    migrate(&repository).await.expect("there is nothing to do");
    let acme = with_two_owners(&repository, "acme").await;
    let kept = rows(&sql, "acme").await;
    assert_eq!(kept.len(), 3, "the account, olga and otto: {kept:?}");

    let app = client(&as_app(&address)).await;
    let can = "SELECT grantbook.can('acme', 'otto', 'account.close')";
    let answer = app.query_one(can, &[]).await.expect("an answer");
    assert!(answer.get::<_, bool>(0));
    let mut tried = 0;
    for (table, columns, values, set) in [
        (
            "mirrors",
            "account, version, digest",
            "'acme', 9, ''",
            "version = 9",
        ),
        ("stores", "account, store", "'acme', 'new'", "store = 'new'"),
        (
            "members",
            "account, member, status, is_owner",
            "'acme', 'eve', 'active', true",
            "is_owner = true",
        ),
        (
            "member_groups",
            "account, member, group_id",
            "'acme', 'otto', 'it'",
            "group_id = 'it'",
        ),
        (
            "group_grants",
            "account, group_id, role",
            "'acme', 'it', 'group-manager'",
            "role = 'own'",
        ),
        (
            "role_permissions",
            "account, role, permission",
            "'acme', 'own', 'log.read'",
            "role = 'own'",
        ),
    ] {
        for statement in [
            format!("INSERT INTO grantbook.{table} ({columns}) VALUES ({values})"),
            format!("UPDATE grantbook.{table} SET {set}"),
            format!("DELETE FROM grantbook.{table}"),
            format!("TRUNCATE grantbook.{table}"),
            format!("SELECT FROM grantbook.{table}"),
        ] {
            is_denied(&app, &statement).await;
            tried += 1;
        }
    }
    let event = r#"{"kind": "ownership-granted", "member": "eve"}"#;
    for statement in [
        &format!("SELECT grantbook.mirror_event('acme', '{event}')"),
        "SELECT grantbook.mirror_on('acme')",
        "SELECT grantbook.fill_mirror('acme')",
        "SELECT grantbook.mirror_snapshot('acme', '{\"stores\": [\"new\"]}')",
        "SELECT FROM grantbook.holdings",
        "ALTER TABLE grantbook.records DISABLE TRIGGER mirror_goes_on",
        "DROP TRIGGER mirror_goes_on ON grantbook.records",
        "CREATE OR REPLACE FUNCTION grantbook.included_in(text) RETURNS text[] LANGUAGE sql AS 'SELECT NULL'",
        "CREATE TABLE grantbook.mine ()",
        "SET session_replication_role = replica",
    ] {
        is_denied(&app, statement).await;
        tried += 1;
    }
    // What it calls in its own name cannot be led astray by what it puts in the way.
    let shadow = "SET search_path = pg_temp, public;
        CREATE TEMPORARY TABLE holdings AS SELECT 'acme' AS account, 'eve' AS member, 'dev' AS store, NULL AS permission;
        CREATE FUNCTION pg_temp.included_in(text) RETURNS text[] LANGUAGE sql AS 'SELECT ARRAY[''a'']'";
    app.batch_execute(shadow).await.expect("its own");
    let can = "SELECT grantbook.can('acme', 'eve', 'store.read', 'dev')";
    let answer = app.query_one(can, &[]).await.expect("an answer");
    assert!(!answer.get::<_, bool>(0));
    assert_eq!(rows(&sql, "acme").await, kept, "nothing was written");

    let close = serde_json::from_str(r#"{"command":"close-account"}"#).expect("a command");
    acme.execute(&request("close", vec![close]))
        .await
        .expect("it is done");
    let erased = repository.erase(&account("acme")).await;
    assert_eq!(erased.expect("an answer"), EraseOutcome::Erased);
    assert_eq!(rows(&sql, "acme").await, [""; 0], "erased here too");
    opened(&repository, "globex").await;
    println!("mirror: {tried} statements of the application's role against the mirror: 0 done");
}

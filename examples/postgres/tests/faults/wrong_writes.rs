//! Wrong writes by plain SQL, which the schema refuses by itself.

use tokio_postgres::Client;

use crate::server::accounts::{loaded, with_two_owners};
use crate::server::{Server, client, repository, runtime};

/// A statement, what is wrong with it, and the constraint that refuses it; none, where it is a trigger.
#[derive(Clone)]
struct Wrong {
    what: &'static str,
    by: Option<&'static str>,
    sql: String,
}

fn wrong(what: &'static str, by: &'static str, sql: String) -> Wrong {
    let by = Some(by);
    Wrong { what, by, sql }
}

/// A trigger refuses it.
fn against(what: &'static str, sql: String) -> Wrong {
    Wrong {
        what,
        by: None,
        sql,
    }
}

const NEXT: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222222222222222222222222222";

/// What the account's last record is, in SQL.
const LAST: &str = "(SELECT digest FROM grantbook.heads WHERE account = 'acme')";

/// A record of `acme`, which says of itself what its row does.
fn record(version: i64, before: &str, digest: &str) -> String {
    said(version, before, digest, &of("acme", version, digest))
}

fn said(version: i64, before: &str, digest: &str, says: &str) -> String {
    format!(
        "INSERT INTO grantbook.records (account, version, before, digest, record)
         VALUES ('acme', {version}, {before}, '{digest}', '{says}')"
    )
}

fn head(set: &str) -> String {
    format!("UPDATE grantbook.heads SET {set} WHERE account = 'acme'")
}

/// Several writes in one statement, as they must come.
fn together(writes: &[String]) -> String {
    let named = writes.iter().enumerate();
    let named: Vec<String> = named
        .map(|(number, write)| format!("w{number} AS ({write} RETURNING 1)"))
        .collect();
    format!("WITH {} SELECT", named.join(", "))
}

/// The next record, and the head that moves to it.
fn next() -> String {
    let moved = head(&format!("version = 4, digest = '{NEXT}'"));
    together(&[record(4, LAST, NEXT), moved])
}

/// Records and heads that do not go together with what is kept: an account at version 3.
fn out_of_line() -> Vec<Wrong> {
    let moved =
        |version: i64, digest: &str| head(&format!("version = {version}, digest = '{digest}'"));
    let both = |version: i64, before: &str| {
        together(&[record(version, before, NEXT), moved(version, NEXT)])
    };
    let other = format!("'{OTHER}'");
    let request = |key: &str, before: i64, version: i64| {
        format!(
            "INSERT INTO grantbook.requests (account, key, before, version, request) VALUES ('acme', '{key}', {before},
             {version}, '{{\"key\": \"{key}\", \"before\": {before}, \"version\": {version}}}')"
        )
    };
    let opened = |version: i64, digest: &str| {
        format!(
            "INSERT INTO grantbook.heads (account, version, digest, state) VALUES ('new', {version}, '{digest}', 'open')"
        )
    };
    vec![
        wrong("a gap", "record_follows_another", both(5, LAST)),
        wrong("another branch", "record_follows_another", both(4, &other)),
        wrong("no record before", "records_check", both(4, "NULL")),
        wrong("a record again", "records_pkey", record(3, LAST, NEXT)),
        wrong("version 0", "records_version_check", record(0, LAST, NEXT)),
        against("a record without its head", record(4, LAST, NEXT)),
        wrong(
            "a head without its record",
            "head_stands_at_a_record",
            moved(4, NEXT),
        ),
        against("a head that goes back", moved(2, OTHER)),
        against(
            "a head of another branch",
            head(&format!("digest = '{OTHER}'")),
        ),
        against(
            "a head at an earlier record",
            head(
                "version = 2, digest = (SELECT digest FROM grantbook.records
            WHERE account = 'acme' AND version = 2)",
            ),
        ),
        against("closed without a record of it", head("state = 'closed'")),
        against("erased while it is open", head("state = 'erased'")),
        against("another id", head("account = 'new'")),
        against(
            "an id that is used again",
            "DELETE FROM grantbook.heads WHERE account = 'acme'".into(),
        ),
        wrong(
            "a head again",
            "heads_pkey",
            opened(3, OTHER).replace("'new'", "'acme'"),
        ),
        wrong(
            "an account without records",
            "head_stands_at_a_record",
            opened(1, NEXT),
        ),
        wrong(
            "an account that begins later",
            "head_stands_at_a_record",
            opened(3, OTHER),
        ),
        against("a state that there is not", head("state = 'gone'")),
        wrong(
            "a request again",
            "request_is_kept_once",
            request("two", 3, 3),
        ),
        wrong(
            "a request of the future",
            "request_led_to_a_record",
            request("new", 3, 4),
        ),
        wrong(
            "a request that goes back",
            "requests_check",
            request("new", 3, 2),
        ),
        wrong("an empty key", "requests_key_check", request("", 3, 3)),
        wrong(
            "a long key",
            "requests_key_check",
            request(&"x".repeat(129), 3, 3),
        ),
        wrong(
            "a request of another key",
            "request_is_of_its_row",
            request("new", 3, 3).replace("'new'", "'old'"),
        ),
    ]
}

/// Records and snapshots that say that they are somewhere else, or do not say where.
fn elsewhere() -> Vec<Wrong> {
    let record = |what, says: &str| {
        let moved = head(&format!("version = 4, digest = '{NEXT}'"));
        let sql = together(&[said(4, LAST, NEXT, says), moved]);
        wrong(what, "record_is_of_its_row", sql)
    };
    let snapshot = |what, by, version: i64, digest: &str, says: &str| {
        let insert = "INSERT INTO grantbook.snapshots (account, version, digest, snapshot) VALUES";
        wrong(
            what,
            by,
            format!("{insert} ('acme', {version}, {digest}, '{says}')"),
        )
    };
    vec![
        record("a record of another account", &of("Acme", 4, NEXT)),
        record("a record of another version", &of("acme", 5, NEXT)),
        record("a record of another digest", &of("acme", 4, OTHER)),
        record("a record that says nothing", "{}"),
        record("a record that is no object", "[]"),
        record(
            "a version as text",
            &format!(r#"{{"account": "acme", "version": "4", "digest": "{NEXT}"}}"#),
        ),
        snapshot(
            "a snapshot of what is not kept",
            "snapshot_is_of_a_record",
            4,
            &format!("'{NEXT}'"),
            &of("acme", 4, NEXT),
        ),
        snapshot(
            "a snapshot of another branch",
            "snapshot_is_of_a_record",
            3,
            &format!("'{OTHER}'"),
            &of("acme", 3, OTHER),
        ),
        snapshot(
            "a snapshot of another version",
            "snapshot_is_of_its_row",
            3,
            LAST,
            &of("acme", 2, NEXT),
        ),
    ]
}

/// Changes of what is kept.
fn changes() -> Vec<Wrong> {
    let change = |what, sql: &str| against(what, sql.to_owned());
    vec![
        change(
            "a record changed",
            "UPDATE grantbook.records SET record = record WHERE version = 2",
        ),
        change(
            "a record deleted",
            "DELETE FROM grantbook.records WHERE version = 3",
        ),
        change("records emptied", "TRUNCATE grantbook.records CASCADE"),
        change(
            "a request changed",
            "UPDATE grantbook.requests SET key = 'new' WHERE key = 'two'",
        ),
        change(
            "a request deleted",
            "DELETE FROM grantbook.requests WHERE key = 'two'",
        ),
        change("requests emptied", "TRUNCATE grantbook.requests CASCADE"),
        change("heads emptied", "TRUNCATE grantbook.heads CASCADE"),
    ]
}

fn of(account: &str, version: i64, digest: &str) -> String {
    format!(r#"{{"account": "{account}", "version": {version}, "digest": "{digest}"}}"#)
}

/// Each is refused, by the constraint that is for it, and changes nothing. A right one is let in.
pub(crate) fn are_refused(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address);
        with_two_owners(&repository, "acme").await;
        let sql = client(&address).await;
        let kept = rows(&sql).await;

        let wrong = [out_of_line(), elsewhere(), changes()].concat();
        let mut otherwise = Vec::new();
        for Wrong {
            what,
            by,
            sql: statement,
        } in &wrong
        {
            let refused = sql.batch_execute(statement).await;
            let error = refused.expect_err(what);
            let error = error
                .as_db_error()
                .unwrap_or_else(|| panic!("{what}: {error}"));
            let is_by_trigger = error.code().code() == "23001";
            if error.constraint() != *by || by.is_none() != is_by_trigger {
                otherwise.push(format!("{what}: {error}"));
            }
            assert_eq!(rows(&sql).await, kept, "{what}");
        }
        assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
        println!(
            "fault: postgres, {} wrong writes by plain SQL: 0 kept",
            wrong.len()
        );

        let copy = loaded(&repository, "acme").await.expect("it is whole");
        assert_eq!(copy.version(), 3);
        let right = next();
        sql.batch_execute(&right)
            .await
            .expect("so it is not refused for another reason");
    });
}

/// All that is kept, as text.
async fn rows(sql: &Client) -> Vec<String> {
    let all = "SELECT heads::text FROM grantbook.heads UNION ALL SELECT records::text FROM grantbook.records
        UNION ALL SELECT requests::text FROM grantbook.requests
        UNION ALL SELECT snapshots::text FROM grantbook.snapshots ORDER BY 1";
    let rows = sql.query(all, &[]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}

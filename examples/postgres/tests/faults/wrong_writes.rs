//! Wrong writes by plain SQL, which the schema refuses by itself.

use grantbook::repository::load_async;
use tokio_postgres::Client;

use crate::server::accounts::{account, with_two_owners};
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

/// Commits (`expected, version, id`) and records (`version, through`) that do not go together with what is kept: an
/// account at version 3, of a commit of one record and another of two.
fn out_of_line() -> Vec<Wrong> {
    let long = "x".repeat(129);
    let case = |what, by, commits: &[Commit<'_>], records: &[(i64, i64)]| {
        let records = records
            .iter()
            .map(|(version, through)| (*version, *through, of("acme", *version)));
        wrong(what, by, write(commits, &records.collect::<Vec<_>>()))
    };
    let new = "new";
    vec![
        case("a gap", "record_follows_another", &[(5, 6, new)], &[(6, 6)]),
        case(
            "a gap of commits",
            "commit_follows_another",
            &[(5, 6, new)],
            &[(4, 6), (5, 6), (6, 6)],
        ),
        case(
            "a gap in a commit",
            "record_follows_another",
            &[(3, 5, new)],
            &[(5, 5)],
        ),
        case(
            "half a commit",
            "commit_has_its_records",
            &[(3, 5, new)],
            &[(4, 5)],
        ),
        case(
            "a commit without records",
            "commit_has_its_records",
            &[(3, 4, new)],
            &[],
        ),
        case(
            "a record without a commit",
            "record_is_of_a_commit",
            &[],
            &[(4, 4)],
        ),
        case("a record after its commit", "records_check", &[], &[(4, 3)]),
        case("a version again", "commits_pkey", &[(2, 3, new)], &[]),
        case("a record again", "records_pkey", &[], &[(3, 3)]),
        case(
            "an old version",
            "one_commit_follows",
            &[(1, 4, new)],
            &[(4, 4)],
        ),
        case(
            "a first commit again",
            "one_commit_follows",
            &[(0, 4, new)],
            &[(4, 4)],
        ),
        case(
            "on half of a commit",
            "commit_follows_another",
            &[(2, 4, new)],
            &[(4, 4)],
        ),
        case(
            "a commit id again",
            "commit_is_kept_once",
            &[(3, 4, "two")],
            &[(4, 4)],
        ),
        case("a commit of nothing", "commits_check", &[(3, 3, new)], &[]),
        case("version 0", "records_version_check", &[], &[(0, 3)]),
        case("below 0", "commits_expected_check", &[(-1, 1, new)], &[]),
        case(
            "an empty commit id",
            "commits_id_check",
            &[(3, 4, "")],
            &[(4, 4)],
        ),
        case(
            "a long commit id",
            "commits_id_check",
            &[(3, 4, &long)],
            &[(4, 4)],
        ),
    ]
}

/// Records and snapshots that say that they are somewhere else, or do not say where.
fn elsewhere() -> Vec<Wrong> {
    let record = |what, says: &str| {
        let sql = write(&[(3, 4, "new")], &[(4, 4, says.to_owned())]);
        wrong(what, "record_is_of_its_row", sql)
    };
    let snapshot = |what, by, version: i64, says: &str| {
        let insert = "INSERT INTO grantbook.snapshots (account, version, snapshot) VALUES";
        wrong(what, by, format!("{insert} ('acme', {version}, '{says}')"))
    };
    vec![
        record("a record of another account", &of("Acme", 4)),
        record("a record of another version", &of("acme", 5)),
        record("a record that says nothing", "{}"),
        record("a record that is no object", "[]"),
        record(
            "a version as text",
            r#"{"account": "acme", "version": "4"}"#,
        ),
        snapshot(
            "a snapshot of what is not kept",
            "snapshot_is_of_a_record",
            4,
            &of("acme", 4),
        ),
        snapshot(
            "a snapshot of another version",
            "snapshot_is_of_its_row",
            3,
            &of("acme", 2),
        ),
        snapshot(
            "a snapshot of another account",
            "snapshot_is_of_its_row",
            3,
            &of("Acme", 3),
        ),
    ]
}

/// Changes of what is kept.
fn changes() -> Vec<Wrong> {
    let change = |what, sql: &str| {
        let (by, sql) = (None, sql.to_owned());
        Wrong { what, by, sql }
    };
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
            "a commit changed",
            "UPDATE grantbook.commits SET id = 'new' WHERE id = 'two'",
        ),
        change(
            "a commit deleted",
            "DELETE FROM grantbook.commits WHERE id = 'two'",
        ),
        change("commits emptied", "TRUNCATE grantbook.commits CASCADE"),
    ]
}

type Commit<'a> = (i64, i64, &'a str);

/// Commits and records, with what they say of themselves, in one statement, as they must come.
fn write(commits: &[Commit<'_>], records: &[(i64, i64, String)]) -> String {
    let commits = commits
        .iter()
        .map(|(expected, version, id)| format!("SELECT 'acme', {expected}, {version}, '{id}'"));
    let records = records.iter().map(|(version, through, record)| {
        format!("SELECT 'acme', {version}, {through}, '{record}'::jsonb")
    });
    format!(
        "WITH commits AS (
            INSERT INTO grantbook.commits (account, expected, version, id) {}
        ), records AS (
            INSERT INTO grantbook.records (account, version, through, record) {}
        ) SELECT",
        all_of(commits, "SELECT '', 0, 0, '' WHERE false"),
        all_of(records, "SELECT '', 0, 0, '{}'::jsonb WHERE false"),
    )
}

fn all_of(rows: impl Iterator<Item = String>, none: &str) -> String {
    let rows = rows.chain([none.to_owned()]);
    rows.collect::<Vec<_>>().join(" UNION ALL ")
}

fn of(account: &str, version: i64) -> String {
    format!(r#"{{"account": "{account}", "version": {version}}}"#)
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
            assert_eq!(error.constraint(), *by, "{what}: {error}");
            if by.is_none() {
                assert_eq!(error.code().code(), "23001", "{what}: {error}");
                assert!(
                    error.message().contains("is append-only"),
                    "{what}: {error}"
                );
            }
            assert_eq!(rows(&sql).await, kept, "{what}");
        }
        println!(
            "fault: postgres, {} wrong writes by plain SQL: 0 kept",
            wrong.len()
        );

        let loaded = load_async(&repository, &account("acme")).await;
        assert_eq!(
            loaded.expect("it is whole").expect("it is kept").version(),
            3
        );
        let right = write(&[(3, 4, "new")], &[(4, 4, of("acme", 4))]);
        sql.batch_execute(&right)
            .await
            .expect("so it is not refused for another reason");
    });
}

/// All that is kept, as text.
async fn rows(sql: &Client) -> Vec<String> {
    let all = "SELECT commits::text FROM grantbook.commits UNION ALL SELECT records::text FROM grantbook.records
        UNION ALL SELECT snapshots::text FROM grantbook.snapshots ORDER BY 1";
    let rows = sql.query(all, &[]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}

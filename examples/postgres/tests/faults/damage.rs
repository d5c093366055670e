//! Rows that somebody changed by hand, past constraints and triggers, and rows of a later program.

use std::num::NonZeroU64;

use grantbook::repository::{
    AsyncRepository, Commit, CommitOutcome, ExecuteError, LoadError, Shared, load_async,
};
use grantbook::{IdempotencyKey, Record};
use grantbook_postgres::Error;
use tokio_postgres::Client;

use crate::server::accounts::{account, add_otto, enrol, opened, request, with_two_owners};
use crate::server::{Server, client, repository, runtime};

/// Each account is damaged in one way. It is not loaded, and the error says which row it is; a process whose copy is
/// older does not get past it; and what is there stays as it is.
pub(crate) fn is_a_clear_error(server: &Server, name: &str) {
    type Is = fn(&LoadError<Error>) -> bool;
    let cases: &[(&str, &str, &str, Is)] = &[
        (
            "later format",
            "UPDATE grantbook.records SET record = jsonb_set(record, '{record}', '2') WHERE version = 2",
            "record of account `later format` at version 2 cannot be read: format 2 is not known",
            |error| is_row(error, "record", 2),
        ),
        (
            "unknown event",
            "UPDATE grantbook.records SET record = jsonb_set(record, '{event,kind}', '\"member-praised\"')
                WHERE version = 3",
            "record of account `unknown event` at version 3 cannot be read: unknown variant `member-praised`",
            |error| is_row(error, "record", 3),
        ),
        (
            "extra field",
            "UPDATE grantbook.records SET record = record || '{\"memo\": 1}' WHERE version = 3",
            "record of account `extra field` at version 3 cannot be read: unknown field `memo`",
            |error| is_row(error, "record", 3),
        ),
        (
            "other account",
            "UPDATE grantbook.records SET record = jsonb_set(record, '{account}', '\"acme\"') WHERE version = 2",
            "record of account `other account` at version 2 cannot be read: it says that it is of account `acme`",
            |error| is_row(error, "record", 2),
        ),
        (
            "other version",
            "UPDATE grantbook.records SET record = jsonb_set(record, '{version}', '7') WHERE version = 2",
            "record of account `other version` at version 2 cannot be read: it says that it is of account",
            |error| is_row(error, "record", 2),
        ),
        (
            "does not fit",
            "UPDATE grantbook.records SET record = jsonb_set(record, '{event,member}', '\"nobody\"')
                WHERE version = 3",
            "the stored records are not this account's history",
            |error| matches!(error, LoadError::Replay(_)),
        ),
        (
            "one is gone",
            "DELETE FROM grantbook.records WHERE version = 2",
            "the record of account `one is gone` at version 2 is missing",
            |error| matches!(error, LoadError::Repository(Error::Missing { version: 2, .. })),
        ),
        (
            "the last is gone",
            "DELETE FROM grantbook.records WHERE version = 3",
            "no record after version 2",
            |error| matches!(error, LoadError::Missing { version: 2 }),
        ),
        (
            "later snapshot",
            "UPDATE grantbook.snapshots SET snapshot = jsonb_set(snapshot::jsonb, '{snapshot}', '2')::json
                WHERE version = 3",
            "snapshot of account `later snapshot` at version 3 cannot be read: format 2 is not known",
            |error| is_row(error, "snapshot", 3),
        ),
    ];
    runtime().block_on(async {
        let address = server.database(name).await;
        let by_hand = client(&address).await;
        by_hand
            .batch_execute(
                "SET session_replication_role = replica;
                ALTER TABLE grantbook.records DROP CONSTRAINT record_is_of_its_row",
            )
            .await
            .expect("as a superuser");
        for (id, damage, message, is_it) in cases {
            let snapshots = id.contains("snapshot").then_some(NonZeroU64::MIN);
            let repository = repository(&address).with_snapshots(snapshots);
            let behind = Shared::new(opened(&repository, id).await);
            add_otto(&repository, &Shared::new(behind.read().clone())).await;
            let damage = format!("{damage} AND account = '{id}'");
            let damaged = by_hand.execute(&damage, &[]).await.expect("it is damaged");
            assert_eq!(damaged, 1, "{id}");
            let kept = rows(&by_hand, id).await;

            let error = load_async(&repository, &account(id)).await.expect_err(id);
            assert!(is_it(&error), "{id}: {error:?}");
            assert!(error.to_string().contains(message), "{id}: {error}");

            // Nor does a process that holds an older copy change what it cannot read.
            let request = request("change", vec![enrol("omar")]);
            let answer = behind.execute_async(&repository, &request).await;
            match answer {
                Err(ExecuteError::Load(error)) => assert!(is_it(&error), "{id}: {error:?}"),
                // It needs no snapshot.
                Ok(_) if snapshots.is_some() => continue,
                answer => panic!("{id}: {answer:?}"),
            }
            assert_eq!(
                rows(&by_hand, id).await,
                kept,
                "{id}: nothing is overwritten"
            );
        }
        println!(
            "fault: postgres, {} kinds of damaged rows: 0 served, 0 overwritten",
            cases.len()
        );
    });
}

fn is_row(error: &LoadError<Error>, in_table: &str, at: i64) -> bool {
    matches!(error, LoadError::Repository(Error::Row { table, version, .. }) if *table == in_table && *version == at)
}

async fn rows(sql: &Client, account: &str) -> Vec<String> {
    let all = "SELECT records::text FROM grantbook.records WHERE account = $1
        UNION ALL SELECT snapshots::text FROM grantbook.snapshots WHERE account = $1 ORDER BY 1";
    let rows = sql.query(all, &[&account]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// A version that the database has no number for is refused, never wrapped; a version just below is kept as such.
pub(crate) fn versions_beyond_the_last(server: &Server, name: &str) {
    let commit = |version: u64| {
        let record = format!(
            r#"{{"record":1,"account":"acme","version":{version},"at":0,"commit":{{"number":1,"of":1}},"actor":"system","note":null,"event":{{"kind":"store-created","store":"dev"}},"digest":"{digest}"}}"#,
            digest = "0".repeat(64)
        );
        let record: Record = serde_json::from_str(&record).expect("a record");
        Commit::new(IdempotencyKey::parse("far").expect("an id"), vec![record]).expect("a commit")
    };
    let last = i64::MAX.unsigned_abs();
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address);
        with_two_owners(&repository, "acme").await;
        for version in [last + 1, u64::MAX] {
            let error = repository
                .commit(&commit(version))
                .await
                .expect_err("it is too far");
            assert!(
                matches!(error, Error::Version { version: found } if found == version),
                "{error}"
            );
        }
        let answer = repository.commit(&commit(last)).await;
        assert_eq!(answer.expect("an ordinary answer"), CommitOutcome::Conflict);
        for version in [last, last + 1, u64::MAX] {
            let tail = repository.records_after(&account("acme"), version).await;
            let nothing = grantbook::repository::RecordPage::Records {
                records: Vec::new(),
                last: 3,
            };
            assert_eq!(tail.expect("there are none"), nothing);
        }
    });
}

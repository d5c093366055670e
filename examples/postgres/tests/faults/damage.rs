//! Rows that somebody changed by hand, past constraints and triggers, and rows of a later program.

use std::num::NonZeroU64;

use grantbook::repository::{AsyncRepository, Commit, CommitOutcome, RecordPage, RepositoryError};
use grantbook::{Account, Snapshot};
use grantbook_postgres::Error;
use tokio_postgres::Client;

use crate::server::accounts::{
    account, add_otto, enrol, in_database, loaded, opened, request, with_two_owners,
};
use crate::server::{Server, client, repository, runtime};

/// Each account is damaged in one way. It is not loaded, and the error says which row it is; a process whose copy is
/// older does not get past it; and what is there stays as it is.
pub(crate) fn is_a_clear_error(server: &Server, name: &str) {
    type Is = fn(&RepositoryError) -> bool;
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
            |error| {
                // For who loads it again, and for who holds the records before it.
                matches!(error, RepositoryError::Replay(_) | RepositoryError::Diverged { .. })
            },
        ),
        (
            "one is gone",
            "DELETE FROM grantbook.records WHERE version = 2",
            "the record of account `one is gone` at version 2 is missing",
            |error| matches!(in_database(error), Some(Error::Missing { version: 2, .. })),
        ),
        (
            "head set back",
            "UPDATE grantbook.heads SET version = 1, digest =
                (SELECT digest FROM grantbook.records WHERE account = 'head set back' AND version = 1)
                WHERE version = 3",
            "the head of account `head set back` is at version 1, and there are records after it",
            |error| matches!(in_database(error), Some(Error::HeadBehind { head: 1, .. })),
        ),
        (
            "the last is gone",
            "DELETE FROM grantbook.records WHERE version = 3",
            "no record after version 2",
            |error| matches!(error, RepositoryError::RecordsMissing { version: 2 }),
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
            let repository = repository(&address).with_snapshots(None);
            let behind = opened(&repository, id).await;
            add_otto(&loaded(&repository, id).await.expect("it is whole")).await;
            let damage = format!("{damage} AND account = '{id}'");
            let damaged = by_hand.execute(&damage, &[]).await.expect("it is damaged");
            assert_eq!(damaged, 1, "{id}");
            let kept = rows(&by_hand, id).await;

            let error = loaded(&repository, id).await.expect_err(id);
            assert!(is_it(&error), "{id}: {error:?}");
            assert!(error.to_string().contains(message), "{id}: {error}");

            // Nor does a process that holds an older copy change what it cannot read.
            let request = request("change", vec![enrol("omar")]);
            let error = behind.execute(&request).await.expect_err(id);
            assert!(is_it(&error), "{id}: {error:?}");
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

fn is_row(error: &RepositoryError, in_table: &str, at: i64) -> bool {
    let found = in_database(error);
    matches!(found, Some(Error::Row { table, version, .. }) if *table == in_table && *version == at)
}

/// A snapshot that a later program wrote is passed over: all records are there.
pub(crate) fn of_a_snapshot(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address).with_snapshots(Some(NonZeroU64::MIN));
        with_two_owners(&repository, "acme").await;
        let by_hand = client(&address).await;
        let damage = "UPDATE grantbook.snapshots SET snapshot = jsonb_set(snapshot::jsonb, '{snapshot}', '2')::json";
        assert_eq!(by_hand.execute(damage, &[]).await.expect("it is damaged"), 1);
        let error = repository.snapshot(&account("acme")).await.expect_err("format 2");
        assert!(matches!(error, Error::Row { table: "snapshot", version: 3, .. }), "{error}");
        let copy = loaded(&repository, "acme").await.expect("its records are there");
        assert_eq!(copy.version(), 3);
    });
}

async fn rows(sql: &Client, account: &str) -> Vec<String> {
    let all = "SELECT records::text FROM grantbook.records WHERE account = $1
        UNION ALL SELECT snapshots::text FROM grantbook.snapshots WHERE account = $1 ORDER BY 1";
    let rows = sql.query(all, &[&account]).await.expect("they are read");
    rows.iter().map(|row| row.get(0)).collect()
}

/// A version that the database has no number for is refused, never wrapped; a version just below is kept as such.
pub(crate) fn versions_beyond_the_last(server: &Server, name: &str) {
    // An account just before that version: no records lead to it in a lifetime, but a snapshot does.
    let commit = |account: &Account, version: u64| {
        let mut plain = serde_json::to_value(account.snapshot()).expect("plain data");
        plain["version"] = (version - 1).into();
        let snapshot: Snapshot = serde_json::from_value(plain).expect("a snapshot");
        let late = Account::try_from(snapshot).expect("an account");
        Commit::decide(&late, &request("far", vec![enrol("omar")])).expect("it is allowed")
    };
    let last = i64::MAX.unsigned_abs();
    runtime().block_on(async {
        let address = server.database(name).await;
        let repository = repository(&address);
        let copy = with_two_owners(&repository, "acme").await;
        let commit = |version| copy.with(|account| commit(account, version));
        for version in [last + 1, u64::MAX] {
            let error = repository
                .commit(&commit(version))
                .await
                .expect_err("it is too far");
            assert!(
                matches!(error, Error::Version { version: found } if found == version || found == version - 1),
                "{error}"
            );
        }
        let answer = repository.commit(&commit(last)).await;
        assert_eq!(answer.expect("an ordinary answer"), CommitOutcome::Conflict);
        for version in [last, last + 1, u64::MAX] {
            let tail = repository.records_after(&account("acme"), version).await;
            let RecordPage::Records { records, head } = tail.expect("there are none") else {
                panic!("nothing was given up");
            };
            assert_eq!((records, head.map(|head| head.version)), (Vec::new(), Some(3)));
        }
    });
}

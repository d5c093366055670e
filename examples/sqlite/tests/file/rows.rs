//! A row that was changed, whatever the schema says, is not served and not overwritten.

use grantbook::repository::{self, Commit, RecordPage, Repository, RepositoryError};
use grantbook::{Account, GroupLimit};
use grantbook_sqlite::{RowProblem, SqliteError, SqliteRepository};

use crate::kept::{Kept, NOW, create_store, delete_store};

#[test]
fn a_record_changed_by_hand_is_not_served() {
    let kept = Kept::new();
    kept.meddle("UPDATE grantbook_records SET record = json_set(record, '$.event.owner', 'eve') WHERE account = 'acme' AND version = 2");
    kept.assert_unreadable(
        2,
        |problem| matches!(problem, RowProblem::NotReadable(_)),
        "record 2 of account `acme` cannot be read: unknown field `owner`, expected `store` at line 1 column 178",
    );
}

#[test]
fn a_record_changed_by_hand_to_one_that_can_be_read_is_not_served() {
    let kept = Kept::new();
    kept.meddle("UPDATE grantbook_records SET record = json_set(record, '$.event.store', 'dev') WHERE account = 'acme' AND version = 3");
    let error = kept.load("acme").unwrap_err();
    assert_eq!(error.code(), "digest-mismatch");
    assert!(
        error.to_string().contains("record 3 was changed"),
        "{error}"
    );
}

#[test]
fn a_record_of_a_later_format_is_not_served() {
    let kept = Kept::new();
    kept.meddle("UPDATE grantbook_records SET record = json_set(record, '$.record', 2) WHERE account = 'acme' AND version = 3");
    kept.assert_unreadable(
        3,
        |problem| matches!(problem, RowProblem::NotReadable(_)),
        "record 3 of account `acme` cannot be read: format 2 is not known to this version of grantbook, which reads format 1 at line 1 column 11",
    );
}

#[test]
fn a_copy_stays_as_it_is_where_the_next_record_cannot_be_read() {
    let kept = Kept::new();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let mut behind = kept.load("acme").unwrap().unwrap();
    let mut ahead = kept.load("acme").unwrap().unwrap();
    create_store(&repository, &mut ahead, "new");
    kept.meddle("UPDATE grantbook_records SET record = json_set(record, '$.record', 2) WHERE account = 'acme' AND version = 4");
    let before = kept.rows();

    let request = delete_store("dev");
    let error = repository::execute(&repository, &mut behind, &request).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(behind.version(), 3);
    assert_eq!(kept.rows(), before, "nothing was overwritten");
}

#[test]
fn a_record_of_another_account_is_not_served() {
    let kept = Kept::new();
    kept.meddle("UPDATE grantbook_records SET record = json_set(record, '$.account', 'beta') WHERE account = 'acme' AND version = 2");
    kept.assert_unreadable(
        2,
        |problem| matches!(problem, RowProblem::Another { version: 2, .. }),
        "record 2 of account `acme` cannot be read: it says that it is version 2 of account `beta`",
    );
}

#[test]
fn a_record_that_is_missing_is_noticed() {
    let kept = Kept::new();
    kept.meddle("DELETE FROM grantbook_records WHERE account = 'acme' AND version = 2");
    kept.assert_unreadable(
        2,
        |problem| matches!(problem, RowProblem::Missing),
        "record 2 of account `acme` cannot be read: its row is missing",
    );
}

#[test]
fn a_last_record_that_is_missing_is_noticed() {
    let kept = Kept::new();
    kept.meddle("DELETE FROM grantbook_records WHERE account = 'acme' AND version = 3");
    kept.assert_unreadable(
        3,
        |problem| matches!(problem, RowProblem::Missing),
        "record 3 of account `acme` cannot be read: its row is missing",
    );
}

/// What was changed by hand into another branch is not built upon: the copy that knows better says so.
#[test]
fn a_head_changed_by_hand_is_another_branch() {
    let kept = Kept::new();
    let mut copy = kept.load("acme").unwrap().unwrap();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let other = "1".repeat(64);
    kept.meddle(&format!(
        "UPDATE grantbook_heads SET digest = '{other}' WHERE account = 'acme'"
    ));
    let before = kept.rows();
    let request = delete_store("dev");
    let error = repository::execute(&repository, &mut copy, &request).unwrap_err();
    assert_eq!(error.code(), "diverged");
    assert_eq!(kept.rows(), before);
}

/// A head that was set back, or is gone, would undo what came after it. It is found where it is read, and by a commit.
#[test]
fn a_head_behind_its_last_record_is_not_gone_by() {
    let back = "UPDATE grantbook_heads SET version = 2,
        digest = (SELECT digest FROM grantbook_records WHERE account = 'acme' AND version = 2)
        WHERE account = 'acme'";
    let gone = "DELETE FROM grantbook_heads WHERE account = 'acme'";
    for (by_hand, at) in [(back, 2), (gone, 0)] {
        let kept = Kept::new();
        let repository = SqliteRepository::open(kept.path()).unwrap();
        let mut copy = kept.load("acme").unwrap().unwrap();
        let records = repository.records_after(copy.id(), 0).unwrap();
        let RecordPage::Records { records, .. } = records else {
            panic!("{records:?}");
        };
        kept.meddle(by_hand);
        let before = kept.rows();
        let told =
            format!("the head of account `acme` is at version {at}, and there is a record 3");
        let is_told = |error: &RepositoryError| {
            assert_eq!(error.code(), "repository-failed");
            assert_eq!(error.to_string(), format!("the repository failed: {told}"));
        };
        is_told(&kept.load("acme").unwrap_err());
        is_told(&repository::catch_up(&repository, &mut copy).unwrap_err());
        let request = delete_store("dev");
        is_told(&repository::execute(&repository, &mut copy, &request).unwrap_err());
        // What was decided on the very version that the head says, and an opening.
        let account = Account::replay(&records[..2]).unwrap();
        let on_head = Commit::decide(&account, &delete_store("dev")).unwrap();
        let (key, id) = ("again".parse().unwrap(), copy.id().clone());
        let eve = "eve".parse().unwrap();
        let (opening, _) = Commit::opening(key, id, eve, GroupLimit::default(), NOW);
        for commit in [on_head, opening] {
            let error = repository.commit(&commit).unwrap_err();
            assert_eq!(error.to_string(), told);
        }
        assert_eq!(kept.rows(), before, "nothing was overwritten");
        assert_eq!(kept.load("beta").unwrap().unwrap().version(), 3);
    }
}

#[test]
fn a_snapshot_that_cannot_be_read_is_passed_over() {
    let kept = Kept::new();
    let account = kept.load("acme").unwrap().unwrap();
    let snapshot = serde_json::to_string(&account.snapshot()).unwrap();
    let later = snapshot.replacen("\"snapshot\":1", "\"snapshot\":2", 1);
    assert_ne!(later, snapshot);
    let insert =
        "INSERT INTO grantbook_snapshots (account, version, snapshot) VALUES ('acme', 3, ?1)";
    kept.by_hand().execute(insert, [later]).unwrap();
    let repository = SqliteRepository::open(kept.path()).unwrap();
    let error = repository.snapshot(account.id()).unwrap_err();
    assert!(
        matches!(&error, SqliteError::Snapshot { account, .. } if account.as_str() == "acme"),
        "{error:?}"
    );
    assert_eq!(
        kept.load("acme").unwrap().unwrap(),
        account,
        "all records are there"
    );
}

//! Values that somebody changed by hand, or wrote in a later format: a clear error, and nothing is written over them.

mod common;

use grantbook::repository::{AsyncRepository, Commit};
use grantbook::{GroupLimit, MemberId};
use grantbook_etcd::Error;

use common::{
    Copy, Host, NOW, account_id, are_equal, create, id, key, of_storage, report, request,
};

const HEAD: &str = "access/head/acme";
const SNAPSHOT: &str = "access/snapshot/acme";

fn commit(version: u64) -> String {
    format!("access/commit/acme/{version:020}")
}

/// An account of three commits with five records, and a copy of it.
async fn kept() -> (Host, Copy) {
    let host = Host::fresh().await;
    let shared = host.open("acme").await;
    for (id, stores) in [("one", vec!["a"]), ("three", vec!["b", "c", "d"])] {
        let request = request(id, create(stores.into_iter().map(str::to_owned)));
        shared.execute(&request).await.expect("it is kept");
    }
    (host, shared)
}

async fn load_error(host: &Host) -> Error {
    of_storage(host.load("acme").await.expect_err("it cannot be read"))
}

/// What a request fails with, which changes nothing.
async fn request_error(host: &Host, shared: &Copy, id: &str) -> Error {
    let before = host.everything().await;
    let request = request(id, create(["e".to_owned()]));
    let failed = shared.execute(&request).await;
    assert_eq!(host.everything().await, before, "nothing is written");
    of_storage(failed.expect_err("it cannot be kept"))
}

/// The value of a key with a part of it replaced.
async fn replace(host: &Host, key: &str, old: &str, new: &str) {
    let value = host.value(key).await.expect("it is there");
    let value = String::from_utf8(value).expect("it is text");
    assert!(value.contains(old), "{value}");
    host.change(key, value.replace(old, new)).await;
}

#[tokio::test]
async fn a_commit_that_was_changed_is_refused_with_its_account_and_version() {
    let changes = [
        (
            r#""record":1"#,
            r#""record":2"#,
            "cannot be read: format 2 is not known to this version of grantbook",
        ),
        (
            r#""kind":"store-created""#,
            r#""kind":"store-sold""#,
            "cannot be read: unknown variant `store-sold`",
        ),
        (
            r#"{"records":"#,
            r#"{"signed":true,"records":"#,
            "cannot be read: unknown field `signed`",
        ),
        (r#""records":[{"#, r#""records":[],"#, "cannot be read: "),
        (
            r#""account":"acme""#,
            r#""account":"umbra""#,
            "is something else",
        ),
        (r#""version":4"#, r#""version":5"#, "is something else"),
    ];
    for (old, new, message) in changes {
        let (host, shared) = kept().await;
        replace(&host, &commit(5), old, new).await;
        let error = load_error(&host).await.to_string();
        assert!(
            error.contains("the commit to version 5 of account `acme`") && error.contains(message),
            "{error}"
        );
        // Whoever read it before can go on from it, and does not touch it.
        let after = request("next", create(["e".to_owned()]));
        let unreadable = host.value(&commit(5)).await;
        shared.execute(&after).await.expect("it is kept");
        assert_eq!(host.value(&commit(5)).await, unreadable);
    }
    report(&format!(
        "{} commits changed by hand: {} clear errors, 0 written over",
        changes.len(),
        changes.len()
    ));
}

#[tokio::test]
async fn a_commit_that_was_deleted_is_missed() {
    for (version, first) in [(1, 1), (2, 2), (5, 3)] {
        let (host, _) = kept().await;
        host.delete(&commit(version)).await;
        let error = load_error(&host).await;
        let Error::Missing { account, version } = error else {
            panic!("{error}");
        };
        assert_eq!((&*account, version), ("acme", first));
    }
}

#[tokio::test]
async fn a_head_that_was_changed_is_found_out() {
    let (host, shared) = kept().await;
    host.change(HEAD, r#"{"format":2}"#).await;
    for error in [
        load_error(&host).await,
        request_error(&host, &shared, "next").await,
    ] {
        let error = error.to_string();
        assert!(
            error.starts_with("the head of account `acme` cannot be read: "),
            "{error}"
        );
    }

    let (host, shared) = kept().await;
    replace(&host, HEAD, r#""version":5"#, r#""version":6"#).await;
    let error = load_error(&host).await;
    assert!(
        matches!(error, Error::Missing { version: 6, .. }),
        "{error}"
    );
    let error = request_error(&host, &shared, "next").await;
    assert!(
        matches!(error, Error::Missing { version: 6, .. }),
        "{error}"
    );

    // Another digest is another branch: whoever knows better says so.
    let (host, shared) = kept().await;
    let other = format!(
        r#"{{"version":5,"digest":"{}","state":"open"}}"#,
        "1".repeat(64)
    );
    host.change(HEAD, other).await;
    let before = host.everything().await;
    let late = request("next", create(["e".to_owned()]));
    let error = shared.execute(&late).await.expect_err("another branch");
    assert_eq!(error.code(), "diverged");
    assert_eq!(host.everything().await, before, "nothing is written");
}

#[tokio::test]
async fn a_head_that_was_set_back_lets_nothing_be_written_over() {
    let (host, _) = kept().await;
    let newest = host.value(&commit(5)).await.expect("it is there");
    let digest = shared_digest_at_2(&host).await;
    host.delete(&commit(5)).await;
    let head = format!(r#"{{"version":2,"digest":"{digest}","state":"open"}}"#);
    host.change(HEAD, head).await;
    let early = host.load("acme").await.expect("it is there");
    assert_eq!(early.version(), 2);

    host.change(&commit(5), newest).await;
    for error in [
        load_error(&host).await,
        request_error(&host, &early, "next").await,
    ] {
        assert!(
            matches!(error, Error::HeadBehind { head: 2, .. }),
            "{error}"
        );
    }

    host.delete(HEAD).await;
    let before = host.everything().await;
    let (id, owner) = (account_id("acme"), id(MemberId::parse, "otto"));
    let (opening, _) = Commit::opening(key("again"), id, owner, GroupLimit::default(), NOW);
    let error = host
        .repository
        .commit(&opening)
        .await
        .expect_err("there is such an account");
    assert!(
        matches!(error, Error::HeadBehind { head: 0, .. }),
        "{error}"
    );
    assert_eq!(host.everything().await, before);
}

/// The digest of the record of version 2.
async fn shared_digest_at_2(host: &Host) -> String {
    let value = host.value(&commit(2)).await.expect("it is there");
    let value: serde_json::Value = serde_json::from_slice(&value).expect("it is JSON");
    let digest = value["records"][0]["digest"].as_str();
    digest.expect("it has one").to_owned()
}

#[tokio::test]
async fn a_request_that_was_changed_is_found_out() {
    const THREE: &str = "access/request/acme/three";
    let (host, shared) = kept().await;
    let remembered = async |name| host.repository.request(shared.id(), &key(name)).await;
    let found = remembered("three").await.expect("it is read");
    assert_eq!(found.expect("it was accepted").version, 5);
    replace(&host, THREE, r#""key":"three""#, r#""key":"one""#).await;
    let error = remembered("three").await.expect_err("it is another's");
    assert_eq!(
        error.to_string(),
        "what is kept as request `three` of account `acme` is something else"
    );
    let error = request_error(&host, &shared, "three").await;
    assert!(matches!(error, Error::Misplaced { .. }), "{error}");

    host.change(THREE, "two").await;
    let error = remembered("three").await.expect_err("it cannot be read");
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
}

#[tokio::test]
async fn a_snapshot_that_was_changed_is_passed_over() {
    let (host, shared) = kept().await;
    let snapshot = shared
        .with(|account| serde_json::to_string(&account.snapshot()))
        .expect("it is JSON");
    for (old, new, message) in [
        (
            r#""snapshot":1"#,
            r#""snapshot":2"#,
            "the snapshot of account `acme` cannot be read: format 2",
        ),
        (
            r#""account":"acme""#,
            r#""account":"umbra""#,
            "what is kept as the snapshot of account `acme` is something",
        ),
    ] {
        host.change(SNAPSHOT, snapshot.replace(old, new)).await;
        let error = host.repository.snapshot(shared.id()).await;
        let error = error.expect_err("it is none").to_string();
        assert!(error.starts_with(message), "{error}");
        let loaded = host.load("acme").await.expect("its records are there");
        assert!(are_equal(&loaded, &shared));
    }
}

//! What etcd itself brings into it: ids in keys, pages, limits of size.

mod common;

use std::num::{NonZeroU32, NonZeroU64};

use grantbook::repository::{AsyncRepository, Commit, CommitOutcome, RecordPage};
use grantbook::{GroupLimit, MemberId, Record};
use grantbook_etcd::{Error, EtcdRepository};

use common::{
    Host, NOW, account_id, are_equal, create, enrol, has_store, id, key, of_storage, open, request,
};

#[tokio::test]
async fn accounts_and_commits_stay_apart_whatever_their_ids() {
    let host = Host::fresh().await;
    let ids = [
        "a",
        "a/",
        "a/a",
        "/",
        "..",
        "a%",
        "a%2F",
        "a%2f",
        "A",
        "a b",
        "a:",
        "*",
        "ä",
        "a\u{301}",
        "head",
        "\"",
        "\\",
        "00000000000000000001",
        "\u{10FFFF}",
    ];
    for account in ids {
        let shared = host.open(account).await;
        for commit in ids {
            let store = create([format!("{account}|{commit}")]);
            let records = shared.execute(&request(commit, store)).await;
            assert_eq!(records.expect("it is kept").records().len(), 1);
        }
    }
    for account in ids {
        let replica = host.load(account).await.expect("it is there");
        let stores = replica.with(|account| account.stores().count());
        assert_eq!(stores, ids.len(), "{account}");
        for (commit, version) in ids.into_iter().zip(2..) {
            assert!(
                has_store(&replica, &format!("{account}|{commit}")),
                "{account} {commit}"
            );
            let remembered = host.repository.request(replica.id(), &key(commit)).await;
            let remembered = remembered.expect("it is read").expect("it was accepted");
            assert_eq!(
                (remembered.before, remembered.version),
                (version - 1, version)
            );
        }
    }
}

#[tokio::test]
async fn repositories_under_two_prefixes_stay_apart() {
    let host = Host::fresh().await;
    let other = EtcdRepository::new(&host.client, "access2");
    host.open("acme").await;
    let error = common::load(&other, "acme")
        .await
        .expect_err("there is none");
    assert_eq!(error.code(), "unknown-account");
    open(&other, "acme").await.expect("it is another account");
}

#[tokio::test]
async fn pages_of_any_size_give_all_records_after_any_version() {
    let host = Host::fresh().await;
    let shared = host.open("acme").await;
    for n in 1..=5 {
        let batch = request(&n.to_string(), create((0..n).map(|k| format!("{n}-{k}"))));
        shared.execute(&batch).await.expect("it is kept");
    }
    let acme = account_id("acme");
    let all = 1 + (1..=5).sum::<u64>();
    for page in (1..=7).filter_map(NonZeroU32::new) {
        let repository = host.repository.clone().with_page(page);
        for after in 0..=all {
            let (mut found, mut reached) = (Vec::new(), after);
            loop {
                let tail = repository.records_after(&acme, reached).await;
                let RecordPage::Records { records, head } = tail.expect("it is read") else {
                    panic!("records are gone");
                };
                assert_eq!(head.expect("it was opened").version, all);
                let Some(record) = records.last() else { break };
                reached = record.version();
                found.extend(records.iter().map(Record::version));
            }
            assert_eq!(
                found,
                (after + 1..=all).collect::<Vec<_>>(),
                "after {after}, {page} a page"
            );
        }
    }
}

#[tokio::test]
async fn a_thousand_records_and_ten_thousand_members_are_kept_in_one_step() {
    let host = Host::fresh().await;
    let shared = host.open("acme").await;
    let batch = request(
        "batch",
        create((0..1_000).map(|n| format!("store {n:0>100}"))),
    );
    let records = shared.execute(&batch).await;
    assert_eq!(records.expect("it is kept").records().len(), 1_000);
    let many = request(
        "many",
        vec![enrol((0..10_000).map(|n| format!("{n:0>128}")))],
    );
    let records = shared.execute(&many).await;
    assert_eq!(records.expect("it is kept").records().len(), 1);

    let replica = host.load("acme").await.expect("it is there");
    assert!(are_equal(&replica, &shared));
    assert_eq!(replica.version(), 1_002);
}

/// The most that a commit's value may take.
const LIMIT: usize = 1_540_096;

/// With the longest of keys, so that nothing else has room either.
#[tokio::test]
async fn the_server_takes_what_is_allowed_and_one_byte_more_is_refused_unwritten() {
    let host = Host::fresh().await;
    let prefix = "p".repeat(500);
    let repository = EtcdRepository::new(&host.client, &prefix);
    let longest = "/".repeat(128);
    let owner = id(MemberId::parse, "olga");
    let limit = GroupLimit::default();
    let (opening, opened) = Commit::opening(key("open"), account_id(&longest), owner, limit, NOW);
    assert_eq!(
        repository.commit(&opening).await.expect("etcd answers"),
        CommitOutcome::Appended
    );

    // So many members of 128 bytes each in the JSON, and a last one of any length.
    let commit = |members: usize, length: usize| {
        let ids = (0..members).map(|n| format!("{n:0>125}"));
        let (half, rest) = (enrol(ids.clone().take(6_000)), enrol(ids.skip(6_000)));
        let last = enrol(["x".repeat(length)]);
        let request = request(&longest, vec![half, rest, last]);
        Commit::decide(&opened, &request).expect("it is allowed")
    };
    let size = |commit: &Commit| {
        let records = serde_json::to_string(commit.records()).expect("records are JSON");
        r#"{"records":}"#.len() + records.len()
    };
    let left = LIMIT - size(&commit(11_900, 1));
    let (members, length) = (11_900 + left / 128, 1 + left % 128);

    let before = host.everything().await;
    let refused = repository.commit(&commit(members, length + 1)).await;
    let refused = refused.expect_err("it is too large");
    assert!(
        matches!(refused, Error::TooLarge { bytes, limit: LIMIT, .. } if bytes == LIMIT + 1),
        "{refused}"
    );
    assert_eq!(host.everything().await, before);

    let kept = repository.commit(&commit(members, length)).await;
    assert_eq!(kept.expect("the server takes it"), CommitOutcome::Appended);
}

#[tokio::test]
async fn a_request_that_is_too_large_is_refused_and_smaller_ones_are_kept() {
    let host = Host::fresh().await;
    let shared = host.open("acme").await;
    // Quotes take twice their length in JSON.
    let members = || (0..10_000).map(|n| format!("{n:\"<120}"));
    let all = request("all", vec![enrol(members())]);
    let error = shared.execute(&all).await.expect_err("it is too large");
    assert_eq!(
        of_storage(error).to_string(),
        "the records of account `acme` up to version 2 take 2391374 bytes, and etcd accepts 1540096 at once; ask for \
         less in one request"
    );
    assert_eq!(host.load("acme").await.expect("it is there").version(), 1);

    for (part, commit) in ["half", "rest"].into_iter().enumerate() {
        let half = request(
            commit,
            vec![enrol(members().skip(part * 5_000).take(5_000))],
        );
        shared.execute(&half).await.expect("it is kept");
    }
    assert_eq!(shared.version(), 3);
}

#[tokio::test]
async fn a_snapshot_is_kept_beside_its_records_and_a_load_begins_with_it() {
    let mut host = Host::fresh().await;
    host.repository = host.repository.clone().with_snapshots(NonZeroU64::new(3));
    let shared = host.open("acme").await;
    for n in 2..=7 {
        let one = request(&n.to_string(), create([n.to_string()]));
        shared.execute(&one).await.expect("it is kept");
    }
    let snapshot = host
        .repository
        .snapshot(&account_id("acme"))
        .await
        .expect("it is read");
    assert_eq!(snapshot.expect("it is there").version(), 6);
    // What the snapshot says is not read again.
    host.change("access/commit/acme/00000000000000000005", "gone")
        .await;
    let replica = host.load("acme").await.expect("it is there");
    assert!(are_equal(&replica, &shared));
}

#[tokio::test]
async fn a_snapshot_without_room_beside_its_records_is_left_out() {
    let mut host = Host::fresh().await;
    host.repository = host.repository.clone().with_snapshots(NonZeroU64::new(1));
    let shared = host.open("acme").await;
    let small = request("small", create(["dev".to_owned()]));
    shared.execute(&small).await.expect("it is kept");
    for n in 3..=4 {
        let many = enrol((0..8_000).map(|member| format!("{n}{member:0>110}")));
        let many = request(&n.to_string(), vec![many]);
        shared.execute(&many).await.expect("it is kept");
    }
    let snapshot = host
        .repository
        .snapshot(&account_id("acme"))
        .await
        .expect("it is read");
    assert_eq!(
        snapshot.map(|snapshot| snapshot.version()),
        Some(2),
        "it is only late"
    );
    let replica = host.load("acme").await.expect("it is there");
    assert!(are_equal(&replica, &shared));
}

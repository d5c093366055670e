//! Many accounts in one process: loaded on demand, bounded, told apart.

use std::cell::RefCell;
use std::convert::Infallible;
use std::num::NonZeroUsize;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn realm_of(most: usize) -> Realm {
    Realm::new(NonZeroUsize::new(most).unwrap())
}

/// Opens an account in which `ann` edits store `dev`.
fn open_with_ann(kept: &MemoryRepository, id: &str) -> Replica {
    let mut replica = open_empty(kept, id);
    let commands = [
        enrol(["ann"]),
        create_store("dev"),
        create_group("devs", "Dev Team", [editor(["dev"])]),
        add("devs", ["ann"]),
    ];
    execute(
        kept,
        &mut replica,
        &request(&Actor::System, &commands, at(0)),
    )
    .unwrap();
    replica
}

fn open_empty(kept: &MemoryRepository, id: &str) -> Replica {
    let (commit, limit) = (commit_id("open"), GroupLimit::default());
    open(kept, commit, account(id), member(OWNER), limit, at(0)).unwrap()
}

fn writes(realm: &Realm, id: &str, who: &str) -> bool {
    let shared = realm.loaded(id).unwrap();
    shared.can(who, &Permission::STORE_WRITE, Resource::Store("dev"))
}

/// A4: the same ids in two accounts never meet: what is granted, taken away, or heard of in one is nothing in another.
#[test]
fn accounts_of_a_realm_never_meet() {
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    let mut one = open_with_ann(&kept, "one");
    open_with_ann(&kept, "other");
    for id in ["one", "other"] {
        realm.load(&kept, &account(id)).unwrap().unwrap();
        assert!(writes(&realm, id, "ann"));
    }
    let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
    let records = execute(&kept, &mut one, &asked).unwrap();
    assert_eq!(realm.ingest(&records[0]), Ok(Some(Ingested::Applied)));
    assert!(!writes(&realm, "one", "ann") && writes(&realm, "other", "ann"));
    assert_eq!(realm.accounts_of("ann").len(), 1);
    // The commit id is the account's, too.
    let mut other = load(&kept, &account("other")).unwrap().unwrap();
    assert_eq!(execute(&kept, &mut other, &asked).unwrap().len(), 1);
    assert!(writes(&realm, "other", "ann"), "until it hears of it");
    assert_eq!(
        realm.notify_version("other", other.version()),
        Some(Freshness::CatchUp { behind: 1 })
    );
    let shared = realm.loaded("other").unwrap();
    shared.catch_up(&kept).unwrap();
    assert!(!writes(&realm, "other", "ann"));
}

/// U2: an account is loaded when it is first asked for, and is one copy from then on; what is not loaded hears nothing.
#[test]
fn an_account_is_loaded_once() {
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    assert!(realm.load(&kept, &account("acme")).unwrap().is_none());
    let mut elsewhere = open_with_ann(&kept, "acme");
    assert!(realm.loaded("acme").is_none());
    assert_eq!(realm.notify_version("acme", 9), None);
    let first = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert_eq!(first.as_of().behind, 0, "it read what is kept");
    let again = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &again));

    // A copy made elsewhere does not replace it, but tells how new it could be.
    let asked = request(&by(OWNER), &[create_store("new")], at(1));
    let records = execute(&kept, &mut elsewhere, &asked).unwrap();
    let inserted = realm.insert(elsewhere.clone());
    assert!(Arc::ptr_eq(&first, &inserted));
    assert_eq!(inserted.as_of().behind, 1);
    inserted.ingest(&records[0]).map(drop).unwrap();
    assert_eq!(*inserted.read(), elsewhere);

    realm.forget("acme");
    assert!(realm.loaded("acme").is_none());
    assert_eq!(realm.ingest(&records[0]), Ok(None));
    let inserted = realm.insert(elsewhere);
    assert!(Arc::ptr_eq(&inserted, &realm.loaded("acme").unwrap()));
}

/// U2: what is heard of an account while it is being loaded is not lost.
#[test]
fn a_notice_during_a_load_is_not_lost() {
    /// Reads, and then, before the answer is back, somebody changes the account and says so.
    struct Late<'a> {
        kept: &'a MemoryRepository,
        realm: &'a Realm,
        elsewhere: RefCell<Option<Replica>>,
    }
    impl Repository for Late<'_> {
        type Error = Infallible;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
            let tail = self.kept.records_after(id, version);
            if let Some(mut elsewhere) = self.elsewhere.take() {
                let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
                execute(self.kept, &mut elsewhere, &asked).unwrap();
                assert_eq!(self.realm.notify_version(id, elsewhere.version()), None);
            }
            tail
        }
        fn records_of(
            &self,
            id: &AccountId,
            commit: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            self.kept.records_of(id, commit)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.kept.commit(commit)
        }
    }
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    let elsewhere = open_with_ann(&kept, "acme");
    let late = Late {
        kept: &kept,
        realm: &realm,
        elsewhere: RefCell::new(Some(elsewhere)),
    };
    realm.load(&late, &account("acme")).unwrap().unwrap();
    assert!(!writes(&realm, "acme", "ann"));
    // And it is forgotten with the load: a later one begins anew.
    realm.forget("acme");
    let loaded = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert_eq!(loaded.as_of().behind, 0);
}

/// U2: a realm holds no more than it was told to: what was asked for longest ago goes first, and what is in use stays.
#[test]
fn a_realm_is_bounded() {
    let kept = MemoryRepository::new();
    // One owner each, so 101 for each account: ten of them.
    let realm = realm_of(1_010);
    let ids: Vec<_> = (0..30).map(|number| format!("a{number}")).collect();
    for id in &ids {
        open_empty(&kept, id);
    }
    let count = || ids.iter().filter(|id| realm.loaded(id).is_some()).count();
    let load = |id: &str| realm.load(&kept, &account(id)).unwrap().unwrap();
    for id in &ids[..10] {
        load(id);
    }
    assert_eq!(count(), 10, "as many as it may hold");
    let in_use = load(&ids[0]);
    for id in &ids[1..4] {
        load(id);
    }
    load(&ids[10]);
    assert!(realm.loaded(&ids[0]).is_some(), "in use");
    for id in &ids[1..4] {
        assert!(realm.loaded(id).is_some(), "asked for a moment ago");
    }
    for id in &ids[4..7] {
        assert!(realm.loaded(id).is_none(), "an eighth more than it must");
    }
    assert!(realm.loaded(&ids[7]).is_some());
    assert!(realm.loaded(&ids[10]).is_some());
    for id in &ids[11..] {
        load(id);
    }
    assert!(count() <= 10);
    assert!(
        Arc::ptr_eq(&in_use, &load(&ids[0])),
        "never two copies of one account"
    );
    drop(in_use);
    for id in &ids[11..] {
        load(id);
    }
    assert!(realm.loaded(&ids[0]).is_none());
    assert!(load(&ids[0]).can(OWNER, &Permission::MANAGE_STORES, Resource::Account));

    // An account larger than all of it is held while it is used.
    let small = realm_of(1);
    let only = small.load(&kept, &account("a1")).unwrap().unwrap();
    let next = small.load(&kept, &account("a2")).unwrap().unwrap();
    drop((only, next));
    small.load(&kept, &account("a3")).unwrap().unwrap();
    assert!(small.loaded("a1").is_none() && small.loaded("a2").is_none());
}

/// U2: a failing storage leaves nothing behind, and the next attempt is a new one.
#[test]
fn a_load_that_fails_can_be_tried_again() {
    struct Fails;
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is gone")]
    struct DiskGone;
    impl Repository for Fails {
        type Error = DiskGone;
        fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, DiskGone> {
            Err(DiskGone)
        }
        fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
            Err(DiskGone)
        }
        fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
            Err(DiskGone)
        }
    }
    let kept = MemoryRepository::new();
    open_empty(&kept, "acme");
    let realm = realm_of(1_000);
    let error = realm.load(&Fails, &account("acme")).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(realm.notify_version("acme", 7), None);
    let loaded = realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert_eq!(
        loaded.as_of().behind,
        0,
        "nobody was loading it when that was heard"
    );
}

/// A4, P4: a person's accounts, and what it is in each, in the order of their ids.
#[test]
fn a_persons_accounts() {
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    for id in ["b", "a", "c", "d"] {
        let mut replica = open_empty(&kept, id);
        let commands: &[Command] = match id {
            "a" => &[invite("ann")],
            "b" => &[enrol(["ann"]), grant_ownership("ann")],
            "c" => &[enrol(["ann"])],
            _ => &[enrol(["Ann"])],
        };
        execute(
            &kept,
            &mut replica,
            &request(&Actor::System, commands, at(0)),
        )
        .unwrap();
        if id != "c" {
            realm.insert(replica);
        }
    }
    let status = |id: &str, status: MemberStatus| (account(id), status);
    let invited = MemberStatus::Invited {
        as_owner: false,
        expires: None,
    };
    let owner = MemberStatus::Active { owner: true };
    assert_eq!(
        realm.accounts_of("ann"),
        [status("a", invited), status("b", owner)],
        "of those that are loaded"
    );
    realm.load(&kept, &account("c")).unwrap().unwrap();
    assert_eq!(realm.accounts_of("ann").len(), 3);
    assert_eq!(realm.accounts_of("nobody"), []);
}

/// U2: threads that ask for the same accounts at once get the same copies, while others are given up and come back.
#[test]
fn threads_share_a_realm() {
    let kept = MemoryRepository::new();
    let ids: Vec<_> = (0..12).map(|number| format!("a{number}")).collect();
    for id in &ids {
        open_with_ann(&kept, id);
    }
    // Five of them: 100, two members and a store each.
    let realm = realm_of(5 * 103);
    let created: u64 = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..4_usize)
            .map(|worker| {
                let (realm, kept, ids) = (&realm, &kept, &ids);
                threads.spawn(move || {
                    let mut created = 0;
                    for step in 0..120 {
                        let id = &ids[(step * 7 + worker * 5) % ids.len()];
                        let shared = realm.load(kept, &account(id)).unwrap().unwrap();
                        assert_eq!(shared.read().id().as_str(), id);
                        assert!(shared.can(
                            "ann",
                            &Permission::STORE_WRITE,
                            Resource::Store("dev")
                        ));
                        if step % 10 == 0 {
                            let store = create_store(&format!("{worker}-{step}"));
                            let asked = request(&by(OWNER), &[store], at(0));
                            created += shared.execute(kept, &asked).unwrap().len() as u64;
                        }
                    }
                    created
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum()
    });
    let kept_versions: u64 = ids
        .iter()
        .map(|id| load(&kept, &account(id)).unwrap().unwrap().version() - 5)
        .sum();
    assert_eq!(kept_versions, created);
    for id in &ids {
        if let Some(shared) = realm.loaded(id) {
            shared.catch_up(&kept).unwrap();
            assert_eq!(*shared.read(), load(&kept, &account(id)).unwrap().unwrap());
        }
    }
}

/// U2: a copy that was left behind by a load that failed is caught up by whoever asks for it next.
#[test]
fn a_load_that_ends_early_leaves_no_old_copy() {
    /// Keeps one page; what is asked for after it fails.
    struct OnePage<'a> {
        kept: &'a MemoryRepository,
        realm: &'a Realm,
        asked: RefCell<usize>,
    }
    #[derive(Debug, thiserror::Error)]
    #[error("the disk is gone")]
    struct DiskGone;
    impl Repository for OnePage<'_> {
        type Error = DiskGone;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
            if self.asked.replace_with(|asked| *asked + 1) > 0 {
                return Err(DiskGone);
            }
            let tail = self.kept.records_after(id, version).map_err(|_| DiskGone);
            let mut elsewhere = load(self.kept, id).unwrap().unwrap();
            let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
            execute(self.kept, &mut elsewhere, &asked).unwrap();
            assert_eq!(self.realm.notify_version(id, elsewhere.version()), None);
            tail
        }
        fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
            Err(DiskGone)
        }
        fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
            Err(DiskGone)
        }
    }
    let kept = MemoryRepository::new();
    let realm = realm_of(1_000_000);
    open_with_ann(&kept, "acme");
    let one_page = OnePage {
        kept: &kept,
        realm: &realm,
        asked: RefCell::default(),
    };
    let error = realm.load(&one_page, &account("acme")).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    realm.load(&kept, &account("acme")).unwrap().unwrap();
    assert!(!writes(&realm, "acme", "ann"));
}

/// U2: what grew since it was loaded counts, and a realm can be asked while a record is shown.
#[test]
fn a_realm_counts_what_is_there_now() {
    let kept = MemoryRepository::new();
    let realm = realm_of(3_000);
    let enrolled: Vec<String> = (0..1_000).map(|number| format!("m{number}")).collect();
    for id in ["a", "b", "c", "d"] {
        open_empty(&kept, id);
    }
    for id in ["a", "b"] {
        let shared = realm.load(&kept, &account(id)).unwrap().unwrap();
        let commands = [enrol(enrolled.iter().map(String::as_str))];
        let asked = request(&Actor::System, &commands, at(0));
        shared.execute(&kept, &asked).unwrap();
    }
    realm.load(&kept, &account("c")).unwrap().unwrap();
    assert!(realm.loaded("a").is_some() && realm.loaded("b").is_some());
    let grows = realm.loaded("c").unwrap();
    let commands = [enrol(enrolled.iter().map(String::as_str))];
    let asked = request(&Actor::System, &commands, at(0));
    let mut shown = 0;
    grows
        .execute_with(&kept, &asked, |_, _| {
            realm.load(&kept, &account("d")).unwrap().unwrap();
            shown += 1;
        })
        .unwrap();
    drop(grows);
    assert_eq!(shown, 1);
    assert!(realm.loaded("d").is_some());
    realm.forget("d");
    realm.load(&kept, &account("d")).unwrap().unwrap();
    assert!(realm.loaded("a").is_none(), "asked for longest ago");
    assert!(realm.loaded("d").is_some());
}

/// U2: over a repository that is waited for it is the same; and an account that is there and up to date is not read
/// again.
#[test]
fn an_account_that_is_there_is_not_read_again() {
    struct Counting(MemoryRepository, AtomicUsize);
    impl Repository for Counting {
        type Error = Infallible;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.records_after(id, version)
        }
        fn records_of(
            &self,
            id: &AccountId,
            commit: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            self.0.records_of(id, commit)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.0.commit(commit)
        }
    }
    fn at_once<T>(loading: impl Future<Output = T>) -> T {
        let mut loading = pin!(loading);
        match loading
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(loaded) => loaded,
            Poll::Pending => panic!("nothing is waited for"),
        }
    }
    let kept = SyncAsAsync(Counting(MemoryRepository::new(), AtomicUsize::new(0)));
    let mut elsewhere = open_with_ann(&kept.0.0, "acme");
    let realm = realm_of(1_000_000);
    let load = |id: &str| at_once(realm.load_async(&kept, &account(id))).unwrap();
    let reads = || kept.0.1.swap(0, Ordering::Relaxed);
    assert!(load("globex").is_none());
    assert_eq!(reads(), 1);
    // Nobody is loading it any more, so what is heard of it is nobody's concern.
    assert_eq!(realm.notify_version("globex", 7), None);
    open_empty(&kept.0.0, "globex");
    load("globex").unwrap();
    assert_eq!(reads(), 1);
    let shared = load("acme").unwrap();
    assert_eq!(reads(), 1);
    assert!(Arc::ptr_eq(&shared, &load("acme").unwrap()));
    assert_eq!(reads(), 0);
    let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
    execute(&kept.0.0, &mut elsewhere, &asked).unwrap();
    let heard = realm.notify_version("acme", elsewhere.version());
    assert_eq!(heard, Some(Freshness::CatchUp { behind: 1 }));
    load("acme").unwrap();
    assert_eq!(reads(), 1);
    assert!(!writes(&realm, "acme", "ann"));
}

//! How many accounts a process holds.

use std::sync::Arc;

use grantbook::repository::*;
use grantbook::*;

use super::{account, open_empty, open_with_ann, realm_of};
use crate::support::*;

/// U2: no more accounts are held than was configured: those asked for longest ago go first, and those in use stay.
#[test]
fn u2_the_accounts_held_are_bounded() {
    let kept = MemoryRepository::new();
    // Each account has one owner, so it counts as 101: ten accounts fit.
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
    assert_eq!(count(), 10, "as many as fit");
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
        assert!(
            realm.loaded(id).is_none(),
            "an eighth more than needed is evicted"
        );
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

    // An account larger than the whole capacity is held while it is used.
    let small = realm_of(1);
    let only = small.load(&kept, &account("a1")).unwrap().unwrap();
    let next = small.load(&kept, &account("a2")).unwrap().unwrap();
    drop((only, next));
    small.load(&kept, &account("a3")).unwrap().unwrap();
    assert!(small.loaded("a1").is_none() && small.loaded("a2").is_none());
}

/// U2: what grew since it was loaded counts, and accounts can be loaded while a record is shown.
#[test]
fn u2_growth_after_loading_counts() {
    let kept = MemoryRepository::new();
    let realm = realm_of(3_000);
    let added: Vec<String> = (0..1_000).map(|number| format!("m{number}")).collect();
    for id in ["a", "b", "c", "d"] {
        open_empty(&kept, id);
    }
    for id in ["a", "b"] {
        let shared = realm.load(&kept, &account(id)).unwrap().unwrap();
        let commands = [enrol(added.iter().map(String::as_str))];
        let asked = request(&Actor::System, &commands, at(0));
        shared.execute(&kept, &asked).unwrap();
    }
    realm.load(&kept, &account("c")).unwrap().unwrap();
    assert!(realm.loaded("a").is_some() && realm.loaded("b").is_some());
    let grows = realm.loaded("c").unwrap();
    let commands = [enrol(added.iter().map(String::as_str))];
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

/// U2: threads that ask for the same accounts at once get the same copies, while others are evicted and loaded again.
#[test]
fn u2_threads_share_the_accounts_held() {
    let kept = MemoryRepository::new();
    let ids: Vec<_> = (0..12).map(|number| format!("a{number}")).collect();
    for id in &ids {
        open_with_ann(&kept, id);
    }
    // Five accounts fit: each counts as 100, two members and a store.
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

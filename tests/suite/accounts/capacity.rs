//! How much a process holds, in bytes.

use grantbook::repository::*;
use grantbook::*;

use super::{account, elsewhere, open_empty, open_with_ann};
use crate::support::*;

/// What one small account is counted for.
fn one_account() -> usize {
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    open_empty(&accounts, "a");
    accounts.held_bytes()
}

/// U2: no more is held than was said: what was asked for longest ago goes first, and what is in use stays.
#[test]
fn u2_the_accounts_held_are_bounded() {
    let kept = MemoryRepository::new();
    let ids: Vec<_> = (0..30).map(|number| format!("a{number}")).collect();
    let there = elsewhere(&kept);
    for id in &ids {
        open_empty(&there, id);
    }
    let one = one_account();
    let capacity = 10 * one;
    let accounts = Accounts::builder(&kept).capacity(capacity).build();
    let count = || {
        ids.iter()
            .filter(|id| accounts.loaded(id).is_some())
            .count()
    };
    let get = |id: &str| accounts.get(&account(id)).unwrap();
    for id in &ids[..10] {
        get(id);
    }
    assert_eq!((count(), accounts.held_bytes()), (10, capacity));
    // `loaded` counts as asking, in the order of the list.
    let in_use = get(&ids[0]);
    for id in &ids[1..4] {
        get(id);
    }
    get(&ids[10]);
    assert!(accounts.held_bytes() <= capacity - capacity / 8);
    for (id, is_there) in ids.iter().zip([true, true, true, true, false, false]) {
        assert_eq!(accounts.loaded(id).is_some(), is_there, "{id}");
    }
    for id in &ids[11..] {
        get(id);
        assert!(accounts.held_bytes() <= capacity);
    }
    let stayed = in_use.clone();
    assert!(
        accounts.loaded(&ids[0]).is_some(),
        "never two copies of one account"
    );
    drop((in_use, stayed));
    for id in &ids[11..] {
        get(id);
    }
    assert!(accounts.loaded(&ids[0]).is_none());
    let again = get(&ids[0]);
    assert!(again.can(OWNER, &Permission::MANAGE_STORES, Resource::Account));

    // An account larger than the whole capacity is held while it is used.
    let small = Accounts::builder(&kept).capacity(1).build();
    let only = small.get(&account("a1")).unwrap();
    let next = small.get(&account("a2")).unwrap();
    assert_eq!(small.held_bytes(), 2 * one);
    drop((only, next));
    drop(small.get(&account("a3")).unwrap());
    assert!(small.loaded("a1").is_none() && small.loaded("a2").is_none());
}

/// U2: what is brought up to date by a timer or a record is not used by that: the account that was asked for last stays.
#[test]
fn u2_refreshing_is_no_use_of_an_account() {
    let kept = MemoryRepository::new();
    let there = elsewhere(&kept);
    let ids = ["a", "b", "c", "d", "e"];
    let asked = request(&by(OWNER), &[create_store("x")], at(1));
    let mut records = Vec::new();
    for id in ids {
        let done = open_empty(&there, id).execute(&asked).unwrap();
        records.extend(done.into_records());
    }
    let capacity = there.held_bytes() * 9 / 10;
    let accounts = Accounts::builder(&kept).capacity(capacity).build();
    for id in &ids[..4] {
        accounts.get(&account(id)).unwrap();
    }
    accounts.refresh(&account("a")).unwrap();
    assert_eq!(accounts.ingest(&records[0]), Ok(Some(Ingested::Duplicate)));
    accounts.get(&account("e")).unwrap();
    assert!(accounts.loaded("a").is_none() && accounts.loaded("d").is_some());
}

/// U2: what grew since it was loaded counts, and what became less no longer does.
#[test]
fn u2_growth_after_loading_counts() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).capacity(300_000).build();
    let added: Vec<String> = (0..1_000).map(|number| format!("m{number}")).collect();
    let added = || added.iter().map(String::as_str);
    for id in ["a", "b"] {
        let handle = open_empty(&accounts, id);
        let asked = request(&Actor::System, &[enrol(added())], at(0));
        handle.execute(&asked).unwrap();
    }
    assert!(accounts.held_bytes() > 200_000);
    let handle = open_empty(&accounts, "c");
    let asked = request(&Actor::System, &[enrol(added())], at(0));
    handle.execute(&asked).unwrap();
    assert!(accounts.loaded("a").is_none(), "asked for longest ago");
    let most = accounts.held_bytes();
    let asked = request(&Actor::System, &[remove_members(added())], at(0));
    handle.execute(&asked).unwrap();
    assert!(accounts.held_bytes() + 90_000 < most);
}

/// U2: threads that ask for the same accounts at once get the same copies, while others are given up and loaded again.
#[test]
fn u2_threads_share_the_accounts_held() {
    let kept = MemoryRepository::new();
    let ids: Vec<_> = (0..12).map(|number| format!("a{number}")).collect();
    let there = elsewhere(&kept);
    for id in &ids {
        open_with_ann(&there, id);
    }
    // Five accounts fit, and a half.
    let accounts = Accounts::builder(&kept)
        .capacity(there.held_bytes() * 11 / 24)
        .build();
    let created: u64 = std::thread::scope(|threads| {
        let workers: Vec<_> = (0..4_usize)
            .map(|worker| {
                let (accounts, ids) = (&accounts, &ids);
                threads.spawn(move || {
                    let mut created = 0;
                    for step in 0..120 {
                        let id = &ids[(step * 7 + worker * 5) % ids.len()];
                        let handle = accounts.get(&account(id)).unwrap();
                        assert_eq!(handle.id().as_str(), id);
                        let (write, dev) = (Permission::STORE_WRITE, Resource::Store("dev"));
                        assert!(handle.can("ann", &write, dev));
                        if step % 10 == 0 {
                            let store = create_store(&format!("{worker}-{step}"));
                            let asked = request(&by(OWNER), &[store], at(0));
                            created += handle.execute(&asked).unwrap().records().len() as u64;
                        }
                    }
                    created
                })
            })
            .collect();
        let workers = workers.into_iter();
        workers.map(|worker| worker.join().unwrap()).sum()
    });
    let kept_versions: u64 = ids
        .iter()
        .map(|id| load(&kept, &account(id)).unwrap().unwrap().version() - 5)
        .sum();
    assert_eq!(kept_versions, created);
    for handle in accounts.held() {
        let stored = load(&kept, handle.id()).unwrap().unwrap();
        assert!(handle.with(|account| *account == *stored));
    }
}

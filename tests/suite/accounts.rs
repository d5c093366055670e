//! The accounts that a process holds: loaded on demand, bounded, kept apart.

mod capacity;
mod loading;

use std::num::NonZeroUsize;

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

/// A4: the same ids in two accounts have nothing to do with each other: what is granted, taken away or heard of in one
/// changes nothing in another.
#[test]
fn a4_accounts_of_a_process_are_independent() {
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
    // A key belongs to its account, too.
    let mut other = load(&kept, &account("other")).unwrap().unwrap();
    assert_eq!(execute(&kept, &mut other, &asked).unwrap().len(), 1);
    assert!(writes(&realm, "other", "ann"), "until it is told");
    assert_eq!(
        realm.notify_version("other", other.version()),
        Some(Freshness::CatchUp { behind: 1 })
    );
    let shared = realm.loaded("other").unwrap();
    shared.catch_up(&kept).unwrap();
    assert!(!writes(&realm, "other", "ann"));
}

/// A4, P4: the accounts of a person, and the person's status in each, in the order of their ids.
#[test]
fn a4_the_accounts_of_a_person_are_listed_apart() {
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
        "only those that are loaded"
    );
    realm.load(&kept, &account("c")).unwrap().unwrap();
    assert_eq!(realm.accounts_of("ann").len(), 3);
    assert_eq!(realm.accounts_of("nobody"), []);
}

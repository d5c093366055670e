//! The accounts that a process holds: loaded on demand, shared by threads, observed, bounded, kept apart.

mod branches;
mod capacity;
mod doubt;
mod hooked;
mod late;
mod loading;
mod observing;
mod preparing;
mod sharing;
mod turns;
mod waiting;

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

type Held<R> = Accounts<SyncStorage<R>>;
type Handle<R> = SharedAccount<SyncStorage<R>>;

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// Opens an account in which `ann` edits store `dev`.
fn open_with_ann<R: Repository>(accounts: &Held<R>, id: &str) -> Handle<R> {
    let handle = open_empty(accounts, id);
    let commands = [
        enrol(["ann"]),
        create_store("dev"),
        create_group("devs", "Dev Team", [editor(["dev"])]),
        add("devs", ["ann"]),
    ];
    let asked = request(&Actor::System, &commands, at(0));
    handle.execute(&asked).unwrap();
    handle
}

fn open_empty<R: Repository>(accounts: &Held<R>, id: &str) -> Handle<R> {
    let (key, limit) = (commit_id("open"), GroupLimit::default());
    accounts
        .open(key, account(id), member(OWNER), limit, at(0))
        .unwrap()
}

fn create(store: &str) -> Request {
    request(&by(OWNER), &[create_store(store)], at(1))
}

/// The accounts of another process over the same repository.
fn elsewhere<R: Repository>(kept: &R) -> Held<&R> {
    Accounts::builder(kept).build()
}

fn writes<R: Repository>(handle: &Handle<R>, who: &str) -> bool {
    handle.can(who, &Permission::STORE_WRITE, Resource::Store("dev"))
}

/// A4: the same ids in two accounts have nothing to do with each other: what is granted, taken away or heard of in one
/// changes nothing in another.
#[test]
fn a4_accounts_of_a_process_are_independent() {
    let accounts = Accounts::builder(MemoryRepository::new()).build();
    let one = open_with_ann(&accounts, "one");
    let other = open_with_ann(&accounts, "other");
    let kept = accounts.repository();
    let asked = request(&by(OWNER), &[remove_member("ann")], at(1));
    let there = elsewhere(kept);
    let done = there.get(&account("one")).unwrap().execute(&asked).unwrap();
    let applied = accounts.ingest(&done.records()[0]);
    assert_eq!(applied, Ok(Some(Ingested::Applied)));
    assert!(!writes(&one, "ann") && writes(&other, "ann"));
    assert_eq!(accounts.accounts_of("ann").len(), 1);
    // A key belongs to its account, too.
    let done = there.get(&account("other")).unwrap().execute(&asked);
    let version = done.unwrap().version();
    assert!(writes(&other, "ann"), "until it is told");
    let behind = Some(Freshness::CatchUp { behind: 1 });
    assert_eq!(accounts.notify_version("other", version), behind);
    other.refresh().unwrap();
    assert!(!writes(&other, "ann"));
}

/// A4, P4: the accounts of a person, and the person's status in each, in the order of their ids.
#[test]
fn a4_the_accounts_of_a_person_are_listed_apart() {
    let kept = MemoryRepository::new();
    let accounts = Accounts::builder(&kept).build();
    for id in ["b", "a", "c", "d"] {
        let commands: &[Command] = match id {
            "a" => &[invite("ann")],
            "b" => &[enrol(["ann"]), grant_ownership("ann")],
            "c" => &[enrol(["ann"])],
            _ => &[enrol(["Ann"])],
        };
        let there = elsewhere(&kept);
        let asked = request(&Actor::System, commands, at(0));
        open_empty(&there, id).execute(&asked).unwrap();
        if id != "c" {
            accounts.get(&account(id)).unwrap();
        }
    }
    let status = |id: &str, status: MemberStatus| (account(id), status);
    let invited = MemberStatus::Invited {
        as_owner: false,
        expires: None,
    };
    let owner = MemberStatus::Active { owner: true };
    assert_eq!(
        accounts.accounts_of("ann"),
        [status("a", invited), status("b", owner)],
        "only those that are held"
    );
    let held: Vec<_> = accounts.held();
    let held: Vec<_> = held.iter().map(|account| account.id().as_str()).collect();
    assert_eq!(held, ["a", "b", "d"], "in their order");
    accounts.get(&account("c")).unwrap();
    assert_eq!(accounts.accounts_of("ann").len(), 3);
    assert_eq!(accounts.accounts_of("nobody"), []);
}

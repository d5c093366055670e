//! A small account to try things on.

use grantbook::command::{AddMembers, GrantOwnership, RevokeOwnership};
use grantbook::repository::{Replica, Request, Shared, open_async};
use grantbook::{
    AccountId, Actor, Command, GroupLimit, IdempotencyKey, MemberId, Permission, Resource,
    Timestamp,
};
use grantbook_postgres::PostgresRepository;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) fn account(name: &str) -> AccountId {
    AccountId::parse(name).expect("an id")
}

pub(crate) fn member(name: &str) -> MemberId {
    MemberId::parse(name).expect("an id")
}

/// A request of the host's own.
pub(crate) fn request(commit: &str, commands: Vec<Command>) -> Request {
    Request {
        commit: IdempotencyKey::parse(commit).expect("an id"),
        actor: Actor::System,
        commands,
        now: NOW,
        note: None,
    }
}

/// An account of this name at version 1, with the owner olga.
pub(crate) async fn opened(repository: &PostgresRepository, name: &str) -> Replica {
    let commit = IdempotencyKey::parse("open").expect("an id");
    let (owner, limit) = (member("olga"), GroupLimit::default());
    let opened = open_async(repository, commit, account(name), owner, limit, NOW).await;
    opened.expect("it is new")
}

/// An account of this name at version 3, in two commits: olga and otto own it.
pub(crate) async fn with_two_owners(repository: &PostgresRepository, name: &str) -> Shared {
    let shared = Shared::new(opened(repository, name).await);
    add_otto(repository, &shared).await;
    shared
}

/// Takes an account from version 1 to 3, in one commit: otto owns it too.
pub(crate) async fn add_otto(repository: &PostgresRepository, shared: &Shared) {
    let request = request("two", vec![enrol("otto"), grant("otto")]);
    let done = shared.execute_async(repository, &request).await;
    assert_eq!(done.expect("it is done").len(), 2);
}

pub(crate) fn enrol(name: &str) -> Command {
    let members = [member(name)].into();
    Command::AddMembers(AddMembers { members })
}

pub(crate) fn grant(name: &str) -> Command {
    let member = member(name);
    Command::GrantOwnership(GrantOwnership { member })
}

pub(crate) fn revoke(name: &str) -> Command {
    let member = member(name);
    Command::RevokeOwnership(RevokeOwnership { member })
}

pub(crate) fn owns(account: &grantbook::Account, name: &str) -> bool {
    account.can(name, &Permission::MANAGE_OWNERS, Resource::Account)
}

//! A small account to try things on.

use grantbook::command::{AddMembers, GrantOwnership, RevokeOwnership};
use grantbook::repository::{
    Accounts, AsyncStorage, Commit, Prepared, RepositoryError, Request, SharedAccount,
};
use grantbook::{
    AccountId, Actor, Command, GroupLimit, IdempotencyKey, MemberId, Permission, Resource,
    Timestamp,
};
use grantbook_postgres::{Error, PostgresRepository};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(crate) fn account(name: &str) -> AccountId {
    AccountId::parse(name).expect("an id")
}

pub(crate) fn member(name: &str) -> MemberId {
    MemberId::parse(name).expect("an id")
}

/// A request of the application's own.
pub(crate) fn request(key: &str, commands: Vec<Command>) -> Request {
    let key = IdempotencyKey::parse(key).expect("a key");
    Request::by(Actor::System, key, NOW).commands(commands)
}

/// A process's accounts, and a handle to one.
pub(crate) type Held = Accounts<AsyncStorage<PostgresRepository>>;
pub(crate) type Copy = SharedAccount<AsyncStorage<PostgresRepository>>;

/// The accounts of another process.
pub(crate) fn held(repository: &PostgresRepository) -> Held {
    Accounts::builder(repository.clone()).build_async()
}

/// The account, as another process loads it.
pub(crate) async fn loaded(
    repository: &PostgresRepository,
    name: &str,
) -> Result<Copy, RepositoryError> {
    held(repository).get(&account(name)).await
}

/// An account of this name at version 1, with the owner olga.
pub(crate) async fn opened(repository: &PostgresRepository, name: &str) -> Copy {
    let key = IdempotencyKey::parse("open").expect("a key");
    let (owner, limit) = (member("olga"), GroupLimit::default());
    let accounts = held(repository);
    let opened = accounts.open(key, account(name), owner, limit, NOW);
    opened.await.expect("it is new")
}

/// An account of this name at version 3, in two commits: olga and otto own it.
pub(crate) async fn with_two_owners(repository: &PostgresRepository, name: &str) -> Copy {
    let copy = opened(repository, name).await;
    add_otto(&copy).await;
    copy
}

/// Takes an account from version 1 to 3, in one commit: otto owns it too.
pub(crate) async fn add_otto(copy: &Copy) {
    let request = request("two", vec![enrol("otto"), grant("otto")]);
    let done = copy.execute(&request).await;
    assert_eq!(done.expect("it is done").records().len(), 2);
}

/// The commit of a request that was not done before.
pub(crate) async fn prepared(copy: &Copy, request: &Request) -> Result<Commit, RepositoryError> {
    match copy.prepare(request).await? {
        Prepared::Commit(commit) => Ok(*commit),
        Prepared::Done(done) => panic!("it was done before: {done:?}"),
    }
}

/// What the database itself said.
pub(crate) fn in_database(error: &RepositoryError) -> Option<&Error> {
    match error {
        RepositoryError::Storage(error) => error.downcast_ref(),
        _ => None,
    }
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

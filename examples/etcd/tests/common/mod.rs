//! What the tests begin with.

#![allow(dead_code)] // each test program uses a part

pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod waiting;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io::Write;

use etcd_client::{Client, GetOptions, KeyValue};
use grantbook::command::{AddMembers, CreateStore};
use grantbook::repository::{Accounts, AsyncStorage, RepositoryError, Request, SharedAccount};
use grantbook::{
    AccountId, Actor, Command, GroupLimit, IdempotencyKey, MemberId, StoreId, Timestamp,
};
use grantbook_etcd::{Error, EtcdRepository};

use self::server::Cluster;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A server, a client, and a repository under `access`.
pub(crate) struct Host {
    pub(crate) server: Cluster,
    pub(crate) client: Client,
    pub(crate) repository: EtcdRepository,
}

impl Host {
    pub(crate) async fn fresh() -> Self {
        let server = Cluster::start(1);
        let client = server::client(&server.endpoints()).await;
        let repository = EtcdRepository::new(&client, "access");
        Self {
            server,
            client,
            repository,
        }
    }

    pub(crate) async fn open(&self, account: &str) -> Copy {
        let opened = Box::pin(open(&self.repository, account)).await;
        opened.expect("it opens")
    }

    /// The account, as another process loads it.
    pub(crate) async fn load(&self, account: &str) -> Result<Copy, RepositoryError> {
        Box::pin(load(&self.repository, account)).await
    }

    /// The value of a key.
    pub(crate) async fn value(&self, key: &str) -> Option<Vec<u8>> {
        let found = self.client.kv_client().get(key, None).await;
        let found = found.expect("etcd answers");
        found.kvs().first().map(|kept| kept.value().to_vec())
    }

    /// Writes as a hand would.
    pub(crate) async fn change(&self, key: &str, value: impl Into<Vec<u8>>) {
        let changed = self.client.kv_client().put(key, value, None).await;
        changed.expect("etcd answers");
    }

    pub(crate) async fn delete(&self, key: &str) {
        let deleted = self.client.kv_client().delete(key, None).await;
        assert_eq!(deleted.expect("etcd answers").deleted(), 1, "{key}");
    }

    /// All that there is.
    pub(crate) async fn everything(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let all = Some(GetOptions::new().with_all_keys());
        let mut kv = self.client.kv_client().max_decoding_message_size(1 << 30);
        let mut found = kv.get("", all).await.expect("etcd answers");
        let all = found.take_kvs().into_iter();
        all.map(KeyValue::into_key_value).collect()
    }
}

/// A process's accounts, and a handle to one.
pub(crate) type Held = Accounts<AsyncStorage<EtcdRepository>>;
pub(crate) type Copy = SharedAccount<AsyncStorage<EtcdRepository>>;

/// The accounts of another process.
pub(crate) fn held(repository: &EtcdRepository) -> Held {
    Accounts::builder(repository.clone()).build_async()
}

pub(crate) async fn open(
    repository: &EtcdRepository,
    account: &str,
) -> Result<Copy, RepositoryError> {
    let (key, owner) = (key("open"), id(MemberId::parse, "olga"));
    let (account, limit) = (account_id(account), GroupLimit::default());
    held(repository).open(key, account, owner, limit, NOW).await
}

pub(crate) async fn load(
    repository: &EtcdRepository,
    account: &str,
) -> Result<Copy, RepositoryError> {
    held(repository).get(&account_id(account)).await
}

/// Whether two copies hold the same.
pub(crate) fn are_equal(one: &Copy, other: &Copy) -> bool {
    one.with(|one| other.with(|other| one == other))
}

pub(crate) fn has_store(copy: &Copy, store: &str) -> bool {
    copy.with(|account| account.has_store(store))
}

/// What etcd's repository itself said.
pub(crate) fn of_storage(error: RepositoryError) -> Error {
    match error {
        RepositoryError::Storage(error) => *error.downcast().expect("it is of etcd's repository"),
        other => panic!("not of the storage: {other}"),
    }
}

pub(crate) fn request(name: &str, commands: Vec<Command>) -> Request {
    Request::by(Actor::System, key(name), NOW).commands(commands)
}

/// A command for each of these stores.
pub(crate) fn create(stores: impl IntoIterator<Item = String>) -> Vec<Command> {
    let stores = stores.into_iter();
    stores
        .map(|store| {
            Command::CreateStore(CreateStore {
                store: id(StoreId::parse, &store),
            })
        })
        .collect()
}

pub(crate) fn enrol(members: impl IntoIterator<Item = String>) -> Command {
    let members = members.into_iter();
    let members: BTreeSet<_> = members.map(|member| id(MemberId::parse, &member)).collect();
    Command::AddMembers(AddMembers { members })
}

pub(crate) fn account_id(text: &str) -> AccountId {
    id(AccountId::parse, text)
}

pub(crate) fn key(text: &str) -> IdempotencyKey {
    id(IdempotencyKey::parse, text)
}

pub(crate) fn id<T, E: Debug>(parse: fn(&str) -> Result<T, E>, text: &str) -> T {
    parse(text).expect("an id")
}

/// Prints a line that is seen even when the test passes.
pub(crate) fn report(line: &str) {
    // What `println` says is kept from sight.
    let mut stdout = std::io::stdout();
    writeln!(stdout, "fault: etcd, {line}").expect("somebody listens");
}

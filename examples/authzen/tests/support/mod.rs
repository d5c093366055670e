//! A service with one account, made of who may do what, and a vocabulary of its own.

#![allow(dead_code)] // each test takes what it needs

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use grantbook::repository::{self, Accounts, MemoryRepository, SyncStorage};
use grantbook::{
    Actor, Command, Grant, GroupLimit, IdempotencyKey, MemberId, Permission, Resource, RoleId,
    RoleLevel, StoreId, Timestamp,
};
use grantbook_authzen::{Action, Keys, PolicyHost, PublicUrl, Vocabulary, router};
use serde_json::Value;
use tower::ServiceExt;

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
pub(crate) const KEY: &str = "9f2c6e6d0b7a4f6e";

/// Subjects of the types `user` and `identity` are members; a resource of any type of `kinds` is a store whose id has
/// the type in front; each action has its permission. To delete softly is another permission than to delete.
#[derive(Debug, Default)]
pub(crate) struct Words {
    kinds: BTreeSet<String>,
    permissions: BTreeMap<String, Permission>,
}

impl Vocabulary for Words {
    fn member(&self, kind: &str, id: &str) -> Option<String> {
        // The owner is nobody here: it may do everything.
        let is_known = ["user", "identity"].contains(&kind) && id != "olga";
        is_known.then(|| id.to_owned())
    }

    fn resource(&self, _: &str, kind: &str, id: &str) -> Option<Resource> {
        self.kinds.get(kind)?;
        format!("{kind}:{id}").parse().ok().map(Resource::Store)
    }

    fn resource_id(&self, _: &str, kind: &str, resource: Resource<&str>) -> Option<String> {
        let Resource::Store(store) = resource else {
            return None;
        };
        let id = store.strip_prefix(kind)?.strip_prefix(':');
        id.map(str::to_owned)
    }

    fn permission(&self, _: &str, action: &Action) -> Option<Permission> {
        let properties = action.properties.as_ref();
        let is_soft =
            properties.and_then(|properties| properties.get("soft")) == Some(&Value::Bool(true));
        let soft = if is_soft { ":soft" } else { "" };
        self.permissions
            .get(&format!("{}{soft}", action.name))
            .cloned()
    }

    fn action(&self, _: &str, permission: &Permission) -> Option<Action> {
        let mut named = self.permissions.iter();
        let (name, _) = named.find(|(_, other)| *other == permission)?;
        let name = name.split(':').next()?.to_owned();
        Some(Action {
            name,
            properties: None,
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) accounts: Accounts<SyncStorage<MemoryRepository>>,
    words: Arc<Words>,
    keys: Arc<Keys>,
    url: PublicUrl,
}

impl PolicyHost for App {
    type Repository = MemoryRepository;
    type Vocabulary = Words;

    fn accounts(&self) -> &Accounts<SyncStorage<MemoryRepository>> {
        &self.accounts
    }

    fn vocabulary(&self) -> &Words {
        &self.words
    }

    fn allows(&self, account: &str, key: &str) -> bool {
        self.keys.allows(account, key)
    }

    fn public_url(&self) -> &PublicUrl {
        &self.url
    }

    fn now(&self) -> Timestamp {
        NOW
    }
}

impl App {
    /// The same, as those see it who reach it at this address.
    pub(crate) fn at(self, url: &str) -> Self {
        let url = PublicUrl::parse(url).unwrap();
        Self { url, ..self }
    }

    /// The account `acme`, in which each of these may do this in this store: each member is in a group of its own, and
    /// each action is a role. The account `globex` has nobody but its owner.
    pub(crate) fn new<'g>(granted: impl IntoIterator<Item = (&'g str, &'g str, &'g str)>) -> Self {
        let granted: BTreeSet<_> = granted.into_iter().collect();
        let mut words = Words::default();
        let (mut setup, mut stores) = (Vec::new(), BTreeSet::new());
        for (_, action, store) in &granted {
            stores.insert(*store);
            words
                .kinds
                .insert(store.split(':').next().unwrap().to_owned());
            let permission = format!("app.{}", action.to_lowercase().replace(':', "-"));
            words
                .permissions
                .insert((*action).to_owned(), permission.parse().unwrap());
        }
        setup.extend(
            stores
                .iter()
                .map(|store| Command::create_store(store_id(store))),
        );
        for (number, permission) in words.permissions.values().enumerate() {
            let (id, name) = (role(permission), format!("Role {number}").parse().unwrap());
            setup.push(Command::define_role(
                id,
                name,
                RoleLevel::Store,
                [permission.clone()],
            ));
        }
        let members: BTreeSet<&str> = granted.iter().map(|(member, ..)| *member).collect();
        for (number, member) in members.iter().enumerate() {
            let mut grants: BTreeMap<RoleId, Vec<StoreId>> = BTreeMap::new();
            for (_, action, store) in granted.iter().filter(|(other, ..)| other == member) {
                let role = role(&words.permissions[*action]);
                grants.entry(role).or_default().push(store_id(store));
            }
            let group: grantbook::GroupId = format!("group-{number}").parse().unwrap();
            let grants = grants
                .into_iter()
                .map(|(role, stores)| Grant::in_stores(role, stores));
            let member: MemberId = member.parse().unwrap();
            let name = format!("Group {number}").parse().unwrap();
            setup.push(Command::add_members([&member]));
            setup.push(Command::create_group(&group, name, grants));
            setup.push(Command::add_to_group(&group, [&member]));
        }
        let mut keys = Keys::default();
        let accounts = Accounts::builder(MemoryRepository::new()).build();
        for (account, setup) in [("acme", setup), ("globex", Vec::new())] {
            keys.insert(account, &format!("{KEY}-{account}"));
            let key: IdempotencyKey = format!("open-{account}").parse().unwrap();
            let (id, owner) = (account.parse().unwrap(), "olga".parse().unwrap());
            accounts
                .open(key, id, owner, GroupLimit::default(), NOW)
                .unwrap();
            let key = format!("setup-{account}").parse().unwrap();
            let request = repository::Request::by(Actor::System, key, NOW).commands(setup);
            accounts.loaded(account).unwrap().execute(&request).unwrap();
        }
        Self {
            accounts,
            words: Arc::new(words),
            keys: Arc::new(keys),
            url: PublicUrl::parse("https://pdp.example").unwrap(),
        }
    }

    pub(crate) fn router(&self) -> Router {
        router(self.clone())
    }

    /// Posts a body to an endpoint of `acme`.
    pub(crate) async fn ask(&self, endpoint: &str, body: impl Into<String>) -> Answer {
        let path = format!("/acme/access/v1/{endpoint}");
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {KEY}-acme"));
        self.send(request.body(Body::from(body.into())).unwrap())
            .await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            text,
            json,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// The decisions of a list.
    pub(crate) fn decisions(&self) -> Vec<bool> {
        let all = self.json["evaluations"].as_array();
        let all = all.unwrap_or_else(|| panic!("{self:?}"));
        all.iter()
            .map(|one| one["decision"].as_bool().unwrap())
            .collect()
    }

    pub(crate) fn results(&self) -> &[Value] {
        let all = self.json["results"].as_array();
        all.unwrap_or_else(|| panic!("{self:?}"))
    }
}

pub(crate) fn store_id(id: &str) -> StoreId {
    id.parse().unwrap()
}

fn role(permission: &Permission) -> RoleId {
    permission.as_str().replace('.', "-").parse().unwrap()
}

/// Two people and two records, as a small service has them.
pub(crate) fn records() -> App {
    App::new([
        ("alice", "read", "record:record-1"),
        ("alice", "write", "record:record-1"),
        ("alice", "delete:soft", "record:record-1"),
        ("alice", "read", "record:record-2"),
        ("bob", "read", "record:record-1"),
        ("bob", "read", "record:record-2"),
        ("bob", "write", "record:record-2"),
    ])
}

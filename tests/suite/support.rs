//! Short words for what every test needs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use grantbook::repository::{
    Commit, CommitOutcome, Head, HeadState, RecordPage, Repository, Request, StoredRequest,
};
use grantbook::*;

pub(crate) use crate::commands::constructors::*;

pub(crate) const OWNER: &str = "olga";
pub(crate) const MANAGER: &str = "gil";

pub(crate) fn member(id: &str) -> MemberId {
    MemberId::parse(id).unwrap()
}

pub(crate) fn members<'a>(ids: impl IntoIterator<Item = &'a str>) -> BTreeSet<MemberId> {
    ids.into_iter().map(member).collect()
}

pub(crate) fn store(id: &str) -> StoreId {
    StoreId::parse(id).unwrap()
}

pub(crate) fn group(id: &str) -> GroupId {
    GroupId::parse(id).unwrap()
}

pub(crate) fn role(id: &str) -> RoleId {
    RoleId::parse(id).unwrap()
}

pub(crate) fn permission(text: &str) -> Permission {
    Permission::parse(text).unwrap()
}

pub(crate) fn permissions<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<Permission> {
    texts.into_iter().map(permission).collect()
}

pub(crate) fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

pub(crate) fn commit_id(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

/// A request like no other.
pub(crate) fn request(actor: &Actor, commands: &[Command], now: Timestamp) -> Request {
    Request::by(actor.clone(), next_commit_id(), now).commands(commands.to_vec())
}

/// Stores the records of an account, from its first one on, as the commits that they were.
pub(crate) fn store_history(kept: &impl Repository, records: &[Record]) {
    let mut head = None;
    for commit in records.split_inclusive(|record| record.commit().is_last()) {
        let request = StoredRequest {
            key: next_commit_id(),
            actor: commit[0].actor().clone(),
            digest: *commit[0].digest(), // of a request that nobody makes again
            before: commit[0].version() - 1,
            version: commit[commit.len() - 1].version(),
        };
        let account = commit[0].account().clone();
        let commit = Commit::copied(account, request, head, commit.to_vec()).unwrap();
        assert_eq!(kept.commit(&commit).unwrap(), CommitOutcome::Appended);
        head = Some(*commit.head());
    }
}

/// The head after a record, of an account that is not closed.
pub(crate) fn head_after(record: &Record) -> Head {
    Head {
        version: record.version(),
        digest: *record.digest(),
        state: HeadState::Open,
    }
}

/// All records after a version of a repository that gives them at once.
pub(crate) fn records_after<R: Repository>(
    kept: &R,
    account: &AccountId,
    version: u64,
) -> Vec<Record> {
    match kept.records_after(account, version).unwrap() {
        RecordPage::Records { records, .. } => records,
        RecordPage::Compacted => panic!("the records after {version} are gone"),
    }
}

fn next_commit_id() -> IdempotencyKey {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    commit_id(&format!(
        "request {}",
        COUNT.fetch_add(1, Ordering::Relaxed)
    ))
}

pub(crate) fn by(id: &str) -> Actor {
    Actor::Member(member(id))
}

pub(crate) fn editor<const N: usize>(stores: [&str; N]) -> Grant {
    Grant::store_editor(stores.map(store))
}

pub(crate) fn viewer<const N: usize>(stores: [&str; N]) -> Grant {
    Grant::store_viewer(stores.map(store))
}

/// An event with everything that its stored form holds: what is left out is written as null, or as an empty list.
pub(crate) fn whole_event(mut event: serde_json::Value) -> serde_json::Value {
    let optional: &[&str] = match event["kind"].as_str() {
        Some("account-opened") => &["key"],
        Some("member-invited") => &["expires"],
        Some("group-edited") => &["name", "description", "grants"],
        Some("role-changed") => &["name", "permissions"],
        Some("role-revoked") => &["stores"],
        _ => &[],
    };
    for field in optional {
        event
            .as_object_mut()
            .unwrap()
            .entry(*field)
            .or_insert_with(|| serde_json::Value::Null);
    }
    if event["kind"] == "members-added" {
        let fields = event.as_object_mut().unwrap();
        fields
            .entry("ended")
            .or_insert_with(|| serde_json::json!([]));
    }
    event
}

/// A group's grants as a list.
pub(crate) trait GrantList {
    fn grant_list(&self) -> Vec<Grant>;
}

impl GrantList for Group<'_> {
    fn grant_list(&self) -> Vec<Grant> {
        self.grants().map(GrantRef::to_grant).collect()
    }
}

/// An account with all its records, and a clock that the test sets.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) account: Account,
    pub(crate) records: Vec<Record>,
    pub(crate) now: u64,
}

impl World {
    /// One owner, and nothing else.
    pub(crate) fn new() -> Self {
        Self::with_limit(20)
    }

    pub(crate) fn with_limit(groups: u16) -> Self {
        let (id, limit) = (
            AccountId::parse("acme").unwrap(),
            GroupLimit::new(groups).unwrap(),
        );
        let (account, record) = Account::open(id, member(OWNER), limit, at(1_000));
        Self {
            account,
            records: vec![record],
            now: 1_000,
        }
    }

    /// Stores `dev` and `prod`; group `it` of Group Manager with `gil`; group `devs`, Store Editor of `dev`, with
    /// `dana`; `vic` in group `viewers`, Store Viewer of `prod`; `nils` in no group; `ina` invited, in `devs`.
    pub(crate) fn staffed() -> Self {
        let mut world = Self::new();
        world.system(enrol(["gil", "dana", "vic", "nils"]));
        for command in [
            create_store("dev"),
            create_store("prod"),
            create_group("it", "IT Group", [Grant::group_manager()]),
            create_group("devs", "Dev Team", [editor(["dev"])]),
            create_group("viewers", "Read-Only Access", [viewer(["prod"])]),
            add("it", [MANAGER]),
            add("viewers", ["vic"]),
            invite("ina"),
            add("devs", ["dana", "ina"]),
        ] {
            world.ok(OWNER, command);
        }
        world
    }

    pub(crate) fn decide(
        &self,
        actor: &Actor,
        command: &Command,
    ) -> Result<Option<Record>, CommandError> {
        self.account.decide(actor, command, at(self.now))
    }

    pub(crate) fn execute(&mut self, actor: &Actor, command: &Command) -> Option<Event> {
        let decided = self.decide(actor, command);
        let record = self.account.execute(actor, command, at(self.now));
        assert_eq!(decided, record, "what is decided is what is done");
        assert!(self.account.index_is_exact());
        let record = record.unwrap_or_else(|refusal| panic!("{actor} {command:?}: {refusal}"))?;
        assert_eq!(record.version(), self.account.version());
        assert_eq!(record.actor(), actor);
        self.records.push(record.clone());
        Some(record.event().clone())
    }

    /// The command is accepted and changes something.
    #[track_caller]
    pub(crate) fn ok(&mut self, actor: &str, command: Command) -> Event {
        self.execute(&by(actor), &command)
            .expect("something changes")
    }

    #[track_caller]
    pub(crate) fn system(&mut self, command: Command) -> Event {
        self.execute(&Actor::System, &command)
            .expect("something changes")
    }

    /// The command is accepted and changes nothing.
    #[track_caller]
    pub(crate) fn no_change(&mut self, actor: &str, command: Command) {
        let before = self.account.clone();
        assert_eq!(self.execute(&by(actor), &command), None);
        assert_eq!(self.account, before);
    }

    /// The command is refused, and nothing changes.
    #[track_caller]
    pub(crate) fn refused(&mut self, actor: impl Into<Who>, command: Command) -> CommandError {
        let actor = actor.into().0;
        let before = self.account.clone();
        let refusal = self
            .account
            .execute(&actor, &command, at(self.now))
            .unwrap_err();
        assert_eq!(self.account, before, "a refused command changes nothing");
        assert_eq!(
            before.decide(&actor, &command, at(self.now)),
            Err(refusal.clone())
        );
        refusal
    }

    #[track_caller]
    pub(crate) fn assert_refused(&mut self, actor: impl Into<Who>, command: Command, code: &str) {
        let refusal = self.refused(actor, command);
        assert_eq!(refusal.code(), code, "{refusal}");
    }

    pub(crate) fn level(&self, member: &str, store: &str) -> AccessLevel {
        let level = self.account.access_level(member, store);
        assert_eq!(
            self.account.effective_permissions(member).level(store),
            level
        );
        level
    }

    pub(crate) fn may(&self, member: &str, text: &str, resource: Resource<&str>) -> bool {
        let permission = permission(text);
        let may = self.account.can(member, &permission, resource);
        assert_eq!(
            self.account
                .check(member, &permission, resource)
                .is_allowed(),
            may
        );
        assert_eq!(
            self.account
                .effective_permissions(member)
                .can(&permission, resource),
            may
        );
        may
    }

    pub(crate) fn denial(
        &self,
        member: &str,
        text: &str,
        resource: Resource<&str>,
    ) -> DenialReason {
        match self.account.check(member, &permission(text), resource) {
            Decision::Allowed => panic!("{member} may {text} {resource}"),
            Decision::Denied(denial) => denial,
        }
    }

    /// The groups that a member is in.
    pub(crate) fn groups_of(&self, member: &str) -> Vec<String> {
        let member = self.account.member(member).expect("a member");
        member.groups().map(ToString::to_string).collect()
    }
}

/// An actor by its member id, or the application.
pub(crate) struct Who(pub(crate) Actor);

impl From<&str> for Who {
    fn from(id: &str) -> Self {
        Who(by(id))
    }
}

impl From<Actor> for Who {
    fn from(actor: Actor) -> Self {
        Who(actor)
    }
}

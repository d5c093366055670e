//! Random histories.

use std::collections::BTreeSet;
use std::num::NonZeroU64;

use grantbook::repository::{CommitOutcome, RepositoryError, Request};
use grantbook::{Event, IdempotencyKey, Permission, Record, Timestamp};
use grantbook_postgres::{PostgresRepository, append_in};
use tokio_postgres::Client;

use crate::compare::{Compared, all_answers, all_stores, rows};
use crate::mirrored;
use crate::random::Random;
use crate::server::accounts::{Copy, NOW, opened, prepared, request};
use crate::server::{client, repository};

const HISTORIES: u64 = 30;
const STEPS: usize = 150;

/// What there is to lose.
const STAFF: &str = r#"[
    {"command":"add-members","members":["a","b","c"]},
    {"command":"create-store","store":"dev"},
    {"command":"create-store","store":"prod"},
    {"command":"define-role","role":"own","name":"Own","level":"store","permissions":["log.read"]},
    {"command":"define-role","role":"more","name":"More","level":"account","permissions":["log.export"]},
    {"command":"create-group","group":"devs","name":"Dev Team","grants":[
        {"role":"own","scope":{"stores":["dev"]}},{"role":"store-editor","scope":{"stores":["prod","dev"]}}]},
    {"command":"create-group","group":"it","name":"IT Group","grants":[
        {"role":"more","scope":"account"},{"role":"group-manager","scope":"account"}]},
    {"command":"add-to-group","group":"devs","members":["a","b"]},
    {"command":"add-to-group","group":"it","members":["b","c"]}]"#;
/// A store for it.
const STORE: &str = r#"{"command":"create-store","store":"dev"}"#;
/// How often something else is tried where it was refused.
const ATTEMPTS: usize = 12;

/// A history that grows.
pub(crate) struct History {
    pub(crate) copy: Copy,
    random: Random,
    now: u64,
    steps: usize,
}

impl History {
    pub(crate) async fn begin(repository: &PostgresRepository, name: &str, seed: u64) -> Self {
        let copy = opened(repository, name).await;
        let staff = serde_json::from_str(STAFF).expect("commands");
        let done = copy.execute(&request("staff", staff)).await;
        done.expect("it is done");
        Self {
            copy,
            random: Random::new(seed),
            now: NOW.as_millis(),
            steps: 0,
        }
    }

    fn request(&mut self) -> Request {
        self.steps += 1;
        self.now += self.random.below(3) as u64;
        let key = IdempotencyKey::parse(&format!("step {}", self.steps)).expect("a key");
        let many = if self.random.one_in(8) { 3 } else { 1 };
        let commands = (0..many).map(|_| self.random.command(self.now));
        let commands = commands.collect::<Vec<_>>();
        let actor = self.random.actor(&commands);
        Request::by(actor, key, Timestamp::from_millis(self.now)).commands(commands)
    }

    /// Something random happens, or is refused; its records.
    pub(crate) async fn step(&mut self) -> Result<Vec<Record>, RepositoryError> {
        for _ in 0..ATTEMPTS {
            let request = self.request();
            match self.copy.execute(&request).await {
                Ok(done) if done.is_change() => return Ok(done.records().to_vec()),
                Ok(_) | Err(RepositoryError::Refused(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Vec::new())
    }

    /// The same in a transaction of the application's, which is rolled back or kept.
    async fn step_in(&mut self, sql: &mut Client) -> Vec<Record> {
        let mut attempts = 0;
        let commit = loop {
            let request = self.request();
            match prepared(&self.copy, &request).await {
                Ok(commit) => break commit,
                Err(RepositoryError::Refused(_)) if attempts < ATTEMPTS => attempts += 1,
                Err(RepositoryError::Refused(_)) => return Vec::new(),
                Err(error) => panic!("{error}"),
            }
        };
        let transaction = sql.transaction().await.expect("it begins");
        let outcome = append_in(&transaction, &commit).await;
        assert_eq!(outcome.expect("an answer"), CommitOutcome::Appended);
        if self.random.one_in(2) {
            transaction.rollback().await.expect("it is gone");
            return Vec::new();
        }
        transaction.commit().await.expect("it is kept");
        let _ = self.copy.adopt(&commit);
        commit.records().to_vec()
    }

    pub(crate) async fn compare(&self, sql: &Client) -> Compared {
        all_answers(sql, &self.copy.with(Clone::clone)).await
    }
}

/// Histories of all kinds of events: after each few steps, the database answers all questions as the library does. At the
/// end, a mirror that is filled again is the one that went along.
pub(crate) async fn random_histories() {
    let address = mirrored("histories").await;
    let mut sql = client(&address).await;
    let mut compared = Compared::default();
    let mut kinds = BTreeSet::new();
    let mut records = 0;
    for seed in 0..HISTORIES {
        // From all records, or from a snapshot and those after it.
        let every = (seed % 2 == 0).then_some(NonZeroU64::MIN.saturating_add(15));
        let repository = repository(&address).with_snapshots(every);
        let mut history = History::begin(&repository, &format!("history {seed}"), seed).await;
        kinds.extend(["account-opened"]);
        for step in 0..STEPS {
            let done = if step % 3 == 0 {
                history.step_in(&mut sql).await
            } else {
                history.step().await.expect("it is done, or refused")
            };
            records += done.len();
            kinds.extend(done.iter().map(|record| record.event().kind()));
            if step % 4 == 0 || step + 1 == STEPS {
                compared.add(history.compare(&sql).await);
            }
        }
        let account = history.copy.with(Clone::clone);
        compared.add(all_stores(&sql, &account).await);
        let id = account.id().as_str();
        let went_along = rows(&sql, id).await;
        let fill = "SELECT grantbook.fill_mirror($1)";
        let filled = sql.query_one(fill, &[&id]).await.expect("it is filled");
        assert_eq!(
            filled.get::<_, i64>(0),
            i64::try_from(account.version()).expect("small")
        );
        assert_eq!(rows(&sql, id).await, went_along, "{id}");
    }
    let Compared {
        answers,
        allowed,
        different,
    } = compared;
    println!(
        "mirror: {HISTORIES} histories, {records} records of {} kinds, {answers} answers, {allowed} of them yes: {} \
         different",
        kinds.len(),
        different.len()
    );
    assert!(
        different.is_empty(),
        "{}",
        different[..different.len().min(20)].join("\n")
    );
    let all: BTreeSet<&str> = Event::KINDS.iter().copied().collect();
    assert_eq!(kinds, all, "every kind of event happened");
}

/// An owner may do everything that is a permission, in every store that there is, and nothing else.
pub(crate) async fn malformed_and_unknown() {
    let address = mirrored("malformed").await;
    let copy = opened(&repository(&address), "acme").await;
    let store = serde_json::from_str(STORE).expect("a command");
    let done = copy.execute(&request("store", vec![store])).await;
    done.expect("it is done");
    let sql = client(&address).await;
    let longest = format!("{0}.{1}", "a".repeat(32), "b".repeat(31));
    let too_long = format!("{longest}.c");
    let long_segment = format!("a.{}", "b".repeat(33));
    let mut yes = 0;
    let asked = [
        &*longest,
        "a.b",
        "a-1.b_2",
        "store.read",
        "billing.refund.all",
        &too_long,
        &long_segment,
        "",
        ".",
        "store",
        "store.",
        ".store",
        "store..read",
        "store.read.",
        "Store.read",
        "store.*",
        "store.1st",
        " store.read",
        "store.read ",
        "store.read\n",
        "store.read\nx",
        "st\u{f6}re.read",
        "store.re%d",
        "_a.b",
        "%",
    ];
    for permission in asked {
        let ask =
            "SELECT grantbook.can('acme', 'olga', $1), grantbook.can('acme', 'olga', $1, 'dev'),
            EXISTS (SELECT FROM grantbook.stores_where('olga', $1))";
        let row = sql.query_one(ask, &[&permission]).await.expect("answers");
        let expected = Permission::parse(permission).is_ok();
        for answer in 0..3 {
            assert_eq!(
                row.get::<_, bool>(answer),
                expected,
                "`{permission}`, {answer}"
            );
        }
        yes += usize::from(expected);
    }
    assert_eq!(yes, 5);
    for arguments in [
        "'acme', 'olga', 'a.b', 'none'",
        "'acme', 'olga', 'a.b', ''",
        "'acme', 'olga', 'a.b', NULL",
        "'acme', 'olga', NULL, 'dev'",
        "'acme', NULL, 'a.b', 'dev'",
        "NULL, 'olga', 'a.b', 'dev'",
        "'acme', 'olga', NULL",
        "'acme', NULL, 'a.b'",
        "'acme', 'Olga', 'a.b'",
        "'acme ', 'olga', 'a.b'",
        "'none', 'olga', 'a.b'",
    ] {
        let ask = format!("SELECT grantbook.can({arguments})");
        let row = sql.query_one(&ask, &[]).await.expect("an answer");
        assert!(!row.get::<_, bool>(0), "{arguments}");
    }
}

//! Copies that are kept fresh, while notices come and while they do not.

use std::future::Future;
use std::time::{Duration, Instant};

use grantbook::Account;
use grantbook_postgres::{FollowError, Follower, Listening, PostgresRepository, State};
use tokio_postgres::{Client, Config, NoTls};

use crate::server::accounts::{
    Copy, Held, account, grant, held, loaded, owns, request, revoke, with_two_owners,
};
use crate::server::{Server, client, repository, runtime};

/// Guards against hanging only.
const PATIENCE: Duration = Duration::from_secs(60);
/// So long that it does not happen.
pub(crate) const NEVER: Duration = Duration::from_secs(86_400);
const ROUNDS: usize = 20;

/// A process that follows `acme`, and another that changes it.
pub(crate) struct Two {
    pub(crate) follower: Follower,
    /// What the process that is followed holds.
    pub(crate) accounts: Held,
    pub(crate) copy: Copy,
    pub(crate) repository: PostgresRepository,
    pub(crate) sql: Client,
    listener: &'static str,
}

impl Two {
    /// The follower listens as a user of its own, so that it can be shut out.
    pub(crate) async fn start(
        server: &Server,
        name: &str,
        listener: &'static str,
        tick: Duration,
    ) -> Self {
        let address = server.database(name).await;
        let sql = client(&address).await;
        let create = format!("CREATE ROLE {listener} LOGIN");
        sql.batch_execute(&create).await.expect("it is new");
        let repository = repository(&address);
        with_two_owners(&repository, "acme").await;

        let mut config: Config = address.parse().expect("an address");
        config.user(listener);
        let accounts = held(&crate::server::repository(&address));
        let follower = Follower::start(accounts.clone(), config, NoTls, tick);
        let copy = accounts.get(&account("acme")).await;
        let two = Self {
            copy: copy.expect("it is loaded"),
            accounts,
            follower,
            repository,
            sql,
            listener,
        };
        two.until(|state| state.listening == Listening::Connected)
            .await;
        two
    }

    /// The other process takes ownership from otto, or gives it back. The version that it has come to.
    pub(crate) async fn change(&self, repository: &PostgresRepository, round: usize) -> u64 {
        let command = if round % 2 == 0 {
            revoke("otto")
        } else {
            grant("otto")
        };
        let request = request(&format!("round {round}"), vec![command]);
        let elsewhere = loaded(repository, "acme").await.expect("it is whole");
        let done = elsewhere.execute(&request).await.expect("it is done");
        assert!(done.is_change(), "otto was, or was not");
        done.version()
    }

    /// What the copy answers is of the version that it says, and one that is not as new as is demanded does not answer.
    async fn assert_read_your_writes(&self, version: u64, round: usize) {
        let is_owner = round % 2 == 1;
        let ask = |account: &Account| (account.version() >= version, owns(account, "otto"));
        let answer = if let Ok(answer) = self.copy.at_least(version, ask) {
            answer
        } else {
            self.copy.refresh().await.expect("it catches up");
            let answer = self.copy.at_least(version, ask);
            answer.expect("it has caught up")
        };
        assert_eq!(answer, (true, is_owner), "an old answer");
    }

    /// Cuts the connection that listens, and lets no other one in.
    async fn shut_out(&self) {
        let bar = format!("ALTER ROLE {} NOLOGIN", self.listener);
        self.sql.batch_execute(&bar).await.expect("it is shut out");
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
        let cut = self.sql.query(cut, &[&self.listener]).await;
        assert_eq!(cut.expect("it is cut").len(), 1, "one connection listens");
        self.until(|state| state.listening == Listening::Connecting && state.last_error.is_some())
            .await;
    }

    async fn let_in(&self) {
        let admit = format!("ALTER ROLE {} LOGIN", self.listener);
        self.sql.batch_execute(&admit).await.expect("it is let in");
    }

    async fn until(&self, is_so: impl Fn(&State) -> bool) {
        eventually(|| is_so(&self.follower.state())).await;
    }

    pub(crate) async fn until_at(&self, version: u64) {
        eventually(|| self.copy.as_of().version >= version).await;
    }
}

pub(crate) async fn eventually(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, wait).await;
    waited.expect("it comes to be so");
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

/// While the connection stands, its notices alone keep the copy fresh: the timer does not tick.
pub(crate) fn bring_what_is_new(server: &Server, name: &str) {
    wait(async {
        let two = Two::start(server, name, "heard", NEVER).await;
        for round in 0..ROUNDS {
            let version = two.change(&two.repository, round).await;
            two.assert_read_your_writes(version, round).await;
            // The next is not read by asking: it is told.
            two.until_at(version).await;
        }
        let version = two.change(&two.repository, ROUNDS).await;
        two.until_at(version).await;
        println!("fault: postgres, notices, {ROUNDS} rounds: 0 old answers");
    });
}

/// No connection listens, and some commits tell nobody: the first tick that begins after a commit finds it.
pub(crate) fn lost_and_the_timer_ticks(server: &Server, name: &str) {
    wait(async {
        let two = Two::start(server, name, "ticks", Duration::from_millis(20)).await;
        let silent = two.repository.clone().without_notices();
        two.shut_out().await;
        for round in 0..ROUNDS {
            let repository = if round % 3 == 0 {
                &silent
            } else {
                &two.repository
            };
            let version = two.change(repository, round).await;
            let kept_at = Instant::now();
            if round % 2 == 0 {
                two.assert_read_your_writes(version, round).await;
            } else {
                // By itself: once a tick that began afterwards is over.
                two.until(|state| state.fresh_at > Some(kept_at)).await;
                assert!(two.copy.as_of().version >= version, "one tick is enough");
                two.assert_read_your_writes(version, round).await;
            }
        }
        assert_eq!(two.follower.state().listening, Listening::Connecting);
        println!(
            "fault: postgres, notices lost, {ROUNDS} rounds: 0 later than a tick, 0 old answers"
        );
    });
}

/// The connection is cut, something is kept meanwhile, and the connection is made again: that is enough to find it,
/// though the timer does not tick.
pub(crate) fn lost_and_the_connection_is_made_again(server: &Server, name: &str) {
    wait(async {
        let two = Two::start(server, name, "returns", NEVER).await;
        for round in 0..ROUNDS {
            two.shut_out().await;
            let version = two.change(&two.repository, round).await;
            assert!(two.copy.as_of().version < version, "nobody told it");
            two.let_in().await;
            two.until(|state| state.listening == Listening::Connected)
                .await;
            two.until_at(version).await;
            two.assert_read_your_writes(version, round).await;
        }
        println!("fault: postgres, listener cut, {ROUNDS} rounds: 0 not caught up, 0 old answers");
    });
}

/// While the server is gone, the copies are as they were, and known to be no fresher; when it is back, so is all else.
pub(crate) fn server_goes_and_comes_back(name: &str) {
    let mut server = Server::start(false);
    let two = wait(Two::start(
        &server,
        name,
        "waits",
        Duration::from_millis(20),
    ));
    server.kill();
    let gone_at = Instant::now();
    wait(two.until(|state| {
        let error = state.last_error.as_deref();
        matches!(error, Some(FollowError::Compare(_))) && state.listening == Listening::Connecting
    }));
    assert!(two.follower.state().fresh_at <= Some(gone_at));
    let owns = two.copy.with(|account| owns(account, "otto"));
    assert!(owns, "it still answers");

    server.start_again();
    wait(async {
        let version = two.change(&two.repository, 0).await;
        two.until_at(version).await;
        two.until(|state| {
            state.listening == Listening::Connected && state.fresh_at > Some(gone_at)
        })
        .await;
        two.assert_read_your_writes(version, 0).await;
    });
    println!("fault: postgres, server gone while followed: 0 old answers");
}

/// An account whose rows cannot be read is named, the others go on, and it is taken up again when it is fixed. At the
/// end no connection listens.
pub(crate) fn following_ends(server: &Server, name: &str) {
    wait(async {
        let two = Two::start(server, name, "ends", Duration::from_millis(20)).await;
        let other = with_two_owners(&two.repository, "other").await;
        let followed = two.accounts.get(&account("other")).await;
        let followed = followed.expect("it is loaded");

        two.sql
            .batch_execute("SET session_replication_role = replica")
            .await
            .expect("as a superuser");
        let add = "INSERT INTO grantbook.records (account, version, before, digest, record)
            SELECT account, 4, digest, repeat('1', 64), '{\"account\": \"acme\", \"version\": 4, \"record\": 2,
                \"digest\": \"1111111111111111111111111111111111111111111111111111111111111111\"}'
            FROM grantbook.heads WHERE account = 'acme';
            UPDATE grantbook.heads SET version = 4, digest = repeat('1', 64) WHERE account = 'acme'";
        two.sql
            .batch_execute(add)
            .await
            .expect("it is of a later program");
        two.until(|state| state.failing.contains("acme")).await;
        let error = two
            .follower
            .state()
            .last_error
            .expect("it failed")
            .to_string();
        assert!(
            error.contains("account `acme` could not be brought up to date"),
            "{error}"
        );
        assert!(error.contains("at version 4"), "{error}");

        let request = request("on", vec![revoke("otto")]);
        other.execute(&request).await.expect("it is done");
        eventually(|| followed.as_of().version == 4).await;
        let as_of = two.copy.as_of();
        assert_eq!(
            (as_of.version, as_of.behind),
            (3, 1),
            "nothing of it is believed"
        );
        assert!(as_of.problem.is_some());

        let remove = "DELETE FROM grantbook.records WHERE account = 'acme' AND version = 4;
            UPDATE grantbook.heads SET version = 3, digest =
                (SELECT digest FROM grantbook.records WHERE account = 'acme' AND version = 3)
            WHERE account = 'acme'";
        two.sql.batch_execute(remove).await.expect("it is fixed");
        drop(followed);
        assert!(two.accounts.forget("other"), "nobody uses it");
        two.change(&two.repository, 0).await;
        two.until(|state| state.failing.is_empty()).await;
        two.until_at(4).await;

        assert_eq!(
            two.accounts.held().len(),
            1,
            "nothing was loaded by following"
        );
        two.follower.stop().await;
        let listens = "SELECT FROM pg_stat_activity WHERE usename = 'ends'";
        let gone = async {
            while !two
                .sql
                .query(listens, &[])
                .await
                .expect("it is read")
                .is_empty()
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone)
            .await
            .expect("the server notices");
    });
}

//! Copies that are no more what the database holds, though no newer version is there.

use std::time::Duration;

use grantbook::repository::Accounts;
use grantbook::{Decision, DenialReason, Permission, Resource};
use grantbook_postgres::{Follower, Listening};
use tokio_postgres::{Config, NoTls};

use crate::branches::{back_up, restore};
use crate::notices::{NEVER, Two, eventually};
use crate::server::accounts::{account, enrol, held, loaded, request, with_two_owners};
use crate::server::{Server, repository, runtime};

const TICK: Duration = Duration::from_millis(20);

/// A backup is restored, and nothing or as many commits come after it: no notice says so, and no version is newer. A tick
/// has the copy loaded again.
pub(crate) fn branches_are_found_by_a_tick(server: &Server, name: &str) {
    const ROUNDS: usize = 20;
    runtime().block_on(async {
        let two = Two::start(server, name, "branches", TICK).await;
        let silent = two.repository.clone().without_notices();
        let who = |prefix: &str, round: usize| format!("{prefix} {round}");
        for round in 0..ROUNDS {
            back_up(&two.sql).await;
            let name = who("old", round);
            let change = request(&name, vec![enrol(&name)]);
            let elsewhere = loaded(&two.repository, "acme").await.expect("it is whole");
            let done = elsewhere.execute(&change).await.expect("it is done");
            two.until_at(done.version()).await;

            restore(&two.sql).await;
            if round % 2 == 0 {
                let name = who("new", round);
                let change = request(&name, vec![enrol(&name)]);
                let elsewhere = loaded(&silent, "acme").await.expect("it is whole");
                let other = elsewhere.execute(&change).await.expect("it is done");
                assert_eq!(other.version(), done.version());
            }
            let stored = loaded(&two.repository, "acme").await.expect("it is whole");
            eventually(|| two.copy.with(|one| stored.with(|other| one == other))).await;
            // It had heard of a version that is no more there.
            eventually(|| two.copy.as_of().behind == 0).await;
        }
        println!("follow: postgres, {ROUNDS} restored backups: 0 not loaded again");
    });
}

/// An account is closed and erased by another process: the copy denies, it counts as nobody's failure, and it is given up
/// when nobody has a handle to it.
pub(crate) fn erased_are_given_up(server: &Server, name: &str) {
    runtime().block_on(async {
        let two = Two::start(server, name, "erased", TICK).await;
        let close = serde_json::from_str(r#"{"command":"close-account"}"#).expect("a command");
        let elsewhere = crate::server::accounts::held(&two.repository);
        let copy = elsewhere.get(&account("acme")).await.expect("it is whole");
        let closed = copy.execute(&request("close", vec![close])).await;
        two.until_at(closed.expect("it is done").version()).await;
        elsewhere.erase(copy.id()).await.expect("it is closed");
        eventually(|| two.copy.as_of().problem.is_some()).await;
        let answer = two
            .copy
            .check("olga", &Permission::STORE_READ, Resource::Account);
        assert_eq!(answer, Decision::Denied(DenialReason::AccountClosed));
        tokio::time::sleep(3 * TICK).await;
        let state = two.follower.state();
        assert!(state.failing.is_empty(), "{state:?}");
        assert_eq!(two.accounts.held().len(), 1, "somebody has it");
        let Two { accounts, copy, .. } = two;
        drop(copy);
        eventually(|| accounts.held().is_empty()).await;
    });
}

/// Many erase one account at the same time, in transactions that have to be serializable by default: it is done, and
/// everybody is told so.
pub(crate) fn erased_at_once(server: &Server, name: &str) {
    const ROUNDS: usize = 20;
    runtime().block_on(async {
        let address = server.database(name).await;
        let options = "options='-c default_transaction_isolation=serializable'";
        let kept = repository(&format!("{address} {options}"));
        for round in 0..ROUNDS {
            let id = format!("round {round}");
            with_two_owners(&kept, &id).await;
            let close = serde_json::from_str(r#"{"command":"close-account"}"#).expect("a command");
            let copy = loaded(&kept, &id).await.expect("it is whole");
            let closed = copy.execute(&request("close", vec![close])).await;
            closed.expect("it is done");
            let all: Vec<_> = (0..8)
                .map(|_| {
                    let (all, id) = (held(&kept), account(&id));
                    tokio::spawn(async move { all.erase(&id).await })
                })
                .collect();
            for one in all {
                one.await.expect("no panic").expect("it is erased");
            }
        }
        println!("fault: postgres, serializable, {ROUNDS} accounts erased by 8 at once: 0 failed");
    });
}

/// What another process changes is no use of it here: the account that was asked for longest ago is given up first, however
/// often it has changed since.
pub(crate) fn notices_are_no_use(server: &Server, name: &str) {
    runtime().block_on(async {
        let address = server.database(name).await;
        let elsewhere = repository(&address);
        let all = held(&elsewhere);
        for name in ["acme", "beta", "gamma"] {
            with_two_owners(&elsewhere, name).await;
            all.get(&account(name)).await.expect("it is whole");
        }
        // There is room for two of the three.
        let builder = Accounts::builder(repository(&address));
        let accounts = builder.capacity(all.held_bytes() / 6 * 5).build_async();
        let config: Config = address.parse().expect("an address");
        let follower = Follower::start(accounts.clone(), config, NoTls, NEVER);
        eventually(|| follower.state().listening == Listening::Connected).await;
        let get = async |name: &str| {
            let got = accounts.get(&account(name)).await;
            drop(got.expect("it is whole"));
        };
        get("acme").await;
        get("beta").await;

        let change = request("change", vec![enrol("dana")]);
        let acme = loaded(&elsewhere, "acme").await.expect("it is whole");
        let version = acme.execute(&change).await.expect("it is done").version();
        eventually(|| accounts.held()[0].as_of().version == version).await;
        follower.stop().await;
        get("gamma").await;
        let held: Vec<_> = accounts
            .held()
            .iter()
            .map(|copy| copy.id().clone())
            .collect();
        assert_eq!(held, ["beta", "gamma"].map(account));
    });
}

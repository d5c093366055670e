//! Faults that a cluster of three members must survive, with writers in processes of their own.

mod common;

use std::env;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use etcd_client::Client;
use grantbook::repository::Runtime;
use grantbook::repository::{AsyncRepository, RepositoryError};
use grantbook_etcd::{Error, EtcdRepository};
use grantbook_faults::Host;
use libtest_mimic::{Arguments, Trial};

use common::server::{self, Cluster};
use common::waiting::{self, Connection};

/// This program is the worker too.
const WORKER: &str = "worker";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    if args.next().as_deref() == Some(WORKER) {
        let endpoints = args.next().expect("a worker is told where etcd is");
        let endpoints: Vec<_> = endpoints.split(',').map(str::to_owned).collect();
        return grantbook_faults::work(args, || Ok::<_, String>(waiting::connect(&endpoints)));
    }
    let mut arguments = Arguments::from_args();
    // One at a time: each has more processes than there are cores.
    arguments.test_threads = Some(1);
    let trials = vec![
        trial("eight_writers_lose_nothing", |host, _| {
            host.many_writers(2_000);
        }),
        trial("two_owners_remove_each_other", |host, _| {
            host.owners_remove_each_other(50);
        }),
        trial("the_group_limit_holds", |host, _| {
            host.groups_at_the_limit(10);
        }),
        trial("a_repeated_series_changes_nothing", |host, _| {
            host.a_repeated_series_changes_nothing(20);
        }),
        trial("a_killed_writer_loses_nothing", |host, _| {
            host.writer_is_killed(20);
        }),
        trial("a_killed_member_loses_nothing", |host, cluster| {
            let mut killed = None;
            host.while_writing("member kill -9 (leader in half)", 20, |round| {
                if let Some(member) = killed {
                    cluster.restart(member);
                }
                let leader = cluster.leader();
                let member = (leader + round % 2) % 3;
                cluster.kill(member);
                killed = Some(member);
            });
        }),
        trial("a_lost_majority_answers_nothing", |host, cluster| {
            a_lost_majority_answers_nothing(host, cluster, 5);
        }),
    ];
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Two members are killed: the third may be behind, and must not answer. Serializable reads would.
fn a_lost_majority_answers_nothing(host: &EtcdHost<'_>, cluster: &mut Cluster, rounds: usize) {
    let waiting = (host.connect)().runtime;
    // It is left to each read to notice.
    let options = server::options().with_require_leader(false);
    let client = waiting.block_on(Client::connect(cluster.endpoints(), Some(options)));
    let repository = &EtcdRepository::new(&client.expect("there are addresses"), "access")
        .with_timeout(Duration::from_secs(1));
    let acme = common::account_id("acme");
    let shared = waiting.block_on(common::open(repository, "acme"));
    let shared = shared.expect("it opens");
    let (mut old, mut lost) = (0, 0);
    for round in 0..rounds {
        let request = common::request(&round.to_string(), common::create([round.to_string()]));
        let leader = cluster.leader();
        let others = [(leader + 1) % 3, (leader + 2) % 3];
        for member in others {
            cluster.kill(member);
        }
        let unread = waiting.block_on(repository.records_after(&acme, 0));
        if !matches!(unread, Err(Error::Unanswered { .. })) {
            old += 1;
        }
        let unanswered = waiting.block_on(shared.execute(&request));
        let is_unanswered = match &unanswered {
            Err(RepositoryError::Storage(error)) => {
                matches!(error.downcast_ref(), Some(Error::Unanswered { .. }))
            }
            _ => false,
        };
        if !is_unanswered {
            old += 1;
        }
        for member in others {
            cluster.spawn(member);
        }
        for member in others {
            cluster.wait_for(member);
        }
        // The same request again, by its key.
        let done = waiting.block_on(shared.execute(&request));
        if done.ok().map(|done| done.version()) != Some(round as u64 + 2) {
            lost += 1;
        }
    }
    common::report(&format!(
        "majority kill -9, {rounds} rounds: {old} answers without one, {lost} lost"
    ));
    assert_eq!((old, lost), (0, 0));
}

type EtcdHost<'e> = Host<Box<dyn Fn() -> Command + 'e>, Box<dyn Fn() -> Connection + 'e>>;

/// A fault, tried on a cluster of its own.
fn trial(name: &str, fault: fn(&EtcdHost<'_>, &mut Cluster)) -> Trial {
    Trial::test(name, move || {
        let mut cluster = Cluster::start(3);
        let endpoints = cluster.endpoints();
        fault(&host(&endpoints), &mut cluster);
        Ok(())
    })
}

fn host(endpoints: &[String]) -> EtcdHost<'_> {
    Host {
        name: "etcd",
        worker: Box::new(move || {
            let mut command = Command::new(env::current_exe().expect("the test is a file"));
            command.arg(WORKER).arg(endpoints.join(","));
            command
        }),
        connect: Box::new(move || settled(endpoints)),
    }
}

/// A connection that sees all there will be of what writers had sent when they were killed: it may be on its way still,
/// and comes before what is written here through each member that runs.
fn settled(endpoints: &[String]) -> Connection {
    thread::sleep(Duration::from_millis(100));
    let runtime = server::runtime();
    for endpoint in endpoints {
        runtime.block_on(async {
            let mut client = server::client(std::slice::from_ref(endpoint)).await;
            // A member that was killed has nothing on its way.
            let _ = client.put("settled", "", None).await;
        });
    }
    waiting::connect(endpoints)
}

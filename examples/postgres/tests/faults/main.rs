//! Faults that the PostgreSQL host survives, on real servers. Each prints a line with what was tried and what was lost.

#[path = "../server/mod.rs"]
mod server;

mod branches;
mod damage;
mod following;
mod migrations;
mod notices;
mod together;
mod wrong_writes;

use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grantbook::repository::AsyncAsSync;
use grantbook_faults::Host;
use libtest_mimic::{Arguments, Trial};

use grantbook_postgres::PostgresRepository;
use server::{Server, Waits};

type Kept = AsyncAsSync<PostgresRepository, Waits>;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    if let (Some("worker"), Some(address)) = (args.next().as_deref(), args.next()) {
        return grantbook_faults::work(args, || Ok::<_, String>(server::blocking(&address)));
    }
    let shared = Arc::new(Server::start(false));
    let trial = |name: &'static str, fault: fn(&Server, &str)| {
        let server = shared.clone();
        Trial::test(name, move || {
            fault(&server, name);
            Ok(())
        })
    };
    let trials = vec![
        trial("many_writers", |server, name| {
            host("postgres", database(server, name)).many_writers(10_000);
        }),
        trial("many_writers_serializable", |server, name| {
            let address = database(server, name);
            let options = "options='-c default_transaction_isolation=serializable'";
            host("postgres, serializable", format!("{address} {options}")).many_writers(1_600);
        }),
        trial("owners", |server, name| {
            host("postgres", database(server, name)).owners_remove_each_other(200);
        }),
        trial("groups", |server, name| {
            host("postgres", database(server, name)).groups_at_the_limit(200);
        }),
        trial("repeated_series", |server, name| {
            host("postgres", database(server, name)).a_repeated_series_changes_nothing(50);
        }),
        trial("client_is_killed", |_, name| {
            let server = Server::start(true);
            host_of_killed("postgres, client", database(&server, name)).writer_is_killed(100);
        }),
        trial("server_is_killed", |_, name| server_is_killed(name)),
        trial("connections_are_cut", connections_are_cut),
        trial("wrong_writes", wrong_writes::are_refused),
        trial("damaged_rows", damage::is_a_clear_error),
        trial("damaged_snapshot", damage::of_a_snapshot),
        trial("branches", branches::of_a_restored_backup),
        trial("clock", branches::clock_in_microseconds),
        trial("together", together::or_not_at_all),
        trial("together_with_others", together::with_other_writers),
        trial("versions_beyond", damage::versions_beyond_the_last),
        trial("migrations", migrations::at_once),
        trial("later_migrations", migrations::of_a_later_program),
        trial("notices", notices::bring_what_is_new),
        trial("notices_are_lost", notices::lost_and_the_timer_ticks),
        trial(
            "notices_were_lost",
            notices::lost_and_the_connection_is_made_again,
        ),
        trial("server_is_gone", |_, name| {
            notices::server_goes_and_comes_back(name);
        }),
        trial(
            "other_branches_are_found",
            following::branches_are_found_by_a_tick,
        ),
        trial("erased_accounts_are_found", following::erased_are_given_up),
        trial("erased_at_once", following::erased_at_once),
        trial("notices_are_no_use", following::notices_are_no_use),
        trial("following_ends", notices::following_ends),
    ];
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    drop(shared);
    conclusion.exit_code()
}

fn database(server: &Server, name: &str) -> String {
    server::runtime().block_on(server.database(name))
}

/// The host, with workers that are this very program.
fn host(name: &'static str, address: String) -> Host<impl Fn() -> Command, impl Fn() -> Kept> {
    host_after(name, address, |_| ())
}

/// The same, for workers that are killed: what a killed process had sent still counts, so that its connections have to
/// be at their end before anybody says what is kept.
fn host_of_killed(
    name: &'static str,
    address: String,
) -> Host<impl Fn() -> Command, impl Fn() -> Kept> {
    host_after(name, address, |address| {
        server::runtime().block_on(async {
            let client = server::client(address).await;
            let writing = "SELECT FROM pg_stat_activity
                WHERE application_name = 'worker' AND datname = current_database()";
            while !client
                .query(writing, &[])
                .await
                .expect("it is read")
                .is_empty()
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
    })
}

fn host_after(
    name: &'static str,
    address: String,
    settle: fn(&str),
) -> Host<impl Fn() -> Command, impl Fn() -> Kept> {
    let for_workers = format!("{address} application_name=worker");
    Host {
        name,
        worker: move || {
            let mut worker = Command::new(std::env::current_exe().expect("this is a file"));
            worker.args(["worker", &for_workers]);
            worker
        },
        connect: move || {
            settle(&address);
            server::blocking(&address)
        },
    }
}

/// The server and all its processes are killed while a client writes, and started again.
fn server_is_killed(name: &str) {
    let server = Mutex::new(Server::start(true));
    let lock = || server.lock().unwrap_or_else(PoisonError::into_inner);
    let address = database(&lock(), name);
    host_of_killed("postgres", address).while_writing("server kill -9", 20, |_| {
        lock().kill();
        lock().start_again();
    });
}

/// All connections are cut by the server while a client writes.
fn connections_are_cut(server: &Server, name: &str) {
    let address = database(server, name);
    host_of_killed("postgres", address.clone()).while_writing("connections cut", 20, |_| {
        server::runtime().block_on(async {
            let client = server::client(&address).await;
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
            client.execute(cut, &[]).await.expect("they are cut");
        });
    });
}

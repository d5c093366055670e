//! Faults that the file must survive, from several processes.

mod mounted;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use grantbook_faults::Host;
use grantbook_sqlite::SqliteRepository;
use libtest_mimic::{Arguments, Trial};
use rusqlite::Connection;

/// This program is the worker too.
const WORKER: &str = "worker";

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some(WORKER), Some(path)) => {
            return grantbook_faults::work(args, || SqliteRepository::open(&path));
        }
        (Some(mounted::FULL), Some(folder)) => {
            mounted::is_full(Path::new(&folder));
            return ExitCode::SUCCESS;
        }
        (Some(mounted::READ_ONLY), Some(folder)) => {
            mounted::is_read_only(Path::new(&folder));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let mut arguments = Arguments::from_args();
    // One at a time: each has more processes than there are cores.
    arguments.test_threads = Some(1);
    let mut trials = vec![
        trial("eight_writers_lose_nothing", |host| {
            host.many_writers(10_000);
        }),
        trial("two_owners_remove_each_other", |host| {
            host.owners_remove_each_other(200);
        }),
        trial("the_group_limit_holds", |host| {
            host.groups_at_the_limit(200);
        }),
        trial("a_repeated_series_changes_nothing", |host| {
            host.a_repeated_series_changes_nothing(50);
        }),
        trial("a_killed_writer_loses_nothing", |host| {
            host.writer_is_killed(100);
        }),
        trial("another_program_with_the_file_loses_nothing", |host| {
            host.while_writing("file held and checkpointed", 20, |_| {
                hold_and_checkpoint(host);
            });
        }),
    ];
    trials.extend(mounted::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

type SqliteHost<'f> = Host<Box<dyn Fn() -> Command + 'f>, Box<dyn Fn() -> SqliteRepository + 'f>>;

/// A fault, tried on a file of its own.
fn trial(name: &str, fault: fn(&SqliteHost<'_>)) -> Trial {
    Trial::test(name, move || {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("access.db");
        fault(&host(&path));
        Ok(())
    })
}

fn host(path: &Path) -> SqliteHost<'_> {
    Host {
        name: "sqlite",
        worker: Box::new(move || {
            let mut command = this_program();
            command.arg(WORKER).arg(path);
            command
        }),
        connect: Box::new(move || SqliteRepository::create(path).expect("the file opens")),
    }
}

/// What a backup or an administrator's shell may do to the file.
fn hold_and_checkpoint(host: &SqliteHost<'_>) {
    let path = (host.worker)().get_args().last().map(PathBuf::from);
    let connection = Connection::open(path.expect("the worker's file")).expect("it opens");
    let patience = Duration::from_secs(10);
    connection.busy_timeout(patience).expect("it can be set");
    connection
        .execute_batch("BEGIN IMMEDIATE")
        .expect("it is our turn some time");
    thread::sleep(Duration::from_millis(50));
    connection.execute_batch("ROLLBACK").expect("it was begun");
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .expect("it can be checkpointed");
}

fn this_program() -> Command {
    Command::new(env::current_exe().expect("the test is a file"))
}

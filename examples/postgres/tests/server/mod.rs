//! A PostgreSQL server of the tests' own: on a Unix socket in a temporary directory, gone when the tests are, however
//! they end.

#![allow(dead_code)] // no test uses all of it

pub(crate) mod accounts;

use std::fs;
use std::future::Future;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use grantbook::repository::{AsyncAsSync, Runtime};
use grantbook_postgres::{PostgresRepository, migrate};
use tokio::runtime::{self, Builder};
use tokio_postgres::{Client, Config, NoTls};

/// Guards against hanging only.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the server until its input ends, which it does with this process. If the input says nothing, all goes.
const GUARD: &str = r#"
trap : INT HUP TERM
dir=$1; shift
"$@" & server=$!
read -r word
# A fast shutdown; and, should it not be so far yet that it takes notice of that, its end.
kill -INT $server 2>/dev/null; kill -TERM $server 2>/dev/null
wait $server
[ "$word" = keep ] || rm -rf "$dir"
"#;

/// A server. It is stopped, and its directory removed, when this is dropped or the process ends.
pub(crate) struct Server {
    dir: PathBuf,
    /// Whether what is committed is safe from a power cut; slower.
    fsync: bool,
    guard: Option<Child>,
}

impl Server {
    /// Makes a database cluster and starts a server for it.
    pub(crate) fn start(fsync: bool) -> Self {
        let dir = tempfile::Builder::new().prefix("grantbook-pg-").tempdir();
        let dir = dir.expect("a temporary directory").keep();
        if is_root() {
            succeed(Command::new("chown").arg("postgres").arg(&dir));
        }
        let mut server = Self {
            dir,
            fsync,
            guard: None,
        };
        let mut init = server_program("initdb");
        init.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        succeed(init.arg(server.data()).stdout(Stdio::null()));
        server.start_again();
        server
    }

    /// Starts it after a [`kill`](Self::kill), and waits until it has recovered.
    pub(crate) fn start_again(&mut self) {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut postgres = server_program("postgres");
            postgres.arg("-D").arg(self.data()).arg("-k").arg(&self.dir);
            for setting in [
                "listen_addresses=",
                "max_connections=200",
                "shared_buffers=64MB",
                "logging_collector=off",
                if self.fsync { "fsync=on" } else { "fsync=off" },
            ] {
                postgres.args(["-c", setting]);
            }
            let log = self.dir.join("log");
            let log = fs::File::options().create(true).append(true).open(log);
            let guard = Command::new("sh")
                .args(["-c", GUARD, "sh"])
                .arg(&self.dir)
                .arg(postgres.get_program())
                .args(postgres.get_args())
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(log.expect("a log"))
                .spawn();
            self.guard = Some(guard.expect("a shell"));
            if self.is_ready(until) {
                return;
            }
            // Processes of a server that was killed may be a moment in going.
            assert!(
                Instant::now() < until,
                "the server does not start: {}",
                self.log()
            );
            self.end("keep");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Kills the server and all its processes with the signal that cannot be caught.
    pub(crate) fn kill(&mut self) {
        let postmaster = self.postmaster().expect("it runs");
        let mut pids = vec![postmaster];
        pids.extend(children(postmaster).map(|(pid, _)| pid));
        let mut kill = Command::new("kill");
        // Some may have gone with the first.
        let _ = kill
            .arg("-9")
            .args(pids.iter().map(ToString::to_string))
            .stderr(Stdio::null())
            .status();
        self.end("keep");
    }

    /// The address of a database on it.
    pub(crate) fn address(&self, database: &str) -> String {
        format!(
            "host={} user=postgres dbname={database}",
            self.dir.display()
        )
    }

    /// Makes a database and prepares it; its address.
    pub(crate) async fn database(&self, name: &str) -> String {
        let address = self.empty_database(name).await;
        migrate(&repository(&address))
            .await
            .expect("it is prepared");
        address
    }

    /// Makes a database with nothing in it; its address.
    pub(crate) async fn empty_database(&self, name: &str) -> String {
        let postgres = client(&self.address("postgres")).await;
        let create = format!("CREATE DATABASE {name}");
        postgres.batch_execute(&create).await.expect("it is new");
        self.address(name)
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    fn postmaster(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    /// Waits until it answers; false if it has ended before.
    fn is_ready(&self, until: Instant) -> bool {
        while Instant::now() < until {
            let address = self.address("postgres");
            if runtime()
                .block_on(tokio_postgres::connect(&address, NoTls))
                .is_ok()
            {
                return true;
            }
            if self.has_ended() {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }

    /// Whether the guard's server has ended. The guard looks after it only when told.
    fn has_ended(&self) -> bool {
        let guard = self.guard.as_ref().expect("it was started");
        children(guard.id()).any(|(_, has_ended)| has_ended)
    }

    /// Has the guard stop the server, and waits for it.
    fn end(&mut self, word: &str) {
        let Some(mut guard) = self.guard.take() else {
            return;
        };
        if let Some(mut input) = guard.stdin.take() {
            // It has ended already, or it reads this.
            let _ = writeln!(input, "{word}");
        }
        let _ = guard.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end("");
        // The guard has done it, unless there was none because the server was killed.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The runtime of this process's tests.
pub(crate) fn runtime() -> &'static runtime::Runtime {
    static RUNTIME: OnceLock<runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        runtime.expect("a runtime")
    })
}

/// A repository with connections of its own.
pub(crate) fn repository(address: &str) -> PostgresRepository {
    let config: Config = address.parse().expect("an address");
    PostgresRepository::connect(config, NoTls, 4).expect("a pool")
}

/// The same, as one that makes its thread wait.
pub(crate) fn blocking(address: &str) -> AsyncAsSync<PostgresRepository, Waits> {
    let (repository, runtime) = (repository(address), Waits);
    AsyncAsSync {
        repository,
        runtime,
    }
}

/// Waits with the runtime of this process's tests.
pub(crate) struct Waits;

impl Runtime for Waits {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        runtime().block_on(future)
    }
}

/// A connection for plain SQL.
pub(crate) async fn client(address: &str) -> Client {
    let connected = tokio_postgres::connect(address, NoTls).await;
    let (client, connection) = connected.expect("the server is there");
    tokio::spawn(connection);
    client
}

/// One of the server's own programs, run as a user that it accepts: it does not run as root.
fn server_program(name: &str) -> Command {
    let path = programs().join(name);
    if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        command.arg(path);
        command
    } else {
        Command::new(path)
    }
}

/// Where the newest server's programs are.
fn programs() -> PathBuf {
    let debian = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = debian
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path(),
            ))
        })
        .max()
        .map(|(_, path)| path.join("bin"));
    let elsewhere = || {
        let config = Command::new("pg_config").arg("--bindir").output().ok()?;
        Some(PathBuf::from(String::from_utf8(config.stdout).ok()?.trim()))
    };
    newest
        .or_else(elsewhere)
        .filter(|path| path.join("initdb").exists() && path.join("postgres").exists())
        .expect("a PostgreSQL server: install one (Debian: `apt-get install postgresql`)")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn succeed(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// The processes that this one has started, and whether each has ended.
fn children(parent: u32) -> impl Iterator<Item = (u32, bool)> {
    let processes = fs::read_dir("/proc")
        .expect("processes are listed")
        .flatten();
    processes.filter_map(move |process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        // The name stands in brackets and may hold anything; then the state and the parent.
        let (_, after_name) = stat.rsplit_once(") ")?;
        let (state, rest) = after_name.split_once(' ')?;
        let its_parent: u32 = rest.split(' ').next()?.parse().ok()?;
        (its_parent == parent).then_some((pid, state == "Z"))
    })
}

//! etcd servers of a test's own: on loopback, with their data in a temporary directory, stopped with the test.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{self, Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use etcd_client::{Client, ConnectOptions};
use tempfile::TempDir;

/// Guards against hanging only.
const PATIENCE: Duration = Duration::from_secs(100);
const PAUSE: Duration = Duration::from_millis(20);

/// Ports that are not given to outgoing connections, so that a member that was killed finds its own free again.
const FIRST_PORT: u16 = 15_000;
const PORTS: u16 = 16_000;

/// One member or several.
pub(crate) struct Cluster {
    members: Vec<Member>,
    data: TempDir,
}

struct Member {
    name: String,
    client: u16,
    peer: u16,
    /// None while it is killed.
    server: Option<Child>,
}

impl Cluster {
    /// Starts so many members, and waits until they have a leader.
    ///
    /// # Panics
    /// They do not start: is `etcd` installed?
    pub(crate) fn start(count: usize) -> Self {
        for _ in 0..5 {
            let members = (0..count).map(|n| Member {
                name: format!("m{n}"),
                client: free_port(),
                peer: free_port(),
                server: None,
            });
            let mut cluster = Self {
                members: members.collect(),
                data: tempfile::tempdir().expect("there is room for data"),
            };
            (0..count).for_each(|n| cluster.spawn(n));
            if (0..count).all(|n| cluster.try_wait_for(n).is_ok()) {
                return cluster;
            }
            // Somebody else took a port in between.
        }
        panic!("etcd does not start; see install-debian.sh");
    }

    /// Where clients find the members.
    pub(crate) fn endpoints(&self) -> Vec<String> {
        let ports = self.members.iter().map(|member| member.client);
        ports.map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// Kills a member, with the signal that cannot be caught.
    pub(crate) fn kill(&mut self, member: usize) {
        self.members[member].kill();
    }

    /// Starts a member again that was killed, and waits until it takes part.
    pub(crate) fn restart(&mut self, member: usize) {
        self.spawn(member);
        self.wait_for(member);
    }

    /// Waits until a member takes part that was started again.
    ///
    /// # Panics
    /// It does not.
    pub(crate) fn wait_for(&mut self, member: usize) {
        if let Err(error) = self.try_wait_for(member) {
            panic!(
                "member {member} does not come back: {error}\n{}",
                self.log(member)
            );
        }
    }

    /// The member that leads, once one does.
    pub(crate) fn leader(&self) -> usize {
        let runtime = runtime();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            for (n, member) in self.members.iter().enumerate() {
                if member.server.is_some() && runtime.block_on(leads(member.client)) {
                    return n;
                }
            }
            thread::sleep(PAUSE);
        }
        panic!("no member leads");
    }

    /// Starts a member, and does not wait for it.
    pub(crate) fn spawn(&mut self, n: usize) {
        let peers: Vec<String> = self
            .members
            .iter()
            .map(|member| format!("{}=http://127.0.0.1:{}", member.name, member.peer))
            .collect();
        let member = &self.members[n];
        let [client, peer] =
            [member.client, member.peer].map(|port| format!("http://127.0.0.1:{port}"));
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.data.path().join(format!("{}.log", member.name)))
            .expect("there is room for a log");
        // With `setpriv`, the kernel stops it even when the test is killed.
        let server = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "etcd"])
            .args(["--name", &member.name])
            .arg("--data-dir")
            .arg(self.data.path().join(&member.name))
            .args(["--listen-client-urls", &client])
            .args(["--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &peers.join(",")])
            .args(["--heartbeat-interval", "50", "--election-timeout", "500"])
            .args(["--logger", "zap", "--log-level", "error"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("`setpriv` starts programs");
        self.members[n].server = Some(server);
    }

    /// Waits until a member takes part in a cluster that has a leader.
    fn try_wait_for(&mut self, n: usize) -> io::Result<()> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let member = &mut self.members[n];
            let server = member.server.as_mut().expect("it was started");
            if let Some(status) = server.try_wait()? {
                return Err(io::Error::other(format!("etcd ended: {status}")));
            }
            if is_healthy(member.client).unwrap_or(false) {
                return Ok(());
            }
            thread::sleep(PAUSE);
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn log(&self, n: usize) -> String {
        let log = self
            .data
            .path()
            .join(format!("{}.log", self.members[n].name));
        fs::read_to_string(log).unwrap_or_default()
    }
}

impl Member {
    fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            // It may have ended already, which is as good.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// As a service would have them: it gives up on a member that does not answer, and does not wait for a cluster without a
/// leader.
pub(crate) fn options() -> ConnectOptions {
    ConnectOptions::new()
        .with_connect_timeout(Duration::from_secs(1))
        .with_timeout(Duration::from_secs(2))
        .with_keep_alive(Duration::from_secs(1), Duration::from_secs(2))
        .with_require_leader(true)
}

pub(crate) async fn client(endpoints: &[String]) -> Client {
    let client = Client::connect(endpoints, Some(options())).await;
    client.expect("the endpoints are addresses")
}

/// A runtime of one thread, which is the one that waits.
pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("there is room for a runtime")
}

async fn leads(port: u16) -> bool {
    let mut client = client(&[format!("127.0.0.1:{port}")]).await;
    client.status().await.is_ok_and(|status| {
        let own = status.header().map(etcd_client::ResponseHeader::member_id);
        own == Some(status.leader())
    })
}

fn is_healthy(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /health HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.contains(r#""health":"true""#))
}

fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    // Programs that run at once begin at different ports.
    let begin = (process::id() % 1_000) as u16 * 16;
    for _ in 0..PORTS {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST_PORT + begin.wrapping_add(given) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}

//! Faults that a host's repository must survive, whichever database it is over: writers that race, owners that remove
//! each other, a limit that many run into at once, processes and servers that are killed.
//!
//! A host brings a [`Host`]: its name, how a worker process is started, and a connection. The worker process calls
//! [`work`]. The jobs are methods of [`Host`]; each prints one line with its losses, and panics if there are any.
//!
//! ```no_run
//! # use grantbook::repository::MemoryRepository as Connection;
//! use std::process::{Command, ExitCode};
//!
//! // `[[test]] harness = false`: the test's own executable is the worker too.
//! fn main() -> ExitCode {
//!     let mut args = std::env::args().skip(1);
//!     let path = match (args.next().as_deref(), args.next()) {
//!         (Some("worker"), Some(path)) => {
//!             return grantbook_faults::work(args, || connect(&path));
//!         }
//!         _ => "a-file-or-an-address",
//!     };
//!     let host = grantbook_faults::Host {
//!         name: "mine",
//!         worker: || {
//!             let mut command = Command::new(std::env::current_exe().expect("the test is a file"));
//!             command.args(["worker", path]);
//!             command
//!         },
//!         connect: || connect(path).expect("the database is there"),
//!     };
//!     host.many_writers(10_000);
//!     host.owners_remove_each_other(200);
//!     host.groups_at_the_limit(200);
//!     host.writer_is_killed(100);
//!     host.a_repeated_series_changes_nothing(50);
//!     ExitCode::SUCCESS
//! }
//!
//! fn connect(path: &str) -> Result<Connection, std::convert::Infallible> {
//! #   let _ = path;
//! #   Ok(Connection::new())
//! }
//! ```

mod contest;
mod judge;
mod killed;
pub mod listing;
mod losses;
mod plan;
mod process;
mod repeats;
mod worker;
mod writers;

pub use worker::work;

/// A repository under test, in processes of its own.
pub struct Host<W, C> {
    /// What the lines begin with: `sqlite`.
    pub name: &'static str,
    /// A command that starts a worker; the job's own arguments are added to it. The process ends up in [`work`].
    pub worker: W,
    /// A fresh connection to the same repository.
    pub connect: C,
}

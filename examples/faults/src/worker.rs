//! What a worker process does.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use grantbook::repository::{self, Executed, Replica, Repository, RepositoryError, Request};
use grantbook::{AccountId, Actor, Command, CommandError, IdempotencyKey};
use serde::{Deserialize, Serialize};

use crate::plan;

/// Guards against hanging only.
const PATIENCE: Duration = Duration::from_secs(100);
const PAUSE: Duration = Duration::from_millis(20);

type Failure = Box<dyn Error + Send + Sync>;

/// Does the job that the rest of a worker's arguments names, with connections of its own, one for each thread.
///
/// A connection that fails is replaced and the request tried again with its key, as is one that is contended.
#[must_use]
pub fn work<R, E>(
    args: impl IntoIterator<Item = String>,
    connect: impl Fn() -> Result<R, E> + Sync,
) -> ExitCode
where
    R: Repository,
    E: Display,
{
    let args: Vec<String> = args.into_iter().collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let connect = || connect().map_err(|error| error.to_string().into());
    let done = match args.as_slice() {
        ["write", account, until, writers @ ..] => write(&connect, account, until, writers),
        ["contest"] => contest(&connect),
        ["replay", account] => replay(&connect, account),
        _ => Err(format!("no such job: {args:?}").into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the worker failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Each of these writers makes its requests from one number on until another, and says so after each.
fn write<R: Repository>(
    connect: &(impl Fn() -> Result<R, Failure> + Sync),
    account: &str,
    until: &str,
    writers: &[&str],
) -> Result<(), Failure> {
    let (account, until) = (AccountId::parse(account)?, until.parse()?);
    thread::scope(|threads| {
        let running: Vec<_> = writers
            .iter()
            .map(|writer| {
                let account = &account;
                threads.spawn(move || {
                    let (writer, from) = writer.split_once(':').ok_or("a writer is 0:0")?;
                    let (writer, from) = (writer.parse()?, from.parse()?);
                    let mut copy = Copy::load(connect, account)?;
                    for n in from..until {
                        let executed = copy.execute(&plan::request(writer, n))??;
                        if !executed.is_change() {
                            return Err("nothing changed".into());
                        }
                        let version = executed.version();
                        say(&format!("ack {writer} {n} {version}"))?;
                    }
                    Ok(())
                })
            })
            .collect();
        running
            .into_iter()
            .try_for_each(|writer| writer.join().expect("a writer does not panic"))
    })
}

/// A request, to be made when told.
#[derive(Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) account: AccountId,
    pub(crate) key: IdempotencyKey,
    pub(crate) actor: Actor,
    pub(crate) command: Command,
}

/// Reads a turn, loads the account, says so, makes the request when told, and says what came of it; until there are no
/// more.
fn contest<R: Repository>(connect: &impl Fn() -> Result<R, Failure>) -> Result<(), Failure> {
    let mut lines = io::stdin().lock().lines();
    while let Some(turn) = lines.next().transpose()? {
        let turn: Turn = serde_json::from_str(&turn)?;
        let mut copy = Copy::load(connect, &turn.account)?;
        let request = Request::by(turn.actor, turn.key, plan::NOW).command(turn.command);
        say("ready")?;
        lines.next().transpose()?;
        match copy.execute(&request)? {
            Ok(executed) if executed.is_change() => say("done")?,
            Ok(_) => say("nothing changed")?,
            Err(refusal) => say(refusal.code())?,
        }
    }
    Ok(())
}

/// Loads the account and says what it is.
fn replay<R: Repository>(
    connect: &impl Fn() -> Result<R, Failure>,
    account: &str,
) -> Result<(), Failure> {
    let copy = Copy::load(connect, &AccountId::parse(account)?)?;
    say(&serde_json::to_string(&copy.replica.snapshot())?)
}

/// A copy of an account, and the connection that it came by.
struct Copy<'c, R, C> {
    connect: &'c C,
    connection: Option<R>,
    replica: Replica,
}

impl<'c, R: Repository, C: Fn() -> Result<R, Failure>> Copy<'c, R, C> {
    fn load(connect: &'c C, account: &AccountId) -> Result<Self, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let loaded =
                connect().and_then(|connection| match repository::load(&connection, account) {
                    Ok(Some(replica)) => Ok(Ok((connection, replica))),
                    Err(RepositoryError::Storage(error)) => Err(error.to_string().into()),
                    Ok(None) => Ok(Err(format!("there is no account `{account}`"))),
                    Err(error) => Ok(Err(error.to_string())),
                });
            match loaded {
                Ok(loaded) => {
                    let (connection, replica) = loaded?;
                    return Ok(Self {
                        connect,
                        connection: Some(connection),
                        replica,
                    });
                }
                Err(failure) => wait_or_give_up(until, failure)?,
            }
        }
    }

    /// Executes a request, however often it takes; its key makes that harmless.
    fn execute(&mut self, request: &Request) -> Result<Result<Executed, CommandError>, Failure> {
        let until = Instant::now() + PATIENCE;
        loop {
            let connection = match self.connection.take().map_or_else(self.connect, Ok) {
                Ok(connection) => connection,
                Err(failure) => {
                    wait_or_give_up(until, failure)?;
                    continue;
                }
            };
            match repository::execute(&connection, &mut self.replica, request) {
                Ok(executed) => {
                    self.connection = Some(connection);
                    return Ok(Ok(executed));
                }
                Err(RepositoryError::Refused(refusal)) => {
                    self.connection = Some(connection);
                    return Ok(Err(refusal));
                }
                Err(error @ RepositoryError::Contended { .. }) => {
                    self.connection = Some(connection);
                    wait_or_give_up(until, error.to_string().into())?;
                }
                // A connection that failed is not used again.
                Err(RepositoryError::Storage(error)) => {
                    wait_or_give_up(until, error.to_string().into())?;
                }
                Err(error) => return Err(error.to_string().into()),
            }
        }
    }
}

fn wait_or_give_up(until: Instant, failure: Failure) -> Result<(), Failure> {
    if Instant::now() >= until {
        return Err(failure);
    }
    thread::sleep(PAUSE);
    Ok(())
}

/// A line at once and as a whole: what was said is known even if the process is killed right after.
fn say(line: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    Ok(stdout.flush()?)
}

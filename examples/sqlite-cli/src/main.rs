//! Accounts of grantbook in one `SQLite` file, from the command line.

mod account;
mod ask;
mod history;
mod import;
mod run;
mod table;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use grantbook::{
    AccountId, Actor, GroupLimit, IdempotencyKey, MemberId, Note, OneLine, Permission, Quoted,
    StoreId,
};

/// What stopped the program. It is told in one line.
type Failure = Box<dyn Error>;

/// Who may do what: accounts kept in one file
///
/// Exits with 0 if all was done, or the check says yes; with 1 if something was refused, or the check says no; with 2
/// if the arguments are wrong; with 3 if the file could not be read or written.
#[derive(Parser)]
#[command(version)]
struct Program {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Open an account with its first owner; the file is made if there is none
    ///
    /// Example: grantbook-sqlite open access.db acme olga
    Open {
        #[command(flatten)]
        place: Place,
        /// Its first owner
        owner: MemberId,
        /// How many groups it may have, 1 to 4096; later, `change-group-limit` changes it, run with `--system`
        #[arg(long, default_value = "20", value_parser = group_limit)]
        groups: GroupLimit,
    },
    /// Run commands, one JSON object a line, each by itself
    ///
    /// Example: echo '{"command":"create-store","store":"dev"}' | grantbook-sqlite run access.db acme --as olga
    ///
    /// A line that is refused is told with its number and a code, and the lines after it are run all the same. Every
    /// command can be run, such as `suspend-member`, `grant-role`, `set-group-members` or `close-account`.
    Run {
        #[command(flatten)]
        place: Place,
        /// The file with the commands; without it, or with `-`, they are read from the standard input
        commands: Option<PathBuf>,
        #[command(flatten)]
        actor: Asking,
        /// Gives the requests the keys `PREFIX-1`, `PREFIX-2`, … after their lines: run again with the same prefix, each
        /// line is done once, and answered as it was. Without it each has a random key
        #[arg(long, value_name = "PREFIX", value_parser = prefix)]
        keys: Option<String>,
        /// Leaves this note on what changes, such as a ticket; `history` shows it
        #[arg(long, value_name = "TEXT")]
        note: Option<Note>,
    },
    /// Say whether a member may do something: allowed, or denied and why
    ///
    /// Example: grantbook-sqlite check access.db acme dana store.write --store dev
    Check {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        question: Question,
    },
    /// Say why a member may do something, or what would allow it
    Explain {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        question: Question,
    },
    /// Print what has happened: version, time, who, what, and the note if there is one
    ///
    /// Lists of more than ten are cut short; `--json` prints them whole.
    History {
        #[command(flatten)]
        place: Place,
        /// Only what has happened after this version
        #[arg(long, value_name = "VERSION", default_value_t = 0)]
        after: u64,
        /// The records as they are kept, one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Print the accounts in a file: id, version, and whether it is open, closed or erased
    List {
        /// The file
        file: PathBuf,
    },
    /// Print all records of an account as they are kept, one JSON object a line, to be kept elsewhere
    Export {
        #[command(flatten)]
        place: Place,
    },
    /// Import members and groups from a CSV file, all of it or nothing
    ///
    /// The columns are `kind`, `id`, `groups`, `name`, `description` and `grants`, in any order. Example:
    ///
    ///   kind,id,groups,name,description,grants
    ///   group,devs,,Developers,They build it,store-editor@dev|store-viewer@live
    ///   member,dana,devs,,,
    ///
    /// Every line that is wrong is told with its number; then nothing is imported.
    #[command(verbatim_doc_comment)]
    Import {
        #[command(flatten)]
        place: Place,
        /// The CSV file, or `-` for the standard input
        csv: PathBuf,
        /// Check only; import nothing
        #[arg(long)]
        dry_run: bool,
    },
}

/// Where the account is.
#[derive(Args)]
struct Place {
    /// The file
    file: PathBuf,
    /// The account
    account: AccountId,
}

/// Who asks for a change: one of the two must be said.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Asking {
    /// The member who asks
    #[arg(long = "as", value_name = "MEMBER")]
    member: Option<MemberId>,
    /// The application itself asks, for whom nothing is forbidden but what breaks the account
    #[arg(long)]
    system: bool,
}

#[derive(Args)]
struct Question {
    /// Who
    member: String,
    /// What for: `store.read`, `account.manage_groups`, a permission of your own
    permission: Permission,
    /// In which store; without it, at the account
    #[arg(long)]
    store: Option<StoreId>,
}

fn main() -> ExitCode {
    let done = match Program::parse().task {
        Task::Open {
            place,
            owner,
            groups,
        } => account::open(&place, &owner, groups),
        Task::Run {
            place,
            commands,
            actor,
            keys,
            note,
        } => input(commands.as_deref()).and_then(|commands| {
            let requests = run::Requests {
                actor: actor.member.map_or(Actor::System, Actor::Member),
                keys,
                note,
            };
            run::run(&place, &requests, BufReader::new(commands))
        }),
        Task::Check { place, question } => ask::check(&place, &question),
        Task::Explain { place, question } => ask::explain(&place, &question),
        Task::History { place, after, json } => history::print(&place, after, json),
        Task::List { file } => account::list(&file),
        Task::Export { place } => history::print(&place, 0, true),
        Task::Import {
            place,
            csv,
            dry_run,
        } => import::import(&place, &csv, dry_run),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        // Whoever read what is printed has gone, and does not want the rest.
        Err(failure) if is_broken_pipe(&failure) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {}", OneLine(&failure.to_string()));
            ExitCode::from(3)
        }
    }
}

fn is_broken_pipe(failure: &Failure) -> bool {
    failure
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// What is read: a file, or the standard input.
fn input(path: Option<&Path>) -> Result<Box<dyn Read>, Failure> {
    match path.filter(|path| *path != Path::new("-")) {
        Some(path) => match File::open(path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => {
                let path = path.to_string_lossy();
                Err(format!("{} cannot be read: {error}", Quoted(&path)).into())
            }
        },
        None => Ok(Box::new(io::stdin())),
    }
}

/// How many groups there may be.
fn group_limit(text: &str) -> Result<GroupLimit, Box<dyn Error + Send + Sync>> {
    Ok(GroupLimit::new(text.parse()?)?)
}

/// A prefix that leaves room for the number of a line.
fn prefix(text: &str) -> Result<String, grantbook::ParseError> {
    IdempotencyKey::parse(&format!("{text}-{}", u64::MAX))?;
    Ok(text.to_owned())
}

//! Commands, one a line.

use std::io::{BufRead, Write, stdout};

use grantbook::repository::{self, RepositoryError, Request};
use grantbook::{Actor, Command, IdempotencyKey, Note, OneLine};

use crate::account::{load, now, random_key};
use crate::{Failure, Place};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// What all requests of a run have in common.
pub(crate) struct Requests {
    pub(crate) actor: Actor,
    /// What their idempotency keys begin with; random ones, without it.
    pub(crate) keys: Option<String>,
    pub(crate) note: Option<Note>,
}

/// Runs each line as a request of its own, and says what came of it.
pub(crate) fn run(
    place: &Place,
    requests: &Requests,
    commands: impl BufRead,
) -> Result<bool, Failure> {
    let (kept, mut account) = load(place)?;
    let (mut lines, mut refused) = (0, 0);
    for (line, number) in commands.split(b'\n').zip(1_u64..) {
        let line = line.map_err(|error| format!("line {number} cannot be read: {error}"))?;
        // A byte order mark is no part of the first line.
        let line = match number {
            1 => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line),
            _ => &line,
        };
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        let command: Command = match serde_json::from_slice(line) {
            Ok(command) => command,
            Err(error) => {
                refused += 1;
                // It is a line of its own to serde, always the first.
                let error = error
                    .to_string()
                    .replace(" at line 1 column ", " at column ");
                let error = OneLine(&error);
                eprintln!("line {number}: refused, not-a-command: {error}");
                continue;
            }
        };
        let key = match &requests.keys {
            Some(prefix) => IdempotencyKey::parse(&format!("{prefix}-{number}"))?,
            None => random_key()?,
        };
        let request = Request {
            note: requests.note.clone(),
            ..Request::by(requests.actor.clone(), key, now()).command(command)
        };
        match repository::execute(&kept, &mut account, &request) {
            Ok(executed) => match executed.records().first() {
                Some(record) => {
                    let (version, kind) = (record.version(), record.event().kind());
                    writeln!(stdout(), "line {number}: version {version}, {kind}")?;
                }
                None => writeln!(stdout(), "line {number}: nothing changed")?,
            },
            Err(
                error
                @ (RepositoryError::Refused(_) | RepositoryError::IdempotencyKeyReused { .. }),
            ) => {
                refused += 1;
                let code = error.code();
                eprintln!("line {number}: refused, {code}: {error}");
            }
            Err(error) => return Err(format!("line {number}: {error}").into()),
        }
    }
    if refused > 0 {
        eprintln!("{refused} of {lines} commands were refused");
    }
    Ok(refused == 0)
}

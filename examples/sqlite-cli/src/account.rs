//! The account that a task is about.

use std::io::{Write, stdout};
use std::path::Path;
use std::time::SystemTime;

use grantbook::repository::{self, Replica, RepositoryError};
use grantbook::{GroupLimit, IdempotencyKey, MemberId, Quoted, Timestamp, Visible};
use grantbook_sqlite::SqliteRepository;
use uuid::Uuid;

use crate::{Failure, Place};

/// Opens an account.
pub(crate) fn open(place: &Place, owner: &MemberId, limit: GroupLimit) -> Result<bool, Failure> {
    let kept = SqliteRepository::create(&place.file)?;
    let (commit, account) = (random_key()?, place.account.clone());
    match repository::open(&kept, commit, account, owner.clone(), limit, now()) {
        Ok(_) => {
            let (account, owner) = (Quoted(&place.account), Quoted(owner));
            writeln!(stdout(), "opened account {account} with owner {owner}")?;
            Ok(true)
        }
        Err(
            error @ (RepositoryError::AccountExists { .. } | RepositoryError::AccountErased { .. }),
        ) => {
            eprintln!("refused, {}: {error}", error.code());
            Ok(false)
        }
        Err(error) => Err(error.to_string().into()),
    }
}

/// The file and the account in it.
pub(crate) fn load(place: &Place) -> Result<(SqliteRepository, Replica), Failure> {
    let kept = SqliteRepository::open(&place.file)?;
    let replica = repository::load(&kept, &place.account).map_err(|error| error.to_string())?;
    let replica = replica.ok_or_else(|| unknown(place))?;
    Ok((kept, replica))
}

/// Prints the accounts in a file: version, state, id. The id comes last, as there may be anything in it.
pub(crate) fn list(file: &Path) -> Result<bool, Failure> {
    let accounts = SqliteRepository::open(file)?.accounts()?;
    let mut out = stdout().lock();
    for (id, head) in accounts {
        let (version, state) = (head.version, head.state.as_str());
        writeln!(out, "{version:>6}  {state:<6}  {}", Visible(&id))?;
    }
    Ok(true)
}

pub(crate) fn unknown(place: &Place) -> Failure {
    let (account, file) = (Quoted(&place.account), place.file.to_string_lossy());
    let file = Quoted(&file);
    format!("there is no account {account} in {file}; open it first").into()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

pub(crate) fn random_key() -> Result<IdempotencyKey, Failure> {
    Ok(IdempotencyKey::parse(&Uuid::new_v4().to_string())?)
}

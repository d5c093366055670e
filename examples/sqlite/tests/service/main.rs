//! A service over the accounts of its tenants: what stands in the README of the repository, and tests of it.
#![allow(clippy::needless_pass_by_value)] // `map_err` passes errors by value

use grantbook::repository::{Accounts, Notice, RepositoryError, Request, SyncStorage};
use grantbook::{AccountId, Command, GroupLimit, IdempotencyKey, MemberId, Permission, Resource};
use grantbook_sqlite::{SqliteError, SqliteRepository};

type Tenants = Accounts<SyncStorage<SqliteRepository>>;
type Problem = (u16, &'static str, String); // the HTTP status, a stable code, a message

/// What the router and the login make of a request.
struct Call {
    tenant: AccountId,
    user: MemberId,                            // as authenticated; never from the body
    key: IdempotencyKey,                       // the header `Idempotency-Key`, after the user's id
    if_match: Option<grantbook::Precondition>, // the header `If-Match`: the digest of what was shown
    now: grantbook::Timestamp,
}

fn start(file: &str, log: fn(String)) -> Result<Tenants, SqliteError> {
    let accounts = Accounts::builder(SqliteRepository::create(file)?).capacity(500 << 20);
    let accounts = accounts.observe(move |notice| match notice {
        Notice::Committed { records, .. } => log(format!("changed: {records:?}")),
        Notice::Refused { actor, code, .. } => log(format!("{actor} was refused: {code}")),
        _ => {}
    });
    Ok(accounts.build())
}

/// `POST /tenants`: the user opens an account. Tried again with the same key, it is opened once.
fn open(tenants: &Tenants, call: Call) -> Result<u64, Problem> {
    let limit = GroupLimit::default();
    let opened = tenants.open(call.key, call.tenant, call.user, limit, call.now);
    Ok(opened.map_err(failed)?.version())
}

/// Stands before each handler that reads or writes something in a store.
fn require(tenants: &Tenants, call: &Call, may: &Permission, store: &str) -> Result<(), Problem> {
    let account = tenants.get(&call.tenant).map_err(failed)?;
    let allowed = account.require(&call.user, may, Resource::Store(store));
    allowed.map_err(|reason| (reason.http_status(), reason.code(), reason.to_string()))
}

/// `POST /tenants/{tenant}/commands`: returns the account's version, which is the new `ETag`.
fn execute(tenants: &Tenants, call: Call, json: &str) -> Result<u64, Problem> {
    let command = serde_json::from_str::<Command>(json);
    let command = command.map_err(|error| (400, "not-a-command", error.to_string()))?;
    let account = tenants.get(&call.tenant).map_err(failed)?;
    let mut request = Request::by(call.user.into(), call.key, call.now).command(command);
    request.preconditions.extend(call.if_match);
    Ok(account.execute(&request).map_err(failed)?.version())
}

/// On a timer, for changes made by other processes; or call `notify_version` when one tells you.
fn refresh(tenants: &Tenants) -> Vec<Problem> {
    let held = tenants.held().into_iter().map(|held| held.id().clone());
    let errors = held.filter_map(|id| tenants.refresh(&id).err());
    errors.map(failed).collect()
}

fn failed(error: RepositoryError) -> Problem {
    (error.http_status(), error.code(), error.to_string())
}

#[cfg(test)]
mod tests;

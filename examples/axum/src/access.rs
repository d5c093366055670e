//! Who calls, in which account, and whether they may.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::time::SystemTime;

use axum::extract::{FromRequestParts, Path};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use grantbook::repository::{
    Accounts, Repository, RepositoryError, Request, SharedAccount, SyncStorage,
};
use grantbook::{
    Account, AccountId, IdempotencyKey, MemberId, Permission, Precondition, Resource, StoreId,
    Timestamp,
};

use crate::accounts::loaded;
use crate::problem::{NOT_FOUND, Problem, UNAUTHENTICATED};

/// The state of a service: what the extractors need of it.
pub trait Host: Clone + Send + Sync + 'static {
    /// Where accounts are kept.
    type Repository: Repository + Send + Sync + 'static;

    /// Returns the accounts.
    fn accounts(&self) -> &Accounts<SyncStorage<Self::Repository>>;

    /// Returns who sent a request with these headers, as you have authenticated them; `None` if they prove nobody.
    /// grantbook trusts the answer.
    fn caller(&self, headers: &HeaderMap) -> Option<MemberId>;

    /// Returns the time, by the system's clock unless you have another one.
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// Who calls. A handler that takes it answers nobody else.
#[derive(Clone, Debug)]
pub struct Caller(pub MemberId);

impl<H: Host> FromRequestParts<H> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, host: &H) -> Result<Self, Problem> {
        host.caller(&parts.headers).map(Self).ok_or(UNAUTHENTICATED)
    }
}

/// The account that the path names, and a caller who has a part in it: as a member, invited, or suspended. Everybody else
/// is answered with 404, whether there is such an account, was one, or never was.
///
/// That says who calls, and not that they may do anything: ask with [`require`](InAccount::require), or take [`InStore`].
#[derive(Debug)]
pub struct InAccount<R> {
    /// The account.
    pub account: SharedAccount<SyncStorage<R>>,
    /// Who calls.
    pub caller: MemberId,
    /// When.
    pub now: Timestamp,
}

impl<H: Host> FromRequestParts<H> for InAccount<H::Repository> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, host: &H) -> Result<Self, Problem> {
        let Caller(caller) = Caller::from_request_parts(parts, host).await?;
        let id: AccountId = in_path(parts, host, "account").await?;
        match loaded(host.accounts(), id).await? {
            Ok(account) if account.with(|account| account.member(&caller).is_some()) => Ok(Self {
                account,
                caller,
                now: host.now(),
            }),
            Ok(_)
            | Err(RepositoryError::UnknownAccount { .. } | RepositoryError::AccountErased { .. }) => {
                Err(NOT_FOUND)
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl<R: Repository> InAccount<R> {
    /// Refuses a caller who does not hold this at the account.
    ///
    /// # Errors
    /// Why not, with 403.
    pub fn require(&self, permission: &Permission) -> Result<(), Problem> {
        let allowed = self
            .account
            .require(&self.caller, permission, Resource::Account);
        Ok(allowed?)
    }

    /// Returns a request by the caller, with what its headers say: `Idempotency-Key`, which is required, names it among
    /// all of the caller's, and `If-Match` is the [`etag`] that it was decided on.
    ///
    /// # Errors
    /// A header is missing or is not what it should be, with 400; the key is too long, with 422.
    pub fn request(&self, headers: &HeaderMap) -> Result<Request, Problem> {
        let key = idempotency_key(&self.caller, headers)?;
        let request = Request::by(self.caller.clone().into(), key, self.now);
        let Some(tag) = headers.get("if-match") else {
            return Ok(request);
        };
        let digest = tag
            .to_str()
            .ok()
            .and_then(|tag| tag.trim_matches('"').parse().ok());
        let wrong = "`If-Match` takes one `ETag` of this account";
        let digest = digest.ok_or(Problem::new(400, "bad-if-match", wrong))?;
        Ok(request.if_unchanged(Precondition::Account { digest }))
    }
}

/// Returns the account as it is now, as `ETag` and `If-Match` have it.
#[must_use]
pub fn etag(account: &Account) -> String {
    format!("\"{}\"", account.digest())
}

/// Returns the caller's own key, of the header `Idempotency-Key`: the same text of two callers names two requests.
///
/// # Errors
/// There is none, with 400, or it is too long, with 422.
pub fn idempotency_key(caller: &MemberId, headers: &HeaderMap) -> Result<IdempotencyKey, Problem> {
    let key = headers.get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok());
    let missing = "send `Idempotency-Key`, new for each request and the same for a retry";
    let key = key.ok_or(Problem::new(400, "no-idempotency-key", missing))?;
    Ok(format!("{}:{caller}:{key}", caller.len()).parse()?)
}

/// The caller's own part of a key that [`idempotency_key`] has made.
pub(crate) fn own_part(key: &IdempotencyKey) -> Option<&str> {
    let (length, rest) = key.split_once(':')?;
    rest.get(length.parse().ok()?..)?.strip_prefix(':')
}

/// What is in the path at this place. What is no id there is nothing; a route without the place is a mistake of the
/// service.
async fn in_path<T: TryFrom<String>>(
    parts: &mut Parts,
    host: &impl Host,
    name: &str,
) -> Result<T, Problem> {
    let path = Path::<HashMap<String, String>>::from_request_parts(parts, host).await;
    let Path(mut path) = path.map_err(|_| NOT_FOUND)?;
    let text = path
        .remove(name)
        .ok_or_else(|| Problem::internal(format!("the route has no `{{{name}}}`")))?;
    T::try_from(text).map_err(|_| NOT_FOUND)
}

/// What a handler needs to be allowed.
pub trait Needs {
    /// The permission.
    const PERMISSION: Permission;
}

/// The store that the path names, and a caller who may do `N` there. There is no other way to get one: let what reads or
/// writes take one, and no handler can forget to ask.
#[derive(Debug)]
pub struct InStore<N> {
    /// The account.
    pub account: AccountId,
    /// The store.
    pub store: StoreId,
    /// Who calls.
    pub caller: MemberId,
    checked: PhantomData<fn() -> N>,
}

impl<N: Needs, H: Host> FromRequestParts<H> for InStore<N> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, host: &H) -> Result<Self, Problem> {
        let InAccount {
            account, caller, ..
        } = InAccount::from_request_parts(parts, host).await?;
        let store: StoreId = in_path(parts, host, "store").await?;
        account.require(&caller, &N::PERMISSION, Resource::Store(&store))?;
        Ok(Self {
            account: account.id().clone(),
            store,
            caller,
            checked: PhantomData,
        })
    }
}

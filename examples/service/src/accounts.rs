//! What people do with an account: open it, change it, and ask about it.

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse};
use grantbook::repository::{RepositoryError, records};
use grantbook::{AccountId, GroupLimit, MemberId, Permission, Resource};
use grantbook_axum::{Body, Caller, Change, Host, Problem, Query, blocking, etag, idempotency_key};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{App, InAccount};

/// So many records are one page of the history.
const PAGE: usize = 100;

/// The body of `POST /accounts`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Opening {
    id: AccountId,
}

/// `POST /accounts`: the caller opens an account, and owns it. That an id is taken is the one thing that anybody learns of
/// an account of others.
pub(crate) async fn open(
    State(app): State<App>,
    Caller(owner): Caller,
    headers: HeaderMap,
    Body(Opening { id }): Body<Opening>,
) -> Result<impl IntoResponse, Problem> {
    let (key, now) = (idempotency_key(&owner, &headers)?, app.now());
    let open = move || {
        app.accounts
            .open(key, id, owner, GroupLimit::default(), now)
    };
    let account = blocking(open).await??;
    let body = Json(json!({ "id": account.id() }));
    Ok((StatusCode::CREATED, [(ETAG, account.with(etag))], body))
}

/// `GET /accounts/{account}`: what the caller is here, and what it may do.
pub(crate) async fn show(at: InAccount) -> impl IntoResponse {
    at.account.with(|account| {
        let body = json!({
            "version": account.version(),
            "status": account.member(&at.caller).map(|member| member.status()),
            "access": account.effective_permissions(&at.caller),
        });
        ([(ETAG, etag(account))], Json(body))
    })
}

/// `POST /accounts/{account}/commands`. Invited members accept their invitation here, and members leave.
pub(crate) async fn execute(
    at: InAccount,
    headers: HeaderMap,
    Body(change): Body<Change>,
) -> Result<impl IntoResponse, Problem> {
    let mut request = at.request(&headers)?.commands(change.commands);
    request.note = change.note;
    let execute = move || {
        let done = at.account.execute(&request)?;
        Ok::<_, RepositoryError>((done, at.account.with(etag)))
    };
    let (done, tag) = blocking(execute).await??;
    let body = json!({ "version": done.version(), "is_repeat": done.is_repeat(), "records": done.records() });
    Ok(([(ETAG, tag)], Json(body)))
}

/// `POST /accounts/{account}/preview`: what these commands would do, and who would gain and lose what. The same body, sent
/// as commands with `If-Match` and the `ETag` of this answer, does just that or nothing.
pub(crate) async fn preview(
    at: InAccount,
    Body(change): Body<Change>,
) -> Result<impl IntoResponse, Problem> {
    at.account.with(|account| {
        let preview = account.preview(&at.caller.into(), &change.commands, at.now)?;
        Ok(([(ETAG, etag(account))], Json(json!(preview))))
    })
}

/// What `why` asks about; the caller at the account, unless it says otherwise.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Question {
    member: Option<MemberId>,
    permission: Permission,
    store: Option<String>,
}

/// `GET /accounts/{account}/why?permission=…&store=…&member=…`. Everybody may ask about themselves; about others, those who
/// manage groups.
pub(crate) async fn why(
    at: InAccount,
    Query(asked): Query<Question>,
) -> Result<Json<Value>, Problem> {
    let member = asked.member.unwrap_or_else(|| at.caller.clone());
    if member != at.caller {
        at.require(&Permission::MANAGE_GROUPS)?;
    }
    let store = asked.store.as_deref();
    let resource = store.map_or(Resource::Account, Resource::Store);
    let explain = |account: &grantbook::Account| {
        account.explain(&member, &asked.permission, resource, at.now)
    };
    let explanation = at.account.with(explain);
    Ok(Json(
        json!({ "text": explanation.to_string(), "explanation": explanation }),
    ))
}

/// Where a page of the history begins.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    #[serde(default)]
    after: u64,
}

/// `GET /accounts/{account}/history?after=…`: who changed what, when and why; for those who manage groups.
pub(crate) async fn history(
    State(app): State<App>,
    at: InAccount,
    Query(After { after }): Query<After>,
) -> Result<Json<Value>, Problem> {
    at.require(&Permission::MANAGE_GROUPS)?;
    let read = move || {
        let records = records(app.accounts.repository(), at.account.id(), after);
        records.take(PAGE).collect::<Result<Vec<_>, _>>()
    };
    Ok(Json(json!({ "records": blocking(read).await?? })))
}

/// `GET /accounts/{account}/review`: a page to review who has access; for those who manage groups.
pub(crate) async fn review(at: InAccount) -> Result<Html<String>, Problem> {
    at.require(&Permission::MANAGE_GROUPS)?;
    let page = move || {
        at.account
            .with(|account| account.to_html("Who has access", at.now))
    };
    Ok(Html(blocking(page).await?))
}

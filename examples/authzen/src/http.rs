//! The decision point over HTTP.

use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use grantbook::Timestamp;
use grantbook::repository::{Accounts, Repository, SyncStorage};
use grantbook_axum::{Problem, loaded};
use serde::Serialize;

use crate::decide::DecisionPoint;
use crate::metadata::{Metadata, PublicUrl};
use crate::vocabulary::Vocabulary;
use crate::wire::BadRequest;

/// The most bytes that a request may have.
pub const MAX_BODY: usize = 1 << 20;

/// The state of a service with decision points.
pub trait PolicyHost: Clone + Send + Sync + 'static {
    /// Where accounts are kept.
    type Repository: Repository + Send + Sync + 'static;
    /// The callers' words.
    type Vocabulary: Vocabulary + Send + Sync;

    /// Returns the accounts.
    fn accounts(&self) -> &Accounts<SyncStorage<Self::Repository>>;

    /// Returns the callers' words.
    fn vocabulary(&self) -> &Self::Vocabulary;

    /// Returns whether whoever has this bearer key may ask about this account. [`Keys`](crate::Keys) can answer that.
    fn allows(&self, account: &str, key: &str) -> bool;

    /// Returns where the service is for its callers.
    fn public_url(&self) -> &PublicUrl;

    /// Returns the time, by the system's clock unless you have another one.
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

/// Serves a decision point for each account: `/{account}/access/v1/evaluation`, `evaluations`, `search/subject`,
/// `search/resource` and `search/action`, and its metadata at `/.well-known/authzen-configuration/{account}`.
pub fn router<H: PolicyHost>(host: H) -> Router {
    let mut router = Router::new().route(
        "/.well-known/authzen-configuration/{account}",
        get(metadata::<H>),
    );
    for (path, endpoint) in [
        ("evaluation", Endpoint::Evaluation),
        ("evaluations", Endpoint::Evaluations),
        ("search/subject", Endpoint::Subjects),
        ("search/resource", Endpoint::Resources),
        ("search/action", Endpoint::Actions),
    ] {
        let answer =
            move |State(host): State<H>,
                  Path(account): Path<String>,
                  headers: HeaderMap,
                  body: Body| { answer(host, account, endpoint, headers, body) };
        router = router.route(&format!("/{{account}}/access/v1/{path}"), post(answer));
    }
    router
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn(with_request_id))
        .with_state(host)
}

type Body = Result<Bytes, BytesRejection>;

#[derive(Clone, Copy)]
enum Endpoint {
    Evaluation,
    Evaluations,
    Subjects,
    Resources,
    Actions,
}

/// The same for an account that is not there and for a key that is not allowed: neither is to be found out.
const UNAUTHENTICATED: &str =
    "send `Authorization: Bearer` with a key that may ask about this account";

async fn answer<H: PolicyHost>(
    host: H,
    account: String,
    endpoint: Endpoint,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let key = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let key = key.and_then(|value| value.split_once(' '));
    let key = key.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if !key.is_some_and(|(_, key)| host.allows(&account, key)) {
        let problem = Problem::new(401, "unauthenticated", UNAUTHENTICATED);
        return Err(([(WWW_AUTHENTICATE, "Bearer")], problem).into_response());
    }
    let answered = answer_allowed(&host, &account, endpoint, &headers, body).await;
    answered.map_err(Problem::into_response)
}

async fn answer_allowed<H: PolicyHost>(
    host: &H,
    account: &str,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body =
        body.map_err(|error| Problem::new(error.status().as_u16(), "bad-body", error.body_text()))?;
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("application/json") {
        let wrong = "send `Content-Type: application/json`";
        return Err(Problem::new(400, "bad-content-type", wrong));
    }
    let account = loaded(host.accounts(), account.parse()?).await??;
    let written = account.with(|account| {
        let point = DecisionPoint::new(account, host.vocabulary(), host.now());
        match endpoint {
            Endpoint::Evaluation => written(point.evaluation(&body)),
            Endpoint::Evaluations => written(point.evaluations(&body)),
            Endpoint::Subjects => written(point.search_subjects(&body)),
            Endpoint::Resources => written(point.search_resources(&body)),
            Endpoint::Actions => written(point.search_actions(&body)),
        }
    })?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, written).into_response())
}

fn written<T: Serialize>(answer: Result<T, BadRequest>) -> Result<Vec<u8>, Problem> {
    let answer = answer.map_err(|error| Problem::new(400, "bad-request", error.to_string()))?;
    serde_json::to_vec(&answer).map_err(Problem::internal)
}

/// Not a secret, and the same whether there is such an account or not.
async fn metadata<H: PolicyHost>(
    State(host): State<H>,
    Path(account): Path<String>,
) -> Result<Response, Problem> {
    let metadata = Metadata::of(host.public_url(), &account);
    let written = serde_json::to_vec(&metadata).map_err(Problem::internal)?;
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "max-age=3600"),
    ];
    Ok((headers, written).into_response())
}

/// A request's `X-Request-ID` comes back, whatever the answer.
async fn with_request_id(request: Request, next: Next) -> Response {
    let id = request.headers().get("x-request-id").cloned();
    let mut response = next.run(request).await;
    if let Some(id) = id {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

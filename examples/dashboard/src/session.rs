//! Who asks.

use std::time::SystemTime;

use axum::Form;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::SignedCookieJar;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};
use grantbook::repository::SharedAccount;
use grantbook::{Account, Actor, MemberId, MemberStatus, Permission, Record, Resource, Timestamp};
use serde::{Deserialize, Serialize};

use crate::form::Fields;
use crate::storage::Storage;
use crate::{ACCOUNT, App, layout};

/// How long somebody stays signed in.
const HOURS_12: u64 = 12 * 60 * 60 * 1_000;

const COOKIE: &str = "session";

/// How people prove who they are. The dashboard trusts the answer.
pub trait SignIn: Send + Sync {
    /// Returns the member whom the fields of the sign-in form prove to be there; nobody, if they prove nobody.
    fn prove(&self, account: &Account, member: &str) -> Option<MemberId>;
}

/// For demonstrations alone: everybody is who they say they are.
#[derive(Clone, Copy, Debug)]
pub struct ChooseWhoYouAre;

impl SignIn for ChooseWhoYouAre {
    fn prove(&self, account: &Account, member: &str) -> Option<MemberId> {
        account.member(member).map(|member| member.id().clone())
    }
}

/// What the signed cookie holds.
#[derive(Clone, Deserialize, Serialize)]
struct Session {
    member: MemberId,
    /// What every form of this session has in it.
    token: String,
    until: Timestamp,
}

pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
}

pub(crate) fn started(jar: SignedCookieJar, member: MemberId) -> SignedCookieJar {
    let until = Timestamp::from_millis(now().as_millis().saturating_add(HOURS_12));
    let token = format!("{:032x}", rand_u128());
    let session = Session {
        member,
        token,
        until,
    };
    // It holds text and numbers alone, so it can be written.
    let value = serde_json::to_string(&session).unwrap_or_default();
    let cookie = Cookie::build((COOKIE, value))
        .http_only(true)
        .same_site(SameSite::Lax)
        .path("/");
    jar.add(cookie)
}

/// From the operating system, as cookie keys are.
fn rand_u128() -> u128 {
    let key = Key::generate();
    let bytes = key.master().first_chunk().copied();
    u128::from_le_bytes(bytes.unwrap_or_default())
}

pub(crate) fn ended(jar: SignedCookieJar) -> SignedCookieJar {
    jar.remove(Cookie::build(COOKIE).path("/"))
}

/// A member of the account who is signed in.
pub(crate) struct Viewer {
    pub(crate) app: App,
    pub(crate) account: SharedAccount<Storage>,
    pub(crate) member: MemberId,
    pub(crate) token: String,
    pub(crate) now: Timestamp,
    /// Whether the viewer may see others, when the request came. A page asks again, of the account that it shows.
    pub(crate) is_shown_all: bool,
    /// The version of the change after which the viewer was led here.
    pub(crate) saved: Option<u64>,
    /// The version of the account, when the request came.
    pub(crate) version: u64,
    /// Whether the request reads a page, and sends nothing: the page can be read again.
    pub(crate) is_read: bool,
}

impl FromRequestParts<App> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let jar = SignedCookieJar::<Key>::from_request_parts(parts, app).await;
        let jar = jar.map_err(IntoResponse::into_response)?;
        let session = jar.get(COOKIE);
        let session =
            session.and_then(|cookie| serde_json::from_str::<Session>(cookie.value()).ok());
        let to_sign_in = || Redirect::to("/sign-in").into_response();
        let session = session
            .filter(|session| session.until > now())
            .ok_or_else(to_sign_in)?;
        let account = app
            .accounts
            .loaded(ACCOUNT)
            .ok_or_else(layout::unavailable)?;
        // Whoever was removed meanwhile is a stranger.
        let found = account.with(|account| {
            account.member(&session.member)?;
            Some((sees_all(account, &session.member), account.version()))
        });
        let (is_shown_all, version) = found.ok_or_else(to_sign_in)?;
        Ok(Self {
            app: app.clone(),
            account,
            member: session.member,
            token: session.token,
            now: now(),
            is_shown_all,
            saved: saved(parts.uri.query().unwrap_or_default()),
            version,
            is_read: parts.method == Method::GET,
        })
    }
}

/// What [`change`](crate::change) leads to when it is done.
fn saved(query: &str) -> Option<u64> {
    let mut fields = query.split('&');
    fields.find_map(|field| field.strip_prefix("saved=")?.parse().ok())
}

impl Viewer {
    pub(crate) fn actor(&self) -> Actor {
        Actor::Member(self.member.clone())
    }

    /// Whether the viewer may see others, as the account is that a page shows.
    pub(crate) fn sees_all(&self, account: &Account) -> bool {
        sees_all(account, &self.member)
    }
}

/// Whether a member may see others: members, groups, history. Owners and group managers may; everybody sees themselves.
/// In a closed account nobody may do anything; its owners see it all the same.
fn sees_all(account: &Account, member: &str) -> bool {
    let is_owner = MemberStatus::Active { owner: true };
    account.can(member, &Permission::MANAGE_GROUPS, Resource::Account)
        || account.is_closed()
            && account
                .member(member)
                .is_some_and(|found| found.status() == is_owner)
}

/// A form that a page of this session sent.
pub(crate) struct Posted {
    pub(crate) viewer: Viewer,
    pub(crate) fields: Fields,
    /// What others had done meanwhile, where that is why it was refused.
    pub(crate) meanwhile: Vec<Record>,
}

impl FromRequest<App> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let request = Request::from_parts(parts.clone(), body);
        let form = Form::<Vec<(String, String)>>::from_request(request, app).await;
        let Form(fields) = form.map_err(IntoResponse::into_response)?;
        // Who sends it, and when, is who and when its end comes: the body may take its time.
        let viewer = Viewer::from_request_parts(&mut parts, app).await?;
        let fields = Fields(fields);
        if fields.get("token") != viewer.token {
            return Err(layout::refused(
                "This form is of another session. Go back, load the page again, and send it again.",
            ));
        }
        Ok(Self {
            viewer,
            fields,
            meanwhile: Vec::new(),
        })
    }
}

/// The same, of a viewer who sees all: what is refused is answered with a page that shows others.
pub(crate) struct PostedByManager(pub(crate) Posted);

impl FromRequest<App> for PostedByManager {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let posted = Posted::from_request(request, app).await?;
        if posted.viewer.is_shown_all {
            Ok(Self(posted))
        } else {
            Err(layout::not_found())
        }
    }
}

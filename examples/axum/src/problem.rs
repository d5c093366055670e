//! Every error as one answer.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use grantbook::repository::RepositoryError;
use grantbook::{CommandError, DenialReason, ParseError};
use serde_json::json;

/// What went wrong, as RFC 9457 has it: a status, a stable code, and a sentence.
///
/// ```
/// use axum::response::IntoResponse;
/// use grantbook::DenialReason;
/// use grantbook_axum::Problem;
///
/// let response = Problem::from(DenialReason::Suspended).into_response();
/// assert_eq!(response.status(), 403);
/// assert_eq!(response.headers()["content-type"], "application/problem+json");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    status: u16,
    code: &'static str,
    detail: Cow<'static, str>,
}

/// The answer to whoever has no part in an account, whether there is one or not.
pub const NOT_FOUND: Problem = Problem {
    status: 404,
    code: "not-found",
    detail: Cow::Borrowed("there is no such thing, or you have no part in it"),
};

/// The answer to whoever is nobody.
pub const UNAUTHENTICATED: Problem = Problem {
    status: 401,
    code: "unauthenticated",
    detail: Cow::Borrowed("sign in first"),
};

impl Problem {
    /// Returns a problem of your own.
    pub fn new(status: u16, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self {
            status,
            code,
            detail,
        }
    }

    /// Returns the answer where the service itself failed. What failed goes to standard error, and not to the caller.
    pub fn internal(error: impl fmt::Display) -> Self {
        eprintln!("internal error: {error}");
        Self::new(500, "internal", "the service failed; try again later")
    }
}

macro_rules! problem_from {
    ($($error:ty),+) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::new(error.http_status(), error.code(), error.to_string())
            }
        }
    )+};
}
problem_from!(CommandError, DenialReason, ParseError, RepositoryError);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = json!({ "status": self.status, "code": self.code, "detail": self.detail });
        let headers = [(CONTENT_TYPE, "application/problem+json")];
        (status, headers, body.to_string()).into_response()
    }
}

//! Every error as one answer.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use grantbook::repository::RepositoryError;
use grantbook::{CommandError, DenialReason, ParseError, Quoted};
use serde_json::json;

use crate::access::own_part;

/// What went wrong, as RFC 9457 has it: a status, a stable code, and a sentence; and which of several commands it was,
/// counted from 0 (`index`).
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
    index: Option<usize>,
}

/// The answer to whoever has no part in an account, whether there is one or not.
pub const NOT_FOUND: Problem = Problem {
    status: 404,
    code: "not-found",
    detail: Cow::Borrowed("there is no such thing, or you have no part in it"),
    index: None,
};

/// The answer to a method that the path does not have.
pub const METHOD_NOT_ALLOWED: Problem = Problem {
    status: 405,
    code: "method-not-allowed",
    detail: Cow::Borrowed("this path has no such method"),
    index: None,
};

/// The answer to whoever is nobody.
pub const UNAUTHENTICATED: Problem = Problem {
    status: 401,
    code: "unauthenticated",
    detail: Cow::Borrowed("sign in first"),
    index: None,
};

impl Problem {
    /// Returns a problem of your own.
    pub fn new(status: u16, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let detail = detail.into();
        Self {
            status,
            code,
            detail,
            index: None,
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
problem_from!(DenialReason, ParseError);

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        Self {
            index: index(&error),
            ..Self::new(error.http_status(), error.code(), error.to_string())
        }
    }
}

impl From<RepositoryError> for Problem {
    fn from(error: RepositoryError) -> Self {
        let mut problem = Self::new(error.http_status(), error.code(), error.to_string());
        match error {
            RepositoryError::Refused(error) => problem.index = index(&error),
            // Callers know their own part of a key.
            RepositoryError::IdempotencyKeyReused { key } => {
                if let Some(own) = own_part(&key) {
                    let another = "is that of another request; give each request its own";
                    problem.detail = format!("idempotency key {} {another}", Quoted(own)).into();
                }
            }
            _ => {}
        }
        problem
    }
}

/// Which of several commands was refused, from 0 on.
fn index(error: &CommandError) -> Option<usize> {
    match error {
        CommandError::InBatch { index, .. } => Some(*index),
        _ => None,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({ "status": self.status, "code": self.code, "detail": self.detail });
        if let Some(index) = self.index {
            body["index"] = json!(index);
        }
        let headers = [(CONTENT_TYPE, "application/problem+json")];
        (status, headers, body.to_string()).into_response()
    }
}

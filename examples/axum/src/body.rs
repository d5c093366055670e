//! What a request says: its body, and the query of its address.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use grantbook::{Command, Note};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A body of JSON. What can't be read is answered with 400, and with what is wrong and where.
#[derive(Clone, Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| {
            Problem::new(error.status().as_u16(), "bad-body", error.body_text())
        })?;
        let mut text = serde_json::Deserializer::from_slice(&body);
        let read = serde_path_to_error::deserialize(&mut text).map_err(|error| error.to_string());
        let read =
            read.and_then(|read| text.end().map(|()| read).map_err(|error| error.to_string()));
        read.map(Self)
            .map_err(|error| Problem::new(400, "bad-json", error))
    }
}

/// What comes after the `?` of an address. What can't be read is answered with 400, and with what is wrong.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let read = axum::extract::Query::from_request_parts(parts, state).await;
        let read = read.map(|axum::extract::Query(asked)| Self(asked));
        read.map_err(|error| Problem::new(400, "bad-query", error.body_text()))
    }
}

/// A change as a body has it: commands that are done together or not at all, and why.
///
/// ```
/// let body = r#"{"commands": [{"command": "create-store", "store": "dev"}], "note": "ticket 17"}"#;
/// let change: grantbook_axum::Change = serde_json::from_str(body)?;
/// assert_eq!(change.commands, [grantbook::Command::create_store(grantbook::StoreId::parse("dev")?)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with the field `commands`")]
pub struct Change {
    /// The commands, in the order in which they are done.
    pub commands: Vec<Command>,
    /// What the records are to note.
    pub note: Option<Note>,
}

//! What goes over the wire, in the order in which it is written.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use grantbook::{DenialReason, Explanation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A request that cannot be answered: what is wrong with it, and where. Answered with 400.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadRequest(pub(crate) Cow<'static, str>);

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadRequest {}

/// The longest sentence about a request, in characters: it may repeat what was sent.
const LONGEST: usize = 300;

impl BadRequest {
    pub(crate) fn new(sentence: &str) -> Self {
        let end = sentence.char_indices().nth(LONGEST).map(|(end, _)| end);
        Self(match end {
            Some(end) => format!("{}…", &sentence[..end]).into(),
            None => sentence.to_owned().into(),
        })
    }

    pub(crate) fn missing(what: &str) -> Self {
        Self(format!("`{what}` is missing").into())
    }
}

/// A subject or a resource.
#[derive(Clone, Debug, Deserialize)]
pub struct Entity {
    /// What it is, in the caller's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one. Left out where it is searched for.
    #[serde(default)]
    pub id: Option<String>,
    /// Decides nothing here.
    #[serde(default)]
    pub properties: Option<Map<String, Value>>,
}

/// What somebody wants to do.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Action {
    /// Its name, in the caller's words.
    pub name: String,
    /// What a [`Vocabulary`](crate::Vocabulary) may look at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Map<String, Value>>,
}

/// The body of every request. Members that the standard does not name are ignored, and `null` is as good as nothing.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(expecting = "a JSON object")]
pub(crate) struct Body<'b> {
    #[serde(borrow, default)]
    pub(crate) subject: Option<&'b RawValue>,
    #[serde(borrow, default)]
    pub(crate) action: Option<&'b RawValue>,
    #[serde(borrow, default)]
    pub(crate) resource: Option<&'b RawValue>,
    #[serde(borrow, default)]
    pub(crate) context: Option<&'b RawValue>,
    #[serde(borrow, default)]
    pub(crate) options: Option<&'b RawValue>,
    #[serde(borrow, default)]
    pub(crate) evaluations: Option<&'b RawValue>,
    #[serde(borrow, default)]
    pub(crate) page: Option<&'b RawValue>,
}

impl<'b> Body<'b> {
    pub(crate) fn read(body: &'b [u8]) -> Result<Self, BadRequest> {
        // Serde reads a struct from an array too.
        let is_object = body.trim_ascii_start().first() == Some(&b'{');
        let read =
            serde_json::from_slice(body).map_err(|error| BadRequest::new(&error.to_string()));
        let not_object = BadRequest("the body takes a JSON object".into());
        read.and_then(|body| if is_object { Ok(body) } else { Err(not_object) })
    }
}

/// Reads a member of a body, which is an object; `None` if there is none.
pub(crate) fn object<T: DeserializeOwned>(
    what: &str,
    raw: Option<&RawValue>,
) -> Result<Option<T>, BadRequest> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    if !raw.get().starts_with('{') {
        return Err(BadRequest(format!("`{what}` takes a JSON object").into()));
    }
    let read = serde_json::from_str(raw.get());
    read.map(Some)
        .map_err(|error| BadRequest::new(&format!("`{what}`: {error}")))
}

/// The answer to one question.
#[derive(Debug, Serialize)]
pub struct Decision {
    /// Whether the subject may.
    pub decision: bool,
    /// Of what the answer is, and why.
    pub context: Context,
}

/// What an answer is of, and why it is so.
#[derive(Debug, Serialize)]
pub struct Context {
    /// The account's version.
    pub version: u64,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The ways that lead there, or what would; if the request's `context` has `"explain": true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Box<Explanation>>,
    /// What was wrong with one question of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ItemError>,
}

/// Why somebody may not.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Reason {
    /// A stable code: that of a [`DenialReason`], or `unknown-action`.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

impl From<&DenialReason> for Reason {
    fn from(reason: &DenialReason) -> Self {
        Self {
            code: reason.code(),
            message: reason.to_string(),
        }
    }
}

/// What was wrong with one question of several; it counts as denied.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ItemError {
    /// As HTTP has it.
    pub status: u16,
    /// What was wrong, and where.
    pub message: String,
}

/// The answer to one question, or to several in their order. Those after the one that decided are left out, where the
/// request wants it so.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Evaluations {
    /// To a request without a list of questions.
    One(Decision),
    /// To a list of questions.
    Many {
        /// In the order of the questions.
        evaluations: Vec<Decision>,
    },
}

/// What a search found, of one kind: [`Found`] or [`FoundAction`].
#[derive(Debug, Serialize)]
pub struct SearchResults<T> {
    /// Where it goes on.
    pub page: PageEnd,
    /// Of what it is.
    pub context: SearchContext,
    /// What was found, in the order of ids.
    pub results: Vec<T>,
}

/// The end of a page.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PageEnd {
    /// For the next page; empty where there is none.
    pub next_token: String,
    /// How many are on this one.
    pub count: usize,
}

/// Of which versions pages are. If they differ, the account has changed meanwhile: what was found may have gone since,
/// and what is allowed since behind the last page is not on any.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct SearchContext {
    /// The account's version when this page was made.
    pub version: u64,
    /// The version when the first page was made.
    pub first_version: u64,
}

/// A subject or a resource that was found.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Found {
    /// As it was asked for.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// An action that was found.
pub type FoundAction = Action;

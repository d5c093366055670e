//! What a decision point says of itself.

use grantbook_axum::path_segment;
use serde::Serialize;

/// Where the service is for its callers, such as `https://pdp.example`: behind a proxy, that is not where it listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicUrl(String);

impl PublicUrl {
    /// Accepts a URL.
    ///
    /// # Errors
    /// What is wrong with `http://pdp.example`, `https://`, `https://pdp.example/`, `https://pdp.example/a?b` and
    /// `https://pdp.example#a`.
    pub fn parse(url: &str) -> Result<Self, &'static str> {
        let host = url
            .strip_prefix("https://")
            .ok_or("the public URL begins with `https://`")?;
        if host.is_empty() {
            return Err("the public URL names a host");
        }
        let is_allowed =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        if !host.chars().all(is_allowed) {
            return Err(
                "the public URL is a scheme and a host, without a path, a query and a fragment",
            );
        }
        Ok(Self(url.to_owned()))
    }
}

/// The metadata document of one account's decision point.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Metadata {
    /// Its identifier.
    pub policy_decision_point: String,
    /// Where one question is asked.
    pub access_evaluation_endpoint: String,
    /// Where many are.
    pub access_evaluations_endpoint: String,
    /// Where subjects are searched.
    pub search_subject_endpoint: String,
    /// Where resources are searched.
    pub search_resource_endpoint: String,
    /// Where actions are searched.
    pub search_action_endpoint: String,
}

impl Metadata {
    /// Returns the document of this account.
    #[must_use]
    pub fn of(url: &PublicUrl, account: &str) -> Self {
        let point = format!("{}/{}", url.0, path_segment(account));
        Self {
            access_evaluation_endpoint: format!("{point}/access/v1/evaluation"),
            access_evaluations_endpoint: format!("{point}/access/v1/evaluations"),
            search_subject_endpoint: format!("{point}/access/v1/search/subject"),
            search_resource_endpoint: format!("{point}/access/v1/search/resource"),
            search_action_endpoint: format!("{point}/access/v1/search/action"),
            policy_decision_point: point,
        }
    }
}

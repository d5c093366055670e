//! Who calls. **For the demonstration only**: put your own sign-in in its place.

use std::collections::HashMap;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use grantbook::MemberId;
use sha2::{Digest, Sha256};

/// Tokens that stand in the configuration. They are looked up by their digests, so that no time tells how much of one is
/// right.
pub struct DemoTokens(HashMap<[u8; 32], MemberId>);

impl DemoTokens {
    /// Reads `olga=token,dana=token`.
    ///
    /// # Errors
    /// What is wrong with which entry; no token is repeated in it.
    pub fn parse(list: &str) -> Result<Self, String> {
        let mut tokens = HashMap::new();
        for (number, entry) in (1..).zip(list.split(',')) {
            let wrong = |what| format!("entry {number} {what}; write `member=token,member=token`");
            let (member, token) = entry.split_once('=').ok_or_else(|| wrong("has no `=`"))?;
            let member =
                MemberId::parse(member).map_err(|error| format!("entry {number}: {error}"))?;
            if token.is_empty() || tokens.insert(digest(token), member).is_some() {
                return Err(wrong("has no token, or one that is there already"));
            }
        }
        Ok(Self(tokens))
    }

    pub(crate) fn caller(&self, headers: &HeaderMap) -> Option<MemberId> {
        let token = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = token.split_once(' ')?;
        let is_bearer = scheme.eq_ignore_ascii_case("bearer");
        self.0.get(&digest(token)).filter(|_| is_bearer).cloned()
    }
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

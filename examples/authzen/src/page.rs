//! Pages of a search, and the tokens that go on with them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::wire::{BadRequest, PageEnd, SearchContext, SearchResults, object};

/// How many results a page has, unless the request says otherwise.
pub const DEFAULT_PAGE: usize = 100;

/// The most results that a page has, also where the request asks for more.
pub const MAX_PAGE: usize = 1_000;

const FORMAT: u8 = 1;

/// What a request says of its page.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    limit: Option<u64>,
}

/// What a token holds. It gives no access: whoever makes one up begins in another place of an answer that it gets
/// anyway.
#[derive(Debug, Deserialize, Serialize)]
struct Token {
    format: u8,
    /// Of what it is a page.
    query: String,
    limit: usize,
    /// The last that was found; it need not be there any more.
    after: Option<String>,
    first_version: u64,
}

/// Which part of what is found is wanted.
#[derive(Debug)]
pub(crate) struct Page {
    query: String,
    limit: usize,
    pub(crate) after: Option<String>,
    first_version: u64,
}

impl Page {
    /// The page of a request that asks this, in these words.
    pub(crate) fn of(
        query: &[&str],
        page: Option<&RawValue>,
        version: u64,
    ) -> Result<Self, BadRequest> {
        let query = hash(query);
        let asked = object::<Asked>("page", page)?.unwrap_or_default();
        let limit = asked.limit.map(|limit| {
            let limit = usize::try_from(limit).unwrap_or(MAX_PAGE);
            limit.min(MAX_PAGE)
        });
        let Some(token) = asked.token else {
            return Ok(Self {
                query,
                limit: limit.unwrap_or(DEFAULT_PAGE),
                after: None,
                first_version: version,
            });
        };
        let bad = |why| BadRequest(format!("`page.token` {why}; begin again without it").into());
        let decoded = URL_SAFE_NO_PAD.decode(token).ok();
        let token: Option<Token> = decoded.and_then(|token| serde_json::from_slice(&token).ok());
        let token = token.filter(|token| token.format == FORMAT);
        let token = token.ok_or_else(|| bad("is none of this service"))?;
        if token.query != query {
            return Err(bad("is of another search"));
        }
        if limit.is_some_and(|limit| limit != token.limit) {
            return Err(bad("is of pages of another length"));
        }
        Ok(Self {
            query,
            limit: token.limit.min(MAX_PAGE),
            after: token.after,
            first_version: token.first_version,
        })
    }

    /// Fills the page with what is found after its beginning, each with where it stands in the order.
    pub(crate) fn fill<T>(
        self,
        version: u64,
        found: impl Iterator<Item = (String, T)>,
    ) -> SearchResults<T> {
        let mut found = found.peekable();
        let mut after = self.after;
        let mut results = Vec::new();
        while results.len() < self.limit {
            let Some((place, one)) = found.next() else {
                break;
            };
            results.push(one);
            after = Some(place);
        }
        let next = found.peek().map(|_| Token {
            format: FORMAT,
            query: self.query,
            limit: self.limit,
            after,
            first_version: self.first_version,
        });
        // It holds text and numbers alone, so it can be written.
        let token = next.and_then(|token| serde_json::to_vec(&token).ok());
        SearchResults {
            page: PageEnd {
                next_token: token.map_or_else(String::new, |token| URL_SAFE_NO_PAD.encode(token)),
                count: results.len(),
            },
            context: SearchContext {
                version,
                first_version: self.first_version,
            },
            results,
        }
    }
}

/// Another one for other words, also where they are the same when written one after another.
fn hash(words: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for word in words {
        hasher.update((word.len() as u64).to_le_bytes());
        hasher.update(word);
    }
    URL_SAFE_NO_PAD.encode(hasher.finalize())
}

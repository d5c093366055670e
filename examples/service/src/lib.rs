//! An HTTP service in which people share documents. Who may do what is an account of grantbook, kept in SQLite.
//!
//! A request goes through four steps: who calls (`sign_in.rs`), the account and whether the caller may do this there (the
//! extractors of `grantbook-axum`), and then what it does (`accounts.rs`, `documents.rs`). `docs/guides/axum.md` walks
//! through it.

mod accounts;
mod documents;
mod sign_in;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use grantbook::MemberId;
use grantbook::repository::{Accounts, SyncStorage};
use grantbook_axum::{Host, METHOD_NOT_ALLOWED, NOT_FOUND, refresh_every};
use grantbook_sqlite::{SqliteError, SqliteRepository};

use crate::documents::Documents;
pub use crate::sign_in::DemoTokens;

type InAccount = grantbook_axum::InAccount<SqliteRepository>;

/// What every handler has at hand. A clone is another handle on the same.
#[derive(Clone)]
pub struct App {
    accounts: Accounts<SyncStorage<SqliteRepository>>,
    documents: Arc<Documents>,
    tokens: Arc<DemoTokens>,
}

impl Host for App {
    type Repository = SqliteRepository;

    fn accounts(&self) -> &Accounts<SyncStorage<SqliteRepository>> {
        &self.accounts
    }

    fn caller(&self, headers: &HeaderMap) -> Option<MemberId> {
        self.tokens.caller(headers)
    }
}

impl App {
    /// Opens the database, or creates it.
    ///
    /// # Errors
    /// The file can't be opened, or is something else.
    pub fn open(file: &str, tokens: DemoTokens) -> Result<Self, SqliteError> {
        let repository = SqliteRepository::create(file)?;
        Ok(Self {
            accounts: Accounts::builder(repository).capacity(500 << 20).build(),
            documents: Arc::new(Documents::open(file)?),
            tokens: Arc::new(tokens),
        })
    }

    /// Returns the routes.
    pub fn router(self) -> Router {
        let in_store = get(documents::in_store).post(documents::add);
        Router::new()
            .route("/accounts", post(accounts::open))
            .route("/accounts/{account}", get(accounts::show))
            .route("/accounts/{account}/commands", post(accounts::execute))
            .route("/accounts/{account}/preview", post(accounts::preview))
            .route("/accounts/{account}/why", get(accounts::why))
            .route("/accounts/{account}/history", get(accounts::history))
            .route("/accounts/{account}/review", get(accounts::review))
            .route("/accounts/{account}/documents", get(documents::list))
            .route("/accounts/{account}/stores/{store}/documents", in_store)
            .fallback(|| async { NOT_FOUND })
            .method_not_allowed_fallback(|| async { METHOD_NOT_ALLOWED })
            .with_state(self)
    }

    /// Sees what other processes have changed, for as long as the service runs.
    pub async fn refresh_every(self, interval: Duration) {
        refresh_every(self.accounts, interval).await;
    }
}

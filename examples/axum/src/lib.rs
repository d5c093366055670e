//! What a service on [axum](https://docs.rs/axum) needs around grantbook: extractors that say who calls
//! ([`Caller`]), in which account ([`InAccount`]) and whether they may do this in a store ([`InStore`]), what the body
//! says ([`Body`]), what is asked ([`Query`]), and every error of the library as an answer ([`Problem`]).
//!
//! ```
//! use axum::{Router, http::HeaderMap, routing::get};
//! use grantbook::repository::{Accounts, MemoryRepository, SyncStorage};
//! use grantbook::{MemberId, Permission};
//! use grantbook_axum::{Host, InStore, Needs};
//!
//! #[derive(Clone)]
//! struct App {
//!     accounts: Accounts<SyncStorage<MemoryRepository>>,
//! }
//!
//! impl Host for App {
//!     type Repository = MemoryRepository;
//!
//!     fn accounts(&self) -> &Accounts<SyncStorage<MemoryRepository>> {
//!         &self.accounts
//!     }
//!
//!     fn caller(&self, headers: &HeaderMap) -> Option<MemberId> {
//!         verified_session(headers)?.parse().ok()
//!     }
//! }
//!
//! struct Reads;
//!
//! impl Needs for Reads {
//!     const PERMISSION: Permission = Permission::STORE_READ;
//! }
//!
//! async fn report(at: InStore<Reads>) -> String {
//!     format!("{} may read {}", at.caller, at.store)
//! }
//!
//! let accounts = Accounts::builder(MemoryRepository::new()).build();
//! let router: Router = Router::new()
//!     .route("/accounts/{account}/stores/{store}/report", get(report))
//!     .with_state(App { accounts });
//!
//! /// Yours: who the session is of, as you have authenticated them.
//! fn verified_session(_: &HeaderMap) -> Option<&str> {
//!     None
//! }
//! ```
//!
//! Names in the path are `{account}` and `{store}`. Whoever has no part in an account is answered as if there were none.

mod access;
mod accounts;
mod body;
mod path;
mod problem;

pub use access::{Caller, Host, InAccount, InStore, Needs, etag, idempotency_key};
pub use accounts::{blocking, loaded, refresh_every};
pub use body::{Body, Change, Query};
pub use path::path_segment;
pub use problem::{METHOD_NOT_ALLOWED, NOT_FOUND, Problem, UNAUTHENTICATED};

//! A dashboard on which people manage the groups of an account: who is in which group, which roles a group carries,
//! what everybody may do, why, and who changed it.
//!
//! A request goes through four steps: `guard.rs` refuses what no page of this service sent, `session.rs` says who asks
//! and finds the account, a module of `pages/` reads or makes a form into commands, and `change.rs` previews and
//! executes them. What a page shows is made from the account at that moment; the rules are the library's, and so are
//! the sentences of refusals.

mod change;
mod demo;
mod form;
mod guard;
mod layout;
mod live;
mod pages;
mod policy;
mod session;
mod storage;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef};
use axum::middleware::from_fn;
use axum_extra::extract::cookie::Key;
use grantbook::repository::Accounts;
pub use grantbook_authzen::PublicUrl;
use grantbook_axum::refresh_every;
use tokio::task::spawn_blocking;

use crate::live::Live;
use crate::policy::Policy;
pub use crate::session::{ChooseWhoYouAre, SignIn};
use crate::storage::Held;

/// The most bytes of a form.
const MAX_FORM: usize = 1 << 20;

/// The account that the dashboard shows. Several would be as many paths.
const ACCOUNT: &str = "acme";

/// What every handler has at hand. A clone is another handle on the same.
#[derive(Clone)]
pub struct App {
    accounts: Held,
    live: Live,
    key: Key,
    sign_in: Arc<dyn SignIn>,
}

impl FromRef<App> for Key {
    fn from_ref(app: &App) -> Self {
        app.key.clone()
    }
}

impl App {
    /// Opens the database, or creates it with an account to click through: a file of SQLite, or what an address such as
    /// `postgres://dashboard@localhost/dashboard` names. Cookies are signed with the secret, of 64 bytes or more; with
    /// none, by a random one, and everybody signs in again after a restart.
    ///
    /// # Errors
    /// The file can't be opened, or is something else; the server can't be reached, or refuses.
    pub async fn open(database: &str, secret: &str) -> Result<Self, Box<dyn Error>> {
        let live = Live::new();
        let observer = live.clone();
        let accounts = Accounts::builder(storage::open(database).await?)
            .capacity(500 << 20)
            .observe(move |notice| observer.tell(notice))
            .build();
        let held = accounts.clone();
        spawn_blocking(move || demo::open(&held).map_err(|error| error.to_string())).await??;
        let key = if secret.is_empty() {
            Key::generate()
        } else {
            Key::from(secret.as_bytes())
        };
        Ok(Self {
            accounts,
            live,
            key,
            sign_in: Arc::new(ChooseWhoYouAre),
        })
    }

    /// Signs people in by something else.
    #[must_use]
    pub fn with_sign_in(mut self, sign_in: impl SignIn + 'static) -> Self {
        self.sign_in = Arc::new(sign_in);
        self
    }

    /// Returns the routes of the decision point, for whoever has this key.
    pub fn policy_router(self, key: &str, url: PublicUrl) -> Router {
        grantbook_authzen::router(Policy::new(self, key, url)).layer(from_fn(guard::in_time))
    }

    /// Returns the routes of the pages.
    pub fn router(self) -> Router {
        pages::routes()
            .fallback(async || layout::not_found())
            .layer(DefaultBodyLimit::max(MAX_FORM))
            .layer(from_fn(guard::in_time))
            .layer(from_fn(guard::guard))
            .with_state(self)
    }

    /// Sees what other processes have changed, for as long as the service runs.
    pub async fn refresh_every(self, interval: Duration) {
        refresh_every(self.accounts, interval).await;
    }

    /// Ends what never ends by itself, so that the service can stop.
    pub fn end_live_updates(&self) {
        self.live.end();
    }
}

//! The same account, for programs: a decision point by an open standard.

use std::sync::Arc;

use grantbook::repository::AnyRepository;
use grantbook_authzen::{Keys, Plain, PolicyHost, PublicUrl};

use crate::storage::Held;
use crate::{ACCOUNT, App};

/// Who may ask, and where the service is for them.
#[derive(Clone)]
pub(crate) struct Policy {
    app: App,
    keys: Arc<Keys>,
    url: PublicUrl,
}

impl Policy {
    pub(crate) fn new(app: App, key: &str, url: PublicUrl) -> Self {
        let mut keys = Keys::default();
        keys.insert(ACCOUNT, key);
        let keys = Arc::new(keys);
        Self { app, keys, url }
    }
}

impl PolicyHost for Policy {
    type Repository = AnyRepository;
    type Vocabulary = Plain;

    fn accounts(&self) -> &Held {
        &self.app.accounts
    }

    fn vocabulary(&self) -> &Plain {
        &Plain
    }

    fn allows(&self, account: &str, key: &str) -> bool {
        self.keys.allows(account, key)
    }

    fn public_url(&self) -> &PublicUrl {
        &self.url
    }
}

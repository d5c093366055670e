//! What the account holds of a store.

use crate::account::index::Granting;
use crate::account::layer::{Layered, copied};
use crate::id::StoreId;

/// What the account holds of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct StoreEntry {
    pub(crate) granting: Granting,
    /// The text that every scope shares, so that the account keeps it once.
    pub(crate) id: StoreId,
}

copied!(StoreEntry);

impl StoreEntry {
    /// In no scope.
    pub(crate) fn new(id: StoreId) -> Self {
        let granting = Granting::default();
        Self { granting, id }
    }
}

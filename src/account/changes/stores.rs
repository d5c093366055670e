//! Stores ([S1](crate::docs::rules#S1) to [S3](crate::docs::rules#S3)).

use crate::account::changes::existing::store_exists;
use crate::account::changes::{Change, Outcome, command_and_event};
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::id::StoreId;
use crate::time::Timestamp;

command_and_event! {
    /// Creates a store, which is in no group's scope ([S1](crate::docs::rules#S1), [S2](crate::docs::rules#S2)). Takes
    /// `account.manage_stores`.
    CreateStore =>

    /// A store was created.
    StoreCreated {
        /// The store's id; must not be in use.
        store: StoreId,
    }
}

impl Change for StoreCreated {
    fn conflicts<D: AccountData>(&self, data: &D, _: Timestamp) -> Outcome {
        if data.store(&self.store).is_some() {
            return Err(CommandError::StoreExists {
                store: self.store.clone(),
            });
        }
        Ok(())
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.insert_store(&self.store);
    }
}

command_and_event! {
    /// Deletes a store and takes it out of every scope ([S3](crate::docs::rules#S3)). Takes `account.manage_stores`.
    DeleteStore =>

    /// A store was deleted, and taken out of every scope ([S3](crate::docs::rules#S3)).
    StoreDeleted {
        /// The store.
        store: StoreId,
    }
}

impl Change for StoreDeleted {
    fn exists<D: AccountData>(&self, data: &D) -> Outcome {
        store_exists(data, &self.store).map(drop)
    }

    fn apply<D: AccountData + Writes>(&self, data: &mut D) {
        data.remove_store(&self.store);
    }
}

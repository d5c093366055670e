//! What the account holds of a group.

use std::sync::Arc;

use crate::account::index::Slot;
use crate::account::layer::Layered;
use crate::account::number::NumberSet;
use crate::grant::Grant;
use crate::name::{Description, GroupName};

/// What the account holds of a group.
#[derive(Clone, Debug)]
pub(crate) struct GroupEntry<'base> {
    pub(crate) slot: Slot,
    pub(crate) name: GroupName,
    pub(crate) description: Description,
    /// In the order of the roles' ids, each once (G4). Shared, because a group is copied when a change to it is tried
    /// out.
    pub(crate) grants: Arc<[Grant]>,
    /// The same as the bits in the members' own entries, for who asks from this side.
    pub(crate) members: NumberSet<'base>,
}

impl<'base> Layered<'base> for GroupEntry<'base> {
    fn over(base: &'base Self) -> Self {
        Self {
            slot: base.slot,
            name: base.name.clone(),
            description: base.description.clone(),
            grants: Arc::clone(&base.grants),
            members: NumberSet::over(&base.members),
        }
    }
}

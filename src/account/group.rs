//! What the account holds of a group.

use std::sync::Arc;

use crate::account::index::Slot;
use crate::grant::Grant;
use crate::name::{Description, GroupName};

/// What the account holds of a group. Its members are bits in the members' own entries; here is only how many.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GroupEntry {
    pub(crate) slot: Slot,
    pub(crate) name: GroupName,
    pub(crate) description: Description,
    /// In the order of the roles' ids, each once (G4). Shared, because a group is copied when a change to it is tried out.
    pub(crate) grants: Arc<[Grant]>,
    pub(crate) member_count: usize,
}

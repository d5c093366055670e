//! About how much memory an account takes.

use std::collections::BTreeMap;

use roaring::RoaringBitmap;

use crate::account::data::state::State;
use crate::grant::Scope;
use crate::id::RoleId;

impl State {
    /// About how many bytes this takes, and how many entries were looked at to find out. Ids count as short ones.
    pub(crate) fn estimated_bytes(&self) -> (usize, u64) {
        const ACCOUNT: usize = 4_096;
        const MEMBER: usize = 110;
        const STORE: usize = 240;
        const GROUP: usize = 400;
        const ROLE: usize = 240;
        const STORE_OF_GRANT: usize = 80;
        const PERMISSION_OF_ROLE: usize = 160;
        let in_scopes = |grants: &BTreeMap<RoleId, Scope>| -> usize {
            let sizes = grants.values().map(|scope| match scope {
                Scope::Account => 1,
                Scope::Stores(stores) => 1 + stores.len(),
            });
            sizes.sum()
        };
        let bytes_of = |members: &RoaringBitmap| {
            // Two bytes for each, until a bit for each of 65,536 is less.
            usize::try_from(members.len())
                .unwrap_or(usize::MAX)
                .saturating_mul(2)
                .min(self.members.len() / 8 + 8_192)
        };
        let in_scopes: usize = self.grants.iter().map(in_scopes).sum();
        let in_roles: usize = self.roles.values().map(|role| role.permissions.len()).sum();
        let in_groups: usize = self.memberships.iter().map(bytes_of).sum();
        let bytes = ACCOUNT
            + self.members.len() * MEMBER
            + self.stores.len() * STORE
            + self.groups.len() * GROUP
            + self.roles.len() * ROLE
            + in_groups
            + in_scopes * STORE_OF_GRANT
            + in_roles * PERMISSION_OF_ROLE;
        let looked_at = self.grants.len() * 2 + self.roles.len();
        (bytes, u64::try_from(looked_at).unwrap_or(u64::MAX))
    }
}

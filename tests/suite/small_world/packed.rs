//! All that an account of the small world holds, its version aside, as one number.

use grantbook::GroupLimit;

use super::{END, GROUPS, MEMBERS, OWN_ROLE, ROLES, STORES, World};
use crate::model::{Checked, Flaw, Group, State, Status};

/// A number to which others are added, so many bits each.
struct Packed(u64);

impl Packed {
    fn add(&mut self, value: u64, bits: u32) {
        assert!(value < 1 << bits, "{value} does not fit {bits} bits");
        self.0 = self.0 << bits | value;
    }
}

/// One bit each.
fn bits(are: impl Iterator<Item = bool>) -> u64 {
    are.zip(0..).map(|(is, bit)| u64::from(is) << bit).sum()
}

impl World {
    /// Different content, different number.
    pub(super) fn packed(&self, state: &State) -> Checked<u64> {
        let mut packed = Packed(u64::from(state.last >= END.as_millis()));
        for member in MEMBERS {
            packed.add(status(state.status(member)), 4);
            packed.add(
                bits(GROUPS.iter().map(|group| state.is_in(member, group))),
                2,
            );
        }
        for group in GROUPS {
            // A group without grants would look as no group does; the laws say that there is none (G4).
            for scope in scopes(state.groups.get(group))? {
                packed.add(scope, 3);
            }
        }
        packed.add(
            bits(STORES.iter().map(|store| state.stores.contains(*store))),
            2,
        );
        packed.add(self.own_role(state)?, 2);
        packed.add(self.limit(state)?, 2);
        packed.add(state.is_closed.into(), 1);
        Ok(packed.0)
    }

    /// Which of the world's limits the account has, counted from 1; 0 for the one that it was opened with.
    fn limit(&self, state: &State) -> Checked<u64> {
        let opened_with = [GroupLimit::default().get()];
        let mut known = (0..).zip(opened_with.iter().chain(self.limits));
        let known = known.find(|(_, limit)| usize::from(**limit) == state.group_limit);
        known.map(|(number, _)| number).ok_or_else(|| Flaw {
            rule: "A3",
            what: format!("the limit is {}", state.group_limit),
        })
    }

    /// Which of the world's permissions the account's own role has, counted from 1; 0 where there is no such role.
    fn own_role(&self, state: &State) -> Checked<u64> {
        let Some(role) = state.roles.get(OWN_ROLE) else {
            return Ok(0);
        };
        let is_known = |known: &&_| {
            let known: &std::collections::BTreeSet<grantbook::Permission> = known;
            known
                .iter()
                .map(AsRef::as_ref)
                .eq(role.permissions.iter().map(String::as_str))
        };
        let mut known = (1..).zip(&self.permissions);
        let known = known.find(|(_, known)| is_known(known));
        known.map(|(number, _)| number).ok_or_else(|| Flaw {
            rule: "L3",
            what: format!("the role has {:?}", role.permissions),
        })
    }
}

fn status(status: Option<Status>) -> u64 {
    match status {
        None => 0,
        Some(Status::Active { owner }) => 1 + u64::from(owner),
        Some(Status::Suspended { owner }) => 3 + u64::from(owner),
        Some(Status::Invited { as_owner, until }) => {
            assert!(until.is_none_or(|until| until == END.as_millis()));
            5 + u64::from(as_owner) + 2 * u64::from(until.is_some())
        }
    }
}

/// For each of [`ROLES`]: nothing, or one more than its scope, which is one bit a store; the account's is a bit more.
fn scopes(group: Option<&Group>) -> Checked<[u64; ROLES.len()]> {
    let mut scopes = [0; ROLES.len()];
    for ((role, at_account), stores) in group.into_iter().flat_map(|group| &group.grants) {
        let number = ROLES.iter().position(|known| known == role);
        let number = number.ok_or_else(|| Flaw {
            rule: "L3",
            what: format!("a grant of {role}"),
        })?;
        let stores = STORES.iter().map(|store| stores.contains(*store));
        scopes[number] = 1 + bits(stores.chain([*at_account]));
    }
    Ok(scopes)
}

//! Who may ask for what, when: every command that `commands/` makes of what there is in the world.

use std::collections::BTreeSet;

use grantbook::*;

use super::explore::Step;
use super::{END, GROUPS, MEMBERS, START, STORES, World, parsed};
use crate::commands;

impl World {
    pub(super) fn actors(&self) -> Vec<Actor> {
        let members = self.members().into_iter().map(Actor::Member);
        members.chain([Actor::System]).collect()
    }

    /// Every command by every actor, at every time there is.
    pub(super) fn steps(&self) -> Vec<Step> {
        let times: &[Timestamp] = if self.has_time {
            &[START, END]
        } else {
            &[START]
        };
        let mut steps = Vec::new();
        for actor in 0..self.actors().len() {
            for command in commands::in_small_world(self) {
                steps.extend(times.iter().map(|at| Step {
                    actor,
                    command: command.clone(),
                    at: *at,
                }));
            }
        }
        steps
    }

    pub(crate) fn members(&self) -> Vec<MemberId> {
        let members = MEMBERS.iter().take(self.members);
        members.map(|id| parsed(id, MemberId::parse)).collect()
    }

    /// Each set of members that has some.
    pub(crate) fn some_members(&self) -> Vec<BTreeSet<MemberId>> {
        (1..1 << self.members)
            .map(|chosen| {
                let members = self.members().into_iter().zip(0..);
                members
                    .filter(|(_, bit)| chosen & 1 << bit != 0)
                    .map(|(id, _)| id)
                    .collect()
            })
            .collect()
    }

    /// Whether somebody may be invited as an owner, each way.
    pub(crate) fn invites_as_owner(&self) -> &'static [bool] {
        if self.invites_owners {
            &[false, true]
        } else {
            &[false]
        }
    }

    /// When an invitation may end.
    pub(crate) fn expiries(&self) -> &'static [Option<Timestamp>] {
        if self.has_time {
            &[None, Some(END)]
        } else {
            &[None]
        }
    }

    pub(crate) fn stores(&self) -> Vec<StoreId> {
        let stores = STORES.iter().take(self.stores);
        stores.map(|id| parsed(id, StoreId::parse)).collect()
    }

    #[allow(clippy::unused_self, reason = "every world has both")]
    pub(crate) fn groups(&self) -> [GroupId; GROUPS.len()] {
        GROUPS.map(|id| parsed(id, GroupId::parse))
    }

    /// Each group with each list of grants that it may be given.
    pub(crate) fn lists_of_grants(&self) -> Vec<(GroupId, Vec<Grant>)> {
        with_each(self.groups(), &self.grants)
    }

    /// Each group with each grant that it may be given and lose by itself.
    pub(crate) fn narrow_grants(&self) -> Vec<(GroupId, Grant)> {
        with_each(self.groups(), &self.narrow)
    }

    /// The sets of permissions that the account's own role may be given; none where there is no such role.
    pub(crate) fn permissions(&self) -> &[BTreeSet<Permission>] {
        &self.permissions
    }

    /// The limits that the account may be given. Where there are any, it may be closed as well.
    pub(crate) fn limits(&self) -> &'static [u16] {
        self.limits
    }
}

/// Each group with each of what is its own.
fn with_each<T: Clone, const N: usize>(
    groups: [GroupId; N],
    own: &[Vec<T>; N],
) -> Vec<(GroupId, T)> {
    let groups = groups.into_iter().zip(own);
    groups
        .flat_map(|(group, own)| own.iter().map(move |one| (group.clone(), one.clone())))
        .collect()
}

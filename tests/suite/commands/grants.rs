//! One role of a group by itself.

use grantbook::command::{GrantRole, RevokeRole};
use grantbook::{Command, Grant, Scope};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;
use crate::strategies::{grant, sometimes, which_group, which_role, which_store};
use crate::support::{group, role, store};

pub(super) const KINDS: &[Kind] = &[Kind::of::<GrantRole>(), Kind::of::<RevokeRole>()];

/// Grants what the grant says, beside what the group carries.
pub(crate) fn grant_role(to: &str, grant: Grant) -> Command {
    Command::GrantRole(GrantRole {
        group: group(to),
        role: grant.role,
        scope: grant.scope,
    })
}

impl Tried for GrantRole {
    fn random() -> Random<Self> {
        let fields = (which_group(), grant());
        weighted(
            4,
            fields.prop_map(|(group, Grant { role, scope })| Self { group, role, scope }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let grants = world.narrow_grants().into_iter();
        grants
            .map(|(group, Grant { role, scope })| Self { group, role, scope })
            .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let Grant { role, scope } = line.grant();
        let group = line.group();
        (number == Number::Later(5)).then_some(Self { group, role, scope })
    }
}

pub(crate) fn revoke_role(from: &str, id: &str) -> Command {
    Command::RevokeRole(RevokeRole {
        group: group(from),
        role: role(id),
        stores: None,
    })
}

pub(crate) fn revoke_in<'a>(
    from: &str,
    id: &str,
    stores: impl IntoIterator<Item = &'a str>,
) -> Command {
    Command::RevokeRole(RevokeRole {
        group: group(from),
        role: role(id),
        stores: Some(stores.into_iter().map(store).collect()),
    })
}

impl Tried for RevokeRole {
    fn random() -> Random<Self> {
        let stores = prop::collection::btree_set(which_store(), 0..3);
        let fields = (which_group(), which_role(), sometimes(0.7, stores));
        weighted(
            3,
            fields.prop_map(|(group, role, stores)| Self {
                group,
                role,
                stores,
            }),
        )
    }

    /// Each grant where it was granted, and each role altogether.
    fn in_small_world(world: &World) -> Vec<Self> {
        let mut revoked = Vec::new();
        for (group, Grant { role, scope }) in world.narrow_grants() {
            let altogether = Self {
                group,
                role,
                stores: None,
            };
            if let Scope::Stores(stores) = scope {
                revoked.push(Self {
                    stores: Some(stores),
                    ..altogether.clone()
                });
            }
            if !revoked.contains(&altogether) {
                revoked.push(altogether);
            }
        }
        revoked
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::Later(6)).then(|| Self {
            group: line.group(),
            role: line.grant().role,
            stores: (line.first & 8 == 0).then(|| line.stores()),
        })
    }
}

//! Who owns the account.

use grantbook::Command;
use grantbook::command::{GrantOwnership, RevokeOwnership};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;
use crate::strategies::who;
use crate::support::member;

pub(super) const KINDS: &[Kind] = &[Kind::of::<GrantOwnership>(), Kind::of::<RevokeOwnership>()];

pub(crate) fn grant_ownership(id: &str) -> Command {
    Command::GrantOwnership(GrantOwnership { member: member(id) })
}

impl Tried for GrantOwnership {
    fn random() -> Random<Self> {
        weighted(2, who().prop_map(|member| Self { member }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let members = world.members().into_iter();
        members.map(|member| Self { member }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let member = line.member();
        (number == Number::First(8)).then_some(Self { member })
    }
}

pub(crate) fn revoke_ownership(id: &str) -> Command {
    Command::RevokeOwnership(RevokeOwnership { member: member(id) })
}

impl Tried for RevokeOwnership {
    fn random() -> Random<Self> {
        weighted(2, who().prop_map(|member| Self { member }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let members = world.members().into_iter();
        members.map(|member| Self { member }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let member = line.member();
        (number == Number::First(9)).then_some(Self { member })
    }
}

//! The account itself: its limit of groups, and its end.

use grantbook::command::{ChangeGroupLimit, CloseAccount};
use grantbook::{Command, GroupLimit};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;

pub(super) const KINDS: &[Kind] = &[Kind::of::<ChangeGroupLimit>(), Kind::of::<CloseAccount>()];

pub(crate) fn change_limit(groups: u16) -> Command {
    Command::ChangeGroupLimit(limited_to(groups))
}

fn limited_to(groups: u16) -> ChangeGroupLimit {
    ChangeGroupLimit {
        limit: GroupLimit::new(groups).unwrap(),
    }
}

impl Tried for ChangeGroupLimit {
    fn random() -> Random<Self> {
        weighted(3, (1..5_u16).prop_map(limited_to))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        world.limits().iter().copied().map(limited_to).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::Later(8)).then(|| limited_to(1 + u16::from(line.first)))
    }
}

pub(crate) fn close() -> Command {
    Command::CloseAccount(CloseAccount {})
}

impl Tried for CloseAccount {
    /// None: little happens in a closed account. The differential test closes some by itself.
    fn random() -> Random<Self> {
        Vec::new()
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        if world.limits().is_empty() {
            return Vec::new();
        }
        vec![Self {}]
    }

    fn read(number: Number, _: &Line) -> Option<Self> {
        (number == Number::Later(9)).then_some(Self {})
    }
}

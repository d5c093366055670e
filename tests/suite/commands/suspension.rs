//! Suspending members and reinstating them.

use grantbook::Command;
use grantbook::command::{ReinstateMember, SuspendMember};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;
use crate::strategies::who;
use crate::support::member;

pub(super) const KINDS: &[Kind] = &[Kind::of::<SuspendMember>(), Kind::of::<ReinstateMember>()];

pub(crate) fn suspend(id: &str) -> Command {
    Command::SuspendMember(SuspendMember { member: member(id) })
}

impl Tried for SuspendMember {
    fn random() -> Random<Self> {
        weighted(2, who().prop_map(|member| Self { member }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let members = world.members().into_iter();
        members.map(|member| Self { member }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let member = line.member();
        (number == Number::Later(1)).then_some(Self { member })
    }
}

pub(crate) fn reinstate(id: &str) -> Command {
    Command::ReinstateMember(ReinstateMember { member: member(id) })
}

impl Tried for ReinstateMember {
    fn random() -> Random<Self> {
        weighted(3, who().prop_map(|member| Self { member }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let members = world.members().into_iter();
        members.map(|member| Self { member }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let member = line.member();
        (number == Number::Later(2)).then_some(Self { member })
    }
}

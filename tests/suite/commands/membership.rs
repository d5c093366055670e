//! Who is in the account, and who in a group.

use std::collections::BTreeSet;

use grantbook::command::{
    AddMembers, AddToGroup, LeaveAccount, RemoveFromGroup, RemoveMembers, SetGroupMembers,
};
use grantbook::{Command, GroupId, MemberId};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;
use crate::strategies::{which_group, who, whom};
use crate::support::{group, members};

pub(super) const KINDS: &[Kind] = &[
    Kind::of::<AddMembers>(),
    Kind::of::<RemoveMembers>(),
    Kind::of::<LeaveAccount>(),
    Kind::of::<AddToGroup>(),
    Kind::of::<RemoveFromGroup>(),
    Kind::of::<SetGroupMembers>(),
];

pub(crate) fn enrol<'a>(ids: impl IntoIterator<Item = &'a str>) -> Command {
    Command::AddMembers(AddMembers {
        members: members(ids),
    })
}

impl Tried for AddMembers {
    fn random() -> Random<Self> {
        weighted(2, whom().prop_map(|members| Self { members }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let sets = world.some_members().into_iter();
        sets.map(|members| Self { members }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let members = line.members();
        (number == Number::First(3)).then_some(Self { members })
    }
}

pub(crate) fn remove_member(id: &str) -> Command {
    remove_members([id])
}

pub(crate) fn remove_members<'a>(ids: impl IntoIterator<Item = &'a str>) -> Command {
    Command::RemoveMembers(RemoveMembers {
        members: members(ids),
    })
}

impl Tried for RemoveMembers {
    fn random() -> Random<Self> {
        let one = who().prop_map(|member| Self {
            members: [member].into(),
        });
        let some = whom().prop_map(|members| Self { members });
        [weighted(1, one), weighted(1, some)].concat()
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let sets = world.some_members().into_iter();
        sets.map(|members| Self { members }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let members = match number {
            Number::First(7) => [line.member()].into(),
            Number::Later(3) => line.members(),
            _ => return None,
        };
        Some(Self { members })
    }
}

pub(crate) fn leave() -> Command {
    Command::LeaveAccount(LeaveAccount {})
}

impl Tried for LeaveAccount {
    fn random() -> Random<Self> {
        weighted(1, Just(Self {}))
    }

    fn in_small_world(_: &World) -> Vec<Self> {
        vec![Self {}]
    }

    fn read(number: Number, _: &Line) -> Option<Self> {
        (number == Number::Later(4)).then_some(Self {})
    }
}

/// Each group with each set of members.
fn pairs(world: &World, sets: &[BTreeSet<MemberId>]) -> Vec<(GroupId, BTreeSet<MemberId>)> {
    let groups = world.groups().into_iter();
    groups
        .flat_map(|group| sets.iter().map(move |set| (group.clone(), set.clone())))
        .collect()
}

pub(crate) fn add<'a>(to: &str, ids: impl IntoIterator<Item = &'a str>) -> Command {
    Command::AddToGroup(AddToGroup {
        group: group(to),
        members: members(ids),
    })
}

impl Tried for AddToGroup {
    fn random() -> Random<Self> {
        let fields = (which_group(), whom());
        weighted(
            8,
            fields.prop_map(|(group, members)| Self { group, members }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let pairs = pairs(world, &world.some_members()).into_iter();
        pairs
            .map(|(group, members)| Self { group, members })
            .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(2)).then(|| Self {
            group: line.group(),
            members: line.members(),
        })
    }
}

pub(crate) fn take_out<'a>(of: &str, ids: impl IntoIterator<Item = &'a str>) -> Command {
    Command::RemoveFromGroup(RemoveFromGroup {
        group: group(of),
        members: members(ids),
    })
}

impl Tried for RemoveFromGroup {
    fn random() -> Random<Self> {
        let fields = (which_group(), whom());
        weighted(
            3,
            fields.prop_map(|(group, members)| Self { group, members }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let pairs = pairs(world, &world.some_members()).into_iter();
        pairs
            .map(|(group, members)| Self { group, members })
            .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(13)).then(|| Self {
            group: line.group(),
            members: line.members(),
        })
    }
}

pub(crate) fn set_members<'a>(of: &str, ids: impl IntoIterator<Item = &'a str>) -> Command {
    Command::SetGroupMembers(SetGroupMembers {
        group: group(of),
        members: members(ids),
    })
}

impl Tried for SetGroupMembers {
    fn random() -> Random<Self> {
        let fields = (which_group(), whom());
        weighted(
            3,
            fields.prop_map(|(group, members)| Self { group, members }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let sets = [vec![BTreeSet::new()], world.some_members()].concat();
        let pairs = pairs(world, &sets).into_iter();
        pairs
            .map(|(group, members)| Self { group, members })
            .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::Later(7)).then(|| Self {
            group: line.group(),
            members: line.members(),
        })
    }
}

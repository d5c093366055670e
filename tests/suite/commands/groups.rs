//! Groups: made, edited, deleted.

use grantbook::command::{CreateGroup, DeleteGroup, EditGroup};
use grantbook::{Command, Description, Grant, GroupName};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;
use crate::strategies::{description, grants, group_name, sometimes, which_group};
use crate::support::group;

pub(super) const KINDS: &[Kind] = &[
    Kind::of::<CreateGroup>(),
    Kind::of::<EditGroup>(),
    Kind::of::<DeleteGroup>(),
];

pub(crate) fn create_group(id: &str, name: &str, grants: impl Into<Vec<Grant>>) -> Command {
    let (name, description) = (GroupName::parse(name).unwrap(), Description::default());
    Command::CreateGroup(CreateGroup {
        group: group(id),
        name,
        description,
        grants: grants.into(),
    })
}

impl Tried for CreateGroup {
    fn random() -> Random<Self> {
        let fields = (which_group(), group_name(), description(), grants());
        weighted(
            6,
            fields.prop_map(|(group, name, description, grants)| Self {
                group,
                name,
                description,
                grants,
            }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let lists = world.lists_of_grants().into_iter();
        lists
            .map(|(group, grants)| Self {
                name: GroupName::parse(&group).unwrap(),
                group,
                description: Description::default(),
                grants,
            })
            .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(1)).then(|| Self {
            group: line.group(),
            name: line.group_name(),
            description: line.description(),
            grants: line.grants(),
        })
    }
}

pub(crate) fn rename_group(id: &str, name: &str) -> Command {
    let name = Some(GroupName::parse(name).unwrap());
    Command::EditGroup(EditGroup {
        group: group(id),
        name,
        description: None,
        grants: None,
    })
}

pub(crate) fn regrant(id: &str, grants: impl Into<Vec<Grant>>) -> Command {
    let grants = Some(grants.into());
    Command::EditGroup(EditGroup {
        group: group(id),
        name: None,
        description: None,
        grants,
    })
}

impl Tried for EditGroup {
    fn random() -> Random<Self> {
        let fields = (
            which_group(),
            sometimes(0.3, group_name()),
            sometimes(0.3, description()),
            sometimes(0.8, grants()),
        );
        weighted(
            4,
            fields.prop_map(|(group, name, description, grants)| Self {
                group,
                name,
                description,
                grants,
            }),
        )
    }

    /// The whole list of a group's grants.
    fn in_small_world(world: &World) -> Vec<Self> {
        let lists = world.lists_of_grants().into_iter();
        lists
            .map(|(group, grants)| Self {
                group,
                name: None,
                description: None,
                grants: Some(grants),
            })
            .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(11)).then(|| Self {
            group: line.group(),
            name: (line.bits & 4 > 0).then(|| line.group_name()),
            description: (line.bits & 8 > 0).then(|| line.description()),
            grants: (line.bits & 16 > 0).then(|| line.grants()),
        })
    }
}

pub(crate) fn delete_group(id: &str) -> Command {
    Command::DeleteGroup(DeleteGroup { group: group(id) })
}

impl Tried for DeleteGroup {
    fn random() -> Random<Self> {
        weighted(1, which_group().prop_map(|group| Self { group }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let groups = world.groups().into_iter();
        groups.map(|group| Self { group }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let group = line.group();
        (number == Number::First(12)).then_some(Self { group })
    }
}

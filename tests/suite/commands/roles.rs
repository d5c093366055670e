//! Roles of the account's own.

use grantbook::command::{ChangeRole, DefineRole, DeleteRole};
use grantbook::{Command, RoleLevel, RoleName};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::{World, own_role};
use crate::strategies::{level, role_name, some_permissions, sometimes, which_role};
use crate::support::{permissions, role};

pub(super) const KINDS: &[Kind] = &[
    Kind::of::<DefineRole>(),
    Kind::of::<ChangeRole>(),
    Kind::of::<DeleteRole>(),
];

pub(crate) fn define_role(id: &str, name: &str, level: RoleLevel, texts: &[&str]) -> Command {
    let (name, permissions) = (
        RoleName::parse(name).unwrap(),
        permissions(texts.iter().copied()),
    );
    Command::DefineRole(DefineRole {
        role: role(id),
        name,
        level,
        permissions,
    })
}

impl Tried for DefineRole {
    fn random() -> Random<Self> {
        let fields = (which_role(), role_name(), level(), some_permissions());
        // Most are refused, so many are tried.
        weighted(
            16,
            fields.prop_map(|(role, name, level, permissions)| Self {
                role,
                name,
                level,
                permissions,
            }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let sets = world.permissions().iter().cloned();
        sets.map(|permissions| Self {
            role: own_role(),
            name: RoleName::parse("Own Role").unwrap(),
            level: RoleLevel::Store,
            permissions,
        })
        .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(14)).then(|| Self {
            role: line.role(),
            name: line.role_name(),
            level: if line.which & 64 > 0 {
                RoleLevel::Account
            } else {
                RoleLevel::Store
            },
            permissions: line.permissions(),
        })
    }
}

pub(crate) fn redefine_role(id: &str, texts: &[&str]) -> Command {
    let permissions = Some(permissions(texts.iter().copied()));
    Command::ChangeRole(ChangeRole {
        role: role(id),
        name: None,
        permissions,
    })
}

impl Tried for ChangeRole {
    fn random() -> Random<Self> {
        let fields = (
            which_role(),
            sometimes(0.3, role_name()),
            sometimes(0.8, some_permissions()),
        );
        weighted(
            2,
            fields.prop_map(|(role, name, permissions)| Self {
                role,
                name,
                permissions,
            }),
        )
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let sets = world.permissions().iter().cloned();
        sets.map(|permissions| Self {
            role: own_role(),
            name: None,
            permissions: Some(permissions),
        })
        .collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        (number == Number::First(15)).then(|| Self {
            role: line.role(),
            name: (line.which & 64 > 0).then(|| line.role_name()),
            permissions: (line.which & 128 > 0).then(|| line.permissions()),
        })
    }
}

pub(crate) fn delete_role(id: &str) -> Command {
    Command::DeleteRole(DeleteRole { role: role(id) })
}

impl Tried for DeleteRole {
    fn random() -> Random<Self> {
        weighted(1, which_role().prop_map(|role| Self { role }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        if world.permissions().is_empty() {
            return Vec::new();
        }
        vec![Self { role: own_role() }]
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let role = line.role();
        (number == Number::First(16)).then_some(Self { role })
    }
}

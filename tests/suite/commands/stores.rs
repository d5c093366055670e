//! Stores.

use grantbook::Command;
use grantbook::command::{CreateStore, DeleteStore};
use proptest::prelude::*;

use super::{Kind, Line, Number, Random, Tried, weighted};
use crate::small_world::World;
use crate::strategies::which_store;
use crate::support::store;

pub(super) const KINDS: &[Kind] = &[Kind::of::<CreateStore>(), Kind::of::<DeleteStore>()];

pub(crate) fn create_store(id: &str) -> Command {
    Command::CreateStore(CreateStore { store: store(id) })
}

impl Tried for CreateStore {
    fn random() -> Random<Self> {
        weighted(3, which_store().prop_map(|store| Self { store }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let stores = world.stores().into_iter();
        stores.map(|store| Self { store }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let store = line.store();
        (number == Number::First(0)).then_some(Self { store })
    }
}

pub(crate) fn delete_store(id: &str) -> Command {
    Command::DeleteStore(DeleteStore { store: store(id) })
}

impl Tried for DeleteStore {
    fn random() -> Random<Self> {
        weighted(1, which_store().prop_map(|store| Self { store }))
    }

    fn in_small_world(world: &World) -> Vec<Self> {
        let stores = world.stores().into_iter();
        stores.map(|store| Self { store }).collect()
    }

    fn read(number: Number, line: &Line) -> Option<Self> {
        let store = line.store();
        (number == Number::First(10)).then_some(Self { store })
    }
}

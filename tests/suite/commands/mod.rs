//! Every command as the suite makes it, in files named as those of `src/account/changes`: a short constructor for tests,
//! random ones, those that the small world tries, and those that bytes are read as.
//!
//! A new command has its [`Tried`] in one of these files, and a place in that file's `KINDS`.

use grantbook::*;
use proptest::prelude::*;
use proptest::strategy::Union;

mod grants;
mod groups;
mod invitations;
mod line;
mod membership;
mod ownership;
mod roles;
mod settings;
mod stores;
mod suspension;

use crate::small_world::World;
pub(crate) use line::{FIRST_NUMBERS, Line, MEMBERS, Number, id, moved, parsed};

/// The short constructors; `support.rs` passes them on.
pub(crate) mod constructors {
    pub(crate) use super::grants::*;
    pub(crate) use super::groups::*;
    pub(crate) use super::invitations::*;
    pub(crate) use super::membership::*;
    pub(crate) use super::ownership::*;
    pub(crate) use super::roles::*;
    pub(crate) use super::settings::*;
    pub(crate) use super::stores::*;
    pub(crate) use super::suspension::*;
}

const FAMILIES: [&[Kind]; 9] = [
    invitations::KINDS,
    membership::KINDS,
    suspension::KINDS,
    ownership::KINDS,
    stores::KINDS,
    groups::KINDS,
    grants::KINDS,
    settings::KINDS,
    roles::KINDS,
];

/// A kind of command.
pub(crate) trait Tried: Into<Command> + Sized {
    /// Random ones, from the ids of `strategies.rs`.
    fn random() -> Random<Self>;

    /// Those that everybody tries in a small world.
    fn in_small_world(world: &World) -> Vec<Self>;

    /// The one that a line with this number stands for; `None` if the number is another command's. What was kept in
    /// `tests/corpus` has these numbers: a new command takes the lowest [`Number::Later`] that is free.
    fn read(number: Number, line: &Line) -> Option<Self>;
}

/// Strategies, each with its weight among those of all commands.
type Random<C> = Vec<(u32, BoxedStrategy<C>)>;

/// One strategy, with its weight.
fn weighted<C>(weight: u32, strategy: impl Strategy<Value = C> + 'static) -> Random<C> {
    vec![(weight, strategy.boxed())]
}

/// What a kind of command has to say as [`Tried`].
struct Kind {
    random: fn() -> Random<Command>,
    in_small_world: fn(&World) -> Vec<Command>,
    read: fn(Number, &Line) -> Option<Command>,
}

impl Kind {
    const fn of<C: Tried + std::fmt::Debug + 'static>() -> Self {
        Self {
            random: || {
                let weighted = C::random().into_iter();
                weighted
                    .map(|(weight, one)| (weight, one.prop_map(C::into).boxed()))
                    .collect()
            },
            in_small_world: |world| C::in_small_world(world).into_iter().map(C::into).collect(),
            read: |number, line| C::read(number, line).map(C::into),
        }
    }
}

fn kinds() -> impl Iterator<Item = &'static Kind> {
    FAMILIES.into_iter().flatten()
}

/// Random commands of all kinds.
pub(crate) fn random() -> impl Strategy<Value = Command> {
    Union::new_weighted(kinds().flat_map(|kind| (kind.random)()).collect())
}

/// All commands that everybody tries in a small world.
pub(crate) fn in_small_world(world: &World) -> Vec<Command> {
    let of_each = kinds().flat_map(|kind| (kind.in_small_world)(world));
    of_each.collect()
}

/// What a line with this number can stand for: one command, or none where the number is not in use.
pub(crate) fn read(number: Number, line: &Line) -> impl Iterator<Item = Command> {
    kinds().filter_map(move |kind| (kind.read)(number, line))
}

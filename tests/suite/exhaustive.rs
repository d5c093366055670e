//! Every account that a small world can reach: the laws hold in all of them, and on every change between them.
//!
//! Which laws, and what is in a state, `small_world.rs` says. Without optimization the worlds are smaller ones. The
//! environment variable `GRANTBOOK_WORLD=large` adds a larger one.

use crate::small_world::{Figures, World, explore};

/// Explores a world to its end. The figures are pinned: they change only where the rules or the world do.
fn explored(name: &str, world: &World, expected: Figures) {
    match explore(world, |_| {}) {
        Err(violation) => panic!("{violation}"),
        Ok(figures) => {
            println!("{name}: {figures}");
            assert_eq!(figures, expected, "{name}");
        }
    }
}

/// A2, E1 to E6, G4, G5, G7, G9, L2, L5, L6, M3, M5, P1 to P4, S2, S3, U1 to U3 in all accounts and all changes of the
/// small world: what is written in `small_world.rs` as laws.
#[test]
fn every_account_of_the_small_world_keeps_the_laws() {
    let smallest = Figures {
        states: 3_524,
        decisions: 454_596,
        changes: 98_014,
        depth: 12,
    };
    explored("smallest", &World::smallest(), smallest);
    if cfg!(debug_assertions) {
        return;
    }
    let small = Figures {
        states: 312_546,
        decisions: 91_263_432,
        changes: 19_857_040,
        depth: 16,
    };
    explored("small", &World::small(), small);
}

/// M3, U2: the same with invitations that end, and a clock that runs both ways.
#[test]
fn every_account_of_the_timed_world_keeps_the_laws() {
    let smallest = Figures {
        states: 1_986,
        decisions: 1_016_832,
        changes: 121_168,
        depth: 8,
    };
    explored("smallest timed", &World::smallest_timed(), smallest);
    if cfg!(debug_assertions) {
        return;
    }
    let timed = Figures {
        states: 16_446,
        decisions: 8_683_488,
        changes: 1_598_460,
        depth: 10,
    };
    explored("timed", &World::timed(), timed);
}

/// The same in the large world, where it is asked for.
#[test]
fn every_account_of_the_large_world_keeps_the_laws() {
    if std::env::var("GRANTBOOK_WORLD").is_ok_and(|world| world == "large") {
        let large = Figures {
            states: 0,
            decisions: 0,
            changes: 0,
            depth: 0,
        };
        explored("large", &World::large(), large);
    }
}

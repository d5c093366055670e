//! Every account that a small world can reach: the laws hold in all of them, and on every change between them.
//!
//! Which laws, and what is in a state, `small_world/` says. Without optimization the worlds are smaller ones. The
//! environment variable `GRANTBOOK_WORLD=large` adds a larger one. The figures are pinned: they change only where the
//! rules or the world do.

use crate::small_world::{Figures, World, explore};

/// Explores a world to its end.
fn explored(name: &str, world: &World) -> Figures {
    let figures = explore(world, |_| {}).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{name}: {figures}");
    figures
}

/// A2, E1 to E6, G4, G5, G7, G9, L2, L5, L6, M3, M5, P1 to P4, S2, S3, U1 to U3 in all accounts and all changes of the
/// small world: what is written in `small_world/laws.rs`.
#[test]
fn every_account_of_the_small_world_keeps_the_laws() {
    let smallest = Figures {
        states: 3_524,
        decisions: 454_596,
        changes: 98_014,
        depth: 12,
    };
    assert_eq!(explored("smallest", &World::smallest()), smallest);
    if cfg!(debug_assertions) {
        return;
    }
    let small = Figures {
        states: 312_546,
        decisions: 91_263_432,
        changes: 19_857_040,
        depth: 16,
    };
    assert_eq!(explored("small", &World::small()), small);
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
    assert_eq!(
        explored("smallest timed", &World::smallest_timed()),
        smallest
    );
    if cfg!(debug_assertions) {
        return;
    }
    let timed = Figures {
        states: 16_446,
        decisions: 8_683_488,
        changes: 1_598_460,
        depth: 10,
    };
    assert_eq!(explored("timed", &World::timed()), timed);
}

/// The same in the large world, where it is asked for.
#[test]
fn every_account_of_the_large_world_keeps_the_laws() {
    if std::env::var("GRANTBOOK_WORLD").is_ok_and(|world| world == "large") {
        let large = Figures {
            states: 843_240,
            decisions: 259_717_920,
            changes: 57_969_572,
            depth: 16,
        };
        assert_eq!(explored("large", &World::large()), large);
    }
}

//! Every account that a small world can reach: the laws hold in all of them, and on every change between them.
//!
//! The laws are `model/laws.rs`, and what is in a state, `small_world/` says. Without optimization the worlds are
//! smaller ones. The environment variable `GRANTBOOK_WORLD=large` adds a larger one. The figures are pinned: they change
//! only where the rules or the world do.

use crate::model::{Model, Rule};
use crate::small_world::{Crate, Figures, Subject, World, explore};

const SMALLEST: Figures = Figures {
    states: 12_628,
    decisions: 2_462_460,
    changes: 601_543,
    depth: 14,
};
const SMALLEST_TIMED: Figures = Figures {
    states: 3_510,
    decisions: 2_555_280,
    changes: 333_864,
    depth: 8,
};
const LIMITED: Figures = Figures {
    states: 3_804,
    decisions: 604_836,
    changes: 66_742,
    depth: 13,
};

/// Explores a world to its end.
fn explored(name: &str, subject: &impl Subject, world: &World) -> Figures {
    let figures = explore(subject, world, |_| {}).unwrap_or_else(|violation| panic!("{violation}"));
    println!("{name}: {figures}");
    figures
}

/// A2, E1 to E6, G4, G5, G7 to G9, G11, L2, L5 to L7, M3 to M5, M8, P1 to P4, S2, S3, U1 to U3 in all accounts and all
/// changes of the small world.
#[test]
fn every_account_of_the_small_world_keeps_the_laws() {
    assert_eq!(explored("smallest", &Crate, &World::smallest()), SMALLEST);
    if cfg!(debug_assertions) {
        return;
    }
    let small = Figures {
        states: 434_456,
        decisions: 170_306_752,
        changes: 43_295_928,
        depth: 17,
    };
    assert_eq!(explored("small", &Crate, &World::small()), small);
}

/// M3, U2: the same with invitations that end, and a clock that runs both ways.
#[test]
fn every_account_of_the_timed_world_keeps_the_laws() {
    assert_eq!(
        explored("smallest timed", &Crate, &World::smallest_timed()),
        SMALLEST_TIMED
    );
    if cfg!(debug_assertions) {
        return;
    }
    let timed = Figures {
        states: 29_682,
        decisions: 22_083_408,
        changes: 4_650_228,
        depth: 10,
    };
    assert_eq!(explored("timed", &Crate, &World::timed()), timed);
}

/// A3, A5, P4: the same with limits for the groups, in an account that can be closed.
#[test]
fn every_account_of_the_limited_world_keeps_the_laws() {
    assert_eq!(explored("limited", &Crate, &World::limited()), LIMITED);
}

/// The same in the large world, where it is asked for.
#[test]
fn every_account_of_the_large_world_keeps_the_laws() {
    if std::env::var("GRANTBOOK_WORLD").is_ok_and(|world| world == "large") {
        let large = Figures {
            states: 1_050_558,
            decisions: 432_829_896,
            changes: 106_227_984,
            depth: 17,
        };
        assert_eq!(explored("large", &Crate, &World::large()), large);
    }
}

/// The model reaches as many accounts as the crate, and by as many changes: neither allows what the other refuses.
#[test]
fn the_model_reaches_what_the_crate_reaches() {
    let whole = Model::default();
    let smallest = explored("smallest, by the model", &whole, &World::smallest());
    assert_eq!(smallest, SMALLEST);
    let timed = explored(
        "smallest timed, by the model",
        &whole,
        &World::smallest_timed(),
    );
    assert_eq!(timed, SMALLEST_TIMED);
    let limited = explored("limited, by the model", &whole, &World::limited());
    assert_eq!(limited, LIMITED);
}

/// The exploration, which finds nothing, is able to: where a rule is taken out of the model it finds what then goes
/// wrong, and the shortest way there. E2 is what E4 says of the grants of one's own group; without either of them the
/// same goes wrong.
#[test]
fn a_hole_is_found_where_a_rule_is_taken_out_of_the_model() {
    let smallest: fn() -> World = World::smallest;
    for (missing, world, broken, steps) in [
        (Rule::A2, smallest, "A2", 1),
        (Rule::E1, smallest, "E1", 7),
        (Rule::E2, smallest, "E4", 6),
        (Rule::E4, smallest, "E4", 6),
        (Rule::M5, smallest, "M5", 4),
        (Rule::M8, smallest, "M8", 1),
        (Rule::P4, World::limited, "P4", 1),
        (Rule::S3, smallest, "S3", 3),
    ] {
        let explored = explore(&Model::without(missing), &world(), |_| {});
        let violation = explored.expect_err("a rule is missing");
        println!("Without {missing:?}, {violation}");
        let found = (violation.flaw.rule, violation.steps.len());
        assert_eq!(found, (broken, steps), "{violation}");
    }
}

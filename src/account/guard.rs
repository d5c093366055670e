//! The guards that a test takes away, one at a time, to see that the hole is found.
//!
//! In every build but that of the crate's own unit tests they stand, and there is nothing that could take them away.

/// Whether the guard of this rule stands.
#[cfg(not(test))]
pub(crate) const fn stands(_rule: &'static str) -> bool {
    true
}

#[cfg(test)]
pub(crate) use tests::stands;

#[cfg(test)]
mod tests {
    use std::sync::RwLock;

    use crate::small_world::{World, explore};

    /// The rule whose guard is away; the empty text where all stand.
    static AWAY: RwLock<&str> = RwLock::new("");

    pub(crate) fn stands(rule: &'static str) -> bool {
        *AWAY.read().expect("no test panics while it writes") != rule
    }

    /// The exploration of the small world, which finds nothing, is able to: with the guard of A2, E1, E2, M5 or S3
    /// taken away it finds what then goes wrong, and the shortest way there. (One test, because a guard that is away
    /// is away for the whole process.)
    #[test]
    fn a_hole_is_found_where_a_guard_is_taken_away() {
        for (guard, rule, steps) in [
            ("A2", "A2", 1),
            ("E1", "E1", 7),
            ("E2", "E4", 5),
            ("M5", "M5", 4),
            ("S3", "S3", 3),
        ] {
            let set = |guard| *AWAY.write().expect("no test panics while it writes") = guard;
            set(guard);
            let outcome = explore(&World::smallest(), |_| {});
            set("");
            let violation = outcome.expect_err(guard);
            println!("Without {guard}, {violation}");
            assert_eq!(
                (violation.rule, violation.steps.len()),
                (rule, steps),
                "{violation}"
            );
        }
    }
}

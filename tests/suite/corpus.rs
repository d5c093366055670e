//! The inputs of `tests/corpus` against the properties of `hostile.rs`: inputs that fuzzing found, minimized, and
//! others written by hand. `scripts/fuzz` looks for more.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::hostile;

/// Tests every input of a target as it is, cut short, and with one bit changed: as many changes of each input as
/// stated, the same in every run.
fn each_input(target: &str, changes: usize, mut property: impl FnMut(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut inputs: Vec<_> = fs::read_dir(folder.join(target))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "no inputs for {target}");
    for path in inputs {
        let input = fs::read(&path).unwrap();
        let mut held = |bytes: &[u8], what: &str| {
            let held = catch_unwind(AssertUnwindSafe(|| property(bytes)));
            assert!(held.is_ok(), "{}{what}: {bytes:?}", path.display());
        };
        held(&input, "");
        for change in 0..changes.min(input.len()) {
            // Spread over the input, starting at a position that differs from one input to the next.
            let position =
                (change * input.len() / changes.min(input.len()) + input.len() / 3) % input.len();
            held(&input[..position], ", cut short");
            let mut flipped = input.clone();
            flipped[position] ^= 1 << (change % 8);
            held(&flipped, ", with one bit flipped");
        }
    }
}

/// U7, G2, L4, L3: whatever the bytes, and in whichever way they are parsed, a text is read unchanged or refused for
/// the rule that it breaks.
#[test]
fn u7_any_text_is_read_unchanged_or_refused() {
    each_input("text", 32, hostile::text);
}

/// U5, U2, A2, A3, G3, G4, G5, L3, L5, M4, M6, S1: whatever the bytes, anything that is read as an account keeps the
/// rules, and the rest is refused.
#[test]
fn u5_anything_stored_keeps_the_rules_or_is_refused() {
    each_input("stored", 16, hostile::stored);
}

/// U3, A2, A3, G3, G4, G5, M4, L3, E1, E3, E4, P1, P2, U1, U2, U4: whatever commands are issued, by whichever actor and
/// in whichever order, the rules hold.
#[test]
fn u3_any_commands_keep_the_rules() {
    let (mut accepted, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let (mut steps, mut unchanged, mut refusals) = (0, 0, 0);
    each_input("commands", 8, |bytes| {
        let reached = hostile::commands(bytes);
        accepted.extend(reached.accepted);
        refused.extend(reached.refused);
        steps += reached.accepted_steps;
        unchanged += reached.unchanged_steps;
        refusals += reached.refused_steps;
    });
    // A property that is never exercised always holds.
    println!("{steps} steps changed something, {unchanged} nothing, {refusals} were refused");
    println!("{accepted:?}\n{refused:?}");
    assert_eq!(accepted.len(), 17, "{accepted:?}");
    assert!(refused.len() >= 36, "{refused:?}");
    assert!(steps > refusals / 4, "{steps} steps, {refusals} refusals");
}

/// U5, U2, A1, A2, A4, E3, M3, M7: whatever was done to stored records, they give an account that keeps the rules, or
/// are refused.
#[test]
fn u5_any_records_keep_the_rules_or_are_refused() {
    each_input("replays", 8, hostile::replays);
}

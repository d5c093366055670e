//! The inputs of `tests/corpus` against the properties of `hostile/`: what fuzzing found worth keeping, minimized,
//! and what was written by hand. `scripts/fuzz` looks for more.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use grantbook::Timestamp;

use crate::commands::{self, FIRST_NUMBERS, Line};
use crate::hostile;

/// Puts every input of a target to the test as it is, cut short, and with one byte changed: as many changes of each
/// input as stated, the same in every run.
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
            // Spread over the input, from a place that differs from one input to the next.
            let resource =
                (change * input.len() / changes.min(input.len()) + input.len() / 3) % input.len();
            held(&input[..resource], ", cut short");
            let mut flipped = input.clone();
            flipped[resource] ^= 1 << (change % 8);
            held(&flipped, ", with one bit flipped");
        }
    }
}

/// U7, G2, L4, L3: a text is read as it is or refused for what it breaks, whatever the bytes and whatever the door.
#[test]
fn any_text() {
    each_input("text", 32, hostile::text);
}

/// U5, U2, A2, A3, G3, G4, G5, L3, L5, M4, M6, S1: whatever the bytes, what is read of an account is one, and the
/// rest is refused.
#[test]
fn anything_stored() {
    each_input("stored", 16, hostile::stored);
}

/// A2, A3, G3, G4, G5, M4, L3, E1, E3, E4, P1, P2, U1, U2, U3, U4: whoever asks for what, in whatever order.
#[test]
fn any_commands() {
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
    // A property that is never put to the test holds of anything.
    println!("{steps} steps changed something, {unchanged} nothing, {refusals} were refused");
    println!("{accepted:?}\n{refused:?}");
    assert_eq!(
        accepted.len(),
        grantbook::Event::KINDS.len() - 1,
        "{accepted:?}"
    );
    assert!(refused.len() >= 36, "{refused:?}");
    assert!(steps > refusals / 4, "{steps} steps, {refusals} refusals");
}

/// U5, U2, A1, A2, A4, E3, M3, M7: whatever was done to the records where they are stored.
#[test]
fn any_replays() {
    each_input("replays", 8, hostile::replays);
}

/// Every number of a command is that of one, and the later ones follow each other without a gap.
#[test]
fn no_two_commands_have_the_same_number() {
    let commands_of = |kind: u8, last: u8| {
        let (number, line) =
            Line::read(&[kind, 0, 0, 0, 0, last], Timestamp::from_millis(0)).unwrap();
        commands::read(number, &line).count()
    };
    for kind in 0..FIRST_NUMBERS {
        assert_eq!(commands_of(kind, 0), 1, "{kind}");
    }
    let later: Vec<_> = (0..=255)
        .map(|last| commands_of(FIRST_NUMBERS, last))
        .collect();
    let many = later.iter().sum();
    let gapless = (0..=255).map(|last| usize::from((1..=many).contains(&last)));
    assert_eq!(later, gapless.collect::<Vec<_>>());
}

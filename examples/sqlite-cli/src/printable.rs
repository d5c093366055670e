//! What is shown on a terminal.

use std::fmt::{Display, Write};

/// Returns a text as one line that does nothing to a terminal: control characters, and those that turn the direction of
/// what follows, are escaped. Files and records can have them, and so can what quotes them.
pub(crate) fn printable(text: &impl Display) -> String {
    let mut line = String::new();
    for character in text.to_string().chars() {
        if is_steering(character) {
            // Writing to a string does not fail.
            let _ = write!(line, "{}", character.escape_debug());
        } else {
            line.push(character);
        }
    }
    line
}

fn is_steering(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

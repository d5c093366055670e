//! A note that your application leaves on a change.

use arcstr::ArcStr;

use crate::text::{Grammar, ParseError, shared_text};

/// A note that your application leaves on a change: a ticket, or the person or agent that acted there for the actor.
///
/// 1 to 256 bytes, on one line and in one direction: no control characters, no characters that break a line, and none
/// that change the direction of writing, so that a note cannot make the text around it look like something else.
///
/// ```
/// use grantbook::Note;
///
/// assert!(Note::parse("Ticket 4711, approved by Möller").is_ok());
/// assert!(Note::parse("first line\nsecond line").is_err());
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Note(ArcStr);

impl Note {
    const GRAMMAR: Grammar = Grammar {
        noun: "a note",
        shortest: 1,
        longest: 256,
        unit: "bytes",
        alphabet: "any characters on one line that do not change the direction of writing",
    };

    /// Accepts your application's text as a note.
    ///
    /// # Errors
    /// `""` and 257 bytes (length); `"a\nb"`, U+2028 and U+202E (character).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::GRAMMAR.check_length(text.len())?;
        Self::GRAMMAR.check_characters(text, is_allowed)?;
        Ok(Self(text.into()))
    }
}

fn is_allowed(character: char) -> bool {
    let breaks_line = matches!(character, '\u{2028}' | '\u{2029}');
    let changes_direction = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    !character.is_control() && !breaks_line && !changes_direction
}

shared_text!(Note);

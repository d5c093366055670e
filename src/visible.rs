//! How text that others chose is shown: the one place where it is written out.
//!
//! Ids, names and notes are data, and may hold anything that can be typed. Where they become part of a sentence, a table
//! or a page, what cannot be seen is written out as `\u{202e}`, so that no id looks like another, ends its own quotation,
//! or turns the line that it stands in.

use std::fmt::{self, Display, Write};

/// Text of others, with every character written out that cannot be seen, looks like a space, or turns the direction of
/// writing. Different texts stay different.
#[derive(Clone, Copy)]
pub(crate) struct Visible<'a>(pub(crate) &'a str);

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_visible(f, self.0, |_| false)
    }
}

/// As [`Visible`], between back quotes, which the text itself cannot end.
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        write_visible(f, self.0, |character| character == '`')?;
        f.write_char('`')
    }
}

fn write_visible(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    is_special: impl Fn(char) -> bool,
) -> fmt::Result {
    let mut before = None;
    for (at, character) in text.char_indices() {
        let repeats_space = character == ' ' && before == Some(' ');
        // Only where it would read as one that was written out: other backslashes stay as they are.
        let looks_written_out =
            character == '\\' && text.get(at..).is_some_and(|rest| rest.starts_with("\\u{"));
        if is_unseen(character) || is_special(character) || repeats_space || looks_written_out {
            write!(f, "{}", character.escape_unicode())?;
        } else {
            f.write_char(character)?;
        }
        before = Some(character);
    }
    Ok(())
}

/// Whether a character cannot be seen, looks like a space, or steers what is around it: control characters, white space
/// but for the plain space, and what Unicode calls default-ignorable or a format of lines and directions.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || (character.is_whitespace() && character != ' ')
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

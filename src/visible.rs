//! How text that others chose is shown: the one place where it is written out.
//!
//! Ids, names and notes are data, and may hold anything that can be typed. Where they become part of a sentence, a table
//! or a page, what cannot be seen is written out as `\u{202e}`, so that no id looks like another, ends its own quotation,
//! or turns the line that it stands in.

use std::fmt::{self, Display, Write};

/// A text that others chose, as it is shown: an id, a name, a note.
///
/// What cannot be seen, looks like a space or turns the direction of writing is written out as `\u{202e}`. So is a space
/// after a space, a combining mark that stands on no letter of its own script (an accent, say, that was typed apart from
/// its letter), and a backslash before `u{`; other backslashes stay. Different texts stay different.
///
/// The library shows texts like this in all that it says: errors, explanations, findings, tables. An id's own `Display`
/// and its serde form are the text as it is, so use this where you show one to people.
///
/// ```
/// use grantbook::{MemberId, Visible};
///
/// let member = MemberId::parse("dana\u{202e}nimda")?;
/// assert_eq!(Visible(&member).to_string(), r"dana\u{202e}nimda");
/// assert_eq!(Visible(r"CORP\dana").to_string(), r"CORP\dana");
/// # Ok::<(), grantbook::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Visible<'a>(pub &'a str);

/// A text that others chose, between back quotes, for a sentence: as [`Visible`], and the text itself cannot end the
/// quotation.
///
/// ```
/// use grantbook::Quoted;
///
/// let group = "devs` is deleted";
/// assert_eq!(format!("there is no group {}", Quoted(group)), r"there is no group `devs\u{60} is deleted`");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

/// A whole sentence of somebody else, such as the message of another library's error, on one line that does nothing to a
/// terminal.
///
/// What [`Visible`] would write out because it cannot be seen is written out. What was written out before stays as it is,
/// and so does the space between columns; so use it for sentences, and `Visible` for what they are about.
///
/// ```
/// use grantbook::OneLine;
///
/// let said = OneLine("no such file: a\nb");
/// assert_eq!(said.to_string(), r"no such file: a\u{a}b");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OneLine<'a>(pub &'a str);

impl Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        padded(f, self, |f| write_text(f, self.0, |_| false))
    }
}

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        padded(f, self, |f| write!(f, "`{}`", Unquoted(self.0)))
    }
}

impl Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        padded(f, self, |f| {
            let mut marks = Marks::default();
            self.0
                .chars()
                .try_for_each(|character| write_character(f, character, marks.is_unseen(character)))
        })
    }
}

/// What stands between the back quotes of a [`Quoted`], where a sentence has words of its own for the quotation.
#[derive(Clone, Copy)]
pub(crate) struct Unquoted<'a>(pub(crate) &'a str);

impl Display for Unquoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_text(f, self.0, |character| character == '`')
    }
}

/// Writes at once or, in a column, through a text whose width is known.
fn padded(
    f: &mut fmt::Formatter<'_>,
    shown: &impl Display,
    write: impl FnOnce(&mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    if f.width().is_none() && f.precision().is_none() {
        write(f)
    } else {
        f.pad(&shown.to_string())
    }
}

fn write_text(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    is_special: impl Fn(char) -> bool,
) -> fmt::Result {
    let mut marks = Marks::default();
    let mut before = None;
    for (at, character) in text.char_indices() {
        let repeats_space = character == ' ' && before == Some(' ');
        // Only where it would read as one that was written out: other backslashes stay as they are.
        let looks_written_out =
            character == '\\' && text.get(at..).is_some_and(|rest| rest.starts_with("\\u{"));
        let is_unseen = marks.is_unseen(character);
        let is_written_out =
            is_unseen || is_special(character) || repeats_space || looks_written_out;
        write_character(f, character, is_written_out)?;
        before = Some(character);
    }
    Ok(())
}

fn write_character(
    f: &mut fmt::Formatter<'_>,
    character: char,
    is_written_out: bool,
) -> fmt::Result {
    if is_written_out {
        write!(f, "{}", character.escape_unicode())
    } else {
        f.write_char(character)
    }
}

/// How many combining marks more may stand here: some scripts are written with them, on their own letters.
#[derive(Default)]
struct Marks(u8);

impl Marks {
    /// As many as any script puts on one letter, or nearly so.
    const MOST: u8 = 3;

    /// Whether the next character of a text cannot be seen where it stands.
    fn is_unseen(&mut self, character: char) -> bool {
        if is_unseen(character) || is_accent(character) {
            self.0 = 0;
            return true;
        }
        if is_mark(character) {
            let is_too_many = self.0 == 0;
            self.0 = self.0.saturating_sub(1);
            return is_too_many;
        }
        let carries_marks = !character.is_ascii() && character.is_alphabetic();
        self.0 = if carries_marks { Self::MOST } else { 0 };
        false
    }
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
            | '\u{13430}'..='\u{1343f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is a combining mark for letters of any script: with it, two texts look the same that are not.
fn is_accent(character: char) -> bool {
    matches!(character,
        '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Whether the standard library would write the character out where it stands alone: combining marks, and what Unicode
/// gives no shape.
fn is_mark(character: char) -> bool {
    !character.is_ascii() && character.escape_debug().nth(1).is_some()
}

//! Text of others in each form. [`Visible`] says what is written out; this says what means something to a form.

use std::fmt::Write;

use crate::id::MemberId;
use crate::visible::{Quoted, Visible};

/// As [`Visible`].
pub(super) fn visible(text: &str) -> String {
    Visible(text).to_string()
}

/// Ids in back quotes, which no id can end, so that several never look like one.
pub(super) fn listed<'a>(ids: impl Iterator<Item = &'a MemberId>) -> String {
    let quoted: Vec<String> = ids.map(|id| Quoted(id).to_string()).collect();
    quoted.join(", ")
}

pub(super) fn html(text: &str) -> String {
    markup(&visible(text))
}

/// A sentence in which text of others is written out already. What it may still hold is written out too.
pub(super) fn html_sentence(sentence: &str) -> String {
    let mut buffer = [0; 4];
    // Each by itself, so that what is written out is not written out again.
    let each = sentence
        .chars()
        .map(|character| visible(character.encode_utf8(&mut buffer)));
    markup(&each.collect::<String>())
}

fn markup(visible: &str) -> String {
    let mut escaped = String::with_capacity(visible.len());
    for character in visible.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Of text that is visible already.
pub(super) fn markdown(visible: &str) -> String {
    let mut escaped = String::with_capacity(visible.len());
    for character in visible.chars() {
        if character.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

pub(super) fn csv(text: &str) -> String {
    let shown = visible(text);
    let is_formula = shown.starts_with(['=', '+', '-', '@', '\'', '＝', '＋', '－', '＠']);
    let shown = if is_formula {
        format!("'{shown}")
    } else {
        shown
    };
    if is_formula || shown.contains([',', '"', ';']) {
        format!("\"{}\"", shown.replace('"', "\"\""))
    } else {
        shown
    }
}

/// Inside the quotes of a Mermaid label, by whose own escapes every punctuation is written that could mean something.
pub(super) fn mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        if character.is_ascii_punctuation() && !matches!(character, '-' | '.' | '_' | '@') {
            let _ = write!(escaped, "#{};", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

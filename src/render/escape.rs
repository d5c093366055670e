//! Text of others in each form. [`Visible`] says what is written out; this says what means something to a form.

use std::fmt::Write;

use crate::id::MemberId;
use crate::visible::{OneLine, Quoted, Visible};

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
    markup(&OneLine(sentence).to_string())
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

/// A cell. Where a spreadsheet separates cells by `;`, quotes in the middle of a line mean nothing to it: so the text has
/// none of these.
pub(super) fn csv(text: &str) -> String {
    let shown = visible(text).replace(';', "\\u{3b}");
    let is_formula = shown.starts_with(['=', '+', '-', '@', '\'', '＝', '＋', '－', '＠']);
    let shown = if is_formula {
        format!("'{shown}")
    } else {
        shown
    };
    if is_formula || shown.contains([',', '"']) {
        format!("\"{}\"", shown.replace('"', "\"\""))
    } else {
        shown
    }
}

/// Inside the quotes of a Mermaid label, all punctuation by its own escapes: some of its versions read a label as Markdown,
/// in which an address becomes a link, and `1.` a list.
pub(super) fn mermaid(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in visible(text).chars() {
        if character.is_ascii_punctuation() {
            let _ = write!(escaped, "#{};", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

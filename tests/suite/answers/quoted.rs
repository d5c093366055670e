//! Text that others chose, in everything that the crate says.

use std::collections::BTreeSet;

use grantbook::*;
use proptest::prelude::*;
use serde_json::json;

use super::{question_samples, samples};
use crate::strategies::config;
use crate::support::*;

/// Texts that steer, hide or end something, or look like another one. No message has any of them as it is.
const HOSTILE: [&str; 20] = [
    "a\u{202e}b",
    r"a\u{202e}b",
    r"a\u{5c}u{202e}b",
    "a\u{2028}b",
    r"a\u{2028}b",
    "a\u{2066}b",
    "a`b",
    r"a\u{60}b",
    "a\u{1bca0}b",
    "a\u{fff9}b",
    "a\u{301}b",
    r"a\u{301}b",
    "a\u{e49}b",
    "\u{301}ab",
    "a  b",
    r"a \u{20}b",
    "a\u{a0}b",
    "a\u{3164}b",
    "a\u{200b}b",
    "a\u{e000}b",
];

/// All that the crate says about this text as an id, each with what it is.
fn said(text: &str) -> Vec<(String, String)> {
    let mut said = Vec::new();
    let mut note = |what: &str, message: String| said.push((what.to_owned(), message));
    for error in samples::command_errors(text) {
        note(error.code(), error.to_string());
    }
    for error in samples::replay_errors(text) {
        note(error.code(), error.to_string());
    }
    for error in samples::snapshot_errors(text) {
        note(error.code(), error.to_string());
    }
    for error in samples::repository_errors(text) {
        note(error.code(), error.to_string());
    }
    for finding in question_samples::findings(text) {
        note(finding.code(), finding.to_string());
    }
    for explanation in question_samples::explanations(text) {
        note("explanation", explanation.to_string());
    }
    note("stale", samples::stale_error(text).to_string());
    note("escalation", samples::escalation(text).to_string());
    note("actor", by(text).to_string());
    note("resource", Resource::Store(store(text)).to_string());
    note("resource as asked", Resource::Store(text).to_string());
    note(
        "resource in text",
        Resource::Store(text.to_owned()).to_string(),
    );
    let world = World::new();
    let unknown =
        world
            .account
            .explain(text, &Permission::STORE_READ, Resource::Store(text), at(0));
    note("explanation", unknown.to_string());
    let twice = json!({"stores": [text, text]});
    let error = serde_json::from_value::<Scope>(twice).unwrap_err();
    note("a list that names it twice", error.to_string());
    let entry = format!("{}:{{\"only\":[]}}", json!(text));
    let twice = format!(r#"{{"account":{{"only":[]}},"stores":{{{entry},{entry}}}}}"#);
    let error = serde_json::from_str::<EffectivePermissions>(&twice).unwrap_err();
    let message = error.to_string();
    let (message, _) = message.split_once(" at line").unwrap(); // and column, which depends on its length
    note("a map that names it twice", message.to_owned());
    said
}

#[test]
fn no_message_shows_hostile_text_as_it_is() {
    for text in HOSTILE {
        for (what, message) in said(text) {
            assert!(!message.contains(text), "{what}: {message:?}");
            let unseen = |character: char| !matches!(character, ' '..='~' | '\n');
            assert!(!message.contains(unseen), "{what}: {message:?}");
            assert_eq!(message.matches('`').count() % 2, 0, "{what}: {message}");
        }
    }
}

#[test]
fn different_ids_never_give_the_same_message() {
    let plain = said("plain");
    let other = said("other");
    let about: Vec<bool> = plain
        .iter()
        .zip(&other)
        .map(|(one, other)| one.1 != other.1)
        .collect();
    assert!(about.iter().filter(|is_about| **is_about).count() > 60);
    let all: Vec<_> = HOSTILE.iter().map(|text| said(text)).collect();
    for (at, is_about) in about.into_iter().enumerate() {
        let messages: BTreeSet<&str> = all.iter().map(|said| said[at].1.as_str()).collect();
        let expected = if is_about { HOSTILE.len() } else { 1 };
        assert_eq!(messages.len(), expected, "{}: {messages:#?}", plain[at].0);
    }
}

/// A new refusal without a sample fails here, and so is looked at by the tests above.
#[test]
fn every_code_of_a_refusal_has_a_sample() {
    let errors = samples::command_errors("plain");
    let sampled: BTreeSet<_> = errors.iter().map(CommandError::code).collect();
    let codes: BTreeSet<_> = CommandError::CODES.iter().map(|(code, ..)| *code).collect();
    assert_eq!(sampled, codes);
}

#[test]
fn ordinary_text_stays_as_it_is() {
    for text in [
        r"CORP\dana",
        r"CORP\update",
        r"C:\\users",
        "M\u{f6}ller",
        "dana@acme.example",
        "\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}", // Devanagari, with its own marks
        "\u{e1c}\u{e39}\u{e49}\u{e43}\u{e0a}\u{e49}", // Thai, two marks on a letter
        "\u{645}\u{64f}\u{62d}\u{64e}\u{645}\u{651}\u{64e}\u{62f}", // Arabic, with vowels
        "\u{5c71}\u{7530}",
        "a b",
        "\u{1f600}",
    ] {
        assert_eq!(Visible(text).to_string(), text);
        assert_eq!(Quoted(text).to_string(), format!("`{text}`"));
        assert_eq!(OneLine(text).to_string(), text);
        assert_eq!(by(text).to_string(), format!("member {text}"));
    }
}

#[test]
fn what_cannot_be_told_apart_is_written_out() {
    for (text, shown) in [
        ("Mo\u{308}ller", r"Mo\u{308}ller"), // an accent of its own
        ("a\u{e49}", r"a\u{e49}"),           // a mark on a letter of another script
        ("\u{e49}", r"\u{e49}"),
        (
            "\u{e1c}\u{e49}\u{e49}\u{e49}\u{e49}\u{e49}",
            "\u{e1c}\u{e49}\u{e49}\u{e49}\\u{e49}\\u{e49}",
        ),
        ("a\tb\n", r"a\u{9}b\u{a}"),
        ("\u{1f468}\u{200d}\u{1f469}", "\u{1f468}\\u{200d}\u{1f469}"),
    ] {
        assert_eq!(Visible(text).to_string(), shown);
    }
    // A sentence of somebody else, in which something was written out before.
    let sentence = "no member `a\\u{202e}b`,  \u{202e}says\n\tthe storage";
    let line = r"no member `a\u{202e}b`,  \u{202e}says\u{a}\u{9}the storage";
    assert_eq!(OneLine(sentence).to_string(), line);
    assert_eq!(OneLine(line).to_string(), line);
    let padded = format!(
        "{:>9}|{:<9}|{:^5}",
        Visible("a\nb"),
        Quoted("a`b"),
        OneLine("x")
    );
    assert_eq!(padded, r"  a\u{a}b|`a\u{60}b`|  x  ");
}

#[test]
fn a_parse_error_writes_out_the_character_that_it_names() {
    for (text, shown) in [
        ("caf\u{e9}", "'\u{e9}'"),
        ("a\u{202e}b", r"'\u{202e}'"),
        ("ab\u{301}", r"'\u{301}'"),
        ("a\u{3164}b", r"'\u{3164}'"),
        ("a\tb", r"'\u{9}'"),
        ("a'b", "'''"),
    ] {
        let error = GroupName::parse(text).unwrap_err().to_string();
        let shown = format!("this one has {shown} at position ");
        assert!(error.contains(&shown), "{error}");
    }
}

/// What a storage says is somebody else's sentence: it stays on one line, and what it had written out stays so.
#[test]
fn what_a_storage_says_is_shown_on_one_line() {
    let said = "no row for `a\\u{202e}b`\nDETAIL: \u{202e}key";
    let error = repository::RepositoryError::Storage(said.into());
    assert_eq!(
        error.to_string(),
        r"the repository failed: no row for `a\u{202e}b`\u{a}DETAIL: \u{202e}key"
    );
}

/// A domain account is shown as people know it.
#[cfg(feature = "render")]
#[test]
fn a_backslash_is_not_doubled_in_any_rendering() {
    let mut world = World::new();
    world.system(enrol([r"CORP\dana"]));
    let matrix = world.account.matrix();
    let page = world.account.to_html("Acme", at(0));
    for shown in [matrix.to_text(), matrix.to_csv(), page] {
        assert!(shown.contains(r"CORP\dana") && !shown.contains(r"CORP\\dana"));
    }
    // Markdown and Mermaid write it by their own escapes, and show one.
    let markdown = matrix.to_markdown().replace(r"\\", r"\");
    assert!(markdown.contains(r"CORP\dana"));
    let mermaid = world.account.to_mermaid(10).replace("#92;", r"\");
    assert!(mermaid.contains(r"CORP\dana"));
}

/// What a text was before it was shown.
fn read_back(shown: &str) -> String {
    let mut parts = shown.split(r"\u{");
    let mut text = parts.next().unwrap().to_owned();
    for part in parts {
        let (number, rest) = part.split_once('}').unwrap();
        let number = u32::from_str_radix(number, 16).unwrap();
        text.push(char::from_u32(number).unwrap());
        text += rest;
    }
    text
}

proptest! {
    #![proptest_config(config(500))]

    /// Whatever the text, it is shown so that it can be read back: no two texts are shown alike.
    #[test]
    fn what_is_shown_can_be_read_back(parts in prop::collection::vec(
        prop_oneof![
            any::<char>().prop_map(String::from),
            prop::sample::select(vec![" ", "\\", "\\u", "\\u{", "{", "}", "`", "a", "\u{301}", "\u{e49}", "\u{e1c}", "\u{202e}"])
                .prop_map(str::to_owned),
        ],
        0..12,
    )) {
        let text = parts.concat();
        prop_assert_eq!(&read_back(&Visible(&text).to_string()), &text);
        let quoted = Quoted(&text).to_string();
        prop_assert_eq!(quoted.matches('`').count(), 2);
        prop_assert_eq!(&read_back(&quoted[1..quoted.len() - 1]), &text);
        let line = OneLine(&text).to_string();
        prop_assert_eq!(&OneLine(&line).to_string(), &line);
        prop_assert!(!line.contains(|character: char| character.is_control()));
    }
}

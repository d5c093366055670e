//! Any bytes as text, beside what a text may be in other words (U7, G2, L3, L4).

use std::fmt::{Debug, Display};
use std::str::FromStr;

use grantbook::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Any bytes as an id, a name, a description, a permission, a note: read as they are, or refused for what they break.
pub(crate) fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    one_text::<AccountId>(data, &text, is_id);
    one_text::<MemberId>(data, &text, is_id);
    one_text::<GroupId>(data, &text, is_id);
    one_text::<StoreId>(data, &text, is_id);
    one_text::<RoleId>(data, &text, is_id);
    one_text::<GroupName>(data, &text, is_name);
    one_text::<RoleName>(data, &text, is_name);
    one_text::<Description>(data, &text, is_description);
    one_text::<Permission>(data, &text, is_permission);
    one_text::<Note>(data, &text, is_note);
    let halves = text.split_once('\n').unwrap_or((&text, &text));
    if let (Ok(one), Ok(other)) = (GroupName::parse(halves.0), GroupName::parse(halves.1)) {
        let are_same = halves.0.to_lowercase() == halves.1.to_lowercase();
        assert_eq!(one.is_same_name(&other), are_same, "G3");
    }
    if let (Ok(one), Ok(other)) = (Permission::parse(halves.0), Permission::parse(halves.1)) {
        assert_eq!(one.cmp(&other), halves.0.cmp(halves.1), "U6");
        assert_eq!(one == other, halves.0 == halves.1);
    }
}

fn one_text<T>(data: &[u8], text: &str, keeps_its_rule: fn(&str) -> bool)
where
    T: FromStr<Err = ParseError> + AsRef<str> + Display + Debug + PartialEq,
    T: Serialize + DeserializeOwned,
{
    let json = serde_json::to_string(text).expect("text is JSON");
    let parsed = text.parse::<T>();
    assert_eq!(parsed.is_ok(), keeps_its_rule(text), "{text:?}: {parsed:?}");
    let from_json = serde_json::from_str::<T>(&json);
    let from_value = serde_json::from_value::<T>(Value::String(text.to_owned()));
    match parsed {
        Ok(parsed) => {
            assert_eq!(parsed.as_ref(), text);
            assert_eq!(parsed.to_string(), text);
            assert_eq!(serde_json::to_string(&parsed).expect("text"), json);
            assert_eq!(from_json.expect("one door"), parsed);
            assert_eq!(from_value.expect("one door"), parsed);
        }
        Err(error) => {
            explained(text, &error);
            for told in [from_json, from_value] {
                let told = told.expect_err("one door").to_string();
                assert!(told.starts_with(&error.to_string()), "{told}");
            }
        }
    }
    // The bytes as JSON themselves: nothing but a string is a text.
    let read = serde_json::from_slice::<T>(data).ok();
    let string = serde_json::from_slice::<String>(data).ok();
    assert_eq!(read, string.and_then(|string| string.parse().ok()));
}

/// What is said to be wrong with a text is wrong with it, and is said in few words.
fn explained(text: &str, error: &ParseError) {
    let (characters, bytes) = (text.chars().count(), text.len());
    assert!(error.to_string().len() < 250, "{error}");
    match (error.kind(), error.code()) {
        (ParseErrorKind::TooShort { length }, "too-short") => {
            assert!(length == bytes && length < 3);
        }
        (ParseErrorKind::TooLong { length }, "too-long") => assert!(length == bytes && length > 64),
        (
            ParseErrorKind::Character {
                character,
                position,
            },
            "bad-character",
        ) => {
            assert_eq!(text.chars().nth(position - 1), Some(character));
            assert!(position <= characters);
        }
        (ParseErrorKind::SurroundingWhitespace, "surrounding-whitespace") => {
            assert!(text.trim().len() < bytes);
        }
        (ParseErrorKind::Segment { segment }, "bad-segment") => {
            let segments: Vec<_> = text.split('.').collect();
            let named = segments.get(segment - 1).map(|segment| segment.len());
            assert!(named.is_some() || segments.len() == segment - 1);
        }
        (problem, code) => panic!("{problem:?} is not {code}"),
    }
}

/// U7: what an id may be.
fn is_id(text: &str) -> bool {
    let is_control = |c: char| c < ' ' || ('\u{7f}'..='\u{9f}').contains(&c);
    (1..=128).contains(&text.len()) && text.trim() == text && !text.contains(is_control)
}

const LETTERS_AND_SUCH: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_ ";

/// G2, L3: what a name may be.
/// On one line, in one direction (U2).
fn is_note(text: &str) -> bool {
    let steers = "\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    (1..=256).contains(&text.len())
        && !text.contains(|character: char| character.is_control() || steers.contains(character))
}

fn is_name(text: &str) -> bool {
    let ends_are_spaces = text.starts_with(' ') || text.ends_with(' ');
    is_of_letters(text) && (3..65).contains(&text.chars().count()) && !ends_are_spaces
}

/// G2: what a description may be.
fn is_description(text: &str) -> bool {
    is_of_letters(text) && text.chars().count() < 101
}

fn is_of_letters(text: &str) -> bool {
    text.chars().all(|c| LETTERS_AND_SUCH.contains(c))
}

/// L4: what a permission may be, read letter by letter.
fn is_permission(text: &str) -> bool {
    let (mut dots, mut in_segment) = (0, 0);
    for byte in text.bytes() {
        match byte {
            b'.' if in_segment > 0 => {
                dots += 1;
                in_segment = 0;
            }
            b'a'..=b'z' if in_segment < 32 => in_segment += 1,
            b'0'..=b'9' | b'_' | b'-' if (1..32).contains(&in_segment) => in_segment += 1,
            _ => return false,
        }
    }
    dots > 0 && in_segment > 0 && text.len() <= 64
}

//! What all parsed text has in common: its bounds, and the error that says what was wrong.

use std::fmt;

use serde::de::{self, Visitor};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::visible::Visible;

/// Why a text was not accepted as an id, a name, a description, a permission, a note or a digest.
///
/// The text itself is not repeated: it may be long, and it may be hostile. What is wrong with it
/// and where is said instead, in characters counted from 1 (ids: length in bytes).
///
/// ```
/// use grantbook::{GroupName, ParseErrorKind};
///
/// let error = GroupName::parse("IT").unwrap_err();
/// assert_eq!(error.to_string(), "a group name takes 3 to 64 characters; this one has 2");
/// assert_eq!(error.code(), "too-short");
/// assert_eq!(error.kind(), ParseErrorKind::TooShort { length: 2 });
/// ```
#[derive(Clone, Eq, PartialEq, thiserror::Error)]
#[error("{} {}", grammar.noun, Explained { grammar, problem })]
pub struct ParseError {
    grammar: &'static Grammar,
    problem: ParseErrorKind,
}

/// With the sentence, which is what `main` prints of an error that it returns.
impl fmt::Debug for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ParseError")
            .field(&format_args!("{self}"))
            .finish()
    }
}

impl ParseError {
    /// What is wrong, as data.
    #[must_use]
    pub fn kind(&self) -> ParseErrorKind {
        self.problem
    }

    /// A stable code for the problem: `too-short`, `too-long`, `bad-character`, `surrounding-whitespace` or
    /// `bad-segment`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.problem {
            ParseErrorKind::TooShort { .. } => "too-short",
            ParseErrorKind::TooLong { .. } => "too-long",
            ParseErrorKind::Character { .. } => "bad-character",
            ParseErrorKind::SurroundingWhitespace => "surrounding-whitespace",
            ParseErrorKind::Segment { .. } => "bad-segment",
        }
    }

    /// Returns 422, the status with which an HTTP service answers.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        422
    }
}

/// As one object: `code`, `http_status`, `message`, and what [`ParseErrorKind`] holds.
impl Serialize for ParseError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let details = match self.problem {
            ParseErrorKind::Character { .. } => 2,
            ParseErrorKind::SurroundingWhitespace => 0,
            ParseErrorKind::TooShort { .. }
            | ParseErrorKind::TooLong { .. }
            | ParseErrorKind::Segment { .. } => 1,
        };
        let mut object = serializer.serialize_struct("ParseError", 3 + details)?;
        object.serialize_field("code", self.code())?;
        object.serialize_field("http_status", &self.http_status())?;
        object.serialize_field("message", &self.to_string())?;
        match &self.problem {
            ParseErrorKind::TooShort { length } | ParseErrorKind::TooLong { length } => {
                object.serialize_field("length", length)?;
            }
            ParseErrorKind::Character {
                character,
                position,
            } => {
                object.serialize_field("character", character)?;
                object.serialize_field("position", position)?;
            }
            ParseErrorKind::SurroundingWhitespace => {}
            ParseErrorKind::Segment { segment } => {
                object.serialize_field("segment", segment)?;
            }
        }
        object.end()
    }
}

/// What can be wrong with a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ParseErrorKind {
    /// Fewer characters than its kind takes.
    TooShort {
        /// Characters found (ids: bytes).
        length: usize,
    },
    /// More characters than its kind takes.
    TooLong {
        /// Characters found (ids: bytes).
        length: usize,
    },
    /// A character that its kind does not take.
    #[serde(rename = "bad-character")]
    Character {
        /// The first such character.
        character: char,
        /// Where it stands, counted from 1.
        position: usize,
    },
    /// White space at the beginning or the end.
    SurroundingWhitespace,
    /// A permission's segment that is empty, too long, or does not begin with a letter; or there is only one.
    #[serde(rename = "bad-segment")]
    Segment {
        /// Which segment, counted from 1.
        segment: usize,
    },
}

/// The grammar of one kind of text.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Grammar {
    /// "a group name": how a message speaks of it.
    pub(crate) noun: &'static str,
    /// The fewest characters.
    pub(crate) shortest: usize,
    /// The most characters.
    pub(crate) longest: usize,
    /// "characters" or "bytes".
    pub(crate) unit: &'static str,
    /// What it may consist of, for the message.
    pub(crate) alphabet: &'static str,
}

impl Grammar {
    /// Builds the error for text of this grammar.
    pub(crate) fn error(&'static self, problem: ParseErrorKind) -> ParseError {
        ParseError {
            grammar: self,
            problem,
        }
    }

    /// Refuses a length out of bounds.
    pub(crate) fn check_length(&'static self, length: usize) -> Result<(), ParseError> {
        if length < self.shortest {
            return Err(self.error(ParseErrorKind::TooShort { length }));
        }
        if length > self.longest {
            return Err(self.error(ParseErrorKind::TooLong { length }));
        }
        Ok(())
    }

    /// Refuses the first character that `allowed` does not take.
    pub(crate) fn check_characters(
        &'static self,
        text: &str,
        allowed: impl Fn(char) -> bool,
    ) -> Result<(), ParseError> {
        match text
            .chars()
            .enumerate()
            .find(|(_, character)| !allowed(*character))
        {
            None => Ok(()),
            Some((index, character)) => Err(self.error(ParseErrorKind::Character {
                character,
                position: index + 1,
            })),
        }
    }

    /// Refuses white space at either end.
    pub(crate) fn check_edges(&'static self, text: &str) -> Result<(), ParseError> {
        if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
            return Err(self.error(ParseErrorKind::SurroundingWhitespace));
        }
        Ok(())
    }
}

/// The second half of the message.
struct Explained<'a> {
    grammar: &'a Grammar,
    problem: &'a ParseErrorKind,
}

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Grammar {
            shortest,
            longest,
            unit,
            alphabet,
            ..
        } = self.grammar;
        match self.problem {
            ParseErrorKind::TooShort { length } | ParseErrorKind::TooLong { length }
                if shortest == longest =>
            {
                write!(f, "takes {longest} {unit}; this one has {length}")
            }
            ParseErrorKind::TooShort { length } | ParseErrorKind::TooLong { length } => {
                write!(
                    f,
                    "takes {shortest} to {longest} {unit}; this one has {length}"
                )
            }
            ParseErrorKind::Character {
                character,
                position,
            } => {
                let mut buffer = [0; 4];
                let character = Visible(character.encode_utf8(&mut buffer));
                write!(
                    f,
                    "takes {alphabet}; this one has '{character}' at position {position}"
                )
            }
            ParseErrorKind::SurroundingWhitespace => {
                write!(f, "neither begins nor ends with white space")
            }
            ParseErrorKind::Segment { segment } => write!(
                f,
                "takes {alphabet}; segment {segment} of this one is missing, too long, or does not begin with a letter"
            ),
        }
    }
}

/// How messages speak of a text type: "a group name".
pub(crate) trait Parsed {
    const NOUN: &'static str;
}

/// Reads a text by the check of its type.
pub(crate) struct TextVisitor<T>(pub(crate) fn(&str) -> Result<T, ParseError>);

impl<T: Parsed> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (a string)", T::NOUN)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.0)(text).map_err(E::custom)
    }
}

/// Gives a text type its readers and its one door: `parse`, `FromStr`, `TryFrom` and serde are the same check.
macro_rules! parsed_text {
    ($name:ident) => {
        impl $name {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        $crate::errors::error_field!($name: text => $crate::visible::Quoted(text));

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::ParseError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.as_str() == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.as_str() == *text
            }
        }

        /// A copy, so that whoever takes `impl Into` takes a reference too.
        impl From<&$name> for $name {
            fn from(other: &$name) -> Self {
                other.clone()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text::ParseError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::text::ParseError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::text::TextVisitor(Self::parse))
            }
        }

        impl $crate::text::Parsed for $name {
            const NOUN: &'static str = Self::GRAMMAR.noun;
        }
    };
}
pub(crate) use parsed_text;

/// The same for a text type that is a tuple struct around shared text.
macro_rules! shared_text {
    ($name:ident) => {
        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        $crate::text::parsed_text!($name);
    };
}
pub(crate) use shared_text;

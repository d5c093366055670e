//! The names that people read: of groups, of roles, and a group's description.

use std::sync::Arc;

use crate::text::{Grammar, ParseError, shared_text};

/// Letters, digits, period, hyphen, underscore and space: what G2 allows.
const ALPHABET: &str = "letters A-Z and a-z, digits, `.`, `-`, `_` and spaces";

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | ' ')
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(Arc<str>);

        impl $name {
            const GRAMMAR: Grammar = Grammar {
                noun: $noun,
                shortest: 3,
                longest: 64,
                unit: "characters",
                alphabet: ALPHABET,
            };

            /// Accepts text as a name.
            ///
            /// # Errors
            /// `"IT"` and 65 characters (length), `"Café"` and `"a\tb"` (character), `" Dev Team"` (white space at an end).
            pub fn parse(text: &str) -> Result<Self, ParseError> {
                Self::GRAMMAR.check_characters(text, is_allowed)?;
                Self::GRAMMAR.check_length(text.len())?;
                Self::GRAMMAR.check_edges(text)?;
                Ok(Self(text.into()))
            }

            /// What all names have in common that are the same to a reader; the account looks names up by it.
            pub(crate) fn folded(&self) -> String {
                let words: Vec<&str> = self.split(' ').filter(|word| !word.is_empty()).collect();
                words.join(" ").to_ascii_lowercase()
            }

            /// Returns whether both are the same name to a reader: they differ at most in the case of letters, and in
            /// how many spaces stand between two words.
            #[must_use]
            pub fn is_same_name(&self, other: &Self) -> bool {
                self.folded() == other.folded()
            }
        }

        shared_text!($name);
    };
}

name!(
    /// A group's name: 3 to 64 letters, digits, periods, hyphens, underscores and inner spaces.
    ///
    /// Holding one proves the rule ([G2](crate::docs::rules#G2)). `==` compares the text; the account compares with
    /// [`is_same_name`](GroupName::is_same_name) and keeps names unique that way ([G3](crate::docs::rules#G3)).
    GroupName,
    "a group name"
);
name!(
    /// A role's name: 3 to 64 letters, digits, periods, hyphens, underscores and inner spaces.
    ///
    /// Holding one proves the rule ([L3](crate::docs::rules#L3)). `==` compares the text; the account compares with
    /// [`is_same_name`](RoleName::is_same_name) and keeps names unique that way.
    RoleName,
    "a role name"
);

impl RoleName {
    /// The library's own text, which is well formed.
    pub(crate) fn built_in(text: &'static str) -> Self {
        Self(text.into())
    }
}

/// A group's description: 0 to 100 letters, digits, periods, hyphens, underscores and spaces
/// ([G2](crate::docs::rules#G2)).
///
/// The default is the empty one.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Description(Arc<str>);

impl Description {
    const GRAMMAR: Grammar = Grammar {
        noun: "a description",
        shortest: 0,
        longest: 100,
        unit: "characters",
        alphabet: ALPHABET,
    };

    /// Accepts text as a description.
    ///
    /// # Errors
    /// 101 characters (length), `"who, why"` and a line break (character).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::GRAMMAR.check_characters(text, is_allowed)?;
        Self::GRAMMAR.check_length(text.len())?;
        Ok(Self(text.into()))
    }
}

impl Default for Description {
    fn default() -> Self {
        Self("".into())
    }
}

shared_text!(Description);

//! The digests that chain an account's records, and the encoding that they are taken of.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::errors::error_field;
use crate::text::{Grammar, ParseError};

/// The digest of a record: SHA-256 over all that the record holds and the digest of the record before it
/// ([U2](crate::docs::rules#U2)).
///
/// So the digest of an account's last record stands for its whole history. Keep a copy of it where those who can write
/// your storage cannot, and [`history::verify`](crate::history::verify) tells whether the records are still the same.
/// As text and in its serde form it is 64 hexadecimal digits, in lower case.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Stands in for the record before the first one.
    pub(crate) const ZERO: Self = Self([0; 32]);

    const GRAMMAR: Grammar = Grammar {
        noun: "a digest",
        shortest: 64,
        longest: 64,
        unit: "digits",
        alphabet: "the digits 0-9 and a-f",
    };

    /// Accepts 64 hexadecimal digits as a digest.
    ///
    /// # Errors
    /// `""` and 66 digits (length), `"0F…"` and `"0x…"` (character).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        Self::GRAMMAR.check_length(text.len())?;
        Self::GRAMMAR.check_characters(text, |digit| matches!(digit, '0'..='9' | 'a'..='f'))?;
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = digits.iter().fold(0, |byte, digit| match digit {
                b'0'..=b'9' => (byte << 4) | (digit - b'0'),
                letter => (byte << 4) | (letter - b'a' + 10),
            });
        }
        Ok(Self(bytes))
    }

    /// Returns the 32 bytes of the digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the digest of a content that follows something with the digest `before`.
    ///
    /// The content is encoded as postcard, version 1, writes it: values in the order of their fields, numbers as
    /// variable-length integers, and the length of a text or list before it. So two different contents of one form never
    /// have the same encoding. Digests are stored: neither this encoding nor any form that it is used for changes, ever.
    pub(crate) fn of(content: &impl Serialize, before: Self) -> Self {
        let mut hasher = Sha256::new();
        let output = HasherFlavor(&mut hasher);
        let encoded = content.serialize(&mut postcard::Serializer { output });
        // A hasher takes everything, and all lists in the stored forms know their length.
        debug_assert!(encoded.is_ok(), "{encoded:?}");
        hasher.update(before.0);
        Self(hasher.finalize().into())
    }
}

/// Hashes what is encoded, without a buffer.
struct HasherFlavor<'a>(&'a mut Sha256);

impl Flavor for HasherFlavor<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.update(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

error_field!(Digest: digest => digest);

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

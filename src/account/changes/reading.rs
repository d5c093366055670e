//! Reading a command: what is wrong is said of the very place, and not of the whole command.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::account::changes::{Buffered, Command, Name};

const NAME: &str = "command";

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Command;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the field `command`")
    }

    /// Named first, a command's fields are read where they stand. Else they have to be kept until its name comes.
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Command, A::Error> {
        let first: Option<String> = fields.next_key()?;
        match first {
            Some(name) if name == NAME => {
                let name: Name = fields.next_value()?;
                name.read(MapAccessDeserializer::new(fields))
            }
            Some(first) => {
                let first = Some(first);
                let all = MapAccessDeserializer::new(After { first, fields });
                Buffered::deserialize(all).map(Command::from)
            }
            None => Err(A::Error::missing_field(NAME)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Command, A::Error> {
        Buffered::deserialize(SeqAccessDeserializer::new(values)).map(Command::from)
    }
}

/// The fields of an object whose first name was read already.
struct After<A> {
    first: Option<String>,
    fields: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for After<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(first) => seed.deserialize(first.into_deserializer()).map(Some),
            None => self.fields.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.fields.next_value_seed(seed)
    }
}

//! How errors are declared: each reason once, with its code, its message and its fields. The message and the JSON are
//! made from that.
//!
//! In a message, a field stands as [`ErrorField`] says. So what others chose is quoted by its type, and a message that
//! names an id cannot show it raw.

use std::error::Error;
use std::fmt;
use std::ops::Deref;

use serde::ser::SerializeStruct;

use crate::visible::{OneLine, Quoted};

/// A type of which an error may have fields: how a value stands in the message, and in the error's JSON.
pub(crate) trait ErrorField {
    /// Writes it for a sentence. What others chose is quoted.
    fn say(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Adds it to an object.
    fn put<O: SerializeStruct>(&self, object: &mut O, name: &'static str) -> Result<(), O::Error>;
}

/// A field in a message.
pub(crate) struct InMessage<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: ErrorField + ?Sized> fmt::Display for InMessage<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.say(f)
    }
}

/// For messages that say something about a field, instead of showing it.
impl<T: ?Sized> Deref for InMessage<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

/// Implements [`ErrorField`] for types that are data, and stand in a message as an expression says.
macro_rules! error_field {
    ($type:ty: $value:ident => $said:expr) => {
        impl $crate::errors::ErrorField for $type {
            fn say(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $value = self;
                std::fmt::Display::fmt(&$said, f)
            }

            fn put<O: serde::ser::SerializeStruct>(
                &self,
                object: &mut O,
                name: &'static str,
            ) -> Result<(), O::Error> {
                object.serialize_field(name, self)
            }
        }
    };
}
pub(crate) use error_field;

error_field!(bool: value => value);
error_field!(u16: value => value);
error_field!(u64: value => value);
error_field!(usize: value => value);
error_field!(String: text => Quoted(text));
error_field!(Option<u64>: number => number.map_or_else(|| "none".to_owned(), |number| number.to_string()));

/// An error of a storage: its message is somebody else's.
impl ErrorField for Box<dyn Error + Send + Sync> {
    fn say(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&OneLine(&self.to_string()), f)
    }

    fn put<O: SerializeStruct>(&self, object: &mut O, name: &'static str) -> Result<(), O::Error> {
        object.serialize_field(name, &OneLine(&self.to_string()).to_string())
    }
}

/// Declares an enum of errors. Each reason has its documentation, its code, its message and its fields:
///
/// ```ignore
/// coded_errors! {
///     /// Why …
///     #[derive(Clone, Debug)]
///     pub enum OpeningError with http_status {
///         /// There is such an account.
///         #[error("account-exists", "there is an account {account} already; load it, or take another id")]
///         AccountExists {
///             /// Its id.
///             account: AccountId,
///         },
///     }
/// }
/// ```
///
/// Gives it `code()`, `Display` and `serialize_as_object`: an object with `code`, what the named methods return,
/// `message`, and the fields.
macro_rules! coded_errors {
    (
        $(#[$about:meta])*
        pub enum $name:ident with $($method:ident),+ {
            $(
                $(#[doc = $doc:literal])+
                #[error($code:expr, $($message:tt)+)]
                $variant:ident
                    $({ $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)+ })?
                    $(($inner:ident: $inner_type:ty))?,
            )+
        }
    ) => {
        $(#[$about])*
        pub enum $name {
            $(
                $(#[doc = $doc])+
                $variant
                    $({ $($(#[doc = $field_doc])+ $field: $type,)+ })?
                    $(($inner_type))?,
            )+
        }

        impl $name {
            /// Returns a stable code for programs; `docs/rules.md` lists them.
            #[must_use]
            #[allow(unused_variables)]
            pub fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant $({ $($field,)+ })? $(($inner))? => $code,)+
                }
            }

            /// Writes it as one object.
            fn serialize_as_object<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeStruct;
                use $crate::errors::ErrorField;

                let methods = [$(stringify!($method)),+].len();
                let fields = match self {
                    $(Self::$variant { .. } => {
                        const NAMES: &[&str] =
                            &[$($(stringify!($field),)+)? $(stringify!($inner))?];
                        NAMES.len()
                    })+
                };
                let length = 2 + methods + fields;
                let mut object = serializer.serialize_struct(stringify!($name), length)?;
                object.serialize_field("code", self.code())?;
                $(object.serialize_field(stringify!($method), &self.$method())?;)+
                object.serialize_field("message", &self.to_string())?;
                match self {
                    $(Self::$variant $({ $($field,)+ })? $(($inner))? => {
                        $($($field.put(&mut object, stringify!($field))?;)+)?
                        $($inner.put(&mut object, stringify!($inner))?;)?
                    })+
                }
                object.end()
            }
        }

        impl std::fmt::Display for $name {
            #[allow(unused_variables)]
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self {
                    $(Self::$variant $({ $($field,)+ })? $(($inner))? => {
                        $($(let $field = $crate::errors::InMessage($field);)+)?
                        $(let $inner = $crate::errors::InMessage($inner);)?
                        write!(f, $($message)+)
                    })+
                }
            }
        }
    };
}
pub(crate) use coded_errors;

/// Makes errors `Serialize`, each as one object.
macro_rules! serialized_as_object {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize_as_object(serializer)
            }
        }
    };
}
pub(crate) use serialized_as_object;

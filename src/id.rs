//! The host's own ids for accounts, members, groups, roles, stores and commits.

use arcstr::ArcStr;

use crate::text::{Grammar, ParseError, shared_text};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $noun:literal) => {
        $(#[$doc])*
        ///
        /// The host's own text (a UUID, an e-mail address, a number): 1 to 128 bytes, no control characters,
        /// no white space at either end, compared byte by byte. Cloning shares the text.
        ///
        /// It may well hold `/`, `..`, quotes, or characters that cannot be seen: escape it in paths, addresses and
        /// pages. Where the host means two spellings to be one, as in e-mail addresses, it settles on one before.
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name(ArcStr);

        impl $name {
            const GRAMMAR: Grammar = Grammar {
                noun: $noun,
                shortest: 1,
                longest: 128,
                unit: "bytes",
                alphabet: "any characters but control characters",
            };

            /// Accepts the host's text as an id.
            ///
            /// # Errors
            /// `""` and 129 bytes (length), `"a\0b"` (control character), `" a"` (white space at an end).
            pub fn parse(text: &str) -> Result<Self, ParseError> {
                Self::GRAMMAR.check_length(text.len())?;
                Self::GRAMMAR.check_edges(text)?;
                Self::GRAMMAR.check_characters(text, |character| !character.is_control())?;
                Ok(Self(text.into()))
            }
        }

        shared_text!($name);

        /// As its canonical text, in lower case.
        #[cfg(feature = "uuid")]
        #[cfg_attr(docsrs, doc(cfg(feature = "uuid")))]
        impl From<uuid::Uuid> for $name {
            fn from(uuid: uuid::Uuid) -> Self {
                let mut text = uuid::Uuid::encode_buffer();
                Self(uuid.hyphenated().encode_lower(&mut text).into())
            }
        }
    };
}

text_id!(
    /// Names one account: a tenant, an organization.
    AccountId,
    "an account id"
);
text_id!(
    /// Names one member: a person or a service.
    MemberId,
    "a member id"
);
text_id!(
    /// Names one group of an account.
    GroupId,
    "a group id"
);
text_id!(
    /// Names one role of an account.
    RoleId,
    "a role id"
);
text_id!(
    /// Names one store: a resource that roles can be scoped to.
    StoreId,
    "a store id"
);
text_id!(
    /// Names one request to change an account, forever: however often it is tried, it is stored once.
    IdempotencyKey,
    "an idempotency key"
);

impl RoleId {
    /// `group-manager`, the built-in account-level role.
    #[must_use]
    pub fn group_manager() -> Self {
        Self::built_in("group-manager")
    }

    /// `store-editor`, the built-in store-level role that includes Store Viewer ([L2](crate::docs::rules#L2)).
    #[must_use]
    pub fn store_editor() -> Self {
        Self::built_in("store-editor")
    }

    /// `store-viewer`, the built-in store-level role.
    #[must_use]
    pub fn store_viewer() -> Self {
        Self::built_in("store-viewer")
    }

    /// The library's own text, which is well formed.
    fn built_in(text: &'static str) -> Self {
        Self(text.into())
    }
}

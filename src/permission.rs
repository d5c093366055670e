//! Permissions: atomic actions, `resource.action`.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use arcstr::ArcStr;

use crate::text::{Grammar, ParseError, ParseErrorKind, parsed_text};

/// One atomic action, such as `store.read` or `invoice.export.pdf`.
///
/// Two or more segments joined by `.`; a segment is 1 to 32 of `a-z`, `0-9`, `_`, `-` and begins with a letter; 64
/// characters in all ([L4](crate::docs::rules#L4)). There are no wildcards. The built-in ones
/// ([L5](crate::docs::rules#L5)) are constants.
///
/// A permission includes those that extend it by further segments ([L7](crate::docs::rules#L7)): whoever holds
/// `store.write` may also do `store.write.tuples`, and not the other way round. Name what your application does in a
/// store under `store.read.` and `store.write.`: then viewers and editors have it, and a custom role can still hold one
/// such action alone.
///
/// **A permission that you invent later under a prefix reaches everybody who holds the prefix, at once.** If nobody is to
/// have it until it is granted, give it a name of its own, such as `billing.refund`.
///
/// ```
/// use grantbook::Permission;
///
/// let export = Permission::parse("invoice.export")?;
/// assert!(export.includes(&Permission::parse("invoice.export.pdf")?));
/// assert_eq!(Permission::parse("store.read")?, Permission::STORE_READ);
/// assert!(Permission::parse("invoice.*").is_err());
/// # Ok::<(), grantbook::ParseError>(())
/// ```
///
/// [`permissions!`](crate::permissions) declares those of your application as constants, which are checked when it is
/// compiled.
#[derive(Clone)]
pub struct Permission(Repr);

/// INVARIANT: the text of a built-in permission is never held as `Host` or `Static`, so that comparing two built-in ones
/// never touches their text.
#[derive(Clone)]
enum Repr {
    BuiltIn(BuiltIn),
    Host(ArcStr, Shortest),
    /// A constant of the application. One word, as `ArcStr` is, so that a permission stays at two.
    Static(&'static &'static str, Shortest),
}

/// What is the shortest permission that includes one of the application's (L7), found once.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Shortest {
    /// Itself: it has two segments.
    Itself,
    /// `store.read`.
    StoreRead,
    /// `store.write`.
    StoreWrite,
    /// Another one of two segments.
    Other,
}

impl Shortest {
    const fn of(text: &str, segments: usize) -> Self {
        if segments == 2 {
            Self::Itself
        } else if begins_with(text, "store.read.") {
            Self::StoreRead
        } else if begins_with(text, "store.write.") {
            Self::StoreWrite
        } else {
            Self::Other
        }
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum BuiltIn {
    StoreRead,
    StoreWrite,
    InviteMembers,
    ManageGroups,
    RemoveMembers,
    ManageOwners,
    ManageRoles,
    ManageStores,
    CloseAccount,
}

impl BuiltIn {
    /// In the order of their text.
    const ALL: [Self; 9] = [
        Self::CloseAccount,
        Self::InviteMembers,
        Self::ManageGroups,
        Self::ManageOwners,
        Self::ManageRoles,
        Self::ManageStores,
        Self::RemoveMembers,
        Self::StoreRead,
        Self::StoreWrite,
    ];

    /// The one with this text.
    const fn named(text: &str) -> Option<Self> {
        let mut rest: &[Self] = &Self::ALL;
        while let [built_in, others @ ..] = rest {
            let name = built_in.text();
            if name.len() == text.len() && begins_with(text, name) {
                return Some(*built_in);
            }
            rest = others;
        }
        None
    }

    const fn text(self) -> &'static str {
        match self {
            BuiltIn::StoreRead => "store.read",
            BuiltIn::StoreWrite => "store.write",
            BuiltIn::InviteMembers => "account.invite_members",
            BuiltIn::ManageGroups => "account.manage_groups",
            BuiltIn::RemoveMembers => "account.remove_members",
            BuiltIn::ManageOwners => "account.manage_owners",
            BuiltIn::ManageRoles => "account.manage_roles",
            BuiltIn::ManageStores => "account.manage_stores",
            BuiltIn::CloseAccount => "account.close",
        }
    }
}

impl Permission {
    /// `store.read`: see a store. Store Viewer and Store Editor hold it.
    pub const STORE_READ: Self = Self(Repr::BuiltIn(BuiltIn::StoreRead));
    /// `store.write`: change what is in a store. Store Editor holds it.
    pub const STORE_WRITE: Self = Self(Repr::BuiltIn(BuiltIn::StoreWrite));
    /// `account.invite_members`: invite members and cancel invitations. Group Manager holds it.
    pub const INVITE_MEMBERS: Self = Self(Repr::BuiltIn(BuiltIn::InviteMembers));
    /// `account.manage_groups`: create, edit, delete groups and manage their members. Group Manager holds it.
    pub const MANAGE_GROUPS: Self = Self(Repr::BuiltIn(BuiltIn::ManageGroups));
    /// `account.remove_members`: remove members from the account. Only owners hold it.
    pub const REMOVE_MEMBERS: Self = Self(Repr::BuiltIn(BuiltIn::RemoveMembers));
    /// `account.manage_owners`: grant and revoke ownership. Only owners hold it.
    pub const MANAGE_OWNERS: Self = Self(Repr::BuiltIn(BuiltIn::ManageOwners));
    /// `account.manage_roles`: define, change and delete roles. Only owners hold it.
    pub const MANAGE_ROLES: Self = Self(Repr::BuiltIn(BuiltIn::ManageRoles));
    /// `account.manage_stores`: create and delete stores. Only owners hold it.
    pub const MANAGE_STORES: Self = Self(Repr::BuiltIn(BuiltIn::ManageStores));
    /// `account.close`: close the account for good. Only owners hold it.
    pub const CLOSE_ACCOUNT: Self = Self(Repr::BuiltIn(BuiltIn::CloseAccount));

    /// All built-in permissions, in the order of their text.
    pub const BUILT_IN: [Self; 9] = [
        Self::CLOSE_ACCOUNT,
        Self::INVITE_MEMBERS,
        Self::MANAGE_GROUPS,
        Self::MANAGE_OWNERS,
        Self::MANAGE_ROLES,
        Self::MANAGE_STORES,
        Self::REMOVE_MEMBERS,
        Self::STORE_READ,
        Self::STORE_WRITE,
    ];

    const GRAMMAR: Grammar = Grammar {
        noun: "a permission",
        shortest: 3,
        longest: 64,
        unit: "characters",
        alphabet: "two or more segments of `a-z`, `0-9`, `_`, `-` joined by `.`, each 1 to 32 long and beginning with a letter",
    };

    /// Accepts text as a permission.
    ///
    /// # Errors
    /// `"a"` and 65 characters (length), `"Store.read"` and `"store.*"` (character), `"store"`, `"store."`,
    /// `"store.1st"` and a segment of 33 (segment).
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if let Some(built_in) = BuiltIn::named(text) {
            return Ok(Self(Repr::BuiltIn(built_in)));
        }
        match segments(text) {
            Ok(segments) => Ok(Self(Repr::Host(text.into(), Shortest::of(text, segments)))),
            Err(Fault::Character { index }) => {
                // Those before it are all ASCII, one byte each.
                let character = text.get(index..).and_then(|rest| rest.chars().next());
                Err(Self::GRAMMAR.error(ParseErrorKind::Character {
                    character: character.unwrap_or(char::REPLACEMENT_CHARACTER),
                    position: index + 1,
                }))
            }
            Err(Fault::TooShort) => {
                Err(Self::GRAMMAR.error(ParseErrorKind::TooShort { length: text.len() }))
            }
            Err(Fault::TooLong) => {
                Err(Self::GRAMMAR.error(ParseErrorKind::TooLong { length: text.len() }))
            }
            Err(Fault::Segment { segment }) => {
                Err(Self::GRAMMAR.error(ParseErrorKind::Segment { segment }))
            }
        }
    }

    /// Accepts text that is part of the program, when it is compiled. For [`permissions!`](crate::permissions) alone.
    #[doc(hidden)]
    #[must_use]
    pub const fn from_static(text: &'static &'static str) -> Option<Self> {
        if let Some(built_in) = BuiltIn::named(text) {
            return Some(Self(Repr::BuiltIn(built_in)));
        }
        match segments(text) {
            Ok(segments) => Some(Self(Repr::Static(text, Shortest::of(text, segments)))),
            Err(_) => None,
        }
    }

    /// The most characters.
    pub(crate) const LONGEST: usize = Self::GRAMMAR.longest;

    /// Whether [`Permission::parse`] accepts the text.
    pub(crate) const fn is_well_formed(text: &str) -> bool {
        segments(text).is_ok()
    }

    /// Whether the text is a built-in permission, or extends one.
    pub(crate) const fn is_in_built_in(text: &str) -> bool {
        let mut rest: &[BuiltIn] = &BuiltIn::ALL;
        while let [built_in, others @ ..] = rest {
            let name = built_in.text();
            let longer = text.as_bytes().split_at_checked(name.len());
            if begins_with(text, name) && matches!(longer, Some((_, [] | [b'.', ..]))) {
                return true;
            }
            rest = others;
        }
        false
    }

    /// Whether it is one of the library's own.
    pub(crate) fn is_built_in(&self) -> bool {
        match self.0 {
            Repr::BuiltIn(_) => true,
            Repr::Host(..) | Repr::Static(..) => false,
        }
    }

    /// Whether a longer text begins with this permission and `.`.
    fn begins(&self, text: &str) -> bool {
        text.strip_prefix(self.as_str())
            .is_some_and(|rest| rest.starts_with('.'))
    }

    /// Returns whether whoever holds this permission may also do the other ([L7](crate::docs::rules#L7)): it is the
    /// same, or extends this one by further segments.
    ///
    /// ```
    /// use grantbook::Permission;
    ///
    /// let write = Permission::STORE_WRITE;
    /// assert!(write.includes(&write) && write.includes(&"store.write.tuples".parse()?));
    /// assert!(!write.includes(&"store.writer".parse()?) && !write.includes(&Permission::STORE_READ));
    /// # Ok::<(), grantbook::ParseError>(())
    /// ```
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self == other || self.begins(other)
    }

    /// What is asked for most: see [`Permission::store_action`].
    pub(crate) const STORE_ACTIONS: [Self; 2] = [Self::STORE_READ, Self::STORE_WRITE];

    /// The place of this permission among [`Permission::STORE_ACTIONS`].
    #[inline]
    pub(crate) fn store_action(&self) -> Option<usize> {
        match self.0 {
            Repr::BuiltIn(BuiltIn::StoreRead) => Some(0),
            Repr::BuiltIn(BuiltIn::StoreWrite) => Some(1),
            Repr::BuiltIn(_) | Repr::Host(..) | Repr::Static(..) => None,
        }
    }

    /// The place among [`Permission::STORE_ACTIONS`] of the one that includes this permission, which is longer.
    pub(crate) fn extended_action(&self) -> Option<usize> {
        match self.0 {
            Repr::Host(_, shortest) | Repr::Static(_, shortest) => match shortest {
                Shortest::StoreRead => Some(0),
                Shortest::StoreWrite => Some(1),
                Shortest::Itself | Shortest::Other => None,
            },
            Repr::BuiltIn(_) => None,
        }
    }

    /// Whether it extends another permission: it has three or more segments.
    pub(crate) fn is_extension(&self) -> bool {
        match self.0 {
            Repr::BuiltIn(_) => false,
            Repr::Host(_, shortest) | Repr::Static(_, shortest) => shortest != Shortest::Itself,
        }
    }

    /// The permissions that include this one, from that of two segments to itself.
    pub(crate) fn included_in(&self) -> impl Iterator<Item = &str> {
        let prefixes = self.match_indices('.').skip(1);
        let prefixes = prefixes.filter_map(|(end, _)| self.get(..end));
        prefixes.chain([self.as_str()])
    }

    /// Whether it begins with `account.`: such permissions are the library's own, and no custom role holds one
    /// ([L5](crate::docs::rules#L5)).
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.starts_with("account.")
    }

    /// Whether it begins with `store.`: such permissions belong to store-level roles only
    /// ([L5](crate::docs::rules#L5)).
    #[must_use]
    pub fn is_store_only(&self) -> bool {
        self.starts_with("store.")
    }
}

impl Deref for Permission {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Repr::BuiltIn(built_in) => built_in.text(),
            Repr::Host(text, _) => text,
            Repr::Static(text, _) => text,
        }
    }
}

/// By text, however it is held.
impl PartialEq for Permission {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Repr::BuiltIn(one), Repr::BuiltIn(other)) => one == other,
            (Repr::BuiltIn(_), Repr::Host(..) | Repr::Static(..))
            | (Repr::Host(..) | Repr::Static(..), Repr::BuiltIn(_)) => false,
            (Repr::Host(..) | Repr::Static(..), Repr::Host(..) | Repr::Static(..)) => {
                self.as_str() == other.as_str()
            }
        }
    }
}

impl Eq for Permission {}

/// By text, as `Borrow<str>` demands.
impl Hash for Permission {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// By text.
impl Ord for Permission {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for Permission {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

parsed_text!(Permission);

/// What is wrong with a text.
#[derive(Clone, Copy)]
enum Fault {
    /// What stands at this byte is not allowed; all before it is.
    Character {
        index: usize,
    },
    TooShort,
    TooLong,
    /// Counted from 1.
    Segment {
        segment: usize,
    },
}

/// The grammar (L4), of a text of the program as it is compiled and of one that comes later: how many segments it has.
const fn segments(text: &str) -> Result<usize, Fault> {
    const LONGEST_SEGMENT: usize = 32;
    let mut rest = text.as_bytes();
    while let [byte, others @ ..] = rest {
        if !matches!(*byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.') {
            let index = text.len() - rest.len();
            return Err(Fault::Character { index });
        }
        rest = others;
    }
    if text.len() < Permission::GRAMMAR.shortest {
        return Err(Fault::TooShort);
    }
    if text.len() > Permission::GRAMMAR.longest {
        return Err(Fault::TooLong);
    }
    let mut segment = 1;
    let mut length = 0;
    let mut rest = text.as_bytes();
    while let [byte, others @ ..] = rest {
        let is_end = *byte == b'.';
        let begins_wrong = length == 0 && !byte.is_ascii_lowercase();
        if begins_wrong || (!is_end && length == LONGEST_SEGMENT) {
            return Err(Fault::Segment { segment });
        }
        if is_end {
            segment += 1;
            length = 0;
        } else {
            length += 1;
        }
        rest = others;
    }
    if length == 0 {
        return Err(Fault::Segment { segment });
    }
    if segment == 1 {
        return Err(Fault::Segment { segment: 2 });
    }
    Ok(segment)
}

/// Whether a text begins with another one, when it is compiled.
pub(crate) const fn begins_with(text: &str, beginning: &str) -> bool {
    let mut text = text.as_bytes();
    let mut beginning = beginning.as_bytes();
    while let [expected, others @ ..] = beginning {
        match text {
            [found, rest @ ..] if *found == *expected => text = rest,
            [..] => return false,
        }
        beginning = others;
    }
    true
}

/// What a set of permissions allows: what it names, and what that includes (L7).
pub(crate) trait Powers {
    /// The longest permission of the set that includes this one.
    fn including(&self, permission: &Permission) -> Option<&Permission>;

    fn allows(&self, permission: &Permission) -> bool {
        self.including(permission).is_some()
    }

    /// Whether the set allows all that the other allows.
    fn allows_all(&self, other: &Self) -> bool;
}

impl Powers for BTreeSet<Permission> {
    fn including(&self, permission: &Permission) -> Option<&Permission> {
        let including = permission.included_in();
        including.filter_map(|text| self.get(text)).last()
    }

    fn allows_all(&self, other: &Self) -> bool {
        let mut others = other.iter();
        others.all(|permission| self.contains(permission) || self.allows(permission))
    }
}

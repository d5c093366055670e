//! A catalog that stands in a program, checked when it is compiled.

use crate::catalog::Catalog;
use crate::permission::{Permission, begins_with};
use crate::role::RoleLevel;

/// Why an application cannot list a permission.
#[derive(Clone, Copy)]
pub(super) enum Unlisted {
    Malformed,
    Reserved,
    WrongLevel,
}

impl Unlisted {
    pub(super) const fn reason(text: &str, level: RoleLevel) -> Option<Self> {
        if !Permission::is_well_formed(text) {
            return Some(Self::Malformed);
        }
        let is_reserved = begins_with(text, "account.");
        if is_reserved && !Permission::is_in_built_in(text) {
            return Some(Self::Reserved);
        }
        let is_right = match level {
            RoleLevel::Account => !begins_with(text, "store."),
            RoleLevel::Store => !is_reserved,
        };
        if is_right {
            None
        } else {
            Some(Self::WrongLevel)
        }
    }
}

/// For [`permissions!`](crate::permissions) alone, when it is compiled.
#[doc(hidden)]
impl Catalog {
    #[must_use]
    pub const fn listed(text: &'static &'static str, level: RoleLevel) -> Option<Permission> {
        match Unlisted::reason(text, level) {
            None => Permission::from_static(text),
            Some(_) => None,
        }
    }

    /// Says why a permission is not listed.
    #[must_use]
    pub const fn why_not(text: &str, level: RoleLevel) -> &'static str {
        match Unlisted::reason(text, level) {
            None => "",
            Some(Unlisted::Malformed) => {
                "a permission takes two or more segments of `a-z`, `0-9`, `_`, `-` joined by `.`, each 1 to 32 long and \
                 beginning with a letter; 64 characters in all"
            }
            Some(Unlisted::Reserved) => "what begins with `account.` is reserved for the library",
            Some(Unlisted::WrongLevel) => {
                "what begins with `store.` is listed `@ Store`, and what begins with `account.` is listed `@ Account`"
            }
        }
    }

    /// Returns whether a permission is listed at both levels. Takes the square of the list.
    #[must_use]
    pub const fn has_both_levels(list: &[(&str, RoleLevel)]) -> bool {
        let mut rest = list;
        while let [(text, level), others @ ..] = rest {
            let mut others_left = others;
            while let [(other, other_level), after @ ..] = others_left {
                let is_same_level = (*level as u8) == (*other_level as u8);
                if !is_same_level && text.len() == other.len() && begins_with(text, other) {
                    return true;
                }
                others_left = after;
            }
            rest = others;
        }
        false
    }

    /// The list has passed the checks above.
    #[must_use]
    pub fn of_listed(list: impl IntoIterator<Item = (Permission, RoleLevel)>) -> Self {
        let mut catalog = Self::default();
        catalog.levels.extend(list);
        catalog
    }
}

/// Declares the permissions of your application as constants, and a [`Catalog`] of them all.
///
/// Each is a constant of type [`Permission`], with the level of the roles that can give it: `@ Account` or `@ Store`. The
/// catalog is a static, made at its first use. Doc comments stay with what they stand over.
///
/// ```
/// grantbook::permissions! {
///     /// All that this application checks.
///     pub static CATALOG;
///
///     /// Download a report.
///     pub const EXPORT = "report.export" @ Store;
///     /// Look at a store's drafts: viewers may.
///     pub const DRAFTS = "store.read.drafts" @ Store;
///     /// Give a customer money back.
///     pub const REFUND = "billing.refund" @ Account;
/// }
///
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// # let (account, _) =
/// #     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// assert!(account.can("olga", &REFUND, Resource::Account));
/// assert!(CATALOG.contains(&EXPORT));
/// assert_eq!(CATALOG.nearest("billing.refnud"), Some(&REFUND));
/// # Ok::<(), ParseError>(())
/// ```
///
/// What is no permission does not compile, nor what begins with `account.` and extends none of the library's own:
///
/// ```compile_fail,E0080
/// grantbook::permissions! {
///     static CATALOG;
///     const EXPORT = "report.Export" @ Store;
/// }
/// # fn main() { let _ = EXPORT; }
/// ```
///
/// Nor does one that is too long, here of 65 characters:
///
/// ```compile_fail,E0080
/// grantbook::permissions! {
///     static CATALOG;
///     const LONG = "a2345678901234567890123456789012.a2345678901234567890123456789.abc" @ Store;
/// }
/// # fn main() { let _ = LONG; }
/// ```
///
/// Nor one that begins with `account.`, which is reserved; one that begins with `store.`, for the account; or one that is
/// listed at both levels:
///
/// ```compile_fail,E0080
/// grantbook::permissions! {
///     static CATALOG;
///     const EXPORT = "account.export" @ Account;
/// }
/// # fn main() { let _ = EXPORT; }
/// ```
/// ```compile_fail,E0080
/// grantbook::permissions! {
///     static CATALOG;
///     const EXPORT = "store.read.all" @ Account;
/// }
/// # fn main() { let _ = EXPORT; }
/// ```
/// ```compile_fail,E0080
/// grantbook::permissions! {
///     static CATALOG;
///     const EXPORT = "report.export" @ Account;
///     const EXPORT_IN_STORE = "report.export" @ Store;
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! permissions {
    (
        $(#[doc = $about:literal])*
        $list_visibility:vis static $list:ident;
        $(
            $(#[doc = $doc:literal])*
            $visibility:vis const $name:ident = $text:literal @ $level:ident;
        )*
    ) => {
        $(
            $(#[doc = $doc])*
            $visibility const $name: $crate::Permission =
                $crate::Catalog::listed(&$text, $crate::RoleLevel::$level)
                    .expect($crate::Catalog::why_not($text, $crate::RoleLevel::$level));
        )*

        const _: () = assert!(
            !$crate::Catalog::has_both_levels(&[$(($text, $crate::RoleLevel::$level)),*]),
            "a permission is listed both `@ Account` and `@ Store`; give it a name for each",
        );

        $(#[doc = $about])*
        $list_visibility static $list: ::std::sync::LazyLock<$crate::Catalog> =
            ::std::sync::LazyLock::new(|| {
                $crate::Catalog::of_listed([$(($name, $crate::RoleLevel::$level)),*])
            });
    };
}

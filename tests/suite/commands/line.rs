//! Bytes, read as the arguments of a command. `hostile/story.rs` says where they come from.

use std::collections::BTreeSet;

use grantbook::*;

pub(crate) const MEMBERS: [&str; 8] = [
    "olga",
    "gil",
    "a",
    "b",
    "A",
    "devs",
    "ina\u{301}",
    "</td>\"'",
];
const STORES: [&str; 4] = ["dev", "prod", "olga", "../\u{202e}"];
const GROUPS: [&str; 8] = ["devs", "it", "ops", "a", "A", "olga", "0", "\u{200b}"];
const GROUP_NAMES: [&str; 8] = [
    "Dev Team", "dev team", "IT Group", "Ops", "OPS", "A-B", "a_b", "...",
];
const DESCRIPTIONS: [&str; 4] = ["", "Those who build", " ", "x"];
const ROLES: [&str; 8] = [
    "group-manager",
    "store-editor",
    "store-viewer",
    "own",
    "more",
    "third",
    "Account/Owner",
    "olga",
];
const ROLE_NAMES: [&str; 8] = [
    "Auditor",
    "AUDITOR",
    "Billing",
    "Store Editor",
    "account_owner",
    "Another",
    "own",
    "...",
];
const PERMISSIONS: [&str; 8] = [
    "store.read",
    "store.write",
    "log.read",
    "log.export",
    "log.read.old",
    "store.write.x",
    "account.manage_groups",
    "account.x",
];

/// Which command a line stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Number {
    /// By the byte for the command alone, below [`FIRST_NUMBERS`].
    First(u8),
    /// What came later, by the last byte, so that the lines that were kept stay what they are.
    Later(u8),
}

/// How many [`Number::First`] there are; the number after the last of them says that a later one follows.
pub(crate) const FIRST_NUMBERS: u8 = 17;

/// The arguments of a command: a line from its fourth byte on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(super) which: u8,
    pub(super) bits: u8,
    pub(super) first: u8,
    second: u8,
    third: u8,
    /// When the command is given.
    pub(super) now: Timestamp,
}

impl Line {
    /// The command's number, and its arguments: of a line from its third byte on.
    pub(crate) fn read(bytes: &[u8], now: Timestamp) -> Option<(Number, Self)> {
        let &[kind, which, bits, first, second, third] = bytes else {
            return None;
        };
        let number = match kind % (FIRST_NUMBERS + 1) {
            FIRST_NUMBERS => Number::Later(third),
            number => Number::First(number),
        };
        let line = Self {
            which,
            bits,
            first,
            second,
            third,
            now,
        };
        Some((number, line))
    }

    pub(super) fn member(&self) -> MemberId {
        id(&MEMBERS, self.which)
    }

    pub(super) fn members(&self) -> BTreeSet<MemberId> {
        all_of(&MEMBERS, self.bits)
    }

    pub(super) fn store(&self) -> StoreId {
        id(&STORES, self.which)
    }

    /// Some stores; the four high bits of the byte are those of [`grant`](Line::grant).
    pub(super) fn stores(&self) -> BTreeSet<StoreId> {
        all_of(&STORES, self.first >> 4)
    }

    pub(super) fn group(&self) -> GroupId {
        id(&GROUPS, self.which)
    }

    pub(super) fn group_name(&self) -> GroupName {
        id(&GROUP_NAMES, self.which >> 3)
    }

    pub(super) fn description(&self) -> Description {
        id(&DESCRIPTIONS, self.which >> 6)
    }

    pub(super) fn role(&self) -> RoleId {
        id(&ROLES, self.which)
    }

    pub(super) fn role_name(&self) -> RoleName {
        id(&ROLE_NAMES, self.which >> 3)
    }

    pub(super) fn permissions(&self) -> BTreeSet<Permission> {
        all_of(&PERMISSIONS, self.bits)
    }

    pub(super) fn grant(&self) -> Grant {
        grant(self.first)
    }

    pub(super) fn grants(&self) -> Vec<Grant> {
        match self.bits {
            // One more than a command may name (U7).
            255 => vec![grant(self.first); MAX_ITEMS_PER_COMMAND + 1],
            bits => {
                [self.first, self.second, self.third].map(grant)[..usize::from(bits & 3)].to_vec()
            }
        }
    }
}

/// A role in the low three bits, the account in the next, a bit for each of four stores.
fn grant(byte: u8) -> Grant {
    let scope = if byte & 8 > 0 {
        Scope::Account
    } else {
        Scope::Stores(all_of(&STORES, byte >> 4))
    };
    Grant {
        role: id(&ROLES, byte),
        scope,
    }
}

/// A moment so many milliseconds before or after another one; -128 is the last that an account takes.
pub(crate) fn moved(now: Timestamp, by: u8) -> Timestamp {
    let by = i64::from(i8::from_ne_bytes([by]));
    if by == -128 {
        return Timestamp::MAX;
    }
    Timestamp::from_millis(now.as_millis().saturating_add_signed(by))
}

pub(crate) fn parsed<T: std::str::FromStr<Err = ParseError>>(text: &str) -> T {
    text.parse().expect("the texts above keep their rules")
}

/// The one whose number is in the low bits.
pub(crate) fn id<T: std::str::FromStr<Err = ParseError>>(texts: &[&str], byte: u8) -> T {
    parsed(texts[usize::from(byte) % texts.len()])
}

/// Those whose bits are set.
fn all_of<T: Ord + std::str::FromStr<Err = ParseError>>(texts: &[&str], bits: u8) -> BTreeSet<T> {
    let chosen = texts
        .iter()
        .enumerate()
        .filter(|(bit, _)| (bits >> bit) & 1 == 1);
    chosen.map(|(_, text)| parsed(text)).collect()
}

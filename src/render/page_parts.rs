//! What the parts of the page share: where everything is on it, and how it is named.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;

use crate::access::AccessLevel;
use crate::account::Account;
use crate::id::{GroupId, MemberId, StoreId};
use crate::permission::Permission;
use crate::questions::matrix::{AccessMatrix, MatrixCell, MatrixRow};
use crate::render::escape::html;
use crate::time::Timestamp;

/// How many of many are named in one line.
const NAMED: usize = 3;

/// Where everything is on the page: a member has the anchor `m` and its number, a row `k`, a group `g`, a store `s`.
pub(super) struct Page<'a> {
    pub(super) account: &'a Account,
    pub(super) matrix: &'a AccessMatrix,
    /// In the order of ids.
    pub(super) members: HashMap<&'a MemberId, usize>,
    pub(super) groups: BTreeMap<&'a GroupId, usize>,
    pub(super) stores: HashMap<&'a StoreId, usize>,
    pub(super) now: Timestamp,
}

impl<'a> Page<'a> {
    pub(super) fn new(account: &'a Account, matrix: &'a AccessMatrix, now: Timestamp) -> Self {
        let members = account.members().map(|member| member.id());
        Self {
            account,
            matrix,
            members: members.zip(0..).collect(),
            groups: account.groups().map(|group| group.id()).zip(0..).collect(),
            stores: matrix.stores.iter().zip(0..).collect(),
            now: now.max(account.changed_at()).min(Timestamp::MAX),
        }
    }

    /// The group's name, as a link to it.
    pub(super) fn group_link(&self, id: &GroupId) -> String {
        match self.groups.get(id) {
            Some(number) => format!("<a href=\"#g{number}\">{}</a>", self.group_name(id)),
            None => html(id),
        }
    }

    pub(super) fn group_name(&self, id: &GroupId) -> String {
        let group = self.account.group(id);
        html(group.map_or(id.as_str(), |group| group.name()))
    }

    pub(super) fn store_link(&self, id: &StoreId) -> String {
        match self.stores.get(id) {
            Some(number) => format!("<a href=\"#s{number}\">{}</a>", html(id)),
            None => html(id),
        }
    }
}

/// Links to rows, each by its first member; with the row, how many of its members are meant.
pub(super) fn row_links<'r>(rows: impl Iterator<Item = (usize, &'r MatrixRow, usize)>) -> String {
    let links = rows.map(|(number, row, count)| {
        let first = row.member_ids().next();
        let who = first.map_or_else(String::new, |id| html(id));
        let more = if count > 1 {
            format!(" and {}", others(count - 1))
        } else {
            String::new()
        };
        format!("<li><a href=\"#k{number}\">{who}{more}</a></li>")
    });
    format!(
        "<ul class=\"links\">{}</ul>",
        links.collect::<Vec<_>>().concat()
    )
}

/// `1 member`, `2,000 members`.
pub(super) fn counted(count: usize, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {one}{ending}", thousands(count))
}

fn others(count: usize) -> String {
    if count == 1 {
        "1 other".to_owned()
    } else {
        format!("{} others", thousands(count))
    }
}

pub(super) fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The first few of these, and how many more there are.
pub(super) fn first_few(all: impl ExactSizeIterator<Item = String>) -> String {
    let count = all.len();
    // One more takes no more room than saying that there is one.
    let named = if count == NAMED + 1 { count } else { NAMED };
    let shown: Vec<String> = all.take(named).collect();
    if count > named {
        format!("{} and {}", shown.join(", "), others(count - named))
    } else {
        shown.join(", ")
    }
}

/// The class of a level, which is also the name of its list of stores.
pub(super) fn class_of(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::None => "n",
        AccessLevel::Custom => "c",
        AccessLevel::Viewer => "v",
        AccessLevel::Editor => "e",
        AccessLevel::Owner => "o",
    }
}

/// A cell in words: all permissions beyond its level, or the first few.
pub(super) fn cell_in_words(cell: &MatrixCell, is_short: bool) -> String {
    let level = match cell.level() {
        AccessLevel::None => "Nothing",
        AccessLevel::Custom => "Custom",
        AccessLevel::Viewer => "Viewer",
        AccessLevel::Editor => "Editor",
        AccessLevel::Owner => "Owner",
    };
    if cell.beyond().len() == 0 {
        return level.to_owned();
    }
    let sign = if cell.level() == AccessLevel::Custom {
        ": "
    } else {
        " + "
    };
    let beyond = cell.beyond().map(ToString::to_string);
    let beyond = if is_short {
        first_few(beyond)
    } else {
        beyond.collect::<Vec<_>>().join(", ")
    };
    format!("{level}{sign}{beyond}")
}

pub(super) fn badge(class: &str, text: impl Display) -> String {
    format!("<b class=\"{class}\">{text}</b>")
}

/// Permissions mean nothing to HTML, and need no escaping (L4).
pub(super) fn permissions<'p>(all: impl Iterator<Item = &'p Permission>) -> String {
    let codes = all.map(|permission| format!("<code>{}</code>", permission.as_str()));
    codes.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_read_well() {
        assert_eq!(counted(1, "member"), "1 member");
        assert_eq!(counted(1_234_567, "store"), "1,234,567 stores");
        let few = |count: usize| first_few(vec!["a".to_owned(); count].into_iter());
        assert_eq!(
            [few(0), few(2), few(4), few(5)],
            ["", "a, a", "a, a, a, a", "a, a, a and 2 others"]
        );
    }
}

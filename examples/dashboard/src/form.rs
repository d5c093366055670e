//! What people typed, and what it means.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::str::FromStr;

use grantbook::{Grant, ParseError, Role, RoleId, RoleLevel, StoreId, Timestamp};

/// The fields of a form, as they were sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<(String, String)>);

impl Fields {
    /// The first of this name, or nothing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.all(name).next().unwrap_or_default()
    }

    pub(crate) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        let named = self.0.iter().filter(move |(other, _)| other == name);
        named.map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|other| other == value)
    }

    /// With another value of a field.
    pub(crate) fn with(&self, name: &str, value: impl Into<String>) -> Self {
        let mut fields = self.0.clone();
        fields.retain(|(other, _)| other != name);
        fields.push((name.to_owned(), value.into()));
        Self(fields)
    }
}

/// What is wrong with a form: a sentence for each field, or for none of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wrong(pub(crate) Vec<(&'static str, String)>);

impl Wrong {
    pub(crate) fn one(field: &'static str, sentence: &impl ToString) -> Self {
        Self(vec![(field, sentence.to_string())])
    }

    pub(crate) fn of(&self, field: &str) -> Option<&str> {
        let found = self.0.iter().find(|(other, _)| *other == field);
        found.map(|(_, sentence)| sentence.as_str())
    }

    /// The field's value, unless it is wrong.
    pub(crate) fn read<T: FromStr<Err = ParseError>>(
        &mut self,
        fields: &Fields,
        name: &'static str,
    ) -> Option<T> {
        let read = fields.get(name).parse();
        read.map_err(|error: ParseError| self.0.push((name, error.to_string())))
            .ok()
    }
}

/// One role in one place, as a box to tick has it; the account, for a role of its level.
pub(crate) fn ticked(role: &RoleId, store: Option<&StoreId>) -> String {
    // Two texts can be written.
    serde_json::to_string(&(role, store)).unwrap_or_default()
}

/// The grants of all boxes that are ticked.
pub(crate) fn grants(fields: &Fields, wrong: &mut Wrong) -> Vec<Grant> {
    let mut stores: BTreeMap<RoleId, Option<Vec<StoreId>>> = BTreeMap::new();
    for ticked in fields.all("grant") {
        match serde_json::from_str::<(RoleId, Option<StoreId>)>(ticked) {
            Ok((role, Some(store))) => stores
                .entry(role)
                .or_default()
                .get_or_insert_default()
                .push(store),
            Ok((role, None)) => drop(stores.entry(role).or_default()),
            Err(_) => wrong
                .0
                .push(("grant", "tick roles and stores on the page".to_owned())),
        }
    }
    let grant = |(role, stores): (RoleId, Option<Vec<StoreId>>)| match stores {
        Some(stores) => Grant::in_stores(role, stores),
        None => Grant::at_account(role),
    };
    stores.into_iter().map(grant).collect()
}

pub(crate) fn is_of_stores(role: &Role) -> bool {
    role.level() == RoleLevel::Store
}

/// A day as `<input type=date>` sends it: its end, in UTC.
pub(crate) fn end_of_day(text: &str) -> Option<Timestamp> {
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1970..=9998).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days since 1970, counted in years that begin with March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let days = days.checked_sub(719_469)? + 1;
    days.checked_mul(86_400_000).map(Timestamp::from_millis)
}

/// A part of a path.
pub(crate) fn in_path(text: &str) -> String {
    let mut path = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            path.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(path, "%{byte:02X}");
        }
    }
    path
}

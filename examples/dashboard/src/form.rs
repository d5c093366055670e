//! What people typed, and what it means.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

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

/// The id in this field. What a browser takes for a step in a path could have no page.
pub(crate) fn id<T: FromStr<Err = ParseError>>(
    fields: &Fields,
    name: &'static str,
) -> Result<T, Wrong> {
    match fields.get(name).trim() {
        "." | ".." => Err(Wrong::one(
            name,
            &"take another id: this is none in an address",
        )),
        text => text.parse().map_err(|error| Wrong::one(name, &error)),
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
            Err(_) if wrong.of("grant").is_some() => {}
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
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    // What follows must be a time that can be kept.
    let begins = (text < "9999").then(|| humantime::parse_rfc3339(&format!("{text}T00:00:00Z")));
    Some((begins?.ok()? + DAY).into())
}

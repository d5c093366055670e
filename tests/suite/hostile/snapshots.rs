//! A snapshot as plain data: an account if and only if it breaks no rule.

use std::collections::BTreeMap;

use grantbook::{Account, MAX_ITEMS_PER_COMMAND, Snapshot, Timestamp};
use serde_json::Value;

use super::stored::takes_a_repetition;
use super::{answers_are_right, is_refusal_code, keeps_the_rules};
use crate::model::{Checked, Grants, Group, Role, Set, State, Status, built_in_roles, law, laws};

/// A snapshot is an account if and only if it breaks no rule; the account is what the snapshot says.
pub(super) fn restored(snapshot: Snapshot) {
    let plain = serde_json::to_value(&snapshot).expect("plain data");
    let broken = broken_by(&plain);
    match Account::try_from(snapshot) {
        Err(error) => {
            assert!(broken.is_some(), "refused without reason: {error}");
            assert!(SNAPSHOT_CODES.contains(&error.code()) || is_refusal_code(error.code()));
            assert!(error.to_string().len() < 700);
        }
        Ok(account) => {
            assert_eq!(broken, None, "a rule is broken");
            keeps_the_rules(&account);
            answers_are_right(&account);
            same_snapshot(&account);
            let told = serde_json::to_value(account.snapshot()).expect("plain data");
            assert_eq!(told, in_order(plain));
            let take = |repeated| {
                let snapshot: Snapshot = serde_json::from_value(repeated).ok()?;
                Account::try_from(snapshot).ok()
            };
            assert!(!takes_a_repetition(&told, take), "U5: {told}");
        }
    }
}

/// U2: an account's snapshot is the account, through JSON too.
pub(super) fn same_snapshot(account: &Account) {
    let snapshot = account.snapshot();
    let json = serde_json::to_string(&snapshot).expect("a snapshot is written");
    let read: Snapshot = serde_json::from_str(&json).expect("a snapshot is read");
    assert_eq!(read, snapshot, "U2");
    let read = Account::try_from(read).expect("a snapshot of an account is one");
    assert_eq!(read.snapshot(), snapshot, "U2");
    assert!(read.index_is_exact());
}

const SNAPSHOT_CODES: [&str; 6] = [
    "not-opened",
    "no-owner",
    "duplicate-member",
    "duplicate-membership",
    "duplicate-grant",
    "unknown-group",
];

/// Which rule the plain data of a snapshot break, if they break one; each of its texts and numbers keeps its own.
fn broken_by(snapshot: &Value) -> Option<&'static str> {
    let broken = plain_state(snapshot).and_then(|state| laws::of_state(&state));
    broken.err().map(|flaw| flaw.rule)
}

/// The plain data of a snapshot as a state of the model, if nothing is there twice, too often, or of what is not there.
fn plain_state(snapshot: &Value) -> Checked<State> {
    let version = snapshot["version"].as_u64().unwrap_or_default();
    law("U2", version > 0, || "no record".to_owned())?;
    let is_late = |time: &Value| time.as_u64() > Some(Timestamp::MAX.as_millis());
    law("U2", !is_late(&snapshot["at"]), || "a late time".to_owned())?;
    let mut state = State {
        members: BTreeMap::new(),
        groups: BTreeMap::new(),
        stores: all_differ("S1", texts(snapshot, "stores"))?,
        roles: built_in_roles(),
        group_limit: usize::try_from(snapshot["group_limit"].as_u64().unwrap_or_default())
            .unwrap_or(0),
        is_closed: snapshot["closed"] == true,
        last: 0,
        version,
        revisions: BTreeMap::new(),
    };
    let is_revision = |value: &Value| value.as_u64().is_some_and(|it| 1 <= it && it <= version);
    for role in list(snapshot, "roles") {
        law("U8", is_revision(&role["revision"]), || {
            format!("{role} has no revision")
        })?;
        let permissions = texts(role, "permissions");
        at_most_as_many_as_a_command_names(permissions.len())?;
        let is_new = state.roles.insert(
            text(role, "id"),
            Role {
                name: text(role, "name"),
                at_account: role["level"] == "account",
                permissions: permissions.into_iter().collect(),
                built_in: false,
            },
        );
        law("L1, L3", is_new.is_none(), || {
            format!("{role} is there twice")
        })?;
    }
    for group in list(snapshot, "groups") {
        for revision in ["definition_revision", "membership_revision"] {
            law("U8", is_revision(&group[revision]), || {
                format!("{group} has no {revision}")
            })?;
        }
        let read = Group {
            name: text(group, "name"),
            description: text(group, "description"),
            grants: plain_grants(group)?,
            members: Set::new(),
        };
        let is_new = state.groups.insert(text(group, "id"), read).is_none();
        law("G3", is_new, || format!("{group} is there twice"))?;
    }
    for member in list(snapshot, "members") {
        let expires = &member["status"]["invited"]["expires"];
        law("U2", !is_late(expires), || "a late end".to_owned())?;
        let is_owner = member["status"]["active"]["owner"] == Value::Bool(true);
        let status = Status::Active { owner: is_owner }; // Of the others nothing depends on it.
        let is_new = state.members.insert(text(member, "id"), status).is_none();
        law("M1", is_new, || format!("{member} is there twice"))?;
        for group in texts(member, "groups") {
            let group = state.groups.get_mut(&group);
            let is_new = group.is_some_and(|group| group.members.insert(text(member, "id")));
            law("M4", is_new, || {
                format!("{member} is in no such group, or twice")
            })?;
        }
    }
    Ok(state)
}

/// G4, G5: in the order of the roles, each once.
fn plain_grants(group: &Value) -> Checked<Grants> {
    let grants = list(group, "grants");
    let roles: Vec<_> = grants.iter().map(|grant| text(grant, "role")).collect();
    let are_in_order = roles.is_sorted_by(|one, next| one < next);
    law("G4", are_in_order, || {
        format!("{roles:?} are not in order, or twice")
    })?;
    let stores = grants
        .iter()
        .map(|grant| texts(&grant["scope"], "stores").len());
    at_most_as_many_as_a_command_names(grants.len())?;
    at_most_as_many_as_a_command_names(stores.sum())?;
    let grants = roles.into_iter().zip(grants).map(|(role, grant)| {
        let stores = texts(&grant["scope"], "stores").into_iter().collect();
        ((role, grant["scope"].is_string()), stores)
    });
    Ok(grants.collect())
}

fn at_most_as_many_as_a_command_names(many: usize) -> Checked {
    law("U7", many <= MAX_ITEMS_PER_COMMAND, || {
        format!("{many} of a kind")
    })
}

fn all_differ(rule: &'static str, texts: Vec<String>) -> Checked<Set> {
    let many = texts.len();
    let set: Set = texts.into_iter().collect();
    law(rule, set.len() == many, || format!("twice among {set:?}"))?;
    Ok(set)
}

fn list<'a>(of: &'a Value, key: &str) -> &'a [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

fn texts(of: &Value, key: &str) -> Vec<String> {
    let text = |item: &Value| item.as_str().or(item["group"].as_str()).map(str::to_owned);
    list(of, key).iter().filter_map(text).collect()
}

/// The plain data of a snapshot with its lists in the order of ids, as an account gives them.
fn in_order(mut snapshot: Value) -> Value {
    let key = |item: &Value| {
        let text = item.as_str().or(item["id"].as_str());
        text.or(item["group"].as_str()).map(str::to_owned)
    };
    for list in ["roles", "stores", "groups", "members"] {
        if let Some(items) = snapshot[list].as_array_mut() {
            items.sort_by_key(key);
        }
    }
    for member in snapshot["members"].as_array_mut().into_iter().flatten() {
        if let Some(groups) = member["groups"].as_array_mut() {
            groups.sort_by_key(key);
        }
    }
    snapshot
}

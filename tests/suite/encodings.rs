//! Stored forms in formats with and without field names, and the room that they leave.

use std::collections::BTreeMap;
use std::fmt::Debug;

use grantbook::command::{ChangeRole, EditGroup, InviteMember};
use grantbook::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::support::*;

/// Asserts that a value comes back as it was from JSON, CBOR, and `MessagePack` with and without field names.
fn comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "JSON");
    let mut cbor = Vec::new();
    ciborium::into_writer(value, &mut cbor).unwrap();
    assert_eq!(
        &ciborium::from_reader::<T, _>(&cbor[..]).unwrap(),
        value,
        "CBOR"
    );
    let named = rmp_serde::to_vec_named(value).unwrap();
    assert_eq!(&rmp_serde::from_slice::<T>(&named).unwrap(), value, "named");
    let unnamed = rmp_serde::to_vec(value).unwrap();
    assert_eq!(
        &rmp_serde::from_slice::<T>(&unnamed).unwrap(),
        value,
        "unnamed"
    );
}

/// Every combination of the optional fields of every command that has any.
fn commands_with_optional_fields() -> Vec<Command> {
    let mut commands = Vec::new();
    for chosen in 0..8 {
        let name = (chosen & 1 != 0).then(|| GroupName::parse("Renamed").unwrap());
        let description = (chosen & 2 != 0).then(|| Description::parse("Described").unwrap());
        let grants = (chosen & 4 != 0).then(|| vec![editor(["prod"]), Grant::group_manager()]);
        let group = group("devs");
        commands.push(
            EditGroup {
                group,
                name,
                description,
                grants,
            }
            .into(),
        );
    }
    for chosen in 0..4 {
        let name = (chosen & 1 != 0).then(|| RoleName::parse("Log Reader").unwrap());
        let permissions = (chosen & 2 != 0).then(|| permissions(["log.read", "log.search"]));
        let role = role("own");
        commands.push(
            ChangeRole {
                role,
                name,
                permissions,
            }
            .into(),
        );
    }
    for chosen in 0..4 {
        let member = member(&format!("guest-{chosen}"));
        let as_owner = chosen & 1 != 0;
        let expires = (chosen & 2 != 0).then(|| at(9_000));
        commands.push(
            InviteMember {
                member,
                as_owner,
                expires,
            }
            .into(),
        );
    }
    commands
}

/// U2, U5: a format without field names brings every edit back as it was, and never as another one. (An edited
/// description was once read back as an edited name.)
#[test]
fn u2_every_combination_of_optional_fields_comes_back_in_every_format() {
    let mut changes = 0;
    for command in commands_with_optional_fields() {
        comes_back(&command);
        let mut world = World::staffed();
        world.ok(
            OWNER,
            define_role("own", "Own Role", RoleLevel::Store, &["log.read"]),
        );
        let record = world
            .account
            .execute(&by(OWNER), &command, at(world.now))
            .unwrap();
        if let Some(record) = record {
            comes_back(&record);
            comes_back(record.event());
            changes += 1;
        }
        comes_back(&world.account.snapshot());
    }
    assert_eq!(changes, 7 + 3 + 4, "only edits of nothing change nothing");
}

/// U2: whatever the commands of a busy account lead to comes back in every format.
#[test]
fn u2_records_and_snapshots_come_back_in_every_format() {
    let world = World::staffed();
    world.records.iter().for_each(comes_back);
    comes_back(&world.account.snapshot());
}

/// U5: what development versions wrote, before format 1, is refused and says so.
#[test]
fn u5_records_and_snapshots_of_development_versions_are_refused() {
    let record = r#"{"format":1,"account":"acme","version":1,"at":1000,"actor":"system","event":{"kind":"account-opened","owner":"olga","group_limit":30}}"#;
    let error = serde_json::from_str::<Record>(record)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a development version of grantbook"),
        "{error}"
    );
    let snapshot = r#"{"format":1,"account":"acme","version":1,"at":0,"group_limit":20,"roles":[],"stores":[],"groups":[],"members":[{"id":"olga","standing":{"active":{"owner":true}},"groups":[]}]}"#;
    let error = serde_json::from_str::<Snapshot>(snapshot)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a development version of grantbook"),
        "{error}"
    );
}

/// U5: a stored form has no field that may be left out, not even one that is null so far.
#[test]
fn u5_no_field_of_a_stored_form_may_be_left_out() {
    fn no_field_missing<T: Serialize + DeserializeOwned>(value: &T) {
        let whole = serde_json::to_value(value).unwrap();
        for field in whole.as_object().unwrap().keys() {
            let mut less = whole.clone();
            less.as_object_mut().unwrap().remove(field);
            assert!(
                serde_json::from_value::<T>(less).is_err(),
                "without {field}: {whole}"
            );
        }
    }
    let mut world = World::staffed();
    let rename = world.ok(OWNER, rename_group("devs", "Developers"));
    no_field_missing(&rename);
    world.records.iter().for_each(no_field_missing);
    no_field_missing(&world.account.snapshot());
}

/// A format that does not exist, with another kind of scope and memberships that end.
mod made_up {
    use super::{BTreeMap, Deserialize};

    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub(super) enum Scope {
        Account,
        Stores(Vec<String>),
        AllStores,
    }

    #[derive(Deserialize)]
    pub(super) struct Grant {
        pub(super) scope: Scope,
    }

    #[derive(Deserialize)]
    pub(super) struct Group {
        pub(super) grants: Vec<Grant>,
    }

    #[derive(Deserialize)]
    pub(super) struct Membership {
        pub(super) group: String,
        pub(super) until: Option<u64>,
    }

    #[derive(Deserialize)]
    pub(super) struct Member {
        pub(super) groups: Vec<Membership>,
    }

    #[derive(Deserialize)]
    pub(super) struct Snapshot {
        pub(super) groups: Vec<Group>,
        pub(super) members: Vec<Member>,
        #[serde(flatten)]
        pub(super) _rest: BTreeMap<String, serde_json::Value>,
    }
}

/// U5: a later format can have scopes of another kind, and memberships that end, and still read what format 1 wrote; a
/// reader of format 1 refuses both, instead of taking them for less or for more.
#[test]
fn u5_scopes_and_memberships_leave_room_for_another_kind() {
    let written = serde_json::to_string(&World::staffed().account.snapshot()).unwrap();
    let read: made_up::Snapshot = serde_json::from_str(&written).unwrap();
    let grants = read.groups.iter().flat_map(|group| &group.grants);
    let scopes: Vec<usize> = grants
        .map(|grant| match &grant.scope {
            made_up::Scope::Account => 0,
            made_up::Scope::Stores(stores) => stores.len(),
            made_up::Scope::AllStores => usize::MAX,
        })
        .collect();
    assert_eq!(scopes, [1, 0, 1], "devs, it, viewers");
    let memberships = read.members.iter().flat_map(|member| &member.groups);
    let lasting: Vec<&str> = memberships
        .filter(|membership| membership.until.is_none())
        .map(|membership| membership.group.as_str())
        .collect();
    assert_eq!(
        lasting,
        ["devs", "it", "devs", "viewers"],
        "dana, gil, ina, vic"
    );
    for (from, to) in [
        (r#""scope":"account""#, r#""scope":"all-stores""#),
        (r#"{"group":"devs"}"#, r#"{"group":"devs","until":9000}"#),
    ] {
        let later = written.replacen(from, to, 1);
        assert_ne!(later, written);
        assert!(serde_json::from_str::<Snapshot>(&later).is_err(), "{to}");
    }
}

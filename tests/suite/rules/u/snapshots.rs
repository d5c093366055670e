//! U2, U5: a snapshot is the account as plain data, and is not trusted when it is read back.

use grantbook::*;
use serde_json::{Value, json};

use crate::support::*;

/// U2: an account and its snapshot are the same, and a change to the one read back is the same change.
#[test]
fn u2_a_snapshot_is_the_account() {
    let mut world = World::staffed();
    world.ok(OWNER, delete_store("prod"));
    world.ok(OWNER, invite_until("eva", 5_000));
    world.ok(OWNER, take_out("devs", ["dana", "ina"]));
    world.ok(OWNER, delete_group("devs"));
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Store, &["log.read"]),
    );
    world.ok(
        OWNER,
        create_group(
            "ops",
            "Operations",
            [Grant::in_stores(role("own"), [store("dev")])],
        ),
    );
    world.ok(OWNER, add("ops", ["vic", "eva"]));
    let snapshot = world.account.snapshot();
    assert_eq!(
        (snapshot.account(), snapshot.version()),
        (world.account.id(), world.account.version())
    );
    let mut read = World {
        account: snapshot.try_into().unwrap(),
        ..world.clone()
    };
    assert_eq!(read.account, world.account);
    assert!(read.account.index_is_exact());
    for command in [
        create_store("prod"),
        regrant("viewers", [viewer(["prod"])]),
        add("ops", ["dana"]),
    ] {
        assert_eq!(read.ok(OWNER, command.clone()), world.ok(OWNER, command));
    }
    assert_eq!(read.account, world.account);
    assert!(read.may("vic", "log.read", Resource::Store("dev")));
    assert_eq!(Account::replay(&world.records).unwrap(), read.account);
}

/// U2: accounts are equal only if everything in them is.
#[test]
fn u2_accounts_are_equal_if_everything_in_them_is() {
    let world = World::staffed();
    for command in [
        create_store("new"),
        rename_group("it", "Other Name"),
        add("viewers", ["dana"]),
        grant_ownership("dana"),
        regrant("devs", [viewer(["dev"])]),
    ] {
        let mut changed = world.clone();
        changed.ok(OWNER, command);
        assert_ne!(changed.account, world.account);
    }
}

/// U5, A2, A3, G3, G4, G5, L1, L3, L5, S3: a snapshot that breaks a rule is not an account, and the error says which.
#[test]
fn u5_a_snapshot_edited_by_hand_is_refused() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("own", "Own Role", RoleLevel::Account, &["log.read"]),
    );
    let good = serde_json::to_value(world.account.snapshot()).unwrap();
    let twice = |list: &'static str| {
        move |json: &mut Value| {
            let first = json[list][0].clone();
            json[list].as_array_mut().unwrap().push(first);
        }
    };
    let edits: Vec<(Box<dyn Fn(&mut Value)>, &str)> = vec![
        (Box::new(|json| json["version"] = 0.into()), "not-opened"),
        (
            Box::new(|json| json["members"][4]["status"]["active"]["owner"] = false.into()),
            "no-owner",
        ),
        (
            Box::new(|json| {
                json["members"][4]["status"] =
                    json!({"invited": {"as_owner": true, "expires": null}});
            }),
            "no-owner",
        ),
        (Box::new(|json| json["members"] = json!([])), "no-owner"),
        (Box::new(twice("members")), "duplicate-member"),
        (
            Box::new(|json| {
                json["members"][0]["groups"] = json!([{"group": "devs"}, {"group": "devs"}]);
            }),
            "duplicate-membership",
        ),
        (
            Box::new(|json| json["members"][0]["groups"] = json!([{"group": "none"}])),
            "unknown-group",
        ),
        (Box::new(twice("stores")), "store-exists"),
        (Box::new(twice("groups")), "group-exists"),
        (
            Box::new(|json| json["groups"][1]["name"] = "dev TEAM".into()),
            "group-name-taken",
        ),
        (
            Box::new(|json| json["group_limit"] = 2.into()),
            "too-many-groups",
        ),
        (
            Box::new(|json| json["groups"][0]["grants"] = json!([])),
            "no-grants",
        ),
        (
            Box::new(|json| {
                let grant = json["groups"][0]["grants"][0].clone();
                json["groups"][0]["grants"] = json!([grant, grant]);
            }),
            "duplicate-grant",
        ),
        (
            Box::new(|json| {
                json["groups"][0]["grants"] = json!([
                    {"role": "store-viewer", "scope": {"stores": ["dev"]}},
                    {"role": "store-editor", "scope": {"stores": ["dev"]}},
                ]);
            }),
            "duplicate-grant",
        ),
        (
            Box::new(|json| json["groups"][0]["grants"][0]["scope"] = json!({"stores": ["none"]})),
            "unknown-store",
        ),
        (
            Box::new(|json| json["groups"][0]["grants"][0]["scope"] = json!("account")),
            "scope-mismatch",
        ),
        (
            Box::new(|json| json["groups"][0]["grants"][0]["role"] = json!("none")),
            "unknown-role",
        ),
        (
            Box::new(|json| json["groups"][1]["grants"][0]["scope"] = json!({"stores": []})),
            "scope-mismatch",
        ),
        (Box::new(twice("roles")), "role-exists"),
        (
            Box::new(|json| json["roles"][0]["id"] = "store-editor".into()),
            "role-exists",
        ),
        (
            Box::new(|json| json["roles"][0]["name"] = "store editor".into()),
            "role-name-taken",
        ),
        (
            Box::new(|json| json["roles"][0]["name"] = "account owner".into()),
            "ownership-name",
        ),
        (
            Box::new(|json| json["roles"][0]["permissions"] = json!([])),
            "no-permissions",
        ),
        (
            Box::new(|json| json["roles"][0]["permissions"] = json!(["account.manage_owners"])),
            "reserved-permission",
        ),
        (
            Box::new(|json| json["roles"][0]["permissions"] = json!(["store.read"])),
            "store-permission",
        ),
    ];
    for (edit, code) in edits {
        let mut json = good.clone();
        edit(&mut json);
        assert_ne!(json, good);
        let snapshot: Snapshot = serde_json::from_value(json).unwrap();
        let error = Account::try_from(snapshot).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
    assert_eq!(
        Account::try_from(serde_json::from_value::<Snapshot>(good).unwrap()),
        Ok(world.account)
    );
}

/// U5, U7: JSON that does not have the format of a snapshot is not read.
#[test]
fn u5_what_is_not_a_snapshot_is_not_read() {
    let good = serde_json::to_string(&World::staffed().account.snapshot()).unwrap();
    for (from, to, why) in [
        (
            r#""snapshot":1"#,
            r#""snapshot":9"#,
            "format 9 is not known",
        ),
        (
            r#""version":"#,
            r#""revision":1,"version":"#,
            "unknown field `revision`",
        ),
        (
            r#""group_limit":20"#,
            r#""group_limit":5000"#,
            "a number of groups from 1 to 4096",
        ),
        (
            r#""id":"dana""#,
            r#""id":"""#,
            "a member id takes 1 to 128 bytes",
        ),
        (
            r#""active":{"owner":false}"#,
            r#""active":{"owner":false,"god":true}"#,
            "unknown field `god`",
        ),
        (
            r#""active":{"owner":false}"#,
            r#""retired":{}"#,
            "unknown variant `retired`",
        ),
        (
            r#""stores":["dev","prod"]"#,
            r#""stores":["dev","prod"],"stores":[]"#,
            "duplicate field `stores`",
        ),
        (
            r#"{"stores":["dev"]}"#,
            r#"{"stores":["dev","dev"]}"#,
            "`dev` is listed twice",
        ),
        (
            r#"{"as_owner":false,"expires":null}"#,
            r#"{"as_owner":false}"#,
            "missing field `expires`",
        ),
        (
            r#""name":"Dev Team""#,
            r#""name":"D""#,
            "a group name takes 3 to 64 characters",
        ),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        let error = serde_json::from_str::<Snapshot>(&changed)
            .unwrap_err()
            .to_string();
        assert!(error.contains(why), "{from} -> {to}: {error}");
    }
}

/// U5: each error says what is wrong and where.
#[test]
fn u5_snapshot_errors_say_what_is_wrong_and_where() {
    let (who, what) = (member("dana"), group("devs"));
    for (error, message) in [
        (
            SnapshotError::NotOpened,
            "the snapshot is at version 0; an account begins at version 1",
        ),
        (
            SnapshotError::NoOwner,
            "the snapshot has no active account owner",
        ),
        (
            SnapshotError::DuplicateMember {
                member: who.clone(),
            },
            "member `dana` is listed twice",
        ),
        (
            SnapshotError::DuplicateMembership {
                member: who.clone(),
                group: what.clone(),
            },
            "member `dana` is listed twice in group `devs`",
        ),
        (
            SnapshotError::UnknownGroup {
                member: who,
                group: what.clone(),
            },
            "member `dana` is in group `devs`, which does not exist",
        ),
        (
            SnapshotError::DuplicateGrant { group: what },
            "the grants of group `devs` name a role twice, or are not in the order of the roles' ids",
        ),
        (
            SnapshotError::BreaksRule {
                entry: "devs".into(),
                reason: CommandError::NoGrants,
            },
            "`devs` breaks a rule: a group carries at least one grant; name a role",
        ),
    ] {
        assert_eq!(error.to_string(), message);
    }
}

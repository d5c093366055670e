//! Names that stand for somebody or something else.

use std::collections::BTreeSet;

use grantbook::command::ChangeRole;
use grantbook::*;
use serde_json::json;

use super::rewritten;
use crate::support::*;

/// Somebody registers under a name that the application goes by, in the records or in its JSON, and hopes to be taken for it:
/// by a reader of the trail, by the question who changed what, or by the account. E6, U2 and U5 stop it. Known as
/// misrepresentation of critical information (CWE-451).
#[test]
fn e6_a_member_named_like_the_host_is_not_the_host() {
    let ids = [
        "\"system\"",
        "System",
        "host",
        "member olga",
        "system",
        "the application",
    ];
    let mut world = World::staffed();
    world.system(enrol(ids));
    for id in ids {
        world.ok(
            OWNER,
            create_group("own", "Own Group", [Grant::group_manager()]),
        );
        world.ok(OWNER, add("own", [id]));
        world.assert_refused(id, enrol(["eve"]), "system-only");
        world.assert_refused(id, change_limit(30), "system-only");
        world.assert_refused(id, close(), "not-authorized");
        world.assert_refused(id, invite_owner("eve"), "not-authorized");
        world.assert_refused(id, add("devs", [id]), "self-addition");
        world.assert_refused(id, grant_role("own", viewer(["dev"])), "self-escalation");
        for event in [
            json!({"kind": "members-added", "members": ["eve"]}),
            json!({"kind": "group-limit-changed", "limit": 30}),
        ] {
            let record = world.forged(json!({"member": id}), event);
            world.assert_not_applied(&record, "wrong-actor");
        }
        world.ok(
            id,
            rename_group("viewers", &format!("Named By {}", world.now)),
        );
        let record = world.records.last().unwrap();
        assert_eq!(record.actor().to_string(), format!("member {id}"));
        let json = serde_json::to_value(record.actor()).unwrap();
        assert_eq!(json, json!({"member": id}));
        let by_the_host = history::changes_by(&world.records, &Actor::System);
        assert!(!by_the_host.into_iter().any(|other| other == record));
        world.ok(OWNER, take_out("own", [id]));
        world.ok(OWNER, delete_group("own"));
        world.now += 1;
    }
    let told = ids.map(|id| by(id).to_string());
    let told = told
        .into_iter()
        .chain([by(OWNER), Actor::System].map(|actor| actor.to_string()));
    let told: BTreeSet<String> = told.collect();
    assert_eq!(told.len(), ids.len() + 2, "no two read alike");
    for text in [
        r#""System""#,
        r#""the application""#,
        r#""SYSTEM""#,
        r#"{"system":null,"member":"olga"}"#,
        r#"{"member":null}"#,
        r#"{"member":"olga","system":true}"#,
    ] {
        assert!(serde_json::from_str::<Actor>(text).is_err(), "{text}");
    }
}

/// A second group or role comes in under a name that is there, spelled with other spaces, other case or another
/// separator: by a rename, in a batch that creates both, by a record, by a snapshot. G3, L3 and M6 stop it. Known as
/// improper handling of case (CWE-178).
#[test]
fn g3_no_other_spelling_makes_a_second_name() {
    let named = |name: &str| json!({"kind": "group-edited", "group": "viewers", "name": name});
    let mut world = World::staffed();
    for name in ["Dev  Team", "DEV   team"] {
        world.assert_refused(MANAGER, rename_group("viewers", name), "group-name-taken");
        let record = world.forged(json!({"member": MANAGER}), named(name));
        world.assert_not_applied(&record, "group-name-taken");
        let snapshot = rewritten(&world.account.snapshot(), |json| {
            json["groups"][2]["name"] = name.into();
        });
        let error = Account::try_from(snapshot.unwrap()).unwrap_err();
        assert_eq!(error.code(), "group-name-taken");
        let both = [
            rename_group("devs", "Builders"),
            create_group("new", name, [viewer(["dev"])]),
            rename_group("devs", "Dev Team"),
        ];
        world.assert_batch_refused(MANAGER, &both, "group-name-taken");
    }
    // One group may change the spelling of its own name, and then no other has either spelling.
    world.ok(MANAGER, rename_group("devs", "DEV  Team"));
    for name in ["Dev Team", "DEV  Team"] {
        world.assert_refused(MANAGER, rename_group("viewers", name), "group-name-taken");
    }

    let rename_role = |name: &str| {
        Command::ChangeRole(ChangeRole {
            role: role("other"),
            name: Some(RoleName::parse(name).unwrap()),
            permissions: None,
        })
    };
    let reader = define_role("own", "Log Reader", RoleLevel::Store, &["log.read"]);
    let other = define_role("other", "Other", RoleLevel::Store, &["log.read"]);
    world.all_ok(OWNER, &[reader, other]);
    for (name, code) in [
        ("LOG  reader", "role-name-taken"),
        ("Store  Viewer", "role-name-taken"),
        ("store.EDITOR", "role-name-taken"),
        ("Group_Manager", "role-name-taken"),
        ("Group - Manager", "role-name-taken"),
        ("Account.Owner", "ownership-name"),
        ("account  OWNER", "ownership-name"),
    ] {
        world.assert_refused(OWNER, rename_role(name), code);
        let event = json!({"kind": "role-changed", "role": "other", "name": name});
        let record = world.forged(json!({"member": OWNER}), event);
        world.assert_not_applied(&record, code);
        let snapshot = rewritten(&world.account.snapshot(), |json| {
            json["roles"][0]["name"] = name.into();
        });
        let error = Account::try_from(snapshot.unwrap()).unwrap_err();
        assert_eq!(error.code(), code, "{name}");
    }
    world.read_back();
}

//! Explanations of large accounts come in pages, which together are complete; and their JSON is pinned.

use std::collections::BTreeSet;

use grantbook::*;
use serde_json::{Value, json};

use crate::support::*;

/// `groups` groups that grant viewing `dev`, and `dana` in all of them.
fn many_groups(groups: u16, has_dana: bool) -> World {
    let mut world = World::with_limit(groups + 1);
    world.system(enrol(["dana", "nils"]));
    world.ok(OWNER, create_store("dev"));
    for number in 0..groups {
        let id = format!("g{number:03}");
        world.ok(
            OWNER,
            create_group(&id, &format!("Group {id}"), [viewer(["dev"])]),
        );
        if has_dana {
            world.ok(OWNER, add(&id, ["dana"]));
        }
    }
    world
}

/// Each page from the first on, as long as there are more.
fn pages(world: &World, member: &str, text: &str) -> Vec<Verdict> {
    let mut pages = Vec::new();
    let mut skip = 0;
    loop {
        let options = ExplainOptions::at(at(world.now)).skipping(skip);
        let explanation =
            world
                .account
                .explain(member, &permission(text), Resource::Store("dev"), options);
        let (count, more) = match &explanation.answer {
            Verdict::Allowed { paths, more } => (paths.len(), *more),
            Verdict::Denied {
                advice: Advice::AnyOf { remedies, more },
                ..
            } => (remedies.len(), *more),
            other @ Verdict::Denied { .. } => panic!("{other:?}"),
        };
        skip += count;
        pages.push(explanation.answer);
        if more == 0 {
            return pages;
        }
    }
}

#[test]
fn u7_paths_come_in_pages() {
    let world = many_groups(230, true);
    let mut groups = Vec::new();
    for (page, left) in pages(&world, "dana", "store.read")
        .into_iter()
        .zip([130, 30, 0])
    {
        let Verdict::Allowed { paths, more } = page else {
            panic!("{page:?}")
        };
        assert_eq!(more, left);
        groups.extend(paths.into_iter().map(|path| match path.via {
            AccessSource::Group { group, .. } => group,
            AccessSource::Ownership => panic!("no owner"),
        }));
    }
    assert!(
        groups
            .iter()
            .eq(world.account.groups().map(|group| group.id()))
    );
    let said = world.account.explain(
        "dana",
        &Permission::STORE_READ,
        Resource::Store("dev"),
        at(world.now),
    );
    assert!(said.to_string().ends_with("\n- and 130 more"), "{said}");
    let beyond = ExplainOptions::at(at(world.now)).skipping(usize::MAX);
    let beyond = world.account.explain(
        "dana",
        &Permission::STORE_READ,
        Resource::Store("dev"),
        beyond,
    );
    assert_eq!(
        beyond.answer,
        Verdict::Allowed {
            paths: vec![],
            more: 0
        }
    );
}

#[test]
fn u7_remedies_come_in_pages() {
    let mut world = many_groups(20, true);
    // Twelve roles that would do, none of which holds more than another.
    for number in 0..12 {
        let own = format!("own.p{number}");
        world.ok(
            OWNER,
            define_role(
                &format!("r{number:02}"),
                &format!("Role {number}"),
                RoleLevel::Store,
                &["log.read", &own],
            ),
        );
    }
    let mut given = Vec::new();
    for (page, left) in pages(&world, "dana", "log.read")
        .into_iter()
        .zip([140, 40, 0])
    {
        let Verdict::Denied {
            advice: Advice::AnyOf { remedies, more },
            ..
        } = page
        else {
            panic!("{page:?}")
        };
        assert_eq!(more, left);
        given.extend(remedies);
    }
    let pairs: BTreeSet<_> = given
        .iter()
        .map(|remedy| match &remedy.step {
            RemedyKind::GrantRole { group, role } => (group.clone(), role.clone()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((given.len(), pairs.len()), (240, 240));
    for remedy in given {
        let mut after = world.account.clone();
        after
            .execute(&Actor::System, &remedy.command, at(world.now))
            .unwrap();
        assert!(after.can("dana", &permission("log.read"), Resource::Store("dev")));
    }
    let said = world.account.explain(
        "dana",
        &permission("log.read"),
        Resource::Store("dev"),
        at(world.now),
    );
    assert!(said.to_string().ends_with("\n- and 140 more"), "{said}");
}

/// The JSON of an explanation. It is API: a field is never renamed.
#[test]
fn the_json_of_explanations_is_pinned() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    world.ok(OWNER, invite_until("eva", 2_000));
    world.ok(OWNER, suspend("vic"));
    let (dev, prod) = (Resource::Store("dev"), Resource::Store("prod"));
    let json = |member: &str, text: &str, resource, now| -> Value {
        let explanation = world
            .account
            .explain(member, &permission(text), resource, at(now));
        serde_json::to_value(explanation).unwrap()
    };
    assert_eq!(
        json("dana", "store.write.tuples", dev, 1_000),
        json!({
            "member": "dana",
            "permission": "store.write.tuples",
            "resource": {"store": "dev"},
            "version": 14,
            "warning": null,
            "answer": {
                "verdict": "allowed",
                "paths": [{
                    "via": {
                        "kind": "group", "group": "devs", "group_name": "Dev Team",
                        "role": "store-editor", "role_name": "Store Editor",
                        "via_included_role": false, "included_by": "store.write",
                    },
                    "is_only_way": true,
                }],
                "more": 0,
            },
        })
    );
    assert_eq!(
        json("dana", "store.read", prod, 1_000)["answer"],
        json!({
            "verdict": "denied",
            "denial": {
                "code": "missing-permission", "http_status": 403,
                "message": "the member lacks `store.read`", "permission": "store.read",
            },
            "advice": {
                "kind": "any-of",
                "remedies": [
                    {
                        "step": {"kind": "add-to-group", "group": "viewers"},
                        "people": 1,
                        "command": {"command": "add-to-group", "group": "viewers", "members": ["dana"]},
                    },
                    {
                        "step": {"kind": "grant-role", "group": "devs", "role": "store-viewer"},
                        "people": 2,
                        "command": {
                            "command": "grant-role", "group": "devs", "role": "store-viewer",
                            "scope": {"stores": ["prod"]},
                        },
                    },
                ],
                "more": 0,
            },
        })
    );
    let step = |member: &str, text: &str, resource| {
        json(member, text, resource, 1_000)["answer"]["advice"]["remedies"][0]["step"].clone()
    };
    assert_eq!(
        step("ina", "store.read", dev),
        json!({"kind": "accept", "member": "ina"})
    );
    assert_eq!(
        step("vic", "store.read", prod),
        json!({"kind": "reinstate"})
    );
    assert_eq!(
        step(OWNER, "store.read", Resource::Store("new")),
        json!({"kind": "create-store"})
    );
    assert_eq!(
        step("nils", "account.close", Resource::Account),
        json!({"kind": "grant-ownership"})
    );
    let advice = |member: &str, text: &str, resource, now| {
        let json = json(member, text, resource, now);
        (json["warning"].clone(), json["answer"]["advice"].clone())
    };
    assert_eq!(
        advice("eva", "store.read", dev, 2_000),
        (Value::Null, json!({"kind": "invite-again", "ended": 2_000}))
    );
    assert_eq!(
        advice("nils", "never.heard", dev, 1_000),
        (
            json!({"kind": "held-by-no-role", "is_listed": false}),
            json!({"kind": "several-changes"})
        )
    );
    assert_eq!(
        advice("nils", "account.x", Resource::Account, 1_000),
        (
            json!({"kind": "unknown", "nearest": null}),
            json!({"kind": "nothing"})
        )
    );
    assert_eq!(
        advice("nils", "store.read", Resource::Account, 1_000).0,
        json!({"kind": "wrong-level", "level": "store"})
    );
    assert_eq!(
        advice("nils", "log.read", Resource::Account, 1_000).0,
        json!({"kind": "held-at-other-level", "level": "store"})
    );
    assert_eq!(
        json(OWNER, "store.read", dev, 1_000)["answer"]["paths"],
        json!([{"via": {"kind": "ownership"}, "is_only_way": true}])
    );
    world.ok(
        OWNER,
        regrant("devs", [Grant::in_stores(role("auditor"), [store("dev")])]),
    );
    let extended = world
        .account
        .explain("dana", &permission("log.write"), dev, at(1_000));
    let extended = serde_json::to_value(extended).unwrap();
    assert_eq!(
        extended["answer"]["advice"]["remedies"][0],
        json!({
            "step": {"kind": "extend-role", "role": "auditor"},
            "people": 2,
            "command": {
                "command": "change-role", "role": "auditor", "name": null,
                "permissions": ["log.read", "log.write"],
            },
        })
    );
}

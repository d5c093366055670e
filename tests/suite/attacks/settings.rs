//! A closed account that goes on answering, and a limit that does not hold.

use grantbook::*;
use serde_json::json;

use super::rewritten;
use crate::support::*;

/// An account is closed, and one of the ways to ask about it was forgotten: a list, an explanation, a handle, a table, a
/// difference, a copy that was read back. A5 and P4 stop it: no question of any kind finds access, and none advises how
/// to get it. Known from Harbor (CVE-2022-31667 and its like), where some paths asked and others did not (CWE-863).
#[test]
fn a5_a_closed_account_answers_no_question_with_yes() {
    let mut world = World::staffed();
    world.ok(OWNER, invite_owner("otto"));
    world.ok(OWNER, suspend("vic"));
    let open = world.account.clone();
    let preview = open.preview(&by(OWNER), &[close()], at(1_000)).unwrap();
    world.ok(OWNER, close());

    let ids = [
        "dana", MANAGER, "ina", "nils", "nobody", OWNER, "otto", "vic",
    ];
    let resources = ["dev", "none", "prod"].map(Resource::Store);
    let resources = [Resource::Account].into_iter().chain(resources);
    let resources: Vec<Resource<&str>> = resources.collect();
    let nothing = Permissions::Only([].into());

    let delta = open.delta_of(world.records.last().unwrap()).unwrap();
    assert_eq!(delta, preview.delta);
    assert_eq!(delta, AccessDelta::between(&open, &world.account));
    for id in ids {
        for resource in &resources {
            let held = open.permissions_on(id, *resource);
            let held = held.unwrap_or(nothing.clone());
            let change = delta.iter().find(|change| {
                change.member.as_str() == id && change.resource.as_deref() == *resource
            });
            let lost = change
                .as_ref()
                .map_or(nothing.clone(), |change| Permissions::clone(&change.before));
            assert_eq!(lost, held, "{id} {resource}");
            assert!(change.is_none_or(|change| *change.after == nothing));
        }
    }

    let [replayed, restored] = world.read_back();
    for account in [&world.account, &replayed, &restored] {
        let own = ["store.write.tuples", "log.read"].map(permission);
        for held in Permission::BUILT_IN.into_iter().chain(own) {
            for id in ids {
                assert_eq!(account.stores_for(id, &held, None).count(), 0);
                for resource in &resources {
                    let closed = DenialReason::AccountClosed;
                    let explained = account.explain(id, &held, *resource, at(1_000)).answer;
                    let denied = Verdict::Denied {
                        denial: closed.clone(),
                        advice: Advice::Nothing,
                    };
                    assert_eq!(explained, denied);
                    assert_eq!(
                        account.check(id, &held, *resource),
                        Decision::Denied(closed.clone())
                    );
                    assert_eq!(account.permissions_on(id, *resource), Err(closed));
                    assert!(!account.can(id, &held, *resource));
                }
                let Some(handle) = account.member(id) else {
                    continue;
                };
                let dev = account.store("dev").unwrap();
                assert!(!handle.can(&held, Resource::Account) && !handle.can_in(&held, dev));
                assert!(handle.can_in_each(&held, [dev, dev]).eq([false, false]));
                assert!(dev.can_each(&held, [handle, handle]).eq([false, false]));
            }
            for resource in &resources {
                assert_eq!(account.who_can(&held, *resource, None).count(), 0);
            }
        }
        for id in ids {
            assert!(account.effective_permissions(id).is_empty());
            assert!(resources.iter().all(|resource| match resource {
                Resource::Account => true,
                Resource::Store(store) => account.access_level(id, store) == AccessLevel::None,
            }));
            let together = account.escalation(id, Some(OWNER), 2, at(1_000));
            assert_eq!(together, []);
        }
        for row in account.matrix().rows {
            assert_eq!(row.account, nothing, "{:?}", row.members);
            assert!(row.cells.iter().all(|cell| *cell == MatrixCell::default()));
        }
        for actor in [by(OWNER), by("otto"), Actor::System] {
            let error = account.preview(&actor, &[accept()], at(1_000));
            assert_eq!(error.unwrap_err().code(), "account-closed");
        }
    }
    for (event, code) in [
        (
            json!({"kind": "account-opened", "owner": "eve", "group_limit": 20}),
            "opening",
        ),
        (json!({"kind": "account-closed"}), "account-closed"),
        (
            json!({"kind": "members-added", "members": ["eve"]}),
            "account-closed",
        ),
    ] {
        let record = world.forged(json!("system"), event);
        world.assert_not_applied(&record, code);
    }
}

/// The limit of groups falls below what is there, so that a customer keeps what it no longer pays for, or an account
/// cannot be read back: in a batch that goes up and down again, by a member, by a record, by a snapshot, by a number
/// that wraps. A3 stops it. Known as allocation of resources without limits (CWE-770).
#[test]
fn a3_the_limit_never_falls_below_what_is_there() {
    let mut world = World::staffed();
    let fourth = create_group("ops", "Ops", [Grant::group_manager()]);
    let fifth = create_group("qa", "Quality", [Grant::group_manager()]);
    world.assert_batch_refused(
        Actor::System,
        &[change_limit(4), fourth.clone(), change_limit(3)],
        "group-limit-too-low",
    );
    world.assert_batch_refused(
        Actor::System,
        &[change_limit(4), fourth.clone(), fifth],
        "too-many-groups",
    );
    world.assert_batch_refused(
        Actor::System,
        &[
            change_limit(2),
            take_out("it", [MANAGER]),
            delete_group("it"),
        ],
        "group-limit-too-low",
    );
    for actor in [OWNER, MANAGER, "nobody"] {
        world.assert_batch_refused(actor, &[change_limit(4_096), fourth.clone()], "system-only");
    }
    for (actor, limit, code) in [
        (json!("system"), 2, "group-limit-too-low"),
        (json!("system"), 20, "redundant"),
        (json!({"member": OWNER}), 30, "wrong-actor"),
    ] {
        let event = json!({"kind": "group-limit-changed", "limit": limit});
        let record = world.forged(actor, event);
        world.assert_not_applied(&record, code);
    }
    world.system(change_limit(3));
    for limit in [0, 4_097, 65_539, -1] {
        let record = rewritten(world.records.last().unwrap(), |json| {
            json["event"]["limit"] = limit.into();
        });
        assert!(record.is_err(), "{limit}");
        let text = json!({"command": "change-group-limit", "limit": limit});
        assert!(serde_json::from_value::<Command>(text).is_err(), "{limit}");
    }
    let created = json!({"kind": "group-created", "group": "ops", "name": "Ops", "description": "",
        "grants": [{"role": "group-manager", "scope": "account"}]});
    let record = world.forged(json!({"member": OWNER}), created);
    world.assert_not_applied(&record, "too-many-groups");
    let snapshot = rewritten(&world.account.snapshot(), |json| {
        json["group_limit"] = 2.into();
    });
    let error = Account::try_from(snapshot.unwrap()).unwrap_err();
    assert_eq!(error.code(), "too-many-groups");
    let down = [
        take_out("it", [MANAGER]),
        delete_group("it"),
        change_limit(2),
    ];
    world.all_ok(Actor::System, &down);
    world.assert_refused(OWNER, fourth, "too-many-groups");
    world.read_back();
}

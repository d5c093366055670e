//! What is told in words: every kind of step, and nothing cut short.

use std::fmt::{self, Display, Write};

use grantbook::*;

use crate::support::*;

/// Takes so many bytes, and then is full.
struct Full(usize);

impl Write for Full {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
        Ok(())
    }
}

fn gains(account: &Account, member: &str, second: &str) -> Vec<String> {
    let gains = account.escalation(member, Some(second), 3, at(1_000));
    gains.iter().map(ToString::to_string).collect()
}

/// Two groups and no more, two managers who are in both.
fn full_house() -> World {
    let mut world = World::with_limit(2);
    world.system(enrol(["gil", "hal", "nils"]));
    for command in [
        create_store("dev"),
        create_group("it", "IT Group", [Grant::group_manager()]),
        create_group("devs", "Dev Team", [viewer(["dev"])]),
        add("it", ["gil", "hal"]),
        add("devs", ["gil", "hal"]),
    ] {
        world.ok(OWNER, command);
    }
    world
}

/// One group, of two managers, and room for another.
fn one_group_of_two() -> World {
    let mut world = World::with_limit(2);
    world.system(enrol(["gil", "hal"]));
    world.ok(OWNER, create_store("dev"));
    world.ok(
        OWNER,
        create_group("it", "IT Group", [Grant::group_manager()]),
    );
    world.ok(OWNER, add("it", ["gil", "hal"]));
    world
}

/// E4: each kind of step of an escalation is told for what it is.
#[test]
fn each_step_of_a_gain_is_told() {
    let world = full_house();
    assert_eq!(
        gains(&world.account, "gil", "hal").first().unwrap(),
        "`gil` could gain `store.write` in store `dev`: `gil` takes `hal` out of group `devs`, then \
         `hal` grants everything to group `devs`"
    );
    let world = World::staffed();
    let with_owner = gains(&world.account, "nils", OWNER);
    assert!(
        with_owner.iter().any(|gain| gain
            == "`nils` could gain `account.manage_owners` at the account: `olga` makes `nils` an owner")
    );
    let stranger = gains(&world.account, "eve", OWNER);
    assert!(stranger.iter().any(|gain| gain
        == "`eve` could gain `account.manage_owners` at the account: \
            `olga` invites `eve` as owner, then `eve` accepts the invitation"));
    let world = one_group_of_two();
    assert_eq!(
        gains(&world.account, "gil", "hal").last().unwrap(),
        "`hal` could gain `store.write` in store `dev`: `gil` grants everything to a new group, then \
         `gil` adds `hal` to it"
    );
}

/// E4, U7: where everything is more than one command may name, the search takes it in parts.
#[test]
fn an_escalation_in_parts() {
    let mut world = World::with_limit(3);
    world.system(enrol(["gil", "hal"]));
    let stores: Vec<_> = (0..=MAX_ITEMS_PER_COMMAND / 2)
        .map(|number| create_store(&format!("s{number}")))
        .collect();
    for stores in stores.chunks(MAX_BATCH) {
        world
            .account
            .execute_batch(&by(OWNER), stores, at(world.now))
            .unwrap();
    }
    world.ok(
        OWNER,
        create_group("it", "IT Group", [Grant::group_manager()]),
    );
    world.ok(OWNER, create_group("devs", "Dev Team", [viewer(["s0"])]));
    world.ok(OWNER, add("it", ["gil"]));
    world.ok(OWNER, add("devs", ["hal"]));
    let gains = world
        .account
        .escalation("hal", Some("gil"), 1, at(world.now));
    let of_hal = |permission, resource| {
        gains.iter().find(|gain| {
            gain.member.as_str() == "hal"
                && gain.permission == permission
                && gain.resource.as_deref() == resource
        })
    };
    let gain = of_hal(Permission::STORE_WRITE, Resource::Store("s5000")).unwrap();
    let [
        (
            _,
            Command::EditGroup {
                grants: Some(grants),
                ..
            },
        ),
    ] = gain.steps.as_slice()
    else {
        panic!("{gain}")
    };
    assert!(
        matches!(grants.as_slice(), [grant] if grant.role == RoleId::store_editor()),
        "a part, and not everything"
    );
    assert!(of_hal(Permission::MANAGE_GROUPS, Resource::Account).is_some());
}

/// P1: each remedy is told for what it is, with what it costs.
#[test]
fn each_remedy_is_told() {
    let said = |world: &World, member: &str, text: &str, resource| {
        world
            .account
            .explain(member, &permission(text), resource)
            .to_string()
    };
    let mut world = World::staffed();
    // A group whose role Store Viewer has lost its last store (S3).
    world.ok(OWNER, create_store("old"));
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["old"])]));
    world.ok(OWNER, delete_store("old"));
    let answer = said(&world, "dana", "store.write", Resource::Store("prod"));
    assert!(
        answer.contains("add the store to role `store-editor` of group `devs`, for all its members, and drop its role `store-viewer`, which is left with no store"),
        "{answer}"
    );
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    let answer = said(&world, "dana", "log.read", Resource::Store("prod"));
    assert!(
        answer.contains("grant role `auditor` to group `devs` in store `prod`, for all its members, and drop its role `store-viewer`, which is left with no store"),
        "{answer}"
    );
    let answer = said(
        &world,
        "nils",
        "billing.pay\u{2066}".trim_end_matches('\u{2066}'),
        Resource::Account,
    );
    assert!(
        answer.ends_with("make `nils` an account owner; nothing less would do"),
        "{answer}"
    );
    let answer = said(
        &world,
        OWNER,
        "store.read",
        Resource::Store("a\u{2066}b\nc"),
    );
    assert!(answer.contains(r"a\u{2066}b\u{a}c"), "{answer}");
}

/// U6: whatever is told is told to its end; a writer that has no more room is told so, at every place in it.
#[test]
fn nothing_is_told_by_halves() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    world.ok(OWNER, create_store("old"));
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["old"])]));
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, add("viewers", [OWNER]));
    let account = &world.account;
    let mut told: Vec<Box<dyn Display>> = Vec::new();
    for member in [OWNER, "dana", "ina", "nils", "nobody"] {
        for text in [
            "store.read",
            "store.write",
            "log.read",
            "account.manage_groups",
            "any.thing",
        ] {
            for resource in [
                Resource::Account,
                Resource::Store("dev"),
                Resource::Store("prod"),
                Resource::Store("none"),
            ] {
                told.push(Box::new(account.explain(
                    member,
                    &permission(text),
                    resource,
                )));
            }
        }
        for second in [OWNER, MANAGER, "eve"] {
            for gain in account.escalation(member, Some(second), 3, at(world.now)) {
                told.push(Box::new(gain));
            }
        }
    }
    for gain in full_house()
        .account
        .escalation("gil", Some("hal"), 3, at(world.now))
    {
        told.push(Box::new(gain));
    }
    let with_room = one_group_of_two();
    for gain in with_room
        .account
        .escalation("gil", Some("hal"), 3, at(world.now))
    {
        told.push(Box::new(gain));
    }
    for finding in account.review(at(u64::MAX)) {
        told.push(Box::new(finding));
    }
    for told in told {
        let whole = told.to_string();
        for room in 0..whole.len() {
            assert!(
                write!(Full(room), "{told}").is_err(),
                "{whole}: {room} bytes were enough"
            );
        }
        assert!(write!(Full(whole.len()), "{told}").is_ok());
    }
}

/// U7: an id may hold characters that cannot be seen. A matrix writes them out, from the first to the last of each
/// range, and leaves their neighbours as they are.
#[cfg(feature = "render")]
#[test]
fn what_cannot_be_seen_is_written_out() {
    let ranges = [
        ('\u{a0}', '\u{a0}'),
        ('\u{ad}', '\u{ad}'),
        ('\u{34f}', '\u{34f}'),
        ('\u{61c}', '\u{61c}'),
        ('\u{115f}', '\u{1160}'),
        ('\u{17b4}', '\u{17b5}'),
        ('\u{180b}', '\u{180f}'),
        ('\u{2000}', '\u{200f}'),
        ('\u{2028}', '\u{202f}'),
        ('\u{205f}', '\u{206f}'),
        ('\u{2800}', '\u{2800}'),
        ('\u{3164}', '\u{3164}'),
        ('\u{fe00}', '\u{fe0f}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{ffa0}', '\u{ffa0}'),
        ('\u{fff0}', '\u{fff8}'),
        ('\u{1d173}', '\u{1d17a}'),
        ('\u{e0000}', '\u{e0fff}'),
    ];
    let id = |character: char| format!("a{character}b");
    let next_to = |character: char, step: i32| {
        let number = u32::from(character).checked_add_signed(step).unwrap();
        char::from_u32(number).unwrap()
    };
    let unseen = ranges.into_iter().flat_map(|(first, last)| [first, last]);
    let seen = ranges
        .into_iter()
        .flat_map(|(first, last)| [next_to(first, -1), next_to(last, 1)]);
    // But for U+009F, a control character, which no id has.
    let seen: Vec<_> = seen.filter(|character| !character.is_control()).collect();
    let mut world = World::new();
    let ids: Vec<_> = unseen.clone().chain(seen.iter().copied()).map(id).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    let text = world.account.matrix().to_text();
    for character in unseen {
        let written = format!("a{}b", character.escape_unicode());
        assert!(
            text.contains(&written) && !text.contains(&id(character)),
            "{written}"
        );
    }
    for character in seen {
        assert!(
            text.contains(&id(character)),
            "{}",
            character.escape_unicode()
        );
    }
}

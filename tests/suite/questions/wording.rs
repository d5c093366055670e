//! The sentences in which answers are written: every kind of step, and nothing cut short.

use std::fmt::{self, Display, Write};

use grantbook::*;

use crate::support::*;

/// A writer that takes so many bytes and is full then.
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

/// An account with two groups, as many as it may have, and two managers who are in both.
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

/// An account with one group, of two managers, and room for another.
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

/// E4: each kind of step of an escalation has a sentence of its own.
#[test]
fn e4_each_step_of_an_escalation_is_described() {
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
    let mut world = World::staffed();
    world.ok(OWNER, suspend("dana"));
    let suspended = gains(&world.account, "dana", OWNER);
    assert!(
        suspended.iter().any(|gain| gain
            == "`dana` could gain `store.write` in store `dev`: `olga` reinstates `dana`")
    );
    let world = one_group_of_two();
    assert_eq!(
        gains(&world.account, "gil", "hal").last().unwrap(),
        "`hal` could gain `store.write` in store `dev`: `gil` grants everything to a new group, then \
         `gil` adds `hal` to it"
    );
}

/// U6: every answer is written to its end; a writer that runs out of room reports it, wherever that happens.
#[test]
fn u6_nothing_is_written_in_part_without_an_error() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    world.ok(OWNER, create_store("old"));
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["old"])]));
    world.ok(OWNER, delete_store("old"));
    world.ok(OWNER, add("viewers", [OWNER]));
    world.ok(
        OWNER,
        define_role("some", "Some", RoleLevel::Account, &["some.thing"]),
    );
    world.ok(OWNER, invite_until("eva", 9_000));
    world.ok(OWNER, suspend("vic"));
    let account = &world.account;
    let mut told: Vec<Box<dyn Display>> = Vec::new();
    for member in [OWNER, "dana", "ina", "nils", "vic", "eva", "nobody"] {
        for text in [
            "store.read",
            "store.write",
            "log.read",
            "account.manage_groups",
            "account.manage_roles",
            "account.any_thing",
            "any.thing",
            "some.thing",
        ] {
            for resource in [
                Resource::Account,
                Resource::Store("dev"),
                Resource::Store("prod"),
                Resource::Store("none"),
            ] {
                for options in [
                    ExplainOptions::at(at(world.now)),
                    ExplainOptions::at(at(u64::MAX)).skipping(1),
                ] {
                    let explanation = account.explain(member, &permission(text), resource, options);
                    told.push(Box::new(explanation));
                }
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

/// A finding that a host makes itself can name no group, and says so.
#[test]
fn a_finding_may_name_no_group() {
    let groups = Vec::new();
    let finding = Finding::EqualGroups { groups };
    assert_eq!(finding.to_string(), "no group carry the same grants");
}

/// P3: what a change would do has a line for each that gain and lose the same, and nobody is left out unsaid.
#[test]
fn p3_a_delta_is_sentences() {
    let world = World::staffed();
    let said = |command: Command| {
        let owner = Actor::Member(member(OWNER));
        let preview = world.account.preview(&owner, &[command], at(world.now));
        preview.unwrap().delta.to_string()
    };
    assert_eq!(
        said(add("viewers", ["dana", "nils"])),
        "`dana` and `nils` gain `store.read` in store `prod`"
    );
    assert_eq!(
        said(Command::set_grants(
            "devs".parse::<GroupId>().unwrap(),
            [viewer(["dev", "prod"])]
        )),
        "`dana` loses `store.write` in store `dev`\n`dana` gains `store.read` in store `prod`"
    );
    assert_eq!(
        said(Command::grant_ownership(
            "nils".parse::<MemberId>().unwrap()
        )),
        "`nils` gains every permission at the account, in store `dev` and in store `prod`"
    );
    assert_eq!(
        said(create_store("new")),
        "`olga` gains every permission in store `new`"
    );
    assert_eq!(
        said(Command::describe_group(
            "devs".parse::<GroupId>().unwrap(),
            "Builders".parse().unwrap()
        )),
        "nobody gains or loses anything"
    );
}

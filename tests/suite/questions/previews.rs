//! What a change would give and take away, and what a record did.

use std::collections::BTreeSet;

use grantbook::*;
use proptest::prelude::*;

use crate::hostile::planned;
use crate::strategies::{MEMBERS, STORES, account, config, step};
use crate::support::*;

/// G9, P2, S3: a preview says who gains and loses what, and changes nothing.
#[test]
fn g9_a_preview_says_who_gains_and_loses() {
    let world = World::staffed();
    let before = world.account.clone();
    let preview = |commands: &[Command]| {
        let preview = world
            .account
            .preview(&by(OWNER), commands, at(world.now))
            .unwrap();
        let said = preview.delta.iter().map(|change| {
            let sign = match (change.gains_any(), change.loses_any()) {
                (true, false) => "+",
                (false, true) => "-",
                _ => "±",
            };
            format!("{sign}{} {}", change.member, change.resource)
        });
        (preview.changes.len(), said.collect::<Vec<_>>())
    };
    assert_eq!(
        preview(&[add("viewers", ["dana", "nils"])]).1,
        ["+dana in store `prod`", "+nils in store `prod`"]
    );
    assert_eq!(preview(&[add("devs", ["dana"])]), (0, vec![]));
    assert_eq!(
        preview(&[regrant("devs", [viewer(["dev", "prod"])])]).1,
        ["-dana in store `dev`", "+dana in store `prod`"]
    );
    assert_eq!(preview(&[create_store("new")]).1, ["+olga in store `new`"]);
    assert_eq!(
        preview(&[delete_store("prod")]).1,
        ["-olga in store `prod`", "-vic in store `prod`"]
    );
    assert_eq!(preview(&[remove_member("gil")]).1, ["-gil at the account"]);
    assert_eq!(
        preview(&[grant_ownership("nils")]).1,
        [
            "+nils at the account",
            "+nils in store `dev`",
            "+nils in store `prod`"
        ]
    );
    assert_eq!(
        preview(&[take_out("devs", ["dana"]), add("devs", ["dana"])]),
        (2, vec![])
    );
    assert_eq!(preview(&[invite("new"), add("devs", ["new"])]).1, [""; 0]);
    let refused = world
        .account
        .preview(&by(MANAGER), &[add("devs", [MANAGER])], at(world.now));
    assert_eq!(refused.unwrap_err().code(), "self-addition");
    assert_eq!(world.account, before);
    let change = &world
        .account
        .preview(&by(OWNER), &[add("viewers", ["nils"])], at(world.now))
        .unwrap()
        .delta;
    let change = change.iter().next().unwrap();
    assert!(change.gains(&Permission::STORE_READ) && !change.gains(&Permission::STORE_WRITE));
    assert!(!change.loses(&Permission::STORE_READ));
    let narrowed = AccessChange {
        before: change.after.clone(),
        after: change.before.clone(),
        ..change.clone()
    };
    assert!(narrowed.loses(&Permission::STORE_READ) && !narrowed.loses(&Permission::STORE_WRITE));
    assert!(!narrowed.gains(&Permission::STORE_READ));
    let old = world.records.last().unwrap();
    assert_eq!(world.account.delta_of(old).unwrap_err().code(), "repeat");
    assert!(AccessDelta::default().is_empty());
}

/// G9, M1, L3, P1: whoever accepts an invitation gains what its groups hold; when a role changes, everyone gains or
/// loses who is in a group that carries it, at the account and in stores.
#[test]
fn g9_a_preview_includes_members_that_no_command_names() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("log", "Log Reader", RoleLevel::Store, &["log.read"]),
    );
    world.ok(
        OWNER,
        define_role("bill", "Billing", RoleLevel::Account, &["bill.read"]),
    );
    let grants = [
        Grant::in_stores(role("log"), [store("dev")]),
        viewer(["prod"]),
    ];
    world.ok(OWNER, create_group("loggers", "Loggers", grants));
    world.ok(
        OWNER,
        create_group("payers", "Payers", [Grant::at_account(role("bill"))]),
    );
    world.ok(OWNER, add("loggers", ["nils", "vic", "ina"]));
    world.ok(OWNER, add("payers", ["nils"]));
    let gains = |actor: &str, command: Command| -> Vec<String> {
        let delta = world
            .account
            .preview(&by(actor), &[command], at(world.now))
            .unwrap()
            .delta;
        assert!(!delta.is_empty());
        let said = delta.iter().map(|change| {
            assert!(change.gains_any() && !change.loses_any());
            format!("{} {}", change.member, change.resource)
        });
        said.collect()
    };
    assert_eq!(
        gains("ina", accept()),
        ["ina in store `dev`", "ina in store `prod`"]
    );
    let more = redefine_role("log", &["log.read", "log.write"]);
    assert_eq!(
        gains(OWNER, more),
        ["nils in store `dev`", "vic in store `dev`"]
    );
    let more = redefine_role("bill", &["bill.read", "bill.pay"]);
    assert_eq!(gains(OWNER, more), ["nils at the account"]);
}

/// G9, L7: who or what is affected in two ways is in a delta once: stores of a role that comes to hold what has sets of its
/// own, and members who change together with their groups.
#[test]
fn g9_what_is_affected_twice_is_told_once() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role("edit", "Edit", RoleLevel::Store, &["store.read"]),
    );
    let grant = |stores: &[&str]| Grant::in_stores(role("edit"), stores.iter().map(|id| store(id)));
    world.ok(
        OWNER,
        create_group("edits", "Edits", [grant(&["dev", "prod"])]),
    );
    world.ok(OWNER, add("edits", ["vic", "nils"]));
    for batch in [
        vec![redefine_role("edit", &["store.read", "store.write"])],
        vec![regrant("edits", [grant(&["dev"])]), add("edits", ["dana"])],
        vec![regrant("edits", [grant(&["prod"])]), suspend("vic")],
        vec![
            redefine_role("edit", &["store.write"]),
            take_out("edits", ["nils"]),
            delete_store("dev"),
        ],
        vec![
            regrant("edits", [grant(&["prod"])]),
            Command::close_account(),
        ],
    ] {
        let delta = world
            .account
            .preview(&Actor::System, &batch, at(world.now))
            .unwrap()
            .delta;
        let mut after = world.account.clone();
        after
            .execute_batch(&Actor::System, &batch, at(world.now))
            .unwrap();
        check_delta(&world.account, &after, &delta).unwrap();
        check_views(&delta).unwrap();
    }
}

proptest! {
    #![proptest_config(config(64))]

    /// G9, S3, P2, U2: what a preview says anybody gains and loses is the difference of two full matrices; so is what
    /// is said of each record.
    #[test]
    fn g9_deltas_are_the_difference(world in account(24), steps in prop::collection::vec(step(), 12)) {
        let mut world = world;
        for step in steps {
            let preview = world.account.preview(&step.actor, &step.commands, at(world.now));
            let before = world.account.clone();
            let executed = world.account.execute_batch(&step.actor, &step.commands, at(world.now));
            match (preview, executed) {
                (Err(one), Err(other)) => prop_assert_eq!(one, other),
                (Ok(preview), Ok(records)) => {
                    prop_assert_eq!(preview.changes, planned(&records));
                    check_delta(&before, &world.account, &preview.delta)?;
                    prop_assert_eq!(&preview.delta, &AccessDelta::between(&before, &world.account));
                    let mut state = before;
                    for record in &records {
                        let delta = state.delta_of(record).unwrap();
                        let last = state.clone();
                        state.apply(record).unwrap();
                        check_delta(&last, &state, &delta)?;
                        check_views(&delta)?;
                    }
                }
                (preview, executed) => prop_assert!(false, "{:?} {:?}", preview, executed),
            }
        }
    }
}

fn check_delta(
    before: &Account,
    after: &Account,
    delta: &AccessDelta,
) -> Result<(), TestCaseError> {
    let held = |account: &Account, id: &str, resource| {
        account
            .permissions_on(id, resource)
            .unwrap_or_else(|_| Permissions::Only(BTreeSet::new()))
    };
    let mut changes = delta.iter();
    let accounts = [before, after];
    let mut stores: BTreeSet<&str> = STORES.into_iter().chain(["zoo"]).collect();
    stores.extend(
        accounts
            .iter()
            .flat_map(|account| account.stores().map(StoreId::as_str)),
    );
    let stores = stores.into_iter().map(Resource::Store);
    let resources: Vec<_> = [Resource::Account].into_iter().chain(stores).collect();
    let mut ids: BTreeSet<&str> = MEMBERS.into_iter().collect();
    ids.extend(
        accounts
            .iter()
            .flat_map(|account| account.members().map(|member| member.id().as_str())),
    );
    for (id, resource) in ids
        .iter()
        .flat_map(|id| resources.iter().map(move |resource| (*id, *resource)))
    {
        let (was, is) = (held(before, id, resource), held(after, id, resource));
        // L7: equal powers are no difference.
        if !(was.is_subset(&is) && is.is_subset(&was)) {
            let change = changes.next();
            prop_assert!(
                change.as_ref().is_some_and(|change| {
                    change.member.as_str() == id
                        && change.resource.as_deref() == resource
                        && *change.before == was
                        && *change.after == is
                }),
                "{id} {resource}: {change:?}"
            );
        }
    }
    prop_assert_eq!(changes.next(), None);
    Ok(())
}

/// Blocks, pages, lists of members and counts say what the list of changes says.
fn check_views(delta: &AccessDelta) -> Result<(), TestCaseError> {
    let changes: Vec<AccessChange<'_>> = delta.iter().collect();
    let mut of_blocks = Vec::new();
    for block in delta.blocks() {
        prop_assert!(!block.members.is_empty() && !block.resources.is_empty());
        prop_assert!(block.members.is_sorted() && block.resources.is_sorted());
        for (member, resource) in block
            .members
            .iter()
            .flat_map(|member| block.resources.iter().map(move |there| (*member, *there)))
        {
            let (before, after) = (block.before.clone(), block.after.clone());
            let change = AccessChange {
                member,
                resource,
                before,
                after,
            };
            prop_assert_eq!(change.gains_any(), block.gains_any());
            prop_assert_eq!(change.loses_any(), block.loses_any());
            of_blocks.push(change);
        }
    }
    of_blocks.sort_by_key(|change| (change.member, change.resource));
    prop_assert_eq!(&of_blocks, &changes);
    prop_assert_eq!(delta.count(), changes.len() as u64);
    prop_assert_eq!(delta.is_empty(), changes.is_empty());

    let gain = changes.iter().filter(|change| change.gains_any());
    let gain: BTreeSet<&MemberId> = gain.map(|change| change.member).collect();
    prop_assert!(delta.who_gained().eq(gain));
    let lose = changes.iter().filter(|change| change.loses_any());
    let lose: BTreeSet<&MemberId> = lose.map(|change| change.member).collect();
    prop_assert!(delta.who_lost().eq(lose));

    let mut paged = Vec::new();
    while let Some(first) = delta
        .iter_after(
            paged
                .last()
                .map(|last: &AccessChange<'_>| last.member.as_str()),
        )
        .next()
    {
        paged.extend(delta.of(first.member));
    }
    prop_assert_eq!(&paged, &changes);
    prop_assert_eq!(delta.of("nobody").count(), 0);

    let text = serde_json::to_value(delta).unwrap();
    let blocks: Vec<_> = delta
        .blocks()
        .map(|block| serde_json::to_value(block).unwrap())
        .collect();
    prop_assert_eq!(text, serde_json::Value::Array(blocks));
    Ok(())
}

/// G9: what is alike is said once: two members who gain the same in two stores are one block, in JSON too.
#[test]
fn g9_what_is_alike_is_one_block() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        create_group("new", "New Team", [viewer(["dev", "prod"])]),
    );
    let add = [add("new", ["nils", "nora"])];
    world.system(enrol(["nora"]));
    let delta = world
        .account
        .preview(&by(OWNER), &add, at(world.now))
        .unwrap()
        .delta;
    assert_eq!(
        serde_json::to_string(&delta).unwrap(),
        r#"[{"members":["nils","nora"],"resources":[{"store":"dev"},{"store":"prod"}],"before":{"only":[]},"after":{"only":["store.read"]}}]"#
    );
    assert_eq!(delta.count(), 4);
}

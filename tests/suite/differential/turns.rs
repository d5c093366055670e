//! What is done at each step.

use std::collections::BTreeSet;

use grantbook::command::{AddMembers, AddToGroup, ChangeRole, RemoveFromGroup};
use grantbook::*;
use proptest::prelude::*;

use crate::commands;
use crate::strategies::{D, MEMBERS, Step, actor, grants, one_of, step, whom};
use crate::support::*;

/// One step, before it is known what time it is and what the account holds.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) step: Step,
    /// An invitation that expires does so that long after now; once in a while beyond the last time there is.
    pub(super) expires_in: i64,
    /// Whether an edit of a group's grants gives back those that the group has, as a form does (Decision 15).
    pub(super) as_shown: bool,
    /// Which of those who come into question acts instead, so that more is accepted than by whoever happens to come.
    pub(super) instead: Option<usize>,
    /// Which of what there is (or is not, where something is made) the commands are about instead, for the same reason.
    pub(super) fitted: Option<usize>,
}

/// Mostly the commands of all the histories; and what meets the bounds, the groups in between, and ownership by name.
pub(super) fn turn() -> impl Strategy<Value = Turn> {
    let alone = |commands: BoxedStrategy<Command>| {
        (actor(), commands, 0..2_i64).prop_map(|(actor, command, clock)| {
            let commands = vec![command];
            Step {
                actor,
                commands,
                clock,
            }
        })
    };
    let many = prop_oneof![5 => Just(MAX_BATCH + 1), 1 => Just(MAX_BATCH)];
    let long_batch = (actor(), commands::random(), many).prop_map(|(actor, command, many)| {
        let commands = vec![command; many];
        Step {
            actor,
            commands,
            clock: 0,
        }
    });
    let step = prop_oneof![
        2_000 => step(),
        160 => alone(among_fillers().boxed()),
        80 => alone(oddity().boxed()),
        3 => alone(bulk().boxed()),
        2 => long_batch,
        8 => alone(Just(close()).boxed()),
    ];
    let expires_in = prop_oneof![50 => -1..=3_i64, 1 => Just(i64::MAX)];
    let sometimes = |often| prop::option::weighted(often, 0..8_usize);
    (
        step,
        expires_in,
        prop::bool::weighted(0.1),
        sometimes(0.6),
        sometimes(0.6),
    )
        .prop_map(|(step, expires_in, as_shown, instead, fitted)| Turn {
            step,
            expires_in,
            as_shown,
            instead,
            fitted,
        })
}

/// Commands about the groups that fill the slots, those next to the limit and to the end of a word among them.
fn among_fillers() -> impl Strategy<Value = Command> {
    let which = || one_of(&["f02", "f03", "f15", "f19", "f20", "f62", "f63", "f64"]);
    prop_oneof![
        (which(), grants()).prop_map(|(id, grants)| create_group(
            id,
            &format!("Again {id}"),
            grants
        )),
        (which(), grants()).prop_map(|(id, grants)| regrant(id, grants)),
        which().prop_map(delete_group),
        (which(), whom()).prop_map(|(id, members)| Command::AddToGroup(AddToGroup {
            group: group(id),
            members
        })),
        (which(), prop_oneof![whom(), Just(members(MEMBERS))]).prop_map(|(id, members)| {
            Command::RemoveFromGroup(RemoveFromGroup {
                group: group(id),
                members,
            })
        }),
    ]
}

/// Commands that chance alone would seldom make.
fn oddity() -> impl Strategy<Value = Command> {
    let rename = |role_id: &str, name: &str| {
        Command::ChangeRole(ChangeRole {
            role: role(role_id),
            name: Some(RoleName::parse(name).unwrap()),
            permissions: None,
        })
    };
    prop::sample::select(vec![
        define_role(
            "account-owner",
            "Fine Name",
            RoleLevel::Store,
            &["log.read"],
        ),
        define_role("own", "ACCOUNT_OWNER", RoleLevel::Store, &["log.read"]),
        define_role(
            "own",
            "Account Owners",
            RoleLevel::Store,
            &["log.read", "store.purge"],
        ),
        define_role("own", "Billing", RoleLevel::Account, &["log.export"]),
        define_role(
            "more",
            "Auditor",
            RoleLevel::Store,
            &["store.read", "log.read"],
        ),
        define_role("more", "Auditor", RoleLevel::Account, &["store.read"]),
        define_role(
            "group-manager",
            "Group Manager",
            RoleLevel::Account,
            &["log.read"],
        ),
        redefine_role("more", &["log.read", "store.purge"]),
        redefine_role("own", &["log.read", "store.purge"]),
        redefine_role("group-manager", &["store.purge"]),
        redefine_role(
            "group-manager",
            &["account.invite_members", "account.manage_groups"],
        ),
        redefine_role("account-owner", &["log.read"]),
        rename("own", "accountowner"),
        rename("own", "Group manager"),
        rename("store-viewer", "Store Viewer"),
        delete_role("own"),
        delete_role("more"),
        delete_store("dev"),
        delete_store("prod"),
        remove_member("olga"),
        invite_owner(D),
        invite_owner("devs"),
        cancel("devs"),
        regrant("it", [Grant::group_manager(), editor(["dev", "prod"])]),
        regrant(
            "it",
            [Grant::group_manager(), editor(["dev"]), editor(["prod"])],
        ),
        regrant(
            "it",
            [viewer(["prod"]), Grant::at_account(role("store-viewer"))],
        ),
        regrant("it", [viewer([]), viewer(["prod"]), Grant::group_manager()]),
    ])
}

/// As many as a command may name, or one more (U7). None that is accepted leaves so many behind.
fn bulk() -> impl Strategy<Value = Command> {
    fn named<T: Ord>(many: usize, one: impl Fn(String) -> T) -> BTreeSet<T> {
        (0..many)
            .map(|number| one(format!("x.n{number:05}")))
            .collect()
    }
    (
        0..9_usize,
        MAX_ITEMS_PER_COMMAND..=MAX_ITEMS_PER_COMMAND + 1,
    )
        .prop_map(|(kind, many)| match kind {
            0 => Command::AddToGroup(AddToGroup {
                group: group("it"),
                members: named(many, |id| member(&id)),
            }),
            1 => Command::RemoveFromGroup(RemoveFromGroup {
                group: group("it"),
                members: named(many, |id| member(&id)),
            }),
            2 => Command::AddMembers(AddMembers {
                members: named(MAX_ITEMS_PER_COMMAND + 1, |id| member(&id)),
            }),
            3 => regrant("it", [Grant::store_viewer(named(many, |id| store(&id)))]),
            4 => regrant("devs", vec![editor(["dev", "prod"]); many.div_ceil(2)]),
            5 => create_group("a", "Any Other", vec![Grant::group_manager(); many]),
            // The grants that the group has, if nothing has changed them.
            8 => regrant("devs", vec![editor(["dev"]); many]),
            _ => {
                let id = role(if kind == 6 { "own" } else { "store-viewer" });
                let permissions = Some(named(
                    MAX_ITEMS_PER_COMMAND + usize::from(kind == 6),
                    |text| permission(&text),
                ));
                Command::ChangeRole(ChangeRole {
                    role: id,
                    name: None,
                    permissions,
                })
            }
        })
}

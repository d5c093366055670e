//! The matrix as data: members with the same access are one row.

use std::collections::{BTreeMap, BTreeSet};

use grantbook::*;
use proptest::prelude::*;
use serde_json::json;

use crate::strategies::*;
use crate::support::*;

/// What a cell says about a permission: whether its level includes it, or something beyond.
fn says(level: AccessLevel, beyond: &[&Permission], permission: &Permission) -> bool {
    let said = match level {
        AccessLevel::None | AccessLevel::Custom => vec![],
        AccessLevel::Viewer => vec!["store.read"],
        AccessLevel::Editor => vec!["store.read", "store.write"],
        AccessLevel::Owner => return true,
    };
    let begins =
        |held: &str| *permission.as_str() == *held || permission.starts_with(&format!("{held}."));
    said.into_iter().any(begins) || beyond.iter().any(|held| begins(held))
}

fn status_in_words(status: MemberStatus) -> &'static str {
    match status {
        MemberStatus::Active { owner: true } => "owner",
        MemberStatus::Active { owner: false } => "active",
        MemberStatus::Suspended { owner: true } => "suspended owner",
        MemberStatus::Suspended { owner: false } => "suspended",
        MemberStatus::Invited { as_owner: true, .. } => "invited as owner",
        MemberStatus::Invited { .. } => "invited",
    }
}

/// All that a member may do, asked one by one.
fn access(account: &Account, member: &str) -> Vec<bool> {
    let stores = account
        .stores()
        .map(|store| Resource::Store(store.as_str()));
    let resources = [Resource::Account].into_iter().chain(stores);
    let asked = resources.flat_map(|resource| {
        let permissions = PERMISSIONS
            .into_iter()
            .chain(["account.invite_members", "any.other"]);
        permissions.map(move |text| account.can(member, &permission(text), resource))
    });
    asked.collect()
}

fn by_member(
    matrix: &AccessMatrix,
) -> BTreeMap<MemberId, (MatrixStatus, Permissions, Vec<MatrixCell>, Vec<GroupId>)> {
    let mut members = BTreeMap::new();
    for row in &matrix.rows {
        for part in &row.members {
            for member in &part.members {
                let told = (
                    row.status,
                    row.account.clone(),
                    row.cells.clone(),
                    part.groups.clone(),
                );
                assert_eq!(
                    members.insert(member.clone(), told),
                    None,
                    "{member} is in two places"
                );
            }
        }
    }
    members
}

proptest! {
    #![proptest_config(config(96))]

    /// P5, M1, M8: a matrix says of each member once what the account says of it: status, groups, what it holds at the
    /// account, and in each store the level and all that is beyond it. It never says "none" of somebody who may do
    /// anything there. Members are in one row exactly where status and access are the same.
    #[test]
    fn p5_a_matrix_is_access_grouped_by_what_is_the_same(world in account(24)) {
        let account = &world.account;
        let matrix = account.matrix();
        prop_assert!(matrix.stores.iter().eq(account.stores()));
        prop_assert_eq!(&matrix.next, &None);
        let told = by_member(&matrix);
        prop_assert!(told.keys().eq(account.members().map(|member| member.id())));
        for member in account.members() {
            let (status, at_account, cells, groups) = &told[member.id()];
            prop_assert_eq!(status.to_string(), status_in_words(member.status()));
            prop_assert!(member.groups().eq(groups));
            for text in PERMISSIONS {
                let asked = permission(text);
                prop_assert_eq!(at_account.allows(&asked), account.can(member.id(), &asked, Resource::Account));
                for (store, cell) in matrix.stores.iter().zip(cells) {
                    let may = account.can(member.id(), &asked, Resource::Store(store));
                    let beyond: Vec<_> = cell.beyond().collect();
                    prop_assert_eq!(says(cell.level(), &beyond, &asked), may, "{} {} {}", member.id(), store, cell);
                    prop_assert!(!(may && cell.level() == AccessLevel::None));
                    prop_assert_eq!(cell.level(), account.access_level(member.id(), store));
                }
            }
        }
        let mut kinds = BTreeSet::new();
        for row in &matrix.rows {
            prop_assert_eq!(row.count, row.member_ids().count());
            prop_assert!(row.count > 0 && row.member_ids().is_sorted());
            let of_row: BTreeSet<_> = row.member_ids().map(|member| access(account, member)).collect();
            prop_assert_eq!(of_row.len(), 1);
            prop_assert!(kinds.insert((row.status, of_row)), "two rows are the same");
        }
        let place = |row: &MatrixRow| {
            let first = row.member_ids().next().cloned();
            let has_stores = row.cells.iter().any(|cell| cell.level() != AccessLevel::None);
            let has_account = row.account != Permissions::Only([].into());
            let power = if has_account { 0 } else if has_stores { 1 } else { 2 };
            (row.status, power, row.count, first)
        };
        prop_assert!(matrix.rows.is_sorted_by_key(place));
    }

    /// Pages of a matrix hold everybody once, and the same as the whole; who comes or goes in between moves nobody else.
    #[test]
    fn pages_of_a_matrix_are_the_whole(world in account(24), limit in 0..4_usize) {
        let whole = by_member(&world.account.matrix());
        let mut paged = BTreeMap::new();
        let mut after: Option<MemberId> = None;
        loop {
            let page = world.account.matrix_page(after.as_ref().map(MemberId::as_str), limit);
            let members = by_member(&page);
            prop_assert!((1..=limit.max(1)).contains(&members.len()));
            prop_assert!(members.keys().all(|member| after.as_ref().is_none_or(|after| after < member)));
            paged.extend(members);
            let Some(next) = page.next else { break };
            after = Some(next);
        }
        prop_assert_eq!(paged, whole);
    }
}

/// Groups that give the same make members equal, and their row says who is in which.
#[test]
fn members_of_different_groups_may_be_equal() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        create_group("more", "More Viewers", [viewer(["prod"])]),
    );
    world.ok(OWNER, add("more", ["nils"]));
    world.ok(OWNER, suspend("gil"));
    let matrix = world.account.matrix();
    let rows: Vec<_> = matrix
        .rows
        .iter()
        .map(|row| {
            (
                row.status,
                row.member_ids().map(MemberId::as_str).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (MatrixStatus::Owner, vec!["olga"]),
            (MatrixStatus::Active, vec!["dana"]),
            (MatrixStatus::Active, vec!["nils", "vic"]),
            (MatrixStatus::Suspended, vec!["gil"]),
            (MatrixStatus::Invited, vec!["ina"]),
        ]
    );
    let of = |id: &str, who: &str| MatrixMembers {
        groups: vec![group(id)],
        members: vec![member(who)],
    };
    assert_eq!(
        matrix.rows[2].members,
        [of("more", "nils"), of("viewers", "vic")]
    );
}

/// Two roles that allow the same are the same access, whatever they name (L7).
#[test]
fn l7_what_is_included_makes_no_difference() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role(
            "titles",
            "Titles",
            RoleLevel::Store,
            &["store.read.titles", "store.read"],
        ),
    );
    world.ok(
        OWNER,
        create_group(
            "more",
            "More Viewers",
            [Grant::in_stores(role("titles"), [store("prod")])],
        ),
    );
    world.ok(OWNER, add("more", ["nils"]));
    let matrix = world.account.matrix();
    let both = matrix
        .rows
        .iter()
        .find(|row| row.count == 2)
        .expect("nils and vic are equal");
    assert_eq!(both.cells[1].to_string(), "viewer");
}

/// What is held is listed without what the rest of it includes (L7), at the account and in a store; a member's groups are
/// listed in the order of ids.
#[test]
fn l7_a_row_lists_nothing_that_the_rest_includes() {
    let mut world = World::staffed();
    for (id, level, permissions) in [
        (
            "pay",
            RoleLevel::Account,
            ["invoice.pay", "invoice.pay.late"],
        ),
        ("log", RoleLevel::Store, ["log.read", "log.read.old"]),
    ] {
        world.ok(
            OWNER,
            define_role(id, &format!("The {id}"), level, &permissions),
        );
    }
    let log = Grant::in_stores(role("log"), [store("dev")]);
    world.ok(
        OWNER,
        create_group("more", "More", [Grant::at_account(role("pay")), log]),
    );
    world.ok(OWNER, add("more", ["nils", "dana"]));
    let matrix = world.account.matrix();
    let row = |id: &str| {
        let mut rows = matrix.rows.iter();
        rows.find(|row| row.member_ids().any(|member| member.as_str() == id))
            .unwrap()
    };
    let pay = Permissions::Only([permission("invoice.pay")].into());
    assert_eq!((&row("nils").account, &row("dana").account), (&pay, &pay));
    assert_eq!(row("nils").cells[0].to_string(), "custom: log.read");
    assert_eq!(row("dana").cells[0].to_string(), "editor + log.read");
    assert_eq!(row("dana").members[0].groups, ["devs", "more"].map(group));
}

/// A thousand members in the same groups cost one row, and its cells share what is beyond their level.
#[test]
fn a_matrix_has_a_row_for_equals() {
    let mut world = World::staffed();
    let ids: Vec<String> = (0..1_000).map(|number| format!("p{number}")).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    world.ok(OWNER, add("viewers", ids.iter().map(String::as_str)));
    let matrix = world.account.matrix();
    assert_eq!(matrix.rows.len(), 6);
    assert!(matrix.rows.iter().any(|row| row.count == 1_001));
}

/// The JSON of a matrix: it is read by other programs, and does not change.
#[test]
fn the_json_of_a_matrix_is_stable() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        define_role(
            "export",
            "Exporters",
            RoleLevel::Store,
            &["invoice.export", "store.read"],
        ),
    );
    world.ok(
        OWNER,
        define_role("billing", "Billing", RoleLevel::Account, &["invoice.pay"]),
    );
    world.ok(
        OWNER,
        create_group(
            "more",
            "And More",
            [
                Grant::in_stores(role("export"), [store("dev")]),
                Grant::at_account(role("billing")),
            ],
        ),
    );
    world.ok(OWNER, add("more", ["vic"]));
    world.ok(OWNER, invite_owner("otto"));
    world.ok(OWNER, suspend("gil"));
    let none = json!({ "level": "none", "beyond": [] });
    assert_eq!(
        serde_json::to_value(world.account.matrix()).unwrap(),
        json!({
            "stores": ["dev", "prod"],
            "rows": [
                {
                    "status": "owner", "count": 1, "account": "all",
                    "cells": [{ "level": "owner", "beyond": [] }, { "level": "owner", "beyond": [] }],
                    "members": [{ "groups": [], "members": ["olga"] }],
                },
                {
                    "status": "invited-as-owner", "count": 1, "account": { "only": [] }, "cells": [none, none],
                    "members": [{ "groups": [], "members": ["otto"] }],
                },
                {
                    "status": "active", "count": 1, "account": { "only": ["invoice.pay"] },
                    "cells": [{ "level": "viewer", "beyond": ["invoice.export"] }, { "level": "viewer", "beyond": [] }],
                    "members": [{ "groups": ["more", "viewers"], "members": ["vic"] }],
                },
                {
                    "status": "active", "count": 1, "account": { "only": [] }, "cells": [{ "level": "editor", "beyond": [] }, none],
                    "members": [{ "groups": ["devs"], "members": ["dana"] }],
                },
                {
                    "status": "active", "count": 1, "account": { "only": [] }, "cells": [none, none],
                    "members": [{ "groups": [], "members": ["nils"] }],
                },
                {
                    "status": "suspended", "count": 1, "account": { "only": [] }, "cells": [none, none],
                    "members": [{ "groups": ["it"], "members": ["gil"] }],
                },
                {
                    "status": "invited", "count": 1, "account": { "only": [] }, "cells": [none, none],
                    "members": [{ "groups": ["devs"], "members": ["ina"] }],
                },
            ],
            "next": null,
        })
    );
    assert_eq!(
        serde_json::to_value(world.account.matrix_page(None, 1)).unwrap()["next"],
        "dana"
    );
}

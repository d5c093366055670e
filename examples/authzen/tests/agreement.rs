//! Every answer beside the account's own, over random accounts that change while pages are read.

mod support;

use std::collections::BTreeSet;

use fastrand::Rng;
use grantbook::{Account, Actor, Command, GroupLimit, Permission, Resource};
use grantbook::{Grant, GroupId, MemberId, RoleId, RoleLevel, StoreId};
use grantbook_authzen::{DEFAULT_PAGE, DecisionPoint, Evaluations, MAX_PAGE, Plain, SearchResults};
use serde_json::{Value, json};

use support::NOW;

const PERMISSIONS: [&str; 5] = [
    "store.read",
    "store.write",
    "log.read",
    "log.read.all",
    "account.manage_groups",
];

fn id<T: std::str::FromStr<Err = grantbook::ParseError>>(what: &str, number: usize) -> T {
    format!("{what}-{number}").parse().unwrap()
}

/// One random change, or none.
fn change(account: &mut Account, rng: &mut Rng) {
    let (group, member): (GroupId, MemberId) =
        (id("group", rng.usize(..4)), id("member", rng.usize(..12)));
    let (role, store): (RoleId, StoreId) =
        (id("role", rng.usize(..3)), id("store", rng.usize(..8)));
    let grant = |role: RoleId| match role.as_str() {
        "group-manager" => Grant::at_account(role),
        _ => Grant::in_stores(role, [store.clone()]),
    };
    let mut roles = vec![
        RoleId::store_viewer(),
        RoleId::store_editor(),
        RoleId::group_manager(),
        role.clone(),
    ];
    let granted = grant(roles.swap_remove(rng.usize(..4)));
    let some = PERMISSIONS[rng.usize(..4)].parse::<Permission>().unwrap();
    let name = format!("Name {}", rng.u8(..));
    let command = match rng.u8(..40) {
        0..4 => Command::add_members([member]),
        4 => Command::remove_members([member]),
        5..9 => Command::create_store(store),
        9 => Command::delete_store(store),
        10..14 => Command::define_role(role, name.parse().unwrap(), RoleLevel::Store, [some]),
        14..20 => Command::create_group(group, name.parse().unwrap(), [granted]),
        20..28 => Command::grant_role(group, granted.role, granted.scope),
        28 => Command::suspend_member(member),
        29 => Command::remove_from_group(group, [member]),
        _ => Command::add_to_group(group, [member]),
    };
    // Many are refused, since what they name is not there.
    let _ = account.execute(&Actor::System, &command, NOW);
}

fn question(member: &str, permission: &str, resource: &Value) -> Value {
    json!({
        "subject": { "type": "user", "id": member }, "action": { "name": permission }, "resource": resource,
    })
}

/// All pages of a search, with changes between them if there is somebody to make them: what is on them, and how many
/// they were.
fn all_pages<T>(
    account: &mut Account,
    mut asked: Value,
    limit: usize,
    mut between: impl FnMut(&mut Account),
    search: impl Fn(&DecisionPoint<'_, Plain>, &[u8]) -> SearchResults<T>,
) -> Vec<T> {
    asked["page"] = json!({ "limit": limit });
    let mut found = Vec::new();
    loop {
        let page = search(
            &DecisionPoint::new(account, &Plain, NOW),
            asked.to_string().as_bytes(),
        );
        assert!(page.results.len() <= limit && page.context.version == account.version());
        found.extend(page.results);
        if page.page.next_token.is_empty() {
            return found;
        }
        asked["page"]["token"] = page.page.next_token.into();
        between(account);
    }
}

/// A random account, whom and what is asked about, and whoever goes on changing it.
struct World {
    account: Account,
    rng: Rng,
    members: Vec<String>,
    resources: Vec<Value>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let (id, owner) = ("acme".parse().unwrap(), "olga".parse().unwrap());
        let (mut account, _) = Account::open(id, owner, GroupLimit::default(), NOW);
        for _ in 0..250 {
            change(&mut account, &mut rng);
        }
        let mut members = vec!["olga".to_owned(), "nobody".to_owned()];
        members.extend((0..12).map(|number| format!("member-{number}")));
        let mut resources: Vec<Value> = ["acme", "other"]
            .map(|id| json!({ "type": "account", "id": id }))
            .into();
        resources.extend(
            (0..9).map(|number| json!({ "type": "store", "id": format!("store-{number}") })),
        );
        Self {
            account,
            rng,
            members,
            resources,
        }
    }

    /// What an evaluation says.
    fn may(&self, member: &str, permission: &str, resource: &Value) -> bool {
        may(&self.account, member, permission, resource)
    }

    /// What the account itself says.
    fn can(&self, member: &str, permission: &str, resource: &Value) -> bool {
        let place = match (resource["type"].as_str(), resource["id"].as_str()) {
            (Some("account"), Some("acme")) => Resource::Account,
            (Some("store"), Some(store)) => Resource::Store(store),
            _ => return false,
        };
        self.account
            .can(member, &permission.parse().unwrap(), place)
    }

    fn each(mut check: impl FnMut(&mut Self)) {
        for seed in 0..60 {
            check(&mut Self::new(seed));
        }
    }
}

fn may(account: &Account, member: &str, permission: &str, resource: &Value) -> bool {
    let body = question(member, permission, resource).to_string();
    let point = DecisionPoint::new(account, &Plain, NOW);
    point.evaluation(body.as_bytes()).unwrap().decision
}

#[test]
fn evaluations_are_the_accounts_answers() {
    let (mut asked, mut allowed) = (0, 0);
    World::each(|world| {
        for permission in PERMISSIONS {
            for resource in &world.resources {
                let mut items = Vec::new();
                let mut expected = Vec::new();
                for member in &world.members {
                    let can = world.can(member, permission, resource);
                    assert_eq!(world.may(member, permission, resource), can);
                    items.push(question(member, permission, resource));
                    expected.push(can);
                    asked += 1;
                    allowed += usize::from(can);
                }
                let body = json!({ "evaluations": items }).to_string();
                let point = DecisionPoint::new(&world.account, &Plain, NOW);
                let Evaluations::Many { evaluations } = point.evaluations(body.as_bytes()).unwrap()
                else {
                    panic!("one");
                };
                assert!(evaluations.iter().map(|one| one.decision).eq(expected));
            }
        }
    });
    println!("{asked} questions, {allowed} allowed");
    assert!(allowed > 4_000, "{allowed}");
}

#[test]
fn searches_find_what_evaluations_allow() {
    let mut count = 0;
    World::each(|world| {
        for permission in PERMISSIONS {
            for resource in world.resources.clone() {
                let may = |member: &&String| world.may(member, permission, &resource);
                let mut who: Vec<String> = world.members.iter().filter(may).cloned().collect();
                who.sort();
                let (question, limit) = (
                    question("", permission, &resource),
                    1 + world.rng.usize(..4),
                );
                let found = all_pages(
                    &mut world.account,
                    question,
                    limit,
                    |_| (),
                    |point, body| point.search_subjects(body).unwrap(),
                );
                assert!(found.iter().map(|one| &one.id).eq(&who));
                count += who.len();
            }
            for member in world.members.clone() {
                for kind in ["account", "store"] {
                    let of_kind = world
                        .resources
                        .iter()
                        .filter(|resource| resource["type"] == kind);
                    let there = of_kind.filter(|resource| world.may(&member, permission, resource));
                    let there: Vec<String> = there
                        .map(|one| one["id"].as_str().unwrap().to_owned())
                        .collect();
                    let question = question(&member, permission, &json!({ "type": kind }));
                    let found = all_pages(
                        &mut world.account,
                        question,
                        2,
                        |_| (),
                        |point, body| point.search_resources(body).unwrap(),
                    );
                    assert!(found.iter().map(|one| &one.id).eq(&there));
                    count += there.len();
                }
            }
        }
    });
    println!("{count} found");
    assert!(count > 8_000, "{count}");
}

#[test]
fn actions_are_those_that_have_a_name() {
    let mut count = 0;
    World::each(|world| {
        let roles = world
            .account
            .roles()
            .flat_map(|(_, role)| role.permissions());
        let named: BTreeSet<String> = roles.map(ToString::to_string).collect();
        for member in world.members.clone() {
            for resource in world.resources.clone() {
                let question = question(&member, "ignored", &resource);
                let found = all_pages(
                    &mut world.account,
                    question,
                    2,
                    |_| (),
                    |point, body| point.search_actions(body).unwrap(),
                );
                assert!(
                    found
                        .iter()
                        .all(|action| world.may(&member, &action.name, &resource))
                );
                for permission in PERMISSIONS
                    .iter()
                    .filter(|permission| named.contains(**permission))
                {
                    let is_of_level =
                        permission.starts_with("account.") == (resource["type"] == "account");
                    let is_expected = is_of_level && world.may(&member, permission, &resource);
                    assert_eq!(
                        found.iter().any(|action| action.name == **permission),
                        is_expected
                    );
                    count += usize::from(is_expected);
                }
            }
        }
    });
    println!("{count} actions found");
    assert!(count > 2_000, "{count}");
}

/// Whoever may all the time is found, whatever changes between two pages; and nobody twice.
#[test]
fn pages_outlive_changes() {
    let mut changed = 0;
    World::each(|world| {
        let resource = json!({ "type": "store", "id": "store-1" });
        let members = world.members.iter();
        let may_now = members.filter(|member| world.may(member, "store.read", &resource));
        let mut always: BTreeSet<String> = may_now.cloned().collect();
        let before = always.len();
        let rng = &mut world.rng;
        let between = |account: &mut Account| {
            for _ in 0..20 {
                change(account, rng);
            }
            always.retain(|member| may(account, member, "store.read", &resource));
        };
        let question = question("", "store.read", &resource);
        let found = all_pages(&mut world.account, question, 1, between, |point, body| {
            point.search_subjects(body).unwrap()
        });
        let ids: BTreeSet<String> = found.iter().map(|one| one.id.clone()).collect();
        assert!(
            always.is_subset(&ids) && ids.len() == found.len(),
            "{always:?} {ids:?}"
        );
        changed += before - always.len();
    });
    assert!(changed > 0);
}

/// A page is no longer than the longest, whatever is asked for; without a limit it has the usual length.
#[test]
fn pages_are_bounded() {
    let (acme, owner) = ("acme".parse().unwrap(), "olga".parse().unwrap());
    let (mut account, _) = Account::open(acme, owner, GroupLimit::default(), NOW);
    let members: Vec<MemberId> = (0..MAX_PAGE + 5)
        .map(|number| id("member", number))
        .collect();
    let (group, store): (GroupId, StoreId) = (id("group", 1), id("store", 1));
    let viewer = Grant::store_viewer([store.clone()]);
    let commands = [
        Command::add_members(&members),
        Command::create_store(&store),
        Command::create_group(&group, "Readers".parse().unwrap(), [viewer]),
        Command::add_to_group(&group, &members),
    ];
    account
        .execute_batch(&Actor::System, &commands, NOW)
        .unwrap();
    let point = DecisionPoint::new(&account, &Plain, NOW);
    let resource = json!({ "type": "store", "id": "store-1" });
    for (page, count) in [
        (json!(null), DEFAULT_PAGE),
        (json!({ "limit": u64::MAX }), MAX_PAGE),
    ] {
        let mut asked = question("", "store.read", &resource);
        asked["page"] = page;
        let found = point.search_subjects(asked.to_string().as_bytes()).unwrap();
        assert_eq!((found.results.len(), found.page.count), (count, count));
    }
}

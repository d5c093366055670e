//! Answers that depend on what they should not, or that disagree.

use std::collections::{BTreeMap, BTreeSet};

use grantbook::*;

use crate::support::*;

/// A small deterministic generator of numbers, to shuffle with.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

const MEMBERS: [&str; 12] = [
    "a", "A", "aa", "b", "10", "9", "é", "ä", "olga", "z", "~", "a b",
];

const STORES: [&str; 7] = ["dev", "Dev", "dev-2", "10", "9", "prod", "ü"];
const GROUPS: [&str; 8] = ["g", "G", "gg", "1", "10", "2", "ops", "a"];

/// The history of an account that has one of almost everything, in phases: the commands of a phase can come in any
/// order.
fn phases(numbers: &mut Numbers) -> Vec<Vec<Command>> {
    let mut grants = vec![
        vec![editor(["dev", "10"]), viewer(["prod"])],
        vec![viewer(["Dev", "dev-2", "9"])],
        vec![
            Grant::group_manager(),
            Grant::at_account(role("billing")),
            viewer(["dev"]),
        ],
        vec![
            Grant::in_stores(role("audit"), STORES.map(store)),
            editor(["ü"]),
        ],
        vec![Grant::at_account(role("billing"))],
        vec![
            Grant::in_stores(role("audit"), [store("10")]),
            viewer(["10", "prod"]),
            editor(["9"]),
        ],
        vec![viewer(["Dev"])],
        vec![Grant::group_manager()],
    ];
    for grants in &mut grants {
        numbers.shuffle(grants);
    }
    let create = |(number, grants): (usize, Vec<Grant>)| {
        create_group(GROUPS[number], &format!("Group {number}"), grants)
    };
    let mut phases = vec![
        MEMBERS
            .iter()
            .filter(|id| **id != OWNER)
            .map(|id| enrol([*id]))
            .chain(STORES.map(create_store))
            .chain([
                define_role(
                    "audit",
                    "Auditor",
                    RoleLevel::Store,
                    &["log.read", "log.export"],
                ),
                define_role("billing", "Billing", RoleLevel::Account, &["invoice.read"]),
            ])
            .chain([
                invite("ina"),
                invite_owner("otto"),
                invite_until("eva", 1_001),
            ])
            .collect(),
        grants.into_iter().enumerate().map(create).collect(),
        GROUPS
            .iter()
            .enumerate()
            .flat_map(|(number, group)| {
                let ids = MEMBERS.iter().chain(&["ina", "eva"]).enumerate();
                ids.filter(move |(index, _)| (index * 7 + number * 5) % 4 == 0)
                    .map(|(_, id)| add(group, [*id]))
            })
            .collect(),
        vec![
            grant_ownership("9"),
            remove_member("aa"),
            delete_store("Dev"),
            delete_store("9"),
            redefine_role("audit", &["log.read", "log.erase"]),
            rename_group("G", "Renamed"),
        ],
    ];
    for commands in &mut phases {
        numbers.shuffle(commands);
    }
    phases
}

fn busy(seed: u64) -> World {
    let mut world = World::new();
    for command in phases(&mut Numbers(seed)).into_iter().flatten() {
        world.system(command);
    }
    world.now = 1_001;
    world
}

fn asked_permissions() -> Vec<Permission> {
    let own = [
        "log.read",
        "log.export",
        "log.erase",
        "log.read.old",
        "store.write.tuples",
        "invoice.read",
        "never.granted",
    ];
    Permission::BUILT_IN
        .into_iter()
        .chain(own.map(permission))
        .collect()
}

fn asked_members(account: &Account) -> Vec<String> {
    let there = account.members().map(|member| member.id().to_string());
    let not_there = ["", "aa", "nobody", "g", "dev"].map(str::to_owned);
    there.chain(not_there).collect()
}

fn asked_places(account: &Account) -> Vec<Resource> {
    let stores = account.stores().cloned();
    let gone = ["Dev", "9", "g"].map(store);
    [Resource::Account]
        .into_iter()
        .chain(stores.chain(gone).map(Resource::Store))
        .collect()
}

/// Every answer that an account gives, written out.
fn every_answer(account: &Account, now: Timestamp) -> String {
    use std::fmt::Write;
    let mut told = format!("{:?} {:?}\n", account.matrix(), account.review(now));
    for member in asked_members(account) {
        let whole = account.effective_permissions(&member);
        let whole = serde_json::to_string(&whole).unwrap();
        writeln!(
            told,
            "{whole} {:?}",
            account.escalation(&member, None, 2, now)
        )
        .unwrap();
        for permission in asked_permissions() {
            let stores: Vec<_> = account.stores_for(&member, &permission, None).collect();
            writeln!(told, "{stores:?}").unwrap();
            for resource in asked_places(account) {
                let explained = account.explain(&member, &permission, resource.as_deref(), now);
                writeln!(told, "{explained:?}").unwrap();
            }
        }
    }
    for permission in asked_permissions() {
        for resource in asked_places(account) {
            let who: Vec<_> = account
                .who_can(&permission, resource.as_deref(), None)
                .collect();
            writeln!(told, "{who:?}").unwrap();
        }
    }
    told
}

/// An answer, or the stored form, depends on the order in which ids were created, or on a seed of hashing, so that two
/// processes, or two runs, disagree about the same account, and one of them about a revocation. U6 and G4 stop it:
/// whatever the order, equal answers and the same bytes of JSON. Known as an interpretation conflict (CWE-436).
#[test]
fn u6_answers_do_not_depend_on_the_order_of_creation() {
    let first = busy(0);
    let json = serde_json::to_string(&first.account.snapshot()).unwrap();
    // All but the digest and the revisions, which stand for the history and not for what came of it.
    let content = |account: &Account| {
        let mut plain = serde_json::to_value(account.snapshot()).unwrap();
        plain.as_object_mut().unwrap().remove("digest");
        for list in ["roles", "groups"] {
            for entry in plain[list].as_array_mut().unwrap() {
                let entry = entry.as_object_mut().unwrap();
                entry.retain(|field, _| !field.contains("revision"));
            }
        }
        plain
    };
    let answers = every_answer(&first.account, at(first.now));
    assert!(answers.len() > 50_000, "{}", answers.len());
    let mut histories = BTreeSet::new();
    for seed in 1..12 {
        let other = busy(seed);
        let history: Vec<_> = other
            .records
            .iter()
            .map(|record| format!("{:?}", record.event()))
            .collect();
        histories.insert(history.join("\n"));
        assert_eq!(content(&other.account), content(&first.account));
        assert_eq!(
            every_answer(&other.account, at(other.now)),
            answers,
            "{seed}"
        );
    }
    assert_eq!(histories.len(), 11, "the histories do differ");
    for account in first.read_back() {
        assert_eq!(serde_json::to_string(&account.snapshot()).unwrap(), json);
        assert_eq!(every_answer(&account, at(first.now)), answers);
    }
    // A snapshot whose lists are in another order is the same account.
    let turned = super::rewritten(&first.account.snapshot(), |json| {
        for list in ["roles", "stores", "groups", "members"] {
            json[list].as_array_mut().unwrap().reverse();
        }
        for member in json["members"].as_array_mut().unwrap() {
            member["groups"].as_array_mut().unwrap().reverse();
        }
    });
    let turned = Account::try_from(turned.unwrap()).unwrap();
    assert_eq!(serde_json::to_string(&turned.snapshot()).unwrap(), json);
    assert_eq!(every_answer(&turned, at(first.now)), answers);
}

/// What the check says and what the lists say are two mechanisms, and the attacker uses the one that says yes. P1, P2,
/// P4, P5, L6 and M1 stop it: each of the ten answers is compared, for every member, permission and resource, with a
/// calculation from the plain readers. Known from Harbor (CVE-2022-31667 and its like), where some paths asked and
/// others did not (CWE-863).
#[test]
fn p1_checks_and_lists_agree() {
    let world = busy(7);
    let mut counts = BTreeMap::new();
    for account in world.read_back().iter().chain([&world.account]) {
        for member in asked_members(account) {
            let whole = account.effective_permissions(&member);
            for permission in asked_permissions() {
                for resource in asked_places(account) {
                    let expected = calculated(account, &member, &permission, &resource);
                    *counts.entry(expected).or_insert(0) += 1;
                    compare(account, &whole, &member, &permission, &resource, expected);
                }
            }
        }
        let known: BTreeSet<_> = account
            .roles()
            .flat_map(|(_, role)| role.permissions().clone())
            .collect();
        let matrix = account.matrix();
        assert!(matrix.stores.iter().eq(account.stores()));
        let rows = matrix.rows.iter();
        let each = rows.flat_map(|row| row.member_ids().map(move |member| (row, member)));
        for (row, member) in each {
            let whole = account.effective_permissions(member);
            for (store, cell) in matrix.stores.iter().zip(&row.cells) {
                let resource = Resource::Store(store.clone());
                let holds = |permission| calculated(account, member, &permission, &resource);
                let expected = match (
                    holds(Permission::STORE_READ),
                    holds(Permission::STORE_WRITE),
                ) {
                    (true, _) if row.status == MatrixStatus::Owner => AccessLevel::Owner,
                    (true, true) => AccessLevel::Editor,
                    (true, false) => AccessLevel::Viewer,
                    (false, true) => AccessLevel::Custom,
                    (false, false) if known.iter().cloned().any(holds) => AccessLevel::Custom,
                    (false, false) => AccessLevel::None,
                };
                assert_eq!(cell.level(), expected, "{member} {store}");
                assert_eq!(account.access_level(member, store), expected);
                assert_eq!(whole.level(store), expected);
            }
        }
    }
    assert!(counts.values().all(|count| *count > 300), "{counts:?}");
}

/// Whether a member has a permission, calculated from the plain readers alone.
fn calculated(
    account: &Account,
    member: &str,
    permission: &Permission,
    resource: &Resource,
) -> bool {
    let Some(member) = account.member(member) else {
        return false;
    };
    let is_there = match resource {
        Resource::Account => true,
        Resource::Store(store) => account.has_store(store),
    };
    if !is_there || !member.status().is_active() {
        return false;
    }
    let grants = |group: &Group<'_>| {
        group.grant_list().iter().any(|grant| {
            let covers = match (&grant.scope, resource) {
                (Scope::Account, Resource::Account) => true,
                (Scope::Stores(stores), Resource::Store(store)) => stores.contains(store),
                _ => false,
            };
            covers
                && account
                    .role(&grant.role)
                    .unwrap()
                    .permissions()
                    .iter()
                    .any(|held| permission == held || permission.starts_with(&format!("{held}.")))
        })
    };
    let is_in = |group: &Group<'_>| group.members().any(|other| other == member.id());
    member.status().is_owner()
        || account
            .groups()
            .any(|group| is_in(&group) && grants(&group))
}

fn compare(
    account: &Account,
    whole: &EffectivePermissions,
    member: &str,
    permission: &Permission,
    resource: &Resource,
    expected: bool,
) {
    let text = resource.as_deref();
    let explained = account
        .explain(member, permission, text, account.changed_at())
        .answer;
    let on = account.permissions_on(member, text);
    let stores: Vec<_> = account.stores_for(member, permission, None).collect();
    let mut answers = vec![
        ("can", account.can(member, permission, text)),
        (
            "check",
            account.check(member, permission, text).is_allowed(),
        ),
        ("effective_permissions", whole.can(permission, text)),
        (
            "permissions_on",
            on.is_ok_and(|held| held.allows(permission)),
        ),
        (
            "who_can",
            account
                .who_can(permission, text, None)
                .any(|id| id.as_str() == member),
        ),
        ("explain", matches!(explained, Verdict::Allowed { .. })),
    ];
    match resource {
        Resource::Account => answers.push(("account()", whole.account().allows(permission))),
        Resource::Store(store) => {
            answers.push(("stores_for", stores.contains(&store)));
            let listed = whole
                .stores()
                .any(|(id, held)| id == store && held.allows(permission));
            answers.push(("stores()", listed));
        }
    }
    for (name, answer) in answers {
        assert_eq!(answer, expected, "{name}: {member} {permission} {resource}");
    }
}

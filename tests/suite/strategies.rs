//! Random commands by random actors, drawn from a handful of ids so that they meet.

use std::collections::BTreeSet;

use grantbook::*;
use proptest::prelude::*;

use crate::commands;
use crate::support::*;

/// The longest id that a table holds in two words, and a longer one that begins alike.
pub(crate) const C: &str = "c-0123456789abc";
pub(crate) const D: &str = "c-0123456789abcd";

pub(crate) const MEMBERS: [&str; 6] = ["olga", "a", "b", C, D, "devs"];
pub(crate) const STORES: [&str; 4] = ["dev", "prod", "olga", D];
pub(crate) const GROUPS: [&str; 4] = ["devs", "it", D, "a"];
pub(crate) const ROLES: [&str; 5] = [
    "group-manager",
    "store-editor",
    "store-viewer",
    "own",
    "more",
];
pub(crate) const PERMISSIONS: [&str; 11] = [
    "store.read",
    "store.write",
    "log.read",
    "log.export",
    "store.read.titles",
    "store.write.tuples",
    "log.read.old",
    "store.writer",
    "account.manage_groups",
    "account.manage_owners",
    "account.x",
];

/// What happens at one step: who asks for what, and how the clock moves before.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) actor: Actor,
    pub(crate) commands: Vec<Command>,
    pub(crate) clock: i64,
}

pub(crate) fn history(steps: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), steps)
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let commands = prop_oneof![
        9 => commands::random().prop_map(|command| vec![command]),
        1 => prop::collection::vec(commands::random(), 0..4),
    ];
    let clock = prop_oneof![4 => 0..3_i64, 1 => -3..0_i64];
    (actor(), commands, clock).prop_map(|(actor, commands, clock)| Step {
        actor,
        commands,
        clock,
    })
}

pub(crate) fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        2 => Just(Actor::System),
        6 => one_of(&MEMBERS).prop_map(by),
        9 => Just(by("olga")),
        6 => one_of(&["a", "b"]).prop_map(by),
        1 => Just(by("stranger")),
    ]
}

pub(crate) fn one_of(ids: &'static [&'static str]) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(ids)
}

pub(crate) fn who() -> impl Strategy<Value = MemberId> {
    one_of(&MEMBERS).prop_map(member)
}

pub(crate) fn whom() -> impl Strategy<Value = BTreeSet<MemberId>> {
    prop::collection::btree_set(who(), 0..3)
}

pub(crate) fn which_group() -> impl Strategy<Value = GroupId> {
    prop_oneof![3 => one_of(&GROUPS[..2]), 1 => one_of(&GROUPS)].prop_map(group)
}

pub(crate) fn which_store() -> impl Strategy<Value = StoreId> + Clone {
    one_of(&STORES).prop_map(store)
}

pub(crate) fn which_role() -> impl Strategy<Value = RoleId> {
    one_of(&ROLES).prop_map(role)
}

pub(crate) fn group_name() -> impl Strategy<Value = GroupName> {
    one_of(&[
        "Dev Team",
        "dev team",
        "Ops",
        "Dev  Team",
        "IT Group",
        "Any Other",
    ])
    .prop_map(|name| GroupName::parse(name).unwrap())
}

pub(crate) fn role_name() -> impl Strategy<Value = RoleName> {
    one_of(&[
        "Auditor",
        "AUDITOR",
        "Billing",
        "Store-Editor",
        "Account Owner",
        "Another",
    ])
    .prop_map(|name| RoleName::parse(name).unwrap())
}

pub(crate) fn description() -> impl Strategy<Value = Description> {
    one_of(&["", "Those who build"]).prop_map(|text| Description::parse(text).unwrap())
}

pub(crate) fn some_permissions() -> impl Strategy<Value = BTreeSet<Permission>> {
    let one = prop_oneof![9 => one_of(&PERMISSIONS[..7]), 1 => one_of(&PERMISSIONS)];
    prop::collection::btree_set(one.prop_map(permission), 0..4)
}

pub(crate) fn level() -> impl Strategy<Value = RoleLevel> {
    prop_oneof![Just(RoleLevel::Store), Just(RoleLevel::Account)]
}

pub(crate) fn grant() -> impl Strategy<Value = Grant> {
    let stores = prop_oneof![
        8 => prop::collection::btree_set(which_store(), 1..3),
        1 => Just(BTreeSet::new()),
    ];
    let fitting = stores.clone().prop_flat_map(|stores| {
        prop_oneof![
            Just(Grant::group_manager()),
            Just(Grant::store_editor(stores.clone())),
            Just(Grant::store_viewer(stores.clone())),
            Just(Grant::in_stores(role("own"), stores)),
            Just(Grant::at_account(role("more"))),
        ]
    });
    let any_scope = prop_oneof![Just(Scope::Account), stores.prop_map(Scope::Stores)];
    let any = (which_role(), any_scope).prop_map(|(role, scope)| Grant { role, scope });
    prop_oneof![5 => fitting, 1 => any]
}

pub(crate) fn grants() -> impl Strategy<Value = Vec<Grant>> {
    prop_oneof![8 => prop::collection::vec(grant(), 1..4), 1 => Just(Vec::new())]
}

pub(crate) fn sometimes<S: Strategy>(
    probability: f64,
    strategy: S,
) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::weighted(probability, strategy)
}

/// Managers, an editor and a viewer, so that there is something to lose. The limit is three among four group ids, so
/// that it is met.
pub(crate) fn beginning() -> World {
    staffed(World::with_limit(3))
}

/// The same beyond 64 groups: they stand before all others, and their slots too.
pub(crate) fn wide_beginning() -> World {
    let mut world = World::with_limit(73);
    world.ok(OWNER, create_store("zoo"));
    for number in 0..70 {
        let (id, name) = (format!("0{number}"), format!("Filler {number}"));
        world.ok(OWNER, create_group(&id, &name, [viewer(["zoo"])]));
    }
    staffed(world)
}

fn staffed(mut world: World) -> World {
    world.system(enrol(["a", "b", C, D]));
    for command in staffing() {
        world.ok(OWNER, command);
    }
    world
}

/// What an owner does before a history begins, once `a`, `b`, [`C`] and [`D`] are enrolled: first stores and roles, then
/// groups.
pub(crate) fn staffing() -> [Command; 8] {
    [
        create_store("dev"),
        create_store("prod"),
        define_role("own", "Auditor", RoleLevel::Store, &["log.read"]),
        define_role("more", "Billing", RoleLevel::Account, &["log.export"]),
        create_group("it", "IT Group", [Grant::group_manager(), viewer(["prod"])]),
        create_group("devs", "Dev Team", [editor(["dev"])]),
        add("it", ["a", "b"]),
        add("devs", ["b", C]),
    ]
}

/// What comes of random commands, refusals left aside.
pub(crate) fn grown(mut world: World, steps: &[Step]) -> World {
    for Step {
        actor,
        commands,
        clock,
    } in steps
    {
        world.now = world.now.saturating_add_signed(*clock);
        if let Ok(records) = world.account.execute_batch(actor, commands, at(world.now)) {
            world.records.extend(records);
        }
    }
    world
}

/// Random accounts, one in four with more than 64 groups.
pub(crate) fn account(steps: usize) -> impl Strategy<Value = World> {
    let begins = prop_oneof![3 => Just(beginning as fn() -> World), 1 => Just(wide_beginning as fn() -> World)];
    (begins, history(steps)).prop_map(|(begin, steps)| grown(begin(), &steps))
}

/// Where something may be asked about: the account, every store there may be, and one that never is.
pub(crate) fn resources() -> impl Iterator<Item = Resource<&'static str>> + Clone {
    [Resource::Account, Resource::Store("none")]
        .into_iter()
        .chain(STORES.into_iter().map(Resource::Store))
}

/// So many cases, or as many as the environment variable `PROPTEST_CASES` says.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

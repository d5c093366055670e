//! Why, who else, where, and what would change.

use std::collections::BTreeSet;

use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, PERMISSIONS, STORES, account, config, resources, step};
use crate::support::*;

fn explained(world: &World, member: &str, text: &str, resource: Resource<&str>) -> String {
    world
        .account
        .explain(member, &permission(text), resource)
        .to_string()
}

/// P1, L2, P2: an explanation names every way, says what is included, and which way is the only one.
#[test]
fn an_explanation_names_every_way() {
    let mut world = World::staffed();
    let dev = Resource::Store("dev");
    assert_eq!(
        explained(&world, "dana", "store.read", dev),
        "`dana` may `store.read` in store `dev`:\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer \
         (the only way: who leaves the group loses it)"
    );
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["dev"])]));
    assert_eq!(
        explained(&world, "dana", "store.read", dev),
        "`dana` may `store.read` in store `dev`:\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer \
         (the only way: who leaves the group loses it)\n\
         - through group `devs` (Dev Team), by its role Store Viewer (the only way: who leaves the group loses it)"
    );
    world.ok(OWNER, regrant("viewers", [viewer(["dev", "prod"])]));
    world.ok(OWNER, add("viewers", ["dana"]));
    world.ok(OWNER, grant_ownership("dana"));
    assert_eq!(
        explained(&world, "dana", "store.read", dev),
        "`dana` may `store.read` in store `dev`:\n\
         - as an account owner\n\
         - through group `devs` (Dev Team), by its role Store Editor, which includes Store Viewer\n\
         - through group `devs` (Dev Team), by its role Store Viewer\n\
         - through group `viewers` (Read-Only Access), by its role Store Viewer"
    );
    assert_eq!(
        explained(&world, "dana", "never.defined", Resource::Account),
        "`dana` may `never.defined` at the account:\n- as an account owner (the only way: without ownership it is lost)"
    );
}

/// P1: a way leads through a grant that counts there, and through no other that the group has.
#[test]
fn an_explanation_names_no_other_way() {
    let mut world = World::staffed();
    world.ok(OWNER, regrant("devs", [editor(["dev"]), viewer(["prod"])]));
    let only = "(the only way: who leaves the group loses it)";
    for (resource, role) in [
        ("dev", "Store Editor, which includes Store Viewer"),
        ("prod", "Store Viewer"),
    ] {
        assert_eq!(
            explained(&world, "dana", "store.read", Resource::Store(resource)),
            format!(
                "`dana` may `store.read` in store `{resource}`:\n- through group `devs` (Dev Team), by its role {role} {only}"
            )
        );
    }
}

/// M1, L3, P1: whoever accepts an invitation gains what its groups hold; when a role changes, all gain or lose who are
/// in a group that carries it, at the account and in stores.
#[test]
fn a_preview_reaches_those_whom_no_command_names() {
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

/// P4: a denial gives its reason and what would help; nothing smaller would.
#[test]
fn a_denial_says_what_would_help() {
    let mut world = World::staffed();
    let (dev, prod) = (Resource::Store("dev"), Resource::Store("prod"));
    assert_eq!(
        explained(&world, "dana", "store.read", prod),
        "`dana` may not `store.read` in store `prod`: the member lacks `store.read`\n\
         Any one of these would allow it:\n\
         - add `dana` to group `viewers`\n\
         - grant role `store-viewer` to group `devs` in store `prod`, for all its members"
    );
    assert_eq!(
        explained(&world, "vic", "store.read", dev),
        "`vic` may not `store.read` in store `dev`: the member lacks `store.read`\n\
         Any one of these would allow it:\n\
         - add `vic` to group `devs`\n\
         - add the store to role `store-viewer` of group `viewers`, for all its members"
    );
    assert_eq!(
        explained(&world, "nils", "account.manage_roles", Resource::Account),
        "`nils` may not `account.manage_roles` at the account: the member lacks `account.manage_roles`\n\
         One command would allow it:\n\
         - make `nils` an account owner; nothing less would do"
    );
    assert_eq!(
        explained(&world, "ina", "store.write", dev),
        "`ina` may not `store.write` in store `dev`: the member has not accepted its invitation yet\n\
         One command would allow it:\n\
         - `ina` accepts its invitation"
    );
    assert_eq!(
        explained(&world, "ina", "store.write", prod),
        "`ina` may not `store.write` in store `prod`: the member has not accepted its invitation yet\n\
         No single command would allow it."
    );
    assert_eq!(
        explained(&world, "nobody", "store.read", dev),
        "`nobody` may not `store.read` in store `dev`: no such member in this account\n\
         No single command would allow it."
    );
    assert_eq!(
        explained(&world, OWNER, "store.read", Resource::Store("new")),
        "`olga` may not `store.read` in store `new`: no such store in this account\n\
         One command would allow it:\n\
         - create the store"
    );
    world.ok(
        OWNER,
        define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
    );
    world.ok(
        OWNER,
        regrant(
            "viewers",
            [Grant::in_stores(role("auditor"), [store("prod")])],
        ),
    );
    assert_eq!(
        explained(&world, "vic", "log.export", prod),
        "`vic` may not `log.export` in store `prod`: the member lacks `log.export`\n\
         One command would allow it:\n\
         - add `log.export` to role `auditor`, for all who hold it"
    );
}

/// E1, E2: who may issue a remedy is for `decide` to say.
#[test]
fn a_remedy_says_who_may_issue_it() {
    let mut world = World::staffed();
    world.ok(
        OWNER,
        regrant("it", [Grant::group_manager(), viewer(["prod"])]),
    );
    let explanation =
        world
            .account
            .explain(MANAGER, &Permission::STORE_WRITE, Resource::Store("dev"));
    let Verdict::Denied { remedies, .. } = explanation.answer else {
        panic!("{explanation}")
    };
    let code = |remedy: &Remedy, actor: &str| {
        let outcome = remedy.may_be_issued_by(&world.account, &by(actor), at(world.now));
        outcome.map_err(|refusal| refusal.code())
    };
    let steps: Vec<_> = remedies.iter().map(|remedy| &remedy.step).collect();
    assert_eq!(
        steps,
        [
            &RemedyKind::AddToGroup {
                group: group("devs")
            },
            &RemedyKind::AddGrant {
                group: group("it"),
                role: role("store-editor"),
                drops: vec![]
            },
        ]
    );
    assert_eq!(
        [code(&remedies[0], MANAGER), code(&remedies[1], MANAGER)],
        [Err("self-addition"), Err("self-escalation")]
    );
    assert_eq!(
        [code(&remedies[0], OWNER), code(&remedies[1], OWNER)],
        [Ok(()), Ok(())]
    );
    assert_eq!(
        [code(&remedies[0], "dana"), code(&remedies[1], "nobody")],
        [Err("not-authorized"); 2]
    );
}

/// M3: an invitation is for its member to accept, whoever else is invited.
#[test]
fn accepting_is_a_remedy_for_the_invited_alone() {
    let mut world = World::staffed();
    world.ok(OWNER, invite("eva"));
    let explanation = world
        .account
        .explain("ina", &Permission::STORE_READ, Resource::Store("dev"));
    let Verdict::Denied { remedies, .. } = explanation.answer else {
        panic!("{explanation}")
    };
    let may = |actor: Actor| {
        remedies[0]
            .may_be_issued_by(&world.account, &actor, at(world.now))
            .map_err(|no| no.code())
    };
    assert_eq!(
        [
            may(by("ina")),
            may(by("eva")),
            may(by(OWNER)),
            may(Actor::System)
        ],
        [
            Ok(()),
            Err("no-invitation"),
            Err("no-invitation"),
            Err("no-invitation")
        ]
    );
}

/// S3: a remedy says what it drops.
#[test]
fn a_remedy_says_what_it_drops() {
    let mut world = World::staffed();
    world.ok(OWNER, create_store("old"));
    world.ok(
        OWNER,
        regrant("viewers", [viewer(["prod"]), editor(["old"])]),
    );
    world.ok(OWNER, delete_store("old"));
    assert_eq!(
        explained(&world, "vic", "store.read", Resource::Store("dev")),
        "`vic` may not `store.read` in store `dev`: the member lacks `store.read`\n\
         Any one of these would allow it:\n\
         - add `vic` to group `devs`\n\
         - add the store to role `store-viewer` of group `viewers`, for all its members, \
         and drop its role `store-editor`, which is left with no store"
    );
}

/// An explanation of whatever was asked stays on its lines.
#[test]
fn an_explanation_does_not_carry_what_was_asked_over_its_lines() {
    let world = World::staffed();
    let said = explained(
        &world,
        "x`\n`olga\u{1b}[2J\u{202e}",
        "store.read",
        Resource::Store("a\r\nb"),
    );
    assert!(
        said.starts_with(
            "`x`\\u{a}`olga\\u{1b}[2J\\u{202e}` may not `store.read` in store `a\\u{d}\\u{a}b`: "
        ),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2);
}

/// U6: lists can be read page by page, and resumed after an id that has gone.
#[test]
fn lists_are_read_page_by_page() {
    let mut world = World::staffed();
    let letters: Vec<String> = ('a'..='z').map(String::from).collect();
    world.system(enrol(letters.iter().map(String::as_str)));
    world.ok(OWNER, add("devs", ["b", "c", "x"]));
    world.ok(
        OWNER,
        create_group("more", "More Editors", [editor(["dev"])]),
    );
    world.ok(OWNER, add("more", ["a", "c", "y"]));
    let page = |world: &World, after: Option<&str>| -> Vec<String> {
        let who = world
            .account
            .who_can(&Permission::STORE_WRITE, Resource::Store("dev"), after);
        who.take(3).map(ToString::to_string).collect()
    };
    assert_eq!(page(&world, None), ["a", "b", "c"]);
    assert_eq!(page(&world, Some("c")), ["dana", "olga", "x"]);
    world.ok(OWNER, remove_member("x"));
    assert_eq!(page(&world, Some("x")), ["y"]);
    assert!(page(&world, Some("y")).is_empty());
    let stores: Vec<_> = world
        .account
        .stores_for(OWNER, &Permission::STORE_READ, Some("dev"))
        .collect();
    assert_eq!(stores, [&store("prod")]);
}

/// P1, U6: who is in a group, and who can, come in the order of ids and page by page, be they few among many or many.
#[test]
fn few_among_many_and_many_are_listed_alike() {
    let mut world = World::new();
    let id = |number: usize| format!("m{:03}", number * 37 % 200);
    let ids: Vec<String> = (0..200).map(id).collect();
    world.system(enrol(ids.iter().map(String::as_str)));
    world.ok(OWNER, create_store("dev"));
    for count in [1, 3, 12, 13, 150] {
        let group = format!("{count} of all");
        let mut some: Vec<&str> = ids[..count].iter().map(String::as_str).collect();
        world.ok(OWNER, create_group(&group, &group, [viewer(["dev"])]));
        world.ok(OWNER, add(&group, some.iter().copied()));
        some.sort_unstable();
        let listed = world.account.group(&group).unwrap().members();
        assert!(listed.map(MemberId::as_str).eq(some.iter().copied()));
        some.push(OWNER);
        let resource = Resource::Store("dev");
        let mut read: Vec<&str> = Vec::new();
        for _ in 0..some.len() {
            let page =
                world
                    .account
                    .who_can(&Permission::STORE_READ, resource, read.last().copied());
            read.extend(page.take(2).map(MemberId::as_str));
        }
        assert_eq!(read, some, "{count}");
        world.ok(OWNER, take_out(&group, some[..count].iter().copied()));
        world.ok(
            OWNER,
            Command::DeleteGroup {
                group: crate::support::group(&group),
            },
        );
    }
}

/// G9, P2, S3: a preview says who gains and loses what, and changes nothing.
#[test]
fn a_preview_says_who_gains_and_loses() {
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
        (preview.records.len(), said.collect::<Vec<_>>())
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

/// Every command that could be a remedy, one at a time: what `explain` might have offered.
fn single_commands(
    account: &Account,
    who: &str,
    text: &str,
    resource: Resource<&str>,
) -> Vec<(Actor, Command)> {
    let mut commands = vec![(by(who), accept())];
    let mut host = |command| commands.push((Actor::System, command));
    if let Resource::Store(id) = resource {
        host(create_store(id));
    }
    host(grant_ownership(who));
    for group in account.groups() {
        host(add(group.id(), [who]));
        for (id, role) in account.roles() {
            let left = group
                .grants()
                .iter()
                .filter(|grant| grant.scope != Scope::Stores(BTreeSet::new()));
            let mut grants: Vec<Grant> = left.cloned().collect();
            grants.push(match (role.level(), resource) {
                (RoleLevel::Store, Resource::Store(store)) => {
                    Grant::in_stores(id.clone(), [self::store(store)])
                }
                (RoleLevel::Account, _) => Grant::at_account(id.clone()),
                (RoleLevel::Store, Resource::Account) => continue,
            });
            host(regrant(group.id(), grants));
        }
    }
    for (id, role) in account.roles() {
        let mut permissions = role.permissions().clone();
        permissions.insert(permission(text));
        host(Command::ChangeRole {
            role: id.clone(),
            name: None,
            permissions: Some(permissions),
        });
    }
    commands
}

fn allows_after(
    account: &Account,
    actor: &Actor,
    command: &Command,
    who: &str,
    text: &str,
    resource: Resource<&str>,
) -> bool {
    let mut account = account.clone();
    let now = account.changed_at();
    account.execute(actor, command, now).is_ok() && account.can(who, &permission(text), resource)
}

/// The members of a world, and one who is in none.
fn everybody() -> impl Iterator<Item = &'static str> + Clone {
    MEMBERS.into_iter().chain(["stranger"])
}

proptest! {
    #![proptest_config(config(64))]

    /// P1, P4: who can, and where, is the check asked of every pair, from any page on.
    #[test]
    fn reverse_answers_are_the_check(world in account(24), after in 0..MEMBERS.len()) {
        let account = &world.account;
        let after = [None, Some(MEMBERS[after])];
        for text in PERMISSIONS {
            let permission = permission(text);
            for (resource, after) in resources().flat_map(|resource| after.map(|after| (resource, after))) {
                let can = |id: &&str| account.can(id, &permission, resource) && after.is_none_or(|after| *id > after);
                let all = account.members().map(|member| member.id().as_str());
                let who: Vec<_> = account.who_can(&permission, resource, after).map(MemberId::as_str).collect();
                prop_assert_eq!(who, all.filter(can).collect::<Vec<_>>());
            }
            for (id, after) in everybody().flat_map(|id| [None, Some("dev")].map(|after| (id, after))) {
                let can = |store: &&StoreId| {
                    account.can(id, &permission, Resource::Store(store)) && after.is_none_or(|after| store.as_str() > after)
                };
                let stores: Vec<_> = account.stores_for(id, &permission, after).collect();
                prop_assert_eq!(stores, account.stores().filter(can).collect::<Vec<_>>());
            }
            for (id, resource) in everybody().flat_map(|id| resources().map(move |resource| (id, resource))) {
                let held = account.permissions_on(id, resource).is_ok_and(|held| held.contains(&permission));
                prop_assert_eq!(held, account.can(id, &permission, resource));
            }
        }
    }

    /// P1, P4: an explanation allows if and only if the check does; each way is real, "the only way" is true, and each
    /// remedy really allows, is offered if any single command would do, and is no more than is needed.
    #[test]
    fn explanations_are_true(world in account(24)) {
        let account = &world.account;
        for (who, resource) in everybody().flat_map(|who| resources().map(move |resource| (who, resource))) {
            for text in ["store.read", "log.export", "account.manage_groups", "account.manage_owners"] {
                let explanation = account.explain(who, &permission(text), resource);
                match explanation.answer {
                    Verdict::Allowed { paths } => {
                        prop_assert!(account.can(who, &permission(text), resource));
                        check_paths(account, who, text, resource, &paths)?;
                    }
                    Verdict::Denied { denial, remedies } => {
                        prop_assert_eq!(account.check(who, &permission(text), resource), Decision::Denied(denial));
                        check_remedies(account, who, text, resource, &remedies)?;
                    }
                }
            }
        }
    }

    /// G9, S3, P2, U2: what a preview says anybody gains and loses is the difference of two full matrices; so is what
    /// is said of each record.
    #[test]
    fn deltas_are_the_difference(world in account(24), steps in prop::collection::vec(step(), 12)) {
        let mut world = world;
        for step in steps {
            let preview = world.account.preview(&step.actor, &step.commands, at(world.now));
            let before = world.account.clone();
            let executed = world.account.execute_batch(&step.actor, &step.commands, at(world.now));
            match (preview, executed) {
                (Err(one), Err(other)) => prop_assert_eq!(one, other),
                (Ok(preview), Ok(records)) => {
                    prop_assert_eq!(&preview.records, &records);
                    check_delta(&before, &world.account, &preview.delta)?;
                    prop_assert_eq!(&preview.delta, &AccessDelta::between(&before, &world.account));
                    let mut state = before;
                    for record in &records {
                        let delta = state.delta_of(record).unwrap();
                        let last = state.clone();
                        state.apply(record).unwrap();
                        check_delta(&last, &state, &delta)?;
                    }
                }
                (preview, executed) => prop_assert!(false, "{:?} {:?}", preview, executed),
            }
        }
    }
}

fn check_paths(
    account: &Account,
    who: &str,
    text: &str,
    resource: Resource<&str>,
    paths: &[AccessPath],
) -> Result<(), TestCaseError> {
    prop_assert!(!paths.is_empty());
    for path in paths {
        let mut without = account.clone();
        let now = without.changed_at();
        let given_up = match &path.via {
            AccessSource::Ownership => without.execute(&Actor::System, &revoke_ownership(who), now),
            AccessSource::Group { group, role, .. } => {
                let grants = account.group(group).unwrap().grants();
                let grant = grants.iter().find(|grant| grant.role == *role).unwrap();
                prop_assert!(account.role(role).unwrap().permissions().contains(text));
                prop_assert_eq!(
                    grant.scope.stores().count() == 0,
                    resource == Resource::Account
                );
                prop_assert!(account.member(who).unwrap().is_in(group));
                without.execute(&Actor::System, &take_out(group, [who]), now)
            }
        };
        // The last owner cannot give up ownership, so then there is nothing to see.
        if given_up.is_ok() {
            prop_assert_eq!(
                path.is_only_way,
                !without.can(who, &permission(text), resource),
                "{:?}",
                path
            );
        }
    }
    Ok(())
}

fn check_remedies(
    account: &Account,
    who: &str,
    text: &str,
    resource: Resource<&str>,
    remedies: &[Remedy],
) -> Result<(), TestCaseError> {
    let mut reach = Vec::new();
    for remedy in remedies {
        let actor = if matches!(remedy.step, RemedyKind::Accept { .. }) {
            by(who)
        } else {
            Actor::System
        };
        prop_assert!(
            allows_after(account, &actor, &remedy.command, who, text, resource),
            "{:?}",
            remedy
        );
        let mut after = account.clone();
        let now = after.changed_at();
        after.execute(&actor, &remedy.command, now).unwrap();
        reach.push(after.effective_permissions(who));
    }
    if remedies.is_empty() {
        for (actor, command) in single_commands(account, who, text, resource) {
            prop_assert!(
                !allows_after(account, &actor, &command, who, text, resource),
                "{:?}",
                command
            );
        }
    }
    // No edit of a group gives the member strictly more than another edit of the same group.
    let edited = |remedy: &Remedy| match &remedy.step {
        RemedyKind::AddStore { group, .. } | RemedyKind::AddGrant { group, .. } => {
            Some(group.clone())
        }
        _ => None,
    };
    // Each group that gives it is among them, whatever else is.
    if account
        .member(who)
        .is_some_and(|member| member.status().is_active())
    {
        for group in account.groups() {
            let command = add(group.id(), [who]);
            let is_offered = remedies.iter().any(|remedy| remedy.command == command);
            prop_assert_eq!(
                is_offered,
                allows_after(account, &Actor::System, &command, who, text, resource)
            );
        }
    }
    for (one, reached) in remedies.iter().zip(&reach) {
        for (other, more) in remedies.iter().zip(&reach) {
            let same = edited(one).is_some() && edited(one) == edited(other);
            prop_assert!(
                !(same && reached != more && reached.is_subset(more)),
                "{:?} {:?}",
                one,
                other
            );
        }
        prop_assert!(one.step != RemedyKind::GrantOwnership || remedies.len() == 1);
    }
    Ok(())
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
    let mut resources: Vec<_> = STORES
        .into_iter()
        .chain(["zoo"])
        .map(Resource::Store)
        .chain([Resource::Account])
        .collect();
    resources.sort();
    let mut ids: Vec<_> = MEMBERS.to_vec();
    ids.sort_unstable();
    for (id, resource) in ids
        .iter()
        .flat_map(|id| resources.iter().map(move |resource| (*id, *resource)))
    {
        let (was, is) = (held(before, id, resource), held(after, id, resource));
        if was != is {
            let change = changes.next();
            prop_assert!(
                change.is_some_and(|change| {
                    change.member.as_str() == id
                        && change.resource.as_deref() == resource
                        && change.before == was
                        && change.after == is
                }),
                "{id} {resource}: {change:?}"
            );
        }
    }
    prop_assert_eq!(changes.next(), None);
    Ok(())
}

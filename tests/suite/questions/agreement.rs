//! Lists and explanations agree with the check.

use std::collections::BTreeSet;

use grantbook::command::ChangeRole;
use grantbook::*;
use proptest::prelude::*;

use crate::strategies::{MEMBERS, PERMISSIONS, account, config, resources};
use crate::support::*;

/// The ids that a world's members can have, and one that none has.
fn everybody() -> impl Iterator<Item = &'static str> + Clone {
    MEMBERS.into_iter().chain(["stranger"])
}

proptest! {
    #![proptest_config(config(64))]

    /// P1, P4: who can, and where, agrees with the check of every pair, from any page on.
    #[test]
    fn p1_lists_agree_with_the_check(world in account(24), after in 0..MEMBERS.len()) {
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
                let held = account.permissions_on(id, resource).is_ok_and(|held| held.allows(&permission));
                prop_assert_eq!(held, account.can(id, &permission, resource));
            }
        }
    }

    /// P4, P1: an explanation allows if and only if the check does; each way is real, "the only way" is true, and each
    /// remedy really allows, is offered if any single command would do, and is no more than is needed.
    #[test]
    fn p4_explanations_are_true(world in account(24)) {
        let account = &world.account;
        for (who, resource) in everybody().flat_map(|who| resources().map(move |resource| (who, resource))) {
            for text in ["store.read", "store.write.tuples", "log.export", "log.read.old", "account.manage_groups", "account.manage_owners"] {
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
                let grants = account.group(group).unwrap().grant_list();
                let grant = grants.iter().find(|grant| grant.role == *role).unwrap();
                prop_assert!(account.role(role).unwrap().allows(&permission(text)));
                prop_assert_eq!(
                    grant.scope.stores().count() == 0,
                    resource == Resource::Account
                );
                prop_assert!(account.member(who).unwrap().is_in(group));
                without.execute(&Actor::System, &take_out(group, [who]), now)
            }
        };
        // The last owner cannot give up ownership, so there is nothing to compare.
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
    // No edit of a group is by a role that allows strictly more than the role of another edit of that group.
    let edited = |remedy: &Remedy| match &remedy.step {
        RemedyKind::AddStore { group, role, .. } | RemedyKind::AddGrant { group, role, .. } => {
            let allowed = account.role(role).unwrap().permissions().clone();
            Some((group.clone(), Permissions::Only(allowed)))
        }
        _ => None,
    };
    // Each group that gives it is among them, whatever else is among them.
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
    for one in remedies {
        for other in remedies {
            if let Some(((group, less), (of, more))) = edited(one).zip(edited(other)) {
                let is_less = group == of && less.is_subset(&more) && !more.is_subset(&less);
                prop_assert!(!is_less, "{:?} {:?}", one, other);
            }
        }
        prop_assert!(one.step != RemedyKind::GrantOwnership || remedies.len() == 1);
    }
    Ok(())
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
            let mut grants = group.grant_list();
            grants.retain(|grant| grant.scope != Scope::Stores(BTreeSet::new()));
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
        host(Command::ChangeRole(ChangeRole {
            role: id.clone(),
            name: None,
            permissions: Some(permissions),
        }));
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

//! Explanations say what their plain definition says, over random accounts: paths by looking at every grant, remedies by
//! executing every command that could be one.

use grantbook::command::ChangeRole;
use grantbook::*;
use proptest::prelude::*;

use super::agreement::everybody;
use crate::commands::constructors::grant_role;
use crate::strategies::{account, config, resources};
use crate::support::*;

const ASKED: [&str; 9] = [
    "store.read",
    "store.write.tuples",
    "log.export",
    "log.read.old",
    "never.heard",
    "account.manage_groups",
    "account.manage_owners",
    "account.manage_groups.some",
    "account.x",
];

proptest! {
    #![proptest_config(config(24))]

    /// P4, P1: an explanation allows if and only if the check does. Its paths are all that there are, and "the only way"
    /// is true. Its remedies really allow, and are all that there are, but for roles that hold more than they must.
    #[test]
    fn p4_explanations_are_true(world in account(24)) {
        for (who, resource) in everybody().flat_map(|who| resources().map(move |resource| (who, resource))) {
            for text in ASKED {
                let case = Case { account: &world.account, now: at(world.now), who, text, resource };
                let explanation = world.account.explain(who, &permission(text), resource, at(world.now));
                prop_assert_eq!(&explanation.warning, &case.warning());
                prop_assert_eq!(explanation.version, world.account.version());
                match &explanation.answer {
                    Verdict::Allowed { paths, more } => {
                        prop_assert!(case.is_allowed(case.account));
                        prop_assert_eq!(*more, 0);
                        case.check_paths(paths)?;
                    }
                    Verdict::Denied { denial, advice } => {
                        let decision = Decision::Denied(denial.clone());
                        prop_assert_eq!(case.account.check(who, &permission(text), resource), decision);
                        case.check_advice(&explanation, advice)?;
                    }
                }
            }
        }
    }

    /// L7: of roles that would all do, those that hold strictly more than another are left out, and none comes after one
    /// that allows strictly more.
    #[test]
    fn l7_the_least_role_comes_first(
        roles in prop::collection::vec(prop::collection::btree_set(0..7_usize, 1..5), 1..8),
        asked in 0..7_usize,
    ) {
        let names = ["a.b", "a.b.c", "a.b.c.d", "a.b.x", "e.f", "e.f.g", "h.i"];
        let mut world = World::new();
        world.system(enrol(["dana"]));
        world.ok(OWNER, create_store("dev"));
        world.ok(OWNER, create_group("it", "IT Group", [Grant::group_manager()]));
        world.ok(OWNER, add("it", ["dana"]));
        for (number, held) in roles.iter().enumerate() {
            let held: Vec<&str> = held.iter().map(|index| names[*index]).collect();
            let id = format!("role-{number}");
            world.ok(OWNER, define_role(&id, &format!("Role {number}"), RoleLevel::Store, &held));
        }
        let asked = permission(names[asked]);
        let account = &world.account;
        let explanation = account.explain("dana", &asked, Resource::Store("dev"), at(world.now));
        let offered: Vec<RoleId> = remedies_of(&explanation).iter().map(|remedy| match &remedy.step {
            RemedyKind::GrantRole { role, .. } => role.clone(),
            other => panic!("{other:?}"),
        }).collect();
        let would_do: Vec<&RoleId> = account.roles().filter(|(_, role)| role.allows(&asked)).map(|(id, _)| id).collect();
        for role in &would_do {
            let has_less = would_do.iter().any(|other| is_less(account, other, role));
            prop_assert_eq!(offered.contains(role), !has_less, "{}", role);
        }
        for (index, role) in offered.iter().enumerate() {
            prop_assert!(would_do.contains(&role));
            prop_assert!(!offered[index..].iter().any(|later| is_less(account, later, role)));
        }
    }
}

fn remedies_of(explanation: &Explanation) -> &[Remedy] {
    match &explanation.answer {
        Verdict::Denied {
            advice: Advice::AnyOf { remedies, .. },
            ..
        } => remedies,
        Verdict::Denied { .. } | Verdict::Allowed { .. } => &[],
    }
}

/// Whether a role allows strictly less than another.
fn is_less(account: &Account, one: &RoleId, other: &RoleId) -> bool {
    let [one, other] = [one, other].map(|id| {
        let held = account.role(id).unwrap().permissions().clone();
        Permissions::Only(held)
    });
    one.is_subset(&other) && !other.is_subset(&one)
}

/// What is asked, and of which account.
struct Case<'a> {
    account: &'a Account,
    now: Timestamp,
    who: &'a str,
    text: &'a str,
    resource: Resource<&'a str>,
}

impl Case<'_> {
    fn is_allowed(&self, account: &Account) -> bool {
        account.can(self.who, &permission(self.text), self.resource)
    }

    fn allows_after(&self, actor: &Actor, command: &Command) -> bool {
        let mut account = self.account.clone();
        account.execute(actor, command, self.now).is_ok() && self.is_allowed(&account)
    }

    fn level(&self) -> RoleLevel {
        match self.resource {
            Resource::Account => RoleLevel::Account,
            Resource::Store(_) => RoleLevel::Store,
        }
    }

    fn is_owners_only(&self) -> bool {
        let asked = permission(self.text);
        let mut roles = self.account.roles();
        asked.is_reserved() && !roles.any(|(_, role)| role.is_built_in() && role.allows(&asked))
    }

    fn warning(&self) -> Option<PermissionWarning> {
        let asked = permission(self.text);
        let is_built_in = Permission::BUILT_IN.iter().any(|own| own.includes(&asked));
        if asked.is_reserved() && !is_built_in {
            return Some(PermissionWarning::Unknown { nearest: None });
        }
        let only = match self.text.split('.').next() {
            Some("account") => Some(RoleLevel::Account),
            Some("store") => Some(RoleLevel::Store),
            _ => None,
        };
        if let Some(level) = only.filter(|level| *level != self.level()) {
            return Some(PermissionWarning::WrongLevel { level });
        }
        let holders = self.account.roles().filter(|(_, role)| role.allows(&asked));
        let levels: Vec<RoleLevel> = holders.map(|(_, role)| role.level()).collect();
        match levels.as_slice() {
            _ if self.is_owners_only() || levels.contains(&self.level()) => None,
            [] => Some(PermissionWarning::HeldByNoRole { is_listed: false }),
            [level, ..] => Some(PermissionWarning::HeldAtOtherLevel { level: *level }),
        }
    }

    fn check_paths(&self, paths: &[AccessPath]) -> Result<(), TestCaseError> {
        let asked = permission(self.text);
        let member = self.account.member(self.who).unwrap();
        let mut all = Vec::new();
        if member.status().is_owner() {
            all.push(None);
        }
        for group in self
            .account
            .groups()
            .filter(|group| member.is_in(group.id()))
        {
            for grant in group.grant_list() {
                let is_here = match (&grant.scope, self.resource) {
                    (Scope::Account, Resource::Account) => true,
                    (Scope::Stores(stores), Resource::Store(here)) => stores.contains(here),
                    _ => false,
                };
                if is_here && self.account.role(&grant.role).unwrap().allows(&asked) {
                    all.push(Some((group.id().clone(), grant.role)));
                }
            }
        }
        let given = paths.iter().map(|path| match &path.via {
            AccessSource::Ownership => None,
            AccessSource::Group { group, role, .. } => Some((group.clone(), role.clone())),
        });
        prop_assert_eq!(given.collect::<Vec<_>>(), all);
        for path in paths {
            self.check_path(path)?;
        }
        Ok(())
    }

    fn check_path(&self, path: &AccessPath) -> Result<(), TestCaseError> {
        let mut without = self.account.clone();
        let now = without.changed_at();
        let given_up = match &path.via {
            AccessSource::Ownership => {
                without.execute(&Actor::System, &revoke_ownership(self.who), now)
            }
            AccessSource::Group {
                group,
                group_name,
                role,
                role_name,
                included_by,
                ..
            } => {
                let asked = permission(self.text);
                let held = self.account.role(role).unwrap();
                let including = held
                    .permissions()
                    .iter()
                    .filter(|held| held.includes(&asked));
                let longest = including.max_by_key(|held| held.len()).unwrap();
                let said = included_by.as_ref().unwrap_or(&asked);
                prop_assert_eq!(said, longest);
                prop_assert_eq!(group_name, self.account.group(group).unwrap().name());
                prop_assert_eq!(role_name, held.name());
                without.execute(&Actor::System, &take_out(group, [self.who]), now)
            }
        };
        // The last owner cannot give up ownership, so there is nothing to compare.
        if given_up.is_ok() {
            prop_assert_eq!(path.is_only_way, !self.is_allowed(&without), "{:?}", path);
        }
        Ok(())
    }

    fn check_advice(
        &self,
        explanation: &Explanation,
        advice: &Advice,
    ) -> Result<(), TestCaseError> {
        let is_mistake = matches!(
            explanation.warning,
            Some(PermissionWarning::Unknown { .. } | PermissionWarning::WrongLevel { .. })
        );
        let is_nothing = is_mistake || self.account.is_closed();
        prop_assert_eq!(*advice == Advice::Nothing, is_nothing, "{:?}", explanation);
        if is_nothing {
            return Ok(());
        }
        let status = self.account.member(self.who).map(|member| member.status());
        let ended = status
            .and_then(MemberStatus::expiry)
            .filter(|expiry| *expiry <= self.now);
        let is_ended =
            matches!(advice, Advice::InviteAgain { ended: said } if Some(*said) == ended);
        prop_assert_eq!(is_ended, ended.is_some());
        let remedies = remedies_of(explanation);
        let missed = self.single_commands();
        let mut missed = missed.iter().filter(|(actor, command)| {
            let is_offered = remedies.iter().any(|remedy| remedy.command == *command);
            !is_offered && self.allows_after(actor, command)
        });
        // Nothing is missed but ownership, where something less would do or nobody knows of the permission, and roles
        // that hold more than another that is offered.
        let missed = missed.find(|(_, command)| match command {
            Command::GrantOwnership(_) => self.is_owners_only(),
            Command::GrantRole(missed) => !remedies.iter().any(|remedy| match &remedy.step {
                RemedyKind::GrantRole { group, role } => {
                    *group == missed.group && is_less(self.account, role, &missed.role)
                }
                _ => false,
            }),
            _ => true,
        });
        prop_assert!(missed.is_none(), "{:?} {:?}", missed, explanation);
        self.check_remedies(remedies)
    }

    fn check_remedies(&self, remedies: &[Remedy]) -> Result<(), TestCaseError> {
        for remedy in remedies {
            let actor = match remedy.step {
                RemedyKind::Accept { .. } => by(self.who),
                _ => Actor::System,
            };
            let may = remedy.may_be_issued_by(self.account, &actor, self.now);
            prop_assert_eq!(may, Ok(()));
            prop_assert!(self.allows_after(&actor, &remedy.command), "{:?}", remedy);
            prop_assert_eq!(remedy.people, self.people(remedy), "{:?}", remedy);
            if remedy.step == RemedyKind::GrantOwnership {
                prop_assert!(self.is_owners_only() && remedies.len() == 1);
            }
        }
        prop_assert!(remedies.is_sorted_by_key(|remedy| remedy.people));
        for (one, other) in remedies.iter().zip(remedies.iter().skip(1)) {
            prop_assert!(one != other);
            // Of the same kind, to the same group: the role that allows less comes first, and none allows strictly more.
            if let (
                RemedyKind::GrantRole { group, role: first },
                RemedyKind::GrantRole {
                    group: same,
                    role: second,
                },
            ) = (&one.step, &other.step)
            {
                prop_assert!(group != same || !is_less(self.account, second, first));
            }
        }
        Ok(())
    }

    /// How many get something by it.
    fn people(&self, remedy: &Remedy) -> usize {
        match &remedy.step {
            RemedyKind::CreateStore => self.account.owners().count(),
            RemedyKind::GrantRole { group, .. } => {
                self.account.group(group).unwrap().members().count()
            }
            RemedyKind::ExtendRole { role } => {
                let carries = |group: &Group<'_>| group.grants().any(|grant| grant.role == role);
                let groups: Vec<_> = self.account.groups().filter(carries).collect();
                let is_in =
                    |member: &Member<'_>| groups.iter().any(|group| member.is_in(group.id()));
                self.account.members().filter(is_in).count()
            }
            _ => 1,
        }
    }

    /// Every command that could be a remedy: what `explain` might have offered.
    fn single_commands(&self) -> Vec<(Actor, Command)> {
        let mut commands = vec![(by(self.who), accept())];
        let mut host = |command| commands.push((Actor::System, command));
        if let Resource::Store(id) = self.resource {
            host(create_store(id));
        }
        host(grant_ownership(self.who));
        host(reinstate(self.who));
        host(enrol([self.who]));
        for group in self.account.groups() {
            host(add(group.id(), [self.who]));
            for (id, role) in self.account.roles() {
                let grant = match (role.level(), self.resource) {
                    (RoleLevel::Store, Resource::Store(here)) => {
                        Grant::in_stores(id.clone(), [store(here)])
                    }
                    (RoleLevel::Account, _) => Grant::at_account(id.clone()),
                    (RoleLevel::Store, Resource::Account) => continue,
                };
                host(grant_role(group.id(), grant));
            }
        }
        for (id, role) in self.account.roles() {
            let mut permissions = role.permissions().clone();
            permissions.insert(permission(self.text));
            host(Command::ChangeRole(ChangeRole {
                role: id.clone(),
                name: None,
                permissions: Some(permissions),
            }));
        }
        commands
    }
}

//! An account in casbin: roles with domains, in memory.
//!
//! A domain is a place: the account, or one store. Within a place a member has its groups, and a group its roles;
//! what a role allows is the same everywhere. Owners have a role of their own in every place there is, which allows
//! whatever is asked. Who is only invited is not there at all.
//!
//! All names share one space in casbin, so each is told apart by its kind: `member:`, `group:`, `role:`, `store:`.

use std::collections::BTreeSet;

use casbin::{Adapter, CoreApi, DefaultModel, Enforcer, MemoryAdapter};
use grantbook::Resource;

use crate::{Engine, EngineError, Facts, Question};

/// A rule: the first is a role or a member, and the last what it may do or where it is so.
type Rule = Vec<String>;

const MODEL: &str = r"
[request_definition]
r = sub, dom, act

[policy_definition]
p = sub, act

[role_definition]
g = _, _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = keyMatch(r.act, p.act) && g(r.sub, p.sub, r.dom)
";

/// The role of owners. No other name is without its kind, and no permission is called `*`.
const OWNER: &str = "owner";
const WHATEVER: &str = "*";

/// An account in casbin.
pub struct Casbin {
    enforcer: Enforcer,
}

impl Casbin {
    /// The account with these facts.
    ///
    /// # Errors
    /// Casbin does not take them.
    pub fn of(facts: &Facts) -> Result<Self, EngineError> {
        let enforcer = pollster::block_on(async {
            let mut adapter = MemoryAdapter::default();
            adapter.add_policies("p", "p", policies(facts)).await?;
            adapter.add_policies("g", "g", groupings(facts)).await?;
            Enforcer::new(DefaultModel::from_str(MODEL).await?, adapter).await
        })?;
        Ok(Self { enforcer })
    }
}

impl Engine for Casbin {
    const NAME: &'static str = "casbin";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Question {
            member,
            permission,
            resource,
        } = question;
        let asked = (
            named("member", member),
            domain(resource),
            permission.as_str(),
        );
        Ok(self.enforcer.enforce(asked)?)
    }
}

fn named(kind: &str, id: &str) -> String {
    format!("{kind}:{id}")
}

fn domain(resource: Resource<&str>) -> String {
    match resource {
        Resource::Account => "account".to_owned(),
        Resource::Store(store) => named("store", store),
    }
}

/// What each role allows: what it names, and what extends that.
fn policies(facts: &Facts) -> Vec<Rule> {
    let roles = facts.roles.iter().flat_map(|(role, permissions)| {
        permissions.iter().flat_map(move |permission| {
            [permission.to_string(), format!("{permission}.*")]
                .map(|allowed| vec![named("role", role), allowed])
        })
    });
    roles
        .chain([vec![OWNER.to_owned(), WHATEVER.to_owned()]])
        .collect()
}

/// Who is in which group, and which group has which role, in each place.
fn groupings(facts: &Facts) -> Vec<Rule> {
    let active = || {
        facts
            .members
            .iter()
            .filter(|(_, membership)| membership.active)
    };
    let mut rules = BTreeSet::new();
    for (resource, roles) in &facts.grants {
        for (role, groups) in roles {
            let link = |group| {
                (
                    named("group", group),
                    named("role", role),
                    domain(resource.as_deref()),
                )
            };
            rules.extend(groups.iter().map(|group| link(group)));
        }
        let groups: BTreeSet<_> = roles.values().flatten().collect();
        for (member, membership) in active() {
            let link = |group| {
                (
                    named("member", member),
                    named("group", group),
                    domain(resource.as_deref()),
                )
            };
            let there = membership
                .groups
                .iter()
                .filter(|group| groups.contains(group));
            rules.extend(there.map(|group| link(group)));
        }
    }
    let stores = facts
        .stores
        .iter()
        .map(|store| Resource::Store(store.as_str()));
    for resource in stores.chain([Resource::Account]) {
        let owners = active().filter(|(_, membership)| membership.owner);
        rules.extend(
            owners.map(|(member, _)| (named("member", member), OWNER.to_owned(), domain(resource))),
        );
    }
    rules
        .into_iter()
        .map(|(one, other, resource)| vec![one, other, resource])
        .collect()
}

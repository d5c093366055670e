//! An account in Cedar.
//!
//! | here | there |
//! |---|---|
//! | member | `Member::"id"`, whose parents are its groups, with `active`, and `owns` if it is an owner |
//! | group | `Group::"id"` |
//! | account, store | `Account::"id"`, and `Store::"id"` whose parent it is |
//! | permission | `Action::"store.read"`, whose parents are the roles that name it, and the actions that it extends |
//! | role | `Role::Action::"id"`, a group of actions |
//! | grant | a tag of the account or the store, called as the role: the set of the groups that hold it there |
//!
//! Members and what they are in are data, so the policies are few and stay: [`POLICIES`], and one for each role.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, LazyLock};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy,
    PolicyId, PolicySet, Request, RestrictedExpression,
};
use grantbook::{Account, Permission, Resource, RoleId};
use serde_json::json;

use crate::{Counts, Engine, EngineError, Facts, Question, Questions, as_text, compared};

/// What holds in every account, whatever its roles.
pub const POLICIES: &str = r"
// Owners may do everything in the account that they own, and in all that is in it.
permit (principal is Member, action, resource)
when { principal has owns && resource in principal.owns };

// Who is only invited may do nothing, and nor may anybody unknown.
forbid (principal, action, resource)
unless { principal has active && principal.active };
";

/// The policy of a role. Made as data and not as text, because a role is called as the account likes:
///
/// ```cedar
/// permit (principal, action in Role::Action::"store-viewer", resource)
/// when { resource.hasTag("store-viewer") && principal in resource.getTag("store-viewer") };
/// ```
fn role_policy(role: &RoleId) -> Result<Policy, EngineError> {
    let tag = json!({ "left": { "Var": "resource" }, "right": { "Value": role } });
    let held = json!({ "in": { "left": { "Var": "principal" }, "right": { "getTag": tag } } });
    let policy = json!({
        "effect": "permit",
        "principal": { "op": "All" },
        "action": { "op": "in", "entity": { "type": "Role::Action", "id": role } },
        "resource": { "op": "All" },
        "conditions": [
            { "kind": "when", "body": { "&&": { "left": { "hasTag": tag }, "right": held } } }
        ],
    });
    Ok(Policy::from_json(
        Some(PolicyId::new(format!("role:{role}"))),
        policy,
    )?)
}

/// The policies of an account that has these roles.
///
/// # Errors
/// Cedar does not take them.
pub fn policies<'a>(roles: impl IntoIterator<Item = &'a RoleId>) -> Result<PolicySet, EngineError> {
    let mut policies: PolicySet = POLICIES.parse()?;
    for role in roles {
        policies.add(role_policy(role)?)?;
    }
    Ok(policies)
}

/// The kinds of entity.
#[derive(Clone, Copy)]
enum Kind {
    Account,
    Action,
    Group,
    Member,
    Role,
    Store,
}

static KINDS: LazyLock<[EntityTypeName; 6]> = LazyLock::new(|| {
    [
        "Account",
        "Action",
        "Group",
        "Member",
        "Role::Action",
        "Store",
    ]
    .map(|name| name.parse().expect("the name of a kind"))
});

fn uid(kind: Kind, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(KINDS[kind as usize].clone(), EntityId::new(id))
}

/// All that the policies ask about an account.
///
/// # Errors
/// Cedar does not take it.
pub fn entities(facts: &Facts) -> Result<Entities, EngineError> {
    let account = uid(Kind::Account, &facts.account);
    let mut entities = Vec::new();
    for (id, membership) in &facts.members {
        let active = RestrictedExpression::new_bool(membership.active);
        let mut attributes = HashMap::from([("active".to_owned(), active)]);
        if membership.owner {
            let owns = RestrictedExpression::new_entity_uid(account.clone());
            attributes.insert("owns".to_owned(), owns);
        }
        let groups = membership
            .groups
            .iter()
            .map(|group| uid(Kind::Group, group));
        entities.push(Entity::new(
            uid(Kind::Member, id),
            attributes,
            groups.collect(),
        )?);
    }
    let groups = facts.groups.iter().map(|group| uid(Kind::Group, group));
    entities.extend(groups.map(|group| Entity::new_no_attrs(group, HashSet::new())));
    entities.push(resource(facts, account.clone(), &Resource::Account, None)?);
    for store in &facts.stores {
        let (uid, there) = (uid(Kind::Store, store), Resource::Store(store.clone()));
        entities.push(resource(facts, uid, &there, Some(account.clone()))?);
    }
    entities.extend(actions(facts));
    Ok(Entities::from_entities(entities, None)?)
}

/// The account or a store, with its tags.
fn resource(
    facts: &Facts,
    uid: EntityUid,
    resource: &Resource,
    parent: Option<EntityUid>,
) -> Result<Entity, EngineError> {
    let tags = facts
        .grants
        .get(resource)
        .into_iter()
        .flatten()
        .map(|(role, groups)| {
            let groups = groups.iter().map(|group| self::uid(Kind::Group, group));
            let groups = groups.map(RestrictedExpression::new_entity_uid);
            (role.to_string(), RestrictedExpression::new_set(groups))
        });
    Ok(Entity::new_with_tags(uid, [], parent, tags)?)
}

/// The roles, and the permissions that each names, with those that extend them.
fn actions(facts: &Facts) -> impl Iterator<Item = Entity> {
    let known = facts.permissions();
    let mut holders: BTreeMap<_, HashSet<_>> = BTreeMap::new();
    for action in &known {
        let extended = known
            .iter()
            .filter(|other| action.starts_with(&format!("{other}.")));
        let extended = extended.map(|other| uid(Kind::Action, other));
        holders.insert(action.as_str(), extended.collect());
    }
    for (role, permissions) in &facts.roles {
        for permission in permissions {
            let of = holders.entry(permission.as_str()).or_default();
            of.insert(uid(Kind::Role, role));
        }
    }
    let roles = facts
        .roles
        .keys()
        .map(|role| (uid(Kind::Role, role), HashSet::new()));
    let actions = holders
        .into_iter()
        .map(|(id, roles)| (uid(Kind::Action, id), roles));
    let all: Vec<_> = roles.chain(actions).collect();
    all.into_iter()
        .map(|(uid, parents)| Entity::new_no_attrs(uid, parents))
}

/// An account in Cedar.
pub struct Cedar {
    authorizer: Authorizer,
    policies: Arc<PolicySet>,
    entities: Entities,
    account: EntityUid,
}

impl Cedar {
    /// The account with these facts.
    ///
    /// # Errors
    /// Cedar does not take them.
    pub fn of(facts: &Facts) -> Result<Self, EngineError> {
        Self::with(Arc::new(policies(facts.roles.keys())?), facts)
    }

    /// The same, where the policies are there already.
    ///
    /// # Errors
    /// Cedar does not take them.
    pub fn with(policies: Arc<PolicySet>, facts: &Facts) -> Result<Self, EngineError> {
        Ok(Self {
            authorizer: Authorizer::new(),
            policies,
            entities: entities(facts)?,
            account: uid(Kind::Account, &facts.account),
        })
    }
}

impl Engine for Cedar {
    const NAME: &'static str = "cedar";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Question {
            member,
            permission,
            resource,
        } = question;
        let resource = match resource {
            Resource::Account => self.account.clone(),
            Resource::Store(store) => uid(Kind::Store, store),
        };
        let (member, action) = (uid(Kind::Member, member), uid(Kind::Action, permission));
        let request = Request::new(member, action, resource, Context::empty(), None)?;
        let response = self
            .authorizer
            .is_authorized(&request, &self.policies, &self.entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.clone().into());
        }
        Ok(response.decision() == Decision::Allow)
    }
}

/// Compares many accounts with Cedar, as those of a small world are: hundreds of thousands, much alike.
///
/// Grantbook is asked about each account. Cedar is asked about a member in a place once for all accounts where
/// nothing differs that the policies reach from these two: see [`Facts::reached`]. What it says then is kept.
#[derive(Default)]
pub struct Agreement {
    permissions: Option<BTreeSet<Permission>>,
    policies: HashMap<Vec<RoleId>, Arc<PolicySet>>,
    /// By what was reached, member and place: which of the permissions are allowed.
    answers: HashMap<(Facts, String, Resource<String>), Vec<bool>>,
}

impl Agreement {
    /// Asks for these permissions only, and not for every one that [`Questions::about`] has.
    #[must_use]
    pub fn asking(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self {
            permissions: Some(permissions.into_iter().collect()),
            ..Self::default()
        }
    }

    /// Compares one account.
    ///
    /// # Errors
    /// Cedar could not answer.
    pub fn compare(&mut self, account: &Account) -> Result<Counts, EngineError> {
        let facts = Facts::of(account);
        let mut questions = Questions::about(&facts);
        if let Some(permissions) = &self.permissions {
            questions.permissions.clone_from(permissions);
        }
        let mut answers = Vec::new();
        for member in &questions.members {
            for resource in &questions.resources {
                let reached = facts.reached(member, as_text(resource));
                match self
                    .answers
                    .entry((reached, member.clone(), resource.clone()))
                {
                    Entry::Occupied(known) => answers.extend(known.get()),
                    Entry::Vacant(free) => {
                        let (reached, ..) = free.key();
                        let cedar =
                            Cedar::with(known_policies(&mut self.policies, reached)?, reached)?;
                        let asked = questions.permissions.iter().map(|permission| {
                            cedar.allows(Question {
                                member,
                                permission,
                                resource: as_text(resource),
                            })
                        });
                        answers.extend(free.insert(asked.collect::<Result<_, _>>()?).iter());
                    }
                }
            }
        }
        Ok(compared::<Cedar>(account, &questions, &answers))
    }
}

fn known_policies(
    known: &mut HashMap<Vec<RoleId>, Arc<PolicySet>>,
    facts: &Facts,
) -> Result<Arc<PolicySet>, EngineError> {
    Ok(match known.entry(facts.roles.keys().cloned().collect()) {
        Entry::Occupied(there) => Arc::clone(there.get()),
        Entry::Vacant(free) => {
            let policies = policies(free.key())?;
            Arc::clone(free.insert(Arc::new(policies)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The policy of a role is the one that its comment shows.
    #[test]
    fn the_policy_of_a_role_reads_as_documented() {
        let made = role_policy(&RoleId::store_viewer()).unwrap();
        let shown = r#"
            permit (principal, action in Role::Action::"store-viewer", resource)
            when { resource.hasTag("store-viewer") && principal in resource.getTag("store-viewer") };
        "#;
        let shown = Policy::parse(None, shown).unwrap();
        assert_eq!(made.to_json().unwrap(), shown.to_json().unwrap());
    }
}

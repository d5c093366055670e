//! Cedar: authorizer, policies and entities are built once, and a request for each check.
//!
//! The model of [`crate::cedar`] has a policy for each role, whatever roles an account makes up, and evaluates all of
//! them for each request. Here there is one for each permission, of which all but one are ruled out by the action,
//! and one for owners, who are a group:
//!
//! ```cedar
//! permit (principal, action == Action::"store.read", resource) when { principal in resource["store.read"] };
//! permit (principal in Owners::"acme", action, resource in Account::"acme");
//! ```
//!
//! Members are entities whose parents are their groups. A store, whose parent is the account, has for each permission
//! the set of the groups that may. Who is only invited is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression,
};
use grantbook::{GroupId, MemberId, Permission, Resource};

use super::{Pace, Peer, Plain};
use crate::{Engine, EngineError, Facts, Question};

/// An account in Cedar.
pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    entities: Entities,
    kinds: Kinds,
}

struct Kinds {
    account: EntityTypeName,
    action: EntityTypeName,
    group: EntityTypeName,
    member: EntityTypeName,
    owners: EntityTypeName,
    store: EntityTypeName,
}

impl Kinds {
    fn new() -> Result<Self, EngineError> {
        Ok(Self {
            account: "Account".parse()?,
            action: "Action".parse()?,
            group: "Group".parse()?,
            member: "Member".parse()?,
            owners: "Owners".parse()?,
            store: "Store".parse()?,
        })
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

impl Engine for Cedar {
    const NAME: &'static str = "cedar";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Resource::Store(store) = question.resource else {
            return Err("only stores are asked about".into());
        };
        let request = Request::new(
            uid(&self.kinds.member, question.member),
            uid(&self.kinds.action, question.permission),
            uid(&self.kinds.store, store),
            Context::empty(),
            None,
        )?;
        let response = self
            .authorizer
            .is_authorized(&request, &self.policies, &self.entities);
        Ok(response.decision() == Decision::Allow)
    }
}

impl Peer for Cedar {
    const PACE: Pace = Pace::SLOW;

    fn load(plain: &Plain) -> Result<Self, EngineError> {
        let kinds = Kinds::new()?;
        Ok(Self {
            authorizer: Authorizer::new(),
            policies: policies(&plain.facts, &kinds).parse()?,
            entities: entities(&plain.facts, &kinds)?,
            kinds,
        })
    }

    /// The member's entity is replaced by one with another parent, which is how entities change; Cedar then looks
    /// through all of them for those that descend from it.
    fn add_to_group(&mut self, member: &MemberId, group: &GroupId) -> Result<(), EngineError> {
        let member = self.entities.get(&uid(&self.kinds.member, member));
        let (member, attributes, mut groups) = member.ok_or("no such member")?.clone().into_inner();
        groups.insert(uid(&self.kinds.group, group));
        let member = Entity::new(member, attributes, groups)?;
        let entities = std::mem::replace(&mut self.entities, Entities::empty());
        self.entities = entities.upsert_entities([member], None)?;
        Ok(())
    }
}

/// All that a group may do anywhere.
fn permissions(facts: &Facts) -> BTreeSet<&Permission> {
    let granted = facts.grants.values().flat_map(BTreeMap::keys);
    granted.flat_map(|role| &facts.roles[role]).collect()
}

fn policies(facts: &Facts, kinds: &Kinds) -> String {
    let owners = uid(&kinds.owners, &facts.account);
    let account = uid(&kinds.account, &facts.account);
    let mut policies = vec![format!(
        "permit (principal in {owners}, action, resource in {account});"
    )];
    policies.extend(permissions(facts).into_iter().map(|permission| {
        let action = uid(&kinds.action, permission);
        let held = format!("principal in resource[\"{permission}\"]");
        format!("permit (principal, action == {action}, resource) when {{ {held} }};")
    }));
    policies.join("\n")
}

fn entities(facts: &Facts, kinds: &Kinds) -> Result<Entities, EngineError> {
    let account = uid(&kinds.account, &facts.account);
    let owners = uid(&kinds.owners, &facts.account);
    let alone = |uid: EntityUid| Entity::new_no_attrs(uid, HashSet::new());
    let mut entities = vec![alone(account.clone()), alone(owners.clone())];
    let groups = facts.groups.iter();
    entities.extend(groups.map(|id| alone(uid(&kinds.group, id))));
    for (id, membership) in facts.members.iter().filter(|(_, member)| member.active) {
        let groups = membership.groups.iter().map(|id| uid(&kinds.group, id));
        let owner = membership.owner.then(|| owners.clone());
        let parents = groups.chain(owner).collect();
        entities.push(Entity::new_no_attrs(uid(&kinds.member, id), parents));
    }
    for id in &facts.stores {
        let mut allowed: BTreeMap<_, BTreeSet<&GroupId>> = BTreeMap::new();
        let roles = facts.grants.get(&Resource::Store(id.clone()));
        for (role, groups) in roles.into_iter().flatten() {
            for permission in &facts.roles[role] {
                allowed.entry(permission).or_default().extend(groups);
            }
        }
        let attribute = |permission: &Permission| {
            let groups = allowed.get(permission).into_iter().flatten();
            let groups = groups.map(|id| uid(&kinds.group, id));
            let groups = groups.map(RestrictedExpression::new_entity_uid);
            (
                permission.to_string(),
                RestrictedExpression::new_set(groups),
            )
        };
        let attributes: HashMap<_, _> = permissions(facts).into_iter().map(attribute).collect();
        let parents = HashSet::from([account.clone()]);
        entities.push(Entity::new(uid(&kinds.store, id), attributes, parents)?);
    }
    Ok(Entities::from_entities(entities, None)?)
}

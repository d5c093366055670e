//! Casbin: roles with resource roles, in memory.
//!
//! The model of [`crate::casbin`] names a member's groups in every store that they reach, which is more than a
//! hundred million rules for the largest population. Here a member has its groups once (`g`), a store has a resource
//! role for each role that a group holds in it (`g2`), and a rule says what a group may do in the stores of such a
//! resource role. So there are about as many rules as groups times permissions, and casbin goes through them one by
//! one.
//!
//! In which order the matcher looks is the host's choice. Casbin's manual begins with the roles; to begin with the
//! permission, which costs least, is faster. Both are measured.

use std::collections::BTreeSet;

use casbin::{CoreApi, DefaultModel, Enforcer, MgmtApi};
use grantbook::{GroupId, MemberId, Permission, Resource, RoleId};

use super::{Pace, Peer, Plain};
use crate::{Engine, EngineError, Question};

const MODEL: &str = "
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub, obj, act

[role_definition]
g = _, _
g2 = _, _

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = ";

const PERMISSION: &str = r#"(r.act == p.act || p.act == "*")"#;
const ROLES: &str = "g(r.sub, p.sub) && g2(r.obj, p.obj)";

/// The role of owners, and what every store is.
const OWNER: &str = "owner";
const EVERY_STORE: &str = "every-store";
const WHATEVER: &str = "*";

/// The role of those who are only invited: no rule names it. Casbin looks through all names it knows for a member
/// that it does not know.
const INVITED: &str = "invited";

/// An account in casbin, whose matcher begins with the permission, or with the roles.
pub struct Casbin<const PERMISSION_FIRST: bool> {
    enforcer: Enforcer,
}

impl<const PERMISSION_FIRST: bool> Engine for Casbin<PERMISSION_FIRST> {
    const NAME: &'static str = if PERMISSION_FIRST {
        "casbin, permission first"
    } else {
        "casbin"
    };

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Resource::Store(store) = question.resource else {
            return Err("only stores are asked about".into());
        };
        let asked = (
            member(question.member),
            self::store(store),
            question.permission.as_str(),
        );
        Ok(self.enforcer.enforce(asked)?)
    }
}

impl<const PERMISSION_FIRST: bool> Peer for Casbin<PERMISSION_FIRST> {
    const PACE: Pace = Pace::SLOWEST;

    fn load(plain: &Plain) -> Result<Self, EngineError> {
        let facts = &plain.facts;
        let mut members = Vec::new();
        for (id, membership) in &facts.members {
            let mut put = |role: String| members.push(vec![member(id), role]);
            if membership.active {
                membership.groups.iter().for_each(|id| put(group(id)));
                if membership.owner {
                    put(OWNER.to_owned());
                }
            } else {
                put(INVITED.to_owned());
            }
        }
        let every = |id: &_| vec![store(id), EVERY_STORE.to_owned()];
        let mut stores: Vec<_> = facts.stores.iter().map(|id| every(id)).collect();
        let mut held = BTreeSet::new();
        for (resource, roles) in &facts.grants {
            let Resource::Store(id) = resource else {
                continue;
            };
            for (role, groups) in roles {
                for group in groups {
                    stores.push(vec![store(id), resource_role(group, role)]);
                    held.insert((group, role));
                }
            }
        }
        let mut rules = vec![[OWNER, EVERY_STORE, WHATEVER].map(str::to_owned).to_vec()];
        for (of, role) in held {
            let may = |permission: &Permission| {
                let there = resource_role(of, role);
                vec![group(of), there, permission.to_string()]
            };
            rules.extend(facts.roles[role].iter().map(may));
        }
        let matcher = if PERMISSION_FIRST {
            [PERMISSION, ROLES]
        } else {
            [ROLES, PERMISSION]
        };
        let model = format!("{MODEL}{}\n", matcher.join(" && "));
        let enforcer = pollster::block_on(async {
            let model = DefaultModel::from_str(&model).await?;
            let mut enforcer = Enforcer::new(model, ()).await?;
            enforcer.add_policies(rules).await?;
            enforcer.add_grouping_policies(members).await?;
            enforcer.add_named_grouping_policies("g2", stores).await?;
            Ok::<_, casbin::Error>(enforcer)
        })?;
        Ok(Self { enforcer })
    }

    fn add_to_group(&mut self, id: &MemberId, to: &GroupId) -> Result<(), EngineError> {
        let link = vec![member(id), group(to)];
        pollster::block_on(self.enforcer.add_grouping_policy(link))?;
        Ok(())
    }
}

fn member(id: &str) -> String {
    format!("member:{id}")
}

fn store(id: &str) -> String {
    format!("store:{id}")
}

fn group(id: &str) -> String {
    format!("group:{id}")
}

/// What a store is where a group has this role.
fn resource_role(group: &GroupId, role: &RoleId) -> String {
    format!("{role} of {group}")
}

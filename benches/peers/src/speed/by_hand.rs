//! What a service writes by hand before it looks for a library: maps and sets of strings, with the standard hasher.

use std::collections::{HashMap, HashSet};

use grantbook::{GroupId, MemberId, Resource};

use super::{Pace, Peer, Plain};
use crate::{Engine, EngineError, Question};

/// Who is in which groups, and which groups may do what in each store.
pub struct ByHand {
    /// Without those who are only invited.
    members: HashMap<String, Member>,
    /// By store and permission, the groups that may.
    stores: HashMap<String, HashMap<String, HashSet<String>>>,
}

struct Member {
    owner: bool,
    groups: HashSet<String>,
}

impl Engine for ByHand {
    const NAME: &'static str = "hand-written";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Resource::Store(store) = question.resource else {
            return Err("only stores are asked about".into());
        };
        let (Some(member), Some(store)) =
            (self.members.get(question.member), self.stores.get(store))
        else {
            return Ok(false);
        };
        if member.owner {
            return Ok(true);
        }
        let Some(groups) = store.get(question.permission.as_str()) else {
            return Ok(false);
        };
        Ok(member.groups.iter().any(|group| groups.contains(group)))
    }
}

impl Peer for ByHand {
    const PACE: Pace = Pace::FAST;

    fn load(plain: &Plain) -> Result<Self, EngineError> {
        let facts = &plain.facts;
        let active = facts.members.iter().filter(|(_, member)| member.active);
        let members = active.map(|(id, member)| {
            let groups = member.groups.iter().map(ToString::to_string).collect();
            let owner = member.owner;
            (id.to_string(), Member { owner, groups })
        });
        let mut stores: HashMap<_, HashMap<_, HashSet<_>>> = facts
            .stores
            .iter()
            .map(|store| (store.to_string(), HashMap::new()))
            .collect();
        for (resource, roles) in &facts.grants {
            let Resource::Store(store) = resource else {
                continue;
            };
            let store = stores.entry(store.to_string()).or_default();
            for (role, groups) in roles {
                for permission in &facts.roles[role] {
                    let allowed = store.entry(permission.to_string()).or_default();
                    allowed.extend(groups.iter().map(ToString::to_string));
                }
            }
        }
        Ok(Self {
            members: members.collect(),
            stores,
        })
    }

    fn add_to_group(&mut self, member: &MemberId, group: &GroupId) -> Result<(), EngineError> {
        let member = self
            .members
            .get_mut(member.as_str())
            .ok_or("no such member")?;
        member.groups.insert(group.to_string());
        Ok(())
    }
}

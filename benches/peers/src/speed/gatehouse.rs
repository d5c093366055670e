//! Gatehouse: its `RbacPolicy`, over data that the host keeps.
//!
//! It stores nothing: a check is given the member and the store, so the host looks both up. The roles of its policy
//! are the groups. They are numbers, because the policy takes a new list of both sides' roles for each check.
//! Ownership is a role that every store accepts for everything.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use gatehouse::{EvaluationSession, PermissionChecker, PolicyDomain, RbacPolicy};
use grantbook::{GroupId, MemberId, Permission, Resource};

use super::{Pace, Peer, Plain};
use crate::{Engine, EngineError, Question};

/// A group, or ownership.
type Role = u32;

const OWNER: Role = 0;

struct Stores;

impl PolicyDomain for Stores {
    type Subject = Member;
    type Action = Permission;
    type Resource = Store;
    type Context = ();
}

/// Its roles.
struct Member(Vec<Role>);

/// By permission, the roles that may.
struct Store(HashMap<String, Vec<Role>>);

/// The policy, and what the host looks up for it.
pub struct Gatehouse {
    checker: PermissionChecker<Stores>,
    roles: HashMap<String, Role>,
    /// Without those who are only invited.
    members: HashMap<String, Member>,
    stores: HashMap<String, Store>,
}

impl Engine for Gatehouse {
    const NAME: &'static str = "gatehouse";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Resource::Store(store) = question.resource else {
            return Err("only stores are asked about".into());
        };
        let (Some(member), Some(store)) =
            (self.members.get(question.member), self.stores.get(store))
        else {
            return Ok(false);
        };
        let session = EvaluationSession::shared_empty();
        let bound = self.checker.bind(session, member, question.permission, &());
        // Nothing here waits, so it is polled once, as it would be within a runtime that a service has anyway.
        match pin!(bound.check(store)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(decision) => Ok(decision.is_granted()),
            Poll::Pending => Err("gatehouse waits for something".into()),
        }
    }
}

impl Peer for Gatehouse {
    const PACE: Pace = Pace::FAST;

    fn load(plain: &Plain) -> Result<Self, EngineError> {
        let facts = &plain.facts;
        let groups = facts.groups.iter().map(ToString::to_string);
        let roles: HashMap<String, Role> = groups.zip(OWNER + 1..).collect();
        let active = facts.members.iter().filter(|(_, member)| member.active);
        let members = active.map(|(id, member)| {
            let owner = member.owner.then_some(OWNER);
            let groups = member.groups.iter().map(|group| roles[group.as_str()]);
            (
                id.to_string(),
                Member(owner.into_iter().chain(groups).collect()),
            )
        });
        let members = members.collect();
        let nobody = BTreeSet::new();
        let store = |resource: &Resource| {
            let mut allowed: HashMap<_, BTreeSet<Role>> = HashMap::new();
            for (role, groups) in facts.grants.get(resource).into_iter().flatten() {
                for permission in facts.roles.get(role).unwrap_or(&nobody) {
                    let there = allowed.entry(permission.to_string()).or_default();
                    there.extend(groups.iter().map(|group| roles[group.as_str()]));
                }
            }
            let listed = allowed.into_iter().map(|(permission, roles)| {
                (permission, roles.into_iter().chain([OWNER]).collect())
            });
            Store(listed.collect())
        };
        let stores = facts.stores.iter();
        let stores = stores.map(|id| (id.to_string(), store(&Resource::Store(id.clone()))));
        let stores = stores.collect();
        let mut checker = PermissionChecker::new();
        checker.add_policy(RbacPolicy::<Stores, _, _>::new(
            |permission: &Permission, store: &Store| {
                let roles = store.0.get(permission.as_str());
                roles.cloned().unwrap_or_else(|| vec![OWNER])
            },
            |member: &Member| member.0.clone(),
        ));
        Ok(Self {
            checker,
            roles,
            members,
            stores,
        })
    }

    fn add_to_group(&mut self, member: &MemberId, group: &GroupId) -> Result<(), EngineError> {
        let role = self.roles.get(group.as_str()).ok_or("no such group")?;
        let member = self
            .members
            .get_mut(member.as_str())
            .ok_or("no such member")?;
        if !member.0.contains(role) {
            member.0.push(*role);
        }
        Ok(())
    }
}

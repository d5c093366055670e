//! Simple Zanzibar: relations between members, groups, stores and the account.
//!
//! ```text
//! group:devs#member@user:dana
//! store:staging#store_editor@group:devs#member
//! store:staging#owner@account:acme#owner
//! account:acme#owner@user:olga
//! ```
//!
//! A role is a relation of stores, and so is a permission: the union of the roles that hold it, and of the owners.
//! Who is only invited is in no relation. What is built is what its API makes of data in memory: all relationships,
//! in batches as large as it takes.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use grantbook::{GroupId, MemberId, Resource};
use simple_zanzibar::ZanzibarEngine;
use simple_zanzibar::model::{CheckRequest, Object, Relation, User};
use simple_zanzibar::relationship::RelationshipMutation;
use simple_zanzibar::revision::Consistency;

use super::{Pace, Peer, Plain};
use crate::{Engine, EngineError, Facts, Question};

/// The most that it takes at once.
const BATCH: usize = 10_000;

/// An account in Simple Zanzibar.
pub struct Zanzibar {
    engine: ZanzibarEngine,
}

impl Engine for Zanzibar {
    const NAME: &'static str = "simple-zanzibar";

    fn allows(&self, question: Question<'_>) -> Result<bool, EngineError> {
        let Resource::Store(store) = question.resource else {
            return Err("only stores are asked about".into());
        };
        let request = CheckRequest::new(
            Object::new("store", store),
            Relation::new(named(question.permission.as_str())),
            User::user_id(question.member),
            Consistency::Latest,
        );
        Ok(self.engine.check(request)?.allowed)
    }
}

impl Peer for Zanzibar {
    const PACE: Pace = Pace::SLOWEST;

    fn load(plain: &Plain) -> Result<Self, EngineError> {
        let engine = ZanzibarEngine::builder()
            .retained_snapshots(NonZeroUsize::MIN) // nobody asks about the past
            .build();
        engine.add_dsl(&schema(&plain.facts))?;
        let relationships = relationships(&plain.facts);
        for batch in relationships.chunks(BATCH) {
            let mutations = batch.iter().map(RelationshipMutation::create);
            engine.write_relationships(mutations.collect::<Result<Vec<_>, _>>()?)?;
        }
        Ok(Self { engine })
    }

    fn add_to_group(&mut self, member: &MemberId, group: &GroupId) -> Result<(), EngineError> {
        let relationship = format!("group:{group}#member@user:{member}");
        let mutation = RelationshipMutation::touch(relationship)?;
        self.engine.write_relationships([mutation])?;
        Ok(())
    }
}

/// A role or permission as a relation can be called.
fn named(id: &str) -> String {
    id.replace(['.', '-'], "_")
}

fn schema(facts: &Facts) -> String {
    let roles = facts.roles.keys();
    let mut relations: Vec<_> = roles
        .map(|role| format!("relation {} {{}}", named(role)))
        .collect();
    let permissions: BTreeSet<_> = facts.roles.values().flatten().collect();
    relations.extend(permissions.into_iter().map(|permission| {
        let roles = facts.roles.iter();
        let holders = roles.filter(|(_, held)| held.contains(permission));
        let names = holders.map(|(role, _)| named(role));
        let terms: Vec<_> = names
            .chain(["owner".to_owned()])
            .map(|name| format!("computed_userset(relation: \"{name}\")"))
            .collect();
        let (permission, terms) = (named(permission), terms.join(", "));
        format!("relation {permission} {{ rewrite union({terms}) }}")
    }));
    format!(
        "namespace user {{}}
        namespace group {{ relation member {{}} }}
        namespace account {{ relation owner {{}} }}
        namespace store {{ relation owner {{}} {} }}",
        relations.join("\n")
    )
}

fn relationships(facts: &Facts) -> Vec<String> {
    let account = &facts.account;
    let mut all = Vec::new();
    for (member, membership) in facts.members.iter().filter(|(_, member)| member.active) {
        let groups = membership.groups.iter();
        all.extend(groups.map(|group| format!("group:{group}#member@user:{member}")));
        if membership.owner {
            all.push(format!("account:{account}#owner@user:{member}"));
        }
    }
    for store in &facts.stores {
        all.push(format!("store:{store}#owner@account:{account}#owner"));
    }
    for (resource, roles) in &facts.grants {
        let Resource::Store(store) = resource else {
            continue;
        };
        for (role, groups) in roles {
            let role = named(role);
            let held = groups.iter();
            all.extend(held.map(|group| format!("store:{store}#{role}@group:{group}#member")));
        }
    }
    all
}

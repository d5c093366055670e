//! What a service writes by hand before it looks for a library: maps of strings with the standard hasher, from members
//! to their groups, and from groups to what they may do in each store. Quick as such maps go: what may be done is a
//! word of bits, one for each permission that a role names.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs

use std::collections::{BTreeSet, HashMap, HashSet};

use grantbook::{Account, MemberStatus, Permission, Resource, Scope};
use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize, Serialize)]
pub struct ByHand {
    /// The bit of each permission.
    bits: HashMap<String, u64>,
    /// The active ones.
    members: HashMap<String, Member>,
    groups: HashMap<String, Group>,
    stores: HashSet<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Member {
    owner: bool,
    groups: HashSet<String>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
struct Group {
    account: u64,
    stores: HashMap<String, u64>,
}

impl ByHand {
    /// The same access; `None` if there are more permissions than a word has bits.
    pub fn of(account: &Account) -> Option<Self> {
        let mut all = Self {
            stores: account.stores().map(ToString::to_string).collect(),
            ..Self::default()
        };
        let named = account.roles().flat_map(|(_, role)| role.permissions());
        let named: BTreeSet<&Permission> = named.collect();
        for (place, permission) in (0..).zip(&named) {
            let bit = 1_u64.checked_shl(place)?;
            all.bits.insert(permission.to_string(), bit);
        }
        for group in account.groups() {
            let id = group.id().as_str();
            all.groups.insert(id.to_owned(), Group::default());
            for grant in group.grants() {
                let role = account.role(grant.role)?;
                let held = named.iter().filter(|permission| role.allows(permission));
                let granted = held.map(|permission| all.bits[permission.as_str()]);
                let granted = granted.fold(0, |all, bit| all | bit);
                match grant.scope {
                    Scope::Account => all.groups.get_mut(id)?.account |= granted,
                    Scope::Stores(stores) => stores
                        .iter()
                        .for_each(|store| all.grant(id, store, granted)),
                }
            }
        }
        let open = account.members().filter(|_| !account.is_closed());
        for member in open {
            let MemberStatus::Active { owner } = member.status() else {
                continue;
            };
            let groups = member.groups().map(ToString::to_string).collect();
            let id = member.id().to_string();
            all.members.insert(id, Member { owner, groups });
        }
        Some(all)
    }

    pub fn add_member(&mut self, member: &str, group: &str) {
        let member = self.members.entry(member.to_owned()).or_default();
        member.groups.insert(group.to_owned());
    }

    pub fn remove_member(&mut self, member: &str) {
        self.members.remove(member);
    }

    pub fn add_store(&mut self, store: &str) {
        self.stores.insert(store.to_owned());
    }

    /// Grants these bits to a group in one more store.
    pub fn grant(&mut self, group: &str, store: &str, granted: u64) {
        if let Some(group) = self.groups.get_mut(group) {
            *group.stores.entry(store.to_owned()).or_default() |= granted;
        }
    }

    pub fn revoke(&mut self, group: &str, store: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.stores.remove(store);
        }
    }

    pub fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        let Some(member) = self.members.get(member) else {
            return false;
        };
        if member.owner {
            return match resource {
                Resource::Account => true,
                Resource::Store(store) => self.stores.contains(store),
            };
        }
        let bit = self.bits.get(permission.as_str()).copied().unwrap_or(0);
        let groups = member.groups.iter();
        groups
            .filter_map(|group| self.groups.get(group))
            .any(|group| {
                let granted = match resource {
                    Resource::Account => Some(&group.account),
                    Resource::Store(store) => group.stores.get(store),
                };
                granted.is_some_and(|granted| granted & bit != 0)
            })
    }

    /// What the member may do in each store, in no order.
    pub fn effective(&self, member: &str) -> HashMap<&str, u64> {
        let mut all = HashMap::new();
        let Some(member) = self.members.get(member) else {
            return all;
        };
        if member.owner {
            return self.stores.iter().map(|id| (id.as_str(), !0)).collect();
        }
        for group in member.groups.iter().filter_map(|id| self.groups.get(id)) {
            for (store, granted) in &group.stores {
                *all.entry(store.as_str()).or_default() |= granted;
            }
        }
        all
    }
}

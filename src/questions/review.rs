//! What a periodic access review should look at.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use crate::account::Account;
use crate::account::data::AccountData;
use crate::account::status::MemberStatus;
use crate::grant::{GrantRef, Scope};
use crate::id::{GroupId, MemberId, RoleId};
use crate::permission::Powers;
use crate::time::Timestamp;
use crate::visible::Quoted;

/// Something that somebody should look at. `Display` says it in a sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Finding {
    /// Only one owner is there: if that person is gone, nobody can manage the account.
    SingleOwner {
        /// The owner.
        member: MemberId,
    },
    /// An owner sits in groups, which give it nothing now, and will give it access once it is no owner any more.
    OwnerInGroups {
        /// The owner.
        member: MemberId,
        /// Its groups.
        groups: Vec<GroupId>,
    },
    /// An active member who is no owner is in no group, and so can do nothing.
    MemberWithoutGroups {
        /// The member.
        member: MemberId,
    },
    /// An invitation is past its expiry, and is still listed.
    ExpiredInvitation {
        /// Who was invited.
        member: MemberId,
        /// When it ended.
        expired: Timestamp,
    },
    /// A group has no members.
    EmptyGroup {
        /// The group.
        group: GroupId,
    },
    /// A grant has lost its last store, and grants nothing (S3).
    EmptyGrant {
        /// The group.
        group: GroupId,
        /// The role that it carries for nothing.
        role: RoleId,
    },
    /// A grant adds nothing to another grant of the same group.
    CoveredGrant {
        /// The group.
        group: GroupId,
        /// The role that adds nothing.
        role: RoleId,
        /// The role that allows all it allows, wherever it allows it.
        by: RoleId,
    },
    /// Groups carry the same grants.
    EqualGroups {
        /// The groups; two or more.
        groups: Vec<GroupId>,
    },
}

impl Account {
    /// What an access review should look at, in the order of [`Finding`]'s variants, and of ids within each.
    ///
    /// Takes time in proportion to the members, and to the groups and their grants.
    #[must_use]
    pub fn review(&self, now: Timestamp) -> Vec<Finding> {
        let now = self.state.not_before(now);
        let mut findings = Vec::new();
        let mut owners = self.owners();
        if let (Some(member), None) = (owners.next(), owners.next()) {
            findings.push(Finding::SingleOwner {
                member: member.clone(),
            });
        }
        findings.extend(self.owners().filter_map(|owner| {
            let groups: Vec<GroupId> = self.member(owner)?.groups().cloned().collect();
            (!groups.is_empty()).then(|| Finding::OwnerInGroups {
                member: owner.clone(),
                groups,
            })
        }));
        let members = self.state.members_after(None);
        let without = members.filter(|(_, entry)| {
            entry.groups().is_empty() && entry.status() == MemberStatus::Active { owner: false }
        });
        findings.extend(without.map(|(id, _)| Finding::MemberWithoutGroups { member: id.clone() }));
        findings.extend(self.members().filter_map(|member| {
            let expired = member.status().expiry().filter(|expiry| *expiry <= now)?;
            Some(Finding::ExpiredInvitation {
                member: member.id().clone(),
                expired,
            })
        }));
        let empty = self.groups().filter(|group| group.member_count() == 0);
        findings.extend(empty.map(|group| Finding::EmptyGroup {
            group: group.id().clone(),
        }));
        for group in self.groups() {
            let is_empty = |grant: &GrantRef<'_>| is_empty(grant.scope);
            findings.extend(
                group
                    .grants()
                    .filter(is_empty)
                    .map(|grant| Finding::EmptyGrant {
                        group: group.id().clone(),
                        role: grant.role.clone(),
                    }),
            );
        }
        for group in self.groups() {
            let grants: Vec<GrantRef<'_>> = group.grants().collect();
            findings.extend(
                self.covered(&grants)
                    .map(|(role, by)| Finding::CoveredGrant {
                        group: group.id().clone(),
                        role: role.clone(),
                        by: by.clone(),
                    }),
            );
        }
        findings.extend(self.equal_groups());
        findings
    }

    /// Of each grant that another one covers: its role, and the first that covers it. Of two that cover each other,
    /// the later.
    fn covered<'a>(
        &'a self,
        grants: &'a [GrantRef<'a>],
    ) -> impl Iterator<Item = (&'a RoleId, &'a RoleId)> {
        let covers = move |other: &GrantRef<'a>, grant: &GrantRef<'a>| {
            let (one, more) = (self.role(grant.role), self.role(other.role));
            let is_within = match (grant.scope, other.scope) {
                (Scope::Account, Scope::Account) => true,
                (Scope::Stores(stores), Scope::Stores(more)) => stores.is_subset(more),
                (Scope::Account, Scope::Stores(_)) | (Scope::Stores(_), Scope::Account) => false,
            };
            is_within
                && one
                    .zip(more)
                    .is_some_and(|(one, more)| more.permissions.allows_all(&one.permissions))
        };
        grants
            .iter()
            .enumerate()
            .filter(|(_, grant)| !is_empty(grant.scope))
            .filter_map(move |(resource, grant)| {
                // Of two that cover each other, the first stands.
                let by = grants.iter().enumerate().find(|(other_place, other)| {
                    covers(other, grant)
                        && match other_place.cmp(&resource) {
                            Ordering::Less => true,
                            Ordering::Equal => false,
                            Ordering::Greater => !covers(grant, other),
                        }
                });
                by.map(|(_, other)| (grant.role, other.role))
            })
    }

    fn equal_groups(&self) -> impl Iterator<Item = Finding> {
        let mut by_grants: BTreeMap<Vec<(&RoleId, &Scope)>, Vec<GroupId>> = BTreeMap::new();
        for group in self.groups() {
            let grants = group
                .grants()
                .map(|grant| (grant.role, grant.scope))
                .collect();
            by_grants
                .entry(grants)
                .or_default()
                .push(group.id().clone());
        }
        let mut equal: Vec<Vec<GroupId>> = by_grants
            .into_values()
            .filter(|groups| groups.len() > 1)
            .collect();
        equal.sort();
        equal
            .into_iter()
            .map(|groups| Finding::EqualGroups { groups })
    }
}

fn is_empty(scope: &Scope) -> bool {
    match scope {
        Scope::Account => false,
        Scope::Stores(stores) => stores.is_empty(),
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::SingleOwner { member } => {
                write!(
                    f,
                    "{} is the only account owner; a second one could help when it cannot",
                    Quoted(member)
                )
            }
            Finding::OwnerInGroups { member, groups } => write!(
                f,
                "account owner {} also sits in {}; that gives nothing now, and stays when ownership ends",
                Quoted(member),
                listed(groups)
            ),
            Finding::MemberWithoutGroups { member } => {
                write!(f, "{} is in no group and can do nothing", Quoted(member))
            }
            Finding::ExpiredInvitation { member, .. } => {
                write!(
                    f,
                    "the invitation of {} has expired; cancel it, or invite again",
                    Quoted(member)
                )
            }
            Finding::EmptyGroup { group } => write!(f, "group {} has no members", Quoted(group)),
            Finding::EmptyGrant { group, role } => {
                write!(
                    f,
                    "group {} carries {} for no store; all its stores were deleted",
                    Quoted(group),
                    Quoted(role)
                )
            }
            Finding::CoveredGrant { group, role, by } => {
                let (group, role, by) = (Quoted(group), Quoted(role), Quoted(by));
                write!(f, "in group {group}, {role} adds nothing to {by}")
            }
            Finding::EqualGroups { groups } => {
                write!(f, "{} carry the same grants", listed(groups))
            }
        }
    }
}

/// "group `a`", "groups `a` and `b`", "groups `a`, `b` and `c`".
fn listed(groups: &[GroupId]) -> String {
    let quoted: Vec<String> = groups
        .iter()
        .map(|group| Quoted(group).to_string())
        .collect();
    match quoted.as_slice() {
        [] => "no group".to_owned(),
        [one] => format!("group {one}"),
        [most @ .., last] => format!("groups {} and {last}", most.join(", ")),
    }
}

//! What a periodic access review should look at.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use crate::account::Account;
use crate::account::data::AccountData;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::data::state::State;
use crate::account::status::MemberStatus;
use crate::grant::{GrantRef, Scope};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::questions::covers::{Covers, is_empty};
use crate::role::Role;
use crate::time::Timestamp;
use crate::visible::Quoted;

/// Something that somebody should look at. `Display` says it in a sentence.
///
/// As JSON it is an object with its [`code`](Finding::code) as `kind`: `{"kind":"single-owner","member":"olga"}`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
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
    /// Somebody is invited as an owner, and the invitation never ends: whoever gets hold of it owns the account.
    EndlessOwnerInvitation {
        /// Who is invited.
        member: MemberId,
    },
    /// A member could, alone, bring in a second identity and give it more than it has itself: it may invite, and put
    /// members into groups. The guardrails bind each member by itself (E1 to E4), and not two that are one person.
    SecondIdentity {
        /// Who.
        member: MemberId,
    },
    /// Members hold a permission at the account by more than one group, so that they keep it when they are taken out of
    /// one. One finding for all who are in the same groups, as far as those grant anything at the account.
    SecondWay {
        /// Who; no owners. At least one, in the order of ids.
        members: Vec<MemberId>,
        /// What each holds by at least two of the groups: the first ten of them.
        permissions: Vec<Permission>,
        /// How many permissions there are beyond these.
        more: usize,
        /// The groups that give any of them; two or more.
        groups: Vec<GroupId>,
    },
    /// A member is suspended and still in groups, whose access it has again once it is reinstated.
    SuspendedInGroups {
        /// Who.
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
    /// Everybody in a group is invited, and the invitations have ended.
    EndedInvitationsOnly {
        /// The group.
        group: GroupId,
    },
    /// No group carries this role of the account's own.
    UnusedRole {
        /// The role.
        role: RoleId,
    },
    /// No group grants anything in this store: only owners see it.
    UnusedStore {
        /// The store.
        store: StoreId,
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

/// So many permissions are named in one finding.
const NAMED: usize = 10;

impl Account {
    /// What an access review should look at, in the order of [`Finding`]'s variants, and of ids within each.
    ///
    /// Takes time in proportion to what the account holds: its members, its groups and their members, its grants and
    /// their stores, its roles and their permissions; the last once for each set of groups with power at the account that
    /// members are in. Grants of one group are compared where they share a rare permission and a rare store: usually few.
    #[must_use]
    pub fn review(&self, now: Timestamp) -> Vec<Finding> {
        let now = self.state.not_before(now);
        let mut findings = Vec::new();
        self.review_owners(&mut findings);
        self.review_powers(&mut findings);
        self.review_members(now, &mut findings);
        self.review_groups(now, &mut findings);
        findings
    }

    fn review_owners(&self, findings: &mut Vec<Finding>) {
        let mut owners = self.owners();
        if let (Some(member), None) = (owners.next(), owners.next()) {
            findings.push(Finding::SingleOwner {
                member: member.clone(),
            });
        }
        let by_slot = self.state.groups_by_slot();
        let in_groups = self.owners().filter_map(|owner| {
            let groups = groups_among(&by_slot, self.state.member(owner)?);
            (!groups.is_empty()).then(|| Finding::OwnerInGroups {
                member: owner.clone(),
                groups,
            })
        });
        findings.extend(in_groups);
        let endless = self.members().filter(|member| {
            let status = member.status();
            matches!(status, MemberStatus::Invited { as_owner: true, .. })
                && status.expiry().is_none()
        });
        findings.extend(endless.map(|member| Finding::EndlessOwnerInvitation {
            member: member.id().clone(),
        }));
    }

    /// What single members could do with what they hold at the account.
    fn review_powers(&self, findings: &mut Vec<Finding>) {
        let by_slot = self.state.groups_by_slot();
        let constrained = || {
            let members = self.state.members_after(None);
            members.filter(|(_, entry)| entry.is_active() && !entry.is_owner())
        };
        let account = self.state.account_index();
        let second = constrained().filter(|(_, entry)| {
            let powers = [Permission::INVITE_MEMBERS, Permission::MANAGE_GROUPS];
            powers
                .iter()
                .all(|power| self.state.holds(entry, power, account))
        });
        findings.extend(second.map(|(id, _)| Finding::SecondIdentity { member: id.clone() }));

        // For each permission, the groups that grant it at the account.
        let mut granting: BTreeMap<&str, (&Permission, SlotSet)> = BTreeMap::new();
        let mut all = SlotSet::default();
        for (role, groups) in account.iter() {
            all.insert_all(groups);
            for permission in self.role(role).into_iter().flat_map(Role::permissions) {
                let entry = granting.entry(permission.as_str());
                let (_, slots) = entry.or_insert((permission, SlotSet::default()));
                slots.insert_all(groups);
            }
        }
        let mut alike: IndexMap<SlotSet, Vec<MemberId>> = IndexMap::new();
        for (id, entry) in constrained() {
            let groups = entry.groups().intersection(&all);
            if groups.iter().nth(1).is_some() {
                alike.entry(groups).or_default().push(id.clone());
            }
        }
        for (groups, members) in alike {
            let mut giving = SlotSet::default();
            let twice = granting.values().filter(|(permission, _)| {
                // By itself, or by what includes it (L7).
                let mut ways = SlotSet::default();
                for (_, slots) in permission
                    .included_in()
                    .filter_map(|text| granting.get(text))
                {
                    ways.insert_all(&slots.intersection(&groups));
                }
                let is_twice = ways.iter().nth(1).is_some();
                if is_twice {
                    giving.insert_all(&ways);
                }
                is_twice
            });
            let mut permissions: Vec<Permission> =
                twice.map(|(permission, _)| (*permission).clone()).collect();
            let more = permissions.len().saturating_sub(NAMED);
            permissions.truncate(NAMED);
            let mut groups: Vec<GroupId> = giving
                .iter()
                .filter_map(|slot| by_slot.get(&slot).copied().cloned())
                .collect();
            groups.sort_unstable();
            if !permissions.is_empty() {
                findings.push(Finding::SecondWay {
                    members,
                    permissions,
                    more,
                    groups,
                });
            }
        }
    }

    fn review_members(&self, now: Timestamp, findings: &mut Vec<Finding>) {
        let by_slot = self.state.groups_by_slot();
        let members = || self.state.members_after(None);
        let suspended = members().filter(|(_, entry)| {
            matches!(entry.status(), MemberStatus::Suspended { .. }) && !entry.groups().is_empty()
        });
        findings.extend(suspended.map(|(id, entry)| Finding::SuspendedInGroups {
            member: id.clone(),
            groups: groups_among(&by_slot, entry),
        }));
        let without = members().filter(|(_, entry)| {
            entry.groups().is_empty() && entry.status() == MemberStatus::Active { owner: false }
        });
        findings.extend(without.map(|(id, _)| Finding::MemberWithoutGroups { member: id.clone() }));
        findings.extend(members().filter_map(|(id, entry)| {
            let expired = entry.status().expiry().filter(|expiry| *expiry <= now)?;
            Some(Finding::ExpiredInvitation {
                member: id.clone(),
                expired,
            })
        }));
    }

    fn review_groups(&self, now: Timestamp, findings: &mut Vec<Finding>) {
        let empty = self.groups().filter(|group| group.member_count() == 0);
        findings.extend(empty.map(|group| Finding::EmptyGroup {
            group: group.id().clone(),
        }));
        let has_ended = |index| {
            let member = self
                .state
                .member_id(index)
                .and_then(|id| self.state.member(id));
            let expiry = member.and_then(|member| member.status().expiry());
            expiry.is_some_and(|expiry| expiry <= now)
        };
        let ended = self.state.groups().filter(|(_, group)| {
            let members = self.state.members_of(group);
            !members.is_empty() && members.iter().all(has_ended)
        });
        findings.extend(ended.map(|(id, _)| Finding::EndedInvitationsOnly { group: id.clone() }));

        let grants = self.groups().flat_map(|group| group.grants());
        let carried: HashSet<&RoleId> = grants.map(|grant| grant.role).collect();
        let unused = self
            .roles()
            .filter(|(id, role)| !role.is_built_in() && !carried.contains(id));
        findings.extend(unused.map(|(id, _)| Finding::UnusedRole { role: id.clone() }));
        let unused = self
            .state
            .stores()
            .filter(|(_, store)| store.index.iter().next().is_none());
        findings.extend(unused.map(|(id, _)| Finding::UnusedStore { store: id.clone() }));

        for group in self.groups() {
            let is_empty = |grant: &GrantRef<'_>| is_empty(grant.scope);
            let empty = group.grants().filter(is_empty);
            findings.extend(empty.map(|grant| Finding::EmptyGrant {
                group: group.id().clone(),
                role: grant.role.clone(),
            }));
        }
        for group in self.groups() {
            let grants: Vec<GrantRef<'_>> = group.grants().collect();
            let covers = Covers::new(self, &grants);
            findings.extend(covers.covered().map(|(role, by)| Finding::CoveredGrant {
                group: group.id().clone(),
                role: role.clone(),
                by: by.clone(),
            }));
        }
        findings.extend(self.equal_groups());
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

/// The groups of a member, in the order of ids.
fn groups_among(by_slot: &BTreeMap<Slot, &GroupId>, member: &MemberEntry) -> Vec<GroupId> {
    let mut groups: Vec<GroupId> = State::groups_in(by_slot, member).cloned().collect();
    groups.sort_unstable();
    groups
}

impl Finding {
    /// Returns a stable code of what was found.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Finding::SingleOwner { .. } => "single-owner",
            Finding::OwnerInGroups { .. } => "owner-in-groups",
            Finding::EndlessOwnerInvitation { .. } => "endless-owner-invitation",
            Finding::SecondIdentity { .. } => "second-identity",
            Finding::SecondWay { .. } => "second-way",
            Finding::SuspendedInGroups { .. } => "suspended-in-groups",
            Finding::MemberWithoutGroups { .. } => "member-without-groups",
            Finding::ExpiredInvitation { .. } => "expired-invitation",
            Finding::EmptyGroup { .. } => "empty-group",
            Finding::EndedInvitationsOnly { .. } => "ended-invitations-only",
            Finding::UnusedRole { .. } => "unused-role",
            Finding::UnusedStore { .. } => "unused-store",
            Finding::EmptyGrant { .. } => "empty-grant",
            Finding::CoveredGrant { .. } => "covered-grant",
            Finding::EqualGroups { .. } => "equal-groups",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Finding::SingleOwner { member } => write!(
                f,
                "{} is the only account owner; a second one could help when it cannot",
                Quoted(member)
            ),
            Finding::OwnerInGroups { member, groups } => write!(
                f,
                "account owner {} also sits in {}; that gives nothing now, and stays when ownership ends",
                Quoted(member),
                listed(groups)
            ),
            Finding::EndlessOwnerInvitation { member } => write!(
                f,
                "{} is invited as an account owner, and the invitation never ends",
                Quoted(member)
            ),
            Finding::SecondIdentity { member } => write!(
                f,
                "{} may invite and manage groups, so it could bring in a second identity of its own and give it more \
                 than it has",
                Quoted(member)
            ),
            Finding::SecondWay {
                members,
                permissions,
                more,
                groups,
            } => {
                match members.as_slice() {
                    [member] => write!(f, "{} holds ", Quoted(member))?,
                    members => {
                        let first = members.first().map_or("", MemberId::as_str);
                        let others = members.len().saturating_sub(1);
                        write!(f, "{} and {others} more hold ", Quoted(first))?;
                    }
                }
                let named = permissions
                    .iter()
                    .map(|permission| format!("`{permission}`"));
                write!(f, "{}", named.collect::<Vec<_>>().join(", "))?;
                if *more > 0 {
                    write!(f, " and {more} more permissions")?;
                }
                write!(
                    f,
                    " by more than one group, of {}: out of one, it is kept",
                    listed(groups)
                )
            }
            Finding::SuspendedInGroups { member, groups } => write!(
                f,
                "{} is suspended and still in {}; reinstated, it has that access again",
                Quoted(member),
                listed(groups)
            ),
            Finding::MemberWithoutGroups { member } => {
                write!(f, "{} is in no group and can do nothing", Quoted(member))
            }
            Finding::ExpiredInvitation { member, .. } => write!(
                f,
                "the invitation of {} has expired; cancel it, or invite again",
                Quoted(member)
            ),
            Finding::EmptyGroup { group } => write!(f, "group {} has no members", Quoted(group)),
            Finding::EndedInvitationsOnly { group } => write!(
                f,
                "group {} has nobody but invited members whose invitations have ended",
                Quoted(group)
            ),
            Finding::UnusedRole { role } => write!(f, "no group carries role {}", Quoted(role)),
            Finding::UnusedStore { store } => write!(
                f,
                "no group grants anything in store {}; only owners see it",
                Quoted(store)
            ),
            Finding::EmptyGrant { group, role } => write!(
                f,
                "group {} carries {} for no store, which grants nothing",
                Quoted(group),
                Quoted(role)
            ),
            Finding::CoveredGrant { group, role, by } => write!(
                f,
                "in group {}, {} adds nothing to {}",
                Quoted(group),
                Quoted(role),
                Quoted(by)
            ),
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

//! What a periodic access review should look at.

use std::collections::{BTreeMap, HashSet};

use indexmap::IndexMap;

use crate::account::Account;
use crate::account::data::AccountData;
use crate::account::data::hash::Keyed;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::{Slot, SlotSet};
use crate::account::data::state::State;
use crate::account::status::MemberStatus;
use crate::catalog::Catalog;
use crate::grant::GrantRef;
use crate::id::{GroupId, MemberId};
use crate::permission::Permission;
use crate::questions::covers::{Covers, is_empty};
use crate::questions::finding::Finding;
use crate::role::Role;
use crate::time::Timestamp;

/// So many permissions are named in one finding.
const NAMED: usize = 10;

impl Account {
    /// What an access review should look at, in the order of [`Finding`]'s variants, and of ids within each. Nothing, in
    /// a closed account, where nobody may do anything.
    ///
    /// Takes time in proportion to what the account holds: its members, its groups and their members, its grants and
    /// their stores, its roles and their permissions; the last once for each set of groups with power at the account that
    /// members are in. Grants of one group are compared where they share a rare permission and a rare store: usually few.
    #[must_use]
    pub fn review(&self, now: Timestamp) -> Vec<Finding> {
        self.findings(now, None)
    }

    /// The same, and what roles hold that the catalog of your application does not have, or has at the other level.
    ///
    /// ```
    /// use grantbook::command::DefineRole;
    /// # use grantbook::*;
    ///
    /// grantbook::permissions! {
    ///     static CATALOG;
    ///     const EXPORT = "report.export" @ Store;
    /// }
    ///
    /// # let now = Timestamp::from_millis(0);
    /// # let olga = MemberId::parse("olga")?;
    /// # let (mut account, _) =
    /// #     Account::open(AccountId::parse("acme")?, olga, GroupLimit::default(), now);
    /// let define = DefineRole {
    ///     role: RoleId::parse("analyst")?,
    ///     name: RoleName::parse("Analyst")?,
    ///     level: RoleLevel::Store,
    ///     permissions: [Permission::parse("report.exprot")?].into(),
    /// };
    /// account.execute(&Actor::System, &define.into(), now)?;
    /// let findings = account.review_with(now, &CATALOG);
    /// assert_eq!(
    ///     findings.last().map(Finding::to_string).as_deref(),
    ///     Some("role `analyst` holds `report.exprot`, which the catalog of permissions does not have"),
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn review_with(&self, now: Timestamp, catalog: &Catalog) -> Vec<Finding> {
        self.findings(now, Some(catalog))
    }

    fn findings(&self, now: Timestamp, catalog: Option<&Catalog>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if self.is_closed() {
            return findings;
        }
        let now = self.state.not_before(now);
        self.review_owners(&mut findings);
        self.review_powers(&mut findings);
        self.review_members(now, &mut findings);
        self.review_groups(now, &mut findings);
        if let Some(catalog) = catalog {
            self.review_permissions(catalog, &mut findings);
        }
        findings
    }

    /// What roles hold that nobody checks, or that belongs to the other level.
    fn review_permissions(&self, catalog: &Catalog, findings: &mut Vec<Finding>) {
        findings.extend(self.roles().filter_map(|(id, role)| {
            let (permissions, more) = first_named(catalog.unknown_of(role));
            (!permissions.is_empty()).then(|| Finding::UnknownPermissions {
                role: id.clone(),
                permissions,
                more,
            })
        }));
        findings.extend(self.roles().filter_map(|(id, role)| {
            let (permissions, more) = first_named(catalog.misplaced_of(role));
            (!permissions.is_empty()).then(|| Finding::MisplacedPermissions {
                role: id.clone(),
                permissions,
                more,
            })
        }));
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
        let mut alike: IndexMap<SlotSet, Vec<MemberId>, Keyed> = IndexMap::default();
        for (id, entry) in constrained() {
            let groups = entry.groups().intersection(&all);
            if groups.iter().nth(1).is_some() {
                alike.entry(groups).or_default().push(id.clone());
            }
        }
        for (groups, members) in alike {
            let mut giving = SlotSet::default();
            let named = granting
                .values()
                .filter(|(_, slots)| slots.intersects(&groups));
            let twice = named.filter(|(permission, _)| {
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
            let (permissions, more) = first_named(twice.map(|(permission, _)| *permission));
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
        let mut carried = HashSet::with_capacity_and_hasher(self.roles().count(), Keyed::default());
        carried.extend(grants.map(|grant| grant.role));
        let unused = self
            .roles()
            .filter(|(id, role)| !role.is_built_in() && !carried.contains(id));
        findings.extend(unused.map(|(id, _)| Finding::UnusedRole { role: id.clone() }));
        let unused = self
            .state
            .stores()
            .filter(|(_, store)| store.index.is_empty());
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
            let covers = Covers::new(self, group.grants());
            findings.extend(covers.covered().map(|(role, by)| Finding::CoveredGrant {
                group: group.id().clone(),
                role: role.clone(),
                by: by.clone(),
            }));
        }
        findings.extend(self.equal_groups());
    }

    fn equal_groups(&self) -> impl Iterator<Item = Finding> {
        let mut by_grants: BTreeMap<_, Vec<GroupId>> = BTreeMap::new();
        for (id, group) in self.state.groups() {
            let groups = by_grants.entry(self.state.grants(group)).or_default();
            groups.push(id.clone());
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

/// The permissions that a finding names, and how many there are beyond these.
fn first_named<'a>(
    mut permissions: impl Iterator<Item = &'a Permission>,
) -> (Vec<Permission>, usize) {
    let named = permissions.by_ref().take(NAMED).cloned().collect();
    (named, permissions.count())
}

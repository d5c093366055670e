//! What would allow what is denied: single commands, least first.
//!
//! What there may be many of is found without being tried. It follows from the rules that each of them helps, and the
//! tests execute each one. The pairs of a group and a role are put in order without being put together.

use std::borrow::Cow;
use std::collections::HashSet;
use std::iter;

use roaring::RoaringBitmap;

use crate::access::{DenialReason, Resource};
use crate::account::actor::Actor;
use crate::account::changes::{
    AcceptInvitation, AddToGroup, ChangeRole, Command, CreateStore, GrantOwnership, GrantRole,
    ReinstateMember,
};
use crate::account::data::AccountData;
use crate::account::data::draft::Draft;
use crate::account::data::hash::KeyedMap;
use crate::account::data::member::MemberEntry;
use crate::account::data::state::State;
use crate::account::decide::decide;
use crate::account::limits::MAX_ITEMS_PER_COMMAND;
use crate::grant::Scope;
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::permission::{Permission, Powers};
use crate::questions::explanation::{
    Advice, ExplainOptions, Explanation, PermissionWarning, Remedy, RemedyKind,
};
use crate::questions::warning::{is_owners_only, level_at};
use crate::role::{Role, RoleLevel};
use crate::text::ParseError;

/// What was asked, and of which account.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) state: &'a State,
    pub(crate) member: &'a str,
    pub(crate) permission: &'a Permission,
    pub(crate) resource: Resource<&'a str>,
    pub(crate) options: ExplainOptions<'a>,
}

impl<'a> Asked<'a> {
    pub(crate) fn advice(
        self,
        denial: &DenialReason,
        warning: Option<&PermissionWarning>,
    ) -> Advice {
        let is_hopeless = match denial {
            DenialReason::AccountClosed | DenialReason::Diverged => true,
            DenialReason::UnknownMember
            | DenialReason::Invited
            | DenialReason::Suspended
            | DenialReason::UnknownStore
            | DenialReason::MissingPermission { .. } => {
                warning.is_some_and(PermissionWarning::is_certain) || !self.can_exist()
            }
        };
        if is_hopeless {
            return Advice::Nothing;
        }
        let Some((id, entry)) = self.state.member_with_id(self.member) else {
            return Advice::SeveralChanges;
        };
        match denial {
            DenialReason::Invited => self.if_accepted(id, entry),
            DenialReason::Suspended => {
                let member = id.clone();
                self.if_done(RemedyKind::Reinstate, ReinstateMember { member }, 1)
            }
            DenialReason::UnknownStore => self.if_created(),
            DenialReason::MissingPermission { .. } if is_owners_only(self.permission) => {
                let member = id.clone();
                self.if_done(RemedyKind::GrantOwnership, GrantOwnership { member }, 1)
            }
            DenialReason::MissingPermission { .. } => self.least_first(id, entry),
            DenialReason::AccountClosed | DenialReason::Diverged | DenialReason::UnknownMember => {
                Advice::SeveralChanges
            }
        }
    }

    /// Whether there can be such a member and such a store, and another version.
    fn can_exist(self) -> bool {
        let is_store = match self.resource {
            Resource::Account => true,
            Resource::Store(store) => StoreId::parse(store).is_ok(),
        };
        let has_next = self.state.header().version < u64::MAX;
        is_store && has_next && MemberId::parse(self.member).is_ok()
    }

    fn if_accepted(self, id: &MemberId, entry: &MemberEntry) -> Advice {
        let now = self.state.not_before(self.options.now);
        let expiry = entry.status().expiry();
        if let Some(ended) = expiry.filter(|expiry| *expiry <= now) {
            return Advice::InviteAgain { ended };
        }
        let member = id.clone();
        self.if_done(RemedyKind::Accept { member }, AcceptInvitation {}, 1)
    }

    fn if_created(self) -> Advice {
        let Resource::Store(Ok(store)) = parsed(self.resource) else {
            return Advice::Nothing;
        };
        let owners = self.state.owners().count();
        self.if_done(RemedyKind::CreateStore, CreateStore { store }, owners)
    }

    /// This one command, if it helps.
    fn if_done(self, step: RemedyKind, command: impl Into<Command>, people: usize) -> Advice {
        let command = command.into();
        let actor = match &step {
            RemedyKind::Accept { member } => Actor::Member(member.clone()),
            RemedyKind::Reinstate
            | RemedyKind::CreateStore
            | RemedyKind::AddToGroup { .. }
            | RemedyKind::GrantRole { .. }
            | RemedyKind::ExtendRole { .. }
            | RemedyKind::GrantOwnership => Actor::System,
        };
        if !self.would_be_allowed_by(&actor, &command) {
            return Advice::SeveralChanges;
        }
        let remedy = Remedy {
            step,
            people,
            command,
        };
        Advice::AnyOf {
            remedies: iter::once(remedy).skip(self.options.skip).collect(),
            more: 0,
        }
    }

    /// Tries the command on a draft.
    fn would_be_allowed_by(self, actor: &Actor, command: &Command) -> bool {
        let Ok(Some(change)) = decide(self.state, actor, command, self.options.now) else {
            return false;
        };
        let mut after = Draft::over(self.state);
        change.try_on(&mut after);
        after.can(self.member, self.permission, self.resource)
    }

    /// All commands that give an active member, who lacks it, the permission here.
    fn least_first(self, id: &MemberId, entry: &MemberEntry) -> Advice {
        let mut some = self.additions();
        some.extend(self.extensions(entry));
        some.sort_unstable();
        let groups = self.groups_of(entry);
        let roles = self.least_roles();
        let count = some.len() + groups.len() * roles.len();
        if count == 0 {
            return Advice::SeveralChanges;
        }
        let all = merged(some.into_iter(), grants(&groups, &roles));
        let page = all.skip(self.options.skip).take(Explanation::PAGE);
        let remedies: Vec<Remedy> = page.filter_map(|one| self.remedy(id, &one)).collect();
        let more = count.saturating_sub(self.options.skip.saturating_add(remedies.len()));
        Advice::AnyOf { remedies, more }
    }

    /// The groups that grant it here. The member, who lacks it, is in none of them.
    fn additions(self) -> Vec<Candidate<'a>> {
        let mut powers: KeyedMap<&RoleId, Power> = KeyedMap::default();
        let mut power_of = |role: &'a RoleId| {
            let power = powers.entry(role).or_insert_with(|| {
                let role = self.state.role(role);
                role.map(Power::of).unwrap_or_default()
            });
            power.clone()
        };
        let groups = self.state.groups_giving(self.permission, self.resource);
        groups
            .map(|(id, group)| {
                let mut power = Power::default();
                for (role, scope) in self.state.scopes(group) {
                    power.add(&power_of(role), places(scope));
                }
                Candidate {
                    people: 1,
                    power,
                    step: Step::Add(id),
                }
            })
            .collect()
    }

    /// The member's groups with the number of their members, in the order of that number.
    fn groups_of(self, entry: &MemberEntry) -> Vec<(usize, &'a GroupId)> {
        let groups = self.state.groups_of(entry);
        let mut groups: Vec<_> = groups
            .map(|(id, group)| (self.state.member_count_of(group), id))
            .collect();
        groups.sort_unstable();
        groups
    }

    /// The roles that can give it here, least first. Left out are those that hold strictly more than one of the first.
    fn least_roles(self) -> Vec<(Power, &'a RoleId)> {
        let level = level_at(self.resource);
        let roles = self.state.roles();
        let fitting = roles.filter(|(_, role)| role.level == level && role.allows(self.permission));
        let mut roles: Vec<_> = fitting
            .map(|(id, role)| (Power::of(role), id, role))
            .collect();
        roles.sort_unstable_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)));
        let mut least: Vec<&Role> = Vec::new();
        roles.retain(|(_, _, role)| {
            if least.iter().any(|least| holds_strictly_more(role, least)) {
                return false;
            }
            if least.len() < LEAST_ROLES {
                least.push(role);
            }
            true
        });
        roles
            .into_iter()
            .map(|(power, id, _)| (power, id))
            .collect()
    }

    /// The account's own roles that the member holds here, each with the permission added.
    fn extensions(self, entry: &MemberEntry) -> Vec<Candidate<'a>> {
        let is_foreign =
            level_at(self.resource) == RoleLevel::Account && self.permission.is_store_only();
        if self.permission.is_reserved() || is_foreign {
            return Vec::new();
        }
        let Some(index) = self.state.index(self.resource) else {
            return Vec::new();
        };
        let granted: HashSet<&RoleId> = index.granted_by(&entry.groups()).collect();
        let roles = self.state.roles().filter(|(id, role)| {
            let is_full = role.permissions.len() >= MAX_ITEMS_PER_COMMAND;
            !role.built_in && !is_full && granted.contains(id)
        });
        let mut holders: KeyedMap<&RoleId, (Cow<'_, RoaringBitmap>, u64)> =
            roles.map(|(id, _)| (id, (Cow::default(), 0))).collect();
        if holders.is_empty() {
            return Vec::new();
        }
        for (_, group) in self.state.groups() {
            let members = self.state.members_of(group);
            for (role, scope) in self.state.scopes(group) {
                // Who has it for no store holds nothing by it (S3).
                let held = holders.get_mut(role).filter(|_| places(scope) > 0);
                let Some((people, count)) = held else {
                    continue;
                };
                *count = count.saturating_add(places(scope));
                if people.is_empty() {
                    people.clone_from(&members);
                } else if !members.is_empty() {
                    *people.to_mut() |= &*members;
                }
            }
        }
        let holders = holders.into_iter();
        holders
            .map(|(role, (people, count))| {
                let mut power = Power::default();
                power.add_permission(self.permission, count);
                Candidate {
                    people: usize::try_from(people.len()).unwrap_or(usize::MAX),
                    power,
                    step: Step::Extend(role),
                }
            })
            .collect()
    }

    fn remedy(self, id: &MemberId, candidate: &Candidate<'_>) -> Option<Remedy> {
        let (step, command) = match candidate.step {
            Step::Add(group) => (
                RemedyKind::AddToGroup {
                    group: group.clone(),
                },
                Command::AddToGroup(AddToGroup {
                    group: group.clone(),
                    members: [id.clone()].into(),
                }),
            ),
            Step::Grant(group, role) => {
                let scope = match parsed(self.resource) {
                    Resource::Account => Scope::Account,
                    Resource::Store(store) => Scope::Stores([store.ok()?].into()),
                };
                let (group, role) = (group.clone(), role.clone());
                let command = Command::GrantRole(GrantRole {
                    group: group.clone(),
                    role: role.clone(),
                    scope,
                });
                (RemedyKind::GrantRole { group, role }, command)
            }
            Step::Extend(role) => {
                let mut permissions = self.state.role(role)?.permissions().clone();
                permissions.insert(self.permission.clone());
                let command = Command::ChangeRole(ChangeRole {
                    role: role.clone(),
                    name: None,
                    permissions: Some(permissions),
                });
                (RemedyKind::ExtendRole { role: role.clone() }, command)
            }
        };
        Some(Remedy {
            step,
            people: candidate.people,
            command,
        })
    }
}

fn parsed(resource: Resource<&str>) -> Resource<Result<StoreId, ParseError>> {
    match resource {
        Resource::Account => Resource::Account,
        Resource::Store(store) => Resource::Store(StoreId::parse(store)),
    }
}

/// A remedy in the order in which remedies are given.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Candidate<'a> {
    people: usize,
    power: Power,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step<'a> {
    Add(&'a GroupId),
    Grant(&'a GroupId, &'a RoleId),
    Extend(&'a RoleId),
}

/// Each group with each role, in the order of candidates, one at a time.
fn grants<'a>(
    groups: &[(usize, &'a GroupId)],
    roles: &[(Power, &'a RoleId)],
) -> impl Iterator<Item = Candidate<'a>> {
    let groups = groups.chunk_by(|(people, _), (next, _)| people == next);
    groups.flat_map(move |groups| {
        let roles = roles.chunk_by(|(power, _), (next, _)| power == next);
        roles.flat_map(move |roles| {
            groups.iter().flat_map(move |(people, group)| {
                roles.iter().map(move |(power, role)| Candidate {
                    people: *people,
                    power: power.clone(),
                    step: Step::Grant(group, role),
                })
            })
        })
    })
}

/// Both, in order, each of which is in order.
fn merged<T: Ord>(
    one: impl Iterator<Item = T>,
    other: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let mut one = one.peekable();
    let mut other = other.peekable();
    iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(first), Some(second)) if first <= second => one.next(),
        (_, Some(_)) => other.next(),
        (_, None) => one.next(),
    })
}

/// In how many resources a grant holds.
fn places(scope: &Scope) -> u64 {
    match scope {
        Scope::Account => 1,
        Scope::Stores(stores) => u64::try_from(stores.len()).unwrap_or(u64::MAX),
    }
}

/// How many of the least roles the others are compared with. Comparing all with all would take the square of the roles.
const LEAST_ROLES: usize = 8;

/// How many permissions of a least role are looked at, at most, for a role that names fewer.
const LEAST_PERMISSIONS: usize = 64;

/// Whether a role allows all that the other allows, and something else. Says no of the other if it is too long to be
/// looked at for this role.
fn holds_strictly_more(role: &Role, less: &Role) -> bool {
    let is_short = less.permissions.len() <= role.permissions.len().max(LEAST_PERMISSIONS);
    is_short
        && role.permissions.allows_all(&less.permissions)
        && !less.permissions.allows_all(&role.permissions)
}

/// How much permissions allow: how many have two segments, how many three, and so on, without those that another one
/// includes (L7).
///
/// INVARIANT: who allows strictly less comes first. What has two segments is included in nothing but itself, so there
/// are no more of these in the lesser; if there are as many, they are the same, and so on with three.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Power(Vec<u64>);

impl Power {
    fn of(role: &Role) -> Self {
        let mut power = Self::default();
        for permission in role.permissions.iter() {
            let mut shorter = permission
                .included_in()
                .filter(|text| *text != permission.as_str());
            if !shorter.any(|text| role.permissions.contains(text)) {
                power.add_permission(permission, 1);
            }
        }
        power
    }

    fn add_permission(&mut self, permission: &Permission, times: u64) {
        if times == 0 {
            return;
        }
        let further = permission.included_in().count().saturating_sub(1);
        if self.0.len() <= further {
            self.0.resize(further + 1, 0);
        }
        if let Some(count) = self.0.get_mut(further) {
            *count = count.saturating_add(times);
        }
    }

    fn add(&mut self, other: &Self, times: u64) {
        if times == 0 {
            return;
        }
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (count, more) in self.0.iter_mut().zip(&other.0) {
            *count = count.saturating_add(more.saturating_mul(times));
        }
    }
}

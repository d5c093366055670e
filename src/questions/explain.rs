//! Why a check says what it says, and what would make it say yes.

use std::collections::BTreeSet;

use crate::access::{DenialReason, Resource};
use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::{
    AcceptInvitation, AddToGroup, ChangeRole, Command, CreateStore, EditGroup, GrantOwnership,
    ReinstateMember,
};
use crate::account::check::Check;
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::draft::Draft;
use crate::account::data::member::MemberEntry;
use crate::account::data::state::State;
use crate::account::decide::decide;
use crate::grant::{Grant, Scope};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{GroupName, RoleName};
use crate::permission::{Permission, Powers};
use crate::role::{Role, RoleLevel};
use crate::time::Timestamp;

/// A check with its reasons. `Display` says it in sentences; the data are here to be shown otherwise.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// Who was asked about, as asked.
    pub member: String,
    /// What for.
    pub permission: Permission,
    /// Where, as asked.
    pub resource: Resource<String>,
    /// The answer.
    pub answer: Verdict,
}

/// The answer of an [`Explanation`]: what the check says, and the reasons.
///
/// Exhaustive on purpose: a host that matches on it must handle both.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// The member may.
    Allowed {
        /// All ways that lead there: ownership first, then by the ids of groups and roles. At least one.
        paths: Vec<AccessPath>,
    },
    /// The member may not.
    Denied {
        /// The reason (P4).
        denial: DenialReason,
        /// The smallest single commands that would each allow it; none, where no single command would.
        remedies: Vec<Remedy>,
    },
}

/// One way by which a member holds a permission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessPath {
    /// By what.
    pub via: AccessSource,
    /// Whether every way leads through this ownership or this group: who gives it up loses the permission.
    pub is_only_way: bool,
}

/// By what a member holds a permission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AccessSource {
    /// The member is an Account Owner (P2).
    Ownership,
    /// A group of the member carries a role that allows it, in a scope that covers the place.
    Group {
        /// Which group.
        group: GroupId,
        /// Its name.
        group_name: GroupName,
        /// Which role.
        role: RoleId,
        /// Its name.
        role_name: RoleName,
        /// Whether the role is Store Editor and what counts is that it includes Store Viewer (L2).
        via_included_role: bool,
        /// The role's permission that includes what was asked for (L7), if the role does not name that itself.
        included_by: Option<Permission>,
    },
}

/// A single command that would allow what was denied, and nothing smaller of its kind would.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Remedy {
    /// What it does, in terms of what was asked.
    pub step: RemedyKind,
    /// The command. That of [`RemedyKind::Accept`] is for the member itself to issue.
    pub command: Command,
}

/// What a [`Remedy`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RemedyKind {
    /// The member accepts its invitation.
    Accept {
        /// Who; nobody else can.
        member: MemberId,
    },
    /// The member's suspension ends.
    Reinstate,
    /// The store is created; the member is an owner.
    CreateStore,
    /// The member is added to this group.
    AddToGroup {
        /// Which.
        group: GroupId,
    },
    /// The store is added to the scope of a role that a group of the member carries.
    AddStore {
        /// Which group.
        group: GroupId,
        /// Which role.
        role: RoleId,
        /// The roles that the group loses by it, because they are left with no store (S3) and cannot be assigned so.
        drops: Vec<RoleId>,
    },
    /// A group of the member is granted one role more, in this place.
    AddGrant {
        /// Which group.
        group: GroupId,
        /// Which role.
        role: RoleId,
        /// The roles that the group loses by it, because they are left with no store (S3) and cannot be assigned so.
        drops: Vec<RoleId>,
    },
    /// A role that the member holds in this place gets the permission, for everybody who holds the role.
    ExtendRole {
        /// Which role.
        role: RoleId,
    },
    /// The member becomes an owner; nothing less would do.
    GrantOwnership,
}

impl Remedy {
    /// Whether this actor could issue the command now. It is [`Account::decide`] that answers.
    ///
    /// # Errors
    /// Why it could not.
    pub fn may_be_issued_by(
        &self,
        account: &Account,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<(), CommandError> {
        if let RemedyKind::Accept { member } = &self.step {
            if *actor != Actor::Member(member.clone()) {
                return Err(CommandError::NoInvitation {
                    actor: actor.clone(),
                });
            }
        }
        account.decide(actor, &self.command, now).map(drop)
    }
}

impl Account {
    /// Why this member may or may not do this here: every way that leads there, or the reason of the denial and what
    /// would allow it.
    ///
    /// A denial takes longer than an answer: each remedy is tried, which takes time in proportion to what it changes
    /// (of a group's edit: the group's stores).
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// let explanation = account.explain("olga", &Permission::MANAGE_STORES, Resource::Account);
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     "`olga` may `account.manage_stores` at the account:\n\
    ///      - as an account owner (the only way: without ownership it is lost)",
    /// );
    /// # Ok::<(), ParseError>(())
    /// ```
    #[must_use]
    pub fn explain(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> Explanation {
        let state = &self.state;
        let answer = match state.check(member, permission, resource) {
            Ok(true) => Verdict::Allowed {
                paths: paths(state, member, permission, resource),
            },
            Ok(false) => {
                let denial = DenialReason::MissingPermission {
                    permission: permission.clone(),
                };
                let remedies = remedies(self, member, permission, resource, &denial);
                Verdict::Denied { denial, remedies }
            }
            Err(denial) => {
                let remedies = remedies(self, member, permission, resource, &denial);
                Verdict::Denied { denial, remedies }
            }
        };
        let resource = match resource {
            Resource::Account => Resource::Account,
            Resource::Store(store) => Resource::Store(store.to_owned()),
        };
        Explanation {
            member: member.to_owned(),
            permission: permission.clone(),
            resource,
            answer,
        }
    }
}

fn covers(scope: &Scope, resource: Resource<&str>) -> bool {
    match (scope, resource) {
        (Scope::Account, Resource::Account) => true,
        (Scope::Stores(stores), Resource::Store(store)) => stores.contains(store),
        (Scope::Account, Resource::Store(_)) | (Scope::Stores(_), Resource::Account) => false,
    }
}

fn paths(
    state: &State,
    member: &str,
    permission: &Permission,
    resource: Resource<&str>,
) -> Vec<AccessPath> {
    let Some(member) = state.member(member) else {
        return Vec::new();
    };
    let mut ways = Vec::new();
    if member.is_owner() {
        ways.push(AccessSource::Ownership);
    }
    for (id, group) in state.groups_of(member) {
        for (role, scope) in state.scopes(group) {
            let Some(held) = state.role(role) else {
                continue;
            };
            let Some(including) = held.permissions.including(permission) else {
                continue;
            };
            if covers(scope, resource) {
                ways.push(AccessSource::Group {
                    group: id.clone(),
                    group_name: group.name.clone(),
                    role: role.clone(),
                    role_name: held.name.clone(),
                    via_included_role: *role == RoleId::store_editor()
                        && *including == Permission::STORE_READ,
                    included_by: (including != permission).then(|| including.clone()),
                });
            }
        }
    }
    // Ownership is the group `None`.
    let through: BTreeSet<Option<GroupId>> = ways.iter().map(|way| way.group().cloned()).collect();
    let is_only_way = through.len() == 1;
    ways.into_iter()
        .map(|via| AccessPath { via, is_only_way })
        .collect()
}

impl AccessSource {
    fn group(&self) -> Option<&GroupId> {
        match self {
            AccessSource::Ownership => None,
            AccessSource::Group { group, .. } => Some(group),
        }
    }
}

fn remedies(
    account: &Account,
    member: &str,
    permission: &Permission,
    resource: Resource<&str>,
    denial: &DenialReason,
) -> Vec<Remedy> {
    let state = &account.state;
    let Some((id, entry)) = state.member_with_id(member) else {
        return Vec::new();
    };
    let mut remedies = match denial {
        DenialReason::AccountClosed | DenialReason::Diverged | DenialReason::UnknownMember => {
            Vec::new()
        }
        DenialReason::Invited => vec![Remedy {
            step: RemedyKind::Accept { member: id.clone() },
            command: Command::AcceptInvitation(AcceptInvitation {}),
        }],
        DenialReason::Suspended => vec![Remedy {
            step: RemedyKind::Reinstate,
            command: Command::ReinstateMember(ReinstateMember { member: id.clone() }),
        }],
        DenialReason::UnknownStore => create_store(resource).into_iter().collect(),
        DenialReason::MissingPermission { .. } => {
            let mut all = additions(state, id, permission, resource);
            all.extend(edits(state, entry, permission, resource));
            all.extend(extensions(state, entry, permission, resource));
            all
        }
    };
    let helps = |remedy: &Remedy| {
        let is_own = matches!(remedy.step, RemedyKind::Accept { .. });
        let actor = if is_own {
            Actor::Member(id.clone())
        } else {
            Actor::System
        };
        would_allow(
            account,
            &actor,
            &remedy.command,
            member,
            permission,
            resource,
        )
    };
    remedies.retain(helps);
    if remedies.is_empty() && matches!(denial, DenialReason::MissingPermission { .. }) {
        let command = Command::GrantOwnership(GrantOwnership { member: id.clone() });
        remedies.push(Remedy {
            step: RemedyKind::GrantOwnership,
            command,
        });
    }
    remedies
}

/// Whether the member could do it after this command, tried on a draft. The clock stands still: an invitation that
/// has expired since the last record is for `decide` to refuse.
fn would_allow(
    account: &Account,
    actor: &Actor,
    command: &Command,
    member: &str,
    permission: &Permission,
    resource: Resource<&str>,
) -> bool {
    let Ok(Some(change)) = decide(&account.state, actor, command, account.changed_at()) else {
        return false;
    };
    let mut after = Draft::over(&account.state);
    change.try_on(&mut after);
    after.can(member, permission, resource)
}

fn create_store(resource: Resource<&str>) -> Option<Remedy> {
    let Resource::Store(store) = resource else {
        return None;
    };
    let store = StoreId::parse(store).ok()?;
    Some(Remedy {
        step: RemedyKind::CreateStore,
        command: Command::CreateStore(CreateStore { store }),
    })
}

/// The groups that grant it here. The member, who lacks it, is in none of them.
fn additions(
    state: &State,
    id: &MemberId,
    permission: &Permission,
    resource: Resource<&str>,
) -> Vec<Remedy> {
    let addition = |group: &GroupId| Remedy {
        step: RemedyKind::AddToGroup {
            group: group.clone(),
        },
        command: Command::AddToGroup(AddToGroup {
            group: group.clone(),
            members: [id.clone()].into(),
        }),
    };
    let groups = state.groups_giving(permission, resource);
    groups.map(|(group, _)| addition(group)).collect()
}

/// The least roles that allow it, each granted here to each group of the member.
fn edits(
    state: &State,
    member: &MemberEntry,
    permission: &Permission,
    resource: Resource<&str>,
) -> Vec<Remedy> {
    let (level, scope) = match resource {
        Resource::Account => (RoleLevel::Account, Scope::Account),
        Resource::Store(store) => match StoreId::parse(store) {
            Ok(store) => (RoleLevel::Store, Scope::Stores([store].into())),
            Err(_) => return Vec::new(),
        },
    };
    let fits = |role: &Role| role.level == level && role.allows(permission);
    let roles: Vec<_> = state.roles().filter(|(_, role)| fits(role)).collect();
    let is_least = |role: &Role| {
        let is_less = |other: &Role| {
            role.permissions.allows_all(&other.permissions)
                && !other.permissions.allows_all(&role.permissions)
        };
        !roles.iter().any(|(_, other)| is_less(other))
    };
    let mut edits = Vec::new();
    for (group, entry) in state.groups_of(member) {
        for (role, _) in roles.iter().filter(|(_, role)| is_least(role)) {
            // What nothing is left of (S3) cannot be assigned again, and grants nothing; merged with the new grant it
            // can.
            let mut grants = Vec::new();
            let mut drops = Vec::new();
            let mut is_carried = false;
            for (carried, carried_scope) in state.scopes(entry) {
                is_carried |= carried == *role;
                if *carried_scope != Scope::Stores(BTreeSet::new()) {
                    grants.push(Grant {
                        role: carried.clone(),
                        scope: carried_scope.clone(),
                    });
                } else if carried != *role {
                    drops.push(carried.clone());
                }
            }
            grants.push(Grant {
                role: (*role).clone(),
                scope: scope.clone(),
            });
            let (group, role) = (group.clone(), (*role).clone());
            let step = if is_carried {
                RemedyKind::AddStore {
                    group: group.clone(),
                    role,
                    drops,
                }
            } else {
                RemedyKind::AddGrant {
                    group: group.clone(),
                    role,
                    drops,
                }
            };
            let command = Command::EditGroup(EditGroup {
                group,
                name: None,
                description: None,
                grants: Some(grants),
            });
            edits.push(Remedy { step, command });
        }
    }
    edits
}

/// The account's own roles that the member holds here, each with the permission added.
fn extensions(
    state: &State,
    member: &MemberEntry,
    permission: &Permission,
    resource: Resource<&str>,
) -> Vec<Remedy> {
    let index = state.index(resource);
    let held = index.map_or_else(Vec::new, |index| state.roles_held(member, index));
    let extension = |id: RoleId| {
        let role = state.role(&id).filter(|role| !role.built_in)?;
        let mut permissions = BTreeSet::clone(&role.permissions);
        permissions.insert(permission.clone());
        let command = Command::ChangeRole(ChangeRole {
            role: id.clone(),
            name: None,
            permissions: Some(permissions),
        });
        Some(Remedy {
            step: RemedyKind::ExtendRole { role: id },
            command,
        })
    };
    held.into_iter().filter_map(extension).collect()
}

//! An account as plain data, and back: the form that is stored, and not trusted.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::account::event::{Event, Format};
use crate::account::form;
use crate::account::limits::GroupLimit;
use crate::account::member::MemberStatus;
use crate::account::refusal::CommandError;
use crate::account::rules;
use crate::account::state::State;
use crate::distinct;
use crate::grant::{Grant, united};
use crate::id::{AccountId, GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// An account at one version, as plain data: what a host stores so that it need not replay from the first record.
///
/// Lists are in the order of ids, so that equal accounts have equal snapshots. Reading one back is a check of every
/// rule: see [`Account::try_from`](crate::Account#impl-TryFrom<Snapshot>-for-Account). The serde form carries a
/// format number; another format and an unknown field are refused.
///
/// ```
/// use grantbook::{Account, AccountId, GroupLimit, MemberId, Snapshot, Timestamp};
///
/// let now = Timestamp::from_millis(0);
/// let (account, _) =
///     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// let stored = serde_json::to_string(&account.snapshot())?;
///
/// let snapshot: Snapshot = serde_json::from_str(&stored)?;
/// assert_eq!(Account::try_from(snapshot)?, account);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    format: Format,
    account: AccountId,
    version: u64,
    at: Timestamp,
    group_limit: GroupLimit,
    /// Without the built-in ones.
    roles: Vec<RoleForm>,
    stores: Vec<StoreId>,
    groups: Vec<GroupForm>,
    members: Vec<MemberForm>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    id: RoleId,
    name: RoleName,
    level: RoleLevel,
    #[serde(deserialize_with = "distinct::set")]
    permissions: BTreeSet<Permission>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupForm {
    id: GroupId,
    name: GroupName,
    description: Description,
    grants: Vec<Grant>,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberForm {
    id: MemberId,
    status: MemberStatus,
    groups: Vec<GroupId>,
}

impl Snapshot {
    /// The account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The version that the account was at.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }
}

/// Why a snapshot is not an account.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// Version 0: the account was never opened (U2).
    #[error("the snapshot is at version 0; an account begins at version 1")]
    NotOpened,
    /// Nobody is an active owner (A2).
    #[error("the snapshot has no active account owner")]
    NoOwner,
    /// A member stands in the list twice.
    #[error("member `{member}` is listed twice")]
    DuplicateMember {
        /// Who.
        member: MemberId,
    },
    /// A member is in a group twice.
    #[error("member `{member}` is listed twice in group `{group}`")]
    DuplicateMembership {
        /// Who.
        member: MemberId,
        /// Where.
        group: GroupId,
    },
    /// A member is in a group that is not there.
    #[error("member `{member}` is in group `{group}`, which does not exist")]
    UnknownGroup {
        /// Who.
        member: MemberId,
        /// Where.
        group: GroupId,
    },
    /// A group's grants name a role twice, or out of order (G4).
    #[error(
        "the grants of group `{group}` name a role twice, or are not in the order of the roles' ids"
    )]
    DuplicateGrant {
        /// Which group.
        group: GroupId,
    },
    /// An entry breaks the rule that the reason names: a duplicate id or name, a dangling reference, a reserved
    /// permission, a scope of the wrong level, too many groups, and so on.
    #[error("`{entry}` breaks a rule: {reason}")]
    BreaksRule {
        /// The id of the role, store or group.
        entry: String,
        /// The rule.
        reason: CommandError,
    },
}

impl SnapshotError {
    /// A stable code: `not-opened`, `no-owner`, `duplicate-member`, `duplicate-membership`, `unknown-group`,
    /// `duplicate-grant`, or the code of the broken rule.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            SnapshotError::NotOpened => "not-opened",
            SnapshotError::NoOwner => "no-owner",
            SnapshotError::DuplicateMember { .. } => "duplicate-member",
            SnapshotError::DuplicateMembership { .. } => "duplicate-membership",
            SnapshotError::UnknownGroup { .. } => "unknown-group",
            SnapshotError::DuplicateGrant { .. } => "duplicate-grant",
            SnapshotError::BreaksRule { reason, .. } => reason.code(),
        }
    }
}

/// The account as plain data.
pub(crate) fn of(state: &State<'_>) -> Snapshot {
    let own_roles = state.roles.iter().filter(|(_, role)| !role.built_in);
    let groups_by_slot: BTreeMap<_, _> = state
        .groups
        .iter()
        .map(|(id, group)| (group.slot, id))
        .collect();
    let groups_of = |slots: &crate::account::index::GroupSet| {
        let mut groups: Vec<GroupId> = slots
            .iter()
            .filter_map(|slot| groups_by_slot.get(&slot))
            .map(|id| (*id).clone())
            .collect();
        groups.sort();
        groups
    };
    Snapshot {
        format: Format,
        account: state.id.clone(),
        version: state.version,
        at: state.at,
        group_limit: state.group_limit,
        roles: own_roles
            .map(|(id, role)| RoleForm {
                id: id.clone(),
                name: role.name.clone(),
                level: role.level,
                permissions: BTreeSet::clone(&role.permissions),
            })
            .collect(),
        stores: state.stores.iter().map(|(id, _)| id.clone()).collect(),
        groups: state
            .groups
            .iter()
            .map(|(id, group)| GroupForm {
                id: id.clone(),
                name: group.name.clone(),
                description: group.description.clone(),
                grants: group.grants.to_vec(),
            })
            .collect(),
        members: state
            .members
            .iter()
            .map(|(id, member)| MemberForm {
                id: id.clone(),
                status: member.status(),
                groups: groups_of(&member.groups()),
            })
            .collect(),
    }
}

/// The account that a snapshot describes, if it breaks no rule.
pub(crate) fn restored(snapshot: Snapshot) -> Result<State<'static>, SnapshotError> {
    if snapshot.version == 0 {
        return Err(SnapshotError::NotOpened);
    }
    let mut state = State::unopened(snapshot.account);
    state.version = snapshot.version;
    state.at = snapshot.at;
    state.group_limit = snapshot.group_limit;
    for role in snapshot.roles {
        restore_role(&mut state, role)?;
    }
    for store in snapshot.stores {
        rules::conflicts(
            &state,
            &Event::StoreCreated {
                store: store.clone(),
            },
            snapshot.at,
        )
        .map_err(|reason| SnapshotError::BreaksRule {
            entry: store.to_string(),
            reason,
        })?;
        state.insert_store(store);
    }
    for group in snapshot.groups {
        restore_group(&mut state, group)?;
    }
    for member in snapshot.members {
        restore_member(&mut state, member)?;
    }
    if state.owners.len() == 0 {
        Err(SnapshotError::NoOwner)
    } else {
        Ok(state)
    }
}

fn restore_role(state: &mut State<'_>, role: RoleForm) -> Result<(), SnapshotError> {
    let RoleForm {
        id,
        name,
        level,
        permissions,
    } = role;
    let defined = Event::RoleDefined {
        role: id.clone(),
        name: name.clone(),
        level,
        permissions: permissions.clone(),
    };
    form::check(&defined, state.at)
        .and_then(|()| rules::conflicts(state, &defined, state.at))
        .map_err(|reason| SnapshotError::BreaksRule {
            entry: id.to_string(),
            reason,
        })?;
    state.insert_role(id, name, level, permissions);
    Ok(())
}

/// As when a group is created, but that a scope may be empty: its stores may have been deleted (S3).
fn restore_group(state: &mut State<'_>, group: GroupForm) -> Result<(), SnapshotError> {
    let GroupForm {
        id,
        name,
        description,
        grants,
    } = group;
    if united(&grants) != grants {
        return Err(SnapshotError::DuplicateGrant { group: id });
    }
    let created = Event::GroupCreated {
        group: id.clone(),
        name: name.clone(),
        description: description.clone(),
        grants,
    };
    form::check(&created, state.at)
        .or_else(|reason| {
            if matches!(reason, CommandError::EmptyScope { .. }) {
                Ok(())
            } else {
                Err(reason)
            }
        })
        .and_then(|()| rules::exists(state, &created))
        .and_then(|()| rules::conflicts(state, &created, state.at))
        .map_err(|reason| SnapshotError::BreaksRule {
            entry: id.to_string(),
            reason,
        })?;
    if let Event::GroupCreated { grants, .. } = created {
        state.insert_group(&id, name, description, &grants);
    }
    Ok(())
}

fn restore_member(state: &mut State<'_>, member: MemberForm) -> Result<(), SnapshotError> {
    let MemberForm { id, status, groups } = member;
    if state.members.contains(&id) {
        return Err(SnapshotError::DuplicateMember { member: id });
    }
    state.insert_member(id.clone(), status);
    for group in groups {
        let Some(before) = state.groups.get(&group).map(|group| group.members.len()) else {
            return Err(SnapshotError::UnknownGroup { member: id, group });
        };
        state.add_to_group(&group, [&id]);
        if state
            .groups
            .get(&group)
            .is_some_and(|group| group.members.len() == before)
        {
            return Err(SnapshotError::DuplicateMembership { member: id, group });
        }
    }
    Ok(())
}

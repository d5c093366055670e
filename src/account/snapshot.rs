//! An account as plain data, and back: stored data is not trusted.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::account::changes::{Change, GroupCreated, RoleDefined, StoreCreated, in_range};
use crate::account::command_error::CommandError;
use crate::account::data::state::State;
use crate::account::data::writes::Writes;
use crate::account::data::{AccountData, Condition, Header, Revisions};
use crate::account::digest::Digest;
use crate::account::status::MemberStatus;
use crate::errors::{coded_errors, error_field, serialized_as_object};
use crate::grant::{Grant, are_merged};
use crate::id::{AccountId, GroupId, MemberId};
use crate::stored::v1::{GroupV1, MemberV1, MembershipV1, RoleV1, SnapshotV1};
use crate::stored::{Format, Unreleased};

/// An account at one version, as plain data: what your application stores so that it need not replay from the first
/// record.
///
/// Lists are in the order of ids, so that equal accounts have equal snapshots. Reading one back checks every rule: see
/// [`Account::try_from`](crate::Account#impl-TryFrom<Snapshot>-for-Account). The serde form carries a format number;
/// another format and an unknown field are refused.
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
#[serde(transparent)]
pub struct Snapshot(pub(crate) SnapshotV1);

impl Snapshot {
    /// Returns the account's id.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.0.account
    }

    /// Returns the version that the account was at.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version
    }

    /// Returns the digest of the last record before it. It cannot be checked: a snapshot is trusted as your storage is
    /// ([U2](crate::docs::rules#U2)).
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.0.digest
    }

    /// Returns where the chain of records stands.
    pub(crate) fn header(&self) -> Header {
        Header {
            id: self.0.account.clone(),
            version: self.0.version,
            at: self.0.at,
            commit: self.0.commit,
            digest: self.0.digest,
            group_limit: self.0.group_limit,
            condition: if self.0.closed {
                Condition::Closed
            } else {
                Condition::Open
            },
        }
    }
}

coded_errors! {
    /// Why a snapshot is not an account.
    #[derive(Clone, Debug, Eq, PartialEq)]
    #[non_exhaustive]
    pub enum SnapshotError with http_status {
        /// Version 0: the account was never opened ([U2](crate::docs::rules#U2)).
        #[error("not-opened", "the snapshot is at version 0; an account begins at version 1")]
        NotOpened,
        /// Nobody is an active owner ([A2](crate::docs::rules#A2)).
        #[error("no-owner", "the snapshot has no active account owner")]
        NoOwner,
        /// A member stands in the list twice.
        #[error("duplicate-member", "member {member} is listed twice")]
        DuplicateMember {
            /// The member.
            member: MemberId,
        },
        /// A member is in a group twice.
        #[error("duplicate-membership", "member {member} is listed twice in group {group}")]
        DuplicateMembership {
            /// The member.
            member: MemberId,
            /// The group.
            group: GroupId,
        },
        /// A member is in a group that is not there.
        #[error("unknown-group", "member {member} is in group {group}, which does not exist")]
        UnknownGroup {
            /// The member.
            member: MemberId,
            /// The group.
            group: GroupId,
        },
        /// A group's grants name a role twice, or out of order ([G4](crate::docs::rules#G4)).
        #[error("duplicate-grant", "the grants of group {group} name a role twice, or are not in the order of the roles' ids")]
        DuplicateGrant {
            /// The group.
            group: GroupId,
        },
        /// A revision is no version that the account has had ([U8](crate::docs::rules#U8)).
        #[error("bad-revision", "the revision of {entry} is not a version that the account has had")]
        BadRevision {
            /// The id of the role or group.
            entry: String,
        },
        /// An entry breaks the rule that the reason names: a duplicate id or name, a dangling reference, a reserved
        /// permission, a scope of the wrong level, too many groups, and so on.
        #[error(reason.code(), "{entry} breaks a rule: {reason}")]
        BreaksRule {
            /// The id of the role, store, group or member, or of the account itself.
            entry: String,
            /// The rule.
            reason: CommandError,
        },
    }
}

impl Error for SnapshotError {}

serialized_as_object!(SnapshotError);
error_field!(SnapshotError: error => error);

impl SnapshotError {
    /// Returns 500, the status with which an HTTP service answers: somebody has to look at what is stored.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        500
    }
}

/// The account as plain data.
pub(crate) fn snapshot_of(state: &State) -> Snapshot {
    let header = state.header();
    let own_roles = state.roles().filter(|(_, role)| !role.built_in);
    let roles = own_roles.map(|(id, role)| RoleV1 {
        id: id.clone(),
        name: role.name.clone(),
        level: role.level,
        permissions: role.permissions.as_ref().clone(),
        revision: role.revision,
    });
    let groups = state.groups().map(|(id, group)| GroupV1 {
        id: id.clone(),
        name: group.name.clone(),
        description: group.description.clone(),
        grants: state
            .scopes(group)
            .map(|(role, scope)| Grant {
                role: role.clone(),
                scope: scope.clone(),
            })
            .collect(),
        definition_revision: state.revisions(group).definition,
        membership_revision: state.revisions(group).membership,
    });
    let members = state.members_with_groups();
    let members = members.map(|(id, member, groups)| MemberV1 {
        id: id.clone(),
        status: member.status(),
        groups: groups
            .into_iter()
            .map(|group| MembershipV1 {
                group: group.clone(),
            })
            .collect(),
    });
    Snapshot(SnapshotV1 {
        snapshot: Format,
        _unreleased: Unreleased,
        account: header.id.clone(),
        version: header.version,
        at: header.at,
        commit: header.commit,
        digest: header.digest,
        group_limit: header.group_limit,
        closed: !header.is_open(),
        roles: roles.collect(),
        stores: state.stores().map(|(id, _)| id.clone()).collect(),
        groups: groups.collect(),
        members: members.collect(),
    })
}

/// The account that a snapshot describes, if it breaks no rule.
pub(crate) fn restore(snapshot: Snapshot) -> Result<State, SnapshotError> {
    let header = snapshot.header();
    if header.version == 0 {
        return Err(SnapshotError::NotOpened);
    }
    in_range(header.at).map_err(|reason| breaks_rule(&header.id, reason))?;
    let mut state = State::unopened(header.id.clone());
    *state.header_mut() = header;
    let Snapshot(snapshot) = snapshot;
    let versions = 1..=snapshot.version;
    for role in snapshot.roles {
        let entry = role.id.to_string();
        let defined = RoleDefined {
            role: role.id,
            name: role.name,
            level: role.level,
            permissions: role.permissions,
        };
        restore_by(&mut state, entry.clone(), &defined)?;
        if !versions.contains(&role.revision) {
            return Err(SnapshotError::BadRevision { entry });
        }
        state.set_role_revision(&defined.role, role.revision);
    }
    for store in snapshot.stores {
        restore_by(&mut state, store.to_string(), &StoreCreated { store })?;
    }
    let mut revisions = Vec::new();
    for group in snapshot.groups {
        let id = group.id.clone();
        let of_group = Revisions {
            definition: group.definition_revision,
            membership: group.membership_revision,
        };
        restore_group(&mut state, group)?;
        if !versions.contains(&of_group.definition) || !versions.contains(&of_group.membership) {
            let entry = id.to_string();
            return Err(SnapshotError::BadRevision { entry });
        }
        revisions.push((id, of_group));
    }
    state.begin_bulk_load();
    for member in snapshot.members {
        restore_member(&mut state, member)?;
    }
    state.finish_bulk_load();
    for (group, revisions) in revisions {
        state.set_revisions(&group, revisions);
    }
    if state.owners().next().is_none() {
        return Err(SnapshotError::NoOwner);
    }
    Ok(state)
}

fn breaks_rule(entry: &str, reason: CommandError) -> SnapshotError {
    let entry = entry.to_string();
    SnapshotError::BreaksRule { entry, reason }
}

/// Restores an entry as if it were created now.
fn restore_by<C: Change>(
    state: &mut State,
    entry: String,
    created: &C,
) -> Result<(), SnapshotError> {
    let at = state.header().at;
    created
        .validate(at)
        .and_then(|()| created.exists(state))
        .and_then(|()| created.conflicts(state, at))
        .map_err(|reason| SnapshotError::BreaksRule { entry, reason })?;
    created.apply(state);
    Ok(())
}

/// As when a group is created, but that a scope may be empty: its stores may have been deleted (S3).
fn restore_group(state: &mut State, group: GroupV1) -> Result<(), SnapshotError> {
    if !are_merged(&group.grants) {
        return Err(SnapshotError::DuplicateGrant { group: group.id });
    }
    let entry = group.id.to_string();
    let created = GroupCreated {
        group: group.id,
        name: group.name,
        description: group.description,
        grants: group.grants,
    };
    let at = state.header().at;
    created
        .validate(at)
        .or_else(|reason| {
            let is_allowed = matches!(reason, CommandError::EmptyScope { .. });
            if is_allowed { Ok(()) } else { Err(reason) }
        })
        .and_then(|()| created.exists(state))
        .and_then(|()| created.conflicts(state, at))
        .map_err(|reason| SnapshotError::BreaksRule { entry, reason })?;
    created.apply(state);
    Ok(())
}

fn restore_member(state: &mut State, member: MemberV1) -> Result<(), SnapshotError> {
    let MemberV1 { id, status, groups } = member;
    if let MemberStatus::Invited {
        expires: Some(expires),
        ..
    } = status
    {
        in_range(expires).map_err(|reason| breaks_rule(&id, reason))?;
    }
    if state.member(&id).is_some() {
        return Err(SnapshotError::DuplicateMember { member: id });
    }
    state.insert_member(&id, status);
    for MembershipV1 { group } in groups {
        if state.group(&group).is_none() {
            return Err(SnapshotError::UnknownGroup { member: id, group });
        }
        if state.is_in_group(&id, &group) {
            return Err(SnapshotError::DuplicateMembership { member: id, group });
        }
        state.set_in_group(&group, [&id], true);
    }
    Ok(())
}

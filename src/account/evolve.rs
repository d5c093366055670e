//! What an event does to an account: the only code that changes one.

use crate::account::command::Actor;
use crate::account::event::{Event, Record};
use crate::account::form;
use crate::account::member::{MemberEntry, MemberStatus};
use crate::account::refusal::CommandError;
use crate::account::rules;
use crate::account::state::State;
use crate::id::AccountId;
use crate::time::Timestamp;

/// Why a record could not be replayed. Nothing of it was applied, and nothing is ever skipped: a skipped revocation
/// would let someone keep access (U5).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// There is no record, so there is no account.
    #[error("there are no records; an account begins with the record that opens it")]
    NoRecords,
    /// The record belongs to another account (A4).
    #[error("record {version} belongs to account `{found}`, not to `{expected}`")]
    WrongAccount {
        /// The account that was being replayed.
        expected: AccountId,
        /// The record's.
        found: AccountId,
        /// The record's version.
        version: u64,
    },
    /// Records are missing before this one.
    #[error("record {found} came where record {expected} was due; load the records between")]
    Gap {
        /// The version that was due.
        expected: u64,
        /// The record's.
        found: u64,
    },
    /// The record, or another one of its version, has been applied already.
    #[error("record {found} came again where record {expected} was due")]
    Repeat {
        /// The version that was due.
        expected: u64,
        /// The record's.
        found: u64,
    },
    /// The record is older than the one before it (U2).
    #[error("record {version} is dated {}, before the record it follows ({})", found.as_millis(), last.as_millis())]
    TimeRunsBackwards {
        /// The record's version.
        version: u64,
        /// The time of the record before.
        last: Timestamp,
        /// The record's.
        found: Timestamp,
    },
    /// An account opens once, with its first record (A1, U2).
    #[error("record {version} is out of place: an account opens once, with record 1")]
    Opening {
        /// The record's version.
        version: u64,
    },
    /// Nobody but this actor's like can have caused such an event: an invitation is accepted by the one invited, and
    /// the host alone opens an account and enrols people (M3, M7).
    #[error("record {version} cannot have been caused by its actor ({actor})")]
    WrongActor {
        /// The record's version.
        version: u64,
        /// The record's actor.
        actor: Actor,
    },
    /// The event breaks a rule in this state, so no command can have caused it.
    #[error("record {version} does not fit the account: {reason}")]
    DoesNotFit {
        /// The record's version.
        version: u64,
        /// The rule.
        reason: CommandError,
    },
    /// The event says what is so already, or grants a role twice: no command leaves such an event (U1, G4).
    #[error("record {version} says what is so already, or grants a role twice")]
    Redundant {
        /// The record's version.
        version: u64,
    },
}

impl ReplayError {
    /// A stable code: `no-records`, `wrong-account`, `gap`, `repeat`, `time-runs-backwards`, `opening`,
    /// `wrong-actor`, `does-not-fit` or `redundant`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ReplayError::NoRecords => "no-records",
            ReplayError::WrongAccount { .. } => "wrong-account",
            ReplayError::Gap { .. } => "gap",
            ReplayError::Repeat { .. } => "repeat",
            ReplayError::TimeRunsBackwards { .. } => "time-runs-backwards",
            ReplayError::Opening { .. } => "opening",
            ReplayError::WrongActor { .. } => "wrong-actor",
            ReplayError::DoesNotFit { .. } => "does-not-fit",
            ReplayError::Redundant { .. } => "redundant",
        }
    }
}

/// Applies a stored record, if it is the next one and fits; otherwise changes nothing.
pub(crate) fn evolve(state: &mut State<'_>, record: &Record) -> Result<(), ReplayError> {
    fits(state, record)?;
    apply(state, record);
    Ok(())
}

pub(crate) fn fits(state: &State<'_>, record: &Record) -> Result<(), ReplayError> {
    let (version, found) = (record.version, record.version);
    if record.account != state.id {
        let (expected, found) = (state.id.clone(), record.account.clone());
        return Err(ReplayError::WrongAccount {
            expected,
            found,
            version,
        });
    }
    if found <= state.version {
        return Err(ReplayError::Repeat {
            expected: state.version.saturating_add(1),
            found,
        });
    }
    if found - state.version != 1 {
        return Err(ReplayError::Gap {
            expected: state.version + 1,
            found,
        });
    }
    if record.at < state.at {
        return Err(ReplayError::TimeRunsBackwards {
            version,
            last: state.at,
            found: record.at,
        });
    }
    if matches!(record.event, Event::AccountOpened { .. }) != (state.version == 0) {
        return Err(ReplayError::Opening { version });
    }
    let is_possible = match &record.event {
        Event::InvitationAccepted { member } => record.actor == Actor::Member(member.clone()),
        Event::AccountOpened { .. } | Event::MembersAdded { .. } => record.actor == Actor::System,
        Event::MemberInvited { .. }
        | Event::InvitationCancelled { .. }
        | Event::MemberRemoved { .. }
        | Event::OwnershipGranted { .. }
        | Event::OwnershipRevoked { .. }
        | Event::StoreCreated { .. }
        | Event::StoreDeleted { .. }
        | Event::GroupCreated { .. }
        | Event::GroupEdited { .. }
        | Event::GroupDeleted { .. }
        | Event::AddedToGroup { .. }
        | Event::RemovedFromGroup { .. }
        | Event::RoleDefined { .. }
        | Event::RoleChanged { .. }
        | Event::RoleDeleted { .. } => true,
    };
    if !is_possible {
        return Err(ReplayError::WrongActor {
            version,
            actor: record.actor.clone(),
        });
    }
    form::check(&record.event, record.at)
        .and_then(|()| rules::exists(state, &record.event))
        .and_then(|()| rules::conflicts(state, &record.event, record.at))
        .map_err(|reason| ReplayError::DoesNotFit { version, reason })?;
    if rules::is_all_change(state, &record.event) {
        Ok(())
    } else {
        Err(ReplayError::Redundant { version })
    }
}

/// Writes what a record says. It fits: it was just decided on this very state, or checked by [`fits`].
pub(crate) fn apply(state: &mut State<'_>, record: &Record) {
    state.version = record.version;
    state.at = record.at;
    match &record.event {
        Event::AccountOpened { owner, group_limit } => {
            state.group_limit = *group_limit;
            state.insert_member(owner.clone(), MemberStatus::Active { owner: true });
        }
        Event::MemberInvited {
            member,
            as_owner,
            expires,
        } => {
            state.remove_member(member);
            state.insert_member(
                member.clone(),
                MemberStatus::Invited {
                    as_owner: *as_owner,
                    expires: *expires,
                },
            );
        }
        Event::InvitationAccepted { member } => {
            if let Some(MemberStatus::Invited { as_owner, .. }) =
                state.members.get(member).map(MemberEntry::status)
            {
                state.set_standing(member, MemberStatus::Active { owner: as_owner });
            }
        }
        Event::InvitationCancelled { member } | Event::MemberRemoved { member } => {
            state.remove_member(member);
        }
        Event::MembersAdded { members } => {
            for member in members {
                state.remove_member(member);
                state.insert_member(member.clone(), MemberStatus::Active { owner: false });
            }
        }
        Event::OwnershipGranted { member } => {
            state.set_standing(member, MemberStatus::Active { owner: true });
        }
        Event::OwnershipRevoked { member } => {
            state.set_standing(member, MemberStatus::Active { owner: false });
        }
        Event::StoreCreated { store } => state.insert_store(store.clone()),
        Event::StoreDeleted { store } => state.remove_store(store),
        Event::GroupCreated {
            group,
            name,
            description,
            grants,
        } => {
            state.insert_group(group, name.clone(), description.clone(), grants);
        }
        Event::GroupEdited {
            group,
            name,
            description,
            grants,
        } => {
            state.edit_group(
                group,
                name.as_ref(),
                description.as_ref(),
                grants.as_deref(),
            );
        }
        Event::GroupDeleted { group } => state.remove_group(group),
        Event::AddedToGroup { group, members } => state.add_to_group(group, members),
        Event::RemovedFromGroup { group, members } => state.remove_from_group(group, members),
        Event::RoleDefined {
            role,
            name,
            level,
            permissions,
        } => {
            state.insert_role(role.clone(), name.clone(), *level, permissions.clone());
        }
        Event::RoleChanged {
            role,
            name,
            permissions,
        } => {
            state.change_role(role, name.as_ref(), permissions.as_ref());
        }
        Event::RoleDeleted { role } => state.remove_role(role),
    }
}

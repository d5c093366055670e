//! From a command to the event that it causes, or the refusal. Pure: no clock, no I/O, no randomness.

use crate::access::{DenialReason, Resource};
use crate::account::command::{Actor, Command, Requirement};
use crate::account::event::Event;
use crate::account::form;
use crate::account::guardrails;
use crate::account::member::{MemberEntry, MemberStatus};
use crate::account::refusal::CommandError;
use crate::account::rules;
use crate::account::state::State;
use crate::grant::united;
use crate::id::MemberId;
use crate::time::Timestamp;

/// The first half of U3: authority, form, existence, and what is barred whatever comes of it. The event is what the
/// command asks for; it may name what is so already, and may yet conflict with what is there.
///
/// What the actor would hold *after* such an event is looked at next, by whoever can apply it
/// ([`guardrails::no_gain`]).
pub(crate) fn asked(
    state: &State<'_>,
    actor: &Actor,
    command: &Command,
    at: Timestamp,
) -> Result<Event, CommandError> {
    authorize(state, actor, command)?;
    let event = asked_for(state, actor, command)?;
    form::check(&event, at)?;
    rules::exists(state, &event)?;
    guardrails::bar(state, actor, &event, at)?;
    Ok(event)
}

/// The second half: conflicts, and what is left to change. `None`: nothing, because everything already is as asked
/// (U1).
pub(crate) fn settled(
    state: &State<'_>,
    event: Event,
    at: Timestamp,
) -> Result<Option<Event>, CommandError> {
    rules::conflicts(state, &event, at)?;
    let event = rules::changes(state, event);
    if event.is_some() && state.version == u64::MAX {
        return Err(CommandError::VersionsExhausted);
    }
    Ok(event)
}

/// Whether the actor may issue such a command at all (L5, E5, E6).
pub(crate) fn authorize(
    state: &State<'_>,
    actor: &Actor,
    command: &Command,
) -> Result<(), CommandError> {
    match (command.requirement(), actor) {
        (Requirement::Permission(_) | Requirement::Host, Actor::System) => Ok(()),
        (Requirement::Permission(permission), Actor::Member(member)) => {
            match state.check(member, &permission, Resource::Account) {
                Ok(true) => Ok(()),
                Ok(false) => Err(not_authorized(
                    member,
                    DenialReason::MissingPermission { permission },
                )),
                Err(denial) => Err(not_authorized(member, denial)),
            }
        }
        (Requirement::Host, Actor::Member(member)) => Err(CommandError::HostOnly {
            actor: member.clone(),
        }),
        (Requirement::Invitation, Actor::System) => Err(CommandError::NoInvitation {
            actor: actor.clone(),
        }),
        (Requirement::Invitation, Actor::Member(member)) => {
            match state.members.get(member).map(MemberEntry::status) {
                Some(MemberStatus::Invited { .. }) => Ok(()),
                Some(MemberStatus::Active { .. }) | None => Err(CommandError::NoInvitation {
                    actor: actor.clone(),
                }),
            }
        }
    }
}

fn not_authorized(actor: &MemberId, denial: DenialReason) -> CommandError {
    CommandError::NotAuthorized {
        actor: actor.clone(),
        denial,
    }
}

/// The command as the event that it asks for.
pub(crate) fn asked_for(
    state: &State<'_>,
    actor: &Actor,
    command: &Command,
) -> Result<Event, CommandError> {
    Ok(match command.clone() {
        Command::InviteMember {
            member,
            as_owner,
            expires,
        } => Event::MemberInvited {
            member,
            as_owner,
            expires,
        },
        Command::AcceptInvitation {} => match actor {
            Actor::Member(member) => Event::InvitationAccepted {
                member: member.clone(),
            },
            Actor::System => {
                return Err(CommandError::NoInvitation {
                    actor: actor.clone(),
                });
            }
        },
        Command::CancelInvitation { member } => Event::InvitationCancelled { member },
        Command::AddMembers { members } => Event::MembersAdded { members },
        Command::RemoveMember { member } => Event::MemberRemoved { member },
        Command::GrantOwnership { member } => Event::OwnershipGranted { member },
        Command::RevokeOwnership { member } => Event::OwnershipRevoked { member },
        Command::CreateStore { store } => Event::StoreCreated { store },
        Command::DeleteStore { store } => Event::StoreDeleted { store },
        Command::CreateGroup {
            group,
            name,
            description,
            grants,
        } => Event::GroupCreated {
            group,
            name,
            description,
            grants,
        },
        Command::EditGroup {
            group,
            name,
            description,
            mut grants,
        } => {
            // Grants as they are stay as they are, even those that could not be assigned (S3, U1); but no command names
            // too many (U7).
            grants.as_deref().map_or(Ok(()), form::grants_bounded)?;
            let current = state.groups.get(&group).map(|group| &group.grants);
            grants =
                grants.filter(|asked| current.is_none_or(|current| united(asked) != **current));
            Event::GroupEdited {
                group,
                name,
                description,
                grants,
            }
        }
        Command::DeleteGroup { group } => Event::GroupDeleted { group },
        Command::AddToGroup { group, members } => Event::AddedToGroup { group, members },
        Command::RemoveFromGroup { group, members } => Event::RemovedFromGroup { group, members },
        Command::DefineRole {
            role,
            name,
            level,
            permissions,
        } => Event::RoleDefined {
            role,
            name,
            level,
            permissions,
        },
        Command::ChangeRole {
            role,
            name,
            permissions,
        } => Event::RoleChanged {
            role,
            name,
            permissions,
        },
        Command::DeleteRole { role } => Event::RoleDeleted { role },
    })
}

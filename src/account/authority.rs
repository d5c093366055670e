//! Who may issue which command: one table (L5).

use crate::access::{DenialReason, Resource};
use crate::account::actor::Actor;
use crate::account::changes::{Command, InviteMember};
use crate::account::check::Check;
use crate::account::command_error::CommandError;
use crate::account::data::{AccountData, Condition};
use crate::id::MemberId;
use crate::permission::Permission;

/// What an actor must have to issue a command at all.
enum Requirement {
    /// This permission at the account.
    Permission(Permission),
    /// To be the application itself.
    Host,
    /// An invitation of one's own.
    Invitation,
    /// To be an active member, whatever it holds.
    Membership,
}

/// The table.
fn requirement(command: &Command) -> Requirement {
    let permission = match command {
        Command::AcceptInvitation(_) => return Requirement::Invitation,
        Command::LeaveAccount(_) => return Requirement::Membership,
        Command::AddMembers(_) | Command::ChangeGroupLimit(_) => return Requirement::Host,
        Command::CloseAccount(_) => Permission::CLOSE_ACCOUNT,
        Command::InviteMember(InviteMember {
            as_owner: false, ..
        })
        | Command::CancelInvitation(_) => Permission::INVITE_MEMBERS,
        Command::InviteMember(InviteMember { as_owner: true, .. })
        | Command::GrantOwnership(_)
        | Command::RevokeOwnership(_) => Permission::MANAGE_OWNERS,
        Command::RemoveMembers(_) | Command::SuspendMember(_) | Command::ReinstateMember(_) => {
            Permission::REMOVE_MEMBERS
        }
        Command::CreateStore(_) | Command::DeleteStore(_) => Permission::MANAGE_STORES,
        Command::CreateGroup(_)
        | Command::EditGroup(_)
        | Command::DeleteGroup(_)
        | Command::GrantRole(_)
        | Command::RevokeRole(_)
        | Command::SetGroupMembers(_)
        | Command::AddToGroup(_)
        | Command::RemoveFromGroup(_) => Permission::MANAGE_GROUPS,
        Command::DefineRole(_) | Command::ChangeRole(_) | Command::DeleteRole(_) => {
            Permission::MANAGE_ROLES
        }
    };
    Requirement::Permission(permission)
}

/// Whether the actor may issue such a command at all (L5, E5, E6).
pub(crate) fn authorize<D: AccountData>(
    data: &D,
    actor: &Actor,
    command: &Command,
) -> Result<(), CommandError> {
    match data.header().condition {
        Condition::Open => {}
        Condition::Closed | Condition::Erased => return Err(CommandError::AccountClosed),
        Condition::Diverged => return Err(CommandError::Diverged),
    }
    match (requirement(command), actor) {
        (Requirement::Permission(_) | Requirement::Host, Actor::System) => Ok(()),
        (Requirement::Permission(permission), Actor::Member(member)) => {
            match data.check(member, &permission, Resource::Account) {
                Ok(true) => Ok(()),
                Ok(false) => Err(not_authorized(
                    member,
                    DenialReason::MissingPermission { permission },
                )),
                Err(reason) => Err(not_authorized(member, reason)),
            }
        }
        (Requirement::Host, Actor::Member(member)) => Err(CommandError::SystemOnly {
            actor: member.clone(),
        }),
        (Requirement::Membership, Actor::System) => Err(CommandError::NoMembership),
        (Requirement::Membership, Actor::Member(member)) => {
            let found = data.look_up(member, Resource::Account);
            found.map_or_else(|reason| Err(not_authorized(member, reason)), |_| Ok(()))
        }
        (Requirement::Invitation, Actor::Member(member)) if is_invited(data, member) => Ok(()),
        (Requirement::Invitation, Actor::Member(_) | Actor::System) => {
            Err(CommandError::NoInvitation {
                actor: actor.clone(),
            })
        }
    }
}

fn is_invited<D: AccountData>(data: &D, member: &MemberId) -> bool {
    data.member(member)
        .is_some_and(|member| member.status().is_invited())
}

fn not_authorized(actor: &MemberId, reason: DenialReason) -> CommandError {
    CommandError::NotAuthorized {
        actor: actor.clone(),
        reason,
    }
}

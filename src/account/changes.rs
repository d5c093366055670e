//! Every change that an account can undergo: commands, events, and one home for all about each.
//!
//! A file below holds a few related commands, their events, and everything that the account asks of them: whether they
//! are well formed, whether what they name exists, whether they conflict, what is left of them when no-ops are taken
//! out, and what they do to the rows. The same functions answer when a command is decided and when its record is
//! replayed. Who may issue which command is a table of its own: [`authority`](super::authority).

use serde::{Deserialize, Deserializer, Serialize};

use crate::account::actor::Actor;
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::writes::Writes;
use crate::account::limits::MAX_ITEMS_PER_COMMAND;
use crate::id::MemberId;
use crate::time::Timestamp;

mod constructors;
mod existing;
mod grants;
mod groups;
mod invitations;
mod membership;
mod ownership;
mod reading;
mod roles;
mod settings;
mod stores;
mod suspension;

pub use grants::*;
pub use groups::*;
pub use invitations::*;
pub use membership::*;
pub use ownership::*;
pub use roles::*;
pub use settings::*;
pub use stores::*;
pub use suspension::*;

type Outcome = Result<(), CommandError>;

/// A command: what it asks for, as an event.
pub(crate) trait Decide {
    type Event: Change;

    /// The event that this command asks for. It may name what is so already, and may yet be refused.
    fn to_event<D: AccountData>(
        &self,
        data: &D,
        actor: &Actor,
    ) -> Result<Self::Event, CommandError>;
}

/// Declares a command and its event, where both hold the same fields.
macro_rules! command_and_event {
    (
        $(#[doc = $about:literal])+
        $command:ident =>

        $(#[doc = $happened:literal])+
        $event:ident {
            $(
                $(#[doc = $field_about:literal])+
                $(#[serde($($serde:tt)+)])?
                $field:ident: $type:ty,
            )*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $command {
            $(
                $(#[doc = $field_about])+
                $(#[serde($($serde)+)])?
                pub $field: $type,
            )*
        }

        $(#[doc = $happened])+
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $event {
            $(
                $(#[doc = $field_about])+
                pub $field: $type,
            )*
        }

        impl $crate::account::changes::Decide for $command {
            type Event = $event;

            fn to_event<D: $crate::account::data::AccountData>(
                &self,
                _: &D,
                _: &$crate::account::actor::Actor,
            ) -> Result<$event, $crate::account::command_error::CommandError> {
                Ok($event { $($field: self.$field.clone(),)* })
            }
        }
    };
}
use command_and_event;

/// An event: what the account asks of it, in the order of U3, and what it does. What a change has nothing to say about
/// is left out.
pub(crate) trait Change: Sized {
    /// It is well formed, whatever the account holds.
    fn validate(&self, _at: Timestamp) -> Outcome {
        Ok(())
    }

    /// What it names exists, and is used as what it is.
    fn exists<D: AccountData>(&self, _data: &D) -> Outcome {
        Ok(())
    }

    /// It is not forbidden to this actor, who is no account owner, even where the actor would gain nothing (E1, E3).
    fn forbid<D: AccountData>(&self, _data: &D, _actor: &MemberId, _at: Timestamp) -> Outcome {
        Ok(())
    }

    /// It does not conflict with what is there, and breaks no limit and no invariant.
    fn conflicts<D: AccountData>(&self, _data: &D, _at: Timestamp) -> Outcome {
        Ok(())
    }

    /// What is left when everything that is so already is taken out; `None` if nothing is (U1).
    fn without_noops<D: AccountData>(self, _data: &D) -> Option<Self> {
        Some(self)
    }

    /// Whether [`without_noops`](Change::without_noops) would leave it as it is.
    fn has_no_noops<D: AccountData>(&self, _data: &D) -> bool {
        true
    }

    /// Does it. It was just decided on these rows, or has passed all of the above.
    fn apply<D: AccountData + Writes>(&self, data: &mut D);

    /// Whether this actor can have caused it, whatever it was allowed to do.
    fn can_be_caused_by(&self, _actor: &Actor) -> bool {
        true
    }

    /// Whether it may give access to the actor itself: somebody else has decided so before (E4).
    fn may_raise_its_actor(&self) -> bool {
        false
    }

    /// Whether it names this member.
    fn names_member(&self, _id: &str) -> bool {
        false
    }
}

/// Makes the enums of commands and events, and passes each call on to the variant's own.
macro_rules! changes {
    (
        commands { $($command:ident $name:literal => $caused:ident, $about:literal;)+ }
        events { $($event:ident $kind:literal, $happened:literal;)+ }
    ) => {
        /// A change that an actor asks for.
        ///
        /// Accepted, it becomes one [`Event`], or none where everything already is as asked
        /// ([U1](crate::docs::rules#U1)). Refused, it changes nothing, and a [`CommandError`] says why
        /// ([U3](crate::docs::rules#U3)).
        ///
        /// Each variant holds a struct of [`command`](crate::command), which reads and writes the same JSON without the
        /// field `command`. What is optional may be left out:
        ///
        /// ```
        /// use grantbook::Command;
        /// use grantbook::command::CreateStore;
        ///
        /// for json in [
        ///     r#"{"command":"invite-member","member":"dana"}"#,
        ///     r#"{"command":"accept-invitation"}"#,
        ///     r#"{"command":"add-to-group","group":"devs","members":["dana","max"]}"#,
        ///     r#"{"command":"create-group","group":"devs","name":"Dev Team","grants":[
        ///         {"role":"store-editor","scope":{"stores":["staging"]}},
        ///         {"role":"group-manager","scope":"account"}]}"#,
        /// ] {
        ///     let command: Command = serde_json::from_str(json)?;
        /// }
        /// let payload: CreateStore = serde_json::from_str(r#"{"store":"dev"}"#)?;
        /// assert_eq!(Command::from(payload), serde_json::from_str(r#"{"command":"create-store","store":"dev"}"#)?);
        /// # Ok::<(), serde_json::Error>(())
        /// ```
        ///
        /// Serde reads the same from a list of values without their names, such as `["create-store","dev"]`. To let
        /// only some commands through, look at the command that was read, not at the keys of its text.
        #[derive(Clone, Debug, Eq, PartialEq, Serialize)]
        #[serde(tag = "command")]
        #[non_exhaustive]
        pub enum Command {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                $command($command),
            )+
        }

        impl Command {
            /// Returns a stable name for the kind of command, as in its serde form: `invite-member` and so on.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Command::$command(_) => $name,)+
                }
            }

            pub(crate) fn to_event<D: AccountData>(
                &self,
                data: &D,
                actor: &Actor,
            ) -> Result<Event, CommandError> {
                match self {
                    $(Command::$command(command) => command.to_event(data, actor).map(Event::$caused),)+
                }
            }
        }

        /// The name of a command, as it is read.
        #[derive(Deserialize)]
        #[serde(variant_identifier)]
        enum Name {
            $(
                #[serde(rename = $name)]
                $command,
            )+
        }

        impl Name {
            /// Reads the fields of the command of this name.
            fn read<'de, D: Deserializer<'de>>(self, fields: D) -> Result<Command, D::Error> {
                match self {
                    $(Name::$command => $command::deserialize(fields).map(Command::$command),)+
                }
            }
        }

        /// A command that is read into memory before it is known which one it is.
        #[derive(Deserialize)]
        #[serde(tag = "command", expecting = "an object with the field `command`")]
        enum Buffered {
            $(
                #[serde(rename = $name)]
                $command($command),
            )+
        }

        impl From<Buffered> for Command {
            fn from(buffered: Buffered) -> Self {
                match buffered {
                    $(Buffered::$command(command) => Command::$command(command),)+
                }
            }
        }

        /// The commands, one struct each: the payloads of [`Command`](crate::Command).
        pub mod command {
            pub use super::{$($command,)+};
        }

        /// The events, one struct each: the payloads of [`Event`](crate::Event).
        pub mod event {
            pub use super::{$($event,)+ EndedInvitation};
        }

        $(
            impl From<$command> for Command {
                fn from(command: $command) -> Self {
                    Command::$command(command)
                }
            }
        )+

        /// What happened.
        ///
        /// Each variant holds a struct of [`event`](crate::event). It says only what changed: members who were already
        /// there are not named, nor fields that were already so.
        #[derive(Clone, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum Event {
            $(
                #[doc = $happened]
                $event($event),
            )+
        }

        impl Event {
            /// Every kind of event, by the name that [`kind`](Event::kind) returns.
            pub const KINDS: &'static [&'static str] = &[$($kind,)+];

            /// Returns a stable name for the kind of event, as in its serde form: `account-opened`, `member-invited`
            /// and so on.
            #[must_use]
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Event::$event(_) => $kind,)+
                }
            }

            pub(crate) fn validate(&self, at: Timestamp) -> Outcome {
                in_range(at)?;
                match self {
                    $(Event::$event(event) => event.validate(at),)+
                }
            }

            pub(crate) fn exists<D: AccountData>(&self, data: &D) -> Outcome {
                match self {
                    $(Event::$event(event) => event.exists(data),)+
                }
            }

            pub(crate) fn forbid<D: AccountData>(
                &self,
                data: &D,
                actor: &MemberId,
                at: Timestamp,
            ) -> Outcome {
                match self {
                    $(Event::$event(event) => event.forbid(data, actor, at),)+
                }
            }

            pub(crate) fn conflicts<D: AccountData>(&self, data: &D, at: Timestamp) -> Outcome {
                match self {
                    $(Event::$event(event) => event.conflicts(data, at),)+
                }
            }

            pub(crate) fn without_noops<D: AccountData>(self, data: &D) -> Option<Self> {
                match self {
                    $(Event::$event(event) => event.without_noops(data).map(Event::$event),)+
                }
            }

            pub(crate) fn has_no_noops<D: AccountData>(&self, data: &D) -> bool {
                match self {
                    $(Event::$event(event) => event.has_no_noops(data),)+
                }
            }

            pub(crate) fn apply<D: AccountData + Writes>(&self, data: &mut D) {
                match self {
                    $(Event::$event(event) => event.apply(data),)+
                }
            }

            pub(crate) fn can_be_caused_by(&self, actor: &Actor) -> bool {
                match self {
                    $(Event::$event(event) => event.can_be_caused_by(actor),)+
                }
            }

            pub(crate) fn may_raise_its_actor(&self) -> bool {
                match self {
                    $(Event::$event(event) => event.may_raise_its_actor(),)+
                }
            }

            pub(crate) fn names_member(&self, id: &str) -> bool {
                match self {
                    $(Event::$event(event) => event.names_member(id),)+
                }
            }
        }
    };
}

changes! {
    commands {
        InviteMember "invite-member" => MemberInvited, "Invites someone.";
        AcceptInvitation "accept-invitation" => InvitationAccepted, "Accepts the actor's own invitation.";
        CancelInvitation "cancel-invitation" => InvitationCancelled, "Cancels an invitation.";
        AddMembers "add-members" => MembersAdded, "Makes people active members at once, without invitations.";
        RemoveMembers "remove-members" => MembersRemoved, "Removes members from the account and all its groups.";
        LeaveAccount "leave-account" => MemberLeft, "Takes the actor out of the account.";
        SuspendMember "suspend-member" => MemberSuspended, "Suspends an active member.";
        ReinstateMember "reinstate-member" => MemberReinstated, "Ends a member's suspension.";
        GrantOwnership "grant-ownership" => OwnershipGranted, "Makes an active member an Account Owner.";
        RevokeOwnership "revoke-ownership" => OwnershipRevoked, "Ends a member's ownership.";
        CreateStore "create-store" => StoreCreated, "Creates a store.";
        DeleteStore "delete-store" => StoreDeleted, "Deletes a store.";
        CreateGroup "create-group" => GroupCreated, "Creates a group.";
        EditGroup "edit-group" => GroupEdited, "Changes a group's name, description or grants.";
        DeleteGroup "delete-group" => GroupDeleted, "Deletes a group that has no members.";
        AddToGroup "add-to-group" => AddedToGroup, "Puts members in a group.";
        RemoveFromGroup "remove-from-group" => RemovedFromGroup, "Takes members out of a group.";
        GrantRole "grant-role" => RoleGranted, "Grants a role to a group.";
        RevokeRole "revoke-role" => RoleRevoked, "Revokes a role from a group.";
        SetGroupMembers "set-group-members" => GroupMembersSet, "Makes these the members of a group, and no others.";
        ChangeGroupLimit "change-group-limit" => GroupLimitChanged, "Changes how many groups the account may have.";
        CloseAccount "close-account" => AccountClosed, "Closes the account for good.";
        DefineRole "define-role" => RoleDefined, "Defines a role of the account's own.";
        ChangeRole "change-role" => RoleChanged, "Changes a role's name or permissions.";
        DeleteRole "delete-role" => RoleDeleted, "Deletes a role that no group carries.";
    }
    events {
        AccountOpened "account-opened", "The account was opened, with one active owner.";
        MemberInvited "member-invited", "Someone was invited.";
        InvitationAccepted "invitation-accepted", "An invited member became active.";
        InvitationCancelled "invitation-cancelled", "An invitation was cancelled.";
        MembersAdded "members-added", "People became active members without invitations.";
        MembersRemoved "members-removed", "Members were removed from the account.";
        MemberLeft "member-left", "A member left the account.";
        MemberSuspended "member-suspended", "A member was suspended.";
        MemberReinstated "member-reinstated", "A member's suspension ended.";
        OwnershipGranted "ownership-granted", "An active member became an Account Owner.";
        OwnershipRevoked "ownership-revoked", "A member's ownership ended.";
        StoreCreated "store-created", "A store was created.";
        StoreDeleted "store-deleted", "A store was deleted, and taken out of every scope.";
        GroupCreated "group-created", "A group was created.";
        GroupEdited "group-edited", "A group's name, description or grants changed.";
        GroupDeleted "group-deleted", "A group was deleted.";
        AddedToGroup "added-to-group", "Members were put in a group.";
        RemovedFromGroup "removed-from-group", "Members were taken out of a group.";
        RoleGranted "role-granted", "A role was granted to a group.";
        RoleRevoked "role-revoked", "A role was revoked from a group.";
        GroupMembersSet "group-members-set", "Members were put in a group and others taken out.";
        GroupLimitChanged "group-limit-changed", "The number of groups that the account may have changed.";
        AccountClosed "account-closed", "The account was closed.";
        RoleDefined "role-defined", "A role of the account's own was defined.";
        RoleChanged "role-changed", "A role's name or permissions changed.";
        RoleDeleted "role-deleted", "A role was deleted.";
    }
}

/// A time is one that an account takes (U2).
pub(crate) fn in_range(time: Timestamp) -> Outcome {
    if time > Timestamp::MAX {
        return Err(CommandError::TimeOutOfRange { time });
    }
    Ok(())
}

/// No command names too many of a kind (U7).
fn bounded(named: usize) -> Outcome {
    if named > MAX_ITEMS_PER_COMMAND {
        return Err(CommandError::TooManyNamed { named });
    }
    Ok(())
}

//! Why a command was refused: each reason declared once. Long because it is one table.

use std::error::Error;
use std::fmt;

use serde::Serialize;

use crate::access::{DenialReason, Resource};
use crate::account::actor::Actor;
use crate::account::limits::{MAX_BATCH, MAX_ITEMS_PER_COMMAND};
use crate::account::precondition::Precondition;
use crate::errors::{coded_errors, error_field, serialized_as_object};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;
use crate::visible::Quoted;

/// Declares every reason: its documentation, its kind, its code, the rules that it guards, its message, its fields.
macro_rules! command_errors {
    ($(
        $(#[doc = $doc:literal])+
        $kind:ident $code:literal [$($rule:literal),+]
        #[error($($message:tt)+)]
        $variant:ident $({ $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)+ })?
    )+) => {
        coded_errors! {
            /// Why a command was refused. Nothing has changed ([U3](crate::docs::rules#U3)).
            ///
            /// When several reasons apply, the one given is the first in this order: the actor may not issue such a
            /// command at all; it is not well formed; something that it names does not exist; a guardrail forbids this
            /// particular case; it conflicts with what is there. So an outsider learns nothing about what exists.
            ///
            /// ```
            /// use grantbook::command::CreateStore;
            /// use grantbook::{Account, AccountId, Actor, ErrorKind, GroupLimit, MemberId, StoreId, Timestamp};
            ///
            /// let now = Timestamp::from_millis(0);
            /// let (account, _) =
            ///     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
            /// let command = CreateStore { store: StoreId::parse("dev")? }.into();
            /// let stranger = Actor::Member(MemberId::parse("eve")?);
            ///
            /// let error = account.decide(&stranger, &command, now).unwrap_err();
            /// assert_eq!(error.kind(), ErrorKind::Forbidden);
            /// assert_eq!(error.http_status(), 403);
            /// assert_eq!(error.code(), "not-authorized");
            /// assert_eq!(error.to_string(), "`eve` may not do this: no such member in this account");
            /// # Ok::<(), grantbook::ParseError>(())
            /// ```
            #[derive(Clone, Debug, Eq, PartialEq)]
            #[non_exhaustive]
            pub enum CommandError with kind, http_status {
                $(
                    $(#[doc = $doc])+
                    #[error($code, $($message)+)]
                    $variant $({ $($(#[doc = $field_doc])+ $field: $type,)+ })?,
                )+
                /// A command of a batch was refused, and with it the whole batch ([U4](crate::docs::rules#U4)). Code
                /// and kind are those of the command's own error.
                #[error(error.code(), "command {} of the batch: {error}", *index + 1)]
                InBatch {
                    /// The command's position in the batch, counted from 0.
                    index: usize,
                    /// Why it was refused.
                    error: Box<CommandError>,
                },
            }
        }

        impl CommandError {
            /// Every code, with its kind and the rules that it guards.
            pub const CODES: &'static [(&'static str, ErrorKind, &'static [&'static str])] =
                &[$(($code, ErrorKind::$kind, &[$($rule),+]),)+];

            /// Returns what kind of error it is, and with it who can do something about it.
            #[must_use]
            pub fn kind(&self) -> ErrorKind {
                match self {
                    $(CommandError::$variant { .. } => ErrorKind::$kind,)+
                    CommandError::InBatch { error, .. } => error.kind(),
                }
            }
        }
    };
}

command_errors! {
    /// The actor lacks the permission that the command takes, or is no active member ([L5](crate::docs::rules#L5),
    /// [E5](crate::docs::rules#E5), [E6](crate::docs::rules#E6)).
    Forbidden "not-authorized" ["G1", "M2", "M5", "M6", "S1", "L3", "L5", "E3", "E5", "E6"]
    #[error("{actor} may not do this: {reason}")]
    NotAuthorized {
        /// The member who issued the command.
        actor: MemberId,
        /// What the check of the permission said.
        reason: DenialReason,
    }

    /// Only the application itself adds people without an invitation, or changes the limit
    /// ([M7](crate::docs::rules#M7), [A3](crate::docs::rules#A3)).
    Forbidden "system-only" ["A3", "M7"]
    #[error("{actor} may not do this; it is for the application itself")]
    SystemOnly {
        /// The member who issued the command.
        actor: MemberId,
    }

    /// The actor has no invitation: it was never invited, has accepted already, or the invitation was cancelled
    /// ([M3](crate::docs::rules#M3)).
    Forbidden "no-invitation" ["M3", "E6"]
    #[error("{actor} has no invitation to accept")]
    NoInvitation {
        /// The actor that issued the command.
        actor: Actor,
    }

    /// Only a member can leave the account ([M5](crate::docs::rules#M5)).
    Forbidden "no-membership" ["M5"]
    #[error("the application itself is no member who could leave; remove members instead")]
    NoMembership

    /// A Group Manager cannot add itself to a group ([E1](crate::docs::rules#E1)).
    Forbidden "self-addition" ["E1", "E4"]
    #[error("{actor} cannot add itself to group {group}; an account owner or another group manager can")]
    SelfAddition {
        /// The member who issued the command.
        actor: MemberId,
        /// The group.
        group: GroupId,
    }

    /// The actor would come to hold more than it does now, or hold something in a second way
    /// ([E2](crate::docs::rules#E2), [E4](crate::docs::rules#E4)).
    Forbidden "self-escalation" ["E2", "E4"]
    #[error("{actor} would give itself {}{permission} {resource}; an account owner can make this change", second_way(*is_held))]
    SelfEscalation {
        /// The member who issued the command.
        actor: MemberId,
        /// The first permission that it would gain; if it would gain none, the first to which it would have a second way.
        permission: Permission,
        /// Where it would hold the permission.
        resource: Resource,
        /// Whether it holds the permission there already.
        is_held: bool,
    }

    /// Only an Account Owner cancels an owner's invitation ([E3](crate::docs::rules#E3)).
    Forbidden "owner-invitation" ["E3"]
    #[error("{actor} cannot cancel the invitation of {member} as account owner; an account owner can")]
    OwnerInvitation {
        /// The member who issued the command.
        actor: MemberId,
        /// The person whose invitation it is.
        member: MemberId,
    }

    /// No such member.
    NotFound "unknown-member" ["M4", "M5"]
    #[error("there is no member {members} in this account")]
    UnknownMember {
        /// The ids that were named, up to ten of them, in their order.
        members: Vec<MemberId>,
    }

    /// No such store.
    NotFound "unknown-store" ["S1", "G5"]
    #[error("there is no store {store} in this account")]
    UnknownStore {
        /// The id that was named.
        store: StoreId,
    }

    /// No such group.
    NotFound "unknown-group" ["G1"]
    #[error("there is no group {group} in this account")]
    UnknownGroup {
        /// The id that was named.
        group: GroupId,
    }

    /// No such role.
    NotFound "unknown-role" ["G5", "L3"]
    #[error("there is no role {role} in this account")]
    UnknownRole {
        /// The id that was named.
        role: RoleId,
    }

    /// The member is active already, so it needs no invitation.
    Conflict "already-member" ["M3"]
    #[error("{member} is already a member; grant ownership or add it to groups directly")]
    AlreadyMember {
        /// The member.
        member: MemberId,
    }

    /// The member has a pending invitation.
    Conflict "already-invited" ["M3"]
    #[error("{member} is already invited; cancel that invitation first")]
    AlreadyInvited {
        /// The invited person.
        member: MemberId,
    }

    /// The member is active: there is no invitation to cancel.
    Conflict "not-invited" ["M3"]
    #[error("{member} has already accepted; remove the member instead")]
    NotInvited {
        /// The member.
        member: MemberId,
    }

    /// The invitation has expired ([M3](crate::docs::rules#M3), [M4](crate::docs::rules#M4)).
    Conflict "invitation-expired" ["M3", "M4"]
    #[error("the invitation of {member} has expired; invite again")]
    InvitationExpired {
        /// The invited person.
        member: MemberId,
    }

    /// Somebody who is invited can be neither given ownership nor have it revoked, and neither be suspended nor
    /// reinstated ([M6](crate::docs::rules#M6), [M8](crate::docs::rules#M8)).
    Conflict "not-active" ["M6", "M8"]
    #[error("{member} has not accepted its invitation yet; cancel the invitation, or wait until it is accepted")]
    NotActive {
        /// The invited person.
        member: MemberId,
    }

    /// A suspended member can't be given ownership ([M6](crate::docs::rules#M6)).
    Conflict "member-suspended" ["M6"]
    #[error("{member} is suspended; reinstate it first")]
    MemberSuspended {
        /// The member.
        member: MemberId,
    }

    /// Only one active owner is left ([A2](crate::docs::rules#A2)).
    Conflict "last-owner" ["A2"]
    #[error("{member} is the last account owner; grant ownership to someone else first")]
    LastOwner {
        /// The owner.
        member: MemberId,
    }

    /// A store has this id.
    Conflict "store-exists" ["S1"]
    #[error("store {store} already exists; choose another id")]
    StoreExists {
        /// The id that was named.
        store: StoreId,
    }

    /// A group has this id.
    Conflict "group-exists" ["G1"]
    #[error("group {group} already exists; edit it, or choose another id")]
    GroupExists {
        /// The id that was named.
        group: GroupId,
    }

    /// A group has this name, perhaps in other case of letters ([G3](crate::docs::rules#G3)).
    Conflict "group-name-taken" ["G3"]
    #[error("the name {name} is taken by group {group}; the case of letters and further spaces make no other name")]
    GroupNameTaken {
        /// The name that was asked for.
        name: GroupName,
        /// The group that has it.
        group: GroupId,
    }

    /// The account has as many groups as it may ([A3](crate::docs::rules#A3)).
    Conflict "too-many-groups" ["A3"]
    #[error("the account has reached its limit of {limit} groups; delete one first")]
    TooManyGroups {
        /// The account's limit.
        limit: u16,
    }

    /// The account has more groups than the new limit ([A3](crate::docs::rules#A3)).
    Conflict "group-limit-too-low" ["A3"]
    #[error("the account has {groups} groups, more than a limit of {limit} allows; delete some first")]
    GroupLimitTooLow {
        /// The limit that was asked for.
        limit: u16,
        /// The number of groups.
        groups: usize,
    }

    /// The account is closed for good ([A5](crate::docs::rules#A5)).
    Conflict "account-closed" ["A5"]
    #[error("the account is closed; it can be read, not changed")]
    AccountClosed

    /// This copy of the account does not hold what its repository holds, so nothing can be decided on it
    /// ([U2](crate::docs::rules#U2)).
    Conflict "diverged" ["U2"]
    #[error("this copy of the account is not what the repository holds; load the account again")]
    Diverged

    /// What the request was decided on has changed since, or is gone ([U8](crate::docs::rules#U8)).
    Conflict "precondition-failed" ["U8"]
    #[error("{}; look at it again before you save", precondition.failure(*found))]
    PreconditionFailed {
        /// What the request was decided on.
        precondition: Precondition,
        /// The revision that it has now; `None` if it is gone.
        found: Option<u64>,
    }

    /// A group carries at least one grant ([G4](crate::docs::rules#G4)).
    Conflict "last-grant" ["G4", "G8"]
    #[error("role {role} is the only one that group {group} carries; grant it another role first, or delete the group")]
    LastGrant {
        /// The group.
        group: GroupId,
        /// The role.
        role: RoleId,
    }

    /// A group that has members cannot be deleted ([G7](crate::docs::rules#G7)).
    Conflict "group-has-members" ["G7"]
    #[error("group {group} still has {members} member(s); take them out first")]
    GroupHasMembers {
        /// The group.
        group: GroupId,
        /// The number of its members, invited ones included.
        members: usize,
    }

    /// A role has this id, perhaps a built-in one ([L1](crate::docs::rules#L1), [L3](crate::docs::rules#L3)).
    Conflict "role-exists" ["L1", "L3"]
    #[error("role {role} already exists; change it, or choose another id")]
    RoleExists {
        /// The id that was named.
        role: RoleId,
    }

    /// A role has this name, perhaps in other case of letters ([L3](crate::docs::rules#L3)).
    Conflict "role-name-taken" ["L3"]
    #[error("the name {name} is taken by role {role}; the case of letters and further spaces make no other name")]
    RoleNameTaken {
        /// The name that was asked for.
        name: RoleName,
        /// The role that has it.
        role: RoleId,
    }

    /// A built-in role can be neither changed nor deleted ([L1](crate::docs::rules#L1)).
    Conflict "built-in-role" ["L1"]
    #[error("role {role} is built in and cannot be changed; define a role of your own")]
    BuiltInRole {
        /// The role.
        role: RoleId,
    }

    /// A role that a group carries cannot be deleted ([L3](crate::docs::rules#L3)).
    Conflict "role-in-use" ["L3"]
    #[error("group {group} carries role {role}; remove it from every group first")]
    RoleInUse {
        /// The role.
        role: RoleId,
        /// The first group that carries it.
        group: GroupId,
    }

    /// There is no higher version number ([U2](crate::docs::rules#U2)).
    Conflict "versions-exhausted" ["U2"]
    #[error("the account has reached the highest version number; it can be read, not changed")]
    VersionsExhausted

    /// The command names more than it may ([U7](crate::docs::rules#U7)).
    Invalid "too-many-named" ["U7"]
    #[error("the command names {named} members, stores, grants or permissions; it may name {MAX_ITEMS_PER_COMMAND} of a kind; split it")]
    TooManyNamed {
        /// The number of items.
        named: usize,
    }

    /// The list would change more memberships than one command may ([G11](crate::docs::rules#G11),
    /// [U7](crate::docs::rules#U7)).
    Invalid "too-many-changed" ["G11", "U7"]
    #[error("the list would change {changed} memberships; one command may change {MAX_ITEMS_PER_COMMAND}; send the difference, split into several commands")]
    TooManyChanged {
        /// The number of members who would come or go.
        changed: usize,
    }

    /// The batch holds more commands than it may ([U7](crate::docs::rules#U7)).
    Invalid "batch-too-large" ["U7"]
    #[error("the batch holds {commands} commands; it may hold {MAX_BATCH}; split it")]
    BatchTooLarge {
        /// The number of commands.
        commands: usize,
    }

    /// The time, or the end of the invitation, is not before the year 10000 ([U2](crate::docs::rules#U2),
    /// [M3](crate::docs::rules#M3)).
    Invalid "time-out-of-range" ["U2", "M3"]
    #[error("the time {} is not before the year 10000; a time is a number of milliseconds since 1970", time.as_millis())]
    TimeOutOfRange {
        /// The time.
        time: Timestamp,
    }

    /// The invitation would have expired before it is made ([M3](crate::docs::rules#M3)).
    Invalid "expiry-passed" ["M3"]
    #[error("the invitation would expire at {expires}, which is not after now ({now}, or the last record's time if that is later)")]
    ExpiryPassed {
        /// The expiry that was asked for.
        expires: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    }

    /// A group carries at least one grant ([G4](crate::docs::rules#G4)).
    Invalid "no-grants" ["G4"]
    #[error("a group carries at least one grant; name a role")]
    NoGrants

    /// A store-level role is granted in at least one store ([G5](crate::docs::rules#G5)).
    Invalid "empty-scope" ["G5", "S3"]
    #[error("role {role} is granted in no store; name at least one, or grant it at the account if that is its level")]
    EmptyScope {
        /// The role.
        role: RoleId,
    }

    /// An account-level role takes no stores; a store-level role takes nothing else ([G5](crate::docs::rules#G5)).
    Invalid "scope-mismatch" ["G5"]
    #[error("role {role} is of {level} level; {}", scope_for(*level))]
    ScopeMismatch {
        /// The role.
        role: RoleId,
        /// Its level.
        level: RoleLevel,
    }

    /// A role has at least one permission ([L3](crate::docs::rules#L3)).
    Invalid "no-permissions" ["L3"]
    #[error("role {role} would have no permission; name at least one")]
    NoPermissions {
        /// The role.
        role: RoleId,
    }

    /// No custom role holds a permission that begins with `account.` ([L5](crate::docs::rules#L5)).
    Invalid "reserved-permission" ["L5"]
    #[error("{permission} is reserved; no role of your own can hold it")]
    ReservedPermission {
        /// The permission.
        permission: Permission,
    }

    /// A permission that begins with `store.` belongs to store-level roles only ([L5](crate::docs::rules#L5)).
    Invalid "store-permission" ["L5"]
    #[error("{permission} belongs to store-level roles only")]
    StorePermission {
        /// The permission.
        permission: Permission,
    }

    /// A role would have the name or id of ownership, which no role gives ([M6](crate::docs::rules#M6)).
    Invalid "ownership-name" ["M6"]
    #[error("no role has the id or name of account owner, however it is written; grant ownership itself, or choose another")]
    OwnershipName
}

fn second_way(is_held: bool) -> &'static str {
    if is_held { "a second way to " } else { "" }
}

/// "`a`", "`a` or `b`", "`a`, `b` or `c`".
fn listed(members: &[MemberId]) -> String {
    let quoted: Vec<String> = members.iter().map(|id| Quoted(id).to_string()).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

fn scope_for(level: RoleLevel) -> &'static str {
    match level {
        RoleLevel::Account => "grant it at the account, without stores",
        RoleLevel::Store => "grant it in stores",
    }
}

impl Error for CommandError {}

impl CommandError {
    /// Returns the error itself: of a batch, that of the command that was refused.
    #[must_use]
    pub fn reason(&self) -> &CommandError {
        if let CommandError::InBatch { error, .. } = self {
            error.reason()
        } else {
            self
        }
    }

    /// Returns the status with which an HTTP service answers: 403, 404, 409 or 422 by its [`kind`](CommandError::kind);
    /// but 412 for a precondition that failed ([U8](crate::docs::rules#U8)), and 503 for a copy that has to be loaded
    /// again ([U2](crate::docs::rules#U2)).
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match (self.reason(), self.kind()) {
            (CommandError::PreconditionFailed { .. }, _) => 412,
            (CommandError::Diverged, _) => 503,
            (_, ErrorKind::Forbidden) => 403,
            (_, ErrorKind::NotFound) => 404,
            (_, ErrorKind::Conflict) => 409,
            (_, ErrorKind::Invalid) => 422,
        }
    }
}

serialized_as_object!(CommandError);
error_field!(CommandError: error => error);
error_field!(Box<CommandError>: error => error);
error_field!(Vec<MemberId>: members => listed(members));

/// The kind of a [`CommandError`], in HTTP's words.
///
/// Exhaustive on purpose: an application that matches on it must handle every kind.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// The actor may not do it. HTTP 403.
    Forbidden,
    /// Something that the command names does not exist. HTTP 404.
    NotFound,
    /// The command conflicts with what is there. HTTP 409, with two exceptions.
    Conflict,
    /// The command is not well formed. HTTP 422.
    Invalid,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ErrorKind::Forbidden => "forbidden",
            ErrorKind::NotFound => "not-found",
            ErrorKind::Conflict => "conflict",
            ErrorKind::Invalid => "invalid",
        })
    }
}

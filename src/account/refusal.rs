//! Why a command was not accepted.

use std::fmt;

use crate::access::{DenialReason, Resource};
use crate::account::command::Actor;
use crate::account::limits::{MAX_BATCH, MAX_ITEMS_PER_COMMAND};
use crate::id::{GroupId, MemberId, RoleId, StoreId};
use crate::name::{GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// Why a command was not accepted. Nothing has changed (U3).
///
/// When several reasons apply, the one given is the first in this order: the actor may not issue such a command at
/// all; it is not well formed; something that it names does not exist; a guardrail stands against this particular
/// case; it conflicts with what is there. So an outsider learns nothing about what exists.
///
/// ```
/// use grantbook::{Account, AccountId, Actor, Command, GroupLimit, MemberId, ErrorKind, StoreId, Timestamp};
///
/// let (now, olga) = (Timestamp::from_millis(0), MemberId::parse("olga")?);
/// let (account, _) = Account::open(AccountId::parse("acme")?, olga, GroupLimit::default(), now);
/// let command = Command::CreateStore { store: StoreId::parse("dev")? };
/// let stranger = Actor::Member(MemberId::parse("eve")?);
///
/// let refusal = account.decide(&stranger, &command, now).unwrap_err();
/// assert_eq!(refusal.kind(), ErrorKind::Forbidden);
/// assert_eq!(refusal.kind().http_status(), 403);
/// assert_eq!(refusal.code(), "not-authorized");
/// assert_eq!(refusal.to_string(), "`eve` may not do this: no such member in this account");
/// # Ok::<(), grantbook::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    // Denied: who asks may not.
    /// The actor lacks the permission that the command takes, or is no active member (L5, E5, E6).
    #[error("`{actor}` may not do this: {denial}")]
    NotAuthorized {
        /// Who asked.
        actor: MemberId,
        /// What the check of the permission said.
        denial: DenialReason,
    },
    /// Only the host itself enrols people; a member invites them (M7).
    #[error("`{actor}` may not enrol people; invite them instead")]
    HostOnly {
        /// Who asked.
        actor: MemberId,
    },
    /// The actor has no invitation: it was never invited, has accepted already, or the invitation was cancelled (M3).
    #[error("{} has no invitation to accept", quoted(actor))]
    NoInvitation {
        /// Who asked.
        actor: Actor,
    },
    /// A Group Manager cannot add itself to a group (E1).
    #[error(
        "`{actor}` cannot add itself to group `{group}`; an account owner or another group manager can"
    )]
    SelfAddition {
        /// Who asked.
        actor: MemberId,
        /// To be in which group.
        group: GroupId,
    },
    /// The actor would come to hold more than it does now (E2, E4).
    #[error(
        "`{actor}` would give itself `{permission}` {resource}; an account owner can make this change"
    )]
    SelfEscalation {
        /// Who asked.
        actor: MemberId,
        /// The first permission that it would gain.
        permission: Permission,
        /// Where.
        resource: Resource,
    },
    /// Only an Account Owner cancels an owner's invitation (E3).
    #[error(
        "`{actor}` cannot cancel the invitation of `{member}` as account owner; an account owner can"
    )]
    OwnerInvitation {
        /// Who asked.
        actor: MemberId,
        /// Whose invitation.
        member: MemberId,
    },

    // Unknown: something named is not there.
    /// No such member.
    #[error("there is no member `{member}` in this account")]
    UnknownMember {
        /// As named.
        member: MemberId,
    },
    /// No such store.
    #[error("there is no store `{store}` in this account")]
    UnknownStore {
        /// As named.
        store: StoreId,
    },
    /// No such group.
    #[error("there is no group `{group}` in this account")]
    UnknownGroup {
        /// As named.
        group: GroupId,
    },
    /// No such role.
    #[error("there is no role `{role}` in this account")]
    UnknownRole {
        /// As named.
        role: RoleId,
    },

    // Conflict: it does not go together with what is there.
    /// The member is active already, so it needs no invitation.
    #[error("`{member}` is a member already; grant ownership or add it to groups directly")]
    AlreadyMember {
        /// Who.
        member: MemberId,
    },
    /// The member has an invitation that still stands.
    #[error("`{member}` is invited already; cancel that invitation first")]
    AlreadyInvited {
        /// Who.
        member: MemberId,
    },
    /// The member is active: there is no invitation to cancel.
    #[error("`{member}` has accepted already; remove the member instead")]
    NotInvited {
        /// Who.
        member: MemberId,
    },
    /// The invitation came to its end (M3, M4).
    #[error("the invitation of `{member}` has expired; invite again")]
    InvitationExpired {
        /// Whose.
        member: MemberId,
    },
    /// Only an active member can be given ownership, or have it revoked (M6).
    #[error(
        "`{member}` has not accepted its invitation yet, so ownership can neither be granted nor revoked; cancel the invitation, or wait until it is accepted"
    )]
    NotActive {
        /// Who.
        member: MemberId,
    },
    /// Only one active owner is left (A2).
    #[error("`{member}` is the last account owner; grant ownership to someone else first")]
    LastOwner {
        /// Who.
        member: MemberId,
    },
    /// A store has this id.
    #[error("there is a store `{store}` already; choose another id")]
    StoreExists {
        /// As named.
        store: StoreId,
    },
    /// A group has this id.
    #[error("there is a group `{group}` already; edit it, or choose another id")]
    GroupExists {
        /// As named.
        group: GroupId,
    },
    /// A group has this name, perhaps in other case of letters (G3).
    #[error("the name `{name}` is taken by group `{group}`")]
    GroupNameTaken {
        /// As asked for.
        name: GroupName,
        /// Who has it.
        group: GroupId,
    },
    /// The account has as many groups as it may (A3).
    #[error("the account has {limit} groups, as many as it may; delete one first")]
    TooManyGroups {
        /// The limit.
        limit: u16,
    },
    /// A group that has members cannot be deleted (G7).
    #[error("group `{group}` still has {members} member(s); take them out first")]
    GroupHasMembers {
        /// Which.
        group: GroupId,
        /// How many.
        members: usize,
    },
    /// A role has this id, perhaps a built-in one (L1, L3).
    #[error("there is a role `{role}` already; change it, or choose another id")]
    RoleExists {
        /// As named.
        role: RoleId,
    },
    /// A role has this name, perhaps in other case of letters (L3).
    #[error("the name `{name}` is taken by role `{role}`")]
    RoleNameTaken {
        /// As asked for.
        name: RoleName,
        /// Who has it.
        role: RoleId,
    },
    /// A built-in role can be neither changed nor deleted (L1).
    #[error("role `{role}` is built in and stays as it is; define a role of your own")]
    BuiltInRole {
        /// Which.
        role: RoleId,
    },
    /// A role that a group carries cannot be deleted (L3).
    #[error("group `{group}` carries role `{role}`; take it off every group first")]
    RoleInUse {
        /// Which.
        role: RoleId,
        /// The first group that carries it.
        group: GroupId,
    },
    /// There is no higher version number (U2).
    #[error("the account has reached the highest version number; it can be read, not changed")]
    VersionsExhausted,

    // Invalid: it is not well formed.
    /// The command names more than it may (U7).
    #[error(
        "the command names {named} members, stores, grants or permissions; it may name {MAX_ITEMS_PER_COMMAND} of a kind; split it"
    )]
    TooManyNamed {
        /// How many.
        named: usize,
    },
    /// The batch holds more commands than it may (U7).
    #[error("the batch holds {commands} commands; it may hold {MAX_BATCH}; split it")]
    BatchTooLarge {
        /// How many.
        commands: usize,
    },
    /// The invitation would have expired before it is made (M3).
    #[error("the invitation would expire at {} ms, which is not after now ({} ms, or the last record's time if that is later)", expires.as_millis(), now.as_millis())]
    ExpiryPassed {
        /// When it would expire.
        expires: Timestamp,
        /// The time of the decision.
        now: Timestamp,
    },
    /// A group carries at least one grant (G4).
    #[error("a group carries at least one grant; name a role")]
    NoGrants,
    /// A store-level role is assigned with at least one store (G5).
    #[error(
        "role `{role}` is granted in no store; name at least one, or grant it at the account if that is its level"
    )]
    EmptyScope {
        /// Which.
        role: RoleId,
    },
    /// An account-level role takes no stores; a store-level role takes nothing else (G5).
    #[error("role `{role}` is of {level} level; {}", scope_for(*level))]
    ScopeMismatch {
        /// Which.
        role: RoleId,
        /// Its level.
        level: RoleLevel,
    },
    /// A role has at least one permission (L3).
    #[error("role `{role}` would have no permission; name at least one")]
    NoPermissions {
        /// Which.
        role: RoleId,
    },
    /// No custom role holds a permission that begins with `account.` (L5).
    #[error("`{permission}` is reserved; no role of your own can hold it")]
    ReservedPermission {
        /// Which.
        permission: Permission,
    },
    /// A permission that begins with `store.` belongs to store-level roles only (L5).
    #[error("`{permission}` belongs to store-level roles only")]
    StorePermission {
        /// Which.
        permission: Permission,
    },
    /// A role would go by the name or id of ownership, which no role gives (M6).
    #[error(
        "no role can be called as ownership is; grant ownership itself, or choose another id or name"
    )]
    OwnershipName,

    /// A command of a batch was refused, and with it the whole batch (U4). Code and kind are those of the reason.
    #[error("command {} of the batch: {refusal}", index + 1)]
    InBatch {
        /// Which command, counted from 0.
        index: usize,
        /// Why.
        refusal: Box<CommandError>,
    },
}

fn quoted(actor: &Actor) -> String {
    match actor {
        Actor::Member(member) => format!("`{member}`"),
        Actor::System => "the host itself".to_owned(),
    }
}

fn scope_for(level: RoleLevel) -> &'static str {
    match level {
        RoleLevel::Account => "grant it at the account, without stores",
        RoleLevel::Store => "grant it in stores",
    }
}

/// What kind of reason a refusal is, and with it who can do something about it.
///
/// Exhaustive on purpose: a host that matches on it must handle every kind.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorKind {
    /// Who asks may not. HTTP 403.
    Forbidden,
    /// Something named is not there. HTTP 404.
    NotFound,
    /// It does not go together with what is there. HTTP 409.
    Conflict,
    /// It is not well formed. HTTP 422.
    Invalid,
}

impl ErrorKind {
    /// The HTTP status that says the same: 403, 404, 409 or 422.
    #[must_use]
    pub fn http_status(self) -> u16 {
        match self {
            ErrorKind::Forbidden => 403,
            ErrorKind::NotFound => 404,
            ErrorKind::Conflict => 409,
            ErrorKind::Invalid => 422,
        }
    }
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

impl CommandError {
    /// The reason itself: of a batch, that of the command that was refused.
    #[must_use]
    pub fn reason(&self) -> &CommandError {
        if let CommandError::InBatch { refusal, .. } = self {
            refusal.reason()
        } else {
            self
        }
    }

    /// A stable code for programs; `docs/rules.md` lists them.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.classified().1
    }

    /// What kind of reason it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.classified().0
    }

    /// The one table of kinds and codes.
    fn classified(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::{Conflict, Forbidden, Invalid, NotFound};
        match self {
            CommandError::NotAuthorized { .. } => (Forbidden, "not-authorized"),
            CommandError::HostOnly { .. } => (Forbidden, "host-only"),
            CommandError::NoInvitation { .. } => (Forbidden, "no-invitation"),
            CommandError::SelfAddition { .. } => (Forbidden, "self-addition"),
            CommandError::SelfEscalation { .. } => (Forbidden, "self-escalation"),
            CommandError::OwnerInvitation { .. } => (Forbidden, "owner-invitation"),
            CommandError::UnknownMember { .. } => (NotFound, "unknown-member"),
            CommandError::UnknownStore { .. } => (NotFound, "unknown-store"),
            CommandError::UnknownGroup { .. } => (NotFound, "unknown-group"),
            CommandError::UnknownRole { .. } => (NotFound, "unknown-role"),
            CommandError::AlreadyMember { .. } => (Conflict, "already-member"),
            CommandError::AlreadyInvited { .. } => (Conflict, "already-invited"),
            CommandError::NotInvited { .. } => (Conflict, "not-invited"),
            CommandError::InvitationExpired { .. } => (Conflict, "invitation-expired"),
            CommandError::NotActive { .. } => (Conflict, "not-active"),
            CommandError::LastOwner { .. } => (Conflict, "last-owner"),
            CommandError::StoreExists { .. } => (Conflict, "store-exists"),
            CommandError::GroupExists { .. } => (Conflict, "group-exists"),
            CommandError::GroupNameTaken { .. } => (Conflict, "group-name-taken"),
            CommandError::TooManyGroups { .. } => (Conflict, "too-many-groups"),
            CommandError::GroupHasMembers { .. } => (Conflict, "group-has-members"),
            CommandError::RoleExists { .. } => (Conflict, "role-exists"),
            CommandError::RoleNameTaken { .. } => (Conflict, "role-name-taken"),
            CommandError::BuiltInRole { .. } => (Conflict, "built-in-role"),
            CommandError::RoleInUse { .. } => (Conflict, "role-in-use"),
            CommandError::VersionsExhausted => (Conflict, "versions-exhausted"),
            CommandError::TooManyNamed { .. } => (Invalid, "too-many-named"),
            CommandError::BatchTooLarge { .. } => (Invalid, "batch-too-large"),
            CommandError::ExpiryPassed { .. } => (Invalid, "expiry-passed"),
            CommandError::NoGrants => (Invalid, "no-grants"),
            CommandError::EmptyScope { .. } => (Invalid, "empty-scope"),
            CommandError::ScopeMismatch { .. } => (Invalid, "scope-mismatch"),
            CommandError::NoPermissions { .. } => (Invalid, "no-permissions"),
            CommandError::ReservedPermission { .. } => (Invalid, "reserved-permission"),
            CommandError::StorePermission { .. } => (Invalid, "store-permission"),
            CommandError::OwnershipName => (Invalid, "ownership-name"),
            CommandError::InBatch { refusal, .. } => refusal.classified(),
        }
    }
}

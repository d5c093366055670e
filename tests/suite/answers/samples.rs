//! One of every error and of every answer, about ids of one text.

use grantbook::command::*;
use grantbook::repository::{CommitError, HeadState, RepositoryError, StaleError};
use grantbook::*;

use crate::support::*;

pub(crate) fn account_id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

fn name() -> GroupName {
    GroupName::parse("Dev Team").unwrap()
}

fn store_write() -> Permission {
    Permission::STORE_WRITE
}

pub(crate) fn preconditions(text: &str) -> [Precondition; 4] {
    let (role, group, revision) = (role(text), group(text), 17);
    [
        Precondition::Account {
            digest: Digest::parse(&"0f".repeat(32)).unwrap(),
        },
        Precondition::Role { role, revision },
        Precondition::GroupDefinition {
            group: group.clone(),
            revision,
        },
        Precondition::GroupMembership { group, revision },
    ]
}

/// One of every refusal, in the order of their codes, some of them twice; and that of a batch.
pub(crate) fn command_errors(text: &str) -> Vec<CommandError> {
    let (actor, store, group, role) = (member(text), store(text), group(text), role(text));
    let member = || actor.clone();
    let permission = store_write;
    let resource = Resource::Store(store.clone());
    let role_name = RoleName::parse("Auditor").unwrap();
    let mut errors = vec![
        CommandError::NotAuthorized {
            actor: member(),
            reason: DenialReason::MissingPermission {
                permission: permission(),
            },
        },
        CommandError::SystemOnly { actor: member() },
        CommandError::NoInvitation {
            actor: Actor::Member(member()),
        },
        CommandError::NoInvitation {
            actor: Actor::System,
        },
        CommandError::NoMembership,
        CommandError::SelfAddition {
            actor: member(),
            group: group.clone(),
        },
        CommandError::SelfEscalation {
            actor: member(),
            permission: permission(),
            resource,
            is_held: true,
        },
        CommandError::OwnerInvitation {
            actor: member(),
            member: member(),
        },
        CommandError::UnknownMember {
            members: vec![member(), by_id("nobody")],
        },
        CommandError::UnknownStore {
            store: store.clone(),
        },
        CommandError::UnknownGroup {
            group: group.clone(),
        },
        CommandError::UnknownRole { role: role.clone() },
        CommandError::AlreadyMember { member: member() },
        CommandError::AlreadyInvited { member: member() },
        CommandError::NotInvited { member: member() },
        CommandError::InvitationExpired { member: member() },
        CommandError::NotActive { member: member() },
        CommandError::MemberSuspended { member: member() },
        CommandError::LastOwner { member: member() },
        CommandError::StoreExists { store },
        CommandError::GroupExists {
            group: group.clone(),
        },
        CommandError::GroupNameTaken {
            name: name(),
            group: group.clone(),
        },
        CommandError::TooManyGroups { limit: 20 },
        CommandError::GroupLimitTooLow {
            limit: 2,
            groups: 3,
        },
        CommandError::AccountClosed,
        CommandError::Diverged,
        CommandError::LastGrant {
            group: group.clone(),
            role: role.clone(),
        },
        CommandError::GroupHasMembers {
            group: group.clone(),
            members: 4,
        },
        CommandError::RoleExists { role: role.clone() },
        CommandError::RoleNameTaken {
            name: role_name,
            role: role.clone(),
        },
        CommandError::BuiltInRole { role: role.clone() },
        CommandError::RoleInUse {
            role: role.clone(),
            group,
        },
        CommandError::VersionsExhausted,
        CommandError::TooManyNamed { named: 10_001 },
        CommandError::TooManyChanged { changed: 10_001 },
        CommandError::BatchTooLarge { commands: 1_001 },
        CommandError::TimeOutOfRange {
            time: at(253_402_300_800_000),
        },
        CommandError::ExpiryPassed {
            expires: at(1_000),
            now: at(2_000),
        },
        CommandError::NoGrants,
        CommandError::EmptyScope { role: role.clone() },
        CommandError::ScopeMismatch {
            role: role.clone(),
            level: RoleLevel::Account,
        },
        CommandError::NoPermissions { role },
        CommandError::ReservedPermission {
            permission: Permission::MANAGE_ROLES,
        },
        CommandError::StorePermission {
            permission: permission(),
        },
        CommandError::OwnershipName,
    ];
    for precondition in preconditions(text) {
        errors.push(CommandError::PreconditionFailed {
            precondition: precondition.clone(),
            found: Some(19),
        });
        errors.push(CommandError::PreconditionFailed {
            precondition,
            found: None,
        });
    }
    let error = Box::new(CommandError::LastOwner { member: actor });
    errors.push(CommandError::InBatch { index: 1, error });
    errors
}

fn by_id(text: &str) -> MemberId {
    member(text)
}

/// One of every reason why a record is not replayed.
pub(crate) fn replay_errors(text: &str) -> Vec<ReplayError> {
    let digest = *World::new().account.digest();
    let place = serde_json::from_str(r#"{"number":1,"of":2}"#).unwrap();
    let last: CommitPlace = serde_json::from_str(r#"{"number":2,"of":2}"#).unwrap();
    let version = 7;
    vec![
        ReplayError::NoRecords,
        ReplayError::WrongAccount {
            expected: account_id(text),
            found: account_id(&format!("{text}x")),
            version,
        },
        ReplayError::Gap {
            expected: 7,
            found: 9,
        },
        ReplayError::Repeat {
            expected: 7,
            found: 6,
        },
        ReplayError::TimeRunsBackwards {
            version,
            last: at(2_000),
            found: at(1_000),
        },
        ReplayError::DigestMismatch { version },
        ReplayError::CommitPlace {
            version,
            last,
            found: place,
        },
        ReplayError::Opening { version },
        ReplayError::WrongActor {
            version,
            actor: by(text),
        },
        ReplayError::DoesNotFit {
            version,
            reason: CommandError::UnknownStore { store: store(text) },
        },
        ReplayError::Redundant { version },
        ReplayError::OtherHead {
            version,
            expected: digest,
            found: digest,
        },
    ]
}

/// One of every reason why a snapshot is no account.
pub(crate) fn snapshot_errors(text: &str) -> Vec<SnapshotError> {
    let (member, group, entry) = (member(text), group(text), text.to_owned());
    vec![
        SnapshotError::NotOpened,
        SnapshotError::NoOwner,
        SnapshotError::DuplicateMember {
            member: member.clone(),
        },
        SnapshotError::DuplicateMembership {
            member: member.clone(),
            group: group.clone(),
        },
        SnapshotError::UnknownGroup {
            member,
            group: group.clone(),
        },
        SnapshotError::DuplicateGrant { group },
        SnapshotError::BadRevision {
            entry: entry.clone(),
        },
        SnapshotError::BreaksRule {
            entry,
            reason: CommandError::RoleExists { role: role(text) },
        },
    ]
}

/// One of every error of a repository. What its storage says is its own.
pub(crate) fn repository_errors(text: &str) -> Vec<RepositoryError> {
    let account = account_id(text);
    let replay_error = ReplayError::WrongActor {
        version: 7,
        actor: by(text),
    };
    let snapshot_error = SnapshotError::DuplicateMember {
        member: member(text),
    };
    vec![
        RepositoryError::Refused(CommandError::LastOwner {
            member: member(text),
        }),
        RepositoryError::IdempotencyKeyReused {
            key: commit_id(text),
        },
        RepositoryError::Contended { attempts: 9 },
        RepositoryError::UnknownAccount {
            account: account.clone(),
        },
        RepositoryError::AccountExists {
            account: account.clone(),
        },
        RepositoryError::AccountErased {
            account: account.clone(),
        },
        RepositoryError::NotClosed {
            account: account.clone(),
        },
        RepositoryError::EraseUnsupported,
        RepositoryError::Diverged {
            account,
            version: 7,
        },
        RepositoryError::Storage("the disk is full".into()),
        RepositoryError::Snapshot(snapshot_error),
        RepositoryError::Replay(replay_error),
        RepositoryError::OtherState {
            version: 7,
            kept: HeadState::Closed,
        },
        RepositoryError::RecordsMissing { version: 7 },
    ]
}

pub(crate) fn stale_error(text: &str) -> StaleError {
    StaleError {
        account: account_id(text),
        version: 7,
        wanted: 9,
    }
}

pub(crate) fn commit_errors() -> Vec<CommitError> {
    vec![
        CommitError::OutOfOrder { version: 7 },
        CommitError::OtherRequest,
        CommitError::OtherSnapshot,
    ]
}

pub(crate) fn denials() -> Vec<DenialReason> {
    vec![
        DenialReason::AccountClosed,
        DenialReason::Diverged,
        DenialReason::UnknownMember,
        DenialReason::Invited,
        DenialReason::Suspended,
        DenialReason::UnknownStore,
        DenialReason::MissingPermission {
            permission: store_write(),
        },
    ]
}

/// A gain in which every kind of step stands.
pub(crate) fn escalation(text: &str) -> Escalation {
    let (member, group) = (member(text), group(text));
    let members = [member.clone()];
    let steps: [Command; 8] = [
        AddToGroup {
            group: group.clone(),
            members: members.clone().into(),
        }
        .into(),
        RemoveFromGroup {
            group: group.clone(),
            members: members.into(),
        }
        .into(),
        EditGroup {
            group: group.clone(),
            name: None,
            description: None,
            grants: Some(vec![Grant::group_manager()]),
        }
        .into(),
        InviteMember {
            member: member.clone(),
            as_owner: true,
            expires: None,
        }
        .into(),
        AcceptInvitation {}.into(),
        ReinstateMember {
            member: member.clone(),
        }
        .into(),
        GrantOwnership {
            member: member.clone(),
        }
        .into(),
        CreateGroup {
            group,
            name: name(),
            description: Description::default(),
            grants: vec![Grant::group_manager()],
        }
        .into(),
    ];
    Escalation {
        member: member.clone(),
        permission: store_write(),
        resource: Resource::Store(store(text)),
        steps: steps.map(|step| (member.clone(), step)).into(),
    }
}

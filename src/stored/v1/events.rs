//! Format 1 of events, field by field.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RoleLevelV1, ScopeV1, grants};
use crate::account::changes::{
    AccountClosed, AccountOpened, AddedToGroup, EndedInvitation, Event, GroupCreated, GroupDeleted,
    GroupEdited, GroupLimitChanged, GroupMembersSet, InvitationAccepted, InvitationCancelled,
    MemberInvited, MemberLeft, MemberReinstated, MemberSuspended, MembersAdded, MembersRemoved,
    OwnershipGranted, OwnershipRevoked, RemovedFromGroup, RoleChanged, RoleDefined, RoleDeleted,
    RoleGranted, RoleRevoked, StoreCreated, StoreDeleted,
};
use crate::account::limits::GroupLimit;
use crate::distinct;
use crate::grant::{Grant, Scope};
use crate::id::{GroupId, IdempotencyKey, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// Lists of ended invitations.
mod ended {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::EndedInvitationV1;
    use crate::account::changes::EndedInvitation;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Read(#[serde(with = "EndedInvitationV1")] EndedInvitation);

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Written<'a>(
        #[serde(serialize_with = "EndedInvitationV1::serialize")] &'a EndedInvitation,
    );

    pub(super) fn serialize<S: Serializer>(
        ended: &[EndedInvitation],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ended.iter().map(Written))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<EndedInvitation>, D::Error> {
        let ended = Vec::<Read>::deserialize(deserializer)?;
        Ok(ended.into_iter().map(|Read(ended)| ended).collect())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Event", tag = "kind")]
enum EventV1 {
    #[serde(rename = "account-opened", with = "AccountOpenedV1")]
    AccountOpened(AccountOpened),
    #[serde(rename = "member-invited", with = "MemberInvitedV1")]
    MemberInvited(MemberInvited),
    #[serde(rename = "invitation-accepted", with = "InvitationAcceptedV1")]
    InvitationAccepted(InvitationAccepted),
    #[serde(rename = "invitation-cancelled", with = "InvitationCancelledV1")]
    InvitationCancelled(InvitationCancelled),
    #[serde(rename = "members-added", with = "MembersAddedV1")]
    MembersAdded(MembersAdded),
    #[serde(rename = "members-removed", with = "MembersRemovedV1")]
    MembersRemoved(MembersRemoved),
    #[serde(rename = "member-left", with = "MemberLeftV1")]
    MemberLeft(MemberLeft),
    #[serde(rename = "member-suspended", with = "MemberSuspendedV1")]
    MemberSuspended(MemberSuspended),
    #[serde(rename = "member-reinstated", with = "MemberReinstatedV1")]
    MemberReinstated(MemberReinstated),
    #[serde(rename = "ownership-granted", with = "OwnershipGrantedV1")]
    OwnershipGranted(OwnershipGranted),
    #[serde(rename = "ownership-revoked", with = "OwnershipRevokedV1")]
    OwnershipRevoked(OwnershipRevoked),
    #[serde(rename = "store-created", with = "StoreCreatedV1")]
    StoreCreated(StoreCreated),
    #[serde(rename = "store-deleted", with = "StoreDeletedV1")]
    StoreDeleted(StoreDeleted),
    #[serde(rename = "group-created", with = "GroupCreatedV1")]
    GroupCreated(GroupCreated),
    #[serde(rename = "group-edited", with = "GroupEditedV1")]
    GroupEdited(GroupEdited),
    #[serde(rename = "group-deleted", with = "GroupDeletedV1")]
    GroupDeleted(GroupDeleted),
    #[serde(rename = "added-to-group", with = "AddedToGroupV1")]
    AddedToGroup(AddedToGroup),
    #[serde(rename = "removed-from-group", with = "RemovedFromGroupV1")]
    RemovedFromGroup(RemovedFromGroup),
    #[serde(rename = "role-granted", with = "RoleGrantedV1")]
    RoleGranted(RoleGranted),
    #[serde(rename = "role-revoked", with = "RoleRevokedV1")]
    RoleRevoked(RoleRevoked),
    #[serde(rename = "group-members-set", with = "GroupMembersSetV1")]
    GroupMembersSet(GroupMembersSet),
    #[serde(rename = "group-limit-changed", with = "GroupLimitChangedV1")]
    GroupLimitChanged(GroupLimitChanged),
    #[serde(rename = "account-closed", with = "AccountClosedV1")]
    AccountClosed(AccountClosed),
    #[serde(rename = "role-defined", with = "RoleDefinedV1")]
    RoleDefined(RoleDefined),
    #[serde(rename = "role-changed", with = "RoleChangedV1")]
    RoleChanged(RoleChanged),
    #[serde(rename = "role-deleted", with = "RoleDeletedV1")]
    RoleDeleted(RoleDeleted),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AccountOpened", deny_unknown_fields)]
struct AccountOpenedV1 {
    owner: MemberId,
    group_limit: GroupLimit,
    #[serde(deserialize_with = "Option::deserialize")]
    key: Option<IdempotencyKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MemberInvited", deny_unknown_fields)]
struct MemberInvitedV1 {
    member: MemberId,
    as_owner: bool,
    #[serde(deserialize_with = "Option::deserialize")]
    expires: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "InvitationAccepted", deny_unknown_fields)]
struct InvitationAcceptedV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "InvitationCancelled", deny_unknown_fields)]
struct InvitationCancelledV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MembersAdded", deny_unknown_fields)]
struct MembersAddedV1 {
    #[serde(deserialize_with = "distinct::set")]
    members: BTreeSet<MemberId>,
    #[serde(with = "ended")]
    ended: Vec<EndedInvitation>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "EndedInvitation", deny_unknown_fields)]
struct EndedInvitationV1 {
    member: MemberId,
    as_owner: bool,
    #[serde(deserialize_with = "distinct::set")]
    groups: BTreeSet<GroupId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MembersRemoved", deny_unknown_fields)]
struct MembersRemovedV1 {
    #[serde(deserialize_with = "distinct::set")]
    members: BTreeSet<MemberId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MemberLeft", deny_unknown_fields)]
struct MemberLeftV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MemberSuspended", deny_unknown_fields)]
struct MemberSuspendedV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MemberReinstated", deny_unknown_fields)]
struct MemberReinstatedV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OwnershipGranted", deny_unknown_fields)]
struct OwnershipGrantedV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "OwnershipRevoked", deny_unknown_fields)]
struct OwnershipRevokedV1 {
    member: MemberId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StoreCreated", deny_unknown_fields)]
struct StoreCreatedV1 {
    store: StoreId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "StoreDeleted", deny_unknown_fields)]
struct StoreDeletedV1 {
    store: StoreId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GroupCreated", deny_unknown_fields)]
struct GroupCreatedV1 {
    group: GroupId,
    name: GroupName,
    description: Description,
    #[serde(with = "grants")]
    grants: Vec<Grant>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GroupEdited", deny_unknown_fields)]
struct GroupEditedV1 {
    group: GroupId,
    #[serde(deserialize_with = "Option::deserialize")]
    name: Option<GroupName>,
    #[serde(deserialize_with = "Option::deserialize")]
    description: Option<Description>,
    #[serde(with = "grants::optional")]
    grants: Option<Vec<Grant>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GroupDeleted", deny_unknown_fields)]
struct GroupDeletedV1 {
    group: GroupId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AddedToGroup", deny_unknown_fields)]
struct AddedToGroupV1 {
    group: GroupId,
    #[serde(deserialize_with = "distinct::set")]
    members: BTreeSet<MemberId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RemovedFromGroup", deny_unknown_fields)]
struct RemovedFromGroupV1 {
    group: GroupId,
    #[serde(deserialize_with = "distinct::set")]
    members: BTreeSet<MemberId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleGranted", deny_unknown_fields)]
struct RoleGrantedV1 {
    group: GroupId,
    role: RoleId,
    #[serde(with = "ScopeV1")]
    scope: Scope,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleRevoked", deny_unknown_fields)]
struct RoleRevokedV1 {
    group: GroupId,
    role: RoleId,
    #[serde(deserialize_with = "distinct::optional_set")]
    stores: Option<BTreeSet<StoreId>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GroupMembersSet", deny_unknown_fields)]
struct GroupMembersSetV1 {
    group: GroupId,
    #[serde(deserialize_with = "distinct::set")]
    added: BTreeSet<MemberId>,
    #[serde(deserialize_with = "distinct::set")]
    removed: BTreeSet<MemberId>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "GroupLimitChanged", deny_unknown_fields)]
struct GroupLimitChangedV1 {
    limit: GroupLimit,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "AccountClosed", deny_unknown_fields)]
struct AccountClosedV1 {}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleDefined", deny_unknown_fields)]
struct RoleDefinedV1 {
    role: RoleId,
    name: RoleName,
    #[serde(with = "RoleLevelV1")]
    level: RoleLevel,
    #[serde(deserialize_with = "distinct::set")]
    permissions: BTreeSet<Permission>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleChanged", deny_unknown_fields)]
struct RoleChangedV1 {
    role: RoleId,
    #[serde(deserialize_with = "Option::deserialize")]
    name: Option<RoleName>,
    #[serde(deserialize_with = "distinct::optional_set")]
    permissions: Option<BTreeSet<Permission>>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleDeleted", deny_unknown_fields)]
struct RoleDeletedV1 {
    role: RoleId,
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        EventV1::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        EventV1::deserialize(deserializer)
    }
}

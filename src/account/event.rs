//! What has happened to an account: one event for each accepted change, in a record.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::account::command::Actor;
use crate::account::limits::GroupLimit;
use crate::distinct;
use crate::grant::Grant;
use crate::id::{AccountId, GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// One accepted change: what, by whom, when (U2).
///
/// Records are what a host stores, and the audit trail. All records of an account, in the order of their versions, are
/// the account. The serde form needs a format that describes itself, as JSON and CBOR do, and carries a format number;
/// another format, an unknown kind of event and an unknown field are refused.
///
/// ```
/// # use grantbook::*;
/// # let (_, record) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
/// assert_eq!(
///     serde_json::to_string(&record)?,
///     r#"{"format":1,"account":"acme","version":1,"at":0,"actor":"system","event":{"kind":"account-opened","owner":"olga","group_limit":20}}"#,
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub(crate) format: Format,
    pub(crate) account: AccountId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) actor: Actor,
    pub(crate) event: Event,
}

impl Record {
    /// The account that changed.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The account's version after this change: 1, 2, 3, without gaps.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When, by the host's clock; never before the record of the version before (U2).
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Who asked for it.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }
}

/// The number of the serde form; a number that this version of the library does not know is refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Format;

impl Format {
    const NUMBER: u32 = 1;
}

impl From<Format> for u32 {
    fn from(_: Format) -> u32 {
        Format::NUMBER
    }
}

impl TryFrom<u32> for Format {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, Self::Error> {
        if number == Self::NUMBER {
            Ok(Self)
        } else {
            Err(format!(
                "format {number} is not known to this version of grantbook, which reads format {}",
                Self::NUMBER
            ))
        }
    }
}

/// What happened. Each holds only what changed: members who were already there are not named, nor fields that were
/// already so.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Event {
    /// The account began, with one active owner (A1).
    AccountOpened {
        /// The first owner.
        owner: MemberId,
        /// How many groups it may have (A3).
        group_limit: GroupLimit,
    },
    /// Someone was invited; an earlier invitation that had expired is gone, with all it promised (M3).
    MemberInvited {
        /// Who.
        member: MemberId,
        /// Whether as an Account Owner.
        as_owner: bool,
        /// When the invitation ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires: Option<Timestamp>,
    },
    /// An invited member became active, in the groups it was placed in and as owner if it was invited so.
    InvitationAccepted {
        /// Who.
        member: MemberId,
    },
    /// An invitation was taken back; its member is unknown again.
    InvitationCancelled {
        /// Whose.
        member: MemberId,
    },
    /// People became active members without invitations (M7).
    MembersAdded {
        /// Who.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    },
    /// A member left the account and all its groups (M5).
    MemberRemoved {
        /// Who.
        member: MemberId,
    },
    /// An active member became an Account Owner.
    OwnershipGranted {
        /// Who.
        member: MemberId,
    },
    /// An Account Owner is one no more.
    OwnershipRevoked {
        /// Who.
        member: MemberId,
    },
    /// A store came to be.
    StoreCreated {
        /// Which.
        store: StoreId,
    },
    /// A store is gone, and from every scope (S3).
    StoreDeleted {
        /// Which.
        store: StoreId,
    },
    /// A group came to be.
    GroupCreated {
        /// Which.
        group: GroupId,
        /// Its name.
        name: GroupName,
        /// What it is for.
        description: Description,
        /// Its grants: each role once, in the order of the roles' ids.
        grants: Vec<Grant>,
    },
    /// A group changed.
    GroupEdited {
        /// Which.
        group: GroupId,
        /// Its new name, if that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<GroupName>,
        /// Its new description, if that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<Description>,
        /// All its grants from now on, if they changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grants: Option<Vec<Grant>>,
    },
    /// A group is gone.
    GroupDeleted {
        /// Which.
        group: GroupId,
    },
    /// Members came into a group.
    AddedToGroup {
        /// Which.
        group: GroupId,
        /// Who.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    },
    /// Members left a group.
    RemovedFromGroup {
        /// Which.
        group: GroupId,
        /// Who.
        #[serde(deserialize_with = "distinct::set")]
        members: BTreeSet<MemberId>,
    },
    /// A role of the account's own came to be.
    RoleDefined {
        /// Which.
        role: RoleId,
        /// Its name.
        name: RoleName,
        /// Where its permissions hold.
        level: RoleLevel,
        /// What it grants.
        #[serde(deserialize_with = "distinct::set")]
        permissions: BTreeSet<Permission>,
    },
    /// A role changed.
    RoleChanged {
        /// Which.
        role: RoleId,
        /// Its new name, if that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<RoleName>,
        /// All its permissions from now on, if they changed.
        #[serde(
            default,
            deserialize_with = "distinct::optional_set",
            skip_serializing_if = "Option::is_none"
        )]
        permissions: Option<BTreeSet<Permission>>,
    },
    /// A role is gone.
    RoleDeleted {
        /// Which.
        role: RoleId,
    },
}

impl Event {
    /// A stable name for the kind of event, as in its serde form: `account-opened`, `member-invited` and so on.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Event::AccountOpened { .. } => "account-opened",
            Event::MemberInvited { .. } => "member-invited",
            Event::InvitationAccepted { .. } => "invitation-accepted",
            Event::InvitationCancelled { .. } => "invitation-cancelled",
            Event::MembersAdded { .. } => "members-added",
            Event::MemberRemoved { .. } => "member-removed",
            Event::OwnershipGranted { .. } => "ownership-granted",
            Event::OwnershipRevoked { .. } => "ownership-revoked",
            Event::StoreCreated { .. } => "store-created",
            Event::StoreDeleted { .. } => "store-deleted",
            Event::GroupCreated { .. } => "group-created",
            Event::GroupEdited { .. } => "group-edited",
            Event::GroupDeleted { .. } => "group-deleted",
            Event::AddedToGroup { .. } => "added-to-group",
            Event::RemovedFromGroup { .. } => "removed-from-group",
            Event::RoleDefined { .. } => "role-defined",
            Event::RoleChanged { .. } => "role-changed",
            Event::RoleDeleted { .. } => "role-deleted",
        }
    }
}

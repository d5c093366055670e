//! Format 1 of records and snapshots, and of what they hold, field by field.

mod events;
pub(crate) mod requests;

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Format, Unreleased};
use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::commit_place::CommitPlace;
use crate::account::digest::Digest;
use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::account::status::MemberStatus;
use crate::distinct;
use crate::grant::{Grant, Scope};
use crate::id::{AccountId, GroupId, MemberId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::note::Note;
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// A record, as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordV1 {
    #[serde(rename = "record")]
    _format: Format,
    account: AccountId,
    version: u64,
    at: Timestamp,
    commit: CommitPlace,
    #[serde(with = "ActorV1")]
    actor: Actor,
    #[serde(deserialize_with = "Option::deserialize")]
    note: Option<Note>,
    event: Event,
    digest: Digest,
    #[serde(default, rename = "format")]
    _unreleased: Unreleased,
}

impl From<RecordV1> for Record {
    fn from(form: RecordV1) -> Self {
        Self {
            account: form.account,
            version: form.version,
            at: form.at,
            commit: form.commit,
            actor: form.actor,
            note: form.note,
            event: form.event,
            digest: form.digest,
        }
    }
}

/// The same form, as it is written: with the digest to store it, and without to take the digest.
#[derive(Serialize)]
struct WrittenRecordV1<'a, D> {
    record: Format,
    account: &'a AccountId,
    version: u64,
    at: Timestamp,
    commit: CommitPlace,
    #[serde(serialize_with = "ActorV1::serialize")]
    actor: &'a Actor,
    note: Option<&'a Note>,
    event: &'a Event,
    digest: D,
}

impl<'a, D> WrittenRecordV1<'a, D> {
    fn new(record: &'a Record, digest: D) -> Self {
        Self {
            record: Format,
            account: &record.account,
            version: record.version,
            at: record.at,
            commit: record.commit,
            actor: &record.actor,
            note: record.note.as_ref(),
            event: &record.event,
            digest,
        }
    }
}

impl Record {
    /// Returns the digest that this record has after one with the digest `before` (U2).
    pub(crate) fn digest_after(&self, before: Digest) -> Digest {
        Digest::of(&WrittenRecordV1::new(self, ()), before)
    }
}

/// A snapshot. `commit` and `digest` are those of the record that it stands at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SnapshotV1 {
    pub(crate) snapshot: Format,
    pub(crate) account: AccountId,
    pub(crate) version: u64,
    pub(crate) at: Timestamp,
    pub(crate) commit: CommitPlace,
    pub(crate) digest: Digest,
    pub(crate) group_limit: GroupLimit,
    pub(crate) closed: bool,
    /// Without the built-in ones.
    pub(crate) roles: Vec<RoleV1>,
    pub(crate) stores: Vec<StoreId>,
    pub(crate) groups: Vec<GroupV1>,
    pub(crate) members: Vec<MemberV1>,
    #[serde(default, rename = "format", skip_serializing)]
    pub(crate) _unreleased: Unreleased,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleV1 {
    pub(crate) id: RoleId,
    pub(crate) name: RoleName,
    #[serde(with = "RoleLevelV1")]
    pub(crate) level: RoleLevel,
    #[serde(deserialize_with = "distinct::set")]
    pub(crate) permissions: BTreeSet<Permission>,
    pub(crate) revision: u64,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupV1 {
    pub(crate) id: GroupId,
    pub(crate) name: GroupName,
    pub(crate) description: Description,
    #[serde(with = "grants")]
    pub(crate) grants: Vec<Grant>,
    pub(crate) definition_revision: u64,
    pub(crate) membership_revision: u64,
}

#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberV1 {
    pub(crate) id: MemberId,
    #[serde(with = "MemberStatusV1")]
    pub(crate) status: MemberStatus,
    pub(crate) groups: Vec<MembershipV1>,
}

/// A membership. It is no plain id, so that a later format can say until when it lasts.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembershipV1 {
    pub(crate) group: GroupId,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Actor", rename_all = "kebab-case")]
pub(crate) enum ActorV1 {
    Member(MemberId),
    System,
}

#[derive(Serialize, Deserialize)]
#[serde(
    remote = "MemberStatus",
    rename_all = "kebab-case",
    deny_unknown_fields
)]
enum MemberStatusV1 {
    Active {
        owner: bool,
    },
    Suspended {
        owner: bool,
    },
    Invited {
        as_owner: bool,
        #[serde(deserialize_with = "Option::deserialize")]
        expires: Option<Timestamp>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "RoleLevel", rename_all = "kebab-case")]
enum RoleLevelV1 {
    Account,
    Store,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Grant", deny_unknown_fields)]
struct GrantV1 {
    role: RoleId,
    #[serde(with = "ScopeV1")]
    scope: Scope,
}

/// A scope. A later format can have another kind, such as all stores.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Scope", rename_all = "kebab-case")]
enum ScopeV1 {
    Account,
    Stores(#[serde(deserialize_with = "distinct::set")] BTreeSet<StoreId>),
}

/// Lists of grants.
mod grants {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::GrantV1;
    use crate::grant::Grant;

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Read(#[serde(with = "GrantV1")] Grant);

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Written<'a>(#[serde(serialize_with = "GrantV1::serialize")] &'a Grant);

    pub(super) fn serialize<S: Serializer>(
        grants: &[Grant],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(grants.iter().map(Written))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Grant>, D::Error> {
        let grants = Vec::<Read>::deserialize(deserializer)?;
        Ok(grants.into_iter().map(|Read(grant)| grant).collect())
    }

    /// A list that may be absent: written as nothing, never left out.
    pub(super) mod optional {
        use super::{Deserialize, Deserializer, Grant, Read, Serialize, Serializer, Written};

        #[allow(clippy::ref_option)] // serde asks for this
        pub(in super::super) fn serialize<S: Serializer>(
            grants: &Option<Vec<Grant>>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            let grants = grants
                .as_ref()
                .map(|grants| grants.iter().map(Written).collect::<Vec<_>>());
            grants.serialize(serializer)
        }

        pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Vec<Grant>>, D::Error> {
            let grants = Option::<Vec<Read>>::deserialize(deserializer)?;
            Ok(grants.map(|grants| grants.into_iter().map(|Read(grant)| grant).collect()))
        }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        WrittenRecordV1::new(self, self.digest).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RecordV1::deserialize(deserializer).map(Self::from)
    }
}

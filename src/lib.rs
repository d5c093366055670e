#![doc = include_str!("front.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    deny(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used,
        clippy::wildcard_enum_match_arm
    )
)]

mod access;
mod account;
mod catalog;
mod distinct;
pub mod docs;
mod errors;
mod grant;
pub mod history;
mod id;
mod name;
mod note;
mod number;
mod permission;
mod questions;
#[cfg(feature = "render")]
#[cfg_attr(docsrs, doc(cfg(feature = "render")))]
mod render;
pub mod repository;
mod role;
mod several;
mod stored;
mod text;
mod time;
mod visible;

pub use access::{
    AccessLevel, Decision, DenialReason, EffectivePermissions, Permissions, Resource,
};
pub use account::Account;
pub use account::actor::Actor;
pub use account::changes::{Command, Event, command, event};
pub use account::command_error::{CommandError, ErrorKind};
pub use account::commit_place::CommitPlace;
pub use account::context::Context;
pub use account::digest::Digest;
pub use account::handles::{Group, Member, Store};
pub use account::limits::{GroupLimit, GroupLimitError, MAX_BATCH, MAX_ITEMS_PER_COMMAND};
pub use account::precondition::Precondition;
pub use account::record::{PlannedChange, Record};
pub use account::replay::ReplayError;
pub use account::snapshot::{Snapshot, SnapshotError};
pub use account::status::MemberStatus;
pub use catalog::{Catalog, CatalogError, PermissionError};
pub use grant::{Grant, GrantRef, Scope};
pub use id::{AccountId, GroupId, IdempotencyKey, MemberId, RoleId, StoreId};
pub use name::{Description, GroupName, RoleName};
pub use note::Note;
pub use permission::Permission;
pub use questions::delta::{AccessDelta, Preview};
pub use questions::differences::{AccessBlock, AccessChange};
pub use questions::effective::{EffectivePermissionsRef, PermissionsRef};
pub use questions::escalation::Escalation;
pub use questions::explanation::{
    AccessPath, AccessSource, Advice, ExplainOptions, Explanation, PermissionWarning, Remedy,
    RemedyKind, Verdict,
};
pub use questions::finding::Finding;
pub use questions::matrix::{AccessMatrix, MatrixCell, MatrixMembers, MatrixRow, MatrixStatus};
pub use questions::reverse::{StoreFilter, StoreSet};
pub use role::{Role, RoleLevel};
pub use text::{ParseError, ParseErrorKind};
pub use time::Timestamp;
pub use visible::{OneLine, Quoted, Visible};

/// Its code is compiled and run, as that of the pages in `docs` is.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

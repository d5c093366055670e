#![doc = include_str!("../README.md")]
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
mod distinct;
mod grant;
pub mod history;
mod id;
mod name;
mod permission;
mod questions;
#[cfg(feature = "render")]
#[cfg_attr(docsrs, doc(cfg(feature = "render")))]
mod render;
pub mod repository;
mod role;
mod text;
mod time;

// The unit tests explore the small world as the suite does, with one guard at a time taken away.
#[cfg(test)]
extern crate self as grantbook;
#[cfg(test)]
#[path = "../tests/suite/small_world/mod.rs"]
#[allow(dead_code)] // the larger worlds are the suite's
mod small_world;

pub use access::{AccessLevel, Decision, Denial, EffectivePermissions, Permissions, Place};
pub use account::Account;
pub use account::command::{Actor, Command};
pub use account::event::{Event, Record};
pub use account::evolve::ReplayError;
pub use account::limits::{GroupLimit, InvalidGroupLimit, MAX_BATCH, MAX_NAMED};
pub use account::member::Standing;
pub use account::refusal::{Refusal, RefusalKind};
pub use account::snapshot::{Snapshot, SnapshotError};
pub use account::view::{Group, Member, Store};
pub use grant::{Grant, Scope};
pub use id::{AccountId, CommitId, GroupId, MemberId, RoleId, StoreId};
pub use name::{Description, GroupName, RoleName};
pub use permission::Permission;
pub use questions::delta::{AccessChange, AccessDelta, Preview};
pub use questions::escalation::Gain;
pub use questions::explain::{Answer, Explanation, Path, Remedy, Step, Via};
pub use questions::matrix::{Matrix, MatrixRow};
pub use questions::review::Finding;
pub use role::{Level, Role};
pub use text::{InvalidText, TextProblem};
pub use time::Timestamp;

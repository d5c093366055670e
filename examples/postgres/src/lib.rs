#![doc = include_str!("../README.md")]
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

mod error;
mod follow;
mod migrate;
mod mirror;
mod repository;
mod rows;

pub use error::{Error, InvalidRow};
pub use follow::{FollowError, Follower, Listening, State};
pub use migrate::{migrate, migrate_mirror};
pub use mirror::fill_mirrors;
pub use repository::{PostgresRepository, append_in};

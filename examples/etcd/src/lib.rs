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
mod heads;
mod keys;
mod repository;
mod values;

pub use error::{Error, Part};
pub use heads::{Heads, Notice};
pub use repository::EtcdRepository;

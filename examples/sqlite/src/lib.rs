#![doc = include_str!("../README.md")]

mod error;
mod file;
mod repository;

pub use error::{RowProblem, SqliteError};
pub use file::create_tables;
pub use repository::{SqliteRepository, append_in};
/// The version that this package links, for your own tables in the same file.
pub use rusqlite;

//! Accounts of [`grantbook`] in one `SQLite` file.
//!
//! ```
//! use grantbook::command::CreateStore;
//! use grantbook::repository::{self, Request};
//! use grantbook::{AccountId, Actor, IdempotencyKey, GroupLimit, MemberId, StoreId, Timestamp};
//! use grantbook_sqlite::SqliteRepository;
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("access.db");
//! let kept = SqliteRepository::create(&path)?;
//! let (acme, olga) = (AccountId::parse("acme")?, MemberId::parse("olga")?);
//! let (now, limit) = (Timestamp::from_millis(1_700_000_000_000), GroupLimit::default());
//! let mut account = repository::open(&kept, IdempotencyKey::parse("2f9a")?, acme.clone(), olga, limit, now)?;
//! let request = Request::by(Actor::System, IdempotencyKey::parse("e41c")?, now)
//!     .command(CreateStore { store: StoreId::parse("dev")? });
//! repository::execute(&kept, &mut account, &request)?;
//!
//! let in_another_process = SqliteRepository::open(&path)?;
//! assert_eq!(repository::load(&in_another_process, &acme)?, Some(account));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod file;
mod repository;

pub use error::{RowProblem, SqliteError};
pub use file::create_tables;
pub use repository::{SqliteRepository, append_in};

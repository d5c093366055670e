//! Keeping accounts: the trait for the host's storage, and requests executed over it.
//!
//! ```
//! use grantbook::repository::{self, MemoryRepository, Request};
//! use grantbook::command::CreateStore;
//! use grantbook::{AccountId, Actor, IdempotencyKey, GroupLimit, MemberId, StoreId, Timestamp};
//!
//! let (kept, acme, olga) = (MemoryRepository::new(), AccountId::parse("acme")?, MemberId::parse("olga")?);
//! let (now, limit) = (Timestamp::from_millis(1_700_000_000_000), GroupLimit::default());
//!
//! let mut account = repository::open(&kept, IdempotencyKey::parse("2f9a")?, acme.clone(), olga.clone(), limit, now)?;
//! let request = Request {
//!     commit: IdempotencyKey::parse("e41c")?, // one for each request: a UUID, say
//!     actor: Actor::Member(olga),
//!     commands: vec![CreateStore { store: StoreId::parse("dev")? }.into()],
//!     now,
//!     note: None,
//! };
//! let records = repository::execute(&kept, &mut account, &request)?;
//! // Was the answer lost? Ask again: it is kept once, and answered as before.
//! assert_eq!(repository::execute(&kept, &mut account, &request)?, records);
//!
//! assert_eq!(repository::load(&kept, &acme)?, Some(account));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Several processes, several threads
//!
//! What a process holds is a [`Replica`], its own copy. [`execute`] brings it up to date whenever that matters for a
//! change; for checks, it is as new as the last [`execute`], [`catch_up`] or [offer](Replica::ingest). How long a
//! revocation made elsewhere may take to count here is the host's choice: catch up before a check that must not be late,
//! on a [notice](Replica::notify_version) from the storage, or every so often.
//!
//! Several threads share a copy as a [`Shared`]: checks do not wait for each other, nor for the storage, and a change
//! counts for every check that begins after [`Shared::execute`] has returned. A process with many accounts holds them in
//! a [`Realm`].
//!
//! # Storages that are waited for
//!
//! A host whose storage has an asynchronous client implements [`AsyncRepository`] and uses [`open_async`],
//! [`load_async`] and the methods of [`Shared`] whose names end so. It is the same contract and the same code.
//!
//! # Snapshots
//!
//! Loading replays all records after the stored snapshot, or all there are. A host that finds this slow asks for a
//! snapshot now and then ([`Repository::wants_snapshot`]) and keeps the latest. Keep the records too: they are the audit
//! trail, and an account as it was is replayed from them. A host that does give old records up answers [`RecordPage::Compacted`]
//! where they were, and copies begin again from the snapshot.
//!
//! After a storage was restored from a backup, load all accounts again in every process: a copy that is ahead notices it
//! only as long as it is.

mod adapters;
mod commit;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod contract;
mod error;
mod execute;
mod memory;
mod realm;
mod replica;
mod request;
mod shared;
mod steps;

pub use adapters::{AnyAsyncRepository, AnyError, AnyRepository, SyncAsAsync};
pub use commit::{Commit, CommitError};
pub use contract::{AsyncRepository, CommitOutcome, RecordPage, Repository};
pub use error::{ExecuteError, LoadError, OpenError};
pub use execute::{
    catch_up, catch_up_with, execute, execute_with, load, load_async, open, open_async,
};
pub use memory::MemoryRepository;
pub use realm::Realm;
pub use replica::{AsOf, Freshness, Ingested, Replica, StaleError};
pub use request::Request;
pub use shared::Shared;

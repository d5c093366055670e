//! Keeping accounts: the trait for your storage, and requests executed over it.
//!
//! A service holds its accounts in [`Accounts`], which loads them from a [`Repository`] that you implement over your
//! storage, and gives out handles to them. The example there is the whole of it.
//!
//! # Several processes, several threads
//!
//! What a process holds of an account is a copy, which all its handles share. Executing a request brings it up to date
//! whenever that matters for a change; for checks, it is as new as the last request, [refresh](SharedAccount::refresh) or
//! [record that was handed over](SharedAccount::ingest). How long a revocation made elsewhere may take to count here is
//! your choice: refresh before a check that must not be late, on a [notice](Accounts::notify_version) from the storage, or
//! every so often.
//!
//! A program that needs one account and no threads can do with [`load`], [`execute`] and a [`Replica`].
//!
//! # Asynchronous storage
//!
//! If your storage has an asynchronous client, implement [`AsyncRepository`] and build `Accounts` with
//! [`build_async`](AccountsBuilder::build_async). It is the same contract and the same code.
//!
//! # Restored backups
//!
//! Records are a chain, and a repository keeps the head of each account's chain. So a copy that holds what the repository
//! does not (a backup was restored, and perhaps went on otherwise) is found out when it next reads or commits. It commits
//! nothing, denies everything and says `diverged`, and [`Accounts::get`] loads the account again.
//!
//! # Snapshots
//!
//! Loading replays all records after the stored snapshot, or all there are. If this is slow for you, ask for a snapshot
//! now and then ([`Repository::wants_snapshot`]) and keep the latest. Keep the records too: they are the audit trail, and
//! an account as it was is replayed from them. If you do give old records up, answer [`RecordPage::Compacted`] where they
//! were, and copies begin again from the snapshot.
//!
//! # Closing and erasing
//!
//! An account that is not needed any more is closed by a command, after which its history can still be read, and may
//! then be [erased](Accounts::erase). Its id is never used again ([A5](crate::docs::rules#A5)), so choose ids that say
//! nothing about anybody.

mod accounts;
mod adapters;
mod as_of;
mod builder;
mod cell;
mod commit;
#[cfg(feature = "conformance")]
#[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
pub mod conformance;
mod contract;
mod error;
mod execute;
mod head;
mod held;
mod holder;
mod memory;
mod observer;
mod opening;
mod protocol;
mod replica;
mod request;
mod shared_account;
mod storage;
mod turns;

pub use accounts::Accounts;
pub use adapters::{
    AnyAsyncRepository, AnyError, AnyRepository, AsyncAsSync, Runtime, SyncAsAsync,
};
pub use as_of::{AsOf, StaleError};
pub use builder::AccountsBuilder;
pub use commit::{Commit, CommitError, Prepared};
pub use contract::{AsyncRepository, CommitOutcome, EraseOutcome, RecordPage, Repository};
pub use error::RepositoryError;
pub use execute::{catch_up, execute, load, open, records};
pub use head::{Head, HeadState};
pub use memory::MemoryRepository;
pub use observer::Notice;
pub use replica::{Freshness, Ingested, Replica};
pub use request::{Executed, Request, StoredRequest};
pub use shared_account::SharedAccount;
pub use storage::{AsyncStorage, SyncStorage};

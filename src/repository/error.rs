//! What can go wrong between an account and where it is kept.

use std::error::Error;

use crate::account::command_error::CommandError;
use crate::account::replay::ReplayError;
use crate::account::snapshot::SnapshotError;
use crate::id::{AccountId, IdempotencyKey};

/// Why an account could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E: Error + 'static> {
    /// The repository keeps such an account already, opened by another request.
    #[error("there is an account `{account}` already; load it")]
    Exists {
        /// Its id.
        account: AccountId,
    },
    /// The storage failed, or gave what is not this account. Whether it was opened: try again with the same commit id.
    #[error(transparent)]
    Load(#[from] LoadError<E>),
}

/// Why an account could not be loaded, or brought up to date.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError<E: Error + 'static> {
    /// The storage failed.
    #[error("the repository failed: {0}")]
    Repository(#[source] E),
    /// What is kept as a snapshot is not an account.
    #[error("the stored snapshot is not an account: {0}")]
    Snapshot(SnapshotError),
    /// What is kept as records is not the account's history.
    #[error("the stored records are not this account's history: {0}")]
    Replay(ReplayError),
    /// The repository says that there is more, and gives neither a record after this version nor a later snapshot; or
    /// the history that it would take to answer a request once more has been given up.
    #[error("the repository gives no record after version {version}, though there is one")]
    Missing {
        /// The last version that could be read.
        version: u64,
    },
    /// The repository keeps less than this copy holds. It may have been restored from a backup, or be a reader that
    /// lags behind.
    #[error(
        "this copy is at version {version}, and the repository at {kept}; load the account again"
    )]
    Diverged {
        /// The copy's version.
        version: u64,
        /// The last version that is kept.
        kept: u64,
    },
}

/// Why a request could not be executed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<E: Error + 'static> {
    /// The commands were refused.
    #[error(transparent)]
    Refused(CommandError),
    /// Another request of this commit id was kept before, and so this one was not.
    #[error("commit id `{commit}` is that of another request; give each request its own")]
    IdempotencyKeyReused {
        /// The id.
        commit: IdempotencyKey,
    },
    /// Others kept changing the account in between; nothing was kept.
    #[error("the account changed {attempts} times while the command was being decided; try again")]
    Contended {
        /// How often it was decided.
        attempts: usize,
    },
    /// The account could not be brought up to date, or the commit failed. After a failed commit it is unknown whether
    /// it was kept: try the same request again, with the same commit id.
    #[error(transparent)]
    Load(#[from] LoadError<E>),
}

impl<E: Error + 'static> OpenError<E> {
    /// A stable code: `account-exists`, or that of the [`LoadError`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            OpenError::Exists { .. } => "account-exists",
            OpenError::Load(error) => error.code(),
        }
    }
}

impl<E: Error + 'static> LoadError<E> {
    /// A stable code: `repository-failed`, `records-missing`, `diverged`, or that of the [`SnapshotError`] or the
    /// [`ReplayError`].
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::Repository(_) => "repository-failed",
            LoadError::Snapshot(error) => error.code(),
            LoadError::Replay(error) => error.code(),
            LoadError::Missing { .. } => "records-missing",
            LoadError::Diverged { .. } => "diverged",
        }
    }
}

impl<E: Error + 'static> ExecuteError<E> {
    /// A stable code: that of the [`CommandError`] or the [`LoadError`], `idempotency-key-reused` or `contended`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            ExecuteError::Refused(refusal) => refusal.code(),
            ExecuteError::IdempotencyKeyReused { .. } => "idempotency-key-reused",
            ExecuteError::Contended { .. } => "contended",
            ExecuteError::Load(error) => error.code(),
        }
    }
}

//! What can go wrong between an account and where it is kept.

use std::error::Error;

use serde::{Serialize, Serializer};

use crate::account::command_error::CommandError;
use crate::account::replay::ReplayError;
use crate::account::snapshot::SnapshotError;
use crate::errors::coded_errors;
use crate::id::{AccountId, IdempotencyKey};
use crate::repository::head::HeadState;

coded_errors! {
    /// Why an account could not be opened, loaded, changed or erased.
    ///
    /// ```
    /// use grantbook::repository::{Accounts, MemoryRepository, RepositoryError};
    /// # use grantbook::AccountId;
    /// let accounts = Accounts::builder(MemoryRepository::new()).build();
    /// let error = accounts.get(&AccountId::parse("acme")?).unwrap_err();
    /// assert!(matches!(error, RepositoryError::UnknownAccount { .. }));
    /// assert_eq!((error.code(), error.http_status()), ("unknown-account", 404));
    /// # Ok::<(), grantbook::ParseError>(())
    /// ```
    #[derive(Debug)]
    #[non_exhaustive]
    pub enum RepositoryError with http_status {
        /// The commands were refused; nothing was kept.
        #[error(error.code(), "{error}")]
        Refused(error: CommandError),
        /// Another request has this key; nothing was kept.
        #[error("idempotency-key-reused", "idempotency key {key} is that of another request; give each request its own")]
        IdempotencyKeyReused {
            /// The key.
            key: IdempotencyKey,
        },
        /// Others kept changing the account in between; nothing was kept.
        #[error("contended", "the account changed {attempts} times while the request was being decided; try again")]
        Contended {
            /// How often it was decided.
            attempts: usize,
        },
        /// The repository keeps no account of this id.
        #[error("unknown-account", "there is no account {account}")]
        UnknownAccount {
            /// The id.
            account: AccountId,
        },
        /// The repository keeps such an account already, opened by another request.
        #[error("account-exists", "there is an account {account} already; load it, or take another id")]
        AccountExists {
            /// Its id.
            account: AccountId,
        },
        /// The account was erased, and its id is not used again ([A5](crate::docs::rules#A5)).
        #[error("account-erased", "account {account} was erased; its id cannot be used again")]
        AccountErased {
            /// Its id.
            account: AccountId,
        },
        /// An account is erased only after it was closed ([A5](crate::docs::rules#A5)).
        #[error("account-not-closed", "account {account} is not closed; close it before it is erased")]
        NotClosed {
            /// Its id.
            account: AccountId,
        },
        /// The repository has no way to erase an account.
        #[error("erase-unsupported", "this repository cannot erase accounts")]
        EraseUnsupported,
        /// What this copy holds is not what the repository keeps: a backup was restored, or somebody changed the
        /// storage ([U2](crate::docs::rules#U2)). The copy denies everything; load the account again.
        #[error("diverged", "this copy of account {account} (version {version}) is not what the repository holds; load the account again")]
        Diverged {
            /// The account.
            account: AccountId,
            /// The copy's version.
            version: u64,
        },
        /// The storage failed. After a commit it is unknown whether it was kept: try the same request again, with the same
        /// key.
        #[error("repository-failed", "the repository failed: {error}")]
        Storage(error: Box<dyn Error + Send + Sync>),
        /// What is kept as a snapshot is not an account.
        #[error(error.code(), "the stored snapshot is not an account: {error}")]
        Snapshot(error: SnapshotError),
        /// What is kept as records is not the account's history.
        #[error(error.code(), "the stored records are not this account's history: {error}")]
        Replay(error: ReplayError),
        /// The repository says that the account is closed and keeps no record that closes it, or the other way round.
        #[error("other-head-state", "the repository says that the account is {kept} after record {version}, and its records say otherwise")]
        OtherState {
            /// The version of the last record.
            version: u64,
            /// What the repository says.
            kept: HeadState,
        },
        /// The repository says that there is more, and gives neither a record after this version nor a later snapshot.
        #[error("records-missing", "the repository gives no record after version {version}, though there is one")]
        RecordsMissing {
            /// The last version that could be read.
            version: u64,
        },
    }
}

impl Error for RepositoryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Storage(error) => Some(error.as_ref()),
            Self::Snapshot(error) => Some(error),
            Self::Replay(error) => Some(error),
            Self::Refused(_) // which it is itself
            | Self::IdempotencyKeyReused { .. }
            | Self::Contended { .. }
            | Self::UnknownAccount { .. }
            | Self::AccountExists { .. }
            | Self::AccountErased { .. }
            | Self::NotClosed { .. }
            | Self::EraseUnsupported
            | Self::Diverged { .. }
            | Self::OtherState { .. }
            | Self::RecordsMissing { .. } => None,
        }
    }
}

impl From<CommandError> for RepositoryError {
    fn from(error: CommandError) -> Self {
        Self::Refused(error)
    }
}

/// As one object; a refusal as the command's own error.
impl Serialize for RepositoryError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if let Self::Refused(error) = self {
            error.serialize(serializer)
        } else {
            self.serialize_as_object(serializer)
        }
    }
}

impl RepositoryError {
    /// Returns the status with which an HTTP service answers: 403, 404, 409, 410, 412 or 422 for the caller's part, 501 for
    /// what the repository has no way to do, 503 for
    /// what may pass if the same request is tried again, and 500 for a storage that somebody has to look at.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::Refused(error) => error.http_status(),
            Self::UnknownAccount { .. } => 404,
            Self::AccountExists { .. } | Self::NotClosed { .. } => 409,
            Self::AccountErased { .. } => 410,
            Self::IdempotencyKeyReused { .. } => 422,
            Self::EraseUnsupported => 501,
            Self::Contended { .. } | Self::Diverged { .. } | Self::Storage(_) => 503,
            Self::Snapshot(_)
            | Self::Replay(_)
            | Self::OtherState { .. }
            | Self::RecordsMissing { .. } => 500,
        }
    }
}

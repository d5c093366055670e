//! What your application is told of the accounts that it holds.

use serde::Serialize;

use crate::account::actor::Actor;
use crate::account::record::Record;
use crate::id::AccountId;
use crate::questions::delta::AccessDelta;

/// What an observer is called with.
pub(super) type Observer = Box<dyn Fn(&Notice) + Send + Sync>;

/// What an observer is told (see [`AccountsBuilder::observe`](super::AccountsBuilder::observe)).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Notice {
    /// The copy of an account begins at this version: it was loaded, loaded again, or went on from a later snapshot. What
    /// happened before is not told. If you handed something out that access was checked for (a token, a session), check
    /// it again.
    Began {
        /// The account.
        account: AccountId,
        /// The version that the copy begins at.
        version: u64,
    },
    /// A commit was applied to the copy: a request of this process, the opening of the account by it, or a request of
    /// another process that was caught up with.
    Committed {
        /// The account.
        account: AccountId,
        /// The records of the commit; at least one.
        records: Vec<Record>,
        /// Who gained and lost what by it, if the observer [asked for it](super::AccountsBuilder::with_deltas).
        delta: Option<AccessDelta>,
    },
    /// A request of this process was refused. Nothing has changed.
    Refused {
        /// The account.
        account: AccountId,
        /// Who asked.
        actor: Actor,
        /// What for: the kinds of the commands.
        commands: Vec<&'static str>,
        /// The code of the error.
        code: &'static str,
    },
}

//! A copy that is being changed, as the protocol sees it.

use crate::account::Account;
use crate::account::record::Record;
use crate::account::replay::ReplayError;
use crate::repository::commit::Commit;
use crate::repository::replica::Replica;

/// A copy that is being changed: one's own, or one that threads share. It is never held while the storage is waited
/// for; records that are handed over may bring it further in between.
pub(super) trait ReplicaCell {
    fn read<T>(&self, look: impl FnOnce(&Replica) -> T) -> T;

    /// Looks at the copy for longer.
    fn study<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        self.read(look)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Replica) -> T) -> T;

    /// Applies a commit that the repository keeps. `false`: it was applied already.
    fn apply(&mut self, records: &[Record]) -> Result<bool, ReplayError> {
        self.change(|replica| replica.apply_commit(records))
    }

    /// Takes a commit that the repository keeps now: applies it if the copy stands where it was decided. Returns whether
    /// the copy stands where it ends; if not, the repository is to be asked.
    fn adopt(&mut self, commit: &Commit) -> bool {
        self.change(|replica| {
            if replica.is_expected_by(commit) {
                replica.accept_commit(commit.records());
            }
            replica.confirm(commit.head())
        })
    }

    /// Goes on from a later snapshot. `false`: the copy has come as far in another way.
    fn go_on_from(&mut self, account: Account) -> bool {
        self.change(|replica| {
            let is_later = account.version() > replica.version();
            if is_later {
                drop(replica.restart(account));
            }
            is_later
        })
    }
}

impl ReplicaCell for Replica {
    fn read<T>(&self, look: impl FnOnce(&Replica) -> T) -> T {
        look(self)
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut Replica) -> T) -> T {
        change(self)
    }
}

//! The attack book: the ways in which systems of this kind have been broken, each tried here from beginning to end.
//!
//! Each test is named after the rule that stops the attack (`docs/rules.md`) and what the rule guarantees. Its comment
//! says what the attacker does, which other rules are involved, and where the class is publicly known from.

mod answers;
mod concurrency;
mod escalation;
mod group_edits;
mod hashing;
mod identity;
mod invitations;
mod names;
mod ownership;
mod records;
mod reuse;
mod scopes;
mod settings;
mod size;
mod snapshots;
mod spelling;
mod suspension;

use grantbook::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::hostile::{no_digest, sealed};
use crate::support::*;

impl World {
    /// The commands are accepted as one batch.
    #[track_caller]
    fn all_ok(&mut self, actor: impl Into<Who>, commands: &[Command]) {
        let (actor, now) = (actor.into().0, at(self.now));
        let records = self.account.execute_batch(&actor, commands, now);
        self.records.extend(records.unwrap());
        assert!(self.account.index_is_exact());
    }

    /// The commands are refused as one batch, with this code, and nothing changes.
    #[track_caller]
    fn assert_batch_refused(&mut self, actor: impl Into<Who>, commands: &[Command], code: &str) {
        let (before, actor) = (self.account.clone(), actor.into().0);
        let refusal = self
            .account
            .execute_batch(&actor, commands, at(self.now))
            .unwrap_err();
        assert_eq!(refusal.code(), code, "{refusal}: {commands:?}");
        assert_eq!(self.account, before, "a refused batch changes nothing");
    }

    /// The record that would come next, if this actor could have caused this event.
    fn forged(&self, actor: Value, event: Value) -> Record {
        let record = serde_json::json!({
            "record": 1,
            "commit": {"number": 1, "of": 1},
            "note": null,
            "digest": no_digest(),
            "account": self.account.id(),
            "version": self.account.version() + 1,
            "at": self.account.changed_at(),
            "actor": actor,
            "event": whole_event(event),
        });
        sealed(
            &serde_json::from_value(record).unwrap(),
            self.account.digest(),
        )
    }

    /// The host replays a forged record, whose forger knows how digests are made: it is not applied, with this code, and
    /// nothing changes.
    #[track_caller]
    fn assert_not_applied(&mut self, record: &Record, code: &str) {
        let before = self.account.clone();
        let record = sealed(record, self.account.digest());
        let error = self.account.apply(&record).unwrap_err();
        let found = match &error {
            ReplayError::DoesNotFit { reason, .. } => reason.code(),
            other => other.code(),
        };
        assert_eq!(found, code, "{error}");
        assert_eq!(
            self.account, before,
            "a record that is not applied changes nothing"
        );
    }

    /// The same account from its records, and from its snapshot by way of JSON.
    fn read_back(&self) -> [Account; 2] {
        let snapshot = rewritten(&self.account.snapshot(), |_| ()).unwrap();
        let both = [
            Account::replay(&self.records).unwrap(),
            snapshot.try_into().unwrap(),
        ];
        for account in &both {
            assert_eq!(*account, self.account);
        }
        both
    }
}

/// Something that is stored, changed as JSON and read back.
fn rewritten<T: Serialize + DeserializeOwned>(
    stored: &T,
    change: impl FnOnce(&mut Value),
) -> Result<T, String> {
    let mut json = serde_json::to_value(stored).unwrap();
    change(&mut json);
    serde_json::from_str(&json.to_string()).map_err(|error| error.to_string())
}

/// Whether a member can read in a store.
fn reads(account: &Account, member: &str, store: &str) -> bool {
    account.can(member, &Permission::STORE_READ, Resource::Store(store))
}

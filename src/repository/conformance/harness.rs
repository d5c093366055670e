//! What the cases are written with: an account as it should be kept, and a connection that is asked.

use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::changes::CreateStore;
use crate::account::context::Context;
use crate::account::limits::GroupLimit;
use crate::account::record::Record;
use crate::account::snapshot::Snapshot;
use crate::id::{AccountId, IdempotencyKey, MemberId, StoreId};
use crate::repository::commit::Commit;
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::contract::{CommitOutcome, RecordPage, Repository};
use crate::repository::head::Head;
use crate::repository::request::{Request, StoredRequest};
use crate::time::Timestamp;
use crate::visible::Quoted;

/// When the accounts of the suite are opened, and what follows happens too.
pub(super) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub(super) fn account_id(text: &str) -> Result<AccountId, Failure> {
    AccountId::parse(text).map_err(Failure::of_suite)
}

pub(super) fn commit_id(text: &str) -> Result<IdempotencyKey, Failure> {
    IdempotencyKey::parse(text).map_err(Failure::of_suite)
}

pub(super) fn member_id(text: &str) -> Result<MemberId, Failure> {
    MemberId::parse(text).map_err(Failure::of_suite)
}

/// A command that creates a store.
pub(super) fn store(text: &str) -> Result<Command, Failure> {
    let store = StoreId::parse(text).map_err(Failure::of_suite)?;
    Ok(Command::CreateStore(CreateStore { store }))
}

/// That many commands, of which each leads to a record.
pub(super) fn stores(name: &str, count: usize) -> Result<Vec<Command>, Failure> {
    (0..count)
        .map(|number| store(&format!("{name}-{number}")))
        .collect()
}

/// An account and its records, as a repository should keep them.
#[derive(Clone)]
pub(super) struct History {
    account: Account,
    records: Vec<Record>,
}

impl History {
    /// An account of this id, and the commit that opens it, whose id is `open`.
    pub(super) fn open(account: &str) -> Result<(Self, Commit), Failure> {
        Self::open_by(account, "open", "olga")
    }

    pub(super) fn open_by(
        account: &str,
        commit: &str,
        owner: &str,
    ) -> Result<(Self, Commit), Failure> {
        let key = commit_id(commit)?;
        let (opening, account) = Commit::opening(
            key,
            account_id(account)?,
            member_id(owner)?,
            GroupLimit::default(),
            NOW,
        );
        let records = opening.records().to_vec();
        Ok((Self { account, records }, opening))
    }

    pub(super) fn id(&self) -> &AccountId {
        self.account.id()
    }

    pub(super) fn version(&self) -> u64 {
        self.account.version()
    }

    pub(super) fn head(&self) -> Head {
        Head::of(&self.account)
    }

    pub(super) fn account(&self) -> &Account {
        &self.account
    }

    /// The records after this version.
    pub(super) fn after(&self, version: u64) -> &[Record] {
        let version = usize::try_from(version).unwrap_or(usize::MAX);
        self.records.get(version..).unwrap_or_default()
    }

    /// What these commands of the host would lead to now. The account does not change.
    pub(super) fn propose(&self, commit: &str, commands: &[Command]) -> Result<Commit, Failure> {
        self.propose_by(&Actor::System, commit, commands, NOW)
    }

    pub(super) fn propose_by(
        &self,
        actor: &Actor,
        commit: &str,
        commands: &[Command],
        context: impl Into<Context>,
    ) -> Result<Commit, Failure> {
        let Context { now, note } = context.into();
        let request = Request {
            note,
            ..Request::by(actor.clone(), commit_id(commit)?, now).commands(commands.to_vec())
        };
        Commit::decide(&self.account, &request).map_err(Failure::of_suite)
    }

    /// A request that changed nothing, as it is copied from another repository: on this head, whatever its state is.
    pub(super) fn nothing_on(&self, commit: &str, head: Head) -> Result<Commit, Failure> {
        let request = StoredRequest {
            key: commit_id(commit)?,
            actor: Actor::System,
            digest: head.digest,
            before: head.version,
            version: head.version,
        };
        Commit::copied(self.id().clone(), request, Some(head), Vec::new())
            .map_err(Failure::of_suite)
    }

    /// What was proposed is so from now on.
    pub(super) fn accept(&mut self, commit: &Commit) -> Result<(), Failure> {
        for record in commit.records() {
            self.account.apply(record).map_err(Failure::of_suite)?;
            self.records.push(record.clone());
        }
        Ok(())
    }

    /// Adds a snapshot of the account to a commit that is the next one.
    pub(super) fn with_snapshot(&self, commit: Commit) -> Result<Commit, Failure> {
        let mut after = self.clone();
        after.accept(&commit)?;
        commit
            .with_snapshot(after.account.snapshot())
            .map_err(Failure::of_suite)
    }
}

/// One connection to the storage. What it is asked is checked: an answer that is wrong is a [`Failure`].
pub(super) struct Connection<R>(pub(super) R);

impl<R: Repository> Connection<R> {
    pub(super) fn to<F: Fixture<Repository = R>>(fixture: &F) -> Self {
        Self(fixture.connect())
    }

    /// Commits, and expects this answer.
    pub(super) fn answers(
        &self,
        expected: CommitOutcome,
        commit: &Commit,
        likely: &str,
    ) -> Result<(), Failure> {
        let asked = asked_to_keep(commit);
        let found = self.0.commit(commit).map_err(|error| {
            let likely = match expected {
                CommitOutcome::Appended => likely,
                CommitOutcome::Duplicate => {
                    "a key that is there already (a violated constraint, say) is given as an error; it is a `Duplicate`"
                }
                CommitOutcome::Conflict => {
                    "a version that is there already (a violated primary key, a lost race, a busy database) is given \
                     as an error; it is Conflict"
                }
            };
            Failure::of_storage(&asked, &error, likely)
        })?;
        Failure::unless_equal(asked, &expected, &found, likely)
    }

    /// Commits what is to be kept.
    pub(super) fn keeps(&self, commit: &Commit) -> Result<(), Failure> {
        let likely = "a commit with a new id on the last version kept is taken for a conflict or a repetition, or \
                      cannot be stored; or records of the commit before it are lost";
        self.answers(CommitOutcome::Appended, commit, likely)
    }

    pub(super) fn conflicts(&self, commit: &Commit, likely: &str) -> Result<(), Failure> {
        self.answers(CommitOutcome::Conflict, commit, likely)
    }

    pub(super) fn repeats(&self, commit: &Commit, likely: &str) -> Result<(), Failure> {
        self.answers(CommitOutcome::Duplicate, commit, likely)
    }

    /// Opens an account.
    pub(super) fn opens(&self, account: &str) -> Result<History, Failure> {
        let (history, opening) = History::open(account)?;
        self.keeps(&opening)?;
        Ok(history)
    }

    /// Decides these commands of the host on the account, and keeps what they lead to.
    pub(super) fn adds(
        &self,
        history: &mut History,
        commit: &str,
        commands: &[Command],
    ) -> Result<Commit, Failure> {
        let commit = history.propose(commit, commands)?;
        self.keeps(&commit)?;
        history.accept(&commit)?;
        Ok(commit)
    }

    /// What [`Repository::records_after`] answers.
    pub(super) fn tail(&self, account: &AccountId, version: u64) -> Result<RecordPage, Failure> {
        self.0.records_after(account, version).map_err(|error| {
            let likely = "what is kept cannot be read back, or not by this version";
            Failure::of_storage(asked_for_tail(account, version), &error, likely)
        })
    }

    /// The next page of an account without a snapshot, whose records cannot be gone.
    pub(super) fn page(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<(Vec<Record>, Option<Head>), Failure> {
        match self.tail(account, version)? {
            RecordPage::Records { records, head } => Ok((records, head)),
            RecordPage::Compacted => Err(gone(account, version)),
        }
    }

    /// Reads page after page until an empty one, and expects the account's records, all of them and no others. Where
    /// they are gone, a later snapshot is expected in their place. What is said to be the last version is not relied on.
    pub(super) fn holds(&self, history: &History, likely: &str) -> Result<(), Failure> {
        let id = history.id();
        let mut version = 0;
        loop {
            let records = match self.tail(id, version)? {
                RecordPage::Records { records, .. } => records,
                RecordPage::Compacted => {
                    let snapshot = self.snapshot(id)?;
                    let later = snapshot.filter(|snapshot| snapshot.version() > version);
                    version = later.ok_or_else(|| gone(id, version))?.version();
                    continue;
                }
            };
            let expected = history.after(version);
            let expected_here = match expected.get(..records.len()) {
                Some(first) if !first.is_empty() => first,
                _ => expected,
            };
            Failure::unless_same_records(
                asked_for_tail(id, version),
                expected_here,
                &records,
                likely,
            )?;
            match records.last() {
                Some(last) => version = last.version(),
                None => return Ok(()),
            }
        }
    }

    /// Expects the account to have this head.
    pub(super) fn stands(&self, history: &History, expected: Head) -> Result<(), Failure> {
        let (_, head) = self.page(history.id(), history.version())?;
        let asked = format!("the head of account {}", Quoted(history.id()));
        let likely =
            "the head is not the one of the last commit: its version, its digest, or its state";
        Failure::unless_equal(asked, &Some(expected), &head, likely)
    }

    /// Expects this to be remembered under a key.
    pub(super) fn remembers(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
        expected: Option<&StoredRequest>,
        likely: &str,
    ) -> Result<(), Failure> {
        let asked = format!(
            "request, for account {} and key {}",
            Quoted(account),
            Quoted(key)
        );
        let found = self.0.request(account, key);
        let found = found.map_err(|error| Failure::of_storage(&asked, &error, likely))?;
        Failure::unless_equal(asked, &expected, &found.as_ref(), likely)
    }

    pub(super) fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Failure> {
        self.0.snapshot(account).map_err(|error| {
            let likely = "what is kept as a snapshot cannot be read back";
            Failure::of_storage(asked_for_snapshot(account), &error, likely)
        })
    }
}

/// A commit, in words.
fn asked_to_keep(commit: &Commit) -> String {
    format!(
        "commit, of account {} from version {} to {}, with the key {}",
        Quoted(commit.account()),
        commit.request().before,
        commit.request().version,
        Quoted(commit.key()),
    )
}

pub(super) fn asked_for_tail(account: &AccountId, version: u64) -> String {
    format!(
        "records_after, for account {} and version {version}",
        Quoted(account)
    )
}

pub(super) fn asked_for_snapshot(account: &AccountId) -> String {
    format!("snapshot, for account {}", Quoted(account))
}

fn gone(account: &AccountId, version: u64) -> Failure {
    let likely = "records are given up without a snapshot of a version after them, so the account cannot be loaded";
    Failure::new(
        asked_for_tail(account, version),
        "records, as no later snapshot is kept",
        "Gone",
        likely,
    )
}

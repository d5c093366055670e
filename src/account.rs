//! The account: one tenant's access, in memory.

use std::borrow::Borrow;
use std::fmt;

use crate::access::{AccessLevel, Decision, DenialReason, Resource};
use crate::account::actor::Actor;
use crate::account::changes::{AccountOpened, Command, Event};
use crate::account::check::Check;
use crate::account::command_error::CommandError;
use crate::account::commit_place::CommitPlace;
use crate::account::context::Context;
use crate::account::data::draft::Draft;
use crate::account::data::state::State;
use crate::account::data::{AccountData, Condition};
use crate::account::digest::Digest;
use crate::account::handles::{Group, Member, Store};
use crate::account::limits::GroupLimit;
use crate::account::record::{PlannedChange, Record};
use crate::account::replay::ReplayError;
use crate::account::snapshot::{Snapshot, SnapshotError};
use crate::id::{AccountId, IdempotencyKey, MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::role::Role;
use crate::time::Timestamp;

pub(crate) mod actor;
pub(crate) mod authority;
pub(crate) mod changes;
pub(crate) mod check;
pub(crate) mod command_error;
pub(crate) mod commit_place;
pub(crate) mod context;
pub(crate) mod data;
pub(crate) mod decide;
pub(crate) mod digest;
mod event_text;
mod guardrails;
pub(crate) mod handles;
pub(crate) mod limits;
pub(crate) mod precondition;
pub(crate) mod record;
pub(crate) mod replay;
pub(crate) mod snapshot;
pub(crate) mod status;

/// One tenant's members, groups, roles and stores, and who may do what.
///
/// It changes in two ways only: by a command that it accepts ([`execute`](Account::execute)), and by a stored record
/// that comes next ([`apply`](Account::apply)). Both go through the same code, so that replaying an account's records
/// gives that account ([U2](crate::docs::rules#U2)). At every moment:
///
/// - there is at least one active Account Owner ([A2](crate::docs::rules#A2));
/// - there are no more groups than its limit ([A3](crate::docs::rules#A3)), their names all different whatever the case
///   of letters ([G3](crate::docs::rules#G3)), each with at least one grant ([G4](crate::docs::rules#G4)) to roles and
///   stores that exist ([G5](crate::docs::rules#G5));
/// - a check says what the groups' grants say: nothing is cached, so nothing is stale ([G9](crate::docs::rules#G9)).
///
/// Every list that it gives is in the order of ids, byte by byte ([U6](crate::docs::rules#U6)). Two accounts are equal
/// when their [snapshots](Account::snapshot) are.
#[derive(Clone)]
pub struct Account {
    pub(crate) state: State,
}

/// How an account is created, loaded and stored.
impl Account {
    /// Opens an account with one active owner ([A1](crate::docs::rules#A1)). Also returns record 1, which you must
    /// persist.
    ///
    /// The group limit is 20 by default; your application can change it later ([A3](crate::docs::rules#A3)). An opening
    /// cannot be refused, so a time after [`Timestamp::MAX`] counts as that ([U2](crate::docs::rules#U2)).
    #[must_use]
    pub fn open(
        id: AccountId,
        owner: MemberId,
        group_limit: GroupLimit,
        now: Timestamp,
    ) -> (Self, Record) {
        Self::open_under(None, id, owner, group_limit, now)
    }

    /// An account before its first record.
    pub(crate) fn unopened(id: AccountId) -> Self {
        let state = State::unopened(id);
        Self { state }
    }

    /// Opens an account by a request with this key.
    pub(crate) fn open_under(
        key: Option<IdempotencyKey>,
        id: AccountId,
        owner: MemberId,
        group_limit: GroupLimit,
        now: Timestamp,
    ) -> (Self, Record) {
        let opened = AccountOpened {
            owner,
            group_limit,
            key,
        };
        let mut record = Record {
            account: id.clone(),
            version: 1,
            at: now.min(Timestamp::MAX),
            commit: CommitPlace::SINGLE,
            actor: Actor::System,
            note: None,
            event: Event::AccountOpened(opened),
            digest: Digest::ZERO,
        };
        record.digest = record.digest_after(Digest::ZERO);
        let mut state = State::unopened(id);
        replay::apply(&mut state, &record);
        (Self { state }, record)
    }

    /// Returns the account that these records lead to, from its first record on ([U2](crate::docs::rules#U2)). With
    /// fewer records, it is the account as it was then.
    ///
    /// # Errors
    /// No records; a first record that does not open an account; and whatever [`apply`](Account::apply) refuses.
    pub fn replay<R: Borrow<Record>>(
        records: impl IntoIterator<Item = R>,
    ) -> Result<Self, ReplayError> {
        let mut records = records.into_iter();
        let first = records.next().ok_or(ReplayError::NoRecords)?;
        let mut account = Self {
            state: State::unopened(first.borrow().account.clone()),
        };
        account.apply(first.borrow())?;
        // Nothing below lists the members: they can be put in order together.
        account.state.begin_bulk_load();
        records.try_for_each(|record| account.apply(record.borrow()))?;
        account.state.finish_bulk_load();
        Ok(account)
    }

    /// Applies the next stored record ([U5](crate::docs::rules#U5)). Whether its actor was allowed to cause it was
    /// decided when it was made, and is not asked again.
    ///
    /// # Errors
    /// A record of another account, a version that is not the next one, a digest that does not follow from the last
    /// record's, a time before the last record's, an event that does not fit. The account is then as before.
    pub fn apply(&mut self, record: &Record) -> Result<(), ReplayError> {
        replay::apply_checked(&mut self.state, record)
    }

    /// Returns the account as plain data, to be stored. Takes time in proportion to the account.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        snapshot::snapshot_of(&self.state)
    }
}

/// Reads a snapshot back. It is not trusted: whatever breaks a rule is refused.
impl TryFrom<Snapshot> for Account {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot) -> Result<Self, Self::Error> {
        Ok(Self {
            state: snapshot::restore(snapshot)?,
        })
    }
}

/// One line, without what the account holds: its [snapshot](Account::snapshot) has that.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.state.header();
        f.debug_struct("Account")
            .field("id", &header.id)
            .field("version", &header.version)
            .field("condition", &header.condition)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.snapshot() == other.snapshot()
    }
}

impl Eq for Account {}

/// Questions. They take text as a request brings it; what is unknown is denied ([P4](crate::docs::rules#P4)).
impl Account {
    /// Returns whether this member may do this here. Takes constant time: two hash lookups and a bitwise AND. Allocates
    /// nothing.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// assert!(account.can("olga", &Permission::MANAGE_STORES, Resource::Account));
    /// assert!(!account.can("olga", &Permission::STORE_READ, Resource::Store("no-such-store")));
    /// # Ok::<(), ParseError>(())
    /// ```
    ///
    /// An owner may do everything, so a misspelled permission shows only with others. Parse your application's own
    /// permissions once, in a `static` [`LazyLock`](std::sync::LazyLock), and test with somebody who is no owner.
    #[must_use]
    #[inline]
    pub fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        self.state.can(member, permission, resource)
    }

    /// Returns whether this member may do this here and, if not, why ([P4](crate::docs::rules#P4)).
    pub fn check(
        &self,
        member: &str,
        permission: &Permission,
        resource: Resource<&str>,
    ) -> Decision {
        match self.state.check(member, permission, resource) {
            Ok(true) => Decision::Allowed,
            Ok(false) => Decision::Denied(DenialReason::MissingPermission {
                permission: permission.clone(),
            }),
            Err(reason) => Decision::Denied(reason),
        }
    }

    /// Returns how much this member may do in this store, in one word ([P5](crate::docs::rules#P5));
    /// [`AccessLevel::None`] where either is unknown.
    #[must_use]
    pub fn access_level(&self, member: &str, store: &str) -> AccessLevel {
        let there = self.state.look_up(member, Resource::Store(store));
        there.map_or(AccessLevel::None, |(member, store)| {
            self.state.level(member, store)
        })
    }
}

/// Commands.
impl Account {
    /// Returns what this command would lead to, without executing it. Pure: the same arguments give the same answer.
    ///
    /// `Ok(None)`: nothing would change ([U1](crate::docs::rules#U1)). The record's time is that of the context, or
    /// that of the last record if your clock ran backwards ([U2](crate::docs::rules#U2)). To pass the time alone, pass
    /// a [`Timestamp`].
    ///
    /// # Errors
    /// See [`CommandError`]; `docs/rules.md` says which rule gives which.
    pub fn decide(
        &self,
        actor: &Actor,
        command: &Command,
        context: impl Into<Context>,
    ) -> Result<Option<Record>, CommandError> {
        self.decide_in(actor, command, &context.into())
    }

    /// Returns what these commands would lead to, without executing them: each is decided on what those before it
    /// leave, as if it came alone.
    ///
    /// # Errors
    /// [`CommandError::BatchTooLarge`] beyond 1,000 commands ([U7](crate::docs::rules#U7)); [`CommandError::InBatch`]
    /// with the first command that is refused, and then none is accepted ([U4](crate::docs::rules#U4)). In a batch of
    /// one, the command's own error.
    pub fn decide_batch(
        &self,
        actor: &Actor,
        commands: &[Command],
        context: impl Into<Context>,
    ) -> Result<Vec<Record>, CommandError> {
        self.decide_batch_in(actor, commands, &context.into())
    }

    /// Executes the command and returns the record, which you must persist; `None` if nothing changed
    /// ([U1](crate::docs::rules#U1)).
    ///
    /// The account can't be rebuilt without its records. If you keep accounts in a
    /// [`repository`](crate::repository), use [`repository::execute`](crate::repository::execute) instead, which
    /// stores first and changes after.
    ///
    /// # Errors
    /// As [`decide`](Account::decide). The account is then as before.
    pub fn execute(
        &mut self,
        actor: &Actor,
        command: &Command,
        context: impl Into<Context>,
    ) -> Result<Option<Record>, CommandError> {
        self.execute_in(actor, command, &context.into())
    }

    /// Executes all of these commands, or none ([U4](crate::docs::rules#U4)). Returns the records, one for each command
    /// that changed something.
    ///
    /// # Errors
    /// As [`decide_batch`](Account::decide_batch). The account is then as before.
    pub fn execute_batch(
        &mut self,
        actor: &Actor,
        commands: &[Command],
        context: impl Into<Context>,
    ) -> Result<Vec<Record>, CommandError> {
        self.execute_batch_in(actor, commands, &context.into())
    }

    /// Whether the records of one commit fit, one after another.
    pub(crate) fn validate_commit(&self, records: &[Record]) -> Result<(), ReplayError> {
        if let [record] = records {
            return replay::validate(&self.state, record);
        }
        let mut draft = Draft::over(&self.state);
        let mut records = records.iter();
        records.try_for_each(|record| replay::apply_checked(&mut draft, record))
    }

    /// Applies what was just decided or validated on this very account.
    pub(crate) fn accept<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>) {
        for record in records {
            replay::apply(&mut self.state, record);
        }
    }
}

/// The same without type parameters: so the decision is compiled once, in this crate, and not in each that calls it.
impl Account {
    fn decide_in(
        &self,
        actor: &Actor,
        command: &Command,
        context: &Context,
    ) -> Result<Option<Record>, CommandError> {
        let change = decide::decide(&self.state, actor, command, context.now)?;
        Ok(self.chain(actor, context, change.into_iter()).next())
    }

    fn decide_batch_in(
        &self,
        actor: &Actor,
        commands: &[Command],
        context: &Context,
    ) -> Result<Vec<Record>, CommandError> {
        let (_, changes) = decide::decide_batch(&self.state, actor, commands, context.now)?;
        Ok(self.chain(actor, context, changes.into_iter()).collect())
    }

    fn execute_in(
        &mut self,
        actor: &Actor,
        command: &Command,
        context: &Context,
    ) -> Result<Option<Record>, CommandError> {
        let record = self.decide_in(actor, command, context)?;
        self.accept(&record);
        Ok(record)
    }

    fn execute_batch_in(
        &mut self,
        actor: &Actor,
        commands: &[Command],
        context: &Context,
    ) -> Result<Vec<Record>, CommandError> {
        let records = self.decide_batch_in(actor, commands, context)?;
        self.accept(&records);
        Ok(records)
    }

    /// Returns the records of changes that were decided on this account.
    fn chain(
        &self,
        actor: &Actor,
        context: &Context,
        changes: impl ExactSizeIterator<Item = PlannedChange>,
    ) -> impl Iterator<Item = Record> {
        decide::chain(self.state.header(), actor, context, changes)
    }
}

/// What the account holds.
impl Account {
    /// Returns the account's id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.state.header().id
    }

    /// Returns the account's version: that of the last record, 1 when just opened ([U2](crate::docs::rules#U2)).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.state.header().version
    }

    /// Returns the time of the last record.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.state.header().at
    }

    /// Returns the digest of the last record, which stands for all records until then ([U2](crate::docs::rules#U2)).
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.state.header().digest
    }

    /// Returns how many groups the account may have ([A3](crate::docs::rules#A3)).
    #[must_use]
    pub fn group_limit(&self) -> GroupLimit {
        self.state.header().group_limit
    }

    /// Returns whether the account is closed: every check is denied, and every command refused
    /// ([A5](crate::docs::rules#A5)).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let condition = self.state.header().condition;
        matches!(condition, Condition::Closed | Condition::Erased)
    }

    /// Returns the member with this id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<Member<'_>> {
        let found = self.state.member_with_id(id);
        found.map(|found| Member::new(&self.state, found))
    }

    /// Returns all members: active, suspended and invited.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.members_after(None)
    }

    /// Returns the active owners; at least one ([A2](crate::docs::rules#A2)).
    pub fn owners(&self) -> impl Iterator<Item = &MemberId> {
        self.state.owners()
    }

    /// Returns how many members there are: active, suspended and invited.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.state.member_count()
    }

    /// Returns the group with this id.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<Group<'_>> {
        let found = self.state.group_with_id(id);
        found.map(|found| Group::new(&self.state, found))
    }

    /// Returns all groups.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.groups_after(None)
    }

    /// Returns the role with this id, built in or the account's own.
    #[must_use]
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.state.role(id)
    }

    /// Returns all roles, the built-in ones among them.
    pub fn roles(&self) -> impl Iterator<Item = (&RoleId, &Role)> {
        self.state.roles()
    }

    /// Returns the store with this id, to be asked many times.
    #[must_use]
    pub fn store(&self, id: &str) -> Option<Store<'_>> {
        let found = self.state.store(id);
        found.map(|store| Store::new(&self.state, store))
    }

    /// Returns whether there is a store with this id.
    #[must_use]
    pub fn has_store(&self, id: &str) -> bool {
        self.state.store(id).is_some()
    }

    /// Returns all stores.
    pub fn stores(&self) -> impl Iterator<Item = &StoreId> {
        self.stores_after(None)
    }

    /// Returns how many stores there are.
    #[must_use]
    pub fn store_count(&self) -> usize {
        self.state.store_count()
    }

    /// Returns whether the index is what a calculation from groups, roles and members gives. Always true; the tests
    /// ask.
    #[doc(hidden)]
    #[must_use]
    pub fn index_is_exact(&self) -> bool {
        self.state.check_invariants()
    }
}

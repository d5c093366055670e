//! The account: the whole of one tenant's access, in memory.

use std::borrow::Borrow;

use crate::access::{AccessLevel, Decision, DenialReason, EffectivePermissions, Resource};
use crate::account::command::{Actor, Command};
use crate::account::event::{Event, Format, Record};
use crate::account::evolve::ReplayError;
use crate::account::limits::{GroupLimit, MAX_BATCH};
use crate::account::refusal::CommandError;
use crate::account::snapshot::{Snapshot, SnapshotError};
use crate::account::state::State;
use crate::account::view::{Group, Member, Store};
use crate::id::{AccountId, MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::role::Role;
use crate::time::Timestamp;

pub(crate) mod check;
pub(crate) mod command;
pub(crate) mod decide;
pub(crate) mod event;
pub(crate) mod evolve;
pub(crate) mod form;
pub(crate) mod group;
pub(crate) mod guard;
pub(crate) mod guardrails;
pub(crate) mod hash;
pub(crate) mod id_map;
pub(crate) mod id_set;
pub(crate) mod index;
pub(crate) mod layer;
pub(crate) mod limits;
pub(crate) mod listing;
pub(crate) mod member;
pub(crate) mod number;
pub(crate) mod refusal;
pub(crate) mod rules;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod store;
pub(crate) mod table;
pub(crate) mod view;

/// One tenant's members, groups, roles and stores, and who may do what.
///
/// It changes in two ways only: by a command that it accepts ([`execute`](Account::execute)), and by a stored record
/// that comes next ([`apply`](Account::apply)). Both go through the same code, so that replaying an account's records
/// gives that account (U2). At every moment:
///
/// - at least one active Account Owner is there (A2);
/// - no more groups than its limit (A3), their names all different whatever the case of letters (G3), each with at
///   least one grant (G4) to roles and stores that exist (G5);
/// - what a check says is what the groups' grants say: nothing is cached, so nothing is stale (G9).
///
/// Every list it gives is in the order of ids, byte by byte (U6). Two accounts are equal when their
/// [snapshots](Account::snapshot) are.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) state: State<'static>,
}

/// Beginnings.
impl Account {
    /// Opens an account with one active owner (A1). Also gives record 1, which the host stores.
    ///
    /// The group limit is 20 by default, and cannot be changed later (A3).
    #[must_use]
    pub fn open(
        id: AccountId,
        owner: MemberId,
        group_limit: GroupLimit,
        now: Timestamp,
    ) -> (Self, Record) {
        let event = Event::AccountOpened { owner, group_limit };
        let record = Record {
            format: Format,
            account: id.clone(),
            version: 1,
            at: now,
            actor: Actor::System,
            event,
        };
        let mut state = State::unopened(id);
        evolve::apply(&mut state, &record);
        (Self { state }, record)
    }

    /// The account that these records lead to, from its first record on (U2). Give fewer records, and it is the account
    /// as it was then.
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
        // Nothing below lists the members: there is a list of the account's when there is the account.
        account.state.members.postpone_order();
        records.try_for_each(|record| account.apply(record.borrow()))?;
        account.state.members.settle();
        Ok(account)
    }

    /// Applies the next stored record (U5). Whether its actor was allowed to cause it was decided when it was made,
    /// and is not asked again.
    ///
    /// # Errors
    /// A record of another account, a version that is not the next one, a time before the last record's, an event
    /// that does not fit. The account is then as before.
    pub fn apply(&mut self, record: &Record) -> Result<(), ReplayError> {
        evolve::evolve(&mut self.state, record)
    }

    /// The account as plain data, to be stored. Takes time in proportion to the account.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        snapshot::of(&self.state)
    }
}

/// Reads a snapshot back. It is not trusted: whatever breaks a rule is refused.
impl TryFrom<Snapshot> for Account {
    type Error = SnapshotError;

    fn try_from(snapshot: Snapshot) -> Result<Self, Self::Error> {
        Ok(Self {
            state: snapshot::restored(snapshot)?,
        })
    }
}

impl PartialEq for Account {
    fn eq(&self, other: &Self) -> bool {
        self.snapshot() == other.snapshot()
    }
}

impl Eq for Account {}

/// Questions. They take the host's text as it comes; what is unknown is denied (P4).
impl Account {
    /// Whether this member may do this here. Two look-ups and an AND, whatever the size of the account; allocates
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
    /// An owner may do everything, so a misspelt permission shows only with others. Parse the host's own permissions
    /// once, in a `static` [`LazyLock`](std::sync::LazyLock), and test with somebody who is no owner.
    #[must_use]
    #[inline]
    pub fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        self.state.can(member, permission, resource)
    }

    /// Whether this member may do this here and, if not, why (P4).
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
            Err(denial) => Decision::Denied(denial),
        }
    }

    /// Everything that this member may do (P1); nothing, for one who is unknown or only invited. Takes time in
    /// proportion to the account's stores.
    #[must_use]
    pub fn effective_permissions(&self, member: &str) -> EffectivePermissions {
        self.state.effective_permissions(member)
    }

    /// How much this member may do in this store, in one word (P5); [`AccessLevel::None`] where either is unknown.
    #[must_use]
    pub fn access_level(&self, member: &str, store: &str) -> AccessLevel {
        let is_owner = self
            .member(member)
            .is_some_and(|member| member.status().is_owner());
        let can = |permission| self.can(member, permission, Resource::Store(store));
        match (can(&Permission::STORE_READ), can(&Permission::STORE_WRITE)) {
            (false, _) => AccessLevel::None,
            (true, _) if is_owner => AccessLevel::Owner,
            (true, true) => AccessLevel::Editor,
            (true, false) => AccessLevel::Viewer,
        }
    }
}

/// Changes.
impl Account {
    /// What this command would lead to, without doing it. Pure: the same arguments give the same answer.
    ///
    /// `Ok(None)`: nothing would change (U1). The record's time is `now`, or that of the last record if the host's
    /// clock ran backwards (U2).
    ///
    /// # Errors
    /// See [`CommandError`]; `docs/rules.md` says which rule gives which.
    pub fn decide(
        &self,
        actor: &Actor,
        command: &Command,
        now: Timestamp,
    ) -> Result<Option<Record>, CommandError> {
        decided(&self.state, actor, command, now)
    }

    /// What these commands would lead to, one after another, without doing it: each is decided on what those before
    /// it leave, as if it came alone.
    ///
    /// # Errors
    /// [`CommandError::BatchTooLarge`] beyond 1,000 commands (U7); [`CommandError::InBatch`] with the first command that is
    /// refused, and then none is accepted (U4). In a batch of one, the refusal itself.
    pub fn decide_batch(
        &self,
        actor: &Actor,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<Vec<Record>, CommandError> {
        self.draft(actor, commands, now).map(|(_, records)| records)
    }

    /// The state that these commands would lead to, lying over this account's, and their records.
    pub(crate) fn draft(
        &self,
        actor: &Actor,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<(State<'_>, Vec<Record>), CommandError> {
        if commands.len() > MAX_BATCH {
            if let Some(first) = commands.first() {
                decide::authorize(&self.state, actor, first)?;
            }
            return Err(CommandError::BatchTooLarge {
                commands: commands.len(),
            });
        }
        let mut draft = State::over(&self.state);
        let mut records = Vec::new();
        for (index, command) in commands.iter().enumerate() {
            let refused = |refusal| match commands {
                [_] => refusal,
                _ => CommandError::InBatch {
                    index,
                    refusal: Box::new(refusal),
                },
            };
            if let Some(record) = decided(&draft, actor, command, now).map_err(refused)? {
                evolve::apply(&mut draft, &record);
                records.push(record);
            }
        }
        Ok((draft, records))
    }

    /// Decides and does. Gives the record, which the host stores; `None` if nothing changed (U1).
    ///
    /// **The record must be kept**: without it the account cannot be replayed. A host that keeps its accounts in a
    /// [`repository`](crate::repository) uses [`repository::execute`](crate::repository::execute) instead, which keeps
    /// first and changes after.
    ///
    /// # Errors
    /// As [`decide`](Account::decide). The account is then as before.
    pub fn execute(
        &mut self,
        actor: &Actor,
        command: &Command,
        now: Timestamp,
    ) -> Result<Option<Record>, CommandError> {
        let record = self.decide(actor, command, now)?;
        self.accept(&record);
        Ok(record)
    }

    /// Decides and does all of these commands, or none (U4). Gives the records, one for each command that changed
    /// something.
    ///
    /// # Errors
    /// As [`decide_batch`](Account::decide_batch). The account is then as before.
    pub fn execute_batch(
        &mut self,
        actor: &Actor,
        commands: &[Command],
        now: Timestamp,
    ) -> Result<Vec<Record>, CommandError> {
        let records = self.decide_batch(actor, commands, now)?;
        self.accept(&records);
        Ok(records)
    }

    /// Does what was just decided on this very account.
    fn accept<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>) {
        for record in records {
            evolve::apply(&mut self.state, record);
        }
    }
}

/// Decides a command, in the order of U3.
pub(crate) fn decided(
    state: &State<'_>,
    actor: &Actor,
    command: &Command,
    now: Timestamp,
) -> Result<Option<Record>, CommandError> {
    let at = state.not_before(now);
    let event = decide::asked(state, actor, command, at)?;
    let (version, account) = (state.version.saturating_add(1), state.id.clone());
    let mut record = Record {
        format: Format,
        account,
        version,
        at,
        actor: actor.clone(),
        event,
    };
    if let Some(member) = guardrails::bound(state, actor).filter(|_| guard::stands("E2")) {
        let mut after = State::over(state);
        evolve::apply(&mut after, &record);
        guardrails::no_gain(state, &after, member, &record.event)?;
    }
    let Some(event) = decide::settled(state, record.event, at)? else {
        return Ok(None);
    };
    record.event = event;
    Ok(Some(record))
}

/// What is there.
impl Account {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &AccountId {
        &self.state.id
    }

    /// Its version: that of the last record, 1 when just opened (U2).
    #[must_use]
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// The time of the last record.
    #[must_use]
    pub fn changed_at(&self) -> Timestamp {
        self.state.at
    }

    /// How many groups it may have (A3).
    #[must_use]
    pub fn group_limit(&self) -> GroupLimit {
        self.state.group_limit
    }

    /// The member with this id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<Member<'_>> {
        self.state
            .member(id)
            .map(|found| Member::new(&self.state, found))
    }

    /// All members, active and invited.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        let members = self.state.members.iter();
        members.map(|found| Member::new(&self.state, found))
    }

    /// The active owners; at least one (A2).
    pub fn owners(&self) -> impl Iterator<Item = &MemberId> {
        self.state.owners.iter()
    }

    /// How many members there are, active and invited.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.state.members.len()
    }

    /// The group with this id.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<Group<'_>> {
        self.state
            .groups
            .get_key_value(id)
            .map(|found| Group::new(&self.state, found))
    }

    /// All groups.
    pub fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let groups = self.state.groups.iter();
        groups.map(|found| Group::new(&self.state, found))
    }

    /// The role with this id, built in or the account's own.
    #[must_use]
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.state.roles.get(id)
    }

    /// All roles, the built-in ones among them.
    pub fn roles(&self) -> impl Iterator<Item = (&RoleId, &Role)> {
        self.state.roles.iter()
    }

    /// The store with this id, to be asked many times.
    #[must_use]
    pub fn store(&self, id: &str) -> Option<Store<'_>> {
        self.state.stores.get(id).map(|store| Store {
            state: &self.state,
            id: &store.id,
            granting: &store.granting,
        })
    }

    /// Whether there is a store with this id.
    #[must_use]
    pub fn has_store(&self, id: &str) -> bool {
        self.state.stores.contains(id)
    }

    /// All stores.
    pub fn stores(&self) -> impl Iterator<Item = &StoreId> {
        self.state.stores.iter().map(|(id, _)| id)
    }

    /// How many stores there are.
    #[must_use]
    pub fn store_count(&self) -> usize {
        self.state.stores.len()
    }

    /// Whether the index is what a calculation from groups, roles and members gives. Always true; the tests ask.
    #[doc(hidden)]
    #[must_use]
    pub fn index_is_exact(&self) -> bool {
        self.state.is_exact()
    }
}

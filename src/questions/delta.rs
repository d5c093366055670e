//! What a change does to who may do what.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::access::{Permissions, Resource};
use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::command_error::CommandError;
use crate::account::context::Context;
use crate::account::data::AccountData;
use crate::account::data::affected::Affected;
use crate::account::data::classes::{Classes, Number};
use crate::account::data::draft::Draft;
use crate::account::data::state::State;
use crate::account::decide::decide_batch;
use crate::account::record::{PlannedChange, Record};
use crate::account::replay::{ReplayError, apply_checked};
use crate::id::MemberId;
use crate::questions::differences::{AccessBlock, AccessChange, Blocks, Differences, Touched};
use crate::time::Timestamp;

/// What commands would lead to: their changes, and who gains and loses what.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Preview {
    /// One for each command that would change something.
    pub changes: Vec<PlannedChange>,
    /// Who gains and loses what, from the first command to the last.
    pub delta: AccessDelta,
}

/// Who gains and loses what by one or more changes, exactly.
///
/// It holds what the change touches as a product: kinds of members times kinds of resources, where members of one kind
/// are in the same groups, as far as that counts, and resources of one kind have the same grants. Making it takes time
/// and memory in proportion to the members and the resources that the change may affect, never to the one times the
/// other. What it says is worked out as it is asked for: [`blocks`](AccessDelta::blocks) in proportion to the kinds,
/// [`iter`](AccessDelta::iter) to what it gives out.
///
/// As JSON it is the list of its blocks. Two are equal when they say the same.
///
/// ```
/// # use grantbook::*;
/// # use grantbook::command::*;
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, _) = Account::open(
/// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// # let (dev, devs) = (StoreId::parse("dev")?, GroupId::parse("devs")?);
/// # let members = ["dana", "vic"].map(|id| MemberId::parse(id).unwrap());
/// # account.execute(&Actor::System, &CreateStore { store: dev.clone() }.into(), now)?;
/// # account.execute(&Actor::System, &AddMembers { members: members.clone().into() }.into(), now)?;
/// # account.execute(&Actor::System, &CreateGroup {
/// #     group: devs.clone(), name: GroupName::parse("Dev Team")?, description: Description::default(),
/// #     grants: vec![Grant::in_stores(RoleId::store_viewer(), [dev])],
/// # }.into(), now)?;
/// let add = AddToGroup { group: devs, members: members.into() }.into();
/// let preview = account.preview(&Actor::System, &[add], now)?;
///
/// let block = preview.delta.blocks().next().expect("somebody gains something");
/// assert_eq!(block.members, ["dana", "vic"].map(|id| MemberId::parse(id).unwrap()).iter().collect::<Vec<_>>());
/// assert_eq!(block.resources.len(), 1);
/// assert!(block.after.allows(&Permission::STORE_READ) && !block.loses_any());
/// assert_eq!(preview.delta.who_gained().count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct AccessDelta(Touched);

impl AccessDelta {
    fn new(before: &State, after: &impl AccountData, affected: &Affected<'_>) -> Self {
        let (classes, of_members, of_resources) = Classes::of(before, after, affected);
        let Affected { members, resources } = affected;
        let members = members.iter().map(|(member, _)| (*member).clone());
        let resources = resources.iter().map(|(resource, _)| resource.clone());
        Self(Touched {
            members: members.zip(of_members).collect(),
            resources: resources.zip(of_resources).collect(),
            classes,
        })
    }

    /// What leads from one state of an account to another. Takes time in proportion to members plus stores; for the
    /// change that one record makes, ask [`Account::delta_of`].
    #[must_use]
    pub fn between(before: &Account, after: &Account) -> Self {
        let (before, after) = (&before.state, &after.state);
        let members = before.members_after(None).chain(after.members_after(None));
        let mut members: Vec<&MemberId> = members.map(|(id, _)| id).collect();
        members.sort_unstable();
        members.dedup();
        let stores = before.stores().chain(after.stores());
        let stores = stores.map(|(id, _)| Resource::Store(id.clone()));
        let mut resources: Vec<Resource> = [Resource::Account].into_iter().chain(stores).collect();
        resources.sort_unstable();
        resources.dedup();
        Self::new(
            before,
            after,
            &Affected::at(before, after, members, resources),
        )
    }

    /// The changes in the order of the members' ids, for each the account first and then the stores in the order of
    /// their ids.
    pub fn iter(&self) -> impl Iterator<Item = AccessChange<'_>> {
        self.iter_after(None)
    }

    /// As [`iter`](AccessDelta::iter), for the members after this one: to go on where an earlier page ended.
    pub fn iter_after(&self, member: Option<&str>) -> impl Iterator<Item = AccessChange<'_>> {
        let first = member.map_or(0, |member| {
            self.0
                .members
                .partition_point(|(id, _)| id.as_str() <= member)
        });
        let mut differences = Differences::new(&self.0);
        let members = self.0.members.iter().skip(first);
        members.flat_map(move |(member, class)| differences.of_member(member, *class))
    }

    /// What changes for one member; nothing, for whoever is not affected.
    pub fn of(&self, member: &str) -> impl Iterator<Item = AccessChange<'_>> {
        let found = self
            .0
            .members
            .binary_search_by(|(id, _)| id.as_str().cmp(member));
        let found = found.ok().and_then(|index| self.0.members.get(index));
        let mut differences = Differences::new(&self.0);
        found
            .into_iter()
            .flat_map(move |(member, class)| differences.of_member(member, *class))
    }

    /// The changes put together: sets of members and sets of places with the same before and after. Each member and
    /// place is in at most one block. Members with the same changes share theirs, unless there are hundreds of thousands
    /// of kinds of changes: then memory stays bounded, and what is alike may be said more than once.
    pub fn blocks(&self) -> impl Iterator<Item = AccessBlock<'_>> {
        Blocks::new(&self.0)
    }

    /// Whether nobody gains or loses anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let mut differences = Differences::new(&self.0);
        self.member_classes()
            .all(|class| differences.fresh_row(class).is_empty())
    }

    /// How many members gain or lose something in how many places, each pair counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        let blocks = self.blocks();
        let pairs = blocks.map(|block| block.members.len() as u64 * block.resources.len() as u64);
        pairs.sum()
    }

    /// Who gains anything anywhere, in the order of ids.
    pub fn who_gained(&self) -> impl Iterator<Item = &MemberId> {
        self.who(|before, after| !after.is_subset(before))
    }

    /// Who loses anything anywhere, in the order of ids: time to revoke what was handed out on the strength of it.
    pub fn who_lost(&self) -> impl Iterator<Item = &MemberId> {
        self.who(|before, after| !before.is_subset(after))
    }

    fn who(
        &self,
        is_meant: impl Fn(&Permissions, &Permissions) -> bool,
    ) -> impl Iterator<Item = &MemberId> {
        let mut differences = Differences::new(&self.0);
        let are_meant = self.member_classes().map(|class| {
            let row = differences.fresh_row(class);
            row.iter().any(|(_, pair)| {
                let pair = differences.pair(*pair);
                pair.is_some_and(|(before, after)| is_meant(before, after))
            })
        });
        let are_meant: Vec<bool> = are_meant.collect();
        let members = self.0.members.iter();
        members.filter_map(move |(member, class)| {
            are_meant.get(*class as usize).copied()?.then_some(member)
        })
    }

    fn member_classes(&self) -> impl Iterator<Item = Number> {
        (0..).take(self.0.classes.member_classes())
    }
}

impl PartialEq for AccessDelta {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for AccessDelta {}

impl fmt::Debug for AccessDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.blocks()).finish()
    }
}

impl Serialize for AccessDelta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.blocks())
    }
}

impl Account {
    /// What these commands would lead to, one after another, and who would gain and lose what; the account stays as
    /// it is. Its cost follows what changes, not the size of the account.
    ///
    /// # Errors
    /// As [`decide_batch`](Account::decide_batch).
    pub fn preview(
        &self,
        actor: &Actor,
        commands: &[Command],
        context: impl Into<Context>,
    ) -> Result<Preview, CommandError> {
        preview(&self.state, actor, commands, context.into().now)
    }

    /// Who gains and loses what by the next record, before it is applied: for notifications, and for revoking tokens.
    /// Its cost follows what changes, not the size of the account.
    ///
    /// # Errors
    /// As [`apply`](Account::apply).
    pub fn delta_of(&self, record: &Record) -> Result<AccessDelta, ReplayError> {
        self.delta_of_commit(std::slice::from_ref(record))
    }

    /// Applies the next record, and says whether it changes what this member may do.
    pub(crate) fn apply_and_compare(
        &mut self,
        record: &Record,
        member: &str,
    ) -> Result<bool, ReplayError> {
        let mut after = Draft::over(&self.state);
        apply_checked(&mut after, record)?;
        let is_changed = delta(&self.state, &after).of(member).next().is_some();
        self.accept([record]);
        Ok(is_changed)
    }

    /// Who gains and loses what by the records of the next commit.
    pub(crate) fn delta_of_commit(&self, records: &[Record]) -> Result<AccessDelta, ReplayError> {
        let mut after = Draft::over(&self.state);
        for record in records {
            apply_checked(&mut after, record)?;
        }
        Ok(delta(&self.state, &after))
    }
}

fn preview(
    state: &State,
    actor: &Actor,
    commands: &[Command],
    now: Timestamp,
) -> Result<Preview, CommandError> {
    let (draft, changes) = decide_batch(state, actor, commands, now)?;
    Ok(Preview {
        changes,
        delta: delta(state, &draft),
    })
}

/// What leads from a state to a draft over it.
fn delta(before: &State, after: &Draft<'_, State>) -> AccessDelta {
    AccessDelta::new(before, after, &Affected::by(before, after))
}

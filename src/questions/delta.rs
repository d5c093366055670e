//! What a change does to who may do what.

use std::collections::BTreeSet;

use crate::access::{Permissions, Resource};
use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::check::Check;
use crate::account::command_error::CommandError;
use crate::account::context::Context;
use crate::account::data::AccountData;
use crate::account::data::changed::Changed;
use crate::account::data::draft::Draft;
use crate::account::data::member::MemberEntry;
use crate::account::data::state::State;
use crate::account::decide::decide_batch;
use crate::account::record::{PlannedChange, Record};
use crate::account::replay::{ReplayError, apply_checked};
use crate::id::MemberId;
use crate::permission::Permission;
use crate::time::Timestamp;

/// What commands would lead to: their changes, and who gains and loses what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Preview {
    /// One for each command that would change something.
    pub changes: Vec<PlannedChange>,
    /// Who gains and loses what, from the first command to the last.
    pub delta: AccessDelta,
}

/// Who gains and loses what, exactly, by one or more changes: in the order of the members' ids, for each the account
/// first and then the stores in the order of their ids.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AccessDelta(Vec<AccessChange>);

/// What one member may do in one place, before and after. The two allow different things: what another permission that
/// the member held and holds includes (L7) is no difference.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessChange {
    /// Who.
    pub member: MemberId,
    /// Where.
    pub resource: Resource,
    /// What the member could do there; nothing, if one of the two did not exist.
    pub before: Permissions,
    /// What the member can do there.
    pub after: Permissions,
}

impl AccessChange {
    /// Whether the member gains this permission there.
    #[must_use]
    pub fn gains(&self, permission: &Permission) -> bool {
        self.after.allows(permission) && !self.before.allows(permission)
    }

    /// Whether the member loses this permission there.
    #[must_use]
    pub fn loses(&self, permission: &Permission) -> bool {
        self.before.allows(permission) && !self.after.allows(permission)
    }

    /// Whether the member gains anything there.
    #[must_use]
    pub fn gains_any(&self) -> bool {
        !self.after.is_subset(&self.before)
    }

    /// Whether the member loses anything there: time to revoke what was handed out on the strength of it.
    #[must_use]
    pub fn loses_any(&self) -> bool {
        !self.before.is_subset(&self.after)
    }
}

impl AccessDelta {
    /// The changes.
    pub fn iter(&self) -> impl Iterator<Item = &AccessChange> {
        self.0.iter()
    }

    /// Whether nobody gains or loses anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What leads from one state of an account to another. Takes time in proportion to members times stores; for the
    /// change that one record makes, ask [`Account::delta_of`].
    #[must_use]
    pub fn between(before: &Account, after: &Account) -> Self {
        let members = before
            .state
            .members_after(None)
            .chain(after.state.members_after(None));
        let members: BTreeSet<&MemberId> = members.map(|(id, _)| id).collect();
        let stores = before.stores().chain(after.stores());
        let resources: BTreeSet<Resource> = stores
            .cloned()
            .map(Resource::Store)
            .chain([Resource::Account])
            .collect();
        let all = members
            .into_iter()
            .flat_map(|member| resources.iter().map(move |resource| (member, resource)));
        Self(
            all.filter_map(|(member, resource)| {
                change(&before.state, &after.state, member, resource)
            })
            .collect(),
        )
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
        let mut after = Draft::over(&self.state);
        apply_checked(&mut after, record)?;
        Ok(delta(&self.state, &after))
    }
}

impl Account {
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
///
/// What a member may do in a resource depends on its status, on its groups, and on the roles that they grant there. Only
/// who or what is touched by the draft is looked at.
fn delta(before: &State, after: &Draft<'_, State>) -> AccessDelta {
    let touched = Changed::new(before, after);
    let mut affected: BTreeSet<(MemberId, Resource)> = BTreeSet::new();
    for resource in touched.resources() {
        let members = touched.members_in(&resource);
        affected.extend(members.map(|member| (member.clone(), resource.clone())));
        let existed = before.index(resource.as_deref()).is_some();
        if existed != after.index(resource.as_deref()).is_some() {
            let owners = before.owners().chain(after.owners());
            affected.extend(owners.map(|owner| (owner.clone(), resource.clone())));
        }
    }
    if before.header().condition != after.header().condition {
        let stores = before.stores().map(|(id, _)| Resource::Store(id.clone()));
        let resources: Vec<Resource> = stores.chain([Resource::Account]).collect();
        for (member, _) in before.members_after(None) {
            affected.extend(
                resources
                    .iter()
                    .map(|there| (member.clone(), there.clone())),
            );
        }
    }
    for member in after.touched_members() {
        let resources = touched.resources_of(member);
        affected.extend(
            resources
                .into_iter()
                .map(|resource| (member.clone(), resource)),
        );
        let owned = before.member(member).is_some_and(MemberEntry::is_owner);
        if owned != after.member(member).is_some_and(MemberEntry::is_owner) {
            let stores = before
                .stores()
                .chain(after.stores())
                .map(|(store, _)| store.clone());
            affected.extend(stores.map(|store| (member.clone(), Resource::Store(store))));
        }
    }
    let changes = affected
        .iter()
        .filter_map(|(member, resource)| change(before, after, member, resource));
    AccessDelta(changes.collect())
}

fn change(
    before: &State,
    after: &impl AccountData,
    member: &MemberId,
    resource: &Resource,
) -> Option<AccessChange> {
    let nothing = |_| Permissions::nothing();
    let was = before
        .permissions_in(member, resource.as_deref())
        .unwrap_or_else(nothing);
    let is = after
        .permissions_in(member, resource.as_deref())
        .unwrap_or_else(nothing);
    (!was.allows_same(&is)).then(|| AccessChange {
        member: member.clone(),
        resource: resource.clone(),
        before: was,
        after: is,
    })
}

//! What keeps those who manage from raising themselves (E2, E4).
//!
//! The guardrails bind every member who is not an Account Owner, whatever gave it its powers. Owners have nothing to
//! gain, and the host acts for itself (E6).

use std::collections::HashMap;
use std::sync::Arc;

use crate::access::Resource;
use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::draft::{Draft, DraftBase};
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::id::{MemberId, RoleId, StoreId};
use crate::permission::Permission;
use crate::role::Role;

/// The member whom the guardrails bind, if they bind this actor.
pub(crate) fn constrained_member<'a, D: AccountData>(
    data: &D,
    actor: &'a Actor,
) -> Option<&'a MemberId> {
    match actor {
        Actor::System => None,
        Actor::Member(member) => {
            let is_owner = data.member(member).is_some_and(MemberEntry::is_owner);
            (!is_owner).then_some(member)
        }
    }
}

/// The theorem (E4), held on the resulting rows whatever the command was: the actor holds nothing afterwards that it
/// did not hold before. Accepting an invitation, which somebody else issued, is the one exception.
pub(crate) fn check_no_escalation<B: DraftBase>(
    before: &B,
    after: &Draft<'_, B>,
    actor: &MemberId,
    event: &Event,
) -> Result<(), CommandError> {
    if event.may_raise_its_actor() && event.can_be_caused_by(&Actor::Member(actor.clone())) {
        return Ok(());
    }
    let escalation = |permission: Permission, resource| CommandError::SelfEscalation {
        actor: actor.clone(),
        permission,
        resource,
    };
    let Some(member_after) = after.member(actor).filter(|member| member.is_active()) else {
        return Ok(());
    };
    if member_after.is_owner() {
        return Err(escalation(Permission::MANAGE_OWNERS, Resource::Account));
    }
    let member_before = before.member(actor).filter(|member| member.is_active());
    let mut gains = Gains {
        before,
        after,
        member_before,
        member_after,
        known: HashMap::new(),
    };
    if let Some(permission) = gains.first(Some(before.account_index()), after.account_index()) {
        return Err(escalation(permission, Resource::Account));
    }
    let mut first_in = |store: &StoreId| {
        let index_before = before.store(store).map(|store| &store.index);
        let permission = gains.first(index_before, &after.store(store)?.index)?;
        Some(escalation(permission, Resource::Store(store.clone())))
    };
    // What the member could gain elsewhere than in the stores that were touched, it gains by a membership or a role.
    let groups_after = member_after.groups();
    let is_elsewhere_too = after.redefined_roles().next().is_some()
        || member_before.is_none_or(|before| !groups_after.is_subset(&before.groups()));
    let found = if is_elsewhere_too {
        after.stores().find_map(|(store, _)| first_in(store))
    } else {
        after.touched_stores().find_map(first_in)
    };
    found.map_or(Ok(()), Err)
}

/// What a member gains, resource by resource.
struct Gains<'a, B, A> {
    before: &'a B,
    after: &'a A,
    member_before: Option<&'a MemberEntry>,
    member_after: &'a MemberEntry,
    /// What comes of holding these roles before and those after: the same in every resource.
    known: HashMap<(Vec<RoleId>, Vec<RoleId>), Option<Permission>>,
}

impl<B: AccountData, A: AccountData> Gains<'_, B, A> {
    /// The first permission, in the order of their text, that the member holds here afterwards and did not before.
    fn first(
        &mut self,
        index_before: Option<&GrantIndex>,
        index_after: &GrantIndex,
    ) -> Option<Permission> {
        let roles_after = self.after.roles_held(self.member_after, index_after);
        if roles_after.is_empty() {
            return None;
        }
        let roles_before = self.member_before.zip(index_before);
        let roles_before = roles_before.map_or_else(Vec::new, |(member, index)| {
            self.before.roles_held(member, index)
        });
        let Self { before, after, .. } = self;
        let first = self
            .known
            .entry((roles_before, roles_after))
            .or_insert_with_key(|(old, new)| {
                let held: Vec<&Role> = old.iter().filter_map(|role| before.role(role)).collect();
                let is_new = |permission: &&Permission| {
                    !held
                        .iter()
                        .any(|role| role.permissions.contains(*permission))
                };
                let is_held = |role: &&Role| {
                    held.iter()
                        .any(|held| Arc::ptr_eq(&held.permissions, &role.permissions))
                };
                let roles = new.iter().filter_map(|role| after.role(role));
                let gaining = roles.filter(|role| !is_held(role));
                let firsts = gaining.filter_map(|role| role.permissions.iter().find(is_new));
                firsts.min().cloned()
            });
        first.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::changes::StoreCreated;
    use crate::account::data::state::State;
    use crate::account::data::writes::Writes;
    use crate::account::status::MemberStatus;
    use crate::grant::Grant;
    use crate::id::{AccountId, GroupId};
    use crate::name::{Description, GroupName};

    /// Whatever wrote the resulting state, a gain of the actor's own is found in it (E4): by ownership, by a group,
    /// by a group's grants at the account and in a store, by becoming active. No command could do the first and the
    /// last; the guardrail does not rely on that.
    #[test]
    fn a_gain_is_found_whatever_caused_it() {
        let (gil, ina) = (
            MemberId::parse("gil").unwrap(),
            MemberId::parse("ina").unwrap(),
        );
        let (devs, dev) = (
            GroupId::parse("devs").unwrap(),
            StoreId::parse("dev").unwrap(),
        );
        let mut before = State::unopened(AccountId::parse("acme").unwrap());
        before.insert_member(&gil, MemberStatus::Active { owner: false });
        before.insert_member(
            &ina,
            MemberStatus::Invited {
                as_owner: false,
                expires: None,
            },
        );
        before.insert_store(&dev);
        let (it, viewers) = (
            GroupId::parse("it").unwrap(),
            [Grant::store_viewer([dev.clone()])],
        );
        before.insert_group(
            &devs,
            &GroupName::parse("Dev Team").unwrap(),
            &Description::default(),
            &viewers,
        );
        before.insert_group(
            &it,
            &GroupName::parse("IT Group").unwrap(),
            &Description::default(),
            &viewers,
        );
        before.set_in_group(&it, [&gil, &ina], true);
        let event = Event::StoreCreated(StoreCreated { store: dev.clone() });
        let tried = |actor: &MemberId, change: &dyn Fn(&mut Draft<'_, State>)| {
            let mut after = Draft::over(&before);
            change(&mut after);
            check_no_escalation(&before, &after, actor, &event).map_err(|error| error.to_string())
        };
        let gains = |what: &str| Err(format!("{what}; an account owner can make this change"));
        let editors = [Grant::store_editor([dev.clone()])];
        let managers = [Grant::group_manager()];

        assert_eq!(tried(&gil, &|_| ()), Ok(()));
        assert_eq!(
            tried(&gil, &|after| after
                .set_status(&gil, MemberStatus::Active { owner: true })),
            gains("`gil` would give itself `account.manage_owners` at the account")
        );
        assert_eq!(
            tried(&gil, &|after| after.set_grants(&it, &editors)),
            gains("`gil` would give itself `store.write` in store `dev`")
        );
        assert_eq!(
            tried(&gil, &|after| after.set_grants(&it, &managers)),
            gains("`gil` would give itself `account.invite_members` at the account")
        );
        assert_eq!(
            tried(&gil, &|after| after.set_grants(&devs, &editors)),
            Ok(())
        );
        assert_eq!(
            tried(&gil, &|after| after.set_in_group(&devs, [&gil], true)),
            Ok(()),
            "nothing new"
        );
        assert_eq!(
            tried(&gil, &|after| {
                after.set_grants(&devs, &editors);
                after.set_in_group(&devs, [&gil], true);
            }),
            gains("`gil` would give itself `store.write` in store `dev`")
        );
        assert_eq!(
            tried(&ina, &|after| after
                .set_status(&ina, MemberStatus::Active { owner: false })),
            gains("`ina` would give itself `store.read` in store `dev`")
        );
        assert_eq!(tried(&gil, &|after| after.remove_member(&gil)), Ok(()));
        // Elsewhere than in what changed: the group was widened before, and is joined now.
        before.set_grants(&devs, &editors);
        let mut after = Draft::over(&before);
        after.set_in_group(&devs, [&gil], true);
        let error =
            check_no_escalation(&before, &after, &gil, &event).map_err(|error| error.code());
        assert_eq!(error, Err("self-escalation"));
    }
}

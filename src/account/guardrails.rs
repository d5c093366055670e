//! What keeps those who manage from raising themselves (E1 to E4).
//!
//! They bind every member who is not an Account Owner, whatever gave it its powers. Owners have nothing to gain, and
//! the host acts for itself (E6).

use crate::access::Resource;
use crate::account::command::Actor;
use crate::account::event::Event;
use crate::account::guard;
use crate::account::index::{Granting, GroupSet};
use crate::account::member::{MemberEntry, MemberStatus};
use crate::account::refusal::CommandError;
use crate::account::state::State;
use crate::id::{MemberId, StoreId};
use crate::permission::Permission;
use crate::time::Timestamp;

/// The member whom the guardrails bind, if they bind this actor.
pub(crate) fn bound<'a>(state: &State<'_>, actor: &'a Actor) -> Option<&'a MemberId> {
    match actor {
        Actor::System => None,
        Actor::Member(member) => {
            let is_owner = state.members.get(member).is_some_and(MemberEntry::is_owner);
            (!is_owner).then_some(member)
        }
    }
}

/// Particular cases that are barred even where nothing would be gained (E1, E3).
pub(crate) fn bar(
    state: &State<'_>,
    actor: &Actor,
    event: &Event,
    at: Timestamp,
) -> Result<(), CommandError> {
    let Some(actor) = bound(state, actor) else {
        return Ok(());
    };
    if let Event::AddedToGroup { group, members } = event {
        if members.contains(actor) && guard::stands("E1") {
            return Err(CommandError::SelfAddition {
                actor: actor.clone(),
                group: group.clone(),
            });
        }
    }
    if let Event::InvitationCancelled { member } = event {
        let status = state.members.get(member).map(MemberEntry::status);
        let status = status.filter(|status| !status.has_expired(at));
        let is_owners = matches!(status, Some(MemberStatus::Invited { as_owner: true, .. }));
        if is_owners && !state.can(actor, &Permission::MANAGE_OWNERS, Resource::Account) {
            return Err(CommandError::OwnerInvitation {
                actor: actor.clone(),
                member: member.clone(),
            });
        }
    }
    Ok(())
}

/// The theorem (E4), held on the resulting state whatever the command was: the actor holds nothing afterwards that
/// it did not hold before. Accepting an invitation, which somebody else issued, is the one exception.
///
/// `after` lies over `before`, so that only what changed is looked at.
pub(crate) fn no_gain(
    before: &State<'_>,
    after: &State<'_>,
    actor: &MemberId,
    event: &Event,
) -> Result<(), CommandError> {
    if matches!(event, Event::InvitationAccepted { member } if member == actor) {
        return Ok(());
    }
    let held = before.members.get(actor).filter(|entry| entry.is_active());
    let Some(holds) = after.members.get(actor).filter(|entry| entry.is_active()) else {
        return Ok(());
    };
    let gain = |permission: &Permission, resource| CommandError::SelfEscalation {
        actor: actor.clone(),
        permission: permission.clone(),
        resource,
    };
    if holds.is_owner() {
        return Err(gain(&Permission::MANAGE_OWNERS, Resource::Account));
    }
    let (held, holds) = (held.map(MemberEntry::groups), holds.groups());
    let held = held.as_ref();
    if let Some(permission) = gained(held, Some(&before.account), &holds, &after.account) {
        return Err(gain(permission, Resource::Account));
    }
    let is_elsewhere_too = held.is_none_or(|held| !holds.is_subset(held));
    let in_store = |store: &StoreId| {
        let permission = gained(
            held,
            before.granting(Resource::Store(store)),
            &holds,
            after.granting(Resource::Store(store))?,
        )?;
        Some(gain(permission, Resource::Store(store.clone())))
    };
    let first = if is_elsewhere_too {
        after.stores.iter().find_map(|(store, _)| in_store(store))
    } else {
        after.stores.touched().find_map(in_store)
    };
    first.map_or(Ok(()), Err)
}

/// The first permission in one place that a member in these groups holds afterwards and did not hold before.
fn gained<'a>(
    held: Option<&GroupSet>,
    granted: Option<&Granting>,
    holds: &'a GroupSet,
    grants: &'a Granting,
) -> Option<&'a Permission> {
    let before = |permission| {
        let granted = granted.and_then(|granted| granted.groups(permission));
        held.zip(granted)
            .is_some_and(|(held, granted)| granted.intersects(held))
    };
    grants
        .granted_to(holds)
        .find(|permission| !before(permission))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::Grant;
    use crate::id::{AccountId, GroupId, StoreId};
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
        before.insert_member(gil.clone(), MemberStatus::Active { owner: false });
        before.insert_member(
            ina.clone(),
            MemberStatus::Invited {
                as_owner: false,
                expires: None,
            },
        );
        before.insert_store(dev.clone());
        let (it, viewers) = (
            GroupId::parse("it").unwrap(),
            [Grant::store_viewer([dev.clone()])],
        );
        before.insert_group(
            &devs,
            GroupName::parse("Dev Team").unwrap(),
            Description::default(),
            &viewers,
        );
        before.insert_group(
            &it,
            GroupName::parse("IT Group").unwrap(),
            Description::default(),
            &viewers,
        );
        before.add_to_group(&it, [&gil, &ina]);
        let event = Event::StoreCreated { store: dev.clone() };
        let tried = |actor: &MemberId, change: &dyn Fn(&mut State<'_>)| {
            let mut after = State::over(&before);
            change(&mut after);
            no_gain(&before, &after, actor, &event).map_err(|refusal| refusal.to_string())
        };
        let gains = |what: &str| Err(format!("{what}; an account owner can make this change"));
        let editors = [Grant::store_editor([dev.clone()])];
        let managers = [Grant::group_manager()];

        assert_eq!(tried(&gil, &|_| ()), Ok(()));
        assert_eq!(
            tried(&gil, &|after| after
                .set_standing(&gil, MemberStatus::Active { owner: true })),
            gains("`gil` would give itself `account.manage_owners` at the account")
        );
        assert_eq!(
            tried(&gil, &|after| after.edit_group(
                &it,
                None,
                None,
                Some(&editors)
            )),
            gains("`gil` would give itself `store.write` in store `dev`")
        );
        assert_eq!(
            tried(&gil, &|after| after.edit_group(
                &it,
                None,
                None,
                Some(&managers)
            )),
            gains("`gil` would give itself `account.invite_members` at the account")
        );
        assert_eq!(
            tried(&gil, &|after| after.edit_group(
                &devs,
                None,
                None,
                Some(&editors)
            )),
            Ok(())
        );
        assert_eq!(
            tried(&gil, &|after| after.add_to_group(&devs, [&gil])),
            Ok(()),
            "nothing new"
        );
        assert_eq!(
            tried(&gil, &|after| {
                after.edit_group(&devs, None, None, Some(&editors));
                after.add_to_group(&devs, [&gil]);
            }),
            gains("`gil` would give itself `store.write` in store `dev`")
        );
        assert_eq!(
            tried(&ina, &|after| after
                .set_standing(&ina, MemberStatus::Active { owner: false })),
            gains("`ina` would give itself `store.read` in store `dev`")
        );
        assert_eq!(tried(&gil, &|after| after.remove_member(&gil)), Ok(()));
        // Elsewhere than in what changed: the group was widened before, and is joined now.
        before.edit_group(&devs, None, None, Some(&editors));
        let mut after = State::over(&before);
        after.add_to_group(&devs, [&gil]);
        let refusal = no_gain(&before, &after, &gil, &event).map_err(|refusal| refusal.code());
        assert_eq!(refusal, Err("self-escalation"));
    }
}

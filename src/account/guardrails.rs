//! What keeps those who manage from raising themselves (E1 to E4).
//!
//! They bind every member who is not an Account Owner, whatever gave it its powers. Owners have nothing to gain, and
//! the host acts for itself (E6).

use crate::access::Place;
use crate::account::command::Actor;
use crate::account::event::Event;
use crate::account::index::Granting;
use crate::account::member::{MemberEntry, Standing};
use crate::account::refusal::Refusal;
use crate::account::state::State;
use crate::id::{MemberId, StoreId};
use crate::permission::Permission;

/// The member whom the guardrails bind, if they bind this actor.
pub(crate) fn bound<'a>(state: &State<'_>, actor: &'a Actor) -> Option<&'a MemberId> {
    match actor {
        Actor::System => None,
        Actor::Member(member) => {
            let is_owner = state
                .members
                .get(member)
                .is_some_and(|entry| entry.standing.is_owner());
            (!is_owner).then_some(member)
        }
    }
}

/// Particular cases that are barred even where nothing would be gained (E1, E3).
pub(crate) fn bar(state: &State<'_>, actor: &Actor, event: &Event) -> Result<(), Refusal> {
    let Some(actor) = bound(state, actor) else {
        return Ok(());
    };
    if let Event::AddedToGroup { group, members } = event {
        if members.contains(actor) {
            return Err(Refusal::SelfAddition {
                actor: actor.clone(),
                group: group.clone(),
            });
        }
    }
    if let Event::InvitationCancelled { member } = event {
        let standing = state.members.get(member).map(|entry| entry.standing);
        let is_owners = matches!(standing, Some(Standing::Invited { as_owner: true, .. }));
        if is_owners && !state.can(actor, &Permission::MANAGE_OWNERS, Place::Account) {
            return Err(Refusal::OwnerInvitation {
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
) -> Result<(), Refusal> {
    if matches!(event, Event::InvitationAccepted { member } if member == actor) {
        return Ok(());
    }
    let held = before
        .members
        .get(actor)
        .filter(|entry| entry.standing.is_active());
    let Some(holds) = after
        .members
        .get(actor)
        .filter(|entry| entry.standing.is_active())
    else {
        return Ok(());
    };
    if holds.standing.is_owner() {
        return Err(Refusal::SelfOwnership {
            actor: actor.clone(),
        });
    }
    let gain = |permission: &Permission, place| Refusal::SelfEscalation {
        actor: actor.clone(),
        permission: permission.clone(),
        place,
    };
    if let Some(permission) = gained(held, Some(&before.account), holds, &after.account) {
        return Err(gain(permission, Place::Account));
    }
    let is_elsewhere_too = held.is_none_or(|held| !holds.groups.is_subset(&held.groups));
    let in_store = |store: &StoreId| {
        let permission = gained(
            held,
            before.stores.get(store),
            holds,
            after.stores.get(store)?,
        )?;
        Some(gain(permission, Place::Store(store.clone())))
    };
    let first = if is_elsewhere_too {
        after.stores.iter().find_map(|(store, _)| in_store(store))
    } else {
        after.stores.touched().find_map(in_store)
    };
    first.map_or(Ok(()), Err)
}

/// The first permission in one place that the member holds afterwards and did not hold before.
fn gained<'a>(
    held: Option<&MemberEntry>,
    granted: Option<&Granting>,
    holds: &'a MemberEntry,
    grants: &'a Granting,
) -> Option<&'a Permission> {
    let before = |permission| {
        held.zip(granted)
            .is_some_and(|(held, granted)| granted.grants(permission, &held.groups))
    };
    grants
        .granted_to(&holds.groups)
        .find(|permission| !before(permission))
}

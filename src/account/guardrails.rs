//! What keeps those who manage from raising themselves (E2, E4).
//!
//! The guardrails bind every member who is not an Account Owner, whatever gave it its powers. Owners have nothing to
//! gain, and the application acts for itself (E6).

use crate::access::Resource;
use crate::account::actor::Actor;
use crate::account::changes::Event;
use crate::account::command_error::CommandError;
use crate::account::data::AccountData;
use crate::account::data::draft::{Draft, DraftBase};
use crate::account::data::grant_index::GrantIndex;
use crate::account::data::member::MemberEntry;
use crate::account::data::slots::{Slot, SlotSet};
use crate::grant::Scope;
use crate::id::{MemberId, RoleId};
use crate::permission::{Permission, Powers};
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

/// The theorem (E4), held on the resulting rows whatever the command was: the actor has no way to a permission afterwards
/// that it did not have before. A way is a group that the actor is in, a role, and a place where the group grants the
/// role. A second way to what the actor holds already is one too: it would survive the loss of the first (E2).
/// Accepting an invitation, which somebody else issued, is the one exception.
///
/// What was touched is looked at, and nothing else: no sets of permissions are compared.
pub(crate) fn check_no_escalation<B: DraftBase>(
    before: &B,
    after: &Draft<'_, B>,
    actor: &MemberId,
    event: &Event,
) -> Result<(), CommandError> {
    if event.may_raise_its_actor() && event.can_be_caused_by(&Actor::Member(actor.clone())) {
        return Ok(());
    }
    let Some(member) = after.member(actor).filter(|member| member.is_active()) else {
        return Ok(());
    };
    let escalation = |permission: Permission, resource: Resource| CommandError::SelfEscalation {
        actor: actor.clone(),
        is_held: before.can(actor, &permission, resource.as_deref()),
        permission,
        resource,
    };
    if member.is_owner() {
        return Err(escalation(Permission::MANAGE_OWNERS, Resource::Account));
    }
    let groups = member.groups();
    let active_before = before.member(actor).filter(|member| member.is_active());
    let groups_before = active_before.map(MemberEntry::groups).unwrap_or_default();
    if !groups.is_subset(&groups_before) {
        let mut joined = after.groups_of(member);
        let joined =
            joined.find(|(id, _)| active_before.is_none() || !before.is_in_group(actor, id));
        return joined.map_or(Ok(()), |(group, _)| {
            Err(CommandError::SelfAddition {
                actor: actor.clone(),
                group: group.clone(),
            })
        });
    }
    let ways = Ways {
        before,
        after,
        groups,
    };
    let way = ways.first_granted().or_else(|| ways.first_redefined());
    let Some((role, resource)) = way else {
        return Ok(());
    };
    let held = after
        .role(&role)
        .map(Role::permissions)
        .into_iter()
        .flatten();
    let is_gain = |permission: &&Permission| !before.can(actor, permission, resource.as_deref());
    let permission = held.clone().find(is_gain).or_else(|| held.clone().next());
    permission.map_or(Ok(()), |permission| {
        Err(escalation(permission.clone(), resource))
    })
}

/// The ways by which a member of these groups holds permissions, before and after.
struct Ways<'a, B> {
    before: &'a B,
    after: &'a Draft<'a, B>,
    groups: SlotSet,
}

impl<B: DraftBase> Ways<'_, B> {
    /// The first role and place that one of the groups grants afterwards and did not grant before.
    fn first_granted(&self) -> Option<(RoleId, Resource)> {
        let mut touched = self.after.touched_indexes();
        touched.find_map(|(resource, after)| {
            let after = after?;
            let before = self.before.index(resource.as_deref());
            let mut granted = after.iter();
            let (role, _) = granted.find(|(role, granting)| {
                let had = |slot| grants(before, role, slot);
                let is_new = |slot| !had(slot) && !is_narrowing(before, after, role, slot);
                let mut ours = granting.iter().filter(|slot| self.groups.contains(*slot));
                ours.any(is_new)
            })?;
            Some((role.clone(), resource))
        })
    }

    /// The first role that holds more than before, and a place where one of the groups grants it.
    fn first_redefined(&self) -> Option<(RoleId, Resource)> {
        self.after.redefined_roles().find_map(|role| {
            let old = self.before.role(role)?;
            let new = self.after.role(role)?;
            if old.permissions.allows_all(&new.permissions) {
                return None;
            }
            let mut scopes = self
                .groups
                .iter()
                .filter_map(|slot| self.after.scope_of(slot, role));
            let place = scopes.find_map(|scope| match &*scope {
                Scope::Account => Some(Resource::Account),
                Scope::Stores(stores) => stores.first().cloned().map(Resource::Store),
            });
            place.map(|place| (role.clone(), place))
        })
    }
}

fn grants(index: Option<&GrantIndex>, role: &RoleId, slot: Slot) -> bool {
    let groups = index.and_then(|index| index.role(role));
    groups.is_some_and(|groups| groups.contains(slot))
}

/// The one swap that narrows (E2): Store Viewer in place of Store Editor, in the same store.
fn is_narrowing(
    before: Option<&GrantIndex>,
    after: &GrantIndex,
    role: &RoleId,
    slot: Slot,
) -> bool {
    let editor = RoleId::store_editor();
    *role == RoleId::store_viewer()
        && grants(before, &editor, slot)
        && !grants(Some(after), &editor, slot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::changes::StoreCreated;
    use crate::account::data::state::State;
    use crate::account::data::writes::Writes;
    use crate::account::status::MemberStatus;
    use crate::grant::Grant;
    use crate::id::{AccountId, GroupId, StoreId};
    use crate::name::{Description, GroupName};

    /// Whatever wrote the resulting state, a gain of the actor's own is found in it (E4): by ownership, by a group,
    /// by a group's grants at the account and in a store, by becoming active. No command could do the first and the
    /// last; the guardrail does not rely on that.
    #[test]
    #[allow(clippy::too_many_lines)] // a table of cases
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

        let joins = |who: &str, group: &str| {
            Err(format!(
                "`{who}` cannot add itself to group `{group}`; an account owner or another group manager can"
            ))
        };
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
            joins("gil", "devs"),
            "a second way to what it holds"
        );
        let viewer = RoleId::store_viewer();
        let more = |permissions: &[Permission]| permissions.iter().cloned().collect();
        assert_eq!(
            tried(&gil, &|after| after.redefine_role(
                &viewer,
                &more(&[Permission::STORE_READ, Permission::STORE_WRITE])
            )),
            gains("`gil` would give itself `store.write` in store `dev`")
        );
        let titles = Permission::parse("store.read.titles").unwrap();
        assert_eq!(
            tried(&gil, &|after| after.redefine_role(
                &viewer,
                &more(&[Permission::STORE_READ, titles.clone()])
            )),
            Ok(()),
            "what the role includes already is no growth (L7)"
        );
        assert_eq!(
            tried(&ina, &|after| after
                .set_status(&ina, MemberStatus::Active { owner: false })),
            joins("ina", "it")
        );
        assert_eq!(tried(&gil, &|after| after.remove_member(&gil)), Ok(()));
        // A second way by another role of the same group; and the swap that narrows, which is none (L2).
        let second = [
            Grant::store_viewer([dev.clone()]),
            Grant::store_editor([dev.clone()]),
        ];
        before.set_grants(&it, &editors);
        let tried = |grants: &[Grant]| {
            let mut after = Draft::over(&before);
            after.set_grants(&it, grants);
            check_no_escalation(&before, &after, &gil, &event).map_err(|error| error.to_string())
        };
        assert_eq!(
            tried(&second),
            gains("`gil` would give itself a second way to `store.read` in store `dev`")
        );
        assert_eq!(tried(&viewers), Ok(()));
    }
}

//! What holds in every account of the small world, and on every change.

use grantbook::*;

use super::content::Content;
use super::{Flaw, GROUPS, MEMBERS, PERMISSIONS, STORES, World, law, written};

/// What the account answers, one bit for each member, permission and place; found equal to what the content says.
pub(super) fn answers(
    account: &Account,
    content: &Content,
    world: &World,
    asked: &[Permission],
) -> Result<u64, Flaw> {
    let mut answers = 0;
    for (member, id) in MEMBERS.iter().enumerate().take(world.members) {
        for (permission, text) in asked.iter().zip(PERMISSIONS) {
            let resources = [Resource::Account, Resource::Store(0), Resource::Store(1)];
            for resource in resources.into_iter().take(1 + world.stores) {
                let there = match resource {
                    Resource::Account => Resource::Account,
                    Resource::Store(store) => Resource::Store(STORES[store]),
                };
                let (is, should) = (
                    account.can(id, permission, there),
                    content.may(world, member, text, resource),
                );
                law(is == should, "P1", || {
                    format!("can({id}, {text}, {there}) is {is}, and should be {should}")
                })?;
                answers = answers << 1 | u64::from(is);
            }
        }
    }
    Ok(answers)
}

/// An active owner is there, and the owners' list is right (A2). Each group lists the members who are in it by their
/// own entries, and its scopes the stores that are there.
pub(super) fn check_lists(account: &Account, content: &Content) -> Result<(), Flaw> {
    let owners: Vec<_> = (0..MEMBERS.len())
        .filter(|member| content.is_owner(*member))
        .collect();
    law(!owners.is_empty(), "A2", || {
        "no active owner is left".to_owned()
    })?;
    law(
        account
            .owners()
            .map(MemberId::as_str)
            .eq(owners.iter().map(|owner| MEMBERS[*owner])),
        "A2",
        || format!("owners() is {:?}", account.owners().collect::<Vec<_>>()),
    )?;
    for (number, id) in GROUPS.iter().enumerate() {
        let members = MEMBERS.iter().zip(content.members);
        let mut members = members.filter(|(_, member)| member.groups & 1 << number != 0);
        let Some(group) = account.group(id) else {
            law(members.next().is_none(), "G7", || {
                format!("somebody is in `{id}`, which is not there")
            })?;
            continue;
        };
        let listed = || group.members().map(MemberId::as_str);
        let agrees =
            listed().eq(members.map(|(id, _)| *id)) && listed().count() == group.member_count();
        law(agrees, "M5", || {
            let (listed, count) = (listed().collect::<Vec<_>>(), group.member_count());
            format!(
                "`{id}` lists {listed:?}, counts {count}, and its members' own entries say otherwise"
            )
        })?;
        let known = |grant: &Grant| grant.scope.stores().all(|store| account.has_store(store));
        law(group.grants().iter().all(known), "S3", || {
            format!("`{id}` has a store in its scope that is not there")
        })?;
    }
    Ok(())
}

/// The bits of [`answers`] that are about one member.
fn of_member(world: &World, member: usize) -> u64 {
    let each = PERMISSIONS.len() * (1 + world.stores);
    ((1 << each) - 1) << ((world.members - 1 - member) * each)
}

/// What holds in every state and takes longer to look at: each list says what the check says, and the index is what a
/// new one would be.
pub(super) fn check_state(account: &Account, asked: &[Permission]) -> Result<(), Flaw> {
    for permission in asked {
        for resource in [Resource::Account]
            .into_iter()
            .chain(STORES.map(Resource::Store))
        {
            let can: Vec<_> = MEMBERS
                .into_iter()
                .filter(|member| account.can(member, permission, resource))
                .collect();
            law(
                account
                    .who_can(permission, resource, None)
                    .map(MemberId::as_str)
                    .eq(can.iter().copied()),
                "P1",
                || format!("who_can({permission}, {resource}) is not {can:?}"),
            )?;
        }
    }
    for member in MEMBERS {
        let effective = account.effective_permissions(member);
        for permission in asked {
            for resource in [Resource::Account]
                .into_iter()
                .chain(STORES.map(Resource::Store))
            {
                let can = account.can(member, permission, resource);
                let allowed = account.check(member, permission, resource).is_allowed();
                law(
                    can == allowed && can == effective.can(permission, resource),
                    "P1",
                    || {
                        format!(
                            "effective_permissions({member}) and can disagree: {permission} {resource}"
                        )
                    },
                )?;
            }
            let stores = STORES
                .into_iter()
                .filter(|store| account.can(member, permission, Resource::Store(store)));
            law(
                account
                    .stores_for(member, permission, None)
                    .map(StoreId::as_str)
                    .eq(stores),
                "P1",
                || format!("stores_for({member}, {permission}) and can disagree"),
            )?;
        }
    }
    law(account.index_is_exact(), "G9", || {
        "the index is not what a new one would be".to_owned()
    })
}

/// One state, with what is asked of each change that leads out of it.
pub(super) struct Before<'a> {
    pub(super) world: &'a World,
    pub(super) content: Content,
    pub(super) answers: u64,
}

impl Before<'_> {
    /// What holds of every refusal: who may not ask is told that, and nobody else is (U3).
    pub(super) fn check_refusal(
        &self,
        actor: &Actor,
        command: &Command,
        refusal: &CommandError,
    ) -> Result<(), Flaw> {
        let denied = ["not-authorized", "host-only", "no-invitation"].contains(&refusal.code());
        law(
            denied != self.content.is_entitled(self.world, actor, command),
            "U3",
            || {
                format!(
                    "{actor} asks {}, and is told {}",
                    written(command),
                    refusal.code()
                )
            },
        )
    }

    /// What holds of every accepted command: it is one event, or changes nothing (U1), and nobody but an owner gains
    /// by what it did itself (E1, E3, E4). Whoever or whatever is new starts from nothing (M3, M5, S2, S3).
    pub(super) fn check_accepted(
        &self,
        actor: &Actor,
        command: &Command,
        after: Option<(&Content, u64)>,
    ) -> Result<(), Flaw> {
        law(
            self.content.is_entitled(self.world, actor, command),
            "U3",
            || format!("{actor} may not ask {}", written(command)),
        )?;
        let Some((after, answers)) = after else {
            return Ok(());
        };
        let same = Content {
            is_late: self.content.is_late,
            ..*after
        };
        law(same != self.content, "U1", || {
            format!("{} left all as it was", written(command))
        })?;
        for (member, id) in MEMBERS.iter().enumerate() {
            let (was, is) = (self.content.members[member], after.members[member]);
            let is_new = match command {
                Command::InviteMember { member, .. } => member.as_str() == *id,
                Command::AddMembers { members } => {
                    members.contains(*id) && !self.content.is_active(member)
                }
                _ => was.status.is_none(),
            };
            law(!is_new || is.groups == 0, "M5", || {
                format!("{id} comes with groups")
            })?;
            let is_actor = matches!(actor, Actor::Member(actor) if actor.as_str() == *id);
            if !is_actor
                || self.content.is_owner(member)
                || matches!(command, Command::AcceptInvitation {})
            {
                continue;
            }
            law(is.groups & !was.groups == 0, "E1", || {
                format!("{id} put itself in a group")
            })?;
            law(!after.is_owner(member), "E3", || {
                format!("{id} made itself an owner")
            })?;
            law(
                answers & !self.answers & of_member(self.world, member) == 0,
                "E4",
                || format!("{id} gave itself what it did not have"),
            )?;
        }
        let new_stores = after.stores & !self.content.stores;
        let in_scope = after
            .groups
            .iter()
            .flatten()
            .flatten()
            .flatten()
            .any(|scope| scope & new_stores != 0);
        law(!in_scope, "S2, S3", || {
            "a new store is in a scope".to_owned()
        })
    }
}

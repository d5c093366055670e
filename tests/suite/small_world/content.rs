//! What an account of the small world holds, in plain words and numbers, and what the rules say of it.

use grantbook::*;

use super::{END, Flaw, GROUPS, MEMBERS, OWN_ROLE, ROLES, STORES, World, law};

/// All that an account of this world holds, its version aside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Content {
    pub(super) members: [MemberContent; MEMBERS.len()],
    pub(super) groups: [Option<GroupContent>; GROUPS.len()],
    /// One bit a store.
    pub(super) stores: u64,
    /// Which of the world's permissions the account's own role has, counted from 1; 0 where there is no such role.
    pub(super) role: u64,
    /// Whether the last record was made at the [`END`] or later.
    pub(super) is_late: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct MemberContent {
    pub(super) status: Option<MemberStatus>,
    /// One bit a group.
    pub(super) groups: u64,
}

/// For each of [`ROLES`]: nothing, or the scope, one bit a store; the account's scope is [`ACCOUNT`].
pub(super) type GroupContent = [Option<u64>; ROLES.len()];
const ACCOUNT: u64 = 1 << STORES.len();

impl Content {
    /// Read by the account's plain readers.
    pub(super) fn of(account: &Account, world: &World) -> Result<Self, Flaw> {
        let member = |id: &str| {
            account.member(id).map_or(
                MemberContent {
                    status: None,
                    groups: 0,
                },
                |member| MemberContent {
                    status: Some(member.status()),
                    groups: bits(GROUPS.iter().map(|group| member.is_in(group))),
                },
            )
        };
        let role = match account.role(OWN_ROLE) {
            None => 0,
            Some(role) => {
                let known = world
                    .permissions
                    .iter()
                    .position(|known| known == role.permissions());
                let Some(known) = known else {
                    return Err(("L3", format!("the role has {:?}", role.permissions())));
                };
                known as u64 + 1
            }
        };
        let mut groups = [None; GROUPS.len()];
        for (content, id) in groups.iter_mut().zip(GROUPS) {
            if let Some(group) = account.group(id) {
                *content = Some(group_content(&group)?);
            }
        }
        Ok(Self {
            members: MEMBERS.map(member),
            groups,
            stores: bits(STORES.iter().map(|store| account.has_store(store))),
            role,
            is_late: account.changed_at() >= END,
        })
    }

    /// All of it as one number; different content, different number.
    pub(super) fn packed(&self) -> u64 {
        let mut packed = u64::from(self.is_late);
        let mut pack = |value: u64, bits: u32| {
            assert!(value < 1 << bits, "{self:?} does not fit");
            packed = packed << bits | value;
        };
        for member in self.members {
            let status = match member.status {
                None => 0,
                Some(MemberStatus::Active { owner }) => 1 + u64::from(owner),
                Some(MemberStatus::Invited { as_owner, expires }) => {
                    assert!(expires.is_none_or(|expires| expires == END));
                    3 + u64::from(as_owner) + 2 * u64::from(expires.is_some())
                }
            };
            pack(status, 3);
            pack(member.groups, 2);
        }
        for group in self.groups {
            for scope in group.unwrap_or_default() {
                pack(scope.map_or(0, |scope| scope + 1), 3);
            }
            // A group without grants would look as no group does; the laws say that there is none (G4).
        }
        pack(self.stores, 2);
        pack(self.role, 2);
        packed
    }

    fn status(&self, member: usize) -> Option<MemberStatus> {
        self.members[member].status
    }

    pub(super) fn is_active(&self, member: usize) -> bool {
        self.status(member).is_some_and(MemberStatus::is_active)
    }

    pub(super) fn is_owner(&self, member: usize) -> bool {
        self.status(member).is_some_and(MemberStatus::is_owner)
    }

    /// Whether a member may do something somewhere, by the rules in words (L2, L5, L6, P1 to P4).
    pub(super) fn may(
        &self,
        world: &World,
        member: usize,
        permission: &str,
        resource: Resource<usize>,
    ) -> bool {
        let here = match resource {
            Resource::Account => ACCOUNT,
            Resource::Store(store) => 1 << store,
        };
        if here != ACCOUNT && self.stores & here == 0 || !self.is_active(member) {
            return false;
        }
        if self.is_owner(member) {
            return true;
        }
        let holds = |role: usize| match ROLES[role] {
            "group-manager" => permission == "account.manage_groups",
            "store-editor" => ["store.read", "store.write"].contains(&permission),
            "store-viewer" => permission == "store.read",
            _ => {
                let position = usize::try_from(self.role).unwrap_or(0);
                position > 0 && world.permissions[position - 1].contains(permission)
            }
        };
        let grants = |group: &GroupContent| {
            (0..ROLES.len())
                .any(|role| group[role].is_some_and(|scope| scope & here != 0) && holds(role))
        };
        let in_group = |group: usize| self.members[member].groups & 1 << group != 0;
        (0..GROUPS.len())
            .any(|group| in_group(group) && self.groups[group].is_some_and(|group| grants(&group)))
    }

    /// Whether an actor may issue such a command, by the rules in words (L5, E5, E6).
    pub(super) fn is_entitled(&self, world: &World, actor: &Actor, command: &Command) -> bool {
        let Actor::Member(actor) = actor else {
            return !matches!(command, Command::AcceptInvitation {});
        };
        let actor = MEMBERS.iter().position(|id| *id == actor.as_str());
        let actor = actor.expect("actors are of this world");
        match command {
            Command::AcceptInvitation {} => {
                matches!(self.status(actor), Some(MemberStatus::Invited { .. }))
            }
            Command::AddMembers { .. } => false,
            Command::InviteMember {
                as_owner: false, ..
            }
            | Command::CancelInvitation { .. }
            | Command::CreateGroup { .. }
            | Command::EditGroup { .. }
            | Command::DeleteGroup { .. }
            | Command::AddToGroup { .. }
            | Command::RemoveFromGroup { .. } => {
                self.may(world, actor, "account.manage_groups", Resource::Account)
            }
            _ => self.is_owner(actor),
        }
    }
}

fn bits(are: impl Iterator<Item = bool>) -> u64 {
    are.zip(0..).map(|(is, bit)| u64::from(is) << bit).sum()
}

fn group_content(group: &Group<'_>) -> Result<GroupContent, Flaw> {
    let mut content = GroupContent::default();
    law(!group.grants().is_empty(), "G4", || {
        format!("`{}` has no grants", group.id())
    })?;
    for grant in group.grants() {
        let role = ROLES.iter().position(|role| *role == grant.role.as_str());
        let role = role.ok_or_else(|| ("L3", format!("a grant of {}", grant.role)))?;
        law(content[role].is_none(), "G4", || {
            format!("`{}` carries `{}` twice", group.id(), ROLES[role])
        })?;
        content[role] = Some(match &grant.scope {
            Scope::Account => ACCOUNT,
            Scope::Stores(stores) => bits(STORES.iter().map(|store| stores.contains(*store))),
        });
    }
    Ok(content)
}

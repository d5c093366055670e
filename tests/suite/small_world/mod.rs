//! The small world: every account that a handful of ids can lead to, explored breadth first with every command by every
//! actor in every state: through the crate's own `decide` and `apply`, or through the model, whole or without a rule
//! ([`Subject`]).
//!
//! A state is known by all that the plain readers tell of it, packed into one number (`packed.rs`), so that no two are
//! taken for one. What they do not tell (which group holds which slot, the order in the hash tables) depends on the way
//! there, of which one is followed; so every answer, and every list that a group or the account keeps beside the
//! members' own entries, is looked at on every change and not only in every state. The first law that does not hold is
//! reported with the shortest sequence of commands that leads there. The laws are the model's (`model/laws.rs`).

use std::collections::BTreeSet;
use std::fmt;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeRole, CreateGroup,
    CreateStore, DefineRole, DeleteGroup, DeleteRole, DeleteStore, EditGroup, GrantOwnership,
    InviteMember, RemoveFromGroup, RemoveMembers, RevokeOwnership,
};
use grantbook::*;

mod explore;
mod packed;
mod subject;

use crate::model::Flaw;
use explore::Step;
pub(crate) use explore::explore;
pub(crate) use subject::{Crate, Subject};

pub(crate) const MEMBERS: [&str; 3] = ["ann", "bob", "cat"];
pub(crate) const STORES: [&str; 2] = ["dev", "prod"];
const GROUPS: [&str; 2] = ["left", "right"];
const OWN_ROLE: &str = "own";
/// The roles that a group can carry, in the order in which their scopes are packed.
const ROLES: [&str; 4] = ["group-manager", "store-editor", "store-viewer", OWN_ROLE];
/// What is asked of everybody everywhere.
pub(crate) const PERMISSIONS: [&str; 5] = [
    "store.read",
    "store.write",
    "log.read",
    "account.manage_groups",
    "account.manage_owners",
];

const START: Timestamp = Timestamp::from_millis(1);
/// When an invitation that ends comes to its end.
const END: Timestamp = Timestamp::from_millis(2);

/// How small a world is.
pub(crate) struct World {
    /// So many of [`MEMBERS`]; the first is the first owner.
    members: usize,
    /// So many of [`STORES`].
    stores: usize,
    /// The grants that each of the two groups may be given.
    grants: [Vec<Vec<Grant>>; GROUPS.len()],
    /// The permissions that the account's own role may be given.
    permissions: Vec<BTreeSet<Permission>>,
    /// Whether there are invitations that end, and a clock that runs both ways.
    has_time: bool,
}

/// What a whole exploration came to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Figures {
    /// Different accounts.
    pub(crate) states: usize,
    /// Commands decided.
    pub(crate) decisions: u64,
    /// Of those, changes.
    pub(crate) changes: u64,
    /// The most commands that it takes to reach a state.
    pub(crate) depth: usize,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures {
            states,
            decisions,
            changes,
            depth,
        } = self;
        write!(
            f,
            "{states} states, {decisions} decisions, {changes} changes, depth {depth}"
        )
    }
}

/// A law that did not hold.
pub(crate) struct Violation {
    pub(crate) flaw: Flaw,
    /// The shortest way there.
    pub(crate) steps: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.flaw.fmt(f)?;
        for (number, step) in (1..).zip(&self.steps) {
            write!(f, "\n  {number}. {step}")?;
        }
        Ok(())
    }
}

impl World {
    /// Two members and one store: for builds without optimization, and for the peers.
    pub(crate) fn smallest() -> Self {
        Self {
            members: 2,
            stores: 1,
            grants: [vec![manager(), viewer([0])], vec![editor([0]), own([0])]],
            permissions: vec![permissions(&["log.read"])],
            has_time: false,
        }
    }

    /// Three members, two stores, the built-in roles and one of the account's own, which can be redefined.
    pub(crate) fn small() -> Self {
        Self {
            members: 3,
            stores: 2,
            grants: [vec![manager(), viewer([0, 1])], vec![editor([0]), own([1])]],
            permissions: vec![
                permissions(&["log.read"]),
                permissions(&["log.read", "store.write"]),
            ],
            has_time: false,
        }
    }

    /// Three members, a group of managers, invitations that end and a clock that runs both ways; no store.
    pub(crate) fn smallest_timed() -> Self {
        Self {
            members: 3,
            stores: 0,
            grants: [vec![manager()], Vec::new()],
            permissions: Vec::new(),
            has_time: true,
        }
    }

    /// The same with two groups of managers.
    pub(crate) fn timed() -> Self {
        Self {
            grants: [vec![manager()], vec![manager()]],
            ..Self::smallest_timed()
        }
    }

    /// As [`small`](World::small), and groups that carry two roles, Group Manager among them.
    pub(crate) fn large() -> Self {
        let mut world = Self::small();
        world.grants[0].push([manager(), editor([0])].concat());
        world.grants[1].push(viewer([0, 1]));
        world
    }

    fn actors(&self) -> Vec<Actor> {
        let members = MEMBERS.iter().take(self.members);
        let members = members.map(|id| Actor::Member(parsed(id, MemberId::parse)));
        members.chain([Actor::System]).collect()
    }

    /// Every command by every actor, at every time there is.
    fn steps(&self) -> Vec<Step> {
        let times: &[Timestamp] = if self.has_time {
            &[START, END]
        } else {
            &[START]
        };
        let mut steps = Vec::new();
        for actor in 0..self.actors().len() {
            for command in self.commands() {
                steps.extend(times.iter().map(|at| Step {
                    actor,
                    command: command.clone(),
                    at: *at,
                }));
            }
        }
        steps
    }

    fn commands(&self) -> Vec<Command> {
        let members: Vec<_> = MEMBERS
            .iter()
            .take(self.members)
            .map(|id| parsed(id, MemberId::parse))
            .collect();
        let some_members: Vec<BTreeSet<_>> = (1..1 << self.members)
            .map(|chosen| {
                members
                    .iter()
                    .zip(0..)
                    .filter(|(_, bit)| chosen & 1 << bit != 0)
                    .map(|(id, _)| id.clone())
                    .collect()
            })
            .collect();
        let expiries: &[_] = if self.has_time {
            &[None, Some(END)]
        } else {
            &[None]
        };
        let mut commands = vec![Command::AcceptInvitation(AcceptInvitation {})];
        for member in members {
            for as_owner in [false, true] {
                commands.extend(expiries.iter().map(|expires| {
                    Command::InviteMember(InviteMember {
                        member: member.clone(),
                        as_owner,
                        expires: *expires,
                    })
                }));
            }
            commands.push(Command::CancelInvitation(CancelInvitation {
                member: member.clone(),
            }));
            commands.push(Command::RemoveMembers(RemoveMembers {
                members: [member.clone()].into(),
            }));
            commands.push(Command::GrantOwnership(GrantOwnership {
                member: member.clone(),
            }));
            commands.push(Command::RevokeOwnership(RevokeOwnership { member }));
        }
        commands.extend(some_members.iter().map(|members| {
            Command::AddMembers(AddMembers {
                members: members.clone(),
            })
        }));
        for id in STORES.iter().take(self.stores) {
            let store = parsed(id, StoreId::parse);
            commands.push(Command::CreateStore(CreateStore {
                store: store.clone(),
            }));
            commands.push(Command::DeleteStore(DeleteStore { store }));
        }
        for (id, grants) in GROUPS.iter().zip(&self.grants) {
            let group = parsed(id, GroupId::parse);
            for grants in grants {
                commands.push(Command::CreateGroup(CreateGroup {
                    group: group.clone(),
                    name: parsed(id, GroupName::parse),
                    description: Description::default(),
                    grants: grants.clone(),
                }));
                commands.push(Command::EditGroup(EditGroup {
                    group: group.clone(),
                    name: None,
                    description: None,
                    grants: Some(grants.clone()),
                }));
            }
            for members in &some_members {
                commands.push(Command::AddToGroup(AddToGroup {
                    group: group.clone(),
                    members: members.clone(),
                }));
                commands.push(Command::RemoveFromGroup(RemoveFromGroup {
                    group: group.clone(),
                    members: members.clone(),
                }));
            }
            commands.push(Command::DeleteGroup(DeleteGroup { group }));
        }
        for permissions in &self.permissions {
            commands.push(Command::DefineRole(DefineRole {
                role: own_role(),
                name: parsed("Own Role", RoleName::parse),
                level: RoleLevel::Store,
                permissions: permissions.clone(),
            }));
            commands.push(Command::ChangeRole(ChangeRole {
                role: own_role(),
                name: None,
                permissions: Some(permissions.clone()),
            }));
        }
        if !self.permissions.is_empty() {
            commands.push(Command::DeleteRole(DeleteRole { role: own_role() }));
        }
        commands
    }
}

fn parsed<T>(text: &str, parse: impl Fn(&str) -> Result<T, ParseError>) -> T {
    parse(text).expect("the world's own text is well formed")
}

fn permissions(texts: &[&str]) -> BTreeSet<Permission> {
    texts
        .iter()
        .map(|text| parsed(text, Permission::parse))
        .collect()
}

fn own_role() -> RoleId {
    parsed(OWN_ROLE, RoleId::parse)
}

fn manager() -> Vec<Grant> {
    vec![Grant::group_manager()]
}

fn editor<const N: usize>(positions: [usize; N]) -> Vec<Grant> {
    vec![Grant::store_editor(stores(positions))]
}

fn viewer<const N: usize>(positions: [usize; N]) -> Vec<Grant> {
    vec![Grant::store_viewer(stores(positions))]
}

fn own<const N: usize>(positions: [usize; N]) -> Vec<Grant> {
    vec![Grant::in_stores(own_role(), stores(positions))]
}

/// The stores of [`STORES`] at these positions.
fn stores<const N: usize>(positions: [usize; N]) -> BTreeSet<StoreId> {
    positions
        .into_iter()
        .map(|position| parsed(STORES[position], StoreId::parse))
        .collect()
}

fn written(command: &Command) -> String {
    serde_json::to_string(command).expect("a command can be written")
}

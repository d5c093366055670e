//! The small world: every account that a handful of ids can lead to, explored breadth first with every command by every
//! actor in every state: through the crate's own `decide` and `apply`, or through the model, whole or without a rule
//! ([`Subject`]).
//!
//! A state is known by all that the plain readers tell of it, packed into one number (`packed.rs`), so that no two are
//! taken for one. What they do not tell (which group holds which slot, the order in the hash tables) depends on the way
//! there, of which one is followed; so every answer, and every list that a group or the account keeps beside the
//! members' own entries, is looked at on every change and not only in every state. The first law that does not hold is
//! reported with the shortest sequence of commands that leads there. The laws are the model's (`model/laws.rs`).
//!
//! Everything at once would not come to an end, so each world leaves something out. In all of them members are added,
//! invited, suspended, reinstated, made owners and removed, several at once, and leave; groups get exact sets of members.
//!
//! | world | members | stores | and besides | leaves out |
//! |---|---|---|---|---|
//! | `smallest` | 2 | 1 | two roles of one group and one of the other granted and revoked by themselves; a role of the account's own | |
//! | `small` | 3 | 2 | one role granted and revoked in one of its two stores; a role of the account's own | invitations as an owner |
//! | `limited` | 2 | 1 | limits for the groups, and closing | roles of the account's own, and grants one by one |
//! | `smallest_timed`, `timed` | 3 | 0 | invitations that end, and a clock that runs both ways; one or two groups of managers | stores |
//! | `large` | 3 | 2 | as `small`, with what it leaves out, and an own role that is redefined | |

use std::collections::BTreeSet;
use std::fmt;

use grantbook::*;

mod explore;
mod packed;
mod steps;
mod subject;

use crate::model::Flaw;
pub(crate) use explore::explore;
pub(crate) use subject::{Crate, Subject};

pub(crate) const MEMBERS: [&str; 3] = ["ann", "bob", "cat"];
pub(crate) const STORES: [&str; 2] = ["dev", "prod"];
const GROUPS: [&str; 2] = ["left", "right"];
const OWN_ROLE: &str = "own";
/// The roles that a group can carry, in the order in which their scopes are packed.
const ROLES: [&str; 4] = ["group-manager", "store-editor", "store-viewer", OWN_ROLE];
/// What is asked of everybody everywhere.
pub(crate) const PERMISSIONS: [&str; 6] = [
    "store.read",
    "store.write",
    "store.write.tuples",
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
    /// The grants that each of the groups may be given and lose one by one.
    narrow: [Vec<Grant>; GROUPS.len()],
    /// The permissions that the account's own role may be given.
    permissions: Vec<BTreeSet<Permission>>,
    /// Whether there are invitations that end, and a clock that runs both ways.
    has_time: bool,
    /// Whether somebody may be invited as an owner.
    invites_owners: bool,
    /// The limits that the account may be given. Where there are any, it may be closed as well.
    limits: &'static [u16],
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
    /// Two members and one store: for builds without optimization.
    pub(crate) fn smallest() -> Self {
        Self {
            members: 2,
            stores: 1,
            grants: [vec![manager(), own([0])], vec![editor([0]), viewer([0])]],
            narrow: [[manager(), own([0])].concat(), viewer([0])],
            permissions: vec![permissions(&["log.read", "store.write.tuples"])],
            has_time: false,
            invites_owners: true,
            limits: &[],
        }
    }

    /// Three members and two stores.
    pub(crate) fn small() -> Self {
        Self {
            members: 3,
            stores: 2,
            grants: [vec![manager(), viewer([0, 1])], vec![editor([0]), own([1])]],
            narrow: [viewer([0]), Vec::new()],
            invites_owners: false,
            ..Self::smallest()
        }
    }

    /// Two members and one store, limits for the groups, and an end.
    pub(crate) fn limited() -> Self {
        Self {
            grants: [vec![manager()], vec![viewer([0])]],
            narrow: [Vec::new(), Vec::new()],
            permissions: Vec::new(),
            limits: &[1, 2],
            ..Self::smallest()
        }
    }

    /// Three members, a group of managers, invitations that end and a clock that runs both ways; no store.
    pub(crate) fn smallest_timed() -> Self {
        Self {
            members: 3,
            stores: 0,
            grants: [vec![manager()], Vec::new()],
            narrow: [Vec::new(), Vec::new()],
            permissions: Vec::new(),
            has_time: true,
            ..Self::smallest()
        }
    }

    /// The same with two groups of managers.
    pub(crate) fn timed() -> Self {
        Self {
            grants: [vec![manager()], vec![manager()]],
            ..Self::smallest_timed()
        }
    }

    /// As [`small`](World::small), with invited owners and an own role that can be redefined.
    pub(crate) fn large() -> Self {
        let mut world = Self::small();
        world.invites_owners = true;
        world
            .permissions
            .push(permissions(&["log.read", "store.write"]));
        world
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

pub(crate) fn own_role() -> RoleId {
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

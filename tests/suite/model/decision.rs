//! Which command is refused for what, in the order of U3.

use std::collections::BTreeSet;

use grantbook::command::{
    AcceptInvitation, AddToGroup, CancelInvitation, EditGroup, SetGroupMembers,
};
use grantbook::{Actor, Command, Scope};

use super::actions::{Named, Takes, as_asked, conflicts, is_ownership_name, named, takes};
use super::state::{Set, State, Status, Where};
use super::{MAX_ITEMS_PER_COMMAND, Model, Reasons, Rule};

/// The last millisecond before the year 10000 (U2).
const LAST_MOMENT: u64 = 253_402_300_799_999;

/// The codes of U3's first step.
pub(crate) const FORBIDDEN: [&str; 5] = [
    "not-authorized",
    "system-only",
    "no-invitation",
    "no-membership",
    "account-closed",
];

/// Of these reasons those that stand.
fn standing<const N: usize>(reasons: [(&'static str, bool); N]) -> Reasons {
    let standing = reasons.into_iter().filter(|(_, stands)| *stands);
    standing.map(|(code, _)| code).collect()
}

fn step(reasons: Reasons) -> Result<(), Reasons> {
    if reasons.is_empty() {
        return Ok(());
    }
    Err(reasons)
}

/// What an actor may issue.
pub(crate) struct Entitlement<'a> {
    is_closed: bool,
    is_host: bool,
    status: Option<Status>,
    /// What its groups hold at the account.
    held: BTreeSet<&'a str>,
}

impl Entitlement<'_> {
    /// U3, first: why the actor may not issue such a command, or none if it may.
    pub(crate) fn lacks(&self, command: &Command) -> Option<&'static str> {
        if self.is_closed {
            return Some("account-closed"); // A5: nobody does anything any more.
        }
        let (code, may) = match takes(command) {
            Takes::Host => ("system-only", self.is_host), // M7
            // M3, Decision 1: one's own and nobody else's, so that the application has none.
            Takes::Invitation => {
                let is_invited = matches!(self.status, Some(Status::Invited { .. }));
                ("no-invitation", is_invited)
            }
            // M5: oneself and nobody else.
            Takes::Membership => {
                let code = if self.is_host {
                    "no-membership"
                } else {
                    "not-authorized"
                };
                (code, self.status.is_some_and(Status::is_active))
            }
            // L5, E5, E6: by what the check that the application uses says.
            Takes::Permission(permission) => {
                let is_owner = self.status == Some(Status::Active { owner: true });
                let may = self.is_host || is_owner || self.held.contains(permission);
                ("not-authorized", may)
            }
        };
        (!may).then_some(code)
    }
}

impl State {
    pub(crate) fn entitlement(&self, actor: &Actor) -> Entitlement<'_> {
        match actor {
            Actor::System => Entitlement {
                is_closed: self.is_closed,
                is_host: true,
                status: None,
                held: BTreeSet::new(),
            },
            Actor::Member(member) => Entitlement {
                is_closed: self.is_closed,
                is_host: false,
                status: self.status(member),
                held: self.holdings(member).remove(&None).unwrap_or_default(),
            },
        }
    }

    /// The actor, if the guardrails constrain it: whoever is not an owner (Decision 11), and not the application (E6).
    pub(super) fn constrained<'a>(&self, actor: &'a Actor) -> Option<&'a str> {
        match actor {
            Actor::Member(member) if !self.is_owner(member) => Some(member),
            _ => None,
        }
    }

    /// Whether a member has a way to a permission that it did not have before (E4): a group that it is in, a role, a
    /// place and a permission. E2's swap narrows, and is none.
    pub(super) fn gives_new_ways_over(&self, before: &Self, member: &str) -> bool {
        let had = before.ways_of(member);
        let has = self.ways_of(member);
        let is_swap = |way: &Way<'_>| {
            let in_place_of = |permission| Way {
                role: "store-editor",
                permission,
                ..*way
            };
            way.role == "store-viewer"
                && had.contains(&in_place_of("store.read"))
                && !has.contains(&in_place_of("store.read"))
        };
        // L7: what the role allowed there before is no growth.
        let is_known = |way: &Way<'_>| {
            had.iter().any(|old| {
                let is_same = (old.group, old.role, old.place) == (way.group, way.role, way.place);
                is_same && includes(old.permission, way.permission)
            })
        };
        self.is_owner(member) || has.iter().any(|way| !is_known(way) && !is_swap(way))
    }

    /// Whether a member is in a group that it was not in before, or was not active in (E1, E4).
    pub(super) fn joins_since(&self, before: &Self, member: &str) -> bool {
        let mut groups = self.groups_of(member);
        let was_in = |group: &str| before.is_active(member) && before.is_in(member, group);
        self.is_active(member) && groups.any(|group| !was_in(group))
    }

    /// The ways by which a member holds anything.
    fn ways_of<'a>(&'a self, member: &str) -> BTreeSet<Way<'a>> {
        let mut ways = BTreeSet::new();
        if !self.is_active(member) {
            return ways;
        }
        let groups = self.groups.iter();
        for (group, facts) in groups.filter(|(_, group)| group.members.contains(member)) {
            for ((role, at_account), stores) in &facts.grants {
                let stores = stores.iter().map(|store| Some(store.as_str()));
                for place in stores.chain(at_account.then_some(None)) {
                    let permissions = self.roles[role].permissions.iter();
                    ways.extend(permissions.map(|permission| Way {
                        group,
                        role,
                        place,
                        permission,
                    }));
                }
            }
        }
        ways
    }
}

/// L7: by further segments.
fn includes(held: &str, other: &str) -> bool {
    let further = other.strip_prefix(held);
    further.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Way<'a> {
    group: &'a str,
    role: &'a str,
    place: Where<'a>,
    permission: &'a str,
}

impl Model {
    /// What the command leads to, or none if it finds everything as asked (U1). The steps are those of U3.
    pub(crate) fn decide(
        self,
        before: &State,
        actor: &Actor,
        command: &Command,
        now: u64,
    ) -> Result<Option<State>, Reasons> {
        let now = now.max(before.last); // U2: time does not run backwards.
        if let Some(code) = self.seen(before).entitlement(actor).lacks(command) {
            return Err([code].into());
        }
        let named = named(command);
        step(malformed(before, command, &named, now))?;
        step(missing(before, &named))?;
        step(at_wrong_level(before, &named))?; // Decision 14: after existence, before the guardrails.
        step(self.barred(before, actor, command, now))?;
        let mut after = before.clone();
        self.make_so(&mut after, actor, command);
        step(self.escalated(before, actor, command, &after))?;
        let has_owner = self.seen(&after).has_active_owner();
        let last_owner = standing([("last-owner", !has_owner && self.has(Rule::A2))]);
        step(&conflicts(before, actor, command, now) | &last_owner)?;
        if after == *before {
            return Ok(None);
        }
        let version = before.version.checked_add(1); // U2
        (after.last, after.version) = (now, version.ok_or(["versions-exhausted"])?);
        after.revise(before);
        Ok(Some(after))
    }

    /// U3, fourth: the guardrails against a case, whatever would come of it.
    fn barred(self, state: &State, actor: &Actor, command: &Command, now: u64) -> Reasons {
        let Some(actor) = state.constrained(actor) else {
            return Reasons::new();
        };
        standing(match command {
            // E1: even if it gains nothing.
            Command::AddToGroup(AddToGroup { members, .. }) => {
                let adds_itself = members.contains(actor) && self.has(Rule::E1);
                [("self-addition", adds_itself)]
            }
            Command::SetGroupMembers(SetGroupMembers { group, members }) => {
                let adds_itself = members.contains(actor) && !state.is_in(actor, group);
                [("self-addition", adds_itself && self.has(Rule::E1))]
            }
            // E3, Decision 3
            Command::CancelInvitation(CancelInvitation { member }) => {
                let status = state.status(member).filter(|status| !status.is_over(now));
                let is_owners = matches!(status, Some(Status::Invited { as_owner: true, .. }));
                [("owner-invitation", is_owners)]
            }
            _ => return Reasons::new(),
        })
    }

    /// U3, fourth: E4, and E2, which is what E4 says of a change to the grants of a group. Has the actor a way to anything
    /// afterwards that it did not have before?
    fn escalated(self, before: &State, actor: &Actor, command: &Command, after: &State) -> Reasons {
        let is_looked_at = match command {
            Command::AcceptInvitation(AcceptInvitation {}) => false, // Which somebody else issued.
            Command::EditGroup(_) | Command::GrantRole(_) => {
                self.has(Rule::E2) && self.has(Rule::E4)
            }
            _ => self.has(Rule::E4),
        };
        let actor = before.constrained(actor).filter(|_| is_looked_at);
        let gains = actor.is_some_and(|actor| {
            let joins = self.has(Rule::E1) && after.joins_since(before, actor);
            joins || after.gives_new_ways_over(before, actor)
        });
        standing([("self-escalation", gains)])
    }
}

/// U3, second: is it well formed?
fn malformed(state: &State, command: &Command, named: &Named<'_>, now: u64) -> Reasons {
    let grants = named.grants.unwrap_or_default();
    let permissions = named.permissions.as_ref();
    // U7: each kind by itself, the stores over all grants.
    let stores = grants.iter().map(|grant| grant.scope.stores().count());
    let many = [
        named.listed,
        named.scope.as_ref().map_or(0, Set::len),
        grants.len(),
        stores.sum(),
        permissions.map_or(0, Set::len),
    ];
    // U1, Decision 15: the grants that the group has may lack their stores (S3). In any other list each grant is whole,
    // also where it names a role a second time.
    let are_as_before = matches!(command, Command::EditGroup(EditGroup { group, .. })
        if state.groups.get(group.as_str()).is_some_and(|group| group.grants == as_asked(grants)));
    let is_empty = |grant: &grantbook::Grant| grant.scope == Scope::Stores([].into());
    let any = |prefix| {
        let mut permissions = permissions.into_iter().flatten();
        permissions.any(|permission| permission.starts_with(prefix))
    };
    standing([
        (
            "too-many-named",
            many.iter().any(|many| *many > MAX_ITEMS_PER_COMMAND),
        ), // U7
        (
            "time-out-of-range",
            now > LAST_MOMENT || named.until.is_some_and(|end| end > LAST_MOMENT),
        ), // U2
        ("expiry-passed", named.until.is_some_and(|end| end <= now)), // M3, Decision 2
        ("no-grants", named.grants.is_some_and(<[_]>::is_empty)),     // G4
        (
            "empty-scope",
            !are_as_before && grants.iter().any(is_empty)
                || named.scope.as_ref().is_some_and(Set::is_empty),
        ), // G5, G8
        (
            "too-many-changed",
            changed(state, command) > MAX_ITEMS_PER_COMMAND,
        ), // G11
        ("no-permissions", permissions.is_some_and(Set::is_empty)),   // L3
        ("reserved-permission", any("account.")),                     // L5
        ("store-permission", named.at_account && any("store.")),      // L5
        (
            "ownership-name",
            named.called.iter().any(|text| is_ownership_name(text)),
        ), // M6
    ])
}

/// How many would come into a group and go (G11).
fn changed(state: &State, command: &Command) -> usize {
    let Command::SetGroupMembers(SetGroupMembers { group, members }) = command else {
        return 0;
    };
    let members = super::state::texts(members);
    let current = state.groups.get(group.as_str()).map(|group| &group.members);
    current.map_or(0, |current| (current ^ &members).len())
}

/// U3, third: what it names and is not there.
fn missing(state: &State, named: &Named<'_>) -> Reasons {
    let grants = as_asked(named.grants.unwrap_or_default());
    let is_member = |id| state.members.contains_key(id);
    let is_store = |id| state.stores.contains(id);
    let is_group = |id| state.groups.contains_key(id);
    let is_role = |id| state.roles.contains_key(id);
    let mut stores = named.stores.iter().chain(grants.values().flatten());
    let mut roles = named
        .roles
        .iter()
        .chain(grants.keys().map(|(role, _)| role)); // G5
    standing([
        ("unknown-member", !named.members.iter().all(is_member)),
        ("unknown-store", !stores.all(is_store)),
        ("unknown-group", !named.groups.iter().all(is_group)),
        ("unknown-role", !roles.all(is_role)),
    ])
}

/// U3, third: a role at the wrong level.
fn at_wrong_level(state: &State, named: &Named<'_>) -> Reasons {
    let grants = as_asked(named.grants.unwrap_or_default());
    let is_misfit =
        |(role, at_account): &(String, bool)| state.roles[role].at_account != *at_account;
    let is_other_level = named.level.is_some_and(|at_account| {
        let mut roles = named.roles.iter();
        roles.any(|role| state.roles[role].at_account != at_account)
    });
    let mut permissions = named.permissions.iter().flatten();
    let are_of_stores = permissions.any(|text| text.starts_with("store."));
    let is_of_account = named.roles.iter().any(|role| state.roles[role].at_account);
    standing([
        (
            "scope-mismatch",
            grants.keys().any(is_misfit) || is_other_level, // G5, G8
        ),
        ("store-permission", is_of_account && are_of_stores), // L5
    ])
}

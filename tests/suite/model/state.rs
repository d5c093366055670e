//! What an account holds, and what follows for its members.

use std::collections::{BTreeMap, BTreeSet};

use grantbook::{RoleId, Scope};

pub(crate) type Set = BTreeSet<String>;
/// A store, or the account.
pub(crate) type Where<'a> = Option<&'a str>;
/// The stores of each role, by its id and whether it is given at the account; no stores there (G5).
pub(crate) type Grants = BTreeMap<(String, bool), Set>;
/// What somebody may do, by place.
pub(crate) type Holdings<'a> = BTreeMap<Where<'a>, BTreeSet<&'a str>>;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Status {
    Active { owner: bool },
    Suspended { owner: bool },
    Invited { as_owner: bool, until: Option<u64> },
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) grants: Grants,
    pub(crate) members: Set,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Role {
    pub(crate) name: String,
    pub(crate) at_account: bool,
    pub(crate) permissions: Set,
    pub(crate) built_in: bool,
}

/// An account, and the time and number of its last record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct State {
    pub(crate) members: BTreeMap<String, Status>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) stores: Set,
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) group_limit: usize,
    pub(crate) is_closed: bool,
    pub(crate) last: u64,
    pub(crate) version: u64,
    /// The version that last changed a role, or of a group what defines it and who is in it (U8), by what it is and the
    /// id.
    pub(crate) revisions: Revisions,
}

pub(crate) type Revisions = BTreeMap<(&'static str, String), u64>;

pub(crate) fn texts<T: AsRef<str>>(these: impl IntoIterator<Item = T>) -> Set {
    these
        .into_iter()
        .map(|one| one.as_ref().to_owned())
        .collect()
}

/// G4: a role named twice has its stores united.
pub(crate) fn merged<'a>(grants: impl Iterator<Item = (&'a RoleId, &'a Scope)>) -> Grants {
    let mut merged = Grants::new();
    for (role, scope) in grants {
        let key = (role.as_str().to_owned(), *scope == Scope::Account);
        let stores = merged.entry(key).or_default();
        stores.extend(texts(scope.stores()));
    }
    merged
}

impl Status {
    pub(crate) fn is_active(self) -> bool {
        matches!(self, Status::Active { .. })
    }

    pub(crate) fn is_invited(self) -> bool {
        matches!(self, Status::Invited { .. })
    }

    /// M3: an invitation is over *at* its expiry (Decision 2).
    pub(crate) fn is_over(self, now: u64) -> bool {
        matches!(self, Status::Invited { until: Some(until), .. } if until <= now)
    }
}

impl State {
    /// A1: one owner, active. L1, L5: the built-in roles.
    pub(crate) fn open(owner: &str, group_limit: usize, now: u64) -> Self {
        Self {
            members: [(owner.to_owned(), Status::Active { owner: true })].into(),
            groups: BTreeMap::new(),
            stores: Set::new(),
            roles: built_in_roles(),
            group_limit,
            is_closed: false,
            last: now,
            version: 1,
            revisions: Revisions::new(),
        }
    }

    pub(crate) fn status(&self, member: &str) -> Option<Status> {
        self.members.get(member).copied()
    }

    pub(crate) fn is_active(&self, member: &str) -> bool {
        self.status(member).is_some_and(Status::is_active)
    }

    pub(crate) fn is_owner(&self, member: &str) -> bool {
        self.status(member) == Some(Status::Active { owner: true })
    }

    /// A2.
    pub(crate) fn has_active_owner(&self) -> bool {
        self.members.keys().any(|id| self.is_owner(id))
    }

    pub(crate) fn is_in(&self, member: &str, group: &str) -> bool {
        let group = self.groups.get(group);
        group.is_some_and(|group| group.members.contains(member))
    }

    /// The ids of a member's groups.
    pub(crate) fn groups_of<'a>(&'a self, member: &'a str) -> impl Iterator<Item = &'a str> {
        let within = self
            .groups
            .iter()
            .filter(move |(_, group)| group.members.contains(member));
        within.map(|(id, _)| id.as_str())
    }

    /// P1: the union over all roles of all groups; L6: each role in its stores, or at the account. An owner's
    /// everything (P2) is not in it.
    pub(crate) fn holdings(&self, member: &str) -> Holdings<'_> {
        let mut holdings = Holdings::new();
        // M1: nothing before it is active; P4: nothing for whoever is unknown, nor in a closed account.
        if self.is_closed || !self.is_active(member) {
            return holdings;
        }
        let groups = self.groups.values();
        for group in groups.filter(|group| group.members.contains(member)) {
            for ((role, at_account), stores) in &group.grants {
                let stores = stores.iter().map(|store| Some(store.as_str()));
                for place in stores.chain(at_account.then_some(None)) {
                    let permissions = self.roles[role].permissions.iter();
                    let there = holdings.entry(place).or_default();
                    there.extend(permissions.map(String::as_str));
                }
            }
        }
        holdings
    }

    /// Why this member may not, or none if it may, given what its groups hold. P4: the member, the store, the
    /// permission.
    pub(crate) fn denial(
        &self,
        (member, holdings): (&str, &Holdings<'_>),
        permission: &str,
        place: Where<'_>,
    ) -> Option<&'static str> {
        if self.is_closed {
            return Some("account-closed"); // A5
        }
        match self.status(member) {
            None => return Some("unknown-member"),
            Some(Status::Invited { .. }) => return Some("invited"), // M1
            Some(Status::Suspended { .. }) => return Some("suspended"), // M8
            Some(Status::Active { .. }) => {}
        }
        if place.is_some_and(|store| !self.stores.contains(store)) {
            return Some("unknown-store");
        }
        let there = holdings.get(&place);
        let by_group = there.is_some_and(|there| there.iter().any(|held| covers(held, permission)));
        let may = self.is_owner(member) || by_group; // P2, P1
        (!may).then_some("missing-permission")
    }

    /// P5.
    pub(crate) fn level(&self, member: (&str, &Holdings<'_>), store: &str) -> &'static str {
        let may = |permission| self.denial(member, permission, Some(store)).is_none();
        match (may("store.read"), may("store.write")) {
            (true, _) if self.is_owner(member.0) => "owner",
            (true, true) => "editor",
            (true, false) => "viewer",
            (false, _) if self.holds_nothing(member, store) => "none",
            (false, _) => "custom",
        }
    }

    /// Whether none of a member's roles counts in a store that is there (each role holds something: L3).
    fn holds_nothing(&self, (member, holdings): (&str, &Holdings<'_>), store: &str) -> bool {
        let is_somewhere = self.stores.contains(store) && self.is_active(member);
        !is_somewhere || !holdings.contains_key(&Some(store))
    }

    /// Whether somebody may manage groups, as owners and group managers may (G1).
    pub(crate) fn manages(&self, member: &str) -> bool {
        let known = (member, &self.holdings(member));
        self.denial(known, "account.manage_groups", None).is_none()
    }

    /// U8: sets the revisions of what this version has changed, whatever the command was.
    pub(super) fn revise(&mut self, before: &Self) {
        let mut revisions = Revisions::new();
        let mut revise = |what, id: &String, is_as_before: bool| {
            let key = (what, id.clone());
            let old = before.revisions.get(&key).filter(|_| is_as_before);
            revisions.insert(key, old.copied().unwrap_or(self.version));
        };
        for (id, role) in self.roles.iter().filter(|(_, role)| !role.built_in) {
            revise("role", id, before.roles.get(id) == Some(role));
        }
        for (id, group) in &self.groups {
            let old = before.groups.get(id);
            let is_defined_alike = |old: &Group| {
                let of_old = (&old.name, &old.description, &old.grants);
                of_old == (&group.name, &group.description, &group.grants)
            };
            revise("definition", id, old.is_some_and(is_defined_alike));
            let has_same_members = old.is_some_and(|old| old.members == group.members);
            revise("membership", id, has_same_members);
        }
        self.revisions = revisions;
    }

    /// Everything but the time and the number of the last record, and revisions.
    pub(crate) fn has_content_of(&self, other: &Self) -> bool {
        self.members == other.members
            && self.groups == other.groups
            && self.stores == other.stores
            && self.roles == other.roles
            && self.group_limit == other.group_limit
            && self.is_closed == other.is_closed
    }
}

/// L7: whether what is held has the segments of what is asked for, one by one, as far as it goes.
fn covers(held: &str, asked: &str) -> bool {
    let asked: Vec<_> = asked.split('.').collect();
    let held: Vec<_> = held.split('.').collect();
    asked.starts_with(&held)
}

/// L1, L5.
pub(crate) fn built_in_roles() -> BTreeMap<String, Role> {
    let role = |name: &str, at_account, permissions: &[&str]| Role {
        name: name.to_owned(),
        at_account,
        permissions: texts(permissions),
        built_in: true,
    };
    let manages = ["account.invite_members", "account.manage_groups"];
    let edits = ["store.read", "store.write"]; // L2
    let roles = [
        ("group-manager", role("Group Manager", true, &manages)),
        ("store-editor", role("Store Editor", false, &edits)),
        ("store-viewer", role("Store Viewer", false, &["store.read"])),
    ];
    roles.map(|(id, role)| (id.to_owned(), role)).into()
}

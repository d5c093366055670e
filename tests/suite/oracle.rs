//! The rules once more, slowly: `docs/rules.md` and the decisions of `docs/design.md`, restated over plain lists of
//! plain text. It was written from those pages and not from the crate, with which it shares nothing but the command
//! that goes in. Nothing here is indexed, kept up to date or thought ahead: a change is made on a copy of everything,
//! and what a member may do is added up from the groups each time it is asked.

use std::collections::{BTreeMap, BTreeSet};

use grantbook::{Actor, Command, Grant, RoleLevel, Scope, Timestamp};

type Set = BTreeSet<String>;
/// Where: a store, or the account.
type Where<'a> = Option<&'a str>;
/// Every reason that stands at the first step of U3 where one stands; U3 does not order the reasons of one step.
pub(crate) type Reasons = BTreeSet<&'static str>;
/// By role, and whether it is given at the account: its stores, none at the account (G5).
pub(crate) type Grants = BTreeMap<(String, bool), Set>;
/// What somebody may do, by place.
pub(crate) type Holdings<'a> = BTreeMap<Where<'a>, BTreeSet<&'a str>>;

const MOST_NAMED: usize = 10_000;
const MOST_IN_BATCH: usize = 1_000;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stands {
    Active { owner: bool },
    Invited { as_owner: bool, until: Option<u64> },
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct GroupFacts {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) grants: Grants,
    pub(crate) members: Set,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct RoleFacts {
    pub(crate) name: String,
    pub(crate) at_account: bool,
    pub(crate) permissions: Set,
    pub(crate) built_in: bool,
}

/// An account, and the time and number of its last record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Oracle {
    pub(crate) members: BTreeMap<String, Stands>,
    pub(crate) groups: BTreeMap<String, GroupFacts>,
    pub(crate) stores: Set,
    pub(crate) roles: BTreeMap<String, RoleFacts>,
    pub(crate) group_limit: usize,
    pub(crate) last: u64,
    pub(crate) version: u64,
}

/// What comes of some commands: for each whether it changed something, or which was refused, and why.
pub(crate) type Verdict = Result<Vec<bool>, (Option<usize>, Reasons)>;

fn texts<T: AsRef<str>>(these: impl IntoIterator<Item = T>) -> Set {
    these
        .into_iter()
        .map(|one| one.as_ref().to_owned())
        .collect()
}

/// G4: a role named twice has its stores united.
fn united(grants: &[Grant]) -> Grants {
    let mut united = Grants::new();
    for grant in grants {
        let (at_account, stores) = match &grant.scope {
            Scope::Account => (true, Set::new()),
            Scope::Stores(stores) => (false, texts(stores)),
        };
        let role = grant.role.to_string();
        united.entry((role, at_account)).or_default().extend(stores);
    }
    united
}

/// M6, Decision 10: `account`, then perhaps something that is neither letter nor digit, then `owner`.
fn is_called_ownership(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let between = text
        .strip_prefix("account")
        .and_then(|rest| rest.strip_suffix("owner"));
    between.is_some_and(|between| !between.contains(|c: char| c.is_ascii_alphanumeric()))
}

/// Of these reasons those that stand.
fn status<const N: usize>(reasons: [(&'static str, bool); N]) -> Reasons {
    let status = reasons.into_iter().filter(|(_, stands)| *stands);
    status.map(|(code, _)| code).collect()
}

/// The members that a command names in a list.
fn members_in(command: &Command) -> Set {
    match command {
        Command::AddMembers { members }
        | Command::AddToGroup { members, .. }
        | Command::RemoveFromGroup { members, .. } => texts(members),
        _ => Set::new(),
    }
}

/// The grants that a command would give to a group, as it has them.
fn as_written(command: &Command) -> Option<&[Grant]> {
    match command {
        Command::CreateGroup { grants, .. } => Some(grants),
        Command::EditGroup { grants, .. } => grants.as_deref(),
        _ => None,
    }
}

/// The grants that a command would give to a group.
fn grants_in(command: &Command) -> Option<Grants> {
    as_written(command).map(united)
}

/// The permissions that a command would give to a role.
fn permissions_in(command: &Command) -> Option<Set> {
    match command {
        Command::DefineRole { permissions, .. } => Some(texts(permissions)),
        Command::ChangeRole { permissions, .. } => permissions.as_ref().map(texts),
        _ => None,
    }
}

/// L5: the permission that a command takes.
fn permission_for(command: &Command) -> &'static str {
    match command {
        // M2, E3; M6
        Command::InviteMember { as_owner: true, .. }
        | Command::GrantOwnership { .. }
        | Command::RevokeOwnership { .. } => "account.manage_owners",
        // M2, M3
        Command::InviteMember { .. } | Command::CancelInvitation { .. } => "account.invite_members",
        Command::RemoveMember { .. } => "account.remove_members", // M5
        // S1
        Command::CreateStore { .. } | Command::DeleteStore { .. } => "account.manage_stores",
        // L3
        Command::DefineRole { .. } | Command::ChangeRole { .. } | Command::DeleteRole { .. } => {
            "account.manage_roles"
        }
        _ => "account.manage_groups", // G1
    }
}

/// M3: over *at* its expiry (Decision 2).
fn is_over(stands: Stands, now: u64) -> bool {
    matches!(stands, Stands::Invited { until: Some(until), .. } if until <= now)
}

impl Oracle {
    /// A1: one owner, active. L1, L5: the built-in roles.
    pub(crate) fn open(owner: &str, group_limit: usize, now: u64) -> Self {
        let role = |name: &str, at_account, permissions: &[&str]| RoleFacts {
            name: name.to_owned(),
            at_account,
            permissions: texts(permissions),
            built_in: true,
        };
        let manages = ["account.invite_members", "account.manage_groups"];
        let roles = [
            ("group-manager", role("Group Manager", true, &manages)),
            (
                "store-editor",
                role("Store Editor", false, &["store.read", "store.write"]),
            ), // L2
            ("store-viewer", role("Store Viewer", false, &["store.read"])),
        ];
        Self {
            members: [(owner.to_owned(), Stands::Active { owner: true })].into(),
            groups: BTreeMap::new(),
            stores: Set::new(),
            roles: roles.map(|(id, role)| (id.to_owned(), role)).into(),
            group_limit,
            last: now,
            version: 1,
        }
    }

    // Answers.

    pub(crate) fn is_owner(&self, member: &str) -> bool {
        self.members.get(member) == Some(&Stands::Active { owner: true })
    }

    /// P1: the union over all roles of all groups; L6: each role in its stores, or at the account. An owner's
    /// everything (P2) is not in it.
    pub(crate) fn holdings(&self, member: &str) -> Holdings<'_> {
        let mut holdings = Holdings::new();
        // M1: nothing before it is active; P4: nothing for whoever is unknown.
        if !matches!(self.members.get(member), Some(Stands::Active { .. })) {
            return holdings;
        }
        for group in self
            .groups
            .values()
            .filter(|group| group.members.contains(member))
        {
            for ((role, at_account), stores) in &group.grants {
                let permissions = self.roles[role].permissions.iter().map(String::as_str);
                let stores = stores.iter().map(|store| Some(store.as_str()));
                for resource in stores.chain(at_account.then_some(None)) {
                    holdings
                        .entry(resource)
                        .or_default()
                        .extend(permissions.clone());
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
        resource: Where<'_>,
    ) -> Option<&'static str> {
        match self.members.get(member) {
            None => return Some("unknown-member"),
            Some(Stands::Invited { .. }) => return Some("invited"), // M1
            Some(Stands::Active { .. }) => {}
        }
        if resource.is_some_and(|store| !self.stores.contains(store)) {
            return Some("unknown-store");
        }
        let by_group = holdings
            .get(&resource)
            .is_some_and(|there| there.contains(permission));
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
            (false, _) => "none",
        }
    }

    /// Whether somebody may manage groups, as owners and group managers may (G1).
    pub(crate) fn manages(&self, member: &str) -> bool {
        let known = (member, &self.holdings(member));
        self.denial(known, "account.manage_groups", None).is_none()
    }

    // Decisions.

    /// U4: all or none, each on what those before it leave (Decision 12). The index is given where there are several.
    pub(crate) fn execute(&mut self, actor: &Actor, commands: &[Command], now: u64) -> Verdict {
        let index = |index| (commands.len() > 1).then_some(index);
        if commands.len() > MOST_IN_BATCH {
            // U7: whoever may not issue the first of them is told that and not the count; both are about the whole.
            let reasons = self.unauthorized(actor, &commands[0]);
            let too_large = status([("batch-too-large", reasons.is_empty())]);
            return Err((None, &reasons | &too_large));
        }
        let mut after = self.clone();
        let mut changed = Vec::new();
        for (number, command) in commands.iter().enumerate() {
            let next = after.decide(actor, command, now);
            let next = next.map_err(|reasons| (index(number), reasons))?;
            changed.push(next != after);
            after = next;
        }
        *self = after;
        Ok(changed)
    }

    /// What the command leads to: all as it was if it finds everything as asked (U1). The steps are those of U3.
    fn decide(&self, actor: &Actor, command: &Command, now: u64) -> Result<Self, Reasons> {
        let now = now.max(self.last); // U2: time does not run backwards.
        let step = |reasons: Reasons| match reasons.len() {
            0 => Ok(()),
            _ => Err(reasons),
        };
        step(self.unauthorized(actor, command))?;
        step(self.malformed(command, now))?;
        step(self.missing(command))?;
        step(self.at_wrong_level(command))?; // Decision 14: after existence, before the guardrails.
        step(self.barred(actor, command, now))?;
        let mut after = self.clone();
        after.make_so(actor, command, now);
        step(self.escalated(actor, command, &after))?;
        step(self.conflicting(command, &after, actor, now))?;
        if after != *self {
            (after.last, after.version) = (now, self.version + 1); // U2
        }
        Ok(after)
    }

    /// U3, first: may the actor issue such a command?
    fn unauthorized(&self, actor: &Actor, command: &Command) -> Reasons {
        let who = match actor {
            Actor::Member(member) => Some(member.as_str()),
            Actor::System => None,
        };
        let stands = who.and_then(|member| self.members.get(member));
        let (code, may) = match (command, who) {
            (Command::AddMembers { .. }, _) => ("host-only", who.is_none()), // M7
            // M3, Decision 1: one's own and nobody else's, so that the host has none.
            (Command::AcceptInvitation {}, _) => {
                let invited = matches!(stands, Some(Stands::Invited { .. }));
                ("no-invitation", invited)
            }
            (_, None) => ("", true), // E6
            // L5, E5, E6: by the check that the host uses.
            (_, Some(member)) => {
                let known = (member, &self.holdings(member));
                let denial = self.denial(known, permission_for(command), None);
                ("not-authorized", denial.is_none())
            }
        };
        status([(code, !may)])
    }

    /// U3, second: is it well formed?
    fn malformed(&self, command: &Command, now: u64) -> Reasons {
        let written = as_written(command);
        let grants = written.unwrap_or_default();
        // U7: each kind by itself, the stores over all grants.
        let stores = grants.iter().map(|grant| grant.scope.stores().count());
        let permissions = permissions_in(command);
        let permissions_named = permissions.as_ref().map_or(0, BTreeSet::len);
        let members = members_in(command).len();
        let named = [members, grants.len(), stores.sum(), permissions_named];
        // U1, Decision 15: the grants that the group has may lack their stores (S3). In any other list each grant is
        // whole, also where it names a role a second time.
        let as_it_is = matches!(command, Command::EditGroup { group, .. }
            if self.groups.get(group.as_str()).is_some_and(|group| group.grants == united(grants)));
        let is_empty = |grant: &Grant| grant.scope == Scope::Stores(BTreeSet::new());
        let any = |prefix| {
            let mut all = permissions.iter().flatten();
            all.any(|permission| permission.starts_with(prefix))
        };
        let (mut called, mut at_account, mut end) = (vec![], false, None);
        match command {
            Command::InviteMember { expires, .. } => end = expires.map(Timestamp::as_millis),
            Command::DefineRole {
                role, name, level, ..
            } => {
                called.extend([role.as_str(), name.as_str()]);
                at_account = *level == RoleLevel::Account;
            }
            Command::ChangeRole { name, .. } => called.extend(name.as_deref()),
            _ => {}
        }
        status([
            (
                "too-many-named",
                named.iter().any(|&many| many > MOST_NAMED),
            ), // U7
            ("expiry-passed", end.is_some_and(|end| end <= now)), // M3, Decision 2
            ("no-grants", written.is_some() && grants.is_empty()), // G4
            ("empty-scope", !as_it_is && grants.iter().any(is_empty)), // G5
            (
                "no-permissions",
                permissions.as_ref().is_some_and(Set::is_empty),
            ), // L3
            ("reserved-permission", any("account.")),             // L5
            ("store-permission", at_account && any("store.")),    // L5
            (
                "ownership-name",
                called.into_iter().any(is_called_ownership),
            ), // M6
        ])
    }

    /// U3, third: what it names and is not there.
    fn missing(&self, command: &Command) -> Reasons {
        // M4; but one may enrol whoever is not there.
        let mut members = members_in(command);
        members.retain(|_| !matches!(command, Command::AddMembers { .. }));
        let (mut stores, mut groups, mut roles) = (Set::new(), Set::new(), Set::new());
        for ((role, _), scope) in grants_in(command).unwrap_or_default() {
            roles.insert(role); // G5
            stores.extend(scope);
        }
        match command {
            Command::CancelInvitation { member }
            | Command::RemoveMember { member }
            | Command::GrantOwnership { member }
            | Command::RevokeOwnership { member } => members.extend(texts([member])),
            Command::DeleteStore { store } => stores.extend(texts([store])),
            Command::EditGroup { group, .. }
            | Command::DeleteGroup { group }
            | Command::AddToGroup { group, .. }
            | Command::RemoveFromGroup { group, .. } => groups.extend(texts([group])),
            Command::ChangeRole { role, .. } | Command::DeleteRole { role } => {
                roles.extend(texts([role]));
            }
            _ => {}
        }
        let is_member = |id| self.members.contains_key(id);
        let is_group = |id| self.groups.contains_key(id);
        let is_role = |id| self.roles.contains_key(id);
        status([
            ("unknown-member", !members.iter().all(is_member)),
            ("unknown-store", !stores.is_subset(&self.stores)),
            ("unknown-group", !groups.iter().all(is_group)),
            ("unknown-role", !roles.iter().all(is_role)),
        ])
    }

    /// U3, third: a role at the wrong level.
    fn at_wrong_level(&self, command: &Command) -> Reasons {
        let grants = grants_in(command).unwrap_or_default();
        let mut misfits = grants
            .keys()
            .filter(|(role, at)| self.roles[role].at_account != *at);
        let changed = match command {
            Command::ChangeRole { role, .. } => Some(&self.roles[role.as_str()]),
            _ => None,
        };
        let permissions = permissions_in(command).unwrap_or_default();
        let of_stores = permissions.iter().any(|text| text.starts_with("store."));
        let at_account = changed.is_some_and(|role| role.at_account);
        status([
            ("scope-mismatch", misfits.next().is_some()),  // G5
            ("store-permission", at_account && of_stores), // L5
        ])
    }

    /// The actor, if the guardrails bind it: whoever is not an owner (Decision 11), and not the host (E6).
    fn bound<'a>(&self, actor: &'a Actor) -> Option<&'a str> {
        match actor {
            Actor::Member(member) if !self.is_owner(member) => Some(member),
            _ => None,
        }
    }

    /// U3, fourth: the guardrails against a case, whatever would come of it.
    fn barred(&self, actor: &Actor, command: &Command, now: u64) -> Reasons {
        let Some(actor) = self.bound(actor) else {
            return Reasons::new();
        };
        let cancelled = match command {
            Command::CancelInvitation { member } => self.members.get(member.as_str()).copied(),
            _ => None,
        };
        let of_owner = matches!(cancelled, Some(Stands::Invited { as_owner: true, .. }));
        let is_over = cancelled.is_some_and(|stands| is_over(stands, now));
        let adds = matches!(command, Command::AddToGroup { .. });
        status([
            ("self-addition", adds && members_in(command).contains(actor)), // E1: even if it gains nothing.
            ("owner-invitation", of_owner && !is_over),                     // E3, Decision 3
        ])
    }

    /// U3, fourth: E2 and E4. Does the actor hold anything afterwards that it did not hold before?
    fn escalated(&self, actor: &Actor, command: &Command, after: &Self) -> Reasons {
        let Some(actor) = self.bound(actor) else {
            return Reasons::new();
        };
        let (before, then) = (self.holdings(actor), after.holdings(actor));
        let had = |resource, what| {
            before
                .get(resource)
                .is_some_and(|there| there.contains(what))
        };
        let mut gained = then
            .iter()
            .filter(|(resource, there)| there.iter().any(|what| !had(*resource, what)));
        let gains = gained.next().is_some() || after.is_owner(actor);
        let accepts = matches!(command, Command::AcceptInvitation {}); // Which somebody else issued.
        status([("self-escalation", gains && !accepts)])
    }

    /// U3, last: what does not go together with what is there.
    fn conflicting(&self, command: &Command, after: &Self, actor: &Actor, now: u64) -> Reasons {
        let mut reasons = Reasons::new();
        let mut conflict = |code: &'static str, there: bool| {
            if there {
                reasons.insert(code);
            }
        };
        let stands = |member: &str| self.members.get(member).copied();
        let is_active = |member: &str| matches!(stands(member), Some(Stands::Active { .. }));
        let over = |member: &str| stands(member).is_some_and(|stands| is_over(stands, now));
        let invited =
            |member: &str| stands(member).is_some() && !is_active(member) && !over(member);
        let group_named = |name: &str, own: &str| {
            let mut others = self.groups.iter().filter(|(id, _)| *id != own);
            others.any(|(_, group)| group.name.eq_ignore_ascii_case(name)) // G3
        };
        let role_named = |name: &str, own: &str| {
            let mut others = self.roles.iter().filter(|(id, _)| *id != own);
            others.any(|(_, role)| role.name.eq_ignore_ascii_case(name)) // L3
        };
        let built_in = |role: &str| self.roles[role].built_in;
        match command {
            Command::InviteMember { member, .. } => {
                conflict("already-member", is_active(member)); // M3
                conflict("already-invited", invited(member));
            }
            Command::AcceptInvitation {} => {
                let over = matches!(actor, Actor::Member(id) if over(id));
                conflict("invitation-expired", over); // M3
            }
            Command::CancelInvitation { member } => conflict("not-invited", is_active(member)), // M3
            Command::AddMembers { members } => {
                conflict("already-invited", members.iter().any(|id| invited(id))); // M7
            }
            Command::GrantOwnership { member } | Command::RevokeOwnership { member } => {
                conflict("not-active", !is_active(member)); // M6, Decision 7
            }
            Command::CreateStore { store } => {
                conflict("store-exists", self.stores.contains(store.as_str())); // S1
            }
            Command::CreateGroup { group, name, .. } => {
                conflict("group-exists", self.groups.contains_key(group.as_str())); // G1
                conflict("group-name-taken", group_named(name, group));
                conflict("too-many-groups", self.groups.len() >= self.group_limit); // A3
            }
            Command::EditGroup {
                group,
                name: Some(name),
                ..
            } => {
                conflict("group-name-taken", group_named(name, group));
            }
            Command::DeleteGroup { group } => {
                let members = &self.groups[group.as_str()].members;
                conflict("group-has-members", !members.is_empty()); // G7
            }
            Command::AddToGroup { group, members } => {
                // M4, Decision 3: into no further group.
                let there = &self.groups[group.as_str()].members;
                let mut new = members.iter().filter(|id| !there.contains(id.as_str()));
                conflict("invitation-expired", new.any(|id| over(id)));
            }
            Command::DefineRole { role, name, .. } => {
                conflict("role-exists", self.roles.contains_key(role.as_str())); // L1, L3
                conflict("role-name-taken", role_named(name, role));
            }
            Command::ChangeRole { role, name, .. } => {
                conflict("built-in-role", built_in(role)); // L1
                let is_taken = name.as_ref().is_some_and(|name| role_named(name, role));
                conflict("role-name-taken", is_taken);
            }
            Command::DeleteRole { role } => {
                let carries = |group: &GroupFacts| group.grants.keys().any(|(id, _)| *id == **role);
                conflict("built-in-role", built_in(role)); // L1
                conflict("role-in-use", self.groups.values().any(carries)); // L3
            }
            _ => {}
        }
        let has_owner = after.members.keys().any(|id| after.is_owner(id));
        conflict("last-owner", !has_owner); // A2
        reasons
    }

    // Changes.

    /// Makes everything as the command asks.
    fn make_so(&mut self, actor: &Actor, command: &Command, now: u64) {
        match command {
            Command::InviteMember {
                member,
                as_owner,
                expires,
            } => {
                self.forget(member); // M3: from nothing.
                let (as_owner, until) = (*as_owner, expires.map(Timestamp::as_millis));
                let stands = Stands::Invited { as_owner, until };
                self.members.insert(member.to_string(), stands);
            }
            Command::AcceptInvitation {} => {
                let Actor::Member(member) = actor else { return };
                let invited = self.members[member.as_str()];
                let owner = matches!(invited, Stands::Invited { as_owner: true, .. });
                let stands = Stands::Active { owner };
                self.members.insert(member.to_string(), stands);
            }
            Command::CancelInvitation { member } | Command::RemoveMember { member } => {
                self.forget(member); // M3, M5
            }
            Command::AddMembers { members } => {
                for member in texts(members) {
                    // M7: who is active stays; an invitation that is over leaves nothing behind (Decision 3).
                    let stands = self.members.get(&member).copied();
                    if stands.is_none_or(|stands| is_over(stands, now)) {
                        self.forget(&member);
                        let stands = Stands::Active { owner: false };
                        self.members.insert(member, stands);
                    }
                }
            }
            Command::GrantOwnership { member } | Command::RevokeOwnership { member } => {
                let owner = matches!(command, Command::GrantOwnership { .. });
                let stands = Stands::Active { owner }; // M6
                self.members.insert(member.to_string(), stands);
            }
            Command::CreateStore { store } => {
                self.stores.insert(store.to_string()); // S2: in no scope.
            }
            Command::DeleteStore { store } => {
                self.stores.remove(store.as_str());
                let groups = self.groups.values_mut();
                for scope in groups.flat_map(|group| group.grants.values_mut()) {
                    scope.remove(store.as_str()); // S3: the grant stays.
                }
            }
            Command::CreateGroup {
                group,
                name,
                description,
                grants,
            } => {
                let facts = GroupFacts {
                    name: name.to_string(),
                    description: description.to_string(),
                    grants: united(grants),
                    members: Set::new(), // G7
                };
                self.groups.insert(group.to_string(), facts);
            }
            Command::EditGroup {
                group,
                name,
                description,
                grants,
            } => {
                let facts = self.groups.get_mut(group.as_str()).unwrap(); // G8
                if let Some(name) = name {
                    facts.name = name.to_string();
                }
                if let Some(description) = description {
                    facts.description = description.to_string();
                }
                if let Some(grants) = grants {
                    facts.grants = united(grants);
                }
            }
            Command::DeleteGroup { group } => {
                self.groups.remove(group.as_str());
            }
            Command::AddToGroup { group, members } => {
                let facts = self.groups.get_mut(group.as_str()).unwrap();
                facts.members.extend(texts(members)); // G9
            }
            Command::RemoveFromGroup { group, members } => {
                let facts = self.groups.get_mut(group.as_str()).unwrap();
                facts.members = &facts.members - &texts(members); // G9
            }
            Command::DefineRole {
                role,
                name,
                level,
                permissions,
            } => {
                let facts = RoleFacts {
                    name: name.to_string(),
                    at_account: *level == RoleLevel::Account,
                    permissions: texts(permissions),
                    built_in: false,
                };
                self.roles.insert(role.to_string(), facts);
            }
            Command::ChangeRole {
                role,
                name,
                permissions,
            } => {
                let facts = self.roles.get_mut(role.as_str()).unwrap(); // L3: for everybody at once.
                if let Some(name) = name {
                    facts.name = name.to_string();
                }
                if let Some(permissions) = permissions {
                    facts.permissions = texts(permissions);
                }
            }
            Command::DeleteRole { role } => {
                self.roles.remove(role.as_str());
            }
            _ => panic!("a command that the rules do not know: {command:?}"),
        }
    }

    /// Out of the account and of every group (M5).
    fn forget(&mut self, member: &str) {
        self.members.remove(member);
        for group in self.groups.values_mut() {
            group.members.remove(member);
        }
    }
}

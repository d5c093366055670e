//! What members could come to hold by their own commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};

use crate::access::Resource;
use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::changes::{
    AcceptInvitation, AddToGroup, Command, CreateGroup, EditGroup, GrantOwnership, InviteMember,
    ReinstateMember, RemoveFromGroup,
};
use crate::account::data::AccountData;
use crate::account::data::draft::Draft;
use crate::account::data::member::MemberEntry;
use crate::account::data::state::State;
use crate::account::decide::decide;
use crate::account::limits::MAX_ITEMS_PER_COMMAND;
use crate::account::status::MemberStatus;
use crate::errors::InMessage;
use crate::grant::Grant;
use crate::id::{GroupId, MemberId, StoreId};
use crate::name::{Description, GroupName};
use crate::permission::Permission;
use crate::role::RoleLevel;
use crate::time::Timestamp;

/// Something that a member could come to hold, and the shortest way there. `Display` says it in a sentence.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Escalation {
    /// Who.
    pub member: MemberId,
    /// What.
    pub permission: Permission,
    /// Where.
    pub resource: Resource,
    /// Who would have to issue which commands, one after another. No shorter sequence leads there.
    #[serde(serialize_with = "steps_as_objects")]
    pub steps: Vec<(MemberId, Command)>,
}

fn steps_as_objects<S: Serializer>(
    steps: &[(MemberId, Command)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Step<'a> {
        actor: &'a MemberId,
        command: &'a Command,
    }
    serializer.collect_seq(steps.iter().map(|(actor, command)| Step { actor, command }))
}

impl Account {
    /// Returns what this member could come to hold by its own commands, up to `depth` of them; with a second one, what
    /// the two could come to hold by theirs. In the order of members, resources and permissions.
    ///
    /// Alone, nobody can gain anything, but for accepting an invitation ([E4](crate::docs::rules#E4)). Two group
    /// managers can: each adds the other to any group. So can one who controls a second person, such as its own second
    /// mailbox: it invites that and puts it in a group. This shows how far; the second need not be a member yet.
    ///
    /// The search is exact for gains: it tries, by either of the two, to put either in any group or take it out, to
    /// give any group every role in every store, to create such a group, to invite, accept and reinstate, and to grant
    /// ownership. Any other command brings less. It ends early once nothing is left to gain; otherwise its time grows
    /// with the number of groups that differ, to the power of `depth`. A depth of 3 shows what two members can do; if
    /// the second has to be invited first, that takes two commands more.
    ///
    /// ```
    /// # use grantbook::command::{AddMembers, AddToGroup, CreateGroup, CreateStore};
    /// # use grantbook::*;
    /// # let now = Timestamp::from_millis(0);
    /// # let (mut account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
    /// # let (gil, ada) = (MemberId::parse("gil")?, MemberId::parse("ada")?);
    /// # for command in [
    /// #     Command::AddMembers(AddMembers { members: [gil.clone(), ada.clone()].into() }),
    /// #     Command::CreateStore(CreateStore { store: StoreId::parse("dev")? }),
    /// #     Command::CreateGroup(CreateGroup {
    /// #         group: GroupId::parse("it")?,
    /// #         name: GroupName::parse("IT Group")?,
    /// #         description: Description::default(),
    /// #         grants: vec![Grant::group_manager()],
    /// #     }),
    /// #     Command::AddToGroup(AddToGroup { group: GroupId::parse("it")?, members: [gil, ada].into() }),
    /// # ] { account.execute(&Actor::System, &command, now)?; }
    /// // Two group managers.
    /// assert!(account.escalation("gil", None, 3, now).is_empty());
    /// let together = account.escalation("gil", Some("ada"), 3, now);
    /// assert_eq!(
    ///     together.last().unwrap().to_string(),
    ///     "`gil` could gain `store.write` in store `dev`: \
    ///      `gil` grants everything to a new group, then `ada` adds `gil` to it"
    /// );
    ///
    /// // One group manager with a second mailbox, which is not a member yet; and there is a group of viewers now.
    /// # account.execute(&Actor::System, &Command::CreateGroup(CreateGroup {
    /// #     group: GroupId::parse("viewers")?,
    /// #     name: GroupName::parse("Viewers")?,
    /// #     description: Description::default(),
    /// #     grants: vec![Grant::store_viewer([StoreId::parse("dev")?])],
    /// # }), now)?;
    /// let with_mailbox = account.escalation("gil", Some("gil2"), 4, now);
    /// assert_eq!(
    ///     with_mailbox.first().unwrap().to_string(),
    ///     "`gil` could gain `store.read` in store `dev`: \
    ///      `gil` invites `gil2`, then `gil2` accepts the invitation, \
    ///      then `gil` adds `gil2` to group `it`, then `gil2` adds `gil` to group `viewers`"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn escalation(
        &self,
        member: &str,
        second: Option<&str>,
        depth: usize,
        now: Timestamp,
    ) -> Vec<Escalation> {
        let members = [member]
            .into_iter()
            .chain(second)
            .filter_map(|id| MemberId::parse(id).ok());
        let mut search = Search::new(&self.state, members.collect(), now);
        search.run(depth);
        search.gains()
    }
}

/// One thing that one of the members does; who of them issues it is tried out.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Move {
    Add(GroupId, MemberId),
    TakeOut(GroupId, MemberId),
    /// With which part of everything.
    Edit(GroupId, usize),
    Create(usize),
    Invite(MemberId, bool),
    Accept(MemberId),
    Reinstate(MemberId),
    MakeOwner(MemberId),
}

type Held = (MemberId, Resource, Permission);

struct Search<'a> {
    root: &'a State,
    members: Vec<MemberId>,
    now: Timestamp,
    /// All roles in all stores, in parts that one command can name; nearly always one.
    everything: Vec<Vec<Grant>>,
    /// A group that is not there, if one may be created.
    new_group: Option<(GroupId, GroupName)>,
    /// All that is not held and can be granted.
    wanted: BTreeSet<Held>,
    found: BTreeMap<Held, Vec<(MemberId, Command)>>,
}

impl<'a> Search<'a> {
    fn new(root: &'a State, members: Vec<MemberId>, now: Timestamp) -> Self {
        // One more than there are groups, so one of them is free; a name may be taken as well.
        let new_group = (0..=2 * root.group_count())
            .map(|number| (format!("new-{number}"), format!("New Group {number}")))
            .filter_map(|(id, name)| GroupId::parse(&id).ok().zip(GroupName::parse(&name).ok()))
            .find(|(id, name)| root.group(id).is_none() && root.group_named(name).is_none());
        let mut search = Self {
            root,
            members,
            now,
            everything: everything(root),
            new_group,
            wanted: BTreeSet::new(),
            found: BTreeMap::new(),
        };
        search.wanted = search
            .all()
            .into_iter()
            .filter(|held| !can(root, held))
            .collect();
        search
    }

    /// Everything that any of the members might come to hold: what roles hold, where they count; and, where ownership
    /// is within reach, everything everywhere.
    fn all(&self) -> Vec<Held> {
        let stores = || {
            self.root
                .stores()
                .map(|(store, _)| Resource::Store(store.clone()))
        };
        let of_roles = self
            .root
            .roles()
            .flat_map(|(_, role)| role.permissions.iter());
        let known: BTreeSet<&Permission> = Permission::BUILT_IN.iter().chain(of_roles).collect();
        let status = |member: &MemberId| self.root.member(member).map(MemberEntry::status);
        let is_ownership_near = self.members.iter().filter_map(status).any(|status| {
            status.is_owner() || matches!(status, MemberStatus::Invited { as_owner: true, .. })
        });
        let mut all: BTreeSet<(Resource, Permission)> = BTreeSet::new();
        if is_ownership_near {
            for resource in stores().chain([Resource::Account]) {
                all.extend(known.iter().map(|held| (resource.clone(), (*held).clone())));
            }
        } else {
            for (_, role) in self.root.roles() {
                let resources = match role.level {
                    RoleLevel::Account => vec![Resource::Account],
                    RoleLevel::Store => stores().collect(),
                };
                for resource in resources {
                    all.extend(
                        role.permissions
                            .iter()
                            .map(|held| (resource.clone(), held.clone())),
                    );
                }
            }
        }
        let of = |member: &MemberId| {
            let member = member.clone();
            all.iter()
                .map(move |(resource, held)| (member.clone(), resource.clone(), held.clone()))
        };
        self.members.iter().flat_map(of).collect()
    }

    fn run(&mut self, depth: usize) {
        let mut frontier: Vec<Vec<(MemberId, Move)>> = vec![Vec::new()];
        let mut seen: BTreeSet<BTreeSet<Move>> = BTreeSet::new();
        for _ in 0..depth {
            let mut next = Vec::new();
            for path in &frontier {
                let Some(state) = self.replayed(path) else {
                    continue;
                };
                for (actor, step) in self.moves(&state) {
                    if self.found.len() == self.wanted.len() {
                        return;
                    }
                    let moves = path
                        .iter()
                        .map(|(_, step)| step)
                        .chain([&step])
                        .cloned()
                        .collect();
                    if seen.contains(&moves) {
                        continue;
                    }
                    let mut after = state.clone();
                    if self.take(&mut after, &actor, &step).is_none() {
                        continue;
                    }
                    let mut longer = path.clone();
                    longer.push((actor, step));
                    self.note(&after, &longer);
                    seen.insert(moves);
                    next.push(longer);
                }
            }
            frontier = next;
        }
    }

    /// The state that a path leads to.
    fn replayed(&self, path: &[(MemberId, Move)]) -> Option<Draft<'a, State>> {
        let mut state = Draft::over(self.root);
        for (actor, step) in path {
            self.take(&mut state, actor, step)?;
        }
        Some(state)
    }

    /// Does it, if this actor may and it changes something.
    fn take(&self, state: &mut Draft<'a, State>, actor: &MemberId, step: &Move) -> Option<()> {
        let change = decide(
            state,
            &Actor::Member(actor.clone()),
            &self.command(step)?,
            self.now,
        )
        .ok()??;
        change.try_on(state);
        Some(())
    }

    /// All moves and who might make them, those that bring least first: of equally short ways the plainest is told.
    ///
    /// Of groups that carry the same and hold the same of the members, the first stands for all.
    fn moves(&self, state: &Draft<'_, State>) -> Vec<(MemberId, Move)> {
        let mut alike = BTreeSet::new();
        let mut groups = Vec::new();
        for (group, entry) in state.groups() {
            let held: Vec<bool> = self
                .members
                .iter()
                .map(|member| state.is_in_group(member, group))
                .collect();
            let grants: Vec<_> = state.grants(entry).collect();
            if alike.insert((grants, held.clone())) {
                groups.push((group, held));
            }
        }
        let parts = 0..self.everything.len();
        let mut moves = Vec::new();
        for (group, held) in &groups {
            moves.extend(self.members.iter().zip(held).map(|(member, is_in)| {
                let step = if *is_in { Move::TakeOut } else { Move::Add };
                step((*group).clone(), member.clone())
            }));
        }
        let edits = groups
            .iter()
            .flat_map(|(group, _)| parts.clone().map(|part| Move::Edit((*group).clone(), part)));
        moves.extend(edits);
        moves.extend(parts.clone().map(Move::Create));
        for member in &self.members {
            let invite = [false, true].map(|as_owner| Move::Invite(member.clone(), as_owner));
            moves.extend(invite);
            moves.extend([Move::Reinstate, Move::MakeOwner].map(|step| step(member.clone())));
        }
        let by_each = |step: Move| {
            self.members
                .iter()
                .map(move |actor| (actor.clone(), step.clone()))
        };
        // Nobody accepts for somebody else.
        let accept = self
            .members
            .iter()
            .map(|member| (member.clone(), Move::Accept(member.clone())));
        accept.chain(moves.into_iter().flat_map(by_each)).collect()
    }

    fn command(&self, step: &Move) -> Option<Command> {
        Some(match step {
            Move::Add(group, member) => Command::AddToGroup(AddToGroup {
                group: group.clone(),
                members: [member.clone()].into(),
            }),
            Move::TakeOut(group, member) => Command::RemoveFromGroup(RemoveFromGroup {
                group: group.clone(),
                members: [member.clone()].into(),
            }),
            Move::Edit(group, part) => Command::EditGroup(EditGroup {
                group: group.clone(),
                name: None,
                description: None,
                grants: Some(self.everything.get(*part)?.clone()),
            }),
            Move::Create(part) => {
                let (group, name) = self.new_group.clone()?;
                let grants = self.everything.get(*part)?.clone();
                Command::CreateGroup(CreateGroup {
                    group,
                    name,
                    description: Description::default(),
                    grants,
                })
            }
            Move::Invite(member, as_owner) => Command::InviteMember(InviteMember {
                member: member.clone(),
                as_owner: *as_owner,
                expires: None,
            }),
            Move::Accept(_) => Command::AcceptInvitation(AcceptInvitation {}),
            Move::Reinstate(member) => Command::ReinstateMember(ReinstateMember {
                member: member.clone(),
            }),
            Move::MakeOwner(member) => Command::GrantOwnership(GrantOwnership {
                member: member.clone(),
            }),
        })
    }

    /// Keeps the path for all that it is the first to lead to.
    fn note(&mut self, state: &Draft<'_, State>, path: &[(MemberId, Move)]) {
        let gained: Vec<Held> = self
            .wanted
            .iter()
            .filter(|held| !self.found.contains_key(*held) && can(state, held))
            .cloned()
            .collect();
        if gained.is_empty() {
            return;
        }
        let steps = path
            .iter()
            .filter_map(|(actor, step)| Some((actor.clone(), self.command(step)?)));
        let steps: Vec<_> = steps.collect();
        for held in gained {
            self.found.insert(held, steps.clone());
        }
    }

    fn gains(self) -> Vec<Escalation> {
        let gain = |((member, resource, permission), steps)| Escalation {
            member,
            permission,
            resource,
            steps,
        };
        self.found.into_iter().map(gain).collect()
    }
}

fn can<D: AccountData>(state: &D, (member, resource, permission): &Held) -> bool {
    state.can(member, permission, resource.as_deref())
}

/// All roles in all stores: in one part, or, where that is more than a command may name, in one for each role and so
/// many stores.
fn everything(state: &State) -> Vec<Vec<Grant>> {
    let stores: Vec<StoreId> = state.stores().map(|(store, _)| store.clone()).collect();
    let mut parts = Vec::new();
    for (id, role) in state.roles() {
        match role.level {
            RoleLevel::Account => parts.push(Grant::at_account(id.clone())),
            RoleLevel::Store => {
                let some = stores.chunks(MAX_ITEMS_PER_COMMAND);
                parts.extend(some.map(|some| Grant::in_stores(id.clone(), some.iter().cloned())));
            }
        }
    }
    let named: usize = parts.iter().map(|grant| grant.scope.stores().count()).sum();
    if named <= MAX_ITEMS_PER_COMMAND && parts.len() <= MAX_ITEMS_PER_COMMAND {
        vec![parts]
    } else {
        parts.into_iter().map(|part| vec![part]).collect()
    }
}

impl fmt::Display for Escalation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            member,
            permission,
            resource,
            steps,
        } = self;
        let (member, permission) = (InMessage(member), InMessage(permission));
        write!(f, "{member} could gain {permission} {resource}: ")?;
        let mut created = None;
        for (number, (actor, command)) in steps.iter().enumerate() {
            if number > 0 {
                write!(f, ", then ")?;
            }
            write!(f, "{} ", InMessage(actor))?;
            let named = |group: &GroupId| {
                if created.as_ref() == Some(group) {
                    "it".to_owned()
                } else {
                    format!("group {}", InMessage(group))
                }
            };
            let who = |members: &BTreeSet<MemberId>| {
                members
                    .first()
                    .map_or(String::new(), |id| InMessage(id).to_string())
            };
            if let Command::AddToGroup(AddToGroup { group, members }) = command {
                write!(f, "adds {} to {}", who(members), named(group))?;
            } else if let Command::RemoveFromGroup(RemoveFromGroup { group, members }) = command {
                write!(f, "takes {} out of {}", who(members), named(group))?;
            } else if let Command::EditGroup(EditGroup { group, .. }) = command {
                write!(f, "grants everything to {}", named(group))?;
            } else if let Command::CreateGroup(CreateGroup { group, .. }) = command {
                created = Some(group.clone());
                write!(f, "grants everything to a new group")?;
            } else if let Command::InviteMember(invitation) = command {
                let as_owner = if invitation.as_owner { " as owner" } else { "" };
                write!(f, "invites {}{as_owner}", InMessage(&invitation.member))?;
            } else if let Command::AcceptInvitation(AcceptInvitation {}) = command {
                write!(f, "accepts the invitation")?;
            } else if let Command::ReinstateMember(ReinstateMember { member }) = command {
                write!(f, "reinstates {}", InMessage(member))?;
            } else if let Command::GrantOwnership(GrantOwnership { member }) = command {
                write!(f, "makes {} an owner", InMessage(member))?;
            } else {
                write!(f, "issues `{}`", command.kind())?;
            }
        }
        Ok(())
    }
}

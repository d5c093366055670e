//! Commands that lead back to where they began, so that each of them can be measured any number of times.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs

use std::error::Error;
use std::time::Duration;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeRole, CreateGroup,
    CreateStore, DefineRole, DeleteGroup, DeleteRole, DeleteStore, EditGroup, GrantOwnership,
    InviteMember, RemoveFromGroup, RemoveMembers, RevokeOwnership,
};
use grantbook::{
    Account, Actor, Command, Description, Grant, GroupId, GroupName, MemberId, ParseError,
    Permission, Record, RoleId, RoleLevel, RoleName, StoreId,
};

use crate::population::{Kind, NOW, Size, mixed};
use crate::timing::timed;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Steps of which the last leads back to before the first.
#[derive(Debug)]
pub struct Cycle(pub Vec<Step>);

/// Commands of one kind, each about another member, store, group or role.
#[derive(Debug)]
pub struct Step {
    /// None, for one that is not measured.
    pub name: Option<&'static str>,
    pub commands: Vec<(Actor, Command)>,
}

impl Cycle {
    /// Goes round once, and gives what the commands of this step took: deciding and doing, without dropping the
    /// records.
    pub fn time(&self, account: &mut Account, measured: usize) -> Duration {
        let mut taken = Duration::ZERO;
        let mut records = Vec::new();
        for (resource, step) in self.0.iter().enumerate() {
            records.clear();
            records.reserve(step.commands.len());
            let ((), time) = timed(|| step.run(account, &mut records));
            assert_eq!(records.len(), step.commands.len(), "{:?}", step.name);
            if resource == measured {
                taken = time;
            }
        }
        taken
    }

    /// How many commands the step has.
    pub fn commands(&self, step: usize) -> u64 {
        u64::try_from(self.0[step].commands.len()).expect("a number")
    }
}

impl Step {
    fn run(&self, account: &mut Account, records: &mut Vec<Record>) {
        for (actor, command) in &self.commands {
            let record = account.execute(actor, command, NOW);
            records.extend(record.expect("accepted"));
        }
    }
}

fn step(
    name: impl Into<Option<&'static str>>,
    actor: &Actor,
    commands: impl IntoIterator<Item = Command>,
) -> Step {
    Step {
        name: name.into(),
        commands: commands
            .into_iter()
            .map(|command| (actor.clone(), command))
            .collect(),
    }
}

/// As many of most kinds of commands, which is half of the members of S.
pub const FEW: u64 = 50;
/// So many members that what is changed does not lie in the processor's cache when it comes round again.
pub const MANY: u64 = 16_384;
/// How many stores are in the scope of a changed grant.
const IN_SCOPE: u64 = 100;

/// Whoever may do all that is measured.
pub fn owner(size: Size) -> Result<Actor> {
    Ok(Actor::Member(size.member_id(0)?))
}

/// A group manager, who is bound by the guardrails.
pub fn manager() -> Result<Actor> {
    Ok(Actor::Member(MemberId::parse("manager")?))
}

fn auditor() -> Result<RoleId> {
    Ok(RoleId::parse("auditor")?)
}

/// The account of this size, and what the cycles need besides: enough stores for two scopes, a group manager, and a
/// role of the account's own that a group carries.
pub fn account(size: Size) -> Result<Account> {
    let (mut account, _) = size.account()?;
    let mut run = |command| account.execute(&Actor::System, &command, NOW).map(drop);
    for store in size.stores..2 * IN_SCOPE {
        let store = size.store_id(store)?;
        run(Command::CreateStore(CreateStore { store }))?;
    }
    let Actor::Member(manager) = manager()? else {
        return Err("the manager is a member".into());
    };
    run(Command::AddMembers(AddMembers {
        members: [manager.clone()].into(),
    }))?;
    run(Command::DefineRole(DefineRole {
        role: auditor()?,
        name: RoleName::parse("Auditor")?,
        level: RoleLevel::Store,
        permissions: [Permission::parse("audit.read")?].into(),
    }))?;
    let [stores, _] = scopes(size)?;
    let group = |id, name, grant| -> Result<Command> {
        Ok(Command::CreateGroup(CreateGroup {
            group: GroupId::parse(id)?,
            name: GroupName::parse(name)?,
            description: Description::default(),
            grants: vec![grant],
        }))
    };
    run(group("managers", "Managers", Grant::group_manager())?)?;
    let audits = Grant::in_stores(auditor()?, stores);
    run(group("auditors", "Auditors", audits)?)?;
    let mut add = |group: &str, members| -> Result<()> {
        let group = GroupId::parse(group)?;
        Ok(run(Command::AddToGroup(AddToGroup { group, members }))?)
    };
    add("managers", [manager].into())?;
    let auditors = (3..10).map(|number| size.member_id(number));
    add("auditors", auditors.collect::<std::result::Result<_, _>>()?)?;
    Ok(account)
}

/// Two scopes without a store in common, each over the whole account.
fn scopes(size: Size) -> Result<[Vec<StoreId>; 2]> {
    let stores = size.stores.max(2 * IN_SCOPE);
    let apart = stores / IN_SCOPE;
    let scope = |first: u64| -> std::result::Result<Vec<StoreId>, ParseError> {
        let numbers = (0..IN_SCOPE).map(|number| first + number * apart);
        numbers.map(|number| size.store_id(number)).collect()
    };
    Ok([scope(0)?, scope(apart / 2)?])
}

/// Adds members to groups and takes them out again, one by one: half of the members, but no more than `most`, from
/// all over the account.
pub fn membership(size: Size, actor: &Actor, most: u64) -> Result<Cycle> {
    let is_active = |member: &u64| size.kind(*member) == Kind::Active;
    let mut members: Vec<u64> = (0..size.members).filter(is_active).collect();
    members.sort_by_key(|member| mixed(20, *member));
    members.truncate(usize::try_from((size.members / 2).min(most))?);
    let resource = |member: &u64| -> std::result::Result<(GroupId, MemberId), ParseError> {
        let group = size.group_id(size.other_group(*member))?;
        Ok((group, size.member_id(*member)?))
    };
    let resources: std::result::Result<Vec<_>, _> = members.iter().map(resource).collect();
    let resources = resources?;
    let add = resources.iter().cloned().map(|(group, member)| {
        Command::AddToGroup(AddToGroup {
            group,
            members: [member].into(),
        })
    });
    let remove = resources.iter().cloned().map(|(group, member)| {
        Command::RemoveFromGroup(RemoveFromGroup {
            group,
            members: [member].into(),
        })
    });
    Ok(Cycle(vec![
        step("add one member to a group", actor, add),
        step("remove one member from a group", actor, remove),
    ]))
}

/// Gives a group 100 stores to edit instead of 100 others. The group has its share of all members.
pub fn grants(size: Size, actor: &Actor) -> Result<Cycle> {
    let group = size.group_id(3)?;
    let edit = |stores: &Vec<StoreId>| {
        Command::EditGroup(EditGroup {
            group: group.clone(),
            name: None,
            description: None,
            grants: Some(vec![Grant::store_editor(stores.iter().cloned())]),
        })
    };
    let name = "change a group's grants over 100 stores";
    let commands = scopes(size)?.iter().map(edit).collect::<Vec<_>>();
    Ok(Cycle(vec![step(name, actor, commands)]))
}

/// A cycle for each of the other commands.
pub fn others(size: Size) -> Result<Vec<Cycle>> {
    Ok(vec![
        enrolments()?,
        invitations()?,
        cancellations()?,
        ownership(size)?,
        stores()?,
        groups(size)?,
        names(size)?,
        roles()?,
        permissions()?,
    ])
}

fn newcomers() -> std::result::Result<Vec<MemberId>, ParseError> {
    let member = |number| MemberId::parse(&format!("new-{number:04}"));
    (0..FEW).map(member).collect()
}

fn removals(members: &[MemberId]) -> impl Iterator<Item = Command> {
    let members = members.iter().cloned();
    members.map(|member| {
        Command::RemoveMembers(RemoveMembers {
            members: [member].into(),
        })
    })
}

fn invites(members: &[MemberId]) -> impl Iterator<Item = Command> {
    members.iter().cloned().map(|member| {
        Command::InviteMember(InviteMember {
            member,
            as_owner: false,
            expires: None,
        })
    })
}

fn enrolments() -> Result<Cycle> {
    let members = newcomers()?;
    let enrol = members.iter().cloned().map(|member| {
        Command::AddMembers(AddMembers {
            members: [member].into(),
        })
    });
    let add = |group: &'static str| -> Result<Step> {
        let group = GroupId::parse(group)?;
        let add = members.iter().cloned().map(|member| {
            Command::AddToGroup(AddToGroup {
                group: group.clone(),
                members: [member].into(),
            })
        });
        Ok(step(None, &Actor::System, add))
    };
    Ok(Cycle(vec![
        step("enrol one member", &Actor::System, enrol),
        add("group-0001")?,
        add("group-0002")?,
        step(
            "remove a member of two groups",
            &Actor::System,
            removals(&members),
        ),
    ]))
}

fn invitations() -> Result<Cycle> {
    let members = newcomers()?;
    let accept = members.iter().cloned().map(Actor::Member);
    Ok(Cycle(vec![
        step("invite a member", &Actor::System, invites(&members)),
        Step {
            name: Some("accept an invitation"),
            commands: accept
                .map(|actor| (actor, Command::AcceptInvitation(AcceptInvitation {})))
                .collect(),
        },
        step(
            "remove a member of no group",
            &Actor::System,
            removals(&members),
        ),
    ]))
}

fn cancellations() -> Result<Cycle> {
    let members = newcomers()?;
    let invite = invites(&members);
    let cancel = members
        .iter()
        .cloned()
        .map(|member| Command::CancelInvitation(CancelInvitation { member }));
    Ok(Cycle(vec![
        step(None, &Actor::System, invite),
        step("cancel an invitation", &Actor::System, cancel),
    ]))
}

fn ownership(size: Size) -> Result<Cycle> {
    let active = (0..size.members).filter(|member| size.kind(*member) == Kind::Active);
    let members: std::result::Result<Vec<MemberId>, _> = active
        .take(usize::try_from(FEW)?)
        .map(|member| size.member_id(member))
        .collect();
    let members = members?;
    let of_each = |command: fn(MemberId) -> Command| members.iter().cloned().map(command);
    let grant = of_each(|member| Command::GrantOwnership(GrantOwnership { member }));
    let revoke = of_each(|member| Command::RevokeOwnership(RevokeOwnership { member }));
    Ok(Cycle(vec![
        step("grant ownership", &Actor::System, grant),
        step("revoke ownership", &Actor::System, revoke),
    ]))
}

fn stores() -> Result<Cycle> {
    let store = |number| StoreId::parse(&format!("new-{number:04}"));
    let stores: std::result::Result<Vec<StoreId>, _> = (0..FEW).map(store).collect();
    let stores = stores?;
    let of_each = |command: fn(StoreId) -> Command| stores.iter().cloned().map(command);
    let view = Command::EditGroup(EditGroup {
        group: GroupId::parse("managers")?,
        name: None,
        description: None,
        grants: Some(vec![
            Grant::group_manager(),
            Grant::store_viewer(stores.iter().cloned()),
        ]),
    });
    let create = of_each(|store| Command::CreateStore(CreateStore { store }));
    let delete = of_each(|store| Command::DeleteStore(DeleteStore { store }));
    Ok(Cycle(vec![
        step("create a store", &Actor::System, create),
        step(None, &Actor::System, [view]),
        step("delete a store of a group's scope", &Actor::System, delete),
    ]))
}

/// As many as the account has room for.
fn groups(size: Size) -> Result<Cycle> {
    let [stores, _] = scopes(size)?;
    let stores: Vec<StoreId> = stores.into_iter().take(10).collect();
    let (mut create, mut delete) = (Vec::new(), Vec::new());
    for number in 0..8 {
        let group = GroupId::parse(&format!("new-{number}"))?;
        create.push(Command::CreateGroup(CreateGroup {
            group: group.clone(),
            name: GroupName::parse(&format!("New {number}"))?,
            description: Description::parse("A group that comes and goes")?,
            grants: vec![Grant::store_editor(stores.iter().cloned())],
        }));
        delete.push(Command::DeleteGroup(DeleteGroup { group }));
    }
    Ok(Cycle(vec![
        step("create a group over 10 stores", &Actor::System, create),
        step("delete a group over 10 stores", &Actor::System, delete),
    ]))
}

fn names(size: Size) -> Result<Cycle> {
    let renamed = |before: &str| -> Result<Vec<Command>> {
        let edit = |number| -> Result<Command> {
            Ok(Command::EditGroup(EditGroup {
                group: size.group_id(number)?,
                name: Some(GroupName::parse(&format!("{before} {number:04}"))?),
                description: None,
                grants: None,
            }))
        };
        (0..8).map(edit).collect()
    };
    Ok(Cycle(vec![
        step("change a group's name", &Actor::System, renamed("Renamed")?),
        step(None, &Actor::System, renamed("Group")?),
    ]))
}

fn roles() -> Result<Cycle> {
    let (mut define, mut delete) = (Vec::new(), Vec::new());
    for number in 0..FEW {
        let role = RoleId::parse(&format!("new-{number:04}"))?;
        define.push(Command::DefineRole(DefineRole {
            role: role.clone(),
            name: RoleName::parse(&format!("New {number:04}"))?,
            level: RoleLevel::Store,
            permissions: [Permission::parse("invoice.read")?].into(),
        }));
        delete.push(Command::DeleteRole(DeleteRole { role }));
    }
    Ok(Cycle(vec![
        step("define a role", &Actor::System, define),
        step("delete a role", &Actor::System, delete),
    ]))
}

/// Of a role that one group carries in 100 stores.
fn permissions() -> Result<Cycle> {
    let (read, write) = (
        Permission::parse("audit.read")?,
        Permission::parse("audit.write")?,
    );
    let change = |permissions: &[&Permission]| -> Result<Command> {
        Ok(Command::ChangeRole(ChangeRole {
            role: auditor()?,
            name: None,
            permissions: Some(permissions.iter().copied().cloned().collect()),
        }))
    };
    let changes = [change(&[&read, &write])?, change(&[&read])?];
    Ok(Cycle(vec![step(
        "change a role's permissions over 100 stores",
        &Actor::System,
        changes,
    )]))
}

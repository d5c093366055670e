//! What records hold, and that all of it comes back.

use std::collections::BTreeSet;

use crate::account::actor::Actor;
use crate::account::changes::Command;
use crate::account::changes::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeGroupLimit, ChangeRole,
    CloseAccount, CreateGroup, CreateStore, DefineRole, DeleteGroup, DeleteRole, DeleteStore,
    EditGroup, GrantOwnership, GrantRole, InviteMember, LeaveAccount, ReinstateMember,
    RemoveFromGroup, RemoveMembers, RevokeOwnership, RevokeRole, SetGroupMembers, SuspendMember,
};
use crate::account::context::Context;
use crate::account::limits::{GroupLimit, MAX_BATCH};
use crate::grant::{Grant, Scope};
use crate::id::{GroupId, RoleId, StoreId};
use crate::name::{Description, GroupName, RoleName};
use crate::note::Note;
use crate::permission::Permission;
use crate::repository::conformance::harness::{Connection, History, NOW, member_id, store, stores};
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::{Commit, Repository};
use crate::time::Timestamp;

/// Each kind of event, with each of its fields filled in, by members and by the host, with notes.
pub(crate) fn every_kind_of_event_comes_back<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let olga = Actor::Member(member_id("olga")?);
    keeps_all(&kept, &mut acme, &olga, "staff", &staff()?, NOW)?;
    let ina = Actor::Member(member_id("ina")?);
    keeps_all(
        &kept,
        &mut acme,
        &ina,
        "accept",
        &[Command::AcceptInvitation(AcceptInvitation {})],
        NOW,
    )?;
    keeps_all(&kept, &mut acme, &Actor::System, "host", &sync()?, NOW)?;
    let zoe = Actor::Member(member_id("zoe")?);
    let leave = [Command::LeaveAccount(LeaveAccount {})];
    keeps_all(&kept, &mut acme, &zoe, "leave", &leave, NOW)?;
    let limit = GroupLimit::new(30).map_err(Failure::of_suite)?;
    let last = [
        Command::ChangeGroupLimit(ChangeGroupLimit { limit }),
        Command::CloseAccount(CloseAccount {}),
    ];
    keeps_all(&kept, &mut acme, &Actor::System, "last", &last, NOW)?;
    let likely = "a field of an event or record, such as the actor or the note, is not stored; keep the serde form of the whole record";
    kept.holds(&acme, likely)
}

/// Fields that an event may or may not have, in every combination.
pub(crate) fn every_combination_of_fields_comes_back<F: Fixture>(
    fixture: &F,
) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    kept.adds(&mut acme, "staff", &staff()?)?;
    let (group, role) = (group_id("devs")?, role_id("auditor")?);
    let mut commands = vec![store("gone")?];
    for fields in 1..8_u8 {
        let text = format!("fields {fields}");
        let stores = [store_id("dev")?, store_id("gone")?];
        let some = |field: u8| fields & field != 0;
        commands.push(Command::EditGroup(EditGroup {
            group: group.clone(),
            name: some(1).then(|| group_name(&text)).transpose()?,
            description: some(2).then(|| description(&text)).transpose()?,
            grants: some(4).then(|| match fields {
                4 | 6 => vec![Grant::store_editor(stores)],
                _ => vec![Grant::store_viewer(stores)],
            }),
        }));
        if fields < 4 {
            commands.push(Command::ChangeRole(ChangeRole {
                role: role.clone(),
                name: some(1).then(|| role_name(&text)).transpose()?,
                permissions: some(2)
                    .then(|| permissions(&[&format!("order.read{fields}")]))
                    .transpose()?,
            }));
            commands.push(Command::InviteMember(InviteMember {
                member: member_id(&text)?,
                as_owner: some(1),
                expires: some(2).then(|| NOW.plus_millis(1_000)),
            }));
        }
    }
    let number = commands.len();
    let with_notes = kept.adds(&mut acme, "fields", &commands)?;
    if with_notes.records().len() != number {
        return Err(Failure::of_suite("a command changes nothing"));
    }
    let likely = "a field that may be absent is left out where it is, so that a format without field names reads the \
                  next one in its place; write every field";
    kept.holds(&acme, likely)
}

/// A command that names 10,000 members, which is the most that one can name ([U7](crate::docs::rules#U7)), and one
/// whose 10,000 stores have the longest ids that there are, in two grants: some 1.3 MB, the largest record of a
/// command.
pub(crate) fn large_records_come_back<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let members: Result<BTreeSet<_>, _> = (0..10_000)
        .map(|number| member_id(&format!("{number:05}.zoë.müller@some-department.example")))
        .collect();
    let members = members?;
    kept.adds(
        &mut acme,
        "add",
        &[Command::AddMembers(AddMembers { members })],
    )?;
    let likely = "the column or the message is too small for 500 kB, or cuts what is longer";
    kept.holds(&acme, likely)?;

    let long = |number: usize| format!("{number:05}{}", "\u{1f600}".repeat(30));
    let stores: Result<BTreeSet<_>, _> = (0..5_000).map(|number| store_id(&long(number))).collect();
    let stores = stores?;
    let creates = stores.iter().map(|store| {
        let store = store.clone();
        Command::CreateStore(CreateStore { store })
    });
    let creates: Vec<_> = creates.collect();
    for (number, some) in creates.chunks(MAX_BATCH).enumerate() {
        kept.adds(&mut acme, &format!("stores-{number}"), some)?;
    }
    kept.adds(
        &mut acme,
        "group",
        &[Command::CreateGroup(CreateGroup {
            group: group_id("all")?,
            name: group_name("All Stores")?,
            description: Description::default(),
            grants: vec![
                Grant::store_editor(stores.clone()),
                Grant::store_viewer(stores),
            ],
        })],
    )?;
    let likely = "the column, the message or the transaction is too small for 1.3 MB, or cuts what is longer";
    kept.holds(&acme, likely)
}

/// Times are kept to the millisecond, from the first moment to the last that a record can have.
pub(crate) fn times_come_back<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let invite = |member: &str, millis| {
        let expires = Some(Timestamp::from_millis(millis));
        let member = member_id(member)?;
        Ok(Command::InviteMember(InviteMember {
            member,
            as_owner: false,
            expires,
        }))
    };
    let millis = NOW.plus_millis(123);
    let commands = [
        invite("ina", millis.as_millis() + 1)?,
        invite("ivo", Timestamp::MAX.as_millis())?,
    ];
    keeps_all(&kept, &mut acme, &Actor::System, "now", &commands, millis)?;
    keeps_all(
        &kept,
        &mut acme,
        &Actor::System,
        "end",
        &stores("end", 1)?,
        Timestamp::MAX,
    )?;
    let likely = "times are cut to seconds, or kept in a type that does not hold all milliseconds before the year 10000";
    kept.holds(&acme, likely)
}

/// Keeps what an actor's commands lead to, each of which must change something.
fn keeps_all<R: Repository>(
    kept: &Connection<R>,
    history: &mut History,
    actor: &Actor,
    commit: &str,
    commands: &[Command],
    now: Timestamp,
) -> Result<Commit, Failure> {
    let note = Note::parse(&"é".repeat(128)).map_err(Failure::of_suite)?;
    let context = Context::at(now).with_note(note);
    let commit = history.propose_by(actor, commit, commands, context)?;
    if commit.records().len() != commands.len() {
        return Err(Failure::of_suite("a command changes nothing"));
    }
    kept.keeps(&commit)?;
    history.accept(&commit)?;
    Ok(commit)
}

/// What an owner can ask for.
fn staff() -> Result<Vec<Command>, Failure> {
    let (dev, group, role) = (store_id("dev")?, group_id("devs")?, role_id("auditor")?);
    let (empty, unused) = (group_id("empty")?, role_id("unused")?);
    let ina = member_id("ina")?;
    Ok(vec![
        Command::InviteMember(InviteMember {
            member: ina.clone(),
            as_owner: true,
            expires: Some(NOW.plus_millis(1_000)),
        }),
        Command::InviteMember(InviteMember {
            member: member_id("cem")?,
            as_owner: false,
            expires: None,
        }),
        Command::CancelInvitation(CancelInvitation {
            member: member_id("cem")?,
        }),
        store("dev")?,
        store("gone")?,
        Command::DefineRole(DefineRole {
            role: role.clone(),
            name: role_name("Auditor")?,
            level: crate::role::RoleLevel::Store,
            permissions: permissions(&["order.read", "order.list"])?,
        }),
        Command::DefineRole(DefineRole {
            role: unused.clone(),
            name: role_name("Not in Use")?,
            level: crate::role::RoleLevel::Account,
            permissions: permissions(&["billing.read"])?,
        }),
        Command::ChangeRole(ChangeRole {
            role: role.clone(),
            name: Some(role_name("Auditor 2")?),
            permissions: Some(permissions(&["order.read"])?),
        }),
        Command::DeleteRole(DeleteRole { role: unused }),
        Command::CreateGroup(CreateGroup {
            group: group.clone(),
            name: group_name("Dev Team")?,
            description: description("Those who develop.")?,
            grants: vec![
                Grant::group_manager(),
                Grant::store_editor([dev.clone(), store_id("gone")?]),
                Grant::in_stores(role, [dev.clone()]),
            ],
        }),
        Command::CreateGroup(CreateGroup {
            group: empty.clone(),
            name: group_name("Empty")?,
            description: Description::default(),
            grants: vec![Grant::store_viewer([dev.clone()])],
        }),
        Command::DeleteGroup(DeleteGroup { group: empty }),
        Command::AddToGroup(AddToGroup {
            group: group.clone(),
            members: [ina.clone()].into(),
        }),
        Command::EditGroup(EditGroup {
            group: group.clone(),
            name: Some(group_name("Developers")?),
            description: Some(description("Those who develop and test.")?),
            grants: Some(vec![Grant::store_viewer([dev])]),
        }),
        Command::GrantRole(GrantRole {
            group: group.clone(),
            role: RoleId::store_editor(),
            scope: Scope::Stores([store_id("gone")?].into()),
        }),
        Command::RevokeRole(RevokeRole {
            group: group.clone(),
            role: RoleId::store_editor(),
            stores: Some([store_id("gone")?].into()),
        }),
        Command::RevokeRole(RevokeRole {
            group: group.clone(),
            role: RoleId::store_editor(),
            stores: None,
        }),
        Command::SetGroupMembers(SetGroupMembers {
            group: group.clone(),
            members: [member_id("olga")?, ina.clone()].into(),
        }),
        Command::DeleteStore(DeleteStore {
            store: store_id("gone")?,
        }),
        Command::RemoveFromGroup(RemoveFromGroup {
            group,
            members: [ina].into(),
        }),
    ])
}

/// What a directory sync asks for.
fn sync() -> Result<Vec<Command>, Failure> {
    let (max, dana) = (member_id("max")?, member_id("dana")?);
    Ok(vec![
        Command::AddMembers(AddMembers {
            members: [max.clone(), dana.clone()].into(),
        }),
        Command::GrantOwnership(GrantOwnership {
            member: dana.clone(),
        }),
        Command::RevokeOwnership(RevokeOwnership {
            member: dana.clone(),
        }),
        Command::SuspendMember(SuspendMember {
            member: dana.clone(),
        }),
        Command::ReinstateMember(ReinstateMember { member: dana }),
        Command::RemoveMembers(RemoveMembers {
            members: [max].into(),
        }),
        Command::InviteMember(InviteMember {
            member: member_id("zoe")?,
            as_owner: true,
            expires: None,
        }),
        Command::AddMembers(AddMembers {
            members: [member_id("zoe")?].into(),
        }),
    ])
}

fn store_id(text: &str) -> Result<StoreId, Failure> {
    StoreId::parse(text).map_err(Failure::of_suite)
}

fn group_id(text: &str) -> Result<GroupId, Failure> {
    GroupId::parse(text).map_err(Failure::of_suite)
}

fn role_id(text: &str) -> Result<RoleId, Failure> {
    RoleId::parse(text).map_err(Failure::of_suite)
}

fn group_name(text: &str) -> Result<GroupName, Failure> {
    GroupName::parse(text).map_err(Failure::of_suite)
}

fn role_name(text: &str) -> Result<RoleName, Failure> {
    RoleName::parse(text).map_err(Failure::of_suite)
}

fn description(text: &str) -> Result<Description, Failure> {
    Description::parse(text).map_err(Failure::of_suite)
}

fn permissions(texts: &[&str]) -> Result<BTreeSet<Permission>, Failure> {
    let parsed = texts.iter().map(|text| Permission::parse(text));
    parsed.collect::<Result<_, _>>().map_err(Failure::of_suite)
}

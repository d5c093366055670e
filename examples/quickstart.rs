//! The library's main job, on the four groups that most teams begin with.
//!
//! `cargo run --example quickstart` prints who may do what, and what happens as people and access change. Every line
//! it prints is checked: it ends with an error if the library says anything else.

use std::convert::Infallible;
use std::error::Error;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, ChangeRole, CreateGroup, CreateStore, DefineRole,
    DeleteGroup, EditGroup, InviteMember, RemoveFromGroup, RemoveMembers, RevokeOwnership,
};
use grantbook::event::MembersAdded;
use grantbook::repository::{self, ExecuteError, MemoryRepository, Replica, Request};
use grantbook::{
    AccessLevel, Account, AccountId, Actor, Command, Decision, Description, Event, Grant, GroupId,
    GroupLimit, GroupName, IdempotencyKey, MemberId, Permission, Record, Resource, RoleId,
    RoleLevel, RoleName, StoreId, Timestamp,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut acme = Acme::open()?;
    acme.set_up()?;

    println!("Who may do what:\n");
    print_table(&acme.account);

    acme.inherits()?;
    acme.is_guarded()?;
    acme.follows_changes()?;
    acme.is_the_same_when_loaded()?;

    println!("\nWho may do what now:\n");
    print_table(&acme.account);
    Ok(())
}

/// An account, the repository that keeps it, and a clock that ticks once a command.
struct Acme {
    kept: MemoryRepository,
    account: Replica,
    now: Timestamp,
}

impl Acme {
    fn open() -> Result<Self, Box<dyn Error>> {
        let kept = MemoryRepository::new();
        let now = Timestamp::from_millis(1_700_000_000_000);
        let (id, owner) = (AccountId::parse("acme")?, member("olga")?);
        let (commit, limit) = (IdempotencyKey::parse("open")?, GroupLimit::default());
        let account = repository::open(&kept, commit, id, owner, limit, now)?;
        Ok(Self { kept, account, now })
    }

    /// Four groups, their stores, and members in one, several and no groups.
    fn set_up(&mut self) -> Result<(), Box<dyn Error>> {
        let create = |id, name, description, grants| -> Result<Command, Box<dyn Error>> {
            let (group, name) = (group(id)?, GroupName::parse(name)?);
            let description = Description::parse(description)?;
            Ok(Command::CreateGroup(CreateGroup {
                group,
                name,
                description,
                grants,
            }))
        };
        let (dev, staging, production) = (store("dev")?, store("staging")?, store("production")?);
        let people = ["ivan", "dana", "max", "rosa", "nils"].map(member);
        let people = people.into_iter().collect::<Result<_, _>>()?;
        let enrolled = self.try_all(
            &Actor::System,
            &[Command::AddMembers(AddMembers { members: people })],
        )?;
        assert!(
            matches!(enrolled[0].event(), Event::MembersAdded(MembersAdded { members, .. }) if members.len() == 5)
        );
        let set_up = [
            Command::CreateStore(CreateStore { store: dev.clone() }),
            Command::CreateStore(CreateStore {
                store: staging.clone(),
            }),
            Command::CreateStore(CreateStore {
                store: production.clone(),
            }),
            create(
                "it-group",
                "IT Group",
                "Information Technology Team",
                vec![Grant::group_manager()],
            )?,
            create(
                "dev-team",
                "Dev Team",
                "Software Development Team",
                vec![Grant::store_editor([dev, staging.clone()])],
            )?,
            create(
                "read-only",
                "Read-Only Access",
                "",
                vec![Grant::store_viewer([production.clone()])],
            )?,
            create(
                "integrations",
                "Integrations Team",
                "",
                vec![
                    Grant::store_editor([staging]),
                    Grant::store_viewer([production]),
                ],
            )?,
            add("it-group", ["ivan"])?,
            add("dev-team", ["dana", "max"])?,
            add("read-only", ["dana", "rosa"])?,
            add("integrations", ["max"])?,
        ];
        let records = self.try_all(&Actor::Member(member("olga")?), &set_up)?;
        assert_eq!(records.len(), set_up.len(), "every command is one record");
        Ok(())
    }

    fn inherits(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nStore Editor includes Store Viewer (L2)");
        self.level("dana", "dev", AccessLevel::Editor);
        self.check("dana", &Permission::STORE_READ, "dev", "allowed");

        println!("\nIn several groups, a member has what all of them give (P1)");
        self.level("max", "dev", AccessLevel::Editor);
        self.level("max", "staging", AccessLevel::Editor);
        self.level("max", "production", AccessLevel::Viewer);

        println!("\nA new store is in no group's scope; owners have it at once (S2)");
        self.accepted(
            "olga",
            Command::CreateStore(CreateStore {
                store: store("sandbox")?,
            }),
        )?;
        for member in ["ivan", "dana", "max", "rosa", "nils"] {
            self.level(member, "sandbox", AccessLevel::None);
        }
        self.level("olga", "sandbox", AccessLevel::Owner);
        self.check(
            "dana",
            &Permission::STORE_READ,
            "sandbox",
            "the member lacks `store.read`",
        );
        Ok(())
    }

    fn is_guarded(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nA group manager cannot add itself, but another one can be asked (E1)");
        self.refused("ivan", add("dev-team", ["ivan"])?, "self-addition")?;
        self.accepted("olga", add("it-group", ["rosa"])?)?;
        self.accepted("rosa", add("dev-team", ["ivan"])?)?;
        self.level("ivan", "dev", AccessLevel::Editor);

        println!("\nNor can it widen a group that it is in (E2, E4)");
        let wider = vec![
            Grant::group_manager(),
            Grant::store_viewer([store("production")?]),
        ];
        self.refused("ivan", regrant("it-group", wider)?, "self-escalation")?;

        println!("\nA group with members cannot be deleted (G7)");
        self.refused(
            "ivan",
            Command::DeleteGroup(DeleteGroup {
                group: group("dev-team")?,
            }),
            "group-has-members",
        )?;

        println!("\nThe last owner cannot go, by whatever door (A2)");
        self.refused(
            "olga",
            Command::RemoveMembers(RemoveMembers {
                members: [member("olga")?].into(),
            }),
            "last-owner",
        )?;
        self.refused(
            "olga",
            Command::RevokeOwnership(RevokeOwnership {
                member: member("olga")?,
            }),
            "last-owner",
        )?;
        Ok(())
    }

    fn follows_changes(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nOut of one group, while another still gives access (G9)");
        self.accepted("ivan", remove("dev-team", ["max"])?)?;
        self.level("max", "dev", AccessLevel::None);
        self.level("max", "staging", AccessLevel::Editor);

        println!("\nA role of one's own, and everybody follows when it is redefined (L3)");
        let export = Permission::parse("report.export")?;
        let analyst = RoleId::parse("analyst")?;
        self.accepted(
            "olga",
            Command::DefineRole(DefineRole {
                role: analyst.clone(),
                name: RoleName::parse("Analyst")?,
                level: RoleLevel::Store,
                permissions: [Permission::STORE_READ].into(),
            }),
        )?;
        self.accepted(
            "ivan",
            regrant(
                "read-only",
                vec![Grant::in_stores(analyst.clone(), [store("production")?])],
            )?,
        )?;
        self.check(
            "dana",
            &export,
            "production",
            "the member lacks `report.export`",
        );
        self.accepted(
            "olga",
            Command::ChangeRole(ChangeRole {
                role: analyst,
                name: None,
                permissions: Some([Permission::STORE_READ, export.clone()].into()),
            }),
        )?;
        self.check("dana", &export, "production", "allowed");
        self.check("rosa", &export, "production", "allowed");

        println!("\nAn invited member has nothing until it accepts (M1)");
        self.accepted(
            "ivan",
            Command::InviteMember(InviteMember {
                member: member("pia")?,
                as_owner: false,
                expires: None,
            }),
        )?;
        self.accepted("ivan", add("read-only", ["pia"])?)?;
        self.check(
            "pia",
            &Permission::STORE_READ,
            "production",
            "the member has not accepted its invitation yet",
        );
        self.accepted("pia", Command::AcceptInvitation(AcceptInvitation {}))?;
        self.check("pia", &Permission::STORE_READ, "production", "allowed");
        Ok(())
    }

    fn is_the_same_when_loaded(&self) -> Result<(), Box<dyn Error>> {
        let loaded = repository::load(&self.kept, self.account.id())?.ok_or("it was stored")?;
        assert_eq!(loaded, self.account);
        let snapshot = serde_json::to_string(&self.account.snapshot())?;
        let restored = Account::try_from(serde_json::from_str::<grantbook::Snapshot>(&snapshot)?)?;
        assert_eq!(restored, *loaded);
        println!(
            "\nLoaded again from its {} records, and from its snapshot: nothing changed (U2)",
            loaded.version()
        );
        Ok(())
    }

    fn try_all(
        &mut self,
        actor: &Actor,
        commands: &[Command],
    ) -> Result<Vec<Record>, ExecuteError<Infallible>> {
        self.now = self.now.plus_millis(1_000);
        // One id for each request; a service draws a UUID.
        let id = format!("request at {}", self.now.as_millis());
        let request = Request {
            commit: IdempotencyKey::parse(&id).expect("well formed"),
            actor: actor.clone(),
            commands: commands.to_vec(),
            now: self.now,
            note: None,
        };
        repository::execute(&self.kept, &mut self.account, &request)
    }

    fn accepted(&mut self, actor: &str, command: Command) -> Result<(), Box<dyn Error>> {
        let records = self.try_all(&Actor::Member(member(actor)?), &[command])?;
        println!(
            "  {actor}: {} (record {})",
            records[0].event().kind().replace('-', " "),
            records[0].version()
        );
        Ok(())
    }

    fn refused(&mut self, actor: &str, command: Command, code: &str) -> Result<(), Box<dyn Error>> {
        let before = self.account.clone();
        match self.try_all(&Actor::Member(member(actor)?), &[command]) {
            Err(ExecuteError::Refused(refusal)) => {
                println!("  refused: {refusal}");
                assert_eq!((refusal.code(), &self.account), (code, &before));
                Ok(())
            }
            other => Err(format!("expected a refusal, {code}; got {other:?}").into()),
        }
    }

    fn level(&self, member: &str, store: &str, expected: AccessLevel) {
        let level = self.account.access_level(member, store);
        println!("  {member} in {store}: {level}");
        assert_eq!(level, expected);
        assert_eq!(
            self.account.effective_permissions(member).level(store),
            expected
        );
    }

    fn check(&self, member: &str, permission: &Permission, store: &str, expected: &str) {
        let answer = match self
            .account
            .check(member, permission, Resource::Store(store))
        {
            Decision::Allowed => "allowed".to_owned(),
            Decision::Denied(denial) => denial.to_string(),
        };
        println!("  may {member} do {permission} in {store}? {answer}");
        assert_eq!(answer, expected);
    }
}

fn print_table(account: &Account) {
    print!("  {:8}", "");
    account.stores().for_each(|store| print!("{store:12}"));
    println!("manages groups");
    for member in account.members() {
        print!("  {:8}", member.id());
        for store in account.stores() {
            print!("{:12}", account.access_level(member.id(), store));
        }
        let manages = account.can(member.id(), &Permission::MANAGE_GROUPS, Resource::Account);
        println!("{}", if manages { "yes" } else { "no" });
    }
}

fn member(id: &str) -> Result<MemberId, grantbook::ParseError> {
    MemberId::parse(id)
}

fn store(id: &str) -> Result<StoreId, grantbook::ParseError> {
    StoreId::parse(id)
}

fn group(id: &str) -> Result<GroupId, grantbook::ParseError> {
    GroupId::parse(id)
}

fn members<const N: usize>(
    ids: [&str; N],
) -> Result<std::collections::BTreeSet<MemberId>, grantbook::ParseError> {
    ids.into_iter().map(member).collect()
}

fn add<const N: usize>(to: &str, ids: [&str; N]) -> Result<Command, grantbook::ParseError> {
    Ok(Command::AddToGroup(AddToGroup {
        group: group(to)?,
        members: members(ids)?,
    }))
}

fn remove<const N: usize>(from: &str, ids: [&str; N]) -> Result<Command, grantbook::ParseError> {
    Ok(Command::RemoveFromGroup(RemoveFromGroup {
        group: group(from)?,
        members: members(ids)?,
    }))
}

fn regrant(id: &str, grants: Vec<Grant>) -> Result<Command, grantbook::ParseError> {
    Ok(Command::EditGroup(EditGroup {
        group: group(id)?,
        name: None,
        description: None,
        grants: Some(grants),
    }))
}

//! The library's main job, on the four groups that most teams begin with.
//!
//! `cargo run --example quickstart` prints who may do what, and what happens as people and access change. Every line
//! it prints is checked: it ends with an error if the library says anything else.

use std::error::Error;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, ChangeRole, CreateGroup, CreateStore, DefineRole,
    DeleteGroup, EditGroup, GrantRole, InviteMember, ReinstateMember, RemoveFromGroup,
    RemoveMembers, RevokeOwnership, RevokeRole, SuspendMember,
};
use grantbook::repository::{self, MemoryRepository, Replica, RepositoryError, Request};
use grantbook::{
    AccessLevel, Account, Actor, Command, Decision, Grant, GroupLimit, IdempotencyKey, MemberId,
    Note, ParseError, Permission, Record, Resource, RoleId, RoleLevel, Snapshot, StoreId,
    Timestamp,
};

grantbook::permissions! {
    /// All that this application checks, beside what is built in.
    static CATALOG;

    const EXPORT = "report.export" @ Store;
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut acme = Acme::open()?;
    acme.set_up()?;

    println!("Who may do what:\n");
    print_table(&acme.account);

    acme.inherits()?;
    acme.knows_actions_of_your_own()?;
    acme.grants_one_role()?;
    acme.is_guarded()?;
    acme.suspends()?;
    acme.follows_changes()?;
    acme.is_the_same_when_loaded()?;

    println!("\nWho may do what now:\n");
    print_table(&acme.account);
    Ok(())
}

/// An account, the repository that keeps it, and a clock that ticks once a request.
struct Acme {
    kept: MemoryRepository,
    account: Replica,
    now: Timestamp,
}

impl Acme {
    fn open() -> Result<Self, Box<dyn Error>> {
        let kept = MemoryRepository::new();
        let now = Timestamp::from_millis(1_700_000_000_000);
        let (key, limit) = ("open-acme".parse()?, GroupLimit::default());
        let account = repository::open(&kept, key, "acme".parse()?, "olga".parse()?, limit, now)?;
        Ok(Self { kept, account, now })
    }

    /// Four groups, their stores, and members in one, several and no groups.
    fn set_up(&mut self) -> Result<(), Box<dyn Error>> {
        let people = ["ivan", "dana", "max", "rosa", "nils"];
        let members = people.map(str::parse::<MemberId>);
        let members = members.into_iter().collect::<Result<_, _>>()?;
        let records = self.request(&Actor::System, &[AddMembers { members }.into()], None)?;
        assert_eq!(records[0].event().kind(), "members-added");

        let set_up = [
            create_store("dev")?,
            create_store("staging")?,
            create_store("production")?,
            create_group("it-group", "IT Group", [Grant::group_manager()])?,
            create_group("dev-team", "Dev Team", [editor(["dev", "staging"])?])?,
            create_group("read-only", "Read-Only Access", [viewer(["production"])?])?,
            create_group(
                "integrations",
                "Integrations Team",
                [editor(["staging"])?, viewer(["production"])?],
            )?,
            add("it-group", ["ivan"])?,
            add("dev-team", ["dana", "max"])?,
            add("read-only", ["dana", "rosa"])?,
            add("integrations", ["max"])?,
        ];
        let records = self.request(&by("olga")?, &set_up, None)?;
        assert_eq!(records.len(), set_up.len(), "every command is one record");
        Ok(())
    }

    fn inherits(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nStore Editor includes Store Viewer (L2)");
        self.level("dana", "dev", AccessLevel::Editor);
        self.check("dana", "store.read", "dev", "allowed")?;

        println!("\nIn several groups, a member has what all of them give (P1)");
        self.level("max", "dev", AccessLevel::Editor);
        self.level("max", "staging", AccessLevel::Editor);
        self.level("max", "production", AccessLevel::Viewer);

        println!("\nA new store is in no group's scope; owners have it at once (S2)");
        self.accepted("olga", create_store("sandbox")?)?;
        for member in ["ivan", "dana", "max", "rosa", "nils"] {
            self.level(member, "sandbox", AccessLevel::None);
        }
        self.level("olga", "sandbox", AccessLevel::Owner);
        self.check(
            "dana",
            "store.read",
            "sandbox",
            "the member lacks `store.read`",
        )
    }

    fn knows_actions_of_your_own(&self) -> Result<(), Box<dyn Error>> {
        println!("\nName your actions under `store.write.`, and editors have them (L7)");
        self.check("dana", "store.write.tuples", "dev", "allowed")?;
        println!("  and viewers have not:");
        let denied = "the member lacks `store.write.tuples`";
        self.check("rosa", "store.write.tuples", "production", denied)?;
        self.check("rosa", "store.read.tuples", "production", "allowed")
    }

    fn grants_one_role(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nOne role is granted beside the others; the record says only what is new (G8)");
        let wider = grant("read-only", viewer(["production", "staging"])?)?;
        let record = self.accepted_with_note("ivan", wider, Some("ticket 4711".parse()?))?;
        println!("  {}", serde_json::to_string(record.event())?);
        assert_eq!(
            serde_json::to_value(record.event())?,
            serde_json::json!({
                "kind": "role-granted",
                "group": "read-only",
                "role": "store-viewer",
                "scope": {"stores": ["staging"]},
            })
        );
        self.level("rosa", "staging", AccessLevel::Viewer);

        println!("\nThe record also has the note of whoever runs the service (U2)");
        let note = record.note().map(Note::as_str);
        println!("  {}: {}", record.actor(), note.unwrap_or("no note"));
        assert_eq!(note, Some("ticket 4711"));

        println!("\nIt is revoked in some stores, or altogether (G8)");
        let narrower = RevokeRole {
            group: "read-only".parse()?,
            role: RoleId::store_viewer(),
            stores: Some(["staging".parse()?].into()),
        };
        self.accepted("ivan", narrower)?;
        self.level("rosa", "staging", AccessLevel::None);
        self.level("rosa", "production", AccessLevel::Viewer);
        let the_last = RevokeRole {
            group: "read-only".parse()?,
            role: RoleId::store_viewer(),
            stores: None,
        };
        self.refused("ivan", the_last, "last-grant")
    }

    fn is_guarded(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nA group manager cannot add itself, but another one can be asked (E1)");
        self.refused("ivan", add("dev-team", ["ivan"])?, "self-addition")?;
        self.accepted("olga", add("it-group", ["rosa"])?)?;
        self.accepted("rosa", add("dev-team", ["ivan"])?)?;
        self.level("ivan", "dev", AccessLevel::Editor);

        println!("\nNor can it widen a group that it is in (E2, E4)");
        let wider = grant("it-group", viewer(["production"])?)?;
        self.refused("ivan", wider, "self-escalation")?;

        println!("\nNot even by what it holds already: that would outlast the other group (E2)");
        self.accepted("olga", add("read-only", ["ivan"])?)?;
        self.level("ivan", "production", AccessLevel::Viewer);
        let again = grant("it-group", viewer(["production"])?)?;
        self.refused("ivan", again, "self-escalation")?;
        self.accepted("olga", remove("read-only", ["ivan"])?)?;

        println!("\nA group with members cannot be deleted (G7)");
        let group = "dev-team".parse()?;
        self.refused("ivan", DeleteGroup { group }, "group-has-members")?;

        println!("\nThe last owner cannot go, in whichever way (A2)");
        let olga: MemberId = "olga".parse()?;
        let members = [olga.clone()].into();
        self.refused("olga", RemoveMembers { members }, "last-owner")?;
        let member = olga.clone();
        self.refused("olga", RevokeOwnership { member }, "last-owner")?;
        self.refused("olga", SuspendMember { member: olga }, "last-owner")
    }

    fn suspends(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nA suspended member may do nothing, and keeps its groups for its return (M8)");
        let member: MemberId = "dana".parse()?;
        let suspend = SuspendMember {
            member: member.clone(),
        };
        self.accepted("olga", suspend)?;
        self.check("dana", "store.read", "dev", "the member is suspended")?;
        self.level("dana", "dev", AccessLevel::None);
        self.accepted("olga", ReinstateMember { member })?;
        self.level("dana", "dev", AccessLevel::Editor);
        Ok(())
    }

    fn follows_changes(&mut self) -> Result<(), Box<dyn Error>> {
        println!("\nOut of one group, while another still gives access (G9)");
        self.accepted("ivan", remove("dev-team", ["max"])?)?;
        self.level("max", "dev", AccessLevel::None);
        self.level("max", "staging", AccessLevel::Editor);

        println!("\nA role of your own, and everybody follows when it changes (L3)");
        let analyst: RoleId = "analyst".parse()?;
        let define = DefineRole {
            role: analyst.clone(),
            name: "Analyst".parse()?,
            level: RoleLevel::Store,
            permissions: [Permission::STORE_READ].into(),
        };
        self.accepted("olga", define)?;
        let instead = EditGroup {
            group: "read-only".parse()?,
            name: None,
            description: None,
            grants: Some(vec![Grant::in_stores(
                analyst.clone(),
                [StoreId::parse("production")?],
            )]),
        };
        self.accepted("ivan", instead)?;
        let denied = "the member lacks `report.export`";
        self.check("dana", "report.export", "production", denied)?;
        let change = |permissions| ChangeRole {
            role: analyst.clone(),
            name: None,
            permissions: Some(permissions),
        };
        let typing_error = change(["report.exprot".parse()?].into());
        let problem = CATALOG
            .check(&typing_error.into())
            .map_err(|error| error.to_string());
        let expected =
            "there is no permission `report.exprot`; did you mean `report.export`, of store level?";
        assert_eq!(problem, Err(expected.to_owned()));
        println!("  a catalog finds a typing error: {expected}");
        self.accepted("olga", change([Permission::STORE_READ, EXPORT].into()))?;
        self.check("dana", "report.export", "production", "allowed")?;
        self.check("rosa", "report.export", "production", "allowed")?;

        println!("\nAn invited member has nothing until it accepts (M1)");
        let invite = InviteMember {
            member: "pia".parse()?,
            as_owner: false,
            expires: None,
        };
        self.accepted("ivan", invite)?;
        self.accepted("ivan", add("read-only", ["pia"])?)?;
        let denied = "the member has not accepted its invitation yet";
        self.check("pia", "store.read", "production", denied)?;
        self.accepted("pia", AcceptInvitation {})?;
        self.check("pia", "store.read", "production", "allowed")
    }

    fn is_the_same_when_loaded(&self) -> Result<(), Box<dyn Error>> {
        let loaded = repository::load(&self.kept, self.account.id())?.ok_or("it was stored")?;
        assert_eq!(loaded, self.account);
        let snapshot = serde_json::to_string(&self.account.snapshot())?;
        let restored = Account::try_from(serde_json::from_str::<Snapshot>(&snapshot)?)?;
        assert_eq!(restored, *loaded);
        let records = loaded.version();
        println!(
            "\nLoaded again from its {records} records, and from its snapshot: nothing changed (U2)"
        );
        Ok(())
    }

    /// What a service does with each request that changes something.
    fn request(
        &mut self,
        actor: &Actor,
        commands: &[Command],
        note: Option<Note>,
    ) -> Result<Vec<Record>, RepositoryError> {
        self.now = self.now.plus_millis(1_000);
        // One key for each request; a service takes the one that its caller sent, or draws a UUID.
        let key = format!("request at {}", self.now.as_millis());
        let key = IdempotencyKey::parse(&key).expect("well formed");
        let request = Request {
            note,
            ..Request::by(actor.clone(), key, self.now).commands(commands.to_vec())
        };
        let executed = repository::execute(&self.kept, &mut self.account, &request)?;
        Ok(executed.into_records())
    }

    fn accepted(
        &mut self,
        actor: &str,
        command: impl Into<Command>,
    ) -> Result<Record, Box<dyn Error>> {
        self.accepted_with_note(actor, command, None)
    }

    fn accepted_with_note(
        &mut self,
        actor: &str,
        command: impl Into<Command>,
        note: Option<Note>,
    ) -> Result<Record, Box<dyn Error>> {
        let records = self.request(&by(actor)?, &[command.into()], note)?;
        let record = records.into_iter().next().ok_or("nothing changed")?;
        let what = record.event().kind().replace('-', " ");
        println!("  {actor}: {what} (record {})", record.version());
        Ok(record)
    }

    fn refused(
        &mut self,
        actor: &str,
        command: impl Into<Command>,
        code: &str,
    ) -> Result<(), Box<dyn Error>> {
        let before = self.account.clone();
        match self.request(&by(actor)?, &[command.into()], None) {
            Err(RepositoryError::Refused(error)) => {
                println!("  refused: {error}");
                assert_eq!((error.code(), &self.account), (code, &before));
                Ok(())
            }
            other => Err(format!("expected a refusal, {code}; got {other:?}").into()),
        }
    }

    fn level(&self, member: &str, store: &str, expected: AccessLevel) {
        let level = self.account.access_level(member, store);
        println!("  {member} in {store}: {level}");
        assert_eq!(level, expected);
        let all = self.account.effective_permissions(member);
        assert_eq!(all.level(store), expected);
    }

    fn check(
        &self,
        member: &str,
        permission: &str,
        store: &str,
        expected: &str,
    ) -> Result<(), Box<dyn Error>> {
        let (permission, resource) = (permission.parse()?, Resource::Store(store));
        let answer = match self.account.check(member, &permission, resource) {
            Decision::Allowed => "allowed".to_owned(),
            Decision::Denied(reason) => reason.to_string(),
        };
        println!("  may {member} do {permission} in {store}? {answer}");
        assert_eq!(answer, expected);
        Ok(())
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

fn by(id: &str) -> Result<Actor, ParseError> {
    Ok(Actor::Member(id.parse()?))
}

fn editor<const N: usize>(stores: [&str; N]) -> Result<Grant, ParseError> {
    let stores = stores.map(StoreId::parse).into_iter();
    Ok(Grant::store_editor(stores.collect::<Result<Vec<_>, _>>()?))
}

fn viewer<const N: usize>(stores: [&str; N]) -> Result<Grant, ParseError> {
    let stores = stores.map(StoreId::parse).into_iter();
    Ok(Grant::store_viewer(stores.collect::<Result<Vec<_>, _>>()?))
}

fn create_store(id: &str) -> Result<Command, ParseError> {
    Ok(CreateStore { store: id.parse()? }.into())
}

fn create_group(
    id: &str,
    name: &str,
    grants: impl Into<Vec<Grant>>,
) -> Result<Command, ParseError> {
    let create = CreateGroup {
        group: id.parse()?,
        name: name.parse()?,
        description: "".parse()?,
        grants: grants.into(),
    };
    Ok(create.into())
}

fn add<const N: usize>(to: &str, ids: [&str; N]) -> Result<Command, ParseError> {
    let members = ids.map(str::parse).into_iter().collect::<Result<_, _>>()?;
    let group = to.parse()?;
    Ok(AddToGroup { group, members }.into())
}

fn remove<const N: usize>(from: &str, ids: [&str; N]) -> Result<Command, ParseError> {
    let members = ids.map(str::parse).into_iter().collect::<Result<_, _>>()?;
    let group = from.parse()?;
    Ok(RemoveFromGroup { group, members }.into())
}

fn grant(to: &str, grant: Grant) -> Result<Command, ParseError> {
    let (group, role, scope) = (to.parse()?, grant.role, grant.scope);
    Ok(GrantRole { group, role, scope }.into())
}

//! The property protected: an explanation takes time in proportion to the account's groups and roles and what they
//! grant, and never to the pairs of a group and a role that would do. Inputs are doubled; each doubling may take 2.2
//! times the time.
//!
//! `cargo bench --bench explain` prints the table; `cargo test --bench explain` runs the smallest sizes.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use grantbook::command::{AddMembers, AddToGroup, CreateGroup, CreateStore, DefineRole};
use grantbook::{
    Account, Actor, Command, Description, Explanation, Grant, GroupId, GroupLimit, GroupName,
    MemberId, Permission, Resource, RoleId, RoleLevel, RoleName, StoreId, Timestamp, Verdict,
};

mod timing;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What is asked, of an account of a size.
struct Case {
    what: &'static str,
    make: fn(&mut Made, usize) -> Result<()>,
    permission: &'static str,
    is_allowed: bool,
}

const CASES: [Case; 6] = [
    Case {
        what: "groups that grant it, the member in each",
        make: |made, size| {
            let viewer = Grant::store_viewer(["dev".parse::<StoreId>()?]);
            made.groups(size, &[viewer], true)
        },
        permission: "store.read",
        is_allowed: true,
    },
    Case {
        what: "roles that give it, in one group of the member",
        make: |made, size| {
            let grants = made.roles(size, "log.read")?;
            made.groups(1, &grants, true)
        },
        permission: "log.read",
        is_allowed: true,
    },
    Case {
        what: "groups that grant it, the member in none",
        make: |made, size| {
            let viewer = Grant::store_viewer(["dev".parse::<StoreId>()?]);
            made.groups(size, &[viewer], false)
        },
        permission: "store.read",
        is_allowed: false,
    },
    Case {
        what: "groups of the member, none of which grants it",
        make: |made, size| made.groups(size, &[Grant::group_manager()], true),
        permission: "store.read",
        is_allowed: false,
    },
    Case {
        what: "roles that would do, and as many groups",
        make: |made, size| {
            made.roles(size, "log.read")?;
            made.groups(size, &[Grant::group_manager()], true)
        },
        permission: "log.read",
        is_allowed: false,
    },
    Case {
        what: "roles of the member that could be extended",
        make: |made, size| {
            let grants = made.roles(size, "log.read")?;
            made.groups(1, &grants, true)
        },
        permission: "log.write",
        is_allowed: false,
    },
];

fn main() -> Result<()> {
    let sizes: &[usize] = if timing::is_bench() {
        &[500, 1_000, 2_000, 4_000]
    } else {
        &[20, 40]
    };
    println!("{:60} {:>10} {:>8}", "", "ms", "× before");
    for case in &CASES {
        let figures = timing::doubled(sizes, |size| {
            let mut made = Made::new()?;
            (case.make)(&mut made, size)?;
            made.time_of(case)
        })?;
        for (size, (time, ratio)) in sizes.iter().zip(figures) {
            let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:8.2}"));
            println!("{:60} {time:10.3} {ratio}", format!("{size} {}", case.what));
        }
    }
    Ok(())
}

/// An account with the member `dana` and the store `dev`.
struct Made(Account);

impl Made {
    fn new() -> Result<Self> {
        let limit = GroupLimit::new(GroupLimit::HIGHEST)?;
        let (account, _) = Account::open("acme".parse()?, "olga".parse()?, limit, NOW);
        let mut made = Self(account);
        let dana: MemberId = "dana".parse()?;
        made.run(AddMembers {
            members: [dana].into(),
        })?;
        let store: StoreId = "dev".parse()?;
        made.run(CreateStore { store })?;
        Ok(made)
    }

    fn run(&mut self, command: impl Into<Command>) -> Result<()> {
        let record = self.0.execute(&Actor::System, &command.into(), NOW)?;
        record.map(drop).ok_or_else(|| "nothing changed".into())
    }

    /// So many roles that hold this and something of their own, each with its grant in the store.
    fn roles(&mut self, count: usize, held: &str) -> Result<Vec<Grant>> {
        let store: StoreId = "dev".parse()?;
        let mut grants = Vec::new();
        for number in 0..count {
            let role: RoleId = format!("role-{number:05}").parse()?;
            let own: Permission = format!("own.p{number}").parse()?;
            let permissions: BTreeSet<Permission> = [held.parse()?, own].into();
            self.run(DefineRole {
                role: role.clone(),
                name: RoleName::parse(&format!("Role {number}"))?,
                level: RoleLevel::Store,
                permissions,
            })?;
            grants.push(Grant::in_stores(role, [store.clone()]));
        }
        Ok(grants)
    }

    fn groups(&mut self, count: usize, grants: &[Grant], has_dana: bool) -> Result<()> {
        for number in 0..count {
            let group: GroupId = format!("group-{number:05}").parse()?;
            self.run(CreateGroup {
                group: group.clone(),
                name: GroupName::parse(&format!("Group {number}"))?,
                description: Description::default(),
                grants: grants.to_vec(),
            })?;
            if has_dana {
                let members = ["dana".parse()?].into();
                self.run(AddToGroup { group, members })?;
            }
        }
        Ok(())
    }

    /// The best of some runs.
    fn time_of(&self, case: &Case) -> Result<Duration> {
        let permission: Permission = case.permission.parse()?;
        let explained = || -> Explanation {
            self.0
                .explain("dana", &permission, Resource::Store("dev"), NOW)
        };
        let is_allowed = matches!(explained().answer, Verdict::Allowed { .. });
        if is_allowed != case.is_allowed {
            return Err("not the answer that is timed".into());
        }
        let runs = if timing::is_bench() { 40 } else { 1 };
        Ok(timing::best_cold(runs, explained))
    }
}

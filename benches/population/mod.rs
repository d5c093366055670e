//! The accounts that the benches measure: the same in every run, and about half of the questions are allowed.
//!
//! A member is in one to three groups. A group edits a quarter of the stores and views a sixth. Some members are owners,
//! and one in fifty is only invited. Ids arrive in no order, as people do.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs

use std::error::Error;

use grantbook::{
    Account, AccountId, Actor, Command, Description, Grant, GroupId, GroupLimit, GroupName,
    InvalidText, MAX_NAMED, MemberId, Permission, Record, StoreId, Timestamp,
};

pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// How large an account is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub name: &'static str,
    pub members: u64,
    pub groups: u64,
    pub stores: u64,
}

const fn size(name: &'static str, members: u64, groups: u64, stores: u64) -> Size {
    Size {
        name,
        members,
        groups,
        stores,
    }
}

pub const S: Size = size("S", 100, 20, 20);
pub const M: Size = size("M", 10_000, 20, 200);
pub const L: Size = size("L", 100_000, 20, 2_000);
pub const XL: Size = size("XL", 1_000_000, 20, 2_000);
pub const WIDE: Size = size("WIDE", 100_000, 1_000, 2_000);
/// For the long bench only.
pub const XXL: Size = size("XXL", 10_000_000, 20, 10_000);

/// What a member is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Owner,
    Active,
    Invited,
}

/// One question: may this member do this in this store?
#[derive(Clone, Debug)]
pub struct Question {
    pub member: String,
    pub permission: Permission,
    pub store: String,
}

/// A number that looks random and is always the same (`SplitMix64`).
fn mixed(seed: u64, number: u64) -> u64 {
    let mut word = (seed << 48 ^ number).wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

impl Size {
    /// The id of the member that came as the `number`th. Owners come first.
    pub fn member(self, number: u64) -> String {
        // A prime that divides no size: each id once, and in no order.
        format!("member-{:07}", number * 7_919 % self.members)
    }

    pub fn store(self, number: u64) -> String {
        format!("store-{number:05}")
    }

    pub fn group(self, number: u64) -> String {
        format!("group-{number:04}")
    }

    pub fn kind(self, member: u64) -> Kind {
        match member {
            0..3 => Kind::Owner,
            _ if member % 50 == 7 => Kind::Invited,
            _ => Kind::Active,
        }
    }

    /// One to three groups, each once.
    pub fn groups_of(self, member: u64) -> Vec<u64> {
        let mut groups: Vec<u64> = (0..=mixed(1, member) % 3)
            .map(|which| mixed(2 + which, member) % self.groups)
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    /// Whether a group edits a store (`Some(true)`), views it, or neither.
    pub fn grant(self, group: u64, store: u64) -> Option<bool> {
        match mixed(5, group << 24 ^ store) % 12 {
            0..3 => Some(true),
            3..5 => Some(false),
            _ => None,
        }
    }

    /// Questions over the whole population, uniformly.
    pub fn questions(self, count: u64) -> Vec<Question> {
        let question = |number| Question {
            member: self.member(mixed(6, number) % self.members),
            permission: [Permission::STORE_READ, Permission::STORE_WRITE]
                [usize::from(mixed(7, number) % 2 == 0)]
            .clone(),
            store: self.store(mixed(8, number) % self.stores),
        };
        (0..count).map(question).collect()
    }

    /// The account, and the records that made it: few, with many members each.
    pub fn account(self) -> Result<(Account, Vec<Record>), Box<dyn Error>> {
        let owner = MemberId::parse(&self.member(0))?;
        let limit = GroupLimit::new(u16::try_from(self.groups + 1)?)?; // room for one more
        let (mut account, opened) = Account::open(AccountId::parse("acme")?, owner, limit, NOW);
        let mut records = vec![opened];
        let mut run = |command: Command| -> Result<(), Box<dyn Error>> {
            records.extend(account.execute(&Actor::System, &command, NOW)?);
            Ok(())
        };
        for store in 0..self.stores {
            run(Command::CreateStore {
                store: StoreId::parse(&self.store(store))?,
            })?;
        }
        for group in 0..self.groups {
            run(self.create_group(group)?)?;
        }
        let ids = |members: &[u64]| -> Result<_, InvalidText> {
            members
                .iter()
                .map(|member| MemberId::parse(&self.member(*member)))
                .collect()
        };
        let active: Vec<u64> = (1..self.members)
            .filter(|member| self.kind(*member) != Kind::Invited)
            .collect();
        for members in active.chunks(MAX_NAMED) {
            run(Command::EnrolMembers {
                members: ids(members)?,
            })?;
        }
        for member in 1..self.members {
            let id = || MemberId::parse(&self.member(member));
            match self.kind(member) {
                Kind::Owner => run(Command::GrantOwnership { member: id()? })?,
                Kind::Active => {}
                Kind::Invited => run(Command::InviteMember {
                    member: id()?,
                    as_owner: false,
                    expires: None,
                })?,
            }
        }
        let mut in_group = vec![Vec::new(); usize::try_from(self.groups)?];
        for member in 0..self.members {
            for group in self.groups_of(member) {
                in_group[usize::try_from(group)?].push(member);
            }
        }
        for (group, members) in (0..).zip(&in_group) {
            for members in members.chunks(MAX_NAMED) {
                run(Command::AddToGroup {
                    group: GroupId::parse(&self.group(group))?,
                    members: ids(members)?,
                })?;
            }
        }
        Ok((account, records))
    }

    fn create_group(self, group: u64) -> Result<Command, Box<dyn Error>> {
        let stores = |edits: bool| -> Result<Vec<StoreId>, InvalidText> {
            (0..self.stores)
                .filter(|store| self.grant(group, *store) == Some(edits))
                .map(|store| StoreId::parse(&self.store(store)))
                .collect()
        };
        let (edited, viewed) = (stores(true)?, stores(false)?);
        let grants = [Grant::store_editor(edited), Grant::store_viewer(viewed)];
        Ok(Command::CreateGroup {
            group: GroupId::parse(&self.group(group))?,
            name: GroupName::parse(&format!("Group {group:04}"))?,
            description: Description::default(),
            grants: grants
                .into_iter()
                .filter(|grant| grant.scope.stores().next().is_some())
                .collect(),
        })
    }
}

//! The accounts that the benches measure: the same in every run, and about half of the questions are allowed.
//!
//! A member is in one to three groups. A group edits a quarter of the stores and views a sixth. Three members are
//! owners, and one in fifty is only invited. Ids arrive in no order, as people do.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs
#![allow(clippy::unused_self)] // an id is always asked of a size

use std::collections::BTreeSet;
use std::error::Error;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CreateGroup, CreateStore, GrantOwnership,
    InviteMember, RemoveFromGroup,
};
use grantbook::{
    Account, AccountId, Actor, Command, Description, Grant, GroupId, GroupLimit, GroupName,
    MAX_ITEMS_PER_COMMAND, MemberId, ParseError, Permission, Record, StoreId, Timestamp,
};

pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What is asked about, by whether it is writing.
pub static PERMISSIONS: [Permission; 2] = [Permission::STORE_READ, Permission::STORE_WRITE];

/// How large an account is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub name: &'static str,
    pub members: u64,
    pub groups: u64,
    pub stores: u64,
    pub ids: Ids,
}

/// What the ids of members and stores look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ids {
    /// 14 and 11 bytes.
    Short,
    /// 36 bytes, as a UUID is written.
    Uuid,
    /// 22 bytes, of which the first are alike or the last.
    Email,
}

const fn size(name: &'static str, members: u64, groups: u64, stores: u64) -> Size {
    // Else `Size::member` would give an id twice, or one in the order of arrival.
    assert!(members % ID_STEP != 0 && members > 3 && groups > 3);
    Size {
        name,
        members,
        groups,
        stores,
        ids: Ids::Short,
    }
}

pub const S: Size = size("S", 100, 20, 20);
pub const M: Size = size("M", 10_000, 20, 200);
pub const L: Size = size("L", 100_000, 20, 2_000);
pub const XL: Size = size("XL", 1_000_000, 20, 2_000);
pub const WIDE: Size = size("WIDE", 100_000, 1_000, 2_000);
/// As L, with ids of 36 bytes.
pub const LONG: Size = Size {
    name: "L with ids of 36 bytes",
    ids: Ids::Uuid,
    ..L
};
/// For the long bench only.
pub const XXL: Size = size("XXL", 10_000_000, 20, 10_000);

/// A prime, so that it has no divisor in common with a size of which it is no divisor.
const ID_STEP: u64 = 7_919;

/// What a member is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Owner,
    Active,
    Invited,
}

/// One question: may this member do this in this store?
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// As which the member came.
    pub member: u64,
    pub store: u64,
    /// Whether it is about writing.
    pub writes: bool,
}

/// A question as a request brings it.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'q> {
    pub member: &'q str,
    pub store: &'q str,
    pub writes: bool,
}

impl Asked<'_> {
    pub fn permission(self) -> &'static Permission {
        &PERMISSIONS[usize::from(self.writes)]
    }
}

/// Questions whose texts lie one behind another in the order asked, so that reading them costs next to nothing.
#[derive(Debug)]
pub struct Batch {
    texts: String,
    /// The lengths of a member's text and of a store's, and whether the question is about writing.
    lengths: Vec<(u8, u8, bool)>,
}

impl Batch {
    /// How many questions a batch holds; all sizes ask whole batches.
    pub const QUESTIONS: u32 = 1_024;

    pub fn questions(&self) -> impl Iterator<Item = Asked<'_>> {
        let mut rest = self.texts.as_str();
        self.lengths.iter().map(move |&(member, store, writes)| {
            let (member, after) = rest.split_at(usize::from(member));
            let (store, after) = after.split_at(usize::from(store));
            rest = after;
            Asked {
                member,
                store,
                writes,
            }
        })
    }
}

/// A number that looks random and is always the same (`SplitMix64`).
pub fn mixed(seed: u64, number: u64) -> u64 {
    let mut word = (seed << 48 ^ number).wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

/// As a UUID is written.
fn uuid(number: u64) -> String {
    let (one, other) = (mixed(31, number), mixed(32, number) >> 16);
    let (first, second) = (one >> 32, one >> 16 & 0xFFFF);
    format!(
        "{first:08x}-{second:04x}-4{:03x}-8{:03x}-{other:012x}",
        one >> 4 & 0xFFF,
        one & 0xFFF
    )
}

impl Size {
    /// As large, with other ids.
    #[must_use]
    pub const fn with(self, ids: Ids) -> Self {
        Self { ids, ..self }
    }

    /// The id of the member that came as the `number`th. Owners come first.
    pub fn member(self, number: u64) -> String {
        let is_mixed = self.members % ID_STEP != 0;
        let step = if is_mixed { ID_STEP } else { 1 };
        let number = number * step % self.members;
        match self.ids {
            Ids::Short => format!("member-{number:07}"),
            Ids::Uuid => uuid(number),
            Ids::Email => format!("no{number:07}@mail.example"),
        }
    }

    pub fn store(self, number: u64) -> String {
        match self.ids {
            Ids::Short => format!("store-{number:05}"),
            Ids::Uuid => uuid(number),
            Ids::Email => format!("store{number:05}@mail.test"),
        }
    }

    pub fn group(self, number: u64) -> String {
        format!("group-{number:04}")
    }

    pub fn member_id(self, number: u64) -> Result<MemberId, ParseError> {
        MemberId::parse(&self.member(number))
    }

    pub fn store_id(self, number: u64) -> Result<StoreId, ParseError> {
        StoreId::parse(&self.store(number))
    }

    pub fn group_id(self, number: u64) -> Result<GroupId, ParseError> {
        GroupId::parse(&self.group(number))
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

    /// A group that the member is not in.
    pub fn other_group(self, member: u64) -> u64 {
        let groups = self.groups_of(member);
        let mut other = mixed(9, member) % self.groups;
        while groups.contains(&other) {
            other = (other + 1) % self.groups;
        }
        other
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
    pub fn questions(self, count: u64) -> impl Iterator<Item = Question> {
        (0..count).map(move |number| Question {
            member: mixed(6, number) % self.members,
            store: mixed(8, number) % self.stores,
            writes: mixed(7, number) % 2 == 0,
        })
    }

    /// The same questions as text, enough to spread over the population.
    pub fn batches(self) -> Vec<Batch> {
        let batches = if self.members < XL.members { 64 } else { 1_024 };
        let mut questions = self.questions(batches * u64::from(Batch::QUESTIONS));
        let mut batch = || {
            let mut batch = Batch {
                texts: String::new(),
                lengths: Vec::new(),
            };
            for question in questions.by_ref().take(Batch::QUESTIONS as usize) {
                let member = self.member(question.member);
                let store = self.store(question.store);
                let length = |text: &str| u8::try_from(text.len()).expect("a short id");
                let lengths = (length(&member), length(&store), question.writes);
                batch.lengths.push(lengths);
                batch.texts.extend([member, store]);
            }
            batch
        };
        (0..batches).map(|_| batch()).collect()
    }

    /// The account, and the records that made it: few, with many members each.
    pub fn account(self) -> Result<(Account, Vec<Record>), Box<dyn Error>> {
        let mut made = self.founded()?;
        let ids = |members: &[u64]| -> Result<BTreeSet<MemberId>, ParseError> {
            members
                .iter()
                .map(|member| self.member_id(*member))
                .collect()
        };
        let active: Vec<u64> = (1..self.members)
            .filter(|member| self.kind(*member) != Kind::Invited)
            .collect();
        for members in active.chunks(MAX_ITEMS_PER_COMMAND) {
            let members = ids(members)?;
            made.run(&Actor::System, &Command::AddMembers(AddMembers { members }))?;
        }
        for number in 1..self.members {
            let (member, as_owner, expires) = (self.member_id(number)?, false, None);
            let command = match self.kind(number) {
                Kind::Active => continue,
                Kind::Owner => Command::GrantOwnership(GrantOwnership { member }),
                Kind::Invited => Command::InviteMember(InviteMember {
                    member,
                    as_owner,
                    expires,
                }),
            };
            made.run(&Actor::System, &command)?;
        }
        let mut in_group = vec![Vec::new(); usize::try_from(self.groups)?];
        for member in 0..self.members {
            for group in self.groups_of(member) {
                in_group[usize::try_from(group)?].push(member);
            }
        }
        for (group, members) in (0..).zip(&in_group) {
            for members in members.chunks(MAX_ITEMS_PER_COMMAND) {
                let (group, members) = (self.group_id(group)?, ids(members)?);
                made.run(
                    &Actor::System,
                    &Command::AddToGroup(AddToGroup { group, members }),
                )?;
            }
        }
        Ok((made.account, made.records))
    }

    /// The same members in the same groups, but as life brings them: one member a record, in no order.
    ///
    /// One in eight active members was invited and accepted later; one in ten has been in another group for a while.
    pub fn history(self) -> Result<(Account, Vec<Record>), Box<dyn Error>> {
        let mut steps = Vec::new(); // with the time of each
        for member in 0..self.members {
            let later = |seed| mixed(seed, member) % (self.members / 4);
            let mut step = |time, step| steps.push((time, step));
            match self.kind(member) {
                Kind::Owner if member == 0 => {} // opened the account
                Kind::Owner => {
                    step(member, Step::Enrol(member));
                    step(member, Step::MakeOwner(member));
                }
                Kind::Invited => step(member, Step::Invite(member)),
                Kind::Active if mixed(11, member) % 8 == 0 => {
                    step(member, Step::Invite(member));
                    step(member + later(12), Step::Accept(member));
                }
                Kind::Active => step(member, Step::Enrol(member)),
            }
            for group in self.groups_of(member) {
                step(member + later(13 + group), Step::Add(member, group));
            }
            if mixed(14, member) % 10 == 0 {
                let (group, time) = (self.other_group(member), member + later(15));
                step(time, Step::Add(member, group));
                step(time + later(16), Step::Remove(member, group));
            }
        }
        steps.sort_by_key(|(time, _)| *time); // stable: what is first for a member stays first
        let mut made = self.founded()?;
        for (_, step) in steps {
            let (actor, command) = step.command(self)?;
            made.run(&actor, &command)?;
        }
        Ok((made.account, made.records))
    }

    /// Its stores and groups, and nobody but the first owner.
    fn founded(self) -> Result<Made, Box<dyn Error>> {
        let (owner, limit) = (self.member_id(0)?, self.groups + Self::FREE_GROUPS);
        let limit = GroupLimit::new(u16::try_from(limit)?)?;
        let (account, opened) = Account::open(AccountId::parse("acme")?, owner, limit, NOW);
        let records = vec![opened];
        let mut made = Made { account, records };
        for store in 0..self.stores {
            let store = self.store_id(store)?;
            made.run(&Actor::System, &Command::CreateStore(CreateStore { store }))?;
        }
        for group in 0..self.groups {
            made.run(&Actor::System, &self.create_group(group)?)?;
        }
        Ok(made)
    }

    /// How many groups there is room for besides those of the size.
    pub const FREE_GROUPS: u64 = 20;

    fn create_group(self, group: u64) -> Result<Command, Box<dyn Error>> {
        let stores = |edits: bool| -> Result<Vec<StoreId>, ParseError> {
            (0..self.stores)
                .filter(|store| self.grant(group, *store) == Some(edits))
                .map(|store| self.store_id(store))
                .collect()
        };
        let (edited, mut viewed) = (stores(true)?, stores(false)?);
        if edited.is_empty() && viewed.is_empty() {
            viewed.push(self.store_id(group % self.stores)?);
        }
        let grants = [Grant::store_editor(edited), Grant::store_viewer(viewed)];
        Ok(Command::CreateGroup(CreateGroup {
            group: self.group_id(group)?,
            name: GroupName::parse(&format!("Group {group:04}"))?,
            description: Description::default(),
            grants: grants
                .into_iter()
                .filter(|grant| grant.scope.stores().next().is_some())
                .collect(),
        }))
    }
}

/// An account that is being made, and its records so far.
struct Made {
    account: Account,
    records: Vec<Record>,
}

impl Made {
    fn run(&mut self, actor: &Actor, command: &Command) -> Result<(), Box<dyn Error>> {
        let record = self.account.execute(actor, command, NOW)?;
        self.records.push(record.ok_or("nothing changed")?);
        Ok(())
    }
}

/// What happens to one member.
enum Step {
    Enrol(u64),
    MakeOwner(u64),
    Invite(u64),
    Accept(u64),
    Add(u64, u64),
    Remove(u64, u64),
}

impl Step {
    fn command(&self, size: Size) -> Result<(Actor, Command), ParseError> {
        let by_host = |command| (Actor::System, command);
        Ok(match *self {
            Step::Enrol(member) => by_host(Command::AddMembers(AddMembers {
                members: [size.member_id(member)?].into(),
            })),
            Step::MakeOwner(member) => by_host(Command::GrantOwnership(GrantOwnership {
                member: size.member_id(member)?,
            })),
            Step::Invite(member) => by_host(Command::InviteMember(InviteMember {
                member: size.member_id(member)?,
                as_owner: false,
                expires: None,
            })),
            Step::Accept(member) => (
                Actor::Member(size.member_id(member)?),
                Command::AcceptInvitation(AcceptInvitation {}),
            ),
            Step::Add(member, group) => by_host(Command::AddToGroup(AddToGroup {
                group: size.group_id(group)?,
                members: [size.member_id(member)?].into(),
            })),
            Step::Remove(member, group) => by_host(Command::RemoveFromGroup(RemoveFromGroup {
                group: size.group_id(group)?,
                members: [size.member_id(member)?].into(),
            })),
        })
    }
}

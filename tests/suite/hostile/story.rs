//! Bytes, read as what people ask of an account.
//!
//! The first byte says how the account begins. Then come lines of eight bytes:
//!
//! | byte | |
//! |---|---|
//! | 0 | who asks; with the top bit set, the command goes into one batch with the line before, and is asked by its actor |
//! | 1 | how the clock moves: -127 to 127 ms; -128 is to the last time that an account takes |
//! | 2 | which command; with the number after the last, byte 7 says which of those that came later, or none: an empty batch |
//! | 3 to 7 | its arguments: an id in the low bits, a bit for each of eight names, and so on |
//!
//! A line that is cut short ends in zeros, and every number stands for something: there are no bytes that are not a
//! story, and to change one byte is to change one thing.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CancelInvitation, ChangeGroupLimit, ChangeRole,
    CloseAccount, CreateGroup, CreateStore, DefineRole, DeleteGroup, DeleteRole, DeleteStore,
    EditGroup, GrantOwnership, GrantRole, InviteMember, LeaveAccount, ReinstateMember,
    RemoveFromGroup, RemoveMembers, RevokeOwnership, RevokeRole, SetGroupMembers, SuspendMember,
};
use grantbook::*;

pub(crate) const LINE: usize = 8;

const MEMBERS: [&str; 8] = [
    "olga",
    "gil",
    "a",
    "b",
    "A",
    "devs",
    "ina\u{301}",
    "</td>\"'",
];
const ACTORS: [&str; 14] = [
    "olga",
    "olga",
    "olga",
    "olga",
    "gil",
    "gil",
    "gil",
    "a",
    "b",
    "A",
    "devs",
    "ina\u{301}",
    "</td>\"'",
    "stranger",
];
const STORES: [&str; 4] = ["dev", "prod", "olga", "../\u{202e}"];
const GROUPS: [&str; 8] = ["devs", "it", "ops", "a", "A", "olga", "0", "\u{200b}"];
const GROUP_NAMES: [&str; 8] = [
    "Dev Team", "dev team", "IT Group", "Ops", "OPS", "A-B", "a_b", "...",
];
const DESCRIPTIONS: [&str; 4] = ["", "Those who build", " ", "x"];
const ROLES: [&str; 8] = [
    "group-manager",
    "store-editor",
    "store-viewer",
    "own",
    "more",
    "third",
    "Account/Owner",
    "olga",
];
const ROLE_NAMES: [&str; 8] = [
    "Auditor",
    "AUDITOR",
    "Billing",
    "Store Editor",
    "account_owner",
    "Another",
    "own",
    "...",
];
const PERMISSIONS: [&str; 8] = [
    "store.read",
    "store.write",
    "log.read",
    "log.export",
    "log.read.old",
    "store.write.x",
    "account.manage_groups",
    "account.x",
];

/// How many commands there are, each with a number; the number after the last stands for none.
const KINDS: u8 = 17;

/// An account to begin with: as its records give it or, where there are none, as it was read from a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Beginning {
    pub(crate) account: Account,
    pub(crate) records: Vec<Record>,
}

/// One moment: who asks for what, and when. More than one command, or none, is a batch.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) actor: Actor,
    pub(crate) commands: Vec<Command>,
    pub(crate) now: Timestamp,
}

/// A beginning, and what is asked from then on.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) beginning: Beginning,
    pub(crate) steps: Vec<Step>,
}

impl Story {
    pub(crate) fn read(data: &[u8]) -> Self {
        let (first, rest) = data.split_first().unwrap_or((&0, &[]));
        let beginning = match first {
            3 => &beginnings()[3], // Large, and slow: by this number alone.
            _ => &beginnings()[usize::from(first % 3)],
        };
        let beginning = beginning.clone();
        let mut now = beginning.account.changed_at();
        let mut steps: Vec<Step> = Vec::new();
        // What is too long takes its time; once in a story is enough.
        let mut has_been_long = false;
        for cut in rest.chunks(LINE) {
            let mut line = [0; LINE];
            line[..cut.len()].copy_from_slice(cut);
            if has_been_long {
                line[7] &= 127;
            }
            if has_been_long || line[7] == 255 {
                line[4] &= 127;
            }
            has_been_long |= line[4] == 255 || line[7] == 255;
            match steps.last_mut() {
                Some(step) if line[0] >= 128 => {
                    step.commands.extend(command(&line[2..], step.now));
                }
                _ => {
                    now = moved(now, line[1]);
                    let mut commands: Vec<_> = command(&line[2..], now).into_iter().collect();
                    if line[7] == 255 {
                        // One more than a batch may hold (U7).
                        let again = commands.iter().cycle().take(MAX_BATCH + 1);
                        commands = again.cloned().collect();
                    }
                    steps.push(Step {
                        actor: actor(line[0]),
                        commands,
                        now,
                    });
                }
            }
        }
        Self { beginning, steps }
    }
}

/// A moment so many milliseconds before or after another one; -128 is the last that an account takes.
pub(crate) fn moved(now: Timestamp, by: u8) -> Timestamp {
    let by = i64::from(i8::from_ne_bytes([by]));
    if by == -128 {
        return Timestamp::MAX;
    }
    Timestamp::from_millis(now.as_millis().saturating_add_signed(by))
}

pub(crate) fn member(byte: u8) -> MemberId {
    id(&MEMBERS, byte)
}

pub(crate) fn actor(byte: u8) -> Actor {
    let who = usize::from(byte & 15);
    ACTORS
        .get(who)
        .map_or(Actor::System, |id| Actor::Member(parsed(id)))
}

/// The command of a line from its third byte on.
pub(crate) fn command(line: &[u8], now: Timestamp) -> Option<Command> {
    let &[kind, which, bits, first, second, third] = line else {
        return None;
    };
    let member = member(which);
    let members = all_of(&MEMBERS, bits);
    let (group, store, role) = (id(&GROUPS, which), id(&STORES, which), id(&ROLES, which));
    let permissions = all_of(&PERMISSIONS, bits);
    let grants = || match bits {
        // One more than a command may name (U7).
        255 => vec![grant(first); MAX_ITEMS_PER_COMMAND + 1],
        _ => [first, second, third].map(grant)[..usize::from(bits & 3)].to_vec(),
    };
    Some(match kind % (KINDS + 1) {
        0 => Command::CreateStore(CreateStore { store }),
        1 => Command::CreateGroup(CreateGroup {
            group,
            name: id(&GROUP_NAMES, which >> 3),
            description: id(&DESCRIPTIONS, which >> 6),
            grants: grants(),
        }),
        2 => Command::AddToGroup(AddToGroup { group, members }),
        3 => Command::AddMembers(AddMembers { members }),
        4 => Command::InviteMember(InviteMember {
            member,
            as_owner: bits & 1 == 1,
            expires: (first > 0).then(|| moved(now, first)),
        }),
        5 => Command::AcceptInvitation(AcceptInvitation {}),
        6 => Command::CancelInvitation(CancelInvitation { member }),
        7 => Command::RemoveMembers(RemoveMembers {
            members: [member].into(),
        }),
        8 => Command::GrantOwnership(GrantOwnership { member }),
        9 => Command::RevokeOwnership(RevokeOwnership { member }),
        10 => Command::DeleteStore(DeleteStore { store }),
        11 => Command::EditGroup(EditGroup {
            group,
            name: (bits & 4 > 0).then(|| id(&GROUP_NAMES, which >> 3)),
            description: (bits & 8 > 0).then(|| id(&DESCRIPTIONS, which >> 6)),
            grants: (bits & 16 > 0).then(grants),
        }),
        12 => Command::DeleteGroup(DeleteGroup { group }),
        13 => Command::RemoveFromGroup(RemoveFromGroup { group, members }),
        14 => Command::DefineRole(DefineRole {
            role,
            name: id(&ROLE_NAMES, which >> 3),
            level: if which & 64 > 0 {
                RoleLevel::Account
            } else {
                RoleLevel::Store
            },
            permissions,
        }),
        15 => Command::ChangeRole(ChangeRole {
            role,
            name: (which & 64 > 0).then(|| id(&ROLE_NAMES, which >> 3)),
            permissions: (which & 128 > 0).then_some(permissions),
        }),
        16 => Command::DeleteRole(DeleteRole { role }),
        // What came later, so that the stories that were kept stay what they are; or none.
        _ => match third {
            1 => Command::SuspendMember(SuspendMember { member }),
            2 => Command::ReinstateMember(ReinstateMember { member }),
            3 => Command::RemoveMembers(RemoveMembers { members }),
            4 => Command::LeaveAccount(LeaveAccount {}),
            5 => {
                let Grant { role, scope } = grant(first);
                Command::GrantRole(GrantRole { group, role, scope })
            }
            6 => Command::RevokeRole(RevokeRole {
                group,
                role: grant(first).role,
                stores: (first & 8 == 0).then(|| all_of(&STORES, first >> 4)),
            }),
            7 => Command::SetGroupMembers(SetGroupMembers { group, members }),
            8 => Command::ChangeGroupLimit(ChangeGroupLimit {
                limit: GroupLimit::new(1 + u16::from(first)).expect("1 to 256"),
            }),
            9 => Command::CloseAccount(CloseAccount {}),
            _ => return None,
        },
    })
}

/// A role in the low three bits, the account in the next, a bit for each of four stores.
fn grant(byte: u8) -> Grant {
    let scope = if byte & 8 > 0 {
        Scope::Account
    } else {
        Scope::Stores(all_of(&STORES, byte >> 4))
    };
    Grant {
        role: id(&ROLES, byte),
        scope,
    }
}

fn parsed<T: std::str::FromStr<Err = ParseError>>(text: &str) -> T {
    text.parse().expect("the texts above keep their rules")
}

/// The one whose number is in the low bits.
fn id<T: std::str::FromStr<Err = ParseError>>(texts: &[&str], byte: u8) -> T {
    parsed(texts[usize::from(byte) % texts.len()])
}

/// Those whose bits are set.
fn all_of<T: Ord + std::str::FromStr<Err = ParseError>>(texts: &[&str], bits: u8) -> BTreeSet<T> {
    let chosen = texts
        .iter()
        .enumerate()
        .filter(|(bit, _)| (bits >> bit) & 1 == 1);
    chosen.map(|(_, text)| parsed(text)).collect()
}

/// Just opened; staffed, with room for one more group; staffed, and three versions from the last; beyond 64 groups.
fn beginnings() -> &'static [Beginning; 4] {
    static BEGINNINGS: OnceLock<[Beginning; 4]> = OnceLock::new();
    BEGINNINGS.get_or_init(|| {
        let staffed = || staffed(opened(3));
        [opened(20), staffed(), late(&staffed()), wide()]
    })
}

fn opened(groups: u16) -> Beginning {
    let limit = GroupLimit::new(groups).expect("1 to 4,096");
    let now = Timestamp::from_millis(1_000);
    let (account, record) = Account::open(parsed("acme"), parsed("olga"), limit, now);
    Beginning {
        account,
        records: vec![record],
    }
}

fn then(beginning: &mut Beginning, commands: &[Command]) {
    let now = beginning.account.changed_at();
    let done = beginning
        .account
        .execute_batch(&Actor::System, commands, now);
    beginning.records.extend(done.expect("a beginning"));
}

fn staffed(mut beginning: Beginning) -> Beginning {
    let stores = |text: &str| BTreeSet::from([parsed::<StoreId>(text)]);
    let create = |group: &str, name: &str, grants: Vec<Grant>| {
        Command::CreateGroup(CreateGroup {
            group: parsed(group),
            name: parsed(name),
            description: Description::default(),
            grants,
        })
    };
    let define = |role: &str, name: &str, level, permission: &str| {
        Command::DefineRole(DefineRole {
            role: parsed(role),
            name: parsed(name),
            level,
            permissions: BTreeSet::from([parsed(permission)]),
        })
    };
    let add = |group: &str, bits| {
        Command::AddToGroup(AddToGroup {
            group: parsed(group),
            members: all_of(&MEMBERS, bits),
        })
    };
    let manager = Grant::group_manager();
    let commands = [
        Command::AddMembers(AddMembers {
            members: all_of(&MEMBERS, 0b10_1110),
        }),
        Command::CreateStore(CreateStore {
            store: parsed("dev"),
        }),
        Command::CreateStore(CreateStore {
            store: parsed("prod"),
        }),
        define("own", "Auditor", RoleLevel::Store, "log.read"),
        define("more", "Billing", RoleLevel::Account, "log.export"),
        create(
            "it",
            "IT Group",
            vec![manager, Grant::store_viewer(stores("prod"))],
        ),
        create("devs", "Dev Team", vec![Grant::store_editor(stores("dev"))]),
        add("it", 0b0110),
        add("devs", 0b1100),
    ];
    then(&mut beginning, &commands);
    beginning
}

/// The same account, three versions from the highest: no records lead to it in a lifetime, but a snapshot does.
fn late(beginning: &Beginning) -> Beginning {
    let mut plain = serde_json::to_value(beginning.account.snapshot()).expect("plain data");
    plain["version"] = (u64::MAX - 3).into();
    let snapshot: Snapshot = serde_json::from_value(plain).expect("a snapshot");
    let account = Account::try_from(snapshot).expect("an account");
    Beginning {
        account,
        records: Vec::new(),
    }
}

/// Groups before and after all others, so that the members' groups do not fit one word.
fn wide() -> Beginning {
    let mut beginning = opened(70);
    let fillers = (0..66).map(|number| {
        Command::CreateGroup(CreateGroup {
            group: parsed(&format!("{}filler{number}", ["+", "x"][number % 2])),
            name: parsed(&format!("Filler {number}")),
            description: Description::default(),
            grants: vec![Grant::group_manager()],
        })
    });
    then(&mut beginning, &fillers.collect::<Vec<_>>());
    staffed(beginning)
}

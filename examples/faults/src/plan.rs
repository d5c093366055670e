//! What each writer asks for: known beforehand, so that whatever is kept can be told to be right.

use std::collections::BTreeSet;

use grantbook::command::{
    AddMembers, AddToGroup, CreateGroup, CreateStore, DeleteStore, RemoveFromGroup, RemoveMembers,
};
use grantbook::event::{
    AddedToGroup, MembersAdded, MembersRemoved, RemovedFromGroup, StoreCreated, StoreDeleted,
};
use grantbook::repository::Request;
use grantbook::{
    Account, AccountId, Actor, Command, Event, Grant, GroupId, GroupLimit, GroupName,
    IdempotencyKey, MemberId, Record, StoreId, Timestamp,
};

/// How many writers there can be: each has a group of its own.
pub(crate) const WRITERS: usize = 8;

/// Always the same moment, so that the account does not depend on who came first.
pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The commands of five requests, over and over: most ask for one thing, some for several at once.
const SIZES: [usize; 5] = [1, 1, 1, 2, 5];
const IN_A_CYCLE: usize = 10;

/// How many requests a writer makes for so many commands, a multiple of ten.
pub(crate) fn requests_for(commands: usize) -> usize {
    assert_eq!(commands % IN_A_CYCLE, 0, "commands come by tens");
    commands / IN_A_CYCLE * SIZES.len()
}

/// Request `n` of a writer. It fits whatever other writers do; each of its commands changes something.
pub(crate) fn request(writer: usize, n: usize) -> Request {
    let (cycle, resource) = (n / SIZES.len(), n % SIZES.len());
    let first = cycle * IN_A_CYCLE + SIZES.iter().take(resource).sum::<usize>();
    let commands = first..first + SIZES[resource];
    Request::by(Actor::System, key(writer, n), NOW).commands(commands.map(|k| command(writer, k)))
}

/// The key of request `n` of a writer.
pub(crate) fn key(writer: usize, n: usize) -> IdempotencyKey {
    id(IdempotencyKey::parse, &format!("w{writer}-{n}"))
}

/// The commit and the commands that a contest begins with: a group for each writer.
pub(crate) fn groups() -> Request {
    let groups = (0..WRITERS).map(|writer| create_group(&format!("w{writer}")));
    Request::by(Actor::System, id(IdempotencyKey::parse, "groups"), NOW).commands(groups)
}

pub(crate) fn create_group(name: &str) -> Command {
    Command::CreateGroup(CreateGroup {
        group: id(GroupId::parse, name),
        name: GroupName::parse(&format!("group {name}")).expect("a name"),
        description: grantbook::Description::default(),
        grants: vec![Grant::group_manager()],
    })
}

/// Command `k` of a writer.
fn command(writer: usize, k: usize) -> Command {
    let turn = k / 5;
    let member = |name: &str| id(MemberId::parse, &format!("w{writer}-{turn}-{name}"));
    let store = || id(StoreId::parse, &format!("w{writer}-{turn}"));
    let group = || id(GroupId::parse, &format!("w{writer}"));
    let both = BTreeSet::from([member("a"), member("b")]);
    match (k % 5, turn % 2) {
        (0, _) => Command::AddMembers(AddMembers { members: both }),
        (1, _) => Command::CreateStore(CreateStore { store: store() }),
        (2, _) => Command::AddToGroup(AddToGroup {
            group: group(),
            members: both,
        }),
        (3, _) => Command::RemoveFromGroup(RemoveFromGroup {
            group: group(),
            members: [member("a")].into(),
        }),
        (_, 0) => Command::RemoveMembers(RemoveMembers {
            members: [member("b")].into(),
        }),
        (..) => Command::DeleteStore(DeleteStore { store: store() }),
    }
}

/// The account as it is when these requests of these writers are kept, in whatever order, told from the commands alone.
pub(crate) fn expected(
    account: &AccountId,
    owner: &MemberId,
    kept: impl IntoIterator<Item = (usize, usize)>,
) -> Account {
    let limit = GroupLimit::default();
    let (mut account, _) = Account::open(account.clone(), owner.clone(), limit, NOW);
    let kept = kept.into_iter().map(|(writer, n)| request(writer, n));
    for request in std::iter::once(groups()).chain(kept) {
        account
            .execute_batch(&request.actor, &request.commands, NOW)
            .expect("the plan fits");
    }
    account
}

/// Whether these records are those of the request, whole: one for each command, in its order.
pub(crate) fn is_whole(records: &[Record], request: &Request) -> bool {
    records.len() == request.commands.len()
        && records
            .iter()
            .zip(&request.commands)
            .all(|(record, command)| {
                record.actor() == &request.actor && says(record.event(), command)
            })
}

fn says(event: &Event, command: &Command) -> bool {
    match (event, command) {
        (
            Event::MembersAdded(MembersAdded { members: found, .. }),
            Command::AddMembers(AddMembers { members }),
        )
        | (
            Event::MembersRemoved(MembersRemoved { members: found }),
            Command::RemoveMembers(RemoveMembers { members }),
        ) => found == members,
        (
            Event::StoreCreated(StoreCreated { store: found }),
            Command::CreateStore(CreateStore { store }),
        )
        | (
            Event::StoreDeleted(StoreDeleted { store: found }),
            Command::DeleteStore(DeleteStore { store }),
        ) => found == store,
        (
            Event::AddedToGroup(AddedToGroup {
                group: changed,
                members: found,
            }),
            Command::AddToGroup(AddToGroup { group, members }),
        )
        | (
            Event::RemovedFromGroup(RemovedFromGroup {
                group: changed,
                members: found,
            }),
            Command::RemoveFromGroup(RemoveFromGroup { group, members }),
        ) => (changed, found) == (group, members),
        _ => false,
    }
}

pub(crate) fn id<T, E: std::fmt::Debug>(parse: fn(&str) -> Result<T, E>, text: &str) -> T {
    parse(text).expect("an id")
}

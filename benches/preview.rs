//! The property protected: what `preview` costs follows what changes, not the size of the account. Adding one member
//! to a group costs about the same among 100 members and among 100,000, and among 20 groups and 2,000.

// The macros below make functions that nobody documents.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use grantbook::command::{AddMembers, AddToGroup, CreateGroup, CreateStore};
use grantbook::{
    Account, AccountId, Actor, Command, Description, Grant, GroupId, GroupLimit, GroupName,
    MAX_ITEMS_PER_COMMAND, MemberId, ParseError, StoreId, Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(0);

/// A store for each group, which edits it; 20 of the groups have half of the members.
fn account(members: usize, groups: usize) -> Result<Account, Box<dyn std::error::Error>> {
    let owner = MemberId::parse("owner")?;
    let (mut account, _) = Account::open(
        AccountId::parse("acme")?,
        owner,
        GroupLimit::new(GroupLimit::HIGHEST)?,
        NOW,
    );
    let ids = (0..members).map(member).collect::<Result<Vec<_>, _>>()?;
    let mut run = |command| account.execute(&Actor::System, &command, NOW).map(drop);
    for some in ids.chunks(MAX_ITEMS_PER_COMMAND) {
        run(Command::AddMembers(AddMembers {
            members: some.iter().cloned().collect(),
        }))?;
    }
    for number in 0..groups {
        let (store, group) = (StoreId::parse(&format!("store-{number}"))?, group(number)?);
        run(Command::CreateStore(CreateStore {
            store: store.clone(),
        }))?;
        run(Command::CreateGroup(CreateGroup {
            group: group.clone(),
            name: GroupName::parse(&format!("Group {number}"))?,
            description: Description::default(),
            grants: vec![Grant::store_editor([store])],
        }))?;
        let skipped = if number < 20 { number } else { members };
        let some: Vec<_> = ids.iter().skip(skipped).step_by(40).cloned().collect();
        for some in some.chunks(MAX_ITEMS_PER_COMMAND) {
            run(Command::AddToGroup(AddToGroup {
                group: group.clone(),
                members: some.iter().cloned().collect(),
            }))?;
        }
    }
    Ok(account)
}

fn member(number: usize) -> Result<MemberId, ParseError> {
    MemberId::parse(&format!("member-{number:07}"))
}

fn group(number: usize) -> Result<GroupId, ParseError> {
    GroupId::parse(&format!("group-{number}"))
}

fn preview(criterion: &mut Criterion) {
    let mut benches = criterion.benchmark_group("preview of adding one member to a group");
    for (members, groups) in [(100, 20), (10_000, 20), (100_000, 20), (100_000, 2_000)] {
        let account = account(members, groups).expect("an account");
        // The last member is in no group.
        let add = Command::AddToGroup(AddToGroup {
            group: group(7).expect("an id"),
            members: [member(members - 1).expect("an id")].into(),
        });
        let actor = Actor::System;
        let delta = account
            .preview(&actor, std::slice::from_ref(&add), NOW)
            .expect("accepted")
            .delta;
        assert_eq!(
            delta.iter().count(),
            1,
            "one member gains access to one store"
        );
        benches.bench_with_input(
            BenchmarkId::new(format!("{groups} groups"), members),
            &account,
            |bencher, account| {
                bencher
                    .iter(|| black_box(account).preview(&actor, std::slice::from_ref(&add), NOW));
            },
        );
    }
    benches.finish();
}

criterion_group!(benches, preview);
criterion_main!(benches);

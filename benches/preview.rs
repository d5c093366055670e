//! The property protected: what `preview` costs follows what changes, not the size of the account. Adding one member
//! to a group costs about the same among 100 members and among 100,000.

// The macros below make functions that nobody documents.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use grantbook::{
    Account, AccountId, Actor, Command, Description, Grant, GroupId, GroupLimit, GroupName,
    InvalidText, MAX_NAMED, MemberId, StoreId, Timestamp,
};

const NOW: Timestamp = Timestamp::from_millis(0);

/// 20 stores, 20 groups that each edit one of them, and half of the members in a group.
fn account(members: usize) -> Result<Account, Box<dyn std::error::Error>> {
    let owner = MemberId::parse("owner")?;
    let (mut account, _) =
        Account::open(AccountId::parse("acme")?, owner, GroupLimit::default(), NOW);
    let ids = (0..members).map(member).collect::<Result<Vec<_>, _>>()?;
    let mut run = |command| account.execute(&Actor::System, &command, NOW).map(drop);
    for some in ids.chunks(MAX_NAMED) {
        run(Command::EnrolMembers {
            members: some.iter().cloned().collect(),
        })?;
    }
    for number in 0..20 {
        let (store, group) = (StoreId::parse(&format!("store-{number}"))?, group(number)?);
        run(Command::CreateStore {
            store: store.clone(),
        })?;
        run(Command::CreateGroup {
            group: group.clone(),
            name: GroupName::parse(&format!("Group {number}"))?,
            description: Description::default(),
            grants: vec![Grant::store_editor([store])],
        })?;
        let some: Vec<_> = ids.iter().skip(number).step_by(40).cloned().collect();
        for some in some.chunks(MAX_NAMED) {
            run(Command::AddToGroup {
                group: group.clone(),
                members: some.iter().cloned().collect(),
            })?;
        }
    }
    Ok(account)
}

fn member(number: usize) -> Result<MemberId, InvalidText> {
    MemberId::parse(&format!("member-{number:07}"))
}

fn group(number: usize) -> Result<GroupId, InvalidText> {
    GroupId::parse(&format!("group-{number}"))
}

fn preview(criterion: &mut Criterion) {
    let mut benches = criterion.benchmark_group("preview of adding one member to a group");
    for members in [100, 10_000, 100_000] {
        let account = account(members).expect("an account");
        // The last member is in no group.
        let add = Command::AddToGroup {
            group: group(7).expect("an id"),
            members: [member(members - 1).expect("an id")].into(),
        };
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
            BenchmarkId::from_parameter(members),
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

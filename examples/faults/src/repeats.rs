//! Requests that are made again under their keys.

use std::process::Command as Process;

use grantbook::command::{
    AcceptInvitation, AddMembers, AddToGroup, CreateStore, DeleteStore, GrantOwnership,
    InviteMember, LeaveAccount, ReinstateMember, RemoveFromGroup, RemoveMembers, RevokeOwnership,
    SuspendMember,
};
use grantbook::repository::{self, Executed, Repository, Request};
use grantbook::{AccountId, Actor, Command, GroupId, IdempotencyKey, MemberId, StoreId};

use crate::Host;
use crate::judge::{assert_holds, loaded, opened};
use crate::losses::Losses;
use crate::plan::{self, NOW};

const MEMBERS: [&str; 4] = ["olga", "otto", "dana", "nils"];

impl<W: Fn() -> Process, C: Fn() -> R, R: Repository> Host<W, C> {
    /// A series of random requests, and then each that was accepted once more, in any order and number, on a copy that
    /// saw them all and on one that saw none, once a round.
    ///
    /// Each is answered as it was, also where its actor has left since, and the account stays as it is (U9).
    ///
    /// # Panics
    /// It is not so.
    pub fn a_repeated_series_changes_nothing(&self, rounds: usize) {
        let repository = (self.connect)();
        let mut losses = Losses::default();
        let (mut done, mut again) = (0, 0);
        for round in 0..rounds {
            let mut random = fastrand::Rng::with_seed(round as u64);
            let account = plan::id(AccountId::parse, &format!("series {round}"));
            let mut late = opened(
                &repository,
                &account,
                &plan::id(MemberId::parse, MEMBERS[0]),
            );
            let early = late.clone();
            let mut accepted: Vec<(Request, Executed)> = Vec::new();
            let groups = Request::by(Actor::System, plan::id(IdempotencyKey::parse, "g"), NOW)
                .command(plan::create_group("g"));
            for request in [groups]
                .into_iter()
                .chain((0..60).map(|number| any_request(&mut random, number)))
            {
                match repository::execute(&repository, &mut late, &request) {
                    Ok(executed) => accepted.push((request, executed)),
                    Err(repository::RepositoryError::Refused(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            let finished = loaded(&repository, &account);
            for _ in 0..40 {
                let (request, first) = &accepted[random.usize(..accepted.len())];
                let mut copy = if random.bool() {
                    late.clone()
                } else {
                    early.clone()
                };
                let answer = repository::execute(&repository, &mut copy, request);
                let is_same = answer.is_ok_and(|answer| {
                    answer.is_repeat()
                        && answer.version() == first.version()
                        && answer.records() == first.records()
                });
                losses.lost += usize::from(!is_same);
                again += 1;
            }
            done += accepted.len();
            let stands = loaded(&repository, &account);
            assert_holds(&stands);
            losses.twice += usize::from(stands != finished);
        }
        losses.report(&format!(
            "{}, {done} requests in {rounds} series, repeated {again} times",
            self.name
        ));
    }
}

/// By anybody, and about anybody: half of them are refused.
fn any_request(random: &mut fastrand::Rng, number: usize) -> Request {
    let mut any = || plan::id(MemberId::parse, MEMBERS[random.usize(..MEMBERS.len())]);
    let (member, other) = (any(), any());
    let members = || [member.clone()].into();
    let group = plan::id(GroupId::parse, "g");
    let store = plan::id(StoreId::parse, &format!("store {}", number % 3));
    let command: Command = match random.usize(..13) {
        0 => AddMembers { members: members() }.into(),
        1 => RemoveMembers { members: members() }.into(),
        2 => InviteMember {
            member: member.clone(),
            as_owner: random.bool(),
            expires: None,
        }
        .into(),
        3 => AcceptInvitation {}.into(),
        4 => LeaveAccount {}.into(),
        5 => GrantOwnership {
            member: member.clone(),
        }
        .into(),
        6 => RevokeOwnership {
            member: member.clone(),
        }
        .into(),
        7 => SuspendMember {
            member: member.clone(),
        }
        .into(),
        8 => ReinstateMember {
            member: member.clone(),
        }
        .into(),
        9 | 10 => AddToGroup {
            group,
            members: members(),
        }
        .into(),
        11 => RemoveFromGroup {
            group,
            members: members(),
        }
        .into(),
        _ if random.bool() => CreateStore { store }.into(),
        _ => DeleteStore { store }.into(),
    };
    let actor = match random.usize(..3) {
        0 => Actor::System,
        1 => Actor::Member(plan::id(MemberId::parse, MEMBERS[0])),
        _ => Actor::Member(other),
    };
    let key = plan::id(IdempotencyKey::parse, &format!("key {number}"));
    Request::by(actor, key, NOW).command(command)
}

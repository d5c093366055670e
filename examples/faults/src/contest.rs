//! Requests of several processes of which not all can be accepted.

use std::process::Command as Process;

use grantbook::command::{AddMembers, GrantOwnership, RemoveMembers};
use grantbook::repository::{self, Replica, Repository, Request};
use grantbook::{AccountId, Actor, Command, IdempotencyKey, MemberId};

use crate::Host;
use crate::judge::{assert_holds, loaded, opened};
use crate::losses::Losses;
use crate::plan::{self, NOW};
use crate::process;
use crate::worker::Turn;

const GROUPS: usize = 25;
const LIMIT: usize = 20;

impl<W: Fn() -> Process, C: Fn() -> R, R: Repository> Host<W, C> {
    /// Two owners remove each other at once, from two processes, once a round.
    ///
    /// One of them is removed; the other's request counts, and the account keeps an owner (A2).
    ///
    /// # Panics
    /// It is not so.
    pub fn owners_remove_each_other(&self, rounds: usize) {
        let [olga, otto] = ["olga", "otto"].map(|name| plan::id(MemberId::parse, name));
        let repository = (self.connect)();
        let mut processes = self.contestants(2);
        let mut losses = Losses::default();
        for round in 0..rounds {
            let account = plan::id(AccountId::parse, &format!("owners {round}"));
            let mut replica = opened(&repository, &account, &olga);
            let commands = vec![
                Command::AddMembers(AddMembers {
                    members: [otto.clone()].into(),
                }),
                Command::GrantOwnership(GrantOwnership {
                    member: otto.clone(),
                }),
            ];
            prepare(&repository, &mut replica, commands);

            let each_removes = |actor: &MemberId, member: &MemberId| Turn {
                account: account.clone(),
                key: plan::id(IdempotencyKey::parse, actor),
                actor: Actor::Member(actor.clone()),
                command: Command::RemoveMembers(RemoveMembers {
                    members: [member.clone()].into(),
                }),
            };
            let turns = [each_removes(&olga, &otto), each_removes(&otto, &olga)];
            let answers = at_once(&mut processes, &turns);

            let account = loaded(&(self.connect)(), &account);
            assert_holds(&account);
            for (answer, [actor, other]) in answers.iter().zip([[&olga, &otto], [&otto, &olga]]) {
                let is_done = account.owners().eq([actor]) && account.member(other).is_none();
                match answer.as_str() {
                    "done" if is_done => {}
                    "done" => losses.lost += 1,
                    refused => assert_eq!((refused, is_done), ("not-authorized", false)),
                }
            }
            assert_eq!(account.owners().count(), 1, "one owner is left (A2)");
        }
        finish(processes);
        losses.report(&format!(
            "{}, owners remove each other, {rounds} rounds",
            self.name
        ));
    }

    /// 25 processes create a group each at once, against a limit of 20, once a round.
    ///
    /// 20 are created, no more and no less, and five are refused (A3).
    ///
    /// # Panics
    /// It is not so.
    pub fn groups_at_the_limit(&self, rounds: usize) {
        let repository = (self.connect)();
        let mut processes = self.contestants(GROUPS);
        let mut losses = Losses::default();
        for round in 0..rounds {
            let account = plan::id(AccountId::parse, &format!("groups {round}"));
            opened(&repository, &account, &plan::id(MemberId::parse, "olga"));
            let turns: Vec<Turn> = (0..GROUPS)
                .map(|process| Turn {
                    account: account.clone(),
                    key: plan::id(IdempotencyKey::parse, &process.to_string()),
                    actor: Actor::System,
                    command: plan::create_group(&process.to_string()),
                })
                .collect();
            let answers = at_once(&mut processes, &turns);

            let account = loaded(&(self.connect)(), &account);
            assert_holds(&account);
            for (process, answer) in answers.iter().enumerate() {
                let is_there = account.group(&process.to_string()).is_some();
                match answer.as_str() {
                    "done" if is_there => {}
                    "done" => losses.lost += 1,
                    refused => assert_eq!((refused, is_there), ("too-many-groups", false)),
                }
            }
            let created = answers.iter().filter(|answer| *answer == "done").count();
            assert_eq!(
                (created, account.groups().count()),
                (LIMIT, LIMIT),
                "the limit (A3)"
            );
        }
        finish(processes);
        losses.report(&format!(
            "{}, {GROUPS} groups at once for {LIMIT} places, {rounds} rounds",
            self.name
        ));
    }

    /// They live through all rounds.
    fn contestants(&self, count: usize) -> Vec<process::Process> {
        (0..count).map(|_| self.start(&["contest"])).collect()
    }
}

/// Gives each process its turn, lets them all go when all are ready, and gives their answers.
fn at_once(processes: &mut [process::Process], turns: &[Turn]) -> Vec<String> {
    for (process, turn) in processes.iter_mut().zip(turns) {
        process.tell(&serde_json::to_string(turn).expect("a turn is JSON"));
    }
    for process in processes.iter() {
        assert_eq!(process.line(), "ready");
    }
    for process in processes.iter_mut() {
        process.tell("go");
    }
    processes.iter().map(process::Process::line).collect()
}

fn finish(processes: Vec<process::Process>) {
    for process in processes {
        process.finish();
    }
}

fn prepare<R: Repository>(repository: &R, replica: &mut Replica, commands: Vec<Command>) {
    let key = plan::id(IdempotencyKey::parse, "prepare");
    let request = Request::by(Actor::System, key, NOW).commands(commands);
    repository::execute(repository, replica, &request).expect("it is prepared");
}

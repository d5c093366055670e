//! The crate and the model, and how they are compared.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use grantbook::command::{AcceptInvitation, EditGroup, InviteMember};
use grantbook::*;

use super::Seen;
use super::fitting::fit;
use super::turns::Turn;
use crate::model::{
    Asked, Checked, Flaw, Model, State, agree, decides_alike, grants_of, law, lists_agree,
    reads_as, same,
};
use crate::strategies::{C, D, MEMBERS, PERMISSIONS, STORES, staffing};
use crate::support::*;

/// Every so many steps, and at the end, the account is replayed from its records and read back from a snapshot.
const STRIDE: usize = 16;

/// Everybody and every store that there may be, and one that never is; every permission that a role may hold or a
/// command takes, and one that nobody is ever given.
static IN_PLAY: LazyLock<Asked> = LazyLock::new(|| {
    let permissions: BTreeSet<_> = PERMISSIONS
        .into_iter()
        .chain(["store.purge", "store.write.tuples.old", "log.never"])
        .map(permission)
        .chain(Permission::BUILT_IN)
        .collect();
    Asked {
        members: MEMBERS
            .into_iter()
            .chain(["stranger"])
            .map(str::to_owned)
            .collect(),
        stores: STORES
            .into_iter()
            .chain(["none"])
            .map(str::to_owned)
            .collect(),
        permissions: permissions.into_iter().collect(),
    }
});

fn same_account(account: &Account, model: &State) -> Checked {
    law("G9", account.index_is_exact(), || {
        "the index is not exact".to_owned()
    })?;
    reads_as(account, model)?;
    agree(account, model, &IN_PLAY)
}

/// The crate and the model, and a second account that decides and reads but never executes.
#[derive(Clone)]
pub(super) struct Pair {
    account: Account,
    copy: Account,
    records: Vec<Record>,
    model: State,
    pub(super) now: u64,
    steps: usize,
}

impl Pair {
    /// An account with so many groups, the last two of them `it` and `devs`, which so have the last slots.
    pub(super) fn begin(groups: usize, limit: u16) -> Self {
        let (id, limit) = (
            AccountId::parse("acme").unwrap(),
            GroupLimit::new(limit).unwrap(),
        );
        let (account, record) = Account::open(id, member(OWNER), limit, at(1_000));
        let mut pair = Self {
            copy: account.clone(),
            account,
            records: vec![record],
            model: State::open(OWNER, limit.get().into(), 1_000),
            now: 1_000,
            steps: 0,
        };
        let filler = |number: usize| {
            let grant = match number % 3 {
                0 => viewer(["prod"]),
                1 => editor(["dev"]),
                _ => Grant::in_stores(role("own"), [store("prod")]),
            };
            let id = format!("f{number:02}");
            let among = [(16, "a"), (15, C), (31, D)];
            let among = among
                .into_iter()
                .filter(|(every, _)| number % every == every - 1);
            let filled = add(&id, among.map(|(_, member)| member));
            [
                create_group(&id, &format!("Filler {number}"), [grant]),
                filled,
            ]
        };
        let staffing = staffing();
        let (before, after) = staffing.split_at(4);
        let fillers = (2..groups).flat_map(filler);
        let commands: Vec<_> = before
            .iter()
            .cloned()
            .chain(fillers)
            .chain(after.to_vec())
            .collect();
        let seen = RefCell::default();
        pair.execute(&Actor::System, &[enrol(["a", "b", C, D])], &seen)
            .unwrap();
        pair.execute(&by(OWNER), &commands, &seen).unwrap();
        assert_eq!(seen.borrow().refused, 0);
        assert_eq!(pair.account.groups().count(), groups);
        pair
    }

    /// Takes the step, and compares.
    pub(super) fn take(&mut self, turn: &Turn, seen: &RefCell<Seen>) -> Checked {
        let (actor, commands) = self.meant(turn);
        self.now = self.now.saturating_add_signed(turn.step.clock);
        self.execute(&actor, &commands, seen)?;
        self.steps += 1;
        seen.borrow_mut().steps += 1;
        if self.steps % STRIDE == 0 {
            self.read_back()
        } else {
            Ok(())
        }
    }

    /// Who asks for what, now that the time and the account are known.
    pub(super) fn meant(&self, turn: &Turn) -> (Actor, Vec<Command>) {
        let now = self.now.saturating_add_signed(turn.step.clock);
        let mut commands = turn.step.commands.clone();
        for command in &mut commands {
            if let Some(which) = turn.fitted {
                fit(command, &self.model, which);
            }
            match command {
                Command::InviteMember(InviteMember { expires, .. }) if expires.is_some() => {
                    let now = now.max(self.model.last);
                    *expires = Some(at(now.saturating_add_signed(turn.expires_in)));
                }
                Command::EditGroup(EditGroup { group, grants, .. })
                    if turn.as_shown && grants.is_some() =>
                {
                    let shown = self.account.group(group).map(|group| grants_of(&group));
                    *grants = shown.map(|grants| grants.into_iter().rev().collect());
                }
                _ => {}
            }
        }
        let question = |member: &Member<'_>| match commands.first() {
            Some(Command::AcceptInvitation(AcceptInvitation {})) => !member.status().is_active(),
            _ => self.model.manages(member.id()),
        };
        let mut actors = vec![];
        if !matches!(commands.first(), Some(Command::AddMembers(_))) {
            let members = self.account.members().filter(question);
            actors.extend(members.map(|member| Actor::Member(member.id().clone())));
        }
        actors.push(Actor::System);
        let instead = turn
            .instead
            .map(|which| actors[which % actors.len()].clone());
        (instead.unwrap_or_else(|| turn.step.actor.clone()), commands)
    }

    fn execute(&mut self, actor: &Actor, commands: &[Command], seen: &RefCell<Seen>) -> Checked {
        let now = at(self.now);
        let decided = self.copy.decide_batch(actor, commands, now);
        let done = match commands {
            [command] => self
                .account
                .execute(actor, command, now)
                .map(Vec::from_iter),
            commands => self.account.execute_batch(actor, commands, now),
        };
        same(
            "U3",
            "what is decided on a copy is what is done",
            &decided,
            &done,
        )?;
        let verdict = Model::default().execute(&mut self.model, actor, commands, self.now);
        decides_alike(&done, commands, &verdict)?;
        let mut seen = seen.borrow_mut();
        match done {
            Ok(records) => {
                for record in &records {
                    same("U2", "actor", record.actor(), actor)?;
                    same("U2", "time", record.at().as_millis(), self.model.last)?;
                    let applied = self.copy.apply(record);
                    applied.map_err(|error| Flaw::new("U2", error))?;
                    *seen.kinds.entry(record.event().kind()).or_default() += 1;
                }
                seen.changed += records.len() as u64;
                seen.unchanged += (commands.len() - records.len()) as u64;
                if !records.is_empty() {
                    same_account(&self.account, &self.model)?;
                }
                self.records.extend(records);
            }
            Err(refusal) => {
                let is_one_of_several = verdict.is_err_and(|(_, reasons)| reasons.len() > 1);
                seen.refused += 1;
                seen.tied += u64::from(is_one_of_several);
                *seen.codes.entry(refusal.code()).or_default() += 1;
                let which = match &refusal {
                    CommandError::InBatch { index, .. } => *index,
                    _ => 0,
                };
                let command = commands[which].kind();
                *seen.refused_commands.entry(command).or_default() += 1;
            }
        }
        let is_same = self.copy == self.account;
        law("U2", is_same, || {
            "the copy that was fed the records differs".to_owned()
        })
    }

    /// U2: replayed from the first record, and read from a snapshot as it is stored, the account is the same. The
    /// copy, which has been fed the records since the last time, is compared in full, and goes on as one of the two;
    /// its groups may then lie in other slots than the account's.
    fn read_back(&mut self) -> Checked {
        let replayed = Account::replay(&self.records).map_err(|error| Flaw::new("U2", error))?;
        let stored = serde_json::to_string(&self.account.snapshot()).unwrap();
        let snapshot: Snapshot =
            serde_json::from_str(&stored).map_err(|error| Flaw::new("U2", error))?;
        let restored = Account::try_from(snapshot).map_err(|error| Flaw::new("U2", error))?;
        for (how, account) in [("replayed", &replayed), ("restored", &restored)] {
            let is_same = *account == self.account && account.index_is_exact();
            law("U2", is_same, || format!("{how} it is another account"))?;
        }
        same_account(&self.copy, &self.model)?;
        lists_agree(&self.copy, &self.model, &IN_PLAY)?;
        let odd = self.steps / STRIDE % 2 == 1;
        self.copy = if odd { restored } else { replayed };
        Ok(())
    }

    /// At the end everything in full.
    pub(super) fn end(&mut self) -> Checked {
        for _ in 0..2 {
            self.read_back()?;
            self.steps += STRIDE; // For the other of the two.
        }
        self.read_back()
    }
}

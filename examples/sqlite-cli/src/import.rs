//! A table of members and groups, imported as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stdout};
use std::path::Path;

use grantbook::command::{AddMembers, AddToGroup, CreateGroup, EditGroup};
use grantbook::event::{AddedToGroup, MembersAdded};
use grantbook::repository::{self, RepositoryError, Request};
use grantbook::{
    Account, Actor, Command, CommandError, Event, GroupId, MAX_BATCH, MAX_ITEMS_PER_COMMAND,
    MemberId, OneLine,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::account::{load, now, random_key};
use crate::table::{self, GroupLine, Problem, Table};
use crate::{Failure, Place, input};

/// Checks every line on a copy of the account, and imports them if all are good.
pub(crate) fn import(place: &Place, csv: &Path, dry_run: bool) -> Result<bool, Failure> {
    let (kept, mut account) = load(place)?;
    let size = std::fs::metadata(csv).map_or(0, |file| file.len());
    let reading = progress("reading", size)?;
    let table = table::read(reading.wrap_read(input(Some(csv))?));
    let mut table =
        table.map_err(|error| format!("`{}` cannot be read: {error}", csv.display()))?;
    reading.finish_and_clear();

    check(&account, &mut table)?;
    for (line, problem) in &table.bad {
        eprintln!("line {line}: {}", OneLine(&problem.to_string()));
    }
    if !table.bad.is_empty() {
        eprintln!(
            "{}; nothing was imported",
            counted(table.bad.len(), "bad line")
        );
        return Ok(false);
    }
    if dry_run {
        writeln!(stdout(), "all lines are good; nothing was imported")?;
        return Ok(true);
    }

    let commands = commands(&account, &table);
    let keeping = progress("keeping", commands.len() as u64)?;
    let mut sums = Sums::default();
    for part in commands.chunks(MAX_BATCH) {
        let request = Request::by(Actor::System, random_key()?, now()).commands(part.to_vec());
        match repository::execute(&kept, &mut account, &request) {
            Ok(executed) => executed
                .records()
                .iter()
                .for_each(|record| sums.add(record.event())),
            Err(error) => {
                keeping.finish_and_clear();
                return not_kept(error, &sums);
            }
        }
        keeping.inc(part.len() as u64);
    }
    keeping.finish_and_clear();
    let (sums, version) = (sums.told(), account.version());
    writeln!(stdout(), "imported {sums}; version {version}")?;
    Ok(true)
}

/// Somebody else changed the account since the lines were checked, or the file failed.
fn not_kept(error: RepositoryError, sums: &Sums) -> Result<bool, Failure> {
    let before = match *sums {
        Sums { parts: 0, .. } => "nothing was imported".to_owned(),
        _ => format!(
            "imported so far: {}; import the same file again for the rest",
            sums.told()
        ),
    };
    match error {
        RepositoryError::Refused(refusal) => {
            let refusal = match refusal {
                CommandError::InBatch { error: refusal, .. } => *refusal,
                refusal => refusal,
            };
            eprintln!("refused, {}: {refusal}", refusal.code());
            eprintln!("the account was changed meanwhile; {before}");
            Ok(false)
        }
        error => Err(format!("{error}; {before}").into()),
    }
}

/// Tries each line by itself on a copy of the account, so that each is told of by its own number.
fn check(account: &Account, table: &mut Table) -> Result<(), Failure> {
    let checking = progress(
        "checking",
        (table.groups.len() + table.members.len()) as u64,
    )?;
    let mut copy = account.clone();
    let mut bad = BTreeMap::new();
    let mut bad_groups = std::mem::take(&mut table.bad_groups);
    for (group, line) in &table.groups {
        checking.inc(1);
        if let Err(problem) = try_group(&mut copy, group, line) {
            bad.insert(line.line, problem);
            bad_groups.insert(group.clone());
        }
    }
    for (member, line) in &table.members {
        checking.inc(1);
        let enrol = Command::AddMembers(AddMembers {
            members: [member.clone()].into(),
        });
        // A group with a bad line of its own is told of there.
        let groups = line
            .groups
            .iter()
            .filter(|group| !bad_groups.contains(*group));
        let add = groups.map(|group| {
            Command::AddToGroup(AddToGroup {
                group: group.clone(),
                members: [member.clone()].into(),
            })
        });
        for command in std::iter::once(enrol).chain(add) {
            if let Err(refusal) = copy.execute(&Actor::System, &command, now()) {
                bad.insert(line.line, Problem::Refused(refusal));
                break;
            }
        }
    }
    checking.finish_and_clear();
    table.bad.append(&mut bad);
    Ok(())
}

/// A group that is there already must be as its line says.
fn try_group(copy: &mut Account, group: &GroupId, line: &GroupLine) -> Result<(), Problem> {
    if copy.group(group).is_none() {
        let executed = copy.execute(&Actor::System, &create(group, line), now());
        return executed.map(drop).map_err(Problem::Refused);
    }
    let as_it_says = Command::EditGroup(EditGroup {
        group: group.clone(),
        name: Some(line.name.clone()),
        description: Some(line.description.clone()),
        grants: Some(line.grants.clone()),
    });
    match copy.decide(&Actor::System, &as_it_says, now()) {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Problem::AnotherGroup(group.clone())),
        Err(refusal) => Err(Problem::Refused(refusal)),
    }
}

/// As few commands as there can be (U7). People first and what they get last: of an import in several parts that is
/// cut short, nobody has more than the table says.
fn commands(account: &Account, table: &Table) -> Vec<Command> {
    let mut in_groups: BTreeMap<&GroupId, Vec<&MemberId>> = BTreeMap::new();
    for (member, line) in &table.members {
        for group in &line.groups {
            in_groups.entry(group).or_default().push(member);
        }
    }
    let members: Vec<_> = table.members.keys().collect();
    let enrol = named(&members).map(|members| Command::AddMembers(AddMembers { members }));
    let new = table
        .groups
        .iter()
        .filter(|(group, _)| account.group(group).is_none());
    let create = new.map(|(group, line)| create(group, line));
    let add = in_groups.iter().flat_map(|(group, members)| {
        named(members).map(|members| {
            Command::AddToGroup(AddToGroup {
                group: GroupId::clone(group),
                members,
            })
        })
    });
    enrol.chain(create).chain(add).collect()
}

/// Members, as many at once as a command may name.
fn named(members: &[&MemberId]) -> impl Iterator<Item = BTreeSet<MemberId>> {
    members
        .chunks(MAX_ITEMS_PER_COMMAND)
        .map(|some| some.iter().copied().cloned().collect())
}

fn create(group: &GroupId, line: &GroupLine) -> Command {
    Command::CreateGroup(CreateGroup {
        group: group.clone(),
        name: line.name.clone(),
        description: line.description.clone(),
        grants: line.grants.clone(),
    })
}

/// What was kept so far.
#[derive(Default)]
struct Sums {
    parts: usize,
    members: usize,
    groups: usize,
    memberships: usize,
    /// Invitations of those who were added (M7).
    ended: usize,
}

impl Sums {
    fn add(&mut self, event: &Event) {
        self.parts += 1;
        match event {
            Event::MembersAdded(MembersAdded { members, ended }) => {
                self.members += members.len();
                self.ended += ended.len();
            }
            Event::GroupCreated(_) => self.groups += 1,
            Event::AddedToGroup(AddedToGroup { members, .. }) => self.memberships += members.len(),
            _ => {}
        }
    }

    /// Invitations are mentioned only where some have ended.
    fn told(&self) -> String {
        let mut told = [
            counted(self.members, "member"),
            counted(self.groups, "group"),
            counted(self.memberships, "membership"),
        ]
        .join(", ");
        if self.ended > 0 {
            told.push_str("; ");
            told.push_str(&counted(self.ended, "invitation"));
            told.push_str(" ended");
        }
        told
    }
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

/// A bar on the terminal; nothing, where there is none.
fn progress(what: &'static str, length: u64) -> Result<ProgressBar, Failure> {
    let style = ProgressStyle::with_template("{msg:8} {bar:40} {percent:>3} %")?;
    Ok(ProgressBar::new(length)
        .with_style(style)
        .with_message(what))
}

//! The repository that fails on purpose, fault by fault.

use grantbook::command::EditGroup;
use grantbook::repository::conformance::{Fault, FlakyRepository, TimedOut};
use grantbook::repository::*;
use grantbook::*;

use super::{acme, commit, last_of};
use crate::support::*;

/// A repository of these records, with snapshots of versions 4 and 8, in which every call that can has this fault.
fn always(fault: Fault, seed: u64, records: &[Record]) -> FlakyRepository {
    let line = FlakyRepository::new(seed, [(fault, 1_000)]);
    for record in records {
        let (version, id) = (record.version(), commit(&record.version().to_string()));
        let commit = Commit::new(id, vec![record.clone()]).unwrap();
        let until = usize::try_from(version).unwrap();
        let commit = match version {
            4 | 8 => commit.with_snapshot(Account::replay(&records[..until]).unwrap().snapshot()),
            _ => Ok(commit),
        };
        assert_eq!(line.commit(&commit.unwrap()), Ok(CommitOutcome::Appended));
    }
    line
}

fn page(line: &FlakyRepository, after: u64) -> (Vec<u64>, u64) {
    match line.records_after(&acme(), after) {
        Ok(RecordPage::Records { records, last }) => {
            (records.iter().map(Record::version).collect(), last)
        }
        other => panic!("{other:?}"),
    }
}

/// U2: a reading call fails as its fault says, and reports that it did; what is stored stays right.
#[test]
fn u2_a_reading_call_fails_as_its_fault_says() {
    let records = World::staffed().records;
    let last = records.len() as u64;
    for seed in 0..50 {
        let always = |fault| always(fault, seed, &records);
        let line = always(Fault::ReadTimedOut);
        assert_eq!(line.snapshot(&acme()), Err(TimedOut));
        assert_eq!(line.records_after(&acme(), 0), Err(TimedOut));
        assert_eq!(line.records_of(&acme(), &commit("3")), Err(TimedOut));
        assert_eq!(line.injected_faults(), [Fault::ReadTimedOut; 3]);

        let (short, told) = page(&always(Fault::ShortPage), 2);
        assert!(!short.is_empty() && short.len() < records.len() - 2 && told == last);
        assert!(
            short
                .into_iter()
                .zip(3..)
                .all(|(version, expected)| version == expected)
        );
        assert_eq!(page(&always(Fault::EmptyPage), 2), (vec![], last));
        let (torn, told) = page(&always(Fault::TornPage), 2);
        assert_eq!(
            (torn.len(), torn.last(), told),
            (records.len() - 3, Some(&last), last)
        );
        let (mut repeating, told) = page(&always(Fault::RepeatingPage), 2);
        repeating.retain(|version| *version > 2);
        repeating.sort_unstable();
        repeating.dedup();
        assert!(repeating.into_iter().eq(3..=last) && told == last);
        let (stale, told) = page(&always(Fault::StaleRecords), 2);
        assert!(stale.into_iter().eq(3..=told) && told < last);

        let line = always(Fault::Gone);
        assert_eq!(line.records_after(&acme(), 7), Ok(RecordPage::Compacted));
        assert_eq!(
            page(&line, 8),
            ((9..=last).collect(), last),
            "there is no later snapshot"
        );
        assert_eq!(line.injected_faults(), [Fault::Gone]);
        let stale = always(Fault::StaleSnapshot).snapshot(&acme()).unwrap();
        assert!(stale.is_none_or(|snapshot| snapshot.version() == 4));
        let line = always(Fault::StaleCommitted);
        assert_eq!(line.records_of(&acme(), &commit("3")), Ok(vec![]));
        assert_eq!(line.records_of(&acme(), &commit("none")), Ok(vec![]));
        assert_eq!(line.injected_faults(), [Fault::StaleCommitted]);
        assert_eq!(
            *load(line.kept(), &acme()).unwrap().unwrap(),
            World::staffed().account
        );
    }
}

/// U1: a commit fails as its fault says, and is stored or not, whatever is answered.
#[test]
fn u1_a_commit_fails_as_its_fault_says() {
    let records = World::staffed().records;
    let keep = |line: &FlakyRepository, version: usize| {
        let record = records[version - 1].clone();
        line.commit(&Commit::new(commit(&version.to_string()), vec![record]).unwrap())
    };
    for (fault, answer, kept, settled) in [
        (Fault::NotKept, Err(TimedOut), 0, 0),
        (Fault::KeptUnanswered, Err(TimedOut), 1, 1),
        (Fault::KeptLater, Err(TimedOut), 0, 1),
        (Fault::FalseConflict, Ok(CommitOutcome::Conflict), 0, 0),
    ] {
        let line = always(fault, 0, &[]);
        assert_eq!(keep(&line, 1), answer, "{fault:?}");
        assert_eq!(last_of(line.kept()), kept, "{fault:?}");
        line.settle();
        assert_eq!(last_of(line.kept()), settled, "{fault:?}");
        assert_eq!(line.injected_faults(), [fault]);
    }
    let line = always(Fault::Rival, 0, &[]);
    assert_eq!(
        keep(&line, 1),
        Ok(CommitOutcome::Appended),
        "there is nothing to change before"
    );
    assert_eq!(keep(&line, 2), Ok(CommitOutcome::Conflict));
    let rivals = line.kept().records_of(&acme(), &commit("rival-0")).unwrap();
    assert_eq!((rivals.len(), last_of(line.kept())), (1, 2));
}

/// U1, U2: a retried request is recognized even if what held when it was decided no longer holds.
#[test]
fn u1_a_request_is_recognized_by_the_account_as_it_was() {
    let world = World::staffed();
    let request = |id: &str, actor: &str, commands: Vec<Command>| Request {
        commit: commit(id),
        actor: by(actor),
        commands,
        now: at(0),
        note: None,
    };
    for (actor, commands) in [
        // `vic` is not in the group; afterwards `gil` may do nothing more.
        (MANAGER, vec![take_out("it", [MANAGER, "vic"])]),
        // The first changes nothing, until the second has undone it.
        (
            OWNER,
            vec![add("devs", ["dana"]), take_out("devs", ["dana"])],
        ),
        // The description stays as it is; the name is changed again.
        (
            OWNER,
            vec![
                Command::EditGroup(EditGroup {
                    group: group("devs"),
                    name: Some(GroupName::parse("Builders").unwrap()),
                    description: Some(Description::default()),
                    grants: None,
                }),
                rename_group("devs", "Makers"),
            ],
        ),
    ] {
        let line = always(Fault::ShortPage, 3, &world.records);
        let (mut here, mut elsewhere) = (copy_of(&line), copy_of(&line));
        let asked = request("twice", actor, commands);
        let records = execute(&line, &mut here, &asked).unwrap();
        assert_eq!(execute(&line, &mut here, &asked).unwrap(), records);
        // Another member may have changed it since, too.
        let later = request(
            "later",
            OWNER,
            vec![add("it", ["nils"]), add("devs", ["nils", "vic"])],
        );
        execute(&line, &mut elsewhere, &later).unwrap();
        assert_eq!(execute(&line, &mut elsewhere, &asked).unwrap(), records);
        let other = request(
            "twice",
            OWNER,
            vec![create_store("new"), create_store("other")],
        );
        let reused = execute(&line, &mut here, &other).unwrap_err();
        assert_eq!(reused.code(), "idempotency-key-reused");
    }
}

fn copy_of(line: &FlakyRepository) -> Replica {
    load(line.kept(), &acme()).unwrap().unwrap()
}

/// G9: a request that was stored before is answered by a copy that has its records, and by no other.
#[test]
fn g9_a_repeated_answer_counts_at_once_too() {
    let records = World::staffed().records;
    let mut answered = 0;
    for seed in 0..200 {
        let line = always(Fault::StaleRecords, seed, &records);
        let mut here = copy_of(&line);
        let mut elsewhere = here.clone();
        let request = Request {
            commit: commit("twice"),
            actor: Actor::System,
            commands: vec![create_store("new")],
            now: at(0),
            note: None,
        };
        execute(line.kept(), &mut here, &request).unwrap();
        let commit = Request {
            commit: commit("later"),
            commands: vec![create_store("other")],
            ..request.clone()
        };
        execute(line.kept(), &mut here, &commit).unwrap();
        if let Ok(records) = execute(&line, &mut elsewhere, &request) {
            assert_eq!(records.len(), 1);
            assert!(elsewhere.at_least(records[0].version()).is_ok());
            answered += 1;
        }
    }
    assert!(answered > 0);
}

//! The repository that fails on purpose, fault by fault.

use grantbook::command::EditGroup;
use grantbook::repository::conformance::{Fault, FlakyRepository, TimedOut};
use grantbook::repository::*;
use grantbook::*;

use super::{acme, commit, last_of, stored_of};
use crate::support::*;

/// A repository of these records, with snapshots of versions 4 and 8, in which every call that can has this fault.
fn always(fault: Fault, seed: u64, records: &[Record]) -> FlakyRepository {
    let line = FlakyRepository::new(seed, [(fault, 1_000)]);
    for record in records {
        let until = usize::try_from(record.version()).unwrap();
        let commit = commit_of(records, until);
        let commit = match until {
            4 | 8 => commit.with_snapshot(Account::replay(&records[..until]).unwrap().snapshot()),
            _ => Ok(commit),
        };
        assert_eq!(line.commit(&commit.unwrap()), Ok(CommitOutcome::Appended));
    }
    line
}

/// The record of this version, as the commit that it was; its key is its version.
fn commit_of(records: &[Record], version: usize) -> Commit {
    let record = records[version - 1].clone();
    let request = StoredRequest {
        key: commit(&version.to_string()),
        actor: record.actor().clone(),
        digest: *record.digest(),
        before: record.version() - 1,
        version: record.version(),
    };
    let head = records[..version - 1].last().map(head_after);
    Commit::copied(acme(), request, head, vec![record]).unwrap()
}

fn page(line: &FlakyRepository, after: u64) -> (Vec<u64>, u64) {
    match line.records_after(&acme(), after) {
        Ok(RecordPage::Records { records, head }) => {
            let versions = records.iter().map(Record::version).collect();
            (versions, head.unwrap().version)
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
        assert_eq!(line.request(&acme(), &commit("3")), Err(TimedOut));
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
        let line = always(Fault::StaleRequests);
        assert_eq!(line.request(&acme(), &commit("3")), Ok(None));
        assert_eq!(line.request(&acme(), &commit("none")), Ok(None));
        assert_eq!(line.injected_faults(), [Fault::StaleRequests]);
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
    let keep = |line: &FlakyRepository, version: usize| line.commit(&commit_of(&records, version));
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
    let (_, rivals) = stored_of(line.kept(), &commit("rival-0")).unwrap();
    assert_eq!((rivals.len(), last_of(line.kept())), (1, 2));
}

/// U1, U2: a retried request is recognized even if what held when it was decided no longer holds.
#[test]
fn u1_a_request_is_recognized_by_the_account_as_it_was() {
    let world = World::staffed();
    let request = |key: &str, actor: &str, commands: Vec<Command>| {
        Request::by(by(actor), commit(key), at(0)).commands(commands)
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
        let records = execute(&line, &mut here, &asked).unwrap().into_records();
        let again = execute(&line, &mut here, &asked).unwrap();
        assert_eq!(again.records(), records);
        // Another member may have changed it since, too.
        let later = request(
            "later",
            OWNER,
            vec![add("it", ["nils"]), add("devs", ["nils", "vic"])],
        );
        execute(&line, &mut elsewhere, &later).unwrap();
        let again = execute(&line, &mut elsewhere, &asked).unwrap();
        assert_eq!(again.records(), records);
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
        let request =
            Request::by(Actor::System, commit("twice"), at(0)).command(create_store("new"));
        execute(line.kept(), &mut here, &request).unwrap();
        let later =
            Request::by(Actor::System, commit("later"), at(0)).command(create_store("other"));
        execute(line.kept(), &mut here, &later).unwrap();
        if let Ok(executed) = execute(&line, &mut elsewhere, &request) {
            assert_eq!(executed.records().len(), 1);
            assert!(elsewhere.at_least(executed.version()).is_ok());
            answered += 1;
        }
    }
    assert!(answered > 0);
}

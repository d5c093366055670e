//! Keeping accounts: commits, conflicts, and deciding again.

use std::cell::RefCell;

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn opened(repository: &MemoryRepository) -> Kept {
    open(
        repository,
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(1_000),
    )
    .unwrap()
}

fn owner() -> Actor {
    by(OWNER)
}

/// A1, U2: an account is opened once, kept, and loaded as it was.
#[test]
fn what_is_kept_is_loaded() {
    let kept = MemoryRepository::new();
    assert!(load(&kept, &acme()).unwrap().is_none());
    let mut account = opened(&kept);
    let again = open(&kept, acme(), member("eve"), GroupLimit::default(), at(0)).unwrap_err();
    assert_eq!(again.code(), "account-exists");
    assert_eq!(
        again.to_string(),
        "there is an account `acme` already; load it"
    );
    let commands = [
        create_store("dev"),
        create_group("devs", "Dev Team", [editor(["dev"])]),
    ];
    assert_eq!(
        execute(&kept, &mut account, &owner(), &commands, at(1_001))
            .unwrap()
            .len(),
        2
    );
    assert_eq!(load(&kept, &acme()).unwrap().unwrap(), account);
    assert_eq!(kept.records_after(&acme(), 1).unwrap().len(), 2);
    assert_eq!(kept.records_after(&acme(), u64::MAX).unwrap(), []);
    assert_eq!(
        kept.records_after(&AccountId::parse("other").unwrap(), 0)
            .unwrap(),
        []
    );
}

/// U3: a refusal keeps nothing, and is told apart from everything else.
#[test]
fn a_refusal_keeps_nothing() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let error = execute(
        &kept,
        &mut account,
        &owner(),
        &[remove_member(OWNER)],
        at(0),
    )
    .unwrap_err();
    let ExecuteError::Refused(refusal) = error else {
        panic!("{error}")
    };
    assert_eq!(refusal.code(), "last-owner");
    let batch = [create_store("dev"), remove_member(OWNER)];
    let error = execute(&kept, &mut account, &owner(), &batch, at(0)).unwrap_err();
    assert!(
        error.to_string().starts_with("command 2 of the batch: "),
        "{error}"
    );
    assert_eq!(kept.records_after(&acme(), 0).unwrap().len(), 1);
    assert!(
        execute(&kept, &mut account, &owner(), &[], at(0))
            .unwrap()
            .is_empty()
    );
}

/// A2: two owners who remove each other at once, from copies that are both behind: one of them stays.
#[test]
fn a_conflict_is_decided_again() {
    let kept = MemoryRepository::new();
    let mut one = opened(&kept);
    execute(
        &kept,
        &mut one,
        &Actor::System,
        &[enrol(["otto"]), grant_ownership("otto")],
        at(0),
    )
    .unwrap();
    let mut other = load(&kept, &acme()).unwrap().unwrap();
    execute(&kept, &mut one, &owner(), &[remove_member("otto")], at(0)).unwrap();
    let error = execute(
        &kept,
        &mut other,
        &by("otto"),
        &[remove_member(OWNER)],
        at(0),
    )
    .unwrap_err();
    let ExecuteError::Refused(refusal) = error else {
        panic!("{error}")
    };
    assert_eq!(refusal.code(), "not-authorized");
    assert_eq!(other, one, "the copy that was behind has caught up");
}

/// U1, U3: neither a refusal nor "nothing to do" is believed on a copy that is behind.
#[test]
fn a_stale_copy_is_not_believed() {
    let kept = MemoryRepository::new();
    let mut one = opened(&kept);
    let mut stale = one.clone();
    execute(&kept, &mut one, &owner(), &[create_store("dev")], at(0)).unwrap();
    let group = create_group("devs", "Dev Team", [editor(["dev"])]);
    assert_eq!(
        execute(&kept, &mut stale, &owner(), &[group], at(0)).unwrap()[0].version(),
        3
    );

    execute(
        &kept,
        &mut one,
        &Actor::System,
        &[enrol(["dana"]), add("devs", ["dana"])],
        at(0),
    )
    .unwrap();
    catch_up(&kept, &mut stale).unwrap();
    execute(
        &kept,
        &mut one,
        &owner(),
        &[take_out("devs", ["dana"])],
        at(0),
    )
    .unwrap();
    let added = execute(&kept, &mut stale, &owner(), &[add("devs", ["dana"])], at(0)).unwrap();
    assert_eq!(
        added.len(),
        1,
        "she was taken out in between, so adding her is a change"
    );
    assert_eq!(catch_up(&kept, &mut one).unwrap(), 1);
    assert_eq!(one, stale);
}

/// U2: each record is shown once, before it is applied: those of others that are caught up with, and one's own.
#[test]
fn each_record_is_shown_before_it_is_applied() {
    let kept = MemoryRepository::new();
    let mut one = opened(&kept);
    let mut other = one.clone();
    execute(
        &kept,
        &mut one,
        &owner(),
        &[create_store("a"), create_store("b")],
        at(0),
    )
    .unwrap();
    let mut shown = Vec::new();
    let observe =
        |before: &Account, record: &Record| shown.push((before.version(), record.version()));
    execute_with(
        &kept,
        &mut other,
        &owner(),
        &[create_store("c")],
        at(0),
        observe,
    )
    .unwrap();
    assert_eq!(shown, [(1, 2), (2, 3), (3, 4)]);
    let mut shown = 0;
    assert_eq!(
        catch_up_with(&kept, &mut one, |before, record| {
            assert_eq!(
                before.delta_of(record).unwrap().iter().count(),
                1,
                "the owner has the new store"
            );
            shown += 1;
        })
        .unwrap(),
        1
    );
    assert_eq!((shown, &one), (1, &other));
}

/// A3, U2: many writers on copies of their own: nothing lost, nothing twice, no gap, and the limit holds.
#[test]
fn many_writers_lose_nothing() {
    let kept = MemoryRepository::new();
    let account = opened(&kept);
    let accepted: usize = std::thread::scope(|scope| {
        let writer = |writer: usize| {
            let (kept, mut copy) = (&kept, account.clone());
            move || {
                let id = |number: usize| format!("w{writer}-{number}");
                let create = |number| {
                    create_group(
                        &id(number),
                        &format!("Group {}", id(number)),
                        [Grant::group_manager()],
                    )
                };
                let mut accepted = 0;
                for number in 0..10 {
                    match execute(kept, &mut copy, &owner(), &[create(number)], at(0)) {
                        Ok(_) => accepted += 1,
                        Err(ExecuteError::Refused(refusal)) => {
                            assert_eq!(refusal.code(), "too-many-groups");
                        }
                        Err(ExecuteError::Contended { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
                accepted
            }
        };
        let writers: Vec<_> = (0..4).map(|number| scope.spawn(writer(number))).collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .sum()
    });
    let account = load(&kept, &acme()).unwrap().unwrap();
    assert_eq!(account.groups().count(), accepted);
    assert_eq!(account.version(), accepted as u64 + 1);
    assert!(accepted <= 20);
    assert!(account.index_is_exact());
}

/// U2: a commit is refused unless its records are the account's next ones.
#[test]
fn a_commit_takes_the_next_records_only() {
    let kept = MemoryRepository::new();
    opened(&kept);
    let World { records, .. } = World::staffed();
    assert_eq!(kept.commit(&acme(), 0, &records[..1]), Ok(Commit::Conflict));
    assert_eq!(
        kept.commit(&acme(), 2, &records[2..4]),
        Ok(Commit::Conflict)
    );
    let out_of_order = Err(MemoryError::OutOfOrder {
        account: acme(),
        expected: 1,
    });
    assert_eq!(kept.commit(&acme(), 1, &records[2..4]), out_of_order);
    assert_eq!(
        kept.commit(&acme(), 1, &[records[1].clone(), records[3].clone()]),
        out_of_order
    );
    let other = AccountId::parse("other").unwrap();
    assert!(kept.commit(&other, 1, &records[1..2]).is_err());
    assert!(kept.commit(&acme(), u64::MAX, &records[1..2]).is_err());
    assert_eq!(kept.commit(&acme(), 1, &records[1..]), Ok(Commit::Done));
    assert_eq!(
        *load(&kept, &acme()).unwrap().unwrap(),
        World::staffed().account
    );
    assert_eq!(kept.commit(&other, 0, &[]), Ok(Commit::Done));
    assert!(load(&kept, &other).unwrap().is_none());
    let error = MemoryError::OutOfOrder {
        account: acme(),
        expected: 1,
    };
    assert_eq!(
        error.to_string(),
        "the records are not those of account `acme` that follow version 1"
    );
}

/// A repository that answers what the test says.
#[derive(Default)]
struct Scripted {
    stored: Option<Stored>,
    records_after: RefCell<Vec<Record>>,
    fails: bool,
    /// Whether it fails where records are asked for.
    is_unreadable: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("the disk is gone")]
struct DiskGone;

impl Repository for Scripted {
    type Error = DiskGone;

    fn load(&self, _: &AccountId) -> Result<Option<Stored>, DiskGone> {
        if self.fails {
            Err(DiskGone)
        } else {
            Ok(self.stored.clone())
        }
    }

    fn records_after(&self, _: &AccountId, _: u64) -> Result<Vec<Record>, DiskGone> {
        if self.is_unreadable {
            Err(DiskGone)
        } else {
            Ok(self.records_after.take())
        }
    }

    fn commit(&self, _: &AccountId, _: u64, _: &[Record]) -> Result<Commit, DiskGone> {
        if self.fails {
            Err(DiskGone)
        } else {
            Ok(Commit::Conflict)
        }
    }
}

/// U2, U5, A4: a snapshot and the records after it; and what does not belong together is not served.
#[test]
fn a_snapshot_and_the_records_after_it() {
    let world = World::staffed();
    let early = Account::replay(&world.records[..5]).unwrap().snapshot();
    let with = |snapshot: Option<&Snapshot>, records: &[Record]| Scripted {
        stored: Some(Stored {
            snapshot: snapshot.cloned(),
            records: records.to_vec(),
        }),
        ..Scripted::default()
    };
    let loaded = |repository: &Scripted, id: &str| load(repository, &AccountId::parse(id).unwrap());
    assert_eq!(
        *loaded(&with(Some(&early), &world.records[5..]), "acme")
            .unwrap()
            .unwrap(),
        world.account
    );
    assert_eq!(
        loaded(&with(Some(&early), &[]), "acme")
            .unwrap()
            .unwrap()
            .version(),
        5
    );
    let code = |repository: Scripted, id: &str| match loaded(&repository, id).unwrap_err() {
        LoadError::Repository(error) => panic!("{error}"),
        other => other.code(),
    };
    assert_eq!(code(with(Some(&early), &world.records[6..]), "acme"), "gap");
    assert_eq!(
        code(with(Some(&early), &world.records[4..]), "acme"),
        "repeat"
    );
    assert_eq!(code(with(None, &world.records[1..]), "acme"), "gap");
    assert_eq!(code(with(None, &[]), "acme"), "no-records");
    assert_eq!(code(with(Some(&early), &[]), "other"), "wrong-account");
    assert_eq!(code(with(None, &world.records), "other"), "wrong-account");
    let mut broken = serde_json::to_value(&early).unwrap();
    broken["version"] = 0.into();
    assert_eq!(
        code(
            with(Some(&serde_json::from_value(broken).unwrap()), &[]),
            "acme"
        ),
        "not-opened"
    );
}

/// A copy of this account that is in step with a repository of its own.
fn kept_copy(records: &[Record]) -> Kept {
    let kept = MemoryRepository::new();
    assert_eq!(kept.commit(&acme(), 0, records), Ok(Commit::Done));
    load(&kept, &acme()).unwrap().unwrap()
}

/// U3: a failing storage, a copy that is no version of what is kept, and records that do not fit are each told apart.
#[test]
fn failures_are_told_apart() {
    let world = World::staffed();
    let mut account = kept_copy(&world.records);
    let before = account.clone();
    let fails = Scripted {
        fails: true,
        ..Scripted::default()
    };
    let error = execute(
        &fails,
        &mut account,
        &owner(),
        &[create_store("new")],
        at(0),
    )
    .unwrap_err();
    assert!(matches!(
        error,
        ExecuteError::Load(LoadError::Repository(DiskGone))
    ));
    assert_eq!(error.to_string(), "the repository failed: the disk is gone");
    assert_eq!(error.code(), "repository-failed");
    assert!(matches!(
        load(&fails, &acme()),
        Err(LoadError::Repository(DiskGone))
    ));
    let cannot_open =
        open(&fails, acme(), member(OWNER), GroupLimit::default(), at(0)).unwrap_err();
    assert_eq!(cannot_open.code(), "repository-failed");

    // It refuses the commit, and then gives nothing to decide again on; or there was nothing to commit.
    let unreadable = Scripted {
        is_unreadable: true,
        ..Scripted::default()
    };
    for command in [create_store("new"), create_store("dev")] {
        let error = execute(&unreadable, &mut account, &owner(), &[command], at(0)).unwrap_err();
        assert_eq!(error.code(), "repository-failed");
    }
    let error = catch_up(&unreadable, &mut account).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(account, before);

    let restored = Scripted::default();
    let error = execute(
        &restored,
        &mut account,
        &owner(),
        &[create_store("new")],
        at(0),
    )
    .unwrap_err();
    assert_eq!(error.code(), "diverged");
    assert_eq!(
        error.to_string(),
        "this copy is at version 11, which the repository does not keep; load the account again"
    );

    let foreign = Scripted {
        records_after: RefCell::new(world.records.clone()),
        ..Scripted::default()
    };
    let error = execute(
        &foreign,
        &mut account,
        &owner(),
        &[create_store("new")],
        at(0),
    )
    .unwrap_err();
    assert!(matches!(
        error,
        ExecuteError::Load(LoadError::Replay(ReplayError::Repeat { .. }))
    ));
    assert_eq!(account, before);
}

/// U2: when others are faster every time, it ends, and says so; the copy has caught up with each of them.
#[test]
fn contention_ends() {
    let world = World::staffed();
    let mut account = kept_copy(&world.records[..2]);
    let busy = Busy {
        records: RefCell::new(world.records[2..].to_vec()),
    };
    let error = execute(&busy, &mut account, &owner(), &[create_store("new")], at(0)).unwrap_err();
    assert!(matches!(error, ExecuteError::Contended { attempts: 16 }));
    assert_eq!(error.code(), "contended");
    assert_eq!(account.version(), world.account.version());
}

/// U1, U3: a refusal and "nothing to do" cost no commit; on a copy that never is up to date, neither is given.
#[test]
fn what_changes_nothing_commits_nothing() {
    let mut world = World::staffed();
    let mut account = kept_copy(&world.records);
    let quiet = Busy {
        records: RefCell::new(vec![]),
    };
    let nothing = execute(
        &quiet,
        &mut account,
        &owner(),
        &[add("devs", ["dana"])],
        at(0),
    );
    assert_eq!(nothing.unwrap(), []);
    let kept = world.records.len();
    (0..20).for_each(|number| drop(world.ok(OWNER, create_store(&number.to_string()))));
    let busy = Busy {
        records: RefCell::new(world.records[kept..].to_vec()),
    };
    let error = execute(
        &busy,
        &mut account,
        &owner(),
        &[remove_member(OWNER)],
        at(0),
    )
    .unwrap_err();
    assert_eq!(error.code(), "contended");
}

/// A repository where somebody else has always just committed one record more, as long as there are any.
struct Busy {
    records: RefCell<Vec<Record>>,
}

impl Repository for Busy {
    type Error = DiskGone;

    fn load(&self, _: &AccountId) -> Result<Option<Stored>, DiskGone> {
        Ok(None)
    }

    fn records_after(&self, _: &AccountId, _: u64) -> Result<Vec<Record>, DiskGone> {
        let mut records = self.records.borrow_mut();
        let next = usize::from(!records.is_empty());
        Ok(records.drain(..next).collect())
    }

    fn commit(&self, _: &AccountId, _: u64, _: &[Record]) -> Result<Commit, DiskGone> {
        Ok(Commit::Conflict)
    }
}

//! Keeping accounts: commits, conflicts, and deciding again.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Debug, Display, Formatter};
use std::future::pending;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

fn acme() -> AccountId {
    AccountId::parse("acme").unwrap()
}

fn opened(repository: &MemoryRepository) -> Replica {
    open(
        repository,
        commit_id("open"),
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
    let again = open(
        &kept,
        commit_id("another"),
        acme(),
        member("eve"),
        GroupLimit::default(),
        at(0),
    )
    .unwrap_err();
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
        execute(
            &kept,
            &mut account,
            &request(&owner(), &commands, at(1_001))
        )
        .unwrap()
        .len(),
        2
    );
    assert_eq!(load(&kept, &acme()).unwrap().unwrap(), account);
    assert_ne!(kept_copy(&records_after(&kept, &acme(), 0)[..2]), account);
    let shown = format!("{account:?}");
    assert!(
        shown.contains("\"acme\"") && shown.contains("version: 3"),
        "{shown}"
    );
    assert_eq!(records_after(&kept, &acme(), 1).len(), 2);
    assert_eq!(records_after(&kept, &acme(), u64::MAX), []);
    let other = AccountId::parse("other").unwrap();
    assert_eq!(records_after(&kept, &other, 0), []);
}

/// U3: a refusal keeps nothing, and is told apart from everything else.
#[test]
fn a_refusal_keeps_nothing() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let error = execute(
        &kept,
        &mut account,
        &request(&owner(), &[remove_member(OWNER)], at(0)),
    )
    .unwrap_err();
    let ExecuteError::Refused(refusal) = error else {
        panic!("{error}")
    };
    assert_eq!(refusal.code(), "last-owner");
    let batch = [create_store("dev"), remove_member(OWNER)];
    let error = execute(&kept, &mut account, &request(&owner(), &batch, at(0))).unwrap_err();
    assert!(
        error.to_string().starts_with("command 2 of the batch: "),
        "{error}"
    );
    assert_eq!(records_after(&kept, &acme(), 0).len(), 1);
    assert!(
        execute(&kept, &mut account, &request(&owner(), &[], at(0)))
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
        &request(
            &Actor::System,
            &[enrol(["otto"]), grant_ownership("otto")],
            at(0),
        ),
    )
    .unwrap();
    let mut other = load(&kept, &acme()).unwrap().unwrap();
    execute(
        &kept,
        &mut one,
        &request(&owner(), &[remove_member("otto")], at(0)),
    )
    .unwrap();
    let error = execute(
        &kept,
        &mut other,
        &request(&by("otto"), &[remove_member(OWNER)], at(0)),
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
    execute(
        &kept,
        &mut one,
        &request(&owner(), &[create_store("dev")], at(0)),
    )
    .unwrap();
    let group = create_group("devs", "Dev Team", [editor(["dev"])]);
    assert_eq!(
        execute(&kept, &mut stale, &request(&owner(), &[group], at(0))).unwrap()[0].version(),
        3
    );

    execute(
        &kept,
        &mut one,
        &request(
            &Actor::System,
            &[enrol(["dana"]), add("devs", ["dana"])],
            at(0),
        ),
    )
    .unwrap();
    catch_up(&kept, &mut stale).unwrap();
    execute(
        &kept,
        &mut one,
        &request(&owner(), &[take_out("devs", ["dana"])], at(0)),
    )
    .unwrap();
    let added = execute(
        &kept,
        &mut stale,
        &request(&owner(), &[add("devs", ["dana"])], at(0)),
    )
    .unwrap();
    assert_eq!(
        added.len(),
        1,
        "she was taken out in between, so adding her is a change"
    );
    catch_up(&kept, &mut one).unwrap();
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
        &request(&owner(), &[create_store("a"), create_store("b")], at(0)),
    )
    .unwrap();
    let mut shown = Vec::new();
    let observe =
        |before: &Account, record: &Record| shown.push((before.version(), record.version()));
    execute_with(
        &kept,
        &mut other,
        &request(&owner(), &[create_store("c")], at(0)),
        observe,
    )
    .unwrap();
    assert_eq!(shown, [(1, 2), (2, 3), (3, 4)]);
    let mut shown = 0;
    catch_up_with(&kept, &mut one, |before, record| {
        assert_eq!(
            before.delta_of(record).unwrap().iter().count(),
            1,
            "the owner has the new store"
        );
        shown += 1;
    })
    .unwrap();
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
                    match execute(
                        kept,
                        &mut copy,
                        &request(&owner(), &[create(number)], at(0)),
                    ) {
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

/// U2: a commit is records of one account that follow each other; nothing else can be made into one.
#[test]
fn a_commit_is_records_that_follow_each_other() {
    let World {
        records, account, ..
    } = World::staffed();
    let made = |records: &[Record]| Commit::new(commit_id("1"), records.to_vec());
    let whole = made(&records[2..5]).unwrap();
    assert_eq!((whole.expected(), whole.version()), (2, 5));
    assert_eq!(whole.account(), account.id());
    assert_eq!(made(&[]), Err(CommitError::Empty));
    let gap = made(&[records[1].clone(), records[3].clone()]).unwrap_err();
    assert_eq!(gap, CommitError::OutOfOrder { version: 4 });
    assert_eq!(
        gap.to_string(),
        "record 4 is not the next one of the commit's account"
    );
    assert!(made(&[records[1].clone(), records[1].clone()]).is_err());
    let mut foreign = serde_json::to_value(&records[2]).unwrap();
    foreign["account"] = "other".into();
    let foreign: Record = serde_json::from_value(foreign).unwrap();
    assert!(made(&[records[1].clone(), foreign]).is_err());
    let mut before_the_first = serde_json::to_value(&records[0]).unwrap();
    before_the_first["version"] = 0.into();
    let before_the_first = serde_json::from_value(before_the_first).unwrap();
    assert!(made(&[before_the_first]).is_err());
    let mut the_last = serde_json::to_value(&records[1]).unwrap();
    the_last["version"] = u64::MAX.into();
    let the_last: Record = serde_json::from_value(the_last).unwrap();
    assert!(made(&[the_last.clone(), the_last]).is_err());

    let snapshot = Account::replay(&records[..5]).unwrap().snapshot();
    let with = whole.clone().with_snapshot(snapshot.clone()).unwrap();
    assert_eq!(with.snapshot(), Some(&snapshot));
    for other in [
        Account::replay(&records[..4]).unwrap(),
        Account::open(
            acme_of("other"),
            member(OWNER),
            GroupLimit::default(),
            at(0),
        )
        .0,
    ] {
        let error = whole.clone().with_snapshot(other.snapshot()).unwrap_err();
        assert_eq!(error, CommitError::OtherSnapshot);
    }
}

fn acme_of(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// U2: a repository in memory keeps the next records only, and a commit once.
#[test]
fn a_commit_is_kept_once_and_in_its_place() {
    let kept = MemoryRepository::new();
    let World {
        records, account, ..
    } = World::staffed();
    let first = commit(&records[..1]);
    assert_eq!(kept.commit(&first), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&first), Ok(CommitOutcome::Duplicate));
    assert_eq!(
        kept.commit(&commit(&records[..1])),
        Ok(CommitOutcome::Conflict)
    );
    assert_eq!(
        kept.commit(&commit(&records[2..4])),
        Ok(CommitOutcome::Conflict)
    );
    let next = commit(&records[1..3]);
    assert_eq!(kept.records_of(&acme(), next.id()), Ok(vec![]));
    assert_eq!(kept.commit(&next), Ok(CommitOutcome::Appended));
    assert_eq!(kept.records_of(&acme(), next.id()).unwrap(), records[1..3]);
    assert_eq!(kept.records_of(&acme_of("other"), next.id()), Ok(vec![]));
    let rest = commit(&records[3..])
        .with_snapshot(account.snapshot())
        .unwrap();
    assert_eq!(kept.commit(&rest), Ok(CommitOutcome::Appended));
    assert_eq!(kept.commit(&next), Ok(CommitOutcome::Duplicate));
    assert_eq!(kept.snapshot(&acme()), Ok(Some(account.snapshot())));
    assert_eq!(*load(&kept, &acme()).unwrap().unwrap(), account);
}

/// U1, U2: the same request tried again, from the copy that did it, from one that is behind and from one that has only
/// heard of it, is kept once, and answered as the first time; also where it would be refused now.
#[test]
fn a_request_is_kept_once() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let mut behind = account.clone();
    let asked = request(
        &owner(),
        &[
            create_store("dev"),
            create_group("devs", "Dev Team", [editor(["dev"])]),
        ],
        at(5),
    );
    let records = execute(&kept, &mut account, &asked).unwrap();
    assert_eq!(records.len(), 2);
    for copy in [&mut account, &mut behind] {
        let later = Request {
            now: at(9),
            ..asked.clone()
        };
        assert_eq!(execute(&kept, copy, &later).unwrap(), records);
        assert_eq!(copy.version(), 3);
    }
    // It would change something again by now, and is still the request that was kept.
    let others = [rename_group("devs", "Other Team"), delete_group("devs")];
    execute(&kept, &mut account, &request(&owner(), &others, at(6))).unwrap();
    assert_eq!(execute(&kept, &mut behind, &asked).unwrap(), records);
    assert_eq!(behind, account);
}

/// U2: after a failed commit the same request can be tried again, whether the first was kept or not.
#[test]
fn an_answer_that_was_lost_is_asked_for_again() {
    for is_kept in [true, false] {
        let kept = MemoryRepository::new();
        let mut account = opened(&kept);
        let loses = Loses {
            kept: &kept,
            is_kept,
        };
        let asked = request(&owner(), &[create_store("dev")], at(5));
        let error = execute(&loses, &mut account, &asked).unwrap_err();
        assert_eq!(error.code(), "repository-failed");
        assert_eq!(account.version(), 1, "the copy does not know, and waits");
        let records = execute(&kept, &mut account, &asked).unwrap();
        assert_eq!(records[0].version(), 2);
        assert_eq!(account.version(), 2);
        assert_eq!(records_after(&kept, &acme(), 0).len(), 2);
    }
}

/// U2: what was refused here is answered as kept, if it was kept elsewhere while that was asked.
#[test]
fn a_request_that_is_kept_meanwhile_is_answered_as_kept() {
    struct Meanwhile<'a> {
        kept: &'a MemoryRepository,
        elsewhere: RefCell<Replica>,
        requests: [Request; 2],
    }
    impl Repository for Meanwhile<'_> {
        type Error = Infallible;
        fn records_after(
            &self,
            account: &AccountId,
            version: u64,
        ) -> Result<RecordPage, Infallible> {
            self.kept.records_after(account, version)
        }
        fn records_of(
            &self,
            account: &AccountId,
            id: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            for request in &self.requests {
                execute(self.kept, &mut self.elsewhere.borrow_mut(), request).unwrap();
            }
            self.kept.records_of(account, id)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.kept.commit(commit)
        }
    }
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let create_store = request(&owner(), &[create_store("dev")], at(5));
    let grant = create_group("devs", "Dev Team", [viewer(["dev"])]);
    let create_group = request(&owner(), &[grant], at(5));
    let meanwhile = Meanwhile {
        kept: &kept,
        elsewhere: RefCell::new(account.clone()),
        requests: [create_store, create_group.clone()],
    };
    let records = execute(&meanwhile, &mut account, &create_group).unwrap();
    assert_eq!((records[0].version(), account.version()), (3, 3));
    assert_eq!(records_after(&kept, &acme(), 0).len(), 3);
}

/// U5: a request that is told apart from another by the account as it was is not answered without it.
#[test]
fn what_an_account_was_is_not_guessed() {
    struct WithoutBeginning<'a>(&'a MemoryRepository, Cell<u32>);
    impl Repository for WithoutBeginning<'_> {
        type Error = Infallible;
        fn records_after(
            &self,
            account: &AccountId,
            version: u64,
        ) -> Result<RecordPage, Infallible> {
            self.1.set(self.1.get() + 1);
            assert!(self.1.get() < 10, "nothing more comes of asking");
            let (records, last) = (Vec::new(), 3);
            match version {
                0 => Ok(RecordPage::Records { records, last }),
                _ => self.0.records_after(account, version),
            }
        }
        fn records_of(
            &self,
            account: &AccountId,
            id: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            self.0.records_of(account, id)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.0.commit(commit)
        }
    }
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let enrol_dana = request(&Actor::System, &[enrol(["dana"])], at(5));
    execute(&kept, &mut account, &enrol_dana).unwrap();
    let enrol_both = request(&Actor::System, &[enrol(["ann", "dana"])], at(5));
    let records = execute(&kept, &mut account, &enrol_both).unwrap();
    assert_eq!(execute(&kept, &mut account, &enrol_both).unwrap(), records);
    let without_beginning = WithoutBeginning(&kept, Cell::new(0));
    let error = execute(&without_beginning, &mut account, &enrol_both).unwrap_err();
    assert!(matches!(
        error,
        ExecuteError::Load(LoadError::Missing { version: 0 })
    ));
    // Of what is of another kind the records themselves tell.
    let mut other = request(&Actor::System, &[create_store("dev")], at(5));
    other.commit = enrol_both.commit;
    let error = execute(&without_beginning, &mut account, &other).unwrap_err();
    assert_eq!(error.code(), "idempotency-key-reused");
    // So with what can lead to nothing: the host has no invitation to accept.
    other.commands = vec![accept()];
    let error = execute(&without_beginning, &mut account, &other).unwrap_err();
    assert_eq!(error.code(), "idempotency-key-reused");
    assert_eq!(account.version(), 3);
}

/// A repository whose answers to commits are lost.
struct Loses<'a> {
    kept: &'a MemoryRepository,
    is_kept: bool,
}

impl Repository for Loses<'_> {
    type Error = DiskGone;

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        self.kept
            .records_after(account, version)
            .map_err(|_| DiskGone)
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, DiskGone> {
        self.kept.records_of(account, id).map_err(|_| DiskGone)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, DiskGone> {
        if self.is_kept {
            let _ = self.kept.commit(commit);
        }
        Err(DiskGone)
    }
}

/// U1: an id that was used for another request is refused: nobody is told that something was done which was not.
#[test]
fn an_id_that_two_requests_share_is_refused() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let staff = [
        enrol(["dana", "max", "vic"]),
        create_store("dev"),
        create_group("devs", "Dev Team", [editor(["dev"])]),
    ];
    execute(&kept, &mut account, &request(&Actor::System, &staff, at(1))).unwrap();
    let asked = |id: &str, actor: &Actor, commands: &[Command]| Request {
        commit: commit_id(id),
        ..request(actor, commands, at(2))
    };
    let first = [take_out("devs", ["dana"]), add("devs", ["dana", "max"])];
    let records = execute(&kept, &mut account, &asked("x", &owner(), &first)).unwrap();
    assert_eq!(records.len(), 1);
    let reused = |actor: &Actor, commands: &[Command]| {
        let mut copy = load(&kept, &acme()).unwrap().unwrap();
        let error = execute(&kept, &mut copy, &asked("x", actor, commands)).unwrap_err();
        assert_eq!(error.code(), "idempotency-key-reused", "{commands:?}");
        assert_eq!(copy, account, "nothing was kept");
    };
    reused(&Actor::System, &first);
    reused(&owner(), &[create_store("prod")]);
    reused(&owner(), &[remove_member("vic")]);
    reused(&owner(), &[remove_member("nobody")]);
    reused(&owner(), &[add("devs", ["dana"])]);
    reused(&owner(), &[take_out("devs", ["dana", "max"])]);
    reused(&owner(), &[first[1].clone(), remove_member("vic")]);
    reused(&owner(), &[remove_member("vic"), first[1].clone()]);
    reused(&owner(), &[]);

    // The very same, by somebody else.
    let whole = [create_store("prod")];
    execute(&kept, &mut account, &asked("w", &owner(), &whole)).unwrap();
    let error = execute(&kept, &mut account, &asked("w", &Actor::System, &whole)).unwrap_err();
    assert_eq!(error.code(), "idempotency-key-reused");

    // A record may say less than was asked for, and others may since have undone what was so already: it is known again
    // by what the request led to then.
    let partly = [create_store("dev2"), add("devs", ["dana", "max", "vic"])];
    let records = execute(&kept, &mut account, &asked("y", &owner(), &partly)).unwrap();
    let undone = [take_out("devs", ["dana"]), remove_member("max")];
    execute(&kept, &mut account, &request(&owner(), &undone, at(3))).unwrap();
    let again = asked("y", &owner(), &partly);
    assert_eq!(execute(&kept, &mut account, &again).unwrap(), records);
    let nothing = [add("devs", ["vic"]), create_store("dev3")];
    let records = execute(&kept, &mut account, &asked("z", &owner(), &nothing)).unwrap();
    assert_eq!(records.len(), 1);
    let again = asked("z", &owner(), &nothing);
    assert_eq!(execute(&kept, &mut account, &again).unwrap(), records);
    let define = [define_role(
        "auditor",
        "Auditor",
        RoleLevel::Store,
        &["log.list"],
    )];
    execute(&kept, &mut account, &request(&owner(), &define, at(3))).unwrap();
    let edit = Command::EditGroup {
        group: group("devs"),
        name: GroupName::parse("Dev Team").ok(),
        description: Description::parse("they build it").ok(),
        grants: None,
    };
    let change = Command::ChangeRole {
        role: role("auditor"),
        name: RoleName::parse("Auditor").ok(),
        permissions: Some(permissions(["log.read"])),
    };
    for (id, command, later) in [
        ("edit", edit, rename_group("devs", "Developers")),
        ("change", change, redefine_role("auditor", &["log.list"])),
    ] {
        let again = asked(id, &owner(), &[command, create_store(id)]);
        let records = execute(&kept, &mut account, &again).unwrap();
        assert_eq!(records.len(), 2);
        execute(&kept, &mut account, &request(&owner(), &[later], at(3))).unwrap();
        assert_eq!(execute(&kept, &mut account, &again).unwrap(), records);
    }
    for more in [
        vec![
            partly[0].clone(),
            add("devs", ["dana", "max", "vic", "zoe"]),
        ],
        vec![partly[0].clone(), add("devs", ["vic"]), delete_store("dev")],
        vec![partly[0].clone(), add("devs", ["vic"]), enrol(["eve"])],
    ] {
        let error = execute(&kept, &mut account, &asked("y", &owner(), &more)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "commit id `y` is that of another request; give each request its own"
        );
    }
}

/// U1: each kind of command is known again by its record.
#[test]
fn every_kind_of_command_is_known_again() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let mut kinds = std::collections::BTreeSet::new();
    let mut earlier: Option<Request> = None;
    let script: Vec<(Actor, Command)> = vec![
        (Actor::System, enrol(["dana", "max"])),
        (owner(), invite("ina")),
        (by("ina"), accept()),
        (owner(), invite_owner("otto")),
        (owner(), cancel("otto")),
        (owner(), grant_ownership("dana")),
        (owner(), revoke_ownership("dana")),
        (owner(), create_store("dev")),
        (owner(), create_store("prod")),
        (
            owner(),
            define_role("auditor", "Auditor", RoleLevel::Store, &["log.read"]),
        ),
        (owner(), redefine_role("auditor", &["log.read", "log.list"])),
        (owner(), create_group("devs", "Dev Team", [editor(["dev"])])),
        (owner(), regrant("devs", [viewer(["dev", "prod"])])),
        (owner(), rename_group("devs", "Developers")),
        (owner(), add("devs", ["dana", "max"])),
        (owner(), take_out("devs", ["dana", "max"])),
        (owner(), delete_group("devs")),
        (owner(), delete_role("auditor")),
        (owner(), delete_store("prod")),
        (owner(), remove_member("max")),
    ];
    for (actor, command) in script {
        let asked = request(&actor, &[command], at(1));
        let records = execute(&kept, &mut account, &asked).unwrap();
        kinds.insert(records[0].event().kind());
        assert_eq!(execute(&kept, &mut account, &asked).unwrap(), records);
        // And it is not taken for the one before.
        if let Some(earlier) = earlier.replace(asked.clone()) {
            let mixed = Request {
                commit: earlier.commit,
                ..asked
            };
            let error = execute(&kept, &mut account, &mixed).unwrap_err();
            assert_eq!(
                error.code(),
                "idempotency-key-reused",
                "{:?}",
                mixed.commands
            );
        }
    }
    assert_eq!(kinds.len(), 17, "all but the opening");
}

/// A1: opening is a request too: tried again, it gives the account as it is by now.
#[test]
fn opening_can_be_tried_again() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    execute(
        &kept,
        &mut account,
        &request(&owner(), &[create_store("dev")], at(2)),
    )
    .unwrap();
    assert_eq!(opened(&kept), account);
    let other_owner = open(
        &kept,
        commit_id("open"),
        acme(),
        member("eve"),
        GroupLimit::default(),
        at(1_000),
    );
    assert_eq!(other_owner.unwrap_err().code(), "account-exists");

    // A conflict with nothing is tried again, and not for ever.
    let open_in = |kept: &Scripted| {
        let (id, owner) = (acme(), member(OWNER));
        open(
            kept,
            commit_id("open"),
            id,
            owner,
            GroupLimit::default(),
            at(0),
        )
    };
    let error = open_in(&Scripted::default()).unwrap_err();
    assert_eq!(error.code(), "records-missing");
}

/// U1, U3: who is refused beside a writer that never rests is refused nevertheless, and so is told that nothing changes.
#[test]
fn a_refusal_does_not_wait_for_rest() {
    let mut world = World::staffed();
    let kept = world.records.len();
    for number in 0..100 {
        world.ok(OWNER, create_store(&number.to_string()));
    }
    let mut account = kept_copy(&world.records[..kept]);
    for (actor, command) in [("eve", create_store("new")), (OWNER, add("devs", ["dana"]))] {
        let busy = Busy::after(account.version().try_into().unwrap(), &world);
        let answer = execute(&busy, &mut account, &request(&by(actor), &[command], at(0)));
        match answer {
            Ok(records) => assert_eq!((actor, records), (OWNER, vec![])),
            Err(error) => assert_eq!((actor, error.code()), ("eve", "not-authorized")),
        }
    }
    assert_eq!(account.version(), kept as u64 + 2, "one look each");
}

/// A1: the same opening twice at once: who comes second, and is told of a conflict, is given the account as well.
#[test]
fn an_opening_that_meets_itself_is_given_the_account() {
    struct Twin(MemoryRepository);
    impl Repository for Twin {
        type Error = Infallible;
        fn records_after(
            &self,
            account: &AccountId,
            version: u64,
        ) -> Result<RecordPage, Infallible> {
            self.0.records_after(account, version)
        }
        fn records_of(
            &self,
            account: &AccountId,
            id: &IdempotencyKey,
        ) -> Result<Vec<Record>, Infallible> {
            self.0.records_of(account, id)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.0.commit(commit).map(|_| CommitOutcome::Conflict)
        }
    }
    let opened_in = |kept: &Twin, commit: &str| {
        let (commit, limit) = (commit_id(commit), GroupLimit::default());
        open(kept, commit, acme(), member(OWNER), limit, at(0))
    };
    let kept = Twin(MemoryRepository::new());
    assert_eq!(opened_in(&kept, "open").unwrap().version(), 1);
    let error = opened_in(&kept, "another").unwrap_err();
    assert_eq!(error.code(), "account-exists");
}

/// A repository that holds what the test says, and fails where it says so.
#[derive(Default)]
struct Scripted {
    snapshot: Option<Snapshot>,
    tails: RefCell<Vec<RecordPage>>,
    fails: bool,
    /// Whether it fails where records are asked for.
    is_unreadable: bool,
}

#[derive(Debug)]
struct DiskGone;

impl Display for DiskGone {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("the disk is gone")
    }
}

impl Error for DiskGone {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&Unplugged)
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no such device")]
struct Unplugged;

impl Repository for Scripted {
    type Error = DiskGone;

    fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, DiskGone> {
        if self.fails {
            Err(DiskGone)
        } else {
            Ok(self.snapshot.clone())
        }
    }

    fn records_after(&self, _: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        if self.is_unreadable {
            return Err(DiskGone);
        }
        let mut tails = self.tails.borrow_mut();
        Ok(if tails.is_empty() {
            tail(&[], version)
        } else {
            tails.remove(0)
        })
    }

    fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
        Ok(Vec::new())
    }

    fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
        if self.fails {
            Err(DiskGone)
        } else {
            Ok(CommitOutcome::Conflict)
        }
    }
}

fn tail(records: &[Record], last: u64) -> RecordPage {
    let records = records.to_vec();
    RecordPage::Records { records, last }
}

/// U2, U5, A4: a snapshot and the records after it; and what does not belong together is not served.
#[test]
fn a_snapshot_and_the_records_after_it() {
    let world = World::staffed();
    let early = Account::replay(&world.records[..5]).unwrap().snapshot();
    let with = |snapshot: Option<&Snapshot>, records: &[Record]| Scripted {
        snapshot: snapshot.cloned(),
        tails: vec![tail(records, records.last().map_or(5, Record::version))].into(),
        ..Scripted::default()
    };
    let loaded = |repository: &Scripted, id: &str| load(repository, &acme_of(id));
    let account = loaded(&with(Some(&early), &world.records[5..]), "acme");
    assert_eq!(*account.unwrap().unwrap(), world.account);
    let account = loaded(&with(Some(&early), &[]), "acme").unwrap().unwrap();
    assert_eq!(account.version(), 5);
    let code = |repository: Scripted, id: &str| match loaded(&repository, id).unwrap_err() {
        LoadError::Repository(error) => panic!("{error}"),
        other => other.code(),
    };
    assert_eq!(code(with(Some(&early), &world.records[6..]), "acme"), "gap");
    assert_eq!(
        code(with(Some(&early), &world.records[4..]), "acme"),
        "repeat"
    );
    let mut twice = world.records[5..7].to_vec();
    twice.push(twice[1].clone());
    assert_eq!(code(with(Some(&early), &twice), "acme"), "repeat");
    assert_eq!(code(with(None, &world.records[1..]), "acme"), "gap");
    let holed = [&world.records[..2], &world.records[3..]].concat();
    assert_eq!(code(with(None, &holed), "acme"), "gap");
    assert_eq!(code(with(None, &[]), "acme"), "records-missing");
    assert_eq!(code(with(Some(&early), &[]), "other"), "wrong-account");
    assert_eq!(code(with(None, &world.records), "other"), "wrong-account");
    let mut broken = serde_json::to_value(&early).unwrap();
    broken["version"] = 0.into();
    let broken = serde_json::from_value(broken).unwrap();
    assert_eq!(code(with(Some(&broken), &[]), "acme"), "not-opened");
}

/// Between the look for a snapshot and the look for records, the first is stored and the others are given up.
struct Compacting(Scripted, RefCell<Option<Snapshot>>);

impl Repository for Compacting {
    type Error = DiskGone;

    fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, DiskGone> {
        Ok(self.1.borrow().clone())
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        self.1.replace(self.0.snapshot.clone());
        self.0.records_after(account, version)
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, DiskGone> {
        self.0.records_of(account, id)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, DiskGone> {
        self.0.commit(commit)
    }
}

/// U2, U5: records come page after page; where they are given up, the copy begins anew from a later snapshot; a
/// repository that promises more than it gives is not believed.
#[test]
fn pages_and_records_that_are_gone() {
    let world = World::staffed();
    let all = &world.records;
    let last = world.account.version();
    let snapshot = |version: usize| Account::replay(&all[..version]).unwrap().snapshot();
    let scripted = |snapshot: Option<Snapshot>, tails: Vec<RecordPage>| Scripted {
        snapshot,
        tails: tails.into(),
        ..Scripted::default()
    };
    let three = || {
        vec![
            tail(&all[..3], last),
            tail(&all[3..4], last),
            tail(&all[4..], last),
        ]
    };
    let paged = load(&scripted(None, three()), &acme()).unwrap().unwrap();
    assert_eq!(*paged, world.account);

    let mut behind = kept_copy(&all[..2]);
    let gone = scripted(
        Some(snapshot(6)),
        vec![RecordPage::Compacted, tail(&all[6..], last)],
    );
    let mut shown = Vec::new();
    catch_up_with(&gone, &mut behind, |_, record| shown.push(record.version())).unwrap();
    assert_eq!(*behind, world.account);
    assert_eq!(shown, (7..=last).collect::<Vec<_>>());

    let compacting = Compacting(
        scripted(
            Some(snapshot(6)),
            vec![RecordPage::Compacted, tail(&all[6..], last)],
        ),
        RefCell::default(),
    );
    assert_eq!(*load(&compacting, &acme()).unwrap().unwrap(), world.account);

    for (snapshot, tails) in [
        (None, vec![RecordPage::Compacted]),
        (Some(snapshot(2)), vec![RecordPage::Compacted]),
        (None, vec![tail(&[], last)]),
        (None, vec![tail(&all[2..3], last), tail(&[], last)]),
    ] {
        let mut behind = kept_copy(&all[..2]);
        let error = catch_up(&scripted(snapshot, tails), &mut behind).unwrap_err();
        assert_eq!(error.code(), "records-missing");
        assert!(matches!(error, LoadError::Missing { version } if version == behind.version()));
    }
    let error = load(&scripted(None, vec![RecordPage::Compacted]), &acme()).unwrap_err();
    assert_eq!(error.code(), "records-missing");
    let foreign = Account::open(
        acme_of("other"),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    )
    .0;
    let mut foreign = serde_json::to_value(foreign.snapshot()).unwrap();
    foreign["version"] = 6.into();
    let foreign = serde_json::from_value(foreign).unwrap();
    let mut behind = kept_copy(&all[..2]);
    let error = catch_up(
        &scripted(Some(foreign), vec![RecordPage::Compacted]),
        &mut behind,
    )
    .unwrap_err();
    assert_eq!(error.code(), "wrong-account");
    assert_eq!(behind.version(), 2);
}

/// A copy of this account that is in step with a repository of its own.
fn kept_copy(records: &[Record]) -> Replica {
    let kept = MemoryRepository::new();
    assert_eq!(kept.commit(&commit(records)), Ok(CommitOutcome::Appended));
    load(&kept, &acme()).unwrap().unwrap()
}

/// U3: a failing storage, a copy that is no version of what is kept, and records that do not fit are each told apart.
#[test]
fn failures_are_told_apart() {
    let world = World::staffed();
    let mut account = kept_copy(&world.records);
    let before = account.clone();
    let create = request(&owner(), &[create_store("new")], at(0));
    let fails = Scripted {
        fails: true,
        ..Scripted::default()
    };
    let error = execute(&fails, &mut account, &create).unwrap_err();
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
    let cannot_open = open(
        &fails,
        commit_id("open"),
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    )
    .unwrap_err();
    assert_eq!(cannot_open.code(), "repository-failed");

    // It refuses the commit, and then gives nothing to decide again on; or there was nothing to commit.
    let unreadable = Scripted {
        is_unreadable: true,
        ..Scripted::default()
    };
    for command in [create_store("new"), create_store("dev")] {
        let asked = request(&owner(), &[command], at(0));
        let error = execute(&unreadable, &mut account, &asked).unwrap_err();
        assert_eq!(error.code(), "repository-failed");
    }
    let error = catch_up(&unreadable, &mut account).unwrap_err();
    assert_eq!(error.code(), "repository-failed");
    assert_eq!(account, before);

    // Restored from a backup, it keeps less than the copy holds.
    let answers = |tail: RecordPage| Scripted {
        tails: vec![tail].into(),
        ..Scripted::default()
    };
    let error = execute(&answers(tail(&[], 7)), &mut account, &create).unwrap_err();
    assert_eq!(error.code(), "diverged");
    assert_eq!(
        error.to_string(),
        "this copy is at version 11, and the repository at 7; load the account again"
    );

    let foreign = answers(tail(&world.records, 11));
    let error = execute(&foreign, &mut account, &create).unwrap_err();
    assert!(matches!(
        error,
        ExecuteError::Load(LoadError::Replay(ReplayError::Repeat { .. }))
    ));
    assert_eq!(account, before);
}

/// U2: when others are faster every time, it ends, and says so; the copy has caught up with each of them.
#[test]
fn contention_ends() {
    let mut world = World::staffed();
    for number in 0..100 {
        world.ok(OWNER, create_store(&number.to_string()));
    }
    let mut account = kept_copy(&world.records[..2]);
    let busy = Busy::after(2, &world);
    let create = request(&owner(), &[create_store("new")], at(0));
    let error = execute(&busy, &mut account, &create).unwrap_err();
    assert!(matches!(error, ExecuteError::Contended { attempts: 64 }));
    assert_eq!(error.code(), "contended");
    assert_eq!(account.version(), 2 + 64);
}

/// U1, U3: a refusal and "nothing to do" cost no commit.
#[test]
fn what_changes_nothing_commits_nothing() {
    let mut world = World::staffed();
    let mut account = kept_copy(&world.records);
    let quiet = Busy::after(world.records.len(), &world);
    let nothing = request(&owner(), &[add("devs", ["dana"])], at(0));
    assert_eq!(execute(&quiet, &mut account, &nothing).unwrap(), []);
    let kept = world.records.len();
    for number in 0..100 {
        world.ok(OWNER, create_store(&number.to_string()));
    }
    let busy = Busy::after(kept, &world);
    let refused = request(&owner(), &[remove_member(OWNER)], at(0));
    let error = execute(&busy, &mut account, &refused).unwrap_err();
    assert_eq!(error.code(), "last-owner");
}

/// A repository where somebody else has always just committed one record more, as long as there are any.
struct Busy {
    records: Vec<Record>,
    shown: RefCell<usize>,
}

impl Busy {
    fn after(version: usize, world: &World) -> Self {
        Self {
            records: world.records.clone(),
            shown: RefCell::new(version),
        }
    }
}

impl Repository for Busy {
    type Error = DiskGone;

    fn records_after(&self, _: &AccountId, version: u64) -> Result<RecordPage, DiskGone> {
        let mut shown = self.shown.borrow_mut();
        *shown = self.records.len().min(*shown + 1);
        let version = usize::try_from(version).unwrap();
        Ok(tail(&self.records[version..*shown], *shown as u64))
    }

    fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
        Ok(Vec::new())
    }

    fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
        Ok(CommitOutcome::Conflict)
    }
}

/// One that keeps a snapshot at every third version.
struct EveryThird(MemoryRepository);

impl Repository for EveryThird {
    type Error = Infallible;

    fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, Infallible> {
        self.0.snapshot(account)
    }

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        self.0.records_after(account, version)
    }

    fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, Infallible> {
        self.0.records_of(account, id)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        self.0.commit(commit)
    }

    fn wants_snapshot(&self, expected: u64, version: u64) -> bool {
        expected / 3 != version / 3
    }
}

/// U2: a commit brings a snapshot when the repository asks for one, of the account as it is after the commit.
#[test]
fn a_snapshot_is_taken_when_it_is_wanted() {
    let kept = EveryThird(MemoryRepository::new());
    let mut account = opened(&kept.0);
    for (number, latest) in [
        (1, None),
        (2, Some(3)),
        (3, Some(3)),
        (4, Some(3)),
        (5, Some(6)),
    ] {
        let create = [
            create_store(&number.to_string()),
            enrol(["dana"]),
            create_group("devs", "Dev Team", [viewer(["1"])]),
            add("devs", ["dana"]),
        ];
        let commands = if number == 5 {
            &create[..2]
        } else {
            &create[..1]
        };
        let asked = request(&Actor::System, commands, at(number));
        execute(&kept, &mut account, &asked).unwrap();
        let snapshot = kept.snapshot(&acme()).unwrap();
        assert_eq!(
            snapshot.as_ref().map(Snapshot::version).map(|at| at.min(6)),
            latest
        );
        assert_eq!(load(&kept, &acme()).unwrap().unwrap(), account);
    }
    let snapshot = kept.snapshot(&acme()).unwrap().unwrap();
    assert_eq!(snapshot, account.snapshot());
}

/// A repository behind a pointer is one, and so is one whose type is not known: all methods reach it.
#[test]
fn a_repository_behind_a_pointer_is_one() {
    let kept = Arc::new(MemoryRepository::new());
    let by_reference: &MemoryRepository = &kept;
    let by_box: Box<dyn Repository<Error = Infallible>> = Box::new(Arc::clone(&kept));
    let by_any = AnyRepository::new(Arc::clone(&kept));
    let mut account = opened(by_reference);
    let create = |id: &str| request(&owner(), &[create_store(id)], at(0));
    execute(&by_reference, &mut account, &create("a")).unwrap();
    execute(&kept, &mut account, &create("b")).unwrap();
    execute(&by_box, &mut account, &create("c")).unwrap();
    let asked = create("d");
    execute(&by_any, &mut account, &asked).unwrap();
    assert_eq!(load(&by_any, &acme()).unwrap().unwrap(), account);
    assert_eq!(account.version(), 5);
    assert_eq!(by_any.records_of(&acme(), &asked.commit).unwrap().len(), 1);
    assert_eq!(by_any.snapshot(&acme()).unwrap(), None);
    assert!(!by_any.wants_snapshot(0, 1_000));

    let fails = AnyRepository::new(AlwaysFails);
    let error = load(&fails, &acme()).unwrap_err();
    assert_eq!(error.to_string(), "the repository failed: the disk is gone");
    let LoadError::Repository(error) = error else {
        panic!("{error}")
    };
    assert!(error.downcast_ref::<DiskGone>().is_some());
    assert_eq!(error.source().unwrap().to_string(), "no such device");
}

/// A repository need not know of snapshots; where it does, they are reached through whatever it is behind.
#[test]
fn snapshots_are_reached_through_all_that_a_repository_is_behind() {
    fn has<R: Repository<Error: Debug>>(repository: &R) -> [bool; 3] {
        [
            repository.snapshot(&acme()).unwrap().is_some(),
            repository.wants_snapshot(2, 3),
            repository.wants_snapshot(3, 4),
        ]
    }
    fn waits<R: AsyncRepository>(repository: &R) -> [bool; 3] {
        [
            block_on(repository.snapshot(&acme())).unwrap().is_some(),
            repository.wants_snapshot(2, 3),
            repository.wants_snapshot(3, 4),
        ]
    }
    let kept = Arc::new(EveryThird(MemoryRepository::new()));
    let mut account = opened(&kept.0);
    let asked = request(&owner(), &["a", "b"].map(create_store), at(0));
    execute(&*kept, &mut account, &asked).unwrap();
    let erased = AnyRepository::new(Arc::clone(&kept));
    let blocking = Arc::new(SyncAsAsync(Arc::clone(&kept)));
    let erased_blocking = AnyAsyncRepository::new(Arc::clone(&blocking));
    let some = [true, true, false];
    assert_eq!(has(&&*kept), some);
    assert_eq!(has(&Box::new(&*kept)), some);
    assert_eq!(has(&kept), some);
    assert_eq!(has(&erased), some);
    assert_eq!(waits(&&*blocking), some);
    assert_eq!(waits(&Box::new(SyncAsAsync(&*kept))), some);
    assert_eq!(waits(&blocking), some);
    assert_eq!(waits(&erased_blocking), some);

    let [erased, erased_blocking] = [format!("{erased:?}"), format!("{erased_blocking:?}")];
    assert!(erased.starts_with("AnyRepository") && erased_blocking.starts_with("AnyAsyncRep"));
    assert_eq!(has(&AlwaysFails), [false; 3]);
    assert_eq!(waits(&AnyAsyncRepository::new(NoAnswer)), [false; 3]);
}

/// One that waits for ever, but for what it need not know.
struct NoAnswer;

impl AsyncRepository for NoAnswer {
    type Error = Infallible;

    async fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, Infallible> {
        pending().await
    }

    async fn records_of(
        &self,
        _: &AccountId,
        _: &IdempotencyKey,
    ) -> Result<Vec<Record>, Infallible> {
        pending().await
    }

    async fn commit(&self, _: &Commit) -> Result<CommitOutcome, Infallible> {
        pending().await
    }
}

/// One that has no answer to anything.
struct AlwaysFails;

impl Repository for AlwaysFails {
    type Error = DiskGone;

    fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, DiskGone> {
        Err(DiskGone)
    }

    fn records_of(&self, _: &AccountId, _: &IdempotencyKey) -> Result<Vec<Record>, DiskGone> {
        Err(DiskGone)
    }

    fn commit(&self, _: &Commit) -> Result<CommitOutcome, DiskGone> {
        Err(DiskGone)
    }
}

/// U2: the same contract where answers are waited for: another task may come in between, wherever there is a wait.
#[test]
fn an_asynchronous_repository_keeps_the_same_contract() {
    fn goes<T: Send>(waiting: T) -> T {
        waiting
    }
    let kept = Arc::new(MemoryRepository::new());
    let repository = Arc::new(Yielding(SyncAsAsync(Arc::clone(&kept))));
    let opening = open_async(
        &repository,
        commit_id("open"),
        acme(),
        member(OWNER),
        GroupLimit::default(),
        at(0),
    );
    let shared = Shared::new(block_on(goes(opening)).unwrap());
    let loaded = block_on(goes(load_async(&repository, &acme())))
        .unwrap()
        .unwrap();
    assert_eq!(*shared.read(), loaded);

    // Eight tasks on one thread, polled in turn, on one copy and over one storage.
    let asked: Vec<_> = (0..8)
        .map(|number| request(&owner(), &[create_store(&number.to_string())], at(0)))
        .collect();
    let tasks = asked
        .iter()
        .map(|request| goes(shared.execute_async(&repository, request)));
    for (records, asked) in all_of(tasks).into_iter().zip(&asked) {
        let records = records.unwrap();
        assert_eq!(kept.records_of(&acme(), &asked.commit).unwrap(), records);
    }
    assert_eq!(shared.read().version(), 9);
    assert_eq!(*shared.read(), load(&kept, &acme()).unwrap().unwrap());

    let mut elsewhere = loaded;
    execute(
        &kept,
        &mut elsewhere,
        &request(&owner(), &[create_store("x")], at(0)),
    )
    .unwrap();
    block_on(goes(shared.catch_up_async(&repository))).unwrap();
    assert_eq!(*shared.read(), elsewhere);
    assert!(!AsyncRepository::wants_snapshot(&repository, 0, 1_000));

    let erased = AnyAsyncRepository::new(Arc::clone(&repository));
    let loaded = block_on(goes(load_async(&erased, &acme())))
        .unwrap()
        .unwrap();
    assert_eq!(loaded, elsewhere);
    let refused = request(&by("eve"), &[create_store("y")], at(0));
    let error = block_on(shared.execute_async(&erased, &refused)).unwrap_err();
    assert_eq!(error.code(), "not-authorized");
    let again = block_on(shared.execute_async(&erased, &asked[0])).unwrap();
    assert_eq!(again, kept.records_of(&acme(), &asked[0].commit).unwrap());
    let new = request(&owner(), &[create_store("y")], at(0));
    let records = block_on(goes(shared.execute_async(&erased, &new))).unwrap();
    assert_eq!(records, kept.records_of(&acme(), &new.commit).unwrap());
    assert_eq!(records.len(), 1);
    assert!(!erased.wants_snapshot(0, 1_000));
    let fails = AnyAsyncRepository::new(SyncAsAsync(AlwaysFails));
    let error = block_on(load_async(&fails, &acme())).unwrap_err();
    assert_eq!(error.to_string(), "the repository failed: the disk is gone");
}

/// One that lets others go first before each answer.
struct Yielding<R>(R);

impl<R: AsyncRepository> AsyncRepository for Yielding<R> {
    type Error = R::Error;

    async fn snapshot(&self, account: &AccountId) -> Result<Option<Snapshot>, R::Error> {
        others_first().await;
        self.0.snapshot(account).await
    }

    async fn records_after(
        &self,
        account: &AccountId,
        version: u64,
    ) -> Result<RecordPage, R::Error> {
        others_first().await;
        self.0.records_after(account, version).await
    }

    async fn records_of(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Vec<Record>, R::Error> {
        others_first().await;
        self.0.records_of(account, id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<CommitOutcome, R::Error> {
        others_first().await;
        self.0.commit(commit).await
    }
}

async fn others_first() {
    let mut is_first = true;
    std::future::poll_fn(|_| {
        if std::mem::take(&mut is_first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

fn block_on<T>(task: impl Future<Output = T>) -> T {
    all_of([task]).remove(0)
}

/// Polls these in turn until all are done.
fn all_of<F: Future>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut tasks: Vec<_> = tasks
        .into_iter()
        .map(|task| (Box::pin(task), None))
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    while tasks.iter().any(|(_, output)| output.is_none()) {
        for (task, output) in &mut tasks {
            if output.is_none() {
                if let Poll::Ready(done) = task.as_mut().poll(&mut context) {
                    *output = Some(done);
                }
            }
        }
    }
    tasks.into_iter().filter_map(|(_, output)| output).collect()
}

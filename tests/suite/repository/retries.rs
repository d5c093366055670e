//! Retries are idempotent.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;

use grantbook::command::{ChangeRole, EditGroup};
use grantbook::repository::*;
use grantbook::*;

use super::scripted::DiskGone;
use super::{acme, opened, owner};
use crate::support::*;

/// U1, U2: the same request retried, on the copy that executed it or on one that is behind, is stored once, and
/// answered as the first time, even if it would be refused by now.
#[test]
fn u1_a_request_is_stored_once() {
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
    let records = execute(&kept, &mut account, &asked).unwrap().into_records();
    assert_eq!(records.len(), 2);
    for copy in [&mut account, &mut behind] {
        let later = Request {
            now: at(9),
            ..asked.clone()
        };
        assert_eq!(execute(&kept, copy, &later).unwrap().records(), records);
        assert_eq!(copy.version(), 3);
    }
    // The request would change something again by now, and is still the one that was stored.
    let others = [rename_group("devs", "Other Team"), delete_group("devs")];
    execute(&kept, &mut account, &request(&owner(), &others, at(6))).unwrap();
    assert_eq!(
        execute(&kept, &mut behind, &asked).unwrap().records(),
        records
    );
    assert_eq!(behind, account);
}

/// U2: after a failed commit the same request can be retried, whether the first was stored or not.
#[test]
fn u2_a_lost_answer_can_be_asked_for_again() {
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
        assert_eq!(account.version(), 1, "the copy does not know of it");
        let records = execute(&kept, &mut account, &asked).unwrap().into_records();
        assert_eq!(records[0].version(), 2);
        assert_eq!(account.version(), 2);
        assert_eq!(records_after(&kept, &acme(), 0).len(), 2);
    }
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

    fn request(
        &self,
        account: &AccountId,
        id: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, DiskGone> {
        self.kept.request(account, id).map_err(|_| DiskGone)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, DiskGone> {
        if self.is_kept {
            let _ = self.kept.commit(commit);
        }
        Err(DiskGone)
    }
}

/// U2: a request that is refused here, but was meanwhile stored from elsewhere, is answered as stored.
#[test]
fn u2_a_request_stored_meanwhile_is_answered_as_stored() {
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
        fn request(
            &self,
            account: &AccountId,
            id: &IdempotencyKey,
        ) -> Result<Option<StoredRequest>, Infallible> {
            for request in &self.requests {
                execute(self.kept, &mut self.elsewhere.borrow_mut(), request).unwrap();
            }
            self.kept.request(account, id)
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
    let records = execute(&meanwhile, &mut account, &create_group)
        .unwrap()
        .into_records();
    assert_eq!((records[0].version(), account.version()), (3, 3));
    assert_eq!(records_after(&kept, &acme(), 0).len(), 3);
}

/// U1: a key that was used for another request is refused: nobody is told that something was done that was not.
#[test]
fn u1_a_key_shared_by_two_requests_is_refused() {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let staff = [
        enrol(["dana", "max", "vic"]),
        create_store("dev"),
        create_group("devs", "Dev Team", [editor(["dev"])]),
    ];
    execute(&kept, &mut account, &request(&Actor::System, &staff, at(1))).unwrap();
    let asked = |id: &str, actor: &Actor, commands: &[Command]| Request {
        key: commit_id(id),
        ..request(actor, commands, at(2))
    };
    let first = [take_out("devs", ["dana"]), add("devs", ["dana", "max"])];
    let records = execute(&kept, &mut account, &asked("x", &owner(), &first))
        .unwrap()
        .into_records();
    assert_eq!(records.len(), 1);
    let reused = |actor: &Actor, commands: &[Command]| {
        let mut copy = load(&kept, &acme()).unwrap().unwrap();
        let error = execute(&kept, &mut copy, &asked("x", actor, commands)).unwrap_err();
        assert_eq!(error.code(), "idempotency-key-reused", "{commands:?}");
        assert_eq!(copy, account, "nothing was stored");
    };
    reused(&Actor::System, &first);
    reused(&owner(), &[create_store("prod")]);
    reused(&owner(), &[remove_member("vic")]);
    reused(&owner(), &[remove_member("nobody")]);
    reused(&owner(), &[add("devs", ["dana"])]);
    reused(&owner(), &[take_out("devs", ["dana", "max"])]);
    reused(&owner(), &[first[1].clone(), remove_member("vic")]);
    reused(&owner(), &[remove_member("vic"), first[1].clone()]);

    // The very same request, by another actor.
    let whole = [create_store("prod")];
    execute(&kept, &mut account, &asked("w", &owner(), &whole)).unwrap();
    let error = execute(&kept, &mut account, &asked("w", &Actor::System, &whole)).unwrap_err();
    assert_eq!(error.code(), "idempotency-key-reused");

    // A record may say less than was asked for, and others may since have undone what held already: the request is
    // recognized by what it led to then.
    let partly = [create_store("dev2"), add("devs", ["dana", "max", "vic"])];
    let records = execute(&kept, &mut account, &asked("y", &owner(), &partly))
        .unwrap()
        .into_records();
    let undone = [take_out("devs", ["dana"]), remove_member("max")];
    execute(&kept, &mut account, &request(&owner(), &undone, at(3))).unwrap();
    let again = asked("y", &owner(), &partly);
    assert_eq!(
        execute(&kept, &mut account, &again).unwrap().records(),
        records
    );
    let nothing = [add("devs", ["vic"]), create_store("dev3")];
    let records = execute(&kept, &mut account, &asked("z", &owner(), &nothing))
        .unwrap()
        .into_records();
    assert_eq!(records.len(), 1);
    let again = asked("z", &owner(), &nothing);
    assert_eq!(
        execute(&kept, &mut account, &again).unwrap().records(),
        records
    );
    let define = [define_role(
        "auditor",
        "Auditor",
        RoleLevel::Store,
        &["log.list"],
    )];
    execute(&kept, &mut account, &request(&owner(), &define, at(3))).unwrap();
    let edit = Command::EditGroup(EditGroup {
        group: group("devs"),
        name: GroupName::parse("Dev Team").ok(),
        description: Description::parse("they build it").ok(),
        grants: None,
    });
    let change = Command::ChangeRole(ChangeRole {
        role: role("auditor"),
        name: RoleName::parse("Auditor").ok(),
        permissions: Some(permissions(["log.read"])),
    });
    for (id, command, later) in [
        ("edit", edit, rename_group("devs", "Developers")),
        ("change", change, redefine_role("auditor", &["log.list"])),
    ] {
        let again = asked(id, &owner(), &[command, create_store(id)]);
        let records = execute(&kept, &mut account, &again).unwrap().into_records();
        assert_eq!(records.len(), 2);
        execute(&kept, &mut account, &request(&owner(), &[later], at(3))).unwrap();
        assert_eq!(
            execute(&kept, &mut account, &again).unwrap().records(),
            records
        );
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
            "idempotency key `y` is that of another request; give each request its own"
        );
    }
}

/// U1: each kind of command is recognized by its record when it is retried.
#[test]
fn u1_every_kind_of_command_is_recognized_when_retried() {
    let asked = crate::format::requests().into_iter();
    let kinds = recognized(asked.map(|asked| request(&asked.actor, &asked.commands, asked.now)));
    assert_eq!(kinds.len(), Event::KINDS.len() - 1, "all but the opening");
}

/// U1: so are commands that change a part of something.
#[test]
fn u1_changes_of_parts_are_recognized_when_retried() {
    let script = [
        (Actor::System, enrol(["dana", "ina", "max"])),
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
        (owner(), set_members("devs", ["dana", "ina"])),
        (owner(), set_members("devs", [])),
    ];
    recognized(script.map(|(actor, command)| request(&actor, &[command], at(1))));
}

/// Executes these, each of which is recognized when it is retried and not mistaken for the one before. Returns the kinds
/// of their events.
fn recognized(requests: impl IntoIterator<Item = Request>) -> BTreeSet<&'static str> {
    let kept = MemoryRepository::new();
    let mut account = opened(&kept);
    let mut kinds = BTreeSet::new();
    let mut earlier: Option<Request> = None;
    for asked in requests {
        let done = execute(&kept, &mut account, &asked).unwrap();
        kinds.extend(done.records().iter().map(|record| record.event().kind()));
        let again = execute(&kept, &mut account, &asked).unwrap();
        assert_eq!(again.records(), done.records());
        if let Some(earlier) = earlier.replace(asked.clone()) {
            let mixed = Request {
                key: earlier.key,
                ..asked
            };
            let error = execute(&kept, &mut account, &mixed).unwrap_err();
            // Whoever has lost its authority by the very command is told that, and nothing of keys.
            let expected = match account.decide(&mixed.actor, &mixed.commands[0], mixed.now) {
                Err(error) if error.kind() == ErrorKind::Forbidden => error.code(),
                Err(CommandError::AccountClosed) => "account-closed",
                _ => "idempotency-key-reused",
            };
            assert_eq!(error.code(), expected, "{:?}", mixed.commands);
        }
    }
    kinds
}

//! U9: what is remembered of a request, and in which order it is looked at.

use std::cell::Cell;
use std::convert::Infallible;

use grantbook::repository::conformance::{Fault, FlakyRepository};
use grantbook::repository::*;
use grantbook::*;
use proptest::prelude::*;

use super::preconditions::two_processes;
use crate::commands;
use crate::strategies::{actor, config};
use crate::support::*;

/// U9: `dana` is in `devs`. Two requests: add her, which changes nothing; take her out. Both are repeated under their keys,
/// and she stays out.
#[test]
fn u9_a_repeated_series_undoes_no_revocation() {
    let (kept, mut here, mut there) = two_processes();
    let now = here.changed_at();
    let adds = request(&by(OWNER), &[add("devs", ["dana"])], now);
    let takes = request(&by(OWNER), &[take_out("devs", ["dana"])], now);
    let nothing = execute(&kept, &mut here, &adds).unwrap();
    assert!(!nothing.is_change() && nothing.records().is_empty());
    execute(&kept, &mut here, &takes).unwrap();
    let version = here.version();
    for copy in [&mut here, &mut there] {
        for request in [&adds, &takes, &adds] {
            let again = execute(&kept, copy, request).unwrap();
            assert!(again.is_repeat());
            assert_eq!(again.is_change(), request.key == takes.key);
        }
        assert_eq!(copy.version(), version);
        assert!(
            !copy
                .group("devs")
                .unwrap()
                .members()
                .any(|member| member.as_str() == "dana")
        );
    }
}

/// U9: a request is answered as it was, whatever has happened since: also where its actor lost its authority by it.
#[test]
fn u9_a_retry_is_answered_though_its_actor_may_do_nothing_more() {
    for (actor, command) in [
        ("dana", leave()),
        ("ina", accept()),
        (OWNER, revoke_ownership(OWNER)),
        (OWNER, remove_member(OWNER)),
        (OWNER, suspend(OWNER)),
        (MANAGER, take_out("it", [MANAGER])),
        (OWNER, close()),
    ] {
        let (kept, mut here, mut there) = two_processes();
        let now = here.changed_at();
        let another = request(&Actor::System, &[grant_ownership("dana")], now);
        if actor == OWNER {
            execute(&kept, &mut here, &another).unwrap();
        }
        let asked = request(&by(actor), &[command], now);
        let first = execute(&kept, &mut here, &asked).unwrap();
        for copy in [&mut here, &mut there] {
            let again = execute(&kept, copy, &asked).unwrap();
            assert!(again.is_repeat());
            assert_eq!(
                (again.version(), again.records()),
                (first.version(), first.records())
            );
        }
        assert_eq!(there, here, "it holds what it answered");
    }
}

/// U9: authority comes before a key that another request has, and that before preconditions, and those before commands: a
/// stranger learns nothing about keys.
#[test]
fn u9_requests_are_looked_at_in_order() {
    let (kept, mut copy, _) = two_processes();
    let now = copy.changed_at();
    let stale = Precondition::Account {
        digest: *copy.digest(),
    };
    let first = request(&by(OWNER), &[create_store("x")], now);
    execute(&kept, &mut copy, &first).unwrap();
    let mut asked =
        |key: &IdempotencyKey, actor: &str, command: Command, stale: Option<&Precondition>| {
            let mut request = request(&by(actor), &[command], now);
            request.key = key.clone();
            request.preconditions.extend(stale.cloned());
            execute(&kept, &mut copy, &request).unwrap_err().code()
        };
    let (known, new) = (&first.key, &commit_id("new"));
    for stale in [None, Some(&stale)] {
        for key in [known, new] {
            assert_eq!(
                asked(key, "eve", create_store("x"), stale),
                "not-authorized"
            );
            assert_eq!(
                asked(key, "dana", create_store("y"), stale),
                "not-authorized"
            );
        }
        for command in [create_store("dev"), create_store("y"), remove_member(OWNER)] {
            assert_eq!(
                asked(known, OWNER, command, stale),
                "idempotency-key-reused"
            );
        }
    }
    assert_eq!(
        asked(new, OWNER, remove_member(OWNER), Some(&stale)),
        "precondition-failed"
    );
    assert_eq!(
        asked(new, OWNER, create_store("y"), Some(&stale)),
        "precondition-failed"
    );
    assert_eq!(asked(new, OWNER, remove_member(OWNER), None), "last-owner");
    assert_eq!(asked(new, OWNER, create_store("x"), None), "store-exists");
}

/// U9: actor, commands and preconditions make a request the same; its time and its note do not.
#[test]
fn u9_what_makes_a_request_the_same() {
    let (kept, mut copy, _) = two_processes();
    let now = copy.changed_at();
    let digest = *copy.digest();
    let first = request(&by(OWNER), &[create_store("x"), create_store("y")], now)
        .if_unchanged(Precondition::Account { digest });
    execute(&kept, &mut copy, &first).unwrap();
    let noted = first.clone().note(Note::parse("again").unwrap());
    let later = Request {
        now: at(now.as_millis() + 500),
        ..noted
    };
    assert!(execute(&kept, &mut copy, &later).unwrap().is_repeat());
    let mut others = vec![first.clone(); 4];
    others[0].actor = Actor::System;
    others[1].commands.pop();
    others[2].commands.swap(0, 1);
    others[3].preconditions.clear();
    for other in others {
        let error = execute(&kept, &mut copy, &other).unwrap_err();
        assert_eq!(
            (error.code(), error.http_status()),
            ("idempotency-key-reused", 422)
        );
    }
    // A request without commands does nothing, and nothing is remembered of it.
    let empty = request(&by("eve"), &[], now);
    assert!(!execute(&kept, &mut copy, &empty).unwrap().is_change());
    assert_eq!(kept.request(copy.id(), &empty.key).unwrap(), None);
}

/// U9: keys outlive the records that they led to, and a reused key is told without reading any.
#[test]
fn u9_keys_outlive_their_records() {
    struct GivenUp<'a>(&'a MemoryRepository, Snapshot, Cell<usize>);
    impl Repository for GivenUp<'_> {
        type Error = Infallible;
        fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, Infallible> {
            Ok(Some(self.1.clone()))
        }
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
            self.2.set(self.2.get() + 1);
            if version < self.1.version() {
                return Ok(RecordPage::Compacted);
            }
            self.0.records_after(id, version)
        }
        fn request(
            &self,
            id: &AccountId,
            key: &IdempotencyKey,
        ) -> Result<Option<StoredRequest>, Infallible> {
            self.0.request(id, key)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
            self.0.commit(commit)
        }
    }
    let (kept, mut copy, _) = two_processes();
    let now = copy.changed_at();
    let asked = request(&by(OWNER), &[create_store("x")], now);
    let first = execute(&kept, &mut copy, &asked).unwrap();
    execute(
        &kept,
        &mut copy,
        &request(&by(OWNER), &[create_store("y")], now),
    )
    .unwrap();
    let given_up = GivenUp(&kept, copy.snapshot(), Cell::new(0));
    let mut fresh = load(&given_up, copy.id()).unwrap().unwrap();
    for copy in [&mut fresh, &mut copy] {
        let again = execute(&given_up, copy, &asked).unwrap();
        assert!(again.is_repeat() && again.is_change());
        assert_eq!(
            (again.version(), again.records()),
            (first.version(), &[][..])
        );
    }
    given_up.2.set(0);
    let reused = Request {
        key: asked.key,
        ..request(&by(OWNER), &[create_store("z")], now)
    };
    let error = execute(&given_up, &mut copy, &reused).unwrap_err();
    assert_eq!(error.code(), "idempotency-key-reused");
    assert_eq!(
        given_up.2.get(),
        1,
        "it looks whether it is up to date, and no further"
    );
}

/// A series of requests by random actors, of random commands.
fn series() -> impl Strategy<Value = Vec<(Actor, Vec<Command>)>> {
    let one = (actor(), prop::collection::vec(commands::random(), 1..3));
    prop::collection::vec(one, 1..25)
}

proptest! {
    #![proptest_config(config(200))]

    /// U9: any finished series of accepted requests, repeated under their keys in any order and number, changes no
    /// account, and each is answered as it was: over a good storage, and over one that fails.
    #[test]
    fn u9_a_repeated_series_changes_nothing(series in series(), order in prop::collection::vec(any::<prop::sample::Index>(), 60), seed in any::<u64>()) {
        let faults = [(Fault::ReadTimedOut, 50), (Fault::KeptUnanswered, 100), (Fault::NotKept, 100), (Fault::ShortPage, 200)];
        let line = FlakyRepository::new(seed, faults);
        let world = crate::strategies::beginning();
        store_history(line.kept(), &world.records);
        let mut copy = load(line.kept(), world.account.id()).unwrap().unwrap();
        let early = copy.clone();
        let mut accepted = Vec::new();
        for (actor, commands) in series {
            let asked = request(&actor, &commands, at(world.now));
            if let Some(Ok(done)) = answered(&line, &mut copy, &asked) {
                accepted.push((asked, done));
            }
        }
        let finished = load(line.kept(), copy.id()).unwrap().unwrap();
        prop_assume!(!accepted.is_empty());
        let mut copies = [copy, early];
        for (number, index) in order.into_iter().enumerate() {
            let (asked, done) = index.get(&accepted);
            let copy = &mut copies[number % 2];
            if let Some(again) = answered(&line, copy, asked) {
                let again = again.unwrap();
                prop_assert!(again.is_repeat());
                prop_assert_eq!((again.version(), again.records()), (done.version(), done.records()));
            }
        }
        let stored = load(line.kept(), finished.id()).unwrap().unwrap();
        prop_assert_eq!(stored, finished);
    }
}

/// What a request is answered with in the end.
fn answered(
    line: &FlakyRepository,
    copy: &mut Replica,
    request: &Request,
) -> Option<Result<Executed, CommandError>> {
    (0..50).find_map(|_| match execute(line, copy, request) {
        Ok(executed) => Some(Ok(executed)),
        Err(RepositoryError::Refused(refusal)) => Some(Err(refusal)),
        Err(RepositoryError::Storage(_)) => None,
        Err(error) => panic!("{error}"),
    })
}

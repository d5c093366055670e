//! Several connections: what one keeps the others see, races, a new beginning, and whole requests.

use std::panic;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::account::actor::Actor;
use crate::account::changes::{AddMembers, CloseAccount, Command};
use crate::account::limits::GroupLimit;
use crate::repository::conformance::harness::{
    Connection, NOW, account_id, commit_id, member_id, store, stores,
};
use crate::repository::conformance::{Failure, Fixture};
use crate::repository::request::Executed;
use crate::repository::{
    self, Commit, CommitOutcome, EraseOutcome, Replica, Repository, RepositoryError, Request,
};

/// How many write at once.
const WRITERS: usize = 8;

/// What one connection has kept, every other one sees at once, also where it has read before.
pub(crate) fn a_commit_is_seen_by_every_connection<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (here, there) = (Connection::to(fixture), Connection::to(fixture));
    let mut acme = here.opens("acme")?;
    let likely = "reads are answered from a cache, from a transaction that was left open, or from a copy that lags \
                  behind; read from where is written";
    there.holds(&acme, likely)?;
    let one = here.adds(&mut acme, "one", &[store("one")?])?;
    there.holds(&acme, likely)?;
    there.remembers(acme.id(), one.key(), Some(one.request()), likely)?;
    there.adds(&mut acme, "two", &[store("two")?])?;
    here.holds(&acme, likely)?;
    let stale = acme.propose("stale", &[store("stale")?])?;
    here.adds(&mut acme, "three", &[store("three")?])?;
    there.conflicts(
        &stale,
        "versions are compared with what this connection has seen",
    )?;
    there.holds(&acme, likely)
}

/// What a connection was told of a key is not what it goes by: neither that there was no such request, which another
/// connection has kept since, nor what was remembered, which an erasure has taken since. A retry comes by any connection.
pub(crate) fn a_request_is_looked_up_each_time<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (here, there) = (Connection::to(fixture), Connection::to(fixture));
    let mut acme = here.opens("acme")?;
    let retried = acme.propose("retried", &[store("dev")?])?;
    let likely = "a connection remembers what it was told of requests, also that there was none; look each up again, \
                  where it is written";
    here.remembers(acme.id(), retried.key(), None, likely)?;
    there.keeps(&retried)?;
    acme.accept(&retried)?;
    here.repeats(&retried, likely)?;
    here.remembers(acme.id(), retried.key(), Some(retried.request()), likely)?;

    let closing = [Command::CloseAccount(CloseAccount {})];
    there.adds(&mut acme, "close", &closing)?;
    let erased = there.0.erase(acme.id());
    let erased = erased.map_err(|error| went_wrong("erase, of a closed account", &error))?;
    if erased == EraseOutcome::Unsupported {
        return Ok(());
    }
    here.remembers(acme.id(), retried.key(), None, likely)?;
    here.conflicts(&retried, likely)
}

/// A thousand records that are committed together are seen together, at no moment a part of them.
pub(crate) fn a_commit_of_many_records_is_whole<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let many = acme.propose("many", &stores("many", 1_000)?)?;
    expect_whole(&kept, &many)?;
    thread::scope(|threads| {
        let writer = threads.spawn(|| Connection::to(fixture).keeps(&many));
        let mut seen = Ok(());
        while seen.is_ok() && !writer.is_finished() {
            seen = expect_whole(&kept, &many);
        }
        let written = writer.join();
        seen.and(written.unwrap_or_else(|cause| panic::resume_unwind(cause)))
    })?;
    expect_whole(&kept, &many)?;
    let likely = "`request` gives a page of a long commit, and not all of it";
    kept.remembers(acme.id(), many.key(), Some(many.request()), likely)?;
    acme.accept(&many)?;
    kept.holds(
        &acme,
        "some of many records are lost, or not ordered by version",
    )
}

/// Where the first record of a commit can be read, so can its last.
fn expect_whole<R: Repository>(kept: &Connection<R>, commit: &Commit) -> Result<(), Failure> {
    let is_there = |version| {
        let (records, _) = kept.page(commit.account(), version)?;
        Ok(!records.is_empty())
    };
    if !is_there(commit.request().before)? || is_there(commit.request().version - 1)? {
        return Ok(());
    }
    let asked = "records_after, where a commit of a thousand records is or was kept";
    let (expected, found) = ("all of them, or none", "the first and not the last");
    let likely = "the records are not inserted in one transaction, or the last is lost";
    Err(Failure::new(asked, expected, found, likely))
}

/// Many writers commit on the same version at the same moment: one is kept, the others are conflicts, round after round.
/// In the end there is no gap, and every commit that was acknowledged is there once.
pub(crate) fn of_writers_that_race_one_wins<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    const ROUNDS: usize = 6;
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    for round in 0..ROUNDS {
        let commits = (0..WRITERS).map(|writer| {
            let name = format!("{round}-{writer}");
            acme.propose(&name, &stores(&name, 2)?)
        });
        let commits = commits.collect::<Result<Vec<_>, _>>()?;
        let answers = raced(fixture, &commits)?;
        let done = commits.iter().zip(&answers);
        let done = done.filter(|(_, answer)| **answer == CommitOutcome::Appended);
        let done: Vec<_> = done.map(|(commit, _)| commit).collect();
        let [winner] = *done else {
            let asked = format!(
                "commit, by {WRITERS} writers at once on version {}",
                acme.version()
            );
            let found = format!("{} done", done.len());
            let likely = "the version is compared first and the records are inserted later, without a lock or a \
                          primary key in between";
            return Err(Failure::new(
                asked,
                "1 done, and the others conflicts",
                found,
                likely,
            ));
        };
        acme.accept(winner)?;
        let likely =
            "the records of a commit that lost the race are kept, or those of the winner are not";
        kept.holds(&acme, likely)?;
        kept.remembers(acme.id(), winner.key(), Some(winner.request()), likely)?;
    }
    Ok(())
}

/// A commit that is tried again while the first attempt is still on its way is kept once. Who comes too late may be told
/// that it is a repetition, or a conflict: deciding it again shows which.
pub(crate) fn a_commit_that_races_with_itself_is_kept_once<F: Fixture>(
    fixture: &F,
) -> Result<(), Failure> {
    let kept = Connection::to(fixture);
    let mut acme = kept.opens("acme")?;
    let once = acme.propose("once", &[store("once")?])?;
    let answers = raced(fixture, &vec![once.clone(); WRITERS])?;
    let done = answers
        .iter()
        .filter(|answer| **answer == CommitOutcome::Appended);
    let asked = format!("commit, by {WRITERS} writers at once with the same key: `Appended`");
    let likely = "the key is looked up first and the records are inserted later, without a lock or a primary key \
                  in between";
    Failure::unless_equal(asked, &1, &done.count(), likely)?;
    acme.accept(&once)?;
    kept.holds(&acme, likely)
}

/// Commits all of these at once, each by a thread with a connection of its own.
fn raced<F: Fixture>(fixture: &F, commits: &[Commit]) -> Result<Vec<CommitOutcome>, Failure> {
    let ready = AtomicUsize::new(0);
    thread::scope(|threads| {
        let write = |commit| {
            let connection = Connection::to(fixture);
            ready.fetch_add(1, Ordering::AcqRel);
            // All begin together, unless one of them cannot open the storage.
            let latest = Instant::now() + Duration::from_secs(5);
            while ready.load(Ordering::Acquire) < commits.len() && Instant::now() < latest {
                thread::yield_now();
            }
            let found = connection.0.commit(commit);
            found.map_err(|error| {
                let asked = "commit, by several writers at once on the same version";
                let likely = "a lost race (a violated key, a serialization failure, a busy database) is given as an \
                              error; it is a conflict";
                Failure::of_storage(asked, &error, likely)
            })
        };
        let writers: Vec<_> = commits
            .iter()
            .map(|commit| threads.spawn(move || write(commit)))
            .collect();
        let answers = writers.into_iter().map(|writer| {
            writer
                .join()
                .unwrap_or_else(|cause| panic::resume_unwind(cause))
        });
        answers.collect()
    })
}

/// After every connection was closed and the storage is opened again, everything is there: records, keys,
/// snapshot; and it goes on from there.
pub(crate) fn what_was_kept_is_there_when_opened_again<F: Fixture>(
    fixture: &F,
) -> Result<(), Failure> {
    let (first, second) = (Connection::to(fixture), Connection::to(fixture));
    let mut acme = first.opens("acme")?;
    let one = acme.with_snapshot(acme.propose("one", &stores("one", 3)?)?)?;
    first.keeps(&one)?;
    acme.accept(&one)?;
    let two = second.adds(&mut acme, "two", &[store("two")?])?;
    let snapshot = second.snapshot(acme.id())?;
    drop((first, second));

    let again = Connection::to(fixture);
    let likely = "what is kept is in memory, or written when it is too late";
    again.holds(&acme, likely)?;
    let found = again.snapshot(acme.id())?;
    Failure::unless_equal("snapshot, after opening again", &snapshot, &found, likely)?;
    again.repeats(&two, "keys are in memory, and lost when a process ends")?;
    again.adds(&mut acme, "three", &[store("three")?])?;
    again.holds(&acme, likely)
}

/// Opening, executing, loading and catching up over two connections, as two processes would.
pub(crate) fn requests_run_from_end_to_end<F: Fixture>(fixture: &F) -> Result<(), Failure> {
    let (here, there) = (fixture.connect(), fixture.connect());
    let open = |commit: &str| {
        let (commit, acme, olga) = (commit_id(commit)?, account_id("acme")?, member_id("olga")?);
        Ok((commit, acme, olga, GroupLimit::default(), NOW))
    };
    let (commit, acme, olga, limit, now) = open("open")?;
    let opened = repository::open(&here, commit, acme.clone(), olga, limit, now);
    let mut first = opened.map_err(|error| went_wrong("repository::open", &error))?;
    let (commit, _, olga, limit, now) = open("another")?;
    match repository::open(&there, commit, acme.clone(), olga, limit, now) {
        Err(RepositoryError::AccountExists { .. }) => {}
        Err(error) => return Err(went_wrong("repository::open, once more", &error)),
        Ok(_) => {
            let asked = "repository::open, once more and by another key";
            let likely = "an account can be opened over another one";
            return Err(Failure::new(asked, "that it exists", "an account", likely));
        }
    }
    let loaded = repository::load(&there, &acme);
    let loaded = loaded.map_err(|error| went_wrong("repository::load", &error))?;
    let mut second = loaded.ok_or_else(|| missing("repository::load"))?;

    let first_request = request("add", &[added("dana")?])?;
    let records = executed(&here, &mut first, &first_request)?.into_records();
    // This copy is behind: the request is decided again, on what is there now.
    executed(&there, &mut second, &request("store", &[store("dev")?])?)?;
    let repeated = executed(&there, &mut second, &first_request)?;
    let (asked, likely) = (
        "execute, a request again",
        "the answer of a repeated request is not given as it was",
    );
    Failure::unless_equal(asked, &2, &repeated.version(), likely)?;
    // They may have been given up.
    if !repeated.records().is_empty() {
        Failure::unless_same_records(asked, &records, repeated.records(), likely)?;
    }
    expect_reused(
        &there,
        &mut second,
        &request("add", &[added("somebody-else")?])?,
    )?;

    for (repository, copy) in [(&here, &mut first), (&there, &mut second)] {
        let caught_up = repository::catch_up(repository, copy);
        caught_up.map_err(|error| went_wrong("repository::catch_up", &error))?;
    }
    let likely = "connections do not see the same records";
    Failure::unless_equal("catch_up, of two copies", &*first, &*second, likely)?;
    let third = repository::load(&fixture.connect(), &acme);
    let third = third.map_err(|error| went_wrong("repository::load", &error))?;
    let third = third.ok_or_else(|| missing("repository::load, by a third"))?;
    Failure::unless_equal("load, by a third", &*first, &*third, likely)?;
    Failure::unless_equal(
        "the version, after three requests",
        &3,
        &third.version(),
        likely,
    )
}

fn request(commit: &str, commands: &[Command]) -> Result<Request, Failure> {
    Ok(Request::by(Actor::System, commit_id(commit)?, NOW).commands(commands.to_vec()))
}

fn added(member: &str) -> Result<Command, Failure> {
    let members = [member_id(member)?].into();
    Ok(Command::AddMembers(AddMembers { members }))
}

fn executed<R: Repository>(
    repository: &R,
    copy: &mut Replica,
    request: &Request,
) -> Result<Executed, Failure> {
    repository::execute(repository, copy, request)
        .map_err(|error| went_wrong("repository::execute", &error))
}

fn expect_reused<R: Repository>(
    repository: &R,
    copy: &mut Replica,
    request: &Request,
) -> Result<(), Failure> {
    let asked = "execute, another request with a key that is kept";
    let likely = "a key does not name one request only, so what another one asked for is taken for its answer";
    match repository::execute(repository, copy, request) {
        Err(RepositoryError::IdempotencyKeyReused { .. }) => Ok(()),
        Err(error) => Err(went_wrong(asked, &error)),
        Ok(executed) => {
            let found = format!("{} records", executed.records().len());
            Err(Failure::new(asked, "that it is reused", found, likely))
        }
    }
}

fn missing(asked: &str) -> Failure {
    Failure::new(
        asked,
        "the account",
        "none",
        "what another connection keeps is not seen",
    )
}

fn went_wrong(asked: &str, error: &dyn std::error::Error) -> Failure {
    let likely = "another case fails too, and says more";
    Failure::of_storage(asked, error, likely)
}

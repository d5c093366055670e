//! Acting at the same time, and on a state that has changed.

use std::convert::Infallible;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use grantbook::repository::*;
use grantbook::*;

use crate::support::*;

/// Two owners remove each other, or each itself, at the same moment from two processes, so that each passes the check
/// of the number of owners and none is left. A2 and U2 stop it: the second commit finds the first, and is decided
/// again. Known as a race between check and use (CWE-362, CWE-367).
#[test]
fn a2_two_owners_cannot_remove_each_other_at_once() {
    const ROUNDS: usize = 240;
    let ways_out: [fn(&str, &str) -> Command; 4] = [
        |_, other| remove_member(other),
        |_, other| revoke_ownership(other),
        |own, _| remove_member(own),
        |own, _| revoke_ownership(own),
    ];
    let kept = MemoryRepository::new();
    let id = |round: usize| AccountId::parse(&format!("round-{round}")).unwrap();
    let meeting = |round: usize| {
        let mut account = open(
            &kept,
            commit_id("open"),
            id(round),
            member(OWNER),
            GroupLimit::default(),
            at(0),
        )
        .unwrap();
        let two = [enrol(["otto"]), grant_ownership("otto")];
        execute(&kept, &mut account, &request(&Actor::System, &two, at(0))).unwrap();
        Meeting {
            kept: &kept,
            is_wanted: round % 8 < 4,
            arrived: AtomicUsize::new(0),
        }
    };
    let meetings: Vec<_> = (0..ROUNDS).map(meeting).collect();
    let barrier = Barrier::new(2);
    // No assertion in a thread: the other one would wait at the barrier forever.
    let attack = |own: &'static str, other: &'static str| {
        let (meetings, barrier, ways_out, id) = (&meetings, &barrier, &ways_out, &id);
        move || {
            let mut outcomes = Vec::new();
            for (round, meeting) in meetings.iter().enumerate() {
                let loaded = load(meeting, &id(round)).ok().flatten();
                let command = ways_out[round % ways_out.len()](own, other);
                barrier.wait();
                outcomes.push(loaded.map_or("lost", |mut copy| {
                    match execute(meeting, &mut copy, &request(&by(own), &[command], at(0))) {
                        Ok(_) => "done",
                        Err(error) => error.code(),
                    }
                }));
            }
            outcomes
        }
    };
    let outcomes: [Vec<&str>; 2] = std::thread::scope(|scope| {
        let threads = [(OWNER, "otto"), ("otto", OWNER)];
        let threads = threads.map(|(own, other)| scope.spawn(attack(own, other)));
        threads.map(|thread| thread.join().unwrap())
    });
    for round in 0..ROUNDS {
        let refused = [
            "not-authorized",
            "not-authorized",
            "last-owner",
            "last-owner",
        ];
        let mut both = [outcomes[0][round], outcomes[1][round]];
        both.sort_unstable();
        let mut expected = ["done", refused[round % ways_out.len()]];
        expected.sort_unstable();
        assert_eq!(both, expected, "round {round}");
        let account = load(&kept, &id(round)).unwrap().unwrap();
        assert_eq!(account.owners().count(), 1);
        let records = records_after(&kept, &id(round), 0);
        assert_eq!(records.len(), 4);
        for version in 1..=records.len() {
            let then = Account::replay(&records[..version]).unwrap();
            assert!(then.owners().count() >= 1, "A2 at every version");
        }
    }
}

/// The repository in memory. In some rounds the first two commits wait for each other, so that both have been decided
/// on the same version.
struct Meeting<'a> {
    kept: &'a MemoryRepository,
    is_wanted: bool,
    arrived: AtomicUsize,
}

impl Repository for Meeting<'_> {
    type Error = Infallible;

    fn records_after(&self, account: &AccountId, version: u64) -> Result<RecordPage, Infallible> {
        self.kept.records_after(account, version)
    }

    fn request(
        &self,
        account: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, Infallible> {
        self.kept.request(account, key)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, Infallible> {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        // Not forever: if the crate is broken, the other may never come.
        let mut patience = 1_000_000;
        while self.is_wanted && self.arrived.load(Ordering::SeqCst) < 2 && patience > 0 {
            std::thread::yield_now();
            patience -= 1;
        }
        self.kept.commit(commit)
    }
}

/// A manager whose powers were taken away acts through a process that does not know it yet. E6, U2 and U3 stop it: what
/// is decided on a copy that is behind is decided again on what is there now. Known as a race between check and use
/// (CWE-367).
#[test]
fn e6_a_stale_copy_gives_back_no_powers() {
    let world = World::staffed();
    let kept = MemoryRepository::new();
    let acme = world.account.id().clone();
    store_history(&kept, &world.records);
    let behind = load(&kept, &acme).unwrap().unwrap();
    let mut current = behind.clone();
    let now = at(world.now);
    let take_away = [take_out("it", [MANAGER])];
    execute(&kept, &mut current, &request(&by(OWNER), &take_away, now)).unwrap();
    for command in [
        add("it", ["nils"]),
        regrant("devs", [editor(["dev", "prod"])]),
        invite("eve"),
        cancel("ina"),
        take_out("viewers", ["vic"]),
    ] {
        let mut behind = behind.clone();
        assert!(
            behind.decide(&by(MANAGER), &command, now).is_ok(),
            "it would have been allowed"
        );
        let harmless = create_group("new", "New Group", [Grant::group_manager()]);
        for commands in [vec![command.clone()], vec![harmless, command]] {
            let error =
                execute(&kept, &mut behind, &request(&by(MANAGER), &commands, now)).unwrap_err();
            assert_eq!(error.code(), "not-authorized");
            assert_eq!(behind, current, "the copy has caught up");
        }
    }
    let all = records_after(&kept, &acme, 0);
    assert_eq!(all.len() as u64, current.version(), "nothing was stored");
}

/// Somebody is taken out of a group, and only then is the group given something secret; whoever applies the second
/// change without the first shows it to the one who was taken out. U2 and U5 stop it: every copy is the account at some
/// version, and no version shows it. Known as the "new enemy" problem of the Google Zanzibar paper.
#[test]
fn u2_no_version_shows_a_former_member_what_came_later() {
    let mut world = World::staffed();
    assert_eq!(world.level("vic", "prod"), AccessLevel::Viewer);
    world.ok(OWNER, take_out("viewers", ["vic"]));
    let out = world.records.len();
    world.ok(OWNER, create_store("secret"));
    world.ok(OWNER, regrant("viewers", [viewer(["prod", "secret"])]));
    world.ok(OWNER, add("viewers", ["nils"]));
    for versions in 1..=world.records.len() {
        let then = Account::replay(&world.records[..versions]).unwrap();
        assert!(!super::reads(&then, "vic", "secret"), "{versions}");
    }
    assert!(super::reads(&world.account, "nils", "secret"));
    let mut skipped = Account::replay(&world.records[..out - 1]).unwrap();
    for late in &world.records[out..] {
        assert_eq!(skipped.apply(late).unwrap_err().code(), "gap");
    }
    let mut swapped = world.records.clone();
    swapped.swap(out - 1, out + 1);
    assert_eq!(Account::replay(&swapped).unwrap_err().code(), "gap");
}

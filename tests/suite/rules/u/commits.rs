//! U10: a copy shows whole commits only. U2: it holds one branch only.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use grantbook::repository::*;
use grantbook::*;

use super::preconditions::two_processes;
use crate::support::*;

/// A repository whose pages hold one record, and which fails after so many of them.
struct Cut<'a> {
    kept: &'a MemoryRepository,
    pages: Cell<usize>,
}

#[derive(Debug, thiserror::Error)]
#[error("the line is cut")]
struct LineCut;

impl Repository for Cut<'_> {
    type Error = LineCut;

    fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, LineCut> {
        let left = self.pages.get().checked_sub(1).ok_or(LineCut)?;
        self.pages.set(left);
        let Ok(mut page) = self.kept.records_after(id, version);
        if let RecordPage::Records { records, .. } = &mut page {
            records.truncate(1);
        }
        Ok(page)
    }

    fn request(
        &self,
        id: &AccountId,
        key: &IdempotencyKey,
    ) -> Result<Option<StoredRequest>, LineCut> {
        let Ok(request) = self.kept.request(id, key);
        Ok(request)
    }

    fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LineCut> {
        let Ok(outcome) = self.kept.commit(commit);
        Ok(outcome)
    }
}

/// U10: a batch gives `devs` the store `prod` and takes the contractor out of `devs`. A page ends after the first record,
/// and the next read fails: the contractor may not write in `prod`, which it never may.
#[test]
fn u10_half_a_batch_is_never_visible() {
    let (kept, mut here, start) = two_processes();
    let now = here.changed_at();
    let both = [
        grant_role("devs", editor(["prod"])),
        take_out("devs", ["dana"]),
    ];
    execute(&kept, &mut here, &request(&by(OWNER), &both, now)).unwrap();
    let may_write =
        |account: &Account| account.can("dana", &Permission::STORE_WRITE, Resource::Store("prod"));
    assert!(!may_write(&start) && !may_write(&here));
    let half = records_after(&kept, here.id(), start.version());
    let mut applied = Account::clone(&start);
    applied.apply(&half[0]).unwrap();
    assert!(may_write(&applied), "so it would be");

    for pages in 0..3 {
        let cut = Cut {
            kept: &kept,
            pages: Cell::new(pages),
        };
        let mut behind = start.clone();
        let caught_up = catch_up(&cut, &mut behind);
        assert_eq!(caught_up.is_ok(), pages == 2);
        assert!(!may_write(&behind));
        let as_of = behind.as_of();
        let expected = if pages == 2 { &here } else { &start };
        assert_eq!(*behind, **expected);
        assert_eq!(
            as_of.behind > 0,
            pages < 2,
            "it counts as behind until then"
        );
        // And it goes on from there.
        catch_up(&kept, &mut behind).unwrap();
        assert_eq!(behind, here);
        cut.pages.set(pages);
        let accounts = Accounts::builder(&cut).build();
        assert!(
            accounts.get(here.id()).is_err(),
            "not half of an account either"
        );
    }
}

/// U2: a backup is restored and goes on otherwise, 50 times, with copies of the other branch alive, that read and write, are
/// ahead, behind, or at the same version: nothing is applied or committed across branches, and each is told `diverged`.
#[test]
fn u2_a_restored_backup_is_another_branch() {
    let (kept, mut current, _) = two_processes();
    let now = current.changed_at();
    let store = |name: String| request(&by(OWNER), &[create_store(&name)], now);
    let mut told = 0;
    for round in 0..50 {
        let backup = kept.backup();
        let before = current.clone();
        for number in 0..=round % 3 {
            let name = format!("old {round} {number}");
            execute(&kept, &mut current, &store(name)).unwrap();
        }
        let old = current.clone();
        kept.restore(&backup);
        current = before.clone();
        for number in 0..round % 5 {
            let name = format!("new {round} {number}");
            execute(&kept, &mut current, &store(name)).unwrap();
        }
        let records = records_after(&kept, current.id(), 0);
        let late = store(format!("late {round}"));
        let (mut reader, mut writer) = (old.clone(), old.clone());
        for error in [
            catch_up(&kept, &mut reader).unwrap_err(),
            execute(&kept, &mut writer, &late).unwrap_err(),
        ] {
            assert_eq!(error.code(), "diverged");
            told += 1;
        }
        assert_eq!(records_after(&kept, current.id(), 0), records);
        assert_eq!(kept.request(current.id(), &late.key).unwrap(), None);
        for copy in [&mut reader, &mut writer] {
            assert_eq!(copy.version(), old.version(), "nothing is applied");
            let denied = copy.check(OWNER, &Permission::STORE_READ, Resource::Account);
            assert_eq!(denied, Decision::Denied(DenialReason::Diverged));
            let refused = copy
                .decide(&by(OWNER), &create_store("x"), now)
                .unwrap_err();
            assert_eq!(refused.code(), "diverged");
            if let Some(next) = records.get(usize::try_from(copy.version()).unwrap()) {
                assert!(copy.ingest(next).is_err());
            }
            assert_eq!(execute(&kept, copy, &late).unwrap_err().code(), "diverged");
        }
        // Who was behind both branches, or on the one that stayed, goes on.
        let mut behind = before;
        catch_up(&kept, &mut behind).unwrap();
        assert_eq!(behind, current);
    }
    assert_eq!(told, 100);
}

/// U2: a record was changed by hand. Whoever loads the account is told so, however short the pages are; whoever holds a
/// copy goes on to the record before, and is told the same, or that its copy is another one if that is where it stands.
#[test]
fn u2_a_damaged_record_is_told_from_another_branch() {
    struct Damaged<'a> {
        kept: Cut<'a>,
        version: u64,
        page: usize,
    }
    impl Repository for Damaged<'_> {
        type Error = LineCut;
        fn records_after(&self, id: &AccountId, version: u64) -> Result<RecordPage, LineCut> {
            let Ok(mut page) = self.kept.kept.records_after(id, version);
            if let RecordPage::Records { records, .. } = &mut page {
                records.truncate(self.page);
                for record in records {
                    if record.version() == self.version {
                        let mut changed = serde_json::to_value(&record).unwrap();
                        changed["note"] = "nothing to see".into();
                        *record = serde_json::from_value(changed).unwrap();
                    }
                }
            }
            Ok(page)
        }
        fn request(
            &self,
            id: &AccountId,
            key: &IdempotencyKey,
        ) -> Result<Option<StoredRequest>, LineCut> {
            self.kept.request(id, key)
        }
        fn commit(&self, commit: &Commit) -> Result<CommitOutcome, LineCut> {
            self.kept.commit(commit)
        }
    }
    let (kept, mut current, start) = two_processes();
    for stores in [vec!["w", "x"], vec!["y"], vec!["z"]] {
        let commands: Vec<_> = stores.into_iter().map(create_store).collect();
        let asked = request(&by(OWNER), &commands, current.changed_at());
        execute(&kept, &mut current, &asked).unwrap();
    }
    for page in [1, 2, 100] {
        let damaged = |version| Damaged {
            kept: Cut {
                kept: &kept,
                pages: Cell::new(usize::MAX),
            },
            version,
            page,
        };
        for version in [2, 4, current.version()] {
            let error = load(&damaged(version), current.id()).unwrap_err();
            assert_eq!(error.code(), "digest-mismatch", "page {page}: {error}");
            let accounts = Accounts::builder(damaged(version)).build();
            let error = accounts.get(current.id()).unwrap_err();
            assert_eq!(error.code(), "digest-mismatch", "page {page}: {error}");
        }
        // The second one is of the same commit as the first.
        for (further, code, applied) in [
            (1, "diverged", 0),
            (2, "digest-mismatch", 0),
            (3, "digest-mismatch", 2),
        ] {
            let version = start.version() + further;
            let mut behind = start.clone();
            let error = catch_up(&damaged(version), &mut behind).unwrap_err();
            assert_eq!(error.code(), code, "page {page}: {error}");
            assert_eq!(behind.version(), start.version() + applied);
            let as_of = behind.as_of();
            assert!(as_of.behind > 0 && as_of.problem.is_some());
            assert_eq!(as_of.is_diverged, further == 1);
        }
    }
}

/// A5, U2: rows were deleted and the id opened by somebody else: a copy of the first life of the account reads and writes
/// nothing of the second.
#[test]
fn u2_another_life_of_an_id_is_another_branch() {
    let (kept, mut old, _) = two_processes();
    let fresh = MemoryRepository::new();
    let (acme, limit) = (old.id().clone(), GroupLimit::default());
    let mut new = open(&fresh, commit_id("new"), acme, member("zoe"), limit, at(0)).unwrap();
    let stores: Vec<_> = (0..20)
        .map(|number| create_store(&number.to_string()))
        .collect();
    execute(&fresh, &mut new, &request(&Actor::System, &stores, at(1))).unwrap();
    kept.restore(&fresh);
    let mallory = request(&by(OWNER), &[invite_owner("mallory")], at(2));
    assert_eq!(
        execute(&kept, &mut old, &mallory).unwrap_err().code(),
        "diverged"
    );
    assert!(!old.can(OWNER, &Permission::STORE_READ, Resource::Store("1")));
    assert_eq!(load(&kept, new.id()).unwrap().unwrap(), new);
}

/// U2: a storage that is always one snapshot ahead is given up on.
#[test]
fn u2_catching_up_ends() {
    struct Ahead {
        account: Account,
        calls: AtomicU64,
    }
    impl Repository for Ahead {
        type Error = LineCut;
        fn snapshot(&self, _: &AccountId) -> Result<Option<Snapshot>, LineCut> {
            let mut later = serde_json::to_value(self.account.snapshot()).unwrap();
            let calls = self.calls.fetch_add(1, Ordering::Relaxed);
            later["version"] = (self.account.version() + 1 + calls).into();
            Ok(Some(serde_json::from_value(later).unwrap()))
        }
        fn records_after(&self, _: &AccountId, _: u64) -> Result<RecordPage, LineCut> {
            Ok(RecordPage::Compacted)
        }
        fn request(
            &self,
            _: &AccountId,
            _: &IdempotencyKey,
        ) -> Result<Option<StoredRequest>, LineCut> {
            Ok(None)
        }
        fn commit(&self, _: &Commit) -> Result<CommitOutcome, LineCut> {
            Ok(CommitOutcome::Conflict)
        }
    }
    let (_, mut copy, _) = two_processes();
    let ahead = Ahead {
        account: Account::clone(&copy),
        calls: AtomicU64::new(0),
    };
    assert_eq!(
        catch_up(&ahead, &mut copy).unwrap_err().code(),
        "records-missing"
    );
}

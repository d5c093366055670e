//! Whether an account is what its writers were told.

use std::collections::{BTreeMap, HashSet};

use grantbook::repository::{self, RecordPage, Repository};
use grantbook::{Account, AccountId, GroupLimit, IdempotencyKey, MemberId, Record};

use crate::losses::Losses;
use crate::plan;

/// What the writers of one account were told, and what must therefore be kept.
pub(crate) struct Judge {
    pub(crate) account: AccountId,
    owner: MemberId,
    /// The last version of each request that was acknowledged: by writer, then by number.
    acknowledged: Vec<BTreeMap<usize, u64>>,
}

impl Judge {
    /// Opens an account of this name, with a group for each writer.
    pub(crate) fn open<R: Repository>(repository: &R, name: &str) -> Self {
        let account = plan::id(AccountId::parse, name);
        let owner = plan::id(MemberId::parse, "olga");
        let mut opened = opened(repository, &account, &owner);
        repository::execute(repository, &mut opened, &plan::groups()).expect("groups are created");
        let acknowledged = vec![BTreeMap::new(); plan::WRITERS];
        Self {
            account,
            owner,
            acknowledged,
        }
    }

    /// Takes a writer's word for it.
    pub(crate) fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let ["ack", writer, n, version] = words.as_slice() else {
            panic!("a worker said `{line}`");
        };
        let number = |word: &str| word.parse::<usize>().expect("a number");
        let version = version.parse().expect("a version");
        let earlier = self.acknowledged[number(writer)].insert(number(n), version);
        assert_eq!(earlier, None, "a request is acknowledged once");
    }

    /// The number of a writer's first request that was not acknowledged.
    pub(crate) fn next(&self, writer: usize) -> usize {
        self.acknowledged[writer].len()
    }

    /// Looks at all that is kept, while nobody writes.
    ///
    /// # Panics
    /// The repository fails, a version is missing, or the account is not what its records and the writers' commands
    /// lead to.
    pub(crate) fn losses<R: Repository>(&self, repository: &R) -> Losses {
        let records = history(repository, &self.account);
        let mut losses = Losses::default();
        let mut kept = Vec::new();
        let mut explained = 1 + plan::groups().commands.len();
        for (writer, acknowledged) in self.acknowledged.iter().enumerate() {
            for (&n, &version) in acknowledged {
                let request = plan::request(writer, n);
                let last = usize::try_from(version).expect("a version fits");
                let first = last.saturating_sub(request.commands.len());
                match records.get(first..last) {
                    Some(found) if plan::is_whole(found, &request) => {
                        kept.push((writer, n));
                        explained += found.len();
                    }
                    _ => losses.lost += 1,
                }
            }
            // The next request may have been kept and its answer lost, but not half of it.
            let request = plan::request(writer, self.next(writer));
            let found = records_of(repository, &records, &self.account, &request.key);
            if plan::is_whole(&found, &request) {
                kept.push((writer, self.next(writer)));
                explained += found.len();
            } else if !found.is_empty() {
                losses.half_done += 1;
            }
        }
        // No two commands of the plan lead to the same event.
        let events: HashSet<String> = records
            .iter()
            .map(|record| serde_json::to_string(record.event()).expect("an event is JSON"))
            .collect();
        losses.twice += records.len() - events.len();
        if losses.twice == 0 {
            losses.half_done += records.len().saturating_sub(explained);
        }
        if losses == Losses::default() {
            self.agree(repository, &records, kept);
        }
        losses
    }

    /// As [`losses`](Self::losses), and asks for every request by its key.
    pub(crate) fn losses_by_id<R: Repository>(&self, repository: &R) -> Losses {
        let mut losses = self.losses(repository);
        let records = history(repository, &self.account);
        for (writer, acknowledged) in self.acknowledged.iter().enumerate() {
            for (&n, &version) in acknowledged {
                let request = plan::request(writer, n);
                let found = records_of(repository, &records, &self.account, &request.key);
                if found.last().map(Record::version) != Some(version) {
                    losses.lost += 1;
                } else if !plan::is_whole(&found, &request) {
                    losses.half_done += 1;
                }
            }
        }
        losses
    }

    /// What is loaded, what a full replay gives, and what the commands by themselves lead to is one account.
    fn agree<R: Repository>(&self, repository: &R, records: &[Record], kept: Vec<(usize, usize)>) {
        let replayed = Account::replay(records).expect("the records are an account");
        let loaded = loaded(repository, &self.account);
        assert_eq!(loaded, replayed, "loaded, and replayed");
        let expected = plan::expected(&self.account, &self.owner, kept);
        assert!(
            content(&replayed) == content(&expected),
            "replayed, and told from the commands"
        );
        assert_holds(&replayed);
    }
}

/// What an account holds, in whichever order and in whichever commits it came there.
fn content(account: &Account) -> serde_json::Value {
    let mut plain = serde_json::to_value(account.snapshot()).expect("a snapshot is JSON");
    for field in ["commit", "digest"] {
        plain.as_object_mut().expect("an object").remove(field);
    }
    for list in ["roles", "groups"] {
        for entry in plain[list].as_array_mut().expect("a list") {
            let entry = entry.as_object_mut().expect("an object");
            entry.retain(|field, _| !field.contains("revision"));
        }
    }
    plain
}

/// Opens an account, with one owner.
pub(crate) fn opened<R: Repository>(
    repository: &R,
    account: &AccountId,
    owner: &MemberId,
) -> repository::Replica {
    let (account, owner) = (account.clone(), owner.clone());
    let (commit, limit) = (
        plan::id(IdempotencyKey::parse, "open"),
        GroupLimit::default(),
    );
    repository::open(repository, commit, account, owner, limit, plan::NOW).expect("it opens")
}

/// The account as it is kept.
pub(crate) fn loaded<R: Repository>(repository: &R, account: &AccountId) -> Account {
    let replica = repository::load(repository, account).expect("the repository works");
    Account::clone(&replica.expect("it was opened"))
}

/// Every invariant: read back, it breaks no rule (A2, A3, G3 to G5).
pub(crate) fn assert_holds(account: &Account) {
    Account::try_from(account.snapshot()).expect("the account breaks no rule");
}

/// All records, from the first on.
pub(crate) fn history<R: Repository>(repository: &R, account: &AccountId) -> Vec<Record> {
    let mut history: Vec<Record> = Vec::new();
    loop {
        let version = history.len() as u64;
        let tail = repository.records_after(account, version);
        let RecordPage::Records { records, head } = tail.expect("the repository works") else {
            panic!("records are gone");
        };
        let last = head.expect("it was opened").version;
        for record in records {
            assert_eq!(
                record.version(),
                history.len() as u64 + 1,
                "a version is missing"
            );
            history.push(record);
        }
        if history.len() as u64 == last {
            return history;
        }
        assert!(
            history.len() as u64 > version,
            "records are missing after {version}"
        );
    }
}

/// The records of a request, out of all of the account; none, if it is not remembered.
fn records_of<R: Repository>(
    repository: &R,
    history: &[Record],
    account: &AccountId,
    key: &IdempotencyKey,
) -> Vec<Record> {
    let found = repository.request(account, key);
    let Some(stored) = found.expect("the repository works") else {
        return Vec::new();
    };
    let place = |version: u64| usize::try_from(version).expect("a version fits");
    let records = history.get(place(stored.before)..place(stored.version));
    records.expect("what is remembered is there").to_vec()
}

#[cfg(test)]
mod tests {
    use grantbook::command::{AddMembers, RemoveMembers};
    use grantbook::repository::{Commit, CommitOutcome, MemoryRepository, Request};
    use grantbook::{Actor, Command};

    use super::*;

    /// A judge, and a repository that keeps what it opened.
    fn court() -> (MemoryRepository, Judge) {
        let kept = MemoryRepository::new();
        let judge = Judge::open(&kept, "court");
        (kept, judge)
    }

    /// Keeps what these commands lead to under a key, and gives the last version.
    fn keep(
        kept: &MemoryRepository,
        judge: &Judge,
        key: IdempotencyKey,
        commands: &[Command],
    ) -> u64 {
        let account = loaded(kept, &judge.account);
        let request = Request::by(Actor::System, key, plan::NOW).commands(commands.iter().cloned());
        let commit = Commit::decide(&account, &request).unwrap();
        assert_eq!(kept.commit(&commit).unwrap(), CommitOutcome::Appended);
        commit.head().version
    }

    /// Keeps a writer's request as it should be, and gives what the writer says then.
    fn write(kept: &MemoryRepository, judge: &Judge, writer: usize, n: usize) -> String {
        let request = plan::request(writer, n);
        let version = keep(kept, judge, request.key, &request.commands);
        format!("ack {writer} {n} {version}")
    }

    const NONE: Losses = Losses {
        lost: 0,
        twice: 0,
        half_done: 0,
    };

    #[test]
    fn nothing_is_lost_where_all_is_kept() {
        let (kept, mut judge) = court();
        for n in 0..10 {
            for writer in [3, 5] {
                let said = write(&kept, &judge, writer, n);
                judge.hear(&said);
            }
        }
        assert_eq!(judge.losses_by_id(&kept), NONE);
    }

    #[test]
    fn a_request_without_an_answer_may_be_kept() {
        let (kept, mut judge) = court();
        let said = write(&kept, &judge, 0, 0);
        judge.hear(&said);
        write(&kept, &judge, 0, 1);
        assert_eq!(judge.losses_by_id(&kept), NONE);
    }

    #[test]
    fn a_request_that_is_not_kept_is_lost() {
        let (kept, mut judge) = court();
        let said = write(&kept, &judge, 0, 0);
        judge.hear(&said);
        judge.hear("ack 0 1 11");
        assert_eq!(judge.losses(&kept), Losses { lost: 1, ..NONE });
    }

    #[test]
    fn a_request_that_is_kept_under_another_id_is_lost() {
        let (kept, mut judge) = court();
        let request = plan::request(0, 0);
        let version = keep(&kept, &judge, plan::key(0, 7), &request.commands);
        judge.hear(&format!("ack 0 0 {version}"));
        assert_eq!(judge.losses(&kept), NONE);
        assert_eq!(judge.losses_by_id(&kept), Losses { lost: 1, ..NONE });
    }

    #[test]
    fn a_part_of_a_request_is_half_done() {
        let (kept, mut judge) = court();
        for n in 0..4 {
            let said = write(&kept, &judge, 0, n);
            judge.hear(&said);
        }
        let request = plan::request(0, 4);
        keep(&kept, &judge, request.key, &request.commands[..3]);
        assert!(judge.losses(&kept).half_done > 0);
    }

    #[test]
    fn records_that_nobody_was_to_write_are_half_done() {
        let (kept, judge) = court();
        write(&kept, &judge, 0, 0);
        write(&kept, &judge, 0, 1);
        assert_eq!(
            judge.losses(&kept),
            Losses {
                half_done: 1,
                ..NONE
            }
        );
    }

    #[test]
    fn what_is_kept_twice_is_counted() {
        let (kept, mut judge) = court();
        let first = plan::request(0, 0);
        let said = write(&kept, &judge, 0, 0);
        judge.hear(&said);
        let Command::AddMembers(AddMembers { members }) = &first.commands[0] else {
            panic!("the plan begins with members");
        };
        let members = members.clone();
        let away = Command::RemoveMembers(RemoveMembers { members });
        let again = [away, first.commands[0].clone()];
        keep(&kept, &judge, plan::key(0, 7), &again);
        assert_eq!(judge.losses(&kept), Losses { twice: 1, ..NONE });
    }

    #[test]
    #[should_panic(expected = "a test")]
    fn losses_are_not_passed_over() {
        Losses {
            half_done: 1,
            ..NONE
        }
        .report("a test");
    }
}

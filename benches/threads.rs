//! The property protected: threads that check one shared account do not slow each other, while a writer changes it a
//! thousand times a second. `cargo bench --bench threads` prints checks a second by one thread and by two, for what the
//! crate offers and, beside it, for the standard library's read-write lock and for an account that nobody changes.

use std::error::Error;
use std::hint::black_box;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use grantbook::command::{AddToGroup, RemoveFromGroup};
use grantbook::repository::{
    Accounts, Commit, MemoryRepository, Repository, Request, SharedAccount, StoredRequest,
    SyncStorage,
};
use grantbook::{Account, Actor, Command, IdempotencyKey, Permission, Record, Resource};

mod population;
mod timing;
use population::{Batch, L, NOW};
use timing::{is_bench, median};

const ROUND: Duration = Duration::from_millis(400);
const ROUNDS: usize = 9;
const CHANGES_A_SECOND: u32 = 1_000;

/// One way to share an account.
trait Sharing: Sync {
    fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool;
    fn change(&self, command: Command);
}

/// The crate's.
struct InAccounts {
    account: SharedAccount<SyncStorage<MemoryRepository>>,
    requests: AtomicU64,
}

impl Sharing for InAccounts {
    fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        self.account.can(member, permission, resource)
    }

    fn change(&self, command: Command) {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let key = IdempotencyKey::parse(&number.to_string()).expect("well formed");
        let request = Request::by(Actor::System, key, NOW).command(command);
        self.account.execute(&request).expect("accepted");
    }
}

/// What a service would write first.
impl Sharing for RwLock<Account> {
    fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        self.read()
            .expect("whole")
            .can(member, permission, resource)
    }

    fn change(&self, command: Command) {
        let mut account = self.write().expect("whole");
        account
            .execute(&Actor::System, &command, NOW)
            .expect("accepted");
    }
}

/// The limit: nobody can change it.
impl Sharing for Account {
    fn can(&self, member: &str, permission: &Permission, resource: Resource<&str>) -> bool {
        Account::can(self, member, permission, resource)
    }

    fn change(&self, _: Command) {}
}

/// Checks a second by so many threads while one more changes memberships, and the changes a second that it made.
fn round(
    sharing: &dyn Sharing,
    threads: usize,
    batches: &[Batch],
    changes: &[[Command; 2]],
) -> (f64, f64) {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let (begin, mut made) = (Instant::now(), 0_u32);
            for command in changes.iter().flatten().cycle() {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                sharing.change(command.clone());
                made += 1;
                thread::sleep(
                    (made * Duration::from_secs(1) / CHANGES_A_SECOND)
                        .saturating_sub(begin.elapsed()),
                );
            }
            f64::from(made) / begin.elapsed().as_secs_f64()
        });
        let readers: Vec<_> = (0..threads)
            .map(|reader| {
                let is_over = &is_over;
                scope.spawn(move || {
                    let mine = batches.iter().cycle().skip(reader * 7);
                    let (begin, mut checks) = (Instant::now(), 0_u32);
                    for batch in mine.take_while(|_| !is_over.load(Ordering::Relaxed)) {
                        for asked in batch.questions() {
                            let resource = Resource::Store(asked.store);
                            black_box(sharing.can(asked.member, asked.permission(), resource));
                        }
                        checks += Batch::QUESTIONS;
                    }
                    f64::from(checks) / begin.elapsed().as_secs_f64()
                })
            })
            .collect();
        thread::sleep(ROUND);
        is_over.store(true, Ordering::Relaxed);
        let checks = readers
            .into_iter()
            .map(|reader| reader.join().expect("no panic"))
            .sum();
        (checks, writer.join().expect("no panic"))
    })
}

/// Keeps a history, commit by commit.
fn keep(repository: &MemoryRepository, records: &[Record]) -> Result<(), Box<dyn Error>> {
    let mut head = None;
    for commit in records.chunk_by(|record, _| !record.commit().is_last()) {
        let (first, last) = (&commit[0], &commit[commit.len() - 1]);
        let request = StoredRequest {
            key: IdempotencyKey::parse(&format!("kept {}", first.version()))?,
            actor: first.actor().clone(),
            digest: *first.digest(), // of a request that nobody makes again
            before: first.version() - 1,
            version: last.version(),
        };
        let commit = Commit::copied(first.account().clone(), request, head, commit.to_vec())?;
        let _ = repository.commit(&commit)?;
        head = Some(*commit.head());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    if !is_bench() {
        println!("measured by `cargo bench --bench threads`");
        return Ok(());
    }
    let (account, records) = L.account()?;
    let repository = MemoryRepository::new();
    keep(&repository, &records)?;
    let shared = InAccounts {
        account: Accounts::builder(repository).build().get(account.id())?,
        requests: AtomicU64::new(0),
    };
    let locked = RwLock::new(account.clone());

    let batches = L.batches();
    let mut changes = Vec::new();
    for number in 0..1_000 {
        let member = number * 97 % L.members;
        let (group, members) = (L.group_id(L.other_group(member))?, [L.member_id(member)?]);
        let add = Command::AddToGroup(AddToGroup {
            group: group.clone(),
            members: members.clone().into(),
        });
        let members = members.into();
        changes.push([
            add,
            Command::RemoveFromGroup(RemoveFromGroup { group, members }),
        ]);
    }

    println!(
        "100,000 members, {CHANGES_A_SECOND} changes a second; median of {ROUNDS} rounds of {ROUND:?}\n"
    );
    println!(
        "| shared as | million checks a second, 1 thread | 2 threads | ratio | changes a second |"
    );
    println!("|---|--:|--:|--:|--:|");
    let ways: [(&str, &dyn Sharing); 3] = [
        ("`SharedAccount`", &shared),
        ("`RwLock<Account>`", &locked),
        ("`&Account`, no changes", &account),
    ];
    let mut figures = [const { (Vec::new(), Vec::new(), Vec::new()) }; 3];
    for _ in 0..ROUNDS {
        for ((_, sharing), (one, two, made)) in ways.iter().zip(&mut figures) {
            one.push(round(*sharing, 1, &batches, &changes).0);
            let (checks, per_second) = round(*sharing, 2, &batches, &changes);
            two.push(checks);
            made.push(per_second);
        }
    }
    for ((name, _), (one, two, made)) in ways.iter().zip(figures) {
        let (one, two, made) = (
            median(one.into_iter()),
            median(two.into_iter()),
            median(made.into_iter()),
        );
        println!(
            "| {name} | {:.1} | {:.1} | {:.2} | {made:.0} |",
            one / 1e6,
            two / 1e6,
            two / one
        );
    }
    Ok(())
}

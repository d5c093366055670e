//! Many writers of one account.

use std::process::Command;
use std::time::Instant;

use grantbook::repository::Repository;
use grantbook::{Account, Snapshot};

use crate::Host;
use crate::judge::{Judge, history, loaded};
use crate::plan::{self, WRITERS};
use crate::process::Process;

const PROCESSES: usize = 2;

impl<W: Fn() -> Command, C: Fn() -> R, R: Repository> Host<W, C> {
    /// Eight writers in two processes change one account with so many commands in all, and a third process replays it.
    ///
    /// Nothing is lost or kept twice, versions have no gaps, and the account is what the commands lead to, whoever
    /// came first.
    ///
    /// # Panics
    /// It is not so.
    pub fn many_writers(&self, commands: usize) {
        let repository = (self.connect)();
        let mut judge = Judge::open(&repository, "many writers");
        let until = plan::requests_for(commands / WRITERS);
        let processes: Vec<Process> = (0..PROCESSES)
            .map(|process| {
                let writers = (process..WRITERS).step_by(PROCESSES);
                self.start_writers(&judge, until, writers)
            })
            .collect();
        for process in processes {
            process.finish().iter().for_each(|line| judge.hear(line));
        }
        assert!(
            (0..WRITERS).all(|writer| judge.next(writer) == until),
            "a writer stopped early"
        );

        let process = self.start(&["replay", &judge.account]);
        let snapshot: Snapshot = serde_json::from_str(&process.line()).expect("a snapshot");
        process.finish();
        let elsewhere = Account::try_from(snapshot).expect("the account breaks no rule");
        let (repository, start) = ((self.connect)(), Instant::now());
        let here = loaded(&repository, &judge.account);
        let loading = start.elapsed();
        assert_eq!(elsewhere, here, "in another process");
        let start = Instant::now();
        let replayed = Account::replay(history(&repository, &judge.account));
        let replaying = start.elapsed();
        assert_eq!(replayed.expect("the records are an account"), here);
        println!(
            "fault: {}: loaded in {loading:.1?}, and by all its {} records in {replaying:.1?}",
            self.name,
            here.version()
        );

        judge.losses_by_id(&(self.connect)()).report(&format!(
            "{}, {WRITERS} writers, {commands} commands",
            self.name
        ));
    }

    /// Starts a process of these writers, each from its first request that was not acknowledged on.
    pub(crate) fn start_writers(
        &self,
        judge: &Judge,
        until: usize,
        writers: impl Iterator<Item = usize>,
    ) -> Process {
        let until = until.to_string();
        let writers: Vec<String> = writers
            .map(|writer| format!("{writer}:{}", judge.next(writer)))
            .collect();
        let mut job = vec!["write", &judge.account, &until];
        job.extend(writers.iter().map(String::as_str));
        self.start(&job)
    }

    pub(crate) fn start(&self, job: &[&str]) -> Process {
        let mut worker = (self.worker)();
        worker.args(job);
        Process::start(worker)
    }
}

//! Processes and servers that are killed while they write.

use std::process::Command;
use std::thread;
use std::time::Duration;

use grantbook::repository::Repository;

use crate::Host;
use crate::judge::Judge;
use crate::losses::Losses;

/// How many write at once, in one process.
const WRITERS: usize = 2;
/// So many requests are acknowledged before something happens, at most.
const REQUESTS: usize = 12;
const LONGEST_WAIT: Duration = Duration::from_millis(15);

impl<W: Fn() -> Command, C: Fn() -> R, R: Repository> Host<W, C> {
    /// The writing process is killed at a random moment, and writes on when it is started again, with the request that
    /// it had no answer to.
    ///
    /// After each round all that was acknowledged is there, once, and nothing is half done.
    ///
    /// # Panics
    /// It is not so.
    pub fn writer_is_killed(&self, rounds: usize) {
        self.rounds("kill -9", rounds, |_| false);
    }

    /// `strike` happens at a random moment while the process writes: a server is killed and started again, a
    /// connection is cut. It is told the round. The process must get an answer afterwards; then it is killed.
    ///
    /// After each round all that was acknowledged is there, once, and nothing is half done.
    ///
    /// # Panics
    /// It is not so, or the process gets no answer.
    pub fn while_writing(&self, what: &str, rounds: usize, mut strike: impl FnMut(usize)) {
        self.rounds(what, rounds, |round| {
            strike(round);
            true
        });
    }

    /// `strike` says whether the writers must come through it.
    fn rounds(&self, what: &str, rounds: usize, mut strike: impl FnMut(usize) -> bool) {
        let mut judge = Judge::open(&(self.connect)(), what);
        let mut random = fastrand::Rng::with_seed(6);
        let mut losses = Losses::default();
        for round in 0..rounds {
            let process = self.start_writers(&judge, usize::MAX, 0..WRITERS);
            for _ in 0..random.usize(..REQUESTS) {
                judge.hear(&process.line());
            }
            thread::sleep(LONGEST_WAIT.mul_f64(random.f64()));
            if strike(round) {
                // Each writer may have one answer under way from before; the next is one to a request after it.
                process.heard().for_each(|line| judge.hear(&line));
                for _ in 0..=WRITERS {
                    judge.hear(&process.line());
                }
            }
            process.kill().iter().for_each(|line| judge.hear(line));
            losses.add(judge.losses(&(self.connect)()));
        }
        losses.add(judge.losses_by_id(&(self.connect)()));
        losses.report(&format!("{}, {what}, {rounds} rounds", self.name));
    }
}

//! Timing by hand, where several things are measured in turn, so that what disturbs the machine disturbs all alike.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Something to measure: in each round, the time of one of it in nanoseconds.
pub type Run<'a> = Box<dyn FnMut(usize) -> f64 + 'a>;

/// What each of some runs took in each round.
#[derive(Debug)]
pub struct Rounds(Vec<Vec<f64>>);

impl Rounds {
    pub fn of(rounds: usize, mut runs: Vec<Run<'_>>) -> Self {
        let mut once = |round| runs.iter_mut().map(|run| run(round)).collect();
        once(0); // to warm up
        Self((0..rounds).map(once).collect())
    }

    /// The median of a run, in nanoseconds.
    pub fn median(&self, run: usize) -> f64 {
        median(self.0.iter().map(|round| round[run]))
    }

    /// How many times longer the one took than the other: the median over the rounds.
    pub fn ratio(&self, one: usize, other: usize) -> f64 {
        median(self.0.iter().map(|round| round[one] / round[other]))
    }
}

/// The rounds of several measurements of the same runs.
impl FromIterator<Rounds> for Rounds {
    fn from_iter<I: IntoIterator<Item = Rounds>>(all: I) -> Self {
        Self(all.into_iter().flat_map(|rounds| rounds.0).collect())
    }
}

pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What this takes, without the time to drop what it gives.
pub fn time<T>(work: impl FnOnce() -> T) -> Duration {
    timed(work).1
}

pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let given = black_box(work());
    let taken = start.elapsed();
    (given, taken)
}

/// The best of some runs of work that is asked for now and then, so that it finds nothing in the processor's caches.
///
/// Warm, an account that outgrows a cache by being doubled would seem to be more than twice the work.
pub fn best_cold<T>(runs: usize, mut work: impl FnMut() -> T) -> Duration {
    let mut other = vec![0_u64; 8 << 20];
    let mut once = || {
        for word in &mut other {
            *word += 1;
        }
        black_box(&other);
        time(&mut work)
    };
    let first = once();
    (1..runs).map(|_| once()).fold(first, Duration::min)
}

/// Inputs of some sizes, each twice the one before, timed in rounds of all of them: what disturbs the machine, and where
/// in memory an input lies, counts for all alike.
///
/// For each size the median, in milliseconds, and the median of how many times the one before it is.
pub fn doubled<E>(
    sizes: &[usize],
    mut time_of: impl FnMut(usize) -> Result<Duration, E>,
) -> Result<Vec<(f64, Option<f64>)>, E> {
    let rounds = if is_bench() { 7 } else { 1 };
    let mut times: Vec<Vec<f64>> = Vec::new();
    for _ in 0..rounds {
        let mut round = Vec::new();
        for size in sizes {
            round.push(milliseconds(time_of(*size)?));
        }
        times.push(round);
    }
    let figures = (0..sizes.len()).map(|size| {
        let before = size.checked_sub(1);
        (
            median(times.iter().map(|round| round[size])),
            before.map(|before| median(times.iter().map(|round| round[size] / round[before]))),
        )
    });
    Ok(figures.collect())
}

pub fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Nanoseconds for one of so many.
pub fn each(taken: Duration, count: u64) -> f64 {
    let count = u32::try_from(count).expect("no more than four thousand million");
    taken.as_secs_f64() * 1e9 / f64::from(count)
}

/// Whether `cargo bench` runs this, and not `cargo test`.
pub fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

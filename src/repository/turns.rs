//! Turns of those who load or change one account: one at a time, first come, first served, threads and tasks alike.

use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

#[derive(Default)]
pub(super) struct Turns(Mutex<Line>);

#[derive(Default)]
struct Line {
    is_taken: bool,
    /// The number of the next one who has to wait.
    next: u64,
    waiting: VecDeque<(u64, Waker)>,
}

/// A turn, which ends when this is dropped.
#[must_use]
pub(super) struct TurnGuard<'a>(&'a Turns);

/// Somebody who waits for a turn. Dropped, it leaves the line, and whoever stands behind it moves up.
struct Waiting<'a> {
    turns: &'a Turns,
    number: Option<u64>,
}

impl Turns {
    /// Takes a turn.
    pub(super) fn take(&self) -> impl Future<Output = TurnGuard<'_>> {
        let number = None;
        Waiting {
            turns: self,
            number,
        }
    }

    /// Takes a turn, and lets the thread wait for it.
    pub(super) fn take_blocking(&self) -> TurnGuard<'_> {
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut waiting = pin!(self.take());
        loop {
            match waiting.as_mut().poll(&mut context) {
                Poll::Ready(turn) => return turn,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // No code of others runs while the line is locked: wakers are cloned, called and dropped before it or after.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn first(&self) -> Option<u64> {
        self.waiting.front().map(|(number, _)| *number)
    }

    /// Where the one with this number stands: numbers are in order.
    fn place(&self, number: u64) -> Option<usize> {
        let place = self
            .waiting
            .binary_search_by_key(&number, |(number, _)| *number);
        place.ok()
    }

    /// Who is to be woken, now that something has changed; nobody is twice.
    fn whose_turn(&mut self) -> Option<Waker> {
        let (_, waker) = self.waiting.front_mut().filter(|_| !self.is_taken)?;
        Some(mem::replace(waker, Waker::noop().clone()))
    }
}

impl<'a> Future for Waiting<'a> {
    type Output = TurnGuard<'a>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<TurnGuard<'a>> {
        let turns = self.turns;
        let waker = context.waker().clone();
        let mut line = turns.line();
        // Either nobody waits, or this is the first who does.
        if !line.is_taken && line.first() == self.number {
            line.is_taken = true;
            let left = line.waiting.pop_front();
            drop(line);
            self.number = None;
            let turn = TurnGuard(turns);
            drop(left);
            return Poll::Ready(turn);
        }
        let mut before = None;
        if let Some(number) = self.number {
            let own = line
                .place(number)
                .and_then(|place| line.waiting.get_mut(place));
            before = own.map(|(_, own)| mem::replace(own, waker));
        } else {
            let number = line.next;
            line.next += 1;
            line.waiting.push_back((number, waker));
            self.number = Some(number);
        }
        drop(line);
        drop(before);
        Poll::Pending
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut line = self.turns.line();
        let place = line.place(number);
        let left = place.and_then(|place| line.waiting.remove(place));
        // It may have been woken already.
        let next = line.whose_turn();
        drop(line);
        drop(left);
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.is_taken = false;
        let next = line.whose_turn();
        drop(line);
        if let Some(next) = next {
            next.wake();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Counts how often it is woken.
    #[derive(Default)]
    struct Counted(AtomicUsize);

    impl Wake for Counted {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Somebody who waits, and how often it was woken.
    struct Task<'a>(
        Pin<Box<dyn Future<Output = TurnGuard<'a>> + 'a>>,
        Arc<Counted>,
    );

    impl<'a> Task<'a> {
        fn new(turns: &'a Turns) -> Self {
            Self(Box::pin(turns.take()), Arc::default())
        }

        fn poll(&mut self) -> Option<TurnGuard<'a>> {
            let waker = Waker::from(self.1.clone());
            match self.0.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(turn) => Some(turn),
                Poll::Pending => None,
            }
        }

        fn woken(&self) -> usize {
            self.1.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn first_come_first_served() {
        let turns = Turns::default();
        let taken = turns.take_blocking();
        let (mut first, mut second) = (Task::new(&turns), Task::new(&turns));
        assert!(first.poll().is_none() && second.poll().is_none());
        drop(taken);
        assert_eq!((first.woken(), second.woken()), (1, 0));
        // Nobody gets ahead of who was woken, whether it waits or has just come.
        assert!(second.poll().is_none() && Task::new(&turns).poll().is_none());
        let taken = first.poll();
        assert!(taken.is_some() && second.poll().is_none());
        assert_eq!(second.woken(), 0);
        drop(taken);
        assert_eq!((first.woken(), second.woken()), (1, 1));
        assert!(second.poll().is_some());
        drop(turns.take_blocking());
    }

    #[test]
    fn who_stops_waiting_is_left_out() {
        let turns = Turns::default();
        let taken = turns.take_blocking();
        let mut tasks: Vec<_> = (0..4).map(|_| Task::new(&turns)).collect();
        assert!(tasks.iter_mut().all(|task| task.poll().is_none()));
        drop(tasks.remove(1)); // behind the first
        assert!(tasks.iter().all(|task| task.woken() == 0));
        drop(taken);
        assert_eq!([0, 1, 2].map(|task| tasks[task].woken()), [1, 0, 0]);
        drop(tasks.remove(0)); // woken, and gone before it looked
        assert_eq!([0, 1].map(|task| tasks[task].woken()), [1, 0]);
        let taken = tasks[0].poll();
        drop(tasks.remove(1)); // the last
        drop(taken);
        drop(turns.take_blocking());
    }

    /// A future may be moved to another task between two looks.
    #[test]
    fn who_looked_last_is_woken() {
        let turns = Turns::default();
        let taken = turns.take_blocking();
        let mut task = Task::new(&turns);
        assert!(task.poll().is_none());
        let before = mem::take(&mut task.1);
        assert!(task.poll().is_none());
        drop(taken);
        assert_eq!((before.0.load(Ordering::SeqCst), task.woken()), (0, 1));
    }

    #[test]
    fn one_at_a_time_and_none_forgotten() {
        let (turns, inside, done) = (Turns::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let change = |_turn: TurnGuard<'_>| {
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            done.fetch_add(1, Ordering::SeqCst);
            thread::yield_now();
            assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
        };
        thread::scope(|scope| {
            for number in 0..8 {
                let (turns, change) = (&turns, &change);
                scope.spawn(move || {
                    for round in 0..100 {
                        if (number + round) % 3 == 0 {
                            let mut impatient = Task::new(turns);
                            drop(impatient.poll());
                        }
                        change(turns.take_blocking());
                    }
                });
            }
        });
        assert_eq!(done.into_inner(), 800);
    }
}

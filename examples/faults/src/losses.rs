//! What was found wrong.

use std::fmt;

/// What a judge found wrong; nothing, for a repository that holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Losses {
    /// Requests that were acknowledged and are not kept as acknowledged.
    pub(crate) lost: usize,
    /// Changes that are kept more than once.
    pub(crate) twice: usize,
    /// Requests of which a part is kept.
    pub(crate) half_done: usize,
}

impl Losses {
    pub(crate) fn add(&mut self, other: Losses) {
        self.lost += other.lost;
        self.twice += other.twice;
        self.half_done += other.half_done;
    }

    /// Prints a line of what was tried and what was found, and panics if anything was.
    ///
    /// # Panics
    /// Something was lost, kept twice or half done.
    pub(crate) fn report(self, tried: &str) {
        println!("fault: {tried}: {self}");
        assert_eq!(self, Losses::default(), "{tried}");
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Losses {
            lost,
            twice,
            half_done,
        } = self;
        write!(f, "{lost} lost, {twice} twice, {half_done} half done")
    }
}

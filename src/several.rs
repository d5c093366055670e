//! Several things in a sentence.

use std::fmt;

/// So many are named; of the others, how many there are.
const NAMED: usize = 5;

/// "a", "a and b", "a, b, c, d, e and 3 more".
pub(crate) struct Several {
    named: Vec<String>,
    others: usize,
}

impl Several {
    pub(crate) fn of(mut all: impl Iterator<Item = impl fmt::Display>) -> Self {
        let named = all.by_ref().take(NAMED);
        let named = named.map(|one| one.to_string()).collect();
        let others = all.count();
        Self { named, others }
    }
}

impl fmt::Display for Several {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.named.as_slice(), self.others) {
            ([], _) => Ok(()),
            ([one], 0) => f.write_str(one),
            ([most @ .., last], 0) => write!(f, "{} and {last}", most.join(", ")),
            (named, others) => write!(f, "{} and {others} more", named.join(", ")),
        }
    }
}

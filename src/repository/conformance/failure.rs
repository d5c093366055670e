//! How a case says what is wrong.

use std::error::Error;
use std::fmt::{self, Display};

use crate::account::record::Record;
use crate::visible::OneLine;

/// Why a repository does not pass a case: what was asked, what was expected, what came, and what is likely wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    asked: String,
    expected: String,
    found: String,
    likely: String,
}

impl Failure {
    pub(super) fn new(
        asked: impl Display,
        expected: impl Display,
        found: impl Display,
        likely: impl Display,
    ) -> Self {
        Self {
            asked: asked.to_string(),
            expected: expected.to_string(),
            found: found.to_string(),
            likely: likely.to_string(),
        }
    }

    /// The storage gave an error where it has to answer.
    pub(super) fn of_storage(asked: impl Display, error: &dyn Error, likely: impl Display) -> Self {
        let mut found = format!("the error `{}`", OneLine(&error.to_string()));
        let mut cause = error.source();
        while let Some(error) = cause {
            found = format!("{found}, by `{}`", OneLine(&error.to_string()));
            cause = error.source();
        }
        Self::new(asked, "an answer", found, likely)
    }

    /// What the suite does to prepare a case did not work, which is not the repository's doing.
    pub(super) fn of_suite(error: impl Display) -> Self {
        let likely = "a fault in grantbook itself, and not in the repository";
        Self::new("to prepare a case", "no error", error, likely)
    }

    /// Answers that have to be equal.
    pub(super) fn unless_equal<T: fmt::Debug + PartialEq>(
        asked: impl Display,
        expected: &T,
        found: &T,
        likely: impl Display,
    ) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        let (expected, found) = (format!("{expected:?}"), format!("{found:?}"));
        Err(Self::new(asked, cut(expected), cut(found), likely))
    }

    /// Records that have to be equal. Only the first that differs is shown: there may be thousands.
    pub(super) fn unless_same_records(
        asked: impl Display,
        expected: &[Record],
        found: &[Record],
        likely: impl Display,
    ) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        let same = expected
            .iter()
            .zip(found)
            .take_while(|(one, other)| one == other);
        let position = same.count();
        let shown = |records: &[Record]| {
            let count = match records.len() {
                1 => "1 record".to_owned(),
                count => format!("{count} records"),
            };
            match records.get(position) {
                Some(record) if position == 0 => cut(format!("{count}: {record:?}")),
                Some(record) => cut(format!("{count}, after {position} good: {record:?}")),
                None => count,
            }
        };
        Err(Self::new(asked, shown(expected), shown(found), likely))
    }
}

/// Long answers are shown by their beginning.
fn cut(text: String) -> String {
    const LONGEST: usize = 400;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            asked,
            expected,
            found,
            likely,
        } = self;
        write!(
            f,
            "{asked}\n  expected: {expected}\n  got:      {found}\n  likely:   {likely}"
        )
    }
}

impl Error for Failure {}

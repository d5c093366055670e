//! Checks, and their reasons.

use std::io::{Write, stdout};

use grantbook::{Decision, Verdict};

use crate::account::{load, now};
use crate::{Failure, Place, Question};

/// Says whether the member may.
pub(crate) fn check(place: &Place, question: &Question) -> Result<bool, Failure> {
    let (_, account) = load(place)?;
    match account.check(&question.member, &question.permission, question.place()) {
        Decision::Allowed => {
            writeln!(stdout(), "allowed")?;
            Ok(true)
        }
        Decision::Denied(denial) => {
            writeln!(stdout(), "denied, {}: {denial}", denial.code())?;
            Ok(false)
        }
    }
}

/// Says why the member may, or what would allow it.
pub(crate) fn explain(place: &Place, question: &Question) -> Result<bool, Failure> {
    let (_, account) = load(place)?;
    let explanation = account.explain(
        &question.member,
        &question.permission,
        question.place(),
        now(),
    );
    writeln!(stdout(), "{explanation}")?;
    Ok(matches!(explanation.answer, Verdict::Allowed { .. }))
}

impl Question {
    fn place(&self) -> grantbook::Resource<&str> {
        match &self.store {
            Some(store) => grantbook::Resource::Store(store),
            None => grantbook::Resource::Account,
        }
    }
}

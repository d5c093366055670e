//! When a command is decided, and what your application notes about it.

use crate::note::Note;
use crate::time::Timestamp;

/// The time at which commands are decided, and an optional note of your application ([U2](crate::docs::rules#U2)). The
/// records keep both.
///
/// Where there is no note, pass the time alone:
///
/// ```
/// # use grantbook::{*, command::CreateStore};
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, _) =
/// #     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// # let command = |id| StoreId::parse(id).map(|store| Command::from(CreateStore { store }));
/// account.execute(&Actor::System, &command("dev")?, now)?;
///
/// let context = Context::at(now).with_note(Note::parse("ticket 4711")?);
/// let record = account.execute(&Actor::System, &command("prod")?, context)?.ok_or("it was there")?;
/// assert_eq!(record.note().map(Note::as_str), Some("ticket 4711"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Context {
    pub(crate) now: Timestamp,
    pub(crate) note: Option<Note>,
}

impl Context {
    /// Creates a context with this time, by your application's clock, and without a note.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { now, note: None }
    }

    /// Adds a note, in place of the one that was there.
    #[must_use]
    pub fn with_note(self, note: Note) -> Self {
        let note = Some(note);
        Self { note, ..self }
    }
}

impl From<Timestamp> for Context {
    fn from(now: Timestamp) -> Self {
        Self::at(now)
    }
}

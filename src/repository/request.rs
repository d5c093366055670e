//! What is asked of a repository, and what it remembers of it.

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::authority::authorize;
use crate::account::changes::Command;
use crate::account::command_error::CommandError;
use crate::account::context::Context;
use crate::account::decide;
use crate::account::digest::Digest;
use crate::account::limits::GroupLimit;
use crate::account::precondition::Precondition;
use crate::account::record::Record;
use crate::id::{IdempotencyKey, MemberId};
use crate::note::Note;
use crate::stored::Format;
use crate::stored::v1::requests::{RequestContentV1, StoredRequestV1};
use crate::time::Timestamp;

/// What somebody asks for: commands, to be accepted or refused as a whole ([U4](crate::docs::rules#U4)).
///
/// ```
/// use grantbook::repository::Request;
/// use grantbook::command::CreateStore;
/// # use grantbook::*;
/// # let now = Timestamp::from_millis(0);
/// let dana = Actor::Member(MemberId::parse("dana")?);
/// let request = Request::by(dana, IdempotencyKey::parse("5f6b0c1e")?, now)
///     .command(CreateStore { store: StoreId::parse("staging")? })
///     .note(Note::parse("ticket 4711")?);
/// # Ok::<(), ParseError>(())
/// ```
///
/// A request may be tried again, by any process, for as long as the repository remembers its key: after an answer that
/// was lost, a process that stopped, a storage that failed. If it was accepted, it is done once and answered as it was
/// the first time, whatever has happened since ([U9](crate::docs::rules#U9)). If it was refused, nothing is remembered
/// of it: tried again, it is decided again, on what is there then.
///
/// So a key belongs to one request and to no other: a random one (a UUID) for each, or the key that a client sends
/// along, together with who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    /// Names this request among all of its account, forever.
    pub key: IdempotencyKey,
    /// Who asks, as your application has authenticated it.
    pub actor: Actor,
    /// What for. A request without commands does nothing, and nothing is remembered of it.
    pub commands: Vec<Command>,
    /// What the request was decided on. If any of it has changed, the request is refused ([U8](crate::docs::rules#U8)).
    pub preconditions: Vec<Precondition>,
    /// When it was first made, by your application's clock. It is not part of what makes a request the same.
    pub now: Timestamp,
    /// What the records are to note ([U2](crate::docs::rules#U2)). It is not part of what makes a request the same:
    /// tried again with another note, it keeps the first one.
    pub note: Option<Note>,
}

impl Request {
    /// Creates a request without commands.
    #[must_use]
    pub fn by(actor: Actor, key: IdempotencyKey, now: Timestamp) -> Self {
        Self {
            key,
            actor,
            commands: Vec::new(),
            preconditions: Vec::new(),
            now,
            note: None,
        }
    }

    /// Adds a command.
    #[must_use]
    pub fn command(mut self, command: impl Into<Command>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// Adds commands.
    #[must_use]
    pub fn commands(mut self, commands: impl IntoIterator<Item = Command>) -> Self {
        self.commands.extend(commands);
        self
    }

    /// Adds something that the request was decided on ([U8](crate::docs::rules#U8)).
    #[must_use]
    pub fn if_unchanged(mut self, precondition: Precondition) -> Self {
        self.preconditions.push(precondition);
        self
    }

    /// Sets the note.
    #[must_use]
    pub fn note(self, note: Note) -> Self {
        let note = Some(note);
        Self { note, ..self }
    }

    /// Returns the digest of the commands and preconditions, by which a retry is told from another request
    /// ([U9](crate::docs::rules#U9)).
    #[must_use]
    pub fn digest(&self) -> Digest {
        let content = RequestContentV1 {
            request: Format,
            commands: &self.commands,
            preconditions: &self.preconditions,
        };
        Digest::of(&content, Digest::ZERO)
    }

    /// Whether the actor may issue the first command at all (U9).
    pub(super) fn authorize_first(&self, account: &Account) -> Result<(), CommandError> {
        let first = self.commands.first();
        first.map_or(Ok(()), |first| {
            authorize(&account.state, &self.actor, first)
        })
    }

    /// Whether all that the request was decided on is still as it was (U8).
    pub(super) fn check_preconditions(&self, account: &Account) -> Result<(), CommandError> {
        let mut preconditions = self.preconditions.iter();
        preconditions
            .try_for_each(|precondition| decide::check_precondition(&account.state, precondition))
    }

    /// When it is decided, and its note.
    pub(super) fn context(&self) -> Context {
        Context {
            now: self.now,
            note: self.note.clone(),
        }
    }
}

/// The digest of a request that opens an account.
pub(super) fn digest_of_opening(owner: &MemberId, group_limit: GroupLimit) -> Digest {
    Digest::of(&(Format, "open", owner, group_limit), Digest::ZERO)
}

/// What a repository remembers of an accepted request, under its key ([U9](crate::docs::rules#U9)): all that it takes
/// to recognize the request and to answer it once more. The records need not be kept for that.
///
/// The serde form carries a format number. A host may as well keep the fields in columns of its own.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredRequestV1", into = "StoredRequestV1")]
pub struct StoredRequest {
    /// The request's key.
    pub key: IdempotencyKey,
    /// Who asked.
    pub actor: Actor,
    /// [`Request::digest`].
    pub digest: Digest,
    /// The version of the account before the request; 0 for the one that opened it.
    pub before: u64,
    /// The version of the account after the request; the same as `before`, if it changed nothing.
    pub version: u64,
}

impl From<StoredRequestV1> for StoredRequest {
    fn from(stored: StoredRequestV1) -> Self {
        Self {
            key: stored.key,
            actor: stored.actor,
            digest: stored.digest,
            before: stored.before,
            version: stored.version,
        }
    }
}

impl From<StoredRequest> for StoredRequestV1 {
    fn from(request: StoredRequest) -> Self {
        Self {
            request: Format,
            key: request.key,
            actor: request.actor,
            digest: request.digest,
            before: request.before,
            version: request.version,
        }
    }
}

impl StoredRequest {
    /// Returns whether the request that is remembered is this one.
    #[must_use]
    pub fn is_of(&self, request: &Request) -> bool {
        self.actor == request.actor && self.digest == request.digest()
    }
}

/// What came of a request that was accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Executed {
    pub(super) before: u64,
    pub(super) version: u64,
    pub(super) records: Vec<Record>,
    pub(super) is_repeat: bool,
}

/// As one object: what the methods return.
impl Serialize for Executed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Executed", 4)?;
        object.serialize_field("version", &self.version)?;
        object.serialize_field("is_change", &self.is_change())?;
        object.serialize_field("is_repeat", &self.is_repeat)?;
        object.serialize_field("records", &self.records)?;
        object.end()
    }
}

impl Executed {
    /// Returns the version of the account after the request.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns whether the request changed anything. If not, everything was already as asked
    /// ([U1](crate::docs::rules#U1)).
    #[must_use]
    pub fn is_change(&self) -> bool {
        self.version > self.before
    }

    /// Returns the records, one for each command that changed something. Of a retry, they may have been given up by the
    /// repository since; then there are none, though [`is_change`](Executed::is_change) holds.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Returns the records, as [`records`](Executed::records) does.
    #[must_use]
    pub fn into_records(self) -> Vec<Record> {
        self.records
    }

    /// Returns whether the request was done before, by this process or another one, and is now answered once more.
    #[must_use]
    pub fn is_repeat(&self) -> bool {
        self.is_repeat
    }
}

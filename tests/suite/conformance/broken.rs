//! Repositories that are broken on purpose, to prove that the suite finds it.

use std::sync::{Arc, Mutex};

use grantbook::repository::conformance::Fixture;

use super::table::{BrokenConnection, Table};

macro_rules! defects {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is wrong with a [`Broken`] repository. Each is something that implementations are known to do.

        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub(super) enum Defect {
            $($(#[$doc])* $name,)*
        }

        impl Defect {
            /// Every one of them.
            pub(super) const ALL: &[Self] = &[$(Self::$name),*];
        }
    };
}
defects! {
    /// Of several records that are committed together, the last is lost.
    LosesLastRecord,
    /// The expected version is ignored: what is there is written over.
    IgnoresExpectedHead,
    /// Of the head, only the version is compared: a commit of another branch fits.
    ComparesVersionOnly,
    /// Only the primary key is checked, so that a commit ahead leaves a gap.
    AcceptsGaps,
    /// The version is compared first, and the records are inserted later.
    ComparesThenInserts,
    /// The records of a large commit are inserted without a transaction around them.
    InsertsPiecemeal,
    /// Records that collide are skipped, and those after them are kept: half of a commit that is a conflict.
    SkipsCollisions,
    /// The key of a conflict is kept.
    KeepsKeyOfConflict,
    /// The snapshot of a conflict is kept.
    KeepsSnapshotOfConflict,
    /// A conflict is given as an error.
    FailsOnConflict,
    /// No key is kept.
    ForgetsKeys,
    /// Of each account, only the latest key is kept.
    ForgetsOlderKeys,
    /// Keys are kept, and not looked up by a commit.
    KeepsRepeatsTwice,
    /// A key is looked up only where the version is a conflict.
    LooksKeysUpOnConflict,
    /// A repeated commit is a conflict if its version is not the last one.
    ComparesHeadFirst,
    /// A repeated commit is answered as if it had been kept now.
    AnswersRepeatsAsDone,
    /// A key counts for every account.
    SharesKeys,
    /// `request` looks the key up, whichever account is asked for.
    RequestOfAnyAccount,
    /// Records are read without regard to the account.
    MixesAccounts,
    /// Records are looked up by the beginning of the account's id.
    ScansByPrefix,
    /// Records come in the order of their versions as text: 1, 10, 2.
    ReordersRecords,
    /// The record of the version itself is given too.
    IncludesVersion,
    /// Of a commit in which the version lies, the records before that are given too.
    GivesWholeCommits,
    /// A long page is cut, and its last record is said to be the last one kept.
    CutsPages,
    /// Pages are of 500 records, and those after the second begin one record too late.
    LosesBetweenPages,
    /// The last version is that of the last record given, or what was asked for.
    HeadOfPage,
    /// The last version is one too small.
    HeadTooSmall,
    /// The last version is one too large: the next one.
    HeadTooLarge,
    /// A version that does not fit a signed number turns into a negative one.
    WrapsVersions,
    /// Where there are no records, that is an error.
    FailsOnNone,
    /// The first snapshot is kept, and none after it.
    KeepsFirstSnapshot,
    /// A commit without a snapshot takes the snapshot away.
    LosesSnapshot,
    /// There is one snapshot for all accounts.
    SharesSnapshots,
    /// With a snapshot, all records so far are given up at the next commit, and those after the snapshot too.
    GivesUpTooMuch,
    /// Ids are compared without regard to case.
    IgnoresCase,
    /// The first 64 bytes of an id are kept.
    CutsLongIds,
    /// An id longer than 64 bytes is an error.
    RefusesLongIds,
    /// A composed and a decomposed accent are the same.
    NormalizesIds,
    /// What is not ASCII becomes a question mark.
    LosesUnicode,
    /// What cannot stand in a file's name becomes an underscore.
    SanitizesIds,
    /// An id of digits is a number.
    TakesIdsForNumbers,
    /// Punctuation at the end of an id is left out.
    TrimsPunctuation,
    /// An account's id is a pattern, in which `%` at the end stands for any text.
    MatchesPatterns,
    /// An id with a quote breaks the statement.
    SplicesIds,
    /// An optional field of an event is not kept: until when an invitation stands.
    LosesExpiry,
    /// Who asked for a change is not kept.
    LosesActors,
    /// The note on a change is not kept.
    LosesNotes,
    /// Of many members in one record, the first 1,000 are kept.
    CutsMembers,
    /// Times are kept in seconds.
    RoundsTimes,
    /// A time that does not fit a signed number of nanoseconds is an error.
    RefusesLateTimes,
    /// A connection goes on seeing what it first read, until it commits.
    ReadsOldState,
    /// All is forgotten when the last connection is closed.
    ForgetsOnClose,
    /// Keys are forgotten when the last connection is closed.
    ForgetsKeysOnClose,
    /// Each connection knows the keys that it has kept itself.
    KeepsKeysInProcess,
    /// A connection goes on saying that there was no request of a key that it once did not find.
    RemembersAbsentRequests,
    /// A connection goes on saying what it once found under a key.
    RemembersFoundRequests,
    /// A commit does not look up a key that its connection once did not find.
    RemembersAbsentKeys,
    /// Keys are forgotten a hundred versions later.
    ForgetsKeysInTime,
    /// Who made a request is not remembered.
    LosesActorsOfRequests,
    /// A commit without records is an error.
    RefusesCommitsWithoutRecords,
    /// A commit without records is answered, and not kept.
    SkipsCommitsWithoutRecords,
    /// The head is compared where there are records to insert.
    ComparesRecordsOnly,
    /// The head does not say that an account is closed.
    LosesState,
    /// A closed account can be opened again, over the old one.
    ReopensClosedAccounts,
    /// A commit without records is kept of an account that is closed or erased, if it expects that.
    KeepsOnClosedHeads,
    /// Of the head, the version and the digest are compared, and not the state.
    ComparesHeadWithoutState,
    /// An account that is in use can be erased.
    ErasesOpenAccounts,
    /// The records of an erased account stay.
    KeepsErasedRecords,
    /// The requests of an erased account stay.
    KeepsErasedRequests,
    /// The id of an erased account can be used again.
    ForgetsErasedIds,
    /// An erasure takes all accounts whose ids begin with the one that was asked for.
    ErasesByPrefix,
    /// An erasure takes all accounts whose ids match the one that was asked for, in which `%` at the end stands for any
    /// text.
    ErasesByPattern,
    /// An erasure takes all accounts whose ids differ in the case of letters only.
    ErasesWithoutCase,
    /// An erasure takes all closed accounts.
    ErasesAllClosed,
    /// A record of more than 600 kB is an error.
    RefusesLargeRecords,
    /// What is absent is left out, and the next field is read in its place.
    ShiftsFields,
}

/// A storage with one [`Defect`], or with none.
#[derive(Debug)]
pub(super) struct Broken {
    defect: Option<Defect>,
    table: Arc<Mutex<Table>>,
}

impl Broken {
    /// A fresh storage with this defect.
    pub(super) fn with(defect: Defect) -> Self {
        let (defect, table) = (Some(defect), Arc::default());
        Self { defect, table }
    }

    /// A fresh storage without a defect, to compare with.
    pub(super) fn sound() -> Self {
        let (defect, table) = (None, Arc::default());
        Self { defect, table }
    }
}

impl Fixture for Broken {
    type Repository = BrokenConnection;

    fn connect(&self) -> BrokenConnection {
        BrokenConnection::new(self.defect, Arc::clone(&self.table))
    }
}

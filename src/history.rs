//! What the records tell: the account as it was, who could do what when, and who changed what.
//!
//! Each of these reads the records once, and holds one account and its answer. A host gives its records as it has them:
//! lent, as `&[Record]`, or one by one, as an iterator reads them from its storage, page by page. They are those from the
//! first on or, where older ones were given up, those after an account that was read from a snapshot.
//!
//! ```
//! use grantbook::command::{AddMembers, GrantOwnership, RemoveMembers};
//! use grantbook::{Account, AccountId, Actor, Command, GroupLimit, MemberId, Permission, Resource, Timestamp, history};
//!
//! let (olga, otto) = (MemberId::parse("olga")?, MemberId::parse("otto")?);
//! let time = Timestamp::from_millis;
//! let (mut account, first) =
//!     Account::open(AccountId::parse("acme")?, olga.clone(), GroupLimit::default(), time(1_000));
//! let mut records = vec![first];
//! let add = Command::AddMembers(AddMembers { members: [otto.clone()].into() });
//! records.extend(account.execute(&Actor::System, &add, time(2_000))?);
//! let grant = Command::GrantOwnership(GrantOwnership { member: otto.clone() });
//! records.extend(account.execute(&Actor::Member(olga.clone()), &grant, time(3_000))?);
//! let remove = Command::RemoveMembers(RemoveMembers { members: [olga].into() });
//! records.extend(account.execute(&Actor::Member(otto), &remove, time(4_000))?);
//!
//! let was_able = history::access(&records, None, "olga", &Permission::MANAGE_ROLES, Resource::Account)?;
//! assert_eq!(was_able.len(), 1);
//! assert_eq!(was_able[0].began.unwrap().at(), time(1_000));
//! let ended = was_able[0].ended.unwrap();
//! assert_eq!((ended.at(), ended.actor().to_string(), ended.event().kind()), (time(4_000), "member otto".into(), "members-removed"));
//! assert_eq!(history::at_time(&records, None, time(2_500))?.owners().count(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::borrow::Borrow;

use serde::Serialize;

use crate::access::Resource;
use crate::account::Account;
use crate::account::actor::Actor;
use crate::account::data::Header;
use crate::account::digest::Digest;
use crate::account::record::Record;
use crate::account::replay::{self, ReplayError};
use crate::account::snapshot::Snapshot;
use crate::permission::Permission;
use crate::time::Timestamp;

/// Verifies that records are the unchanged history of one account: for an auditor, who need not replay them.
///
/// The versions follow each other without gaps, each record's digest is that of its content and of the record before
/// it, and the last digest is the expected one ([U2](crate::docs::rules#U2)). The records are those from the first on
/// or, with a snapshot, those after it; the snapshot's digest is then trusted.
///
/// Whoever can write your storage can also make all digests again. So this proves something only with the digest of a
/// record that you keep elsewhere, such as [`Account::digest`] in a log that nobody rewrites.
///
/// ```
/// # use grantbook::{*, command::CreateStore};
/// # let now = Timestamp::from_millis(0);
/// # let (mut account, opening) =
/// #     Account::open(AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), now);
/// # let create = CreateStore { store: StoreId::parse("dev")? }.into();
/// # let created = account.execute(&Actor::System, &create, now)?.ok_or("it was there")?;
/// # let records = [opening, created];
/// let kept_elsewhere = account.digest().to_string();
///
/// let expected = Digest::parse(&kept_elsewhere)?;
/// history::verify(&records, None, Some(&expected))?;
///
/// let cut_short = history::verify(&records[..1], None, Some(&expected));
/// assert_eq!(cut_short.unwrap_err().code(), "other-head");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// No records and no snapshot; a record of another account, a gap or a repeat; a digest that does not follow; a time that
/// runs backwards; a place in a commit that does not follow; another last digest than the expected one.
pub fn verify<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    after: Option<&Snapshot>,
    expected: Option<&Digest>,
) -> Result<(), ReplayError> {
    let mut head = after.map(Snapshot::header);
    for record in records {
        let record = record.borrow();
        let head = head.get_or_insert_with(|| Header::unopened(record.account.clone()));
        replay::ensure_next(head, record)?;
        replay::advance(head, record);
    }
    let head = head.ok_or(ReplayError::NoRecords)?;
    match expected {
        Some(expected) if *expected != head.digest => Err(ReplayError::OtherHead {
            version: head.version,
            expected: *expected,
            found: head.digest,
        }),
        Some(_) | None => Ok(()),
    }
}

/// The account as it was at this version; as it is, if it has not come so far.
///
/// # Errors
/// As [`Account::replay`]; before the first record, and before the account that they come after, there are
/// [none](ReplayError::NoRecords).
pub fn at_version<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    after: Option<Account>,
    version: u64,
) -> Result<Account, ReplayError> {
    let after = after.map(|account| (account.version() <= version, account));
    as_it_was(records, after, |record| record.version() <= version)
}

/// The account as it was at this time, records of that very millisecond included.
///
/// # Errors
/// As [`at_version`].
pub fn at_time<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    after: Option<Account>,
    time: Timestamp,
) -> Result<Account, ReplayError> {
    let after = after.map(|account| (account.changed_at() <= time, account));
    as_it_was(records, after, |record| record.at() <= time)
}

fn as_it_was<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    after: Option<(bool, Account)>,
    is_past: impl Fn(&Record) -> bool,
) -> Result<Account, ReplayError> {
    let records = records
        .into_iter()
        .take_while(|record| is_past(record.borrow()));
    match after {
        None => Account::replay(records),
        Some((false, _)) => Err(ReplayError::NoRecords),
        Some((true, mut account)) => {
            for record in records {
                account.apply(record.borrow())?;
            }
            Ok(account)
        }
    }
}

/// A stretch of versions in which a member could do something.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Interval<R> {
    /// The record that began it: who, when, and by what; none, if it had begun with the account that the records come
    /// after.
    pub began: Option<R>,
    /// The record that ended it; none, if it lasts.
    pub ended: Option<R>,
}

/// When this member could do this here: each stretch, in the order of time, with the records that began and ended it.
///
/// Records are looked at one by one, those of one commit too: a commit that takes a member out of one group and puts it
/// into another ends a stretch and begins one, though no check was ever asked in between
/// ([U10](crate::docs::rules#U10)).
///
/// # Errors
/// As [`Account::replay`].
pub fn access<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    after: Option<Account>,
    member: &str,
    permission: &Permission,
    resource: Resource<&str>,
) -> Result<Vec<Interval<R>>, ReplayError> {
    let mut records = records.into_iter();
    let (mut account, first) = begin(&mut records, after)?;
    let can = |account: &Account| account.can(member, permission, resource);
    let mut intervals: Vec<Interval<R>> = Vec::new();
    if can(&account) {
        intervals.push(Interval {
            began: first,
            ended: None,
        });
    }
    for record in records {
        account.apply(record.borrow())?;
        let open = intervals
            .last_mut()
            .filter(|interval| interval.ended.is_none());
        match (open, can(&account)) {
            (None, true) => intervals.push(Interval {
                began: Some(record),
                ended: None,
            }),
            (Some(interval), false) => interval.ended = Some(record),
            (None, false) | (Some(_), true) => {}
        }
    }
    Ok(intervals)
}

/// The changes that this actor made.
pub fn changes_by<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    actor: &Actor,
) -> impl Iterator<Item = R> {
    records
        .into_iter()
        .filter(move |record| record.borrow().actor() == actor)
}

/// The changes that are about this member: that name it, or that changed what it can do. Takes time in proportion to what
/// the records change.
///
/// # Errors
/// As [`Account::replay`].
pub fn changes_touching<R: Borrow<Record>>(
    records: impl IntoIterator<Item = R>,
    after: Option<Account>,
    member: &str,
) -> Result<Vec<R>, ReplayError> {
    let mut records = records.into_iter();
    let (mut account, first) = begin(&mut records, after)?;
    let names = |record: &R| record.borrow().event().names_member(member);
    let mut touching: Vec<R> = first.into_iter().filter(names).collect();
    for record in records {
        let is_changed = account.apply_and_compare(record.borrow(), member)?;
        if is_changed || names(&record) {
            touching.push(record);
        }
    }
    Ok(touching)
}

/// The account that the records come after; or else the one that the first of them opens, with that record.
fn begin<R: Borrow<Record>>(
    records: &mut impl Iterator<Item = R>,
    after: Option<Account>,
) -> Result<(Account, Option<R>), ReplayError> {
    if let Some(account) = after {
        return Ok((account, None));
    }
    let first = records.next().ok_or(ReplayError::NoRecords)?;
    Ok((Account::replay([first.borrow()])?, Some(first)))
}

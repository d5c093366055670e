//! The least that a check by text does where it is known what ids look like: their keys stand in the two tables, and are
//! made of the text each time.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs

use std::collections::HashMap;
use std::hash::Hash;

use foldhash::fast::RandomState;
use grantbook::{Account, MemberId, Resource, StoreId};
use uuid::Uuid;

use crate::population::{Asked, Batch, PERMISSIONS, Size};
use crate::reference::{ONE, Words, meet, of_member, of_store};

/// What an id is looked up by.
pub trait Key: Eq + Hash + Sized {
    /// `None` if it is no such id.
    fn of(text: &str) -> Option<Self>;
}

/// An id of 8 to 16 bytes: the first eight, the last eight, and how many there are.
#[derive(Eq, Hash, PartialEq)]
pub struct InTable(u64, u64);

impl Key for InTable {
    #[inline]
    fn of(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let first = u64::from_le_bytes(*bytes.first_chunk()?);
        let last = u64::from_le_bytes(*bytes.last_chunk()?);
        // The first of the last eight is among the first eight.
        let is_short = bytes.len() < 16;
        let length = bytes.len() as u64;
        is_short.then_some(Self(first, last & !0xFF | length))
    }
}

/// As the crate for UUIDs has it.
pub type Parsed = Uuid;

impl Key for Parsed {
    #[inline]
    fn of(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok()
    }
}

/// The two tables.
#[derive(Debug)]
pub struct Least<K> {
    members: HashMap<K, Words<ONE>, RandomState>,
    stores: HashMap<K, [Words<ONE>; 2], RandomState>,
}

impl<K: Key> Least<K> {
    pub fn new(size: Size) -> Self {
        let key = |text: String| K::of(&text).expect("such an id");
        // Not with room for as many: the account's tables have grown too.
        let (mut members, mut stores) = (HashMap::default(), HashMap::default());
        for number in 0..size.members {
            members.insert(key(size.member(number)), of_member(size, number));
        }
        for number in 0..size.stores {
            stores.insert(key(size.store(number)), of_store(size, number));
        }
        Self { members, stores }
    }

    #[inline]
    fn can(&self, member: &K, store: &K, writes: bool) -> bool {
        let found = self.members.get(member).zip(self.stores.get(store));
        found.is_some_and(|(member, store)| meet(member, &store[usize::from(writes)]))
    }

    /// How many of the questions are allowed.
    pub fn allowed(&self, batch: &Batch) -> usize {
        let may = |asked: &Asked<'_>| match (K::of(asked.member), K::of(asked.store)) {
            (Some(member), Some(store)) => self.can(&member, &store, asked.writes),
            _ => false,
        };
        batch.questions().filter(may).count()
    }

    /// The same, with keys that were made before.
    pub fn allowed_by_key(&self, asked: &[(K, K, bool)]) -> usize {
        let may = |(member, store, writes): &&(K, K, bool)| self.can(member, store, *writes);
        asked.iter().filter(may).count()
    }
}

/// The same questions, as keys.
pub fn by_key<K: Key>(batch: &Batch) -> Vec<(K, K, bool)> {
    let key = |text: &str| K::of(text).expect("such an id");
    let asked = batch.questions();
    asked
        .map(|asked| (key(asked.member), key(asked.store), asked.writes))
        .collect()
}

/// The same questions, with ids that were parsed before.
pub fn by_id(batch: &Batch) -> Vec<(MemberId, StoreId, bool)> {
    let parse = |asked: Asked<'_>| {
        let member = MemberId::parse(asked.member).expect("an id");
        let store = StoreId::parse(asked.store).expect("an id");
        (member, store, asked.writes)
    };
    batch.questions().map(parse).collect()
}

pub fn allowed_by_id(account: &Account, asked: &[(MemberId, StoreId, bool)]) -> usize {
    let may = |(member, store, writes): &&(MemberId, StoreId, bool)| {
        account.can(
            member,
            &PERMISSIONS[usize::from(*writes)],
            Resource::Store(store),
        )
    };
    asked.iter().filter(may).count()
}

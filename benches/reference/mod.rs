//! The least that a check by text does: two lookups and an AND, in two hash tables that hold nothing else, with the
//! public types of ids and the hash function of the crate. And the account to compare it with.

#![allow(dead_code, missing_docs, unreachable_pub)] // each bench takes what it needs

use std::collections::HashMap;

use foldhash::fast::RandomState;
use grantbook::{Account, Member, MemberId, Resource, Store, StoreId};

use crate::population::{Asked, Batch, Kind, Question, Size};

/// A bit for each group, and the last one for owners.
pub type Words<const WORDS: usize> = [u64; WORDS];

/// How many words the groups of the sizes S to XL take, and how many those of WIDE.
pub const ONE: usize = 1;
pub const WIDE_WORDS: usize = 16;

pub fn meet<const WORDS: usize>(member: &Words<WORDS>, store: &Words<WORDS>) -> bool {
    let met = member.iter().zip(store).map(|(one, other)| one & other);
    met.fold(0, |all, word| all | word) != 0
}

/// The words of the member that came as this one; none for whoever is only invited.
pub fn of_member<const WORDS: usize>(size: Size, member: u64) -> Words<WORDS> {
    let mut words = [0; WORDS];
    let groups = size.groups_of(member);
    match size.kind(member) {
        Kind::Invited => {}
        Kind::Active => groups.into_iter().for_each(|group| set(&mut words, group)),
        Kind::Owner => words[WORDS - 1] = 1 << 63,
    }
    words
}

/// The words of a store: who reads, who writes.
pub fn of_store<const WORDS: usize>(size: Size, store: u64) -> [Words<WORDS>; 2] {
    let mut words = [[0; WORDS]; 2];
    for group in 0..size.groups {
        if let Some(edits) = size.grant(group, store) {
            let granted = if edits { 0..2 } else { 0..1 };
            granted.for_each(|permission| set(&mut words[permission], group));
        }
    }
    words.map(|mut words| {
        words[WORDS - 1] |= 1 << 63;
        words
    })
}

fn set<const WORDS: usize>(words: &mut Words<WORDS>, group: u64) {
    words[usize::try_from(group / 64).expect("a small number")] |= 1 << (group % 64);
}

/// The two tables, with ids of their own.
#[derive(Debug)]
pub struct Reference<const WORDS: usize> {
    pub members: HashMap<MemberId, Words<WORDS>, RandomState>,
    pub stores: HashMap<StoreId, [Words<WORDS>; 2], RandomState>,
}

impl<const WORDS: usize> Reference<WORDS> {
    pub fn new(size: Size) -> Self {
        let mut reference = Self {
            members: HashMap::default(),
            stores: HashMap::default(),
        };
        for number in 0..size.members {
            let member = size.member_id(number).expect("an id");
            reference.members.insert(member, of_member(size, number));
        }
        for number in 0..size.stores {
            let store = size.store_id(number).expect("an id");
            reference.stores.insert(store, of_store(size, number));
        }
        reference
    }

    /// The stores in the order of their ids, as the least that lists them goes through them.
    pub fn in_order(&self) -> Vec<(StoreId, [Words<WORDS>; 2])> {
        let stores = self.stores.iter().map(|(id, words)| (id.clone(), *words));
        let mut stores: Vec<_> = stores.collect();
        stores.sort_by(|(one, _), (other, _)| one.cmp(other));
        stores
    }

    /// The least that tells everything that a member may do: looks it up, goes through all stores in one array, and
    /// puts those where it may do anything into a list, each with two bits.
    pub fn effective(
        &self,
        in_order: &[(StoreId, [Words<WORDS>; 2])],
        member: &str,
    ) -> Vec<(StoreId, u8)> {
        let mut all = Vec::with_capacity(in_order.len());
        all.extend(
            self.walk(in_order, member)
                .map(|(id, bits)| (id.clone(), bits)),
        );
        all
    }

    /// The same, of which nothing is copied.
    pub fn walk<'a>(
        &'a self,
        in_order: &'a [(StoreId, [Words<WORDS>; 2])],
        member: &str,
    ) -> impl Iterator<Item = (&'a StoreId, u8)> {
        let member = self.members.get(member);
        in_order.iter().filter_map(move |(id, [reading, writing])| {
            let member = member?;
            let bits = u8::from(meet(member, reading)) | u8::from(meet(member, writing)) << 1;
            (bits != 0).then_some((id, bits))
        })
    }

    pub fn can(&self, asked: Asked<'_>) -> bool {
        match (self.members.get(asked.member), self.stores.get(asked.store)) {
            (Some(member), Some(store)) => meet(member, &store[usize::from(asked.writes)]),
            _ => false,
        }
    }

    /// How many of the questions are allowed.
    pub fn allowed(&self, batch: &Batch) -> usize {
        batch.questions().filter(|asked| self.can(*asked)).count()
    }
}

pub fn can(account: &Account, asked: Asked<'_>) -> bool {
    account.can(
        asked.member,
        asked.permission(),
        Resource::Store(asked.store),
    )
}

/// How many of the questions the account allows.
pub fn allowed(account: &Account, batch: &Batch) -> usize {
    batch
        .questions()
        .filter(|asked| can(account, *asked))
        .count()
}

/// An account, its reference and the questions to both, whose answers are the same.
#[derive(Debug)]
pub struct Compared<const WORDS: usize> {
    pub size: Size,
    pub account: Account,
    pub reference: Reference<WORDS>,
    pub batches: Vec<Batch>,
}

impl<const WORDS: usize> Compared<WORDS> {
    pub fn new(size: Size) -> Self {
        let (account, _) = size.account().expect("an account");
        Self::of(size, account)
    }

    /// Of an account that was made in another way.
    pub fn of(size: Size, account: Account) -> Self {
        let compared = Self {
            size,
            account,
            reference: Reference::new(size),
            batches: size.batches(),
        };
        compared.agree();
        compared
    }

    /// The members' ids are all different, all answers are equal, and about half of them are yes.
    fn agree(&self) {
        let (account, size) = (&self.account, self.size);
        let members = u64::try_from(account.member_count()).expect("a number");
        assert_eq!(members, size.members);
        let (mut allowed, mut asked) = (0, 0);
        for question in self.batches.iter().flat_map(Batch::questions) {
            let answer = can(account, question);
            assert_eq!(
                answer,
                self.reference.can(question),
                "{size:?} {question:?}"
            );
            allowed += usize::from(answer);
            asked += 1;
        }
        let percent = allowed * 100 / asked;
        assert!((40..=60).contains(&percent), "{size:?}: {percent} %");
    }

    /// The first questions, looked up before, in batches.
    pub fn looked_up(&self) -> Vec<Vec<(Member<'_>, Store<'_>, bool)>> {
        let look_up = |asked: Asked<'_>| {
            let member = self.account.member(asked.member).expect("a member");
            let store = self.account.store(asked.store).expect("a store");
            (member, store, asked.writes)
        };
        let batches = self.batches.iter().take(LOOKED_UP);
        batches
            .map(|batch| batch.questions().map(look_up).collect())
            .collect()
    }

    /// The same, for the reference: words by their place in a list.
    pub fn in_lists(&self) -> Lists<WORDS> {
        let size = self.size;
        let resource = |number| u32::try_from(number).expect("a small number");
        let mut questions = size.questions(u64::MAX).map(|question| {
            let Question {
                member,
                store,
                writes,
            } = question;
            (resource(member), resource(store), writes)
        });
        let batch = |_| questions.by_ref().take(Batch::QUESTIONS as usize).collect();
        Lists {
            questions: (0..LOOKED_UP).map(batch).collect(),
            members: (0..size.members).map(|n| of_member(size, n)).collect(),
            stores: (0..size.stores).map(|n| of_store(size, n)).collect(),
        }
    }
}

/// How many batches of questions are looked up before.
const LOOKED_UP: usize = 64;

/// What a check of a resolved member in a resolved store cannot be faster than.
#[derive(Debug)]
pub struct Lists<const WORDS: usize> {
    pub members: Vec<Words<WORDS>>,
    pub stores: Vec<[Words<WORDS>; 2]>,
    pub questions: Vec<Vec<(u32, u32, bool)>>,
}

impl<const WORDS: usize> Lists<WORDS> {
    pub fn can(&self, (member, store, writes): (u32, u32, bool)) -> bool {
        let store = &self.stores[store as usize][usize::from(writes)];
        meet(&self.members[member as usize], store)
    }

    /// How many of the questions are allowed.
    pub fn allowed(&self, questions: &[(u32, u32, bool)]) -> usize {
        let questions = questions.iter();
        questions.filter(|question| self.can(**question)).count()
    }
}

/// How many of the looked-up questions are allowed.
pub fn allowed_looked_up(questions: &[(Member<'_>, Store<'_>, bool)]) -> usize {
    let questions = questions.iter();
    questions
        .filter(|(member, store, writes)| {
            member.can_in(
                &crate::population::PERMISSIONS[usize::from(*writes)],
                *store,
            )
        })
        .count()
}

//! Many checks at once.

use std::iter;

use crate::access::Resource;
use crate::account::Account;
use crate::account::data::AccountData;
use crate::account::data::state::State;
use crate::permission::Permission;

/// How many checks wait for memory together.
const AT_ONCE: usize = 32;

/// Who, what and where.
type Question<'q> = (&'q str, &'q Permission, Resource<&'q str>);

impl Account {
    /// Returns whether the member may do this there, as [`can`](Account::can) does, for each of these questions, in
    /// their order: who, what, where. Allocates nothing.
    ///
    /// Takes less time than to ask one after another, where there are so many members that a check waits for memory:
    /// some questions are read ahead, and wait together.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// let may = account.can_many([
    ///     ("olga", &Permission::MANAGE_GROUPS, Resource::Account),
    ///     ("olga", &Permission::STORE_READ, Resource::Store("no-such-store")),
    /// ]);
    /// assert!(may.eq([true, false]));
    /// # Ok::<(), ParseError>(())
    /// ```
    pub fn can_many<'q>(
        &self,
        questions: impl IntoIterator<Item = (&'q str, &'q Permission, Resource<&'q str>)>,
    ) -> impl Iterator<Item = bool> {
        let state = &self.state;
        let mut questions = questions.into_iter().fuse();
        let mut answers = [false; AT_ONCE];
        let mut next = 0;
        let mut answered = 0;
        iter::from_fn(move || {
            if next == answered {
                answered = answer_some(state, &mut questions, &mut answers);
                next = 0;
            }
            let answer = answers.get(next).copied().filter(|_| next < answered);
            next += 1;
            answer
        })
    }
}

/// Answers the next questions, as many as there is room for; how many there were.
fn answer_some<'q>(
    state: &State,
    questions: &mut impl Iterator<Item = Question<'q>>,
    answers: &mut [bool; AT_ONCE],
) -> usize {
    // First all members, which are many and far away, then all stores.
    let mut ids = [""; AT_ONCE];
    let mut rest = [(&Permission::STORE_READ, Resource::Account); AT_ONCE];
    let mut count = 0;
    let places = ids.iter_mut().zip(&mut rest);
    for ((id, rest), (member, permission, resource)) in places.zip(questions) {
        *id = member;
        *rest = (permission, resource);
        count += 1;
    }
    let mut members = [None; AT_ONCE];
    state.members_each(&ids, &mut members);
    for ((member, (permission, resource)), answer) in members.iter().zip(rest).zip(answers) {
        *answer = member.is_some_and(|member| state.holds_at(member, permission, resource));
    }
    count
}

//! The check, asked from the other sides: who can, and where.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::access::{Denial, Permissions, Place};
use crate::account::Account;
use crate::id::{MemberId, StoreId};
use crate::permission::Permission;

/// The check from the other sides. Each answer is complete, in the order of ids, and found as it is asked for. To
/// go on where an earlier page ended, give the last id of that page as `after`; it need not exist any more.
impl Account {
    /// Who may do this here. Nobody, in an unknown store.
    ///
    /// Takes time in proportion to those who are asked for and the memberships that give it to them; members who may
    /// not are not looked at.
    ///
    /// ```
    /// # use grantbook::*;
    /// # let (account, _) = Account::open(
    /// #     AccountId::parse("acme")?, MemberId::parse("olga")?, GroupLimit::default(), Timestamp::from_millis(0));
    /// let (page, place) = (100, Place::Account);
    /// let first: Vec<_> = account.who_can(&Permission::MANAGE_GROUPS, place, None).take(page).collect();
    /// let last = first.last().map(|member| member.as_str());
    /// let next: Vec<_> = account.who_can(&Permission::MANAGE_GROUPS, place, last).take(page).collect();
    /// # assert_eq!((first.len(), next.len()), (1, 0));
    /// # Ok::<(), InvalidText>(())
    /// ```
    pub fn who_can<'a>(
        &'a self,
        permission: &Permission,
        place: Place<&str>,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a MemberId> + use<'a> {
        let granting = self.state.granting(place);
        let owners = granting.map(|_| Box::new(self.state.owners.iter_after(after)) as Ids<'a>);
        let slots = granting.and_then(|granting| granting.groups(permission));
        let groups = self.state.groups.iter().map(|(_, group)| group);
        let groups =
            groups.filter(move |group| slots.is_some_and(|slots| slots.contains(group.slot)));
        let members = groups.map(|group| Box::new(group.members.iter_after(after)) as Ids<'a>);
        let is_active = |member: &&MemberId| {
            let member = self.state.members.get(member);
            member.is_some_and(|member| member.standing.is_active())
        };
        Union::new(owners.into_iter().chain(members)).filter(is_active)
    }

    /// Where this member may do this: in which stores. In none, for somebody unknown or only invited.
    ///
    /// Takes time in proportion to the account's stores.
    pub fn stores_for<'a>(
        &'a self,
        member: &str,
        permission: &Permission,
        after: Option<&str>,
    ) -> impl Iterator<Item = &'a StoreId> + use<'a> {
        let member = self
            .state
            .look_up(member, Place::Account)
            .ok()
            .map(|(entry, owner, _)| (entry, owner));
        let permission = permission.clone();
        self.state
            .stores
            .iter_after(after)
            .filter(move |(_, granting)| {
                member.is_some_and(|(entry, owner)| {
                    owner || granting.grants(&permission, &entry.groups)
                })
            })
            .map(|(store, _)| store)
    }

    /// What this member may do here.
    ///
    /// # Errors
    /// The reason why it may do nothing, for an unknown member, an invited one, an unknown store (P4).
    pub fn permissions_on(&self, member: &str, place: Place<&str>) -> Result<Permissions, Denial> {
        self.state.permissions_in(member, place)
    }
}

type Ids<'a> = Box<dyn Iterator<Item = &'a MemberId> + 'a>;

/// The ids of several lists, each of them in order, as one list in order and each id once.
struct Union<'a> {
    lists: Vec<Ids<'a>>,
    /// The next id of each list that has one.
    next: BinaryHeap<Reverse<(&'a MemberId, usize)>>,
    last: Option<&'a MemberId>,
}

impl<'a> Union<'a> {
    fn new(lists: impl Iterator<Item = Ids<'a>>) -> Self {
        let mut union = Self {
            lists: lists.collect(),
            next: BinaryHeap::new(),
            last: None,
        };
        for list in 0..union.lists.len() {
            union.draw(list);
        }
        union
    }

    fn draw(&mut self, list: usize) {
        if let Some(id) = self.lists.get_mut(list).and_then(Iterator::next) {
            self.next.push(Reverse((id, list)));
        }
    }
}

impl<'a> Iterator for Union<'a> {
    type Item = &'a MemberId;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Reverse((id, list)) = self.next.pop()?;
            self.draw(list);
            if self.last.replace(id) != Some(id) {
                return Some(id);
            }
        }
    }
}

//! Members in the order of their ids.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;

use roaring::RoaringBitmap;

use crate::account::data::AccountData;
use crate::account::data::member::MemberEntry;
use crate::account::data::state::State;
use crate::id::{GroupId, MemberId};

/// From one in so many members on, the list of all is gone through for the few that are meant.
const DENSE: u64 = 16;

impl State {
    /// The members who have these indexes and whose ids come after this one.
    ///
    /// Found as they are asked for. Where they are many among all, the time for each is that of going on to it in the
    /// list of all, which is [`DENSE`] steps on average; where they are few, they are all gathered first.
    pub(crate) fn in_order<'a>(
        &'a self,
        indexes: Cow<'a, RoaringBitmap>,
        after: Option<&str>,
    ) -> impl Iterator<Item = (&'a MemberId, &'a MemberEntry)> + use<'a> {
        let is_dense = indexes.len().saturating_mul(DENSE) >= self.members.len() as u64;
        let mut gathered = BinaryHeap::new();
        if !is_dense {
            let ids = indexes
                .iter()
                .filter_map(|index| self.member_slab.get(index));
            gathered = ids
                .filter(|id| after.is_none_or(|after| id.as_str() > after))
                .map(Reverse)
                .collect();
        }
        let gathered = iter::from_fn(move || gathered.pop());
        let gathered =
            gathered.filter_map(|Reverse(id)| self.members.get(id).map(|member| (id, member)));
        let all = is_dense
            .then(|| self.members_after(after))
            .into_iter()
            .flatten();
        let passed = all.filter(move |(_, member)| indexes.contains(member.index()));
        gathered.chain(passed)
    }

    /// All members, each with the groups that it is in, in the order of ids.
    pub(crate) fn members_with_groups(
        &self,
    ) -> impl Iterator<Item = (&MemberId, &MemberEntry, Vec<&GroupId>)> {
        let by_slot = self.groups_by_slot();
        self.members_after(None).map(move |(id, member)| {
            let mut groups: Vec<&GroupId> = Self::groups_in(&by_slot, member).collect();
            groups.sort_unstable();
            (id, member, groups)
        })
    }
}
